"""The jobs of this package: what runs beside requests, and how often."""

from __future__ import annotations

from datetime import datetime, timedelta

from recruit import events, purges
from recruit.db import Database
from recruit.jobs import Job
from recruit.matching import consequences, holds, waking
from recruit.materials import service as materials

EVENTS_AT_ONCE = 1000


def sequence_events(database: Database, at: datetime) -> int:
    """Give new events their positions; a moment without any takes no lock."""
    del at  # the order of events is their own
    placed = 0
    while _waiting(database):
        with database.transaction(actor="job:events.sequence") as session:
            placed += events.sequence(session, limit=EVENTS_AT_ONCE)
    return placed


def purge_drafts(database: Database, at: datetime) -> int:
    """Remove drafts past their time."""
    return purges.purge_drafts(database, at=at)


def purge_screened_out(database: Database, at: datetime) -> int:
    """Forget people who were screened out, after their study's days."""
    return purges.purge_screened_out(database, at=at)


def purge_operational(database: Database, at: datetime) -> int:
    """Remove old rows that only served to run the application."""
    return purges.purge_operational(database, at=at)


def apply_holds(database: Database, at: datetime) -> int:
    """Mark the people held by holds whose hour has come."""
    with database.transaction(actor="job:holds.apply") as session:
        return holds.apply_due(session, at=at)


def wake_matches(database: Database, at: datetime) -> int:
    """Judge everybody again whose day has come, or at whose site other criteria have come into force."""
    return waking.wake(database, at=at)


def count_amendments(database: Database, at: datetime) -> int:
    """Count what versions of criteria would change, where somebody asked and a page would take too long."""
    return consequences.count_asked(database, at=at)


def expire_materials(database: Database, at: datetime) -> int:
    """Take texts out of use whose approval has ended."""
    with database.transaction(actor="job:materials.expire") as session:
        return materials.expire_due(session, at=at)


JOBS = (
    Job("events.sequence", every=timedelta(seconds=3), run=sequence_events, lease=timedelta(minutes=1)),
    Job("purge.drafts", every=timedelta(hours=1), run=purge_drafts),
    Job("purge.screened_out", every=timedelta(hours=6), run=purge_screened_out),
    Job("holds.apply", every=timedelta(minutes=1), run=apply_holds),
    Job("matches.wake", every=timedelta(minutes=15), run=wake_matches),
    Job("amendments.count", every=timedelta(seconds=5), run=count_amendments, lease=timedelta(minutes=30)),
    Job("materials.expire", every=timedelta(hours=1), run=expire_materials),
    Job("purge.operational", every=timedelta(days=1), run=purge_operational),
)


def _waiting(database: Database) -> bool:
    with database.reading() as session:
        return events.is_anything_waiting(session)
