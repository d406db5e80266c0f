"""The contact form: consents exactly as ticked, one submission however often it is sent, and the code."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from recruit.clock import FixedClock
from recruit.contact.models import Consent, Purpose
from recruit.contact.service import CODE_LASTS, CODE_TRIES
from recruit.db import Database
from recruit.intake.models import Draft, IdempotencyKey, Inquiry, Submission
from recruit.keys import DataKey, Owner
from recruit.matching.models import Match
from recruit.people.models import ContactPoint, ContactRole, LineType, Person, PersonContact
from recruit.studies import places
from recruit.studies.models import QuestionnaireVersion
from screening.asking.questionnaire import Document
from tests.conftest import NOON
from tests.factories import AT, OpenStudy, make_site, prepare_study_site, put_in_force_and_activate
from tests.recruit.web.public.asked import asked
from tests.recruit.web.public.visitor import CONTACT, FITTING, Fields, Visitor, ask_instead, open_study

LETTER: Fields = {"given": "Ana", "post": "12 Palm Way\nMiami", "contact": ["post"], "check_answers": "yes"}


@pytest.fixture
def done(ana: Visitor) -> Visitor:
    """Give somebody who stands before the contact form."""
    return ana.finish(FITTING).get("/en/contact")


def given(database: Database) -> set[tuple[str, str]]:
    """Give each consent as purpose and channel."""
    with database.reading() as session:
        return {
            (row.purpose.value, row.channel.value if row.channel else "")
            for row in session.scalars(sa.select(Consent))
        }


def count(database: Database, kind: type) -> int:
    """Count the rows of a table."""
    with database.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(kind)) or 0


class TestConsents:
    def test_are_unticked_and_in_the_approved_words(
        self, done: Visitor, database: Database, study: OpenStudy
    ) -> None:
        with database.reading() as session:
            row = session.get_one(QuestionnaireVersion, study.questionnaire.id)
            words = {c.purpose.value: c.text.say("en") for c in Document.model_validate(row.document).consents}

        boxes = done.page.all("input", type="checkbox")

        assert not [box for box in boxes if "checked" in box.attrs]
        assert {box.attrs["name"] for box in boxes} == {"contact", "check_answers", "voicemail", "registry"}
        for text in words.values():
            assert text in done.page.text

    @pytest.mark.parametrize(
        ("ticked", "kept"),
        [
            ({"contact": ["call"]}, {("contact", "call")}),
            (
                {"contact": ["call", "sms"], "voicemail": "yes"},
                {("contact", "call"), ("contact", "sms"), ("voicemail_naming_study", "voicemail")},
            ),
            (
                {"contact": ["email"], "email": "ana@example.org", "registry": "yes"},
                {("contact", "email"), ("registry", "email")},
            ),
        ],
    )
    def test_are_kept_as_ticked(
        self, done: Visitor, database: Database, ticked: Fields, kept: set[tuple[str, str]]
    ) -> None:
        done.send({**CONTACT, **ticked})

        assert given(database) == kept | {("check_answers", "")}

    def test_hold_text_version_and_act(self, done: Visitor, database: Database, study: OpenStudy) -> None:
        done.send(CONTACT)

        with database.reading() as session:
            row = session.get_one(QuestionnaireVersion, study.questionnaire.id)
            approved = next(
                c for c in Document.model_validate(row.document).consents if c.purpose.value == "contact"
            )
            kept = session.scalars(sa.select(Consent).where(Consent.purpose == Purpose.CONTACT)).all()
            point = session.scalars(sa.select(ContactPoint)).one()
        assert {c.text for c in kept} == {approved.text.say("en")}
        assert {(c.text_version, c.how, c.contact_point_id, c.study_id, c.at) for c in kept} == {
            (approved.version, "web_form", point.id, study.study.id, NOON)
        }

    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ({"contact": []}, "Select at least one way in which we may contact you"),
            ({"given": " "}, "Enter a first name"),
            ({"phone": "", "phone_kind": ""}, "Leave a phone number, an email address or a postal address"),
            ({"phone": "12"}, "Enter a telephone number with all its digits, like 555 010 0123."),
            ({"phone": "call me"}, "Enter a telephone number, like 555 010 0123."),
            ({"phone_kind": ""}, "Select whether we can text this number"),
            ({"phone_kind": "landline"}, "We can text only your own mobile phone. Do not select texts"),
            ({"contact": ["email"]}, "Enter an email address, or do not select email"),
            ({"contact": ["post"]}, "Enter a postal address, or do not select letters"),
            ({"email": "ana@", "contact": ["email"]}, "Enter an email address in the form name@example.com."),
            ({"zip": "1234"}, "Enter a ZIP code with 5 digits, like 02139"),
            ({"birth-year": "1970"}, "Date must include a day"),
            ({"birth-month": "2", "birth-day": "30", "birth-year": "1970"}, "Date must be a real date"),
            ({"birth-month": "99", "birth-day": "99", "birth-year": "9999"}, "Date must be a real date"),
            ({"birth-month": "1", "birth-day": "1", "birth-year": "2090"}, "Date must be a real date"),
            ({"check_answers": ""}, "Tick the box so that we may use your answers"),
            (
                {"voicemail": "yes", "contact": ["sms"]},
                "Select calls too, or do not select messages on your voicemail",
            ),
            ({"given": "x" * 200}, "That is too long."),
        ],
    )
    def test_says_what_to_put_right_and_keeps_the_rest(
        self, done: Visitor, database: Database, fields: Fields, problem: str
    ) -> None:
        done.send({**CONTACT, **fields})

        assert (done.status, done.errors[0]) == (422, problem)
        assert done.page.one("input", id="family").attrs["value"] == "Ruiz"
        assert count(database, Person) == 0

    def test_a_letter_is_enough(self, done: Visitor, database: Database) -> None:
        done.send(LETTER)

        assert given(database) == {("contact", "post"), ("check_answers", "")}
        assert done.path == "/en/thank-you"

    def test_a_shared_phone_is_the_households(self, done: Visitor, database: Database) -> None:
        done.send({**CONTACT, "phone_kind": "shared", "contact": ["call"]})

        with database.reading() as session:
            assert session.scalars(sa.select(PersonContact)).one().role is ContactRole.HOUSEHOLD
            assert session.scalars(sa.select(ContactPoint)).one().line_type is LineType.UNKNOWN

    def test_a_childs_contact_is_the_parents(self, app: Flask, database: Database) -> None:
        for_children = open_study(database, rules=(("exclusion", "Pregnant", "pregnant is yes"),))
        ask_instead(database, for_children, asked())
        parent = Visitor(app.test_client(), for_children.study.slug).begin(who="child")
        parent.answer(
            {
                "age": {"answer": "9"},
                "zebrafishitis": {"answer": "no"},
                "outdoors": {"answer": "no"},
                "feelings": {"answer": "never"},
                "words": {"instead": "declined"},
            }
        )
        parent.send({})

        parent.get("/en/contact").send({**CONTACT, "contact_name": "Rosa Ruiz"})

        with database.reading() as session:
            assert session.scalars(sa.select(PersonContact)).one().role is ContactRole.GUARDIAN
            assert session.scalars(sa.select(Submission)).one().respondent.value == "child"

    def test_a_minor_by_birth_date_is_kept_nowhere(self, done: Visitor, database: Database) -> None:
        done.send({**CONTACT, "birth-month": "1", "birth-day": "5", "birth-year": "2010"})

        assert done.status == 200
        assert count(database, Person) == 0
        with database.reading() as session:
            assert session.scalars(sa.select(Draft)).one().answers_sealed is None
            assert Owner.DRAFT not in session.scalars(sa.select(DataKey.owner_kind)).all()


class TestSites:
    def test_come_nearest_first_and_the_chosen_one_takes_over(
        self, ana: Visitor, database: Database, study: OpenStudy
    ) -> None:
        with database.transaction(actor="test") as session:
            site = make_site(session, name="Tampa", postcode="33602", city="Tampa")
            second = places.add_site(session, study.study.id, site.id, at=AT)
            prepare_study_site(session, second)
            put_in_force_and_activate(session, second, study.protocol, study.questionnaire)
        ana.finish(FITTING).get("/en/contact")

        ana.send({**CONTACT, "zip": "33602", "do": "near"})
        first = ana.page.one("input", id="site").attrs["value"]
        ana.send({**CONTACT, "zip": "33602", "site": first})

        assert first == str(second.id)
        with database.reading() as session:
            assert session.scalars(sa.select(Match)).one().study_site_id == second.id


class TestOnce:
    def test_the_same_form_again_gets_the_same_answer(self, done: Visitor, database: Database) -> None:
        form = {**done.hidden(), **CONTACT}
        first = done.client.post("/en/contact", data=form)

        second = done.client.post("/en/contact", data=form)

        assert first.headers["Location"] == second.headers["Location"] == "/en/code"
        assert count(database, Submission) == 1

    def test_the_same_key_with_another_body_is_refused(self, done: Visitor, database: Database) -> None:
        form = {**done.hidden(), **CONTACT}
        done.client.post("/en/contact", data=form)

        answer = done.client.post("/en/contact", data={**form, "given": "Eve"})

        assert answer.status_code == 409
        assert count(database, Person) == 1

    def test_another_key_after_sending_leads_on(self, done: Visitor, database: Database) -> None:
        done.client.post("/en/contact", data={**done.hidden(), **CONTACT})

        answer = done.client.post("/en/contact", data={**CONTACT, "key": "new"})

        assert answer.headers["Location"] == "/en/thank-you"
        assert count(database, Submission) == 1

    def test_a_form_with_a_problem_does_not_use_up_its_key(self, done: Visitor, database: Database) -> None:
        key = done.hidden()["key"]
        done.send({**CONTACT, "given": ""})
        assert count(database, IdempotencyKey) == 0

        done.send(CONTACT)

        assert done.hidden().get("key", key) == key
        assert count(database, Submission) == 1

    def test_twenty_at_once_make_one_submission(self, app: Flask, done: Visitor, database: Database) -> None:
        form = {**done.hidden(), **CONTACT}

        answers = at_once(20, lambda: copy_of(done, app).post("/en/contact", data=form).headers["Location"])

        assert set(answers) == {"/en/code"}
        assert (count(database, Submission), count(database, Person), count(database, Match)) == (1, 1, 1)

    def test_twenty_at_once_make_one_inquiry(self, app: Flask, ana: Visitor, database: Database) -> None:
        ana.get(f"/en/studies/{ana.slug}/contact")
        form, path = {**ana.hidden(), **CONTACT}, ana.path

        answers = at_once(20, lambda: app.test_client().post(path, data=form).headers["Location"])

        assert set(answers) == {"/en/code"}
        assert (count(database, Inquiry), count(database, Person)) == (1, 1)


class TestTheCode:
    @pytest.fixture
    def sent(self, done: Visitor, codes: list[str]) -> Visitor:
        """Give somebody to whom a code was sent."""
        return done.send(CONTACT)

    def test_names_the_address_only_to_its_holder(self, sent: Visitor) -> None:
        assert "••23" in sent.page.text
        assert "5550123" not in sent.html
        assert sent.page.one("input", id="code").attrs["autocomplete"] == "one-time-code"

    @pytest.mark.parametrize(
        "typed", ["", "000", "abcdef", "\x00", "\uff11\uff12\uff13\uff14\uff15\uff16", "9" * 400]
    )
    def test_a_wrong_one_can_be_put_right(self, sent: Visitor, codes: list[str], typed: str) -> None:
        sent.send({"code": typed})
        assert sent.status == 422

        assert sent.send({"code": codes[-1]}).path == "/en/thank-you"

    def test_too_many_tries_ask_for_a_new_one(self, sent: Visitor, codes: list[str]) -> None:
        for _ in range(CODE_TRIES):
            sent.send({"code": "x"})
        assert sent.errors == ["That code was tried too often. Ask for a new one"]

        sent.send({"do": "resend"})

        assert len(codes) == 2
        assert sent.send({"code": codes[-1]}).path == "/en/thank-you"

    def test_one_that_is_too_old_is_said_to_be(
        self, sent: Visitor, codes: list[str], clock: FixedClock
    ) -> None:
        clock.move_to(NOON + CODE_LASTS + timedelta(minutes=1))

        sent.send({"code": codes[-1]})

        assert sent.errors == ["That code is too old. Ask for a new one"]

    def test_there_are_not_endlessly_many(self, sent: Visitor, codes: list[str]) -> None:
        for _ in range(4):
            sent.send({"do": "resend"})

        assert len(codes) == 3
        assert sent.errors == ["We have sent you several codes already. Please wait a while, or call us."]

    def test_is_not_needed_to_be_called(self, sent: Visitor, database: Database) -> None:
        link = next(a for a in sent.page.all("a") if a.text == "Call me instead")

        sent.get(link.attrs["href"])

        assert sent.heading.startswith("Thank you. We will call you")


class TestInquiry:
    def test_leaves_a_contact_and_no_answer(self, ana: Visitor, database: Database, codes: list[str]) -> None:
        ana.get(f"/en/studies/{ana.slug}/contact")

        ana.send(CONTACT)

        assert ana.path == "/en/code"
        assert given(database) == {("contact", "call"), ("contact", "sms")}
        with database.reading() as session:
            inquiry = session.scalars(sa.select(Inquiry)).one()
            assert (inquiry.channel.value, session.scalars(sa.select(Match)).one().due_at is not None) == (
                "form",
                True,
            )
        assert ana.send({"code": codes[-1]}).heading.startswith("Thank you. We will call you today")

    def test_asks_only_for_ways_that_it_offers(self, ana: Visitor) -> None:
        ana.get(f"/en/studies/{ana.slug}/contact").send({})

        assert "Leave a phone number or an email address" in ana.errors
        assert "postal address" not in ana.page.text

    def test_does_not_ask_about_answers(self, ana: Visitor) -> None:
        ana.get(f"/en/studies/{ana.slug}/contact")

        assert ana.page.all("input", id="check_answers") == []

    def test_speaks_spanish(self, luz: Visitor) -> None:
        luz.get(f"/es/studies/{luz.slug}/contact").send({})

        assert luz.heading == "Deje sus datos y nos comunicaremos con usted"
        assert "Escriba un nombre" in luz.errors

    def test_stopping_afterwards_says_how_to_take_it_back(self, ana: Visitor) -> None:
        ana.get(f"/en/studies/{ana.slug}/contact").send(CONTACT)

        ana.post("/en/questions/stop")

        assert "call us and we will delete it" in ana.page.text
        assert ana.get("/en/thank-you").status == 410


def copy_of(visitor: Visitor, app: Flask) -> FlaskClient:
    """Give another window of the same browser."""
    other = app.test_client()
    with visitor.client.session_transaction() as cookie:
        held = dict(cookie)
    with other.session_transaction() as cookie:
        cookie.update(held)
    return other


def at_once(times: int, step: Callable[[], str]) -> list[str]:
    """Do a step in so many threads at the same moment."""
    gate, found = threading.Barrier(times), list[str]()

    def run() -> None:
        gate.wait()
        found.append(step())

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == times
    return found
