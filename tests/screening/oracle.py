"""A second, two-valued reading of the language, and every way to complete a person.

It shares nothing with the engine but the tree and the noun classes: where a
person is fully known, there is a plain yes or no; where not, every completion
is tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import chain, combinations, product
from typing import Any

from screening.facts import (
    Choice,
    Code,
    Dated,
    Denial,
    EvidenceSource,
    Fact,
    Facts,
    Flag,
    Quantity,
    Statement,
    StatementStatus,
)
from screening.intervals import DateRange, DecimalRange
from screening.language.criteria import (
    Age,
    AllOf,
    AnyOf,
    AtLeast,
    Attested,
    ButNot,
    Case,
    Coded,
    Distinct,
    IfThen,
    Is,
    Node,
    NoneOf,
    Not,
    Note,
    Number,
    SiteOnly,
    Unconfirmed,
)
from screening.language.tree import walk
from screening.terms import EVERYTHING, ICD10CM
from tests.screening.people import TODAY, make_fact

FLAGS = ("vaping", "pregnant", "breastfeeding")
SEXES = ("female", "male")
READINGS = tuple(range(430, 475, 5))
BIRTHDAYS = (date(1990, 5, 5), date(2008, 11, 21), date(2008, 11, 22), date(2008, 11, 23), date(2015, 1, 1))
CODES = ("E10.1", "E11.0", "E11.9", "I21.0")
SITE_TEXTS = ("s1", "s2")
BOTH = frozenset({True, False})
ALL = frozenset(("sex", *FLAGS, "qtc", "birth", "codes", *SITE_TEXTS))


@dataclass(frozen=True)
class World:
    """Somebody of whom everything is known."""

    sex: str
    flags: Mapping[str, bool]
    qtc: int
    birth: date
    codes: frozenset[str]
    site: Mapping[str, bool]


@dataclass(frozen=True)
class Person:
    """Somebody of whom we hold sets of possibilities; None is not asked."""

    sex: frozenset[str] | None = None
    flags: tuple[frozenset[bool] | None, ...] = (None, None, None)
    qtc: tuple[int, int] | None = None
    birth: tuple[int, int] | None = None
    affirmed: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    closed: bool = False

    def facts(self) -> Facts:
        """Write the person down; a flag with two possibilities is a conflict between sources."""
        return Facts(chain(self._answers(), self._codes()))

    def _answers(self) -> Iterator[Fact]:
        if self.sex is not None:
            yield make_fact("sex", Choice(self.sex))
        for name, values in zip(FLAGS, self.flags, strict=True):
            for source, value in zip(
                (EvidenceSource.PARTICIPANT_ONLINE, EvidenceSource.RECORD), sorted(values or ()), strict=False
            ):
                yield make_fact(name, Flag(value), source=source)
        if self.qtc is not None:
            numbers = DecimalRange(Decimal(self.qtc[0]), Decimal(self.qtc[1]))
            yield make_fact("qtc", Quantity(numbers, "ms"), source=EvidenceSource.RECORD)
        if self.birth is not None:
            yield make_fact("birth", Dated(DateRange(BIRTHDAYS[self.birth[0]], BIRTHDAYS[self.birth[1]])))

    def _codes(self) -> Iterator[Fact]:
        for code in sorted(self.affirmed):
            yield make_fact("condition.any", Statement(Code(ICD10CM, code), StatementStatus.EVER))
        if self.closed:
            others = tuple(Code(ICD10CM, code) for code in sorted(self.affirmed))
            yield make_fact("condition.any", Denial((Code(ICD10CM, EVERYTHING),), but=others))
        if self.denied:
            yield make_fact("condition.any", Denial(tuple(Code(ICD10CM, code) for code in sorted(self.denied))))

    def worlds(self, asked: frozenset[str] = ALL) -> list[World]:
        """Give every completion of what is asked for; the rest is completed in one way."""
        flags = [sorted(values or BOTH) for values in self.flags]
        readings = READINGS if self.qtc is None else [n for n in READINGS if self.qtc[0] <= n <= self.qtc[1]]
        births = BIRTHDAYS if self.birth is None else BIRTHDAYS[self.birth[0] : self.birth[1] + 1]
        ways: dict[str, Sequence[Any]] = {
            "sex": sorted(self.sex or SEXES),
            **dict(zip(FLAGS, flags, strict=True)),
            "qtc": readings,
            "birth": births,
            "codes": list(self.code_worlds()),
            **{text: (True, False) for text in SITE_TEXTS},
        }
        chosen = [values if name in asked else values[:1] for name, values in ways.items()]
        return [_world(dict(zip(ways, values, strict=True))) for values in product(*chosen)]

    def code_worlds(self) -> Iterator[frozenset[str]]:
        """Give every set of codes that statements and denials allow."""
        for size in range(len(CODES) + 1):
            for chosen in combinations(CODES, size):
                meant = all(any(_below(c, code) for c in chosen) for code in self.affirmed)
                barred = any(_below(c, code) for c in chosen for code in self.denied)
                if meant and not barred:
                    yield frozenset(chosen)


def _world(values: Mapping[str, Any]) -> World:
    flags = {name: values[name] for name in FLAGS}
    site = {text: values[text] for text in SITE_TEXTS}
    return World(values["sex"], flags, values["qtc"], values["birth"], values["codes"], site)


def asked_by(rule: Node) -> frozenset[str]:
    """Name everything about a person that a rule speaks of."""
    names: set[str] = set()
    for node in walk(rule):
        match node:
            case Is() | Attested() | Number():
                names.add(node.key)
            case Age():
                names.add("birth")
            case Coded() | Distinct():
                names.add("codes")
            case SiteOnly() | Unconfirmed():
                names.add(node.text)
            case Case():
                names.add("s1")
            case _:
                pass
    return frozenset(names)


def known(world: World) -> Person:
    """Write down everything about a world, but what only the site can tell."""
    return Person(
        sex=frozenset({world.sex}),
        flags=tuple(frozenset({world.flags[name]}) for name in FLAGS),
        qtc=(world.qtc, world.qtc),
        birth=(BIRTHDAYS.index(world.birth),) * 2,
        affirmed=world.codes,
        closed=True,
    )


def narrowed(person: Person, world: World, parts: Sequence[bool]) -> Person:
    """Take some parts of a person from a world, as if asked and answered exactly."""
    full = known(world)
    return replace(
        person,
        sex=full.sex if parts[0] else person.sex,
        flags=tuple(
            new if take else old for new, old, take in zip(full.flags, person.flags, parts[1:4], strict=True)
        ),
        qtc=full.qtc if parts[4] else person.qtc,
        birth=full.birth if parts[5] else person.birth,
        affirmed=full.affirmed if parts[6] else person.affirmed,
        denied=full.denied if parts[6] else person.denied,
        closed=parts[6],
    )


def passes(node: Node, world: World, *, inclusion: bool, unless: Node | None = None) -> bool:
    """Say whether a criterion lets somebody pass of whom everything is known."""
    applies, holds = truth(node, world)
    if unless is not None and all(truth(unless, world)):
        return True
    return not applies or holds is inclusion


def truth(node: Node, world: World) -> tuple[bool, bool]:
    """Say whether a node applies, and whether it holds."""
    match node:
        case Note():
            return False, True
        case Not():
            applies, holds = truth(node.of, world)
            return applies, not holds
        case AllOf() | AnyOf() | NoneOf() | AtLeast():
            return _group(node, [truth(part, world) for part in node.of])
        case ButNot():
            applies, holds = truth(node.of, world)
            return applies, holds and not all(truth(node.exempt, world))
        case IfThen():
            applies, holds = truth(node.then, world)
            return applies and all(truth(node.when, world)), holds
        case Case():
            return _case(node, world)
        case _:
            return True, leaf_truth(node, world)


def _group(node: AllOf | AnyOf | NoneOf | AtLeast, parts: list[tuple[bool, bool]]) -> tuple[bool, bool]:
    applies = any(a for a, _ in parts)
    count = sum(1 for a, h in parts if a and h)
    match node:
        case AllOf():
            return applies, all(h for a, h in parts if a)
        case AnyOf():
            return applies, count > 0
        case NoneOf():
            return applies, count == 0
        case AtLeast():
            return applies, count >= node.count


def _case(node: Case, world: World) -> tuple[bool, bool]:
    """Take every branch whose condition holds; a case holds if one of them does."""
    taken = [branch.then for branch in node.branches if all(truth(branch.when, world))]
    if not taken:
        taken = [node.otherwise or SiteOnly(text="s1")]
    results = [truth(then, world) for then in taken]
    return any(a for a, _ in results), any(h for _, h in results)


def leaf_truth(node: Node, world: World) -> bool:
    """Judge a leaf for somebody of whom everything is known."""
    match node:
        case Is():
            return world.sex in node.codes
        case Attested():
            return world.flags[node.key] is node.value
        case Number():
            limits = node.limits[0]
            value = Decimal(world.qtc)
            return (
                (limits.ge is None or value >= limits.ge)
                and (limits.gt is None or value > limits.gt)
                and (limits.le is None or value <= limits.le)
                and (limits.lt is None or value < limits.lt)
            )
        case Age():
            had_it = (TODAY.month, TODAY.day) >= (world.birth.month, world.birth.day)
            years = TODAY.year - world.birth.year - (0 if had_it else 1)
            low = node.ge if node.ge is not None else -1 if node.gt is None else node.gt + 1
            high = node.le if node.le is not None else 999 if node.lt is None else node.lt - 1
            return low <= years <= high
        case Coded():
            inside = {c for c in world.codes for code in node.codes if _below(c, code.code)}
            return bool(inside - {c for c in world.codes for code in node.but if _below(c, code.code)})
        case Distinct():
            inside = {c for c in world.codes for code in node.of.codes if _below(c, code.code)}
            barred = {c for c in world.codes for code in node.of.but if _below(c, code.code)}
            return len(inside - barred) >= node.count
        case SiteOnly() | Unconfirmed():
            return world.site[node.text]
        case _:
            raise TypeError(f"the oracle does not know {type(node).__name__}")


def _below(code: str, root: str) -> bool:
    """Say whether a code is a root or below it; a root may be a block such as E10-E11."""
    first, _, last = root.partition("-")
    return first <= code[:3] <= last if last else code.startswith(root)
