"""What becomes of people after they came in: calls, a referral, visits, and how it ended.

Every step is the step that a recruiter or a site would take, at a time when the site is open. Whoever's next
step lies after the anchor stays where they are: that is what the desk shows on the day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from recruit import events, pipeline
from recruit.clock import civil_day
from recruit.demo.arrivals import Came
from recruit.demo.world import Place, World, acting
from recruit.events import Channel
from recruit.matching import service as matching
from recruit.matching.models import Match, Triage
from recruit.matching.plan import CallOutcome
from recruit.referrals.service import Report
from recruit.referrals.states import State
from recruit.visits import service as visits
from recruit.visits.models import CancelledBy, Visit
from recruit.visits.service import Appointment

_T = TypeVar("_T")

REACHED_AT_ONCE, REACHED_LATER = 0.48, 0.34
NOT_INTERESTED, CALLS_BACK, SUITS = 0.13, 0.09, 0.9
UNANSWERED = (
    (CallOutcome.NO_ANSWER, 50),
    (CallOutcome.LEFT_MESSAGE, 38),
    (CallOutcome.BUSY, 7),
    (CallOutcome.VOICEMAIL_FULL, 5),
)
REASONS = (
    ("distance", 22),
    ("time_or_visits", 30),
    ("placebo", 12),
    ("side_effects", 12),
    ("pay", 6),
    ("advised_against", 7),
    ("transport_or_childcare", 6),
    ("no_reason_given", 5),
)
BY_PHONE = (
    (State.PHONE_SCREEN_FAILED, 16),
    (State.NOT_INTERESTED, 9),
    (State.COULD_NOT_REACH, 9),
    (State.RETURNED_BY_SITE, 3),
    (State.DEFERRED, 3),
    (State.RECORDS_PENDING, 4),
    (State.VISIT_BOOKED, 56),
)
SHOWS, RESCHEDULES, CANCELS, COMES_BACK = 0.76, 0.06, 0.06, 0.55
RECORDS_FIT = 0.6
CONSENTS = 0.86
AFTER_SCREENING = ((State.SCREEN_FAILED, 40), (State.RANDOMISED, 55), (State.WITHDRAWN, 5))
CORRECTED = 0.02
NOTES = (
    "Prefers to be called after work.",
    "Asked about parking at the clinic.",
    "Will check the medicine list at home.",
    "Daughter usually answers the phone.",
    "Would like the visit schedule by email.",
)


@dataclass(frozen=True, slots=True)
class Course:
    """One person's way, with what every step needs."""

    session: Session
    world: World
    came: Came
    match: Match

    @property
    def chance(self) -> Random:
        """Give the source of chance."""
        return self.world.chance

    @property
    def place(self) -> Place:
        """Give where the person goes."""
        return self.came.visitor.place

    @property
    def quality(self) -> float:
        """Say how much better than usual people from this source are."""
        source = self.came.visitor.source
        return source.quality if source else 0.0

    def is_past(self, at: datetime) -> bool:
        """Say whether a step lies before the anchor."""
        return at <= self.world.now

    def day(self, at: datetime) -> date:
        """Give the site's day."""
        return civil_day(at, self.place.data.zone)

    def open(self, at: datetime, minutes: float) -> datetime:
        """Give the moment after so many minutes in which the site is open."""
        return self.place.calendar.after_open_minutes(at, max(1, int(minutes)))

    def later(self, at: datetime, low: float, high: float) -> datetime:
        """Give an open moment between so many days later."""
        return self.place.calendar.next_open(at + timedelta(days=self.chance.uniform(low, high)))

    def by(self) -> UUID:
        """Say who acts: the site's own recruiter where it has one, else the call team's."""
        staff = self.world.staff.accounts
        own = f"recruiter-{self.place.data.city.lower().replace(' ', '-')}"
        return staff.get(own, staff["recruiter"])

    def happens(self, probability: float) -> bool:
        """Draw whether something happens."""
        return self.chance.random() < probability


def live(session: Session, world: World, came: Came) -> None:
    """Let a person's way take its course up to the anchor."""
    if came.match is None:
        return
    course = Course(session, world, came, came.match)
    with acting(session, f"account:{course.by()}", "desk"):
        reached = _call_until_reached(course)
        if reached is not None:
            _decide(course, reached)


def _call_until_reached(course: Course) -> datetime | None:
    """Call by the plan; give when somebody was reached who is still undecided."""
    match, first, called_back = course.match, True, False
    while match.triage is Triage.TO_CALL and match.due_at is not None:
        wait = course.chance.expovariate(1 / 14) * course.place.data.pace
        at = course.open(match.arrived_at if first else match.due_at, wait if first else wait * 2.5)
        if not course.is_past(at):
            return None
        chance = (REACHED_AT_ONCE if first else REACHED_LATER) + course.place.data.reach + course.quality / 3
        first = False
        if not course.happens(chance):
            outcome = _weighted(course.chance, UNANSWERED)
            pipeline.call(course.session, match.id, outcome, at=at)
        elif not called_back and course.happens(CALLS_BACK):
            called_back = True
            promised = course.later(at, 0.2, 2.5)
            pipeline.call(
                course.session,
                match.id,
                CallOutcome.CALL_BACK,
                at=at,
                call_back_at=promised,
                note=course.chance.choice(NOTES),
            )
        else:
            pipeline.call(course.session, match.id, CallOutcome.REACHED, at=at)
            return at
    return None


def _decide(course: Course, at: datetime) -> None:
    """Talk it over, and hand the person to the site or close the matter."""
    at += timedelta(minutes=course.chance.randrange(6, 25))
    if not course.is_past(at):
        return
    if course.happens(NOT_INTERESTED - course.quality / 4):
        matching.close(course.session, course.match.id, reason=_weighted(course.chance, REASONS), at=at)
    elif course.happens(SUITS + course.quality / 4) and at < course.place.closes:
        refer(course, at)
    else:
        matching.close(course.session, course.match.id, reason="time_or_visits", at=at)


def refer(course: Course, at: datetime) -> None:
    """Hand the person to the site and let it work."""
    referral = pipeline.refer(
        course.session, course.match.id, course.place.study_site_id, at=at, owner_id=course.by()
    )
    way = Way(course, referral.id)
    at = course.open(at, course.chance.expovariate(1 / 120) * course.place.data.pace)
    if not way.tell(State.ACKNOWLEDGED, at):
        return
    at = course.open(at, course.chance.expovariate(1 / 200) * course.place.data.pace)
    for _ in range(course.chance.choice((0, 0, 0, 1, 1, 2))):
        if not way.tell(State.CONTACT_ATTEMPTED, at):
            return
        at = course.later(at, 0.3, 2.0)
    by_phone(way, at)


@dataclass(frozen=True, slots=True)
class Way:
    """A referral on its way."""

    course: Course
    referral_id: UUID

    def tell(
        self,
        state: State,
        at: datetime,
        *,
        criterion: str = "",
        reason: str = "",
        until: date | None = None,
        subject_number: str = "",
    ) -> bool:
        """Report a step, if it lies before the anchor; say whether it does."""
        course = self.course
        if not course.is_past(at):
            return False
        by_site = f"recruiter-{course.place.data.city.lower()}" in course.world.staff.accounts
        said = Report(
            state,
            happened_on=course.day(at),
            criterion=criterion,
            reason=reason,
            until=until,
            subject_number=subject_number,
            channel=Channel.SITE if by_site else Channel.CALL_TEAM_FOR_SITE,
        )
        pipeline.report(course.session, self.referral_id, said, at=at)
        return True

    def take_back(self, at: datetime) -> None:
        """Void the last entry, which was a mistake."""
        last = events.standing(self.course.session, ("referral", self.referral_id))[-1]
        reason = "Entered for the wrong person."
        pipeline.correct(self.course.session, self.referral_id, last.id, reason=reason, at=at)


def by_phone(way: Way, at: datetime) -> None:
    """Screen by telephone at the site."""
    course = way.course
    outcome = _weighted(course.chance, BY_PHONE)
    if outcome is State.COULD_NOT_REACH:
        way.tell(outcome, course.later(at, 3, 9), reason="no_answer")
        return
    if not way.tell(State.CONTACTED, at):
        return
    at += timedelta(minutes=course.chance.randrange(10, 40))
    if outcome is State.VISIT_BOOKED:
        mistaken = course.happens(CORRECTED) and way.tell(State.NOT_INTERESTED, at, reason="distance")
        if mistaken and course.is_past(at + timedelta(minutes=9)):
            way.take_back(at + timedelta(minutes=9))
        elif mistaken:
            return
        at += timedelta(minutes=10)
        if way.tell(State.PHONE_SCREEN_PASSED, at):
            visit(way, at)
        return
    _leave_by_phone(way, outcome, at)


def _leave_by_phone(way: Way, outcome: State, at: datetime) -> None:
    course = way.course
    if outcome is State.PHONE_SCREEN_FAILED:
        way.tell(outcome, at, criterion=_criterion(course, exclusions=True))
    elif outcome is State.DEFERRED:
        _put_off(way, at, days=course.chance.randrange(14, 70))
    elif outcome is State.NOT_INTERESTED:
        way.tell(outcome, at, reason=_weighted(course.chance, REASONS))
    elif outcome is State.RETURNED_BY_SITE:
        _come_back_from_site(way, at)
    else:
        _wait_for_records(way, at)


def _wait_for_records(way: Way, at: datetime) -> None:
    """Ask for a doctor's records, and decide by them some weeks later."""
    course = way.course
    there = course.later(at, 6, 24)
    if not way.tell(State.RECORDS_PENDING, at) or not course.is_past(there):
        return
    if not course.happens(RECORDS_FIT):
        way.tell(State.PHONE_SCREEN_FAILED, there, criterion=_criterion(course, exclusions=True))
    elif way.tell(State.PHONE_SCREEN_PASSED, there):
        visit(way, there)


def _put_off(way: Way, at: datetime, *, days: int) -> None:
    """Put somebody off until a day, and hear then that they have thought better of it."""
    course = way.course
    again = course.later(at, days + 0.3, days + 3)
    if way.tell(State.DEFERRED, at, until=course.day(at) + timedelta(days=days)) and way.tell(
        State.CONTACTED, again
    ):
        way.tell(State.NOT_INTERESTED, again + timedelta(minutes=6), reason=_weighted(course.chance, REASONS))


def _come_back_from_site(way: Way, at: datetime) -> None:
    """Get somebody back from a site, and close the matter where no other site is near."""
    course = way.course
    closed = course.later(at, 1, 4)
    if way.tell(
        State.RETURNED_BY_SITE, at, reason=course.chance.choice(("capacity", "own_patient", "area"))
    ) and course.is_past(closed):
        matching.close(course.session, course.match.id, reason="area", at=closed)


def visit(way: Way, at: datetime, *, tries: int = 0) -> None:
    """Book a screening visit and see whether the person comes."""
    course = way.course
    booked = book(way, at)
    if booked is None:
        return
    eve = booked.starts_at - timedelta(days=2)
    if course.happens(RESCHEDULES) and course.is_past(eve):
        other = Appointment(_slot(course, booked.starts_at, 2, 8), minutes=booked.minutes, place=booked.place)
        booked = visits.reschedule(course.session, booked.id, other, at=max(eve, at))
    elif course.happens(CANCELS) and course.is_past(eve):
        visits.cancel(
            course.session, booked.id, by=CancelledBy.PARTICIPANT, reason="Ill that week", at=max(eve, at)
        )
        _after_missing(way, max(eve, at), tries)
        return
    elif course.is_past(eve) and eve > at:
        visits.confirm(course.session, booked.id, at=eve)
    over = booked.starts_at + timedelta(minutes=booked.minutes)
    if not course.is_past(over):
        return
    if course.happens(SHOWS + course.place.data.show + course.quality / 4):
        visits.attend(course.session, booked.id, at=over)
        consent(way, over)
    else:
        visits.no_show(course.session, booked.id, at=over)
        _after_missing(way, over, tries)


def book(way: Way, at: datetime, *, low: float = 2, high: float = 13) -> Visit | None:
    """Book a screening visit some days later."""
    course = way.course
    if not course.is_past(at):
        return None
    site = course.place.data
    where = f"{site.street}, {site.city}"
    minutes = course.came.visitor.stage.data.visits.first_minutes
    slot = _slot(course, at, low, high)
    return visits.book(course.session, way.referral_id, Appointment(slot, minutes=minutes, place=where), at=at)


def _after_missing(way: Way, at: datetime, tries: int) -> None:
    """Call on the same day, and book again or give up."""
    course = way.course
    at = course.later(at, 0.05, 1.5)
    if tries < 2 and course.happens(COMES_BACK):
        visit(way, at, tries=tries + 1)
    elif course.happens(0.5):
        if way.tell(State.CONTACT_ATTEMPTED, at):
            way.tell(State.COULD_NOT_REACH, course.later(at, 2, 8), reason="no_answer")
    else:
        way.tell(State.NOT_INTERESTED, at, reason=_weighted(course.chance, REASONS))


def consent(way: Way, at: datetime) -> None:
    """Sign the informed consent form, or not; then be screened."""
    course = way.course
    if not course.happens(CONSENTS):
        way.tell(State.CONSENT_DECLINED, at)
        return
    number = f"{course.place.data.postcode[:3]}-{course.chance.randrange(1000, 9999)}"
    if not way.tell(State.CONSENTED, at, subject_number=number):
        return
    if not way.tell(State.IN_SCREENING, at + timedelta(minutes=30)):
        return
    at = course.later(at, 6, 26)
    outcome = _weighted(course.chance, AFTER_SCREENING)
    if outcome is State.SCREEN_FAILED:
        way.tell(outcome, at, criterion=_criterion(course, exclusions=False))
    elif outcome is State.WITHDRAWN:
        way.tell(outcome, at, reason="by_person")
    elif way.tell(outcome, at):
        _end(way, at)


def _end(way: Way, at: datetime) -> None:
    course = way.course
    weeks = {"maple": 28, "cedar": 20, "willow": 36}.get(course.came.visitor.stage.key)
    if weeks is None:
        return
    if course.happens(0.12):
        way.tell(State.DISCONTINUED, course.later(at, 20, weeks * 7), reason="by_person")
    else:
        way.tell(State.COMPLETED, course.later(at, weeks * 7, weeks * 7 + 6))


def _slot(course: Course, at: datetime, low: float, high: float) -> datetime:
    """Give an open half hour some days later, early enough for the visit to end."""
    zone = ZoneInfo(course.place.data.zone)
    opening = course.place.calendar.next_open(at + timedelta(days=course.chance.uniform(low, high)))
    local = opening.astimezone(zone)
    hour, minute = course.chance.choice((8, 9, 9, 10, 10, 11)), course.chance.choice((0, 30))
    start = local.replace(hour=hour, minute=minute)
    start = course.place.calendar.next_open(start.astimezone(UTC))
    return start if start > at else course.place.calendar.next_open(at + timedelta(days=1))


def _criterion(course: Course, *, exclusions: bool) -> str:
    """Name the criterion on which somebody failed: by telephone mostly exclusions, at the site anything."""
    criteria = course.came.visitor.stage.protocol.criteria
    told = [one for one in criteria if not exclusions or one.kind.value == "exclusion"]
    weights = [1.0 / (1 + place % 5) for place in range(len(told))]
    return course.chance.choices(told, weights=weights)[0].lineage


def _weighted(chance: Random, table: tuple[tuple[_T, int], ...]) -> _T:
    return chance.choices([one for one, _ in table], weights=[weight for _, weight in table])[0]
