"""Units in UCUM notation, with exact rational factors.

A unit is read into a factor over base dimensions, so that any sensible
combination works ("mg/dL", "10*9/L", "kg/m2"). What stands in braces is a
dimension of its own: `mL/min/{1.73_m2}` never turns into `mL/min`. What only
a substance can tell (its molar mass, the charge of an ion, the two scales of
HbA1c) comes from the table of `screening.analytes`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

from screening.analytes import Scale, packaged_analytes
from screening.errors import InvalidUnit
from screening.facts import Quantity
from screening.intervals import DecimalRange

UPPER_LIMIT: Final = "[ULN]"
"""Not UCUM: multiples of the upper limit of normal, read from the result's own reference range."""

_AFFINE: Final[dict[tuple[str, str], tuple[Fraction, Fraction]]] = {
    ("[degF]", "Cel"): (Fraction(5, 9), Fraction(-160, 9)),
    ("Cel", "[degF]"): (Fraction(9, 5), Fraction(32)),
}

_PREFIXES: Final = {
    "k": Fraction(1000),
    "d": Fraction(1, 10),
    "c": Fraction(1, 100),
    "m": Fraction(1, 10**3),
    "u": Fraction(1, 10**6),
    "n": Fraction(1, 10**9),
    "p": Fraction(1, 10**12),
    "f": Fraction(1, 10**15),
}
_PREFIXABLE: Final[dict[str, tuple[Fraction, dict[str, int]]]] = {
    "m": (Fraction(1), {"length": 1}),
    "g": (Fraction(1), {"mass": 1}),
    "L": (Fraction(1, 1000), {"length": 3}),
    "mol": (Fraction(1), {"amount": 1}),
    "s": (Fraction(1), {"time": 1}),
    "kat": (Fraction(1), {"amount": 1, "time": -1}),
    "U": (Fraction(1, 60 * 10**6), {"amount": 1, "time": -1}),
    "[IU]": (Fraction(1), {"international_unit": 1}),
    "eq": (Fraction(1), {"equivalent": 1}),
    "osm": (Fraction(1), {"osmole": 1}),
    "Pa": (Fraction(1000), {"mass": 1, "length": -1, "time": -2}),
    "m[Hg]": (Fraction(133_322_000), {"mass": 1, "length": -1, "time": -2}),  # UCUM: 133.3220 kPa
    "[arb'U]": (Fraction(1), {"arbitrary_unit": 1}),
    "V": (Fraction(1), {"volt": 1}),
}
_PLAIN: Final[dict[str, tuple[Fraction, dict[str, int]]]] = {
    "%": (Fraction(1, 100), {}),
    "[ppm]": (Fraction(1, 10**6), {}),
    "[ppb]": (Fraction(1, 10**9), {}),
    "1": (Fraction(1), {}),
    "[pH]": (Fraction(1), {"ph": 1}),
    "[in_i]": (Fraction("0.0254"), {"length": 1}),
    "[ft_i]": (Fraction("0.3048"), {"length": 1}),
    "[lb_av]": (Fraction("453.59237"), {"mass": 1}),
    "[oz_av]": (Fraction("28.349523125"), {"mass": 1}),
    "[stone_av]": (Fraction("6350.29318"), {"mass": 1}),
    "min": (Fraction(60), {"time": 1}),
    "h": (Fraction(3600), {"time": 1}),
    "d": (Fraction(86400), {"time": 1}),
    "wk": (Fraction(604800), {"time": 1}),
    "mo": (Fraction(1), {"calendar_month": 1}),
    "a": (Fraction(12), {"calendar_month": 1}),
    "Cel": (Fraction(1), {"celsius": 1}),
    "[degF]": (Fraction(1), {"fahrenheit": 1}),
}
_PART: Final = re.compile(
    r"([./]?)(10\*-?\d{1,2}|\{[A-Za-z0-9_.%/-]+\}|(?:[A-Za-z%]|\[[A-Za-z_']+\])+|1(?![\d*]))(-?\d)?"
)
_LONGEST: Final = 40
_WIDE: Final = Context(prec=60)


@dataclass(frozen=True, slots=True)
class _Unit:
    """A factor over base dimensions; dimensions with exponent 0 are absent."""

    factor: Fraction
    dimensions: frozenset[tuple[str, int]]


def check_unit(unit: str) -> str:
    """Give the unit back if it can be read.

    :raises InvalidUnit: when it cannot.
    """
    if unit != UPPER_LIMIT:
        _read(unit)
    return unit


def convertible(source: str, target: str, *, analyte: str | None = None) -> bool:
    """Tell whether a number in one unit can be turned into another."""
    try:
        _factors(source, target, analyte)
    except InvalidUnit:
        return False
    return True


def convert(value: Fraction, source: str, target: str, *, analyte: str | None = None) -> Fraction:
    """Turn a number from one unit into another, exactly.

    :raises InvalidUnit: when one cannot be read or the two measure different things.
    """
    slope, shift = _factors(source, target, analyte)
    return value * slope + shift


def quantise(value: Fraction, digits: int) -> Decimal:
    """Round to a number of decimals, halves to even: done once, when a value is taken in."""
    scaled = round(value * 10**digits)
    return Decimal(scaled).scaleb(-digits, _WIDE)


def canonical(quantity: Quantity, unit: str, digits: int, *, analyte: str | None = None) -> DecimalRange:
    """Give a quantity in another unit, rounded once; all back ends read this value.

    :raises InvalidUnit: when it measures something else.
    """
    if quantity.unit == unit:
        return quantity.range
    ends = [
        None if end is None else quantise(convert(Fraction(end), quantity.unit, unit, analyte=analyte), digits)
        for end in (quantity.range.lo, quantity.range.hi)
    ]
    return DecimalRange(ends[0], ends[1])


def round_half_up(value: Fraction, digits: int) -> Fraction:
    """Round as people do by hand, halves away from zero: for criteria that say "rounded to"."""
    scaled = abs(value) * 10**digits
    whole = (scaled + Fraction(1, 2)).__floor__()
    return Fraction(whole if value >= 0 else -whole, 10**digits)


@lru_cache(maxsize=4096)
def _factors(source: str, target: str, substance: str | None) -> tuple[Fraction, Fraction]:
    """Find slope and shift with target = source x slope + shift.

    What the table says of a substance goes before what the units say alone.
    """
    given, wanted = _read(source), _read(target)
    if source == target:
        return Fraction(1), Fraction(0)
    ways = set(_ways(source, target, substance)) if substance else set()
    if not ways and (source, target) in _AFFINE:
        return _AFFINE[source, target]
    if not ways and given.dimensions == wanted.dimensions:
        return given.factor / wanted.factor, Fraction(0)
    if len(ways) != 1:
        whose = f" for {substance}" if substance else ""
        raise InvalidUnit(f"{source} cannot be turned into {target}{whose}")
    return ways.pop()


def _ways(source: str, target: str, substance: str) -> Iterator[tuple[Fraction, Fraction]]:
    """Go from a unit into a scale of the substance, on to another one, and out into the wanted unit.

    Several ways that disagree leave the matter open: "mol/mol" may be either
    scale of HbA1c.
    """
    for scales in packaged_analytes().of_substance(substance):
        for entry, into in _doors(source, scales):
            for exit_, out in _doors(target, scales):
                step = exit_.factor * out
                yield entry.factor * into / step, (entry.offset - exit_.offset) / step


def _doors(unit: str, scales: tuple[Scale, ...]) -> list[tuple[Scale, Fraction]]:
    """Give the scale of a unit, or else all that measure the same, with the factor from the unit into each."""
    for scale in scales:
        if scale.unit == unit:
            return [(scale, Fraction(1))]
    given = _read(unit)
    known = [(scale, _read(scale.unit)) for scale in scales]
    return [(scale, given.factor / own.factor) for scale, own in known if own.dimensions == given.dimensions]


@lru_cache(maxsize=1024)
def _read(unit: str) -> _Unit:
    if not unit or len(unit) > _LONGEST:
        raise InvalidUnit("a unit has between 1 and 40 characters")
    factor, dimensions, place = Fraction(1), Counter[str](), 0
    text = "1" + unit if unit.startswith("/") else unit
    while place < len(text):
        match = _PART.match(text, place)
        if match is None or ((place == 0) != (match[1] == "") and not _annotates(match, place)):
            raise InvalidUnit(f"{unit!r} is not a unit that is known here")
        power = int(match[3] or 1) * (-1 if match[1] == "/" else 1)
        part, powers = _atom(match[2], unit)
        factor *= part**power
        for name, exponent in powers.items():
            dimensions[name] += exponent * power
        place = match.end()
    return _Unit(factor, frozenset((name, power) for name, power in dimensions.items() if power))


def _annotates(match: re.Match[str], place: int) -> bool:
    """Tell whether braces follow a unit directly, as in `ng/mL{FEU}`."""
    return place > 0 and match[1] == "" and match[2].startswith("{")


def _atom(atom: str, unit: str) -> tuple[Fraction, dict[str, int]]:
    if atom.startswith("10*"):
        return Fraction(10) ** int(atom[3:]), {}
    if atom.startswith("{"):
        return Fraction(1), {atom: 1}
    if atom in _PLAIN:
        return _PLAIN[atom]
    if atom in _PREFIXABLE:
        return _PREFIXABLE[atom]
    if atom[0] in _PREFIXES and atom[1:] in _PREFIXABLE:
        factor, powers = _PREFIXABLE[atom[1:]]
        return _PREFIXES[atom[0]] * factor, powers
    raise InvalidUnit(f"{unit!r} is not a unit that is known here")
