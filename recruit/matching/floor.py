"""Small numbers of people: what of a count by a health attribute may be shown (DOMAIN 8); pure.

A number from 1 to 10 is never shown. Neither is one that would let somebody work it out from a total that is
known, as the total of a study's people is.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from screening.floor import FLOOR

_K = TypeVar("_K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Count:
    """A number as it may be shown: exactly, as fewer than the floor, or not at all."""

    number: int | None
    is_small: bool = False


HIDDEN = Count(None)
SMALL = Count(None, is_small=True)


def parts(counts: Mapping[_K, int]) -> dict[_K, Count]:
    """Show the parts of a whole that is known, so that each small one may still be anything from 1 to 10.

    Where that cannot be had by holding back larger parts too, none is shown, not even those of nobody.
    """
    small = {key for key, number in counts.items() if 0 < number < FLOOR}
    held: set[_K] = set()
    for key in [None, *sorted(set(counts) - small, key=lambda one: counts[one])]:
        if key is not None and counts[key]:
            held.add(key)
        if not small or _is_open(len(small), len(held), sum(counts[one] for one in small | held)):
            return _shown(counts, small, held)
    return dict.fromkeys(counts, HIDDEN)


def reasons(counts: Mapping[_K, int], *, total: Count) -> dict[_K, Count]:
    """Show for how many people each reason holds, where one person may have several and everybody has one.

    :param total: how many people there are, as it is shown itself; held back, it holds everything back
    """
    if total == HIDDEN:
        return dict.fromkeys(counts, HIDDEN)
    small = {key for key, number in counts.items() if 0 < number < FLOOR}
    held: set[_K] = set()
    if small and total.number is not None:
        shown = sum(number for key, number in counts.items() if key not in small)
        if 1 + shown + (FLOOR - 1) * (len(small) - 1) < total.number:
            larger = [key for key, number in counts.items() if number >= FLOOR]
            if not larger:
                return dict.fromkeys(counts, HIDDEN)
            held.add(min(larger, key=lambda one: counts[one]))
    return _shown(counts, small, held)


def _is_open(small: int, held: int, rest: int) -> bool:
    """Say whether any small part may be 1 as well as 10, if all that is not shown adds up to the rest."""
    least, most = small - 1 + FLOOR * held, (FLOOR - 1) * (small - 1)
    return least + FLOOR - 1 <= rest and (held > 0 or rest <= most + 1)


def _shown(counts: Mapping[_K, int], small: set[_K], held: set[_K]) -> dict[_K, Count]:
    return {
        key: SMALL if key in small else HIDDEN if key in held else Count(number)
        for key, number in counts.items()
    }
