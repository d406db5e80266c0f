"""The demonstration: the same for the same seed and anchor, complete, and true to the rules of the domain."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from campaigns import demo
from campaigns.app import create_app
from campaigns.context import EXTENSION
from campaigns.outbox.models import Message
from campaigns.reports.models import Spend
from recruit.accounts import passwords, policy, sessions
from recruit.accounts import queries as accounts
from recruit.clock import FixedClock, civil_day
from recruit.contact.models import Communication, ContactChannel, Suppression
from recruit.db import Base, Database
from recruit.demo import catalogue, characters, members, staff
from recruit.demo.build import SEED
from recruit.events import Event, is_anything_waiting
from recruit.intake.drafts import read_answers
from recruit.intake.models import Draft, Entrance, Inquiry, InquiryChannel, LinkHit, SettledCounter, Submission
from recruit.keys import vault_of
from recruit.matching import queries as desk
from recruit.matching.models import DueReason, Match, Triage
from recruit.operations.models import Installation
from recruit.people import queries as people
from recruit.people.models import ContactPoint, ContactRole, LineType, Person, PersonContact
from recruit.referrals.models import Referral
from recruit.referrals.states import State
from recruit.settings import Environment, Settings
from recruit.studies import queries as studies
from recruit.studies.models import Site, Study, StudySite, StudySiteStatus, StudyStatus
from recruit.visits.models import Visit, VisitStatus
from screening.texts import Respondent
from tests.conftest import NOON, SECRET, Databases

PEOPLE = 220
EVERYWHERE = policy.Scope(frozenset({(None, None)}))
WITHOUT = frozenset({"audit_entry", "job_lease", "alembic_version"})
"""Tables that say when a row was really written."""
FRESH = frozenset({"password_hash"})


def make_demo(make: Databases, *, people: int, seed: int = SEED, now: datetime = NOON) -> Database:
    """Make a demonstration in a database of its own."""
    database = make()
    with database.transaction(actor="test") as session:
        session.add(Installation(id=1))
    settings = Settings(
        environment=Environment.TEST,
        database_url=database.engine.url.render_as_string(hide_password=False),
        secret_key=SECRET,
        log_level="ERROR",
    )
    app = create_app(settings, clock=FixedClock(now), database=database)
    wording = app.extensions[EXTENSION].wording
    demo.build_at(database, wording, now=now, progress=lambda _: None, seed=seed, people=people)
    return database


def digest(database: Database) -> str:
    """Fingerprint every id and every value that is not sealed."""
    told = hashlib.sha256()
    with database.reading() as session:
        for table in Base.metadata.sorted_tables:
            if table.name in WITHOUT:
                continue
            clear = [
                column
                for column in table.columns
                if not isinstance(column.type, sa.LargeBinary) and column.name not in FRESH
            ]
            rows = sorted(repr(tuple(row)) for row in session.execute(sa.select(*clear)))
            told.update(f"{table.name}: {len(rows)}\n".encode())
            told.update("\n".join(rows).encode())
    return told.hexdigest()


@pytest.fixture(scope="module")
def made(database_maker: Databases) -> Iterator[Database]:
    """Give a demonstration with few people."""
    database = make_demo(database_maker, people=PEOPLE)
    yield database
    database_maker.give_back(database)


@pytest.fixture
def reading(made: Database) -> Iterator[Session]:
    """Give a session that reads the demonstration."""
    with made.reading() as session:
        yield session


def count(session: Session, model: type[Base], *conditions: sa.ColumnElement[bool]) -> int:
    """Count the rows of a table."""
    return session.scalar(sa.select(sa.func.count()).select_from(model).where(*conditions)) or 0


def named(session: Session, name: str) -> Person:
    """Find somebody as a recruiter would, by typing the name."""
    [found] = people.search_by_name(session, name)
    return session.get_one(Person, found)


def match_of(session: Session, person: Person) -> Match:
    """Give somebody's only match."""
    return session.scalars(sa.select(Match).where(Match.person_id == person.id)).one()


def referral_of(session: Session, person: Person) -> Referral:
    """Give somebody's only referral."""
    return session.scalars(sa.select(Referral).where(Referral.person_id == person.id)).one()


@pytest.fixture(scope="module")
def small(database_maker: Databases) -> str:
    """Give the fingerprint of a demonstration with very few people."""
    return fingerprint(database_maker)


def fingerprint(make: Databases, *, seed: int = SEED) -> str:
    """Make a demonstration with very few people, and give only its fingerprint."""
    database = make_demo(make, people=30, seed=seed)
    told = digest(database)
    make.give_back(database)
    return told


class TestSameEveryTime:
    def test_two_builds_agree_in_every_id_and_coded_value(self, database_maker: Databases, small: str) -> None:
        assert fingerprint(database_maker) == small

    def test_another_seed_gives_other_people(self, database_maker: Databases, small: str) -> None:
        assert fingerprint(database_maker, seed=7) != small


class TestAnyMoment:
    @pytest.mark.parametrize(
        "now",
        [
            datetime(2026, 11, 22, 6, 15, tzinfo=UTC),  # a Sunday, at night in every zone
            datetime(2027, 1, 1, 17, 0, tzinfo=UTC),  # a day on which every site is closed
            datetime(2028, 3, 1, 0, 5, tzinfo=UTC),  # the day after 29 February
        ],
    )
    def test_can_be_made_at_any_time_of_the_week(self, database_maker: Databases, now: datetime) -> None:
        database = make_demo(database_maker, people=24, now=now)

        with database.reading() as session:
            assert session.get_one(Installation, 1).demo_anchor == now
            assert count(session, Event, Event.recorded_at > now) == 0
        database_maker.give_back(database)


class TestStudies:
    def test_six_are_open_and_one_waits_for_a_coordinator(self, reading: Session) -> None:
        rows = reading.scalars(sa.select(Study)).all()

        assert sorted(row.slug for row in rows if row.status is StudyStatus.OPEN) == sorted(catalogue.STUDIES)
        assert [row.nickname for row in rows if row.status is StudyStatus.DRAFT] == ["HAZEL"]

    def test_each_has_eight_to_twenty_criteria_and_both_languages(self, reading: Session) -> None:
        for key in catalogue.STUDIES:
            study = studies.study_by_slug(reading, key)

            places = studies.open_sites(reading, study, at=NOON)

            assert places
            assert places[0].languages == ("en", "es")
            assert 8 <= len(places[0].in_force.protocol.document["criteria"]) <= 20  # type: ignore[arg-type]

    def test_sites_stand_in_several_statuses_over_six_zones(self, reading: Session) -> None:
        statuses = set(reading.scalars(sa.select(StudySite.status)))
        zones = set(reading.scalars(sa.select(Site.zone)))

        assert {
            StudySiteStatus.SELECTED,
            StudySiteStatus.START_UP,
            StudySiteStatus.INITIATED,
            StudySiteStatus.ACTIVATED,
            StudySiteStatus.PAUSED,
            StudySiteStatus.ENROLMENT_CLOSED,
        } <= statuses
        assert count(reading, Site) == 8
        assert len(zones) == 6

    def test_one_approval_ends_in_twenty_days(self, reading: Session) -> None:
        soon = civil_day(NOON, "America/Phoenix") + timedelta(days=20)

        assert count(reading, StudySite, StudySite.approval_expires_on == soon) == 1


class TestPeople:
    def test_people_stand_at_every_stage(self, reading: Session) -> None:
        states = set(reading.scalars(sa.select(Referral.state)))
        triages = set(reading.scalars(sa.select(Match.triage)))

        assert {State.RANDOMISED, State.SCREEN_FAILED, State.VISIT_BOOKED, State.COULD_NOT_REACH} <= states
        assert {Triage.TO_CALL, Triage.REFERRED, Triage.CLOSED} <= triages
        assert count(reading, Submission, Submission.language == "es") > 0
        assert count(reading, SettledCounter) > 0
        assert count(reading, Draft, Draft.person_id.is_(None)) > 0

    def test_nothing_lies_after_the_anchor_but_what_is_planned(self, reading: Session) -> None:
        assert count(reading, Event, Event.recorded_at > NOON) == 0
        assert count(reading, Submission, Submission.submitted_at > NOON) == 0
        assert count(reading, Match, Match.last_contact_at > NOON) == 0
        assert count(reading, LinkHit, LinkHit.at > NOON) == 0
        assert count(reading, Visit, Visit.starts_at > NOON, Visit.status == VisitStatus.BOOKED) > 0

    def test_the_desk_has_something_to_do(self, reading: Session) -> None:
        now = desk.queue(reading, EVERYWHERE, desk.Filter(), at=NOON)

        assert len(now) >= 3

    def test_retention_has_been_kept(self, reading: Session) -> None:
        day_ago = NOON - timedelta(hours=24)

        assert count(reading, Draft, Draft.last_at < day_ago, Draft.person_id.is_(None)) == 0
        assert not is_anything_waiting(reading)

    def test_numbers_and_addresses_belong_to_nobody(self, reading: Session) -> None:
        everybody = list(reading.scalars(sa.select(PersonContact.person_id)))

        addresses = [one.address for one in people.contacts_of(reading, everybody)]

        assert addresses
        for address in addresses:
            local, _, domain = address.partition("@")
            assert domain in ("example.org", "example.com") if domain else local[5:10] == "55501"

    def test_sources_cost_money_and_bring_clicks(self, reading: Session) -> None:
        assert count(reading, Spend) > 0
        assert count(reading, LinkHit) > PEOPLE

    def test_recent_people_were_written_to(self, reading: Session) -> None:
        assert count(reading, Message) > 0


class TestAccounts:
    @pytest.mark.parametrize("member", staff.MEMBERS, ids=lambda member: member.key)
    def test_each_role_can_sign_in(self, reading: Session, member: members.Member) -> None:
        account = accounts.account_of(reading, member.email)

        assert account is not None
        assert passwords.matches(account.password_hash, demo.PASSWORD)
        assert sessions.permits_of(reading, account.id).roles == {member.role}

    def test_the_password_is_strong_enough(self) -> None:
        assert passwords.weakness(demo.PASSWORD) is None


class TestThePeopleOfTheDomain:
    def test_a_couple_shares_one_phone(self, reading: Session) -> None:
        walter, ruth = named(reading, "Walter Hargrove"), named(reading, "Ruth Hargrove")

        phones = [{one.point.id for one in people.contacts_of(reading, {key})} for key in (walter.id, ruth.id)]

        assert phones[0] & phones[1]

    def test_a_mother_answered_for_two(self, reading: Session) -> None:
        children = [named(reading, "Sofía Delgado"), named(reading, "Mateo Delgado")]

        links = [people.contacts_of(reading, {child.id}) for child in children]

        assert {one.link.role for one in (*links[0], *links[1])} == {ContactRole.GUARDIAN}

    def test_a_girl_is_about_to_be_of_age(self, reading: Session) -> None:
        known = people.identity_of(reading, named(reading, "Hannah Lindqvist"))

        assert known.birth is not None
        assert 0 < (known.birth.replace(year=known.birth.year + 18) - NOON.date()).days < 60

    def test_a_widower_has_a_landline_and_speaks_spanish(self, reading: Session) -> None:
        ernesto = named(reading, "Ernesto Villarreal")

        [only] = people.contacts_of(reading, {ernesto.id})

        assert ernesto.language == "es"
        assert only.point.line_type is LineType.LANDLINE

    def test_a_caregiver_has_a_visit_booked(self, reading: Session) -> None:
        dorothy = named(reading, "Dorothy Kaplan")

        said = reading.scalars(sa.select(Submission).where(Submission.person_id == dorothy.id)).one()

        assert said.respondent is Respondent.CARED_FOR
        assert referral_of(reading, dorothy).state is State.VISIT_BOOKED

    def test_stop_closed_the_texts_and_not_the_call(self, reading: Session) -> None:
        priscilla = named(reading, "Priscilla Tran")
        points = sa.select(PersonContact.contact_point_id).where(PersonContact.person_id == priscilla.id)
        tokens = sa.select(ContactPoint.address_token).where(ContactPoint.id.in_(points))

        closed = set(
            reading.scalars(sa.select(Suppression.channel).where(Suppression.address_token.in_(tokens)))
        )

        assert closed == {ContactChannel.SMS}
        assert match_of(reading, priscilla).triage is Triage.TO_CALL

    def test_a_doctor_sent_somebody(self, reading: Session) -> None:
        leonard = named(reading, "Leonard Tsosie")

        asked = reading.scalars(sa.select(Inquiry).where(Inquiry.person_id == leonard.id)).one()

        assert asked.channel is InquiryChannel.DOCTOR
        assert asked.clinician_sealed is not None

    def test_a_call_ended_at_question_six(self, reading: Session) -> None:
        gordon = named(reading, "Gordon Pulaski")

        kept = reading.scalars(sa.select(Submission).where(Submission.person_id == gordon.id)).one()
        sealed = kept.answers_sealed
        text = vault_of(reading).open(gordon.id, "submission", "answers_sealed", kept.id, sealed)

        assert kept.entrance is Entrance.ASSISTED_CALL
        assert len(read_answers(text or "")) == characters.HUNG_UP_AFTER - 1

    def test_a_call_that_was_cut_off_is_to_be_taken_up_again(self, reading: Session) -> None:
        gordon = named(reading, "Gordon Pulaski")

        logged = reading.scalars(sa.select(Communication).where(Communication.person_id == gordon.id))
        match = match_of(reading, gordon)

        assert [one.outcome for one in logged if one.channel is ContactChannel.CALL] == ["call_back"]
        assert match.triage is Triage.TO_CALL
        assert match.due_reason is DueReason.PROMISE
        assert match.due_at is not None
        assert match.due_at > NOON

    def test_a_walk_in_left_no_email(self, reading: Session) -> None:
        terrence = named(reading, "Terrence Oyelaran")

        said = reading.scalars(sa.select(Submission).where(Submission.person_id == terrence.id)).one()

        assert said.entrance is Entrance.WALK_IN
        assert all("@" not in one.address for one in people.contacts_of(reading, {terrence.id}))

    def test_a_form_at_night_is_due_when_the_site_opens(self, reading: Session) -> None:
        due = match_of(reading, named(reading, "Bianca Ferreira")).due_at

        assert due is not None
        assert due.astimezone(UTC) == datetime(2026, 11, 18, 13, 45, tzinfo=UTC)

    def test_two_no_shows_did_not_keep_somebody_out(self, reading: Session) -> None:
        referral = referral_of(reading, named(reading, "Ramona Escobedo"))

        kept = list(reading.scalars(sa.select(Visit.status).where(Visit.referral_id == referral.id)))

        assert referral.state is State.RANDOMISED
        assert kept.count(VisitStatus.NO_SHOW) == 2

    def test_five_visits_stand_at_a_site_on_hold(self, reading: Session) -> None:
        held = [
            study_site.id
            for study_site in reading.scalars(sa.select(StudySite))
            if studies.live_holds(reading, at=NOON, study_id=study_site.study_id, site_id=study_site.site_id)
        ]

        here = sa.select(Referral.id).where(Referral.study_site_id.in_(held))

        assert count(reading, Visit, Visit.referral_id.in_(here), Visit.starts_at > NOON) >= 5

    def test_an_erasure_left_the_record_of_the_study(self, reading: Session) -> None:
        referral = reading.scalars(sa.select(Referral).where(Referral.subject_number == "606-0133")).one()

        assert people.search_by_name(reading, "Ingrid Halloran") == []
        assert referral.state is State.RANDOMISED
        assert people.contacts_of(reading, {referral.person_id}) == []
