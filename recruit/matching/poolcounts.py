"""Read what was counted over the pool before, without counting anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from recruit.errors import NotFound
from recruit.matching.figures import RULE
from recruit.matching.models import FeasibilityCount

LISTED: Final = 20
"""How many counts a page offers."""


def counts_of(session: Session, version_id: UUID) -> Sequence[FeasibilityCount]:
    """List the newest counts of a whole version, without the sets behind them."""
    return _newest(session, FeasibilityCount.protocol_version_id == version_id, _only().is_(None))


def rule_counts_of(session: Session, study_id: UUID, criterion_id: str) -> Sequence[FeasibilityCount]:
    """List the newest counts of one criterion of a study, in whatever version it stood."""
    return _newest(session, FeasibilityCount.study_id == study_id, _only() == criterion_id)


def count_of(session: Session, version_id: UUID, key: UUID) -> FeasibilityCount:
    """Fetch one count of a whole version.

    :raises NotFound: there is no such count of this version
    """
    row = session.get(FeasibilityCount, key, options=_light())
    if row is None or row.protocol_version_id != version_id or RULE in row.asked:
        raise NotFound("There is no such count.")
    return row


def _newest(session: Session, *conditions: sa.ColumnElement[bool]) -> Sequence[FeasibilityCount]:
    query = sa.select(FeasibilityCount).where(*conditions).options(*_light())
    return session.scalars(query.order_by(FeasibilityCount.place.desc()).limit(LISTED)).all()


def _only() -> sa.ColumnElement[str]:
    only: sa.ColumnElement[str] = FeasibilityCount.asked[RULE].as_string()
    return only


def _light() -> list[sa.orm.interfaces.ORMOption]:
    return [defer(FeasibilityCount.sets), defer(FeasibilityCount.told)]
