"""Campaigns and the frozen lists of people they go to."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from recruit.contact.models import ContactChannel
from recruit.contact.policy import MessagePurpose
from recruit.db import Row, Versioned, enum_type
from recruit.retention import Retention


class CampaignState(StrEnum):
    """Where a campaign stands."""

    READY = "ready"
    STARTED = "started"
    PAUSED = "paused"
    CANCELLED = "cancelled"


class Audience(Row):
    """A snapshot of whom a campaign goes to, with the criteria and how many were left out for what."""

    __tablename__ = "audience"
    __table_args__ = (sa.CheckConstraint("size >= 0", name="size_not_negative"),)
    retention: ClassVar[Retention] = Retention.STUDY_RECORD
    append_only: ClassVar[bool] = True

    study_id: Mapped[UUID] = mapped_column(sa.ForeignKey("study.id"), index=True)
    channel: Mapped[ContactChannel] = mapped_column(enum_type(ContactChannel))
    criteria: Mapped[dict[str, object]]
    handed_over: Mapped[bool]
    size: Mapped[int]
    left_out: Mapped[dict[str, object]]
    frozen_at: Mapped[datetime]
    frozen_by: Mapped[str] = mapped_column(sa.String(80))


class AudienceMember(Row):
    """One person at one address, in one audience once; a shared number is written to once."""

    __tablename__ = "audience_member"
    __table_args__ = (
        sa.UniqueConstraint("audience_id", "person_id"),
        sa.UniqueConstraint("audience_id", "contact_point_id"),
    )
    retention: ClassVar[Retention] = Retention.PERSON
    audited: ClassVar[bool] = False
    append_only: ClassVar[bool] = True

    audience_id: Mapped[UUID] = mapped_column(sa.ForeignKey("audience.id"))
    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("person.id"), index=True)
    contact_point_id: Mapped[UUID] = mapped_column(sa.ForeignKey("contact_point.id"))
    study_site_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("study_site.id"))


class Campaign(Versioned, Row):
    """One approved message to one frozen audience; ``request_key`` makes asking twice harmless."""

    __tablename__ = "campaign"
    __table_args__ = (
        sa.CheckConstraint("expires_at > created_at", name="expires_after_creation"),
        sa.CheckConstraint("state <> 'started' OR started_at IS NOT NULL", name="started_when"),
    )
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    name: Mapped[str] = mapped_column(sa.String(80))
    study_id: Mapped[UUID] = mapped_column(sa.ForeignKey("study.id"), index=True)
    audience_id: Mapped[UUID] = mapped_column(sa.ForeignKey("audience.id"), unique=True)
    material_version_id: Mapped[UUID] = mapped_column(sa.ForeignKey("material_version.id"))
    material_sha256: Mapped[str] = mapped_column(sa.String(64))
    purpose: Mapped[MessagePurpose] = mapped_column(enum_type(MessagePurpose))
    source_link_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("source_link.id"))
    state: Mapped[CampaignState] = mapped_column(enum_type(CampaignState), default=CampaignState.READY)
    request_key: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(sa.String(80))
    expires_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    started_by: Mapped[str | None] = mapped_column(sa.String(80))
    ended_at: Mapped[datetime | None]
