"""At least 2,000 hostile bodies to every public route that takes a post, from where its form is shown."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from math import ceil

import pytest
from flask import Flask
from flask.testing import FlaskClient

from recruit.web.guards import Audience, rule_of
from tests.hostile.bodies import bodies, field_names
from tests.hostile.rows import oddities
from tests.hostile.stages import SPENT, Stage, invitation, stages
from tests.hostile.worlds import World

EACH = 2_000
AT_THE_FORM = 0.2
"""The part of the bodies that comes from where the form is shown, unless ``--slow`` asks for all of them; the
rest comes from a browser that never began, and is answered sooner."""
SHARDS = 6
SECURE = ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy")


def public_posts(app: Flask) -> set[str]:
    """Name the views that anybody may post to."""
    return {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ())
        and _audience(app, rule.endpoint) in (Audience.PUBLIC, Audience.MACHINE)
    }


def _audience(app: Flask, endpoint: str) -> Audience | None:
    said = rule_of(app, endpoint)
    return said.audience if said else None


@pytest.fixture(scope="module")
def tokens(world: World) -> list[str]:
    """Give the tokens of invitations that wait; whoever hits on two equal passwords uses one up."""
    with world.database.transaction(actor="test") as session:
        return [invitation(session) for _ in range(20)]


def test_every_public_form_has_a_stage(world: World, tokens: list[str]) -> None:
    assert set(stages(world, tokens)) == public_posts(world.app)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_hostile_body_breaks_a_public_route(
    world: World, tokens: list[str], shard: int, pytestconfig: pytest.Config
) -> None:
    part = 1.0 if pytestconfig.getoption("--slow") else AT_THE_FORM
    everything = [
        (f"{name} {number}", stage, ceil(EACH / len(forms)))
        for name, forms in sorted(stages(world, tokens).items())
        for number, stage in enumerate(forms)
    ]

    failures = [failure for form in everything[shard::SHARDS] for failure in attack(world, *form, part)]

    assert failures == []
    assert oddities(world.database) == []


def attack(world: World, name: str, stage: Stage, count: int, part: float) -> Iterator[str]:
    """Post hostile bodies to a form, bringing the browser back where one leads it away; say what broke."""
    client: FlaskClient = world.app.test_client()
    stage.enter(client, world)
    page = client.get(stage.address)
    fields = {**stage.names, **(field_names(page.text) if page.status_code == 200 else {})}
    seed = zlib.crc32(name.encode())
    for number, body in enumerate(bodies(fields, seed=seed, count=count)):
        if number == int(count * part) and stage.place is not None:
            client = world.app.test_client()
        answer = client.post(
            stage.address,
            data=body.data,
            content_type=body.content_type,
            headers=stage.headers(stage.address, body),
        )
        if answer.status_code >= 500 or any(name not in answer.headers for name in SECURE):
            yield f"{name} body {number}: {answer.status_code}"
        if answer.status_code in SPENT and number % 10 == 0 and number < count * part:
            stage.enter(client, world)
        answer.close()
