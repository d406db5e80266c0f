"""Every route of the application against everybody who could call it.

The table below says who opens what; it is written by hand, so that a new route is a decision somebody
took. A route is asked for with keys of things that do not exist: nobody may learn from the answer whether
they do, and nothing may break.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from itertools import product
from typing import NamedTuple
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Blueprint, Flask
from flask.testing import FlaskClient
from sqlalchemy.engine import Connection
from werkzeug.routing import AnyConverter, IntegerConverter, Rule, UUIDConverter
from werkzeug.test import TestResponse

from campaigns import app as whole
from recruit.accounts.models import Account, Role
from recruit.clock import FixedClock
from recruit.db import Database
from recruit.errors import Unavailable
from recruit.settings import Settings
from recruit.web import guards, security
from recruit.web.guards import PUBLIC, Audience, allow
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import make_account

STAFF = frozenset(Role)
EVERYBODY = "everybody"
MACHINES = "machines that sign their calls"

# The beginning of an endpoint's name, and who opens it. The longest beginning that fits counts.
EXPECTED: Mapping[str, frozenset[Role] | str] = {
    "static": EVERYBODY,
    "service.": EVERYBODY,
    "public.": EVERYBODY,
    "go.": EVERYBODY,
    "readable.": EVERYBODY,
    "callbacks.": MACHINES,
    "account.sign_in": EVERYBODY,
    "account.enter": EVERYBODY,
    "account.invitation": EVERYBODY,
    "account.accept_invitation": EVERYBODY,
    "account.reset": EVERYBODY,
    "account.accept_reset": EVERYBODY,
    "account.": STAFF,
    "admin.": frozenset({Role.ADMIN}),
    "trail.": frozenset({Role.ADMIN, Role.AUDITOR}),
    "desk.": frozenset({Role.RECRUITER}),
    "studies.": frozenset({Role.COORDINATOR}),
    **dict.fromkeys(
        (
            *("studies.index", "studies.study", "studies.edit", "studies.registry", "studies.criteri"),
            *("studies.questions", "studies.pages", "studies.item", "studies.preview", "studies.material"),
            *("studies.approval", "studies.site", "studies.holds", "studies.rule", "studies.feasibility"),
            "studies.question_numbers",
        ),
        frozenset({Role.COORDINATOR, Role.AUDITOR}),
    ),
    "marketing.": frozenset({Role.MARKETER}),
    "messages.": frozenset({Role.MARKETER}),
}

# Pages in the middle of a participant's way: without a draft there is nothing to show, and they say so.
ONLY_A_DOOR = ("public.referring.door",)
"""Short addresses that only add a language; what they lead to is checked."""
ON_THE_WAY = ("public.questions.", "public.contact.")

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
READING = re.compile(
    r"\s*(SELECT|PRAGMA|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET|SHOW|VALUES)\b", re.IGNORECASE
)
MAY_BE_WRITTEN = re.compile(
    r"UPDATE login_session SET last_seen_at=[^,]+ WHERE|INSERT INTO (link_hit|view_log) ", re.IGNORECASE
)


class Route(NamedTuple):
    """One way to call the application: an address with made-up keys, and a method."""

    endpoint: str
    method: str
    path: str
    has_keys: bool

    @property
    def audience(self) -> frozenset[Role] | str | None:
        """Who opens it, by the table."""
        fitting = [beginning for beginning in EXPECTED if self.endpoint.startswith(beginning)]
        return EXPECTED[max(fitting, key=len)] if fitting else None

    @property
    def is_staff_only(self) -> bool:
        """Whether one must be signed in."""
        return self.audience not in (EVERYBODY, MACHINES)

    @property
    def roles(self) -> list[Role]:
        """Name the roles that open it; where the table says nothing, all."""
        return sorted(self.audience if isinstance(self.audience, frozenset) else STAFF)

    def __str__(self) -> str:
        return f"{self.method} {self.path} ({self.endpoint})"


def routes(app: Flask) -> list[Route]:
    """List every route with every method; language prefixes in each language."""
    return [
        Route(rule.endpoint, method, path, has_keys)
        for rule in app.url_map.iter_rules()
        for path, has_keys in paths(app, rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def paths(app: Flask, rule: Rule) -> Iterator[tuple[str, bool]]:
    """Fill a rule's arguments: each of a list of words, a made-up key for everything else."""
    choices: list[list[object]] = []
    has_keys = False
    for name in sorted(rule.arguments):
        converter = rule._converters[name]
        if isinstance(converter, AnyConverter):
            choices.append([*sorted(converter.items)])
            continue
        has_keys = True
        if isinstance(converter, UUIDConverter):
            choices.append([uuid4()])
        else:
            choices.append([2_000_000_000 if isinstance(converter, IntegerConverter) else str(uuid4())])
    adapter = app.url_map.bind("localhost")
    method = next(iter(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})))
    for values in product(*choices):
        yield (
            adapter.build(rule.endpoint, dict(zip(sorted(rule.arguments), values, strict=True)), method),
            has_keys,
        )


def ask(client: FlaskClient, route: Route) -> TestResponse:
    """Call a route with nothing but its address."""
    return client.open(route.path, method=route.method)


def assert_none(found: Iterable[object]) -> None:
    """Fail with every line that was found, not only the first."""
    lines = sorted(str(line) for line in found)
    assert not lines, "\n".join(lines)


def leads_to_sign_in(answer: TestResponse) -> bool:
    """Say whether an answer sends somebody to sign in."""
    return answer.status_code == 303 and answer.headers["Location"].startswith("/staff/sign-in")


@pytest.fixture
def app(app: Flask) -> Flask:
    """Give the application with its faults answered as pages, as in production."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return app


@pytest.fixture
def staff(database: Database) -> dict[Role, Account]:
    """Give one account for each role, over all sites and studies."""
    with database.transaction(actor="test") as session:
        return {role: make_account(session, role) for role in Role}


@pytest.fixture
def browser(app: Flask, staff: dict[Role, Account]) -> Callable[[Role], FlaskClient]:
    """Give a function that signs a role in on a new browser: a call may end what was open before."""
    return lambda role: signed_in(app, staff[role], at=NOON)


class TestWhoOpensWhat:
    def test_every_route_has_a_line_in_the_table(self, app: Flask) -> None:
        missing = sorted({route.endpoint for route in routes(app) if route.audience is None})

        assert_none(missing)

    def test_every_rule_is_the_one_of_the_table(self, app: Flask) -> None:
        words = {Audience.PUBLIC: EVERYBODY, Audience.MACHINE: MACHINES}

        different = set()
        for route in routes(app):
            rule = guards.rule_of(app, route.endpoint)
            assert rule is not None
            if words.get(rule.audience, rule.roles or STAFF) != route.audience:
                different.add(f"{route.endpoint}: {rule}")

        assert_none(different)

    def test_nobody_gets_a_staff_page_without_signing_in(self, app: Flask, client: FlaskClient) -> None:
        inside = [route for route in routes(app) if route.is_staff_only]

        seen = [str(route) for route in inside if not leads_to_sign_in(ask(client, route))]

        assert len(inside) > 20
        assert_none(seen)

    def test_a_role_that_is_not_named_is_refused(
        self, app: Flask, browser: Callable[[Role], FlaskClient]
    ) -> None:
        cells = [
            (role, route)
            for route in routes(app)
            if isinstance(route.audience, frozenset)
            for role in STAFF - route.audience
        ]

        let_in = [(role, str(route)) for role, route in cells if ask(browser(role), route).status_code != 403]

        assert len(cells) > 50
        assert_none(let_in)

    def test_a_role_that_is_named_is_let_in(self, app: Flask, browser: Callable[[Role], FlaskClient]) -> None:
        cells = [(role, route) for route in routes(app) if route.is_staff_only for role in route.roles]

        refused = []
        for role, route in cells:
            answer = ask(browser(role), route)
            if answer.status_code == 403 or leads_to_sign_in(answer) != (route.endpoint == "account.sign_out"):
                refused.append((role, str(route), answer.status_code))

        assert_none(refused)

    def test_an_unsigned_call_of_a_machine_is_refused(self, app: Flask, client: FlaskClient) -> None:
        answers = {str(r): ask(client, r).status_code for r in routes(app) if r.audience == MACHINES}

        assert_none((route, status) for route, status in answers.items() if status != 403)

    def test_the_application_does_not_start_with_a_route_that_says_nothing(
        self, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        planted = Blueprint("planted", __name__)
        planted.add_url_rule("/staff/planted", "bare", lambda: "hello")
        monkeypatch.setattr(whole, "BLUEPRINTS", (*whole.BLUEPRINTS, planted))

        with pytest.raises(RuntimeError, match=r"do not say who may call them: planted\.bare"):
            whole.create_app(settings, database=database)


class TestMadeUpKeys:
    def test_are_not_found_by_those_who_may_look(
        self, app: Flask, client: FlaskClient, browser: Callable[[Role], FlaskClient]
    ) -> None:
        found = []
        for route in routes(app):
            if not route.has_keys or route.method != "GET" or route.audience == MACHINES:
                continue
            if route.endpoint in ONLY_A_DOOR:
                continue
            lookers = [browser(role) for role in route.roles] if route.is_staff_only else [client]
            not_there = (404, 410) if route.endpoint.startswith(ON_THE_WAY) else (404,)
            found += [
                (str(route), status)
                for looker in lookers
                if (status := ask(looker, route).status_code) not in not_there
            ]

        assert_none(found)

    def test_change_nothing_and_break_nothing(
        self, app: Flask, client: FlaskClient, browser: Callable[[Role], FlaskClient]
    ) -> None:
        odd = []
        for route in routes(app):
            if not route.has_keys or route.method not in UNSAFE:
                continue
            actors = [browser(role) for role in route.roles] if route.is_staff_only else [client]
            odd += [
                (str(route), status)
                for who in actors
                if not 400 <= (status := ask(who, route).status_code) < 500
            ]

        assert_none(odd)


class TestEmptyHands:
    def test_break_nothing(
        self, app: Flask, client: FlaskClient, browser: Callable[[Role], FlaskClient]
    ) -> None:
        broken = []
        for route in routes(app):
            if route.has_keys:
                continue
            who = browser(route.roles[0]) if route.is_staff_only else client
            status = ask(who, route).status_code
            shows_something = route.method == "GET" and not route.endpoint.startswith(ON_THE_WAY)
            if status >= (400 if shows_something else 500):
                broken.append((str(route), status))

        assert_none(broken)


class TestForgery:
    def test_every_staff_post_needs_its_token(self, app: Flask, staff: dict[Role, Account]) -> None:
        unsafe = [route for route in routes(app) if route.is_staff_only and route.method in UNSAFE]

        accepted = []
        for route in unsafe:
            client = signed_in(app, staff[route.roles[0]], at=NOON)
            app.config["WTF_CSRF_ENABLED"] = True
            bare = ask(client, route)
            wrong = client.open(route.path, method=route.method, data={"csrf_token": "made-up"})
            accepted += [(str(route), a.status_code) for a in (bare, wrong) if a.status_code != 400]

        assert len(unsafe) > 10
        assert_none(accepted)

    def test_a_post_with_its_token_is_taken(self, app: Flask, staff: dict[Role, Account]) -> None:
        client = signed_in(app, staff[Role.RECRUITER], at=NOON)
        app.config["WTF_CSRF_ENABLED"] = True
        token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/staff/me").text)
        assert token is not None

        answer = client.post("/staff/sign-out", data={"csrf_token": token[1]})

        assert leads_to_sign_in(answer)

    def test_a_token_of_somebody_else_is_refused(self, app: Flask, staff: dict[Role, Account]) -> None:
        ana, bo = (signed_in(app, staff[role], at=NOON) for role in (Role.ADMIN, Role.RECRUITER))
        app.config["WTF_CSRF_ENABLED"] = True
        token = re.search(r'name="csrf_token" value="([^"]+)"', bo.get("/staff/me").text)
        assert token is not None

        assert ana.post("/staff/sign-out", data={"csrf_token": token[1]}).status_code == 400

    @pytest.mark.parametrize(
        "headers",
        [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}],
    )
    def test_a_public_post_from_another_site_is_refused(
        self, app: Flask, client: FlaskClient, headers: dict[str, str]
    ) -> None:
        public = [r for r in routes(app) if r.audience == EVERYBODY and r.method in UNSAFE]

        answers = {str(r): client.open(r.path, method=r.method, headers=headers).status_code for r in public}

        assert len(answers) > 2
        assert_none((route, status) for route, status in answers.items() if status != 422)


class TestHeaders:
    @pytest.fixture
    def faulty(
        self, settings: Settings, database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
    ) -> Flask:
        """Give the application over https, with a page that breaks and one that cannot work now."""
        planted = Blueprint("planted", __name__)

        @planted.get("/breaks")
        @allow(PUBLIC)
        def breaks() -> str:
            raise ZeroDivisionError

        @planted.get("/unavailable")
        @allow(PUBLIC)
        def unavailable() -> str:
            raise Unavailable("away")

        monkeypatch.setattr(whole, "BLUEPRINTS", (*whole.BLUEPRINTS, planted))
        outside = settings.model_copy(update={"public_url": "https://trials.example.org"})
        app = whole.create_app(outside, clock=clock, database=database)
        app.config["PROPAGATE_EXCEPTIONS"] = False
        return app

    def test_are_on_every_answer_whatever_it_says(self, faulty: Flask, staff: dict[Role, Account]) -> None:
        admin, anybody = signed_in(faulty, staff[Role.ADMIN], at=NOON), faulty.test_client()
        answers = [
            anybody.get("/no/such/page"),
            anybody.delete("/staff/sign-in"),
            anybody.post(
                "/staff/sign-in", data=b"x" * 70_000, content_type="application/x-www-form-urlencoded"
            ),
            anybody.post("/staff/sign-in", data={}),
            anybody.get("/static/no-such-file"),
        ]
        for route in routes(faulty):
            for client in (anybody, admin):
                answers += [client.open(route.path, method=m) for m in (route.method, "HEAD", "OPTIONS")]
        faulty.config["WTF_CSRF_ENABLED"] = True
        answers.append(signed_in_again(faulty, staff[Role.ADMIN]).post("/staff/sign-out"))

        bare = {(a.status_code, a.request.path, name) for a in answers for name in missing_headers(a)}

        assert {200, 303, 400, 403, 404, 405, 413, 422, 500, 503} <= {a.status_code for a in answers}
        assert_none(bare)

    def test_the_policy_leaves_no_gap(self) -> None:
        policy = security.CONTENT_SECURITY_POLICY

        assert policy.startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "*" not in policy

    def test_the_cookie_of_a_session_is_bound_to_https_and_host(
        self, faulty: Flask, staff: dict[Role, Account]
    ) -> None:
        cookie = faulty.test_client().get("/staff/me", base_url="https://trials.example.org")
        signed_out = signed_in(faulty, staff[Role.ADMIN], at=NOON).post(
            "/staff/sign-out", base_url="https://trials.example.org"
        )

        assert faulty.config["SESSION_COOKIE_NAME"] == "__Host-recruit"
        for line in (*cookie.headers.getlist("Set-Cookie"), *signed_out.headers.getlist("Set-Cookie")):
            assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= {
                part.strip() for part in line.split(";")
            }


def signed_in_again(app: Flask, account: Account) -> FlaskClient:
    """Give a browser that is signed in and must send tokens."""
    client = signed_in(app, account, at=NOON)
    app.config["WTF_CSRF_ENABLED"] = True
    return client


def missing_headers(answer: TestResponse) -> Iterator[str]:
    """Name the headers an answer lacks."""
    yield from (name for name, value in security.HEADERS.items() if answer.headers.get(name) != value)
    if "max-age=31536000" not in answer.headers.get("Strict-Transport-Security", ""):
        yield "Strict-Transport-Security"
    if not answer.request.path.startswith("/static/") and "no-store" not in answer.headers.get(
        "Cache-Control", ""
    ):
        yield "Cache-Control"


class TestReading:
    @contextmanager
    def writes(self, database: Database) -> Iterator[list[str]]:
        """Collect the statements that change something."""
        found: list[str] = []

        def look(
            _connection: Connection,
            _cursor: object,
            statement: str,
            _values: object,
            _context: object,
            _many: bool,
        ) -> None:
            if not READING.match(statement):
                found.append(" ".join(statement.split()))

        sa.event.listen(database.engine, "before_cursor_execute", look)
        try:
            yield found
        finally:
            sa.event.remove(database.engine, "before_cursor_execute", look)

    def test_changes_nothing(
        self, app: Flask, client: FlaskClient, database: Database, clock: FixedClock, staff: dict[Role, Account]
    ) -> None:
        browsers = {role: signed_in(app, account, at=NOON) for role, account in staff.items()}
        clock.move_to(NOON + timedelta(minutes=2))
        pages = [route for route in routes(app) if route.method == "GET" and not route.has_keys]

        written = {}
        for name, browser in [("nobody", client), *browsers.items()]:
            for route in pages:
                with self.writes(database) as statements:
                    ask(browser, route)
                written[f"{route} as {name}"] = statements

        changes = [statement for statements in written.values() for statement in statements]
        odd = {
            page: found
            for page, statements in written.items()
            if (found := [statement for statement in statements if not MAY_BE_WRITTEN.match(statement)])
        }
        assert_none(odd.items())
        assert any("login_session" in statement for statement in changes)

    def test_a_change_would_be_noticed(self, database: Database) -> None:
        with self.writes(database) as statements, database.transaction(actor="test") as session:
            account = make_account(session)
            session.execute(sa.update(Account).where(Account.id == account.id).values(theme="dark"))

        assert [s.split()[0] for s in statements if not MAY_BE_WRITTEN.match(s)] == [
            "INSERT",
            "INSERT",
            "UPDATE",
        ]
