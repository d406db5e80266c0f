"""Looking at people again on the day on which time, or another version in force, changes what is true of them.

Every judged match knows the first day on which one of its verdicts turns if
nobody learns anything new: a birthday, the end of a window, a value grown old.
On that day it is judged again. Where nothing turned after all, nothing is
written but the next such day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.clock import civil_day
from recruit.db import Database, locked
from recruit.ids import new_id
from recruit.matching import assessing, holds
from recruit.matching.assessing import Judged
from recruit.matching.models import AssessmentRow, Match, Watch
from recruit.people.models import Person
from recruit.studies import reading
from recruit.studies.models import Site, Study, StudySite, StudyStatus, VersionInForce
from recruit.vocabulary import terms
from screening.assessment.forecast import HORIZON, Forecast, forecast, holds_until
from screening.intervals import add_days, shift

UNJUDGED: Final = timedelta(days=30)
"""When to look again at somebody for whose site no version is in force."""
_EARLIEST_ZONE: Final = timedelta(hours=14)
_ACTOR: Final = "job:matches.wake"
DAY, UNFORESEEN, VERSION = "day", "unforeseen", "version"


def wake(database: Database, *, at: datetime) -> int:
    """Judge everybody again whose day has come; return how many matches were looked at."""
    looked = _follow_versions(database, at=at)
    looked += _one_by_one(database, _due(at), at=at, cause=DAY)
    return looked + _one_by_one(database, _unforeseen(), at=at, cause=UNFORESEEN)


def next_look(judged: Judged) -> date:
    """Give the first day on which a verdict turns by itself, or the end of what is looked ahead."""
    until = holds_until(
        reading.lowered_of(judged.version, vocabulary=judged.vocabulary, terms=terms()),
        judged.facts,
        on=judged.on,
        vocabulary=judged.vocabulary,
        terms=terms(),
        closed_cohorts=judged.closed_cohorts,
    )
    return add_days(until, 1) if until is not None else shift(judged.on, HORIZON)


def foretell(session: Session, match: Match, *, at: datetime) -> Forecast | None:
    """Say when somebody who is ruled out today may come back; nothing where no version is in force."""
    judged = assessing.judge(session, match, at=at)
    if judged is None:
        return None
    return forecast(
        reading.lowered_of(judged.version, vocabulary=judged.vocabulary, terms=terms()),
        judged.facts,
        on=judged.on,
        vocabulary=judged.vocabulary,
        terms=terms(),
        closed_cohorts=judged.closed_cohorts,
    )


def _one_by_one(database: Database, query: sa.Select[UUID], *, at: datetime, cause: str) -> int:
    with database.reading() as session:
        keys = session.scalars(query).all()
    for key in keys:
        _look(database, key, at=at, cause=cause)
    return len(keys)


def _look(database: Database, match_id: UUID, *, at: datetime, cause: str) -> None:
    """Judge a match again, and find the next day on which that is due.

    The work is done while reading, so that nobody waits for it; the database is locked only to write down what
    turned and the day.
    """
    with database.reading() as session:
        match = session.get(Match, match_id)
        judged = assessing.judge(session, match, at=at) if match is not None else None
        if match is None:
            return
        looked = session.scalar(sa.select(Watch.look_again_on).where(Watch.match_id == match_id))
        if judged is not None and cause == DAY and looked is not None and judged.on < looked:
            return  # the day has come elsewhere on earth, not yet at this person's site
        turned = judged is not None and assessing.says_otherwise(session, match, judged)
        day = next_look(judged) if judged is not None else civil_day(at, "UTC") + UNJUDGED
    with database.transaction(actor=_ACTOR, reason=f"assessment:{cause}") as session:
        if session.get(Match, match_id) is None:
            return
        if turned:
            again = VERSION if cause == VERSION else DAY
            holds.judge_again(session, locked(session, Match, match_id), cause=again, at=at)
        watch = session.scalar(sa.select(Watch).where(Watch.match_id == match_id))
        _watch(session, watch, match_id, day, at=at)


def _watch(session: Session, watch: Watch | None, match_id: UUID, day: date, *, at: datetime) -> None:
    if watch is None:
        session.add(Watch(id=new_id(), match_id=match_id, look_again_on=day, looked_at=at))
    else:
        watch.look_again_on, watch.looked_at = day, at
    session.flush()


def _due(at: datetime) -> sa.Select[UUID]:
    """Choose those whose day has come somewhere on earth."""
    last = (at + _EARLIEST_ZONE).date()
    return _living().join(Watch, Watch.match_id == Match.id).where(Watch.look_again_on <= last)


def _unforeseen() -> sa.Select[UUID]:
    """Choose those who were judged, or judged anew, since their day was found."""
    own = sa.select(Watch.looked_at).where(Watch.match_id == Match.id)
    found_day = own.correlate(Match).scalar_subquery()
    judged_since = sa.exists().where(
        AssessmentRow.match_id == Match.id,
        sa.or_(found_day.is_(None), AssessmentRow.at > found_day),
    )
    return _living().where(judged_since)


def _living() -> sa.Select[UUID]:
    return (
        sa.select(Match.id)
        .join(Person, Person.id == Match.person_id)
        .join(Study, Study.id == Match.study_id)
        .where(Person.erased_at.is_(None), Study.status == StudyStatus.OPEN)
        .order_by(Match.id)
    )


def _follow_versions(database: Database, *, at: datetime) -> int:
    """Judge the people of each site by the criteria that have come into force there since."""
    looked = 0
    for row in _begun(database, at=at):
        query = _living().where(Match.study_id == row.study_id, _of(row), ~_judged_by(row))
        looked += _one_by_one(database, query, at=at, cause=VERSION)
        with database.transaction(actor=_ACTOR, reason="assessment:version") as session:
            locked(session, VersionInForce, row.id).judged_at = at
    return looked


@dataclass(frozen=True, slots=True)
class _Begun:
    """A version that has come into force at a site."""

    id: UUID
    study_id: UUID
    study_site_id: UUID
    protocol_version_id: UUID


def _begun(database: Database, *, at: datetime) -> list[_Begun]:
    with database.reading() as session:
        rows = session.execute(
            sa.select(VersionInForce, StudySite.study_id, Site.zone)
            .join(StudySite, StudySite.id == VersionInForce.study_site_id)
            .join(Site, Site.id == StudySite.site_id)
            .where(VersionInForce.judged_at.is_(None))
            .order_by(VersionInForce.effective_from, VersionInForce.id)
        ).all()
    return [
        _Begun(
            row.VersionInForce.id,
            row.study_id,
            row.VersionInForce.study_site_id,
            row.VersionInForce.protocol_version_id,
        )
        for row in rows
        if row.VersionInForce.effective_from <= civil_day(at, row.zone)
    ]


def _of(begun: _Begun) -> sa.ColumnElement[bool]:
    """Keep the people of the site, and those for whom none was chosen yet."""
    return sa.or_(Match.study_site_id == begun.study_site_id, Match.study_site_id.is_(None))


def _judged_by(begun: _Begun) -> sa.ColumnElement[bool]:
    """Tell who has been judged by these criteria already, such as everybody who came since."""
    return sa.exists().where(
        AssessmentRow.match_id == Match.id, AssessmentRow.protocol_version_id == begun.protocol_version_id
    )
