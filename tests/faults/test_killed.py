"""Processes are killed and disks fill up: what was acknowledged is there, and nothing is torn."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import pytest
import sqlalchemy as sa

from recruit import purges, schema
from recruit.db import Database
from recruit.errors import Unavailable
from recruit.ids import new_slug
from recruit.intake.models import Draft, SettledCounter
from recruit.operations import checks
from recruit.operations import service as operations
from recruit.studies.models import Site, SiteHours
from tests.architecture.source import ROOT
from tests.factories import make_open_study
from tests.faults.victim import LATER, add_pair
from tests.recruit.conftest import MakeEmpty
from tests.recruit.lives import make_draft

CHANCE = 20261118
DRAFTS = 300


@pytest.fixture
def ready(make_migrated: MakeEmpty) -> Database:
    """Give a database that the victim can work on."""
    database = make_migrated()
    with database.transaction(actor="test") as session:
        operations.ensure(session)
    return database


@contextmanager
def victim(task: str, database: Database) -> Iterator[subprocess.Popen[str]]:
    """Start the process and wait until it is ready; it is dead afterwards."""
    url = database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.faults.victim", task, url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.send_signal(signal.SIGKILL)


def acknowledged(process: subprocess.Popen[str], *, kill_after: int) -> list[str]:
    """Read that many lines, kill, and read what was still in the pipe."""
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(kill_after)]
    process.send_signal(signal.SIGKILL)
    return [line.strip() for line in (*lines, *process.stdout.readlines())]


def halves(database: Database) -> dict[str, int]:
    with database.reading() as session:
        rows = session.execute(sa.select(Site.postcode, sa.func.count()).group_by(Site.postcode))
        return {str(postcode): halves for postcode, halves in rows}


class TestKilledWriters:
    def test_acknowledged_is_stored_and_nothing_is_torn(self, ready: Database) -> None:
        chance, rounds = Random(CHANCE), []  # noqa: S311 - the same kills each time

        for _ in range(4):
            with victim("pairs", ready) as process:
                acks = acknowledged(process, kill_after=chance.randrange(1, 40))
            rounds.append(len(acks))
            stored = halves(ready)
            assert [ack for ack in acks if stored.get(ack, 0) < 2] == []
            assert set(stored.values()) == {2}

        with ready.reading() as session:
            sites = session.scalar(sa.select(sa.func.count()).select_from(Site)) or 0
            hours = session.scalar(sa.select(sa.func.count()).select_from(SiteHours))
        assert sum(rounds) * 2 <= sites <= (sum(rounds) + len(rounds)) * 2
        assert hours == sites * 5
        assert all(finding.is_sound for finding in checks.look(ready))


class TestKilledJobs:
    def test_a_purge_that_is_killed_counts_every_draft_once(self, ready: Database) -> None:
        chance = Random(CHANCE)  # noqa: S311 - the same kills each time
        with ready.transaction(actor="test") as session:
            open_study = make_open_study(session)
            for _ in range(DRAFTS):
                make_draft(session, open_study)

        for _ in range(3):
            with victim("purge", ready):
                time.sleep(chance.random() * 0.2)
            with ready.reading() as session:
                left = session.scalar(sa.select(sa.func.count()).select_from(Draft)) or 0
                counted = session.scalar(sa.select(sa.func.sum(SettledCounter.count))) or 0
            assert left + counted == DRAFTS
        purges.purge_drafts(ready, at=LATER)

        with ready.reading() as session:
            assert session.scalar(sa.select(sa.func.sum(SettledCounter.count))) == DRAFTS

    def test_an_upgrade_that_is_killed_is_done_whole_or_not_at_all(self, make_empty: MakeEmpty) -> None:
        chance = Random(CHANCE)  # noqa: S311 - the same kills each time

        for _ in range(4):
            database = make_empty()
            with victim("upgrade", database):
                time.sleep(chance.random() * 0.6)
            assert schema.current(database) in (None, schema.head())
            assert bool(schema.tables(database)) is (schema.current(database) is not None)
            schema.upgrade(database)
            assert all(finding.is_sound for finding in checks.look(database))


class TestFullDisks:
    def test_at_fifty_points_nothing_is_torn_and_what_was_acknowledged_stays(self, ready: Database) -> None:
        if not ready.is_sqlite:
            pytest.skip("PostgreSQL's server answers for its own disk")
        done = 0

        for room in range(50):
            limit_pages(ready, more=room)
            done += pairs_until_full(ready)
            limit_pages(ready, more=1_000_000)
            assert len(halves(ready)) == done
            make_pair(ready)
            done += 1

        assert set(halves(ready).values()) == {2}
        assert all(finding.is_sound for finding in checks.look(ready))


def limit_pages(database: Database, *, more: int) -> None:
    """Give the database's file this much room to grow, on the connection that everybody here uses."""
    with database.connection() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + more}")


def pairs_until_full(database: Database) -> int:
    """Make pairs until there is no room; return how many were acknowledged."""
    for made in range(1000):
        try:
            make_pair(database)
        except Unavailable:
            return made
    raise AssertionError("the disk never filled up")


def make_pair(database: Database) -> None:
    """Make a pair in one transaction."""
    with database.transaction(actor="test") as session:
        add_pair(session, new_slug(12))
