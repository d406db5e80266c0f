"""What a version would change for people, in numbers: by study site, and shown without small ones; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from recruit.matching import floor
from recruit.matching.floor import HIDDEN, Count
from screening.assessment.amendment import Cause, Comparison
from screening.verdict import Disposition


class Stands(StrEnum):
    """Whom a version would be asked about, and whom not."""

    JUDGED = "judged"
    SIGNED = "signed"
    ON_IT = "on_it"
    NOTHING_IN_FORCE = "nothing_in_force"


class Shift(StrEnum):
    """What a version would change for somebody."""

    OUT = "out"
    BACK = "back"
    MORE_TO_ASK = "more_to_ask"
    LESS_TO_ASK = "less_to_ask"
    NONE = "none"


def shift_of(before: Disposition, after: Disposition) -> Shift:
    """Say what it means to stand elsewhere."""
    if before is after:
        return Shift.NONE
    if Disposition.INELIGIBLE in (before, after):
        return Shift.OUT if after is Disposition.INELIGIBLE else Shift.BACK
    return Shift.LESS_TO_ASK if after is Disposition.CANDIDATE else Shift.MORE_TO_ASK


Place = UUID | None
"""A study site; none for people for whom no site was chosen yet."""
Why = tuple[str, Cause | None]
"""A criterion's lineage and why it turned; no cause where the cohorts themselves make the difference."""
COHORTS: Final[Why] = ("", None)


@dataclass(frozen=True, slots=True)
class Tally:
    """What a version would change, in numbers without people, by study site."""

    people: Counter[tuple[Place, Stands]]
    moves: Counter[tuple[Place, Disposition, Disposition]]
    reasons: Counter[tuple[Place, Shift, str, Cause | None]]
    lacking: Counter[tuple[Place, str]]

    @classmethod
    def empty(cls) -> Tally:
        """Begin to count."""
        return cls(Counter(), Counter(), Counter(), Counter())

    def add(self, place: Place, stands: Stands, told: Comparison | None) -> None:
        """Count one person; without a comparison where the version would not be asked about them."""
        self.people[place, stands] += 1
        if told is None:
            return
        shift = shift_of(told.before, told.after)
        self.moves[place, told.before, told.after] += 1
        whys: list[Why] = [(turned.lineage, turned.cause) for turned in told.turned]
        for lineage, cause in [*whys, *([COHORTS] if told.by_cohorts else [])]:
            self.reasons[place, shift, lineage, cause] += 1
        for key in told.lacking:
            self.lacking[place, key] += 1

    def to_json(self) -> dict[str, object]:
        """Write the numbers as they are kept."""
        return {
            "people": [[_text(place), stands.value, n] for (place, stands), n in self.people.items()],
            "moves": [[_text(place), was.value, now.value, n] for (place, was, now), n in self.moves.items()],
            "reasons": [
                [_text(place), shift.value, lineage, cause.value if cause else "", n]
                for (place, shift, lineage, cause), n in self.reasons.items()
            ],
            "lacking": [[_text(place), key, n] for (place, key), n in self.lacking.items()],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> Tally:
        """Read the numbers as they were kept."""
        tally = cls.empty()
        for place, stands, n in _rows(document, "people"):
            tally.people[_place(place), Stands(stands)] = int(n)
        for place, was, now, n in _rows(document, "moves"):
            tally.moves[_place(place), Disposition(was), Disposition(now)] = int(n)
        for place, shift, lineage, cause, n in _rows(document, "reasons"):
            tally.reasons[_place(place), Shift(shift), lineage, Cause(cause) if cause else None] = int(n)
        for place, key, n in _rows(document, "lacking"):
            tally.lacking[_place(place), key] = int(n)
        return tally

    def within(self, places: Collection[Place]) -> Tally:
        """Keep what concerns some study sites."""
        return Tally(
            Counter({key: n for key, n in self.people.items() if key[0] in places}),
            Counter({key: n for key, n in self.moves.items() if key[0] in places}),
            Counter({key: n for key, n in self.reasons.items() if key[0] in places}),
            Counter({key: n for key, n in self.lacking.items() if key[0] in places}),
        )


@dataclass(frozen=True, slots=True)
class Told:
    """What may be shown of a tally: people by where they stand exactly, the rest without small numbers.

    ``moves`` splits each shift whose number is shown itself. ``reasons`` counts, by criterion and shift, the
    people for whom it is one of the reasons. ``out`` says by study site how many would no longer fit.
    """

    people: Mapping[Stands, int]
    shifts: Mapping[Shift, Count]
    moves: Mapping[Shift, Mapping[tuple[Disposition, Disposition], Count]]
    reasons: Mapping[Why, Mapping[Shift, Count]]
    lacking: Mapping[str, Count]
    out: Mapping[Place, Count]

    @property
    def judged(self) -> int:
        """How many people were gone through by both versions."""
        return self.people[Stands.JUDGED]


def told(tally: Tally) -> Told:
    """Prepare a tally for being shown."""
    people: Counter[Stands] = Counter()
    for (_place, stands), n in tally.people.items():
        people[stands] += n
    shifted = dict.fromkeys(Shift, 0)
    moved: Counter[tuple[Disposition, Disposition]] = Counter()
    for (_place, was, now), n in tally.moves.items():
        moved[was, now] += n
        shifted[shift_of(was, now)] += n
    shifts = floor.parts(shifted)
    return Told(
        people,
        shifts,
        {shift: _split(moved, shift) for shift in Shift if shifts[shift].number},
        _reasons(tally, shifts),
        _lacking(tally, people[Stands.JUDGED]),
        _out(tally, shifts[Shift.OUT]),
    )


def _split(
    moved: Counter[tuple[Disposition, Disposition]], shift: Shift
) -> dict[tuple[Disposition, Disposition], Count]:
    return floor.parts({move: n for move, n in moved.items() if shift_of(*move) is shift})


def _reasons(tally: Tally, shifts: Mapping[Shift, Count]) -> dict[Why, dict[Shift, Count]]:
    counted: dict[Shift, Counter[Why]] = {shift: Counter() for shift in Shift}
    for (_place, shift, lineage, cause), n in tally.reasons.items():
        counted[shift][lineage, cause] += n
    found: dict[Why, dict[Shift, Count]] = {}
    for shift, whys in counted.items():
        for why, count in floor.reasons(whys, total=shifts[shift]).items():
            found.setdefault(why, {})[shift] = count
    return found


def _lacking(tally: Tally, judged: int) -> dict[str, Count]:
    lacking: Counter[str] = Counter()
    for (_place, key), n in tally.lacking.items():
        lacking[key] += n
    return {key: floor.parts({True: n, False: judged - n})[True] for key, n in lacking.items()}


def _out(tally: Tally, total: Count) -> dict[Place, Count]:
    out: Counter[Place] = Counter({place: 0 for place, _stands in tally.people})
    for (place, was, now), n in tally.moves.items():
        if shift_of(was, now) is Shift.OUT:
            out[place] += n
    return dict.fromkeys(out, HIDDEN) if total.number is None else floor.parts(out)


def _text(place: Place) -> str:
    return "" if place is None else str(place)


def _place(text: str) -> Place:
    return UUID(text) if text else None


def _rows(document: Mapping[str, object], name: str) -> list[list[str]]:
    rows = document[name]
    if not isinstance(rows, list):
        raise TypeError(f"{name} is no list of rows")
    return rows
