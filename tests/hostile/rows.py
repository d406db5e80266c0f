"""Look through every row of a database for what no form may ever have let in."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import date
from uuid import UUID

import sqlalchemy as sa

from recruit import crypto
from recruit.db import Base, Database
from recruit.errors import Unreadable
from recruit.keys import DataKey

EARLIEST, LATEST = 1850, 2200
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


def oddities(database: Database) -> list[str]:
    """List the values that are no text, number or day that a person could mean, sealed ones too."""
    with database.reading() as session:
        keys = {
            row.owner_id: database.keyring.unwrap(row.master_key_id, row.wrapped, owner=row.owner_id)
            for row in session.scalars(sa.select(DataKey))
        }
        return [
            f"{table.name}.{column}: {problem}"
            for table in Base.metadata.sorted_tables
            for row in session.execute(sa.select(table)).mappings()
            for column, value in row.items()
            for problem in problems(_read(keys, table.name, str(column), dict(row), value))
        ]


def _read(
    keys: Mapping[UUID, bytes], table: str, column: str, row: Mapping[str, object], value: object
) -> object:
    """Open a sealed value with the key of somebody whom its row names."""
    key_of_row = row.get("id")
    if not column.endswith("_sealed") or not isinstance(value, bytes) or not isinstance(key_of_row, UUID):
        return None if isinstance(value, bytes) else value
    for owner in row.values():
        if isinstance(owner, UUID) and owner in keys:
            try:
                return crypto.unseal(keys[owner], table, column, key_of_row, value).decode("utf-8")
            except Unreadable:
                continue
    return None


def problems(value: object) -> Iterator[str]:
    """Say what is wrong with a value or anything inside it."""
    for part in _parts(value):
        if isinstance(part, str) and _UNSTORABLE.search(part):
            yield f"text {part[:60]!r}"
        elif isinstance(part, float) and not math.isfinite(part):
            yield f"number {part}"
        elif isinstance(part, date) and not EARLIEST <= part.year <= LATEST:
            yield f"day {part}"


def _parts(value: object) -> Iterator[object]:
    """Go through a value and everything inside it."""
    inside = [*value, *value.values()] if isinstance(value, Mapping) else value
    if isinstance(inside, list | tuple):
        for inner in inside:
            yield from _parts(inner)
    else:
        yield value
