"""Counting over the pool as a coordinator does, for tests of what is told."""

from __future__ import annotations

from datetime import timedelta

from recruit.db import Database, found
from recruit.matching import feasibility, onerule
from recruit.matching.figures import Asked, Counted, RuleCounted
from recruit.matching.models import FeasibilityCount
from recruit.studies import versions
from tests.conftest import NOON
from tests.recruit.matching.pooled import Pooled

DAY = timedelta(days=1)


def version_counted(
    database: Database, opened: Pooled, asked: Asked | None = None, *, later: int = 0
) -> Counted:
    """Count a whole version, and give what was kept."""
    at = NOON + later * DAY
    over = feasibility.lay(database, opened.protocol.id, asked or Asked(), at=at)
    with database.transaction(actor="account:ana") as session:
        key = feasibility.keep(session, over, at=at).id
    with database.reading() as session:
        return Counted.from_json(found(session, FeasibilityCount, key).result)


def rule_counted(database: Database, opened: Pooled, criterion: str, *, later: int = 0) -> RuleCounted:
    """Count one criterion of a version, and give what was kept."""
    at = NOON + later * DAY
    over = onerule.lay(database, opened.protocol.id, criterion, at=at)
    with database.transaction(actor="account:ana") as session:
        key = onerule.keep(session, over, at=at).id
    with database.reading() as session:
        return RuleCounted.from_json(found(session, FeasibilityCount, key).result)


def rewrite(database: Database, opened: Pooled, criterion: str, rule: str) -> None:
    """Give a criterion of the draft another rule."""
    with database.transaction(actor="test") as session:
        versions.save_criterion(
            session, opened.protocol.id, criterion, {"rule": versions.read_rule(session, opened.study.id, rule)}
        )
