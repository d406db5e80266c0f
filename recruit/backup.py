"""Backups: one file that was checked before it counts, and a restore that looks before it touches anything.

SQLite is copied through its own backup interface, PostgreSQL through ``pg_dump``; both may be busy
meanwhile, and a backup is their state at one moment. Personal values stay sealed in it, and the keys are
not in it. What is restored starts with sending off.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from recruit import schema
from recruit.backups import pgdump, sqlitefile
from recruit.backups.contents import Contents, require_loadable
from recruit.db import Base, Database
from recruit.errors import Refused, Unavailable
from recruit.operations import service as operations
from recruit.operations.models import Installation

ACTOR = "cli:db restore"
_ALWAYS_THERE = frozenset({"installation", "job_lease", "audit_entry"})
"""Tables with rows that no person made."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished backup."""

    path: Path
    revision: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did; ``set_aside`` is the backup of what it replaced."""

    revision: str
    sending_epoch: int
    set_aside: Backup | None


def write(database: Database, target: Path, *, at: datetime) -> Backup:
    """Write a backup and check it; in a folder it gets a name with the time.

    The file appears whole or not at all, readable by its owner only.

    :raises Refused: the file exists, or there is nothing to back up
    :raises Unavailable: there is no room, or the database cannot be read
    """
    if schema.current(database) is None:
        raise Refused("This database is empty, so there is nothing to back up.")
    target = target / _name("recruit", database, at=at) if target.is_dir() else target
    if target.exists():
        raise Refused(f"The file {target} exists already. Choose another name.")
    with _draft_of(target) as draft:
        _write(database, draft)
        contents = inspect(database, draft)
        backup = Backup(target, contents.revision, draft.stat().st_size, _sha256(draft))
        _keep(draft, target)
    return backup


def inspect(database: Database, source: Path) -> Contents:
    """Look into a backup without touching anything.

    :raises Refused: it is of something else, damaged, newer than this software, or its keys are not ours
    """
    try:
        if database.is_sqlite:
            contents = sqlitefile.inspect(source)
        else:
            pgdump.require_programs()
            contents = pgdump.inspect(source)
    except FileNotFoundError:
        raise Refused(f"There is no file {source}.") from None
    except OSError as error:
        raise Refused(f"The file {source} cannot be read: {error.strerror}.") from None
    require_loadable(contents, database.keyring)
    return contents


def restore(database: Database, source: Path, *, replace: bool, folder: Path, at: datetime) -> Restored:
    """Put a backup in the place of a database: whole, with sending off, or not at all.

    :param replace: whether a database that holds rows may be replaced; it is backed up into ``folder`` first
    :raises Refused: the backup cannot be used, or the database holds rows
    :raises Unavailable: the database stays busy, or there is no room
    """
    contents = inspect(database, source)
    occupied = holds_rows(database)
    if occupied and not replace:
        raise Refused(
            "This database holds data. Restore with --replace to put the backup in its place; "
            "what is there now is backed up first."
        )
    epoch = _epoch(database)
    set_aside = before(database, "restore", folder=folder, at=at) if occupied else None
    if database.is_sqlite:
        _restore_sqlite(database, source, above_epoch=epoch, at=at)
    else:
        _restore_postgresql(database, source, above_epoch=epoch, at=at)
    with database.reading() as session:
        epoch = session.scalar(sa.select(Installation.sending_epoch)) or 0
    return Restored(contents.revision, epoch, set_aside)


def before(database: Database, step: str, *, folder: Path, at: datetime) -> Backup:
    """Back a database up into a folder before a step that changes all of it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"The folder {folder} for backups cannot be made: {error.strerror}.") from error
    return write(database, folder / _name(f"before-{step}", database, at=at), at=at)


def holds_rows(database: Database) -> bool:
    """Say whether a database holds anything that people or imports put there."""
    known = (table for name, table in Base.metadata.tables.items() if name not in _ALWAYS_THERE)
    present = schema.tables(database)
    with database.reading() as session:
        return any(
            session.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is not None
            for table in known
            if table.name in present
        )


def _restore_sqlite(database: Database, source: Path, *, above_epoch: int, at: datetime) -> None:
    """Prepare a copy (schema, sending off) and put that into the database in one step."""
    target = _file_of(database)
    with _draft_of(target) as draft:
        shutil.copyfile(source, draft)
        prepared = Database(f"sqlite:///{draft}", keyring=database.keyring)
        try:
            schema.upgrade(prepared)
            with prepared.transaction(actor=ACTOR, reason="restore") as session:
                operations.mark_restored(session, above_epoch=above_epoch, at=at)
        finally:
            prepared.dispose()
        database.dispose()
        sqlitefile.load(draft, target)


def _restore_postgresql(database: Database, source: Path, *, above_epoch: int, at: datetime) -> None:
    replaced = schema.tables(database) | {schema.VERSION.name}
    moment = at.astimezone(UTC).isoformat()
    afterwards = (
        "SET search_path = public",
        f"SELECT set_config('recruit.actor', '{ACTOR}', true), set_config('recruit.reason', 'restore', true)",
        f"UPDATE installation SET sending_on = false, restored_at = '{moment}'",  # noqa: S608 - a time of ours
        f"UPDATE installation SET sending_epoch = greatest(sending_epoch, {above_epoch}) + 1",  # noqa: S608
    )
    database.dispose()
    pgdump.load(source, database.engine.url, replaced=replaced, afterwards=afterwards)
    schema.upgrade(database)


def _write(database: Database, draft: Path) -> None:
    if database.is_sqlite:
        sqlitefile.write(_file_of(database), draft)
    else:
        pgdump.require_programs()
        pgdump.write(database.engine.url, draft)


def _file_of(database: Database) -> Path:
    name = database.engine.url.database
    if not name or name == ":memory:":
        raise Refused("A database in memory cannot be backed up or restored.")
    return Path(name)


def _epoch(database: Database) -> int:
    if "installation" not in schema.tables(database):
        return 0
    with database.reading() as session:
        return session.scalar(sa.select(Installation.sending_epoch)) or 0


def _name(what: str, database: Database, *, at: datetime) -> str:
    suffix = sqlitefile.SUFFIX if database.is_sqlite else pgdump.SUFFIX
    return f"{what}-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}{suffix}"


@contextmanager
def _draft_of(target: Path) -> Iterator[Path]:
    """Give a private file beside the target to work in; nothing of it is left behind."""
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield draft
    except OSError as error:
        raise Unavailable(f"{target.parent} cannot be written to: {error.strerror}.") from error
    finally:
        for leftover in (
            draft,
            *(draft.with_name(f"{draft.name}{end}") for end in ("-wal", "-shm", "-journal")),
        ):
            leftover.unlink(missing_ok=True)


def _keep(draft: Path, target: Path) -> None:
    """Give a finished file its name, once its bytes are on the disk."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
