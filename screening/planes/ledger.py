"""The coded facts of many people in rows, by dense slot instead of by name.

Columns are derived from it, and whoever is no simple case is judged by what
stands here. Words as entered are left out; equal values are kept once.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from screening.facts import (
    Absence,
    Choice,
    Dated,
    Denial,
    EvidenceSource,
    Fact,
    Facts,
    Flag,
    Quantity,
    Statement,
    Value,
    value_from_json,
    value_to_json,
)
from screening.intervals import DateRange

HeldValue = Value | Absence

BEFORE: Final = 0
"""Stands for an interval that is open below: before every day that the calendar knows."""

AFTER: Final = 2**31 - 1
"""Stands for an interval that is open above."""

SOURCES: Final = tuple(EvidenceSource)
DATED_PARTS: Final = ("onset", "ended", "unchanged_since")
NOWHERE: Final = -1
MANY_VALUES: Final = 100_000
"""How many values are kept ready once they were read."""

KINDS: Final[tuple[type[HeldValue], ...]] = (Absence, Quantity, Dated, Choice, Flag, Statement, Denial)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT: Final = timedelta(microseconds=1)
_ABSENT: Final = (AFTER, BEFORE)

Days = NDArray[np.int32]


def ends_of(days: DateRange | None) -> tuple[int, int]:
    """Give both ends as day numbers; an interval that is not there ends before it begins."""
    if days is None:
        return _ABSENT
    return (
        BEFORE if days.lo is None else days.lo.toordinal(),
        AFTER if days.hi is None else days.hi.toordinal(),
    )


def range_of(lo: int, hi: int) -> DateRange | None:
    """Read an interval back from its ends."""
    if (lo, hi) == _ABSENT:
        return None
    return DateRange(
        None if lo == BEFORE else date.fromordinal(lo), None if hi == AFTER else date.fromordinal(hi)
    )


class Values(Sequence[HeldValue]):
    """Distinct values by number, each read from its JSON form when asked for; `kinds` says what each is."""

    def __init__(self, octets: NDArray[np.uint8], ends: NDArray[np.int64], kinds: NDArray[np.uint8]) -> None:
        self.octets = octets
        self.ends = ends
        self.kinds = kinds
        self._read: dict[int, HeldValue] = {}

    @classmethod
    def of(cls, values: Iterable[HeldValue]) -> Values:
        """Write values down in their order."""
        held = list(values)
        texts = [json.dumps(value_to_json(value), separators=(",", ":")).encode() for value in held]
        kinds = np.array([KINDS.index(type(value)) for value in held], dtype=np.uint8)
        return cls.written(texts, kinds)

    @classmethod
    def written(cls, texts: Sequence[bytes], kinds: NDArray[np.uint8]) -> Values:
        """Take values in their JSON form."""
        ends = np.cumsum([0, *map(len, texts)], dtype=np.int64)
        return cls(np.frombuffer(b"".join(texts), dtype=np.uint8), ends, kinds)

    def are(self, *wanted: type[HeldValue]) -> NDArray[np.bool_]:
        """Mark the values of some kinds."""
        return np.isin(self.kinds, [KINDS.index(kind) for kind in wanted])

    def __len__(self) -> int:
        return len(self.ends) - 1

    def __getitem__(self, number: int) -> HeldValue:  # type: ignore[override]
        found = self._read.get(number)
        if found is None:
            if len(self._read) >= MANY_VALUES:
                self._read.clear()
            text = self.octets[self.ends[number] : self.ends[number + 1]].tobytes()
            found = self._read[number] = value_from_json(json.loads(text))
        return found


@dataclass(frozen=True, slots=True)
class Ledger:
    """Facts in rows, ordered by slot and then as they were recorded.

    `first` gives the row at which each person begins. A statement's days
    stand apart, in the row of `days` that `dated` names.
    """

    keys: tuple[str, ...]
    values: Values
    slots: NDArray[np.int32]
    first: NDArray[np.int64]
    key: NDArray[np.uint16]
    value: NDArray[np.int32]
    observed_lo: Days
    observed_hi: Days
    source: NDArray[np.uint8]
    recorded: NDArray[np.int64]
    ident: NDArray[np.uint64]
    dated: NDArray[np.int32]
    days: Days

    def __len__(self) -> int:
        return len(self.key)

    @property
    def size(self) -> int:
        """One more than the greatest slot."""
        return int(self.slots[-1]) + 1 if len(self.slots) else 0

    def row_slots(self) -> NDArray[np.int32]:
        """Give the slot of every row."""
        return np.repeat(self.slots, np.diff(self.first))

    def numbers_of(self, keys: Collection[str]) -> NDArray[np.int64]:
        """Give the numbers under which keys stand in the rows."""
        return np.array([number for number, name in enumerate(self.keys) if name in keys], dtype=np.int64)

    def facts(self, slot: int, keys: Collection[str] | None = None) -> Facts:
        """Give a person's facts, or those of some keys; nobody's are none."""
        place = int(np.searchsorted(self.slots, np.int32(slot)))
        if place == len(self.slots) or self.slots[place] != slot:
            return Facts()
        rows = range(int(self.first[place]), int(self.first[place + 1]))
        return Facts(self._fact(row) for row in rows if keys is None or self.keys[self.key[row]] in keys)

    def _fact(self, row: int) -> Fact:
        value = self.values[int(self.value[row])]
        if isinstance(value, Statement) and self.dated[row] != NOWHERE:
            ends = [int(end) for end in self.days[self.dated[row]]]
            onset, ended, unchanged = (range_of(*ends[at : at + 2]) for at in (0, 2, 4))
            value = replace(value, onset=onset, ended=ended, unchanged_since=unchanged)
        observed = range_of(int(self.observed_lo[row]), int(self.observed_hi[row]))
        high, low = (int(half) for half in self.ident[row])
        return Fact(
            id=UUID(int=high << 64 | low),
            key=self.keys[self.key[row]],
            value=value,
            raw="",
            observed=observed or DateRange(None, None),
            recorded_at=_EPOCH + int(self.recorded[row]) * _INSTANT,
            source=SOURCES[self.source[row]],
        )


class LedgerWriter:
    """Takes people in, one after the other; nothing of a person's facts is kept but rows."""

    def __init__(self) -> None:
        self._keys: dict[str, int] = {}
        self._values: dict[HeldValue, int] = {}
        self._slots, self._counts = array("i"), array("q")
        self._key, self._value, self._source = array("H"), array("i"), array("B")
        self._observed, self._recorded, self._ident = array("i"), array("q"), array("Q")
        self._dated, self._days = array("i"), array("i")

    def add(self, slot: int, facts: Facts) -> None:
        """Write down a person's standing facts.

        :raises ValueError: when the slot is negative.
        """
        if slot < 0:
            raise ValueError("a slot is not negative")
        self._slots.append(slot)
        self._counts.append(len(facts))
        for fact in facts:
            self._write(fact)

    def _write(self, fact: Fact) -> None:
        value = fact.value
        if value is None:
            raise ValueError("a standing fact has a value")
        self._dated.append(NOWHERE)
        if isinstance(value, Statement) and (value.onset or value.ended or value.unchanged_since):
            self._dated[-1] = len(self._days) // 6
            for days in (value.onset, value.ended, value.unchanged_since):
                self._days.extend(ends_of(days))
            value = replace(value, onset=None, ended=None, unchanged_since=None)
        self._key.append(self._keys.setdefault(fact.key, len(self._keys)))
        self._value.append(self._values.setdefault(value, len(self._values)))
        self._observed.extend(ends_of(fact.observed))
        self._source.append(fact.source.rank)
        self._recorded.append((fact.recorded_at - _EPOCH) // _INSTANT)
        self._ident.extend((fact.id.int >> 64, fact.id.int & (2**64 - 1)))

    def finish(self) -> Ledger:
        """Give the rows in the order of slots.

        :raises ValueError: when a slot was added twice.
        """
        slots = np.array(self._slots, dtype=np.int32)
        counts = np.array(self._counts, dtype=np.int64)
        order = np.argsort(slots, kind="stable")
        slots = slots[order]
        if len(slots) and (np.diff(slots) == 0).any():
            raise ValueError("a slot belongs to one person")
        rows = _runs(np.cumsum(counts)[order] - counts[order], counts[order])
        observed = np.array(self._observed, dtype=np.int32).reshape(-1, 2)[rows]
        return Ledger(
            keys=tuple(self._keys),
            values=Values.of(self._values),
            slots=slots,
            first=np.concatenate(([0], np.cumsum(counts[order]))).astype(np.int64),
            key=np.array(self._key, dtype=np.uint16)[rows],
            value=np.array(self._value, dtype=np.int32)[rows],
            observed_lo=np.ascontiguousarray(observed[:, 0]),
            observed_hi=np.ascontiguousarray(observed[:, 1]),
            source=np.array(self._source, dtype=np.uint8)[rows],
            recorded=np.array(self._recorded, dtype=np.int64)[rows],
            ident=np.array(self._ident, dtype=np.uint64).reshape(-1, 2)[rows],
            dated=np.array(self._dated, dtype=np.int32)[rows],
            days=np.array(self._days, dtype=np.int32).reshape(-1, 6),
        )


def write_ledger(people: Iterable[tuple[int, Facts]]) -> Ledger:
    """Write down many people, read one at a time.

    :raises ValueError: when a slot is negative or comes twice.
    """
    writer = LedgerWriter()
    for slot, facts in people:
        writer.add(slot, facts)
    return writer.finish()


def _runs(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    total = int(counts.sum())
    if not total:
        return np.zeros(0, dtype=np.int64)
    ends = np.cumsum(counts)
    return np.repeat(starts - (ends - counts), counts) + np.arange(total)


def everybody(ledger: Ledger) -> Iterator[tuple[int, Facts]]:
    """Read everybody back, one at a time."""
    for slot in ledger.slots:
        yield int(slot), ledger.facts(int(slot))
