"""Forgetting people: on request, and when their time is over.

Before informed consent everything personal goes: keys, names, addresses, answers, facts, consents, calls,
notes, assessments. What stays is a row that says that somebody was here, events that hold ids and codes,
and numbers. After informed consent the record of that study stays (the referral, its visits, the answers to
that study, the assessment, notes marked as record) under the person's key; everything else goes.

Suppressions are never touched: a no outlives the person's data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit import events, settling
from recruit.contact import service as contact
from recruit.contact.models import Communication, Consent, ContactChannel, SuppressionReason, Verification
from recruit.db import Base, publish
from recruit.events import Channel
from recruit.intake.models import Draft, Inquiry, Submission
from recruit.keys import vault_of
from recruit.matching.models import AssessmentRow, Match, Note, OpenCall, Override, Watch
from recruit.people import queries as people
from recruit.people.models import ContactKind, ContactPoint, FactRow, Person, PersonContact, SearchToken
from recruit.referrals.models import Referral
from recruit.referrals.states import AFTER_CONSENT
from recruit.visits.models import Visit

CHANNELS: dict[ContactKind, tuple[ContactChannel, ...]] = {
    ContactKind.PHONE: (ContactChannel.CALL, ContactChannel.SMS, ContactChannel.VOICEMAIL),
    ContactKind.EMAIL: (ContactChannel.EMAIL,),
    ContactKind.POST: (ContactChannel.POST,),
}
_CONSENT_EVENTS = tuple(sorted(f"referral.{state.value}" for state in AFTER_CONSENT))
_NO_LANGUAGE = "und"


class Cause(StrEnum):
    """Why somebody is forgotten; only a request closes their addresses."""

    REQUEST = "request"
    RETENTION = "retention"


@dataclass(frozen=True, slots=True)
class Forgetting:
    """Notice that people are about to be forgotten; handlers remove their own rows about them first."""

    person_ids: frozenset[UUID]
    contact_point_ids: frozenset[UUID]
    at: datetime


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure did.

    :param person_ids: every entry that was this person, merged ones too
    :param kept_study_ids: studies whose record stays, because the person gave informed consent there
    :param shared_contact_points: addresses that stay because somebody else uses them too
    """

    person_ids: frozenset[UUID]
    kept_study_ids: frozenset[UUID]
    shared_contact_points: int


@dataclass(frozen=True, slots=True)
class _Record:
    """What has to stay after informed consent."""

    match_ids: frozenset[UUID]
    person_ids: frozenset[UUID]
    study_ids: frozenset[UUID]


def erase_person(
    session: Session,
    person_id: UUID,
    *,
    at: datetime,
    cause: Cause = Cause.REQUEST,
    channel: Channel = Channel.SYSTEM,
) -> Erasure:
    """Forget a person with all merged entries; doing it again changes nothing.

    :raises NotFound: there is no such person
    """
    members = people.cluster_of(session, people.root_of(session, person_id))
    persons = _lock(session, members)
    record = _record_of(session, members)
    own, shared = _points_of(session, members)
    known = _known(session, members, record)
    publish(session, Forgetting(person_ids=members, contact_point_ids=own, at=at))
    if cause is Cause.REQUEST:
        _close(session, own, at=at)
    _forget_matches(session, _matches_of(session, members, but=record.match_ids), uncounted=record.study_ids)
    _forget_contact(session, members, own, record)
    _forget_answers(session, members, record)
    for person in persons:
        _empty(person, keeps_name=person.id in record.person_ids, at=at)
        if person.id in known:
            _note(session, person, record, cause=cause, channel=channel, at=at)
    session.flush()
    for gone in members - record.person_ids:
        vault_of(session).destroy_key(gone)
    session.expire_all()
    return Erasure(members, record.study_ids, len(shared))


def forget_study(session: Session, person_id: UUID, study_id: UUID) -> None:
    """Forget what a person left for one study, and keep the person.

    For a study without informed consent, such as one that screened the person out and whose days are over.
    """
    members = people.cluster_of(session, people.root_of(session, person_id))
    matches = sa.select(Match).where(Match.person_id.in_(members), Match.study_id == study_id)
    _forget_matches(session, list(session.scalars(matches)))
    going = list(
        session.scalars(
            sa.select(Submission.id).where(Submission.person_id.in_(members), Submission.study_id == study_id)
        )
    )
    in_study = sa.or_(FactRow.submission_id.in_(going), FactRow.study_id == study_id)
    _delete(session, FactRow, FactRow.person_id.in_(members), in_study)
    for model in (Submission, Inquiry, Communication, Consent):
        _delete(session, model, model.person_id.in_(members), model.study_id == study_id)
    session.expire_all()


def reached_consent(session: Session, referral_ids: set[UUID]) -> frozenset[UUID]:
    """Say which of these referrals ever reached informed consent; an entry that was voided does not count."""
    now = sa.select(Referral.id).where(Referral.id.in_(referral_ids), Referral.state.in_(AFTER_CONSENT))
    reached = set(session.scalars(now))
    once = sa.select(events.Event.subject_id).where(
        events.Event.subject_kind == "referral",
        events.Event.subject_id.in_(referral_ids - reached),
        events.Event.type.in_(_CONSENT_EVENTS),
    )
    for referral_id in set(session.scalars(once)):
        if any(event.type in _CONSENT_EVENTS for event in events.standing(session, ("referral", referral_id))):
            reached.add(referral_id)
    return frozenset(reached)


def _lock(session: Session, members: frozenset[UUID]) -> list[Person]:
    """Keep everybody else from adding to these people until they are gone."""
    query = sa.select(Person).where(Person.id.in_(members)).order_by(Person.id).with_for_update()
    return list(session.scalars(query.execution_options(populate_existing=True)))


def _record_of(session: Session, members: frozenset[UUID]) -> _Record:
    matches = sa.select(Match.id).where(Match.person_id.in_(members))
    mine = sa.select(Referral).where(sa.or_(Referral.person_id.in_(members), Referral.match_id.in_(matches)))
    referrals = {referral.id: referral for referral in session.scalars(mine)}
    reached = [referrals[key] for key in reached_consent(session, set(referrals))]
    match_ids = frozenset(referral.match_id for referral in reached)
    owners = session.scalars(sa.select(Match.person_id).where(Match.id.in_(match_ids)))
    study_ids = frozenset(referral.study_id for referral in reached)
    answered = session.scalars(
        sa.select(Submission.person_id).where(
            Submission.person_id.in_(members), Submission.study_id.in_(study_ids)
        )
    )
    keepers = {*owners, *answered, *(referral.person_id for referral in reached)}
    return _Record(match_ids, frozenset(keepers) & members, study_ids)


def _points_of(session: Session, members: frozenset[UUID]) -> tuple[frozenset[UUID], frozenset[UUID]]:
    """Part these people's addresses into their own and those that somebody else has used too."""
    uses = (PersonContact, Consent, Communication, Verification)
    ours: set[UUID] = set()
    for model in uses:
        used = sa.select(model.contact_point_id).where(model.person_id.in_(members))
        ours.update(point for point in session.scalars(used) if point is not None)
    lock = sa.select(ContactPoint.id).where(ContactPoint.id.in_(ours)).order_by(ContactPoint.id)
    session.scalars(lock.with_for_update()).all()
    shared: set[UUID] = set()
    for model in uses:
        others = model.person_id.not_in(members)
        used = sa.select(model.contact_point_id).where(model.contact_point_id.in_(ours), others)
        shared.update(point for point in session.scalars(used) if point is not None)
    return frozenset(ours - shared), frozenset(shared)


def _close(session: Session, points: frozenset[UUID], *, at: datetime) -> None:
    """Close addresses for good by their fingerprints; what is closed already stays as it is."""
    for point in session.scalars(sa.select(ContactPoint).where(ContactPoint.id.in_(points))).all():
        for channel in CHANNELS[point.kind]:
            contact.suppress(
                session, point.address_token, channel, SuppressionReason.ERASED, source="privacy:erase", at=at
            )


def _matches_of(session: Session, members: frozenset[UUID], *, but: frozenset[UUID]) -> list[Match]:
    query = sa.select(Match).where(Match.person_id.in_(members), Match.id.not_in(but))
    return list(session.scalars(query))


def _forget_matches(
    session: Session, matches: list[Match], *, uncounted: frozenset[UUID] = frozenset()
) -> None:
    """Remove matches and all that hangs on them, leaving their stages in numbers.

    :param uncounted: studies in which the person goes on being counted by rows that stay
    """
    settling.count_stages(session, (match for match in matches if match.study_id not in uncounted))
    ids = [match.id for match in matches]
    referrals = sa.select(Referral.id).where(Referral.match_id.in_(ids))
    _delete(session, Visit, Visit.referral_id.in_(referrals))
    _delete(session, Referral, Referral.match_id.in_(ids))
    for model in (Note, Override, AssessmentRow, OpenCall, Watch):
        _delete(session, model, model.match_id.in_(ids))
    _delete(session, Match, Match.id.in_(ids))


def _forget_contact(
    session: Session, members: frozenset[UUID], points: frozenset[UUID], record: _Record
) -> None:
    """Remove how people are reached and found, and what was said; the record's consents keep their words."""
    for model in (Verification, SearchToken, Communication, PersonContact, OpenCall):
        _delete(session, model, model.person_id.in_(members))
    in_record = sa.and_(Consent.study_id.in_(record.study_ids), Consent.person_id.in_(record.person_ids))
    _delete(session, Consent, Consent.person_id.in_(members), ~sa.func.coalesce(in_record, sa.false()))
    named = set(
        session.scalars(sa.select(Consent.contact_point_id).where(Consent.contact_point_id.in_(points)))
    )
    for point in session.scalars(sa.select(ContactPoint).where(ContactPoint.id.in_(named))):
        point.address_token, point.address_sealed = point.id.bytes, b""
    _delete(session, ContactPoint, ContactPoint.id.in_(points - named))
    for point_id in points:
        vault_of(session).destroy_key(point_id)


def _forget_answers(session: Session, members: frozenset[UUID], record: _Record) -> None:
    """Remove what people told us, except their answers to the studies whose record stays."""
    mine = sa.select(Draft).where(Draft.person_id.in_(members)).with_for_update()
    settling.settle(session, session.scalars(mine))
    _delete(session, FactRow, FactRow.person_id.in_(members))
    _delete(
        session, Submission, Submission.person_id.in_(members), Submission.study_id.not_in(record.study_ids)
    )
    _delete(session, Inquiry, Inquiry.person_id.in_(members))
    working = sa.or_(Note.is_record.is_(False), Note.match_id.not_in(record.match_ids))
    _delete(session, Note, Note.person_id.in_(members), working)


def _known(session: Session, members: frozenset[UUID], record: _Record) -> frozenset[UUID]:
    """Name the entries about which there is something to forget, so that an erasure is written down once."""
    alive = sa.select(Person.id).where(
        Person.id.in_(members), Person.id.not_in(record.person_ids), Person.erased_at.is_(None)
    )
    known = set(session.scalars(alive))
    for model in (SearchToken, PersonContact, FactRow, Inquiry):
        known.update(session.scalars(sa.select(model.person_id).where(model.person_id.in_(members))))
    return frozenset(known)


def _note(
    session: Session, person: Person, record: _Record, *, cause: Cause, channel: Channel, at: datetime
) -> None:
    events.record(
        session,
        "person.erased",
        subject=("person", person.id),
        happened_on=at.date(),
        happened_at=at,
        at=at,
        channel=channel,
        payload={
            "cause": cause.value,
            "record_kept": sorted(str(study_id) for study_id in record.study_ids),
        },
    )


def _empty(person: Person, *, keeps_name: bool, at: datetime) -> None:
    person.say_sealed = None
    person.best_time = person.postcode = person.zone = ""
    person.do_not_contact_at = person.do_not_contact_at or at
    if keeps_name or person.erased_at is not None:
        return
    person.given_sealed = person.family_sealed = person.birth_sealed = None
    person.language = _NO_LANGUAGE
    person.custodian_site_id = None
    person.erased_at = at


def _delete(session: Session, model: type[Base], *conditions: sa.ColumnElement[bool]) -> None:
    session.execute(sa.delete(model).where(*conditions).execution_options(synchronize_session=False))
