"""Book visits and write down how they went; each step that matters to the referral is an event of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit import events
from recruit.clock import civil_day
from recruit.db import actor_of, found, locked
from recruit.errors import Invalid, NotPermitted, Refused
from recruit.events import Channel, Event
from recruit.ids import new_id
from recruit.matching import service as matching
from recruit.matching.models import DueReason, Match
from recruit.referrals import service as referrals
from recruit.referrals.models import Referral
from recruit.referrals.service import Report
from recruit.referrals.states import State
from recruit.studies import queries as studies
from recruit.studies.models import StudySite
from recruit.visits.models import CancelledBy, Visit, VisitKind, VisitStatus

LONGEST_MINUTES = 24 * 60
FURTHEST = timedelta(days=2 * 365)
MOVES: dict[VisitStatus, frozenset[VisitStatus]] = {
    VisitStatus.BOOKED: frozenset(
        {
            VisitStatus.CONFIRMED,
            VisitStatus.RESCHEDULED,
            VisitStatus.CANCELLED,
            VisitStatus.ATTENDED,
            VisitStatus.NO_SHOW,
        }
    ),
    VisitStatus.CONFIRMED: frozenset(
        {VisitStatus.RESCHEDULED, VisitStatus.CANCELLED, VisitStatus.ATTENDED, VisitStatus.NO_SHOW}
    ),
    VisitStatus.RESCHEDULED: frozenset(),
    VisitStatus.CANCELLED: frozenset(),
    VisitStatus.ATTENDED: frozenset(),
    VisitStatus.NO_SHOW: frozenset(),
}
OPEN = frozenset({VisitStatus.BOOKED, VisitStatus.CONFIRMED})
ENDED_WITH_REFERRAL, ENTERED_BY_MISTAKE = "referral_closed", "entered_by_mistake"
LONGEST_PLACE = 300


@dataclass(frozen=True, slots=True)
class Appointment:
    """When and where a visit is to be."""

    starts_at: datetime
    minutes: int = 60
    place: str = ""
    kind: VisitKind = VisitKind.SCREENING


def book(
    session: Session,
    referral_id: UUID,
    appointment: Appointment,
    *,
    at: datetime,
    channel: Channel = Channel.SITE,
) -> Visit:
    """Book a visit; a first one moves the referral to *visit booked*.

    :raises Invalid: the time has passed or the length cannot be
    :raises Refused: the referral is closed, on hold, or has an open visit of this kind
    """
    referral = locked(session, Referral, referral_id)
    _check(session, referral, appointment, at=at)
    visit = Visit(
        id=new_id(),
        referral_id=referral.id,
        kind=appointment.kind,
        starts_at=appointment.starts_at,
        minutes=appointment.minutes,
        place=appointment.place,
        booked_at=at,
        booked_by=actor_of(session),
    )
    session.add(visit)
    session.flush()
    _record(session, referral, visit, "visit.booked", at=at)
    if State.VISIT_BOOKED in referrals.next_states(referral.state) and referral.state is not State.VISIT_BOOKED:
        today = civil_day(at, studies.zone_of(session, referral.study_site_id))
        said = Report(
            State.VISIT_BOOKED,
            happened_on=max(today, referral.state_since),
            channel=channel,
            visit_id=visit.id,
        )
        referrals.move(session, referral.id, said, at=at)
    return visit


def reschedule(session: Session, visit_id: UUID, appointment: Appointment, *, at: datetime) -> Visit:
    """Put a visit at another time; the old one names the new one.

    :raises NotPermitted: it is over or was called off
    """
    old = _move(session, visit_id, VisitStatus.RESCHEDULED, at=at)
    new = book(session, old.referral_id, appointment, at=at)
    old.replaced_by_id = new.id
    session.flush()
    return new


def confirm(session: Session, visit_id: UUID, *, at: datetime) -> Visit:
    """Note that the person will come."""
    return _move(session, visit_id, VisitStatus.CONFIRMED, at=at)


def cancel(
    session: Session, visit_id: UUID, *, by: CancelledBy, reason: str, at: datetime, calls_back: bool = True
) -> Visit:
    """Call a visit off; the person is due for a call, to book another or to close the referral.

    :param reason: a code, such as ``illness``
    :raises NotPermitted: it is over or was called off
    """
    visit = _move(session, visit_id, VisitStatus.CANCELLED, at=at)
    visit.cancelled_by, visit.reason = by, reason
    session.flush()
    if calls_back:
        _call_today(session, visit, DueReason.VISIT_CANCELLED, at=at)
    return visit


def cancel_open(session: Session, referral_id: UUID, *, at: datetime) -> None:
    """Call off what is still booked for a referral that has ended."""
    for visit in open_visits(session, referral_id):
        cancel(session, visit.id, by=CancelledBy.STUDY, reason=ENDED_WITH_REFERRAL, at=at, calls_back=False)


def attend(session: Session, visit_id: UUID, *, at: datetime, channel: Channel = Channel.SITE) -> Visit:
    """Note that the person came; a screening visit moves the referral on.

    :raises Invalid: the visit lies in the future
    """
    visit = _move(session, visit_id, VisitStatus.ATTENDED, at=at)
    _report(session, visit, State.VISIT_ATTENDED, at=at, channel=channel)
    return visit


def no_show(session: Session, visit_id: UUID, *, at: datetime, channel: Channel = Channel.SITE) -> Visit:
    """Note that the person did not come; a call is due the same day.

    :raises Invalid: the visit lies in the future
    """
    visit = _move(session, visit_id, VisitStatus.NO_SHOW, at=at)
    _report(session, visit, State.NO_SHOW, at=at, channel=channel)
    _call_today(session, visit, DueReason.NO_SHOW, at=at)
    return visit


def follow_correction(session: Session, event_id: UUID, *, at: datetime) -> None:
    """Take back what a corrected entry of a referral said about a visit.

    A visit that was wrongly attended or missed is booked again; one that was booked by mistake is called off.
    """
    wrong = found(session, Event, event_id)
    visit_id = wrong.payload.get("visit")
    if not isinstance(visit_id, str):
        return
    visit = locked(session, Visit, UUID(visit_id))
    while visit.replaced_by_id is not None:
        visit = locked(session, Visit, visit.replaced_by_id)
    if visit.status in OPEN and wrong.type == f"referral.{State.VISIT_BOOKED.value}":
        cancel(session, visit.id, by=CancelledBy.STUDY, reason=ENTERED_BY_MISTAKE, at=at, calls_back=False)
    elif visit.status in (VisitStatus.ATTENDED, VisitStatus.NO_SHOW):
        _take_back(session, visit, at=at)


def open_visits(session: Session, referral_id: UUID) -> list[Visit]:
    """List a referral's visits that are still to come or to be reported, soonest first."""
    query = sa.select(Visit).where(Visit.referral_id == referral_id, Visit.status.in_(OPEN))
    return list(session.scalars(query.order_by(Visit.starts_at)))


def _check(session: Session, referral: Referral, appointment: Appointment, *, at: datetime) -> None:
    if referral.closed_at is not None:
        raise Refused("This referral is closed.")
    if appointment.starts_at <= at:
        raise Invalid("Choose a time in the future.", field="starts_at")
    if appointment.starts_at > at + FURTHEST:
        raise Invalid("Choose a time within the next two years.", field="starts_at")
    if not 0 < appointment.minutes <= LONGEST_MINUTES:
        raise Invalid("Enter the length in minutes, up to one day.", field="minutes")
    if len(appointment.place) > LONGEST_PLACE:
        raise Invalid("Use at most %(most)s characters.", field="place", values={"most": LONGEST_PLACE})
    if any(visit.kind is appointment.kind for visit in open_visits(session, referral.id)):
        raise Refused("A visit of this kind is booked already. Reschedule it instead.")
    site_id = found(session, StudySite, referral.study_site_id).site_id
    if studies.live_holds(session, at=at, study_id=referral.study_id, site_id=site_id):
        raise Refused("Recruiting is on hold here. Visits can be booked again when the hold is lifted.")


def _move(session: Session, visit_id: UUID, target: VisitStatus, *, at: datetime) -> Visit:
    visit = locked(session, Visit, visit_id)
    if target not in MOVES[visit.status]:
        raise NotPermitted(
            "A visit that is %(now)s cannot become %(target)s.",
            values={"now": _words(visit.status), "target": _words(target)},
        )
    if target in (VisitStatus.ATTENDED, VisitStatus.NO_SHOW) and visit.starts_at > at:
        raise Invalid("This visit is still to come.", field="starts_at")
    visit.status = target
    session.flush()
    referral = found(session, Referral, visit.referral_id)
    _record(session, referral, visit, f"visit.{target.value}", at=at)
    return visit


def _take_back(session: Session, visit: Visit, *, at: datetime) -> None:
    """Void the visit's last entry, so that it stands as it did before."""
    standing = events.standing(session, ("visit", visit.id))
    referral = found(session, Referral, visit.referral_id)
    _record(session, referral, visit, "visit.corrected", at=at, voids=standing[-1].id)
    types = {event.type for event in standing[:-1]}
    visit.status = VisitStatus.CONFIRMED if "visit.confirmed" in types else VisitStatus.BOOKED
    session.flush()


def _report(session: Session, visit: Visit, state: State, *, at: datetime, channel: Channel) -> None:
    referral = found(session, Referral, visit.referral_id)
    if visit.kind is not VisitKind.SCREENING or state not in referrals.next_states(referral.state):
        return
    day = civil_day(visit.starts_at, studies.zone_of(session, referral.study_site_id))
    said = Report(state, happened_on=max(day, referral.state_since), channel=channel, visit_id=visit.id)
    referrals.move(session, referral.id, said, at=at)


def _call_today(session: Session, visit: Visit, reason: DueReason, *, at: datetime) -> None:
    """Bring the person back to the queue while the referral stays open."""
    referral = found(session, Referral, visit.referral_id)
    if referral.closed_at is None:
        matching.call_today(session, locked(session, Match, referral.match_id), reason, at=at)


def _record(
    session: Session,
    referral: Referral,
    visit: Visit,
    type_: str,
    *,
    at: datetime,
    voids: UUID | None = None,
) -> None:
    zone = studies.zone_of(session, referral.study_site_id)
    events.record(
        session,
        type_,
        subject=("visit", visit.id),
        happened_on=civil_day(at, zone),
        happened_at=at,
        at=at,
        study_id=referral.study_id,
        site_id=found(session, StudySite, referral.study_site_id).site_id,
        payload={"referral": str(referral.id), "kind": visit.kind.value},
        voids=voids,
    )


def _words(status: VisitStatus) -> str:
    return status.value.replace("_", " ")
