"""Sentences in parts: filled in English, and in another language part by part."""

from __future__ import annotations

import pytest

from screening.errors import InvalidCriteria, NotationError
from screening.facts import Code
from screening.language.checks import publishing_problems
from screening.language.criteria import read_rule
from screening.language.notation import parse, parse_rule
from screening.language.protocol import Protocol
from screening.saying import Saying
from screening.terms import ATC, PrefixTerms
from screening.vocabulary import packaged_vocabulary

SPANISH = {
    "Criterion %(number)s: %(why)s": "Criterio %(number)s: %(why)s",
    "The unit %(unit)s does not fit %(key)s.": "La unidad %(unit)s no va con %(key)s.",
    "Something is missing at the end: %(expected)s.": "Falta algo al final: %(expected)s.",
    "a number": "un número",
    "and": "y",
    "or other words": "u otras palabras",
    "%(code)s is not written like an ATC code.": "%(code)s no se escribe como un código ATC.",
    "Nothing lies between these ends.": "No hay nada entre estos extremos.",
    "The key %(key)s does not hold a yes or no.": "La clave %(key)s no guarda un sí o un no.",
}


def spanish(text: str) -> str:
    return SPANISH.get(text, text)


class TestSaid:
    def test_is_english_without_a_translation(self) -> None:
        told = Saying("At least %(count)s of %(size)s can never be met.", {"count": 3, "size": 2})

        assert str(told) == "At least 3 of 2 can never be met."

    def test_leaves_signs_alone_where_nothing_is_filled_in(self) -> None:
        assert str(Saying("At most 5 % of them")) == "At most 5 % of them"

    def test_translates_what_fills_it_too(self) -> None:
        inner = Saying("The unit %(unit)s does not fit %(key)s.", {"unit": "cm", "key": "weight"})
        whole = Saying("Criterion %(number)s: %(why)s", {"number": "4", "why": inner})

        told = whole.said(spanish)

        assert told == "Criterio 4: La unidad cm no va con weight."

    def test_puts_several_values_one_after_the_other(self) -> None:
        told = Saying(
            "Something is missing at the end: %(expected)s.", {"expected": (Saying("a number"), "yes")}
        )

        assert told.said(spanish) == "Falta algo al final: un número, yes."


class TestWhatTheLanguageRefuses:
    def test_a_slip_of_the_notation_keeps_the_words_of_the_notation(self) -> None:
        with pytest.raises(NotationError) as slip:
            parse_rule("vaping is yes and")

        told = slip.value.saying.said(spanish)

        assert told.startswith("Falta algo al final: ")
        assert told.endswith(", u otras palabras.")
        assert slip.value.message.endswith(", or other words.")

    def test_a_word_that_may_stand_there_is_no_sentence(self) -> None:
        with pytest.raises(NotationError) as slip:
            parse_rule("vaping is yes vaping")

        assert "and" in slip.value.saying.said(spanish).replace(".", "").replace(",", "").split()

    def test_what_a_part_refuses_is_a_sentence(self) -> None:
        with pytest.raises(NotationError) as slip:
            parse_rule("age >= 80 years and <= 18")
        with pytest.raises(InvalidCriteria) as refused:
            read_rule({"op": "age", "ge": "80", "le": "18"})

        assert slip.value.line == 1
        assert refused.value.saying.said(spanish) == "No hay nada entre estos extremos."

    def test_findings_before_publishing(self) -> None:
        vocabulary, terms = packaged_vocabulary(), PrefixTerms()
        protocol = parse("""language 1
            include a text "a" rule weight is yes""")

        (found,) = publishing_problems(protocol, vocabulary=vocabulary, terms=terms)

        assert found.saying.said(spanish) == "La clave weight no guarda un sí o un no."
        assert publishing_problems(Protocol(), vocabulary=vocabulary, terms=terms)[0].message.endswith(".")

    def test_a_code_that_is_miswritten(self) -> None:
        told = PrefixTerms().problem(Code(ATC, "XX"))

        assert told is not None
        assert told.said(spanish) == "XX no se escribe como un código ATC."
