"""Read the outbox: counts by state, the conservation check, and rows without anybody's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from campaigns.audience.models import AudienceMember, Campaign
from campaigns.outbox.codes import Why, say
from campaigns.outbox.models import Message, MessageEvent
from campaigns.outbox.states import HANDED_OVER, State
from recruit.contact.policy import Reason
from recruit.db import found


@dataclass(frozen=True, slots=True)
class Conservation:
    """Whether every member of an audience is accounted for, once.

    :param unplanned: members without a message yet
    :param without_sid: messages that a carrier is said to hold, without its id
    :param doubled: messages that a carrier holds under two ids
    """

    members: int
    states: Mapping[State, int]
    unplanned: int
    without_sid: int
    doubled: int

    @property
    def holds(self) -> bool:
        """Whether the audience equals the sum over all states, and nothing is doubled or untraceable."""
        total = sum(self.states.values()) + self.unplanned
        return total == self.members and not self.without_sid and not self.doubled


@dataclass(frozen=True, slots=True)
class Masked:
    """One message as a marketer sees it: no name, no number, no word of health."""

    id: UUID
    reference: str
    state: State
    reason: str
    language: str
    planned_at: datetime
    attempted_at: datetime | None
    awaits_decision: bool


def state_counts(session: Session, campaign_id: UUID) -> dict[State, int]:
    """Count a campaign's messages in every state."""
    rows = session.execute(
        sa.select(Message.state, sa.func.count())
        .where(Message.campaign_id == campaign_id)
        .group_by(Message.state)
    ).all()
    return {State(state): count for state, count in rows}


def conservation(session: Session, campaign_id: UUID) -> Conservation:
    """Check that a campaign has lost nobody and doubled nobody.

    :raises NotFound: there is no such campaign
    """
    audience_id = found(session, Campaign, campaign_id).audience_id
    own = sa.select(Message.id).where(Message.campaign_id == campaign_id)
    planned = sa.exists().where(
        Message.campaign_id == campaign_id, Message.person_id == AudienceMember.person_id
    )
    members = sa.select(sa.func.count()).where(AudienceMember.audience_id == audience_id)
    return Conservation(
        members=session.scalar(members) or 0,
        states=state_counts(session, campaign_id),
        unplanned=session.scalar(members.where(~planned)) or 0,
        without_sid=_count(session, own.where(Message.state.in_(HANDED_OVER), Message.provider_sid.is_(None))),
        doubled=_count(
            session,
            sa.select(MessageEvent.message_id)
            .where(MessageEvent.message_id.in_(own), MessageEvent.kind == "second_sid")
            .distinct(),
        ),
    )


def masked_messages(session: Session, campaign_id: UUID, *, limit: int = 100) -> list[Masked]:
    """List a campaign's messages without saying whose they are; those that wait for a decision come first."""
    asks = {Why.NOT_AT_PROVIDER.value, Reason.OTHER_EPOCH.value, Reason.NO_COMMON_HOURS.value}
    waits = sa.and_(Message.state == State.HELD, Message.reason.in_(asks))
    rows = session.scalars(
        sa.select(Message)
        .where(Message.campaign_id == campaign_id)
        .order_by(sa.case((waits, 0), else_=1), Message.planned_at, Message.id)
        .limit(limit)
    )
    return [
        Masked(
            id=row.id,
            reference=f"…{row.id.hex[-6:]}",
            state=row.state,
            reason=say(row.reason),
            language=row.language,
            planned_at=row.planned_at,
            attempted_at=row.attempted_at,
            awaits_decision=row.state is State.HELD and row.reason in asks,
        )
        for row in rows
    ]


def _count(session: Session, query: sa.Select[UUID]) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0
