"""The conditions that people name, with their ICD-10-CM codes, in English and Spanish.

`data/conditions.csv` is the table, `data/conditions.md` says how to extend it.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from screening.errors import InvalidVocabulary
from screening.facts import Code
from screening.terms import EITHER, ICD10CM

SHARED: Final = "~"
_COLUMNS: Final = ("condition", "icd", "often", "names", "spanish", "spanish_names")


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of the table: what it is called, and the codes of which one holds.

    `often` is how often people name it, from 0 to 3. A name with a mark in
    front stands on other lines too.
    """

    name: str
    codes: tuple[str, ...]
    often: int
    names: tuple[str, ...]
    spanish: str
    spanish_names: tuple[str, ...]

    @property
    def affirmed(self) -> Code:
        """The code of a statement by somebody who has it."""
        return Code(ICD10CM, EITHER.join(self.codes))

    def every_name(self) -> Iterator[str]:
        """Go through all its names in both languages, without the mark."""
        for name in (self.name, self.spanish, *self.names, *self.spanish_names):
            yield name.removeprefix(SHARED)


@dataclass(frozen=True, slots=True)
class Conditions:
    """All conditions; `version` is the hash of the table."""

    lines: tuple[Condition, ...]
    version: str = ""


@cache
def packaged_conditions() -> Conditions:
    """Give the table that comes with the package; read when it is first asked for."""
    return read_conditions(resources.files("screening").joinpath("data/conditions.csv").read_text("utf-8"))


def read_conditions(text: str) -> Conditions:
    """Read the table as it is written.

    :raises InvalidVocabulary: when it has other columns, a line has no code, or a number is none.
    """
    lines = csv.reader(text.splitlines(), delimiter=";", strict=True)
    if tuple(next(lines, ())) != _COLUMNS:
        raise InvalidVocabulary(f"conditions.csv: the columns are {'; '.join(_COLUMNS)}")
    read = tuple(_condition(number, cells) for number, cells in enumerate(lines, start=2))
    return Conditions(read, hashlib.sha256(text.encode()).hexdigest())


def _condition(number: int, cells: list[str]) -> Condition:
    if len(cells) != len(_COLUMNS):
        raise InvalidVocabulary(f"conditions.csv, line {number}: {len(cells)} cells, not {len(_COLUMNS)}")
    name, icd, often, names, spanish, spanish_names = cells
    if not (name and icd and spanish and often in ("", "1", "2", "3")):
        raise InvalidVocabulary(
            f"conditions.csv, line {number}: a name, a code or how often it is named is amiss"
        )
    return Condition(name, tuple(icd.split()), int(often or 0), _listed(names), spanish, _listed(spanish_names))


def _listed(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split("|")) if cell else ()
