"""Read studies and sites: what is open where, on hold, and in force on a day."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from recruit.accounts.policy import Scope
from recruit.clock import civil_day
from recruit.db import found
from recruit.errors import NotFound
from recruit.materials import approvals
from recruit.materials.approvals import Cover
from recruit.materials.models import ApprovedKind
from recruit.studies import versions
from recruit.studies.models import (
    Hold,
    ProtocolVersion,
    QuestionnaireVersion,
    Site,
    SiteClosedDay,
    SiteHours,
    Study,
    StudySite,
    StudySiteStatus,
    StudyStatus,
    VersionInForce,
)


@dataclass(frozen=True, slots=True)
class InForce:
    """What a study site works with on a day."""

    protocol: ProtocolVersion
    questionnaire: QuestionnaireVersion
    effective_from: date


@dataclass(frozen=True, slots=True)
class OpenSite:
    """A site that takes answers and referrals for a study now."""

    study_site: StudySite
    site: Site
    in_force: InForce
    languages: tuple[str, ...]
    """The questionnaire's languages that a live approval covers here today; never none."""


def study_by_slug(session: Session, slug: str) -> Study:
    """Find a study by the name in its address.

    :raises NotFound: there is none
    """
    study = session.scalar(sa.select(Study).where(Study.slug == slug))
    if study is None:
        raise NotFound("There is no such study.")
    return study


def in_force(session: Session, study_site_id: UUID, *, on: date) -> InForce | None:
    """Give the versions a study site uses on a day; nothing before the first day comes."""
    return _in_force(session, {study_site_id: on}).get(study_site_id)


def live_holds(
    session: Session, *, at: datetime, study_id: UUID | None = None, site_id: UUID | None = None
) -> list[Hold]:
    """List the holds that stop this study, this site, or this site in this study, right now.

    A hold that names both stops only the pair; one that names a cohort stops only the cohort and is not listed.
    """
    query = (
        sa.select(Hold)
        .where(Hold.effective_at <= at, sa.or_(Hold.lifted_at.is_(None), Hold.lifted_at > at))
        .where(Hold.cohort_id.is_(None))
        .where(sa.or_(Hold.study_id.is_(None), Hold.study_id == study_id))
        .where(sa.or_(Hold.site_id.is_(None), Hold.site_id == site_id))
        .order_by(Hold.effective_at)
    )
    return list(session.scalars(query))


def held_places(
    session: Session, study_id: UUID, *, at: datetime, seen: sa.ColumnElement[bool]
) -> tuple[bool, int]:
    """Say whether a whole study stands still now, and how many of its sites do by a hold of their own.

    A site counts that takes part and has not been closed out; a hold of one cohort stops no place. ``seen``
    keeps the holds that the reader may know of.
    """
    if live_holds(session, at=at, study_id=study_id):
        return True, 0
    query = (
        sa.select(sa.func.count(sa.distinct(StudySite.id)))
        .join(Hold, Hold.site_id == StudySite.site_id)
        .where(StudySite.study_id == study_id, StudySite.status != StudySiteStatus.CLOSED_OUT)
        .where(Hold.effective_at <= at, sa.or_(Hold.lifted_at.is_(None), Hold.lifted_at > at))
        .where(Hold.cohort_id.is_(None), sa.or_(Hold.study_id.is_(None), Hold.study_id == study_id), seen)
    )
    return False, session.scalar(query) or 0


def takes_people(study_site: StudySite, *, on: date) -> bool:
    """Say whether a study site is activated with an approval that covers the day."""
    return (
        study_site.status is StudySiteStatus.ACTIVATED
        and study_site.approved_on is not None
        and study_site.approved_on <= on
        and (study_site.approval_expires_on is None or on <= study_site.approval_expires_on)
    )


def open_sites(session: Session, study: Study, *, at: datetime) -> list[OpenSite]:
    """List the sites that take people for a study now: activated, approved, in force and not on hold.

    A questionnaire whose approval ended or was withdrawn in every language takes nobody. The lead site comes
    first; the others follow by name.
    """
    if study.status is not StudyStatus.OPEN:
        return []
    rows = session.execute(
        sa.select(StudySite, Site)
        .join(Site, Site.id == StudySite.site_id)
        .where(StudySite.study_id == study.id, StudySite.status == StudySiteStatus.ACTIVATED)
        .order_by(Site.name)
    ).all()
    days = {row.StudySite.id: civil_day(at, row.Site.zone) for row in rows}
    in_use = _in_force(session, days)
    held = _held_sites(session, study.id, at=at)
    approved = _Approved.of(session, in_use.values())
    places = []
    for study_site, site in rows:
        day, versions_used = days[study_site.id], in_use.get(study_site.id)
        stands_still = None in held or site.id in held
        if versions_used is None or stands_still or not takes_people(study_site, on=day):
            continue
        languages = approved.languages(versions_used, study_site.id, on=day)
        if languages:
            places.append(OpenSite(study_site, site, versions_used, languages))
    return sorted(places, key=lambda place: place.site.id != study.lead_site_id)


def _in_force(session: Session, days: Mapping[UUID, date]) -> dict[UUID, InForce]:
    """Give what study sites use, each on its own day, read once in a session."""
    known: dict[UUID, list[InForce]] = session.info.setdefault(versions.IN_FORCE, {})
    wanted = [key for key in days if key not in known]
    if wanted:
        known.update(_histories(session, wanted))
    standing = {key: [one for one in known[key] if one.effective_from <= day] for key, day in days.items()}
    return {key: history[-1] for key, history in standing.items() if history}


def _histories(session: Session, study_site_ids: Collection[UUID]) -> dict[UUID, list[InForce]]:
    """Give what study sites have used, oldest first, in one query; documents are read when asked for."""
    rows = session.execute(
        sa.select(VersionInForce, ProtocolVersion, QuestionnaireVersion)
        .join(ProtocolVersion, ProtocolVersion.id == VersionInForce.protocol_version_id)
        .join(QuestionnaireVersion, QuestionnaireVersion.id == VersionInForce.questionnaire_version_id)
        .where(VersionInForce.study_site_id.in_(study_site_ids))
        .order_by(VersionInForce.effective_from)
        .options(defer(ProtocolVersion.document), defer(QuestionnaireVersion.document))
    ).all()
    found_: dict[UUID, list[InForce]] = {key: [] for key in study_site_ids}
    for row in rows:
        used = InForce(row.ProtocolVersion, row.QuestionnaireVersion, row.VersionInForce.effective_from)
        found_[row.VersionInForce.study_site_id].append(used)
    return found_


def _held_sites(session: Session, study_id: UUID, *, at: datetime) -> set[UUID | None]:
    """Name the sites at which a study stands still right now; nothing among them stands for all of them."""
    return set(
        session.scalars(
            sa.select(Hold.site_id)
            .where(Hold.effective_at <= at, sa.or_(Hold.lifted_at.is_(None), Hold.lifted_at > at))
            .where(Hold.cohort_id.is_(None), sa.or_(Hold.study_id.is_(None), Hold.study_id == study_id))
        )
    )


@dataclass(frozen=True, slots=True)
class _Approved:
    """What standing approvals say about some versions."""

    protocols: tuple[Cover, ...]
    questionnaires: tuple[Cover, ...]

    @classmethod
    def of(cls, session: Session, in_use: Iterable[InForce]) -> _Approved:
        used = list(in_use)
        return cls(
            approvals.coverage(session, ApprovedKind.PROTOCOL_VERSION, {one.protocol.id for one in used}),
            approvals.coverage(
                session, ApprovedKind.QUESTIONNAIRE_VERSION, {one.questionnaire.id for one in used}
            ),
        )

    def languages(self, in_use: InForce, study_site_id: UUID, *, on: date) -> tuple[str, ...]:
        """List the languages in which people may be asked; none without an approved protocol."""
        protocol, questionnaire = in_use.protocol, in_use.questionnaire
        whole = {(one.subject_id, one.sha256) for one in self.protocols if one.reaches(study_site_id, on)}
        if (protocol.id, protocol.sha256) not in whole:
            return ()
        said = {
            (one.subject_id, one.language, one.sha256)
            for one in self.questionnaires
            if one.reaches(study_site_id, on)
        }
        hashes = versions.language_hashes(questionnaire)
        return tuple(code for code, sha256 in hashes.items() if (questionnaire.id, code, sha256) in said)


def study_site(session: Session, study_site_id: UUID, scope: Scope) -> tuple[StudySite, Site, Study]:
    """Fetch a study site that is within the scope.

    :raises NotFound: there is none, or it is somebody else's
    """
    row = found(session, StudySite, study_site_id)
    if not scope.covers(site_id=row.site_id, study_id=row.study_id):
        raise NotFound("There is no such study site.")
    return row, found(session, Site, row.site_id), found(session, Study, row.study_id)


def zone_of(session: Session, study_site_id: UUID) -> str:
    """Give the time zone of a study site's site.

    :raises NotFound: there is no such study site
    """
    return found(session, Site, found(session, StudySite, study_site_id).site_id).zone


def within(scope: Scope) -> sa.ColumnElement[bool]:
    """Give the condition on ``StudySite`` that keeps a query within a scope."""
    if scope.is_everything:
        return sa.true()
    pairs = []
    for site_id, study_id in scope.pairs:
        parts = []
        if site_id is not None:
            parts.append(StudySite.site_id == site_id)
        if study_id is not None:
            parts.append(StudySite.study_id == study_id)
        pairs.append(sa.and_(*parts))
    return sa.or_(sa.false(), *pairs)


def hours_of(session: Session, site_id: UUID) -> tuple[list[SiteHours], frozenset[date]]:
    """Give a site's weekly hours and its closed days."""
    hours = session.scalars(
        sa.select(SiteHours).where(SiteHours.site_id == site_id).order_by(SiteHours.weekday, SiteHours.opens)
    )
    closed = session.scalars(sa.select(SiteClosedDay.day).where(SiteClosedDay.site_id == site_id))
    return list(hours), frozenset(closed)
