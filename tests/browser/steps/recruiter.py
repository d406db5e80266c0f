"""The recruiter's steps: the queue, the call, the referral, the visit, the outcome, the correction."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.steps.pressing import card, fill, follow, press, require_said, tick, unfold
from tests.browser.steps.staff import Look


def find_in_queue(page: Page, name: str, *, look: Look) -> None:
    """Find somebody in the queue and open their page."""
    page.goto("/staff/desk/")
    look(page)
    expect(page.locator("main table tbody tr").filter(has_text=name)).to_have_count(1)
    follow(page.locator("main table"), name)
    look(page)


def read_reasons(page: Page) -> dict[str, str]:
    """Read how somebody stands against each criterion, also those that raise no question."""
    fold = page.locator("details > summary").filter(has_text=re.compile("raises? no question"))
    if fold.locator("..").get_attribute("open") is None:
        fold.click()
    rows = page.locator("ol.criteria > li").all()
    return {row.locator("p").first.inner_text(): row.locator(".state").inner_text().strip() for row in rows}


def reference(page: Page) -> str:
    """Read the reference that a recruiter hands to a marketer."""
    row = page.locator("dl.summary > div").filter(has_text="Reference for messages")
    return row.locator("dd").inner_text().strip()


def log_call(page: Page, outcome: str, *, note: str, look: Look) -> None:
    """Take the telephone, then write down how the call ended."""
    press(page, "Call")
    look(page)
    tick(page, "outcome", outcome)
    fill(page, {"note": note})
    press(page, "Log the call")


def refer(page: Page, site: str, *, look: Look) -> None:
    """Hand somebody to a site."""
    follow(page.locator("main"), "Refer to a site")
    look(page)
    page.get_by_role("radio", name=re.compile(f"^{re.escape(site)}")).check()
    press(page, "Refer")
    require_said(page, "Referred")


def open_referral(page: Page, name: str, *, look: Look) -> None:
    """Open somebody's referral from the list."""
    page.goto("/staff/desk/referrals")
    look(page)
    follow(page.locator("main table"), name)
    look(page)


def book(page: Page, *, day: str, at: str) -> None:
    """Book a visit."""
    form = unfold(card(page, "Visits"), "Book a visit")
    fill(form, {"visit_day": day, "visit_time": at, "minutes": "60"})
    press(form, "Book")
    require_said(page, "Visit booked")


def attend(page: Page) -> None:
    """Write down that somebody came to the visit."""
    press(card(page, "Visits"), "Came")
    require_said(page, "Recorded: came to the visit")


def move(page: Page, step: str, *, happened_on: str, look: Look, reason: str = "", number: str = "") -> None:
    """Write down what happened next."""
    place = card(page, "What happened next?")
    links = place.get_by_role("link", name=step, exact=True)
    if not links.first.is_visible():
        unfold(place, "Close this referral")
    with page.expect_navigation():
        links.first.click()
    look(page)
    fill(page, {"happened_on": happened_on})
    if number:
        fill(page, {"subject_number": number})
    if reason:
        tick(page, "reason", reason)
    press(card(page, "What happened next?"), "Record")
    expect(page.locator(".page-title")).to_contain_text(step)


def correct(page: Page, entry: str, *, why: str) -> None:
    """Correct a wrong entry: it stays visible, struck out."""
    form = unfold(card(page, "Entries"), "Correct a wrong entry")
    form.get_by_role("radio", name=re.compile(re.escape(entry))).first.check()
    fill(form, {"correction": why})
    press(form, "Correct")
    require_said(page, "Entry corrected")
    expect(page.locator("ol.timeline li.void").first).to_contain_text(entry)
