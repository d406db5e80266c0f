"""One world for a whole file: bad input leaves everything standing, so its tests can share it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from recruit.clock import FixedClock
from recruit.operations.models import Installation
from recruit.settings import Environment, Settings
from tests.conftest import NOON, SECRET, Databases, make_app
from tests.hostile.worlds import TWILIO_TOKEN, World, make_world


@pytest.fixture(scope="module")
def world(database_maker: Databases) -> Iterator[World]:
    """Give a world with two studies that take people."""
    database = database_maker()
    with database.transaction(actor="test") as session:
        session.add(Installation(id=1))
    settings = Settings(
        environment=Environment.TEST,
        database_url=database.engine.url.render_as_string(hide_password=False),
        secret_key=SECRET,
        log_level="ERROR",
        help_phone="+1 555 010 0100",
        public_url="http://localhost",
        twilio_auth_token=TWILIO_TOKEN,
    )
    app = make_app(settings, clock=FixedClock(NOON), database=database)
    app.config["WTF_CSRF_ENABLED"] = False
    yield make_world(app, database)
    database_maker.give_back(database)
