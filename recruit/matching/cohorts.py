"""Cohorts opened and closed by their own setting, and what that means for the people of their study."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit import events
from recruit.db import locked
from recruit.events import Event
from recruit.matching import holds
from recruit.studies import service as studies
from recruit.studies.models import Cohort, Study

OPENED, CLOSED = "cohort.opened", "cohort.closed"


def save(
    session: Session,
    study_id: UUID,
    code: str,
    *,
    name: str,
    at: datetime,
    cap: int | None = None,
    is_open: bool = True,
    seen: int | None = None,
) -> Cohort:
    """Add a cohort or change the one with this code, and let the study's people follow.

    Who fits no other one that is open leaves the queue when it closes, and comes back when it opens; another
    name or cap judges nobody again.

    :raises Invalid: naming the field that is wrong
    :raises Conflict: somebody else saved in the meantime
    """
    locked(session, Study, study_id)
    before = session.scalar(sa.select(Cohort.is_open).where(Cohort.study_id == study_id, Cohort.code == code))
    cohort = studies.save_cohort(session, study_id, code, name=name, cap=cap, is_open=is_open, seen=seen)
    was_open = before is not False  # a cohort that is not kept yet takes people
    if is_open != was_open:
        closed_since = _last_closed(session, cohort) if is_open else None
        _tell(session, cohort, at=at)
        holds.follow_cohort(session, study_id, is_open=is_open, closed_since=closed_since, at=at)
    return cohort


def _last_closed(session: Session, cohort: Cohort) -> datetime | None:
    return session.scalar(
        sa.select(sa.func.max(Event.happened_at)).where(
            Event.subject_kind == "cohort", Event.subject_id == cohort.id, Event.type == CLOSED
        )
    )


def _tell(session: Session, cohort: Cohort, *, at: datetime) -> None:
    events.record(
        session,
        OPENED if cohort.is_open else CLOSED,
        subject=("cohort", cohort.id),
        happened_on=at.date(),
        happened_at=at,
        at=at,
        study_id=cohort.study_id,
    )
