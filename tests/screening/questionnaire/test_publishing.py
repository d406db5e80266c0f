"""The publish gate names every fault and the question that has it."""

from collections.abc import Collection
from typing import Any

import pytest

from screening.asking.faults import MESSAGES, WARNINGS, Fault, Problem
from screening.asking.publishing import problems
from screening.asking.questionnaire import Document
from tests.screening.questionnaire.documents import (
    ASTHMA,
    both,
    choices,
    denies,
    flag_question,
    make_document,
    make_json,
    make_vocabulary,
    option,
    shown_if_is,
    states,
    typed,
    yes_no,
)

SMOKES = flag_question("smokes", "smoker")
FEMALE = [{"key": "sex", "value": {"type": "choice", "codes": ["female"]}}]


def gate(
    document: Document, *, needed: Collection[str] = ("smoker",), languages: Collection[str] = ("en", "es")
) -> tuple[Problem, ...]:
    return problems(document, keys_needed=needed, languages=languages, vocabulary=make_vocabulary())


def found(
    *items: dict[str, object], needed: Collection[str] = ("smoker",), **changes: object
) -> set[tuple[str, str]]:
    return {
        (problem.fault.value, problem.where)
        for problem in gate(make_document(*items, **changes), needed=needed)
    }


def single(value: dict[str, object], key: str) -> dict[str, object]:
    """Make a question whose one option states one value."""
    return choices("single", "q", option("x", asserts=[{"key": key, "value": value}]))


class TestGoodDocument:
    def test_passes(self) -> None:
        document = make_document(
            typed("statement", "pause"),
            typed("age", "age", key="birth"),
            yes_no("ever_smoked"),
            flag_question("smokes", "smoker", show_if=shown_if_is("ever_smoked")),
            typed("height", "height", key="height"),
            typed("weight", "weight", key="weight"),
            choices(
                "multiple",
                "lungs",
                option("asthma", asserts=states(ASTHMA), denies=denies(ASTHMA)),
                option("none", exclusive=True),
            ),
            typed(
                "date",
                "since",
                key="conditions",
                statement=states(ASTHMA)[0]["value"],
                show_if=shown_if_is("lungs", "asthma"),
            ),
            choices("single", "sex", option("female", asserts=FEMALE), option("male")),
            typed("zip", "zip"),
        )

        against = gate(document, needed=("smoker", "birth", "bmi", "conditions", "sex", "hba1c"))

        assert against == ()


class TestStructure:
    def test_takes_an_order_that_is_chosen_for_each_person(self) -> None:
        assert found(SMOKES, order="adaptive") == set()

    def test_names_doubled_ids_and_options(self) -> None:
        sex = choices("single", "sex", option("female", asserts=FEMALE), option("female"))

        against = found(SMOKES, SMOKES, sex, needed=("smoker", "sex"))

        assert against == {("duplicate_id", "smokes"), ("duplicate_option", "sex")}

    def test_names_a_section_that_does_not_exist(self) -> None:
        assert found(SMOKES | {"section": "lungs"}) == {("unknown_section", "smokes")}

    @pytest.mark.parametrize(
        ("condition", "wanted"),
        [
            (shown_if_is("ghost"), "dangling_reference"),
            (shown_if_is("later"), "backward_reference"),
            (shown_if_is("smokes"), "backward_reference"),
            (shown_if_is("first", "maybe"), "unknown_code"),
            (shown_if_is("first", "dont_know"), "unknown_code"),
            ({"op": "one_of", "item": "first", "codes": ["yes", "maybe"]}, "unknown_code"),
            ({"op": "at_least", "item": "first", "value": "3"}, "wrong_condition"),
            (shown_if_is("count"), "unknown_code"),
            ({"op": "at_least", "item": "count", "value": "3", "unit": "kg"}, "wrong_condition"),
            ({"op": "at_least", "item": "hba1c", "value": "7"}, "wrong_condition"),
            ({"op": "not", "of": {"op": "any", "of": [shown_if_is("ghost")]}}, "dangling_reference"),
        ],
        ids=str,
    )
    def test_names_the_question_whose_condition_is_broken(
        self, condition: dict[str, object], wanted: str
    ) -> None:
        units = [{"code": "%", "text": both("%")}, {"code": "mmol/mol", "text": both("mmol/mol")}]
        document = make_document(
            yes_no("first"),
            typed("integer", "count"),
            typed("quantity", "hba1c", units=units, key="hba1c"),
            SMOKES | {"show_if": condition},
            flag_question("later", "smoker"),
        )

        against = [
            p for p in gate(document, needed=("smoker", "hba1c")) if p.fault is not Fault.UNUSED_QUESTION
        ]

        assert [(problem.fault.value, problem.where) for problem in against] == [(wanted, "smokes")]


class TestReachability:
    @pytest.mark.parametrize(
        "condition",
        [
            {"op": "all", "of": [shown_if_is("a"), shown_if_is("a", "no")]},
            {"op": "all", "of": [shown_if_is("lungs", "asthma"), shown_if_is("lungs", "none")]},
            {"op": "all", "of": [shown_if_is("b"), shown_if_is("a", "no")]},
            {"op": "at_least", "item": "count", "value": "11"},
            {"op": "not", "of": {"op": "at_least", "item": "count", "value": "0"}},
            {
                "op": "all",
                "of": [
                    {"op": "at_least", "item": "count", "value": "5"},
                    {"op": "not", "of": {"op": "at_least", "item": "count", "value": "3"}},
                ],
            },
            {"op": "about", "respondents": ["cared_for"]},
            {"op": "not", "of": {"op": "about", "respondents": ["self"]}},
        ],
        ids=str,
    )
    def test_names_a_question_that_no_answers_lead_to(self, condition: dict[str, object]) -> None:
        against = found(*self.before(), SMOKES | {"show_if": condition})

        assert against == {("unreachable", "smokes")}

    @pytest.mark.parametrize(
        "condition",
        [
            {"op": "all", "of": [shown_if_is("lungs", "asthma"), shown_if_is("lungs", "copd")]},
            {
                "op": "all",
                "of": [
                    {"op": "not", "of": shown_if_is("lungs", "asthma")},
                    {"op": "not", "of": shown_if_is("lungs", "none")},
                ],
            },
            {
                "op": "all",
                "of": [
                    {"op": "at_least", "item": "count", "value": "2.5"},
                    {"op": "not", "of": {"op": "at_least", "item": "count", "value": "3.5"}},
                ],
            },
            {"op": "not", "of": {"op": "at_least", "item": "count", "value": "1"}},
            shown_if_is("lungs", "none"),
            shown_if_is("b"),
            {"op": "not", "of": shown_if_is("b")},
        ],
        ids=str,
    )
    def test_proves_that_a_question_can_be_reached(self, condition: dict[str, object]) -> None:
        against = found(*self.before(), SMOKES | {"show_if": condition})

        assert against == set()

    def test_says_where_a_proof_would_take_too_long(self) -> None:
        many = choices("multiple", "lungs", *(option(f"o{number}") for number in range(12)))
        condition = {"op": "all", "of": [shown_if_is("lungs", f"o{number}") for number in range(12)]}

        against = gate(make_document(many, SMOKES | {"show_if": condition}))

        assert [(problem.fault, problem.blocks) for problem in against] == [(Fault.NOT_PROVED, False)]

    @staticmethod
    def before() -> list[dict[str, object]]:
        """Give questions to depend on; each is used, so that only reachability is at stake."""
        lungs = choices("multiple", "lungs", option("asthma"), option("copd"), option("none", exclusive=True))
        used = {
            "op": "any",
            "of": [shown_if_is(i, c) for i, c in (("a", "yes"), ("b", "yes"), ("lungs", "asthma"))],
        }
        counted = {"op": "at_least", "item": "count", "value": "1"}
        return [
            yes_no("a"),
            yes_no("b", show_if=shown_if_is("a")),
            lungs,
            typed("integer", "count", limits={"least": "0", "most": "10"}),
            typed("short_text", "remark", show_if={"op": "any", "of": [used, counted]}),
        ]


class TestUsefulness:
    def test_names_a_question_that_nothing_uses_even_through_another(self) -> None:
        against = found(
            SMOKES,
            yes_no("pets"),
            flag_question("lonely", "hopeless", show_if=shown_if_is("pets")),
            safety_page=both("Call 988"),
        )

        assert against == {
            ("unused_question", "pets"),
            ("unused_question", "lonely"),
            ("no_urgent_answer", "lonely"),
        }

    def test_counts_a_chain_of_filter_questions_as_used(self) -> None:
        chain = [yes_no("a"), yes_no("b", show_if=shown_if_is("a")), SMOKES | {"show_if": shown_if_is("b")}]

        assert found(*chain) == set()

    def test_names_a_fact_that_participants_know_and_nobody_asks(self) -> None:
        against = found(SMOKES, needed=("smoker", "sex", "bmi", "hba1c"))

        assert against == {("no_question", "sex"), ("no_question", "height"), ("no_question", "weight")}

    def test_names_a_needed_fact_that_the_vocabulary_lacks(self) -> None:
        assert found(SMOKES, needed=("smoker", "shoe_size")) == {("unknown_key", "shoe_size")}


class TestMappings:
    @pytest.mark.parametrize(
        ("item", "wanted"),
        [
            (flag_question("q", "shoe_size"), "unknown_key"),
            (flag_question("q", "sex"), "wrong_value"),
            (flag_question("q", "birth"), "wrong_value"),
            (typed("height", "q", key="weight"), "wrong_value"),
            (typed("height", "q", key="bmi"), "wrong_value"),
            (typed("decimal", "q", key="height", unit="furlongs"), "wrong_value"),
            (typed("age", "q", key="height"), "wrong_value"),
            (typed("date", "q", key="conditions"), "wrong_value"),
            (typed("date", "q", key="birth", statement=states(ASTHMA)[0]["value"]), "wrong_value"),
            (single({"type": "choice", "codes": ["both"]}, "sex"), "wrong_value"),
            (single({"type": "denial", "codes": [], "scope": "ever"}, "conditions"), "wrong_value"),
            (single({"type": "quantity", "lo": "1", "hi": "1", "unit": "cm"}, "birth"), "wrong_value"),
            (typed("zip", "q", key="sex"), "wrong_value"),
        ],
        ids=str,
    )  # fmt: skip
    def test_names_a_value_that_does_not_suit_its_fact(self, item: dict[str, object], wanted: str) -> None:
        document = make_document(SMOKES, item)
        every_key = [key.name for key in make_vocabulary()]

        against = {
            (p.fault.value, p.where)
            for p in gate(document, needed=every_key)
            if p.fault is not Fault.NO_QUESTION
        }

        assert against - {("unused_question", "q")} == {(wanted, "q")}

    def test_warns_of_what_can_be_affirmed_but_not_denied(self) -> None:
        yes = {"code": "yes", "asserts": states(ASTHMA)}
        told = yes_no("told", options=[yes, {"code": "no"}])
        open_list = choices("multiple", "open", option("asthma", asserts=states(ASTHMA)))
        closed = choices("multiple", "closed", option("asthma", asserts=states(ASTHMA)), exhaustive=True)

        against = gate(make_document(SMOKES, told, open_list, closed), needed=("smoker", "conditions"))

        assert [(p.fault, p.where, p.params["code"], p.blocks) for p in against] == [
            (Fault.NOTHING_DENIED, "told", "yes", False),
            (Fault.NOTHING_DENIED, "closed", "asthma", False),
        ]

    def test_takes_inches_for_a_height(self) -> None:
        assert (
            found(SMOKES, typed("decimal", "q", key="height", unit="[in_i]"), needed=("smoker", "height"))
            == set()
        )


class TestPages:
    def test_names_every_result_page_that_is_missing(self) -> None:
        source: dict[str, Any] = make_json(SMOKES)
        del source["results"]["waitlist"]

        against = gate(Document.model_validate(source))

        assert [(problem.fault.value, problem.where) for problem in against] == [
            ("outcome_missing", "waitlist")
        ]

    def test_names_a_missing_consent_a_doubled_one_and_a_missing_choice(self) -> None:
        registry = {"purpose": "registry", "version": "1", "text": both("Keep me")}

        against = found(
            SMOKES
            | {
                "text": {
                    "en": {"self": "Do you?", "cared_for": "Do they?"},
                    "es": {"self": "¿Usted?", "cared_for": "¿Ella?"},
                }
            },
            consents=[registry, registry],
            respondents=["self", "cared_for"],
        )

        assert against == {
            ("choice_missing", "cared_for"),
            ("consent_missing", "contact"),
            ("duplicate_consent", "registry"),
        }


class TestSafety:
    hopeless = flag_question("hopeless", "hopeless")

    def test_asks_for_a_safety_page_with_numbers_in_every_language(self) -> None:
        page = {"en": "Call 988 now", "es": "Llame ahora"}

        without = gate(make_document(self.hopeless), needed=("hopeless",))
        without_number = gate(make_document(self.hopeless, safety_page=page), needed=("hopeless",))

        assert [(p.fault.value, p.params.get("language")) for p in without] == [
            ("no_urgent_answer", None),
            ("safety_page_missing", "en"),
            ("safety_page_missing", "es"),
        ]
        assert [(p.fault.value, p.params.get("language")) for p in without_number] == [
            ("no_urgent_answer", None),
            ("safety_page_missing", "es"),
        ]

    def test_is_content_with_a_page_and_an_answer_that_opens_it(self) -> None:
        often = option(
            "often", urgent=True, asserts=[{"key": "hopeless", "value": {"type": "flag", "value": True}}]
        )
        document = make_document(
            choices("single", "hopeless", often, option("never")), safety_page=both("Call 988")
        )

        against = gate(document, needed=("hopeless",))

        assert against == ()


class TestWords:
    def test_names_every_place_that_is_not_translated(self) -> None:
        english = {"en": "Only English"}
        lungs = choices("single", "sex", {"code": "female", "text": english, "asserts": FEMALE}, hint=english)

        document = make_document(SMOKES | {"why_we_ask": english}, lungs, title=english)
        against = gate(document, needed=("smoker", "sex"))

        assert {(p.fault.value, p.where, p.params["place"], p.params["language"]) for p in against} == {
            ("missing_translation", "pages", "title", "es"),
            ("missing_translation", "smokes", "why_we_ask", "es"),
            ("missing_translation", "sex", "hint", "es"),
            ("missing_translation", "sex", "options.female.text", "es"),
        }

    def test_asks_for_a_language_in_which_the_study_recruits(self) -> None:
        against = gate(make_document(SMOKES), languages=("en", "ar"))

        assert {problem.params["language"] for problem in against} == {"ar"}
        assert ("smokes", "options.yes.text") in {
            (problem.where, problem.params["place"]) for problem in against
        }

    def test_asks_for_a_questions_own_wording_about_a_child(self) -> None:
        smokes = flag_question(
            "smokes",
            "smoker",
            text=both("Do you smoke?", "¿Fuma?"),
            hint=both("Count what you smoke in a day", "Cada día"),
        )

        against = gate(make_document(smokes, respondents=["self", "child"]))

        assert [(p.fault.value, p.params["place"], p.params["language"], p.blocks) for p in against] == [
            ("missing_translation", "text", "en", True),
            ("missing_translation", "text", "es", True),
            ("same_wording", "hint", "en", False),
        ]

    def test_needs_no_wording_about_oneself_where_only_children_take_part(self) -> None:
        text = {"en": {"child": "Does your child smoke?"}, "es": {"child": "¿Fuma su hijo?"}}

        against = gate(make_document(flag_question("smokes", "smoker", text=text), respondents=["child"]))

        assert against == ()

    @pytest.mark.parametrize("language", ["en", "es"])
    def test_names_a_forbidden_phrase_wherever_it_stands(self, language: str) -> None:
        words = {"en": "Congratulations, you\u2019re ELIGIBLE!", "es": "¡Felicidades! Usted es elegible."}
        text = both("Fine", "Bien") | {language: words[language]}
        results = {
            name: {"heading": text, "body": both("We call", "Le llamamos")}
            for name in ("may_fit", "need_to_talk", "not_this_study", "later", "waitlist")
        }

        against = gate(make_document(SMOKES | {"hint": text}, results=results, safety_page=text))

        assert all(problem.fault is Fault.FORBIDDEN_PHRASE and problem.blocks for problem in against)
        assert {(problem.where, problem.params["place"]) for problem in against} == {
            ("pages", "safety_page"),
            ("smokes", "hint"),
            *(("pages", f"results.{name}.heading") for name in results),
        }
        assert len({problem.params["phrase"] for problem in against}) == 2

    def test_lets_a_phrase_stand_with_a_reason(self) -> None:
        hint = both("This does not say that you are eligible", "Nada")
        exception = {"phrase": "eligible", "reason": "Sentence approved by the sponsor"}

        without = found(SMOKES | {"hint": hint})
        with_reason = found(SMOKES | {"hint": hint}, exceptions=[exception])

        assert without == {("forbidden_phrase", "smokes")}
        assert with_reason == set()

    def test_warns_of_two_ideas_in_one_question(self) -> None:
        smokes = flag_question("smokes", "smoker", text=both("Do you smoke and/or vape?", "¿Fuma?"))

        against = gate(make_document(smokes))

        assert [(problem.fault, problem.where, problem.blocks) for problem in against] == [
            (Fault.TWO_IDEAS, "smokes", False)
        ]


def test_has_a_message_for_every_fault() -> None:
    faults = set(Fault)

    missing = faults - set(MESSAGES)

    assert missing == set()
    assert faults >= WARNINGS


def test_fills_every_message_from_its_own_parameters() -> None:
    broken = make_document(
        yes_no("a", show_if=shown_if_is("ghost"), text={"en": "Are you eligible and/or well?"}),
        choices(
            "single", "sex", option("x"), option("x"), section="nowhere", show_if=shown_if_is("a", "maybe")
        ),
        flag_question("hopeless", "hopeless", show_if={"op": "at_least", "item": "a", "value": "1"}),
        flag_question("shoe", "shoe_size", show_if=shown_if_is("shoe")),
        results={},
        respondents=["self", "cared_for"],
        consents=[],
    )

    sentences = [MESSAGES[p.fault] % {"where": p.where, **p.params} for p in gate(broken, needed=("sex",))]

    assert len(sentences) > 15
    assert not any("%(" in sentence for sentence in sentences)


class TestNamedLists:
    NONE = option("none", asserts=denies({"system": "ICD-10-CM", "code": "*"}))

    def named(self, **changes: object) -> dict[str, object]:
        return typed("named_list", "others", about="condition", key="conditions", none=self.NONE, **changes)

    def test_serve_where_no_criterion_reads_them(self) -> None:
        assert found(SMOKES, self.named()) == set()

    def test_a_condition_may_read_that_there_is_nothing_to_name(self) -> None:
        follow = flag_question("smokes", "smoker", show_if=shown_if_is("others", "none"))
        wrong = flag_question("smokes", "smoker", show_if=shown_if_is("others", "asthma"))

        assert found(self.named(), follow) == set()
        assert ("unknown_code", "smokes") in found(self.named(), wrong)

    def test_names_one_that_would_state_something_else_than_its_key_holds(self) -> None:
        assert found(SMOKES, self.named() | {"key": "smoker"}) == {("wrong_value", "others")}
        assert found(SMOKES, self.named() | {"about": "medicine"}) == {("wrong_value", "others")}
