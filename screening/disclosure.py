"""Which counts may be shown, so that no two of them together tell about a few people.

A count of fewer than 11 is not shown, and neither is one whose set of people
differs in fewer than 11 from a set that was counted before, by anybody: the
difference of the two would tell about those few. The same set may be asked for
again and again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from screening.planes.bits import Plane, count, widened

FLOOR: Final = 11
"""The smallest number of people that may be told apart (DOMAIN 8)."""


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
    """The sets that were counted before, against which each new one is held."""

    def __init__(self, counted: Iterable[Plane] = ()) -> None:
        self._sets: list[Plane] = list(counted)
        self._new: list[Plane] = []

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
        for other in self._sets:
            near = _apart(people, other)
            if near == 0:
                return Shown(number)
            if near < FLOOR:
                return Shown(None, Hidden.TOO_NEAR)
        self._sets.append(people)
        self._new.append(people)
        return Shown(number)


def _apart(one: Plane, other: Plane) -> int:
    """Count the people who are in one of two sets only; the pool may have grown between them."""
    words = max(len(one), len(other))
    return count(np.bitwise_xor(widened(one, words), widened(other, words)))
