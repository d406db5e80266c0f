"""Read the desk: who waits for a call and why, within what an account may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from recruit.accounts.policy import Scope
from recruit.contact.models import Communication
from recruit.db import found
from recruit.errors import NotFound
from recruit.intake.models import SourceLink
from recruit.matching.models import AssessmentRow, DueReason, Match, Note, OpenCall, Override, Triage
from recruit.matching.place import site_id_of
from recruit.matching.plan import FIRST_ATTEMPT_MINUTES
from recruit.people import queries as people
from recruit.people.models import Person
from recruit.people.queries import Known
from recruit.referrals.models import Referral
from recruit.studies import queries as studies
from recruit.studies.models import Cohort, Hold, Site, Study, StudySite

PAGE = 50
_SLEEPING = (Triage.TO_CALL, Triage.SNOOZED, Triage.DEFERRED)
NOBODY = Known("", "", "", None)


class View(StrEnum):
    """The lists of the desk; values appear in addresses."""

    NOW = "now"
    LATER = "later"
    HELD = "held"
    WAITING = "waiting"
    REFERRED = "referred"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of a list begins: the last line of the page before."""

    rank: int
    moment: datetime
    key: UUID


@dataclass(frozen=True, slots=True)
class Filter:
    """What to show of a view; empty shows all."""

    view: View = View.NOW
    study_id: UUID | None = None
    site_id: UUID | None = None
    language: str = ""
    mine: UUID | None = None
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One line of the desk."""

    match: Match
    person: Person
    known: Known
    study: Study
    site: Site | None
    referral: Referral | None
    source: SourceLink | None
    assessment: AssessmentRow | None
    call: OpenCall | None
    last: Communication | None
    rank: int
    moment: datetime

    @property
    def place(self) -> Place:
        """Give where the page after this line begins."""
        return Place(self.rank, self.moment, self.match.id)


@dataclass(frozen=True, slots=True)
class LiveHold:
    """A hold that stands now, with the names of what it stops and how many people wait there."""

    hold: Hold
    study: str
    site: str
    cohort: str
    waiting: int


def queue(session: Session, scope: Scope, wanted: Filter, *, at: datetime) -> list[QueueRow]:
    """List a view's people, one page and one more; names are opened together.

    What was promised comes first, then what has been due longest; who was closed, the last one first.
    """
    newest_first = wanted.view is View.CLOSED
    rank, moment = _rank(), _sorting(wanted.view)
    query = _joined(rank, moment).where(_visible(scope), _in_view(wanted.view, at), *_narrowed(wanted))
    if wanted.after is not None:
        query = query.where(_beyond(wanted.after, rank, moment, newest_first=newest_first))
    order = (moment.desc(), Match.id.desc()) if newest_first else (rank, moment, Match.id)
    rows = session.execute(query.order_by(*order).limit(PAGE + 1)).all()
    known = people.names_of(session, {row.Person.id for row in rows})
    assessed = latest_of(session, {row.Match.id for row in rows})
    spoken = last_contacts(session, {(row.Person.id, row.Study.id) for row in rows})
    return [
        QueueRow(
            match=row.Match,
            person=row.Person,
            known=known.get(row.Person.id, NOBODY),
            study=row.Study,
            site=row.Site,
            referral=row.Referral,
            source=row.SourceLink,
            assessment=assessed.get(row.Match.id),
            call=row.OpenCall,
            last=spoken.get((row.Person.id, row.Study.id)),
            rank=row.rank,
            moment=row.moment,
        )
        for row in rows
    ]


def counts(session: Session, scope: Scope, wanted: Filter, *, at: datetime) -> dict[View, int]:
    """Count every view under the same filters, in one query."""
    columns = [sa.func.count(sa.case((_in_view(view, at), 1))).label(view.value) for view in View]
    query = (
        sa.select(*columns)
        .select_from(Match)
        .join(Person, Person.id == Match.person_id)
        .outerjoin(StudySite, StudySite.id == Match.study_site_id)
        .where(_visible(scope), *_narrowed(wanted))
    )
    row = session.execute(query).one()
    return {view: int(getattr(row, view.value)) for view in View}


def holds_on(session: Session, scope: Scope, *, at: datetime) -> list[LiveHold]:
    """List the live holds that stop something within a scope, with how many of its people wait there."""
    rows = session.execute(
        sa.select(
            Hold, Study.nickname, Site.name, Cohort.name.label("cohort"), _held_by(scope).label("waiting")
        )
        .outerjoin(Cohort, Cohort.id == Hold.cohort_id)
        .outerjoin(Study, Study.id == sa.func.coalesce(Hold.study_id, Cohort.study_id))
        .outerjoin(Site, Site.id == Hold.site_id)
        .where(is_live(at), sa.exists().where(_stopped_by(StudySite.study_id), studies.within(scope)))
        .order_by(Hold.effective_at, Hold.id)
    ).all()
    return [
        LiveHold(row.Hold, row.nickname or "", row.name or "", row.cohort or "", row.waiting) for row in rows
    ]


def is_live(at: datetime) -> sa.ColumnElement[bool]:
    """Give the condition on ``Hold`` that keeps those that stand now."""
    return sa.and_(Hold.effective_at <= at, sa.or_(Hold.lifted_at.is_(None), Hold.lifted_at > at))


def closed_cohorts(
    session: Session, study_id: UUID, *, at: datetime, study_site_id: UUID | None
) -> frozenset[str]:
    """Name the cohorts of a study that take nobody now, by the protocol's codes: closed, or on hold."""
    stands_still = sa.or_(Cohort.is_open.is_(False), _cohort_is_held(at, study_site_id))
    return frozenset(session.scalars(sa.select(Cohort.code).where(Cohort.study_id == study_id, stands_still)))


def held_cohorts(
    session: Session, study_id: UUID, *, at: datetime, study_site_id: UUID | None
) -> frozenset[str]:
    """Name the cohorts of a study that are on hold now, by the protocol's codes."""
    query = sa.select(Cohort.code).where(Cohort.study_id == study_id, _cohort_is_held(at, study_site_id))
    return frozenset(session.scalars(query))


def match_in_scope(session: Session, match_id: UUID, scope: Scope) -> Match:
    """Fetch a match that an account may see.

    :raises NotFound: there is none, or it is somebody else's, or the person has been erased
    """
    match = found(session, Match, match_id)
    if not covered(session, match, scope) or found(session, Person, match.person_id).erased_at is not None:
        raise NotFound("There is no such person.")
    return match


def covered(session: Session, match: Match, scope: Scope) -> bool:
    """Say whether a match is within a scope."""
    return scope.covers(site_id=site_id_of(session, match), study_id=match.study_id)


def matches_of(session: Session, person_ids: frozenset[UUID]) -> list[tuple[Match, Study]]:
    """List the studies that a person has been matched with, newest first."""
    rows = session.execute(
        sa.select(Match, Study)
        .join(Study, Study.id == Match.study_id)
        .where(Match.person_id.in_(person_ids))
        .order_by(Match.arrived_at.desc(), Match.id)
    ).all()
    return [(row.Match, row.Study) for row in rows]


def latest_of(session: Session, match_ids: set[UUID]) -> dict[UUID, AssessmentRow]:
    """Give the newest assessment of each of these matches, with one query."""
    newer = aliased(AssessmentRow)
    is_older = sa.exists().where(
        newer.match_id == AssessmentRow.match_id,
        sa.or_(
            newer.at > AssessmentRow.at,
            sa.and_(newer.at == AssessmentRow.at, newer.id > AssessmentRow.id),
        ),
    )
    rows = session.scalars(sa.select(AssessmentRow).where(AssessmentRow.match_id.in_(match_ids), ~is_older))
    return {row.match_id: row for row in rows}


def last_contacts(session: Session, wanted: set[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], Communication]:
    """Give the last contact with each of these people about each of these studies, with one query."""
    newer = aliased(Communication)
    is_older = sa.exists().where(
        newer.person_id == Communication.person_id,
        newer.study_id == Communication.study_id,
        sa.or_(
            newer.at > Communication.at,
            sa.and_(newer.at == Communication.at, newer.id > Communication.id),
        ),
    )
    rows = session.scalars(
        sa.select(Communication).where(
            Communication.person_id.in_({person_id for person_id, _study_id in wanted}),
            Communication.study_id.in_({study_id for _person_id, study_id in wanted}),
            ~is_older,
        )
    )
    return {(row.person_id, row.study_id): row for row in rows if row.study_id is not None}


def notes_of(session: Session, match_id: UUID) -> list[Note]:
    """List the notes of a match, newest first; their text stays sealed here."""
    return list(
        session.scalars(
            sa.select(Note).where(Note.match_id == match_id).order_by(Note.at.desc(), Note.id.desc())
        )
    )


def overrides_of(session: Session, match_id: UUID) -> Mapping[str, Override]:
    """Give the overrides that nobody took back, by lineage of the criterion."""
    rows = session.scalars(
        sa.select(Override).where(Override.match_id == match_id, Override.lapsed_at.is_(None))
    )
    return {row.lineage_id: row for row in rows}


def assessments_of(session: Session, match_id: UUID) -> list[AssessmentRow]:
    """List all assessments of a match, newest first."""
    query = sa.select(AssessmentRow).where(AssessmentRow.match_id == match_id)
    return list(session.scalars(query.order_by(AssessmentRow.at.desc(), AssessmentRow.id.desc())))


def filter_choices(session: Session, scope: Scope) -> tuple[list[tuple[UUID, str]], list[tuple[UUID, str]]]:
    """List the studies and the sites, by name, that an account may filter its lists by."""
    rows = session.execute(
        sa.select(Study.id, Study.nickname, Site.id, Site.name)
        .join(StudySite, StudySite.study_id == Study.id)
        .join(Site, Site.id == StudySite.site_id)
        .where(studies.within(scope))
    ).all()
    named = sorted({(row[1], row[0]) for row in rows}), sorted({(row[3], row[2]) for row in rows})
    return [(key, name) for name, key in named[0]], [(key, name) for name, key in named[1]]


def _cohort_is_held(at: datetime, study_site_id: UUID | None) -> sa.ColumnElement[bool]:
    """Say whether a hold stands on a cohort, everywhere or at the site of a study site."""
    here = sa.select(StudySite.site_id).where(StudySite.id == study_site_id).scalar_subquery()
    is_here = sa.or_(Hold.site_id.is_(None), Hold.site_id == here)
    return sa.exists().where(Hold.cohort_id == Cohort.id, is_live(at), is_here)


def _stopped_by(study_id: sa.SQLColumnExpression[UUID]) -> sa.ColumnElement[bool]:
    """Say whether a hold stops a study at a site; a cohort's hold stops a part of its study."""
    return sa.and_(
        sa.or_(Hold.study_id.is_(None), Hold.study_id == study_id),
        sa.or_(Hold.cohort_id.is_(None), Cohort.study_id == study_id),
        sa.or_(Hold.site_id.is_(None), Hold.site_id == StudySite.site_id),
    )


def _held_by(scope: Scope) -> sa.ScalarSelect[int]:
    """Count the people within a scope who wait where a hold stands."""
    return (
        sa.select(sa.func.count())
        .select_from(Match)
        .join(Person, Person.id == Match.person_id)
        .outerjoin(StudySite, StudySite.id == Match.study_site_id)
        .where(Match.triage == Triage.HELD, _stopped_by(Match.study_id), _visible(scope))
        .correlate(Hold, Cohort)
        .scalar_subquery()
    )


def _joined(
    rank: sa.ColumnElement[int], moment: sa.ColumnElement[datetime]
) -> sa.Select[Match, Person, Study, Site, Referral, SourceLink, OpenCall, int, datetime]:
    return (
        sa.select(
            Match,
            Person,
            Study,
            Site,
            Referral,
            SourceLink,
            OpenCall,
            rank.label("rank"),
            moment.label("moment"),
        )
        .join(Person, Person.id == Match.person_id)
        .join(Study, Study.id == Match.study_id)
        .outerjoin(StudySite, StudySite.id == Match.study_site_id)
        .outerjoin(Site, Site.id == StudySite.site_id)
        .outerjoin(Referral, sa.and_(Referral.match_id == Match.id, Referral.closed_at.is_(None)))
        .outerjoin(SourceLink, SourceLink.id == Match.first_source_link_id)
        .outerjoin(OpenCall, OpenCall.person_id == sa.func.coalesce(Person.merged_into_id, Person.id))
    )


def _rank() -> sa.ColumnElement[int]:
    return sa.case((Match.due_reason == DueReason.PROMISE, 0), else_=1)


def _sorting(view: View) -> sa.ColumnElement[datetime]:
    columns = {
        View.REFERRED: (Referral.referred_at, Match.arrived_at),
        View.CLOSED: (Match.closed_at, Match.arrived_at),
        View.WAITING: (Match.due_at, Match.arrived_at),
    }
    chosen = columns.get(view, (Match.due_at, Match.arrived_at))
    return sa.type_coerce(sa.func.coalesce(*chosen), Match.arrived_at.type)


def _beyond(
    place: Place,
    rank: sa.ColumnElement[int],
    moment: sa.ColumnElement[datetime],
    *,
    newest_first: bool,
) -> sa.ColumnElement[bool]:
    """Keep what stands after a line in the order of the list."""
    if newest_first:
        return sa.or_(moment < place.moment, sa.and_(moment == place.moment, Match.id < place.key))
    later = sa.or_(moment > place.moment, sa.and_(moment == place.moment, Match.id > place.key))
    return sa.or_(rank > place.rank, sa.and_(rank == place.rank, later))


def _visible(scope: Scope) -> sa.ColumnElement[bool]:
    """Keep people who were erased and test traffic out, and everybody outside the scope."""
    alive = sa.and_(Person.erased_at.is_(None), Match.is_test.is_(False))
    if scope.is_everything:
        return alive
    pairs = []
    for site_id, study_id in scope.pairs:
        parts: list[sa.ColumnElement[bool]] = []
        if site_id is not None:
            parts.append(StudySite.site_id == site_id)
        if study_id is not None:
            parts.append(Match.study_id == study_id)
        pairs.append(sa.and_(*parts))
    return sa.and_(alive, sa.or_(sa.false(), *pairs))


def _in_view(view: View, at: datetime) -> sa.ColumnElement[bool]:
    """Say which matches a view lists; nobody who asked not to be contacted is to be called."""
    callable_ = Person.do_not_contact_at.is_(None)
    if view is View.NOW:
        due = Match.triage.in_((*_SLEEPING, Triage.REFERRED))
        return sa.and_(callable_, due, _may_begin(at))
    if view is View.LATER:
        waits = Match.triage.in_((Triage.TO_CALL, Triage.SNOOZED))
        again = sa.and_(Match.triage == Triage.REFERRED, sa.not_(_may_begin(at)))
        to_come = sa.and_(waits, sa.or_(sa.not_(_may_begin(at)), Match.due_at.is_(None)))
        return sa.and_(callable_, sa.or_(to_come, again))
    table = {
        View.HELD: (Triage.HELD,),
        View.WAITING: (Triage.DEFERRED, Triage.WAITLISTED),
        View.REFERRED: (Triage.REFERRED,),
        View.CLOSED: (Triage.CLOSED,),
    }
    return Match.triage.in_(table[view])


def _narrowed(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.study_id is not None:
        conditions.append(Match.study_id == wanted.study_id)
    if wanted.site_id is not None:
        conditions.append(StudySite.site_id == wanted.site_id)
    if wanted.language:
        conditions.append(Person.language == wanted.language)
    if wanted.mine is not None:
        conditions.append(Match.assigned_to == wanted.mine)
    return conditions


def _may_begin(at: datetime) -> sa.ColumnElement[bool]:
    """Say what is to be done now; the time of a first call is the latest one, so it begins before that."""
    soon = at + timedelta(minutes=FIRST_ATTEMPT_MINUTES)
    first = Match.due_reason == DueReason.FIRST_CALL
    return sa.and_(Match.due_at <= soon, sa.or_(Match.due_at <= at, first))
