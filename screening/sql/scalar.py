"""Leaves about one key in SQL: numbers, ages, days, choices and attested answers, by columns of the wide table.

Conditions say the same as the planes of `screening.planes.scalar`. Limits in
the key's own unit are plain comparisons; where values were given in several
units, or a multiple of their own upper limit is asked for, the reference
function compares each distinct value once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import ceil, floor
from typing import Final

from screening.assessment.limits import compare
from screening.errors import InvalidUnit
from screening.facts import EvidenceSource, Quantity
from screening.intervals import DateRange, Duration, earliest_start, shift
from screening.language.criteria import Age, Attested, Is, Limits, Number, When
from screening.language.questions import BIRTH
from screening.language.windows import Edges, edges
from screening.sql.expressions import (
    FALSE,
    TRUE,
    UNKNOWN,
    Judged,
    all_true,
    any_true,
    is_set,
    one_of,
    opposite,
    settled,
)
from screening.sql.sources import Sources
from screening.sql.tables import HARD, HISTORY, NEVER, SEVERAL, SOURCE, SPLIT, Held, PoolTables, flag_code
from screening.units import UPPER_LIMIT, convert, round_half_up
from screening.verdict import Kleene
from screening.vocabulary import Key, KeyKind, Policy, Vocabulary

Scalar = Number | Age | When | Is | Attested
SCALARS: Final = (Number, Age, When, Is, Attested)


@dataclass(frozen=True, slots=True)
class Day:
    """The day of a statement, with everything needed to read leaves on it."""

    on: date
    anchors: Mapping[str, DateRange]
    vocabulary: Vocabulary
    pool: PoolTables


@dataclass(frozen=True, slots=True)
class _Sides:
    met: str
    failed: str


def scalar_sql(leaf: Scalar, day: Day, sources: Sources) -> Judged:
    """Write a leaf about one key as SQL."""
    key = day.vocabulary[BIRTH if isinstance(leaf, Age) else leaf.key]
    if key.computed is not None:
        found = (day.pool.of(one) for one in read_from(key, day.vocabulary))
        return Judged(UNKNOWN, any_true(f"({held.info} IS NOT NULL)" for held in found if held))
    held = day.pool.of(key)
    if held is None:
        return Judged(UNKNOWN)
    if not held.is_read:
        return Judged(UNKNOWN, is_set(held.info, HARD))
    return _Writing(key, held, day, sources).judged(leaf)


def read_from(key: Key, vocabulary: Vocabulary) -> list[Key]:
    """List a key and whatever it is computed from."""
    inputs = [vocabulary[name] for name in key.computed.inputs] if key.computed else []
    return [key, *(one for source in inputs for one in read_from(source, vocabulary))]


@dataclass(frozen=True, slots=True)
class _Writing:
    key: Key
    held: Held
    day: Day
    sources: Sources

    def judged(self, leaf: Scalar) -> Judged:
        info = self.held.info
        sides = self._sides(leaf)
        valid, unsure = self._validity(leaf, sides)
        strong, weak = self._strong(leaf.decides_from)
        value = settled(sides.met, sides.failed, counting=all_true((valid, strong)))
        if isinstance(leaf, Is | Attested):
            value = f"(CASE WHEN {is_set(info, SPLIT)} THEN {self._split(leaf)} ELSE {value} END)"
        return Judged(value, any_true((is_set(info, HARD), unsure, weak)))

    def _sides(self, leaf: Scalar) -> _Sides:
        match leaf:
            case Number():
                return self._number(leaf)
            case Age():
                return self._age(leaf)
            case When():
                return self._when(leaf)
            case Is() | Attested():
                return self._answer(leaf, self.held.column("bits"))

    def _number(self, leaf: Number) -> _Sides:
        if not self.held.is_plain:
            return self._by_value(leaf)
        unit = self.key.unit or ""
        limits = next((given for given in leaf.limits if given.unit == unit), leaf.limits[0])
        if limits.unit == UPPER_LIMIT or not self._measures(limits.unit):
            return _Sides(FALSE, FALSE)
        lower = None if limits.ge is None else self._cut(limits, Fraction(limits.ge), leaf.rounded_to)
        if limits.gt is not None:
            lower = self._cut(limits, Fraction(limits.gt), leaf.rounded_to, beyond=True)
        upper = None if limits.lt is None else self._cut(limits, Fraction(limits.lt), leaf.rounded_to)
        if limits.le is not None:
            upper = self._cut(limits, Fraction(limits.le), leaf.rounded_to, beyond=True)
        return self._between(lower, upper)

    def _measures(self, unit: str) -> bool:
        try:
            self._in_unit(Fraction(1), unit)
        except InvalidUnit:
            return False
        return True

    def _in_unit(self, number: Fraction, unit: str) -> Fraction:
        own = self.key.unit or ""
        return number if unit == own else convert(number, own, unit, analyte=self.key.analyte)

    def _cut(self, limits: Limits, bound: Fraction, digits: int | None, *, beyond: bool = False) -> int:
        """Give the number of the column from which values reach a bound, or lie beyond it.

        In the key's own unit it is the bound itself; converted or rounded, it is the
        first value of the pool that does.
        """
        if limits.unit == (self.key.unit or "") and digits is None:
            whole = bound * self.held.scale
            return floor(whole) + 1 if beyond else ceil(whole)

        def reaches(mark: Fraction) -> bool:
            value = self._in_unit(mark, limits.unit)
            value = value if digits is None else round_half_up(value, digits)
            return value > bound if beyond else value >= bound

        marks = self.held.marks
        place = bisect_left(marks, True, key=reaches)
        return int(marks[place] * self.held.scale) if place < len(marks) else self._beyond_all()

    def _beyond_all(self) -> int:
        return int(self.held.marks[-1] * self.held.scale) + 1 if self.held.marks else 0

    def _between(self, lower: int | None, upper: int | None) -> _Sides:
        """Hold the ends against a number from which values are in, and one from which they are out."""
        lo, hi = self.held.lo, self.held.hi
        met, failed = list[str](), list[str]()
        if lower is not None:
            met.append(f"({lo} >= {lower})")
            failed.append(f"({hi} < {lower})")
        if upper is not None:
            met.append(f"({hi} < {upper})")
            failed.append(f"({lo} >= {upper})")
        return _Sides(all_true(met), any_true(failed) if self.held.has_hi else opposite(all_true(met)))

    def _by_value(self, leaf: Number) -> _Sides:
        verdicts = [
            compare(value, leaf.limits, key=self.key, rounded_to=leaf.rounded_to)
            if isinstance(value, Quantity)
            else Kleene.UNKNOWN
            for value in self.held.distinct
        ]
        met, failed = (
            one_of(self.held.column("place"), (at for at, one in enumerate(verdicts, start=1) if one is kind))
            for kind in (Kleene.MET, Kleene.NOT_MET)
        )
        return _Sides(met, failed)

    def _age(self, leaf: Age) -> _Sides:
        """Turn limits in completed units into days of birth: the older, the earlier born."""
        least = leaf.ge if leaf.ge is not None else None if leaf.gt is None else leaf.gt + 1
        too_many = leaf.lt if leaf.lt is not None else None if leaf.le is None else leaf.le + 1
        return self._between(
            None if too_many is None else first_not_passed(too_many, leaf, self.day.on),
            None if least is None else first_not_passed(least, leaf, self.day.on),
        )

    def _when(self, leaf: When) -> _Sides:
        stretch = edges(leaf.window, self.day.anchors[leaf.window.anchor])
        lo, hi = self.held.lo, self.held.hi
        met, failed = in_stretch(stretch, (lo, hi), (lo, hi))
        return _Sides(met, any_true((is_set(self.held.info, NEVER), failed)))

    def _answer(self, leaf: Is | Attested, bits: str) -> _Sides:
        wanted = leaf.codes if isinstance(leaf, Is) else (flag_code(value=leaf.value),)
        mask = self.held.mask(wanted)
        others = (1 << len(self.held.bits)) - 1 - mask
        return _Sides(f"(({bits} & {others}) = 0)", f"(({bits} & {mask}) = 0)")

    def _validity(self, leaf: Scalar, sides: _Sides) -> tuple[str, str]:
        """Say whose value surely counts, and for whom that is not told by one value."""
        behind = is_set(self.held.info, HISTORY | SEVERAL)
        if isinstance(leaf, Number) and leaf.window is not None:
            return self._measured_within(edges(leaf.window, self.day.anchors[leaf.window.anchor]), behind)
        fresh = self._fresh(self.held.seen)
        if self.key.policy is Policy.AFFIRMATION:
            fresh = any_true((fresh, self._is_yes(self.held.column("bits"))))
        if not isinstance(leaf, When) or self.key.validity is None:
            return fresh, FALSE
        counts = any_true((fresh, sides.met))
        older = all_true((is_set(self.held.info, HISTORY), f"(NOT COALESCE({counts}, FALSE))"))
        return counts, any_true((is_set(self.held.info, SEVERAL), older))

    def _fresh(self, seen: str) -> str:
        if self.key.validity is None:
            return TRUE
        return f"({seen} >= {earliest_start(self.day.on, self.key.validity).toordinal()})"

    def _is_yes(self, bits: str) -> str:
        if self.key.kind is not KeyKind.FLAG:
            return FALSE
        return f"({bits} = {self.held.mask([flag_code(value=True)])})"

    def _measured_within(self, stretch: Edges, behind: str) -> tuple[str, str]:
        """Say who was surely measured in a window, and for whom an older value may count instead."""
        seen, until = self.held.seen, self.held.until
        first, last = stretch.surely
        valid = all_true(
            (
                TRUE if first is None else f"({seen} >= {first.toordinal()})",
                TRUE if last is None else f"({until} <= {last.toordinal()})",
            )
        )
        if self.key.policy is not Policy.NEWEST:
            return valid, behind
        first = stretch.possibly[0]
        gone = FALSE if first is None else f"({until} < {first.toordinal()})"
        return valid, all_true((is_set(self.held.info, HISTORY), opposite(any_true((valid, gone)))))

    def _strong(self, limit: EvidenceSource | None) -> tuple[str, str]:
        """Say whose source may decide, and behind whose too weak one another may stand."""
        if limit is None:
            return TRUE, FALSE
        strong = f"(({self.held.info} & {SOURCE}) <= {limit.rank})"
        return strong, all_true((is_set(self.held.info, HISTORY | SEVERAL), opposite(strong)))

    def _split(self, leaf: Is | Attested) -> str:
        """Judge source by source whose sources differ; sources at odds settle nothing."""
        sides = self._answer(leaf, "bits")
        counts = self._fresh("seen")
        if self.key.policy is Policy.AFFIRMATION:
            counts = any_true((counts, self._is_yes("bits")))
        limit = leaf.decides_from
        strong = TRUE if limit is None else f"(source <= {limit.rank})"
        mine = all_true((f"(asked = {self.held.number})", counts, strong))
        some, against = (self.sources.apart(all_true((mine, side))) for side in (sides.met, sides.failed))
        return settled(all_true((some, opposite(against))), all_true((against, opposite(some))))


def in_stretch(stretch: Edges, starts: tuple[str, str], ends: tuple[str, str]) -> tuple[str, str]:
    """Hold days of beginning and end against a window, as `Edges.judge` does: when it is met, and when not."""
    first, last = (None if day is None else day.toordinal() for day in stretch.surely)
    met = all_true(
        (
            TRUE if last is None else f"({starts[1]} <= {last})",
            TRUE if first is None else f"({ends[0]} >= {first})",
        )
    )
    first, last = (None if day is None else day.toordinal() for day in stretch.possibly)
    failed = any_true(
        (
            FALSE if last is None else f"({starts[0]} > {last})",
            FALSE if first is None else f"({ends[1]} < {first})",
        )
    )
    return met, failed


def first_not_passed(count: int, leaf: Age, on: date) -> int:
    """Give the first day since which so many units have not been completed."""
    return last_passed(on, Duration(count, leaf.unit)) + 1


def last_passed(anchor: date | None, length: Duration) -> int:
    """Give the last day since which a length has passed at an anchor; 0 if there is none."""
    if anchor is None:
        return 0
    low, high = 0, date.max.toordinal()
    while low < high:
        middle = (low + high + 1) // 2
        if shift(date.fromordinal(middle), length) <= anchor:
            low = middle
        else:
            high = middle - 1
    return low
