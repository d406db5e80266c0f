"""Matches in the desk's queue: who comes in, who waits, who is put aside, closed and brought back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit import events
from recruit.clock import civil_day
from recruit.db import found, locked
from recruit.errors import Invalid, Refused
from recruit.ids import new_id
from recruit.keys import vault_of
from recruit.matching.models import DueReason, Match, Note, Triage
from recruit.matching.place import calendar_of, next_call_hour, site_id_of, zone_of
from recruit.matching.plan import first_due
from recruit.people import queries as people
from recruit.people.models import Person
from recruit.studies import queries as studies
from recruit.studies.models import Study
from screening.verdict import Disposition

RULED_OUT, DUPLICATE = "ruled_out", "duplicate"
WAITING = frozenset({Triage.TO_CALL, Triage.SNOOZED, Triage.DEFERRED, Triage.HELD, Triage.WAITLISTED})
LONGEST_NOTE = 5_000


def ensure_match(
    session: Session,
    person: Person,
    study: Study,
    *,
    study_site_id: UUID | None,
    source_link_id: UUID | None,
    at: datetime,
    is_test: bool,
) -> Match:
    """Find or make the match of a person and a study, and note by which link they came last."""
    match = match_of(session, person.id, study.id)
    if match is None:
        match = Match(
            id=new_id(),
            person_id=person.id,
            study_id=study.id,
            study_site_id=study_site_id,
            first_source_link_id=source_link_id,
            arrived_at=at,
            plan_from=at,
            is_test=is_test,
        )
        session.add(match)
    match.last_source_link_id = source_link_id or match.last_source_link_id
    if study_site_id is not None and match.triage is not Triage.REFERRED:
        match.study_site_id = study_site_id
    session.flush()
    return match


def match_of(session: Session, person_id: UUID, study_id: UUID) -> Match | None:
    """Find the match of a person and a study over all merged entries, the one that is worked on first."""
    members = people.cluster_of(session, people.root_of(session, person_id))
    return session.scalar(
        sa.select(Match)
        .where(Match.person_id.in_(members), Match.study_id == study_id)
        .order_by(Match.closed_reason == DUPLICATE, Match.arrived_at, Match.id)
        .limit(1)
    )


def queue(session: Session, match: Match, *, at: datetime) -> None:
    """Put a match where it belongs after the person came in or came back: to call, held, or ruled out.

    Somebody who was closed before begins a new round of calls; a time that was promised earlier stays.
    """
    if match.triage is Triage.REFERRED:
        return
    if match.effective_disposition is Disposition.INELIGIBLE:
        match.triage, match.due_at, match.closed_reason = Triage.CLOSED, None, RULED_OUT
        match.closed_at = at
        return
    if match.triage is not Triage.TO_CALL or match.due_at is None:
        _begin_round(match, at=at)
    due = first_due(calendar_of(session, match), next_call_hour(session, match, at))
    if match.due_at is None or due < match.due_at:
        match.due_at, match.due_reason = due, _first_reason(match)
    match.closed_reason, match.closed_at, match.deferred_until = "", None, None
    match.triage = Triage.HELD if _on_hold(session, match, at=at) else Triage.TO_CALL


def release(session: Session, match: Match, *, at: datetime) -> None:
    """Let a held match go on where it stood: at its old time, or at the next opening where that has passed."""
    if _on_hold(session, match, at=at):
        return
    match.triage = Triage.TO_CALL
    soonest = next_call_hour(session, match, at)
    if match.due_at is None:
        match.due_at = first_due(calendar_of(session, match), soonest)
    match.due_at = max(match.due_at, soonest)


def snooze(session: Session, match_id: UUID, *, until: datetime, at: datetime) -> Match:
    """Put a match aside until a time.

    :raises Invalid: the time has passed
    :raises Refused: the person is closed or has been referred
    """
    if until <= at:
        raise Invalid("Choose a time in the future.", field="until")
    match = locked(session, Match, match_id)
    if match.triage not in WAITING:
        raise Refused("Only somebody who waits for a call can be put aside. Reopen this person first.")
    match.triage, match.due_at, match.due_reason = Triage.SNOOZED, until, DueReason.SNOOZED
    note_decision(session, match, "match.snoozed", at=at)
    return match


def close(session: Session, match_id: UUID, *, reason: str, at: datetime) -> Match:
    """Take a match out of the queue for a reason; ``reopen`` takes it back.

    :raises Invalid: no reason is given
    :raises Refused: it has an open referral, which has to be closed instead
    """
    if not reason:
        raise Invalid("Choose a reason.", field="reason")
    match = locked(session, Match, match_id)
    if match.triage is Triage.REFERRED:
        raise Refused("This person has been referred. Record the outcome on the referral.")
    match.triage, match.due_at, match.closed_reason, match.closed_at = Triage.CLOSED, None, reason, at
    note_decision(session, match, "match.closed", at=at, payload={"reason": reason})
    return match


def reopen(session: Session, match_id: UUID, *, at: datetime) -> Match:
    """Bring a closed or sleeping match back to the queue, with a new round of calls.

    :raises Refused: it has been referred, or a criterion rules the person out
    """
    match = locked(session, Match, match_id)
    if match.triage is Triage.REFERRED:
        raise Refused("This person has been referred already.")
    if match.effective_disposition is Disposition.INELIGIBLE:
        raise Refused("A criterion rules this person out. Record an override with its reason first.")
    match.due_at = None
    queue(session, match, at=at)
    match.due_reason = DueReason.REOPENED
    note_decision(session, match, "match.reopened", at=at)
    return match


def assign(session: Session, match_id: UUID, account_id: UUID | None, *, at: datetime) -> Match:
    """Give a match to somebody, or to nobody."""
    match = locked(session, Match, match_id)
    match.assigned_to = account_id
    payload: dict[str, object] = {"to": str(account_id) if account_id else ""}
    note_decision(session, match, "match.assigned", at=at, payload=payload)
    return match


def call_today(session: Session, match: Match, reason: DueReason, *, at: datetime) -> None:
    """Bring somebody back to the queue, due at the next opening, with a new round of calls."""
    _begin_round(match, at=at)
    match.due_at, match.due_reason = next_call_hour(session, match, at), reason


def write_note(
    session: Session, match_id: UUID, body: str, *, is_record: bool, account_id: UUID | None, at: datetime
) -> Note:
    """Keep a note about a person in a study, sealed; a record note belongs to the source documents.

    :raises Invalid: it is empty
    """
    if not body.strip():
        raise Invalid("Write the note first.", field="body")
    match = found(session, Match, match_id)
    note_id = new_id()
    sealed = vault_of(session).seal(match.person_id, "note", "body_sealed", note_id, body.strip())
    note = Note(
        id=note_id,
        match_id=match.id,
        person_id=match.person_id,
        is_record=is_record,
        body_sealed=sealed,
        at=at,
        written_by=account_id,
    )
    session.add(note)
    session.flush()
    return note


def note_decision(
    session: Session, match: Match, type_: str, *, at: datetime, payload: dict[str, object] | None = None
) -> None:
    """Write down what staff decided about a match."""
    events.record(
        session,
        type_,
        subject=("match", match.id),
        happened_on=civil_day(at, zone_of(session, match)),
        happened_at=at,
        at=at,
        study_id=match.study_id,
        site_id=site_id_of(session, match),
        payload=payload,
    )


def _begin_round(match: Match, *, at: datetime) -> None:
    match.attempts, match.plan_from, match.due_at = 0, at, None


def _first_reason(match: Match) -> DueReason:
    return DueReason.FIRST_CALL if match.last_contact_at is None else DueReason.REOPENED


def _on_hold(session: Session, match: Match, *, at: datetime) -> bool:
    site_id = site_id_of(session, match)
    return bool(studies.live_holds(session, at=at, study_id=match.study_id, site_id=site_id))
