"""The call workspace: what to know, what to say, and two clicks to log how it ended."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from recruit.accounts.models import Account, Role
from recruit.contact.models import Communication
from recruit.db import Database, found
from recruit.matching import calling
from recruit.matching.models import DueReason, Match, OpenCall, Triage
from recruit.people import queries as people
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import make_account
from tests.recruit.arrivals import UNSURE, arrive, contact_of
from tests.recruit.web.desk.conftest import Desk, version_of


def log(browser: FlaskClient, desk: Desk, database: Database, outcome: str, **fields: str) -> str:
    """Log a call; give where it leads."""
    data = {"version": str(version_of(database, desk.match_id)), "outcome": outcome, **fields}
    answer = browser.post(f"{desk.url}/call", data=data)
    assert answer.status_code == 303, answer.text
    return answer.location


class TestWorkspace:
    def test_holds_everything_beside_the_telephone(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        with database.transaction(actor="test") as session:
            who = contact_of("Rosa", "Vega", birth=date(1976, 3, 9), language="es")
            match_id = arrive(session, desk.opened, who, at=NOON, answers=UNSURE).id
        url = f"/staff/desk/matches/{match_id}"

        browser.post(f"{url}/call/start")
        page = browser.get(f"{url}/call").text

        assert "Call Rosa Vega" in page
        assert "Am I speaking with Rosa?" in page
        assert "It should be 1976." in page
        assert "Hola, soy Ana Ortiz, por el estudio de salud que pidió." in page
        assert "¿Cuánto pesa?" in page
        assert "(555) 010-0101" in page
        assert "the next try is Today, 4:00 PM EST" in page
        assert "Nobody has talked to this person yet." in page

    def test_is_open_only_while_one_is_on_the_phone(self, browser: FlaskClient, desk: Desk) -> None:
        assert browser.get(f"{desk.url}/call").location == desk.url
        browser.post(f"{desk.url}/call/start")
        assert browser.get(f"{desk.url}/call").status_code == 200

        browser.post(f"{desk.url}/call/leave")

        assert browser.get(f"{desk.url}/call").location == desk.url

    def test_shows_to_others_and_keeps_them_out(
        self, app: Flask, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        with database.transaction(actor="test") as session:
            ben = make_account(session, Role.RECRUITER, name="Ben Kim")
        other = signed_in(app, ben, at=NOON)
        browser.post(f"{desk.url}/call/start")

        assert "Ana Ortiz is on the phone with this person" in other.get(desk.url).text
        assert other.post(f"{desk.url}/call/start").status_code == 409
        data = {"version": str(version_of(database, desk.match_id)), "outcome": "reached"}
        assert other.post(f"{desk.url}/call", data=data).status_code == 409


class TestLogging:
    def test_no_answer_goes_back_to_the_queue_and_says_what_comes_next(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        browser.post(f"{desk.url}/call/start")

        location = log(browser, desk, database, "no_answer", note="Rang long")

        assert location == "/staff/desk/"
        assert "Call logged. Next: Today, 4:00 PM EST." in browser.get(location).text
        with database.reading() as session:
            assert session.scalar(sa.select(sa.func.count(OpenCall.id))) == 0

    def test_somebody_reached_stays_on_the_page(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        assert log(browser, desk, database, "reached") == desk.url
        assert "Spoken to: decide the next step" in browser.get(desk.url).text

    def test_a_promise_is_kept_in_the_sites_time(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        log(browser, desk, database, "call_back", call_back_day="2026-11-20", call_back_time="14:30")

        with database.reading() as session:
            match = found(session, Match, desk.match_id)
        assert match.due_at is not None
        assert match.due_at.isoformat() == "2026-11-20T19:30:00+00:00"
        assert match.due_reason is DueReason.PROMISE

    def test_the_only_number_is_the_one_that_was_called(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        log(browser, desk, database, "wrong_number")

        with database.reading() as session:
            assert found(session, Match, desk.match_id).triage is Triage.CLOSED
            assert people.contacts_of(session, {desk.person_id})[0].point.wrong_number_at == NOON

    def test_an_older_page_does_not_log_over_a_newer_call(
        self, browser: FlaskClient, desk: Desk, database: Database, ana: Account
    ) -> None:
        stale = version_of(database, desk.match_id)
        log(browser, desk, database, "no_answer")

        answer = browser.post(
            f"{desk.url}/call", data={"version": str(stale), "outcome": "busy", "note": "My words"}
        )

        assert answer.status_code == 409
        assert "My words" in answer.text
        with database.reading() as session:
            assert session.scalar(sa.select(sa.func.count(Communication.id))) == 1


@pytest.mark.parametrize("minutes", [0, 59])
def test_an_open_call_is_anothers_for_an_hour(
    app: Flask, desk: Desk, database: Database, ana: Account, minutes: int
) -> None:
    with database.transaction(actor="test") as session:
        ben = make_account(session, Role.RECRUITER)
        calling.open_call(session, desk.match_id, ana.id, at=NOON - timedelta(minutes=minutes))

    assert signed_in(app, ben, at=NOON).post(f"{desk.url}/call/start").status_code == 409
