"""What a person agreed to, which addresses are closed, and every contact that took place."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from recruit.db import Row, Versioned, enum_type, unique_where
from recruit.retention import Retention


class ContactChannel(StrEnum):
    """A way of reaching somebody."""

    CALL = "call"
    SMS = "sms"
    EMAIL = "email"
    POST = "post"
    VOICEMAIL = "voicemail"
    IN_PERSON = "in_person"


class Purpose(StrEnum):
    """What a consent is for (research: outreach 4; DOMAIN 4)."""

    CHECK_ANSWERS = "check_answers"
    CONTACT = "contact"
    VOICEMAIL_NAMING_STUDY = "voicemail_naming_study"
    REGISTRY = "registry"
    PARTNER_SITE = "partner_site"
    MEDICAL_RECORDS = "medical_records"
    CALL_RECORDING = "call_recording"


class ConsentScope(StrEnum):
    """How far a consent reaches."""

    STUDY = "study"
    REGISTRY = "registry"
    SITE = "site"


class SuppressionReason(StrEnum):
    """Why an address is closed."""

    STOP = "stop"
    WRONG_NUMBER = "wrong_number"
    PERSON_ASKED = "person_asked"
    BOUNCED = "bounced"
    COMPLAINT = "complaint"
    ERASED = "erased"


class Direction(StrEnum):
    """Who spoke to whom."""

    OUT = "out"
    IN = "in"


class Consent(Row):
    """One yes or one no, with the words that were read; a withdrawal is a row of its own.

    What holds is the last row for the same person, channel, purpose and scope, until the day that its words
    name as their end, or until newer words say that it is used no longer (`recruit.contact.wordings`).
    """

    __tablename__ = "consent"
    __table_args__ = (
        sa.Index("ix_consent_person", "person_id", "purpose", "at"),
        sa.CheckConstraint("scope <> 'study' OR study_id IS NOT NULL", name="study_named"),
        sa.CheckConstraint("scope <> 'site' OR site_id IS NOT NULL", name="site_named"),
    )
    retention: ClassVar[Retention] = Retention.PERSON
    append_only: ClassVar[bool] = True

    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("person.id"))
    contact_point_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("contact_point.id"))
    channel: Mapped[ContactChannel | None] = mapped_column(enum_type(ContactChannel))
    purpose: Mapped[Purpose] = mapped_column(enum_type(Purpose))
    scope: Mapped[ConsentScope] = mapped_column(enum_type(ConsentScope))
    study_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("study.id"))
    site_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("site.id"))
    given: Mapped[bool]
    text: Mapped[str] = mapped_column(sa.Text)
    text_sha256: Mapped[str] = mapped_column(sa.String(64))
    text_version: Mapped[str] = mapped_column(sa.String(80))
    language: Mapped[str] = mapped_column(sa.String(12))
    questionnaire_version_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("questionnaire_version.id"))
    """The version whose words were read; none where they stand in no questionnaire."""
    study_site_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("study_site.id"))
    """The site of the study at which they were read, where one was chosen."""
    how: Mapped[str] = mapped_column(sa.String(40))
    at: Mapped[datetime]
    ends_on: Mapped[date | None]
    """The last day on which a yes holds; none where its words name no end."""
    recorded_by: Mapped[str] = mapped_column(sa.String(80))

    def holds_on(self, day: date) -> bool:
        """Tell whether this is a yes that has not ended."""
        return self.given and (self.ends_on is None or day <= self.ends_on)


class Suppression(Versioned, Row):
    """An address that is closed for a channel; keyed by fingerprint, so that it survives erasure."""

    __tablename__ = "suppression"
    __table_args__ = (
        unique_where("one_live_suppression", "address_token", "channel", condition="lifted_at IS NULL"),
    )
    retention: ClassVar[Retention] = Retention.SUPPRESSION

    address_token: Mapped[bytes]
    channel: Mapped[ContactChannel] = mapped_column(enum_type(ContactChannel))
    reason: Mapped[SuppressionReason] = mapped_column(enum_type(SuppressionReason))
    at: Mapped[datetime]
    source: Mapped[str] = mapped_column(sa.String(80))
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(sa.String(80))


class Communication(Row):
    """One contact in either direction: the timeline that the desk shows and the caps count."""

    __tablename__ = "communication"
    __table_args__ = (sa.Index("ix_communication_person_id_at", "person_id", "at"),)
    retention: ClassVar[Retention] = Retention.PERSON
    append_only: ClassVar[bool] = True

    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("person.id"))
    contact_point_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("contact_point.id"))
    direction: Mapped[Direction] = mapped_column(enum_type(Direction))
    channel: Mapped[ContactChannel] = mapped_column(enum_type(ContactChannel))
    purpose: Mapped[str] = mapped_column(sa.String(40))
    outcome: Mapped[str] = mapped_column(sa.String(40))
    study_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("study.id"))
    site_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("site.id"))
    message_id: Mapped[UUID | None]
    note_sealed: Mapped[bytes | None]
    at: Mapped[datetime]
    recorded_by: Mapped[str] = mapped_column(sa.String(80))


class Verification(Row):
    """A code sent to prove that a contact point is the person's; works once, for a short time."""

    __tablename__ = "verification"
    retention: ClassVar[Retention] = Retention.OPERATION
    audited: ClassVar[bool] = False

    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("person.id"), index=True)
    contact_point_id: Mapped[UUID] = mapped_column(sa.ForeignKey("contact_point.id"), index=True)
    code_hash: Mapped[bytes]
    sent_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    wrong_tries: Mapped[int] = mapped_column(default=0)
    verified_at: Mapped[datetime | None]
