"""The planes of leaves about one key: numbers, ages, days, choices and attested answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screening.facts import Choice, Denial, EvidenceSource, Flag, Quantity
from screening.intervals import Duration, earliest_start, shift
from screening.language.criteria import Age, Attested, Is, Limits, Number, When
from screening.language.questions import BIRTH, Atom
from screening.language.windows import Edges, edges
from screening.planes.bits import Plane
from screening.planes.ledger import HeldValue
from screening.planes.ranks import Ranks
from screening.planes.scalars import End, KeyColumn, Measure
from screening.planes.survey import Fourfold, Survey
from screening.units import UPPER_LIMIT, round_half_up
from screening.vocabulary import Key, Policy

Scalar = Number | Age | When | Is | Attested
SCALARS: Final = (Number, Age, When, Is, Attested)


@dataclass(frozen=True, slots=True)
class _Sides:
    """Who surely meets a leaf by their value, and who surely does not."""

    met: Plane
    failed: Plane


@dataclass(frozen=True, slots=True)
class _Validity:
    """Whose value surely counts on the day, and for whom that is not told by one value."""

    valid: Plane
    hard: Plane


def scalar_planes(leaf: Scalar, atom: Atom, survey: Survey) -> Fourfold:
    """Judge a leaf about one key for everybody."""
    key = survey.vocabulary[BIRTH if isinstance(leaf, Age) else leaf.key]
    column = survey.snapshot.columns.get(key.name)
    if column is None or column.digest != key.digest or key.computed is not None:
        inputs = key.computed.inputs if key.computed else ()
        return survey.by_interpreter(atom, survey.holders({key.name, *inputs}))
    return _Judging(key, column, survey).planes(leaf, atom)


@dataclass(frozen=True, slots=True)
class _Judging:
    key: Key
    column: KeyColumn
    survey: Survey

    def planes(self, leaf: Scalar, atom: Atom) -> Fourfold:
        bench = self.survey.bench
        sides = self._sides(leaf)
        validity = self._validity(leaf, sides)
        strong, weak_hard = self._strong(leaf.decides_from)
        counts = bench.both(validity.valid, strong)
        must = bench.both(sides.met, counts)
        may = bench.neither(bench.both(sides.failed, counts))
        if isinstance(leaf, Is | Attested) and self.column.split.shape[1]:
            must, may = self._split(leaf, must, may)
        hard = bench.either(self.column.hard, validity.hard, weak_hard)
        return self.survey.patched(atom, self._opened(leaf, atom, must, may, counts), hard)

    def _opened(self, leaf: Scalar, atom: Atom, must: Plane, may: Plane, counts: Plane) -> Fourfold:
        if not atom.askable or not (atom.told or self.key.participant_can_tell):
            return Fourfold.closed(must, may)
        if not isinstance(leaf, Number) or all(limits.unit != UPPER_LIMIT for limits in leaf.limits):
            return Fourfold.open(must, may)
        bench = self.survey.bench
        lacking = self._of_values(lambda value: isinstance(value, Quantity) and value.reference is None)
        answers = bench.without(bench.without(may, must), bench.both(lacking, counts))
        return Fourfold(must, may, bench.either(must, answers), bench.without(may, answers))

    def _sides(self, leaf: Scalar) -> _Sides:
        match leaf:
            case Number():
                return self._number(leaf)
            case Age():
                return self._age(leaf)
            case When():
                return self._when(leaf)
            case Is() | Attested():
                met, failed = _answers(leaf)
                return _Sides(self._of_values(met), self._of_values(failed))

    def _number(self, leaf: Number) -> _Sides:
        bench = self.survey.bench
        units = self.column.units()
        usual = next((given for given in leaf.limits if given.unit == self.key.unit), leaf.limits[0])
        sides = self._held_against(usual, leaf.rounded_to)
        for limits in leaf.limits:
            if limits.unit in units and limits.unit != self.key.unit and limits is not usual:
                mine = bench.chosen(self.column.value, units[limits.unit])
                own = self._held_against(limits, leaf.rounded_to)
                sides = _Sides(
                    bench.either(bench.without(sides.met, mine), bench.both(own.met, mine)),
                    bench.either(bench.without(sides.failed, mine), bench.both(own.failed, mine)),
                )
        return sides

    def _held_against(self, limits: Limits, digits: int | None) -> _Sides:
        measure = self.column.measure(limits.unit, self.key)
        lower = None
        if limits.ge is not None:
            lower = _place(measure, limits.ge, digits, beyond=False)
        elif limits.gt is not None:
            lower = _place(measure, limits.gt, digits, beyond=True)
        upper = None
        if limits.le is not None:
            upper = _place(measure, limits.le, digits, beyond=True)
        elif limits.lt is not None:
            upper = _place(measure, limits.lt, digits, beyond=False)
        return self._between(measure, lower, upper)

    def _between(self, measure: Measure, lower: int | None, upper: int | None) -> _Sides:
        """Hold everybody's ends against a place from which numbers are in, and one from which they are out."""
        bench, held = self.survey.bench, self.column.held
        beyond = bench.zeros if upper is None else measure.lo.at_least(max(upper, 1), bench)
        surely = None if lower is None else measure.lo.at_least(max(lower, 1), bench)
        if measure.is_exact:
            inside = bench.without(held if surely is None else surely, beyond)
            return _Sides(inside, bench.less(held, inside))
        perhaps = bench.ones if lower is None else self._reaching(measure, lower)
        far = bench.zeros if upper is None else self._reaching(measure, upper)
        met = bench.without(bench.ones if surely is None else surely, far)
        return _Sides(met, bench.neither(bench.without(perhaps, beyond)))

    def _reaching(self, measure: Measure, place: int) -> Plane:
        """Make the plane of the people whose upper end is at a place or after it."""
        return self._latest(measure.lo, measure.hi, place)

    def _latest(self, first: Ranks, last: Ranks | None, place: int) -> Plane:
        """Ask the upper ends; where they are the lower ones, whoever has none is beyond every place."""
        bench = self.survey.bench
        if last is not None:
            return last.at_least(place, bench)
        if place <= 0 or place > first.last:
            return bench.ones if place <= 0 else bench.zeros
        return bench.either(first.at_least(place, bench), bench.neither(self.column.held))

    def _age(self, leaf: Age) -> _Sides:
        """Turn limits in completed units into days of birth: the older, the earlier born."""
        measure, on = self.column.measure("", self.key), self.survey.on

        def first_younger_than(years: int) -> int:
            length = Duration(years, leaf.unit)
            return measure.first(lambda day: shift(date.fromordinal(int(day)), length) > on)

        least = leaf.ge if leaf.ge is not None else None if leaf.gt is None else leaf.gt + 1
        too_many = leaf.lt if leaf.lt is not None else None if leaf.le is None else leaf.le + 1
        return self._between(
            measure,
            None if too_many is None else first_younger_than(too_many),
            None if least is None else first_younger_than(least),
        )

    def _when(self, leaf: When) -> _Sides:
        bench, stretch = self.survey.bench, self._stretch(leaf)
        measure = self.column.measure("", self.key)

        def first_from(day: date) -> int:
            return measure.first_from(day.toordinal())

        def first_after(day: date) -> int:
            return measure.first_beyond(day.toordinal())

        first, last = stretch.surely
        met = bench.both(
            bench.ones if first is None else measure.lo.at_least(first_from(first), bench),
            bench.ones if last is None else bench.neither(self._reaching(measure, first_after(last))),
        )
        first, last = stretch.possibly
        never = self._marked(self.column.are(Denial))
        failed = bench.either(
            never,
            bench.zeros if first is None else bench.neither(self._reaching(measure, first_from(first))),
            bench.zeros if last is None else measure.lo.at_least(first_after(last), bench),
        )
        return _Sides(met, failed)

    def _stretch(self, leaf: Number | When) -> Edges:
        if leaf.window is None:
            raise ValueError("without a window there is no stretch")
        return edges(leaf.window, self.survey.anchors[leaf.window.anchor])

    def _validity(self, leaf: Scalar, sides: _Sides) -> _Validity:
        bench, column = self.survey.bench, self.column
        if isinstance(leaf, Number) and leaf.window is not None:
            return self._measured_within(self._stretch(leaf))
        fresh = self._fresh()
        if isinstance(leaf, When) and self.key.validity is not None:
            fresh = bench.either(fresh, sides.met)
            return _Validity(fresh, bench.either(column.several, bench.without(column.history, fresh)))
        return _Validity(fresh, bench.zeros)

    def _fresh(self) -> Plane:
        """Make the plane of the values that have surely not expired; an affirmation never does."""
        survey, bench = self.survey, self.survey.bench
        if self.key.validity is None:
            return bench.ones
        place = survey.snapshot.calendar.first_from(earliest_start(survey.on, self.key.validity).toordinal())
        name = (survey.snapshot.version, "fresh", self.key.name, place)
        held = survey.cache.get(name)
        if held is None:
            held = survey.cache.keep(name, (self.column.seen.at_least(place, bench),))
        if self.key.policy is Policy.AFFIRMATION:
            return bench.either(held[0], self._of_values(lambda value: value == Flag(value=True)))
        return held[0]

    def _measured_within(self, stretch: Edges) -> _Validity:
        """Tell who was surely measured in a window, and for whom an older value may count instead."""
        bench, column = self.survey.bench, self.column
        calendar = self.survey.snapshot.calendar
        first, last = stretch.surely
        valid = bench.both(
            bench.ones
            if first is None
            else column.seen.at_least(calendar.first_from(first.toordinal()), bench),
            bench.ones
            if last is None
            else bench.neither(self._latest(column.seen, column.until, calendar.first_after(last.toordinal()))),
        )
        if self.key.policy is not Policy.NEWEST:
            return _Validity(valid, bench.either(column.history, column.several))
        first = stretch.possibly[0]
        gone = bench.zeros
        if first is not None:
            place = calendar.first_from(first.toordinal())
            gone = bench.neither(self._latest(column.seen, column.until, place))
        return _Validity(valid, bench.without(column.history, bench.either(valid, gone)))

    def _strong(self, limit: EvidenceSource | None) -> tuple[Plane, Plane]:
        """Tell whose source may decide, and behind whose too weak one another may stand."""
        bench, column = self.survey.bench, self.column
        if limit is None:
            return bench.ones, bench.zeros
        strong = bench.below(column.source, limit.rank + 1)
        return strong, bench.without(bench.either(column.history, column.several), strong)

    def _split(self, leaf: Is | Attested, must: Plane, may: Plane) -> tuple[Plane, Plane]:
        """Judge source by source those whose sources differ; sources at odds settle nothing.

        Their value has no place of its own, so that they are unknown so far.
        """
        slots, place, seen, source = self.column.split
        counts = np.ones(len(slots), dtype=np.bool_)
        if self.key.validity is not None:
            first = earliest_start(self.survey.on, self.key.validity).toordinal()
            counts = seen >= self.survey.snapshot.calendar.first_from(first)
        if self.key.policy is Policy.AFFIRMATION:
            counts = counts | self._table(lambda value: value == Flag(value=True))[place]
        if leaf.decides_from is not None:
            counts = counts & (source <= leaf.decides_from.rank)
        met, failed = (self._table(fits)[place] & counts for fits in _answers(leaf))
        bench = self.survey.bench
        some, against = bench.marked([slots[met]]), bench.marked([slots[failed]])
        return bench.either(must, bench.without(some, against)), bench.without(
            may, bench.without(against, some)
        )

    def _table(self, fits: Callable[[HeldValue], bool]) -> NDArray[np.bool_]:
        """Mark the places of the values of some kind."""
        return np.array([False, *map(fits, self.column.distinct)], dtype=np.bool_)

    def _of_values(self, fits: Callable[[HeldValue], bool]) -> Plane:
        """Make the plane of the people whose value is one of some kind."""
        return self._marked(self._table(fits))

    def _marked(self, table: NDArray[np.bool_]) -> Plane:
        """Make the plane of the people whose value's place is marked."""
        planes = self.column.planes_of_values()
        if planes is None:
            return self.survey.bench.chosen(self.column.value, table)
        return self.survey.bench.either(*(planes[place - 1] for place in np.flatnonzero(table).tolist()))


def _answers(leaf: Is | Attested) -> tuple[Callable[[HeldValue], bool], Callable[[HeldValue], bool]]:
    """Say which values meet a leaf, and which fail it."""
    if isinstance(leaf, Attested):
        asked = Flag(leaf.value)
        return lambda value: value == asked, lambda value: value != asked
    wanted = frozenset(leaf.codes)
    return (
        lambda value: isinstance(value, Choice) and value.codes <= wanted,
        lambda value: isinstance(value, Choice) and wanted.isdisjoint(value.codes),
    )


def _place(measure: Measure, bound: Decimal, digits: int | None, *, beyond: bool) -> int:
    """Give the place from which numbers reach a bound, or lie beyond it, after rounding where that is asked."""
    limit = Fraction(bound)
    if digits is None:
        return measure.first_beyond(limit) if beyond else measure.first_from(limit)

    def reaches(number: End) -> bool:
        value = round_half_up(Fraction(number), digits)
        return value > limit if beyond else value >= limit

    return measure.first(reaches)
