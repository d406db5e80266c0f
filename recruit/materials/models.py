"""What participants read or hear, the approval behind it, and stored documents."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from recruit.db import Row, Versioned, enum_type
from recruit.retention import Retention


class MaterialKind(StrEnum):
    """What a material is."""

    STUDY_PAGE = "study_page"
    PAYMENT = "payment"
    TRAVEL = "travel"
    QUESTIONS_ANSWERED = "questions_answered"
    NOT_RECRUITING = "not_recruiting"
    AD = "ad"
    SMS = "sms"
    EMAIL = "email"
    VOICEMAIL = "voicemail"
    PHONE_SCRIPT = "phone_script"
    POSTER = "poster"
    LETTER = "letter"
    TRACKER = "tracker"


class MaterialState(StrEnum):
    """Where a version of a material stands on its way to use."""

    DRAFT = "draft"
    INTERNAL_REVIEW = "internal_review"
    SPONSOR_REVIEW = "sponsor_review"
    SUBMITTED = "submitted"
    CHANGES_REQUIRED = "changes_required"
    APPROVED = "approved"
    IN_USE = "in_use"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Determination(StrEnum):
    """What the board said."""

    APPROVED = "approved"
    NOT_REQUIRED = "not_required"
    ACKNOWLEDGED = "acknowledged"


class ApprovedKind(StrEnum):
    """What an approval can be about."""

    MATERIAL_VERSION = "material_version"
    QUESTIONNAIRE_VERSION = "questionnaire_version"
    PROTOCOL_VERSION = "protocol_version"


class Material(Row):
    """One thing participants read or hear, over all its versions and languages."""

    __tablename__ = "material"
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    study_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("study.id"), index=True)
    kind: Mapped[MaterialKind] = mapped_column(enum_type(MaterialKind))
    name: Mapped[str] = mapped_column(sa.String(120))
    created_at: Mapped[datetime]


class MaterialVersion(Versioned, Row):
    """The exact text of a material in one language; ``sha256`` is over its bytes as approved."""

    __tablename__ = "material_version"
    __table_args__ = (sa.UniqueConstraint("material_id", "language", "number"),)
    retention: ClassVar[Retention] = Retention.STUDY_RECORD
    frozen_when: ClassVar[str | None] = "OLD.state NOT IN ('draft', 'internal_review', 'changes_required')"
    frozen_columns: ClassVar[tuple[str, ...]] = (
        "subject",
        "body",
        "sha256",
        "language",
        "number",
        "variables",
    )

    material_id: Mapped[UUID] = mapped_column(sa.ForeignKey("material.id"))
    number: Mapped[int]
    language: Mapped[str] = mapped_column(sa.String(12))
    subject: Mapped[str] = mapped_column(sa.Text, default="")
    body: Mapped[str] = mapped_column(sa.Text)
    variables: Mapped[list[str]]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    state: Mapped[MaterialState] = mapped_column(enum_type(MaterialState), default=MaterialState.DRAFT)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(sa.String(80))


class StoredDocument(Row):
    """A file, sealed under a key of its own: a stamped approval, a certificate of translation."""

    __tablename__ = "document"
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    filename: Mapped[str] = mapped_column(sa.String(255))
    media_type: Mapped[str] = mapped_column(sa.String(80))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    sealed: Mapped[bytes] = mapped_column(deferred=True)
    stored_at: Mapped[datetime]
    stored_by: Mapped[str] = mapped_column(sa.String(80))


class Approval(Versioned, Row):
    """A board's decision: number, determination, conditions, validity, and the files that came with it."""

    __tablename__ = "approval"
    __table_args__ = (
        sa.CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name="validity_order"),
        sa.CheckConstraint("determination <> 'not_required' OR basis <> ''", name="basis_where_not_required"),
    )
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    study_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("study.id"), index=True)
    irb_name: Mapped[str] = mapped_column(sa.String(120))
    submission_number: Mapped[str] = mapped_column(sa.String(80))
    determination: Mapped[Determination] = mapped_column(enum_type(Determination))
    basis: Mapped[str] = mapped_column(sa.Text, default="")
    conditions: Mapped[str] = mapped_column(sa.Text, default="")
    decided_on: Mapped[date]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    document_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("document.id"))
    certificate_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("document.id"))
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str] = mapped_column(sa.String(80))
    withdrawn_at: Mapped[datetime | None]


class ApprovalItem(Row):
    """One thing in one language that an approval covers, pinned by its hash."""

    __tablename__ = "approval_item"
    __table_args__ = (
        sa.UniqueConstraint("approval_id", "subject_id", "language"),
        sa.Index("ix_approval_item_subject", "subject_id", "language"),
    )
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    approval_id: Mapped[UUID] = mapped_column(sa.ForeignKey("approval.id"))
    subject_kind: Mapped[ApprovedKind] = mapped_column(enum_type(ApprovedKind))
    subject_id: Mapped[UUID]
    language: Mapped[str] = mapped_column(sa.String(12), default="")
    sha256: Mapped[str] = mapped_column(sa.String(64))


class ApprovalSite(Row):
    """A study site that an approval is limited to; none means every site of the study."""

    __tablename__ = "approval_site"
    __table_args__ = (sa.UniqueConstraint("approval_id", "study_site_id"),)
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    approval_id: Mapped[UUID] = mapped_column(sa.ForeignKey("approval.id"))
    study_site_id: Mapped[UUID] = mapped_column(sa.ForeignKey("study_site.id"))
