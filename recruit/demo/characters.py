"""The people whom every demonstration has, by name: the hard cases of a working day (DOMAIN 10)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from recruit import pipeline, privacy
from recruit.clock import civil_day
from recruit.contact.models import ContactChannel
from recruit.db import Database, found
from recruit.demo import answers, arrivals, lives
from recruit.demo.arrivals import Came, Visitor, Ways
from recruit.demo.population import People, Somebody
from recruit.demo.world import Hold, Place, Stage, World, acting
from recruit.ids import new_id
from recruit.intake import assisted, drafts
from recruit.intake.models import Entrance, InquiryChannel, Submission
from recruit.matching import assessing, holds
from recruit.matching import service as matching
from recruit.matching.plan import CallOutcome
from recruit.people.models import LineType
from recruit.people.service import Identity
from recruit.referrals.states import State
from recruit.studies.models import HoldReason, Study
from recruit.visits import service as visits
from recruit.visits.models import Visit
from recruit.vocabulary import terms, vocabulary_of
from screening.asking.assertions import facts_from
from screening.asking.responses import Answer
from screening.assessment.assess import assess
from screening.facts import EvidenceSource, Facts
from screening.texts import Respondent
from screening.verdict import Disposition

CALL, SMS, EMAIL = ContactChannel.CALL, ContactChannel.SMS, ContactChannel.EMAIL
HUNG_UP_AFTER = 6
STOP_BUT_CALL = "stop but call me"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cast:
    """What every scene needs."""

    session: Session
    world: World
    people: People

    def place(self, key: str, city: str) -> tuple[Stage, Place]:
        """Give a study and its place in a city."""
        return self.world.stage(key), self.world.place(key, city)

    def moment(self, place: Place, days_ago: float, hour: int, minute: int = 0) -> datetime:
        """Give an instant some days ago, at an hour of the site's day; never after the anchor."""
        zone = ZoneInfo(place.data.zone)
        day = (self.world.now - days_ago * _DAY).astimezone(zone).date()
        at = datetime.combine(day, time(hour, minute), zone).astimezone(UTC)
        return min(at, self.world.now - timedelta(minutes=30))

    def who(self, given: str, family: str, born: date | None, place: Place, *, phone: str = "") -> Somebody:
        """Say who somebody is."""
        drawn = self.people.somebody(sex="female", born=None, language="en", near=place.data)
        identity = Identity(given=given, family=family, birth=born)
        mail = f"{given}.{family}@example.org".lower().replace(" ", "")
        return replace(drawn, identity=identity, phone=phone or drawn.phone, email=mail)

    def comes(self, visitor: Visitor, who: Somebody, *, sex: str = "", age: int = 0) -> Came:
        """Let somebody answer so that they may fit, and leave a contact."""
        data, chance = visitor.stage.data, self.world.chance
        on = visitor.at.date()
        drawn = answers.figure(data, chance, language=visitor.language, respondent=visitor.respondent, on=on)
        drawn.sex = sex or drawn.sex
        if who.identity.birth is not None:
            drawn.born = who.identity.birth
        elif age:
            drawn.born = on - timedelta(days=round(age * 365.25) + 40)
        named = replace(who, identity=replace(who.identity, birth=drawn.born))
        given = next(said for said in self._tries(visitor, drawn) if self._suits(visitor, said))
        came = arrivals.by_questionnaire(
            self.session, self.world, self.people, visitor, who=named, someone=drawn, given=given
        )
        if came is None:
            raise RuntimeError(f"{who.identity.given} was to fit and did not")
        return came

    def _tries(self, visitor: Visitor, someone: answers.Figure) -> Iterator[dict[str, Answer]]:
        while True:
            yield answers.draw(visitor.stage.document, visitor.stage.data, someone)

    def _suits(self, visitor: Visitor, given: dict[str, Answer]) -> bool:
        """Tell whether nothing in these answers rules somebody out."""
        stage = visitor.stage
        stated = facts_from(
            stage.document,
            given,
            visitor.respondent,
            recorded_at=visitor.at,
            source=EvidenceSource.PARTICIPANT_ONLINE,
            new_id=new_id,
        )
        vocabulary = vocabulary_of(self.session, stage.study_id)
        day = civil_day(visitor.at, visitor.place.data.zone)
        judged = assess(stage.protocol, Facts(stated), on=day, vocabulary=vocabulary, terms=terms())
        return judged.disposition is not Disposition.INELIGIBLE

    def course(self, came: Came) -> lives.Course:
        """Give the course of somebody who has a match."""
        if came.match is None:
            raise RuntimeError("this person was to be called and has no match")
        return lives.Course(self.session, self.world, came, came.match)


def come(database: Database, world: World, people: People) -> dict[str, Came]:
    """Let all of them come, each in a transaction of their own; return them by what they stand for."""
    known = {}
    for name, scene in SCENES.items():
        with database.transaction(actor="demo", reason="demo") as session:
            held = Hold(session)
            known[name] = scene(Cast(session, world, people))
            held.release()
    return known


def couple_on_one_phone(cast: Cast) -> Came:
    """Let two people answer from one telephone, an hour apart; each stays a person of their own."""
    stage, place = cast.place("maple", "Boston")
    at = cast.moment(place, 1, 19, 10)
    walter = cast.who("Walter", "Hargrove", date(1961, 4, 12), place)
    ruth = cast.who("Ruth", "Hargrove", date(1963, 9, 3), place, phone=walter.phone)
    cast.comes(Visitor(stage, place, at), walter, sex="male")
    return cast.comes(Visitor(stage, place, at + timedelta(hours=1)), ruth, sex="female")


def mother_of_two(cast: Cast) -> Came:
    """Let a mother answer for two of her children, on her own number."""
    stage, place = cast.place("juniper", "Los Angeles")
    at = cast.moment(place, 2, 20, 25)
    year = at.year
    sofia = cast.who("Sofía", "Delgado", date(year - 14, 2, 20), place)
    mateo = cast.who("Mateo", "Delgado", date(year - 12, 1, 8), place, phone=sofia.phone)
    visitor = Visitor(stage, place, at, language="es", respondent=Respondent.CHILD)
    cast.comes(visitor, sofia, sex="female")
    return cast.comes(replace(visitor, at=at + timedelta(minutes=20)), mateo, sex="male")


def girl_turning_eighteen(cast: Cast) -> Came:
    """Let a mother answer for a girl who is of age in three weeks and then has to agree herself."""
    stage, place = cast.place("juniper", "Denver")
    soon = (cast.world.now + 24 * _DAY).date()
    born = date(soon.year - 18, soon.month, min(soon.day, 28))
    at = cast.moment(place, 12, 18, 5)
    hannah = cast.who("Hannah", "Lindqvist", born, place)
    came = cast.comes(Visitor(stage, place, at, respondent=Respondent.CHILD), hannah, sex="female")
    _refer(cast, came, place.calendar.after_open_minutes(came.at, 30))
    return came


def widower_on_a_landline(cast: Cast) -> Came:
    """Let a widower answer in Spanish, with a landline and nothing else, to be called in the morning."""
    stage, place = cast.place("willow", "San Antonio")
    who = cast.who("Ernesto", "Villarreal", date(1949, 11, 2), place)
    at = cast.moment(place, 1, 10, 40)
    ways = Ways(channels=(CALL,), line=LineType.LANDLINE)
    visitor = Visitor(stage, place, at, language="es", ways=ways)
    return cast.comes(visitor, replace(who, best_time="morning"), sex="male")


def caregiver_with_a_study_partner(cast: Cast) -> Came:
    """Let a daughter answer for her mother and come along; the visit is booked."""
    stage, place = cast.place("aspen", "Chicago")
    dorothy = cast.who("Dorothy", "Kaplan", date(1951, 6, 17), place)
    at = cast.moment(place, 6, 20, 15)
    visitor = Visitor(stage, place, at, respondent=Respondent.CARED_FOR, ways=Ways(voicemail=True))
    came = cast.comes(visitor, dorothy, sex="female")
    _book(cast, came, place.calendar.after_open_minutes(came.at, 45))
    return came


def stop_but_call_me(cast: Cast) -> Came:
    """Let somebody answer who will text STOP and ask to be called: texts end, the call stays due."""
    stage, place = cast.place("cedar", "Boston")
    at = cast.moment(place, 0, 7, 50)
    return cast.comes(
        Visitor(stage, place, at), cast.who("Priscilla", "Tran", date(1989, 5, 30), place), sex="female"
    )


def doctors_form(cast: Cast) -> Came:
    """Let a doctor's office ask us to call a patient who agreed to it."""
    stage, place = cast.place("maple", "Phoenix")
    at = cast.moment(place, 1, 11, 15)
    ways = Ways(channels=(CALL,))
    who = cast.who("Leonard", "Tsosie", None, place)
    doctor = "Dr. Miriam Etsitty, Desert Sky Family Medicine, +16025550198"
    visitor = Visitor(stage, place, at, ways=ways)
    return arrivals.by_contact(
        cast.session, cast.world, cast.people, visitor, InquiryChannel.DOCTOR, who=who, clinician=doctor
    )


def hang_up_at_question_six(cast: Cast) -> Came:
    """Call somebody back who answers five questions; the line goes dead at the sixth.

    What was said is kept, and the rest is asked in another call.
    """
    stage, place = cast.place("cedar", "Chicago")
    visitor = Visitor(stage, place, cast.moment(place, 2, 9, 5), ways=Ways(channels=(CALL,)))
    who = cast.who("Gordon", "Pulaski", None, place)
    came = arrivals.by_contact(
        cast.session, cast.world, cast.people, visitor, InquiryChannel.MISSED_CALL, who=who
    )
    at = place.calendar.after_open_minutes(came.at, 12)
    caller = cast.world.staff.accounts["recruiter"]
    drawn = answers.figure(
        stage.data, cast.world.chance, language="en", respondent=Respondent.SELF, on=at.date()
    )
    given = list(answers.draw(stage.document, stage.data, drawn).items())[: HUNG_UP_AFTER - 1]
    with acting(cast.session, f"account:{caller}", "desk:questions"):
        draft, _ = pipeline.begin(
            cast.session,
            found(cast.session, Study, stage.study_id),
            language="en",
            at=at,
            entrance=Entrance.ASSISTED_CALL,
            started_by=caller,
            person_id=came.person_id,
        )
        said = [(item, answer, at + timedelta(seconds=25 * n)) for n, (item, answer) in enumerate(given, 1)]
        drafts.save_answers(cast.session, draft.id, said)
        at += timedelta(minutes=4)
        kept = assisted.keep_said(cast.session, draft.id, came.person_id, caller, at=at)
        _judge_anew(cast, came, kept, at=at)
        again = place.calendar.after_open_minutes(cast.world.now, 45)
        note = "The line went dead at question 6. Go on from there."
        _log(cast, came, CallOutcome.CALL_BACK, at, note, again=again)
    return came


def walk_in_without_email(cast: Cast) -> Came:
    """Ask somebody at the desk who came through the door and has a telephone only."""
    stage, place = cast.place("birch", "Denver")
    at = place.calendar.next_open(cast.moment(place, 3, 10, 30))
    at = min(at, cast.world.now - timedelta(minutes=40))
    visitor = Visitor(stage, place, at, ways=Ways(channels=(CALL, SMS)))
    visitor = arrivals.helped(visitor, Entrance.WALK_IN, cast.world.staff.accounts["recruiter"])
    return cast.comes(visitor, cast.who("Terrence", "Oyelaran", date(1994, 8, 9), place), sex="male")


def lead_form_at_night(cast: Cast) -> Came:
    """Fill in a form on a social network at 23:40; the clock starts when the site opens."""
    stage, place = cast.place("birch", "Boston")
    zone = ZoneInfo(place.data.zone)
    today = cast.world.now.astimezone(zone).date()
    at = datetime.combine(today - _DAY, time(23, 40), zone).astimezone(UTC)
    social = next(iter(cast.world.sources.get("birch", ())), None)
    visitor = Visitor(stage, place, at, source=social, ways=Ways(channels=(CALL, SMS)))
    who = cast.who("Bianca", "Ferreira", None, place)
    return arrivals.by_contact(cast.session, cast.world, cast.people, visitor, InquiryChannel.WEBHOOK, who=who)


def two_no_shows_then_randomised(cast: Cast) -> Came:
    """Let somebody miss two visits, come to the third, and be randomised."""
    stage, place = cast.place("maple", "San Antonio")
    at = cast.moment(place, 88, 17, 30)
    ramona = cast.who("Ramona", "Escobedo", date(1972, 12, 5), place)
    came = cast.comes(Visitor(stage, place, at, language="es"), ramona, sex="female")
    way = _refer(cast, came, place.calendar.after_open_minutes(came.at, 20))
    at = place.calendar.after_open_minutes(came.at, 150)
    way.tell(State.CONTACTED, at)
    for _ in range(2):
        booked = _booked(way, at)
        at = booked.starts_at + timedelta(hours=3)
        visits.no_show(cast.session, booked.id, at=at)
        at = place.calendar.next_open(at + timedelta(hours=20))
    booked = _booked(way, at)
    at = booked.starts_at + timedelta(hours=3)
    visits.attend(cast.session, booked.id, at=at)
    way.tell(State.CONSENTED, at, subject_number="782-0417")
    way.tell(State.IN_SCREENING, at + timedelta(minutes=30))
    way.tell(State.RANDOMISED, place.calendar.next_open(at + 12 * _DAY))
    return came


def erased_after_consent(cast: Cast) -> Came:
    """Forget somebody who asks for it after informed consent: the study's record stays, all else goes."""
    stage, place = cast.place("cedar", "Chicago")
    at = cast.moment(place, 75, 12, 20)
    ingrid = cast.who("Ingrid", "Halloran", date(1985, 3, 14), place)
    came = cast.comes(Visitor(stage, place, at), ingrid, sex="female")
    way = _refer(cast, came, place.calendar.after_open_minutes(came.at, 25))
    at = place.calendar.after_open_minutes(came.at, 200)
    way.tell(State.CONTACTED, at)
    booked = _booked(way, at)
    at = booked.starts_at + timedelta(hours=2)
    visits.attend(cast.session, booked.id, at=at)
    way.tell(State.CONSENTED, at, subject_number="606-0133")
    way.tell(State.IN_SCREENING, at + timedelta(minutes=30))
    way.tell(State.RANDOMISED, place.calendar.next_open(at + 15 * _DAY))
    privacy.erase_person(cast.session, came.person_id, at=cast.moment(place, 5, 15))
    return came


def site_on_hold_with_five_booked(cast: Cast) -> Came:
    """Book five people for next week, and put the site on hold at the sponsor's wish."""
    stage, place = cast.place("willow", "Atlanta")
    waiting = (
        ("Curtis", "Beaumont", 1958, "male"),
        ("Yvonne", "Prater", 1962, "female"),
        ("Harold", "Whitlock", 1950, "male"),
        ("Loretta", "Simms", 1955, "female"),
        ("Desmond", "Achebe", 1966, "male"),
    )
    came = None
    for number, (given, family, year, sex) in enumerate(waiting):
        at = cast.moment(place, 9 - number, 18, 10 + number)
        who = cast.who(given, family, date(year, 3 + number, 11), place)
        came = cast.comes(Visitor(stage, place, at), who, sex=sex)
        _book(cast, came, place.calendar.after_open_minutes(came.at, 30), ahead=12 - number)
    coordinator = cast.world.staff.accounts["coordinator"]
    with acting(cast.session, f"account:{coordinator}", "hold:place"):
        holds.place(
            cast.session,
            reason=HoldReason.SPONSOR,
            study_id=stage.study_id,
            site_id=place.site_id,
            note="Sponsor is replacing the blood pressure monitors at this site.",
            at=cast.world.now - timedelta(hours=2),
        )
    if came is None:
        raise RuntimeError("nobody was booked")
    return came


SCENES: dict[str, Callable[[Cast], Came]] = {
    "a couple on one phone": couple_on_one_phone,
    "a mother of two": mother_of_two,
    "a girl turning 18": girl_turning_eighteen,
    "a Spanish-speaking landline widower": widower_on_a_landline,
    "a caregiver with a study partner": caregiver_with_a_study_partner,
    STOP_BUT_CALL: stop_but_call_me,
    "a doctor's form": doctors_form,
    "a hang-up at question 6": hang_up_at_question_six,
    "a walk-in without email": walk_in_without_email,
    "a lead-form inquiry at 23:40": lead_form_at_night,
    "two no-shows then randomised": two_no_shows_then_randomised,
    "a site on hold with five booked": site_on_hold_with_five_booked,
    "an erasure after informed consent": erased_after_consent,
}


def _log(
    cast: Cast,
    came: Came,
    outcome: CallOutcome,
    at: datetime,
    note: str = "",
    *,
    again: datetime | None = None,
) -> None:
    if came.match is not None:
        pipeline.call(cast.session, came.match.id, outcome, at=at, note=note, call_back_at=again)


def _judge_anew(cast: Cast, came: Came, kept: Submission | None, *, at: datetime) -> None:
    """Judge somebody by what they have said on the telephone so far."""
    match = cast.course(came).match
    if kept is None:
        raise RuntimeError("something was to be said before the line went dead")
    payload: dict[str, object] = {"submission": str(kept.id)}
    matching.note_decision(cast.session, match, "match.answers_confirmed", at=at, payload=payload)
    assessing.assess_match(cast.session, match, cause="phone", at=at)
    assessing.follow(cast.session, match, at=at)


def _refer(cast: Cast, came: Came, at: datetime) -> lives.Way:
    """Reach somebody at once, hand them to the site, and let the site acknowledge."""
    course = cast.course(came)
    with acting(cast.session, f"account:{course.by()}", "desk"):
        _log(cast, came, CallOutcome.REACHED, at)
        at += timedelta(minutes=14)
        referral = pipeline.refer(
            cast.session, course.match.id, course.place.study_site_id, at=at, owner_id=course.by()
        )
        way = lives.Way(course, referral.id)
        way.tell(State.ACKNOWLEDGED, at + timedelta(minutes=50))
    matching.write_note(
        cast.session,
        course.match.id,
        "Has the visit plan. Knows that nothing is decided yet.",
        is_record=False,
        account_id=course.by(),
        at=at,
    )
    return way


def _book(cast: Cast, came: Came, at: datetime, *, ahead: float = 10) -> None:
    """Take somebody as far as a booked visit some days from the anchor."""
    way = _refer(cast, came, at)
    at = way.course.place.calendar.after_open_minutes(at, 120)
    way.tell(State.CONTACTED, at)
    at += timedelta(minutes=20)
    days = max(1.0, (cast.world.now - at) / _DAY + ahead)
    lives.book(way, at, low=days, high=days + 1)


def _booked(way: lives.Way, at: datetime) -> Visit:
    booked = lives.book(way, at, low=3, high=6)
    if booked is None:
        raise RuntimeError("the visit was to lie before the anchor")
    return booked
