"""Messages as rows, and everything that happened to each."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.outbox.states import State
from recruit.contact.models import ContactChannel
from recruit.contact.policy import MessagePurpose
from recruit.db import Row, enum_type, unique_where
from recruit.retention import Retention


class Message(Row):
    """One message to one address, from the plan to the receipt.

    ``dedupe_key`` makes planning twice harmless. ``state`` changes only by a conditional UPDATE with a
    ``MessageEvent`` beside it; ``fence`` rises with every change, so that a worker that was stopped for too
    long finds out. The text is sealed under the person's key, or the contact point's where there is no
    person; the address stays sealed in the contact point. One message at a time is on its way to a number.
    """

    __tablename__ = "message"
    __table_args__ = (
        sa.Index("ix_message_due", "state", "priority", "not_before"),
        sa.Index("ix_message_campaign_id_state", "campaign_id", "state"),
        unique_where(
            "one_in_flight_per_number", "contact_point_id", condition="state IN ('sending', 'unknown')"
        ),
        sa.CheckConstraint("attempt >= 0 AND fence >= 0", name="counts_not_negative"),
        sa.CheckConstraint("state <> 'sending' OR lease_until IS NOT NULL", name="sending_has_lease"),
        sa.CheckConstraint(
            "(material_version_id IS NULL) = (purpose IN ('verification', 'service'))", name="wording_named"
        ),
    )
    retention: ClassVar[Retention] = Retention.PERSON
    audited: ClassVar[bool] = False
    """Its events are its trail: one for every change of state, with who and why."""

    dedupe_key: Mapped[str] = mapped_column(sa.String(120), unique=True)
    purpose: Mapped[MessagePurpose] = mapped_column(enum_type(MessagePurpose))
    channel: Mapped[ContactChannel] = mapped_column(enum_type(ContactChannel))
    person_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    contact_point_id: Mapped[UUID] = mapped_column(sa.ForeignKey("contact_point.id"), index=True)
    study_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("study.id"))
    study_site_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("study_site.id"))
    campaign_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("campaign.id"))
    material_version_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("material_version.id"))
    material_sha256: Mapped[str] = mapped_column(sa.String(64))
    language: Mapped[str] = mapped_column(sa.String(12))
    body_sealed: Mapped[bytes]
    body_sha256: Mapped[str] = mapped_column(sa.String(64))
    priority: Mapped[int] = mapped_column(sa.SmallInteger)
    planned_at: Mapped[datetime]
    not_before: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    state: Mapped[State] = mapped_column(enum_type(State, name="message_state"), default=State.PLANNED)
    reason: Mapped[str] = mapped_column(sa.String(40), default="")
    attempt: Mapped[int] = mapped_column(default=0)
    fence: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    attempted_at: Mapped[datetime | None]
    consent_id: Mapped[UUID | None]
    provider: Mapped[str] = mapped_column(sa.String(20), default="")
    provider_sid: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    sending_epoch: Mapped[int]
    is_test: Mapped[bool] = mapped_column(default=False)


class MessageEvent(Row):
    """One change of a message, or one report about it that changed nothing."""

    __tablename__ = "message_event"
    __table_args__ = (sa.Index("ix_message_event_message_id_at", "message_id", "at"),)
    retention: ClassVar[Retention] = Retention.PERSON
    audited: ClassVar[bool] = False
    append_only: ClassVar[bool] = True

    message_id: Mapped[UUID] = mapped_column(sa.ForeignKey("message.id"))
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(sa.String(20))
    state_before: Mapped[State] = mapped_column(enum_type(State, name="state_before"))
    state_after: Mapped[State] = mapped_column(enum_type(State, name="state_after"))
    reason: Mapped[str] = mapped_column(sa.String(40), default="")
    attempt: Mapped[int]
    fence: Mapped[int]
    provider_sid: Mapped[str] = mapped_column(sa.String(64), default="")
    provider_code: Mapped[str] = mapped_column(sa.String(20), default="")
    actor: Mapped[str] = mapped_column(sa.String(80))
