"""Before a call: may we ring this number, leave a message there, send a text, and if not, why not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from recruit.contact import policy
from recruit.contact import queries as contact
from recruit.contact.hours import next_allowed
from recruit.contact.models import ContactChannel, Purpose
from recruit.contact.policy import Facts, MessagePurpose, WordingStanding
from recruit.contact.queries import RULES, About
from recruit.contact.wordings import wordings
from recruit.matching.models import Match
from recruit.people.models import ContactKind
from recruit.people.queries import Reachable


class Bar(StrEnum):
    """What stands against a call or a message on the telephone."""

    DO_NOT_CONTACT = "do_not_contact"
    WRONG_NUMBER = "wrong_number"
    CLOSED = "closed"
    NOT_ASKED_FOR = "not_asked_for"
    HOURS = "hours"
    NOT_A_PHONE = "not_a_phone"


@dataclass(frozen=True, slots=True)
class Answer:
    """May we, and if not, what stands against it and until when, where time alone lifts it."""

    allowed: bool
    bar: Bar | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class TextAnswer:
    """May we send a text; the contact policy's own reason where we may not."""

    allowed: bool
    reason: policy.Reason | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """Everything to know about one address before using it.

    ``names_study``: whether a message on the voicemail may name the study.
    """

    call: Answer
    message: Answer
    text: TextAnswer
    names_study: bool

    @property
    def can_call(self) -> bool:
        """Whether it may be rung now."""
        return self.call.allowed


_LIFTED_BY_TIME = frozenset({policy.Reason.QUIET_HOURS, policy.Reason.CAP_DAY, policy.Reason.CAP_MONTH})
_NO = Answer(False, Bar.NOT_A_PHONE)
_NO_PHONE = Guard(_NO, _NO, TextAnswer(False), names_study=False)


def guard_of(session: Session, match: Match, reachable: Reachable, *, at: datetime) -> Guard:
    """Say what may be done with one of a person's addresses for a study, right now.

    STOP ends texts; it does not cancel a call the person asked for (DOMAIN 4). A message left on a telephone
    that others use names nothing.
    """
    if reachable.point.kind is not ContactKind.PHONE:
        return _NO_PHONE
    calling = _facts(session, match, reachable, ContactChannel.CALL, at=at)
    call = _call(calling, reachable, at=at)
    voicemail = _facts(session, match, reachable, ContactChannel.VOICEMAIL, at=at)
    return Guard(
        call=call,
        message=_message(call, voicemail),
        text=_text(_facts(session, match, reachable, ContactChannel.SMS, at=at), at=at),
        names_study=_names_study(session, match, reachable, on=at.date()),
    )


def _facts(
    session: Session, match: Match, reachable: Reachable, channel: ContactChannel, *, at: datetime
) -> Facts:
    about = About(
        purpose=MessagePurpose.STUDY,
        channel=channel,
        person_id=match.person_id,
        contact_point_id=reachable.point.id,
        sending_epoch=contact.found_installation(session).sending_epoch,
        study_id=match.study_id,
        study_site_id=match.study_site_id,
    )
    return contact.facts_for(session, about, at=at)


def _call(facts: Facts, reachable: Reachable, *, at: datetime) -> Answer:
    if facts.do_not_contact or facts.erased:
        return Answer(False, Bar.DO_NOT_CONTACT)
    if reachable.point.wrong_number_at is not None:
        return Answer(False, Bar.WRONG_NUMBER)
    if facts.closed is not None:
        return Answer(False, Bar.CLOSED)
    if facts.consent_id is None:
        return Answer(False, Bar.NOT_ASKED_FOR)
    start = next_allowed(RULES.hours, facts.places, at=at)
    return Answer(True) if start == at else Answer(False, Bar.HOURS, start)


def _message(call: Answer, facts: Facts) -> Answer:
    if call.bar not in (None, Bar.HOURS):
        return call
    return Answer(True) if facts.closed is None else Answer(False, Bar.CLOSED)


def _text(facts: Facts, *, at: datetime) -> TextAnswer:
    request = policy.Request(MessagePurpose.STUDY, at)
    decision = policy.decide(request, replace(facts, wording=WordingStanding.APPROVED), rules=RULES)
    match decision:
        case policy.Allowed():
            return TextAnswer(True)
        case policy.Held():
            lifts_itself = decision.reason in _LIFTED_BY_TIME
            return TextAnswer(False, decision.reason, decision.until if lifts_itself else None)
        case policy.Refused():
            return TextAnswer(False, decision.reason)


def _names_study(session: Session, match: Match, reachable: Reachable, *, on: date) -> bool:
    """Tell whether the person agreed that a message names the study, on a telephone of their own."""
    if reachable.shared_with:
        return False
    consents = contact.standing_consents(session, contact.members_of(session, match.person_id))
    ruling = wordings(session)
    return any(
        ruling.holds(one, on=on)
        for one in consents
        if one.purpose is Purpose.VOICEMAIL_NAMING_STUDY
        and one.study_id in (None, match.study_id)
        and one.contact_point_id in (None, reachable.point.id)
    )
