"""Somebody asks not to be contacted: it holds for the person, in every study."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit import events
from recruit.contact.service import withdraw_consent
from recruit.db import locked
from recruit.matching import service
from recruit.matching.models import Match
from recruit.people import queries as people
from recruit.people.models import Person

DO_NOT_CONTACT = "do_not_contact"


def do_not_contact(session: Session, person_id: UUID, *, at: datetime) -> None:
    """Stop every contact with a person: consents end, nobody calls, and the queue forgets them.

    An open referral stays with its site, which is told by its state; saying it twice changes nothing.
    """
    members = people.cluster_of(session, people.root_of(session, person_id))
    for key in sorted(members):
        person = locked(session, Person, key)
        if person.do_not_contact_at is None:
            person.do_not_contact_at = at
            _note(session, person, at=at)
    withdraw_consent(session, person_id, how="phone", at=at)
    waiting = sa.select(Match).where(Match.person_id.in_(members), Match.triage.in_(service.WAITING))
    for match in session.scalars(waiting).all():
        service.close(session, match.id, reason=DO_NOT_CONTACT, at=at)
    session.flush()


def _note(session: Session, person: Person, *, at: datetime) -> None:
    events.record(
        session,
        "person.do_not_contact",
        subject=("person", person.id),
        happened_on=at.date(),
        happened_at=at,
        at=at,
    )
