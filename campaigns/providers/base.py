"""The port to whoever carries messages: what we hand over, and the four things that can come back.

An answer is never guessed: whatever is neither a yes nor a clear no is ``Unclear``, and the outbox asks
again later what became of it instead of sending twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from campaigns.outbox.states import State
from recruit.contact.models import ContactChannel


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message as a carrier gets it; ``message_id`` travels along and comes back in its callbacks."""

    message_id: UUID
    channel: ContactChannel
    to: str = field(repr=False)
    body: str = field(repr=False)
    valid_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The carrier took it, under this id of its own."""

    sid: str


@dataclass(frozen=True, slots=True)
class Limited:
    """The carrier took nothing and asks us to slow down."""

    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The carrier took nothing and says why."""

    code: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nobody can say whether the carrier took it."""

    what: str


Answer = Accepted | Limited | Rejected | Unclear


@dataclass(frozen=True, slots=True)
class Sighting:
    """A message that the carrier holds, as it tells us when asked."""

    sid: str
    state: State
    body_sha256: str
    created_at: datetime


class Provider(Protocol):
    """A carrier of messages."""

    @property
    def name(self) -> str:
        """Name the carrier in rows and logs."""
        ...

    def send(self, outgoing: Outgoing) -> Answer:
        """Hand one message over; network trouble is an answer, not an exception."""
        ...

    def find(self, outgoing: Outgoing, *, since: datetime) -> tuple[Sighting, ...] | Unclear:
        """List what the carrier has for this recipient since an instant."""
        ...


Carriers = Mapping[ContactChannel, Provider]


def body_hash(body: str) -> str:
    """Give the fingerprint by which two texts are compared."""
    return hashlib.sha256(body.encode("utf-8")).hexdigest()
