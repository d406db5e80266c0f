"""The marketer's steps: a link for a placement, the funnel, an approved message to somebody unknown."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.steps.pressing import fill, follow, path_of, press
from tests.browser.steps.staff import Look


def make_link(page: Page, *, study: str, medium: str, channel: str, look: Look) -> str:
    """Make a link for a placement; give its path."""
    page.goto("/staff/marketing/links")
    look(page)
    follow(page.locator("main"), "New link")
    look(page)
    page.locator("[name=study]").select_option(label=study)
    fill(page, {"medium": medium, "channel": channel})
    press(page, "Make the link")
    look(page)
    address = page.locator("main figure, main .qr").get_by_text("/go/").first.inner_text()
    return path_of(address.strip())


def read_funnel(page: Page, *, look: Look) -> dict[str, dict[str, str]]:
    """Read the funnel: for each source what stands in its columns."""
    page.goto("/staff/marketing")
    look(page)
    table = page.locator(".table-scroll table")
    names = [name.strip() for name in table.locator("thead th").all_inner_texts()]
    rows = [row.locator("th, td").all_inner_texts() for row in table.locator("tbody tr").all()]
    return {row[0].strip(): dict(zip(names[1:], row[1:], strict=True)) for row in rows}


def send_to_one(page: Page, *, text: str, reference: str, name: str, look: Look) -> str:
    """Send an approved text to the person behind a reference; give all that the pages said."""
    page.goto("/staff/marketing/messages")
    look(page)
    follow(page.locator("main"), "New message")
    look(page)
    option = page.locator("[name=text] option").filter(has_text=text)
    fill(page, {"name": name, "text": option.get_attribute("value") or "", "reference": reference})
    press(page, "Show how many")
    look(page)
    said = page.locator("main").inner_text()
    press(page, "Send to 1")
    look(page)
    return said + page.locator("main").inner_text()


def require_accepted(page: Page, *, campaign: str) -> None:
    """See that the message of a campaign has left."""
    page.goto("/staff/marketing/messages")
    follow(page.locator("main"), campaign)
    expect(page.locator("main table tbody tr")).to_have_count(1)
    expect(page.locator("main table tbody tr")).to_contain_text("Taken by the carrier")
