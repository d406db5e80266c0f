"""Intervals held against limits: met, not met, or not exact enough to tell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

from screening.errors import InvalidUnit
from screening.facts import Quantity
from screening.intervals import DateRange, Duration, shift
from screening.language.criteria import Age, Limits
from screening.units import UPPER_LIMIT, canonical, convert, round_half_up
from screening.verdict import Kleene, negate
from screening.vocabulary import Key

Ends = tuple[Fraction | None, Fraction | None]


def compare(quantity: Quantity, limits: Sequence[Limits], *, key: Key, rounded_to: int | None = None) -> Kleene:
    """Hold a quantity against limits, in its own unit where they are given in it.

    Otherwise its canonical value is turned, exactly, into the unit of the
    first limits or of those in the key's own unit. Unknown also where units
    or the result's own reference range do not allow it.
    """
    chosen = _limits_for(quantity, limits, key)
    try:
        ends = ends_in(quantity, chosen.unit, key)
    except InvalidUnit:
        return Kleene.UNKNOWN
    if ends is None:
        return Kleene.UNKNOWN
    lo, hi = ends
    if rounded_to is not None:
        lo = None if lo is None else round_half_up(lo, rounded_to)
        hi = None if hi is None else round_half_up(hi, rounded_to)
    return within_limits(lo, hi, chosen)


def within_limits(lo: Fraction | None, hi: Fraction | None, limits: Limits) -> Kleene:
    """Hold an interval against one range of numbers."""
    return min(
        _at_least(lo, hi, limits.ge, strict=False),
        _at_least(lo, hi, limits.gt, strict=True),
        _at_most(lo, hi, limits.le, strict=False),
        _at_most(lo, hi, limits.lt, strict=True),
    )


def _at_least(
    lo: Fraction | None, hi: Fraction | None, limit: Decimal | Fraction | None, *, strict: bool
) -> Kleene:
    if limit is None:
        return Kleene.MET
    bound = Fraction(limit)
    if lo is not None and (lo > bound or (lo == bound and not strict)):
        return Kleene.MET
    if hi is not None and (hi < bound or (hi == bound and strict)):
        return Kleene.NOT_MET
    return Kleene.UNKNOWN


def _at_most(
    lo: Fraction | None, hi: Fraction | None, limit: Decimal | Fraction | None, *, strict: bool
) -> Kleene:
    mirrored = None if limit is None else -Fraction(limit)
    return _at_least(None if hi is None else -hi, None if lo is None else -lo, mirrored, strict=strict)


def _limits_for(quantity: Quantity, limits: Sequence[Limits], key: Key) -> Limits:
    for unit in (quantity.unit, key.unit):
        for given in limits:
            if given.unit == unit:
                return given
    return limits[0]


def ends_in(quantity: Quantity, unit: str, key: Key) -> Ends | None:
    """Give the ends of a quantity in a unit, exactly; none where its reference range is needed and missing.

    :raises InvalidUnit: when it measures something else.
    """
    if unit == UPPER_LIMIT:
        return _multiples(quantity)
    if unit == quantity.unit:
        return _exact(quantity.range.lo), _exact(quantity.range.hi)
    numbers = canonical(quantity, key.unit or "", key.digits, analyte=key.analyte)
    lo, hi = (
        None if end is None else convert(Fraction(end), key.unit or "", unit, analyte=key.analyte)
        for end in (numbers.lo, numbers.hi)
    )
    return lo, hi


def _multiples(quantity: Quantity) -> Ends | None:
    limit = None if quantity.reference is None else quantity.reference.hi
    if limit is None or limit <= 0:
        return None
    lo, hi = quantity.range.lo, quantity.range.hi
    return (
        None if lo is None else Fraction(lo) / Fraction(limit),
        None if hi is None else Fraction(hi) / Fraction(limit),
    )


def _exact(end: Decimal | None) -> Fraction | None:
    return None if end is None else Fraction(end)


def age_within(birth: DateRange, leaf: Age, *, on: date) -> Kleene:
    """Hold the days of birth that are possible against limits in completed units of life."""
    verdicts = [Kleene.MET]
    for least in (leaf.ge, None if leaf.gt is None else leaf.gt + 1):
        if least is not None:
            verdicts.append(_lived(birth, Duration(least, leaf.unit), on))
    for first_too_many in (leaf.lt, None if leaf.le is None else leaf.le + 1):
        if first_too_many is not None:
            verdicts.append(negate(_lived(birth, Duration(first_too_many, leaf.unit), on)))
    return min(verdicts)


def _lived(birth: DateRange, length: Duration, on: date) -> Kleene:
    if birth.hi is not None and shift(birth.hi, length) <= on:
        return Kleene.MET
    if birth.lo is not None and shift(birth.lo, length) > on:
        return Kleene.NOT_MET
    return Kleene.UNKNOWN
