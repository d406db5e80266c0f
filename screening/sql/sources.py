"""What a statement reads: the wide table, and what each person's other rows come to, one row for each person.

Leaves ask here for what they need of the tables beside; each table is read once, however many leaves ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from screening.sql.expressions import FALSE, any_true, as_number, one_of
from screening.sql.tables import APART, DENIAL, PERSON, STATEMENT


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is asked of the statements about some codes, by number.

    Of those `near`: a verdict, -1, 0 or 1, whether one closes its code, whether
    its source is too weak. Of others, whether they are combinations of these.
    """

    near: frozenset[int]
    verdict: str
    closes: str
    weak: str
    surely: frozenset[int]
    perhaps: frozenset[int]


@dataclass(frozen=True, slots=True)
class Said:
    """What a person's statements came to: conditions, which are NULL or false for whoever made none.

    `best` is the greatest verdict, and no condition.
    """

    best: str
    closing: str
    idle: str
    weak: str
    surely: str
    perhaps: str


@dataclass(slots=True)
class Sources:
    """Collects what the leaves of a protocol ask of the tables."""

    spoken: list[Spoken] = field(default_factory=list)
    denied: dict[str, str] = field(default_factory=dict)
    patterns: set[int] = field(default_factory=set)
    limited: bool = False
    at_odds: dict[str, str] = field(default_factory=dict)

    def speaking(self, asked: Spoken) -> Said:
        """Ask for statements."""
        name = f"t{len(self.spoken)}"
        self.spoken.append(asked)
        return Said(
            best=f"s.{name}_best",
            closing=FALSE if asked.closes == FALSE else f"(s.{name}_closing = 1)",
            idle=f"(s.{name}_idle = 1)",
            weak=FALSE if asked.weak == FALSE else f"(s.{name}_weak = 1)",
            surely=f"(s.{name}_surely = 1)" if asked.surely else FALSE,
            perhaps=f"(s.{name}_perhaps = 1)" if asked.perhaps else FALSE,
        )

    def denying(self, condition: str, patterns: Iterable[int], *, limited: bool) -> str:
        """Ask for whoever made a denial of which a condition holds.

        It speaks of some patterns; where one is `limited` to a time, a person may stand there several times.
        """
        if condition == FALSE:
            return FALSE
        self.patterns.update(patterns)
        self.limited |= limited
        name = self.denied.setdefault(condition, f"k{len(self.denied)}")
        return f"(COALESCE(d.{name}, 0) = 1)"

    def apart(self, condition: str) -> str:
        """Ask for whoever gave one of several unlike answers of which a condition holds."""
        name = self.at_odds.setdefault(condition, f"q{len(self.at_odds)}")
        return f"(COALESCE(a.{name}, 0) = 1)"

    def text(self) -> str:
        """Write what stands behind FROM."""
        parts = [f"{PERSON} p"]
        if self.spoken:
            parts.append(f"({_statements(self.spoken)}) s ON s.slot = p.slot")
        if self.denied:
            once = len(self.patterns) == 1 and not self.limited
            parts.append(f"({_flagged(DENIAL, self.denied, once=once)}) d ON d.slot = p.slot")
        if self.at_odds:
            parts.append(f"({_flagged(APART, self.at_odds)}) a ON a.slot = p.slot")
        return " LEFT JOIN ".join(parts)


def _flagged(table: str, conditions: Mapping[str, str], *, once: bool = False) -> str:
    """Mark people by their rows; where each has at most one that counts, there is nothing to add up."""
    marks = [(as_number(condition), name) for condition, name in conditions.items()]
    columns = [f"{mark if once else f'MAX({mark})'} AS {name}" for mark, name in marks]
    found = f"SELECT slot, {', '.join(columns)} FROM {table} WHERE {any_true(conditions)}"
    return found if once else f"{found} GROUP BY slot"


def _statements(spoken: list[Spoken]) -> str:
    each, together = ["slot"], ["slot"]
    for number, asked in enumerate(spoken):
        name, near = f"t{number}", one_of("code", asked.near)
        each.append(f"(CASE WHEN {near} THEN {asked.verdict} END) AS {name}_v")
        together.append(f"MAX({name}_v) AS {name}_best")
        if asked.closes != FALSE:
            each.append(f"(CASE WHEN {near} THEN {as_number(asked.closes)} END) AS {name}_c")
            together.append(f"MAX({name}_c) AS {name}_closing, MAX(1 - {name}_c) AS {name}_idle")
        for part, condition in _marks(asked, near):
            each.append(f"{as_number(condition)} AS {name}_{part}")
            together.append(f"MAX({name}_{part}) AS {name}_{part}")
    codes = frozenset().union(*(asked.near | asked.surely | asked.perhaps for asked in spoken))
    rows = f"SELECT {', '.join(each)} FROM {STATEMENT} WHERE {one_of('code', codes)}"
    return f"SELECT {', '.join(together)} FROM ({rows}) said GROUP BY slot"


def _marks(asked: Spoken, near: str) -> list[tuple[str, str]]:
    marks = [("surely", one_of("code", asked.surely)), ("perhaps", one_of("code", asked.perhaps))]
    if asked.weak != FALSE:
        marks.append(("weak", f"({near} AND {asked.weak})"))
    return [(part, condition) for part, condition in marks if condition != FALSE]
