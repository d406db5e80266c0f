"""Messages opened with their words: for the page of a demonstration, where all people are made up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from campaigns.outbox.claims import opened
from campaigns.outbox.codes import say
from campaigns.outbox.models import Message
from campaigns.outbox.states import State
from recruit.addresses import show_phone
from recruit.contact.models import ContactChannel
from recruit.errors import Unreadable
from recruit.keys import vault_of


@dataclass(frozen=True, slots=True)
class ReadableMessage:
    """One message as its recipient would see it."""

    to: str
    channel: ContactChannel
    body: str
    state: State
    reason: str
    planned_at: datetime


def last_messages(session: Session, *, limit: int) -> list[ReadableMessage]:
    """Open the newest messages; those of erased people are left out."""
    rows = list(
        session.scalars(sa.select(Message).order_by(Message.planned_at.desc(), Message.id.desc()).limit(limit))
    )
    vault_of(session).load({row.person_id or row.contact_point_id for row in rows})
    lines = (_line(session, row) for row in rows)
    return [line for line in lines if line is not None]


def _line(session: Session, row: Message) -> ReadableMessage | None:
    try:
        outgoing = opened(session, row)
    except Unreadable:
        return None
    to = show_phone(outgoing.to) if row.channel is ContactChannel.SMS else outgoing.to
    return ReadableMessage(to, row.channel, outgoing.body, row.state, say(row.reason), row.planned_at)
