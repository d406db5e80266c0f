"""Everything that happened around a person in one study, for a page that shows it as one line of time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.contact.models import Communication, Consent
from recruit.contact.queries import timeline
from recruit.events import Event
from recruit.intake.models import Inquiry, Submission
from recruit.matching.models import Match, Note
from recruit.matching.queries import notes_of
from recruit.operations.models import ViewLog
from recruit.referrals.models import Referral
from recruit.visits.models import Visit

MOST = 300


@dataclass(frozen=True, slots=True)
class History:
    """What a match's page tells; all lists are newest first.

    ``communications`` are those of the person in every study, because each of them is a contact.
    """

    events: list[Event]
    communications: list[Communication]
    consents: list[Consent]
    notes: list[Note]
    views: list[ViewLog]
    visits: dict[UUID, Visit]
    submissions: list[Submission]
    inquiries: list[Inquiry]


def history_of(session: Session, match: Match, members: Collection[UUID]) -> History:
    """Collect what happened around a person in one study, merged entries included."""
    in_study = (Submission.person_id.in_(members), Submission.study_id == match.study_id)
    submissions = session.scalars(
        sa.select(Submission).where(*in_study).order_by(Submission.submitted_at.desc(), Submission.id.desc())
    ).all()
    inquiries = session.scalars(
        sa.select(Inquiry)
        .where(Inquiry.person_id.in_(members), Inquiry.study_id == match.study_id)
        .order_by(Inquiry.received_at.desc(), Inquiry.id.desc())
    ).all()
    referrals = session.scalars(sa.select(Referral.id).where(Referral.match_id == match.id)).all()
    visits = session.scalars(sa.select(Visit).where(Visit.referral_id.in_(referrals))).all()
    subjects = [
        match.id, *referrals, *members,
        *(visit.id for visit in visits), *(one.id for one in submissions), *(one.id for one in inquiries),
    ]  # fmt: skip
    return History(
        events=_events(session, subjects),
        communications=timeline(session, members, limit=MOST),
        consents=_consents(session, members, match.study_id),
        notes=notes_of(session, match.id),
        views=_views(session, members),
        visits={visit.id: visit for visit in visits},
        submissions=list(submissions),
        inquiries=list(inquiries),
    )


def log_view(session: Session, account_id: UUID, person_id: UUID, *, page: str, at: datetime) -> None:
    """Write down that somebody looked at a person's data."""
    session.add(ViewLog(account_id=account_id, person_id=person_id, page=page, at=at))


def changes_since(session: Session, match: Match, *, since: datetime | None, most: int = 8) -> list[Event]:
    """List what happened to a match and its referrals since a moment, newest first."""
    referrals = sa.select(Referral.id).where(Referral.match_id == match.id)
    visits = sa.select(Visit.id).where(Visit.referral_id.in_(referrals))
    query = sa.select(Event).where(
        sa.or_(Event.subject_id == match.id, Event.subject_id.in_(referrals), Event.subject_id.in_(visits))
    )
    if since is not None:
        query = query.where(Event.recorded_at >= since)
    return list(session.scalars(query.order_by(Event.recorded_at.desc(), Event.id.desc()).limit(most)))


def _events(session: Session, subjects: Collection[UUID]) -> list[Event]:
    query = sa.select(Event).where(Event.subject_id.in_(subjects))
    return list(session.scalars(query.order_by(Event.recorded_at.desc(), Event.id.desc()).limit(MOST)))


def _consents(session: Session, members: Collection[UUID], study_id: UUID) -> list[Consent]:
    query = sa.select(Consent).where(
        Consent.person_id.in_(members), sa.or_(Consent.study_id == study_id, Consent.study_id.is_(None))
    )
    return list(session.scalars(query.order_by(Consent.at.desc(), Consent.id.desc())))


def _views(session: Session, members: Collection[UUID]) -> list[ViewLog]:
    query = sa.select(ViewLog).where(ViewLog.person_id.in_(members))
    return list(session.scalars(query.order_by(ViewLog.at.desc(), ViewLog.id.desc()).limit(MOST)))
