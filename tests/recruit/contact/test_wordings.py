"""What new words of an agreement make of what people agreed to in earlier ones."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from recruit.contact import queries, renewal, service
from recruit.contact.models import Consent, ConsentScope, ContactChannel, Purpose
from recruit.contact.policy import MessagePurpose
from recruit.contact.wordings import version_to_ask, wordings
from recruit.errors import NotFound
from recruit.people import service as people
from recruit.people.models import Basis, Person
from recruit.people.service import Identity
from recruit.studies import places
from recruit.studies.models import QuestionnaireVersion, StudySite
from screening.asking.questionnaire import ConsentPurpose, EarlierWords
from tests.conftest import NOON
from tests.factories import (
    AT,
    OpenStudy,
    approve_everything,
    make_open_study,
    make_site,
    prepare_study_site,
    put_in_force_and_activate,
)
from tests.recruit.rewording import other_words, use

TODAY = NOON.date()
NEXT_WEEK = TODAY + timedelta(days=7)


@pytest.fixture
def opened(session: Session) -> OpenStudy:
    return make_open_study(session)


@pytest.fixture
def person(session: Session) -> Person:
    identity = Identity(given="Rosa", family="Marte")
    return people.add_person(session, identity, basis=Basis.QUESTIONNAIRE, language="en", at=NOON)


def agree(
    session: Session,
    person: Person,
    opened: OpenStudy,
    *,
    at: datetime = NOON - timedelta(days=30),
    version: QuestionnaireVersion | None = None,
    text_version: str = "1",
    purpose: Purpose = Purpose.CONTACT,
    study_site_id: UUID | None = None,
) -> Consent:
    registry = purpose is Purpose.REGISTRY
    return service.give_consent(
        session,
        person.id,
        purpose,
        ConsentScope.REGISTRY if registry else ConsentScope.STUDY,
        channel=ContactChannel.CALL,
        study_id=None if registry else opened.study.id,
        questionnaire_version_id=(version or opened.questionnaire).id,
        study_site_id=study_site_id or opened.study_site.id,
        text="You may call me.",
        text_version=text_version,
        language="en",
        how="web_form",
        at=at,
    )


def covered(session: Session, person: Person, opened: OpenStudy, *, on: date = TODAY) -> bool:
    session.flush()
    consent = queries.covering_consent(
        queries.standing_consents(session, {person.id}),
        channel=ContactChannel.CALL,
        contact_point_id=opened.study.id,
        study_id=opened.study.id,
        purpose=MessagePurpose.STUDY,
        on=on,
        wordings=wordings(session),
    )
    return consent is not None


class TestNewWords:
    @pytest.mark.parametrize(
        ("earlier", "holds", "asks"),
        [
            (EarlierWords.VALID, True, False),
            (EarlierWords.ASK_AGAIN, True, True),
            (EarlierWords.STOP, False, True),
        ],
    )
    def test_say_what_becomes_of_earlier_ones(
        self,
        session: Session,
        opened: OpenStudy,
        person: Person,
        earlier: EarlierWords,
        holds: bool,
        asks: bool,
    ) -> None:
        agree(session, person, opened)

        use(session, opened, other_words(session, opened, earlier))

        assert covered(session, person, opened) is holds
        assert bool(renewal.due(session, {person.id}, opened.study.id, on=TODAY)) is asks

    def test_act_from_the_day_they_are_in_force(
        self, session: Session, opened: OpenStudy, person: Person
    ) -> None:
        agree(session, person, opened)

        use(session, opened, other_words(session, opened, EarlierWords.STOP), since=NEXT_WEEK)

        assert covered(session, person, opened, on=NEXT_WEEK - timedelta(days=1))
        assert not covered(session, person, opened, on=NEXT_WEEK)

    def test_published_but_nowhere_in_force_change_nothing(
        self, session: Session, opened: OpenStudy, person: Person
    ) -> None:
        agree(session, person, opened)

        other_words(session, opened, EarlierWords.STOP)

        assert covered(session, person, opened)

    def test_leave_what_was_agreed_to_in_them(
        self, session: Session, opened: OpenStudy, person: Person
    ) -> None:
        newer = other_words(session, opened, EarlierWords.STOP)
        use(session, opened, newer)

        agree(session, person, opened, version=newer, text_version="2")

        assert covered(session, person, opened)

    def test_leave_other_agreements(self, session: Session, opened: OpenStudy, person: Person) -> None:
        agree(session, person, opened)

        newer = other_words(session, opened, EarlierWords.STOP, purpose=ConsentPurpose.CHECK_ANSWERS)
        use(session, opened, newer)

        assert covered(session, person, opened)

    def test_still_stop_the_first_words_when_a_later_version_leaves_them_alone(
        self, session: Session, opened: OpenStudy, person: Person
    ) -> None:
        agree(session, person, opened)
        other_words(session, opened, EarlierWords.STOP)

        latest = other_words(
            session, opened, EarlierWords.VALID, purpose=ConsentPurpose.CHECK_ANSWERS, words="Use them."
        )
        use(session, opened, latest)

        assert not covered(session, person, opened)


class TestTwoSites:
    @pytest.fixture
    def other(self, session: Session, opened: OpenStudy) -> StudySite:
        site = places.add_site(session, opened.study.id, make_site(session).id, at=AT)
        prepare_study_site(session, site)
        approve_everything(session, opened.study)
        put_in_force_and_activate(session, site, opened.protocol, opened.questionnaire)
        return site

    def test_one_whose_board_has_not_approved_the_new_words_goes_on_with_the_old(
        self, session: Session, opened: OpenStudy, other: StudySite, person: Person
    ) -> None:
        newer = other_words(session, opened, EarlierWords.STOP)
        use(session, opened, newer, since=TODAY - timedelta(days=3))

        agree(session, person, opened, at=NOON, study_site_id=other.id)

        assert covered(session, person, opened)

    def test_ends_with_the_day_that_it_uses_the_new_ones_itself(
        self, session: Session, opened: OpenStudy, other: StudySite, person: Person
    ) -> None:
        newer = other_words(session, opened, EarlierWords.STOP)
        use(session, opened, newer, since=TODAY - timedelta(days=3))
        agree(session, person, opened, at=NOON, study_site_id=other.id)

        use(session, opened, newer, since=NEXT_WEEK, place=other)

        assert not covered(session, person, opened, on=NEXT_WEEK)


class TestSomebodyInTheMiddle:
    def test_is_asked_in_the_words_in_force_where_the_older_ones_are_stopped(
        self, session: Session, opened: OpenStudy
    ) -> None:
        began_with = opened.questionnaire.id
        newer = other_words(session, opened, EarlierWords.STOP)
        use(session, opened, newer)

        assert version_to_ask(session, began_with, opened.study_site.id, on=TODAY) == newer.id

    def test_is_asked_in_the_words_of_the_beginning_otherwise(
        self, session: Session, opened: OpenStudy
    ) -> None:
        began_with = opened.questionnaire.id
        use(session, opened, other_words(session, opened, EarlierWords.ASK_AGAIN))

        assert version_to_ask(session, began_with, opened.study_site.id, on=TODAY) == began_with


class TestAskingAgain:
    def test_a_yes_counts_again_and_is_not_asked_for_twice(
        self, session: Session, opened: OpenStudy, person: Person
    ) -> None:
        agree(session, person, opened)
        use(session, opened, other_words(session, opened, EarlierWords.STOP))

        [given] = self.say(session, opened, person, given=True)

        assert covered(session, person, opened)
        assert given.text == "You may also write to me."
        assert renewal.due(session, {person.id}, opened.study.id, on=TODAY) == []

    def test_a_no_ends_it(self, session: Session, opened: OpenStudy, person: Person) -> None:
        agree(session, person, opened)
        use(session, opened, other_words(session, opened, EarlierWords.ASK_AGAIN))

        self.say(session, opened, person, given=False)

        assert not covered(session, person, opened)
        assert renewal.due(session, {person.id}, opened.study.id, on=TODAY) == []

    def test_nothing_is_renewed_that_did_not_change(
        self, session: Session, opened: OpenStudy, person: Person
    ) -> None:
        agree(session, person, opened)

        with pytest.raises(NotFound):
            self.say(session, opened, person, given=True)

    @staticmethod
    def say(session: Session, opened: OpenStudy, person: Person, *, given: bool) -> list[Consent]:
        written = renewal.renew(
            session,
            {person.id},
            opened.study.id,
            Purpose.CONTACT,
            given=given,
            text="You may also write to me.",
            language="en",
            how="phone",
            at=NOON,
            on=TODAY,
        )
        session.flush()
        return written


class TestTheRegistry:
    def test_stops_with_the_words_of_the_study_that_asked(self, session: Session, person: Person) -> None:
        opened = make_open_study(session, registry_allowed=True)
        agree(session, person, opened, purpose=Purpose.REGISTRY)
        newer = other_words(session, opened, EarlierWords.STOP, purpose=ConsentPurpose.REGISTRY)

        use(session, opened, newer)

        ruling = wordings(session)
        [yes] = queries.standing_consents(session, {person.id})
        assert not ruling.holds(yes, on=TODAY)
        assert opened.questionnaire.id in ruling.stopped_versions(Purpose.REGISTRY, on=TODAY)
