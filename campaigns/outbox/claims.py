"""Claim messages for sending: every gate is read again, inside the transaction that takes the message.

A claim locks the contact point first, as a STOP does; of the two, one always sees the other.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from campaigns.audience.models import Campaign, CampaignState
from campaigns.outbox import journal
from campaigns.outbox.models import Message
from campaigns.outbox.states import IN_FLIGHT, State
from campaigns.providers.base import Outgoing
from recruit.contact import policy
from recruit.contact.models import ContactChannel
from recruit.contact.policy import Allowed, Held, MessagePurpose, Reason, Request
from recruit.contact.queries import RULES, About, closed_for, facts_for
from recruit.db import found
from recruit.errors import Unreadable
from recruit.keys import vault_of
from recruit.people.models import ContactPoint

LEASE = timedelta(minutes=3)
SEND_MARGIN = timedelta(seconds=30)
"""A send starts only with this much of the lease left: more than a carrier's client waits for an answer."""
LEAST_VALIDITY = 60


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that is ours to send until the lease ends, under this fence."""

    outgoing: Outgoing
    fence: int
    attempt: int
    purpose: MessagePurpose
    contact_point_id: UUID


@dataclass(frozen=True, slots=True)
class Batch:
    """What one claim took, and how many due messages it looked at: none means that nothing is due."""

    claimed: tuple[Claimed, ...]
    looked_at: int


def claim(session: Session, *, carried: Collection[ContactChannel], limit: int, at: datetime) -> Batch:
    """Take up to ``limit`` messages that are due and may go out now; hold, close or skip the others.

    At most one message of a number is taken, and none while another of it is on its way.
    """
    due = _due(session, limit=limit, at=at)
    locked = set(
        session.scalars(
            sa.select(ContactPoint.id)
            .where(ContactPoint.id.in_({point_id for _, point_id in due}))
            .order_by(ContactPoint.id)
            .with_for_update(skip_locked=True)
        )
    )
    ours = [message_id for message_id, point_id in due if point_id in locked]
    taken = [_claim_one(session, message_id, carried=carried, at=at) for message_id in ours]
    return Batch(tuple(claimed for claimed in taken if claimed is not None), looked_at=len(ours))


def may_still_send(session: Session, claimed: Claimed, *, at: datetime) -> Reason | bool:
    """Look once more, right before the send: still ours, and nobody has said stop since the claim."""
    row = session.execute(
        sa.select(Message.fence, Message.state, Message.lease_until).where(
            Message.id == claimed.outgoing.message_id
        )
    ).one()
    if row.state is not State.SENDING or row.fence != claimed.fence or row.lease_until - at < SEND_MARGIN:
        return False
    if claimed.purpose is not MessagePurpose.SERVICE:
        point = found(session, ContactPoint, claimed.contact_point_id)
        if closed_for(session, point.address_token, claimed.outgoing.channel) is not None:
            return Reason.STOPPED
    return True


def _due(session: Session, *, limit: int, at: datetime) -> list[tuple[UUID, UUID]]:
    """List due messages with their contact points, the first of each number only."""
    other = aliased(Message)
    rows = session.execute(
        sa.select(Message.id, Message.contact_point_id)
        .outerjoin(Campaign, Campaign.id == Message.campaign_id)
        .where(Message.state == State.QUEUED)
        .where(sa.or_(Message.not_before.is_(None), Message.not_before <= at))
        .where(sa.or_(Message.campaign_id.is_(None), Campaign.state == CampaignState.STARTED))
        .where(
            ~sa.exists().where(other.contact_point_id == Message.contact_point_id, other.state.in_(IN_FLIGHT))
        )
        .order_by(Message.priority, Message.not_before.is_not(None), Message.not_before, Message.planned_at)
        .limit(limit * 2)
    ).all()
    first: dict[UUID, UUID] = {}
    for row in rows:
        first.setdefault(row.contact_point_id, row.id)
    return [(message_id, point_id) for point_id, message_id in list(first.items())[:limit]]


def _claim_one(
    session: Session, message_id: UUID, *, carried: Collection[ContactChannel], at: datetime
) -> Claimed | None:
    message = session.get(Message, message_id, populate_existing=True)
    if message is None or message.state is not State.QUEUED or not _may_start(session, message):
        return None
    about = About(
        purpose=message.purpose,
        channel=message.channel,
        person_id=message.person_id,
        contact_point_id=message.contact_point_id,
        sending_epoch=message.sending_epoch,
        study_id=message.study_id,
        study_site_id=message.study_site_id,
        material_version_id=message.material_version_id,
        material_sha256=message.material_sha256,
        language=message.language,
    )
    facts = facts_for(
        session,
        about,
        at=at,
        carried=message.channel in carried,
        in_flight=_invitations_in_flight(session, message),
    )
    decision = policy.decide(Request(message.purpose, at, message.expires_at), facts, rules=RULES)
    if isinstance(decision, Allowed):
        return _take(session, message, decision, at=at)
    values: dict[str, object] = {"not_before": decision.until} if isinstance(decision, Held) else {}
    journal.move(
        session,
        message.id,
        State(policy.ending_of(decision.reason).value),
        kind="gate",
        at=at,
        fence=message.fence,
        reason=decision.reason.value,
        values=values,
    )
    return None


def _may_start(session: Session, message: Message) -> bool:
    """Look again under the lock: nothing else of this number is on its way, and the campaign runs."""
    busy = session.scalar(
        sa.select(Message.id)
        .where(Message.contact_point_id == message.contact_point_id, Message.state.in_(IN_FLIGHT))
        .limit(1)
    )
    if busy is not None:
        return False
    if message.campaign_id is None:
        return True
    state = session.scalar(sa.select(Campaign.state).where(Campaign.id == message.campaign_id))
    return state is CampaignState.STARTED


def _invitations_in_flight(session: Session, message: Message) -> list[datetime]:
    """Give when invitations to this person went out whose fate is not known; they count as received."""
    if message.person_id is None:
        return []
    rows = session.scalars(
        sa.select(Message.attempted_at).where(
            Message.person_id == message.person_id,
            Message.purpose == MessagePurpose.INVITATION,
            Message.state.in_(IN_FLIGHT),
        )
    )
    return [attempted_at for attempted_at in rows if attempted_at is not None]


def _take(session: Session, message: Message, allowed: Allowed, *, at: datetime) -> Claimed | None:
    try:
        outgoing = opened(session, message, valid_until=allowed.until, at=at)
    except Unreadable:
        journal.move(
            session,
            message.id,
            State.SUPPRESSED,
            kind="gate",
            at=at,
            fence=message.fence,
            reason=Reason.ERASED.value,
        )
        return None
    fence = journal.move(
        session,
        message.id,
        State.SENDING,
        kind="claimed",
        at=at,
        fence=message.fence,
        values={
            "attempt": message.attempt + 1,
            "lease_until": at + LEASE,
            "attempted_at": at,
            "consent_id": allowed.consent_id,
        },
    )
    if fence is None:
        return None
    return Claimed(outgoing, fence, message.attempt + 1, message.purpose, message.contact_point_id)


def opened(
    session: Session, message: Message, *, valid_until: datetime | None = None, at: datetime | None = None
) -> Outgoing:
    """Open what a carrier needs of a message.

    :raises Unreadable: the person or the address has been erased
    """
    vault, point = vault_of(session), found(session, ContactPoint, message.contact_point_id)
    owner = message.person_id or message.contact_point_id
    to = vault.open(point.id, "contact_point", "address_sealed", point.id, point.address_sealed)
    body = vault.open(owner, "message", "body_sealed", message.id, message.body_sealed)
    valid = None
    if valid_until is not None and at is not None:
        valid = max(LEAST_VALIDITY, int((valid_until - at).total_seconds()) - LEAST_VALIDITY)
    return Outgoing(message.id, message.channel, to or "", body or "", valid)
