"""Keep marketers' queries within their grants: by study, and by site where a grant names one."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.accounts.policy import Scope
from recruit.db import found
from recruit.errors import NotFound
from recruit.studies.models import Study

Column = sa.ColumnElement[UUID] | sa.ColumnElement[UUID | None] | sa.SQLColumnExpression[UUID | None]


def within(scope: Scope, study: Column, site: Column) -> sa.ColumnElement[bool]:
    """Give the condition that keeps a query within a scope; what belongs to no site needs a grant over all."""
    if scope.is_everything:
        return sa.true()
    pairs = []
    for site_id, study_id in scope.pairs:
        parts = [] if site_id is None else [site == site_id]
        parts += [] if study_id is None else [study == study_id]
        pairs.append(sa.and_(sa.true(), *parts))
    return sa.or_(sa.false(), *pairs)


def touches(scope: Scope, study_id: UUID) -> bool:
    """Say whether a scope reaches into a study, at whatever site."""
    return any(study in (None, study_id) for _, study in scope.pairs)


def study_within(session: Session, study_id: UUID, scope: Scope) -> Study:
    """Fetch a study that the scope reaches into.

    :raises NotFound: there is none, or it is somebody else's
    """
    if not touches(scope, study_id):
        raise NotFound("There is no such study.")
    return found(session, Study, study_id)


def studies_within(session: Session, scope: Scope) -> list[Study]:
    """List the studies that the scope reaches into, by nickname; test studies are left out."""
    rows = session.scalars(sa.select(Study).where(Study.is_test.is_(False)).order_by(Study.nickname))
    return [study for study in rows if touches(scope, study.id)]
