"""Backups of SQLite: a copy of the database as one closed file."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

from recruit.backups.contents import DAMAGED, NOT_OURS, REQUIRED, Contents, WrappedKey
from recruit.errors import Refused, Unavailable

SUFFIX = ".sqlite3"
_MAGIC = b"SQLite format 3\x00"
_TRIES = 40
_PAUSE = 0.25
"""Seconds between tries to get at a busy database: ten seconds in all."""


def write(database: Path, target: Path) -> None:
    """Copy a database, which may be busy, into a new file that stands alone.

    :raises Unavailable: there is no room, or the database cannot be read
    """
    with _translated(), _open(database, "rw") as source, _open(target, "rwc") as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")


def inspect(path: Path) -> Contents:
    """Look into a backup and check it from the first page to the last.

    :raises Refused: it is something else, is damaged, or is a database in use
    """
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise Refused(NOT_OURS)
    journal = path.with_name(f"{path.name}-wal")
    if journal.exists() and journal.stat().st_size:
        raise Refused("This database is in use, or was not closed. Take a backup of it instead.")
    try:
        with _open(path, "ro&immutable=1") as connection:
            return _contents(connection)
    except sqlite3.DatabaseError:
        raise Refused(DAMAGED) from None


def load(source: Path, database: Path) -> None:
    """Put the content of a file into a database in one step: whole, or not at all when it is interrupted.

    Where there is no database any more but a file that cannot be opened, that is emptied first.

    :raises Unavailable: the database stays busy, or there is no room
    """
    try:
        _load(source, database)
    except sqlite3.DatabaseError:
        _empty(database)
        _load(source, database)


def _load(source: Path, database: Path) -> None:
    tries = iter(range(_TRIES))

    def give_up_in_time(_status: int, _remaining: int, _total: int) -> None:
        if next(tries, None) is None:
            raise Unavailable("The database is in use. Stop the application, then restore again.")

    with _translated(), _open(source, "ro") as backup, _open(database, "rwc") as live:
        live.execute("PRAGMA journal_mode=WAL")
        backup.backup(live, progress=give_up_in_time, sleep=_PAUSE)


def copy_as_it_is(database: Path, target: Path) -> None:
    """Copy a file that may be no database any more, with what stands beside it; byte for byte."""
    for end in ("", "-wal"):
        part = database.with_name(f"{database.name}{end}")
        if part.exists():
            copy = target.with_name(f"{target.name}{end}")
            copy.touch(mode=0o600, exist_ok=False)
            shutil.copyfile(part, copy)


def _empty(database: Path) -> None:
    """Make an empty database of a file that SQLite cannot open; owner and permissions stay as they are."""
    for end in ("-wal", "-shm"):
        database.with_name(f"{database.name}{end}").unlink(missing_ok=True)
    os.truncate(database, 0)


@contextmanager
def _open(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    """Open a file; ``closing`` because SQLite's own context manager leaves it open."""
    address = f"file:{quote(str(path.resolve()))}?mode={mode}"
    with closing(sqlite3.connect(address, uri=True, timeout=1)) as connection:
        yield connection


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise Unavailable(f"The database could not be copied: {error}.") from error


def _contents(connection: sqlite3.Connection) -> Contents:
    if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
        raise Refused(DAMAGED)
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables >= REQUIRED:
        raise Refused(NOT_OURS)
    revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if revision is None:
        raise Refused(NOT_OURS)
    rows = connection.execute("SELECT master_key_id, owner_id, wrapped FROM data_key GROUP BY master_key_id")
    return Contents(
        str(revision[0]), tuple(WrappedKey(key, UUID(owner), sealed) for key, owner, sealed in rows)
    )
