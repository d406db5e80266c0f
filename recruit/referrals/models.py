"""A person handed to a site for a study, and where that stands."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from recruit.db import Row, Versioned, enum_type, unique_where
from recruit.referrals.states import State
from recruit.retention import Retention


class ReasonKind(StrEnum):
    """What a reason explains."""

    NOT_INTERESTED = "not_interested"
    COULD_NOT_REACH = "could_not_reach"
    RETURNED_BY_SITE = "returned_by_site"
    WITHDRAWN = "withdrawn"


class Referral(Versioned, Row):
    """One person handed to one site for one study.

    The assessment is kept as it stood when the hand-over was made, so that feedback is learned against
    what the site was shown, not what we know now. ``state`` is derived from the standing events and is
    written only together with one. A closed state sets ``closed_at``; one open referral for a person and
    study is all the database allows.
    """

    __tablename__ = "referral"
    __table_args__ = (
        unique_where("one_open_referral", "person_id", "study_id", condition="closed_at IS NULL"),
        sa.Index("ix_referral_study_site_id_state", "study_site_id", "state"),
        sa.CheckConstraint("closed_at IS NULL OR closed_at >= referred_at", name="closed_after_referred"),
    )
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("person.id"), index=True)
    study_id: Mapped[UUID] = mapped_column(sa.ForeignKey("study.id"))
    study_site_id: Mapped[UUID] = mapped_column(sa.ForeignKey("study_site.id"))
    match_id: Mapped[UUID] = mapped_column(sa.ForeignKey("match.id"), index=True)
    assessment_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("assessment.id"))
    protocol_version_id: Mapped[UUID] = mapped_column(sa.ForeignKey("protocol_version.id"))
    state: Mapped[State] = mapped_column(enum_type(State), default=State.REFERRED)
    state_since: Mapped[date]
    referred_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    subject_number: Mapped[str] = mapped_column(sa.String(40), default="")
    owner_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("account.id"))
    is_test: Mapped[bool] = mapped_column(default=False)


class Reason(Versioned, Row):
    """A reason staff can choose; a study may have its own in place of the operator's."""

    __tablename__ = "reason"
    __table_args__ = (
        sa.Index(
            "one_reason",
            sa.text("coalesce(study_id, '00000000000000000000000000000000')"),
            "kind",
            "code",
            unique=True,
        ),
    )
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    study_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("study.id"))
    kind: Mapped[ReasonKind] = mapped_column(enum_type(ReasonKind))
    code: Mapped[str] = mapped_column(sa.String(40))
    label: Mapped[str] = mapped_column(sa.String(120))
    position: Mapped[int] = mapped_column(default=0)
    retired_at: Mapped[datetime | None]
