"""A recruiter of the network, one of another site, and one person who has just come in."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from recruit.accounts.models import Account, Role
from recruit.db import Database
from recruit.matching.models import Match
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import OpenStudy, make_account, make_open_study, make_site
from tests.recruit.arrivals import arrive, contact_of


@dataclass(frozen=True, slots=True)
class Desk:
    """The keys of what stands on the desk."""

    opened: OpenStudy
    match_id: UUID
    person_id: UUID
    url: str


@pytest.fixture
def desk(database: Database) -> Desk:
    """Make a study that takes people, and one person who fits."""
    with database.transaction(actor="test") as session:
        opened = make_open_study(session, nickname="MERIDIAN")
        match = arrive(session, opened, contact_of("Maria", "Lopez", phone="+13055550142"), at=NOON)
        return Desk(opened, match.id, match.person_id, f"/staff/desk/matches/{match.id}")


@pytest.fixture
def ana(database: Database) -> Account:
    """Make a recruiter of the whole network."""
    with database.transaction(actor="test") as session:
        return make_account(session, Role.RECRUITER, name="Ana Ortiz")


@pytest.fixture
def browser(app: Flask, ana: Account) -> FlaskClient:
    """Give the browser of the network's recruiter."""
    return signed_in(app, ana, at=NOON)


@pytest.fixture
def stranger(app: Flask, database: Database) -> FlaskClient:
    """Give the browser of a recruiter of another site."""
    with database.transaction(actor="test") as session:
        account = make_account(session, Role.RECRUITER, name="Bea", site_id=make_site(session).id)
    return signed_in(app, account, at=NOON)


def version_of(database: Database, match_id: UUID) -> int:
    """Give the number of the match's row as it stands."""
    with database.reading() as session:
        match = session.get(Match, match_id)
        assert match is not None
        return match.version
