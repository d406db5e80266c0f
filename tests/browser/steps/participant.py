"""The participant's steps: follow a link, answer, leave a contact, prove it with the code."""

from __future__ import annotations

import re
from collections.abc import Mapping

from playwright.sync_api import Page, expect

from tests.browser.steps.pressing import fill
from tests.browser.steps.staff import Look

Answers = Mapping[str, Mapping[str, str] | str]


def begin(page: Page, *, look: Look) -> None:
    """Begin from the study's page, for oneself."""
    look(page)
    _go(page, page.locator(".hero button"))
    look(page)
    page.check("[name=who][value=self]")
    go_on(page)


def answer(page: Page, answers: Answers, *, look: Look) -> list[str]:
    """Answer each question by its item until the list of answers; give the questions as they were asked.

    A text chooses an option; a mapping fills in boxes.
    """
    asked = []
    while page.locator("[name=item]").count():
        item = page.locator("[name=item]").input_value()
        assert item in answers, f"{item}: {page.locator('h1').inner_text()}"
        asked.append(page.locator("h1").inner_text())
        look(page)
        _give(page, answers[item])
        go_on(page)
    return asked


def see_result(page: Page, words: str, *, look: Look) -> None:
    """Look through the answers, then read the result."""
    look(page)
    go_on(page)
    expect(page.locator("h1")).to_contain_text(words)
    look(page)


def leave_contact(
    page: Page, values: Mapping[str, str], *, boxes: Mapping[str, tuple[str, ...]], look: Look
) -> None:
    """Leave a contact with consents; nothing is ticked beforehand."""
    _go(page, page.locator("main .actions a").first)
    look(page)
    expect(page.locator("main input[type=checkbox]:checked, main input[name=contact]:checked")).to_have_count(0)
    fill(page, values)
    for name, chosen in boxes.items():
        for value in chosen:
            page.check(f"[name={name}][value={value}]")
    go_on(page)
    look(page)


def read_code(page: Page) -> str:
    """Read the newest code on the page of the demonstration's messages."""
    found = re.search(r"\b\d{6}\b", page.locator("ol.timeline li").first.inner_text())
    assert found is not None
    return found.group()


def enter_code(page: Page, code: str, *, look: Look) -> None:
    """Prove that the number is one's own."""
    fill(page, {"code": code})
    go_on(page)
    look(page)


def go_on(page: Page) -> None:
    """Press the page's main button."""
    _go(page, page.locator("main form .actions button.button:not(.secondary):not(.visually-hidden)").first)


def _give(page: Page, given: Mapping[str, str] | str) -> None:
    if isinstance(given, str):
        page.check(f"[name=answer][value={given}]")
    else:
        fill(page, given)
    if page.locator("[name=confirmed]").count():
        page.check("[name=confirmed]")


def _go(page: Page, target: object) -> None:
    with page.expect_navigation():
        target.click()  # type: ignore[attr-defined]
