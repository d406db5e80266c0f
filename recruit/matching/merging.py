"""Say that two entries are one person, and take it back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit import events
from recruit.db import locked
from recruit.errors import Invalid, Refused
from recruit.matching import service
from recruit.matching.models import Match, Triage
from recruit.people import queries
from recruit.people.models import Person
from recruit.referrals.models import Referral


def merge(session: Session, person_id: UUID, *, into: UUID, at: datetime) -> None:
    """Say that two entries are one person; nothing moves, and ``unmerge`` takes it back.

    Where both are matched with one study, the one that got less far leaves the queue as a duplicate.

    :raises Invalid: an entry cannot be merged into itself
    :raises Refused: both have an open referral to one study, or the two are one already
    """
    if person_id == into:
        raise Invalid("Choose another entry of the same person.")
    for key in sorted((person_id, into)):
        locked(session, Person, key)
    root = queries.root_of(session, into)
    person = locked(session, Person, person_id)
    if person.merged_into_id is not None or queries.root_of(session, person_id) == root:
        raise Refused("These two entries are one person already.")
    if _open_referrals_clash(session, person_id, root):
        raise Refused("Both have an open referral to the same study. Close one of them first.")
    person.merged_into_id = root
    session.flush()
    events.record(
        session,
        "person.merged",
        subject=("person", person_id),
        happened_on=at.date(),
        at=at,
        payload={"into": str(root)},
    )
    _close_duplicates(session, root, at=at)


def unmerge(session: Session, person_id: UUID, *, at: datetime) -> None:
    """Take a merge back: the two entries are two people again, and both are in the queue.

    :raises Refused: this entry was not merged
    """
    person = locked(session, Person, person_id)
    if person.merged_into_id is None:
        raise Refused("This entry has not been merged.")
    other = queries.root_of(session, person_id)
    payload: dict[str, object] = {"from": str(person.merged_into_id)}
    person.merged_into_id = None
    session.flush()
    events.record(
        session, "person.unmerged", subject=("person", person_id), happened_on=at.date(), at=at, payload=payload
    )
    for root in (person_id, other):
        _reopen_duplicates(session, root, at=at)


def _open_referrals_clash(session: Session, first: UUID, second: UUID) -> bool:
    def studies(person_id: UUID) -> set[UUID]:
        members = queries.cluster_of(session, person_id)
        query = sa.select(Referral.study_id).where(
            Referral.person_id.in_(members), Referral.closed_at.is_(None)
        )
        return set(session.scalars(query))

    return bool(studies(first) & studies(second))


def _close_duplicates(session: Session, root: UUID, *, at: datetime) -> None:
    kept: set[UUID] = set()
    for match in _matches(session, root):
        if match.study_id in kept and match.triage in service.WAITING:
            service.close(session, match.id, reason=service.DUPLICATE, at=at)
        kept.add(match.study_id)


def _reopen_duplicates(session: Session, root: UUID, *, at: datetime) -> None:
    """Bring back what was closed as a duplicate and has no other of its kind any more."""
    matches = _matches(session, root)
    for match in matches:
        others = [one for one in matches if one.study_id == match.study_id and one.id != match.id]
        if match.closed_reason == service.DUPLICATE and not others:
            match.due_at = None
            service.queue(session, match, at=at)
            service.note_decision(session, match, "match.reopened", at=at)
    session.flush()


def _matches(session: Session, root: UUID) -> list[Match]:
    """List a person's matches, those that are worked on first."""
    members = queries.cluster_of(session, root)
    order = sa.case((Match.triage == Triage.REFERRED, 0), (Match.triage == Triage.CLOSED, 2), else_=1)
    return list(
        session.scalars(
            sa.select(Match)
            .where(Match.person_id.in_(members))
            .order_by(order, Match.arrived_at, Match.id)
            .with_for_update()
        )
    )
