"""What every member of staff does: accept an invitation, sign in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.steps.pressing import fill, path_of, press

PASSWORD = "violet ladders cross a quiet harbor"
Look = Callable[[Page], None]


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the staff, in a browser of their own."""

    name: str
    email: str
    page: Page


def first_administrator(app: Flask, page: Page, *, look: Look) -> Member:
    """Make the first account on the command line, as the operator does, and open it with its link."""
    member = Member("Ada Admin", "ada@example.org", page)
    arguments = ["users", "invite", member.email, "--name", member.name, "--role", "admin"]
    result = app.test_cli_runner().invoke(args=arguments)
    assert result.exit_code == 0, result.output
    return accept(member, result.output.strip().splitlines()[-1], look=look)


def accept(member: Member, link: str, *, look: Look) -> Member:
    """Choose a password with a one-time link, then sign in."""
    page = member.page
    page.goto(path_of(link))
    expect(page.locator("h1")).to_contain_text(member.name)
    look(page)
    fill(page, {"password": PASSWORD})
    press(page, "Save password")
    sign_in(member, look=look)
    return member


def sign_in(member: Member, *, look: Look) -> None:
    """Sign in with email address and password."""
    page = member.page
    page.goto("/staff/sign-in")
    look(page)
    fill(page, {"email": member.email, "password": PASSWORD})
    press(page, "Sign in")
    expect(page).not_to_have_url(re.compile("sign-in"))
    expect(page.locator("header")).to_contain_text(member.name)
