"""Packed planes: one bit for each person, 64 people to a word.

Person `slot` is bit `slot % 64` of word `slot // 64`. All planes of a pool
have the same length; what lies behind the last person is masked in the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

WORD: Final = 64
BLOCK: Final = 1 << 19
"""How many rows are compared at a time: their flags stay in the processor's cache."""

FEW_OF: Final = 64
"""Up to one in so many rows are marked one by one."""

Plane = NDArray[np.uint64]
Codes = NDArray[np.unsignedinteger]
Slots = NDArray[np.int32]
Flags = NDArray[np.bool_]


def words_for(count: int) -> int:
    """Give the number of words that hold a bit for each of so many."""
    return -(-count // WORD)


class Bench:
    """What planes are worked out on: buffers made once and used again.

    `zeros` and `ones` are shared and never written to. Whatever else it gives
    is valid until `release` with a mark taken before.
    """

    def __init__(self, words: int) -> None:
        self.words = words
        self.rows = words * WORD
        self.zeros: Plane = _frozen(np.zeros(words, dtype=np.uint64))
        self.ones: Plane = _frozen(np.full(words, ~np.uint64(0)))
        self._flags = np.zeros(min(self.rows, BLOCK), dtype=np.bool_)
        self._marks = np.zeros(self.rows, dtype=np.bool_)
        self._planes: list[Plane] = []
        self._used = 0

    def mark(self) -> int:
        """Remember how many planes are in use."""
        return self._used

    def release(self, mark: int) -> None:
        """Take back every plane handed out since a mark."""
        self._used = mark

    def next(self) -> Plane:
        """Hand out a plane, its bits as they happen to be."""
        if self._used == len(self._planes):
            self._planes.append(np.empty(self.words, dtype=np.uint64))
        self._used += 1
        return self._planes[self._used - 1]

    def at_least(self, codes: Codes, limit: int) -> Plane:
        """Make the plane of the rows whose code is at least a limit."""
        if limit <= 0:
            return self.ones
        if limit > int(np.iinfo(codes.dtype).max):
            return self.zeros
        return self._compared(codes, np.greater_equal, limit)

    def below(self, codes: Codes, limit: int) -> Plane:
        """Make the plane of the rows whose code is below a limit."""
        if limit <= 0:
            return self.zeros
        if limit > int(np.iinfo(codes.dtype).max):
            return self.ones
        return self._compared(codes, np.less, limit)

    def turned(self, plane: Plane, slots: NDArray[np.integer]) -> Plane:
        """Make the plane in which the bits of some slots, each named once, are turned over."""
        turned = self.next()
        turned[:] = plane
        np.bitwise_xor.at(turned, slots >> 6, _bits(slots))
        return turned

    def chosen(self, codes: Codes, table: Flags) -> Plane:
        """Make the plane of the rows whose code is marked in a table."""
        places = np.flatnonzero(table)
        if not len(places):
            return self.zeros
        if len(places) == 1:
            return self._compared(codes, np.equal, int(places[0]))
        plane = self.next()
        for start in range(0, self.rows, BLOCK):
            end = min(self.rows, start + BLOCK)
            np.take(table, codes[start:end], out=self._flags[: end - start], mode="clip")
            _pack(self._flags[: end - start], plane, start)
        return plane

    def marked(self, parts: Iterable[NDArray[np.integer]]) -> Plane:
        """Make the plane of the slots named in any of several lists."""
        held = [slots for slots in parts if len(slots)]
        if not held:
            return self.zeros
        if sum(map(len, held)) < self.rows // FEW_OF:
            return self._sparse(held)
        self._marks[:] = False
        for slots in held:
            self._marks[slots] = True
        plane = self.next()
        for start in range(0, self.rows, BLOCK):
            _pack(self._marks[start : min(self.rows, start + BLOCK)], plane, start)
        return plane

    def _sparse(self, held: Sequence[NDArray[np.integer]]) -> Plane:
        plane = self.next()
        plane[:] = 0
        for slots in held:
            np.bitwise_or.at(plane, slots >> 6, _bits(slots))
        return plane

    def both(self, *planes: Plane) -> Plane:
        """Make the plane of what is in all planes."""
        return self._joined(np.bitwise_and, planes, nothing=self.ones, everything=self.zeros)

    def either(self, *planes: Plane) -> Plane:
        """Make the plane of what is in any plane."""
        return self._joined(np.bitwise_or, planes, nothing=self.zeros, everything=self.ones)

    def neither(self, plane: Plane) -> Plane:
        """Make the plane of what is not in a plane."""
        if plane is self.zeros:
            return self.ones
        if plane is self.ones:
            return self.zeros
        return np.invert(plane, out=self.next())

    def without(self, plane: Plane, other: Plane) -> Plane:
        """Make the plane of what is in one and not in the other."""
        if plane is self.ones or plane is self.zeros or other is self.zeros or other is self.ones:
            return self.both(plane, self.neither(other))
        both = np.bitwise_and(plane, other, out=self.next())
        return np.bitwise_xor(plane, both, out=both)

    def less(self, plane: Plane, part: Plane) -> Plane:
        """Make the plane of what is in one and not in a part of it."""
        if part is self.zeros:
            return plane
        if part is plane:
            return self.zeros
        return self.neither(part) if plane is self.ones else np.bitwise_xor(plane, part, out=self.next())

    def _joined(self, join: np.ufunc, planes: Sequence[Plane], *, nothing: Plane, everything: Plane) -> Plane:
        joined: Plane | None = None
        result: Plane | None = None
        for plane in planes:
            if plane is everything:
                return everything
            if plane is nothing or plane is joined:
                continue
            if joined is None:
                joined = plane
                continue
            if result is None:
                result = self.next()
            joined = join(joined, plane, out=result)
        return nothing if joined is None else joined

    def _compared(self, codes: Codes, compare: np.ufunc, limit: int) -> Plane:
        plane, bound = self.next(), codes.dtype.type(limit)
        for start in range(0, self.rows, BLOCK):
            end = min(self.rows, start + BLOCK)
            compare(codes[start:end], bound, out=self._flags[: end - start])
            _pack(self._flags[: end - start], plane, start)
        return plane


def _bits(slots: NDArray[np.integer]) -> NDArray[np.uint64]:
    """Give the bit of each slot within its word."""
    return np.uint64(1) << (slots & 63).astype(np.uint64)


def _pack(flags: Flags, plane: Plane, start: int) -> None:
    packed = np.packbits(flags, bitorder="little")
    plane.view(np.uint8)[start >> 3 : (start >> 3) + len(packed)] = packed


def positions(plane: Plane) -> Slots:
    """List the slots of a plane in order."""
    full = np.flatnonzero(plane)
    if not len(full):
        return np.zeros(0, dtype=np.int32)
    bits = np.unpackbits(plane[full].view(np.uint8), bitorder="little").reshape(len(full), WORD)
    words, within = np.nonzero(bits)
    return (full[words] * WORD + within).astype(np.int32)


def count(plane: Plane) -> int:
    """Count the slots of a plane."""
    return int(np.bitwise_count(plane).sum())


def has(plane: Plane, slot: int) -> bool:
    """Tell whether a slot is in a plane."""
    return slot // WORD < len(plane) and bool(plane[slot // WORD] >> np.uint64(slot % WORD) & np.uint64(1))


def put(plane: Plane, slot: int, value: bool) -> None:
    """Write one bit."""
    bit = np.uint64(1) << np.uint64(slot % WORD)
    if value:
        plane[slot // WORD] |= bit
    else:
        plane[slot // WORD] &= ~bit


def written(plane: Plane, slots: Slots, values: Flags) -> Plane:
    """Give a copy of a plane with the bits of some slots, each named once, written over."""
    copy = plane.copy()
    words, bits = slots // WORD, np.uint64(1) << (slots % WORD).astype(np.uint64)
    np.bitwise_and.at(copy, words, ~bits)
    np.bitwise_or.at(copy, words[values], bits[values])
    return copy


def widened(plane: Plane, words: int) -> Plane:
    """Give a plane of more words, the new ones empty."""
    if len(plane) >= words:
        return plane
    wide = np.zeros(words, dtype=np.uint64)
    wide[: len(plane)] = plane
    return wide


def _frozen(plane: Plane) -> Plane:
    plane.flags.writeable = False
    return plane
