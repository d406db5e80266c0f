"""Visits at a site, booked for a referral."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from recruit.db import Row, Versioned, enum_type
from recruit.retention import Retention


class VisitKind(StrEnum):
    """What a visit is for."""

    SCREENING = "screening"
    BASELINE = "baseline"
    STUDY = "study"
    PHONE = "phone"


class VisitStatus(StrEnum):
    """Where a visit stands."""

    BOOKED = "booked"
    CONFIRMED = "confirmed"
    RESCHEDULED = "rescheduled"
    CANCELLED = "cancelled"
    ATTENDED = "attended"
    NO_SHOW = "no_show"


class CancelledBy(StrEnum):
    """Who called a visit off."""

    PARTICIPANT = "participant"
    SITE = "site"
    STUDY = "study"


class Visit(Versioned, Row):
    """One appointment; a rescheduled one names the visit that takes its place."""

    __tablename__ = "visit"
    __table_args__ = (sa.CheckConstraint("minutes > 0", name="minutes_positive"),)
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    referral_id: Mapped[UUID] = mapped_column(sa.ForeignKey("referral.id"), index=True)
    kind: Mapped[VisitKind] = mapped_column(enum_type(VisitKind), default=VisitKind.SCREENING)
    starts_at: Mapped[datetime] = mapped_column(index=True)
    minutes: Mapped[int] = mapped_column(default=60)
    place: Mapped[str] = mapped_column(sa.Text, default="")
    status: Mapped[VisitStatus] = mapped_column(enum_type(VisitStatus), default=VisitStatus.BOOKED)
    cancelled_by: Mapped[CancelledBy | None] = mapped_column(enum_type(CancelledBy))
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    replaced_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("visit.id"))
    booked_at: Mapped[datetime]
    booked_by: Mapped[str] = mapped_column(sa.String(80))
