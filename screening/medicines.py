"""The medicines that people and criteria name, with their ATC codes.

Three tables that a pharmacist reads and extends: `data/medicines.csv`,
`data/atc.csv` and `data/medicine_groups.csv`; `data/medicines.md` says how.
A name means a set of codes of which one holds: "aspirin" is a painkiller, a
platelet inhibitor or a mouth rinse, until somebody says which. A combination
product affirms its components, and denies none of them.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from importlib import resources
from itertools import groupby
from typing import Final

from screening.errors import InvalidVocabulary
from screening.facts import Code
from screening.terms import ATC, EITHER, atc_ancestors

SUBSTANCE: Final = 7
"""The length of an ATC code of the fifth level, which names a substance or a fixed combination."""

_BAR: Final = "|"
_JOINED: Final = re.compile(", | and ")
_SHARED: Final = "~"
_FILES: Final = ("medicines.csv", "atc.csv", "medicine_groups.csv")
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "medicines.csv": ("ingredient", "atc", "route", "components", "names", "spanish", "brands", "lay"),
    "atc.csv": ("code", "name", "spanish", "names", "lay", "spanish_lay", "contains"),
    "medicine_groups.csv": ("group", "atc", "complete", "names", "spanish", "lay", "spanish_lay"),
}


class NameKind(StrEnum):
    """What sort of name it is: only the generic name of a medicine is denied by a "no".

    Who takes no Ozempic may take Wegovy, and who takes "no blood thinner" may
    take aspirin.
    """

    GENERIC = "generic"
    BRAND = "brand"
    LAY = "lay"


@dataclass(frozen=True, slots=True)
class Preparation:
    """One line of the table: an ingredient under one ATC code, by the routes that decide it.

    `components` are the codes that a combination product affirms besides its
    own. Without routes, the code holds whatever the route.
    """

    code: str
    routes: frozenset[str]
    components: tuple[str, ...]
    brands: tuple[str, ...]
    lay: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Medicine:
    """An ingredient or a fixed combination, with every code that it may have."""

    name: str
    names: tuple[str, ...]
    spanish: tuple[str, ...]
    preparations: tuple[Preparation, ...]

    @property
    def substances(self) -> int:
        """How many substances the name lists: "a, b and c" are three."""
        return len(_JOINED.split(self.name))

    @property
    def codes(self) -> tuple[str, ...]:
        """The ATC codes, each of which it may have."""
        return tuple(preparation.code for preparation in self.preparations)

    def by_route(self, route: str) -> tuple[str, ...]:
        """Give the codes that a route leaves; all of them where it tells nothing."""
        left = tuple(p.code for p in self.preparations if not p.routes or route in p.routes)
        return left or self.codes

    def title(self, language: str) -> str:
        """Give the name to show."""
        return self.spanish[0] if language == "es" and self.spanish else self.name


@dataclass(frozen=True, slots=True)
class DrugClass:
    """An ATC class of the first to fourth level.

    `contains` are classes elsewhere that whoever takes one of these takes too:
    ACE inhibitors with diuretics (C09BA) contain ACE inhibitors (C09A).
    """

    code: str
    name: str
    spanish: tuple[str, ...]
    names: tuple[str, ...]
    lay: tuple[str, ...]
    contains: tuple[str, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """The code of the class."""
        return (self.code,)

    def title(self, language: str) -> str:
        """Give the name to show."""
        return self.spanish[0] if language == "es" and self.spanish else self.name


@dataclass(frozen=True, slots=True)
class DrugGroup:
    """What criteria and people call by one name and ATC keeps in several places.

    Where it is not complete ("biologics"), its codes are examples: a criterion
    that names the group says "such as".
    """

    name: str
    codes: tuple[str, ...]
    is_complete: bool
    names: tuple[str, ...]
    spanish: tuple[str, ...]
    lay: tuple[str, ...]

    def title(self, language: str) -> str:
        """Give the name to show."""
        return self.spanish[0] if language == "es" and self.spanish else self.name


Named = Medicine | DrugClass | DrugGroup


@dataclass(frozen=True, slots=True)
class Name:
    """One name of one thing, with the codes that it leaves open."""

    text: str
    kind: NameKind
    of: Named
    codes: tuple[str, ...]
    is_shared: bool = False


class Formulary:
    """All medicines, classes and groups. Immutable; `version` is the hash of the tables."""

    def __init__(
        self,
        medicines: Iterable[Medicine],
        classes: Iterable[DrugClass],
        groups: Iterable[DrugGroup],
        *,
        version: str = "",
    ) -> None:
        self.medicines = tuple(medicines)
        self.classes = {one.code: one for one in classes}
        self.groups = tuple(groups)
        self.version = version

    @cached_property
    def by_code(self) -> Mapping[str, tuple[Medicine, ...]]:
        """The medicines of each code; some combinations share one."""
        held: dict[str, tuple[Medicine, ...]] = {}
        for medicine in self.medicines:
            for code in medicine.codes:
                held[code] = (*held.get(code, ()), medicine)
        return held

    def title(self, code: str, language: str = "en") -> str:
        """Name a code for people, or give the code where the tables do not know it."""
        if code in self.classes:
            return self.classes[code].title(language)
        titles = [medicine.title(language) for medicine in self.by_code.get(code, ())]
        return " / ".join(titles) or code

    def below(self, code: str) -> tuple[str, ...]:
        """List the known codes of the fifth level at or below a code."""
        return tuple(sorted(c for c in self.by_code if c.startswith(code) and len(c) == SUBSTANCE))

    def is_shared(self, code: str) -> bool:
        """Tell whether a code says less than a medicine's name: a class, or one code for several products."""
        return len(code) < SUBSTANCE or len(self.by_code.get(code, ())) > 1

    def components(self, code: Code) -> tuple[Code, ...]:
        """Give what a statement of this code affirms besides the code itself.

        Of one code or another, only what every one of them contains.
        """
        if code.system != ATC:
            return ()
        ways = [(one, *self._components(one)) for one in code.code.split(EITHER)]
        common = (
            part
            for way in ways
            for part in way[1:]
            if all(any(own.startswith(part) for own in other) for other in ways)
        )
        return tuple(Code(ATC, part, code.release) for part in dict.fromkeys(common))

    def products(self, root: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Give the code of every product at or below a code, with what it contains besides that.

        A class stands for the products in it that have no line of their own.
        """
        known = (root,) if len(root) >= SUBSTANCE else tuple(self.by_code)
        for code in known:
            for medicine in self.by_code.get(code, ()) if code.startswith(root) else ():
                yield from ((code, self._with_classes(code, own)) for own in _contents(medicine, code))
        for code in self.classes if len(root) < SUBSTANCE else ():
            if code.startswith(root):
                yield code, self._with_classes(code, ())

    def _components(self, code: str) -> tuple[str, ...]:
        """Give the components common to all products of a code, and what its classes contain."""
        products = [own for medicine in self.by_code.get(code, ()) for own in _contents(medicine, code)]
        common = [part for part in products[0] if all(part in other for other in products)] if products else []
        return self._with_classes(code, common)

    def _with_classes(self, code: str, parts: Iterable[str]) -> tuple[str, ...]:
        classes = (self.classes.get(one) for one in (*atc_ancestors(code), code))
        inherited = (part for one in classes if one for part in one.contains)
        return tuple(part for part in dict.fromkeys((*parts, *inherited)) if not code.startswith(part))

    def names(self) -> Iterator[Name]:
        """List every name that the tables hold, with what it means."""
        for medicine in self.medicines:
            yield from _names_of_medicine(medicine)
        for one in self.classes.values():
            yield from _names_of(one, (*one.names, *one.spanish), one.lay)
        for group in self.groups:
            yield from _names_of(group, (group.name, *group.names, *group.spanish), group.lay)


def _contents(medicine: Medicine, code: str) -> Iterator[tuple[str, ...]]:
    """Give the listed components of a medicine's preparations under a code."""
    return (one.components for one in medicine.preparations if one.code == code)


@cache
def packaged_formulary() -> Formulary:
    """Give the formulary that comes with the package; read when it is first asked for."""
    folder = resources.files("screening").joinpath("data")
    return read_formulary(*(folder.joinpath(name).read_text("utf-8") for name in _FILES))


def read_formulary(medicines: str, classes: str, groups: str) -> Formulary:
    """Read the three tables as they are written.

    :raises InvalidVocabulary: when a table has other columns.
    """
    return Formulary(
        _medicines(_lines(_FILES[0], medicines)),
        map(_drug_class, _lines(_FILES[1], classes)),
        map(_drug_group, _lines(_FILES[2], groups)),
        version=hashlib.sha256("\0".join((medicines, classes, groups)).encode()).hexdigest(),
    )


def _lines(table: str, text: str) -> Iterator[dict[str, str]]:
    columns = _COLUMNS[table]
    lines = csv.reader(text.splitlines(), delimiter=";", strict=True)
    if tuple(next(lines, ())) != columns:
        raise InvalidVocabulary(f"{table}: the columns are {'; '.join(columns)}")
    for number, cells in enumerate(lines, start=2):
        if len(cells) != len(columns):
            raise InvalidVocabulary(f"{table}, line {number}: {len(cells)} cells instead of {len(columns)}")
        yield dict(zip(columns, cells, strict=True))


def _listed(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(_BAR)) if cell else ()


def _medicines(lines: Iterable[dict[str, str]]) -> Iterator[Medicine]:
    """Join the neighbouring lines of one ingredient."""
    for name, group in groupby(lines, key=lambda line: line["ingredient"]):
        held = list(group)
        names = tuple(part for line in held for part in _listed(line["names"]))
        spanish = tuple(part for line in held for part in _listed(line["spanish"]))
        yield Medicine(name, names, spanish, tuple(map(_preparation, held)))


def _preparation(line: dict[str, str]) -> Preparation:
    routes, components = line["route"].split(), line["components"].split()
    return Preparation(
        line["atc"], frozenset(routes), tuple(components), _listed(line["brands"]), _listed(line["lay"])
    )


def _drug_class(line: dict[str, str]) -> DrugClass:
    return DrugClass(
        line["code"],
        line["name"],
        _listed(line["spanish"]),
        _listed(line["names"]),
        (*_listed(line["lay"]), *_listed(line["spanish_lay"])),
        tuple(line["contains"].split()),
    )


def _drug_group(line: dict[str, str]) -> DrugGroup:
    return DrugGroup(
        line["group"],
        tuple(line["atc"].split()),
        line["complete"] == "yes",
        _listed(line["names"]),
        _listed(line["spanish"]),
        (*_listed(line["lay"]), *_listed(line["spanish_lay"])),
    )


def _names_of_medicine(medicine: Medicine) -> Iterator[Name]:
    """List the names of a medicine: a name of several lines leaves all their codes open."""
    for text in (medicine.name, *medicine.names, *medicine.spanish):
        yield _name(text, NameKind.GENERIC, medicine, medicine.codes)
    narrow: dict[tuple[str, NameKind], tuple[str, ...]] = {}
    for preparation in medicine.preparations:
        for kind, texts in ((NameKind.BRAND, preparation.brands), (NameKind.LAY, preparation.lay)):
            for text in texts:
                narrow[text, kind] = (*narrow.get((text, kind), ()), preparation.code)
    for (text, kind), codes in narrow.items():
        yield _name(text, kind, medicine, codes)


def _names_of(named: DrugClass | DrugGroup, generic: Iterable[str], lay: Iterable[str]) -> Iterator[Name]:
    for text in generic:
        yield _name(text, NameKind.GENERIC, named, named.codes)
    for text in lay:
        yield _name(text, NameKind.LAY, named, named.codes)


def _name(text: str, kind: NameKind, of: Named, codes: tuple[str, ...]) -> Name:
    return Name(text.removeprefix(_SHARED), kind, of, codes, is_shared=text.startswith(_SHARED))
