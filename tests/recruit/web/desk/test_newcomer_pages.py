"""A caller or walk-in: looked up first, then asked the same questions aloud."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from recruit.accounts.models import Account
from recruit.contact.models import Consent, Purpose
from recruit.db import Database, found
from recruit.intake.models import Draft, DraftStatus, Entrance, Inquiry, SourceLink, Submission
from recruit.matching.models import Match, Triage
from recruit.operations.models import ViewLog
from recruit.people import queries as people
from recruit.people.models import Basis, FactRow, Person
from recruit.settings import Settings
from screening.facts import EvidenceSource
from tests.conftest import NOON
from tests.recruit.arrivals import FITS, UNSURE, arrive, contact_of
from tests.recruit.web.desk.conftest import Desk

NEW = "/staff/desk/new"
PARTS = {"month": "answer-month", "year": "answer-year", "cm": "answer-cm", "kg": "answer-kg"}
AGREED = {
    "given": "Rosa",
    "family": "Vega",
    "phone": "(305) 555-0188",
    "phone_kind": "mobile",
    "birth-month": "3",
    "birth-day": "9",
    "birth-year": "1976",
    "zip": "33101",
    "language": "es",
    "contact": "call",
    "check_answers": "yes",
}


def begin(browser: FlaskClient, desk: Desk, **fields: str) -> str:
    """Begin with somebody new; give the address of the questions."""
    data = {
        "study": str(desk.opened.study.id),
        "entrance": "assisted_call",
        "language": "es",
        "source": "medium:radio",
        **fields,
    }
    answer = browser.post(f"{NEW}/questions", data=data)
    assert answer.status_code == 303, answer.text
    url = answer.location
    browser.post(f"{url}/who", data={"who": "self"})
    return url


def ask(browser: FlaskClient, desk: Desk, url: str, answers: dict[str, dict[str, list[str]]]) -> None:
    """Ask these questions aloud, by their ids."""
    for number, item_id in enumerate(
        ("birth", "height", "weight", "condition_diabetes", "condition_heart", "heart_day", "pregnant"), 1
    ):
        if item_id in answers:
            fields = {PARTS.get(name, name): values for name, values in answers[item_id].items()}
            answer = browser.post(f"{url}/{number}", data=fields)
            assert answer.status_code == 303, answer.text


class TestLooking:
    def test_finds_people_before_anything_new_is_begun(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        for typed in ("lopez", "305 555 0142"):
            page = browser.post(f"{NEW}/", data={"q": typed}).text

            assert "Maria Lopez" in page
            assert f'href="{desk.url}"' in page
        with database.reading() as session:
            assert session.scalars(sa.select(ViewLog.page)).all() == ["desk.search"] * 2

    def test_masks_whom_others_look_after(self, stranger: FlaskClient, desk: Desk, database: Database) -> None:
        page = stranger.post(f"{NEW}/", data={"q": "lopez"}).text

        assert "Already in contact with the network" in page
        assert "Maria" not in page
        assert "MERIDIAN" not in page
        with database.reading() as session:
            assert session.scalar(sa.select(sa.func.count(ViewLog.id))) == 0

    @pytest.mark.parametrize("typed", ["", "ab", "\x00", "x@", "9" * 300])
    def test_says_what_is_wrong(self, browser: FlaskClient, desk: Desk, typed: str) -> None:
        answer = browser.post(f"{NEW}/", data={"q": typed})

        assert answer.status_code == 422
        assert 'href="#q"' in answer.text

    def test_nobody_found_leads_on(self, browser: FlaskClient, desk: Desk) -> None:
        page = browser.post(f"{NEW}/", data={"q": "Zzyzx"}).text

        assert "Nobody found" in page
        assert f"{NEW}/questions" in page


class TestBeginning:
    def test_needs_study_door_language_and_how_they_heard_of_us(self, browser: FlaskClient, desk: Desk) -> None:
        answer = browser.post(f"{NEW}/questions", data={})

        assert answer.status_code == 422
        for field in ("study", "entrance", "language", "source"):
            assert f'href="#{field}"' in answer.text

    def test_a_placement_counts_as_the_source(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        with database.transaction(actor="test") as session:
            link = SourceLink(
                code="knee1",
                study_id=desk.opened.study.id,
                medium="poster",
                channel="Bus stop",
                created_at=NOON,
            )
            session.add(link)
            session.flush()
            link_id = link.id
        assert "Bus stop · knee1" in browser.get(f"{NEW}/questions").text

        begin(browser, desk, source=f"link:{link_id}")

        with database.reading() as session:
            draft = session.scalars(sa.select(Draft).where(Draft.entrance == Entrance.ASSISTED_CALL)).one()
        assert (draft.source_link_id, draft.entrance) == (link_id, Entrance.ASSISTED_CALL)

    def test_another_site_cannot_begin_for_this_one(self, stranger: FlaskClient, desk: Desk) -> None:
        assert "No study is looking for people" in stranger.get(f"{NEW}/questions").text
        data = {
            "study": str(desk.opened.study.id),
            "entrance": "walk_in",
            "language": "en",
            "source": "medium:radio",
        }
        assert stranger.post(f"{NEW}/questions", data=data).status_code == 422


class TestAsking:
    def test_reads_the_notice_and_each_question_as_approved(self, browser: FlaskClient, desk: Desk) -> None:
        url = begin(browser, desk)

        assert "Trial Recruit hace estas preguntas" in browser.get(url).text
        page = browser.get(f"{url}/1").text
        assert "¿En qué mes y año nació?" in page

    def test_refuses_what_cannot_be_and_shows_it_again(self, browser: FlaskClient, desk: Desk) -> None:
        url = begin(browser, desk)

        answer = browser.post(f"{url}/1", data={"answer-month": "13", "answer-year": "1976"})

        assert answer.status_code == 422
        assert 'value="13"' in answer.text
        assert browser.get(f"{url}/7").location == url
        assert browser.get(f"{url}/99").location == url

    def test_takes_somebody_in_with_their_words_as_by_phone(
        self, browser: FlaskClient, desk: Desk, database: Database, ana: Account
    ) -> None:
        url = begin(browser, desk)
        ask(browser, desk, url, FITS)
        contact = browser.post(f"{url}/finish").location
        page = browser.get(contact).text
        assert "Puede que este estudio sea para usted" in page or "Read aloud" in page

        answer = browser.post(contact, data=AGREED)

        assert answer.status_code == 303, answer.text
        page = browser.get(answer.location).text
        assert "Rosa Vega" in page
        assert "told to staff" in page
        with database.reading() as session:
            submission = session.scalars(
                sa.select(Submission).where(Submission.entrance == Entrance.ASSISTED_CALL)
            ).one()
            person = found(session, Person, submission.person_id)
            consents = session.scalars(sa.select(Consent).where(Consent.person_id == person.id)).all()
        assert submission.submitted_by == ana.id
        assert (person.basis, person.language) == (Basis.CALL, "es")
        assert {c.purpose for c in consents} == {Purpose.CONTACT, Purpose.CHECK_ANSWERS}
        assert {(c.how, c.recorded_by, c.text_version, c.at) for c in consents} == {
            ("phone", f"account:{ana.id}", "1", NOON)
        }

    def test_needs_an_agreement_and_an_address(self, browser: FlaskClient, desk: Desk) -> None:
        url = begin(browser, desk)
        ask(browser, desk, url, FITS)
        contact = browser.post(f"{url}/finish").location

        answer = browser.post(contact, data={"given": "Rosa", "phone": "12"})

        assert answer.status_code == 422
        for field in ("phone", "contact", "check_answers"):
            assert f'href="#{field}"' in answer.text
        assert 'value="Rosa"' in answer.text

    def test_keeps_what_was_said_when_they_have_to_go(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        url = begin(browser, desk)
        ask(browser, desk, url, {"birth": FITS["birth"], "height": FITS["height"]})
        contact = browser.post(f"{url}/finish").location

        answer = browser.post(contact, data=AGREED)

        assert answer.status_code == 303, answer.text
        with database.reading() as session:
            inquiry = session.scalars(sa.select(Inquiry)).one()
            match = session.scalars(sa.select(Match).where(Match.person_id == inquiry.person_id)).one()
            facts = session.scalars(sa.select(FactRow).where(FactRow.person_id == inquiry.person_id)).all()
        assert {fact.key for fact in facts} == {"birth", "height"}
        assert {fact.source for fact in facts} == {EvidenceSource.PARTICIPANT_PHONE.value}
        assert match.triage is Triage.TO_CALL
        assert inquiry.source_link_id is not None

    def test_forgets_everything_when_they_do_not_want_to_go_on(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        url = begin(browser, desk)
        ask(browser, desk, url, {"birth": FITS["birth"]})

        browser.post(f"{url}/stop")

        assert browser.get(url).status_code == 404
        with database.reading() as session:
            draft = session.scalars(sa.select(Draft).where(Draft.entrance == Entrance.ASSISTED_CALL)).one()
        assert (draft.status, draft.answers_sealed) == (DraftStatus.STOPPED, None)

    def test_a_minor_is_asked_to_fetch_a_parent_and_nothing_is_kept(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        url = begin(browser, desk)

        answer = browser.post(f"{url}/1", data={"answer-month": "3", "answer-year": "2012"})

        assert answer.status_code == 200
        assert "A parent is needed" in answer.text
        assert browser.get(url).status_code == 404

    def test_a_refusal_is_an_answer_of_its_own(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        url = begin(browser, desk)

        browser.post(f"{url}/1", data={"do": "declined"})

        assert browser.get(f"{url}/2").status_code == 200

    def test_is_nobody_elses(
        self, app: Flask, settings: Settings, browser: FlaskClient, stranger: FlaskClient, desk: Desk
    ) -> None:
        url = begin(browser, desk)

        answers = [stranger.get(path) for path in (url, f"{url}/1", f"{url}/contact")]
        answers += [stranger.post(f"{url}/{path}") for path in ("who", "1", "finish", "stop", "contact")]

        assert {answer.status_code for answer in answers} == {404}


class TestConfirming:
    def start(self, browser: FlaskClient, match: Match) -> str:
        """Begin the questions with a person we know."""
        location: str = browser.post(f"/staff/desk/matches/{match.id}/questions").location
        return location

    def test_shows_what_was_said_online_and_what_is_open(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        with database.transaction(actor="test") as session:
            match = arrive(session, desk.opened, contact_of("James"), at=NOON, answers=UNSURE)

        page = browser.get(self.start(browser, match)).text

        assert "175 cm" in page
        assert page.count("Confirm") == 5
        assert page.count("Ask again") == 1

    def test_adds_new_facts_and_edits_nothing(
        self, browser: FlaskClient, desk: Desk, database: Database, ana: Account
    ) -> None:
        with database.transaction(actor="test") as session:
            match = arrive(session, desk.opened, contact_of("James"), at=NOON, answers=UNSURE)
            before = {row.id: row.value for row in session.scalars(sa.select(FactRow))}
        url = self.start(browser, match)
        browser.post(f"{url}/2", data={"do": "same"})
        browser.post(f"{url}/3", data={"answer-kg": "90"})

        browser.post(f"{url}/finish")

        with database.reading() as session:
            rows = session.scalars(sa.select(FactRow).where(FactRow.person_id == match.person_id)).all()
            new = {row.key: row.source for row in rows if row.id not in before}
            assert all(row.value == before[row.id] for row in rows if row.id in before)
            assisted = sa.select(Draft).where(Draft.entrance == Entrance.ASSISTED_CALL)
            assert session.scalars(assisted).all() == []
        assert new == {"height": "participant_phone", "weight": "participant_phone"}
        page = browser.get(f"/staff/desk/matches/{match.id}").text
        assert "May fit" in page
        assert "Answered by phone" in page
        assert "Went through the questions" in page

    def test_a_follow_up_brings_the_answer_that_led_to_it_but_does_not_confirm_it(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        heart = {
            "condition_heart": {"answer": ["heart_attack"]},
            "condition_heart_heart_attack_last": {"instead": ["dont_know"]},
        }
        with database.transaction(actor="test") as session:
            match = arrive(session, desk.opened, contact_of("James"), at=NOON, answers=heart)
            before = {row.id for row in session.scalars(sa.select(FactRow))}
        url = self.start(browser, match)

        browser.post(f"{url}/6", data={"answer-year": "2019"})
        browser.post(f"{url}/finish")

        with database.reading() as session:
            new = session.scalars(sa.select(FactRow).where(FactRow.id.not_in(before))).all()
            submission = session.scalars(
                sa.select(Submission).where(Submission.entrance == Entrance.ASSISTED_CALL)
            ).one()
            assert people.facts_of(session, {match.person_id})
        assert {row.source for row in new} == {"participant_phone"}
        assert submission.person_id == match.person_id

    def test_nothing_said_leaves_nothing_behind(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        with database.reading() as session:
            match = found(session, Match, desk.match_id)
        url = self.start(browser, match)

        browser.post(f"{url}/finish")

        with database.reading() as session:
            assert session.scalar(sa.select(sa.func.count(Submission.id))) == 1
            assisted = sa.select(Draft).where(Draft.entrance == Entrance.ASSISTED_CALL)
            assert session.scalars(assisted).all() == []

    def test_an_answer_that_rules_out_takes_the_person_off_the_queue(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        silent = {"pregnant": {"instead": ["declined"]}}
        with database.transaction(actor="test") as session:
            match = arrive(session, desk.opened, contact_of("Jane"), at=NOON, answers=silent)
        url = self.start(browser, match)

        browser.post(f"{url}/7", data={"answer": "yes"})
        browser.post(f"{url}/finish")

        page = browser.get(f"/staff/desk/matches/{match.id}").text
        assert "Closed: A criterion rules out" in page
        assert "Pregnant: yes (told to staff, 18 Nov 2026)." in page

    def test_a_contradiction_is_shown_and_decides_nothing(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        with database.reading() as session:
            match = found(session, Match, desk.match_id)
        url = self.start(browser, match)

        browser.post(f"{url}/7", data={"answer": "yes"})
        browser.post(f"{url}/finish")

        page = browser.get(desk.url).text
        assert "Ask more" in page
        assert "do not agree" in page
