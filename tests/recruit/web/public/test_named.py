"""Conditions and medicines named in one's own words without scripts; and what scripts ask for."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from recruit.db import Database
from recruit.intake import drafts
from recruit.intake.models import Draft
from screening.asking.questionnaire import Document
from screening.asking.responses import Named
from tests.factories import OpenStudy
from tests.recruit.web.public.visitor import Visitor, ask_instead
from tests.screening.questionnaire.documents import both, make_document, option, typed
from tests.web_components.dom import Element

SUGAR_ONE = "E11|Type 2 diabetes|sugar"


def document() -> Document:
    """Give a questionnaire of two such questions."""
    return make_document(
        typed(
            "named_list", "others", about="condition", key="condition.any", allow_decline=True,
            text=both("What else do you have?", "¿Qué más tiene?"),
            none=option("none", text=both("Nothing else", "Nada más")),
        ),
        typed(
            "named_list", "medicines", about="medicine", key="medicine.any",
            text=both("What do you take?", "¿Qué toma?"),
        ),
    )  # fmt: skip


@pytest.fixture
def eva(app: Flask, study: OpenStudy, database: Database) -> Visitor:
    """Give somebody at the first of them."""
    ask_instead(database, study, document())
    return Visitor(app.test_client(), study.study.slug).begin()


def offered(page: Element, name: str) -> dict[str, str]:
    """Give what the boxes of a name say, by value."""
    labels = {label.attrs["for"]: label.text for label in page.all("label")}
    boxes = [box for box in page.all("input", name=name) if box.attrs["type"] != "hidden"]
    return {box.attrs["value"]: labels[box.attrs["id"]] for box in boxes}


def test_a_word_of_several_meanings_is_asked_back_and_kept_beside_the_choice(
    eva: Visitor, database: Database
) -> None:
    eva.send({"answer": "sugar", "look_up": "1"})
    assert eva.status == 422
    assert eva.errors == ["Select what you mean by “sugar”"]
    meanings = offered(eva.page, "meant")
    assert next(iter(meanings)) == "E11|Type 2 diabetes"
    assert meanings["own"] == "None of these: keep my words"
    assert eva.page.one("input", id="answer").attrs["value"] == "sugar"

    eva.send({"answer": "sugar", "meant": "E11|Type 2 diabetes", "look_up": "1"})
    assert eva.errors == []
    assert offered(eva.page, "named") == {SUGAR_ONE: "Type 2 diabetes (“sugar”)"}
    assert eva.page.one("input", id="answer").attrs["value"] == ""

    eva.send({"named": SUGAR_ONE, "answer": "my odd spleen"})
    eva.send({"named": SUGAR_ONE, "answer": "my odd spleen", "meant": "own"})
    eva.send({"answer": "metformin 500 mg"})

    assert "Type 2 diabetes (“sugar”); “my odd spleen”" in eva.page.text
    assert "Metformin (“metformin 500 mg”)" in eva.page.text
    with database.reading() as session:
        kept = drafts.open_draft(session, session.scalars(sa.select(Draft)).one()).answers["others"]
    assert isinstance(kept, Named)
    assert [(one.code, one.words) for one in kept.told] == [("E11", "sugar"), ("", "my odd spleen")]


def test_what_was_named_is_there_again_and_can_be_taken_away(eva: Visitor) -> None:
    eva.send({"answer": "asthma"}).get(eva.url("/questions/1"))
    assert offered(eva.page, "named") == {"J45|Asthma|asthma": "Asthma"}

    eva.send({"answer": "migraine", "look_up": "1"})

    assert list(offered(eva.page, "named").values()) == ["Migraine"]


def test_words_that_cannot_be_read_cost_nobody_the_list(eva: Visitor) -> None:
    eva.send({"named": SUGAR_ONE, "answer": "x" * 3_000})

    assert eva.status == 422
    assert offered(eva.page, "named") == {SUGAR_ONE: "Type 2 diabetes (“sugar”)"}


@pytest.mark.parametrize(
    "fields",
    [
        {"named": "Z99|Cured|x"},
        {"named": "||"},
        {"answer": "sugar", "asked": "sugar", "meant": "E11|<script>"},
        {"answer": "a\x00b"},
        {"none": "everything"},
        {"answer": "{{ 7 * 7 }}", "look_up": "1"},
    ],
)
def test_hostile_fields_are_refused_and_shown_as_text(eva: Visitor, fields: dict[str, str | list[str]]) -> None:
    eva.send(fields)

    assert eva.status == 422
    assert eva.errors
    assert "<script>" not in eva.html.replace("<script type=", "")


def test_nothing_to_name_is_an_answer(eva: Visitor) -> None:
    eva.send({"none": "none"})

    assert eva.heading == "What do you take?"


class TestSuggestions:
    def test_are_given_in_the_language_of_the_page(self, app: Flask) -> None:
        answer = app.test_client().post("/es/lookup", json={"about": "condition", "words": "presion al"})

        assert answer.status_code == 200
        assert answer.json is not None
        assert answer.json["found"][0] == {
            "label": "Presión arterial alta",
            "meant": "I10-I1A|Presión arterial alta",
        }
        assert answer.headers["Cache-Control"] == "no-store"

    def test_are_eight_at_most(self, app: Flask) -> None:
        answer = app.test_client().post("/en/lookup", json={"about": "medicine", "words": "co"})

        assert answer.json is not None
        assert len(answer.json["found"]) == 8

    def test_are_not_asked_for_by_address(self, app: Flask) -> None:
        assert app.test_client().get("/en/lookup?words=sugar&about=condition").status_code == 405

    @pytest.mark.parametrize(
        "body",
        [
            "", "null", "[]", "{", "1", '{"about": "condition"}', '{"about": "procedure", "words": "knee"}',
            '{"about": [], "words": "x"}', '{"about": "condition", "words": 7}', '{"about": {}, "words": {}}',
        ],
    )  # fmt: skip
    def test_refuse_another_shape(self, app: Flask, body: str) -> None:
        answer = app.test_client().post("/en/lookup", data=body, content_type="application/json")

        assert (answer.status_code, answer.json) == (422, {"found": []})

    def test_refuse_a_page_of_another_site(self, app: Flask) -> None:
        headers = {"Sec-Fetch-Site": "cross-site"}

        answer = app.test_client().post(
            "/en/lookup", json={"about": "condition", "words": "a"}, headers=headers
        )

        assert answer.status_code in (403, 409, 422)
        assert b"found" not in answer.data
