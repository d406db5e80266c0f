"""What is left of people in numbers: counters written once, when the rows behind them go.

A draft is counted in the transaction that removes it, and so is every stage of a person who is erased.
Nothing is counted twice and nothing is lost, whenever a run is killed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from recruit import events
from recruit.clock import civil_day
from recruit.db import Row, found
from recruit.ids import new_id
from recruit.intake.drafts import LEFT, open_draft
from recruit.intake.models import (
    Draft,
    DraftStatus,
    Entrance,
    Inquiry,
    QuestionCounter,
    SettledCounter,
    Submission,
)
from recruit.intake.timing import happenings
from recruit.keys import DataKey
from recruit.matching.models import Match, StageCounter
from recruit.referrals.ladder import rungs
from recruit.referrals.models import Referral
from recruit.retention import ABANDONED_HOURS, RESUME_DAYS
from recruit.studies import queries as studies
from recruit.studies.models import QuestionnaireVersion, Study
from recruit.studies.reading import document_of
from screening.asking.items import asks

NOBODY = "coalesce({}, '00000000000000000000000000000000')"
"""How the unique indexes of the counters write a column that may be empty."""

STARTED, ANSWERED, COMPLETED = "started", "answered", "completed"
RUNG = "rung."
"""What the names of the funnel's rungs begin with, among the stages."""


@dataclass(frozen=True, slots=True)
class DraftKind:
    """What drafts have in common that are counted together."""

    day: date
    study_id: UUID
    questionnaire_version_id: UUID
    source_link_id: UUID | None
    language: str
    entrance: Entrance
    reached: str
    last_item: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What happenings at questions have in common that are counted together."""

    day: date
    questionnaire_version_id: UUID
    source_link_id: UUID | None
    language: str
    entrance: Entrance
    item: str
    what: str


@dataclass(frozen=True, slots=True)
class Stage:
    """What stages have in common that are counted together."""

    day: date
    study_id: UUID
    study_site_id: UUID | None
    source_link_id: UUID | None
    stage: str


def settle_due_drafts(session: Session, *, at: datetime, limit: int) -> int:
    """Count and remove up to ``limit`` drafts whose time is over; return how many went.

    A draft goes 24 hours after its last answer. One that already belongs to somebody who can be asked to go
    on stays 30 days, until it is submitted.
    """
    abandoned = Draft.last_at <= at - timedelta(hours=ABANDONED_HOURS)
    forgotten = Draft.last_at <= at - timedelta(days=RESUME_DAYS)
    resumable = sa.and_(Draft.person_id.is_not(None), Draft.status != DraftStatus.SUBMITTED)
    due = (
        sa.select(Draft)
        .where(sa.or_(forgotten, sa.and_(abandoned, ~resumable)))
        .order_by(Draft.last_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    drafts = list(session.scalars(due))
    settle(session, drafts)
    return len(drafts)


def settle(session: Session, drafts: Iterable[Draft]) -> None:
    """Count these drafts and remove them with their keys; test drafts go uncounted."""
    drafts = list(drafts)
    zones = _Zones(session)
    counts = Counter(_kind(draft, zones) for draft in drafts if not draft.is_test)
    _add(session, SettledCounter, counts, may_be_empty=("source_link_id",))
    asked = Counter(one for draft in drafts if not draft.is_test for one in _asked(session, draft, zones))
    _add(session, QuestionCounter, asked, may_be_empty=("source_link_id",))
    ids = [draft.id for draft in drafts]
    session.execute(sa.delete(DataKey).where(DataKey.owner_id.in_(ids)))
    session.execute(sa.delete(Draft).where(Draft.id.in_(ids)))


def count_stages(session: Session, matches: Iterable[Match]) -> None:
    """Write down in numbers how far one person came in each study, before their rows go.

    Merged entries may each have a match; the person counts once, at the source of the first touch.
    """
    zones = _Zones(session)
    studied: dict[UUID, list[Match]] = {}
    for match in sorted(matches, key=lambda match: (match.arrived_at, match.id)):
        if not match.is_test:
            studied.setdefault(match.study_id, []).append(match)
    for own in studied.values():
        first, days = own[0], _first_days(session, own, zones)
        reached = {
            Stage(day, first.study_id, first.study_site_id, first.first_source_link_id, name): 1
            for name, day in days.items()
        }
        _add(session, StageCounter, reached, may_be_empty=("study_site_id", "source_link_id"))


class _Zones:
    """Time zones of study sites, each looked up once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[UUID | None, str] = {None: "UTC"}

    def day(self, at: datetime, study_site_id: UUID | None) -> date:
        if study_site_id not in self._known and study_site_id is not None:
            self._known[study_site_id] = studies.zone_of(self._session, study_site_id)
        return civil_day(at, self._known[study_site_id])


def _kind(draft: Draft, zones: _Zones) -> DraftKind:
    reached = _reached(draft)
    return DraftKind(
        day=zones.day(draft.started_at, draft.study_site_id),
        study_id=draft.study_id,
        questionnaire_version_id=draft.questionnaire_version_id,
        source_link_id=draft.source_link_id,
        language=draft.language,
        entrance=draft.entrance,
        reached=reached,
        last_item=_last_item(draft) if reached in (STARTED, ANSWERED) else "",
    )


def _asked(session: Session, draft: Draft, zones: _Zones) -> Iterator[Asked]:
    """Say what happened at each question of a draft."""
    version = found(session, QuestionnaireVersion, draft.questionnaire_version_id)
    items = {item.id for item in document_of(version).items if asks(item)}
    day = zones.day(draft.started_at, draft.study_site_id)
    for item, what in happenings(draft.path, items, _left_at(session, draft)):
        yield Asked(day, version.id, draft.source_link_id, draft.language, draft.entrance, item, what)


def _left_at(session: Session, draft: Draft) -> str | None:
    """Name the question at which a draft ended before its result."""
    if draft.status is DraftStatus.STOPPED:
        last = draft.path[-1] if draft.path else ()
        return str(last[2]) if isinstance(last, list) and last[:1] == [LEFT] else None
    if draft.status is not DraftStatus.OPEN or draft.respondent is None:
        return None
    shown = open_draft(session, draft).journey.next
    return None if shown is None else shown.id


def _reached(draft: Draft) -> str:
    """Say how far a draft came: the outcome it was shown, or where it ended before one."""
    if draft.outcome is not None:
        return draft.outcome.value
    if draft.completed_at is not None:
        return COMPLETED
    return ANSWERED if draft.revision else STARTED


def _last_item(draft: Draft) -> str:
    """Name the page that was answered last; a step of the path is the item and the seconds since the start."""
    last = draft.path[-1] if draft.path else ""
    if isinstance(last, list | tuple) and last:
        last = last[0]
    return last[:60] if isinstance(last, str) else ""


def _first_days(session: Session, matches: list[Match], zones: _Zones) -> dict[str, date]:
    """Give the first day of every stage that one person reached in one study, oldest match first.

    The rungs of the funnel stand on the day of arrival: reports count them by the day of the first touch.
    """
    days: dict[str, date] = {}
    for match in matches:
        for name, day in _stages(session, match, zones).items():
            days[name] = min(day, days.get(name, day))
    return {name: days["matched"] if name.startswith(RUNG) else day for name, day in days.items()}


def _stages(session: Session, match: Match, zones: _Zones) -> dict[str, date]:
    """Give the first day of every stage that stands for a match, its answers and its referrals."""

    def first(column: sa.ColumnElement[datetime], *conditions: sa.ColumnElement[bool]) -> datetime | None:
        return session.scalar(sa.select(sa.func.min(column)).where(*conditions))

    person, study = match.person_id, match.study_id
    moments = {
        "matched": match.arrived_at,
        "submitted": first(
            Submission.submitted_at.expression, Submission.person_id == person, Submission.study_id == study
        ),
        "inquired": first(
            Inquiry.received_at.expression, Inquiry.person_id == person, Inquiry.study_id == study
        ),
    }
    stages = {name: zones.day(at, match.study_site_id) for name, at in moments.items() if at is not None}
    referrals = session.scalars(sa.select(Referral.id).where(Referral.match_id == match.id))
    counting = found(session, Study, match.study_id).enrolment_counts
    for subject in (("match", match.id), *(("referral", key) for key in referrals)):
        for event in events.standing(session, subject):
            proven = (f"{RUNG}{rung.value}" for rung in rungs(event.type, event.payload, counts=counting))
            for name in (event.type, *proven):
                stages[name] = min(event.happened_on, stages.get(name, event.happened_on))
    return stages


def _add(
    session: Session,
    counter: type[SettledCounter | QuestionCounter | StageCounter],
    counts: Mapping[DraftKind, int] | Mapping[Asked, int] | Mapping[Stage, int],
    *,
    may_be_empty: tuple[str, ...],
) -> None:
    """Raise counters, making their rows the first time; two transactions at once both count."""
    if not counts:
        return
    rows = [{**asdict(kind), "id": new_id(), "count": count} for kind, count in counts.items()]
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    unique: list[str | sa.TextClause] = [
        sa.text(NOBODY.format(name)) if name in may_be_empty else name
        for name in rows[0]
        if name not in ("id", "count")
    ]
    table = _table(counter)
    statement = insert(table)
    raised = table.c.count + statement.excluded.count
    session.execute(statement.on_conflict_do_update(index_elements=unique, set_={"count": raised}), rows)


def _table(model: type[Row]) -> sa.Table:
    table = model.__table__
    if not isinstance(table, sa.Table):
        raise TypeError(f"{model.__name__} is no table")
    return table
