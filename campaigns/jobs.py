"""What campaigns do beside requests: plan, send, sweep, apply receipts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from campaigns import pipeline
from campaigns.inbox.models import ProviderCallback
from campaigns.providers.base import Carriers
from campaigns.wording import Wording
from recruit import purges
from recruit.clock import Clock
from recruit.db import Database
from recruit.jobs import Job
from recruit.purges import Expiring

OPERATIONAL = (Expiring(ProviderCallback, ProviderCallback.received_at),)


def purge_callbacks(database: Database, at: datetime) -> int:
    """Remove what carriers sent, when its days are over: what it said was applied long before."""
    return sum(purges.expire(database, table, at=at) for table in OPERATIONAL)


@dataclass(frozen=True, slots=True)
class Sending:
    """The jobs, with what they need of the application."""

    carriers: Carriers
    wording: Wording
    clock: Clock
    public_url: str

    def jobs(self) -> tuple[Job, ...]:
        """List the jobs with their periods."""
        return (
            Job("apply_callbacks", timedelta(seconds=2), self.apply_callbacks),
            Job("send_messages", timedelta(seconds=1), self.send_messages),
            Job("sweep_messages", timedelta(minutes=1), self.sweep_messages),
            Job("purge.callbacks", timedelta(days=1), purge_callbacks),
        )

    def send_messages(self, database: Database, at: datetime) -> int:
        """Plan what campaigns still lack, then send what is due; return how many were accepted."""
        pipeline.plan(database, wording=self.wording, public_url=self.public_url, at=at)
        return pipeline.send(database, self.carriers, clock=self.clock)

    def sweep_messages(self, database: Database, at: datetime) -> int:
        """Find out about unknown messages, release and expire waiting ones."""
        return pipeline.sweep(database, self.carriers, clock=self.clock)

    def apply_callbacks(self, database: Database, at: datetime) -> int:
        """Apply stored receipts."""
        return pipeline.settle(database, at=at)
