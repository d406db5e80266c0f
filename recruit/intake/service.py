"""Take people in: answers with a contact, or a contact alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from recruit import events
from recruit.clock import civil_day
from recruit.contact.models import ConsentScope, ContactChannel, Purpose
from recruit.contact.service import give_consent
from recruit.db import found, locked
from recruit.errors import Invalid, Refused
from recruit.ids import new_id
from recruit.intake import drafts, submissions
from recruit.intake.models import Draft, DraftStatus, Entrance, Inquiry, InquiryChannel, Submission
from recruit.keys import vault_of
from recruit.people import names
from recruit.people import queries as people
from recruit.people import service as people_service
from recruit.people.models import (
    Basis,
    ContactKind,
    ContactPoint,
    ContactRole,
    LineType,
    Person,
    PersonContact,
)
from recruit.people.service import Identity
from screening.asking.questionnaire import Outcome
from screening.texts import Respondent

BASES = {Entrance.ASSISTED_CALL: Basis.CALL, Entrance.WALK_IN: Basis.WALK_IN}


@dataclass(frozen=True, slots=True)
class Contact:
    """What a person left so that we can reach them; addresses are in their normal form, empty where not left.

    For a child, ``identity`` is the child's and ``contact_name`` the parent's.
    """

    identity: Identity
    phone: str = ""
    phone_country: str = "US"
    line_type: LineType = LineType.UNKNOWN
    email: str = ""
    post: str = ""
    contact_name: str = ""
    role: ContactRole = ContactRole.SELF
    postcode: str = ""
    best_time: str = ""
    language: str = "en"

    @property
    def addresses(self) -> tuple[tuple[ContactKind, str], ...]:
        """List the addresses left, telephone first."""
        left = ((ContactKind.PHONE, self.phone), (ContactKind.EMAIL, self.email), (ContactKind.POST, self.post))
        return tuple((kind, address) for kind, address in left if address)


@dataclass(frozen=True, slots=True)
class Consented:
    """One yes, with the words that were shown, and for how many months they say that it holds."""

    purpose: Purpose
    channel: ContactChannel | None
    text: str
    text_version: str
    months: int | None = None
    questionnaire_version_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class TakenIn:
    """Who came in, and how they can be reached; the first link is the one to verify."""

    person: Person
    links: tuple[PersonContact, ...]


def require_contact(outcome: Outcome, contact: Contact, consents: Sequence[Consented]) -> None:
    """Check that what was left is enough to be called, and allowed.

    :raises Invalid: no address, or no consent to be contacted
    """
    if not contact.addresses:
        raise Invalid("Leave a telephone number, an email address or a postal address.", field="phone")
    purposes = {one.purpose for one in consents}
    if outcome is Outcome.NOT_THIS_STUDY:
        if Purpose.REGISTRY not in purposes:
            raise Invalid(
                "Tick the box if you want us to keep your details for other studies.", field="registry"
            )
        return
    if Purpose.CONTACT not in purposes:
        raise Invalid("Tick the box so that we may contact you about this study.", field="contact")


def take_in(
    session: Session, draft: Draft, contact: Contact, consents: Sequence[Consented], *, at: datetime, how: str
) -> TakenIn:
    """Find or add the person behind a contact, with addresses and consents."""
    person = _person_of_draft(session, draft) or _known(session, contact)
    if person is None:
        person = people_service.add_person(
            session,
            contact.identity,
            basis=BASES.get(draft.entrance, Basis.QUESTIONNAIRE),
            language=contact.language,
            at=at,
            postcode=contact.postcode,
            best_time=contact.best_time,
            is_test=draft.is_test,
        )
    links = _attach(session, person, contact, at=at)
    give_all(
        session,
        person,
        links,
        consents,
        study_id=draft.study_id,
        study_site_id=draft.study_site_id,
        language=contact.language,
        how=how,
        at=at,
    )
    return TakenIn(person, links)


def keep_submission(session: Session, opened: drafts.Opened, person: Person, *, at: datetime) -> Submission:
    """Keep the answers on the path under the person's key, and let the draft forget them.

    :raises Refused: the draft has no result yet
    """
    draft = opened.draft
    if draft.outcome is None:
        raise Refused("Some questions are still open.")
    submission = submissions.keep(
        session,
        opened,
        person.id,
        drafts.kept_answers(opened),
        drafts.facts_of(opened, at=at),
        outcome=draft.outcome,
        by=draft.started_by,
        at=at,
    )
    draft.status, draft.person_id = DraftStatus.SUBMITTED, person.id
    drafts.forget_answers(session, draft)
    events.record(
        session,
        "submission.received",
        subject=("submission", submission.id),
        happened_on=civil_day(at, opened.zone),
        happened_at=at,
        at=at,
        study_id=draft.study_id,
        payload={"person": str(person.id), "outcome": draft.outcome.value},
    )
    return submission


def keep_inquiry(
    session: Session,
    study_id: UUID,
    contact: Contact,
    consents: Sequence[Consented],
    *,
    channel: InquiryChannel,
    how: str,
    at: datetime,
    study_site_id: UUID | None = None,
    source_link_id: UUID | None = None,
    clinician: str = "",
    is_test: bool = False,
) -> tuple[Inquiry, TakenIn]:
    """Keep a contact that came without answers.

    :raises Invalid: no address, or no consent to be contacted
    """
    require_contact(Outcome.NEED_TO_TALK, contact, consents)
    person = _known(session, contact) or people_service.add_person(
        session,
        contact.identity,
        basis=Basis.INQUIRY,
        language=contact.language,
        at=at,
        postcode=contact.postcode,
        best_time=contact.best_time,
        is_test=is_test,
    )
    links = _attach(session, person, contact, at=at)
    give_all(
        session,
        person,
        links,
        consents,
        study_id=study_id,
        study_site_id=study_site_id,
        language=contact.language,
        how=how,
        at=at,
    )
    inquiry_id = new_id()
    inquiry = Inquiry(
        id=inquiry_id,
        person_id=person.id,
        study_id=study_id,
        study_site_id=study_site_id,
        channel=channel,
        source_link_id=source_link_id,
        clinician_sealed=vault_of(session).seal(
            person.id, "inquiry", "clinician_sealed", inquiry_id, clinician or None
        ),
        received_at=at,
        is_test=is_test,
    )
    session.add(inquiry)
    session.flush()
    events.record(
        session,
        "inquiry.received",
        subject=("inquiry", inquiry.id),
        happened_on=at.date(),
        happened_at=at,
        at=at,
        study_id=study_id,
        payload={"person": str(person.id), "channel": channel.value},
    )
    return inquiry, TakenIn(person, links)


def give_all(
    session: Session,
    person: Person,
    links: Sequence[PersonContact],
    consents: Sequence[Consented],
    *,
    study_id: UUID,
    study_site_id: UUID | None,
    language: str,
    how: str,
    at: datetime,
) -> None:
    """Write down every yes, each with the address and channel it is about."""
    by_channel = _points_by_channel(session, links)
    for one in consents:
        registry = one.purpose is Purpose.REGISTRY
        give_consent(
            session,
            person.id,
            one.purpose,
            ConsentScope.REGISTRY if registry else ConsentScope.STUDY,
            channel=one.channel,
            study_id=None if registry else study_id,
            contact_point_id=by_channel.get(one.channel) if one.channel else None,
            text=one.text,
            text_version=one.text_version,
            questionnaire_version_id=one.questionnaire_version_id,
            study_site_id=study_site_id,
            language=language,
            how=how,
            at=at,
            months=one.months,
        )


def locked_draft(session: Session, draft_id: UUID) -> Draft:
    """Fetch a draft for its final step."""
    return locked(session, Draft, draft_id)


def respondent_role(respondent: Respondent) -> ContactRole:
    """Say whose contact details are left: one's own, or those of the adult who answers."""
    return ContactRole.SELF if respondent is Respondent.SELF else ContactRole.GUARDIAN


def _person_of_draft(session: Session, draft: Draft) -> Person | None:
    return found(session, Person, draft.person_id) if draft.person_id is not None else None


def _known(session: Session, contact: Contact) -> Person | None:
    """Find the person at this address who is certainly the same; a shared number alone proves nothing."""
    for kind, address in contact.addresses:
        for person in people.people_at(session, kind, address):
            known = people.identity_of(session, person)
            mine = contact.identity
            births: tuple[date | None, date | None] = (known.birth, mine.birth)
            if names.certainly_same(
                given=(known.given, mine.given), birth=births, family=(known.family, mine.family)
            ):
                return found(session, Person, people.root_of(session, person.id))
    return None


def _attach(session: Session, person: Person, contact: Contact, *, at: datetime) -> tuple[PersonContact, ...]:
    return tuple(
        people_service.attach_contact(
            session,
            person,
            kind,
            address,
            at=at,
            role=contact.role,
            country=contact.phone_country,
            line_type=contact.line_type if kind is ContactKind.PHONE else LineType.UNKNOWN,
            contact_name=contact.contact_name,
            preferred=index == 0,
        )
        for index, (kind, address) in enumerate(contact.addresses)
    )


def _points_by_channel(session: Session, links: Sequence[PersonContact]) -> dict[ContactChannel, UUID]:
    channels: dict[ContactChannel, UUID] = {}
    for link in links:
        kind = found(session, ContactPoint, link.contact_point_id).kind
        for channel in CHANNELS_OF[kind]:
            channels.setdefault(channel, link.contact_point_id)
    return channels


CHANNELS_OF = {
    ContactKind.PHONE: (ContactChannel.CALL, ContactChannel.SMS, ContactChannel.VOICEMAIL),
    ContactKind.EMAIL: (ContactChannel.EMAIL,),
    ContactKind.POST: (ContactChannel.POST,),
}
