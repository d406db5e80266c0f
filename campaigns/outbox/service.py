"""Plan messages, let waiting ones go, stop them; sending itself is in ``worker``."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from campaigns.outbox import journal
from campaigns.outbox.codes import Why
from campaigns.outbox.models import Message, MessageEvent
from campaigns.outbox.states import WAITING, State
from campaigns.providers.base import body_hash
from recruit.contact import policy
from recruit.contact.models import ContactChannel, SuppressionReason
from recruit.contact.policy import MessagePurpose, Reason
from recruit.contact.queries import found_installation
from recruit.db import actor_of, found
from recruit.errors import NotPermitted
from recruit.ids import new_id
from recruit.keys import vault_of
from recruit.people.models import Person

PRIORITY: dict[MessagePurpose, int] = {
    MessagePurpose.VERIFICATION: 0,
    MessagePurpose.SERVICE: 1,
    MessagePurpose.STUDY: 2,
    MessagePurpose.INVITATION: 3,
}
_REASON_OF = {
    SuppressionReason.STOP: Reason.STOPPED,
    SuppressionReason.WRONG_NUMBER: Reason.WRONG_NUMBER,
    SuppressionReason.PERSON_ASKED: Reason.DO_NOT_CONTACT,
    SuppressionReason.ERASED: Reason.ERASED,
}


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to be planned.

    :param dedupe_key: says what the message is about, once and for all, such as ``acknowledgement:<match>``
    """

    dedupe_key: str
    purpose: MessagePurpose
    channel: ContactChannel
    contact_point_id: UUID
    person_id: UUID | None
    language: str
    body: str = field(repr=False)
    expires_at: datetime
    material_sha256: str
    material_version_id: UUID | None = None
    study_id: UUID | None = None
    study_site_id: UUID | None = None
    campaign_id: UUID | None = None
    not_before: datetime | None = None


def plan(session: Session, new: NewMessage, *, at: datetime) -> UUID | None:
    """Put a message into the queue; planning it twice gives the first one.

    Nothing is planned for test people: they are in no send.

    :raises Unreadable: the person has been erased
    """
    known = session.scalar(sa.select(Message.id).where(Message.dedupe_key == new.dedupe_key))
    if known is not None:
        return known
    if new.person_id is not None and found(session, Person, new.person_id).is_test:
        return None
    message_id = new_id()
    try:
        with session.begin_nested():
            session.add(_row(session, message_id, new, at=at))
            session.flush()
            session.add(_planned(session, message_id, at=at))
            session.flush()
    except IntegrityError:
        return session.scalars(sa.select(Message.id).where(Message.dedupe_key == new.dedupe_key)).one()
    return message_id


def release(
    session: Session, message_id: UUID, *, at: datetime, reason: str = "", kind: str = "released"
) -> bool:
    """Let a held message join the queue again; the gates are read anew when it is claimed."""
    moved = journal.move(
        session,
        message_id,
        State.QUEUED,
        kind="released",
        at=at,
        origins={State.HELD},
        values={"not_before": None},
    )
    return moved is not None


def release_due(session: Session, *, at: datetime, limit: int = 500) -> int:
    """Queue held messages whose time has come."""
    due = sa.select(Message.id).where(Message.state == State.HELD, Message.not_before <= at).limit(limit)
    return sum(release(session, message_id, at=at) for message_id in list(session.scalars(due)))


def release_verified(session: Session, contact_point_id: UUID, *, at: datetime) -> int:
    """Queue what waited for an address to be verified."""
    waiting = sa.select(Message.id).where(
        Message.contact_point_id == contact_point_id,
        Message.state == State.HELD,
        Message.reason == Reason.NOT_VERIFIED.value,
    )
    return sum(release(session, message_id, at=at) for message_id in list(session.scalars(waiting)))


def expire_late(session: Session, *, at: datetime, limit: int = 500) -> int:
    """Close waiting messages whose time has passed."""
    late = sa.select(Message.id).where(Message.state.in_(WAITING), Message.expires_at <= at).limit(limit)
    return _close_all(session, late, State.EXPIRED, Reason.EXPIRED.value, at=at)


def suppress_address(
    session: Session,
    contact_point_id: UUID,
    channel: ContactChannel,
    reason: SuppressionReason,
    *,
    at: datetime,
) -> int:
    """Close whatever waits for an address that was closed; service messages confirm it and may go."""
    waiting = sa.select(Message.id).where(
        Message.contact_point_id == contact_point_id,
        Message.channel == channel,
        Message.state.in_(WAITING),
        Message.purpose != MessagePurpose.SERVICE,
    )
    why = _REASON_OF.get(reason, Reason.ADDRESS_CLOSED)
    return _close_all(session, waiting, State.SUPPRESSED, why.value, at=at)


def cancel_campaign(session: Session, campaign_id: UUID, *, at: datetime) -> int:
    """Close whatever of a campaign still waits."""
    waiting = sa.select(Message.id).where(Message.campaign_id == campaign_id, Message.state.in_(WAITING))
    return _close_all(session, waiting, State.CANCELLED, Why.CAMPAIGN_CANCELLED.value, at=at)


def decide_held(session: Session, message_id: UUID, *, send_again: bool, at: datetime) -> None:
    """Write down what a person decided about a message that waits for a decision.

    :raises NotPermitted: it does not wait for one
    """
    message = found(session, Message, message_id)
    asks = {Why.NOT_AT_PROVIDER.value, Reason.OTHER_EPOCH.value, Reason.NO_COMMON_HOURS.value}
    if message.state is not State.HELD or message.reason not in asks:
        raise NotPermitted("This message does not wait for a decision any more.")
    epoch = found_installation(session).sending_epoch
    target, why = (State.QUEUED, Why.SENT_AGAIN) if send_again else (State.CANCELLED, Why.LEFT_ALONE)
    values: dict[str, object] = {"not_before": None, "sending_epoch": epoch} if send_again else {}
    moved = journal.move(
        session,
        message_id,
        target,
        kind="decided",
        at=at,
        origins={State.HELD},
        fence=message.fence,
        reason=why.value,
        values=values,
    )
    if moved is None:
        raise NotPermitted("This message does not wait for a decision any more.")


def close_as(session: Session, message_id: UUID, reason: Reason, *, fence: int, at: datetime) -> bool:
    """Close or hold a message for a reason of the contact policy, if we still hold its fence."""
    target = State(policy.ending_of(reason).value)
    moved = journal.move(session, message_id, target, kind="gate", at=at, fence=fence, reason=reason.value)
    return moved is not None


def _close_all(session: Session, ids: sa.Select[UUID], target: State, reason: str, *, at: datetime) -> int:
    moved = [
        journal.move(session, message_id, target, kind="closed", at=at, origins=WAITING, reason=reason)
        for message_id in list(session.scalars(ids))
    ]
    return sum(fence is not None for fence in moved)


def _row(session: Session, message_id: UUID, new: NewMessage, *, at: datetime) -> Message:
    owner = new.person_id or new.contact_point_id
    sealed = vault_of(session).seal(owner, "message", "body_sealed", message_id, new.body)
    assert sealed is not None  # noqa: S101 - for the type checker: a text is never nothing
    return Message(
        id=message_id,
        dedupe_key=new.dedupe_key,
        purpose=new.purpose,
        channel=new.channel,
        person_id=new.person_id,
        contact_point_id=new.contact_point_id,
        study_id=new.study_id,
        study_site_id=new.study_site_id,
        campaign_id=new.campaign_id,
        material_version_id=new.material_version_id,
        material_sha256=new.material_sha256,
        language=new.language,
        body_sealed=sealed,
        body_sha256=body_hash(new.body),
        priority=PRIORITY[new.purpose],
        planned_at=at,
        not_before=new.not_before,
        expires_at=new.expires_at,
        state=State.QUEUED,
        sending_epoch=found_installation(session).sending_epoch,
    )


def _planned(session: Session, message_id: UUID, *, at: datetime) -> MessageEvent:
    return MessageEvent(
        message_id=message_id,
        at=at,
        kind="planned",
        state_before=State.PLANNED,
        state_after=State.QUEUED,
        attempt=0,
        fence=0,
        actor=actor_of(session),
    )
