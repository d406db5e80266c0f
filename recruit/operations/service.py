"""The installation's own row: made once, and the switch that stops everything from being sent."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.operations.models import Installation

ONLY = 1


def ensure(session: Session) -> Installation:
    """Fetch the row about this installation for a change, making it the first time."""
    row = session.get(Installation, ONLY, with_for_update=True)
    if row is None:
        row = Installation(id=ONLY)
        session.add(row)
        session.flush()
    return row


def sending_is_on(session: Session) -> bool:
    """Say whether messages may leave; a database without its row sends nothing."""
    return session.scalar(sa.select(Installation.sending_on).where(Installation.id == ONLY)) or False


def switch_sending(session: Session, *, on: bool) -> None:
    """Let messages leave, or stop them all; whose decision it was stands in the trail."""
    ensure(session).sending_on = on


def mark_restored(session: Session, *, above_epoch: int, at: datetime) -> Installation:
    """Note that this database was restored: sending stops until a person switches it on.

    The sending epoch rises above both databases' own, so that a claim made before the backup is never
    taken for a live one.
    """
    row = ensure(session)
    row.sending_on = False
    row.sending_epoch = max(row.sending_epoch, above_epoch) + 1
    row.restored_at = at
    return row
