"""Before a call: may we, and if not, why not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from recruit import pipeline
from recruit.contact import service as contact
from recruit.contact.models import ContactChannel, Purpose, SuppressionReason
from recruit.contact.policy import Reason
from recruit.events import standing
from recruit.intake.models import InquiryChannel
from recruit.intake.service import Consented, Contact
from recruit.matching import numbers, stopping
from recruit.matching.guard import Bar, Guard, guard_of
from recruit.matching.models import Match
from recruit.people import queries as people
from recruit.people.models import ContactKind, LineType
from recruit.people.queries import Reachable
from tests.conftest import NOON
from tests.factories import OpenStudy, make_open_study
from tests.recruit.arrivals import AGREED, arrive, contact_of

NIGHT = datetime(2026, 11, 19, 3, 30, tzinfo=UTC)


@pytest.fixture
def opened(session: Session) -> OpenStudy:
    return make_open_study(session)


def phone_of(session: Session, match: Match) -> Reachable:
    """Give the telephone of a person."""
    reachable = people.contacts_of(session, {match.person_id})
    return next(one for one in reachable if one.point.kind is ContactKind.PHONE)


def guard(session: Session, match: Match, *, at: datetime = NOON) -> Guard:
    """Ask about the person's telephone."""
    return guard_of(session, match, phone_of(session, match), at=at)


def agree(session: Session, opened: OpenStudy, contact: Contact, *consents: Consented) -> Match:
    """Leave a contact with just these agreements."""
    _inquiry, match = pipeline.inquire(
        session,
        opened.study,
        contact,
        consents,
        channel=InquiryChannel.HAND,
        at=NOON,
        study_site_id=opened.study_site.id,
    )
    return match


class TestCalling:
    def test_is_allowed_where_it_was_asked_for_and_the_hour_is_right(
        self, session: Session, opened: OpenStudy
    ) -> None:
        found = guard(session, arrive(session, opened, at=NOON))

        assert found.can_call
        assert found.message.allowed

    def test_waits_for_the_hours_of_the_person(self, session: Session, opened: OpenStudy) -> None:
        found = guard(session, arrive(session, opened, at=NOON), at=NIGHT)

        assert found.call.bar is Bar.HOURS
        assert found.call.until == datetime(2026, 11, 19, 13, 0, tzinfo=UTC)

    def test_a_stop_by_text_does_not_cancel_the_call_they_asked_for(
        self, session: Session, opened: OpenStudy
    ) -> None:
        match = arrive(session, opened, at=NOON)
        point = phone_of(session, match).point
        contact.verify_contact(session, match.person_id, point.id, at=NOON)
        assert guard(session, match).text.allowed
        contact.suppress(
            session,
            point.address_token,
            ContactChannel.SMS,
            SuppressionReason.STOP,
            source="test",
            at=NOON,
        )

        found = guard(session, match)

        assert found.can_call
        assert found.text.reason is Reason.STOPPED

    def test_needs_a_yes_to_calls(self, session: Session, opened: OpenStudy) -> None:
        match = agree(
            session,
            opened,
            contact_of(),
            Consented(Purpose.CONTACT, ContactChannel.SMS, "Text me.", "1"),
        )

        assert guard(session, match).call.bar is Bar.NOT_ASKED_FOR

    def test_never_to_a_wrong_number(self, session: Session, opened: OpenStudy) -> None:
        match = arrive(session, opened, at=NOON)
        numbers.mark_wrong(session, phone_of(session, match).point.id, at=NOON)

        found = guard(session, match)

        assert (found.call.bar, found.message.bar) == (Bar.WRONG_NUMBER, Bar.WRONG_NUMBER)

    def test_never_to_somebody_who_asked_not_to_be_contacted(self, session: Session, opened: OpenStudy) -> None:
        match = arrive(session, opened, at=NOON)

        stopping.do_not_contact(session, match.person_id, at=NOON)
        stopping.do_not_contact(session, match.person_id, at=NOON)

        assert guard(session, match).call.bar is Bar.DO_NOT_CONTACT
        told = [e.type for e in standing(session, ("person", match.person_id))]
        assert told == ["person.do_not_contact"]


class TestMessages:
    @pytest.mark.parametrize(("agreed", "names_study"), [(True, True), (False, False)])
    def test_name_the_study_only_with_a_yes_to_that(
        self, session: Session, opened: OpenStudy, agreed: bool, names_study: bool
    ) -> None:
        voicemail = Consented(Purpose.VOICEMAIL_NAMING_STUDY, ContactChannel.VOICEMAIL, "Name it.", "1")
        match = agree(session, opened, contact_of(), *AGREED, *([voicemail] if agreed else []))

        assert guard(session, match).names_study is names_study

    def test_on_a_shared_telephone_name_nothing(self, session: Session, opened: OpenStudy) -> None:
        voicemail = Consented(Purpose.VOICEMAIL_NAMING_STUDY, ContactChannel.VOICEMAIL, "Name it.", "1")
        match = agree(session, opened, contact_of("Ana", phone="+13055550010"), *AGREED, voicemail)
        arrive(session, opened, contact_of("Luis", phone="+13055550010"), at=NOON)

        assert guard(session, match).names_study is False


def test_a_landline_takes_no_texts(session: Session, opened: OpenStudy) -> None:
    match = arrive(session, opened, contact_of(line_type=LineType.LANDLINE), at=NOON)

    found = guard(session, match)

    assert found.text.reason is Reason.LANDLINE
    assert found.can_call


def test_an_email_address_is_no_telephone(session: Session, opened: OpenStudy) -> None:
    match = arrive(session, opened, contact_of(email="ana@example.org"), at=NOON)
    email = next(
        one for one in people.contacts_of(session, {match.person_id}) if one.point.kind is ContactKind.EMAIL
    )

    assert guard_of(session, match, email, at=NOON).call.bar is Bar.NOT_A_PHONE
