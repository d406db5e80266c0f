"""Read referrals as lists, within what an account may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.accounts.policy import Scope
from recruit.events import Event
from recruit.people import queries as people
from recruit.people.models import Person
from recruit.people.queries import Known
from recruit.referrals.models import Referral
from recruit.referrals.service import SUBJECT
from recruit.referrals.states import State
from recruit.studies import queries as studies
from recruit.studies.models import Hold, Site, Study, StudySite
from recruit.visits.models import Visit, VisitStatus

PAGE = 50
ARRIVED = frozenset({State.ENROLLED, State.RANDOMISED})
_LIVE = (VisitStatus.BOOKED, VisitStatus.CONFIRMED)
_PUT_OFF = f"referral.{State.DEFERRED.value}"
_Rows = sa.Select[tuple[Referral, Study, Site, datetime, bool, bool]]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which referrals to list.

    :param after: the last referral of the page before
    """

    closed: bool = False
    study_id: UUID | None = None
    site_id: UUID | None = None
    after: UUID | None = None


@dataclass(frozen=True, slots=True)
class ReferralRow:
    """One referral of a list, with what its visits, a hold and a put-off day say about it.

    :param next_visit: the soonest visit that still stands, also one that has begun and was not reported yet
    :param is_called_off: a visit was booked, and none stands any more
    :param is_held: recruiting is on hold there, and a visit is still to come
    :param until: the day somebody was put off to
    """

    referral: Referral
    study: Study
    site: Site
    next_visit: datetime | None
    is_called_off: bool
    is_held: bool
    until: date | None


def listed(session: Session, scope: Scope, wanted: Filter, *, at: datetime) -> list[ReferralRow]:
    """List one page and one more.

    Open ones that a hold makes somebody call come first, then those longest without news; those who are in the
    study already, for whom nothing is to be done, stand at the end. Ended ones come newest first.
    """
    query = (
        _rows(at=at)
        .join(Person, Person.id == Referral.person_id)
        .where(*_conditions(scope, wanted), _stands(closed=wanted.closed))
    )
    last = session.get(Referral, wanted.after) if wanted.after else None
    if last is not None:
        query = query.where(_beyond(session, last, closed=wanted.closed, at=at))
    order = (
        (Referral.closed_at.desc(), Referral.id.desc())
        if wanted.closed
        else (_rank(at=at), Referral.state_since, Referral.id)
    )
    return _read(session, query.order_by(*order).limit(PAGE + 1))


def row_of(session: Session, referral: Referral, *, at: datetime) -> ReferralRow:
    """Give a referral as a list would show it."""
    return _read(session, _rows(at=at).where(Referral.id == referral.id))[0]


def _rows(*, at: datetime) -> _Rows:
    booked = (
        sa.select(sa.func.min(Visit.starts_at))
        .where(Visit.referral_id == Referral.id)
        .where(Visit.status.in_(_LIVE))
        .scalar_subquery()
    )
    return (
        sa.select(
            Referral,
            Study,
            Site,
            sa.type_coerce(booked, Visit.starts_at.type).label("next_visit"),
            sa.exists()
            .where(Visit.referral_id == Referral.id, Visit.status == VisitStatus.CANCELLED)
            .label("cancelled"),
            _is_held(at=at).label("is_held"),
        )
        .join(Study, Study.id == Referral.study_id)
        .join(StudySite, StudySite.id == Referral.study_site_id)
        .join(Site, Site.id == StudySite.site_id)
    )


def _read(session: Session, query: _Rows) -> list[ReferralRow]:
    rows = session.execute(query).all()
    put_off = _put_off(session, [row.Referral for row in rows])
    return [
        ReferralRow(
            row.Referral,
            row.Study,
            row.Site,
            next_visit=row.next_visit,
            is_called_off=(
                row.Referral.state is State.VISIT_BOOKED and row.next_visit is None and bool(row.cancelled)
            ),
            is_held=bool(row.is_held),
            until=put_off.get(row.Referral.id),
        )
        for row in rows
    ]


def _put_off(session: Session, referrals: Sequence[Referral]) -> dict[UUID, date]:
    """Read until when people were put off; a call in between empties the queue's day, the entry keeps it."""
    deferred = [referral.id for referral in referrals if referral.state is State.DEFERRED]
    if not deferred:
        return {}
    voided = sa.select(Event.voids_id).where(Event.voids_id.is_not(None), Event.subject_id.in_(deferred))
    entries = session.scalars(
        sa.select(Event)
        .where(Event.subject_kind == SUBJECT, Event.subject_id.in_(deferred))
        .where(Event.type == _PUT_OFF, Event.id.not_in(voided))
        .order_by(Event.happened_on, Event.recorded_at, Event.id)
    )
    return {entry.subject_id: date.fromisoformat(str(entry.payload["until"])) for entry in entries}


def counts(session: Session, scope: Scope, wanted: Filter) -> tuple[int, int]:
    """Count the open and the ended referrals under the same filters."""
    query = (
        sa.select(
            sa.func.count(sa.case((_stands(closed=False), 1))),
            sa.func.count(sa.case((_stands(closed=True), 1))),
        )
        .select_from(Referral)
        .join(StudySite, StudySite.id == Referral.study_site_id)
        .join(Person, Person.id == Referral.person_id)
        .where(*_conditions(scope, wanted))
    )
    open_ones, ended = session.execute(query).one()
    return int(open_ones), int(ended)


def names(session: Session, rows: Sequence[ReferralRow]) -> dict[UUID, Known]:
    """Open the names of a list's people together."""
    return people.names_of(session, {row.referral.person_id for row in rows})


def _conditions(scope: Scope, wanted: Filter) -> list[sa.ColumnElement[bool]]:
    conditions = [studies.within(scope), Person.erased_at.is_(None), Referral.is_test.is_(False)]
    if wanted.study_id is not None:
        conditions.append(Referral.study_id == wanted.study_id)
    if wanted.site_id is not None:
        conditions.append(StudySite.site_id == wanted.site_id)
    return conditions


def _stands(*, closed: bool) -> sa.ColumnElement[bool]:
    return Referral.closed_at.is_not(None) if closed else Referral.closed_at.is_(None)


def _is_held(*, at: datetime) -> sa.ColumnElement[bool]:
    """Give the condition that a visit is still to come where recruiting is on hold."""
    coming = sa.exists().where(Visit.referral_id == Referral.id, Visit.status.in_(_LIVE), Visit.starts_at >= at)
    held = (
        sa.exists()
        .where(Hold.effective_at <= at, sa.or_(Hold.lifted_at.is_(None), Hold.lifted_at > at))
        .where(Hold.cohort_id.is_(None))
        .where(sa.or_(Hold.study_id.is_(None), Hold.study_id == Referral.study_id))
        .where(sa.or_(Hold.site_id.is_(None), Hold.site_id == StudySite.site_id))
    )
    return sa.and_(coming, held)


def _rank(*, at: datetime) -> sa.ColumnElement[int]:
    """Give the part of the open list in which a referral stands, first to last."""
    return sa.case((_is_held(at=at), 0), (Referral.state.in_(ARRIVED), 2), else_=1)


def _beyond(session: Session, last: Referral, *, closed: bool, at: datetime) -> sa.ColumnElement[bool]:
    if closed:
        same = sa.and_(Referral.closed_at == last.closed_at, Referral.id < last.id)
        return sa.or_(Referral.closed_at < last.closed_at, same)
    same = sa.and_(Referral.state_since == last.state_since, Referral.id > last.id)
    later = sa.or_(Referral.state_since > last.state_since, same)
    rank = session.scalars(
        sa.select(_rank(at=at))
        .select_from(Referral)
        .join(StudySite, StudySite.id == Referral.study_site_id)
        .where(Referral.id == last.id)
    ).one()
    return sa.or_(_rank(at=at) > rank, sa.and_(_rank(at=at) == rank, later))
