"""Holds: one button that stops recruiting for a study, a site, both together, or a cohort."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit import events
from recruit.db import actor_of, locked
from recruit.errors import Invalid, Refused
from recruit.events import Event
from recruit.ids import new_id
from recruit.matching import assessing, queries
from recruit.matching import service as matching
from recruit.matching.assessing import Judged
from recruit.matching.models import AssessmentRow, Match, Triage
from recruit.referrals.models import Referral
from recruit.studies.models import Cohort, Hold, HoldReason, StudySite
from recruit.visits.models import Visit, VisitStatus
from screening.assessment.assess import CohortDisposition
from screening.assessment.overrides import effective
from screening.verdict import Disposition

BEGUN = "hold.begun"
Affected = Sequence[sa.ColumnElement[bool]]
"""Conditions on ``Match`` that name whom a hold or a cohort is about."""


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

    On the hold of a cohort those wait who fit no other one that is open; all others go on.

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
    _tell(session, hold, "hold.placed", at=at)
    if hold.effective_at <= at:
        _hold_queue(session, hold, at=at)
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
    _tell(session, hold, "hold.lifted", at=at)
    return hold


def apply_due(session: Session, *, at: datetime) -> int:
    """Mark the people held by holds whose time has come; return how many holds were looked at."""
    due = session.scalars(
        sa.select(Hold).where(Hold.effective_at <= at, Hold.lifted_at.is_(None), ~_has_judged())
    ).all()
    for hold in due:
        _hold_queue(session, hold, at=at)
        if hold.cohort_id is not None:
            _tell(session, hold, BEGUN, at=at)
    return len(due)


def settle(session: Session, match: Match, assessed: AssessmentRow | None, *, at: datetime) -> None:
    """Let a match that was judged and queued wait where a hold on a cohort is all that stops the person.

    :param assessed: what the judging gave; a protocol without cohorts lets nobody wait for one
    """
    if assessed is None or not assessed.result.get("cohorts") or not _waits_for_cohort(session, match, at=at):
        return
    if match.triage is Triage.CLOSED and match.closed_reason == matching.RULED_OUT:
        match.triage, match.closed_reason, match.closed_at = Triage.HELD, "", None
    elif match.triage is Triage.TO_CALL:
        match.triage = Triage.HELD


def follow_cohort(
    session: Session, study_id: UUID, *, is_open: bool, closed_since: datetime | None = None, at: datetime
) -> None:
    """Let the people of a study follow a cohort that was opened or closed by its own setting.

    :param closed_since: when the cohort that opens now was closed; nothing where nobody knows
    """
    here = [Match.study_id == study_id]
    may_come_back = _ruled_out_since(closed_since) if is_open else sa.false()
    _judge_waiting(session, here, may_come_back, cause="cohort", at=at)
    _let_go_on(session, here, at=at)


def require_open_cohort(session: Session, match: Match, study_site_id: UUID, *, at: datetime) -> None:
    """Check that a cohort that the person may fit takes people at a site.

    :raises Refused: all of them are on hold or closed
    """
    if not queries.closed_cohorts(session, match.study_id, at=at, study_site_id=study_site_id):
        return
    closed = _closed_to(assessing.judge(session, match, at=at, study_site_id=study_site_id))
    if closed & queries.held_cohorts(session, match.study_id, at=at, study_site_id=study_site_id):
        raise Refused("Recruiting is on hold here. New referrals wait until a coordinator lifts the hold.")
    if closed:
        raise Refused("No cohort that this person may fit takes people now.")


@dataclass(frozen=True, slots=True)
class Effect:
    """What a hold stops: people who wait for a call, and visits that are booked and have to be called down."""

    waiting: int
    booked: int


def effect(session: Session, hold: Hold, *, at: datetime) -> Effect:
    """Count whom a hold keeps waiting and how many booked visits lie ahead; none are known by cohort."""
    waiting = sa.select(sa.func.count()).select_from(Match).where(Match.triage == Triage.HELD, *_affected(hold))
    if hold.cohort_id is not None:
        return Effect(session.scalar(waiting) or 0, 0)
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


def _affected(hold: Hold) -> Affected:
    conditions: list[sa.ColumnElement[bool]] = []
    if hold.study_id is not None:
        conditions.append(Match.study_id == hold.study_id)
    if hold.cohort_id is not None:
        conditions.append(Match.study_id.in_(sa.select(Cohort.study_id).where(Cohort.id == hold.cohort_id)))
    if hold.site_id is not None:
        here = sa.select(StudySite.id).where(StudySite.site_id == hold.site_id)
        conditions.append(Match.study_site_id.in_(here))
    return conditions


def _has_judged() -> sa.ColumnElement[bool]:
    """Say of a cohort's hold that people were judged again when it began, which is done once."""
    since = Event.happened_at >= Hold.effective_at
    begun = sa.exists().where(Event.subject_kind == "hold", Event.subject_id == Hold.id, since)
    return sa.and_(Hold.cohort_id.is_not(None), begun)


def _hold_queue(session: Session, hold: Hold, *, at: datetime) -> None:
    if hold.cohort_id is not None:
        _judge_waiting(session, _affected(hold), _ruled_out_since(hold.effective_at), cause="hold", at=at)
        return
    waiting = session.scalars(
        sa.select(Match).where(Match.triage == Triage.TO_CALL, *_affected(hold)).with_for_update()
    )
    for match in waiting:
        match.triage = Triage.HELD
    session.flush()


def _release_queue(session: Session, hold: Hold, *, at: datetime) -> None:
    if hold.cohort_id is not None:
        _judge_waiting(session, _affected(hold), _ruled_out_since(hold.effective_at), cause="hold", at=at)
    _let_go_on(session, _affected(hold), at=at)


def _let_go_on(session: Session, affected: Affected, *, at: datetime) -> None:
    """Release the held whom nothing holds any more."""
    held = session.scalars(sa.select(Match).where(Match.triage == Triage.HELD, *affected).with_for_update())
    for match in held.all():
        if not _waits_for_cohort(session, match, at=at):
            matching.release(session, match, at=at)
    session.flush()


def _ruled_out_since(since: datetime | None) -> sa.ColumnElement[bool]:
    """Keep those whom a criterion ruled out from a time on, or ever."""
    recent = Match.closed_at >= since if since is not None else sa.true()
    return sa.and_(Match.triage == Triage.CLOSED, Match.closed_reason == matching.RULED_OUT, recent)


def _judge_waiting(
    session: Session,
    affected: Affected,
    may_come_back: sa.ColumnElement[bool],
    *,
    cause: str,
    at: datetime,
) -> None:
    """Judge those again whom a cohort's standstill may stop or bring back; only who changes is locked."""
    waits = sa.or_(Match.triage.in_(matching.WAITING), may_come_back)
    for match in session.scalars(sa.select(Match).where(waits, *affected)).all():
        judged = assessing.judge(session, match, at=at)
        if judged is not None and (_differs(match, judged) or _closed_to(judged)):
            judge_again(session, locked(session, Match, match.id), cause=cause, at=at)
    session.flush()


def judge_again(session: Session, match: Match, *, cause: str, at: datetime) -> None:
    """Judge a locked match again and let the queue follow, cohorts that stand still included."""
    assessed = assessing.assess_match(session, match, cause=cause, at=at)
    if _waits_for_cohort(session, match, at=at):
        settle(session, match, assessed, at=at)
    else:
        assessing.follow(session, match, at=at)


def _differs(match: Match, judged: Judged) -> bool:
    now = (judged.assessment.disposition, judged.disposition)
    return now != (match.machine_disposition, match.effective_disposition)


def _waits_for_cohort(session: Session, match: Match, *, at: datetime) -> bool:
    """Say whether every cohort that the person may fit stands still, and a hold is among the reasons."""
    held = queries.held_cohorts(session, match.study_id, at=at, study_site_id=match.study_site_id)
    return bool(held) and bool(held & _closed_to(assessing.judge(session, match, at=at)))


def _closed_to(judged: Judged | None) -> frozenset[str]:
    """Name the cohorts that the person may fit where all of them stand still; else none."""
    if judged is None:
        return frozenset()
    fitting = [one for one in judged.assessment.cohorts if _may_fit(judged, one)]
    if not all(one.is_closed for one in fitting):
        return frozenset()
    return frozenset(one.cohort for one in fitting)


def _may_fit(judged: Judged, cohort: CohortDisposition) -> bool:
    """Say whether nothing rules a person out of a cohort, by staff's verdicts where they stand."""
    verdicts = {lineage: one.passes for lineage, one in judged.overrides.items()}
    alone = replace(judged.assessment, cohorts=(cohort,))
    return effective(alone, verdicts) is not Disposition.INELIGIBLE


def _tell(session: Session, hold: Hold, type_: str, *, at: datetime) -> None:
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
