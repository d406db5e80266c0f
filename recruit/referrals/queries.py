"""Read referrals as lists, within what an account may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.accounts.policy import Scope
from recruit.people import queries as people
from recruit.people.models import Person
from recruit.people.queries import Known
from recruit.referrals.models import Referral
from recruit.referrals.states import State
from recruit.studies import queries as studies
from recruit.studies.models import Site, Study, StudySite
from recruit.visits.models import Visit, VisitStatus

PAGE = 50
ARRIVED = frozenset({State.ENROLLED, State.RANDOMISED})
_IN_THE_STUDY = sa.case((Referral.state.in_(ARRIVED), 1), else_=0)


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
    """One referral of a list, with the next visit where one is booked."""

    referral: Referral
    study: Study
    site: Site
    next_visit: datetime | None


def listed(session: Session, scope: Scope, wanted: Filter) -> list[ReferralRow]:
    """List one page and one more.

    Open ones come longest without news first, and those who are in the study already, for whom nothing is to
    be done, at the end; ended ones come newest first.
    """
    booked = (
        sa.select(sa.func.min(Visit.starts_at))
        .where(Visit.referral_id == Referral.id)
        .where(Visit.status.in_((VisitStatus.BOOKED, VisitStatus.CONFIRMED)))
        .scalar_subquery()
    )
    query = (
        sa.select(Referral, Study, Site, sa.type_coerce(booked, Visit.starts_at.type).label("next_visit"))
        .join(Study, Study.id == Referral.study_id)
        .join(StudySite, StudySite.id == Referral.study_site_id)
        .join(Site, Site.id == StudySite.site_id)
        .join(Person, Person.id == Referral.person_id)
        .where(*_conditions(scope, wanted), _stands(closed=wanted.closed))
    )
    last = session.get(Referral, wanted.after) if wanted.after else None
    if last is not None:
        query = query.where(_beyond(last, closed=wanted.closed))
    order = (
        (Referral.closed_at.desc(), Referral.id.desc())
        if wanted.closed
        else (_IN_THE_STUDY, Referral.state_since, Referral.id)
    )
    rows = session.execute(query.order_by(*order).limit(PAGE + 1)).all()
    return [ReferralRow(row.Referral, row.Study, row.Site, row.next_visit) for row in rows]


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


def _beyond(last: Referral, *, closed: bool) -> sa.ColumnElement[bool]:
    if closed:
        same = sa.and_(Referral.closed_at == last.closed_at, Referral.id < last.id)
        return sa.or_(Referral.closed_at < last.closed_at, same)
    same = sa.and_(Referral.state_since == last.state_since, Referral.id > last.id)
    later = sa.or_(Referral.state_since > last.state_since, same)
    if last.state in ARRIVED:
        return sa.and_(Referral.state.in_(ARRIVED), later)
    return sa.or_(Referral.state.in_(ARRIVED), later)
