"""Make and stop links, and count who follows them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.accounts.policy import Scope
from recruit.db import locked
from recruit.errors import NotFound, Refused
from recruit.ids import new_id, new_slug
from recruit.intake.models import HitKind, LinkHit, Medium, SourceLink
from recruit.studies.models import Study

CODE_LENGTH = 7
_CODE = re.compile(r"[23456789A-HJKMNP-Za-hjkmnp-z]{4,24}")
_BOT = re.compile(
    r"bot\b|bot/|crawl|spider|preview|facebookexternalhit|facebookcatalog|slurp|whatsapp|telegram|slack|"
    r"discord|skype|embedly|linkedin|pinterest|google-read-aloud|mediapartners|headless|curl/|wget/|python-|"
    r"okhttp|java/|go-http-client|urlscan|safelinks|barracuda|proofpoint|mimecast|imessage|applebot",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class NewLink:
    """One placement of one link."""

    study_id: UUID
    medium: Medium
    channel: str
    site_id: UUID | None = None
    campaign: str = ""
    content: str = ""
    material_version_id: UUID | None = None
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Where a code leads: a study's page, with the code where the link still counts."""

    link_id: UUID
    slug: str | None
    code: str | None


def create_link(session: Session, new: NewLink, *, at: datetime) -> SourceLink:
    """Make a link with a code that says nothing by itself."""
    link = SourceLink(
        id=new_id(),
        code=_free_code(session),
        study_id=new.study_id,
        site_id=new.site_id,
        medium=new.medium,
        channel=new.channel,
        campaign=new.campaign,
        content=new.content,
        material_version_id=new.material_version_id,
        is_test=new.is_test,
        created_at=at,
    )
    session.add(link)
    session.flush()
    return link


def stop_link(session: Session, link_id: UUID, scope: Scope, *, at: datetime) -> SourceLink:
    """Stop a link: it still leads to the study, and no longer counts as a source.

    :raises NotFound: there is none, or it is somebody else's
    :raises Refused: it was stopped before
    """
    link = locked(session, SourceLink, link_id)
    if not scope.covers(site_id=link.site_id, study_id=link.study_id):
        raise NotFound("There is no such link.")
    if link.stopped_at is not None:
        raise Refused("This link has been stopped already.")
    link.stopped_at = at
    return link


def find_target(session: Session, code: str) -> Target | None:
    """Find where a code leads; nothing for one that was never ours."""
    if not _CODE.fullmatch(code):
        return None
    row = session.execute(
        sa.select(SourceLink, Study.slug)
        .outerjoin(Study, Study.id == SourceLink.study_id)
        .where(SourceLink.code == code)
    ).one_or_none()
    if row is None:
        return None
    link = row.SourceLink
    return Target(link.id, row.slug, code if link.stopped_at is None else None)


def kind_of_visit(method: str, agent: str, *, purpose: str = "") -> HitKind:
    """Say whether a person followed a link or a program looked at it beforehand."""
    looked = method == "HEAD" or not agent.strip() or _BOT.search(agent) or "prefetch" in purpose.lower()
    return HitKind.PREVIEW if looked else HitKind.PERSON


def record_hit(session: Session, link_id: UUID, kind: HitKind, *, at: datetime) -> None:
    """Count one follow, without anything about who it was."""
    session.add(LinkHit(source_link_id=link_id, at=at, kind=kind))


def _free_code(session: Session) -> str:
    while True:
        code = new_slug(CODE_LENGTH)
        if session.scalar(sa.select(SourceLink.id).where(SourceLink.code == code)) is None:
            return code
