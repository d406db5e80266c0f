"""Whether a message may go out now: pure values in, a reason out.

Which gates stand in the way depends on what a message is for. A refusal is for good; a hold says until
when, where that is known. All gates are read again when a message is claimed for sending, so that a STOP, a
hold or a lapsed approval wins over anything planned before it (research: outreach 4, C1 to C19).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from recruit.contact.hours import HoursRule, Place, allowed_until, next_allowed
from recruit.contact.models import SuppressionReason

RECHECK = timedelta(minutes=15)
"""How long a message waits for something that somebody may change at any moment."""


class MessagePurpose(StrEnum):
    """What a message is for; this decides what it needs."""

    VERIFICATION = "verification"
    SERVICE = "service"
    STUDY = "study"
    INVITATION = "invitation"


class Ending(StrEnum):
    """What becomes of a message that may not go out."""

    HELD = "held"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Reason(StrEnum):
    """Why a message does not go out."""

    SENDING_OFF = "sending_off"
    OTHER_EPOCH = "other_epoch"
    EXPIRED = "expired"
    NO_CARRIER = "no_carrier"
    LANDLINE = "landline"
    STOPPED = "stopped"
    WRONG_NUMBER = "wrong_number"
    ADDRESS_CLOSED = "address_closed"
    DO_NOT_CONTACT = "do_not_contact"
    ERASED = "erased"
    NOT_THEIRS = "not_theirs"
    NOT_VERIFIED = "not_verified"
    NO_CONSENT = "no_consent"
    STUDY_CLOSED = "study_closed"
    STUDY_NOT_OPEN = "study_not_open"
    STUDY_HOLD = "study_hold"
    NO_OPEN_SITE = "no_open_site"
    NOT_APPROVED = "not_approved"
    APPROVAL_LAPSED = "approval_lapsed"
    WORDING_WITHDRAWN = "wording_withdrawn"
    WORDING_CHANGED = "wording_changed"
    CAP_DAY = "cap_day"
    CAP_MONTH = "cap_month"
    QUIET_HOURS = "quiet_hours"
    NO_COMMON_HOURS = "no_common_hours"


REASONS: dict[Reason, tuple[Ending, str]] = {
    Reason.SENDING_OFF: (Ending.HELD, "Sending is switched off."),
    Reason.OTHER_EPOCH: (Ending.HELD, "Planned before the database was restored; a person has to decide."),
    Reason.EXPIRED: (Ending.EXPIRED, "The time in which this message made sense has passed."),
    Reason.NO_CARRIER: (Ending.HELD, "Nothing is set up that carries messages of this kind."),
    Reason.LANDLINE: (Ending.SUPPRESSED, "This number is a landline and takes no texts."),
    Reason.STOPPED: (Ending.SUPPRESSED, "This address asked us to stop."),
    Reason.WRONG_NUMBER: (Ending.SUPPRESSED, "This number belongs to somebody else."),
    Reason.ADDRESS_CLOSED: (Ending.SUPPRESSED, "This address is closed."),
    Reason.DO_NOT_CONTACT: (Ending.SUPPRESSED, "This person asked not to be contacted."),
    Reason.ERASED: (Ending.SUPPRESSED, "This person's data has been erased."),
    Reason.NOT_THEIRS: (Ending.SUPPRESSED, "This address is no longer this person's."),
    Reason.NOT_VERIFIED: (Ending.HELD, "The address has not been verified yet."),
    Reason.NO_CONSENT: (Ending.SUPPRESSED, "There is no consent for this channel and study."),
    Reason.STUDY_CLOSED: (Ending.CANCELLED, "The study has closed."),
    Reason.STUDY_NOT_OPEN: (Ending.HELD, "The study is not open yet."),
    Reason.STUDY_HOLD: (Ending.HELD, "The study or the site is on hold."),
    Reason.NO_OPEN_SITE: (Ending.HELD, "No site of this study takes people now."),
    Reason.NOT_APPROVED: (Ending.HELD, "The wording is not approved for this language and site."),
    Reason.APPROVAL_LAPSED: (Ending.HELD, "The approval of the wording is not valid today."),
    Reason.WORDING_WITHDRAWN: (Ending.CANCELLED, "The wording was withdrawn."),
    Reason.WORDING_CHANGED: (Ending.CANCELLED, "The wording is not the one that was approved."),
    Reason.CAP_DAY: (Ending.HELD, "This person has had an invitation in the last 24 hours."),
    Reason.CAP_MONTH: (Ending.HELD, "This person has had all the invitations allowed in 30 days."),
    Reason.QUIET_HOURS: (Ending.HELD, "It is outside the hours in which this person may be written to."),
    Reason.NO_COMMON_HOURS: (Ending.HELD, "The places this person may be at share no allowed hour."),
}


class StudyStanding(StrEnum):
    """How the study of a message stands at this moment."""

    NONE = "none"
    OPEN = "open"
    ON_HOLD = "on_hold"
    NO_SITE = "no_site"
    NOT_OPEN = "not_open"
    CLOSED = "closed"


class WordingStanding(StrEnum):
    """How the wording of a message stands on this day; ``ours`` is a service text without a study."""

    OURS = "ours"
    APPROVED = "approved"
    NOT_APPROVED = "not_approved"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Caps:
    """How many invitations one person gets, over all campaigns and studies (FCC DA 21-69: 3 in 30 days)."""

    per_day: int = 1
    per_month: int = 3


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator and the law allow."""

    hours: tuple[HoursRule, ...]
    caps: Caps = Caps()


@dataclass(frozen=True, slots=True)
class Request:
    """The message that wants to go out."""

    purpose: MessagePurpose
    at: datetime
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the gates look at, as it stands at this moment."""

    sending_on: bool = True
    same_epoch: bool = True
    carried: bool = True
    is_text: bool = True
    landline: bool = False
    closed: SuppressionReason | None = None
    do_not_contact: bool = False
    erased: bool = False
    theirs: bool = True
    verified: bool = True
    consent_id: UUID | None = None
    study: StudyStanding = StudyStanding.OPEN
    wording: WordingStanding = WordingStanding.APPROVED
    places: frozenset[Place] = frozenset()
    invited_at: tuple[datetime, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Allowed:
    """It may go out now, and must not leave after ``until``."""

    until: datetime | None
    consent_id: UUID | None


@dataclass(frozen=True, slots=True)
class Held:
    """It waits; without ``until`` a person has to act."""

    reason: Reason
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Refused:
    """It will never go out."""

    reason: Reason


Decision = Allowed | Held | Refused
Gate = Callable[[Request, Facts, Rules], Held | Refused | None]


def say(reason: Reason) -> str:
    """Give the English sentence of a reason."""
    return REASONS[reason][1]


def ending_of(reason: Reason) -> Ending:
    """Say what becomes of a message with this reason."""
    return REASONS[reason][0]


def decide(request: Request, facts: Facts, *, rules: Rules) -> Decision:
    """Pass a message through the gates of its purpose, refusals before holds.

    What can never go out is not held, and of several holds the one that a person has to lift comes first.
    """
    found = [answer for gate in GATES[request.purpose] if (answer := gate(request, facts, rules)) is not None]
    refusal = next((answer for answer in found if isinstance(answer, Refused)), None)
    if refusal is not None:
        return refusal
    if found:
        return found[0]
    until = request.expires_at
    if _quiet_hours in GATES[request.purpose]:
        end = allowed_until(rules.hours, facts.places, at=request.at)
        until = min(until, end) if until is not None else end
    return Allowed(until, facts.consent_id)


def _expiry(request: Request, facts: Facts, rules: Rules) -> Refused | None:
    late = request.expires_at is not None and request.expires_at <= request.at
    return Refused(Reason.EXPIRED) if late else None


def _switch(request: Request, facts: Facts, rules: Rules) -> Held | None:
    if not facts.same_epoch:
        return Held(Reason.OTHER_EPOCH, None)
    if not facts.sending_on:
        return Held(Reason.SENDING_OFF, request.at + RECHECK)
    return None if facts.carried else Held(Reason.NO_CARRIER, request.at + RECHECK)


_CLOSED = {
    SuppressionReason.STOP: Reason.STOPPED,
    SuppressionReason.WRONG_NUMBER: Reason.WRONG_NUMBER,
    SuppressionReason.PERSON_ASKED: Reason.DO_NOT_CONTACT,
    SuppressionReason.ERASED: Reason.ERASED,
}


def _address(request: Request, facts: Facts, rules: Rules) -> Refused | None:
    if facts.closed is not None:
        return Refused(_CLOSED.get(facts.closed, Reason.ADDRESS_CLOSED))
    return Refused(Reason.LANDLINE) if facts.landline and facts.is_text else None


def _person(request: Request, facts: Facts, rules: Rules) -> Refused | None:
    if facts.erased:
        return Refused(Reason.ERASED)
    if facts.do_not_contact:
        return Refused(Reason.DO_NOT_CONTACT)
    return None if facts.theirs else Refused(Reason.NOT_THEIRS)


def _study(request: Request, facts: Facts, rules: Rules) -> Held | Refused | None:
    if facts.study is StudyStanding.CLOSED:
        return Refused(Reason.STUDY_CLOSED)
    waiting = {
        StudyStanding.ON_HOLD: Reason.STUDY_HOLD,
        StudyStanding.NO_SITE: Reason.NO_OPEN_SITE,
        StudyStanding.NOT_OPEN: Reason.STUDY_NOT_OPEN,
    }.get(facts.study)
    return Held(waiting, request.at + RECHECK) if waiting else None


def _wording(request: Request, facts: Facts, rules: Rules) -> Held | Refused | None:
    if facts.wording is WordingStanding.WITHDRAWN:
        return Refused(Reason.WORDING_WITHDRAWN)
    if facts.wording is WordingStanding.CHANGED:
        return Refused(Reason.WORDING_CHANGED)
    if facts.wording is WordingStanding.LAPSED:
        return Held(Reason.APPROVAL_LAPSED, request.at + RECHECK)
    approved = facts.wording is WordingStanding.APPROVED
    return None if approved else Held(Reason.NOT_APPROVED, request.at + RECHECK)


def _verified(request: Request, facts: Facts, rules: Rules) -> Held | None:
    return None if facts.verified else Held(Reason.NOT_VERIFIED, request.at + RECHECK)


def _consent(request: Request, facts: Facts, rules: Rules) -> Refused | None:
    return None if facts.consent_id is not None else Refused(Reason.NO_CONSENT)


def _caps(request: Request, facts: Facts, rules: Rules) -> Held | None:
    for reason, allowed, span in (
        (Reason.CAP_MONTH, rules.caps.per_month, timedelta(days=30)),
        (Reason.CAP_DAY, rules.caps.per_day, timedelta(days=1)),
    ):
        recent = sorted(at for at in facts.invited_at if at > request.at - span)
        if len(recent) >= allowed:
            return Held(reason, recent[-allowed] + span if allowed else None)
    return None


def _quiet_hours(request: Request, facts: Facts, rules: Rules) -> Held | None:
    start = next_allowed(rules.hours, facts.places, at=request.at)
    if start is None:
        return Held(Reason.NO_COMMON_HOURS, None)
    return None if start == request.at else Held(Reason.QUIET_HOURS, start)


_ASKED_FOR: tuple[Gate, ...] = (_switch, _expiry, _address, _person, _study, _wording, _consent, _verified)
GATES: dict[MessagePurpose, tuple[Gate, ...]] = {
    MessagePurpose.VERIFICATION: (_switch, _expiry, _address, _person),
    MessagePurpose.SERVICE: (_switch, _expiry),
    MessagePurpose.STUDY: (*_ASKED_FOR, _quiet_hours),
    MessagePurpose.INVITATION: (*_ASKED_FOR, _caps, _quiet_hours),
}
"""Which gates each purpose passes. A verification answers a wish of this minute, so it passes quiet hours;
a service message is the one confirmation of a STOP (47 CFR 64.1200(a)(12)), so it passes the STOP itself."""
