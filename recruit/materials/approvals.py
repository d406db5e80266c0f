"""Approvals: recorded with what exactly they cover, asked before anything is shown or sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit import events
from recruit.db import actor_of, locked
from recruit.errors import Invalid
from recruit.ids import new_id
from recruit.materials.models import Approval, ApprovalItem, ApprovalSite, ApprovedKind, Determination

COVERAGE = "coverage"
"""Where a session keeps what it has read of approvals; forgotten when one is recorded or withdrawn."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a board decided."""

    irb_name: str
    submission_number: str
    determination: Determination
    decided_on: date
    valid_from: date
    valid_until: date | None = None
    basis: str = ""
    conditions: str = ""
    document_id: UUID | None = None
    certificate_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Covered:
    """One thing in one language, pinned by its hash."""

    kind: ApprovedKind
    subject_id: UUID
    language: str
    sha256: str


def record(
    session: Session,
    study_id: UUID | None,
    decision: Decision,
    covered: Sequence[Covered],
    *,
    at: datetime,
    study_site_ids: Sequence[UUID] = (),
) -> Approval:
    """Record a board's decision and exactly what it covers; without sites it covers every site of the study.

    :raises Invalid: nothing is covered, the validity ends before it begins, or a basis is missing
    """
    _check(decision, covered)
    approval = Approval(
        id=new_id(),
        study_id=study_id,
        irb_name=decision.irb_name,
        submission_number=decision.submission_number,
        determination=decision.determination,
        basis=decision.basis,
        conditions=decision.conditions,
        decided_on=decision.decided_on,
        valid_from=decision.valid_from,
        valid_until=decision.valid_until,
        document_id=decision.document_id,
        certificate_id=decision.certificate_id,
        recorded_at=at,
        recorded_by=actor_of(session),
    )
    session.add(approval)
    session.flush()
    session.add_all(
        ApprovalItem(
            approval_id=approval.id,
            subject_kind=one.kind,
            subject_id=one.subject_id,
            language=one.language,
            sha256=one.sha256,
        )
        for one in covered
    )
    session.add_all(ApprovalSite(approval_id=approval.id, study_site_id=key) for key in study_site_ids)
    session.flush()
    session.info.pop(COVERAGE, None)
    events.record(
        session,
        "approval.recorded",
        subject=("approval", approval.id),
        happened_on=decision.decided_on,
        at=at,
        study_id=study_id,
        payload={"items": len(covered), "determination": decision.determination.value},
    )
    return approval


def withdraw(session: Session, approval_id: UUID, *, at: datetime) -> Approval:
    """Note that a board took its decision back; whatever rested on it stops at once."""
    approval = locked(session, Approval, approval_id)
    if approval.withdrawn_at is None:
        approval.withdrawn_at = at
        session.info.pop(COVERAGE, None)
    return approval


def covers(
    session: Session,
    kind: ApprovedKind,
    subject_id: UUID,
    *,
    language: str,
    sha256: str,
    study_site_id: UUID | None,
    on: date,
) -> bool:
    """Say whether a live approval covers these exact bytes in this language, at this site, on this day."""
    return (
        session.scalar(
            live(kind, subject_id, language=language, sha256=sha256, study_site_id=study_site_id, on=on).limit(
                1
            )
        )
        is not None
    )


@dataclass(frozen=True, slots=True)
class Cover:
    """One thing that a standing approval covers, from day to day; without a site it does so everywhere."""

    subject_id: UUID
    language: str
    sha256: str
    study_site_id: UUID | None
    valid_from: date
    valid_until: date | None

    def reaches(self, study_site_id: UUID | None, on: date) -> bool:
        """Say whether it holds at a site on a day."""
        here = self.study_site_id is None or self.study_site_id == study_site_id
        return here and self.valid_from <= on and (self.valid_until is None or on <= self.valid_until)


def coverage(session: Session, kind: ApprovedKind, subject_ids: Collection[UUID]) -> tuple[Cover, ...]:
    """Collect what stands behind many things, read once in a session; ``covers`` asks about a single one."""
    known: dict[object, tuple[Cover, ...]] = session.info.setdefault(COVERAGE, {})
    key = (kind, frozenset(subject_ids))
    if key not in known:
        known[key] = _coverage(session, kind, subject_ids)
    return known[key]


def _coverage(session: Session, kind: ApprovedKind, subject_ids: Collection[UUID]) -> tuple[Cover, ...]:
    rows = session.execute(
        sa.select(
            ApprovalItem.subject_id,
            ApprovalItem.language,
            ApprovalItem.sha256,
            ApprovalSite.study_site_id,
            Approval.valid_from,
            Approval.valid_until,
        )
        .join(Approval, Approval.id == ApprovalItem.approval_id)
        .outerjoin(ApprovalSite, ApprovalSite.approval_id == Approval.id)
        .where(ApprovalItem.subject_kind == kind, ApprovalItem.subject_id.in_(subject_ids))
        .where(Approval.withdrawn_at.is_(None))
    )
    return tuple(Cover(*row) for row in rows)


def live(
    kind: ApprovedKind, subject_id: UUID, *, language: str, sha256: str, study_site_id: UUID | None, on: date
) -> sa.Select[UUID]:
    """Give the query for the approvals that cover something; see ``covers``."""
    limited = sa.select(ApprovalSite.approval_id).where(ApprovalSite.approval_id == Approval.id)
    here = limited.where(ApprovalSite.study_site_id == study_site_id)
    return (
        sa.select(Approval.id)
        .join(ApprovalItem, ApprovalItem.approval_id == Approval.id)
        .where(
            ApprovalItem.subject_kind == kind,
            ApprovalItem.subject_id == subject_id,
            ApprovalItem.language == language,
            ApprovalItem.sha256 == sha256,
            Approval.withdrawn_at.is_(None),
            Approval.valid_from <= on,
            sa.or_(Approval.valid_until.is_(None), Approval.valid_until >= on),
            sa.or_(~limited.exists(), here.exists()),
        )
    )


def _check(decision: Decision, covered: Sequence[Covered]) -> None:
    if not covered:
        raise Invalid("Choose at least one thing that this approval covers.", field="covered")
    if not decision.irb_name.strip() or not decision.submission_number.strip():
        raise Invalid("Enter the board's name and its number for this submission.", field="submission_number")
    if decision.valid_until is not None and decision.valid_until < decision.valid_from:
        raise Invalid("The approval cannot end before it begins.", field="valid_until")
    if decision.determination is Determination.NOT_REQUIRED and not decision.basis.strip():
        raise Invalid("Say on which basis no approval is required.", field="basis")
