"""The exact funnel by source, from the click to randomisation, and what each stage cost.

Everybody is counted once for a study, at the source that brought them first, in the cohort of the day of
that first touch. What has been removed for retention's sake still counts, through the counters that were
written then. Test traffic is in none of it. The definitions are printed on the report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from campaigns.links.queries import label
from campaigns.reports.models import Spend
from campaigns.scoping import within
from recruit.accounts.policy import Scope
from recruit.events import Event
from recruit.intake.models import Draft, Entrance, HitKind, LinkHit, SettledCounter, SourceLink
from recruit.matching.models import Match, StageCounter
from recruit.people.models import Person
from recruit.referrals.ladder import Rung, rungs
from recruit.referrals.models import Referral
from recruit.studies.models import Study, StudySite
from screening.asking.questionnaire import Outcome


class Stage(StrEnum):
    """One column of the funnel, in order."""

    CLICKED = "clicked"
    STARTED = "started"
    COMPLETED = "completed"
    MAY_FIT = "may_fit"
    CONTACT_LEFT = "contact_left"
    CONTACTED = "contacted"
    REFERRED = "referred"
    VISIT_BOOKED = "visit_booked"
    VISIT_ATTENDED = "visit_attended"
    CONSENTED = "consented"
    RANDOMISED = "randomised"
    SCREEN_FAILED = "screen_failed"


MAIN = tuple(stage for stage in Stage if stage is not Stage.SCREEN_FAILED)
"""The way itself; screen failure is a side exit of those who consented."""

FITTING = frozenset({Outcome.MAY_FIT.value, Outcome.NEED_TO_TALK.value})
FINISHED = frozenset({"completed", *(outcome.value for outcome in Outcome)})


@dataclass(frozen=True, slots=True)
class Period:
    """First touches from one day to another, both included, in a time zone; open where there is none."""

    zone: str
    start: date | None = None
    end: date | None = None

    @property
    def first(self) -> datetime | None:
        """Give the instant at which the first day begins."""
        return self._midnight(self.start) if self.start else None

    @property
    def last(self) -> datetime | None:
        """Give the instant at which the last day is over."""
        return self._midnight(self.end + timedelta(days=1)) if self.end else None

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), ZoneInfo(self.zone)).astimezone(UTC)

    def share(self, start: date, end: date) -> tuple[int, int]:
        """Say how many of the days of a span fall into the period, and how many there are."""
        first = max(start, self.start) if self.start else start
        last = min(end, self.end) if self.end else end
        return max(0, (last - first).days + 1), (end - start).days + 1


@dataclass(frozen=True, slots=True)
class FunnelRow:
    """One source: its counts, and what was paid for it by currency in minor units."""

    source_link_id: UUID | None
    name: str
    medium: str
    counts: Mapping[Stage, int]
    spend: Mapping[str, int]

    def cost_per(self, stage: Stage) -> tuple[int, str] | None:
        """Give the cost of one person at a stage, rounded half up; nothing without a spend or a person."""
        count = self.counts[stage]
        if len(self.spend) != 1 or not count:
            return None
        [(currency, amount)] = self.spend.items()
        return (2 * amount + count) // (2 * count), currency


@dataclass(frozen=True, slots=True)
class Funnel:
    """All sources and their sum."""

    rows: tuple[FunnelRow, ...]
    total: FunnelRow


@dataclass(frozen=True, slots=True)
class _Counted:
    """One person in one study, counted at the source of the first touch."""

    root: UUID
    study_id: UUID
    source: UUID | None


def funnel(session: Session, scope: Scope, *, period: Period, study_id: UUID | None = None) -> Funnel:
    """Count the funnel for what a scope covers; the total is the sum of the rows, by construction."""
    counts: dict[UUID | None, Counter[Stage]] = {}
    for source, stage, count in (
        *_clicks(session, scope, period, study_id),
        *_drafts(session, scope, period, study_id),
        *_settled_drafts(session, scope, period, study_id),
        *_people(session, scope, period, study_id),
        *_settled_people(session, scope, period, study_id),
    ):
        counts.setdefault(source, Counter())[stage] += count
    spend = _spend(session, scope, period, study_id)
    links = {link.id: link for link in _links(session, {*counts, *spend})}
    rows = [
        _row(
            source, links.get(source) if source else None, counts.get(source, Counter()), spend.get(source, {})
        )
        for source in {*counts, *spend}
    ]
    rows.sort(
        key=lambda row: (
            row.source_link_id is None,
            -row.counts[Stage.CONTACT_LEFT],
            row.name,
            str(row.source_link_id),
        )
    )
    return Funnel(tuple(rows), _sum(rows))


def _clicks(
    session: Session, scope: Scope, period: Period, study_id: UUID | None
) -> Iterator[tuple[UUID | None, Stage, int]]:
    rows = session.execute(
        sa.select(LinkHit.source_link_id, sa.func.count())
        .join(SourceLink, SourceLink.id == LinkHit.source_link_id)
        .where(LinkHit.kind == HitKind.PERSON, SourceLink.is_test.is_(False))
        .where(within(scope, SourceLink.study_id, SourceLink.site_id), *_of(SourceLink.study_id, study_id))
        .where(*_between(LinkHit.at, period))
        .group_by(LinkHit.source_link_id)
    )
    return ((source, Stage.CLICKED, count) for source, count in rows)


def _drafts(
    session: Session, scope: Scope, period: Period, study_id: UUID | None
) -> Iterator[tuple[UUID | None, Stage, int]]:
    finished = sa.or_(Draft.completed_at.is_not(None), Draft.outcome.is_not(None))
    fitting = Draft.outcome.in_((Outcome.MAY_FIT, Outcome.NEED_TO_TALK))
    rows = session.execute(
        sa.select(
            Draft.source_link_id,
            sa.func.count(),
            sa.func.sum(sa.case((finished, 1), else_=0)),
            sa.func.sum(sa.case((fitting, 1), else_=0)),
        )
        .outerjoin(StudySite, StudySite.id == Draft.study_site_id)
        .where(Draft.is_test.is_(False), Draft.entrance != Entrance.PREVIEW)
        .where(within(scope, Draft.study_id, StudySite.site_id), *_of(Draft.study_id, study_id))
        .where(*_between(Draft.started_at, period))
        .group_by(Draft.source_link_id)
    )
    for source, started, completed, fits in rows:
        yield source, Stage.STARTED, started
        yield source, Stage.COMPLETED, completed
        yield source, Stage.MAY_FIT, fits


def _settled_drafts(
    session: Session, scope: Scope, period: Period, study_id: UUID | None
) -> Iterator[tuple[UUID | None, Stage, int]]:
    """Count drafts that are gone; their site is not known any more, so a grant over all sites is needed."""
    rows = session.execute(
        sa.select(SettledCounter.source_link_id, SettledCounter.reached, sa.func.sum(SettledCounter.count))
        .where(SettledCounter.entrance != Entrance.PREVIEW)
        .where(within(scope, SettledCounter.study_id, sa.null()), *_of(SettledCounter.study_id, study_id))
        .where(*_days(SettledCounter.day, period))
        .group_by(SettledCounter.source_link_id, SettledCounter.reached)
    )
    for source, reached, count in rows:
        yield source, Stage.STARTED, count
        if reached in FINISHED:
            yield source, Stage.COMPLETED, count
        if reached in FITTING:
            yield source, Stage.MAY_FIT, count


def _people(
    session: Session, scope: Scope, period: Period, study_id: UUID | None
) -> Iterator[tuple[UUID | None, Stage, int]]:
    counted = _counted(session, scope, period, study_id)
    proven = _proven(session, study_id)
    for person in counted:
        yield person.source, Stage.CONTACT_LEFT, 1
        for rung in proven.get((person.root, person.study_id), ()):
            yield person.source, Stage(rung.value), 1


def _counted(session: Session, scope: Scope, period: Period, study_id: UUID | None) -> list[_Counted]:
    """List everybody once for each study: merged entries are one person, the first touch gives the source."""
    roots = _roots(session)
    rows = session.execute(
        sa.select(
            Match.person_id, Match.study_id, Match.first_source_link_id, Match.arrived_at, StudySite.site_id
        )
        .outerjoin(StudySite, StudySite.id == Match.study_site_id)
        .where(Match.is_test.is_(False), *_of(Match.study_id, study_id))
        .order_by(Match.arrived_at, Match.id)
    )
    first: dict[tuple[UUID, UUID], tuple[UUID | None, datetime, UUID | None]] = {}
    for person_id, study, source, arrived_at, site_id in rows:
        first.setdefault((roots.get(person_id, person_id), study), (source, arrived_at, site_id))
    start, end = period.first, period.last
    return [
        _Counted(root, study, source)
        for (root, study), (source, arrived_at, site_id) in first.items()
        if (start is None or arrived_at >= start)
        and (end is None or arrived_at < end)
        and scope.covers(site_id=site_id, study_id=study)
    ]


def _proven(session: Session, study_id: UUID | None) -> dict[tuple[UUID, UUID], set[Rung]]:
    """Collect the rungs that standing events prove; what a later event voids proves nothing."""
    roots = _roots(session)
    proven: dict[tuple[UUID, UUID], set[Rung]] = {}
    counting = {study.id: study.enrolment_counts for study in session.scalars(sa.select(Study))}
    for person_id, study, type_, payload in (
        *_standing(session, "referral", Referral, study_id),
        *_standing(session, "match", Match, study_id),
    ):
        key = (roots.get(person_id, person_id), study)
        proven.setdefault(key, set()).update(rungs(type_, payload, counts=counting[study]))
    return proven


def _standing(
    session: Session, kind: str, model: type[Referral] | type[Match], study_id: UUID | None
) -> Iterable[tuple[UUID, UUID, str, Mapping[str, object]]]:
    voiding = aliased(Event)
    rows = session.execute(
        sa.select(model.person_id, model.study_id, Event.type, Event.payload)
        .join(Event, sa.and_(Event.subject_kind == kind, Event.subject_id == model.id))
        .where(model.is_test.is_(False), *_of(model.study_id, study_id))
        .where(Event.voids_id.is_(None), ~sa.exists().where(voiding.voids_id == Event.id))
    )
    return ((person_id, study, type_, payload) for person_id, study, type_, payload in rows)


def _roots(session: Session) -> dict[UUID, UUID]:
    """Give the entry that stands for each merged one."""
    into: dict[UUID, UUID] = {
        person_id: target
        for person_id, target in session.execute(
            sa.select(Person.id, Person.merged_into_id).where(Person.merged_into_id.is_not(None))
        )
        if target is not None
    }
    roots = {}
    for person_id, target in into.items():
        while target in into:
            target = into[target]
        roots[person_id] = target
    return roots


def _settled_people(
    session: Session, scope: Scope, period: Period, study_id: UUID | None
) -> Iterator[tuple[UUID | None, Stage, int]]:
    """Count people whose rows are gone, by what was written down when they went."""
    names = {"matched": Stage.CONTACT_LEFT, **{f"rung.{rung.value}": Stage(rung.value) for rung in Rung}}
    rows = session.execute(
        sa.select(StageCounter.source_link_id, StageCounter.stage, sa.func.sum(StageCounter.count))
        .outerjoin(StudySite, StudySite.id == StageCounter.study_site_id)
        .where(StageCounter.stage.in_(names))
        .where(within(scope, StageCounter.study_id, StudySite.site_id), *_of(StageCounter.study_id, study_id))
        .where(*_days(StageCounter.day, period))
        .group_by(StageCounter.source_link_id, StageCounter.stage)
    )
    return ((source, names[stage], count) for source, stage, count in rows)


def _spend(
    session: Session, scope: Scope, period: Period, study_id: UUID | None
) -> dict[UUID | None, dict[str, int]]:
    """Sum what was paid for each link; an amount over several days is shared evenly over them."""
    rows = session.scalars(
        sa.select(Spend)
        .join(SourceLink, SourceLink.id == Spend.source_link_id)
        .where(SourceLink.is_test.is_(False))
        .where(within(scope, SourceLink.study_id, SourceLink.site_id), *_of(SourceLink.study_id, study_id))
        .order_by(Spend.entered_at, Spend.id)
    )
    sums: dict[UUID | None, dict[str, int]] = {}
    for row in rows:
        days, of = period.share(row.from_day, row.until_day)
        if days:
            own = sums.setdefault(row.source_link_id, {})
            own[row.currency] = own.get(row.currency, 0) + (2 * row.amount_minor * days + of) // (2 * of)
    return sums


def _links(session: Session, ids: set[UUID | None]) -> list[SourceLink]:
    wanted = [link_id for link_id in ids if link_id is not None]
    return list(session.scalars(sa.select(SourceLink).where(SourceLink.id.in_(wanted))))


def _row(
    source: UUID | None, link: SourceLink | None, counts: Counter[Stage], spend: Mapping[str, int]
) -> FunnelRow:
    return FunnelRow(
        source_link_id=source,
        name=label(link) if link is not None else "",
        medium=link.medium.value if link is not None else "",
        counts={stage: counts[stage] for stage in Stage},
        spend=dict(spend),
    )


def _sum(rows: Iterable[FunnelRow]) -> FunnelRow:
    counts: Counter[Stage] = Counter()
    spend: Counter[str] = Counter()
    for row in rows:
        counts.update(row.counts)
        spend.update(row.spend)
    return FunnelRow(None, "", "", {stage: counts[stage] for stage in Stage}, dict(spend))


def _of(
    column: sa.SQLColumnExpression[UUID] | sa.SQLColumnExpression[UUID | None], study_id: UUID | None
) -> tuple[sa.ColumnElement[bool], ...]:
    return () if study_id is None else (column == study_id,)


def _between(column: sa.SQLColumnExpression[datetime], period: Period) -> tuple[sa.ColumnElement[bool], ...]:
    start, end = period.first, period.last
    return (*(() if start is None else (column >= start,)), *(() if end is None else (column < end,)))


def _days(column: sa.SQLColumnExpression[date], period: Period) -> tuple[sa.ColumnElement[bool], ...]:
    start, end = period.start, period.end
    return (*(() if start is None else (column >= start,)), *(() if end is None else (column <= end,)))
