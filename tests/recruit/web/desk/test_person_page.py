"""A person's page: why, how to reach them, what happened, and what to do next."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import product
from uuid import uuid4

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from recruit import pipeline
from recruit.accounts.models import Account, Role
from recruit.contact.models import Communication
from recruit.db import Database, found
from recruit.matching import queries
from recruit.matching import service as matching
from recruit.matching.models import Match, Note, Triage
from recruit.matching.plan import CallOutcome
from recruit.operations.models import ViewLog
from recruit.people import queries as people
from recruit.people.models import Person
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import make_account, make_open_study
from tests.recruit.arrivals import UNSURE, arrive, contact_of, inquire
from tests.recruit.web.desk.conftest import Desk, version_of


def match_of(database: Database, desk: Desk) -> Match:
    """Read the match as it stands."""
    with database.reading() as session:
        return found(session, Match, desk.match_id)


class TestShowing:
    def test_tells_every_criterion_word_for_word_with_evidence(self, browser: FlaskClient, desk: Desk) -> None:
        page = browser.get(desk.url).text

        assert "Men and women aged 18 to 75 years" in page
        assert "Age 50 years (answered online, 18 Nov 2026) is between 18 and 75 years." in page
        assert "5 pass, 1 unknown, 0 rule out" in page
        assert page.index("Adequate venous access") < page.index("Men and women aged")

    def test_puts_what_can_be_asked_first(self, browser: FlaskClient, desk: Desk, database: Database) -> None:
        with database.transaction(actor="test") as session:
            match_id = arrive(session, desk.opened, contact_of("James"), at=NOON, answers=UNSURE).id

        page = browser.get(f"/staff/desk/matches/{match_id}").text

        assert page.index("Body mass index of 25") < page.index("Adequate venous access")
        assert "Ask: Weight" in page

    def test_shows_answers_in_the_approved_words(self, browser: FlaskClient, desk: Desk) -> None:
        page = browser.get(desk.url).text

        assert "In what month and year were you born?" in page
        assert "March 1976" in page

    def test_says_when_somebody_left_only_a_contact(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        with database.transaction(actor="test") as session:
            match_id = inquire(session, desk.opened, contact_of("Li"), at=NOON).id

        assert "left only a contact" in browser.get(f"/staff/desk/matches/{match_id}").text

    def test_tells_what_may_be_done_with_a_number(self, browser: FlaskClient, desk: Desk) -> None:
        page = browser.get(desk.url).text

        assert "(305) 555-0142" in page
        assert "Not verified" in page
        assert re.search(r"Call:</strong> yes", page)
        assert "It must not name the study." in page
        assert "The address has not been verified yet." in page

    def test_tells_everything_that_happened_with_who_and_when(
        self, browser: FlaskClient, desk: Desk, database: Database, ana: Account
    ) -> None:
        with database.transaction(actor=f"account:{ana.id}") as session:
            pipeline.call(session, desk.match_id, CallOutcome.LEFT_MESSAGE, at=NOON, note="Neutral message")

        page = browser.get(desk.url).text

        assert "Call: Left a message" in page
        assert "Neutral message" in page
        assert "Ana Ortiz" in page
        assert "Agreed: " in page
        assert "Answers received" in page

    def test_every_look_is_written_down_and_shown(
        self, browser: FlaskClient, desk: Desk, database: Database, ana: Account
    ) -> None:
        browser.get(desk.url)

        page = browser.get(desk.url).text

        with database.reading() as session:
            views = session.scalars(sa.select(ViewLog)).all()
        assert [(v.account_id, v.person_id, v.page) for v in views] == [
            (ana.id, desk.person_id, "desk.person")
        ] * 2
        assert "Looked at this page" in page

    def test_another_study_out_of_scope_is_no_more_than_a_contact(
        self, app: Flask, desk: Desk, database: Database
    ) -> None:
        with database.transaction(actor="test") as session:
            other = make_open_study(session, nickname="AURORA")
            bea = make_account(session, Role.RECRUITER, name="Bea", site_id=other.site.id)
            match = matching.ensure_match(
                session,
                found(session, Person, desk.person_id),
                other.study,
                study_site_id=other.study_site.id,
                source_link_id=None,
                at=NOON,
                is_test=False,
            )
            pipeline.call(session, desk.match_id, CallOutcome.REACHED, at=NOON, note="Secret of the other")
            url = f"/staff/desk/matches/{match.id}"

        page = signed_in(app, bea, at=NOON).get(url).text

        assert "Maria Lopez" in page
        assert "MERIDIAN" not in page
        assert "Secret of the other" not in page
        assert "Already in contact with the network" in page
        assert "Contact about another study" in page


class TestActing:
    def post(
        self, browser: FlaskClient, desk: Desk, database: Database, path: str, **fields: str
    ) -> TestResponse:
        """Send a form with the version that stands."""
        data = {"version": str(version_of(database, desk.match_id)), **fields}
        return browser.post(f"{desk.url}/{path}", data=data)

    def test_keeps_notes_without_asking_for_a_version(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        answer = browser.post(f"{desk.url}/notes", data={"body": "Likes\r\nmornings", "kind": "record"})

        assert answer.status_code == 303
        page = browser.get(desk.url).text
        assert "Note for the record" in page
        assert "mornings" in page

    def test_assigns_and_gives_back(
        self, browser: FlaskClient, desk: Desk, database: Database, ana: Account
    ) -> None:
        self.post(browser, desk, database, "assign", to="me")
        assert match_of(database, desk).assigned_to == ana.id
        assert "With Ana Ortiz" in browser.get(desk.url).text

        self.post(browser, desk, database, "assign", to="nobody")

        assert match_of(database, desk).assigned_to is None

    def test_puts_aside_until_a_time_of_the_site(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        self.post(browser, desk, database, "snooze", snooze_day="2026-11-20", snooze_time="2:30 pm")

        match = match_of(database, desk)
        assert match.triage is Triage.SNOOZED
        assert match.due_at is not None
        assert match.due_at.isoformat() == "2026-11-20T19:30:00+00:00"

    def test_closes_with_a_reason_and_a_note_and_opens_again(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        self.post(browser, desk, database, "close", close_reason="not_interested", close_note="Too far")
        assert match_of(database, desk).closed_reason == "not_interested"
        assert "Closed: Not interested" in browser.get(desk.url).text

        self.post(browser, desk, database, "reopen")

        assert match_of(database, desk).triage is Triage.TO_CALL

    def test_keeps_a_verdict_beside_the_machines(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        fields = {"verdict-c6": "passes", "reason-c6": "Gave blood last week"}
        self.post(browser, desk, database, "criteria/c6", **fields)

        page = browser.get(desk.url).text

        assert "Ana Ortiz sees this differently: Passes. Gave blood last week" in page
        assert "unknown" in page
        self.post(browser, desk, database, "criteria/c6", **{"verdict-c6": "machine"})
        with database.reading() as session:
            assert queries.overrides_of(session, desk.match_id) == {}

    def test_marks_a_number_wrong_and_right(self, browser: FlaskClient, desk: Desk, database: Database) -> None:
        with database.reading() as session:
            point = people.contacts_of(session, {desk.person_id})[0].point.id
        self.post(browser, desk, database, f"numbers/{point}", **{"is": "wrong"})
        assert "Wrong number" in browser.get(desk.url).text

        self.post(browser, desk, database, f"numbers/{point}", **{"is": "right"})

        assert "Wrong number" not in browser.get(desk.url).text

    def test_stops_all_contact_only_when_confirmed(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        assert self.post(browser, desk, database, "do-not-contact").status_code == 422

        self.post(browser, desk, database, "do-not-contact", asked="yes")

        page = browser.get(desk.url).text
        assert "This person asked not to be contacted" in page
        assert browser.post(f"{desk.url}/call/start").status_code == 422


WRONG: tuple[tuple[str, dict[str, str], str], ...] = (
    ("notes", {"body": "   "}, "body"),
    ("notes", {"body": "x" * 6000}, "body"),
    ("snooze", {"snooze_day": "2026-11-17", "snooze_time": "10:00"}, "snooze_day"),
    ("snooze", {"snooze_day": "9999-13-99", "snooze_time": "10:00"}, "snooze_day"),
    ("snooze", {"snooze_day": "2026-11-20", "snooze_time": "25:00"}, "snooze_time"),
    ("snooze", {"snooze_day": "", "snooze_time": ""}, "snooze_day"),
    ("snooze", {"snooze_day": "2027-03-14", "snooze_time": "02:30"}, "snooze_time"),
    ("close", {"close_reason": "because"}, "close_reason"),
    ("criteria/c6", {"verdict-c6": "passes", "reason-c6": ""}, "reason-c6"),
    ("criteria/c6", {"verdict-c6": "maybe", "reason-c6": "why"}, "verdict-c6"),
    ("criteria/c99", {"verdict-c99": "passes", "reason-c99": "why"}, ""),
    ("do-not-contact", {"asked": "no"}, "asked"),
    ("call", {"outcome": "sneezed"}, "outcome"),
    (
        "call",
        {"outcome": "call_back", "call_back_day": "2026-11-18", "call_back_time": "9:00"},
        "call_back_day",
    ),
    ("call", {"outcome": "call_back", "call_back_day": "", "call_back_time": "x"}, "call_back_day"),
    ("refer", {"site": "x"}, "site"),
)
HOSTILE = ("\x00", "\ud800", "9" * 400, "9999-13-99", "NaN", "'; --", "\ufdfd" * 50)
FIELDS = (
    "body", "kind", "to", "snooze_day", "snooze_time", "close_reason", "close_note", "verdict-c6", "reason-c6",
    "asked", "outcome", "number", "note", "call_back_day", "call_back_time", "seen", "site", "agreed", "is",
)  # fmt: skip
PATHS = (
    "notes", "assign", "snooze", "close", "reopen", "criteria/c6", "do-not-contact", "call", "call/start",
    "call/leave", "refer",
)  # fmt: skip


class TestBadInput:
    def test_says_what_is_wrong_and_shows_what_was_typed(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        for path, fields, field in WRONG:
            data = {"version": str(version_of(database, desk.match_id)), **fields}

            answer = browser.post(f"{desk.url}/{path}", data=data)

            assert answer.status_code == 422, (path, fields)
            assert "There is a problem" in answer.text
            assert not field or f'href="#{field}"' in answer.text, (path, fields)
            assert fields.get("reason-c6", "") in answer.text

    def test_hostile_values_break_nothing(self, browser: FlaskClient, desk: Desk, database: Database) -> None:
        for path, value in product(PATHS, HOSTILE):
            raw = quoted(value.encode("utf-8", "surrogatepass"))
            body = b"&".join(name.encode() + b"=" + raw for name in FIELDS)
            version = version_of(database, desk.match_id)

            answer = browser.post(
                f"{desk.url}/{path}",
                data=body + f"&version={version}".encode(),
                content_type="application/x-www-form-urlencoded",
            )

            assert answer.status_code in (303, 409, 422), (path, value)

    def test_a_version_that_cannot_be_read_changes_nothing(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        for version in ("", "x", "-1", "99999999999999", "\u0663"):
            answer = browser.post(f"{desk.url}/assign", data={"to": "me", "version": version})

            assert answer.status_code == 409
        assert match_of(database, desk).assigned_to is None


class TestStalePages:
    def test_tell_what_changed_and_give_the_words_back(
        self, browser: FlaskClient, desk: Desk, database: Database, ana: Account
    ) -> None:
        stale = version_of(database, desk.match_id)
        with database.transaction(actor=f"account:{ana.id}") as session:
            matching.close(session, desk.match_id, reason="area", at=NOON + timedelta(minutes=1))
        data = {
            "version": str(stale),
            "seen": NOON.isoformat(),
            "close_reason": "not_interested",
            "close_note": "Said she has <no time>",
        }

        answer = browser.post(f"{desk.url}/close", data=data)

        assert answer.status_code == 409
        assert "Changed in the meantime" in answer.text
        assert "No site near enough" in answer.text
        assert "Said she has &lt;no time&gt;" in answer.text
        again = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', answer.text))
        assert again["close_reason"] == "not_interested"
        repeated = browser.post(f"{desk.url}/close", data={**data, "version": again["version"]})
        assert repeated.status_code == 303
        with database.reading() as session:
            assert session.scalar(sa.select(sa.func.count(Note.id))) == 1


def quoted(raw: bytes) -> bytes:
    """Write bytes for a form."""
    return b"".join(b"%%%02X" % byte for byte in raw)


def test_other_sites_find_nothing_behind_any_address(
    stranger: FlaskClient, desk: Desk, database: Database
) -> None:
    version = {"version": str(version_of(database, desk.match_id))}
    posts = [*PATHS, "questions", f"numbers/{uuid4()}"]
    filled = {
        **version,
        "body": "x",
        "to": "me",
        "snooze_day": "2026-12-01",
        "snooze_time": "10:00",
        "close_reason": "area",
        "verdict-c6": "passes",
        "reason-c6": "why",
        "asked": "yes",
        "outcome": "reached",
        "is": "wrong",
        "site": str(desk.opened.study_site.id),
    }

    answers = {f"GET {path}": stranger.get(f"{desk.url}{path}") for path in ("", "/call", "/refer")}
    answers |= {f"POST {path}": stranger.post(f"{desk.url}/{path}", data=filled) for path in posts}

    assert {path: answer.status_code for path, answer in answers.items() if answer.status_code != 404} == {}
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count(ViewLog.id))) == 0
        assert session.scalar(sa.select(sa.func.count(Communication.id))) == 0
