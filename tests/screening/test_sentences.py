from __future__ import annotations

import pytest
from hypothesis import given

from screening.editor.sentences import Telling, Told, sentence_of
from screening.facts import Code
from screening.language.criteria import Node
from screening.language.notation import parse_rule
from screening.language.tree import parts
from screening.terms import ATC, ICD10CM
from screening.vocabulary import About
from tests.screening.people import VOCABULARY
from tests.screening.trees import rules

SPANISH = {
    "{subject} is {wanted}": "{subject}: {wanted}",
    "more than {number}": "más de {number}",
    "measured {window}": "medido {window}",
    "in the {length} before {anchor}": "en los {length} antes de {anchor}",
    "{count} months": "{count} meses",
    "today": "hoy",
}
SENTENCES = {
    "age between 18 and 75 years": "Age is between 18 and 75 years.",
    "age >= 12, < 18 months": "Age is at least 12 and less than 18 months.",
    "bmi > 30 kg/m2 measured within 1 month before today": (
        "Body mass index is more than 30 kg/m2, measured in the 1 month before today."
    ),
    "alt <= 3.0 [ULN]": "ALT is at most 3 times the upper limit of normal.",
    "hba1c between 7 and 10 % | between 53 and 86 mmol/mol rounded to 1": (
        "HbA1c is between 7 and 10 % or between 53 and 86 mmol/mol, rounded to 1 decimal."
    ),
    "country is one of (us, ca)": "Country of residence: United States or Canada.",
    "pregnant is no decided by laboratory told by clinician": (
        "Pregnant: no, decided by a laboratory result only, a clinician tells."
    ),
    "last_vaccination at least 4 weeks before today": "Last vaccination lies 4 weeks or longer before today.",
    "condition in (C00-C97) but not in (C50) past": (
        "Had Cancer (C00-C97) (leaving out Cancer: Breast cancer (C50)), and no longer has."
    ),
    "medicine in (A10BA02) current for at least 3 months dose >= 500 mg/d route (oral)": (
        "Takes metformin (A10BA02) now, for 3 months or longer without a break, "
        "at a dose of at least 500 mg/d, by this route: oral."
    ),
    "condition such as (E11) ended within 2 years before today": (
        "Has or has had something such as Diabetes: Type 2 (E11), ended in the 2 years before today."
    ),
    "at least 2 kinds of medicine in (A10BA02, A10BH01) past": (
        "2 different kinds or more: Took metformin (A10BA02) or sitagliptin (A10BH01), and no longer does."
    ),
    "if sex is female then not pregnant is yes": (
        "If Sex registered at birth: Female, then (This does not hold: Pregnant: yes)."
    ),
    "case when sex is female then qtc < 470 ms else qtc < 450 ms end": (
        "When Sex registered at birth: Female, then QTc interval (ECG) is less than 470 ms, "
        "Otherwise QTc interval (ECG) is less than 450 ms."
    ),
    'at least 2 of (pregnant is yes; site("adequate  veins"); text(""))': (
        "At least 2 of these: Pregnant: yes; Only the site can tell: adequate veins; Still to be said."
    ),
    "none of ()": "None of these: nothing yet.",
}


class TestSentences:
    @pytest.mark.parametrize("notation", SENTENCES)
    def test_say_what_the_notation_says(self, notation: str) -> None:
        assert sentence_of(parse_rule(notation), VOCABULARY) == SENTENCES[notation]

    def test_are_made_in_the_readers_language(self) -> None:
        rule = parse_rule("bmi > 30 kg/m2 measured within 3 months before today")

        told = sentence_of(rule, VOCABULARY, language="es", say=lambda message: SPANISH[message])

        assert told == "Índice de masa corporal: más de 30 kg/m2, medido en los 3 meses antes de hoy."

    def test_name_the_exception_that_widens(self) -> None:
        telling = Telling.of(VOCABULARY)

        told = telling.criterion(parse_rule("pregnant is yes"), parse_rule("sex is male"))

        assert told == "Pregnant: yes, unless Sex registered at birth: Male"

    @given(rules)
    def test_can_be_made_of_every_rule(self, rule: Node) -> None:
        assert sentence_of(rule, VOCABULARY).endswith(".")


class TestTree:
    @given(rules)
    def test_has_a_line_for_every_part_at_its_place(self, rule: Node) -> None:
        def walked(told: Told) -> None:
            assert [one.node for one in told.parts] == list(parts(told.node))
            assert [one.path for one in told.parts] == [(*told.path, at) for at in range(len(told.parts))]
            for one in told.parts:
                walked(one)

        walked(Telling.of(VOCABULARY).tree(rule))

    def test_says_what_each_part_is_there_for(self) -> None:
        told = Telling.of(VOCABULARY).tree(parse_rule("if sex is female then pregnant is no"))

        assert [one.role for one in told.parts] == ["If", "then"]


class TestNamesOfCodes:
    @pytest.mark.parametrize(
        ("typed", "about", "codes"),
        [
            ("Metformin hydrochloride 500 mg tablet", None, {"A10BA02"}),
            ("estatinas", About.MEDICINE, {"C10AA"}),
            ("diabetes", About.CONDITION, {"E08-E13"}),
            ("Type 2 diabetes", None, {"E11"}),
            ("diabetes tipo 2", None, {"E11"}),
        ],
    )
    def test_are_found_whatever_the_capitals_and_the_language(
        self, typed: str, about: About | None, codes: set[str]
    ) -> None:
        meant = Telling.of(VOCABULARY).names.find(typed, about)

        assert meant is not None
        assert {code.code for code in meant.codes} == codes

    def test_are_not_guessed(self) -> None:
        names = Telling.of(VOCABULARY).names

        assert names.find("metfromin") is None
        assert names.find("metformin", About.CONDITION) is None
        assert names.title(Code(ICD10CM, "Z99.89")) == ""
        assert names.title(Code(ATC, "A10BA02")) == "metformin"

    def test_tell_where_the_codes_are_only_examples(self) -> None:
        meant = Telling.of(VOCABULARY).names.find("allergy medicines")

        assert meant is not None
        assert not meant.is_complete
