"""What happened: one immutable row for each event, and the order in which readers see them.

An event names its subject and carries only ids and codes. ``happened_on`` is the day it took place,
``recorded_at`` the instant we learned of it; clocks use the first. A correction is a new event that voids
an old one. ``event_position`` is written after commit, by one sequencer, and is the only cursor: a reader
who has seen position n has seen everything before it.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from recruit.db import Base, Row, actor_of, enum_type, unique_where
from recruit.ids import new_id
from recruit.retention import Retention


class Precision(StrEnum):
    """How exactly a day is known."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


class Channel(StrEnum):
    """By which way we learned of an event."""

    WEB = "web"
    CALL_TEAM = "call_team"
    SITE = "site"
    CALL_TEAM_FOR_SITE = "call_team_for_site"
    SITE_LINK = "site_link"
    IMPORT = "import"
    API = "api"
    SYSTEM = "system"


class Event(Row):
    """One thing that happened to one subject."""

    __tablename__ = "event"
    __table_args__ = (
        sa.Index("ix_event_subject", "subject_kind", "subject_id", "recorded_at"),
        sa.Index("ix_event_type", "type", "happened_on"),
        unique_where("one_void_per_event", "voids_id", condition="voids_id IS NOT NULL"),
    )
    retention: ClassVar[Retention] = Retention.STUDY_RECORD
    audited: ClassVar[bool] = False
    append_only: ClassVar[bool] = True
    undeletable: ClassVar[bool] = True

    type: Mapped[str] = mapped_column(sa.String(64))
    subject_kind: Mapped[str] = mapped_column(sa.String(40))
    subject_id: Mapped[UUID]
    study_id: Mapped[UUID | None] = mapped_column(index=True)
    site_id: Mapped[UUID | None]
    payload: Mapped[dict[str, object]]
    happened_on: Mapped[date]
    precision: Mapped[Precision] = mapped_column(enum_type(Precision), default=Precision.DAY)
    happened_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(sa.String(80))
    channel: Mapped[Channel] = mapped_column(enum_type(Channel))
    voids_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("event.id"))


class EventPosition(Base):
    """The place of an event in the order readers follow."""

    __tablename__ = "event_position"
    retention: ClassVar[Retention] = Retention.STUDY_RECORD
    audited: ClassVar[bool] = False
    append_only: ClassVar[bool] = True
    undeletable: ClassVar[bool] = True

    position: Mapped[int] = mapped_column(
        sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True
    )
    event_id: Mapped[UUID] = mapped_column(sa.ForeignKey("event.id"), unique=True)


class EventWaiting(Base):
    """An event that has no position yet, so that the sequencer looks at nothing but what is new.

    Without a foreign key: the row is written beside its event, in whichever order a flush takes.
    """

    __tablename__ = "event_waiting"
    retention: ClassVar[Retention] = Retention.OPERATION
    audited: ClassVar[bool] = False

    event_id: Mapped[UUID] = mapped_column(primary_key=True)


def record(
    session: Session,
    type_: str,
    *,
    subject: tuple[str, UUID],
    happened_on: date,
    at: datetime,
    happened_at: datetime | None = None,
    precision: Precision = Precision.DAY,
    channel: Channel = Channel.WEB,
    study_id: UUID | None = None,
    site_id: UUID | None = None,
    payload: dict[str, object] | None = None,
    voids: UUID | None = None,
) -> Event:
    """Write down what happened, in the transaction that made it so.

    :param subject: kind and id, such as ``("referral", referral.id)``
    :param payload: ids and codes only; never an answer, a name or a number
    """
    event = Event(
        id=new_id(),
        type=type_,
        subject_kind=subject[0],
        subject_id=subject[1],
        study_id=study_id,
        site_id=site_id,
        payload=payload or {},
        happened_on=happened_on,
        happened_at=happened_at,
        precision=precision,
        recorded_at=at,
        actor=actor_of(session),
        channel=channel,
        voids_id=voids,
    )
    session.add_all((event, EventWaiting(event_id=event.id)))
    return event


def sequence(session: Session, *, limit: int = 1000) -> int:
    """Give every event without one its position, oldest first; return how many were placed.

    Run by one job under a lease. Events are sequenced after they are committed, so a slow transaction never
    slips in behind a reader's cursor.
    """
    last = session.scalar(sa.select(sa.func.max(EventPosition.position))) or 0
    waiting = (
        sa.select(Event.id)
        .join(EventWaiting, EventWaiting.event_id == Event.id)
        .order_by(Event.recorded_at, Event.id)
        .limit(limit)
    )
    ids = list(session.scalars(waiting))
    if ids:
        placed = [{"position": last + n, "event_id": event_id} for n, event_id in enumerate(ids, start=1)]
        session.execute(sa.insert(EventPosition), placed)
        session.execute(sa.delete(EventWaiting).where(EventWaiting.event_id.in_(ids)))
    return len(ids)


def is_anything_waiting(session: Session) -> bool:
    """Say whether an event has no position yet."""
    return session.scalar(sa.select(EventWaiting.event_id).limit(1)) is not None


def standing(session: Session, subject: tuple[str, UUID]) -> list[Event]:
    """List a subject's events that no later event voids, in the order they happened."""
    voided = sa.select(Event.voids_id).where(Event.voids_id.is_not(None), Event.subject_id == subject[1])
    query = (
        sa.select(Event)
        .where(Event.subject_kind == subject[0], Event.subject_id == subject[1])
        .where(Event.voids_id.is_(None), Event.id.not_in(voided))
        .order_by(Event.happened_on, Event.recorded_at, Event.id)
    )
    return list(session.scalars(query))
