"""Which counts may be shown, so that no few of them together tell about a few people.

A count of fewer than 11 is not shown, and neither is one whose set of people
differs in fewer than 11 from a set that was counted before, by anybody: the
difference of the two would tell about those few. Nor is one that would do so
together with two counts from before: who fails the second criterion and was
not taken out by the first is the difference of two counts that look harmless
one by one. Four and more counts laid together are not looked into. The same
set may be asked for again and again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screening.floor import FLOOR
from screening.planes.bits import Plane, count, widened

_FIRST: Final = 64
"""For how many sets there is room at first."""

Sizes = NDArray[np.int64]


class Hidden(StrEnum):
    """Why a count is not shown."""

    FEW = "few"
    TOO_NEAR = "too_near"


@dataclass(frozen=True, slots=True)
class Shown:
    """A count as it may be shown; without a number, `hidden` says why."""

    number: int | None
    hidden: Hidden | None = None


class Register:
    """The sets that were counted before, against which each new one is held.

    Each has a place, in the order in which they were shown.
    """

    def __init__(self, counted: Iterable[Plane] = ()) -> None:
        self._sets = np.zeros((_FIRST, 1), dtype=np.uint64)
        self._sizes: Sizes = np.zeros(0, dtype=np.int64)
        self._new: list[Plane] = []
        for people in counted:
            self._keep(people)

    @property
    def new(self) -> tuple[Plane, ...]:
        """The sets that were shown since; to be kept for whoever asks next."""
        return tuple(self._new)

    def show(self, people: Plane) -> Shown:
        """Give the number of people in a set if it may be shown, and remember that it was.

        An empty set may be shown: it tells of nobody, unless it differs too little from another one.
        """
        number = count(people)
        if 0 < number < FLOOR:
            return Shown(None, Hidden.FEW)
        common = self._common(people)
        apart = number + self._sizes - 2 * common
        if (apart == 0).any():
            return Shown(number)
        if (apart < FLOOR).any() or self._tells_with_two(people, number, common):
            return Shown(None, Hidden.TOO_NEAR)
        self._keep(people)
        self._new.append(people)
        return Shown(number)

    def place(self, people: Plane) -> int | None:
        """Say where a set stands; nothing where it was never shown."""
        apart = count(people) + self._sizes - 2 * self._common(people)
        found = np.flatnonzero(apart == 0)
        return int(found[0]) if len(found) else None

    def apart(self, place: int, people: Plane) -> int:
        """Count the people who are in one only of a set and the one at a place."""
        return int((count(people) + self._sizes - 2 * self._common(people))[place])

    def _keep(self, people: Plane) -> None:
        held, words = len(self._sizes), self._sets.shape[1]
        if held == len(self._sets) or len(people) > words:
            room = np.zeros((max(2 * held, _FIRST), max(words, len(people))), dtype=np.uint64)
            room[:held, :words] = self._sets[:held]
            self._sets = room
        self._sets[held, : len(people)] = people
        self._sizes = np.append(self._sizes, count(people))

    def _common(self, people: Plane) -> Sizes:
        """Count with each set the people in both; the pool may have grown between them."""
        words = min(len(people), self._sets.shape[1])
        both = self._sets[: len(self._sizes), :words] & people[:words]
        common: Sizes = np.bitwise_count(both).sum(axis=1, dtype=np.int64)
        return common

    def _tells_with_two(self, people: Plane, number: int, common: Sizes) -> bool:
        """Say whether a set and two shown ones add up to something known of a few people."""
        width = max(len(people), self._sets.shape[1])
        wide = widened(people, width)
        order = np.sort(self._sizes)
        for derived, rest, size in self._derived(wide, number, common):
            lowest, highest = np.searchsorted(order, (size - FLOOR + 1, size + FLOOR))
            if lowest == highest:
                continue
            near = self._sets[np.flatnonzero(np.abs(self._sizes - size) < FLOOR)]
            held = near.shape[1]
            told = (near ^ derived[:held]) | rest[:held]
            grown = count(derived[held:] | rest[held:])
            few = np.bitwise_count(told).sum(axis=1, dtype=np.int64) + grown
            if ((few > 0) & (few < FLOOR)).any():
                return True
        return False

    def _derived(self, people: Plane, number: int, common: Sizes) -> Iterator[tuple[Plane, Plane, int]]:
        """Give what subtracting and adding each shown set makes of a new one, but for a few people.

        With each comes who those few are, and how large it is: the difference of nested sets, the union of
        disjoint ones.
        """
        beside, left = number - common, self._sizes - common
        for at in np.flatnonzero((beside < FLOOR) | (left < FLOOR) | (common < FLOOR)):
            other = widened(self._sets[at], len(people))
            if beside[at] < FLOOR:
                yield other & ~people, people & ~other, int(left[at])
            if left[at] < FLOOR:
                yield people & ~other, other & ~people, int(beside[at])
            if common[at] < FLOOR:
                yield people | other, people & other, int(number + left[at])
