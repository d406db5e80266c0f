"""The page of a draft says, before its button, what refuses it, what to look at, and what is still text."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from recruit.accounts.models import Role
from recruit.db import Database
from recruit.studies import versions
from recruit.studies.models import ProtocolVersion, VersionStatus
from recruit.vocabulary import terms, vocabulary_of
from screening.language.notation import parse
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import OpenStudy, make_account, make_open_study
from tests.web_components.dom import parse as read

BUTTON = "Publish version 2"


@pytest.fixture
def opened(database: Database) -> OpenStudy:
    with database.transaction(actor="test") as session:
        return make_open_study(session)


@pytest.fixture
def ana(app: Flask, database: Database) -> FlaskClient:
    """Give the browser of somebody who coordinates everything."""
    with database.transaction(actor="test") as session:
        account = make_account(session, Role.COORDINATOR)
    return signed_in(app, account, at=NOON)


def drafted(database: Database, opened: OpenStudy, *criteria: str) -> ProtocolVersion:
    """Draft criteria, numbered in their order."""
    lines = (
        f'{kind} c{place} number "{place}" text "as written" {rest}'
        for place, (kind, _, rest) in enumerate((one.partition(" ") for one in criteria), start=1)
    )
    with database.transaction(actor="test") as session:
        vocabulary = vocabulary_of(session, opened.study.id)
        protocol = parse("\n".join(["language 1", *lines]), vocabulary=vocabulary, terms=terms())
        return versions.draft_protocol(session, opened.study.id, protocol, at=NOON)


def listed(browser: FlaskClient, opened: OpenStudy) -> tuple[list[str], list[str], str]:
    """Give the items of all lists, the addresses that they lead to, and the whole page."""
    page = browser.get(f"/staff/studies/{opened.study.id}/criteria").text
    items = read(page).all("li")
    links = [str(link.attrs["href"]) for item in items for link in item.all("a")]
    return [item.text for item in items], links, page


def test_names_every_reason_with_the_places_where_it_is_put_right(
    database: Database, opened: OpenStudy, ana: FlaskClient
) -> None:
    draft = drafted(
        database,
        opened,
        "include rule age >= 18 years",
        "exclude rule age >= 18 years",
        "exclude rule vaping is yes",
    )

    items, links, page = listed(ana, opened)

    assert any("Criteria 1, 2 exclude one another" in item for item in items)
    assert any("No question asks for" in item and "(criteria: 3)" in item for item in items)
    for name in ("c1", "c2"):
        assert f"/staff/protocol-versions/{draft.id}/criteria/{name}" in links
    assert f"/staff/studies/{opened.study.id}/questions" in links
    assert BUTTON not in page


def test_refuses_a_post_that_comes_all_the_same(
    database: Database, opened: OpenStudy, ana: FlaskClient
) -> None:
    draft = drafted(database, opened, "include rule age >= 18 years", "exclude rule age >= 18 years")

    answer = ana.post(f"/staff/protocol-versions/{draft.id}/publish")

    assert answer.status_code == 422
    assert "Criteria 1, 2 exclude one another" in answer.text
    with database.reading() as session:
        assert session.get_one(ProtocolVersion, draft.id).status is VersionStatus.DRAFT


def test_shows_what_to_look_at_and_what_is_still_text_beside_the_button(
    database: Database, opened: OpenStudy, ana: FlaskClient
) -> None:
    drafted(database, opened, "include rule pregnant is yes or pregnant is no", "exclude")

    items, links, page = listed(ana, opened)

    assert any("Everybody passes criterion 1" in item for item in items)
    assert any(link.endswith("/criteria/c1") for link in links)
    assert "1 criterion is still text" in page
    assert BUTTON in page


def test_calls_a_fact_by_its_name_in_the_readers_language(
    app: Flask, database: Database, opened: OpenStudy
) -> None:
    drafted(database, opened, "exclude rule vaping is yes")
    with database.transaction(actor="test") as session:
        label = vocabulary_of(session, opened.study.id)["vaping"].text("label", "es")
        account = make_account(session, Role.COORDINATOR)
        account.language = "es"

    items, _, _ = listed(signed_in(app, account, at=NOON), opened)

    assert any(f"«{label}»" in item for item in items)
