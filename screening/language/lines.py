"""Sets of numbers as stretches between cuts, exactly: which lie in both, which in neither."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import inf
from typing import Final

Cut = tuple[Fraction | float, bool]
"""A place between numbers: just before one, or (True) just after it."""

Line = tuple[tuple[Cut, Cut], ...]
"""Stretches of numbers, in order and apart."""

FIRST: Final[Cut] = (-inf, False)
LAST: Final[Cut] = (inf, True)
EVERY: Final[Line] = ((FIRST, LAST),)


def stretch(lower: Cut, upper: Cut) -> Line:
    """Make the numbers between two cuts; none where the first is not before the second."""
    return ((lower, upper),) if lower < upper else ()


def both(one: Line, other: Line) -> Line:
    """Give the numbers that lie in both of two sets."""
    found = ((max(a[0], b[0]), min(a[1], b[1])) for a in one for b in other)
    return tuple((lower, upper) for lower, upper in found if lower < upper)


def without(line: Line) -> Line:
    """Give the numbers that do not lie in a set."""
    gaps: list[tuple[Cut, Cut]] = []
    place = FIRST
    for lower, upper in line:
        if place < lower:
            gaps.append((place, lower))
        place = upper
    return (*gaps, (place, LAST)) if place < LAST else tuple(gaps)


def before_scaling(line: Line, slope: Fraction, start: Fraction) -> Line:
    """Give the numbers x with x * slope + start in a set; the slope is above 0."""
    return tuple((((lo[0] - start) / slope, lo[1]), ((hi[0] - start) / slope, hi[1])) for lo, hi in line)


def widened(line: Line, slack: Fraction) -> Line:
    """Give the numbers that are at most so far from a set."""
    return _merged(((lo[0] - slack, False), (hi[0] + slack, True)) for lo, hi in line)


def _merged(spans: Iterable[tuple[Cut, Cut]]) -> Line:
    joined: list[tuple[Cut, Cut]] = []
    for lower, upper in sorted(spans):
        if joined and lower <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], upper)
        else:
            joined.append((lower, upper))
    return tuple(joined)
