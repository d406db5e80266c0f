"""The recruiter's day in a real browser: with keys, on a telephone, and without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from recruit import pipeline
from recruit.accounts.models import Role
from recruit.db import Database
from recruit.matching.plan import CallOutcome
from tests.browser.conftest import DESKTOP, PHONE, require_accessible
from tests.browser.steps.pressing import follow, press, unfold
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import make_account, make_open_study
from tests.recruit.arrivals import UNSURE, arrive, contact_of

OpenPage = Callable[..., Page]


@pytest.fixture
def session_cookie(app: Flask, database: Database) -> str:
    """Make a recruiter with two people to call, and give the cookie that signs them in."""
    with database.transaction(actor="test") as session:
        ana = make_account(session, Role.RECRUITER, name="Ana Ortiz")
        opened = make_open_study(session, nickname="MERIDIAN")
        early = NOON - timedelta(hours=25)
        first = arrive(session, opened, contact_of("Maria", "Lopez"), at=early)
        pipeline.call(session, first.id, CallOutcome.NO_ANSWER, at=early, note="Rang long")
        arrive(session, opened, contact_of("James", "Okafor"), at=NOON, answers=UNSURE)
    client = signed_in(app, ana, at=NOON)
    app.config["WTF_CSRF_ENABLED"] = True
    cookie = client.get_cookie("recruit")
    assert cookie is not None
    return cookie.value


@pytest.fixture
def desk(open_page: OpenPage, session_cookie: str) -> OpenPage:
    """Give a function that opens the queue, signed in."""

    def open_(**options: object) -> Page:
        return open_page("/staff/desk/", cookies={"recruit": session_cookie}, **options)

    return open_


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_from_the_queue_to_a_booked_visit(desk: OpenPage, size: dict[str, int]) -> None:
    page = desk(size=size)
    require_accessible(page)
    follow(page, "Maria Lopez")
    require_accessible(page)
    press(page, "Call")
    require_accessible(page)
    page.get_by_label("Reached").check()
    page.get_by_label("Note").fill("Wants to come on Friday")
    press(page, "Log the call")
    expect(page.get_by_text("Call logged.")).to_be_visible()
    follow(page, "Refer to a site")
    require_accessible(page)
    press(page, "Refer")
    require_accessible(page)

    form = unfold(page.locator("main"), "Book a visit")
    form.get_by_label("Day", exact=True).fill("2026-11-20")
    press(form, "Book")

    expect(page.get_by_text("Visit booked").first).to_be_visible()
    expect(page.get_by_text("Nov 20, 2026, 10:00 AM EST").first).to_be_visible()
    require_accessible(page)


def test_the_queue_is_walked_by_keys_unless_they_are_switched_off(desk: OpenPage) -> None:
    page = desk()
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Maria Lopez")).to_be_focused()
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="James Okafor")).to_be_focused()
    page.keyboard.press("k")

    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile("/staff/desk/matches/"))
    page.keyboard.press("c")
    expect(page.get_by_role("heading", level=1)).to_have_text("Call Maria Lopez")


def test_asking_aloud_works_without_scripts(desk: OpenPage) -> None:
    page = desk(size=PHONE, scripts=False)
    follow(page.locator("main"), "Caller or walk-in")
    page.get_by_label("Name, telephone number or email address").fill("okafor")
    press(page, "Look")
    follow(page, "MERIDIAN James Okafor")
    press(page, "Call")
    expect(page.get_by_text("How much do you weigh?")).to_be_visible()
    press(page, "Go through the questions")
    follow(page, "Next question")
    page.get_by_label("Kilograms").fill("90")
    press(page, "Save and next")

    press(page, "Keep and go back")

    expect(page.get_by_text("Answers kept")).to_be_visible()
    expect(page.get_by_text("Answered by phone")).to_be_visible()
