"""What somebody who has just left a contact is told: who calls, when, and where the code went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.addresses import mask_phone
from recruit.contact.models import Consent, ContactChannel, Purpose, Verification
from recruit.db import found
from recruit.intake.models import Draft, Inquiry, Submission
from recruit.intake.pages import site_of
from recruit.keys import vault_of
from recruit.matching.models import Match, Triage
from recruit.people import queries as people
from recruit.people.models import ContactKind, ContactPoint, Person, PersonContact

FALLBACK_ZONE = "America/New_York"


@dataclass(frozen=True, slots=True)
class CodeSent:
    """A code that is on its way, to an address shown so that only its holder recognises it."""

    verification_id: UUID
    contact_point_id: UUID
    kind: ContactKind
    masked: str
    is_proven: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """A person who has just come in; ``due_at`` is when they will have been called, where a call is planned."""

    person_id: UUID
    study_id: UUID
    language: str
    due_at: datetime | None
    zone: str
    phone: str
    channels: frozenset[ContactChannel]
    for_registry_only: bool
    code: CodeSent | None


def of_draft(session: Session, draft: Draft) -> Arrival | None:
    """Tell what came of a draft; nothing before it was sent."""
    submission = session.scalar(sa.select(Submission).where(Submission.draft_id == draft.id))
    if submission is None:
        return None
    return _arrival(session, submission.person_id, submission.study_id, submission.submitted_at)


def of_inquiry(session: Session, inquiry_id: UUID) -> Arrival | None:
    """Tell what came of a contact that was left without answers."""
    inquiry = session.get(Inquiry, inquiry_id)
    if inquiry is None:
        return None
    return _arrival(session, inquiry.person_id, inquiry.study_id, inquiry.received_at)


def _arrival(session: Session, person_id: UUID, study_id: UUID, came_at: datetime) -> Arrival | None:
    person = session.get(Person, person_id)
    if person is None or person.erased_at is not None:
        return None
    match = _match(session, person.id, study_id)
    zone, phone = person.zone, ""
    if match is not None and match.study_site_id is not None:
        study_site, site = site_of(session, match.study_site_id)
        zone, phone = zone or site.zone, study_site.study_phone or site.phone
    waiting = match is not None and match.triage is Triage.TO_CALL
    return Arrival(
        person_id=person.id,
        study_id=study_id,
        language=person.language,
        due_at=match.due_at if match is not None and waiting else None,
        zone=zone or FALLBACK_ZONE,
        phone=phone,
        channels=_channels(session, person.id, came_at),
        for_registry_only=match is None,
        code=_code(session, person.id, came_at),
    )


def _match(session: Session, person_id: UUID, study_id: UUID) -> Match | None:
    members = people.cluster_of(session, people.root_of(session, person_id))
    return session.scalar(sa.select(Match).where(Match.person_id.in_(members), Match.study_id == study_id))


def _channels(session: Session, person_id: UUID, since: datetime) -> frozenset[ContactChannel]:
    rows = session.scalars(
        sa.select(Consent.channel).where(
            Consent.person_id == person_id,
            Consent.purpose.in_((Purpose.CONTACT, Purpose.REGISTRY)),
            Consent.given,
            Consent.at >= since,
        )
    )
    return frozenset(channel for channel in rows if channel is not None)


def _code(session: Session, person_id: UUID, since: datetime) -> CodeSent | None:
    sent = session.scalar(
        sa.select(Verification)
        .where(Verification.person_id == person_id, Verification.sent_at >= since)
        .order_by(Verification.sent_at.desc(), Verification.id.desc())
        .limit(1)
    )
    if sent is None:
        return None
    point = found(session, ContactPoint, sent.contact_point_id)
    proven = session.scalar(
        sa.select(PersonContact.verified_at).where(
            PersonContact.person_id == person_id,
            PersonContact.contact_point_id == point.id,
            PersonContact.ended_at.is_(None),
        )
    )
    return CodeSent(sent.id, point.id, point.kind, _masked(session, point), proven is not None)


def _masked(session: Session, point: ContactPoint) -> str:
    sealed = point.address_sealed
    address = vault_of(session).open(point.id, "contact_point", "address_sealed", point.id, sealed) or ""
    if point.kind is ContactKind.PHONE:
        return mask_phone(address)
    name, _, domain = address.partition("@")
    return f"{name[:1]}•••@{domain}"
