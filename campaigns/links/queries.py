"""Read links with how often each was followed."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from campaigns.scoping import within
from recruit.accounts.policy import Scope
from recruit.errors import NotFound
from recruit.intake.models import HitKind, LinkHit, SourceLink
from recruit.studies.models import Site, Study


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


def _hits(kind: HitKind) -> sa.ScalarSelect[int]:
    return (
        sa.select(sa.func.count())
        .where(LinkHit.source_link_id == SourceLink.id, LinkHit.kind == kind)
        .correlate(SourceLink)
        .scalar_subquery()
    )
