"""The engine: nothing is lost, nothing is torn, and what cannot be written says so."""

import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.orm import Session

from recruit import db
from recruit.crypto import Keyring
from recruit.db import Database
from recruit.errors import NotFound, Unavailable
from recruit.ids import new_id
from recruit.operations.models import Installation
from recruit.studies.models import Site, Study, StudySite
from tests.conftest import NOON
from tests.factories import make_site, make_study

THREADS, ROUNDS = 6, 150


@pytest.fixture
def study_id(database: Database) -> UUID:
    with database.transaction(actor="test") as session:
        return make_study(session, budget_minor=0).id


@pytest.fixture
def sqlite_only(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("SQLite has this fault; PostgreSQL's server keeps it to itself")


def budget_of(database: Database, study_id: UUID) -> int | None:
    with database.reading() as session:
        return session.scalar(sa.select(Study.budget_minor).where(Study.id == study_id))


def in_threads(work: Callable[[], int]) -> int:
    """Do something in six threads, 150 times each; return how often it said that it was done."""
    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(lambda _: sum(work() for _ in range(ROUNDS)), range(THREADS)))


class TestConcurrentChanges:
    def test_none_is_lost_under_a_lock(self, database: Database, study_id: UUID) -> None:
        def add_one() -> int:
            with database.transaction(actor="test") as session:
                study = db.locked(session, Study, study_id)
                study.budget_minor = (study.budget_minor or 0) + 1
            return 1

        acknowledged = in_threads(add_one)

        assert acknowledged == THREADS * ROUNDS
        assert budget_of(database, study_id) == acknowledged

    def test_none_is_lost_by_conditional_updates(self, database: Database, study_id: UUID) -> None:
        def add_one() -> int:
            while True:
                seen = budget_of(database, study_id) or 0
                change = (
                    sa.update(Study)
                    .where(Study.id == study_id, Study.budget_minor == seen)
                    .values(budget_minor=seen + 1)
                )
                with database.transaction(actor="test") as session:
                    if session.execute(change.returning(Study.id)).first() is not None:
                        return 1

        acknowledged = in_threads(add_one)

        assert acknowledged == THREADS * ROUNDS
        assert budget_of(database, study_id) == acknowledged

    def test_a_plain_engine_loses_them_without_an_error(self, tmp_path: Path) -> None:
        """Seen to fail: the same work on the engine that SQLAlchemy makes by itself."""
        engine = sa.create_engine(f"sqlite:///{tmp_path}/plain.sqlite3", connect_args={"timeout": 30})
        counter = sa.Table("counter", sa.MetaData(), sa.Column("value", sa.Integer))
        with engine.begin() as connection:
            counter.create(connection)
            connection.execute(counter.insert().values(value=0))

        def add_one() -> int:
            with engine.begin() as connection:
                seen = connection.scalar(sa.select(counter.c.value))
                time.sleep(0)
                connection.execute(counter.update().values(value=(seen or 0) + 1))
            return 1

        acknowledged = in_threads(add_one)
        with engine.connect() as connection:
            stored = connection.scalar(sa.select(counter.c.value)) or 0
        engine.dispose()

        assert acknowledged == THREADS * ROUNDS
        assert stored < acknowledged

    def test_a_row_that_is_not_there_is_not_found(self, session: Session) -> None:
        with pytest.raises(NotFound, match="no such study site"):
            db.locked(session, StudySite, new_id())
        with pytest.raises(NotFound, match="no such site"):
            db.found(session, Site, new_id())


class TestTransactions:
    def test_what_raises_is_rolled_back(self, database: Database) -> None:
        def fail_half_way() -> None:
            with database.transaction(actor="test") as session:
                make_site(session)
                raise RuntimeError("half way")

        with pytest.raises(RuntimeError, match="half way"):
            fail_half_way()

        with database.reading() as session:
            assert session.scalar(sa.select(sa.func.count()).select_from(Site)) == 0

    def test_nobody_cannot_act(self, database: Database) -> None:
        with pytest.raises(ValueError, match="actor"), database.transaction(actor=""):
            pass

    def test_reading_cannot_write(self, database: Database, study_id: UUID) -> None:
        change = sa.update(Study).where(Study.id == study_id).values(budget_minor=7)

        with pytest.raises(DBAPIError), database.reading() as session:
            session.execute(change)

        assert budget_of(database, study_id) == 0

    def test_a_connection_that_was_read_on_can_write_again(self, database: Database, study_id: UUID) -> None:
        for amount in (1, 2):
            budget_of(database, study_id)
            with database.transaction(actor="test") as session:
                db.locked(session, Study, study_id).budget_minor = amount

        assert budget_of(database, study_id) == 2

    def test_reading_sees_one_state(self, database: Database, study_id: UUID) -> None:
        with database.reading() as session:
            before = session.scalar(sa.select(Study.budget_minor))
            with database.transaction(actor="test") as writer:
                db.locked(writer, Study, study_id).budget_minor = 9
            after = session.scalar(sa.select(Study.budget_minor))

        assert (before, after) == (0, 0)
        assert budget_of(database, study_id) == 9


class TestInstants:
    def test_microseconds_and_zone_survive(self, database: Database) -> None:
        moment = datetime(2026, 3, 8, 1, 59, 59, 123_457, tzinfo=timezone(timedelta(hours=-5)))
        with database.transaction(actor="test") as session:
            site_id = make_site(session, created_at=moment).id

        with database.reading() as session:
            stored = session.scalars(sa.select(Site).where(Site.id == site_id)).one().created_at

        assert stored == moment
        assert stored.tzinfo is UTC
        assert stored.microsecond == 123_457

    def test_a_naive_one_is_refused(self, database: Database) -> None:
        with (
            pytest.raises(StatementError, match="needs a time zone"),
            database.transaction(actor="test") as session,
        ):
            make_site(session, created_at=NOON.replace(tzinfo=None))


class TestFaults:
    def test_a_full_disk_is_unavailable_and_leaves_nothing_torn(
        self, database: Database, study_id: UUID, sqlite_only: None
    ) -> None:
        def fill() -> None:
            with database.transaction(actor="test") as session:
                pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar_one()
                session.connection().exec_driver_sql(f"PRAGMA max_page_count={pages + 4}")
                db.locked(session, Study, study_id).budget_minor = 5
                for _ in range(500):
                    make_site(session, name="x" * 200)

        with pytest.raises(Unavailable, match="Nothing was saved"):
            fill()

        with database.reading() as session:
            assert session.scalar(sa.select(sa.func.count()).select_from(Site)) == 0
            assert session.connection().exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert budget_of(database, study_id) == 0

    def test_a_locked_database_is_unavailable(
        self, database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch, sqlite_only: None
    ) -> None:
        monkeypatch.setattr(db, "BUSY_TIMEOUT_MS", 30)
        impatient = Database(database.engine.url.render_as_string(), keyring=keyring)
        holder = sqlite3.connect(database.engine.url.database or "", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")

        with pytest.raises(Unavailable), impatient.transaction(actor="test"):
            pass
        with impatient.reading() as session:
            readable = session.scalar(sa.select(Installation.id))

        assert readable == 1
        holder.close()
        impatient.dispose()

    def test_a_server_that_is_away_is_unavailable(self, keyring: Keyring) -> None:
        away = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing", keyring=keyring)

        with pytest.raises(Unavailable), away.reading() as session:
            session.scalar(sa.select(Installation.id))
        with pytest.raises(Unavailable), away.transaction(actor="test"):
            pass

    def test_a_folder_that_is_gone_is_unavailable(self, keyring: Keyring, tmp_path: Path) -> None:
        away = Database(f"sqlite:///{tmp_path}/gone/x.sqlite3", keyring=keyring)

        with pytest.raises(Unavailable), away.transaction(actor="test"):
            pass

    def test_a_mistake_of_ours_is_not_called_unavailable(self, database: Database) -> None:
        with pytest.raises(DBAPIError, match="no_such_table"), database.reading() as session:
            session.execute(sa.select(sa.table("no_such_table", sa.column("id")).c.id))
