"""What a coordinator has to do next, study by study: read in a handful of queries, decided in one place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.accounts.policy import Scope
from recruit.clock import civil_day
from recruit.materials.queries import Alarm, alarm
from recruit.studies.models import (
    Hold,
    ProtocolVersion,
    QuestionnaireVersion,
    Site,
    Study,
    StudyIdentifier,
    StudySite,
    StudySiteStatus,
    StudyStatus,
    VersionInForce,
    VersionStatus,
)
from recruit.studies.reach import visible_studies
from recruit.studies.service import CLINICALTRIALS_GOV

PAGE = 50
_RUNNING = (StudySiteStatus.ACTIVATED, StudySiteStatus.PAUSED)
_PREPARING = (StudySiteStatus.SELECTED, StudySiteStatus.START_UP, StudySiteStatus.INITIATED)


class Step(StrEnum):
    """The next thing to do for a study, the most urgent first."""

    APPROVAL_OVER = "approval_over"
    LIFT_HOLD = "lift_hold"
    RENEW_APPROVAL = "renew_approval"
    PUBLISH_AMENDMENT = "publish_amendment"
    PUBLISH_QUESTIONNAIRE = "publish_questionnaire"
    PUT_IN_FORCE = "put_in_force"
    ACTIVATE_SITE = "activate_site"
    ADD_SITE = "add_site"
    WRITE_QUESTIONNAIRE = "write_questionnaire"
    CONFIRM_CRITERIA = "confirm_criteria"
    NOTHING = "nothing"


ORDER = {step: place for place, step in enumerate(Step)}


@dataclass(frozen=True, slots=True)
class Stands:
    """How far a study's versions of one kind are."""

    published: int | None = None
    draft: int | None = None

    @property
    def has_newer_draft(self) -> bool:
        """Whether something has been drafted since the last publication."""
        return self.draft is not None and (self.published is None or self.draft > self.published)


@dataclass(slots=True)
class StudyRow:
    """One study in the list, with what there is to do."""

    study: Study
    nct_id: str = ""
    sites: int = 0
    activated: int = 0
    preparing: int = 0
    not_in_force: int = 0
    on_hold: bool = False
    alarm: Alarm | None = None
    protocol: Stands = field(default_factory=Stands)
    questionnaire: Stands = field(default_factory=Stands)

    @property
    def step(self) -> Step:
        """Say what to do next."""
        return next_step(self)


_WHEN: tuple[tuple[Step, Callable[[StudyRow], bool]], ...] = (
    (Step.NOTHING, lambda row: row.study.status is StudyStatus.CLOSED),
    (Step.APPROVAL_OVER, lambda row: row.alarm is not None and row.alarm.is_over),
    (Step.LIFT_HOLD, lambda row: row.on_hold),
    (Step.RENEW_APPROVAL, lambda row: row.alarm is not None),
    (Step.CONFIRM_CRITERIA, lambda row: row.protocol.published is None),
    (Step.PUBLISH_AMENDMENT, lambda row: row.protocol.has_newer_draft),
    (Step.PUBLISH_QUESTIONNAIRE, lambda row: row.questionnaire.has_newer_draft),
    (Step.WRITE_QUESTIONNAIRE, lambda row: row.questionnaire.published is None),
    (Step.ADD_SITE, lambda row: row.sites == 0),
    (Step.PUT_IN_FORCE, lambda row: row.not_in_force > 0),
    (Step.ACTIVATE_SITE, lambda row: row.preparing > 0),
)


def next_step(row: StudyRow) -> Step:
    """Decide what to do next for a study: people first, then what lets a site open, then drafts."""
    return next((step for step, applies in _WHEN if applies(row)), Step.NOTHING)


def study_rows(
    session: Session,
    scope: Scope,
    *,
    at: datetime,
    words: str = "",
    status: StudyStatus | None = None,
    step: Step | None = None,
) -> list[StudyRow]:
    """List the studies of a scope, what is most urgent first; closed ones only when asked for or searched."""
    query = sa.select(Study).where(visible_studies(scope))
    if status is not None:
        query = query.where(Study.status == status)
    elif not words:
        query = query.where(Study.status != StudyStatus.CLOSED)
    if words:
        query = query.where(_says(words))
    rows = {study.id: StudyRow(study) for study in session.scalars(query)}
    _fill(session, rows, at=at)
    wanted = [row for row in rows.values() if step is None or row.step is step]
    return sorted(wanted, key=lambda row: (ORDER[row.step], row.study.nickname.casefold(), row.study.id))


def study_row(session: Session, study: Study, *, at: datetime) -> StudyRow:
    """Give one study with what there is to do."""
    rows = {study.id: StudyRow(study)}
    _fill(session, rows, at=at)
    return rows[study.id]


def steps_of(rows: Iterable[StudyRow]) -> dict[Step, int]:
    """Count how many studies wait for each step, the most urgent first."""
    counts = dict.fromkeys(Step, 0)
    for row in rows:
        counts[row.step] += 1
    return {step: number for step, number in counts.items() if number and step is not Step.NOTHING}


def _says(words: str) -> sa.ColumnElement[bool]:
    """Match every word somewhere in a study's names and numbers."""
    parts: list[sa.ColumnElement[bool]] = []
    for word in words.split()[:8]:
        columns = (Study.nickname, Study.title, Study.protocol_number, Study.sponsor, Study.indication)
        numbered = sa.select(StudyIdentifier.study_id).where(
            StudyIdentifier.value.icontains(word, autoescape=True)
        )
        parts.append(sa.or_(*(one.icontains(word, autoescape=True) for one in columns), Study.id.in_(numbered)))
    return sa.and_(*parts)


def _fill(session: Session, rows: dict[UUID, StudyRow], *, at: datetime) -> None:
    if not rows:
        return
    keys = list(rows)
    _fill_numbers(session, rows, keys)
    _fill_versions(session, rows, keys)
    _fill_sites(session, rows, keys, at=at)
    _fill_holds(session, rows, keys, at=at)


def _fill_numbers(session: Session, rows: dict[UUID, StudyRow], keys: Sequence[UUID]) -> None:
    query = sa.select(StudyIdentifier.study_id, StudyIdentifier.value).where(
        StudyIdentifier.study_id.in_(keys), StudyIdentifier.system == CLINICALTRIALS_GOV
    )
    for study_id, value in session.execute(query):
        rows[study_id].nct_id = value


def _fill_versions(session: Session, rows: dict[UUID, StudyRow], keys: Sequence[UUID]) -> None:
    for kind, name in ((ProtocolVersion, "protocol"), (QuestionnaireVersion, "questionnaire")):
        newest: defaultdict[UUID, dict[VersionStatus, int]] = defaultdict(dict)
        query = (
            sa.select(kind.study_id, kind.status, sa.func.max(kind.number))
            .where(kind.study_id.in_(keys))
            .group_by(kind.study_id, kind.status)
        )
        for study_id, status, number in session.execute(query):
            newest[study_id][status] = number
        for study_id, numbers in newest.items():
            stands = Stands(numbers.get(VersionStatus.PUBLISHED), numbers.get(VersionStatus.DRAFT))
            setattr(rows[study_id], name, stands)


def _fill_sites(session: Session, rows: dict[UUID, StudyRow], keys: Sequence[UUID], *, at: datetime) -> None:
    forced = set(
        session.scalars(
            sa.select(VersionInForce.study_site_id)
            .join(StudySite, StudySite.id == VersionInForce.study_site_id)
            .where(StudySite.study_id.in_(keys))
        )
    )
    query = sa.select(StudySite, Site.zone).join(Site, Site.id == StudySite.site_id)
    for study_site, zone in session.execute(query.where(StudySite.study_id.in_(keys))):
        row = rows[study_site.study_id]
        row.sites += 1
        row.activated += study_site.status is StudySiteStatus.ACTIVATED
        if study_site.status in _PREPARING:
            row.preparing += 1
            row.not_in_force += study_site.id not in forced
        if study_site.status in _RUNNING:
            near = alarm(study_site.approval_expires_on, on=civil_day(at, zone))
            row.alarm = _nearer(row.alarm, near)


def _nearer(one: Alarm | None, other: Alarm | None) -> Alarm | None:
    known = [item for item in (one, other) if item is not None]
    return min(known, key=lambda item: item.days) if known else None


def _fill_holds(session: Session, rows: dict[UUID, StudyRow], keys: Sequence[UUID], *, at: datetime) -> None:
    live = sa.and_(
        Hold.effective_at <= at, sa.or_(Hold.lifted_at.is_(None), Hold.lifted_at > at), Hold.cohort_id.is_(None)
    )
    direct = sa.select(Hold.study_id).where(live, Hold.study_id.in_(keys))
    by_site = (
        sa.select(StudySite.study_id)
        .join(Hold, Hold.site_id == StudySite.site_id)
        .where(live, Hold.study_id.is_(None), StudySite.study_id.in_(keys))
    )
    for study_id in (*session.scalars(direct), *session.scalars(by_site)):
        if study_id is not None:
            rows[study_id].on_hold = True


def sites_of(session: Session, study_id: UUID, scope: Scope) -> list[tuple[StudySite, Site]]:
    """List a study's sites within a scope by name."""
    query = (
        sa.select(StudySite, Site)
        .join(Site, Site.id == StudySite.site_id)
        .where(StudySite.study_id == study_id)
        .order_by(Site.name, Site.id)
    )
    pairs = [(row.StudySite, row.Site) for row in session.execute(query)]
    return [pair for pair in pairs if scope.covers(site_id=pair[1].id, study_id=study_id)]


def today_at(site: Site, at: datetime) -> date:
    """Give the civil day at a site."""
    return civil_day(at, site.zone)
