"""Whether a database is sound: what an administrator wants to know before and after anything big."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from recruit import schema
from recruit.audit import triggers
from recruit.db import Database
from recruit.errors import Unreadable
from recruit.keys import DataKey
from recruit.operations import service as operations


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; where it is not in order, ``words`` say what to do."""

    subject: str
    is_sound: bool
    words: str


def look(database: Database) -> list[Finding]:
    """Look at schema, triggers, references, pages and keys, changing nothing."""
    stands_at = schema.current(database)
    if stands_at != schema.head():
        words = f"at {stands_at or 'nothing'}, should be {schema.head()}: run `flask --app wsgi db upgrade`"
        return [Finding("schema", False, words)]
    return [
        Finding("schema", True, f"at {stands_at}"),
        _pages(database),
        _triggers(database),
        _keys(database),
        _sending(database),
    ]


def _pages(database: Database) -> Finding:
    """Let SQLite read itself from end to end; PostgreSQL does so by its own means."""
    if not database.is_sqlite:
        return Finding("pages", True, "PostgreSQL checks its own")
    with database.reading() as session:
        connection = session.connection()
        problems = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if problems != ["ok"] or broken:
        return Finding(
            "pages", False, f"{len(problems)} damaged, {len(broken)} broken references: restore a backup"
        )
    return Finding("pages", True, "whole")


def _triggers(database: Database) -> Finding:
    with database.reading() as session:
        missing = triggers.expected(session.connection().dialect.name) - triggers.installed(
            session.connection()
        )
    if missing:
        return Finding(
            "trail", False, f"triggers are missing ({len(missing)}): run `flask --app wsgi db upgrade`"
        )
    return Finding("trail", True, "every trigger is there")


def _keys(database: Database) -> Finding:
    """Try one data key for each master key in use."""
    with database.reading() as session:
        in_use = session.scalars(sa.select(DataKey.master_key_id).distinct()).all()
        rows = [
            session.scalars(sa.select(DataKey).where(DataKey.master_key_id == name).limit(1)).one()
            for name in in_use
        ]
    for row in rows:
        try:
            database.keyring.unwrap(row.master_key_id, row.wrapped, owner=row.owner_id)
        except Unreadable as error:
            return Finding("keys", False, f"{error.message} Put the key back into RECRUIT_MASTER_KEY")
    return Finding("keys", True, f"{len(rows)} master keys in use open what they sealed")


def _sending(database: Database) -> Finding:
    with database.reading() as session:
        is_on = operations.sending_is_on(session)
    return Finding("sending", True, "on" if is_on else "off: switch it on once you have looked around")
