"""Numeric leaves: exact limits as scaled whole numbers, one comparison for all of them.

A limit t becomes a cut between numbers, 2t or 2t + 1 at a fixed scale, and a
value becomes twice its floor, plus one if anything is left over. Then "at
least" and "more than" are the same comparison of whole numbers, and nothing
is rounded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screening.assessment.evidence import Finding, Reading, Scene, Why, find_among, person_could_settle
from screening.assessment.limits import ends_in
from screening.atoms.rows import Integers, Rows
from screening.atoms.stretches import Anchors, Stretch, Stretches, day_numbers
from screening.atoms.views import Seen, View, Views, look
from screening.errors import InvalidUnit
from screening.facts import Quantity
from screening.language.criteria import Limits, Number
from screening.language.questions import Atom
from screening.units import UPPER_LIMIT, round_half_up
from screening.verdict import Kleene
from screening.vocabulary import Key, KeyKind, Policy, Vocabulary

SCALE: Final = 10**6
_HIGHEST: Final = 10**12
_OPEN_END: Final = 2**62
"""An end that a value does not have; every cut lies nearer to zero."""

_NO_LIMIT: Final = 2**62 + 1
MOST_UNITS: Final = 4

Small = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Group:
    """Leaves that differ only in their numbers: one effective reading and one comparison serve them all."""

    number: int
    view: int
    units: tuple[str, ...]
    rounded_to: int | None
    stretch: int
    lens: int
    windowed: bool


_SLOT, _GROUP, _ASKS, _CUTS = 0, 1, 2, 3

NOT_ASKABLE: Final = 0
ASKABLE: Final = 1
TOLD: Final = 2


def asks(atom: Atom) -> int:
    """Say whether an atom can be asked of the person, and whether that was said of it in particular."""
    return (TOLD if atom.told else ASKABLE) if atom.askable else NOT_ASKABLE


def cuts_of(limits: Limits) -> tuple[int, int] | None:
    """Give the cuts below and above a range, or nothing where they are too fine or too large."""
    lower = _cut(limits.ge, limits.gt, -_NO_LIMIT, above=limits.gt is not None)
    upper = _cut(limits.lt, limits.le, _NO_LIMIT, above=limits.le is not None)
    return None if lower is None or upper is None else (lower, upper)


def _cut(one: Decimal | None, other: Decimal | None, missing: int, *, above: bool) -> int | None:
    limit = one if one is not None else other
    if limit is None:
        return missing
    numerator, denominator = limit.as_integer_ratio()
    scaled, rest = divmod(numerator * SCALE, denominator)
    return None if rest or abs(limit) >= _HIGHEST else 2 * scaled + above


def place_of(end: Fraction | None, missing: int) -> int:
    """Give the place of a value's end among the cuts."""
    if end is None:
        return missing
    scaled, rest = divmod(end.numerator * SCALE, end.denominator)
    return max(-_OPEN_END + 1, min(_OPEN_END - 1, 2 * scaled + (rest > 0)))


class Placed:
    """A person's values among the cuts, by lens, and where a limit is a multiple of one that is not known."""

    def __init__(self, lenses: int) -> None:
        self.low = np.full(lenses, -_OPEN_END, dtype=np.int64)
        self.high = np.full(lenses, _OPEN_END, dtype=np.int64)
        self.lacks_reference = np.zeros(lenses, dtype=bool)


def _choose(units: tuple[str, ...], quantity: Quantity, key: Key) -> int:
    """Tell which of the limits a quantity is compared with."""
    for unit in (quantity.unit, key.unit):
        if unit in units:
            return units.index(unit)
    return 0


class NumberAtoms:
    """All numeric leaves."""

    def __init__(self, vocabulary: Vocabulary, stretches: Stretches) -> None:
        self._views = Views(vocabulary)
        self._stretches = stretches
        self._rows = Rows(_CUTS + 2 * MOST_UNITS)
        self._groups: list[Group] = []
        self._numbers: dict[tuple[object, ...], int] = {}
        self._of_view: list[list[Group]] = []
        self._lenses: list[tuple[tuple[str, ...], int | None]] = []
        self._lenses_of: list[list[int]] = []
        self._lens_numbers: dict[tuple[object, ...], int] = {}
        self._columns = np.zeros((3, 0), dtype=np.int64)
        self._by_group: tuple[Integers, Integers] | None = None

    def add(self, slot: int, atom: Atom, leaf: Number, anchors: Anchors) -> bool:
        """Take a leaf in; refuse one whose numbers or key are out of the ordinary."""
        key = self._views.vocabulary[leaf.key]
        cuts = [cuts_of(limits) for limits in leaf.limits]
        if key.kind is not KeyKind.QUANTITY or key.policy is not Policy.NEWEST:
            return False
        flat = [cut for pair in cuts if pair is not None for cut in pair]
        if len(flat) < 2 * len(leaf.limits):
            return False
        group = self._group(key, leaf, anchors)
        self._rows.add(slot, (slot, group, asks(atom), *flat, *(0,) * (2 * MOST_UNITS - len(flat))))
        self._by_group = None
        return True

    def remove(self, slot: int) -> None:
        """Take a leaf out."""
        self._rows.remove(slot)
        self._by_group = None

    def __contains__(self, slot: int) -> bool:
        return slot in self._rows

    def judge(self, scene: Scene, keys: Sequence[str], write: Callable[[Integers, Small], None]) -> Integers:
        """Judge all leaves; give the slots of unknown ones that the person could not settle after all."""
        columns = self._rows.columns
        observed = np.zeros((2, len(self._views)), dtype=np.int64)
        placed = Placed(len(self._lenses))
        waits = np.zeros((2, len(self._views)), dtype=bool)
        harder: dict[Group, Seen] = {}
        for view in self._views.touched((*keys, *self._views.others_needed)):
            seen = look(view, scene)
            if view.key.computed is not None and seen.alone:
                waits[:, view.number] = _waits_for_others(view, seen, scene)
            if seen.reading is not None:
                observed[:, view.number] = day_numbers(seen.reading.observed)
            if seen.is_mixed or seen.reading is not None:
                harder.update((group, seen) for group in self._place(view, seen, placed))
        views, lenses, fresh = self._fresh(scene.on, observed)
        lows = np.where(fresh, placed.low.take(lenses), -_OPEN_END)
        highs = np.where(fresh, placed.high.take(lenses), _OPEN_END)
        group = columns[_GROUP]
        verdicts = _compare(lows.take(group), highs.take(group), columns[_CUTS], columns[_CUTS + 1])
        waits_for_others = waits[fresh.view(np.int8), views]
        lacks_reference = fresh & placed.lacks_reference.take(lenses)
        judged = np.array([one.number for one in harder], dtype=np.int64)
        waits_for_others[judged] = lacks_reference[judged] = False
        closed = lacks_reference.take(group) | (waits_for_others.take(group) & (columns[_ASKS] == ASKABLE))
        for one, seen in harder.items():
            mine = self._rows_of(one)
            verdicts[mine], closed[mine] = self._judge_group(one, seen, scene, columns.take(mine, axis=1))
        write(columns[_SLOT], verdicts)
        closed_slots: Integers = columns[_SLOT][closed & (verdicts == 0)]
        return closed_slots

    def _group(self, key: Key, leaf: Number, anchors: Anchors) -> int:
        view = self._views.number(key, leaf.decides_from)
        of = Stretch(key.validity) if leaf.window is None else Stretch.within(leaf.window, anchors)
        units = tuple(limits.unit for limits in leaf.limits)
        stretch = self._stretches.number(of)
        which = (view, units, leaf.rounded_to, stretch, leaf.window is None)
        number = self._numbers.setdefault(which, len(self._groups))
        if number == len(self._groups):
            while len(self._of_view) <= view:
                self._of_view.append([])
                self._lenses_of.append([])
            lens = self._lens(view, units, leaf.rounded_to)
            group = Group(number, view, units, leaf.rounded_to, stretch, lens, leaf.window is not None)
            self._groups.append(group)
            self._of_view[view].append(group)
        return number

    def _lens(self, view: int, units: tuple[str, ...], rounded_to: int | None) -> int:
        """Give the number of a way to read a view's values: in which units, and rounded or not."""
        number = self._lens_numbers.setdefault((view, units, rounded_to), len(self._lenses))
        if number == len(self._lenses):
            self._lenses.append((units, rounded_to))
            self._lenses_of[view].append(number)
        return number

    def _place(self, view: View, seen: Seen, placed: Placed) -> list[Group]:
        """Note the deciding value of a view in every unit; give the groups that are not so simple."""
        groups = self._of_view[view.number]
        if seen.reading is None or not isinstance(seen.reading.value, Quantity):
            return groups
        quantity = seen.reading.value
        harder: list[Group] = []
        for lens in self._lenses_of[view.number]:
            units, rounded_to = self._lenses[lens]
            lacks_reference = quantity.reference is None and UPPER_LIMIT in units
            if len(units) > 1 and (lacks_reference or _choose(units, quantity, view.key)):
                harder.extend(group for group in groups if group.lens == lens)
                continue
            placed.lacks_reference[lens] = lacks_reference
            found = _places(quantity, units[0], view.key, rounded_to)
            if found is not None:
                placed.low[lens], placed.high[lens] = found
        if not seen.alone:
            days = day_numbers(seen.reading.observed)
            computed = view.key.computed is not None
            harder.extend(
                group
                for group in groups
                if computed or (group.windowed and not self._stretches.is_settled(group.stretch, *days))
            )
        return harder

    def _fresh(self, on: date, observed: Integers) -> tuple[Integers, Integers, NDArray[np.bool_]]:
        """Give the view and the lens of each group, and whether its value is surely fresh."""
        if self._columns.shape[1] < len(self._groups):
            rows = [(group.view, group.stretch, group.lens) for group in self._groups]
            self._columns = np.array(rows, dtype=np.int64).T.copy()
        views, stretches, lenses = self._columns
        surely_from, surely_to, _, _ = self._stretches.lay_out(on).take(stretches, axis=1)
        lo, hi = observed.take(views, axis=1)
        return views, lenses, (hi <= surely_to) & (lo >= surely_from)

    def _rows_of(self, group: Group) -> Integers:
        """Give the places of a group's rows."""
        if self._by_group is None:
            numbers = self._rows.columns[_GROUP]
            order = np.argsort(numbers, kind="stable")
            self._by_group = order, np.searchsorted(numbers[order], np.arange(len(self._groups) + 1))
        order, starts = self._by_group
        mine: Integers = order[starts[group.number] : starts[group.number + 1]]
        return mine

    def _judge_group(
        self, group: Group, seen: Seen, scene: Scene, rows: Integers
    ) -> tuple[Small, NDArray[np.bool_]]:
        """Judge a group by all readings that the interpreter would judge it by.

        Tells also which leaves the person could not settle where they stay unknown.
        """
        view = self._views.held[group.view]
        judged: list[Reading] = []

        def note(reading: Reading) -> Kleene:
            judged.append(reading)
            return Kleene.UNKNOWN

        def fresh(reading: Reading) -> Kleene:
            return self._stretches.judge(group.stretch, *day_numbers(reading.observed))

        found = find_among(
            seen.readings, scene, view.key, judge=note, decides_from=view.decides_from, fresh=fresh
        )
        verdicts = [self._verdicts(group, view.key, reading, rows) for reading in judged]
        imprecise = np.ones(rows.shape[1], dtype=bool)
        values = np.zeros(rows.shape[1], dtype=np.int8)
        if verdicts and len(judged) == len(found.readings):
            least, most = np.minimum.reduce(verdicts), np.maximum.reduce(verdicts)
            values = np.where(least == most, least, 0).astype(np.int8)
            imprecise = np.logical_or.reduce([verdict == 0 for verdict in verdicts])
        can = _askable(rows[_ASKS], person_could_settle(found, view.key, scene.vocabulary))
        if found.why is Why.IMPRECISE and _lacks_reference(group, found):
            can &= ~imprecise
        return values, ~can

    def _verdicts(self, group: Group, key: Key, reading: Reading, rows: Integers) -> Small:
        if not isinstance(reading.value, Quantity):
            return np.zeros(rows.shape[1], dtype=np.int8)
        chosen = _choose(group.units, reading.value, key)
        found = _places(reading.value, group.units[chosen], key, group.rounded_to)
        if found is None:
            return np.zeros(rows.shape[1], dtype=np.int8)
        first = _CUTS + 2 * chosen
        return _compare(np.int64(found[0]), np.int64(found[1]), rows[first], rows[first + 1])


def _compare(lo: Integers | np.int64, hi: Integers | np.int64, lower: Integers, upper: Integers) -> Small:
    met = (lo >= lower) & (hi < upper)
    out = (hi < lower) | (lo >= upper)
    return met.view(np.int8) - out.view(np.int8)


def _places(quantity: Quantity, unit: str, key: Key, rounded_to: int | None) -> tuple[int, int] | None:
    """Give the places of both ends of a quantity in a unit; nothing where it cannot be compared."""
    try:
        ends = ends_in(quantity, unit, key)
    except InvalidUnit:
        return None
    if ends is None:
        return None
    if rounded_to is not None:
        ends = (
            None if ends[0] is None else round_half_up(ends[0], rounded_to),
            None if ends[1] is None else round_half_up(ends[1], rounded_to),
        )
    return place_of(ends[0], -_OPEN_END), place_of(ends[1], _OPEN_END)


def _waits_for_others(view: View, seen: Seen, scene: Scene) -> tuple[bool, bool]:
    """Tell whether somebody else has to give an input of what is computed: if it is too old, and too vague."""
    too_old, too_vague = (
        find_among(
            seen.readings,
            scene,
            view.key,
            judge=lambda _: Kleene.UNKNOWN,
            decides_from=view.decides_from,
            fresh=age,
        )
        for age in (lambda _: Kleene.NOT_MET, lambda _: Kleene.MET)
    )
    return (
        not person_could_settle(too_old, view.key, scene.vocabulary),
        not person_could_settle(too_vague, view.key, scene.vocabulary),
    )


def _askable(asked: Integers, settles: bool) -> NDArray[np.bool_]:
    can: NDArray[np.bool_] = asked >= (ASKABLE if settles else TOLD)
    return can


def _lacks_reference(group: Group, found: Finding) -> bool:
    return UPPER_LIMIT in group.units and any(
        isinstance(reading.value, Quantity) and reading.value.reference is None for reading in found.readings
    )
