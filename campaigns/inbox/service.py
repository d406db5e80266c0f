"""Store what providers send us, act on a stop at once, and apply receipts in any order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from campaigns.inbox.keywords import Reply, classify
from campaigns.inbox.models import CallbackKind, ProviderCallback
from campaigns.outbox import journal
from campaigns.outbox import service as outbox
from campaigns.outbox.models import Message
from campaigns.outbox.service import NewMessage
from campaigns.outbox.states import State
from campaigns.outbox.worker import close_number
from campaigns.wording import Wording
from recruit.contact import service as contact
from recruit.contact.models import ContactChannel, Direction, SuppressionReason
from recruit.contact.policy import MessagePurpose
from recruit.contact.service import OwnAct
from recruit.db import Database
from recruit.ids import new_id
from recruit.keys import vault_of
from recruit.people import queries as people
from recruit.people.models import ContactKind, ContactPoint, Person, PersonContact

CONFIRM_WITHIN = timedelta(minutes=5)
"""One confirmation of a stop is allowed within this time (47 CFR 64.1200(a)(12))."""
BATCH = 200

_CLOSES: dict[Reply, tuple[SuppressionReason, tuple[ContactChannel, ...]]] = {
    Reply.STOP: (SuppressionReason.STOP, (ContactChannel.SMS,)),
    Reply.STOP_ALL: (SuppressionReason.STOP, (ContactChannel.SMS, ContactChannel.CALL)),
    Reply.WRONG_NUMBER: (SuppressionReason.WRONG_NUMBER, (ContactChannel.SMS, ContactChannel.CALL)),
}


@dataclass(frozen=True, slots=True)
class Inbound:
    """A text that came in.

    :param answered: whether the carrier has answered a stop by itself, so that we must not
    """

    sid: str
    number: str = field(repr=False)
    body: str = field(repr=False)
    answered: bool


def receive_status(
    session: Session,
    *,
    provider: str,
    sid: str,
    status: str,
    message_id: UUID | None,
    codes: Mapping[str, str],
    at: datetime,
) -> bool:
    """Store a receipt as it came; say whether it is new. It is applied later, from the table."""
    return _store(
        session,
        ProviderCallback(
            id=new_id(),
            provider=provider,
            kind=CallbackKind.STATUS,
            sid=sid,
            status=status,
            message_id=message_id,
            payload=dict(codes),
            received_at=at,
        ),
    )


def receive_inbound(
    session: Session, inbound: Inbound, *, provider: str, wording: Wording, at: datetime
) -> Reply | None:
    """Store a reply and act on it at once; nothing if we have it already.

    A stop and a wrong number close the number in this same transaction, before any other message can be
    claimed. What is not clearly one of these is noted on the person's timeline for somebody to read.
    """
    reply = classify(inbound.body)
    token = people.address_token(session, ContactKind.PHONE, inbound.number)
    point = session.scalar(
        sa.select(ContactPoint).where(
            ContactPoint.kind == ContactKind.PHONE, ContactPoint.address_token == token
        )
    )
    row = ProviderCallback(
        id=new_id(),
        provider=provider,
        kind=CallbackKind.INBOUND,
        sid=inbound.sid,
        status="received",
        payload={},
        contact_point_id=point.id if point else None,
        address_token=token,
        reply_class=reply.value,
        received_at=at,
        applied_at=at,
    )
    if point is not None:
        row.body_sealed = vault_of(session).seal(
            point.id, "provider_callback", "body_sealed", row.id, inbound.body
        )
    if not _store(session, row):
        return None
    closed = _act(session, reply, token, at=at)
    if point is not None:
        _note(session, point, inbound.body, reply, at=at)
        if closed is not None and not inbound.answered:
            _confirm(session, point, closed, wording=wording, at=at)
    return reply


def apply_waiting(database: Database, *, at: datetime, limit: int = BATCH) -> int:
    """Apply stored receipts; applying one twice, late or out of order changes nothing for the worse."""
    done = 0
    while True:
        with database.transaction(actor="job:apply_callbacks") as session:
            waiting = (
                sa.select(ProviderCallback)
                .where(ProviderCallback.applied_at.is_(None))
                .order_by(ProviderCallback.received_at, ProviderCallback.id)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
            rows = list(session.scalars(waiting))
            for row in rows:
                apply_one(session, row, at=at)
        done += len(rows)
        if len(rows) < limit:
            return done


def apply_one(session: Session, row: ProviderCallback, *, at: datetime) -> State | None:
    """Apply one receipt; give the state of its message afterwards, or nothing if we have no such message."""
    row.applied_at = at
    message_id = _message_of(session, row)
    reported = _reported(row)
    if message_id is None or reported is None:
        return None
    code = row.payload.get("error_code")
    code = code if isinstance(code, str) else ""
    if code:
        close_number(session, message_id, code, at=at)
    return journal.report(
        session,
        message_id,
        reported,
        kind="callback",
        at=row.received_at,
        provider=row.provider,
        sid=row.sid,
        provider_code=code,
    )


def _reported(row: ProviderCallback) -> State | None:
    state = row.payload.get("state")
    return State(state) if isinstance(state, str) else None


def _message_of(session: Session, row: ProviderCallback) -> UUID | None:
    """Find whose receipt this is: by our own id in the callback's address, else by the carrier's."""
    own = sa.select(Message.id).where(Message.id == row.message_id) if row.message_id is not None else None
    known = session.scalar(own) if own is not None else None
    return known or session.scalar(sa.select(Message.id).where(Message.provider_sid == row.sid))


def _store(session: Session, row: ProviderCallback) -> bool:
    known = sa.select(ProviderCallback.id).where(
        ProviderCallback.provider == row.provider,
        ProviderCallback.kind == row.kind,
        ProviderCallback.sid == row.sid,
        ProviderCallback.status == row.status,
    )
    if session.scalar(known) is not None:
        return False
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        return False
    return True


def _act(session: Session, reply: Reply, token: bytes, *, at: datetime) -> UUID | None:
    """Close or open the number as the reply says; name the stop that is to be confirmed."""
    if reply is Reply.START:
        contact.lift(session, token, ContactChannel.SMS, act=OwnAct.TEXTED_START, at=at)
        return None
    if reply not in _CLOSES:
        return None
    reason, channels = _CLOSES[reply]
    rows = [contact.suppress(session, token, channel, reason, source="reply", at=at) for channel in channels]
    return rows[0].id if rows[0].reason is SuppressionReason.STOP else None


def _note(session: Session, point: ContactPoint, body: str, reply: Reply, *, at: datetime) -> None:
    """Put the reply on the timeline of the person whom we wrote to last there, else of who lives there."""
    last = (
        sa.select(Message.person_id)
        .where(Message.contact_point_id == point.id, Message.person_id.is_not(None))
        .order_by(Message.attempted_at.is_(None), Message.attempted_at.desc(), Message.planned_at.desc())
        .limit(1)
    )
    linked = (
        sa.select(PersonContact.person_id)
        .where(PersonContact.contact_point_id == point.id, PersonContact.ended_at.is_(None))
        .order_by(PersonContact.preferred.desc(), PersonContact.added_at)
        .limit(1)
    )
    person_id = session.scalar(last) or session.scalar(linked)
    if person_id is None:
        return
    contact.note_contact(
        session,
        person_id,
        direction=Direction.IN,
        channel=ContactChannel.SMS,
        purpose="reply",
        outcome=reply.value,
        at=at,
        contact_point_id=point.id,
        note=body or None,
    )


def _confirm(session: Session, point: ContactPoint, stop_id: UUID, *, wording: Wording, at: datetime) -> None:
    """Confirm a stop once, however often it is said."""
    language = session.scalar(
        sa.select(Person.language)
        .join(PersonContact, PersonContact.person_id == Person.id)
        .where(PersonContact.contact_point_id == point.id, PersonContact.ended_at.is_(None))
        .order_by(PersonContact.preferred.desc(), PersonContact.added_at)
        .limit(1)
    )
    text = wording.stop_confirmation(language or "en")
    outbox.plan(
        session,
        NewMessage(
            dedupe_key=f"stop:{stop_id}",
            purpose=MessagePurpose.SERVICE,
            channel=ContactChannel.SMS,
            contact_point_id=point.id,
            person_id=None,
            language=text.language,
            body=text.body,
            expires_at=at + CONFIRM_WITHIN,
            material_sha256=text.sha256,
        ),
        at=at,
    )
