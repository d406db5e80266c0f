"""Naming a condition in a real browser: by keyboard with suggestions, and without scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from recruit.db import Database
from tests.browser.conftest import PHONE, require_accessible
from tests.factories import OpenStudy, make_open_study
from tests.recruit.web.public.test_named import document
from tests.recruit.web.public.visitor import ask_instead

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


@pytest.fixture
def study(database: Database) -> OpenStudy:
    """Give an open study that asks what else people have and take."""
    with database.transaction(actor="test") as session:
        made = make_open_study(session)
    ask_instead(database, made, document())
    return made


def at_the_question(page: Page) -> Page:
    """Begin, and say that it is for oneself."""
    with page.expect_navigation():
        page.locator(".hero button").click()
    page.check("[name=who][value=self]")
    with page.expect_navigation():
        page.locator("main form button.button").last.click()
    return page


def go_on(page: Page) -> None:
    """Press the button that goes on, and wait for the page that it leads to."""
    with page.expect_navigation():
        page.get_by_role("button", name="Continue").press("Enter")


def test_a_suggestion_is_taken_by_keyboard_alone(open_page: Open, study: OpenStudy) -> None:
    page = at_the_question(open_page(f"/en/studies/{study.study.slug}", size=PHONE))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    box = page.get_by_role("combobox", name="What else do you have?")
    expect(box).to_have_attribute("aria-expanded", "false")

    box.press_sequentially("sugar", delay=20)

    options = page.get_by_role("option")
    expect(options.first).to_have_text("Type 2 diabetes")
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(page.locator("[data-naming] [role=status]")).to_contain_text("suggestions")
    require_accessible(page)
    box.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", "answer-suggestions-1")
    expect(box).to_have_value("sugar")
    box.press("Enter")
    expect(box).to_have_value("Type 2 diabetes")
    expect(box).to_have_attribute("aria-expanded", "false")
    go_on(page)
    expect(page.locator("h1")).to_have_text("What do you take?")
    assert [url for url in asked if "sugar" in url or "E11" in url] == []

    page.goto("/en/questions/1")
    expect(page.get_by_role("checkbox", name="Type 2 diabetes (“sugar”)")).to_be_checked()
    require_accessible(page)


def test_escape_leaves_the_words_as_they_are(open_page: Open, study: OpenStudy) -> None:
    page = at_the_question(open_page(f"/en/studies/{study.study.slug}"))
    box = page.get_by_role("combobox", name="What else do you have?")
    box.press_sequentially("thyroid", delay=20)
    expect(page.get_by_role("option").first).to_be_visible()

    box.press("Escape")

    expect(page.get_by_role("option").first).to_be_hidden()
    expect(box).to_have_value("thyroid")
    go_on(page)
    expect(page.get_by_role("alert")).to_contain_text("Select what you mean by “thyroid”")
    require_accessible(page)


def test_a_name_is_looked_up_without_scripts(open_page: Open, study: OpenStudy) -> None:
    page = at_the_question(open_page(f"/en/studies/{study.study.slug}", size=PHONE, scripts=False))

    page.fill("#answer", "sugar")
    page.get_by_role("button", name="Look up and add to my list").click()
    page.get_by_label("None of these: keep my words").check()
    page.get_by_role("button", name="Look up and add to my list").click()

    expect(page.get_by_role("checkbox", name="“sugar”")).to_be_checked()
    expect(page.locator("#answer")).to_have_value("")
