"""Hostile addresses: path parts and query strings that no page of ours ever links to."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from flask.testing import FlaskClient
from werkzeug.routing import AnyConverter, Rule, UUIDConverter

from recruit.accounts.models import Role
from recruit.web.guards import Audience, rule_of
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import make_account
from tests.hostile.stages import Stage
from tests.hostile.worlds import World, concluded

PARTS = (
    *("%00", "abc%00", "%ED%A0%80", "%FF%FE", "%F4%90%80%80", "%2F", "..%2F..%2Fetc%2Fpasswd", "%5C", "."),
    *("a" * 5_000, "%E2%80%AE", "%F0%9F%A6%93", "0", "-1", "9" * 40, "NaN", "%250a", "%0d%0aSet-Cookie:a=b"),
    *(
        "00000000-0000-0000-0000-000000000000",
        "{00000000-0000-0000-0000-000000000000}",
        "null",
        "'",
        "1_0",
        "+1",
    ),
)
NAMES = (
    *(
        "s",
        "zip",
        "check",
        "sent",
        "version",
        "language",
        "next",
        "page",
        "do",
        "visit",
        "day",
        "from",
        "until",
    ),
    *("site", "study", "q", "stage", "source", "actor", "subject", "sort", "before", "after", "m"),
)


def rules(world: World, *audiences: Audience) -> list[Rule]:
    """List the routes for these that show something."""
    found = []
    for rule in world.app.url_map.iter_rules():
        said = rule_of(world.app, rule.endpoint)
        if "GET" in (rule.methods or ()) and said is not None and said.audience in audiences:
            found.append(rule)
    return sorted(found, key=lambda rule: rule.rule)


def addresses(rule: Rule) -> Iterator[str]:
    """Fill a route's address with every hostile part, in each argument at once."""
    if not rule.arguments:
        return
    for part in PARTS:
        address = ""
        for is_dynamic, text in rule._trace:
            converter = rule._converters.get(text) if is_dynamic else None
            address += text if not is_dynamic else "es" if isinstance(converter, AnyConverter) else part
        yield address.lstrip("|")


def real(rule: Rule, world: World) -> str:
    """Fill a route's address so that it leads somewhere, where a name is all it takes."""
    known = {"language": "en", "slug": world.study.study.slug, "number": "1", "code": world.doctor}
    unknown = "00000000-0000-0000-0000-000000000000"
    values = {
        name: known.get(name, unknown if isinstance(converter, UUIDConverter) else "about")
        for name, converter in rule._converters.items()
    }
    with world.app.test_request_context():
        return world.app.url_for(rule.endpoint, **values)  # type: ignore[arg-type]


def queries() -> Iterator[str]:
    """Give query strings: every name with one hostile value after the other."""
    for shift in range(0, len(PARTS), 3):
        yield "&".join(f"{name}={PARTS[(shift + n) % len(PARTS)][:900]}" for n, name in enumerate(NAMES))
    yield from ("%", "&&==&", "%zz=%u0000", "a" * 6_000, "&".join(["s=1"] * 900), "s[]=1&s%00=2", "=%00")


def broken(client: FlaskClient, found: Iterator[str]) -> list[str]:
    """Open addresses; list those that break something."""
    failures = []
    for address in found:
        answer = client.get(address)
        if answer.status_code >= 500:
            failures.append(f"{address[:120]}: {answer.status_code}")
        answer.close()
    return failures


@pytest.fixture(scope="module")
def visitor(world: World) -> FlaskClient:
    """Give a browser in which somebody stands at the result."""
    client = world.app.test_client()
    Stage("/en/contact", lambda session, where: concluded(session, where.study)[1]).enter(client, world)
    return client


def test_no_path_breaks_a_public_page(world: World, visitor: FlaskClient) -> None:
    found = (address for rule in rules(world, Audience.PUBLIC) for address in addresses(rule))

    assert broken(visitor, found) == []


def test_no_query_breaks_a_public_page(world: World, visitor: FlaskClient) -> None:
    pages = [real(rule, world) for rule in rules(world, Audience.PUBLIC) if rule.endpoint != "static"]

    assert broken(visitor, (f"{page}?{query}" for page, query in product(pages, queries()))) == []


@pytest.mark.parametrize("role", list(Role))
def test_no_address_breaks_a_staff_page(world: World, role: Role) -> None:
    with world.database.transaction(actor="test") as session:
        account = make_account(session, role)
    client = signed_in(world.app, account, at=NOON)
    mine = [rule for rule in rules(world, Audience.ANY_STAFF) if _opens(world, rule, role)]

    bare = [rule.rule for rule in mine if not rule.arguments]

    assert broken(client, (address for rule in mine for address in addresses(rule))) == []
    assert broken(client, (f"{page}?{query}" for page, query in product(bare, queries()))) == []


def _opens(world: World, rule: Rule, role: Role) -> bool:
    said = rule_of(world.app, rule.endpoint)
    return said is not None and role in said.roles
