"""Values computed from other values: one reference function each, over intervals.

A result encloses every value that the inputs allow. No other back end works
these out again; they read what comes from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Final

from screening.intervals import DecimalRange

DIGITS: Final = 6
"""Results are rounded outward to so many decimals: the true value stays inside."""


@dataclass(frozen=True, slots=True)
class Input:
    """What is known of an input, in its key's own unit, and what is possible at all."""

    known: DecimalRange | None
    plausible: DecimalRange | None


Computation = Callable[[Sequence[Input]], DecimalRange | None]


def enclosure(lo: Fraction | None, hi: Fraction | None) -> DecimalRange:
    """Give the narrowest interval of decimals around two exact ends."""
    scale = 10**DIGITS
    return DecimalRange(
        None if lo is None else Decimal(floor(lo * scale)).scaleb(-DIGITS),
        None if hi is None else Decimal(ceil(hi * scale)).scaleb(-DIGITS),
    )


def body_mass_index(inputs: Sequence[Input]) -> DecimalRange | None:
    """Divide weight (kg) by the square of height (cm, taken in metres); inputs: height, weight."""
    height, weight = (given.known for given in inputs)
    if height is None or weight is None:
        return None
    if height.lo is None or height.lo <= 0 or weight.lo is None or weight.lo < 0:
        return None
    tallest = None if height.hi is None else (Fraction(height.hi) / 100) ** 2
    shortest = (Fraction(height.lo) / 100) ** 2
    return enclosure(
        Fraction(0) if tallest is None else Fraction(weight.lo) / tallest,
        None if weight.hi is None else Fraction(weight.hi) / shortest,
    )


def sum_of_items(inputs: Sequence[Input]) -> DecimalRange | None:
    """Add up the items of a score; an item without answer counts from its lowest to its highest."""
    if all(given.known is None for given in inputs):
        return None
    ranges = [given.known or given.plausible for given in inputs]
    lows = [numbers.lo for numbers in ranges if numbers is not None and numbers.lo is not None]
    highs = [numbers.hi for numbers in ranges if numbers is not None and numbers.hi is not None]
    return DecimalRange(
        sum(lows, Decimal(0)) if len(lows) == len(ranges) else None,
        sum(highs, Decimal(0)) if len(highs) == len(ranges) else None,
    )


COMPUTATIONS: Final[Mapping[str, Computation]] = {
    "body_mass_index": body_mass_index,
    "sum_of_items": sum_of_items,
}
