"""A member of staff who stands before a closed door is told what to do, in their own language."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from recruit.accounts.models import Account, Role
from recruit.db import Database, found
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import make_account, make_open_study
from tests.recruit.arrivals import UNSURE, arrive, contact_of
from tests.web_components.dom import parse


@pytest.fixture
def recruiter(database: Database) -> Account:
    with database.transaction(actor="test") as session:
        return make_account(session, Role.RECRUITER)


@pytest.fixture
def browser(app: Flask, recruiter: Account) -> FlaskClient:
    return signed_in(app, recruiter, at=NOON)


@pytest.mark.parametrize(("where", "status"), [("/staff/admin/staff", 403), ("/staff/nowhere", 404)])
def test_a_closed_door_leads_back_to_the_first_page(browser: FlaskClient, where: str, status: int) -> None:
    answer = browser.get(where)

    assert answer.status_code == status
    assert parse(answer.text).one("a", href="/staff/").text == "Go to your first page"
    assert ("ask your administrator for the role" in answer.text) is (status == 403)


def test_a_visitor_is_led_to_the_studies(client: FlaskClient) -> None:
    page = client.get("/en/nowhere").text

    assert "See all studies" in page
    assert "Go to your first page" not in page


@pytest.mark.parametrize(("language", "fact"), [("en", "Ask: Weight"), ("es", "Preguntar: Peso")])
def test_what_to_ask_is_named_in_the_readers_language(
    app: Flask, database: Database, recruiter: Account, language: str, fact: str
) -> None:
    with database.transaction(actor="test") as session:
        match = arrive(session, make_open_study(session), contact_of("Rosa"), at=NOON, answers=UNSURE)
        account = found(session, Account, recruiter.id)
        account.language = language
    browser = signed_in(app, account, at=NOON)

    queue, person = browser.get("/staff/desk/").text, browser.get(f"/staff/desk/matches/{match.id}").text

    assert fact in queue
    assert fact in person
