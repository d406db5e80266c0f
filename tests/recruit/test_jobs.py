"""Jobs: never two runs of one at once, none lost, and a failing one does not stop the others."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from recruit import jobs
from recruit.clock import FixedClock
from recruit.db import Database
from recruit.errors import Unavailable
from recruit.jobs import Job, Loop, Registry
from recruit.operations.models import JobLease
from tests.conftest import NOON

MINUTE = timedelta(minutes=1)


def job(
    run: Callable[[Database, datetime], object], *, name: str = "count", lease: timedelta = 5 * MINUTE
) -> Job:
    return Job(name, every=MINUTE, run=run, lease=lease)


def lease_of(database: Database, name: str = "count") -> JobLease:
    with database.reading() as session:
        return session.scalars(sa.select(JobLease).where(JobLease.name == name)).one()


class TestWhenDue:
    def test_runs_at_once_and_then_after_its_period(self, database: Database) -> None:
        runs: list[datetime] = []
        counting = job(lambda _, at: runs.append(at))

        ran = [
            jobs.run_if_due(database, counting, at=NOON + seconds * timedelta(seconds=1))
            for seconds in (0, 59, 60)
        ]

        assert ran == [True, False, True]
        assert runs == [NOON, NOON + MINUTE]

    def test_force_does_not_wait_for_the_period(self, database: Database) -> None:
        counting = job(lambda *_: None)
        jobs.run_if_due(database, counting, at=NOON)

        assert jobs.run_if_due(database, counting, at=NOON, force=True)

    def test_the_lease_is_given_back(self, database: Database) -> None:
        jobs.run_if_due(database, job(lambda *_: None), at=NOON)

        lease = lease_of(database)

        assert (lease.held_until, lease.holder, lease.fence, lease.last_error) == (None, "", 1, "")
        assert lease.last_finished_at == NOON

    def test_two_of_one_name_are_a_mistake(self) -> None:
        registry = Registry()
        registry.register(job(lambda *_: None))

        with pytest.raises(ValueError, match="two jobs are called count"):
            registry.register(job(lambda *_: None))


class TestLease:
    def test_two_never_run_a_job_at_once(self, database: Database) -> None:
        inside, most, runs, gate, together = 0, 0, 0, threading.Lock(), threading.Barrier(4)

        def run(_database: Database, _at: datetime) -> None:
            nonlocal inside, most, runs
            with gate:
                inside, runs = inside + 1, runs + 1
                most = max(most, inside)
            time.sleep(0.005)
            with gate:
                inside -= 1

        def work() -> None:
            for minute in range(15):
                together.wait(30)
                jobs.run_if_due(database, job(run), at=NOON + minute * MINUTE)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert (most, runs) == (1, 15)

    def test_a_running_job_is_left_alone(self, database: Database) -> None:
        second: list[bool] = []
        counting = job(lambda *_: None)

        jobs.run_if_due(
            database,
            job(lambda *_: second.append(jobs.run_if_due(database, counting, at=NOON + 2 * MINUTE))),
            at=NOON,
        )

        assert second == [False]

    def test_an_expired_lease_is_taken_over_and_the_late_one_is_fenced_off(self, database: Database) -> None:
        def taken_over(_database: Database, _at: datetime) -> None:
            """Stand still until another process has taken the job, and is still at it."""
            assert jobs._take(database, job(lambda *_: None), at=NOON + 6 * MINUTE, force=False) == 2

        jobs.run_if_due(database, job(taken_over), at=NOON)

        lease = lease_of(database)
        assert lease.fence == 2
        assert lease.held_until == NOON + 11 * MINUTE
        assert lease.last_finished_at is None


class TestFailing:
    def test_a_failure_is_noted_and_the_job_is_due_again(self, database: Database) -> None:
        attempts: list[datetime] = []

        def fail(_database: Database, at: datetime) -> None:
            attempts.append(at)
            raise ZeroDivisionError

        for minute in range(2):
            jobs.run_if_due(database, job(fail), at=NOON + minute * MINUTE)

        lease = lease_of(database)
        assert attempts == [NOON, NOON + MINUTE]
        assert (lease.last_error, lease.held_until) == ("ZeroDivisionError", None)

    def test_the_others_go_on(self, database: Database) -> None:
        registry, done = Registry(), []

        def fail(_database: Database, _at: datetime) -> None:
            raise Unavailable("away")

        registry.register(job(fail, name="broken"))
        registry.register(job(lambda *_: done.append(True), name="sound"))

        ran = jobs.run_due(database, registry, at=NOON)

        assert ran == ["broken", "sound"]
        assert done == [True]

    def test_what_a_failing_job_wrote_is_rolled_back(self, database: Database) -> None:
        def fail(database: Database, _at: datetime) -> None:
            with database.transaction(actor="job:count") as session:
                session.add(JobLease(name="half done", fence=0))
                raise ZeroDivisionError

        jobs.run_if_due(database, job(fail), at=NOON)

        with database.reading() as session:
            assert set(session.scalars(sa.select(JobLease.name))) == {"count"}


class TestLoop:
    def test_runs_until_it_is_stopped(self, database: Database, clock: FixedClock) -> None:
        registry, ran = Registry(), threading.Event()
        registry.register(job(lambda *_: ran.set()))
        loop = Loop(database, registry, clock, pause=0.01)

        loop.start()
        assert ran.wait(10)
        loop.stop()

        assert not loop._thread.is_alive()

    def test_survives_a_database_that_is_away(self, database: Database, clock: FixedClock) -> None:
        class Away(Loop):
            tries = 0

            def run_once(self) -> list[str]:
                self.tries += 1
                self._stop.set()
                raise Unavailable("away")

        loop = Away(database, Registry(), clock)

        loop.run()

        assert loop.tries == 1
