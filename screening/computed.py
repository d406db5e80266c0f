"""Values computed from other values: one reference function each, over intervals.

A result encloses every value that the inputs allow. No other back end works
these out again; they read what comes from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from functools import partial, reduce
from math import ceil, floor
from typing import Final

from screening.intervals import CalendarUnit, DateRange, DecimalRange, completed

DIGITS: Final = 6
"""Results are rounded outward to so many decimals: the true value stays inside."""


@dataclass(frozen=True, slots=True)
class Input:
    """What is known of an input, in its key's own unit, and what is possible at all.

    Of a choice, `codes` are all that are possible, every one of them where
    nothing is known; of a day, `days`. `observed` is when a value was so.
    """

    known: DecimalRange | None = None
    plausible: DecimalRange | None = None
    codes: frozenset[str] = frozenset()
    days: DateRange | None = None
    observed: DateRange | None = None


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


def glomerular_filtration(inputs: Sequence[Input]) -> DecimalRange | None:
    """Estimate the filtration rate in mL/min/1.73 m2; inputs: creatinine in mg/dL, birth, sex.

    CKD-EPI 2021, without race (Inker et al., N Engl J Med 2021;385:1737-49):
    142 min(c/k, 1)^a max(c/k, 1)^-1.2 0.9938^age, times 1.012 for women, with
    k 0.7 and a -0.241 for women, 0.9 and -0.302 for men.
    """
    creatinine, birth, sex = inputs
    return _falling(creatinine, birth, sex, _ckd_epi)


def creatinine_clearance(inputs: Sequence[Input]) -> DecimalRange | None:
    """Estimate the clearance in mL/min; inputs: creatinine in mg/dL, birth, sex, weight in kg.

    Cockcroft and Gault, Nephron 1976;16:31-41: (140 - age) weight / (72
    creatinine), times 0.85 for women; never below 0.
    """
    creatinine, birth, sex, weight = inputs
    if weight.known is None or weight.known.lo is None or weight.known.hi is None or weight.known.lo < 0:
        return None
    light, heavy = (
        _falling(creatinine, birth, sex, partial(_cockcroft, weight=end))
        for end in (weight.known.lo, weight.known.hi)
    )
    return None if light is None or heavy is None else DecimalRange(light.lo, heavy.hi)


def pack_years(inputs: Sequence[Input]) -> DecimalRange | None:
    """Multiply packs of 20 a day by the years smoked; inputs: cigarettes a day, years of smoking."""
    a_day, years = (given.known for given in inputs)
    if a_day is None or years is None or a_day.lo is None or years.lo is None:
        return None
    least = max(Fraction(0), Fraction(a_day.lo)) * max(Fraction(0), Fraction(years.lo)) / 20
    has_end = a_day.hi is not None and years.hi is not None
    return enclosure(least, Fraction(a_day.hi or 0) * Fraction(years.hi or 0) / 20 if has_end else None)


Estimate = Callable[[Decimal, int, bool], Fraction]
"""From creatinine in mg/dL, completed years of age, and whether it is a woman's."""


def _falling(creatinine: Input, birth: Input, sex: Input, estimate: Estimate) -> DecimalRange | None:
    """Enclose an estimate for adults that falls with creatinine and age, over every sex that is possible.

    The age is that of the day of the measurement.
    """
    ages, level = _ages(birth.days, creatinine.observed), creatinine.known
    if level is None or ages is None or ages[0] < _ADULT:
        return None
    if level.lo is None or level.hi is None or level.lo <= 0:
        return None
    known = sex.codes and sex.codes <= _SEXES
    sexes = [code == _WOMAN for code in (sex.codes if known else _SEXES)]
    return enclosure(
        min(estimate(level.hi, ages[1], is_woman) for is_woman in sexes),
        max(estimate(level.lo, ages[0], is_woman) for is_woman in sexes),
    )


def _ages(birth: DateRange | None, observed: DateRange | None) -> tuple[int, int] | None:
    """Give the least and the greatest age in completed years that somebody may have had on a day."""
    if birth is None or birth.lo is None or birth.hi is None:
        return None
    if observed is None or observed.lo is None or observed.hi is None:
        return None
    youngest = completed(birth.hi, observed.lo, CalendarUnit.YEARS)
    return youngest, completed(birth.lo, observed.hi, CalendarUnit.YEARS)


def _ckd_epi(level: Decimal, age: int, is_woman: bool) -> Fraction:
    kappa, alpha, factor = _KAPPA_WOMEN if is_woman else _KAPPA_MEN
    ratio = _EXACTLY.divide(level, kappa)
    parts = (
        _EXACTLY.power(min(ratio, Decimal(1)), alpha),
        _EXACTLY.power(max(ratio, Decimal(1)), Decimal("-1.2")),
        _EXACTLY.power(Decimal("0.9938"), age),
        factor,
    )
    return Fraction(reduce(_EXACTLY.multiply, parts, Decimal(142)))


def _cockcroft(level: Decimal, age: int, is_woman: bool, *, weight: Decimal) -> Fraction:
    share = Fraction(85, 100) if is_woman else Fraction(1)
    return share * max(140 - age, 0) * Fraction(weight) / (72 * Fraction(level))


_ADULT: Final = 18
_WOMAN: Final = "female"
_SEXES: Final = frozenset({_WOMAN, "male"})
_EXACTLY: Final = Context(prec=40)
"""Far more digits than are kept, so that rounding outward to a few encloses the true value."""
_KAPPA_WOMEN: Final = (Decimal("0.7"), Decimal("-0.241"), Decimal("1.012"))
_KAPPA_MEN: Final = (Decimal("0.9"), Decimal("-0.302"), Decimal(1))


COMPUTATIONS: Final[Mapping[str, Computation]] = {
    "body_mass_index": body_mass_index,
    "creatinine_clearance": creatinine_clearance,
    "glomerular_filtration": glomerular_filtration,
    "pack_years": pack_years,
    "sum_of_items": sum_of_items,
}
