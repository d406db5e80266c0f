"""Where people come in: links, drafts of answers, submissions, and contacts left without answers."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from recruit.db import Row, Versioned, enum_type
from recruit.retention import Retention
from screening.asking.questionnaire import Outcome
from screening.texts import Respondent


class Medium(StrEnum):
    """What kind of placement a link stands in."""

    SOCIAL = "social"
    SEARCH = "search"
    DISPLAY = "display"
    EMAIL = "email"
    SMS = "sms"
    POSTER = "poster"
    RADIO = "radio"
    EVENT = "event"
    DOCTOR = "doctor"
    PARTNER = "partner"
    SITE = "site"
    WORD_OF_MOUTH = "word_of_mouth"
    OTHER = "other"


class HitKind(StrEnum):
    """Who followed a link: a person, or a program that only looked."""

    PERSON = "person"
    PREVIEW = "preview"


class Entrance(StrEnum):
    """By which door answers come in."""

    ONLINE = "online"
    ASSISTED_CALL = "assisted_call"
    WALK_IN = "walk_in"
    KIOSK = "kiosk"
    PREVIEW = "preview"


class DraftStatus(StrEnum):
    """Where a draft stands; a settled one has handed its numbers to the counters."""

    OPEN = "open"
    COMPLETED = "completed"
    SUBMITTED = "submitted"
    STOPPED = "stopped"


class InquiryChannel(StrEnum):
    """How a contact without answers reached us."""

    FORM = "form"
    CSV = "csv"
    WEBHOOK = "webhook"
    API = "api"
    HAND = "hand"
    DOCTOR = "doctor"
    MISSED_CALL = "missed_call"


class SourceLink(Versioned, Row):
    """One placement of one link; its code is all that a URL ever says about where somebody came from."""

    __tablename__ = "source_link"
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    code: Mapped[str] = mapped_column(sa.String(24), unique=True)
    study_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("study.id"), index=True)
    site_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("site.id"))
    medium: Mapped[Medium] = mapped_column(enum_type(Medium))
    channel: Mapped[str] = mapped_column(sa.String(60))
    campaign: Mapped[str] = mapped_column(sa.String(80), default="")
    content: Mapped[str] = mapped_column(sa.String(80), default="")
    material_version_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("material_version.id"))
    is_test: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    stopped_at: Mapped[datetime | None]


class LinkHit(Row):
    """One follow of a link, without anything about who followed it."""

    __tablename__ = "link_hit"
    __table_args__ = (sa.Index("ix_link_hit_source_link_id_at", "source_link_id", "at"),)
    retention: ClassVar[Retention] = Retention.COUNTER
    audited: ClassVar[bool] = False

    source_link_id: Mapped[UUID] = mapped_column(sa.ForeignKey("source_link.id"))
    at: Mapped[datetime]
    kind: Mapped[HitKind] = mapped_column(enum_type(HitKind))


class Draft(Row):
    """Answers on their way, anonymous, sealed under a key of their own.

    The versions, wording and vocabulary it started with stay pinned; the answer statistics behind an adaptive
    order are frozen into the questionnaire's version, and are pinned with it. ``revision`` rises with every
    answer; a page posts the revision it showed, and the newer answer wins.
    """

    __tablename__ = "draft"
    retention: ClassVar[Retention] = Retention.DRAFT
    audited: ClassVar[bool] = False

    token_hash: Mapped[bytes] = mapped_column(unique=True)
    entrance: Mapped[Entrance] = mapped_column(enum_type(Entrance))
    study_id: Mapped[UUID] = mapped_column(sa.ForeignKey("study.id"), index=True)
    study_site_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("study_site.id"))
    protocol_version_id: Mapped[UUID] = mapped_column(sa.ForeignKey("protocol_version.id"))
    questionnaire_version_id: Mapped[UUID] = mapped_column(sa.ForeignKey("questionnaire_version.id"))
    vocabulary_hash: Mapped[str] = mapped_column(sa.String(64))
    source_link_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("source_link.id"))
    language: Mapped[str] = mapped_column(sa.String(12))
    respondent: Mapped[Respondent | None] = mapped_column(enum_type(Respondent))
    status: Mapped[DraftStatus] = mapped_column(enum_type(DraftStatus), default=DraftStatus.OPEN)
    outcome: Mapped[Outcome | None] = mapped_column(enum_type(Outcome))
    revision: Mapped[int] = mapped_column(default=0)
    answers_sealed: Mapped[bytes | None]
    path: Mapped[list[object]]
    started_at: Mapped[datetime]
    last_at: Mapped[datetime] = mapped_column(index=True)
    completed_at: Mapped[datetime | None]
    started_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("account.id"))
    person_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("person.id"))
    is_test: Mapped[bool] = mapped_column(default=False)


class Submission(Row):
    """What a person answered and left with us: the answers as asked, in the version and language shown."""

    __tablename__ = "submission"
    retention: ClassVar[Retention] = Retention.PERSON
    append_only: ClassVar[bool] = True

    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("person.id"), index=True)
    study_id: Mapped[UUID] = mapped_column(sa.ForeignKey("study.id"), index=True)
    study_site_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("study_site.id"))
    draft_id: Mapped[UUID] = mapped_column(unique=True)
    entrance: Mapped[Entrance] = mapped_column(enum_type(Entrance))
    respondent: Mapped[Respondent] = mapped_column(enum_type(Respondent))
    protocol_version_id: Mapped[UUID] = mapped_column(sa.ForeignKey("protocol_version.id"))
    questionnaire_version_id: Mapped[UUID] = mapped_column(sa.ForeignKey("questionnaire_version.id"))
    source_link_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("source_link.id"))
    language: Mapped[str] = mapped_column(sa.String(12))
    outcome: Mapped[Outcome] = mapped_column(enum_type(Outcome))
    answers_sealed: Mapped[bytes]
    submitted_at: Mapped[datetime]
    submitted_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("account.id"))
    is_test: Mapped[bool] = mapped_column(default=False)


class Inquiry(Versioned, Row):
    """Somebody left a contact without answers; the first call has a clock."""

    __tablename__ = "inquiry"
    retention: ClassVar[Retention] = Retention.PERSON

    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("person.id"), index=True)
    study_id: Mapped[UUID] = mapped_column(sa.ForeignKey("study.id"), index=True)
    study_site_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("study_site.id"))
    channel: Mapped[InquiryChannel] = mapped_column(enum_type(InquiryChannel))
    source_link_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("source_link.id"))
    clinician_sealed: Mapped[bytes | None]
    received_at: Mapped[datetime]
    is_test: Mapped[bool] = mapped_column(default=False)


class SettledCounter(Row):
    """Numbers without a person: drafts that ended, by day, study, source, language and outcome."""

    __tablename__ = "settled_counter"
    __table_args__ = (
        sa.Index(
            "one_counter",
            "day",
            "study_id",
            "questionnaire_version_id",
            sa.text("coalesce(source_link_id, '00000000000000000000000000000000')"),
            "language",
            "entrance",
            "reached",
            "last_item",
            unique=True,
        ),
    )
    retention: ClassVar[Retention] = Retention.COUNTER
    audited: ClassVar[bool] = False

    day: Mapped[date]
    study_id: Mapped[UUID] = mapped_column(sa.ForeignKey("study.id"))
    questionnaire_version_id: Mapped[UUID] = mapped_column(sa.ForeignKey("questionnaire_version.id"))
    source_link_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("source_link.id"))
    language: Mapped[str] = mapped_column(sa.String(12))
    entrance: Mapped[Entrance] = mapped_column(enum_type(Entrance))
    reached: Mapped[str] = mapped_column(sa.String(20))
    last_item: Mapped[str] = mapped_column(sa.String(60), default="")
    count: Mapped[int]


class QuestionCounter(Row):
    """Numbers without a person: what became of one question in drafts that ended, by day, source and language.

    ``what`` is "answered", "again" (answered another time), "left" (the draft ended there), or "within." and
    the most seconds that the answer took.
    """

    __tablename__ = "question_counter"
    __table_args__ = (
        sa.Index(
            "one_question_counter",
            "day",
            "questionnaire_version_id",
            sa.text("coalesce(source_link_id, '00000000000000000000000000000000')"),
            "language",
            "entrance",
            "item",
            "what",
            unique=True,
        ),
    )
    retention: ClassVar[Retention] = Retention.COUNTER
    audited: ClassVar[bool] = False

    day: Mapped[date]
    questionnaire_version_id: Mapped[UUID] = mapped_column(sa.ForeignKey("questionnaire_version.id"))
    source_link_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("source_link.id"))
    language: Mapped[str] = mapped_column(sa.String(12))
    entrance: Mapped[Entrance] = mapped_column(enum_type(Entrance))
    item: Mapped[str] = mapped_column(sa.String(60))
    what: Mapped[str] = mapped_column(sa.String(20))
    count: Mapped[int]


class IdempotencyKey(Row):
    """A key posted with a final step: the same body replays the stored answer, another body is refused."""

    __tablename__ = "idempotency_key"
    __table_args__ = (sa.UniqueConstraint("scope", "key_hash"),)
    retention: ClassVar[Retention] = Retention.OPERATION
    audited: ClassVar[bool] = False

    scope: Mapped[str] = mapped_column(sa.String(40))
    key_hash: Mapped[bytes]
    body_hash: Mapped[bytes]
    location: Mapped[str] = mapped_column(sa.Text)
    at: Mapped[datetime]
