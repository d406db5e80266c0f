"""What every test may ask for: a database of its own, an application, a fixed moment.

SQLite by default; ``TEST_DATABASE_URL=postgresql://...`` runs the same tests on PostgreSQL, in a database
made for the run and dropped after it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from psycopg import sql
from sqlalchemy.orm import Session

from campaigns import models as _campaign_models
from campaigns.app import create_app
from recruit import models as _recruit_models
from recruit import schema
from recruit.clock import FixedClock
from recruit.crypto import Keyring
from recruit.db import Base, Database
from recruit.operations.models import Installation
from recruit.settings import Environment, Settings

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
"""Wednesday 18 November 2026, noon in New York."""

SECRET = "a-test-secret-that-is-long-enough-0123456789"
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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip slow tests unless they are asked for."""
    if config.getoption("--slow"):
        return
    skip = pytest.mark.skip(reason="slow: runs with --slow")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    """Give the keys that seal made-up people."""
    return Keyring.from_settings("", secret_key=SECRET)


@pytest.fixture(scope="session")
def database_maker(
    tmp_path_factory: pytest.TempPathFactory, keyring: Keyring
) -> Iterator[Callable[[], Database]]:
    """Give a function that hands out an empty database with the whole schema."""
    server = os.environ.get("TEST_DATABASE_URL", "")
    if server:
        yield from _postgresql(server, keyring)
    else:
        yield from _sqlite(tmp_path_factory.mktemp("databases"), keyring)


@pytest.fixture
def database(database_maker: Callable[[], Database]) -> Iterator[Database]:
    """Give a database with the whole schema and no rows but the installation's."""
    database = database_maker()
    with database.transaction(actor="test") as session:
        session.add(Installation(id=1))
    yield database
    database.dispose()


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
    return create_app(settings, clock=clock, database=database)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Give a browser without a window, not signed in."""
    return app.test_client()


def _sqlite(folder: Path, keyring: Keyring) -> Iterator[Callable[[], Database]]:
    template = folder / "template.sqlite3"
    database = Database(f"sqlite:///{template}", keyring=keyring, durable=False)
    schema.create(database)
    database.dispose()
    with sqlite3.connect(template) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()

    def make() -> Database:
        copy = folder / f"{uuid4().hex}.sqlite3"
        shutil.copyfile(template, copy)
        return Database(f"sqlite:///{copy}", keyring=keyring, durable=False)

    yield make


def _postgresql(server: str, keyring: Keyring) -> Iterator[Callable[[], Database]]:
    name = f"recruit_test_{uuid4().hex[:12]}"
    address = server.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    own = psycopg.conninfo.make_conninfo(address, dbname=name)
    url = address.rsplit("/", 1)[0].replace("postgresql://", "postgresql+psycopg://") + f"/{name}"
    database = Database(url, keyring=keyring)
    schema.create(database)
    database.dispose()
    names = [sql.Identifier(table.name) for table in Base.metadata.sorted_tables]
    emptying = sql.SQL("SET session_replication_role = replica; {}").format(
        sql.SQL("; ").join(sql.SQL("DELETE FROM {}").format(table) for table in names)
    )

    def make() -> Database:
        with psycopg.connect(own, autocommit=True) as connection:
            connection.execute(emptying)
        return Database(url, keyring=keyring)

    try:
        yield make
    finally:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
