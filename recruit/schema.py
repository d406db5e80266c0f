"""The schema of a database: which it has, which it should have, and how it gets there.

Alembic is imported when something moves: it would cost every start a fifth of a second. Whether anything
has to move is read from the version table and from the names of the migration files.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from recruit import models
from recruit.audit import triggers
from recruit.db import Base, Database
from recruit.errors import Refused

if TYPE_CHECKING:
    from alembic.config import Config

SCRIPTS = Path(__file__).resolve().parent / "migrations"
MODULES = models.MODULES
"""All models of this package, imported so that the metadata is whole; campaigns adds its own."""
VERSION = sa.table("alembic_version", sa.column("version_num", sa.String))
_ONE_AT_A_TIME = 7_203_114_905
"""Key of the lock that keeps two upgrades of one PostgreSQL database apart."""


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the schema to a revision, rows and all, and make the triggers anew.

    :raises Refused: the database belongs to a newer version of the software, or is not ours
    """
    stands_at = current(database)
    if stands_at is not None and stands_at not in revisions():
        raise Refused(
            f"This database was made by a newer version of the software (schema {stands_at}; this one knows "
            f"{head()}). Install that version, or restore a backup made by this one."
        )
    if stands_at is None and tables(database):
        raise Refused("This database has tables that this software did not make. Name an empty database.")
    _move(database, revision, up=True)


def downgrade(database: Database, revision: str) -> None:
    """Take the schema back to a revision, for developers; ``base`` empties the database.

    Below the newest revision there are no triggers, so nothing that a person does may run there.
    """
    _move(database, revision, up=False)


def current(database: Database) -> str | None:
    """Name the revision a database stands at; nothing where it is empty."""
    with database.reading() as session:
        if not sa.inspect(session.connection()).has_table(VERSION.name):
            return None
        return session.scalar(sa.select(VERSION.c.version_num))


def head() -> str:
    """Name the newest revision."""
    return revisions()[-1]


def revisions() -> tuple[str, ...]:
    """List all revisions, oldest first: the numbers that the migration files begin with."""
    return tuple(sorted(file.name[:4] for file in (SCRIPTS / "versions").glob("[0-9]*.py")))


def is_current(database: Database) -> bool:
    """Say whether nothing has to move."""
    return current(database) == head()


def tables(database: Database) -> frozenset[str]:
    """Name the tables of a database, whoever made them."""
    with database.reading() as session:
        return frozenset(sa.inspect(session.connection()).get_table_names()) - {VERSION.name}


def create(database: Database) -> None:
    """Make the schema from the models in one go, for tests."""
    with database.engine.begin() as connection:
        Base.metadata.create_all(connection)
        triggers.install(connection)


def _move(database: Database, revision: str, *, up: bool) -> None:
    from alembic import command

    with database.connection() as connection:
        _foreign_keys(connection, on=False)
        try:
            with connection.begin():
                _wait_for_others(connection)
                triggers.remove(connection)
                (command.upgrade if up else command.downgrade)(configuration(connection), revision)
                if connection.scalar(sa.select(VERSION.c.version_num)) == head():
                    triggers.install(connection)
                _require_whole_references(connection)
        finally:
            _foreign_keys(connection, on=True)


def configuration(connection: Connection) -> Config:
    """Give Alembic's configuration for a connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = Base.metadata
    return config


def _foreign_keys(connection: Connection, *, on: bool) -> None:
    """Switch SQLite's checks; it rebuilds tables to change them, and must not follow references meanwhile."""
    if connection.dialect.name == "sqlite":
        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101 - for the type checker
        driver.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")


def _wait_for_others(connection: Connection) -> None:
    """Let one upgrade of a database run at a time; SQLite's write lock does it there."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ONE_AT_A_TIME)))


def _require_whole_references(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise RuntimeError(f"the migration left {len(broken)} references to nothing")
