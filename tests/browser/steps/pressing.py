"""The movements that every role makes: press, follow, fill in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect


def press(place: Page | Locator, name: str) -> None:
    """Press the first button of this name within a place, and wait for the page that follows."""
    scope = place.locator("main") if isinstance(place, Page) else place
    page = place if isinstance(place, Page) else place.page
    with page.expect_navigation():
        scope.get_by_role("button", name=re.compile(f"^{re.escape(name)}")).first.click()


def follow(place: Page | Locator, name: str) -> None:
    """Follow the first link whose name begins so, and wait for its page."""
    page = place if isinstance(place, Page) else place.page
    with page.expect_navigation():
        place.get_by_role("link", name=re.compile(f"^{re.escape(name)}")).first.click()


def fill(place: Page | Locator, values: Mapping[str, str]) -> None:
    """Fill in fields by their names; a list takes the value of its entry."""
    for name, value in values.items():
        field = place.locator(f"[name={name!r}]").first
        if field.evaluate("one => one.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


def tick(place: Page | Locator, name: str, *values: str) -> None:
    """Tick boxes or choose one of several, by name and value."""
    for value in values:
        place.locator(f"[name={name!r}][value={value!r}]").check()


def card(page: Page, title: str) -> Locator:
    """Find the card that stands under a heading."""
    heading = page.get_by_role("heading", name=title, exact=True)
    return page.locator("section.card, .card").filter(has=heading).first


def unfold(place: Page | Locator, summary: str) -> Locator:
    """Open what is folded away under a summary, unless it is open."""
    page = place if isinstance(place, Page) else place.page
    box = place.locator("details").filter(has=page.locator("summary", has_text=summary)).first
    if box.get_attribute("open") is None:
        box.locator("summary").first.click()
    return box


def require_said(page: Page, words: str) -> None:
    """Fail unless the page says so."""
    expect(page.locator("body")).to_contain_text(words)


def path_of(address: str) -> str:
    """Give an address without its server: links carry the public address, a test has its own."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
