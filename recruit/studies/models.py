"""Studies, sites, and the versions and approvals in force where they meet."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from recruit.db import Document, Row, Versioned, enum_type, unique_where
from recruit.retention import Retention


class StudyStatus(StrEnum):
    """Whether a study is being prepared, is open in at least one place, or is over."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"


class StudySiteStatus(StrEnum):
    """Where a site stands in a study; only an activated one takes answers and referrals."""

    SELECTED = "selected"
    START_UP = "start_up"
    INITIATED = "initiated"
    ACTIVATED = "activated"
    PAUSED = "paused"
    ENROLMENT_CLOSED = "enrolment_closed"
    CLOSED_OUT = "closed_out"


class VersionStatus(StrEnum):
    """A draft can be edited; a published version never changes."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class BegunDrafts(StrEnum):
    """What becomes of answers that somebody is giving when newer versions come into force."""

    FINISH = "finish"
    CARRY_OVER = "carry_over"
    WITHDRAW = "withdraw"


class EnrolmentCounts(StrEnum):
    """Which event a study counts as enrolment."""

    ENROLLED = "enrolled"
    RANDOMISED = "randomised"


class Team(StrEnum):
    """Who does a step of first contact."""

    CALL_TEAM = "call_team"
    SITE = "site"
    EITHER = "either"


class HoldReason(StrEnum):
    """Why recruiting stands still."""

    SPONSOR = "sponsor"
    SAFETY = "safety"
    IRB = "irb"
    CAPACITY = "capacity"
    TARGET_REACHED = "target_reached"


class SitePersonRole(StrEnum):
    """What somebody does for a study at a site."""

    PRINCIPAL_INVESTIGATOR = "principal_investigator"
    SUB_INVESTIGATOR = "sub_investigator"
    STUDY_COORDINATOR = "study_coordinator"


class Study(Versioned, Row):
    """One protocol of one sponsor. What participants read is a material, not a column here."""

    __tablename__ = "study"
    __table_args__ = (
        sa.CheckConstraint("budget_minor IS NULL OR budget_minor >= 0", name="budget_not_negative"),
        sa.CheckConstraint("planned_enrolment IS NULL OR planned_enrolment > 0", name="planned_positive"),
    )
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    slug: Mapped[str] = mapped_column(sa.String(60), unique=True)
    status: Mapped[StudyStatus] = mapped_column(enum_type(StudyStatus), default=StudyStatus.DRAFT)
    title: Mapped[str] = mapped_column(sa.Text)
    protocol_number: Mapped[str] = mapped_column(sa.String(80))
    nickname: Mapped[str] = mapped_column(sa.String(80))
    neutral_names: Mapped[dict[str, str]] = mapped_column(Document, default=dict)
    """What it is called where its condition must not be named, by language."""
    sponsor: Mapped[str] = mapped_column(sa.Text, default="")
    cro: Mapped[str] = mapped_column(sa.String(200), default="")
    phase: Mapped[str] = mapped_column(sa.String(80), default="")
    indication: Mapped[str] = mapped_column(sa.Text, default="")
    healthy_volunteers: Mapped[bool | None]
    planned_enrolment: Mapped[int | None]
    recruit_from: Mapped[date | None]
    recruit_until: Mapped[date | None]
    competitive: Mapped[bool] = mapped_column(default=False)
    screen_limit: Mapped[int | None]
    randomise_limit: Mapped[int | None]
    enrolment_counts: Mapped[EnrolmentCounts] = mapped_column(
        enum_type(EnrolmentCounts), default=EnrolmentCounts.RANDOMISED
    )
    rescreen_times: Mapped[int] = mapped_column(default=0)
    rescreen_after_days: Mapped[int] = mapped_column(default=0)
    study_partner_needed: Mapped[bool] = mapped_column(default=False)
    icf_languages: Mapped[list[str]]
    visits: Mapped[dict[str, object]]
    asking: Mapped[str] = mapped_column(sa.String(10), default="fixed")
    cross_study: Mapped[bool] = mapped_column(default=False)
    registry_allowed: Mapped[bool] = mapped_column(default=False)
    offer_other_studies: Mapped[bool] = mapped_column(default=False)
    offer_sponsors: Mapped[list[str]] = mapped_column(default=list)
    screened_out_days: Mapped[int] = mapped_column(default=90)
    budget_minor: Mapped[int | None]
    currency: Mapped[str] = mapped_column(sa.String(3), default="USD")
    safety_contact: Mapped[str] = mapped_column(sa.String(200), default="")
    safety_deputy: Mapped[str] = mapped_column(sa.String(200), default="")
    lead_owner_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("account.id"))
    lead_site_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("site.id"))
    is_test: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class StudyIdentifier(Row):
    """A name of a study in somebody's system, such as ClinicalTrials.gov or EudraCT."""

    __tablename__ = "study_identifier"
    __table_args__ = (
        sa.UniqueConstraint("study_id", "system", "value"),
        unique_where("one_study_per_registry_number", "value", condition="system = 'ClinicalTrials.gov'"),
    )
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    study_id: Mapped[UUID] = mapped_column(sa.ForeignKey("study.id"), index=True)
    system: Mapped[str] = mapped_column(sa.Text)
    value: Mapped[str] = mapped_column(sa.Text)


class Cohort(Versioned, Row):
    """A part of a study with criteria, a cap and a pause of its own; ``code`` is the protocol's."""

    __tablename__ = "cohort"
    __table_args__ = (sa.UniqueConstraint("study_id", "code"),)
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    study_id: Mapped[UUID] = mapped_column(sa.ForeignKey("study.id"))
    code: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[str] = mapped_column(sa.String(200))
    cap: Mapped[int | None]
    is_open: Mapped[bool] = mapped_column(default=True)


class Site(Versioned, Row):
    """A place where studies are run; made by people, never by an import."""

    __tablename__ = "site"
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    slug: Mapped[str] = mapped_column(sa.String(60), unique=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    street: Mapped[str] = mapped_column(sa.String(200), default="")
    city: Mapped[str] = mapped_column(sa.String(120), default="")
    state: Mapped[str] = mapped_column(sa.String(40), default="")
    postcode: Mapped[str] = mapped_column(sa.String(12), default="")
    country: Mapped[str] = mapped_column(sa.String(2), default="US")
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    zone: Mapped[str] = mapped_column(sa.String(64))
    phone: Mapped[str] = mapped_column(sa.String(32), default="")
    languages: Mapped[list[str]]
    interpreter: Mapped[bool] = mapped_column(default=False)
    is_test: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class SiteHours(Row):
    """When a site answers on one weekday (0 is Monday); several rows make a break."""

    __tablename__ = "site_hours"
    __table_args__ = (
        sa.UniqueConstraint("site_id", "weekday", "opens"),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        sa.CheckConstraint("closes > opens", name="closes_after_opens"),
    )
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    site_id: Mapped[UUID] = mapped_column(sa.ForeignKey("site.id"))
    weekday: Mapped[int]
    opens: Mapped[time]
    closes: Mapped[time]


class SiteClosedDay(Row):
    """A day on which a site is closed."""

    __tablename__ = "site_closed_day"
    __table_args__ = (sa.UniqueConstraint("site_id", "day"),)
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    site_id: Mapped[UUID] = mapped_column(sa.ForeignKey("site.id"))
    day: Mapped[date]
    reason: Mapped[str] = mapped_column(sa.String(120), default="")


class StudyImport(Row):
    """One record read from a registry: its hash, what it said, and how it differed from the last one."""

    __tablename__ = "study_import"
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    study_id: Mapped[UUID] = mapped_column(sa.ForeignKey("study.id"), index=True)
    system: Mapped[str] = mapped_column(sa.String(80))
    filename: Mapped[str] = mapped_column(sa.String(255))
    sha256: Mapped[str] = mapped_column(sa.String(64))
    record: Mapped[dict[str, object]]
    differences: Mapped[list[object]]
    imported_at: Mapped[datetime]
    imported_by: Mapped[str] = mapped_column(sa.String(80))


class StudyLocation(Row):
    """A registry's entry of a place; internal text, never one of our sites."""

    __tablename__ = "study_location"
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    study_id: Mapped[UUID] = mapped_column(sa.ForeignKey("study.id"), index=True)
    position: Mapped[int]
    facility: Mapped[str] = mapped_column(sa.Text, default="")
    status: Mapped[str] = mapped_column(sa.String(40), default="")
    city: Mapped[str] = mapped_column(sa.Text, default="")
    state: Mapped[str] = mapped_column(sa.Text, default="")
    postcode: Mapped[str] = mapped_column(sa.Text, default="")
    country: Mapped[str] = mapped_column(sa.Text, default="")
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]


class StudySite(Versioned, Row):
    """A site in a study: who is responsible, what is approved until when, and how much it can take."""

    __tablename__ = "study_site"
    __table_args__ = (
        sa.UniqueConstraint("study_id", "site_id"),
        sa.CheckConstraint(
            "approved_on IS NULL OR approval_expires_on IS NULL OR approval_expires_on >= approved_on",
            name="approval_order",
        ),
    )
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    study_id: Mapped[UUID] = mapped_column(sa.ForeignKey("study.id"))
    site_id: Mapped[UUID] = mapped_column(sa.ForeignKey("site.id"), index=True)
    status: Mapped[StudySiteStatus] = mapped_column(
        enum_type(StudySiteStatus), default=StudySiteStatus.SELECTED
    )
    protocol_site_number: Mapped[str] = mapped_column(sa.String(40), default="")
    study_phone: Mapped[str] = mapped_column(sa.String(32), default="")
    weekly_calls: Mapped[int | None]
    weekly_visits: Mapped[int | None]
    target: Mapped[int | None]
    target_by: Mapped[date | None]
    reimbursed_screen_fail_ratio: Mapped[Decimal | None] = mapped_column(sa.Numeric(6, 2))
    irb_name: Mapped[str] = mapped_column(sa.String(120), default="")
    irb_number: Mapped[str] = mapped_column(sa.String(80), default="")
    approved_on: Mapped[date | None]
    approval_expires_on: Mapped[date | None]
    first_call_by: Mapped[Team] = mapped_column(enum_type(Team, name="first_call_by"), default=Team.CALL_TEAM)
    phone_screen_by: Mapped[Team] = mapped_column(enum_type(Team, name="phone_screen_by"), default=Team.EITHER)
    booking_by: Mapped[Team] = mapped_column(enum_type(Team, name="booking_by"), default=Team.EITHER)
    activated_at: Mapped[datetime | None]


class StudySitePerson(Versioned, Row):
    """Somebody who works on a study at a site, with the tasks delegated and the training behind them."""

    __tablename__ = "study_site_person"
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    study_site_id: Mapped[UUID] = mapped_column(sa.ForeignKey("study_site.id"), index=True)
    role: Mapped[SitePersonRole] = mapped_column(enum_type(SitePersonRole))
    name: Mapped[str] = mapped_column(sa.String(200))
    account_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("account.id"))
    tasks: Mapped[list[str]]
    trained_on: Mapped[date | None]
    from_day: Mapped[date | None]
    until_day: Mapped[date | None]


class ProtocolVersion(Versioned, Row):
    """A protocol's criteria as one document; once published it never changes."""

    __tablename__ = "protocol_version"
    __table_args__ = (sa.UniqueConstraint("study_id", "number"),)
    retention: ClassVar[Retention] = Retention.STUDY_RECORD
    frozen_when: ClassVar[str | None] = "OLD.status <> 'draft' OR OLD.published_at IS NOT NULL"
    frozen_columns: ClassVar[tuple[str, ...]] = ("document", "sha256", "number", "study_id", "published_at")

    study_id: Mapped[UUID] = mapped_column(sa.ForeignKey("study.id"))
    number: Mapped[int]
    label: Mapped[str] = mapped_column(sa.String(120), default="")
    status: Mapped[VersionStatus] = mapped_column(enum_type(VersionStatus), default=VersionStatus.DRAFT)
    document: Mapped[dict[str, object]]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    import_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("study_import.id"))
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(sa.String(80))
    published_at: Mapped[datetime | None]
    published_by: Mapped[str | None] = mapped_column(sa.String(80))


class QuestionnaireVersion(Versioned, Row):
    """Questions with their exact wording in each language; once published it never changes."""

    __tablename__ = "questionnaire_version"
    __table_args__ = (sa.UniqueConstraint("study_id", "number"),)
    retention: ClassVar[Retention] = Retention.STUDY_RECORD
    frozen_when: ClassVar[str | None] = "OLD.status <> 'draft' OR OLD.published_at IS NOT NULL"
    frozen_columns: ClassVar[tuple[str, ...]] = (
        "document",
        "sha256",
        "number",
        "study_id",
        "published_at",
        "touches_earlier",
    )

    study_id: Mapped[UUID] = mapped_column(sa.ForeignKey("study.id"))
    number: Mapped[int]
    label: Mapped[str] = mapped_column(sa.String(120), default="")
    status: Mapped[VersionStatus] = mapped_column(enum_type(VersionStatus), default=VersionStatus.DRAFT)
    document: Mapped[dict[str, object]]
    touches_earlier: Mapped[bool] = mapped_column(default=False)
    """Whether an agreement in it says of earlier words: ask again, or stop using them."""
    sha256: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(sa.String(80))
    published_at: Mapped[datetime | None]
    published_by: Mapped[str | None] = mapped_column(sa.String(80))


class VersionInForce(Row):
    """Which published versions a study site uses from a day on; the latest day that has come counts."""

    __tablename__ = "version_in_force"
    __table_args__ = (sa.UniqueConstraint("study_site_id", "effective_from"),)
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    study_site_id: Mapped[UUID] = mapped_column(sa.ForeignKey("study_site.id"))
    protocol_version_id: Mapped[UUID] = mapped_column(sa.ForeignKey("protocol_version.id"))
    questionnaire_version_id: Mapped[UUID] = mapped_column(sa.ForeignKey("questionnaire_version.id"))
    effective_from: Mapped[date]
    begun_drafts: Mapped[BegunDrafts] = mapped_column(enum_type(BegunDrafts), default=BegunDrafts.FINISH)
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str] = mapped_column(sa.String(80))
    judged_at: Mapped[datetime | None]
    """When the people of the site had all been judged by these criteria."""


class StudyFactKey(Row):
    """A fact that only this study asks about, described like a vocabulary key and attested by a question."""

    __tablename__ = "study_fact_key"
    __table_args__ = (sa.UniqueConstraint("study_id", "name"),)
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    study_id: Mapped[UUID] = mapped_column(sa.ForeignKey("study.id"))
    name: Mapped[str] = mapped_column(sa.String(80))
    document: Mapped[dict[str, object]]
    created_at: Mapped[datetime]


class Hold(Versioned, Row):
    """Recruiting stands still for a study, a site, both together, or a cohort, until a coordinator lifts it."""

    __tablename__ = "hold"
    __table_args__ = (
        sa.CheckConstraint(
            "study_id IS NOT NULL OR site_id IS NOT NULL OR cohort_id IS NOT NULL", name="scope_named"
        ),
        sa.CheckConstraint("lifted_at IS NULL OR lifted_at >= effective_at", name="lifted_after_effective"),
    )
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    study_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("study.id"), index=True)
    site_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("site.id"), index=True)
    cohort_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("cohort.id"))
    reason: Mapped[HoldReason] = mapped_column(enum_type(HoldReason))
    note: Mapped[str] = mapped_column(sa.Text, default="")
    effective_at: Mapped[datetime]
    placed_by: Mapped[str] = mapped_column(sa.String(80))
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(sa.String(80))
