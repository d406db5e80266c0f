"""A rule built from menus with keys only, without scripts, and looked at on a telephone and on a desk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from recruit.accounts.models import Role
from recruit.db import Database
from recruit.studies import versions
from recruit.studies.models import ProtocolVersion
from screening.language.notation import parse_rule
from screening.language.protocol import CriterionKind, read_protocol
from tests.browser.conftest import DESKTOP, PHONE, require_accessible
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import AT, make_account, make_open_study

OpenPage = Callable[..., Page]
TEXT = "Adults with a body mass index above 30 who take metformin"
RULE = (
    "age between 18 and 75 years and bmi > 30 kg/m2 measured within 3 months before today and "
    "(if sex is female then not pregnant is yes) and medicine in (A10BA02) current for at least 3 months"
)


@dataclass
class Draft:
    """A draft's criterion that is still text, and a coordinator who is signed in."""

    database: Database
    version_id: UUID
    criterion_id: str
    cookie: str

    @property
    def url(self) -> str:
        """The editor's page."""
        return f"/staff/protocol-versions/{self.version_id}/criteria/{self.criterion_id}/rule"

    def write(self, notation: str) -> None:
        """Store a rule that was built before."""
        with self.database.transaction(actor="test") as session:
            changes: dict[str, object] = {"rule": parse_rule(notation)}
            versions.save_criterion(session, self.version_id, self.criterion_id, changes)

    def rule(self) -> object:
        """Give the rule as it is stored."""
        with self.database.reading() as session:
            document = session.get_one(ProtocolVersion, self.version_id).document
        return next(one.rule for one in read_protocol(document).criteria if one.id == self.criterion_id)


@pytest.fixture
def draft(app: Flask, database: Database) -> Draft:
    """Make a draft with a criterion that is still text."""
    with database.transaction(actor="test") as session:
        made = make_open_study(session, nickname="MERIDIAN")
        version = versions.revise_protocol(session, made.protocol.id, at=AT)
        versions.add_criterion(session, version.id, kind=CriterionKind.INCLUSION, text=TEXT)
        criterion_id = read_protocol(version.document).criteria[-1].id
        account = make_account(session, Role.COORDINATOR, name="Ana Ortiz")
    client = signed_in(app, account, at=NOON)
    app.config["WTF_CSRF_ENABLED"] = True
    cookie = client.get_cookie("recruit")
    assert cookie is not None
    return Draft(database, version.id, criterion_id, cookie.value)


def tab_to(page: Page, selector: str, *, most: int = 80) -> None:
    """Press Tab until this is in focus; fail where it is never reached."""
    wanted = page.locator(selector).first
    for _turn in range(most):
        page.keyboard.press("Tab")
        if page.locator(":focus").count() and wanted.and_(page.locator(":focus")).count():
            return
    pytest.fail(f"{selector} is not reached by pressing Tab {most} times on {page.url}")


def enter(page: Page) -> None:
    """Press Enter and wait for the page that follows."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_a_rule_is_built_with_keys_only_and_without_scripts(open_page: OpenPage, draft: Draft) -> None:
    page = open_page(draft.url, cookies={"recruit": draft.cookie}, scripts=False)

    tab_to(page, "#fact")
    page.keyboard.type("Age")
    enter(page)
    tab_to(page, "#low_0")
    page.keyboard.type("18")
    enter(page)
    expect(page.locator("#sentence")).to_have_text("Age is at least 18 years.")

    tab_to(page, "#fact")
    page.keyboard.type("semaglutide")
    enter(page)
    tab_to(page, ".leaf-form button")
    enter(page)
    expect(page.locator(".found")).to_contain_text("A10BJ06 semaglutide")
    tab_to(page, ".leaf-form button")
    enter(page)
    expect(page.locator("#sentence")).to_contain_text("Takes or has taken semaglutide (A10BJ06)")

    tab_to(page, "#p-rule-1 summary")
    page.keyboard.press("Enter")
    tab_to(page, "#p-rule-1 button[value='wrap.not']")
    enter(page)
    expect(page.locator("#p-rule-1")).to_contain_text("This does not hold")
    tab_to(page, "#p-rule-1 summary")
    page.keyboard.press("Enter")
    tab_to(page, "#p-rule-1 button[value='move.up']")
    enter(page)

    assert draft.rule() == parse_rule("not medicine in (A10BJ06) and age >= 18 years")
    expect(page.locator(".people")).to_contain_text("Somebody ruled out")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_editor_is_accessible_and_fits(open_page: OpenPage, draft: Draft, size: dict[str, int]) -> None:
    page = open_page(draft.url, cookies={"recruit": draft.cookie}, size=size)
    require_accessible(page)
    draft.write(RULE)

    for path in (
        draft.url,
        f"{draft.url}/part?at=&how=and",
        f"{draft.url}/part?at=1&how=put",
        f"{draft.url}/part?at=3&how=put",
        f"{draft.url}/part?at=2.0&how=put",
    ):
        page.goto(path)
        page.evaluate("document.querySelectorAll('main details').forEach(one => { one.open = true })")
        require_accessible(page)

    page.locator("[name='choices']").first.uncheck()
    with page.expect_navigation():
        page.locator(".leaf-form button").first.click()
    expect(page.locator(".error-summary")).to_contain_text("Select one or more from the list.")
    require_accessible(page)
