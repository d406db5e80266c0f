"""Holds: one button that stops recruiting for a study, a site, both together, or a cohort."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit import events
from recruit.db import actor_of, locked, publish
from recruit.errors import Invalid, Refused
from recruit.ids import new_id
from recruit.matching import service as matching
from recruit.matching.models import Match, Triage
from recruit.referrals.models import Referral
from recruit.studies.models import Hold, HoldReason, StudySite
from recruit.visits.models import Visit, VisitStatus


@dataclass(frozen=True, slots=True)
class HoldChanged:
    """A hold came into being or was lifted; queued messages and ads have to follow."""

    hold_id: UUID
    study_id: UUID | None
    site_id: UUID | None
    lifted: bool


def place(
    session: Session,
    *,
    reason: HoldReason,
    at: datetime,
    effective_at: datetime | None = None,
    study_id: UUID | None = None,
    site_id: UUID | None = None,
    cohort_id: UUID | None = None,
    note: str = "",
) -> Hold:
    """Stop recruiting; people who wait to be called are marked as held.

    :raises Invalid: nothing is named
    """
    if study_id is None and site_id is None and cohort_id is None:
        raise Invalid("Say what to put on hold.", field="study_id")
    hold = Hold(
        id=new_id(),
        study_id=study_id,
        site_id=site_id,
        cohort_id=cohort_id,
        reason=reason,
        note=note,
        effective_at=effective_at or at,
        placed_by=actor_of(session),
    )
    session.add(hold)
    session.flush()
    if cohort_id is None and hold.effective_at <= at:
        _hold_queue(session, hold)
    _tell(session, hold, "hold.placed", at=at, lifted=False)
    return hold


def lift(session: Session, hold_id: UUID, *, at: datetime) -> Hold:
    """Let recruiting go on; people who were held come back to the queue with their old due time or now.

    :raises Refused: it was lifted before
    """
    hold = locked(session, Hold, hold_id)
    if hold.lifted_at is not None:
        raise Refused("This hold has been lifted already.")
    hold.lifted_at, hold.lifted_by = max(at, hold.effective_at), actor_of(session)
    session.flush()
    _release_queue(session, hold, at=at)
    _tell(session, hold, "hold.lifted", at=at, lifted=True)
    return hold


def apply_due(session: Session, *, at: datetime) -> int:
    """Mark the people held by holds whose time has come; return how many holds were looked at."""
    due = session.scalars(
        sa.select(Hold).where(Hold.effective_at <= at, Hold.lifted_at.is_(None), Hold.cohort_id.is_(None))
    ).all()
    for hold in due:
        _hold_queue(session, hold)
    return len(due)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a hold stops: people who wait for a call, and visits that are booked and have to be called down."""

    waiting: int
    booked: int


def effect(session: Session, hold: Hold, *, at: datetime) -> Effect:
    """Count whom a hold keeps waiting and how many booked visits lie ahead; nobody for one of a cohort."""
    if hold.cohort_id is not None:
        return Effect(0, 0)
    waiting = sa.select(sa.func.count()).select_from(Match).where(Match.triage == Triage.HELD, *_affected(hold))
    booked = (
        sa.select(sa.func.count())
        .select_from(Visit)
        .join(Referral, Referral.id == Visit.referral_id)
        .join(StudySite, StudySite.id == Referral.study_site_id)
        .where(Visit.starts_at >= at, Visit.status.in_((VisitStatus.BOOKED, VisitStatus.CONFIRMED)))
    )
    if hold.study_id is not None:
        booked = booked.where(StudySite.study_id == hold.study_id)
    if hold.site_id is not None:
        booked = booked.where(StudySite.site_id == hold.site_id)
    return Effect(session.scalar(waiting) or 0, session.scalar(booked) or 0)


def _affected(hold: Hold) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if hold.study_id is not None:
        conditions.append(Match.study_id == hold.study_id)
    if hold.site_id is not None:
        here = sa.select(StudySite.id).where(StudySite.site_id == hold.site_id)
        conditions.append(Match.study_site_id.in_(here))
    return conditions


def _hold_queue(session: Session, hold: Hold) -> None:
    waiting = session.scalars(
        sa.select(Match).where(Match.triage == Triage.TO_CALL, *_affected(hold)).with_for_update()
    )
    for match in waiting:
        match.triage = Triage.HELD
    session.flush()


def _release_queue(session: Session, hold: Hold, *, at: datetime) -> None:
    held = session.scalars(
        sa.select(Match).where(Match.triage == Triage.HELD, *_affected(hold)).with_for_update()
    )
    for match in held.all():
        matching.release(session, match, at=at)
    session.flush()


def _tell(session: Session, hold: Hold, type_: str, *, at: datetime, lifted: bool) -> None:
    events.record(
        session,
        type_,
        subject=("hold", hold.id),
        happened_on=at.date(),
        happened_at=at,
        at=at,
        study_id=hold.study_id,
        site_id=hold.site_id,
        payload={"reason": hold.reason.value},
    )
    publish(session, HoldChanged(hold.id, hold.study_id, hold.site_id, lifted))
