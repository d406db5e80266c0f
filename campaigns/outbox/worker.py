"""Send what is due: claim, commit, look again, send, settle. And sweep up after workers that stopped.

No network call happens inside a transaction. A clear yes or no settles a message; anything else leaves it
``unknown``, and the carrier is asked what became of it before anybody thinks of sending it again (Twilio's
create call is not idempotent; research: outreach 5).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from campaigns.audience.models import Campaign, CampaignState
from campaigns.outbox import journal, service
from campaigns.outbox.claims import Claimed, claim, may_still_send, opened
from campaigns.outbox.codes import CLOSES, Action, Why, meaning
from campaigns.outbox.models import Message
from campaigns.outbox.states import State
from campaigns.providers.base import (
    Accepted,
    Answer,
    Carriers,
    Limited,
    Provider,
    Rejected,
    Sighting,
    Unclear,
)
from recruit.clock import Clock
from recruit.contact import service as contact
from recruit.contact.policy import MessagePurpose, Reason
from recruit.db import Database, found
from recruit.errors import Unreadable
from recruit.people.models import ContactPoint

BATCH = 10
SETTLE_AFTER = timedelta(minutes=5)
"""How long an unknown message is left alone before the carrier is asked: lease, client timeout and list lag."""
BLOCKED_FOR = timedelta(minutes=15)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=15), timedelta(minutes=15)
LOOK_BACK = timedelta(minutes=2)
_BY = "job:send_messages"


def send_due(database: Database, carriers: Carriers, *, clock: Clock, most: int = 1000) -> int:
    """Send up to ``most`` messages that are due now; return how many a carrier took."""
    accepted = tried = 0
    while tried < most:
        with database.transaction(actor=_BY) as session:
            batch = claim(session, carried=carriers.keys(), limit=BATCH, at=clock.now())
        if not batch.looked_at:
            return accepted
        tried += batch.looked_at
        for position, claimed in enumerate(batch.claimed):
            answer = send_one(database, carriers[claimed.outgoing.channel], claimed, clock=clock)
            accepted += isinstance(answer, Accepted)
            if isinstance(answer, Limited):
                _hand_back(database, batch.claimed[position + 1 :], at=clock.now())
                return accepted
    return accepted


def send_one(database: Database, provider: Provider, claimed: Claimed, *, clock: Clock) -> Answer | None:
    """Send one claimed message and write down what came of it; nothing happens if it is no longer ours."""
    with database.reading() as session:
        mine = may_still_send(session, claimed, at=clock.now())
    if mine is not True:
        if isinstance(mine, Reason):
            with database.transaction(actor=_BY) as session:
                service.close_as(
                    session, claimed.outgoing.message_id, mine, fence=claimed.fence, at=clock.now()
                )
        return None
    answer = provider.send(claimed.outgoing)
    with database.transaction(actor=_BY) as session:
        settle(session, claimed, answer, provider=provider.name, at=clock.now())
    return answer


def settle(session: Session, claimed: Claimed, answer: Answer, *, provider: str, at: datetime) -> None:
    """Write down a carrier's answer.

    A yes is a fact about the world and counts whoever holds the message by now; anything else counts only
    while the fence is still ours.
    """
    message_id, fence = claimed.outgoing.message_id, claimed.fence
    if isinstance(answer, Accepted):
        journal.report(
            session, message_id, State.ACCEPTED, kind="accepted", at=at, provider=provider, sid=answer.sid
        )
    elif isinstance(answer, Limited):
        pause = timedelta(seconds=answer.retry_after or 0)
        wait = max(pause, min(FIRST_PAUSE * 2 ** min(claimed.attempt - 1, 10), LONGEST_PAUSE))
        _requeue(session, message_id, Why.SLOW_DOWN, fence=fence, not_before=at + wait, at=at)
    elif isinstance(answer, Rejected):
        _reject(session, claimed, answer.code, at=at)
    else:
        journal.move(
            session,
            message_id,
            State.UNKNOWN,
            kind="unclear",
            at=at,
            fence=fence,
            reason=Why.NO_ANSWER.value,
            values={"lease_until": at + SETTLE_AFTER, "provider": provider},
        )


def sweep(database: Database, carriers: Carriers, *, clock: Clock, limit: int = 500) -> int:
    """Find messages whose sender stopped, ask carriers about unknown ones, and let waiting ones go or expire.

    Returns how many unknown messages were settled.
    """
    at = clock.now()
    with database.transaction(actor="job:sweep_messages") as session:
        _abandon(session, at=at, limit=limit)
        service.expire_late(session, at=at, limit=limit)
        service.release_due(session, at=at, limit=limit)
    with database.reading() as session:
        query = sa.select(Message.id).where(Message.state == State.UNKNOWN, Message.lease_until <= at)
        unknown = list(session.scalars(query.order_by(Message.lease_until).limit(limit)))
    return sum(reconcile(database, carriers, message_id, clock=clock) for message_id in unknown)


def reconcile(database: Database, carriers: Carriers, message_id: UUID, *, clock: Clock) -> bool:
    """Ask the carrier what became of one unknown message; say whether that settled it.

    The fence seen before asking is the one required after: whatever happened to the message meanwhile wins.
    """
    with database.reading() as session:
        message = found(session, Message, message_id)
        provider = carriers.get(message.channel)
        if message.state is not State.UNKNOWN or provider is None or message.attempted_at is None:
            return False
        fence, since = message.fence, message.attempted_at - LOOK_BACK
        try:
            outgoing = opened(session, message)
        except Unreadable:
            outgoing = None
    sightings = Unclear("erased") if outgoing is None else provider.find(outgoing, since=since)
    with database.transaction(actor="job:sweep_messages") as session:
        return _resolve(session, message_id, sightings, fence=fence, provider=provider.name, at=clock.now())


def _resolve(
    session: Session,
    message_id: UUID,
    sightings: tuple[Sighting, ...] | Unclear,
    *,
    fence: int,
    provider: str,
    at: datetime,
) -> bool:
    message = found(session, Message, message_id)
    if isinstance(sightings, Unclear):
        _ask_later(session, message_id, fence=fence, at=at)
        return False
    seen = _own(session, message, sightings)
    if seen is not None:
        journal.report(session, message_id, seen.state, kind="found", at=at, provider=provider, sid=seen.sid)
        return True
    if message.purpose is MessagePurpose.INVITATION:
        moved = journal.move(
            session,
            message_id,
            State.HELD,
            kind="not_found",
            at=at,
            origins={State.UNKNOWN},
            fence=fence,
            reason=Why.NOT_AT_PROVIDER.value,
            values={"not_before": None},
        )
        return moved is not None
    return _requeue(session, message_id, Why.NOT_AT_PROVIDER, fence=fence, not_before=None, at=at)


def _own(session: Session, message: Message, sightings: tuple[Sighting, ...]) -> Sighting | None:
    """Pick the sighting that is this message: the same words, and no other message's SID."""
    same = [sighting for sighting in sightings if sighting.body_sha256 == message.body_sha256]
    others = set(
        session.scalars(
            sa.select(Message.provider_sid).where(
                Message.provider_sid.in_([sighting.sid for sighting in same]), Message.id != message.id
            )
        )
    )
    return next((sighting for sighting in same if sighting.sid not in others), None)


def _abandon(session: Session, *, at: datetime, limit: int) -> None:
    """Call messages unknown whose lease ran out: their sender may have stopped before or after the send."""
    expired = sa.select(Message.id).where(Message.state == State.SENDING, Message.lease_until <= at)
    for message_id in list(session.scalars(expired.limit(limit))):
        journal.move(
            session,
            message_id,
            State.UNKNOWN,
            kind="lease_expired",
            at=at,
            reason=Why.LEASE_EXPIRED.value,
            values={"lease_until": at + SETTLE_AFTER},
        )


def _ask_later(session: Session, message_id: UUID, *, fence: int, at: datetime) -> None:
    session.execute(
        sa.update(Message)
        .where(Message.id == message_id, Message.fence == fence, Message.state == State.UNKNOWN)
        .values(lease_until=at + SETTLE_AFTER)
        .execution_options(synchronize_session=False)
    )


def _requeue(
    session: Session, message_id: UUID, why: Why, *, fence: int, not_before: datetime | None, at: datetime
) -> bool:
    moved = journal.move(
        session,
        message_id,
        State.QUEUED,
        kind="requeued",
        at=at,
        fence=fence,
        reason=why.value,
        values={"not_before": not_before},
    )
    return moved is not None


def _reject(session: Session, claimed: Claimed, code: str, *, at: datetime) -> None:
    message_id, fence, action = claimed.outgoing.message_id, claimed.fence, meaning(code).action
    if action is Action.SLOW:
        _requeue(session, message_id, Why.SLOW_DOWN, fence=fence, not_before=at + LONGEST_PAUSE, at=at)
        return
    if action is Action.BLOCKED:
        journal.move(
            session,
            message_id,
            State.HELD,
            kind="rejected",
            at=at,
            fence=fence,
            reason=Why.PROVIDER_BLOCKED.value,
            provider_code=code,
            values={"not_before": at + BLOCKED_FOR},
        )
        _pause_campaign(session, message_id)
        return
    close_number(session, message_id, code, at=at)
    journal.move(
        session,
        message_id,
        State.FAILED,
        kind="rejected",
        at=at,
        fence=fence,
        reason=code,
        provider_code=code,
    )


def close_number(session: Session, message_id: UUID, code: str, *, at: datetime) -> None:
    """Close a number for texts where a carrier's code says that it is dead or has opted out.

    To be called before the message itself is changed: a STOP locks the number first, too.
    """
    closes = CLOSES.get(meaning(code).action)
    if closes is None:
        return
    message = found(session, Message, message_id)
    point = found(session, ContactPoint, message.contact_point_id)
    contact.suppress(
        session, point.address_token, message.channel, closes, source=f"provider:{code}"[:80], at=at
    )


def _pause_campaign(session: Session, message_id: UUID) -> None:
    message = found(session, Message, message_id)
    if message.campaign_id is not None:
        session.execute(
            sa.update(Campaign)
            .where(Campaign.id == message.campaign_id, Campaign.state == CampaignState.STARTED)
            .values(state=CampaignState.PAUSED, version=Campaign.version + 1)
            .execution_options(synchronize_session=False)
        )


def _hand_back(database: Database, batch: tuple[Claimed, ...], *, at: datetime) -> None:
    """Give back what was claimed and not sent, when a carrier asks us to slow down."""
    with database.transaction(actor=_BY) as session:
        for claimed in batch:
            _requeue(
                session,
                claimed.outgoing.message_id,
                Why.SLOW_DOWN,
                fence=claimed.fence,
                not_before=at + FIRST_PAUSE,
                at=at,
            )
