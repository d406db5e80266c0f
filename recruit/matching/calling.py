"""Calls: who is on the phone with whom right now, how a call ended, and when the next one is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recruit.contact.models import Communication, ContactChannel, Direction
from recruit.contact.service import note_contact
from recruit.db import locked
from recruit.errors import Conflict, Invalid
from recruit.ids import new_id
from recruit.matching import numbers, service
from recruit.matching.models import DueReason, Match, OpenCall, Triage
from recruit.matching.place import calendar_of, next_call_hour, site_id_of
from recruit.matching.plan import DEAD_NUMBER, UNREACHED, CallOutcome, next_due
from recruit.people import queries as people
from recruit.people.models import ContactKind, Person

CALL_LASTS = timedelta(hours=1)
COULD_NOT_REACH = "could_not_reach"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended, as somebody logs it."""

    outcome: CallOutcome
    contact_point_id: UUID | None = None
    note: str = ""
    call_back_at: datetime | None = None
    direction: Direction = Direction.OUT


def open_call(session: Session, match_id: UUID, account_id: UUID, *, at: datetime) -> OpenCall:
    """Take the telephone: nobody else calls this person meanwhile.

    :raises Conflict: somebody else is on the phone with this person
    """
    match = locked(session, Match, match_id)
    person_id = people.root_of(session, match.person_id)
    locked(session, Person, person_id)
    held = _held(session, person_id)
    if held is not None:
        if held.account_id != account_id and held.started_at > at - CALL_LASTS:
            raise Conflict("Somebody else is on the phone with this person right now.")
        session.delete(held)
        session.flush()
    call = OpenCall(id=new_id(), person_id=person_id, match_id=match_id, account_id=account_id, started_at=at)
    try:
        with session.begin_nested():
            session.add(call)
            session.flush()
    except IntegrityError:
        raise Conflict("Somebody else is on the phone with this person right now.") from None
    return call


def leave_call(session: Session, match_id: UUID, account_id: UUID) -> None:
    """Put the telephone down without an outcome; another's call stays."""
    session.execute(sa.delete(OpenCall).where(OpenCall.match_id == match_id, OpenCall.account_id == account_id))


def call_in_progress(session: Session, match: Match, *, at: datetime) -> OpenCall | None:
    """Say who is on the phone with a person, whichever study it is about."""
    held = _held(session, people.root_of(session, match.person_id))
    return held if held is not None and held.started_at > at - CALL_LASTS else None


def log_call(session: Session, match_id: UUID, ended: Ended, *, at: datetime) -> Match:
    """Write down how a call ended and when the next one is due.

    :raises Invalid: a call back without a time, or one that has passed
    """
    match = locked(session, Match, match_id)
    promised = ended.call_back_at
    if ended.outcome is CallOutcome.CALL_BACK and (promised is None or promised <= at):
        raise Invalid("Say when to call back: a day and time that are still to come.", field="call_back_day")
    _note(session, match, ended, at=at)
    match.last_contact_at = at
    if ended.outcome in DEAD_NUMBER and ended.contact_point_id is not None:
        numbers.mark_wrong(session, ended.contact_point_id, at=at)
    _schedule(session, match, ended, at=at)
    session.execute(sa.delete(OpenCall).where(OpenCall.match_id == match.id))
    service.note_decision(session, match, "match.called", at=at, payload={"outcome": ended.outcome.value})
    return match


def next_try(session: Session, match: Match, *, at: datetime) -> datetime | None:
    """Say when the plan would call again if nobody answers now."""
    first = _first_try(session, match) or at
    calendar = calendar_of(session, match)
    due = next_due(calendar, first_tried_at=first, attempts=match.attempts + 1, at=at)
    return None if due is None else next_call_hour(session, match, due)


def _note(session: Session, match: Match, ended: Ended, *, at: datetime) -> None:
    note_contact(
        session,
        match.person_id,
        direction=ended.direction,
        channel=ContactChannel.CALL,
        purpose="study_contact",
        outcome=ended.outcome.value,
        at=at,
        contact_point_id=ended.contact_point_id,
        study_id=match.study_id,
        site_id=site_id_of(session, match),
        note=ended.note.strip() or None,
    )


def _schedule(session: Session, match: Match, ended: Ended, *, at: datetime) -> None:
    if ended.outcome is CallOutcome.CALL_BACK:
        _wake(match)
        match.attempts = 0
        match.plan_from = match.due_at = ended.call_back_at
        match.due_reason = DueReason.PROMISE
    elif match.triage is Triage.CLOSED:
        return
    elif ended.outcome in UNREACHED:
        _wake(match)
        _try_again(session, match, ended, at=at)
    elif match.triage is Triage.REFERRED:
        match.due_at = None
    else:
        _wake(match)
        match.attempts, match.plan_from = 0, at
        match.due_at, match.due_reason = at, DueReason.DECIDE


def _wake(match: Match) -> None:
    """Count somebody who was called as waiting for a call again; a hold and a referral stay."""
    if match.triage in (Triage.SNOOZED, Triage.DEFERRED, Triage.WAITLISTED, Triage.CLOSED):
        match.triage, match.deferred_until = Triage.TO_CALL, None
        match.closed_reason, match.closed_at = "", None


def _try_again(session: Session, match: Match, ended: Ended, *, at: datetime) -> None:
    due = next_try(session, match, at=at)
    match.attempts += 1
    match.due_at, match.due_reason = due, DueReason.NEXT_TRY
    if ended.outcome in DEAD_NUMBER and ended.contact_point_id is not None:
        match.due_at, match.due_reason = None, DueReason.OTHER_CHANNEL
        if _other_way(session, match):
            match.due_at = at
    if match.due_at is None and match.triage is not Triage.REFERRED:
        service.close(session, match.id, reason=COULD_NOT_REACH, at=at)


def _other_way(session: Session, match: Match) -> bool:
    """Tell whether the person can be reached at another address that still works."""
    members = people.cluster_of(session, people.root_of(session, match.person_id))
    return any(
        one.point.wrong_number_at is None and one.point.kind in (ContactKind.PHONE, ContactKind.EMAIL)
        for one in people.contacts_of(session, members)
    )


def _held(session: Session, person_id: UUID) -> OpenCall | None:
    return session.scalar(sa.select(OpenCall).where(OpenCall.person_id == person_id))


def _first_try(session: Session, match: Match) -> datetime | None:
    """Give the first call of this round."""
    return session.scalar(
        sa.select(sa.func.min(Communication.at)).where(
            Communication.person_id == match.person_id,
            Communication.study_id == match.study_id,
            Communication.channel == ContactChannel.CALL,
            Communication.direction == Direction.OUT,
            Communication.at >= (match.plan_from or match.arrived_at),
        )
    )
