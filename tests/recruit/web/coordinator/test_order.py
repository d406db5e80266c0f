"""A coordinator leaves the order of the questions to what settles most, and takes it back."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from recruit.accounts.models import Role
from recruit.db import Database, found
from recruit.studies import versions
from recruit.studies.models import QuestionnaireVersion
from recruit.studies.reading import document_of
from screening.asking.questionnaire import Document
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import AT, OpenStudy, make_account, make_open_study
from tests.web_components.dom import parse


@pytest.fixture
def study(database: Database) -> OpenStudy:
    """Give an open study."""
    with database.transaction(actor="test") as session:
        return make_open_study(session)


@pytest.fixture
def draft(database: Database, study: OpenStudy) -> UUID:
    """Give a draft of its next questionnaire."""
    with database.transaction(actor="test") as session:
        return versions.draft_questionnaire(session, study.study.id, document_of(study.questionnaire), at=AT).id


@pytest.fixture
def client(app: Flask, database: Database) -> FlaskClient:
    """Give a coordinator's browser."""
    with database.transaction(actor="test") as session:
        account = make_account(session, Role.COORDINATOR)
    return signed_in(app, account, at=NOON)


def held(database: Database, version_id: UUID) -> Document:
    with database.reading() as session:
        return Document.model_validate(found(session, QuestionnaireVersion, version_id).document)


def save(client: FlaskClient, study: OpenStudy, draft: UUID, **changes: object) -> None:
    """Send the form as the page fills it in, with a change."""
    page = parse(client.get(f"/staff/studies/{study.study.id}/questions").get_data(as_text=True))
    form = next(one for one in page.all("form") if one.attrs.get("action", "").endswith("/frame"))
    fields: dict[str, object] = {}
    for field in form.all("input"):
        if field.attrs.get("type") != "checkbox":
            fields[field.attrs["name"]] = field.attrs.get("value", "")
        elif "checked" in field.attrs:
            fields.setdefault(field.attrs["name"], []).append(field.attrs["value"])  # type: ignore[attr-defined]
    answer = client.post(f"/staff/questionnaire-versions/{draft}/frame", data=fields | changes)
    assert answer.status_code == 303, answer.get_data(as_text=True)


def test_the_order_is_chosen_once_that_is_ticked(
    client: FlaskClient, database: Database, study: OpenStudy, draft: UUID
) -> None:
    before = held(database, draft)

    save(client, study, draft, order=["adaptive"])

    assert held(database, draft) == before.model_copy(update={"order": "adaptive"})
    page = client.get(f"/staff/studies/{study.study.id}/questions").get_data(as_text=True)
    assert "The order is chosen for each person" in page


def test_another_change_leaves_it_as_it_is(
    client: FlaskClient, database: Database, study: OpenStudy, draft: UUID
) -> None:
    save(client, study, draft, order=["adaptive"])

    save(client, study, draft, languages="en")

    assert held(database, draft).order == "adaptive"
    assert held(database, draft).languages == ("en",)


def test_it_can_be_taken_back(client: FlaskClient, database: Database, study: OpenStudy, draft: UUID) -> None:
    save(client, study, draft, order=["adaptive"])

    save(client, study, draft, order=[])

    assert held(database, draft).order == "fixed"
