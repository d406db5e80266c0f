"""Hand people to sites and write down what became of them; every step is an event."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recruit import events
from recruit.clock import civil_day
from recruit.contact.models import Consent, Purpose
from recruit.db import actor_of, found, locked
from recruit.errors import Conflict, Invalid, NotPermitted, Refused
from recruit.events import Channel, Event, Precision
from recruit.ids import new_id
from recruit.matching import service as matching
from recruit.matching.models import AssessmentRow, DueReason, Match, Triage
from recruit.matching.place import calendar_of
from recruit.matching.plan import opening
from recruit.people import queries as people
from recruit.people.models import Person
from recruit.referrals import reasons
from recruit.referrals.models import Referral
from recruit.referrals.states import AFTER_CONSENT, CLOSED, MOVES, State, derive, needs, permitted
from recruit.studies import queries as studies
from recruit.studies.models import ProtocolVersion, Study, StudySite
from screening.language.protocol import Criterion, read_protocol
from screening.verdict import Disposition

SUBJECT = "referral"
CORRECTED = "referral.corrected"
LONGEST_SUBJECT_NUMBER = 40
_BACK_TO_CALL = frozenset({State.RETURNED_BY_SITE, State.TRANSFERRED})
_STILL_CALLING = frozenset({State.CONTACT_ATTEMPTED, State.ACKNOWLEDGED, State.REFERRED})
"""States in which a call that is due stays due."""


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody reports about a referral: which state, when it came about, and what belongs to it.

    :param criterion: lineage id of the failed criterion, where a screen failed
    :param reason: code of the reason, where one is due
    :param until: the day on which to come back, where deferred
    :param subject_number: the site's number of the participant, from informed consent on
    :param visit_id: the visit by which it came about, where there is one
    """

    state: State
    happened_on: date
    precision: Precision = Precision.DAY
    criterion: str = ""
    reason: str = ""
    until: date | None = None
    subject_number: str = ""
    channel: Channel = Channel.SITE
    visit_id: UUID | None = None


def refer(
    session: Session,
    match_id: UUID,
    study_site_id: UUID,
    *,
    at: datetime,
    channel: Channel = Channel.CALL_TEAM,
    owner_id: UUID | None = None,
) -> Referral:
    """Hand a person to a site, with the assessment as it stands.

    :raises Refused: the person does not fit, the site takes nobody now, or a transfer lacks the person's yes
    :raises Conflict: a referral to the study is open
    """
    match = locked(session, Match, match_id)
    study_site = found(session, StudySite, study_site_id)
    study = found(session, Study, match.study_id)
    if study_site.study_id != match.study_id:
        raise Invalid("That site does not belong to this study.")
    if match.effective_disposition is Disposition.INELIGIBLE:
        raise Refused("A criterion rules this person out. Record an override with its reason first.")
    day = civil_day(at, studies.zone_of(session, study_site_id))
    _require_open(session, study, study_site, on=day, at=at)
    person_id = people.root_of(session, match.person_id)
    locked(session, Person, person_id)
    _require_no_open_referral(session, person_id, match.study_id)
    _require_yes_to_transfer(session, person_id, study_site)
    assessment = latest_assessment(session, match.id)
    versions = studies.in_force(session, study_site_id, on=day)
    if versions is None:
        raise Refused("No protocol version is in force at this site.")
    referral = Referral(
        id=new_id(),
        person_id=person_id,
        study_id=match.study_id,
        study_site_id=study_site_id,
        match_id=match.id,
        assessment_id=assessment.id if assessment else None,
        protocol_version_id=versions.protocol.id,
        state=State.REFERRED,
        state_since=day,
        referred_at=at,
        owner_id=owner_id,
        is_test=match.is_test,
    )
    _insert(session, referral)
    match.study_site_id, match.triage, match.due_at = study_site_id, Triage.REFERRED, None
    match.deferred_until = None
    session.flush()
    _record(session, referral, State.REFERRED, happened_on=day, at=at, channel=channel)
    return referral


def move(session: Session, referral_id: UUID, report: Report, *, at: datetime) -> Referral:
    """Record the next step of a referral.

    :raises NotPermitted: the state does not allow the step
    :raises Invalid: something that belongs to the step is missing, or the day cannot be right
    """
    referral = locked(session, Referral, referral_id)
    if not permitted(referral.state, report.state):
        raise NotPermitted(
            f"A referral that is {words(referral.state)} cannot become {words(report.state)}. "
            "If an earlier entry is wrong, correct that entry."
        )
    today = civil_day(at, studies.zone_of(session, referral.study_site_id))
    _check_report(session, referral, report, today=today)
    happened_on = _day_of(referral, report, today=today)
    if referral.closed_at is not None and report.state not in CLOSED:
        _require_no_other_open(session, referral)
    _record(
        session,
        referral,
        report.state,
        happened_on=happened_on,
        at=at,
        channel=report.channel,
        precision=report.precision,
        payload=_payload(report),
    )
    if report.subject_number:
        referral.subject_number = report.subject_number
    if report.state is State.CONSENTED:
        _sign(session, referral, on=happened_on)
    _stand(referral, report.state, since=happened_on, at=at)
    _follow(session, referral, until=report.until, at=at)
    return referral


def correct(session: Session, referral_id: UUID, event_id: UUID, *, reason: str, at: datetime) -> Referral:
    """Void a wrong entry by a new event; the state is derived anew from what still stands.

    The reason is kept as a note of the record, sealed; the event names it.

    :raises Refused: the entry is not this referral's, was corrected before, or a later one rests on it
    :raises Invalid: no reason is given
    """
    if not reason.strip():
        raise Invalid("Say why this entry was wrong.", field="reason")
    referral = locked(session, Referral, referral_id)
    standing = events.standing(session, (SUBJECT, referral.id))
    wrong = next((event for event in standing if event.id == event_id), None)
    if wrong is None:
        raise Refused("This entry has been corrected already, or belongs to another referral.")
    if state_of(wrong) is State.REFERRED:
        raise Refused("The referral itself cannot be taken back here. Close it with a reason.")
    remaining = [event for event in standing if event.id != event_id]
    _require_sequence(remaining)
    if derive(map(state_of, remaining)) not in CLOSED:
        _require_no_other_open(session, referral)
    note = matching.write_note(
        session, referral.match_id, reason, is_record=True, account_id=_account_of(session), at=at
    )
    events.record(
        session,
        CORRECTED,
        subject=(SUBJECT, referral.id),
        happened_on=wrong.happened_on,
        at=at,
        study_id=referral.study_id,
        site_id=wrong.site_id,
        payload={"note": str(note.id)},
        voids=wrong.id,
    )
    last = remaining[-1]
    _stand(referral, derive(map(state_of, remaining)), since=last.happened_on, at=at)
    if not {state_of(event) for event in remaining} & AFTER_CONSENT:
        referral.subject_number = ""
        found(session, Match, referral.match_id).signed_version_id = None
    until = last.payload.get("until")
    _follow(session, referral, until=date.fromisoformat(str(until)) if until else None, at=at)
    return referral


def correctable(standing: Sequence[Event]) -> frozenset[UUID]:
    """Say which entries can be corrected now: those on which no later one rests, but never the referral itself.

    :param standing: the referral's standing events, oldest first
    """
    states = [state_of(event) for event in standing]
    found = []
    for place, event in enumerate(standing):
        if place == 0 or states[place] is State.REFERRED:
            continue
        follower = states[place + 1] if place + 1 < len(states) else None
        if follower is None or permitted(states[place - 1], follower):
            found.append(event.id)
    return frozenset(found)


def criteria_of(session: Session, referral: Referral) -> tuple[Criterion, ...]:
    """List the criteria for naming the one that failed: of the version signed, or else the one referred by."""
    signed = found(session, Match, referral.match_id).signed_version_id
    version = found(session, ProtocolVersion, signed or referral.protocol_version_id)
    return read_protocol(version.document).criteria


def state_of(event: Event) -> State:
    """Read the state that an event of a referral brought about."""
    return State(event.type.removeprefix("referral."))


def next_states(state: State) -> frozenset[State]:
    """List the states that may follow."""
    return MOVES[state]


def words(state: State) -> str:
    """Write a state as words in a sentence."""
    return state.value.replace("_", " ")


def latest_assessment(session: Session, match_id: UUID) -> AssessmentRow | None:
    """Give the newest assessment of a match."""
    return session.scalar(
        sa.select(AssessmentRow)
        .where(AssessmentRow.match_id == match_id)
        .order_by(AssessmentRow.at.desc(), AssessmentRow.id.desc())
        .limit(1)
    )


def _record(
    session: Session,
    referral: Referral,
    state: State,
    *,
    happened_on: date,
    at: datetime,
    channel: Channel,
    precision: Precision = Precision.DAY,
    payload: dict[str, object] | None = None,
) -> Event:
    study_site = found(session, StudySite, referral.study_site_id)
    return events.record(
        session,
        f"referral.{state.value}",
        subject=(SUBJECT, referral.id),
        happened_on=happened_on,
        precision=precision,
        at=at,
        channel=channel,
        study_id=referral.study_id,
        site_id=study_site.site_id,
        payload=payload,
    )


def _sign(session: Session, referral: Referral, *, on: date) -> None:
    """Keep the version under which informed consent was given; amendments leave this person alone."""
    versions = studies.in_force(session, referral.study_site_id, on=on)
    signed = versions.protocol.id if versions is not None else referral.protocol_version_id
    found(session, Match, referral.match_id).signed_version_id = signed


def _require_open(session: Session, study: Study, study_site: StudySite, *, on: date, at: datetime) -> None:
    if not studies.takes_people(study_site, on=on):
        raise Refused("This site does not take people for this study now: it is not activated and approved.")
    if studies.live_holds(session, at=at, study_id=study.id, site_id=study_site.site_id):
        raise Refused("Recruiting is on hold here. New referrals wait until a coordinator lifts the hold.")


def _require_no_open_referral(session: Session, person_id: UUID, study_id: UUID) -> None:
    members = people.cluster_of(session, person_id)
    open_one = sa.select(Referral.id).where(
        Referral.person_id.in_(members), Referral.study_id == study_id, Referral.closed_at.is_(None)
    )
    if session.scalar(open_one.limit(1)) is not None:
        raise Conflict("This person already has an open referral to this study.")


def _require_yes_to_transfer(session: Session, person_id: UUID, study_site: StudySite) -> None:
    """Ask for the person's yes, naming the new site, where another site had them before."""
    members = people.cluster_of(session, person_id)
    elsewhere = sa.select(Referral.id).where(
        Referral.person_id.in_(members),
        Referral.study_id == study_site.study_id,
        Referral.study_site_id != study_site.id,
    )
    if session.scalar(elsewhere.limit(1)) is None:
        return
    last = session.scalar(
        sa.select(Consent.given)
        .where(Consent.person_id.in_(members), Consent.purpose == Purpose.PARTNER_SITE)
        .where(Consent.site_id == study_site.site_id)
        .order_by(Consent.at.desc(), Consent.id.desc())
        .limit(1)
    )
    if not last:
        raise Refused(
            "Another site had this person before. Passing them on needs their own yes, naming the new site."
        )


def _insert(session: Session, referral: Referral) -> None:
    try:
        with session.begin_nested():
            session.add(referral)
            session.flush()
    except IntegrityError:
        raise Conflict("This person already has an open referral to this study.") from None


def _payload(report: Report) -> dict[str, object]:
    parts = {
        "criterion": report.criterion,
        "reason": report.reason,
        "until": report.until.isoformat() if report.until else "",
        "visit": str(report.visit_id) if report.visit_id else "",
    }
    return {key: value for key, value in parts.items() if value}


def _check_report(session: Session, referral: Referral, report: Report, *, today: date) -> None:
    due = needs(report.state)
    if due.criterion and report.criterion not in {one.lineage for one in criteria_of(session, referral)}:
        raise Invalid("Say which criterion was not met.", field="criterion")
    if due.reason:
        offered = reasons.choices(session, reasons.KIND_OF[report.state], study_id=referral.study_id)
        if report.reason not in dict(offered):
            raise Invalid("Choose a reason.", field="reason")
    if due.day and (report.until is None or report.until <= today):
        raise Invalid("Say on which day to come back: one that is still to come.", field="until")
    if report.subject_number and report.state not in AFTER_CONSENT:
        raise Invalid("The site's number is kept from informed consent on.", field="subject_number")
    if len(report.subject_number) > LONGEST_SUBJECT_NUMBER:
        raise Invalid(
            "Use at most %(most)s characters.", field="subject_number", values={"most": LONGEST_SUBJECT_NUMBER}
        )


def _day_of(referral: Referral, report: Report, *, today: date) -> date:
    """Give the day an entry is kept under: as reported, and not before the entry that it follows.

    :raises Invalid: every day it may mean is in the future, or before the entry that it follows
    """
    first, last = _period(report.happened_on, report.precision)
    if first > today:
        raise Invalid("The day this happened cannot be in the future.", field="happened_on")
    if last < referral.state_since:
        raise Invalid(
            "The entry before this one is of %(day)s. Enter a day on or after it, or correct that entry first.",
            field="happened_on",
            values={"day": referral.state_since.isoformat()},
        )
    return max(first, referral.state_since)


def _period(day: date, precision: Precision) -> tuple[date, date]:
    match precision:
        case Precision.YEAR:
            return date(day.year, 1, 1), date(day.year, 12, 31)
        case Precision.MONTH:
            return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])
        case _:
            return day, day


def _stand(referral: Referral, state: State, *, since: date, at: datetime) -> None:
    referral.state, referral.state_since = state, since
    if state in CLOSED:
        referral.closed_at = referral.closed_at or at
    else:
        referral.closed_at = None


def _follow(session: Session, referral: Referral, *, until: date | None, at: datetime) -> None:
    """Keep the match's place in the queue in step with its referral."""
    match = locked(session, Match, referral.match_id)
    state = referral.state
    was_deferred = match.triage is Triage.DEFERRED
    match.deferred_until = None
    if state in _BACK_TO_CALL:
        match.triage, match.closed_reason, match.closed_at = Triage.TO_CALL, "", None
        matching.call_today(session, match, DueReason.RETURNED, at=at)
    elif state in CLOSED:
        match.triage, match.due_at, match.closed_reason = Triage.CLOSED, None, state.value
        match.closed_at = referral.closed_at
    else:
        match.triage, match.closed_reason, match.closed_at = Triage.REFERRED, "", None
        if state is State.NO_SHOW:
            matching.call_today(session, match, DueReason.NO_SHOW, at=at)
        elif state is State.DEFERRED and until is not None:
            match.triage, match.deferred_until = Triage.DEFERRED, until
            match.due_at, match.due_reason = opening(calendar_of(session, match), until), DueReason.DEFERRED
        elif state not in _STILL_CALLING or was_deferred:
            match.due_at = None


def _account_of(session: Session) -> UUID | None:
    kind, _, key = actor_of(session).partition(":")
    return UUID(key) if kind == "account" else None


def _require_sequence(remaining: list[Event]) -> None:
    states = [state_of(event) for event in remaining]
    for origin, target in pairwise(states):
        if not permitted(origin, target):
            raise Refused(
                f"The later entry “{words(target)}” rests on this one. Correct that entry first, then this one."
            )


def _require_no_other_open(session: Session, referral: Referral) -> None:
    members = people.cluster_of(session, people.root_of(session, referral.person_id))
    other = sa.select(Referral.id).where(
        Referral.person_id.in_(members),
        Referral.study_id == referral.study_id,
        Referral.closed_at.is_(None),
        Referral.id != referral.id,
    )
    if session.scalar(other.limit(1)) is not None:
        raise Refused("This would open a second referral to the same study. Close the other one first.")
