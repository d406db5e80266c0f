"""Work that happens beside requests: one registry, leases, and a loop that survives its jobs.

The domain rows are the truth. A job is an idempotent function over them; losing or doubling a run costs
nothing. A lease row keeps two processes from running the same job at once, and its fence number lets a
run that was stopped for too long notice that it has been replaced.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from recruit.clock import Clock
from recruit.db import Database
from recruit.errors import Unavailable
from recruit.logs import logger
from recruit.operations.models import JobLease

Run = Callable[[Database, datetime], object]
_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A named, idempotent piece of work, how often it is due and how long one run may take."""

    name: str
    every: timedelta
    run: Run
    lease: timedelta = timedelta(minutes=5)


class Registry:
    """All jobs of an application, in the order in which they were registered."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def register(self, job: Job) -> None:
        """Add a job; a second one of the same name is a mistake of ours.

        :raises ValueError: the name is taken
        """
        if job.name in self._jobs:
            raise ValueError(f"two jobs are called {job.name}")
        self._jobs[job.name] = job

    def __iter__(self) -> Iterator[Job]:
        return iter(self._jobs.values())

    def get(self, name: str) -> Job | None:
        """Find a job by name."""
        return self._jobs.get(name)


def holder_name() -> str:
    """Name this process in lease rows."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{threading.get_ident() % 100000}"


def run_due(database: Database, registry: Registry, *, at: datetime) -> list[str]:
    """Run every job that is due and that nobody else is running; return their names."""
    return [job.name for job in registry if run_if_due(database, job, at=at)]


def run_if_due(database: Database, job: Job, *, at: datetime, force: bool = False) -> bool:
    """Run one job if it is due, under its lease; an error is logged and the job is due again next time."""
    fence = _take(database, job, at=at, force=force)
    if fence is None:
        return False
    error = ""
    try:
        job.run(database, at)
    except Exception as problem:
        error = type(problem).__name__
        _log.exception("job failed", job=job.name)
    _give_back(database, job, fence=fence, at=at, error=error)
    return True


def _take(database: Database, job: Job, *, at: datetime, force: bool) -> int | None:
    with database.transaction(actor=f"job:{job.name}") as session:
        lease = session.get(JobLease, job.name, with_for_update=True)
        if lease is None:
            lease = JobLease(name=job.name, fence=0)
            session.add(lease)
            try:
                session.flush()
            except IntegrityError:
                session.rollback()
                return None
        busy = lease.held_until is not None and lease.held_until > at
        due = force or lease.last_started_at is None or lease.last_started_at + job.every <= at
        if busy or not due:
            return None
        lease.holder, lease.held_until = holder_name(), at + job.lease
        lease.last_started_at = at
        lease.fence += 1
        return lease.fence


def _give_back(database: Database, job: Job, *, fence: int, at: datetime, error: str) -> None:
    with database.transaction(actor=f"job:{job.name}") as session:
        session.execute(
            sa.update(JobLease)
            .where(JobLease.name == job.name, JobLease.fence == fence)
            .values(held_until=None, holder="", last_finished_at=at, last_error=error)
        )


class Loop:
    """A background thread that runs due jobs until it is told to stop."""

    def __init__(self, database: Database, registry: Registry, clock: Clock, *, pause: float = 1.0) -> None:
        self._database, self._registry, self._clock, self._pause = database, registry, clock, pause
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.run, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the running job, then end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=30)

    def run_once(self) -> list[str]:
        """Run what is due now; return the names."""
        return run_due(self._database, self._registry, at=self._clock.now())

    def run(self) -> None:
        """Run due jobs until stopped; a database that is away is tried again after a pause."""
        while not self._stop.is_set():
            try:
                self.run_once()
            except Unavailable:
                _log.warning("database unavailable")
                self._stop.wait(5)
            self._stop.wait(self._pause)
