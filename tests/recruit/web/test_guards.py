"""Where a form was sent from: our own address counts, also where a proxy hides it from us."""

import re

import pytest
from flask import Flask

from recruit.accounts.models import Role
from recruit.clock import FixedClock
from recruit.db import Database
from recruit.settings import Settings
from tests.browsing import signed_in
from tests.conftest import NOON, make_app
from tests.factories import make_account

OURS = "https://recruit.example.org"
BEHIND = {"X-Forwarded-For": "203.0.113.7"}


@pytest.fixture
def app(settings: Settings, database: Database, clock: FixedClock) -> Flask:
    """Give the application behind a proxy that ends TLS."""
    outside = settings.model_copy(update={"public_url": OURS, "trusted_proxies": 1})
    return make_app(outside, clock=clock, database=database)


def post(app: Flask, origin: str, headers: dict[str, str], *, inside: str = "http://127.0.0.1:8000") -> str:
    answer = app.test_client().post(
        "/staff/sign-in",
        data={"email": "ana@example.org", "password": "wrong"},
        headers={"Origin": origin, **headers},
        base_url=inside,
    )
    return answer.text


class TestOrigin:
    @pytest.mark.parametrize("origin", [OURS, "http://127.0.0.1:8000", "null"])
    def test_our_own_is_let_through_where_the_proxy_says_only_who_asks(self, app: Flask, origin: str) -> None:
        assert "another site" not in post(app, origin, BEHIND)

    def test_our_own_is_let_through_where_the_proxy_says_everything(self, app: Flask) -> None:
        said = {**BEHIND, "X-Forwarded-Proto": "https", "X-Forwarded-Host": "recruit.example.org"}

        assert "another site" not in post(app, OURS, said)

    @pytest.mark.parametrize(
        "origin",
        [
            "https://evil.example",
            "http://recruit.example.org",
            "https://recruit.example.org.evil.example",
            "https://recruit.example.org:8443",
        ],
    )
    def test_any_other_is_refused(self, app: Flask, origin: str) -> None:
        assert "another site" in post(app, origin, BEHIND)

    def test_our_own_is_refused_where_the_browser_says_it_came_across(self, app: Flask) -> None:
        assert "another site" in post(app, OURS, {**BEHIND, "Sec-Fetch-Site": "cross-site"})


def test_staff_post_over_https_without_the_referer_that_we_forbid(
    settings: Settings, database: Database, clock: FixedClock
) -> None:
    here = "https://localhost"
    app = make_app(settings.model_copy(update={"public_url": here}), clock=clock, database=database)
    with database.transaction(actor="test") as session:
        ana = make_account(session, Role.RECRUITER)
    browser = signed_in(app, ana, at=NOON)
    app.config["WTF_CSRF_ENABLED"] = True
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/staff/me", base_url=here).text)
    assert token is not None

    answer = browser.post("/staff/sign-out", data={"csrf_token": token[1]}, base_url=here)

    assert answer.status_code == 303
