"""What a coordinator's grants reach: studies, sites, and what may be changed there.

Who holds the role at one site sees the studies of that site, and changes the site and its part in them. The
study's own pages are changed by who holds the role for the whole study.
"""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.accounts.policy import Scope
from recruit.db import found
from recruit.errors import Forbidden, NotFound
from recruit.studies.models import Hold, Site, Study, StudySite

_NOT_YOURS = "Your role covers only a part of this study. Ask who coordinates it as a whole."


def visible_studies(scope: Scope) -> sa.ColumnElement[bool]:
    """Give the condition on ``Study`` that keeps a query within a scope."""
    if scope.is_everything:
        return sa.true()
    parts: list[sa.ColumnElement[bool]] = [sa.false()]
    for site_id, study_id in scope.pairs:
        conditions: list[sa.ColumnElement[bool]] = []
        if study_id is not None:
            conditions.append(Study.id == study_id)
        if site_id is not None:
            here = sa.select(StudySite.study_id).where(StudySite.site_id == site_id)
            conditions.append(Study.id.in_(here))
        parts.append(sa.and_(*conditions))
    return sa.or_(*parts)


def visible_sites(scope: Scope) -> sa.ColumnElement[bool]:
    """Give the condition on ``Site`` that keeps a query within a scope."""
    if scope.is_everything:
        return sa.true()
    parts: list[sa.ColumnElement[bool]] = [sa.false()]
    for site_id, study_id in scope.pairs:
        if site_id is not None:
            parts.append(Site.id == site_id)
        else:
            parts.append(Site.id.in_(sa.select(StudySite.site_id).where(StudySite.study_id == study_id)))
    return sa.or_(*parts)


def visible_holds(scope: Scope) -> sa.ColumnElement[bool]:
    """Give the condition on ``Hold`` that keeps a query within a scope."""
    if scope.is_everything:
        return sa.true()
    studies = sa.select(Study.id).where(visible_studies(scope))
    sites = sa.select(Site.id).where(visible_sites(scope))
    return sa.and_(
        sa.or_(Hold.study_id.is_(None), Hold.study_id.in_(studies)),
        sa.or_(Hold.site_id.is_(None), Hold.site_id.in_(sites)),
    )


def study_to_read(session: Session, study_id: UUID, scope: Scope) -> Study:
    """Fetch a study that a scope touches.

    :raises NotFound: there is none, or it is somebody else's
    """
    study = session.scalar(sa.select(Study).where(Study.id == study_id, visible_studies(scope)))
    if study is None:
        raise NotFound("There is no such study.")
    return study


def study_to_change(session: Session, study_id: UUID, scope: Scope) -> Study:
    """Fetch a study whose own pages a scope may change.

    :raises NotFound: there is none, or it is somebody else's
    :raises Forbidden: only a part of it is within the scope
    """
    study = study_to_read(session, study_id, scope)
    if not may_change_study(scope, study.id):
        raise Forbidden(_NOT_YOURS)
    return study


def may_change_study(scope: Scope, study_id: UUID) -> bool:
    """Say whether a study's own pages are within a scope."""
    return scope.covers(site_id=None, study_id=study_id)


def site_to_read(session: Session, site_id: UUID, scope: Scope) -> Site:
    """Fetch a site that a scope touches.

    :raises NotFound: there is none, or it is somebody else's
    """
    site = session.scalar(sa.select(Site).where(Site.id == site_id, visible_sites(scope)))
    if site is None:
        raise NotFound("There is no such site.")
    return site


def site_to_change(session: Session, site_id: UUID, scope: Scope) -> Site:
    """Fetch a site whose address, hours and closed days a scope may change.

    :raises NotFound: there is none, or it is somebody else's
    :raises Forbidden: the role is limited to a study
    """
    site = site_to_read(session, site_id, scope)
    if not may_change_site(scope, site.id):
        raise Forbidden("Your role covers a study at this site, not the site itself.")
    return site


def may_change_site(scope: Scope, site_id: UUID) -> bool:
    """Say whether a site itself is within a scope."""
    return scope.covers(site_id=site_id, study_id=None)


def hold_to_change(session: Session, hold_id: UUID, scope: Scope) -> Hold:
    """Fetch a hold that a scope may lift.

    :raises NotFound: there is none, or it is somebody else's
    :raises Forbidden: it stops more than the scope covers
    """
    hold = found(session, Hold, hold_id)
    if session.scalar(sa.select(Hold.id).where(Hold.id == hold_id, visible_holds(scope))) is None:
        raise NotFound("There is no such hold.")
    require_hold(scope, study_id=hold.study_id, site_id=hold.site_id)
    return hold


def require_hold(scope: Scope, *, study_id: UUID | None, site_id: UUID | None) -> None:
    """Check that a scope covers all that a hold stops.

    :raises Forbidden: it does not
    """
    if not scope.covers(site_id=site_id, study_id=study_id):
        raise Forbidden("Your role does not cover all that this hold would stop.")
