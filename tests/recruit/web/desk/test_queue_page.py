"""The queue as a recruiter reads it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from recruit import pipeline
from recruit.accounts.models import Account, Role
from recruit.db import Database
from recruit.matching import calling, holds, service
from recruit.matching.plan import CallOutcome
from recruit.matching.queries import View
from recruit.operations.models import ViewLog
from recruit.studies.models import HoldReason
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import make_account, make_open_study
from tests.recruit.arrivals import UNSURE, arrive, contact_of, inquire
from tests.recruit.web.desk.conftest import Desk

QUEUE = "/staff/desk/"


def calls_cell(page: str) -> str:
    """Cut out what the only line says about calls."""
    return page.split('data-label="Calls"><div>')[1]


class TestQueue:
    def test_says_whom_to_call_why_and_what_was_said_last(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        morning = NOON - timedelta(hours=26)
        with database.transaction(actor="test") as session:
            match_id = arrive(session, desk.opened, contact_of("Nora", "Diaz"), at=morning).id
            pipeline.call(session, match_id, CallOutcome.NO_ANSWER, at=morning, note="Ask for her daughter")

        page = browser.get(QUEUE).text

        assert f'<a href="/staff/desk/matches/{match_id}">Nora Diaz</a>' in page
        assert "MERIDIAN" in page
        assert "May fit" in page
        assert "Fits 5 of 6; 1 only the site can tell" in page
        assert "Overdue" in page
        assert "Try again" in page
        assert "Yesterday, 2:00 PM EST (22 hours ago)" in page
        assert "1 without an answer" in page
        assert "No answer: Ask for her daughter" in page

    def test_names_what_to_ask(self, browser: FlaskClient, desk: Desk, database: Database) -> None:
        with database.transaction(actor="test") as session:
            arrive(session, desk.opened, contact_of("James"), at=NOON, answers=UNSURE)
            inquire(session, desk.opened, contact_of("Li"), at=NOON)

        page = browser.get(QUEUE).text

        assert "Ask: Weight" in page
        assert "and 3 more" in page

    def test_shows_holds_and_who_is_on_the_phone(
        self, browser: FlaskClient, desk: Desk, database: Database, ana: Account
    ) -> None:
        with database.transaction(actor="test") as session:
            ben = make_account(session, Role.RECRUITER, name="Ben Kim")
            calling.open_call(session, desk.match_id, ben.id, at=NOON)
            holds.place(session, reason=HoldReason.SAFETY, at=NOON, study_id=desk.opened.study.id)

        page = browser.get(f"{QUEUE}?view=held").text

        assert "MERIDIAN: safety" in page
        assert "Ben Kim is on the phone with them" in page

    @pytest.mark.parametrize("view", list(View))
    def test_tells_of_a_hold_in_every_list_and_leads_to_those_who_wait(
        self, browser: FlaskClient, desk: Desk, database: Database, view: View
    ) -> None:
        site = desk.opened.site
        with database.transaction(actor="test") as session:
            holds.place(session, reason=HoldReason.CAPACITY, at=NOON, site_id=site.id)

        page = browser.get(f"{QUEUE}?view={view.value}").text

        assert f"{site.name}: no capacity" in page
        assert f'<a href="/staff/desk/?view=held&amp;site={site.id}">1 person waits</a>' in page

    def test_says_who_is_held_rather_than_that_everybody_was_called(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        with database.transaction(actor="test") as session:
            holds.place(session, reason=HoldReason.SAFETY, at=NOON, study_id=desk.opened.study.id)

        page = browser.get(QUEUE).text

        assert "Nobody to call now" in page
        assert "1 person waits until a hold is lifted." in page
        assert "Nobody is waiting" not in page

    def test_a_hold_that_keeps_nobody_waiting_says_so(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        with database.transaction(actor="test") as session:
            other = make_open_study(session)
            holds.place(session, reason=HoldReason.SAFETY, at=NOON, study_id=other.study.id)

        assert "Nobody waits because of it." in browser.get(QUEUE).text

    @pytest.mark.parametrize(
        ("outcomes", "words"),
        [
            ([], "Not tried yet"),
            ([CallOutcome.REACHED], "Reached"),
            ([CallOutcome.NO_ANSWER, CallOutcome.REACHED], "Reached"),
            ([CallOutcome.REACHED, CallOutcome.BUSY], "1 without an answer"),
        ],
    )
    def test_says_what_came_of_the_calls(
        self, browser: FlaskClient, desk: Desk, database: Database, outcomes: list[CallOutcome], words: str
    ) -> None:
        early = NOON - timedelta(hours=25)
        for minutes, outcome in enumerate(outcomes):
            with database.transaction(actor="test") as session:
                pipeline.call(session, desk.match_id, outcome, at=early + timedelta(minutes=minutes))

        page = browser.get(QUEUE).text

        assert calls_cell(page).startswith(words)
        assert "missed call" not in page

    def test_a_new_round_without_a_call_says_so(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        early = NOON - timedelta(hours=25)
        with database.transaction(actor="test") as session:
            pipeline.call(session, desk.match_id, CallOutcome.NO_ANSWER, at=early)
            service.reopen(session, desk.match_id, at=early)

        assert calls_cell(browser.get(QUEUE).text).startswith("Not tried again yet")

    def test_a_call_begins_from_the_list(self, browser: FlaskClient, desk: Desk, database: Database) -> None:
        page = browser.get(QUEUE).text
        [action] = re.findall(r'<form method="post" action="([^"]*/call/start)"', page)

        begun = browser.post(action)

        assert 'Call <span class="visually-hidden">Maria Lopez</span>' in page
        assert begun.headers["Location"] == f"{desk.url}/call"

    def test_offers_no_call_where_somebody_else_is_on_the_phone_or_nobody_is_due(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        with database.transaction(actor="test") as session:
            ben = make_account(session, Role.RECRUITER, name="Ben Kim")
            closed = arrive(session, desk.opened, contact_of("Nora"), at=NOON)
            service.close(session, closed.id, reason="area", at=NOON)
            calling.open_call(session, desk.match_id, ben.id, at=NOON)

        pages = [browser.get(f"{QUEUE}?view={view}").text for view in ("now", "closed")]

        assert ["Maria Lopez" in pages[0], "Nora" in pages[1]] == [True, True]
        assert "/call/start" not in "".join(pages)

    def test_an_empty_list_says_so(self, browser: FlaskClient) -> None:
        assert "Nobody is waiting" in browser.get(QUEUE).text
        assert "Nobody here" in browser.get(f"{QUEUE}?view=closed").text

    def test_filters_stand_in_the_address(
        self, browser: FlaskClient, desk: Desk, database: Database, ana: Account
    ) -> None:
        with database.transaction(actor="test") as session:
            service.assign(session, desk.match_id, ana.id, at=NOON)
        query = f"study={desk.opened.study.id}&site={desk.opened.site.id}&language=en&mine=yes"

        page = browser.get(f"{QUEUE}?{query}").text

        assert "Maria Lopez" in page
        assert page.count("Remove filter") == 4
        assert "Maria Lopez" not in browser.get(f"{QUEUE}?language=es").text

    def test_a_strange_address_is_no_error(self, browser: FlaskClient, desk: Desk) -> None:
        nobody = "00000000-0000-0000-0000-000000000000"
        queries = (
            "view=nonsense",
            f"study=x&site={nobody}",
            "language=%00&mine=maybe",
            "after=1_9999-99-99T00:00:00_x",
            f"after=7_2026-11-18T00:00:00%2B00:00_{nobody}",
            f"after=1_0001-01-01T00:00:00%2B00:00_{nobody}",
            "after=" + "9" * 5000,
            "view=%ED%A0%80&after=__",
        )

        statuses = {query: browser.get(f"{QUEUE}?{query}").status_code for query in queries}

        assert set(statuses.values()) == {200}

    def test_the_next_page_goes_on_after_the_last_line(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        place = f"1_{NOON.isoformat().replace('+', '%2B')}_{desk.match_id}"

        page = browser.get(f"{QUEUE}?after={place}").text

        assert "Maria Lopez" in page

    def test_looking_at_the_list_is_no_look_at_a_person(
        self, browser: FlaskClient, desk: Desk, database: Database
    ) -> None:
        browser.get(QUEUE)

        with database.reading() as session:
            assert session.scalar(sa.select(sa.func.count(ViewLog.id))) == 0

    def test_another_site_sees_nobody(self, stranger: FlaskClient, desk: Desk) -> None:
        page = stranger.get(QUEUE).text

        assert "Lopez" not in page
        assert "MERIDIAN" not in page


def test_is_for_recruiters(app: Flask, database: Database) -> None:
    with database.transaction(actor="test") as session:
        marketer = make_account(session, Role.MARKETER)

    assert signed_in(app, marketer, at=NOON).get(QUEUE).status_code == 403
    assert app.test_client().get(QUEUE).status_code == 303
