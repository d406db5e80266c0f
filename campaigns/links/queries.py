"""Read links: how often each was followed, and which still lead to a study that takes nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from campaigns.scoping import within
from recruit.accounts.policy import Scope
from recruit.errors import NotFound
from recruit.intake.models import HitKind, LinkHit, SourceLink
from recruit.matching.queries import is_live
from recruit.studies import queries as studies
from recruit.studies.models import Hold, Site, Study, StudySite, StudyStatus


@dataclass(frozen=True, slots=True)
class LinkLine:
    """One link as a page shows it."""

    link: SourceLink
    study: str
    site: str
    persons: int
    previews: int

    @property
    def name(self) -> str:
        """Name the placement as its maker did."""
        return label(self.link)


@dataclass(frozen=True, slots=True)
class Placement:
    """A link by the name its maker gave it."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class StopAds:
    """A study that takes nobody now, everywhere or at one site, and the placements that still lead there."""

    study: str
    site: str
    links: list[Placement]


def label(link: SourceLink) -> str:
    """Name a placement: channel, then campaign and content where they were given."""
    return " · ".join(part for part in (link.channel, link.campaign, link.content) if part)


def list_links(session: Session, scope: Scope, *, link_id: UUID | None = None) -> list[LinkLine]:
    """List the links within a scope, newest first, live ones before stopped ones."""
    persons, previews = _hits(HitKind.PERSON), _hits(HitKind.PREVIEW)
    rows = session.execute(
        sa.select(SourceLink, Study.nickname, Site.name, persons.label("persons"), previews.label("previews"))
        .outerjoin(Study, Study.id == SourceLink.study_id)
        .outerjoin(Site, Site.id == SourceLink.site_id)
        .where(within(scope, SourceLink.study_id, SourceLink.site_id))
        .where(SourceLink.id == link_id if link_id is not None else sa.true())
        .order_by(SourceLink.stopped_at.is_not(None), SourceLink.created_at.desc(), SourceLink.id)
    ).all()
    return [
        LinkLine(row.SourceLink, row.nickname or "", row.name or "", row.persons, row.previews) for row in rows
    ]


def link_line(session: Session, link_id: UUID, scope: Scope) -> LinkLine:
    """Fetch one link.

    :raises NotFound: there is none, or it is somebody else's
    """
    found = list_links(session, scope, link_id=link_id)
    if not found:
        raise NotFound("There is no such link.")
    return found[0]


def ads_to_stop(session: Session, scope: Scope, *, at: datetime) -> list[StopAds]:
    """List what live holds stop within a scope, each with its links that nobody has stopped."""
    is_meant = sa.or_(Hold.study_id.is_(None), Hold.study_id == Study.id)
    rows = session.execute(
        sa.select(Study.id, Study.nickname, Hold.site_id, Site.name)
        .join_from(Study, StudySite, StudySite.study_id == Study.id)
        .join(Hold, sa.and_(is_meant, sa.or_(Hold.site_id.is_(None), Hold.site_id == StudySite.site_id)))
        .outerjoin(Site, Site.id == Hold.site_id)
        .where(is_live(at), Hold.cohort_id.is_(None), studies.within(scope))
        .where(Study.status == StudyStatus.OPEN, Study.is_test.is_(False))
        .distinct()
        .order_by(Study.nickname, Site.name)
    ).all()
    links = _running_links(session, scope, {row.id for row in rows})
    return [StopAds(row.nickname, row.name or "", _leading(links, row.id, row.site_id)) for row in rows]


def _hits(kind: HitKind) -> sa.ScalarSelect[int]:
    return (
        sa.select(sa.func.count())
        .where(LinkHit.source_link_id == SourceLink.id, LinkHit.kind == kind)
        .correlate(SourceLink)
        .scalar_subquery()
    )


def _running_links(session: Session, scope: Scope, study_ids: set[UUID]) -> list[SourceLink]:
    query = sa.select(SourceLink).where(SourceLink.study_id.in_(study_ids), SourceLink.stopped_at.is_(None))
    newest_first = (SourceLink.created_at.desc(), SourceLink.id)
    mine = within(scope, SourceLink.study_id, SourceLink.site_id)
    return list(session.scalars(query.where(mine, SourceLink.is_test.is_(False)).order_by(*newest_first)))


def _leading(links: list[SourceLink], study_id: UUID, site_id: UUID | None) -> list[Placement]:
    """Keep the links that lead to a study, or to one site of it."""
    return [
        Placement(link.id, label(link))
        for link in links
        if link.study_id == study_id and site_id in (None, link.site_id)
    ]
