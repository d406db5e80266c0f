"""The queue and the referrals say what their numbers count, where the two differ."""

from __future__ import annotations

from flask.testing import FlaskClient

from recruit.db import Database
from recruit.referrals.states import State
from tests.recruit.referrals.test_queries import in_state
from tests.recruit.web.desk.conftest import Desk
from tests.web_components.dom import parse


def tabs_of(browser: FlaskClient, where: str) -> dict[str, str]:
    """Read the lists of a page with their numbers."""
    links = parse(browser.get(where).text).by_class("tabs")[0].all("a")
    words = [link.text.rsplit(" ", 1) for link in links]
    return {word[0]: word[1] for word in words}


def test_whoever_was_put_off_is_open_and_waits(browser: FlaskClient, desk: Desk, database: Database) -> None:
    with database.transaction(actor="test") as session:
        in_state(session, desk.opened, "Later", State.DEFERRED, days=6)
        in_state(session, desk.opened, "Nora", State.CONTACTED, days=6)

    queue, referrals = tabs_of(browser, "/staff/desk/"), tabs_of(browser, "/staff/desk/referrals")

    assert (queue["Referred"], queue["Waiting"], referrals["Open"]) == ("1", "1", "2")


def test_each_list_says_what_it_counts(browser: FlaskClient, desk: Desk) -> None:
    referred = browser.get("/staff/desk/?view=referred").text
    waiting = browser.get("/staff/desk/?view=waiting").text
    still_open = browser.get("/staff/desk/referrals").text
    ended = browser.get("/staff/desk/referrals?show=ended").text

    assert "Whoever put it off until a later day stands under “Waiting”." in referred
    assert "stands under “Waiting”" not in waiting
    assert "whom the queue counts under “Waiting” and not under “Referred”" in still_open
    assert "also counts people who were never handed to a site" in ended
