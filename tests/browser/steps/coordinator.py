"""The coordinator's steps: from a registry's record to a site that takes people."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.steps.pressing import card, fill, follow, press, require_said, tick, unfold
from tests.browser.steps.staff import Look


@dataclass(frozen=True, slots=True)
class Text:
    """Something that participants read or hear, in one language."""

    kind: str
    name: str
    language: str
    subject: str
    body: str


def import_record(page: Page, file: Path, *, look: Look) -> None:
    """Import one record of the registry and open the study that comes of it."""
    page.goto("/staff/studies")
    look(page)
    follow(page.locator("main"), "Import")
    look(page)
    page.set_input_files("#files", file)
    press(page, "Import")
    row = page.locator("main table tbody tr").first
    expect(row).to_contain_text("Created")
    look(page)
    with page.expect_navigation():
        row.get_by_role("link").first.click()
    look(page)


def tab(page: Page, name: str) -> None:
    """Go to another page of the study."""
    follow(page.get_by_role("navigation", name="Study"), name)


def fill_in(page: Page, values: Mapping[str, str], *, look: Look) -> None:
    """Fill in what the registry does not know."""
    tab(page, "Details")
    look(page)
    fill(page, values)
    press(page, "Save")
    require_said(page, "Saved")


def write_rule(page: Page, criterion: str, *, slip: str, rule: str, look: Look) -> None:
    """Turn a text into a rule, first with a slip, whose place is named."""
    _open_criterion(page, criterion)
    look(page)
    fill(page, {"rule": slip})
    press(page, "Save")
    expect(page.locator("#rule-problems")).to_contain_text(re.compile(r"Line \d+, column \d+"))
    look(page)
    fill(page, {"rule": rule})
    _save(page)


def write_rules(page: Page, rules: Mapping[str, str]) -> None:
    """Turn more texts into rules."""
    for criterion, rule in rules.items():
        _open_criterion(page, criterion)
        fill(page, {"rule": rule})
        _save(page)


def leave_to_site(page: Page) -> None:
    """Leave every text that is left for the site to check."""
    waiting = page.get_by_role("button", name=re.compile("^Site checks it"))
    for _turn in range(waiting.count()):
        with page.expect_navigation():
            waiting.first.click()
    expect(waiting).to_have_count(0)


def publish(page: Page, *, look: Look) -> None:
    """Publish the version in front."""
    look(page)
    press(card(page, "Publish"), "Publish version")
    require_said(page, "Published. From now on no word of it changes.")


def propose_questionnaire(page: Page, *, item: str, words: Mapping[str, str], look: Look) -> None:
    """Propose the questionnaire from the criteria, and say one question in one's own words."""
    tab(page, "Questions")
    press(page, "Propose a questionnaire")
    look(page)
    _row(page, item).get_by_role("link").first.click()
    page.wait_for_url(re.compile(f"/items/{item}"))
    look(page)
    for language, text in words.items():
        page.locator(f"[name='t.text.{language}.self']").fill(text)
    press(page, "Save")
    require_said(page, "Saved")
    follow(page, "Questionnaire, version")
    require_said(page, next(iter(words.values())))


def write_material(page: Page, text: Text, *, look: Look) -> None:
    """Write a text and send it all the way to the board."""
    tab(page, "Materials")
    look(page)
    form = card(page, "New material")
    values = {"kind": text.kind, "name": text.name, "language": text.language}
    fill(form, {**values, "subject": text.subject, "body": text.body})
    press(form, "Save as a draft")
    look(page)
    for button in ("Send to internal review", "Submit to the IRB"):
        press(card(page, "What next"), button)
    expect(card(page, "What next")).to_contain_text("It becomes approved when you record the board's decision.")


def record_approval(page: Page, values: Mapping[str, str], *, look: Look) -> None:
    """Record one decision about all that can be approved."""
    tab(page, "Approvals")
    look(page)
    fill(page, values)
    tick(page, "determination", "approved")
    for box in page.locator("[name=covered]").all():
        box.check()
    press(page, "Record")
    require_said(page, "Approval recorded")
    look(page)


def use_materials(page: Page) -> None:
    """Put every approved text to use."""
    tab(page, "Materials")
    waiting = page.locator("li").filter(has_text="Approved").filter(has=page.locator("a"))
    for _turn in range(waiting.count()):
        with page.expect_navigation():
            waiting.first.get_by_role("link").first.click()
        press(card(page, "What next"), "Use it")
        tab(page, "Materials")
    expect(waiting).to_have_count(0)


def make_site(page: Page, values: Mapping[str, str], *, look: Look) -> None:
    """Make a site of ours with office hours; the registry's locations never become one."""
    page.goto("/staff/sites")
    look(page)
    follow(page.locator("main"), "New site")
    look(page)
    fill(page, values)
    press(page, "Add the site")
    for weekday in range(5):
        fill(page, {f"opens-{weekday}-0": "09:00", f"closes-{weekday}-0": "17:00"})
    look(page)
    press(page, "Save hours and closed days")
    require_said(page, "Hours and closed days saved")


def add_site(page: Page, name: str, *, look: Look) -> Sequence[str]:
    """Put a site into the study and read what is missing there."""
    tab(page, "Sites")
    look(page)
    page.locator("[name=site_id]").select_option(label=name)
    press(page, "Add")
    look(page)
    return card(page, "Status").locator("li").all_inner_texts()


def set_up_site(page: Page, values: Mapping[str, str], *, investigator: str) -> None:
    """Say what belongs to a site in the study, and who is responsible there."""
    fill(page, values)
    press(page, "Save")
    require_said(page, "Saved")
    form = unfold(card(page, "People"), "Add somebody")
    fill(form, {"person_name": investigator, "role": "principal_investigator", "from_day": "2026-01-05"})
    tick(form, "tasks", "eligibility", "consent")
    press(form, "Add")
    require_said(page, investigator)


def put_in_force(page: Page, *, from_day: str) -> None:
    """Put the published versions in force."""
    fill(card(page, "Versions in force"), {"effective_from": from_day})
    press(card(page, "Versions in force"), "Put in force")
    require_said(page, "In force from the day you chose")


def activate(page: Page, *, look: Look) -> None:
    """Take a site all the way to activated."""
    expect(card(page, "Status")).to_contain_text("Everything is in place")
    for button in ("Begin start-up", "Initiate", "Activate"):
        press(card(page, "Status"), button)
    expect(page.locator(".page-title").last).to_contain_text("Activated")
    look(page)


def refuse_activation(page: Page) -> None:
    """See that a site with gaps is not activated, and that the gaps are named."""
    for button in ("Begin start-up", "Initiate", "Activate"):
        press(card(page, "Status"), button)
    expect(page.locator(".error-summary")).to_contain_text("This site cannot be activated yet.")


def _open_criterion(page: Page, criterion: str) -> None:
    row = page.locator("ol.criteria > li").filter(has_text=criterion).first
    follow(row, "Edit")


def _save(page: Page) -> None:
    with page.expect_navigation():
        page.locator("button[name=then][value=list]").first.click()
    expect(page.locator(".error-summary")).to_have_count(0)


def _row(page: Page, item: str) -> Locator:
    return page.locator("tr").filter(has=page.locator(f"#q-{item}"))
