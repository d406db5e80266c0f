"""The document: strict, immutable, hashed."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from screening.asking.questionnaire import (
    Document,
    Outcome,
    document_from_json,
    document_hash,
    document_to_json,
    language_hash,
)
from screening.texts import Respondent, Text
from tests.screening.questionnaire.documents import (
    ASTHMA,
    both,
    choices,
    denies,
    flag_question,
    make_document,
    make_json,
    option,
    shown_if_is,
    states,
    typed,
    yes_no,
)

GOLDEN = "e9581e887cf1dfedccab2bf635afb9ed21026438adfe9afe24141e1de35cef4c"


def everything() -> Document:
    return make_document(
        flag_question("smokes", "smoker", section="lungs", why_we_ask=both("Smoke changes the lungs")),
        choices("multiple", "conditions", option("asthma", asserts=states(ASTHMA), denies=denies(ASTHMA))),
        choices("coded_list", "medicines", option("metformin"), other=False),
        typed("integer", "daily", show_if=shown_if_is("smokes"), limits={"least": "1", "most": "200"}),
        typed("quantity", "hba1c", units=[{"code": "%", "text": both("%"), "soft_check": {"most": "15"}}]),
        typed("height", "height", soft_check=None, errors={"required": both("Enter a height")}),
        typed("weight", "weight", units=["kg"]),
        typed("date", "since", accepts=["month"], key="conditions", statement=states(ASTHMA)[0]["value"]),
        typed("age", "age", key="birth"),
        typed("zip", "zip"),
        typed("short_text", "remark"),
        typed("statement", "pause", show_if={"op": "not", "of": shown_if_is("smokes")}),
        sections=[{"id": "lungs", "title": both("Your lungs")}],
        exceptions=[{"phrase": "eligible", "reason": "The sponsor's approved sentence denies it"}],
    )


class TestCanonicalForm:
    def test_reads_back_what_it_writes_to_the_byte(self) -> None:
        document = everything()

        written = document_to_json(document)

        assert document_from_json(written) == document
        assert document_to_json(document_from_json(written)) == written

    def test_is_the_same_however_the_source_was_ordered(self) -> None:
        source = make_json()

        shuffled = json.loads(json.dumps(dict(reversed(source.items()))))

        assert document_hash(Document.model_validate(shuffled)) == document_hash(
            Document.model_validate(source)
        )

    def test_keeps_its_hash_for_good(self) -> None:
        document = everything()

        digest = document_hash(document)

        assert digest == GOLDEN, "a stored version would no longer match its approval"

    def test_changes_its_hash_with_any_word(self) -> None:
        first = make_document(yes_no("smokes"))

        second = make_document(yes_no("smokes", hint=both("Cigars count")))

        assert document_hash(first) != document_hash(second)


class TestLanguageHash:
    def test_is_untouched_by_another_language(self) -> None:
        before = make_document(yes_no("smokes", text={"en": "Do you smoke?"}), languages=["en"])
        after = make_document(
            yes_no("smokes", text={"en": "Do you smoke?", "es": "¿Fuma?"}), languages=["en", "es"]
        )

        assert language_hash(before, "en") == language_hash(after, "en")
        assert language_hash(before, "es") != language_hash(after, "es")

    @pytest.mark.parametrize(
        "changed",
        [
            yes_no("smokes", text=both("Do you smoke at all?")),
            yes_no("smokes", allow_unknown=True),
            flag_question("smokes", "smoker"),
            yes_no("smokes", errors={"required": both("Select yes if you smoke")}),
            yes_no("smokes", unknown_text=both("Not sure")),
        ],
    )
    def test_changes_with_the_words_and_the_logic_of_its_own(self, changed: dict[str, object]) -> None:
        before = make_document(yes_no("smokes"))

        after = make_document(changed)

        assert language_hash(before, "en") != language_hash(after, "en")
        assert language_hash(before, "es") != language_hash(after, "es")


class TestStrictness:
    @pytest.mark.parametrize(
        "broken",
        [
            {"typo": 1},
            {"format": 2},
            {"languages": []},
            {"languages": ["English"]},
            {"order": "random"},
            {"items": []},
            {"items": [yes_no("smokes", skip_if="x")]},
            {"items": [yes_no("Smokes!")]},
            {"items": [yes_no("smokes", text={"en": "bad \x00"})]},
            {"items": [yes_no("smokes", text={"en": "bad \ud800"})]},
            {"items": [yes_no("smokes", text={"en": {"cousin": "x"}})]},
            {"items": [yes_no("smokes", options=[option("no"), option("yes")])]},
            {"items": [yes_no("smokes", show_if={"op": "is", "item": "a", "code": "yes", "extra": 1})]},
            {"items": [yes_no("smokes", show_if={"op": "xor", "of": []})]},
            {"items": [yes_no("smokes", show_if={"op": "all", "of": []})]},
            {"items": [yes_no("smokes", show_if={"op": "at_least", "item": "a", "value": "NaN"})]},
            {"items": [yes_no("smokes", errors={"no_such_slip": both("x")})]},
            {"items": [{"type": "telepathy", "id": "a", "text": both("?")}]},
            {"items": [choices("single", "sex")]},
            {"items": [choices("single", "sex", option("dont_know"))]},
            {
                "items": [
                    choices("single", "sex", option("a", asserts=[{"key": "k", "value": {"type": "flag"}}]))
                ]
            },
            {
                "items": [
                    choices(
                        "multiple", "sex", option("a", denies=[{"key": "k", "value": {"system": "ICD-10-CM"}}])
                    )
                ]
            },
            {"items": [typed("integer", "n", limits={"least": "5", "most": "1"})]},
            {"items": [typed("integer", "n", limits={"least": 1.5})]},
            {"items": [typed("height", "h", units=["ell"])]},
            {"items": [typed("date", "d", key="k", statement={"type": "flag", "value": True})]},
            {"items": [typed("date", "d", statement=states(ASTHMA)[0]["value"])]},
            {"results": {"eligible": {"heading": both("x"), "body": both("x")}}},
            {"consents": [{"purpose": "marketing", "version": "1", "text": both("x")}]},
        ],
        ids=lambda broken: str(broken)[:60],
    )
    def test_refuses_what_it_does_not_know(self, broken: dict[str, object]) -> None:
        source: dict[str, Any] = make_json() | broken

        with pytest.raises(ValidationError):
            Document.model_validate(source)

    def test_cannot_be_changed(self) -> None:
        document = everything()

        with pytest.raises(ValidationError):
            document.order = "adaptive"  # type: ignore[misc]
        with pytest.raises(TypeError):
            document.title.root["en"] = {}  # type: ignore[index]
        with pytest.raises(TypeError):
            document.results[Outcome.LATER] = document.results[Outcome.MAY_FIT]  # type: ignore[index]


class TestText:
    def test_speaks_by_language_and_respondent_and_falls_back(self) -> None:
        text = Text.model_validate({"en": {"self": "Do you?", "child": "Does your child?"}, "es": "¿Usted?"})

        said = [
            text.say("en", Respondent.CHILD),
            text.say("en", Respondent.CARED_FOR),
            text.say("es", Respondent.CHILD),
            text.say("fr"),
        ]

        assert said == ["Does your child?", "Do you?", "¿Usted?", "Do you?"]
