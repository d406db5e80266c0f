"""Databases of one's own, for tests about the schema and about backups: empty, or moved by migration."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from recruit import schema
from recruit.crypto import Keyring
from recruit.db import Database

MakeEmpty = Callable[[], Database]
SERVER = os.environ.get("TEST_DATABASE_URL", "").replace("postgresql+psycopg://", "postgresql://")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory, keyring: Keyring) -> Iterator[str]:
    """Make a database by migration once, and name it for others to be copied from."""
    name = _name() if SERVER else str(tmp_path_factory.mktemp("migrated") / "template.sqlite3")
    if SERVER:
        _on_server(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    database = _open(name, keyring)
    schema.upgrade(database)
    database.dispose()
    yield name
    if SERVER:
        _on_server(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def make_empty(tmp_path: Path, keyring: Keyring) -> Iterator[MakeEmpty]:
    """Give a function that hands out a database with nothing in it, another one each time."""
    yield from _maker(tmp_path, keyring, template="")


@pytest.fixture
def make_migrated(tmp_path: Path, keyring: Keyring, migrated: str) -> Iterator[MakeEmpty]:
    """Give a function that hands out a database that migrations made, another one each time."""
    yield from _maker(tmp_path, keyring, template=migrated)


def _maker(folder: Path, keyring: Keyring, *, template: str) -> Iterator[MakeEmpty]:
    made: list[tuple[str, Database]] = []

    def make() -> Database:
        name = _name() if SERVER else f"{folder}/{_name()}.sqlite3"
        if SERVER:
            origin = sql.Identifier(template or "template1")
            _on_server(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), origin))
        elif template:
            shutil.copyfile(template, name)
        database = _open(name, keyring)
        made.append((name, database))
        return database

    yield make
    for name, database in made:
        database.dispose()
        if SERVER:
            _on_server(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _name() -> str:
    return f"recruit_own_{uuid4().hex[:12]}"


def _open(name: str, keyring: Keyring) -> Database:
    if not SERVER:
        return Database(f"sqlite:///{name}", keyring=keyring, durable=False)
    url = f"{SERVER.rpartition('/')[0]}/{name}".replace("postgresql://", "postgresql+psycopg://")
    return Database(url, keyring=keyring)


def _on_server(statement: sql.Composed) -> None:
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(statement)
