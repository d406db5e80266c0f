"""What every test may ask for: a database of its own, an application, a fixed moment.

SQLite by default; ``TEST_DATABASE_URL=postgresql://...`` runs the same tests on PostgreSQL, in databases
made for the run and dropped after it.
"""

from __future__ import annotations

import gc
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import CodeType
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from psycopg import sql
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from campaigns import models as _campaign_models
from campaigns.app import create_app
from recruit import models as _recruit_models
from recruit import schema
from recruit.clock import Clock, FixedClock
from recruit.crypto import Keyring
from recruit.db import Base, Database
from recruit.operations.models import Installation
from recruit.settings import Environment, Settings

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
"""Wednesday 18 November 2026, noon in New York."""

SECRET = "7d0c41f2be9a5836d1e07fa2c49b6358"
LONG = (
    *("tests/hostile/test_public", "tests/browser/test_main", "tests/hostile/", "tests/browser/"),
    *("tests/docs/", "tests/recruit/demo/"),
)
"""What takes longest, longest first: else one of them is left over at the end."""
MODELS = (_recruit_models, _campaign_models)

hypothesis_settings.register_profile(
    "default", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.register_profile(
    "slow", parent=hypothesis_settings.get_profile("default"), max_examples=1000
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer ``--slow``: more examples for properties, and the tests marked slow."""
    parser.addoption("--slow", action="store_true", help="run slow tests and 1,000 examples for each property")


def pytest_configure(config: pytest.Config) -> None:
    """Load the Hypothesis profile that was asked for."""
    hypothesis_settings.load_profile("slow" if config.getoption("--slow") else "default")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest; skip slow tests unless they are asked for."""
    items.sort(key=_place)
    if config.getoption("--slow"):
        return
    skip = pytest.mark.skip(reason="slow: runs with --slow")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


def _place(item: pytest.Item) -> int:
    return next((place for place, name in enumerate(LONG) if item.nodeid.startswith(name)), len(LONG))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let the garbage collector look less often, and only at what tests make: a run keeps most of the rest."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    """Give the keys that seal made-up people."""
    return Keyring.from_settings("", secret_key=SECRET)


class Databases:
    """Hands out empty databases with the whole schema, and takes them back.

    One that was given back is emptied and handed out again with its engine: making an engine is cheap, and
    compiling every statement for a new one is not.
    """

    def __init__(self, make: Callable[[], Database], empty: Callable[[Database], None]) -> None:
        self._make, self._empty = make, empty
        self._spare: list[Database] = []

    def __call__(self) -> Database:
        """Hand out an empty database."""
        database = self._spare.pop() if self._spare else self._make()
        self._empty(database)
        return database

    def give_back(self, database: Database) -> None:
        """Take a database back that nobody uses any more."""
        database.dispose()
        database.forget_handlers()
        self._spare.append(database)


@pytest.fixture(scope="session")
def database_maker(tmp_path_factory: pytest.TempPathFactory, keyring: Keyring) -> Iterator[Databases]:
    """Give what hands out empty databases."""
    server = os.environ.get("TEST_DATABASE_URL", "")
    with _postgresql(server, keyring) if server else _sqlite(tmp_path_factory, keyring) as databases:
        yield databases


@pytest.fixture
def database(database_maker: Databases) -> Iterator[Database]:
    """Give a database with the whole schema and no rows but the installation's."""
    database = database_maker()
    with database.transaction(actor="test") as session:
        session.add(Installation(id=1))
    yield database
    database_maker.give_back(database)


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """Give an open writing session; what it wrote is committed when the test passes."""
    with database.transaction(actor="test", reason="test") as session:
        yield session


@pytest.fixture
def clock() -> FixedClock:
    """Give a clock that stands at noon."""
    return FixedClock(NOON)


@pytest.fixture
def settings(database: Database) -> Settings:
    """Give settings for tests."""
    return Settings(
        environment=Environment.TEST,
        database_url=database.engine.url.render_as_string(hide_password=False),
        secret_key=SECRET,
        log_level="ERROR",
        help_phone="+1 555 010 0100",
        public_url="http://localhost",
    )


@pytest.fixture
def app(settings: Settings, database: Database, clock: FixedClock) -> Flask:
    """Give the whole application on the test's database and clock."""
    return make_app(settings, clock=clock, database=database)


class _Compiled(BytecodeCache):
    """Keeps templates compiled from one application to the next."""

    def __init__(self) -> None:
        self._codes: dict[str, tuple[str, CodeType | None]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self._codes.get(bucket.key, ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key] = (bucket.checksum, bucket.code)


_COMPILED = _Compiled()


_OF_A_ROUTE = ("_parts", "_trace", "_converters", "arguments", "_build", "_build_unknown")


def _keep_routes_compiled() -> None:
    """Let all applications of a run share what werkzeug compiles of a route; each has nearly 200 of them."""
    compile_ = Rule.compile
    compiled: dict[tuple[object, ...], dict[str, Any]] = {}

    def kept(rule: Rule) -> None:
        key = (rule.rule, rule.subdomain, rule.host, repr(rule.defaults), rule.merge_slashes, rule.websocket)
        if key in compiled:
            vars(rule).update(compiled[key])
            rule._build = rule._build.__func__.__get__(rule)  # type: ignore[attr-defined]
            rule._build_unknown = rule._build_unknown.__func__.__get__(rule)  # type: ignore[attr-defined]
        else:
            compile_(rule)
            compiled[key] = {name: vars(rule)[name] for name in _OF_A_ROUTE}

    Rule.compile = kept  # type: ignore[assignment, method-assign]


_keep_routes_compiled()


def make_app(settings: Settings, *, clock: Clock, database: Database) -> Flask:
    """Build the whole application, with the templates that an earlier one compiled."""
    app = create_app(settings, clock=clock, database=database)
    app.jinja_env.bytecode_cache = _COMPILED
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Give a browser without a window, not signed in."""
    return app.test_client()


MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
"""Where Linux keeps files in memory: opening and closing a database waits for a disk, and each test does."""
ROOM = 2**30
"""Bytes that have to be free there; containers are often given far less."""


@contextmanager
def _sqlite(folders: pytest.TempPathFactory, keyring: Keyring) -> Iterator[Databases]:
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ROOM:
        yield from _sqlite_in(folders.mktemp("databases"), keyring)
        return
    with tempfile.TemporaryDirectory(prefix="recruit-test-", dir=MEMORY) as folder:
        yield from _sqlite_in(Path(folder), keyring)


def _sqlite_in(folder: Path, keyring: Keyring) -> Iterator[Databases]:
    template = folder / "template.sqlite3"
    database = Database(f"sqlite:///{template}", keyring=keyring, durable=False)
    schema.create(database)
    database.dispose()
    with sqlite3.connect(template) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()

    def make() -> Database:
        return Database(f"sqlite:///{folder / uuid4().hex}.sqlite3", keyring=keyring, durable=False)

    def empty(database: Database) -> None:
        path = Path(database.engine.url.database or "")
        for beside in ("-wal", "-shm"):
            path.with_name(path.name + beside).unlink(missing_ok=True)
        shutil.copyfile(template, path)

    yield Databases(make, empty)


@contextmanager
def _postgresql(server: str, keyring: Keyring) -> Iterator[Databases]:
    address = server.replace("postgresql+psycopg://", "postgresql://")
    names = [sql.Identifier(table.name) for table in Base.metadata.sorted_tables]
    emptying = sql.SQL("SET session_replication_role = replica; {}").format(
        sql.SQL("; ").join(sql.SQL("DELETE FROM {}").format(table) for table in names)
    )
    made: list[str] = []

    def make() -> Database:
        name = f"recruit_test_{uuid4().hex[:12]}"
        made.append(name)
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        url = address.rsplit("/", 1)[0].replace("postgresql://", "postgresql+psycopg://") + f"/{name}"
        database = Database(url, keyring=keyring)
        schema.create(database)
        database.dispose()
        return database

    def empty(database: Database) -> None:
        own = psycopg.conninfo.make_conninfo(address, dbname=database.engine.url.database)
        with psycopg.connect(own, autocommit=True) as connection:
            connection.execute(emptying)

    try:
        yield Databases(make, empty)
    finally:
        with psycopg.connect(address, autocommit=True) as connection:
            for name in made:
                drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
                connection.execute(drop)
