"""Why something cannot be published or activated yet is told in the reader's language."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale

from recruit.accounts.models import Role
from recruit.db import Database
from recruit.studies import editing, versions
from recruit.web import fields
from screening.asking.questionnaire import Document
from screening.saying import Saying
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import OpenStudy, make_account, make_open_study
from tests.recruit.web.coordinator.pages import address
from tests.web_components.dom import parse

WHY = {
    "en": "The protocol needs pregnant, which a participant knows, but no question asks it.",
    "es": "El protocolo necesita pregnant, que el participante conoce, pero ninguna pregunta lo pide.",
}


@pytest.fixture
def made(database: Database) -> OpenStudy:
    """Give an open study with a draft of its questions that asks too little."""
    with database.transaction(actor="test") as session:
        made = make_open_study(session)
        document = editing.without_item(Document.model_validate(made.questionnaire.document), "pregnant")
        versions.draft_questionnaire(session, made.study.id, document, at=NOON)
    return made


@pytest.fixture(params=["en", "es"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def browser(app: Flask, database: Database, language: str) -> FlaskClient:
    with database.transaction(actor="test") as session:
        account = make_account(session, Role.COORDINATOR)
        account.language = language
    return signed_in(app, account, at=NOON)


def test_what_keeps_questions_from_being_published(
    app: Flask, database: Database, browser: FlaskClient, made: OpenStudy, language: str
) -> None:
    with database.reading() as session:
        where = address(app, session, made, "questions")

    page = parse(browser.get(where).text)

    assert WHY[language] in [one.text for one in page.all("li")]


def test_days_are_written_as_the_reader_writes_them(app: Flask, language: str) -> None:
    expired = Saying("%(day)s", {"day": date(2026, 11, 17)})

    with app.test_request_context(), force_locale(language):
        told = fields.worded(expired)

    assert told == {"en": "Nov 17, 2026", "es": "17 nov 2026"}[language]
