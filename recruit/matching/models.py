"""A person and a study: how the facts stand against the criteria, and what staff made of it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from recruit.db import Row, Versioned, enum_type
from recruit.retention import Retention
from screening.verdict import Disposition


class Triage(StrEnum):
    """Where a match stands in the desk's queue."""

    TO_CALL = "to_call"
    SNOOZED = "snoozed"
    REFERRED = "referred"
    CLOSED = "closed"
    HELD = "held"
    WAITLISTED = "waitlisted"
    DEFERRED = "deferred"


class DueReason(StrEnum):
    """Why somebody is due for a call; what the desk says beside the time."""

    FIRST_CALL = "first_call"
    NEXT_TRY = "next_try"
    PROMISE = "promise"
    DECIDE = "decide"
    SNOOZED = "snoozed"
    DEFERRED = "deferred"
    NO_SHOW = "no_show"
    VISIT_CANCELLED = "visit_cancelled"
    RETURNED = "returned"
    REOPENED = "reopened"
    OTHER_CHANNEL = "other_channel"


class Match(Versioned, Row):
    """One person and one study, from the moment somebody submitted, inquired or was queued.

    The machine's disposition and the effective one (after a staff override) are both kept; only the
    effective one routes. ``attempts`` counts the calls without an answer since ``plan_from``, when the
    present round of calls began.
    """

    __tablename__ = "match"
    __table_args__ = (
        sa.UniqueConstraint("person_id", "study_id"),
        sa.Index("ix_match_queue", "triage", "due_at"),
    )
    retention: ClassVar[Retention] = Retention.PERSON

    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("person.id"))
    study_id: Mapped[UUID] = mapped_column(sa.ForeignKey("study.id"), index=True)
    study_site_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("study_site.id"), index=True)
    triage: Mapped[Triage] = mapped_column(enum_type(Triage), default=Triage.TO_CALL)
    machine_disposition: Mapped[Disposition | None] = mapped_column(
        enum_type(Disposition, name="machine_disposition")
    )
    effective_disposition: Mapped[Disposition | None] = mapped_column(
        enum_type(Disposition, name="effective_disposition")
    )
    first_source_link_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("source_link.id"), index=True)
    last_source_link_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("source_link.id"))
    arrived_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    due_reason: Mapped[DueReason] = mapped_column(enum_type(DueReason), default=DueReason.FIRST_CALL)
    plan_from: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_contact_at: Mapped[datetime | None]
    signed_version_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("protocol_version.id"))
    """The version under which the person gave informed consent; an amendment does not touch them."""
    assigned_to: Mapped[UUID | None] = mapped_column(sa.ForeignKey("account.id"))
    deferred_until: Mapped[date | None]
    closed_reason: Mapped[str] = mapped_column(sa.String(40), default="")
    closed_at: Mapped[datetime | None]
    is_test: Mapped[bool] = mapped_column(default=False)


class Watch(Row):
    """The day on which a match is to be judged again; beside it, so that the desk's lock does not notice."""

    __tablename__ = "match_watch"
    retention: ClassVar[Retention] = Retention.PERSON
    audited: ClassVar[bool] = False

    match_id: Mapped[UUID] = mapped_column(sa.ForeignKey("match.id"), unique=True)
    look_again_on: Mapped[date] = mapped_column(index=True)
    looked_at: Mapped[datetime]


class AssessmentRow(Row):
    """One assessment as it was made, with everything needed to make it again."""

    __tablename__ = "assessment"
    __table_args__ = (sa.Index("ix_assessment_match_id_at", "match_id", "at"),)
    retention: ClassVar[Retention] = Retention.PERSON
    append_only: ClassVar[bool] = True

    match_id: Mapped[UUID] = mapped_column(sa.ForeignKey("match.id"))
    protocol_version_id: Mapped[UUID] = mapped_column(sa.ForeignKey("protocol_version.id"))
    on_day: Mapped[date]
    zone: Mapped[str] = mapped_column(sa.String(64))
    disposition: Mapped[Disposition] = mapped_column(enum_type(Disposition))
    result: Mapped[dict[str, object]]
    fact_ids: Mapped[list[str]]
    engine_hash: Mapped[str] = mapped_column(sa.String(64))
    vocabulary_hash: Mapped[str] = mapped_column(sa.String(64))
    terms_hash: Mapped[str] = mapped_column(sa.String(64))
    policy_hash: Mapped[str] = mapped_column(sa.String(64))
    cause: Mapped[str] = mapped_column(sa.String(40))
    at: Mapped[datetime]


class Override(Versioned, Row):
    """Staff's verdict on one criterion, bound to version and facts seen; kept beside the machine's."""

    __tablename__ = "override"
    retention: ClassVar[Retention] = Retention.PERSON

    match_id: Mapped[UUID] = mapped_column(sa.ForeignKey("match.id"), index=True)
    protocol_version_id: Mapped[UUID] = mapped_column(sa.ForeignKey("protocol_version.id"))
    lineage_id: Mapped[str] = mapped_column(sa.String(60))
    passes: Mapped[bool]
    reason_sealed: Mapped[bytes]
    facts_hash: Mapped[str] = mapped_column(sa.String(64))
    made_at: Mapped[datetime]
    made_by: Mapped[str] = mapped_column(sa.String(80))
    lapsed_at: Mapped[datetime | None]


class Note(Row):
    """What a member of staff wrote down about a person in a study, sealed."""

    __tablename__ = "note"
    retention: ClassVar[Retention] = Retention.PERSON
    append_only: ClassVar[bool] = True

    match_id: Mapped[UUID] = mapped_column(sa.ForeignKey("match.id"), index=True)
    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("person.id"))
    is_record: Mapped[bool] = mapped_column(default=False)
    body_sealed: Mapped[bytes]
    at: Mapped[datetime]
    written_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("account.id"))


class OpenCall(Row):
    """Somebody of ours is on the phone with a person right now; one call at a time across the network.

    The row goes when the call is logged or left; one that was forgotten counts for an hour only.
    """

    __tablename__ = "open_call"
    __table_args__ = (sa.UniqueConstraint("person_id"),)
    retention: ClassVar[Retention] = Retention.OPERATION
    audited: ClassVar[bool] = False

    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("person.id"))
    match_id: Mapped[UUID] = mapped_column(sa.ForeignKey("match.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(sa.ForeignKey("account.id"))
    started_at: Mapped[datetime]


class StageCounter(Row):
    """Numbers without a person: stages that people reached whose rows are gone, by the day they did.

    Written in the transaction that removes the rows, so that counts by study, site and source stay exact:
    a stage's total is what is counted from live rows plus what stands here.
    """

    __tablename__ = "stage_counter"
    __table_args__ = (
        sa.Index(
            "one_stage_counter",
            "day",
            "study_id",
            sa.text("coalesce(study_site_id, '00000000000000000000000000000000')"),
            sa.text("coalesce(source_link_id, '00000000000000000000000000000000')"),
            "stage",
            unique=True,
        ),
    )
    retention: ClassVar[Retention] = Retention.COUNTER
    audited: ClassVar[bool] = False

    day: Mapped[date]
    study_id: Mapped[UUID] = mapped_column(sa.ForeignKey("study.id"))
    study_site_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("study_site.id"))
    source_link_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("source_link.id"))
    stage: Mapped[str] = mapped_column(sa.String(64))
    count: Mapped[int]


class AmendmentCount(Versioned, Row):
    """What a version of criteria would change for a study's people, in numbers, where counting takes long.

    ``sha256`` is that of the criteria that were counted, which may have been those of a draft.
    """

    __tablename__ = "amendment_count"
    retention: ClassVar[Retention] = Retention.COUNTER
    audited: ClassVar[bool] = False

    protocol_version_id: Mapped[UUID] = mapped_column(sa.ForeignKey("protocol_version.id"), unique=True)
    asked_at: Mapped[datetime]
    counted_at: Mapped[datetime | None]
    sha256: Mapped[str] = mapped_column(sa.String(64), default="")
    result: Mapped[dict[str, object] | None]


class FeasibilityCount(Row):
    """One question to the pool: what was asked, the numbers that were shown, and the sets behind them.

    The sets are bits by ``person.slot``, packed. Whatever is asked later is held against all of them, so
    that no row is ever changed or taken away: a number that somebody has read cannot be unread. The bit of
    somebody who was erased since stays, names nobody where their entry was emptied, and never becomes
    somebody else's, because no slot is given twice.
    """

    __tablename__ = "feasibility_count"
    __table_args__ = (sa.Index("ix_feasibility_count_version", "protocol_version_id", "asked_at"),)
    retention: ClassVar[Retention] = Retention.COUNTER
    append_only: ClassVar[bool] = True
    undeletable: ClassVar[bool] = True

    place: Mapped[int] = mapped_column(unique=True)
    """How many rows came before; their sets are numbered in this order."""
    study_id: Mapped[UUID] = mapped_column(sa.ForeignKey("study.id"))
    protocol_version_id: Mapped[UUID] = mapped_column(sa.ForeignKey("protocol_version.id"))
    sha256: Mapped[str] = mapped_column(sa.String(64))
    asked: Mapped[dict[str, object]]
    result: Mapped[dict[str, object]]
    told: Mapped[dict[str, object]]
    """By the digest of each question: the number shown and the place of its set among all sets."""
    sets: Mapped[bytes]
    asked_at: Mapped[datetime]
    asked_by: Mapped[str] = mapped_column(sa.String(80))
