"""Write consents, closed addresses, the timeline, and the codes that prove an address."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recruit.contact import queries
from recruit.contact.models import (
    Communication,
    Consent,
    ConsentScope,
    ContactChannel,
    Direction,
    Purpose,
    Suppression,
    SuppressionReason,
    Verification,
)
from recruit.contact.notices import AddressClosed, CodeNeeded, ContactVerified
from recruit.db import Database, actor_of, locked, publish
from recruit.errors import Refused
from recruit.ids import new_code, new_id
from recruit.keys import vault_of
from recruit.people.models import ContactKind, ContactPoint, LineType, PersonContact
from screening.intervals import add_months

CODE_DIGITS = 6
CODE_LASTS = timedelta(minutes=15)
CODE_TRIES = 5
CODES_PER_CONTACT = (3, timedelta(hours=1))
"""Codes for one person at one address."""
CODES_PER_ADDRESS = (6, timedelta(days=1))
"""Codes to one address, whoever asks."""
CODES_PER_PERSON = (10, timedelta(days=1))
"""Codes one person can have sent, to whatever addresses."""

_CHANNEL = {ContactKind.PHONE: ContactChannel.SMS, ContactKind.EMAIL: ContactChannel.EMAIL}


class OwnAct(StrEnum):
    """How a person opens their address again; nobody else can."""

    TEXTED_START = "texted_start"
    WEB_FORM = "web_form"


class CodeResult(StrEnum):
    """What came of a code that somebody typed."""

    CONFIRMED = "confirmed"
    WRONG = "wrong"
    TOO_MANY_TRIES = "too_many_tries"
    EXPIRED = "expired"
    USED = "used"


def give_consent(
    session: Session,
    person_id: UUID,
    purpose: Purpose,
    scope: ConsentScope,
    *,
    text: str,
    text_version: str,
    language: str,
    how: str,
    at: datetime,
    channel: ContactChannel | None = None,
    contact_point_id: UUID | None = None,
    study_id: UUID | None = None,
    site_id: UUID | None = None,
    questionnaire_version_id: UUID | None = None,
    study_site_id: UUID | None = None,
    given: bool = True,
    months: int | None = None,
) -> Consent:
    """Write down a yes with the words that were read.

    :param how: the act, such as ``web_form``, ``phone``, ``text``
    :param questionnaire_version_id: whose words were read, at which site of the study (`study_site_id`)
    :param months: how long the words say that it holds; none where they name no end
    :param given: false writes a no that was asked for in the same place
    """
    consent = Consent(
        id=new_id(),
        person_id=person_id,
        contact_point_id=contact_point_id,
        channel=channel,
        purpose=purpose,
        scope=scope,
        study_id=study_id,
        site_id=site_id,
        given=given,
        text=text,
        text_sha256=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        text_version=text_version,
        language=language,
        questionnaire_version_id=questionnaire_version_id,
        study_site_id=study_site_id,
        how=how,
        at=at,
        ends_on=add_months(at.date(), months) if months else None,
        recorded_by=actor_of(session),
    )
    session.add(consent)
    return consent


def withdraw_consent(
    session: Session,
    person_id: UUID,
    *,
    how: str,
    at: datetime,
    purpose: Purpose | None = None,
    channel: ContactChannel | None = None,
    study_id: UUID | None = None,
) -> list[Consent]:
    """Write a no beside every standing yes of a person that fits; whatever is left out fits all.

    The rows of the merged entries count too, and each no goes to the entry that gave the yes.
    """
    members = queries.members_of(session, person_id)
    withdrawn = []
    for yes in queries.standing_consents(session, members):
        fits = (
            yes.given
            and purpose in (None, yes.purpose)
            and channel in (None, yes.channel)
            and study_id in (None, yes.study_id)
        )
        if fits:
            withdrawn.append(_withdraw(session, yes, how=how, at=at))
    session.flush()
    return withdrawn


def _withdraw(session: Session, yes: Consent, *, how: str, at: datetime) -> Consent:
    return give_consent(
        session,
        yes.person_id,
        yes.purpose,
        yes.scope,
        text=yes.text,
        text_version=yes.text_version,
        language=yes.language,
        how=how,
        at=at,
        channel=yes.channel,
        contact_point_id=yes.contact_point_id,
        study_id=yes.study_id,
        site_id=yes.site_id,
        questionnaire_version_id=yes.questionnaire_version_id,
        study_site_id=yes.study_site_id,
        given=False,
    )


def suppress(
    session: Session,
    token: bytes,
    channel: ContactChannel,
    reason: SuppressionReason,
    *,
    source: str,
    at: datetime,
) -> Suppression:
    """Close an address on a channel, known to us or not; saying it twice changes nothing.

    The contact point is locked first, as a claim does, so that of a STOP and a claim one comes after the other.
    """
    point = _locked_point(session, token)
    row = session.scalar(_live(token, channel))
    if row is None:
        row = _insert_suppression(session, token, channel, reason, source=source, at=at)
    if point is not None:
        if reason is SuppressionReason.WRONG_NUMBER and point.wrong_number_at is None:
            point.wrong_number_at = at
        publish(session, AddressClosed(point.id, channel, row.reason))
    return row


def lift(session: Session, token: bytes, channel: ContactChannel, *, act: OwnAct, at: datetime) -> bool:
    """Open an address again by its holder's own act; say whether it was closed by a stop.

    A wrong number, a bounce, a complaint or an erasure is not lifted: the address is not, or no longer, theirs.
    """
    _locked_point(session, token)
    row = session.scalar(_live(token, channel).with_for_update())
    if row is None or row.reason not in (SuppressionReason.STOP, SuppressionReason.PERSON_ASKED):
        return False
    row.lifted_at, row.lifted_by = at, act.value
    session.flush()
    return True


def note_contact(
    session: Session,
    person_id: UUID,
    *,
    direction: Direction,
    channel: ContactChannel,
    purpose: str,
    outcome: str,
    at: datetime,
    contact_point_id: UUID | None = None,
    study_id: UUID | None = None,
    site_id: UUID | None = None,
    message_id: UUID | None = None,
    note: str | None = None,
) -> Communication:
    """Append one contact to a person's timeline; the note is sealed under the person's key.

    :raises Unreadable: a note for a person who has been erased
    """
    row_id = new_id()
    row = Communication(
        id=row_id,
        person_id=person_id,
        contact_point_id=contact_point_id,
        direction=direction,
        channel=channel,
        purpose=purpose,
        outcome=outcome,
        study_id=study_id,
        site_id=site_id,
        message_id=message_id,
        note_sealed=vault_of(session).seal(person_id, "communication", "note_sealed", row_id, note or None),
        at=at,
        recorded_by=actor_of(session),
    )
    session.add(row)
    session.flush()
    return row


def request_code(
    session: Session, person_id: UUID, contact_point_id: UUID, *, language: str, at: datetime
) -> UUID:
    """Have a code sent that proves an address; return the id under which it is confirmed.

    A newer code replaces an older one that is still open. The code itself leaves only in the notice.

    :raises Refused: too many codes, a closed address, or one that takes no codes
    """
    point = locked(session, ContactPoint, contact_point_id)
    _require_reachable(session, person_id, point)
    _require_few_codes(session, person_id, point.id, at=at)
    session.execute(
        sa.update(Verification)
        .where(Verification.person_id == person_id, Verification.contact_point_id == point.id)
        .where(Verification.verified_at.is_(None), Verification.expires_at > at)
        .values(expires_at=at)
    )
    verification_id, code = new_id(), new_code(CODE_DIGITS)
    session.add(
        Verification(
            id=verification_id,
            person_id=person_id,
            contact_point_id=point.id,
            code_hash=_code_hash(session, verification_id, code),
            sent_at=at,
            expires_at=at + CODE_LASTS,
        )
    )
    session.flush()
    publish(session, CodeNeeded(person_id, point.id, verification_id, language, code))
    return verification_id


def confirm_code(session: Session, verification_id: UUID, typed: str, *, at: datetime) -> CodeResult:
    """Check a code that somebody typed; a right one proves the address, once.

    A wrong one is counted, so nothing is raised here that would take the count back.

    :raises NotFound: no code was asked for under this id
    """
    row = locked(session, Verification, verification_id)
    if row.verified_at is not None:
        return CodeResult.USED
    if row.wrong_tries >= CODE_TRIES:
        return CodeResult.TOO_MANY_TRIES
    if row.expires_at <= at:
        return CodeResult.EXPIRED
    digits = "".join(character for character in typed[:40] if character.isascii() and character.isdigit())
    if _code_hash(session, row.id, digits) != row.code_hash:
        row.wrong_tries += 1
        return CodeResult.TOO_MANY_TRIES if row.wrong_tries >= CODE_TRIES else CodeResult.WRONG
    row.verified_at = at
    verify_contact(session, row.person_id, row.contact_point_id, at=at)
    return CodeResult.CONFIRMED


def verify_contact(session: Session, person_id: UUID, contact_point_id: UUID, *, at: datetime) -> None:
    """Note that a person has proven an address, by a code or by a personal link sent there."""
    session.execute(
        sa.update(PersonContact)
        .where(PersonContact.person_id == person_id, PersonContact.contact_point_id == contact_point_id)
        .where(PersonContact.ended_at.is_(None), PersonContact.verified_at.is_(None))
        .values(verified_at=at, version=PersonContact.version + 1)
    )
    session.flush()
    publish(session, ContactVerified(person_id, contact_point_id))


def _code_hash(session: Session, verification_id: UUID, code: str) -> bytes:
    database: Database = session.info["database"]
    return database.keyring.fingerprint("verification", f"{verification_id}:{code}")


def _require_reachable(session: Session, person_id: UUID, point: ContactPoint) -> None:
    channel = _CHANNEL.get(point.kind)
    if channel is None or (point.line_type is LineType.LANDLINE and channel is ContactChannel.SMS):
        raise Refused("We cannot send a code there. We can call you instead.")
    if queries.closed_for(session, point.address_token, channel) is not None:
        raise Refused("We may not write to this address: somebody asked us to stop. We can call you instead.")
    linked = sa.select(PersonContact.id).where(
        PersonContact.person_id == person_id,
        PersonContact.contact_point_id == point.id,
        PersonContact.ended_at.is_(None),
    )
    if session.scalar(linked) is None:
        raise Refused("That address is not known for this person.")


def _require_few_codes(session: Session, person_id: UUID, point_id: UUID, *, at: datetime) -> None:
    own, address = Verification.person_id == person_id, Verification.contact_point_id == point_id
    limits = (
        (CODES_PER_CONTACT, sa.and_(own, address)),
        (CODES_PER_ADDRESS, address),
        (CODES_PER_PERSON, own),
    )
    counts = [
        sa.func.count(sa.case((sa.and_(which, Verification.sent_at > at - span), 1)))
        for (_, span), which in limits
    ]
    sent = session.execute(sa.select(*counts).where(sa.or_(own, address))).one()
    if any(count >= most for count, ((most, _), _) in zip(sent, limits, strict=True)):
        raise Refused("We have sent you several codes already. Please wait a while, or call us.")


def _locked_point(session: Session, token: bytes) -> ContactPoint | None:
    found_id = session.scalar(sa.select(ContactPoint.id).where(ContactPoint.address_token == token))
    return locked(session, ContactPoint, found_id) if found_id is not None else None


def _live(token: bytes, channel: ContactChannel) -> sa.Select[Suppression]:
    return sa.select(Suppression).where(
        Suppression.address_token == token,
        Suppression.channel == channel,
        Suppression.lifted_at.is_(None),
    )


def _insert_suppression(
    session: Session,
    token: bytes,
    channel: ContactChannel,
    reason: SuppressionReason,
    *,
    source: str,
    at: datetime,
) -> Suppression:
    row = Suppression(
        id=new_id(), address_token=token, channel=channel, reason=reason, at=at, source=source[:80]
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:  # another transaction closed an address we hold no contact point of
        return session.scalars(_live(token, channel)).one()
    return row
