"""One key's values of many people in columns: what each person's facts come down to, where that is simple.

It is simple when one value stands for all that is held: a single one, one
that is surely the newest, or the same from several sources. Whoever holds
more than that is *hard* for the key and is judged by the interpreter.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cached_property
from math import ceil, floor, lcm
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screening.assessment.limits import ends_in
from screening.errors import InvalidUnit
from screening.facts import Choice, Dated, Denial, Flag, Quantity, Value
from screening.planes.bits import WORD, Codes, Plane, words_for
from screening.planes.ledger import AFTER, BEFORE, KINDS, HeldValue, Ledger, Values
from screening.planes.ranks import Ranks
from screening.vocabulary import Key, KeyKind, Policy

FEW: Final = 64
"""Up to so many distinct values each have a plane of their own."""

_BEYOND: Final = date.max.toordinal() + 1
"""Stands for AFTER where days number a table."""

Rows = NDArray[np.int64]
End = Fraction | int
Ends = tuple[End | None, End | None]

_WANTED: Final[dict[KeyKind, tuple[type[Value], ...]]] = {
    KeyKind.QUANTITY: (Quantity,),
    KeyKind.DATE: (Dated, Denial),
    KeyKind.CHOICE: (Choice,),
    KeyKind.FLAG: (Flag,),
    KeyKind.CODED: (),
}


def narrow(numbers: NDArray[np.integer], greatest: int) -> Codes:
    """Keep whole numbers from 0 on in as few bytes as they need."""
    return numbers.astype(np.uint16 if greatest <= np.iinfo(np.uint16).max else np.uint32)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Every day on which something was observed, in order; columns hold places in it.

    The first stands for "before every day", the last for "after every day".
    """

    days: NDArray[np.int32]

    @classmethod
    def of(cls, ledger: Ledger) -> Calendar:
        """Collect the days of a ledger."""
        held = np.zeros(_BEYOND + 1, dtype=np.bool_)
        held[BEFORE] = held[_BEYOND] = True
        for days in (ledger.observed_lo, ledger.observed_hi):
            held[np.minimum(days, _BEYOND)] = True
        days = np.flatnonzero(held).astype(np.int32)
        days[-1] = AFTER
        return cls(days)

    def places(self, days: NDArray[np.int32]) -> Codes:
        """Give the places of days that are all in the calendar."""
        table = np.zeros(_BEYOND + 1, dtype=np.int32)
        table[np.minimum(self.days, _BEYOND)] = np.arange(len(self.days))
        return narrow(table[np.minimum(days, _BEYOND)], len(self.days))

    def first_from(self, day: int) -> int:
        """Give the place from which days are this one or later."""
        return int(np.searchsorted(self.days, np.int32(day), side="left"))

    def first_after(self, day: int) -> int:
        """Give the place from which days are later than this one."""
        return int(np.searchsorted(self.days, np.int32(day), side="right"))


@dataclass(frozen=True, eq=False)
class Measure:
    """The ends of everybody's values on one scale, as places among its exact numbers.

    Place 0 is below all numbers, the last place above all. Whoever has no
    value lies between the two, as somebody of whom anything is possible. Where
    everybody's ends are the same, there is no `hi`.
    """

    marks: Sequence[End]
    lo: Ranks
    hi: Ranks | None

    @property
    def is_exact(self) -> bool:
        """Whether every value is one number."""
        return self.hi is None

    @cached_property
    def _scaled(self) -> tuple[int, list[int]]:
        """Turn the numbers into whole ones by a common denominator: these are found faster."""
        scale = lcm(*(Fraction(mark).denominator for mark in self.marks))
        return scale, [int(mark * scale) for mark in self.marks]

    def first_from(self, bound: End) -> int:
        """Give the place from which numbers are a bound or more."""
        scale, whole = self._scaled
        return 1 + bisect_left(whole, ceil(bound * scale))

    def first_beyond(self, bound: End) -> int:
        """Give the place from which numbers are more than a bound."""
        scale, whole = self._scaled
        return 1 + bisect_right(whole, floor(bound * scale))

    def first(self, reaches: Callable[[End], bool]) -> int:
        """Give the place from which numbers fulfil what all greater ones fulfil too."""
        return 1 + bisect_left(self.marks, True, key=reaches)


@dataclass(slots=True)
class KeyColumn:
    """One key's column: the place of each person's value among the distinct ones, 0 where there is none.

    `held`: who has one. `lo` and `hi` are its ends in the key's own unit, `seen` and `until` the first and
    last day on which it may have been observed; without `hi` or `until` both are the same for everybody.
    `history`: an older value stands behind it. `several`: so do other sources.
    Where sources say different things, each has a row of its own in `split`:
    slot, place of the value, place of the day, source; four lines.
    """

    key: str
    digest: str
    numbers: NDArray[np.int32]
    value: Codes
    seen: Ranks
    until: Ranks | None
    source: NDArray[np.uint8]
    history: Plane
    several: Plane
    hard: Plane
    held: Plane
    split: NDArray[np.int32]
    by_value: NDArray[np.uint64]
    lo: Ranks
    hi: Ranks | None
    values: Values = field(repr=False)
    _units: dict[str, NDArray[np.bool_]] | None = field(default=None, init=False, repr=False)
    _measures: dict[str, Measure] = field(default_factory=dict, init=False, repr=False)

    @property
    def distinct(self) -> list[HeldValue]:
        """The distinct values, in the order of their places less 1."""
        return [self.values[int(number)] for number in self.numbers]

    def are(self, kind: type[Value]) -> NDArray[np.bool_]:
        """Mark the places of the values of a kind."""
        return np.append(False, self.values.kinds[self.numbers] == KINDS.index(kind))

    def planes_of_values(self) -> NDArray[np.uint64] | None:
        """Give a plane for each distinct value, where they are few."""
        return self.by_value if len(self.numbers) <= FEW else None

    def measure(self, unit: str, key: Key) -> Measure:
        """Give the column on the scale of a unit; made when first asked for."""
        found = self._measures.get(unit)
        if found is None:
            found = self._measures[unit] = self._measured(unit, key)
        return found

    def _measured(self, unit: str, key: Key) -> Measure:
        ends = [_ends(value, unit, key) for value in self.distinct]
        marks = marks_of(ends)
        if unit == (key.unit or ""):
            return Measure(marks, self.lo, self.hi)
        return Measure(marks, *placed(ends, marks, self.value))

    def units(self) -> dict[str, NDArray[np.bool_]]:
        """Mark, by unit, the places of the values given in it."""
        if self._units is None:
            self._units = self._marked_units()
        return self._units

    def _marked_units(self) -> dict[str, NDArray[np.bool_]]:
        tables: dict[str, NDArray[np.bool_]] = {}
        for place, value in enumerate(self.distinct, start=1):
            if isinstance(value, Quantity):
                table = tables.setdefault(value.unit, np.zeros(len(self.numbers) + 1, dtype=np.bool_))
                table[place] = True
        return tables


def _ends(value: HeldValue, unit: str, key: Key) -> Ends:
    """Give the ends of a value; those that the scale cannot show are open."""
    if isinstance(value, Dated):
        days = value.range
        return (
            None if days.lo is None else days.lo.toordinal(),
            None if days.hi is None else days.hi.toordinal(),
        )
    if not isinstance(value, Quantity):
        return None, None
    try:
        return ends_in(value, unit, key) or (None, None)
    except InvalidUnit:
        return None, None


def marks_of(ends: Sequence[Ends]) -> list[End]:
    """Collect the distinct numbers of a scale in order."""
    return sorted({end for pair in ends for end in pair if end is not None})


def placed(ends: Sequence[Ends], marks: Sequence[End], value: Codes) -> tuple[Ranks, Ranks | None]:
    """Turn each person's value into the places of its ends."""
    places = {mark: place for place, mark in enumerate(marks, start=1)}
    top = len(marks) + 1
    lows = np.array([0, *(0 if lo is None else places[lo] for lo, _ in ends)])
    lo = Ranks.of(np.take(narrow(lows, top), value), last=top, absent=0)
    if all(lo is not None and lo == hi for lo, hi in ends):
        return lo, None
    highs = np.array([top, *(top if hi is None else places[hi] for _, hi in ends)])
    return lo, Ranks.of(np.take(narrow(highs, top), value), last=top, absent=top)


def scalar_columns(
    ledger: Ledger, calendar: Calendar, vocabulary: Callable[[str], Key | None]
) -> dict[str, KeyColumn]:
    """Derive the columns of every key that holds a number, a day, a choice or a yes."""
    slots = ledger.row_slots()
    order = np.argsort(ledger.key, kind="stable")
    edges = np.searchsorted(ledger.key[order], np.arange(len(ledger.keys) + 1))
    columns = {}
    for number, name in enumerate(ledger.keys):
        key = vocabulary(name)
        if key is not None and key.kind is not KeyKind.CODED:
            rows = order[edges[number] : edges[number + 1]]
            columns[name] = _column(key, rows, slots, ledger, calendar)
    return columns


@dataclass(frozen=True, slots=True)
class _Simple:
    """The rows that stand for all a person holds, whom none stands for, and the rows of unlike sources."""

    rows: Rows
    history: NDArray[np.bool_]
    several: NDArray[np.bool_]
    hard: NDArray[np.int32]
    split: Rows


def _column(key: Key, rows: Rows, slots: NDArray[np.int32], ledger: Ledger, calendar: Calendar) -> KeyColumn:
    rows = rows[ledger.values.are(*_WANTED[key.kind])[ledger.value[rows]]]
    chosen = _simple(key, rows, slots, ledger)
    kept, owners = chosen.rows, slots[chosen.rows]
    flags = np.zeros(len(ledger.values), dtype=np.bool_)
    flags[ledger.value[kept]] = flags[ledger.value[chosen.split]] = True
    numbers = np.flatnonzero(flags).astype(np.int32)
    places = np.cumsum(flags, dtype=np.int32)
    words = words_for(ledger.size)
    count = words * WORD
    value = _filled(count, owners, narrow(places[ledger.value[kept]], len(numbers)), 0)
    ends = [_ends(ledger.values[int(number)], key.unit or "", key) for number in numbers]
    lo, hi = placed(ends, marks_of(ends), value)
    by_value = np.zeros((len(numbers) if len(numbers) <= FEW else 0, words), dtype=np.uint64)
    for place in range(len(by_value)):
        by_value[place] = np.packbits(value == place + 1, bitorder="little").view(np.uint64)
    seen, until = _observed(count, owners, kept, ledger, calendar)
    return KeyColumn(
        key=key.name,
        digest=key.digest,
        numbers=numbers,
        value=value,
        seen=seen,
        until=until,
        source=_filled(count, owners, ledger.source[kept], 0),
        history=plane_of(owners[chosen.history], words),
        several=plane_of(owners[chosen.several], words),
        hard=plane_of(chosen.hard, words),
        held=plane_of(owners, words),
        split=np.stack(
            (
                slots[chosen.split],
                places[ledger.value[chosen.split]],
                calendar.places(ledger.observed_lo[chosen.split]),
                ledger.source[chosen.split],
            )
        ).astype(np.int32),
        by_value=by_value,
        lo=lo,
        hi=hi,
        values=ledger.values,
    )


def _observed(
    count: int, owners: NDArray[np.int32], kept: Rows, ledger: Ledger, calendar: Calendar
) -> tuple[Ranks, Ranks | None]:
    """Put people in the order of the first and of the last day on which their value may have been observed."""
    first, last = ledger.observed_lo[kept], ledger.observed_hi[kept]
    after = len(calendar.days) - 1
    seen = Ranks.of(_filled(count, owners, calendar.places(first), 0), last=after, absent=0)
    if np.array_equal(first, last):
        return seen, None
    return seen, Ranks.of(_filled(count, owners, calendar.places(last), after), last=after, absent=after)


def plane_of(slots: NDArray[np.integer], words: int) -> Plane:
    """Make the plane of the slots in a list."""
    flags = np.zeros(words * WORD, dtype=np.bool_)
    flags[slots] = True
    return np.packbits(flags, bitorder="little").view(np.uint64)


def _filled(count: int, owners: NDArray[np.int32], held: NDArray[np.unsignedinteger], empty: int) -> Codes:
    column = np.full(count, empty, dtype=held.dtype)
    column[owners] = held
    return column


def _simple(key: Key, rows: Rows, slots: NDArray[np.int32], ledger: Ledger) -> _Simple:
    """Find, for each person, the row by which all their values of a key may be judged."""
    if not len(rows):
        none = np.zeros(0, dtype=np.bool_)
        return _Simple(rows, none, none, np.zeros(0, dtype=np.int32), rows)
    owners = slots[rows]
    apart = owners[1:] != owners[:-1]
    single = np.append(apart, True) & np.append(True, apart)
    if not single.all():
        return _joined(rows[single], _of_several(key, rows[~single], slots, ledger))
    no = np.zeros(len(rows), dtype=np.bool_)
    return _Simple(rows, no, no, np.zeros(0, dtype=np.int32), rows[:0])


def _joined(single: Rows, several: _Simple) -> _Simple:
    """Add the people of whom there is one row."""
    no = np.zeros(len(single), dtype=np.bool_)
    return _Simple(
        np.concatenate((single, several.rows)),
        np.concatenate((no, several.history)),
        np.concatenate((no, several.several)),
        several.hard,
        several.split,
    )


def _of_several(key: Key, rows: Rows, slots: NDArray[np.int32], ledger: Ledger) -> _Simple:
    """Find that row for people who have several."""
    by_source = key.policy is not Policy.NEWEST
    source = ledger.source[rows].astype(np.int64) if by_source else np.zeros(len(rows), dtype=np.int64)
    affirmed = _affirmed(key, rows, ledger)
    newest, older, doubtful = _newest(slots[rows].astype(np.int64) * 8 + source, affirmed, rows, ledger)
    splits = key.kind in (KeyKind.CHOICE, KeyKind.FLAG)
    return _one_each(newest, older, doubtful, slots, ledger, splits=splits)


def _affirmed(key: Key, rows: Rows, ledger: Ledger) -> NDArray[np.bool_]:
    """Mark the rows that no later one displaces."""
    if key.policy is not Policy.AFFIRMATION:
        return np.zeros(len(rows), dtype=np.bool_)
    numbers = np.unique(ledger.value[rows])
    yes = np.array([ledger.values[int(number)] == Flag(value=True) for number in numbers], dtype=np.bool_)
    return yes[np.searchsorted(numbers, ledger.value[rows])]


def _newest(
    group: NDArray[np.int64], affirmed: NDArray[np.bool_], rows: Rows, ledger: Ledger
) -> tuple[Rows, NDArray[np.bool_], NDArray[np.bool_]]:
    """Take the last row of each group; say where there are older ones, and where one may be as new.

    One may be as new unless it was surely observed before, or is the same
    value of the same days.
    """
    lo, hi, value = ledger.observed_lo[rows], ledger.observed_hi[rows], ledger.value[rows]
    order = np.lexsort((rows, lo, affirmed, group))
    group, lo, hi = group[order], lo[order], hi[order]
    value, affirmed = value[order], affirmed[order]
    last = np.append(group[1:] != group[:-1], True)
    ends = np.flatnonzero(last)
    counts = np.diff(np.concatenate(([-1], ends)))
    mine = np.repeat(ends, counts)
    same = (value == value[mine]) & (lo == lo[mine]) & (hi == hi[mine])
    settled = same | (hi < lo[mine]) | affirmed[mine]
    starts = ends - counts + 1
    doubtful = ~np.logical_and.reduceat(settled, starts)
    return rows[order][ends], counts > 1, doubtful


def _one_each(
    newest: Rows,
    older: NDArray[np.bool_],
    doubtful: NDArray[np.bool_],
    slots: NDArray[np.int32],
    ledger: Ledger,
    *,
    splits: bool,
) -> _Simple:
    """Join the rows of several sources of a person if all of them say the same; or else keep them apart."""
    owners = slots[newest]
    order = np.lexsort((newest, ledger.observed_lo[newest], owners))
    newest, older, doubtful, owners = newest[order], older[order], doubtful[order], owners[order]
    last = np.append(owners[1:] != owners[:-1], True)
    ends = np.flatnonzero(last)
    counts = np.diff(np.concatenate(([-1], ends)))
    starts, mine = ends - counts + 1, np.repeat(ends, counts)
    unlike = np.logical_or.reduceat(ledger.value[newest] != ledger.value[newest[mine]], starts)
    hard = np.logical_or.reduceat(doubtful, starts)
    split = unlike & ~hard if splits else np.zeros(len(hard), dtype=np.bool_)
    hard |= unlike & ~split
    history = np.logical_or.reduceat(older, starts)
    kept = ~hard & ~split
    return _Simple(
        newest[ends][kept],
        history[kept],
        (counts > 1)[kept],
        owners[ends][hard],
        newest[np.repeat(split, counts)],
    )
