"""Read what was counted over the pool before, without counting anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from recruit.errors import NotFound
from recruit.matching.models import FeasibilityCount

LISTED: Final = 20
"""How many counts a page offers."""


def counts_of(session: Session, version_id: UUID) -> Sequence[FeasibilityCount]:
    """List the newest counts of a version, without the sets behind them."""
    query = sa.select(FeasibilityCount).where(FeasibilityCount.protocol_version_id == version_id)
    return session.scalars(query.options(*_light()).order_by(FeasibilityCount.place.desc()).limit(LISTED)).all()


def count_of(session: Session, version_id: UUID, key: UUID) -> FeasibilityCount:
    """Fetch one count of a version.

    :raises NotFound: there is no such count of this version
    """
    row = session.get(FeasibilityCount, key, options=_light())
    if row is None or row.protocol_version_id != version_id:
        raise NotFound("There is no such count.")
    return row


def _light() -> list[sa.orm.interfaces.ORMOption]:
    return [defer(FeasibilityCount.sets), defer(FeasibilityCount.told)]
