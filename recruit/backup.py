"""Backups: one file that was checked before it counts, and a restore that looks before it touches anything.

SQLite is copied through its own backup interface, PostgreSQL through ``pg_dump``; both may be busy
meanwhile, and a backup is their state at one moment. Personal values stay sealed in it, and the keys are
not in it. What is restored starts with sending off, and with what must not be undone.
"""

from __future__ import annotations

import glob
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from recruit import schema
from recruit.backups import carrying, pgdump, sqlitefile, survivors
from recruit.backups.carrying import Carried
from recruit.backups.contents import Contents, require_loadable
from recruit.contact.notices import AddressClosed
from recruit.db import Base, Database
from recruit.errors import Refused, Unavailable
from recruit.operations import service as operations
from recruit.operations.models import Installation
from recruit.privacy import Forgetting

ACTOR = "cli:db restore"
_ALWAYS_THERE = frozenset({"installation", "job_lease", "audit_entry"})
"""Tables with rows that no person made."""
_NOTICES = (AddressClosed, Forgetting)
"""What is published while something is carried over."""


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
    carried: Carried


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
    """Put a backup in the place of a database: whole, with sending off and everybody signed out, or not at all.

    What must not be undone (a stop, an erasure, a closed account, a message that went out) is read from what
    is there and carried over before the backup takes its place, so that at no moment the one stands without
    the other.

    :param replace: whether a database that holds rows may be replaced; it is backed up into ``folder`` first
    :raises Refused: the backup cannot be used, or the database holds rows
    :raises Unavailable: the database stays busy, or there is no room
    """
    contents = inspect(database, source)
    replaced = _look_at(database)
    if replaced.is_occupied and not replace:
        raise Refused(
            "This database holds data. Restore with --replace to put the backup in its place; "
            "what is there now is backed up first."
        )
    set_aside = _set_aside(database, replaced, folder=folder, at=at) if replaced.is_occupied else None
    with _draft_for(database, source) as draft:
        epoch, carried = _make_ready(draft.prepared, database, replaced, at=at)
        draft.prepared.dispose()
        database.dispose()
        draft.put_in_place()
    return Restored(contents.revision, epoch, set_aside, carried)


def before(database: Database, step: str, *, folder: Path, at: datetime) -> Backup:
    """Back a database up into a folder before a step that changes all of it."""
    _make_folder(folder)
    return write(database, folder / _name(f"before-{step}", database, at=at), at=at)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"The folder {folder} for backups cannot be made: {error.strerror}.") from error


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


@dataclass(frozen=True, slots=True)
class _Replaced:
    """What a restore finds in the place where the backup goes.

    :param why_unread: why nothing can be carried over from it; empty where it can be read
    """

    is_occupied: bool
    why_unread: str
    sending_epoch: int = 0


@dataclass(frozen=True, slots=True)
class _Draft:
    """A backup made ready beside the database that it is for."""

    prepared: Database
    put_in_place: Callable[[], None]


def _look_at(database: Database) -> _Replaced:
    try:
        with survivors.readable():
            present, revision = schema.tables(database), schema.current(database)
            if not present:
                return _Replaced(is_occupied=False, why_unread="there was no database here before")
            if revision not in schema.revisions():
                words = f"its schema, {revision}, is not known here" if revision else "it is not one of ours"
                return _Replaced(is_occupied=True, why_unread=words)
            return _Replaced(holds_rows(database), why_unread="", sending_epoch=_epoch(database))
    except survivors.Unread:
        return _Replaced(is_occupied=True, why_unread="it cannot be read")


def _make_ready(prepared: Database, old: Database, replaced: _Replaced, *, at: datetime) -> tuple[int, Carried]:
    """Bring a restored database up to date and let it know what has happened since; give its sending epoch.

    The old one is read last, so that hardly anything can happen in it that is not carried over.
    """
    schema.upgrade(prepared)
    for notice in _NOTICES:
        for handler in old.handlers(notice):
            prepared.subscribe(notice, handler)
    with prepared.transaction(actor=ACTOR, reason="restore") as session:
        epoch = operations.mark_restored(session, above_epoch=replaced.sending_epoch, at=at).sending_epoch
        carrying.end_sessions(session, at=at)
    with prepared.reading() as session:
        horizon = survivors.horizon_of(session)
    found = survivors.Survivors() if replaced.why_unread else survivors.read(old, horizon)
    with prepared.transaction(actor=ACTOR, reason="restore:carry-over") as session:
        return epoch, carrying.carry_over(session, found, why_nothing=replaced.why_unread, at=at)


@contextmanager
def _draft_for(database: Database, source: Path) -> Iterator[_Draft]:
    make = _sqlite_draft if database.is_sqlite else _postgresql_draft
    with make(database, source) as draft:
        try:
            yield draft
        finally:
            draft.prepared.dispose()


@contextmanager
def _sqlite_draft(database: Database, source: Path) -> Iterator[_Draft]:
    target = _file_of(database)
    with _draft_of(target) as draft:
        shutil.copyfile(source, draft)
        prepared = Database(f"sqlite:///{draft}", keyring=database.keyring)
        yield _Draft(prepared, lambda: sqlitefile.load(draft, target))


@contextmanager
def _postgresql_draft(database: Database, source: Path) -> Iterator[_Draft]:
    url = database.engine.url
    database.dispose()
    address = pgdump.load(source, url).render_as_string(hide_password=False)
    try:
        yield _Draft(Database(address, keyring=database.keyring), lambda: pgdump.swap(url))
    finally:
        pgdump.discard(url)


def _set_aside(database: Database, replaced: _Replaced, *, folder: Path, at: datetime) -> Backup:
    """Back up what is replaced; what is damaged or not ours is kept as it is."""
    if not replaced.why_unread:
        try:
            return before(database, "restore", folder=folder, at=at)
        except (Refused, sqlite3.DatabaseError):
            pass  # whole enough to be read, and not to be restored: kept as it is
    _make_folder(folder)
    target = folder / _name("unchecked-before-restore", database, at=at)
    if target.exists():
        raise Refused(f"The file {target} exists already. Restore again in a second.")
    with _draft_of(target) as draft:
        try:
            _write(database, draft)
        except sqlite3.DatabaseError:
            draft.unlink(missing_ok=True)
            sqlitefile.copy_as_it_is(_file_of(database), draft)
        backup = Backup(target, "", draft.stat().st_size, _sha256(draft))
        journal = draft.with_name(f"{draft.name}-wal")
        if journal.exists():
            journal.replace(target.with_name(f"{target.name}-wal"))
        _keep(draft, target)
    return backup


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
        _clear_drafts(target)
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield draft
    except OSError as error:
        raise Unavailable(f"{target.parent} cannot be written to: {error.strerror}.") from error
    finally:
        _remove(draft)


def _clear_drafts(target: Path) -> None:
    """Remove what killed processes left behind; in a container the next one has their number."""
    for draft in target.parent.glob(f".{glob.escape(target.name)}.*"):
        number = draft.name.rpartition(".")[2]
        if number.isdigit() and (int(number) == os.getpid() or not _is_running(int(number))):
            _remove(draft)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _remove(draft: Path) -> None:
    for end in ("", "-wal", "-shm", "-journal"):
        draft.with_name(f"{draft.name}{end}").unlink(missing_ok=True)


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
