"""A participant's way in a real browser: small phone, keyboard, no scripts, Spanish, and nothing foreign."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from recruit import context
from recruit.contact.notices import CodeNeeded
from recruit.db import Database
from tests.browser.conftest import DESKTOP, PHONE, require_accessible
from tests.factories import OpenStudy, make_open_study, make_site

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


@pytest.fixture
def study(database: Database) -> OpenStudy:
    """Give an open study."""
    with database.transaction(actor="test") as session:
        site = make_site(session, name="Miami Health Research", city="Miami", state="FL")
        return make_open_study(session, site=site, registry_allowed=True)


@pytest.fixture
def codes(app: Flask) -> list[str]:
    """Collect the codes that are sent, newest last."""
    sent: list[str] = []
    context.of(app).database.subscribe(CodeNeeded, lambda _session, notice: sent.append(notice.code))
    return sent


def go_on(page: Page) -> None:
    """Press the page's main button, and wait for the page that it leads to."""
    with page.expect_navigation():
        page.locator("main form button.button:not(.secondary):not(.visually-hidden)").last.click()


def begin(page: Page) -> None:
    """Press the button of a study's page, and wait for the first question."""
    with page.expect_navigation():
        page.locator(".hero button").click()


def answer_all(page: Page, check: Callable[[Page], None]) -> None:
    """Begin, and answer all questions so that the study may fit."""
    begin(page)
    check(page)
    page.check("[name=who][value=self]")
    go_on(page)
    for fields, boxes in (
        ({"answer-month": "5", "answer-year": "1970"}, ()),
        ({"answer-ft": "5", "answer-in": "11"}, ()),
        ({"answer-lb": "200"}, ()),
        ({}, ("type_2",)),
        ({}, ("none_of_these",)),
        ({}, ("no",)),
    ):
        check(page)
        for name, value in fields.items():
            page.fill(f"[name={name}]", value)
        for box in boxes:
            page.check(f"[name=answer][value={box}]")
        go_on(page)
    check(page)
    go_on(page)


def leave_contact(page: Page, check: Callable[[Page], None]) -> None:
    """Leave a mobile number, with consent to calls."""
    page.goto(page.url.replace("/questions/result", "/contact"))
    check(page)
    go_on(page)
    check(page)
    page.fill("#given", "Ana")
    page.fill("#phone", "212 555 0123")
    page.check("[name=phone_kind][value=mobile]")
    page.check("[name=contact][value=call]")
    page.check("#check_answers")
    go_on(page)


@pytest.mark.parametrize(
    ("language", "size", "thanks"),
    [("en", PHONE, "Thank you. We will call you today"), ("es", DESKTOP, "Gracias. Le llamaremos hoy")],
    ids=["english on a small phone", "spanish on a desk"],
)
def test_the_whole_way_is_accessible(
    open_page: Open, study: OpenStudy, codes: list[str], language: str, size: dict[str, int], thanks: str
) -> None:
    page = open_page(f"/{language}/studies/{study.study.slug}", size=size)
    require_accessible(page)

    answer_all(page, require_accessible)
    require_accessible(page)
    leave_contact(page, require_accessible)
    require_accessible(page)
    page.fill("#code", codes[-1])
    go_on(page)

    require_accessible(page)
    expect(page.locator("h1")).to_contain_text(thanks)


def test_the_whole_way_works_without_scripts(open_page: Open, study: OpenStudy, codes: list[str]) -> None:
    page = open_page(f"/en/studies/{study.study.slug}", size=PHONE, scripts=False)

    answer_all(page, lambda _page: None)
    leave_contact(page, lambda _page: None)
    page.fill("#code", codes[-1])
    go_on(page)

    expect(page.locator("h1")).to_contain_text("Thank you. We will call you today")


def test_pages_about_the_service_are_accessible(open_page: Open, study: OpenStudy) -> None:
    page = open_page("/en/", size=PHONE)

    for path in ("/en/", "/es/privacy", "/en/about", "/es/accessibility", "/en/cookies", "/en/questions/"):
        page.goto(path)
        require_accessible(page)
    page.goto(f"/es/studies/{study.study.slug}/contact")
    require_accessible(page)


def test_a_question_is_answered_by_keyboard_alone(open_page: Open, study: OpenStudy) -> None:
    page = open_page(f"/en/studies/{study.study.slug}")
    press_until(page, "button[type=submit]")
    page.keyboard.press("Enter")
    expect(page).to_have_title(re.compile(r"^Who is this for\? "))

    press_until(page, "[name=who]")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page).to_have_title(re.compile(r"^Question 1 "))
    press_until(page, "[name=answer-month]")
    page.keyboard.type("5")
    page.keyboard.press("Tab")
    page.keyboard.type("1970")
    page.keyboard.press("Enter")

    expect(page).to_have_title(re.compile(r"^Question 2 "))


def test_a_problem_takes_the_focus_and_leads_to_its_field(open_page: Open, study: OpenStudy) -> None:
    page = open_page(f"/en/studies/{study.study.slug}")
    begin(page)
    page.check("[name=who][value=self]")
    go_on(page)

    go_on(page)

    expect(page.locator(".error-summary")).to_be_focused()
    page.locator(".error-summary a").click()
    expect(page.locator("#answer")).to_be_focused()


def test_going_back_in_the_browser_loses_nothing(open_page: Open, study: OpenStudy) -> None:
    page = open_page(f"/en/studies/{study.study.slug}")
    begin(page)
    page.check("[name=who][value=self]")
    go_on(page)
    page.fill("[name=answer-month]", "5")
    page.fill("[name=answer-year]", "1970")
    go_on(page)

    page.go_back()
    page.reload()

    expect(page.locator("[name=answer-year]")).to_have_value("1970")


def press_until(page: Page, selector: str) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"Tab never reaches {selector}")
