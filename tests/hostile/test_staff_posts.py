"""Hostile bodies to every form that staff can post, from somebody who may post it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from recruit.accounts.models import LoginSession, Role
from recruit.matching import consequences
from recruit.web.guards import rule_of
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import make_account
from tests.hostile import worlds
from tests.hostile.bodies import bodies
from tests.hostile.pages import Form, forms_within_reach
from tests.hostile.rows import oddities
from tests.hostile.worlds import World

EACH, EACH_SLOW = 25, 150
"""So many bodies to each form; the second with ``--slow``."""
ENDS_ONESELF = frozenset({"account.sign_out"})
LAST = re.compile(
    r"end|deactivate|withdraw|lift|close|cancel|stop|leave|publish|remove|finish|status|moves|no-show|attended"
)
"""What takes other forms away comes after them."""
HEADING = re.compile(r"<h1\b[^>]*>\s*(?:<[^>]+>\s*)*[^<\s]")


@dataclass(frozen=True)
class Busy:
    """A world with something to do for every role, and the forms that each role's pages offered at first."""

    world: World
    browsers: dict[Role, FlaskClient]
    forms: dict[Role, dict[str, list[Form]]]


@pytest.fixture(scope="module")
def busy(world: World) -> Busy:
    """Fill a world, sign every role in, and look through all pages before anything is posted."""
    with world.database.transaction(actor="test") as session:
        world.staff.update({role: make_account(session, role) for role in Role})
        worlds.people_on_every_step(session, world)
        worlds.work_in_hand(session, world)
        worlds.outreach(session, world)
        worlds.other_staff(session, world)
    browsers = {role: signed_in(world.app, world.staff[role], at=NOON) for role in Role}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(consequences, "IN_REQUEST", 0)  # as in a study whose people are counted beside requests
        return Busy(world, browsers, {role: within_reach(world, role, browsers[role]) for role in Role})


def within_reach(world: World, role: Role, client: FlaskClient) -> dict[str, list[Form]]:
    """Give the forms that a role may post, but none that would lock out somebody who tests here."""
    with world.database.reading() as session:
        mine = sa.select(LoginSession.id).where(LoginSession.agent == worlds.TESTING)
        held = {str(key) for key in session.scalars(mine)} | {str(one.id) for one in world.staff.values()}
    return forms_within_reach(world.app, client, *world.doors[role], leave_out=held)


def posts(app: Flask, role: Role) -> list[str]:
    """Name the views that this role may post to."""
    names = set()
    for rule in app.url_map.iter_rules():
        said = rule_of(app, rule.endpoint)
        if (
            "POST" in (rule.methods or ())
            and said is not None
            and said.is_staff
            and role in (said.roles or Role)
        ):
            names.add(rule.endpoint)
    return sorted(names - ENDS_ONESELF)


def in_order(endpoints: Sequence[str]) -> list[str]:
    """Put forms that take something away behind the others."""
    return sorted(endpoints, key=lambda name: (bool(LAST.search(name)), name))


def wrong_with(answer: TestResponse) -> str:
    """Say what is wrong with an answer; nothing where it is a page, a way on or a sentence."""
    if answer.status_code >= 500:
        return f"{answer.status_code}"
    if answer.status_code == 303:
        return "signed out" if "/staff/sign-in" in answer.headers["Location"] else ""
    if answer.status_code >= 400 and not HEADING.search(answer.text):
        return f"{answer.status_code} without words"
    return ""


def test_every_form_for_staff_is_reached_from_some_page(busy: Busy) -> None:
    missing = {
        f"{role.value}: {name}"
        for role, forms in busy.forms.items()
        for name in set(posts(busy.world.app, role)) - set(forms)
    }

    assert missing == set()


@pytest.mark.parametrize("role", list(Role))
def test_no_hostile_body_breaks_a_staff_form(busy: Busy, role: Role, pytestconfig: pytest.Config) -> None:
    count = EACH_SLOW if pytestconfig.getoption("--slow") else EACH
    forms, client = busy.forms[role], busy.browsers[role]
    names = in_order([name for name in posts(busy.world.app, role) if name in forms])

    failures = [failure for name in names for failure in attack(client, name, forms[name], count)]

    assert failures == []
    assert oddities(busy.world.database) == []


def attack(client: FlaskClient, endpoint: str, forms: Sequence[Form], count: int) -> Iterator[str]:
    """Post hostile bodies to the addresses of a form in turn; say what went wrong."""
    seed = zlib.crc32(endpoint.encode())
    for number, body in enumerate(bodies(forms[0].fields, seed=seed, count=count)):
        address = forms[number % len(forms)].action
        answer = client.post(address, data=body.data, content_type=body.content_type)
        if wrong := wrong_with(answer):
            yield f"{endpoint} body {number}: {wrong}"
        answer.close()
