"""The people whom a site network meets every week, each on the way through the real services."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from campaigns.context import EXTENSION
from campaigns.inbox.service import Inbound, receive_inbound
from recruit import pipeline, privacy, purges
from recruit.contact import queries as contact
from recruit.contact import service as contact_service
from recruit.contact.models import ContactChannel, Suppression, SuppressionReason, Verification
from recruit.db import Database
from recruit.errors import Refused
from recruit.intake import drafts
from recruit.intake.minors import is_minor
from recruit.intake.models import Draft, Entrance, InquiryChannel
from recruit.keys import vault_of
from recruit.matching import holds
from recruit.matching.guard import guard_of
from recruit.matching.models import Match, Triage
from recruit.matching.plan import CallOutcome
from recruit.people import queries as people
from recruit.people.models import Basis, ContactRole, FactRow, LineType, Person
from recruit.referrals.models import Referral
from recruit.referrals.states import State
from recruit.studies import queries as studies
from recruit.studies.models import HoldReason
from recruit.visits import service as visits
from recruit.visits.models import Visit, VisitStatus
from recruit.visits.service import Appointment
from screening.asking.answers import parse
from screening.asking.path import first_unanswered
from screening.facts import EvidenceSource
from screening.slips import Problems
from tests.conftest import NOON
from tests.factories import OpenStudy, make_open_study
from tests.recruit.arrivals import AGREED, FITS, arrive, bring_to, contact_of, hand_over, inquire, said

PHONE = "+13055550142"
DAY = timedelta(days=1)


@pytest.fixture
def opened(session: Session) -> OpenStudy:
    """Give a study that takes people at one site in New York."""
    return make_open_study(session)


def reachable(session: Session, match: Match) -> people.Reachable:
    """Give somebody's first address."""
    return people.contacts_of(session, {match.person_id})[0]


def book(session: Session, referral: Referral, *, at: datetime) -> Visit:
    """Book a visit for the next day."""
    return visits.book(session, referral.id, Appointment(at + DAY), at=at)


def test_a_couple_on_one_phone_stays_two_people(session: Session, opened: OpenStudy) -> None:
    walter = contact_of("Walter", "Hargrove", phone=PHONE, birth=date(1961, 4, 12))
    ruth = contact_of("Ruth", "Hargrove", phone=PHONE, birth=date(1963, 9, 3))

    first = arrive(session, opened, walter, at=NOON)
    second = arrive(session, opened, ruth, at=NOON + timedelta(hours=1))

    assert first.person_id != second.person_id
    assert reachable(session, first).point.id == reachable(session, second).point.id
    assert reachable(session, first).shared_with == 1


def test_a_mother_of_two_stops_texts_for_both_children_at_once(session: Session, opened: OpenStudy) -> None:
    children = [
        arrive(
            session,
            opened,
            contact_of(
                name, "Delgado", phone=PHONE, birth=born, role=ContactRole.GUARDIAN, contact_name="Elena"
            ),
            at=NOON,
        )
        for name, born in (("Sofía", date(1976, 3, 2)), ("Mateo", date(1976, 3, 2)))
    ]
    token = reachable(session, children[0]).point.address_token

    contact_service.suppress(
        session, token, ContactChannel.SMS, SuppressionReason.STOP, source="test", at=NOON + DAY
    )

    assert children[0].person_id != children[1].person_id
    for child in children:
        found = reachable(session, child)
        assert found.link.role is ContactRole.GUARDIAN
        assert not guard_of(session, child, found, at=NOON + DAY).text.allowed


def test_a_girl_is_a_minor_until_her_eighteenth_birthday(session: Session, opened: OpenStudy) -> None:
    born = date(2008, 12, 13)
    hannah = contact_of(
        "Hannah", "Lindqvist", birth=born, role=ContactRole.GUARDIAN, contact_name="Karin Lindqvist"
    )

    match = inquire(session, opened, hannah, at=NOON)

    found = reachable(session, match)
    known = people.identity_of(session, session.get_one(Person, match.person_id))
    sealed = found.link.contact_name_sealed
    assert known.birth == born
    assert (is_minor(born, on=date(2026, 12, 12)), is_minor(born, on=born.replace(year=2026))) == (True, False)
    assert vault_of(session).open(
        match.person_id, "person_contact", "contact_name_sealed", found.link.id, sealed
    ) == ("Karin Lindqvist")


def test_a_widower_on_a_landline_is_called_though_no_code_can_reach_him(
    session: Session, opened: OpenStudy
) -> None:
    ernesto = contact_of("Ernesto", "Villarreal", line_type=LineType.LANDLINE, language="es")

    match = arrive(session, opened, ernesto, at=NOON)

    sent = session.scalar(sa.select(sa.func.count()).where(Verification.person_id == match.person_id))
    guard = guard_of(session, match, reachable(session, match), at=NOON)
    assert sent == 0
    assert match.triage is Triage.TO_CALL
    assert session.get_one(Person, match.person_id).language == "es"
    assert (guard.call.allowed, guard.text.allowed) == (True, False)


def test_a_caregiver_comes_along_to_the_visit(session: Session, opened: OpenStudy) -> None:
    dorothy = contact_of("Dorothy", "Kaplan", role=ContactRole.GUARDIAN, contact_name="Miriam Kaplan")
    match = arrive(session, opened, dorothy, at=NOON)
    referral = hand_over(session, opened, match, at=NOON + timedelta(hours=1))

    visit = book(session, referral, at=NOON + timedelta(hours=2))

    assert referral.state is State.VISIT_BOOKED
    assert visits.open_visits(session, referral.id) == [visit]
    assert reachable(session, match).link.contact_name_sealed is not None


def test_stop_but_call_me_ends_texts_and_keeps_the_call(
    session: Session, opened: OpenStudy, app: Flask
) -> None:
    match = arrive(session, opened, contact_of("Priscilla", "Tran", phone=PHONE), at=NOON)
    due = match.due_at

    receive_inbound(
        session,
        Inbound("in-1", PHONE, "STOP. But please call me!", answered=False),
        provider="console",
        wording=app.extensions[EXTENSION].wording,
        at=NOON + timedelta(minutes=5),
    )

    guard = guard_of(session, match, reachable(session, match), at=NOON + timedelta(minutes=6))
    assert (guard.call.allowed, guard.text.allowed) == (True, False)
    assert (match.triage, match.due_at) == (Triage.TO_CALL, due)
    heard = contact.timeline(session, {match.person_id})
    assert any(one.channel is ContactChannel.SMS for one in heard)


def test_a_doctors_form_is_called_within_fifteen_minutes(session: Session, opened: OpenStudy) -> None:
    leonard = contact_of("Leonard", "Tsosie")

    inquiry, match = pipeline.inquire(
        session,
        opened.study,
        leonard,
        AGREED,
        channel=InquiryChannel.DOCTOR,
        at=NOON,
        how="doctor_form",
        study_site_id=opened.study_site.id,
        clinician="Dr. Miriam Etsitty, +13055550198",
    )

    sealed = inquiry.clinician_sealed
    told = vault_of(session).open(match.person_id, "inquiry", "clinician_sealed", inquiry.id, sealed)
    assert match.due_at == NOON + timedelta(minutes=15)
    assert told == "Dr. Miriam Etsitty, +13055550198"


def test_a_hang_up_at_question_six_can_go_on_for_thirty_days(database: Database) -> None:
    with database.transaction(actor="test") as session:
        opened = make_open_study(session)
        match = inquire(session, opened, contact_of("Gordon", "Pulaski"), at=NOON)
        draft, _ = pipeline.begin(
            session,
            opened.study,
            language="en",
            at=NOON,
            entrance=Entrance.ASSISTED_CALL,
            person_id=match.person_id,
        )
        items = drafts.open_draft(session, draft).document.items
        given = []
        for item in items[:5]:
            answer = parse(item, FITS[item.id], language="en", on=NOON.date())
            assert not isinstance(answer, Problems)
            given.append((item.id, answer, NOON + timedelta(minutes=1)))
        view = drafts.save_answers(session, draft.id, given)
        sixth = first_unanswered(view.document, view.answers, view.respondent)
        pipeline.call(session, match.id, CallOutcome.DECLINED_TO_TALK, at=NOON + timedelta(minutes=2))

    purges.purge_drafts(database, at=NOON + 29 * DAY)
    with database.reading() as session:
        kept = session.get(Draft, draft.id)
    purges.purge_drafts(database, at=NOON + 31 * DAY)
    with database.reading() as session:
        gone = session.get(Draft, draft.id)

    assert sixth is not None
    assert sixth.id == "pregnant"
    assert kept is not None
    assert kept.revision == 5
    assert gone is None


def test_a_walk_in_needs_no_email(session: Session, opened: OpenStudy) -> None:
    terrence = contact_of("Terrence", "Oyelaran")
    draft, _ = pipeline.begin(session, opened.study, language="en", at=NOON, entrance=Entrance.WALK_IN)
    given = []
    for item in drafts.open_draft(session, draft).document.items:
        if item.id in FITS:
            answer = parse(item, FITS[item.id], language="en", on=NOON.date())
            assert not isinstance(answer, Problems)
            given.append((item.id, answer, NOON))
    drafts.save_answers(session, draft.id, given)
    pipeline.conclude(session, draft.id, at=NOON)

    submission, match = pipeline.submit(
        session, draft.id, terrence, AGREED, at=NOON, study_site_id=opened.study_site.id, how="phone"
    )

    sources = set(session.scalars(sa.select(FactRow.source).where(FactRow.person_id == submission.person_id)))
    assert match is not None
    assert match.triage is Triage.TO_CALL
    assert session.get_one(Person, submission.person_id).basis is Basis.WALK_IN
    assert sources == {EvidenceSource.PARTICIPANT_PHONE.value}


def test_a_lead_form_at_night_is_due_a_quarter_of_an_hour_after_opening(
    session: Session, opened: OpenStudy
) -> None:
    at_night = datetime(2026, 11, 19, 4, 40, tzinfo=UTC)  # 23:40 in New York

    match = inquire(session, opened, contact_of("Bianca", "Ferreira"), at=at_night)

    assert match.due_at == datetime(2026, 11, 19, 14, 15, tzinfo=UTC)


def test_two_no_shows_do_not_keep_somebody_out(session: Session, opened: OpenStudy) -> None:
    referral = hand_over(session, opened, at=NOON)
    at = NOON + timedelta(hours=1)
    for _ in range(2):
        missed = book(session, referral, at=at)
        at = missed.starts_at + timedelta(minutes=30)
        visits.no_show(session, missed.id, at=at)
        match = session.get_one(Match, referral.match_id)
        assert match.due_at is not None
        assert match.due_at.date() == at.date()

    kept = book(session, referral, at=at)
    at = kept.starts_at + timedelta(hours=2)
    visits.attend(session, kept.id, at=at)
    for state in (State.CONSENTED, State.IN_SCREENING, State.RANDOMISED):
        pipeline.report(session, referral.id, said(state, on=at.date(), subject_number="101-007"), at=at)

    assert referral.state is State.RANDOMISED
    assert referral.subject_number == "101-007"


def test_a_hold_keeps_five_booked_visits_to_be_called_down_and_takes_nobody_new(
    session: Session, opened: OpenStudy
) -> None:
    booked = []
    for number in range(5):
        referral = hand_over(session, opened, at=NOON + timedelta(minutes=number))
        booked.append(book(session, referral, at=NOON + timedelta(hours=1)))
    waiting = arrive(session, opened, at=NOON)

    holds.place(
        session,
        reason=HoldReason.SPONSOR,
        study_id=opened.study.id,
        site_id=opened.site.id,
        at=NOON + timedelta(hours=2),
    )

    later = NOON + timedelta(hours=3)
    assert [visit.status for visit in booked] == [VisitStatus.BOOKED] * 5
    assert waiting.triage is Triage.HELD
    assert studies.open_sites(session, opened.study, at=later) == []
    with pytest.raises(Refused, match="hold"):
        pipeline.refer(session, waiting.id, opened.study_site.id, at=later)
    with pytest.raises(Refused, match="not looking"):
        pipeline.begin(session, opened.study, language="en", at=later)


def test_an_erasure_after_informed_consent_leaves_the_record_and_a_closed_number(
    session: Session, opened: OpenStudy
) -> None:
    match = arrive(session, opened, contact_of("Ingrid", "Halloran", phone=PHONE), at=NOON)
    referral = hand_over(session, opened, match, at=NOON)
    bring_to(session, referral, State.CONSENTED, at=NOON)
    token = reachable(session, match).point.address_token

    erasure = privacy.erase_person(session, match.person_id, at=NOON + DAY)

    closed = set(session.scalars(sa.select(Suppression.channel).where(Suppression.address_token == token)))
    assert erasure.kept_study_ids == {opened.study.id}
    assert session.get_one(Referral, referral.id).state is State.CONSENTED
    assert people.search_by_name(session, "Ingrid Halloran") == []
    assert people.contacts_of(session, {match.person_id}) == []
    assert {ContactChannel.CALL, ContactChannel.SMS} <= closed
