"""The laboratory values and vital signs of the criteria language, from one table.

`data/analytes.csv` is written for a laboratory physician; `data/analytes.md`
says how. It gives each analyte its key, names, LOINC codes, units with exact
factors, ranges and validity. A conversion that is a convention rather than a
fact (insulin to pmol/L, lipoprotein(a) between mass and particles) is left
out: a result that cannot be converted is unknown, never guessed.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache, cached_property
from importlib import resources
from itertools import groupby
from typing import Final

from screening.errors import InvalidVocabulary

COLUMNS: Final = (
    "key",
    "unit",
    "factor",
    "offset",
    "decimals",
    "loinc",
    "substance",
    "quantum",
    "usual",
    "plausible",
    "validity",
    "told_by",
    "english",
    "spanish",
    "lay",
    "spanish_lay",
    "source",
)
_BAR: Final = "|"
_NUMBER: Final = r"-?[0-9]+(?:\.[0-9]+)?"
_RATIONAL: Final = re.compile(rf"({_NUMBER})(?:/([0-9]+(?:\.[0-9]+)?))?")
_DECIMAL: Final = re.compile(_NUMBER)
_QUANTUM: Final = re.compile(r"1|0\.0*1")
_LOINC: Final = re.compile(r"([0-9]{1,6}-[0-9]) (.+), ([^,]+)")


@dataclass(frozen=True, slots=True)
class Loinc:
    """A LOINC code with its component and the system in which it is measured."""

    code: str
    component: str
    system: str


@dataclass(frozen=True, slots=True)
class Scale:
    """A unit in which an analyte is reported: canonical value = factor x value + offset, exactly.

    `decimals` are those commonly reported; `source` is where the factor comes
    from. The LOINC codes are those of results in such a unit.
    """

    unit: str
    factor: Fraction
    offset: Fraction
    decimals: int
    loinc: tuple[Loinc, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Analyte:
    """A laboratory value or vital sign; its first scale is the canonical one.

    A canonical value is rounded once to `quantum`. A value outside `usual` is
    asked again; a form takes nothing outside `plausible`, which is as far as
    a human body goes. Neither refuses the result of a laboratory. Analytes of
    one `substance` share their factors; without one, units alone decide.
    """

    key: str
    names: tuple[str, ...]
    spanish: tuple[str, ...]
    lay: tuple[str, ...]
    spanish_lay: tuple[str, ...]
    substance: str | None
    quantum: Decimal
    usual: tuple[Decimal, Decimal]
    plausible: tuple[Decimal, Decimal]
    validity: str | None
    told_by: tuple[str, ...]
    scales: tuple[Scale, ...]

    @property
    def unit(self) -> str:
        """The canonical unit."""
        return self.scales[0].unit

    @property
    def digits(self) -> int:
        """The decimals of the canonical value."""
        return -int(self.quantum.as_tuple().exponent)

    def scale(self, unit: str) -> Scale:
        """Give the scale of a unit.

        :raises KeyError: when it is not reported in that unit.
        """
        for scale in self.scales:
            if scale.unit == unit:
                return scale
        raise KeyError(unit)

    def all_names(self) -> Iterator[str]:
        """Go through every name, professional and lay, English and Spanish."""
        yield from (*self.names, *self.spanish, *self.lay, *self.spanish_lay)


class Analytes:
    """All analytes by key, in the order of the table; `version` is the hash of what it says.

    :raises InvalidVocabulary: when a key stands in two places.
    """

    def __init__(self, analytes: Sequence[Analyte], *, version: str) -> None:
        self._keys: Mapping[str, Analyte] = {analyte.key: analyte for analyte in analytes}
        if len(self._keys) < len(analytes):
            raise InvalidVocabulary("the lines of one analyte stand together")
        self.version = version

    def __iter__(self) -> Iterator[Analyte]:
        return iter(self._keys.values())

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, key: str) -> Analyte:
        return self._keys[key]

    def get(self, key: str) -> Analyte | None:
        """Give the analyte of a key, or nothing."""
        return self._keys.get(key)

    def named(self, text: str) -> tuple[Analyte, ...]:
        """Give the analytes that bear a name, whatever its case, spaces and hyphens."""
        return self._names.get(_folded(text), ())

    def by_loinc(self, code: str) -> tuple[Analyte, Scale] | None:
        """Give the analyte that a LOINC code means, with the scale of its results."""
        return self._codes.get(code)

    def of_substance(self, substance: str) -> tuple[tuple[Scale, ...], ...]:
        """Give the scales of every analyte of a substance, one group per analyte."""
        return self._substances.get(substance, ())

    @cached_property
    def _names(self) -> Mapping[str, tuple[Analyte, ...]]:
        found: dict[str, tuple[Analyte, ...]] = {}
        for analyte in self:
            for name in dict.fromkeys(map(_folded, (analyte.key, *analyte.all_names()))):
                found[name] = (*found.get(name, ()), analyte)
        return found

    @cached_property
    def _codes(self) -> Mapping[str, tuple[Analyte, Scale]]:
        return {
            loinc.code: (analyte, scale)
            for analyte in self
            for scale in analyte.scales
            for loinc in scale.loinc
        }

    @cached_property
    def _substances(self) -> Mapping[str, tuple[tuple[Scale, ...], ...]]:
        found: dict[str, tuple[tuple[Scale, ...], ...]] = {}
        for analyte in self:
            if analyte.substance is not None:
                found[analyte.substance] = (*found.get(analyte.substance, ()), analyte.scales)
        return found


@cache
def packaged_analytes() -> Analytes:
    """Give the analytes that come with the package."""
    return read_analytes(resources.files("screening").joinpath("data/analytes.csv").read_text("utf-8"))


def read_analytes(source: str) -> Analytes:
    """Read a table of analytes: one line per unit, the canonical one first with what describes the analyte.

    :raises InvalidVocabulary: with the key and what is wrong with it.
    """
    header, *lines = csv.reader(source.splitlines(), delimiter=";", quoting=csv.QUOTE_NONE)
    if tuple(header) != COLUMNS or any(len(line) != len(COLUMNS) for line in lines):
        raise InvalidVocabulary(f"the table of analytes has the columns {', '.join(COLUMNS)}")
    rows = [dict(zip(COLUMNS, line, strict=True)) for line in lines]
    analytes = [_analyte(key, list(block)) for key, block in groupby(rows, key=lambda row: row["key"])]
    return Analytes(analytes, version=hashlib.sha256(source.encode()).hexdigest())


def _analyte(key: str, rows: Sequence[Mapping[str, str]]) -> Analyte:
    first = rows[0]
    try:
        return Analyte(
            key=key,
            names=_several(first["english"]),
            spanish=_several(first["spanish"]),
            lay=_several(first["lay"]),
            spanish_lay=_several(first["spanish_lay"]),
            substance=first["substance"] or None,
            quantum=Decimal(_matching(_QUANTUM, first["quantum"])),
            usual=_pair(first["usual"]),
            plausible=_pair(first["plausible"]),
            validity=first["validity"] or None,
            told_by=tuple(first["told_by"].split()),
            scales=_scales(rows),
        )
    except ValueError as error:
        raise InvalidVocabulary(f"{key}: {error}") from None


def _scales(rows: Sequence[Mapping[str, str]]) -> tuple[Scale, ...]:
    scales = tuple(map(_scale, rows))
    if scales[0].factor != Fraction(1) or scales[0].offset:
        raise ValueError("the first line is the canonical unit, with factor 1")
    if len({scale.unit for scale in scales}) < len(scales):
        raise ValueError("a unit stands there twice")
    return scales


def _scale(row: Mapping[str, str]) -> Scale:
    factor = _rational(row["factor"])
    if factor <= 0:
        raise ValueError(f"{row['unit']}: a factor is above 0")
    return Scale(
        unit=row["unit"],
        factor=factor,
        offset=_rational(row["offset"] or "0"),
        decimals=int(row["decimals"]),
        loinc=tuple(map(_loinc, _several(row["loinc"]))),
        source=row["source"],
    )


@cache
def _rational(text: str) -> Fraction:
    """Read `2.54`, `5/9` or `180.156/10`, exactly."""
    match = _RATIONAL.fullmatch(text)
    if match is None or not Fraction(match[2] or 1):
        raise ValueError(f"{text!r} is not a decimal, or one decimal over another")
    return Fraction(match[1]) / Fraction(match[2] or 1)


def _pair(text: str) -> tuple[Decimal, Decimal]:
    ends = [Decimal(_matching(_DECIMAL, end)) for end in text.split()]
    if len(ends) != 2 or ends[0] >= ends[1]:
        raise ValueError(f"{text!r} is not a lowest and a highest number")
    return ends[0], ends[1]


def _loinc(text: str) -> Loinc:
    match = _LOINC.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a LOINC code, its component, a comma and its system")
    return Loinc(match[1], match[2], match[3])


def _matching(pattern: re.Pattern[str], text: str) -> str:
    if pattern.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a number that can stand there")
    return text


@cache
def _several(cell: str) -> tuple[str, ...]:
    return tuple(part for part in map(str.strip, cell.split(_BAR)) if part)


def _folded(text: str) -> str:
    return re.sub(r"[\s_-]+", "", text).casefold()
