"""A draft of criteria, as a coordinator sees what a registry said."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from recruit.accounts.models import Role
from recruit.db import Database
from recruit.studies.models import Study
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import make_account, make_open_study
from tests.recruit.interop.records import make_document

SILENT = "names no criterion"


@pytest.fixture
def ana(app: Flask, database: Database) -> FlaskClient:
    """Give the browser of somebody who coordinates everything."""
    with database.transaction(actor="test") as session:
        account = make_account(session, Role.COORDINATOR)
    return signed_in(app, account, at=NOON)


def send(browser: FlaskClient, text: str) -> None:
    """Import the record of one study with this eligibility text."""
    document = make_document({"eligibilityModule.eligibilityCriteria": text})
    file = (BytesIO(json.dumps(document).encode()), "NCT01234567.json")
    assert browser.post("/staff/studies/import", data={"files": [file]}).status_code == 200


def page_of(browser: FlaskClient, database: Database, query: str = "") -> str:
    """Open the criteria of the only study."""
    with database.reading() as session:
        study_id = session.scalars(sa.select(Study.id)).one()
    return browser.get(f"/staff/studies/{study_id}/criteria{query}").text


class TestWhatTheRegistryLeavesOut:
    def test_is_told_beside_the_draft_in_the_registrys_words(
        self, database: Database, ana: FlaskClient
    ) -> None:
        send(ana, "Inclusion Criteria:\n\n* Asthma\n\nExclusion Criteria: None")

        page = page_of(ana, database)

        assert SILENT in page
        assert "Exclusion Criteria: “None”" in page

    def test_is_told_in_the_next_draft_as_well(self, database: Database, ana: FlaskClient) -> None:
        send(ana, "Inclusion Criteria:\n\n* Asthma\n\nExclusion Criteria: None")
        with database.reading() as session:
            study_id = session.scalars(sa.select(Study.id)).one()

        ana.post(f"/staff/studies/{study_id}/criteria")

        assert SILENT in page_of(ana, database)

    def test_is_told_where_only_that_is_new_in_the_record(self, database: Database, ana: FlaskClient) -> None:
        send(ana, "Inclusion Criteria:\n\n* Asthma")
        assert SILENT not in page_of(ana, database)

        send(ana, "Inclusion Criteria:\n\n* Asthma\n\nExclusion Criteria: None")

        assert SILENT in page_of(ana, database)

    def test_goes_with_the_record_that_a_version_was_drafted_from(
        self, database: Database, ana: FlaskClient
    ) -> None:
        send(ana, "Inclusion Criteria:\n\n* Asthma\n\nExclusion Criteria: None")

        send(ana, "Inclusion Criteria:\n\n* Asthma\n\nExclusion Criteria:\n\n* Stroke")

        assert SILENT not in page_of(ana, database)
        assert SILENT in page_of(ana, database, "?version=1")

    def test_is_not_spoken_of_where_no_registry_said_anything(
        self, database: Database, ana: FlaskClient
    ) -> None:
        with database.transaction(actor="test") as session:
            make_open_study(session)

        page = page_of(ana, database)

        assert SILENT not in page
