"""The pool as tables: a wide row for each person, and beside it statements, denials and answers at odds.

Derived from a snapshot, never the record. Everything is a whole number: days
are counted, decimals are in steps of the finest one that the pool holds, codes
and choices are numbered. So every database compares them alike, and no word of
a person or a protocol is ever part of a statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screening.errors import NotInTables
from screening.facts import Choice, Denial, Flag, Quantity
from screening.planes.bits import Plane
from screening.planes.columns import Snapshot
from screening.planes.ledger import HeldValue
from screening.planes.scalars import KeyColumn
from screening.vocabulary import Key, KeyKind, Vocabulary

PERSON: Final = "pool_person"
STATEMENT: Final = "pool_statement"
DENIAL: Final = "pool_denial"
APART: Final = "pool_apart"

SOURCE: Final = 7
"""The bits of `info` that hold the place of a value's source."""
HISTORY: Final = 8
SEVERAL: Final = 16
HARD: Final = 32
SPLIT: Final = 64
NEVER: Final = 128

TANGLED: Final = 1
MIXED: Final = 2
CODED: Final = 4

MOST_CHOICES: Final = 62
GREATEST: Final = 2**62
"""Numbers beyond are left to the interpreter."""

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Row = tuple[int | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column: a number for each row, NULL where it is not `known`."""

    name: str
    values: Numbers
    known: Flags | None = None

    @property
    def type(self) -> str:
        """The narrowest type of SQL that holds it."""
        held = self.values if self.known is None else self.values[self.known]
        most = max(abs(int(held.min())), abs(int(held.max()))) if len(held) else 0
        return "SMALLINT" if most < 2**15 else "INTEGER" if most < 2**31 else "BIGINT"

    def cells(self) -> list[int | None]:
        """Give the cells of the rows."""
        numbers: list[int | None] = list(self.values.tolist())
        if self.known is not None:
            return [one if known else None for one, known in zip(numbers, self.known.tolist(), strict=True)]
        return numbers


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table, and the columns by which its rows are found."""

    name: str
    columns: tuple[Column, ...]
    found_by: tuple[str, ...]

    def create(self) -> str:
        """Write the statement that makes it."""
        columns = ", ".join(f"{column.name} {column.type}" for column in self.columns)
        return f"CREATE TABLE {self.name} ({columns})"

    def index(self) -> str:
        """Write the statement that makes its rows easy to find."""
        unique = "UNIQUE " if self.name == PERSON else ""
        return f"CREATE {unique}INDEX {self.name}_found_by ON {self.name} ({', '.join(self.found_by)})"

    def insert(self, marker: str = "?") -> str:
        """Write the statement that fills in a row; `marker` is what a driver calls a parameter."""
        return f"INSERT INTO {self.name} VALUES ({', '.join([marker] * len(self.columns))})"

    def rows(self) -> Iterator[Row]:
        """Give the rows."""
        return zip(*(column.cells() for column in self.columns), strict=True)


@dataclass(frozen=True, slots=True)
class Held:
    """How one key stands in the tables: `name` begins the names of its columns.

    `marks` are the distinct ends of its values, in order, in the key's own
    unit, and a column holds them times `scale`. `bits` gives each possible
    choice a bit. Without `is_read`, whoever holds a value is left to the
    interpreter; `is_plain`: all numbers were given in the key's own unit.
    """

    name: str
    number: int
    digest: str
    distinct: Sequence[HeldValue] = field(repr=False)
    marks: Sequence[Fraction] = ()
    scale: int = 1
    bits: tuple[str, ...] = ()
    is_read: bool = True
    is_plain: bool = True
    has_hi: bool = False
    has_until: bool = False

    def column(self, part: str) -> str:
        """Name a column of the key in the wide table."""
        return f"p.{self.name}_{part}"

    @property
    def lo(self) -> str:
        """The lower end of the value."""
        return self.column("lo")

    @property
    def hi(self) -> str:
        """The upper end of the value."""
        return self.column("hi" if self.has_hi else "lo")

    @property
    def seen(self) -> str:
        """The first day on which the value may have been observed."""
        return self.column("seen")

    @property
    def until(self) -> str:
        """The last day on which the value may have been observed."""
        return self.column("until" if self.has_until else "seen")

    @property
    def info(self) -> str:
        """The source, and what else there is to say of the value."""
        return self.column("info")

    def mask(self, codes: Iterable[str]) -> int:
        """Give the bits of some choices."""
        wanted = frozenset(codes)
        return sum(1 << place for place, code in enumerate(self.bits) if code in wanted)


@dataclass(frozen=True, slots=True, eq=False)
class PoolTables:
    """A snapshot as tables, and how each key stands in them."""

    snapshot: Snapshot
    tables: tuple[Table, ...]
    held: dict[str, Held]

    def of(self, key: Key) -> Held | None:
        """Say how a key stands in the tables, or nothing if nobody has a value.

        :raises NotInTables: when the tables were made with another version of the key.
        """
        found = self.held.get(key.name)
        if found is None:
            return None
        if found.digest != key.digest:
            raise NotInTables(f"the tables were made before {key.name} changed")
        return found


def tables_of(snapshot: Snapshot, *, vocabulary: Vocabulary) -> PoolTables:
    """Lay a snapshot out in tables."""
    slots = snapshot.ledger.slots
    columns = [Column("slot", slots.astype(np.int64)), _coded_info(snapshot)]
    held: dict[str, Held] = {}
    apart: list[Numbers] = []
    for number, (name, column) in enumerate(snapshot.columns.items()):
        key = vocabulary.get(name)
        if key is None or key.digest != column.digest:
            held[name] = Held(_named(name, number), number, column.digest, ())
            continue
        found = held[name] = _held(key, number, column)
        columns.extend(_columns(found, key, column, snapshot))
        apart.append(_apart(found, column, snapshot))
    person = Table(PERSON, tuple(columns), ("slot",))
    tables = (person, _statements(snapshot), _denials(snapshot), _table_apart(apart))
    return PoolTables(snapshot, tables, held)


def masks_of(held: Held) -> Numbers:
    """Give the bits of each distinct value, by its place; 0 for none."""
    sets = [_possible(value) for value in held.distinct]
    return np.array([0, *map(held.mask, sets)], dtype=np.int64)


def _possible(value: HeldValue) -> frozenset[str]:
    if isinstance(value, Flag):
        return frozenset({flag_code(value=value.value)})
    return value.codes if isinstance(value, Choice) else frozenset()


def flag_code(*, value: bool) -> str:
    """Name a yes or a no as a choice."""
    return "yes" if value else "no"


def _named(name: str, number: int) -> str:
    """Give a name that any database takes, whatever the key is called."""
    return f"{re.sub('[^a-z0-9]', '_', name)[:40]}_{number}"


def _held(key: Key, number: int, column: KeyColumn) -> Held:
    name, distinct = _named(key.name, number), column.distinct
    if key.kind in (KeyKind.CHOICE, KeyKind.FLAG):
        bits = tuple(sorted(frozenset(key.codes).union(*map(_possible, distinct))))
        return Held(
            name, number, key.digest, distinct, bits=bits, is_read=len(bits) <= MOST_CHOICES,
            has_until=column.until is not None,
        )  # fmt: skip
    marks = [Fraction(mark) for mark in column.measure(key.unit or "", key).marks]
    scale = lcm(*(mark.denominator for mark in marks))
    return Held(
        name,
        number,
        key.digest,
        distinct,
        marks=marks,
        scale=scale,
        is_read=all(abs(mark) * scale < GREATEST for mark in marks),
        is_plain=all(_is_plain(value, key) for value in distinct),
        has_hi=column.hi is not None,
        has_until=column.until is not None,
    )


def _is_plain(value: HeldValue, key: Key) -> bool:
    return not isinstance(value, Quantity) or (value.unit == key.unit and value.reference is None)


def _columns(held: Held, key: Key, column: KeyColumn, snapshot: Snapshot) -> Iterator[Column]:
    """Give the columns of one key in the wide table."""
    slots = snapshot.ledger.slots
    place = column.value[slots].astype(np.int64)
    has = _flags(column.held)[slots]
    yield _info(held, column, slots, has, place)
    if held.is_read:
        yield from _values(held, key, column, slots, place)
    days = snapshot.calendar.days
    yield Column(f"{held.name}_seen", days[column.seen.codes[slots]].astype(np.int64), has)
    if column.until is not None:
        yield Column(f"{held.name}_until", days[column.until.codes[slots]].astype(np.int64), has)


def _info(held: Held, column: KeyColumn, slots: NDArray[np.int32], has: Flags, place: Numbers) -> Column:
    info = column.source[slots].astype(np.int64)
    split = np.isin(slots, column.split[0])
    hard = _flags(column.hard)[slots]
    never = np.array([False, *(isinstance(value, Denial) for value in held.distinct)])[place]
    for bit, flags in (
        (HISTORY, _flags(column.history)[slots]),
        (SEVERAL, _flags(column.several)[slots]),
        (HARD, hard | ~np.bool_(held.is_read) & (has | split)),
        (SPLIT, split),
        (NEVER, never),
    ):
        info |= np.where(flags, bit, 0)
    return Column(f"{held.name}_info", info, has | split | hard)


def _values(
    held: Held, key: Key, column: KeyColumn, slots: NDArray[np.int32], place: Numbers
) -> Iterator[Column]:
    if key.kind in (KeyKind.CHOICE, KeyKind.FLAG):
        yield Column(f"{held.name}_bits", masks_of(held)[place], place > 0)
        return
    steps = np.array([0, *(int(mark * held.scale) for mark in held.marks), 0], dtype=np.int64)
    lo = column.lo.codes[slots]
    yield Column(f"{held.name}_lo", steps[lo], lo > 0)
    if column.hi is not None:
        hi = column.hi.codes[slots]
        yield Column(f"{held.name}_hi", steps[hi], hi <= len(held.marks))
    if not held.is_plain:
        yield Column(f"{held.name}_place", place, place > 0)


def _apart(held: Held, column: KeyColumn, snapshot: Snapshot) -> Numbers:
    """Give the rows of unlike sources: slot, key, bits, day, source; five lines."""
    slots, place, seen, source = column.split.astype(np.int64)
    masks = masks_of(held) if held.bits else np.zeros(len(held.distinct) + 1, dtype=np.int64)
    days = snapshot.calendar.days[seen].astype(np.int64)
    return np.stack((slots, np.full(len(slots), held.number), masks[place], days, source))


def _table_apart(parts: Sequence[Numbers]) -> Table:
    rows = np.concatenate(parts, axis=1) if parts else np.zeros((5, 0), dtype=np.int64)
    names = ("slot", "asked", "bits", "seen", "source")
    columns = (Column(name, line) for name, line in zip(names, rows, strict=True))
    return Table(APART, tuple(columns), ("asked", "slot"))


def _coded_info(snapshot: Snapshot) -> Column:
    """Say of whom statements bear on one another, come from several sources, or are there at all."""
    postings, slots = snapshot.postings, snapshot.ledger.slots
    info = np.zeros(snapshot.size, dtype=np.int64)
    for part in (postings.slots, *(denials.slots for denials in postings.denials)):
        info[part] = CODED
    found = info[slots]
    for bit, plane in ((TANGLED, postings.tangled), (MIXED, postings.mixed)):
        found |= np.where(_flags(plane)[slots], bit, 0)
    return Column("coded_info", found)


def _statements(snapshot: Snapshot) -> Table:
    postings = snapshot.postings
    code = np.repeat(np.arange(len(postings.table.codes)), np.diff(postings.first))
    held: dict[str, NDArray[np.generic]] = {"code": code, "slot": postings.slots}
    held |= {"status": postings.status, "asked": postings.key}
    names = (
        *("source", "unbroken", "last", "runs", "starts_lo", "starts_hi", "ends_lo", "ends_hi"),
        *("onset_lo", "onset_hi", "unchanged_lo", "unchanged_hi"),
    )
    held |= {"seen": postings.seen_lo} | {name: getattr(postings, name) for name in names}
    columns = (Column(name, line.astype(np.int64)) for name, line in held.items())
    return Table(STATEMENT, tuple(columns), ("code", "slot"))


def _denials(snapshot: Snapshot) -> Table:
    denials = snapshot.postings.denials
    held = {
        "slot": [one.slots for one in denials],
        "pattern": [np.full(len(one.slots), number) for number, one in enumerate(denials)],
        "seen": [one.seen_lo for one in denials],
        "since": [one.since for one in denials],
    }
    nothing = np.zeros(0, dtype=np.int64)
    columns = (Column(name, np.concatenate((nothing, *lines))) for name, lines in held.items())
    return Table(DENIAL, tuple(columns), ("pattern", "slot"))


def _flags(plane: Plane) -> Flags:
    """Unpack a plane, one flag for each slot."""
    return np.unpackbits(plane.view(np.uint8), bitorder="little").astype(np.bool_)
