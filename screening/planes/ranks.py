"""People in an order, kept so that "who comes from here on" need not look at everybody.

The planes of some places are kept, evenly spread over the people. That of any
other place is the nearest of them with the people in between turned over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screening.planes.bits import WORD, Bench, Codes, Plane, Slots

MOST_KEPT: Final = 64
"""At most so many planes between the ends are kept."""

APART: Final = 8192
"""So many people at least lie between two of them."""

MANY: Final = 64
"""Where more than one in so many people would have to be turned over, all are compared instead."""


@dataclass(frozen=True, slots=True, eq=False)
class Ladder:
    """Slots in an order, each named once, and at some `rungs` the plane of all that come from there on.

    The first rung is the beginning, the last the end.
    """

    order: Slots
    rungs: NDArray[np.int32]
    planes: NDArray[np.uint64]

    @classmethod
    def of(cls, order: Slots, flags: NDArray[np.bool_], *, steps: NDArray[np.int32] | None = None) -> Ladder:
        """Put slots on a ladder.

        `flags` mark who is in every plane, and are written to; `steps` are the rows where rungs may be.
        """
        rungs = _spread(len(order), steps)
        planes = np.empty((len(rungs), len(flags) // WORD), dtype=np.uint64)
        below = len(order)
        for plane, rung in zip(planes[::-1], rungs[::-1].tolist(), strict=True):
            flags[order[rung:below]] = True
            plane[:] = np.packbits(flags, bitorder="little").view(np.uint64)
            below = rung
        planes.flags.writeable = False
        return cls(order, rungs, planes)

    def since(self, row: int, bench: Bench) -> Plane:
        """Make the plane of the people from a row on."""
        rung, rows = self.nearest(row)
        if rows.start == rows.stop:
            kept: Plane = self.planes[rung]
            return kept
        return bench.turned(self.planes[rung], self.order[rows])

    def nearest(self, row: int) -> tuple[int, slice]:
        """Find the rung with the fewest people between it and a row, and these."""
        after = int(self.rungs.searchsorted(np.int32(row)))
        start, end = row, int(self.rungs[after])
        if end != row and row - (before := int(self.rungs[after - 1])) <= end - row:
            start, end, after = before, row, after - 1
        return after, slice(start, end)


def _spread(count: int, steps: NDArray[np.int32] | None) -> NDArray[np.int32]:
    """Choose rungs, evenly spread or at the next permitted step."""
    rungs = np.linspace(0, count, min(MOST_KEPT, count // APART) + 2).astype(np.int32)
    if steps is not None:
        rungs = steps[np.minimum(np.searchsorted(steps, rungs), len(steps) - 1)]
    return np.unique(np.concatenate(([0], rungs, [count]))).astype(np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """The place of each person on a scale: `codes`, from 0 on, and the people in that order.

    Whoever has no value is at one end, at 0 or at the last place, and does not
    stand in the order. `first` says how many stand there before each place.
    """

    codes: Codes
    first: NDArray[np.int32]
    ladder: Ladder

    @classmethod
    def of(cls, codes: Codes, *, last: int, absent: int) -> Ranks:
        """Put people in order; `absent` is the place of whoever has no value, 0 or the last."""
        order = np.argsort(codes, kind="stable").astype(np.int32)
        counts = np.bincount(codes, minlength=last + 1)
        order = order[counts[0] :] if absent == 0 else order[: len(order) - counts[last]]
        counts[absent] = 0
        first = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
        always = codes == last if absent else np.zeros(len(codes), dtype=np.bool_)
        return cls(codes, first, Ladder.of(order, always, steps=first))

    @property
    def last(self) -> int:
        """The last place."""
        return len(self.first) - 2

    def at_least(self, place: int, bench: Bench) -> Plane:
        """Make the plane of the people at a place or after it."""
        if place <= 0:
            return bench.ones
        if place > self.last:
            return bench.zeros
        row = int(self.first[place])
        _, rows = self.ladder.nearest(row)
        if (rows.stop - rows.start) * MANY > bench.rows:
            return bench.at_least(self.codes, place)
        return self.ladder.since(row, bench)
