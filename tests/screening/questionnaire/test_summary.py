"""Answers said back in plain words."""

import pytest

from screening.asking.answers import parse
from screening.asking.items import Item
from screening.asking.summary import describe
from screening.slips import Problems
from screening.texts import Respondent
from tests.screening.questionnaire.documents import (
    TODAY,
    both,
    choices,
    make_item,
    option,
    typed,
    yes_no,
)


def said(item: Item, language: str = "en", **form: str | list[str]) -> str:
    posted = {name: [given] if isinstance(given, str) else given for name, given in form.items()}
    answer = parse(item, posted, language=language, on=TODAY)
    assert not isinstance(answer, Problems), answer
    return describe(answer, item, language)


class TestMeasurements:
    @pytest.mark.parametrize(
        ("language", "form", "words"),
        [
            ("en", {"feet": "5", "inches": "11"}, "5 ft 11 in (180 cm)"),
            ("es", {"feet": "5", "inches": "11"}, "5 pies 11 pulg (180 cm)"),
            ("ar", {"feet": "5", "inches": "11"}, "5 ft 11 in (180 cm)"),
            ("en", {"cm": "180"}, "180 cm"),
            ("es", {"cm": "1,80 m"}, "1.80 m (180 cm)"),
            ("en", {"cm": "71 in"}, "71 in (180 cm)"),
            ("en", {"feet": "5", "inches": "11½"}, "5 ft 11.5 in (182 cm)"),
        ],
    )
    def test_says_a_height_as_entered_and_in_cm(self, language: str, form: dict[str, str], words: str) -> None:
        item = make_item(typed("height", "height"))

        assert said(item, language, **form) == words

    @pytest.mark.parametrize(
        ("form", "words"),
        [
            ({"stone": "11", "pounds": "4"}, "11 st 4 lb (71.7 kg)"),
            ({"lb": "158"}, "158 lb (71.7 kg)"),
            ({"lb": "220.5"}, "220.5 lb (100 kg)"),
            ({"kg": "72,5"}, "72.5 kg"),
        ],
    )
    def test_says_a_weight_as_entered_and_in_kg(self, form: dict[str, str], words: str) -> None:
        item = make_item(typed("weight", "weight", units=["lb", "kg", "st_lb"]))

        assert said(item, **form) == words

    @pytest.mark.parametrize(
        ("form", "words"), [({"feet": "5", "inches": "11"}, "5 ft 11 in"), ({"cm": "180"}, "180 cm")]
    )
    def test_is_read_back_as_the_same_answer(self, form: dict[str, str], words: str) -> None:
        item = make_item(typed("height", "height"))

        again = parse(item, {"answer": [words]}, language="en", on=TODAY)
        first = parse(item, {name: [value] for name, value in form.items()}, language="en", on=TODAY)

        assert not isinstance(again, Problems)
        assert not isinstance(first, Problems)
        assert again.model_dump(exclude={"raw", "entered"}) == first.model_dump(exclude={"raw", "entered"})

    def test_says_the_unit_that_was_chosen(self) -> None:
        units = [{"code": "%", "text": both("%", "%")}, {"code": "mmol/mol", "text": both("mmol per mol")}]
        quantity = make_item(typed("quantity", "hba1c", units=units))
        integer = make_item(typed("integer", "daily", unit="{c}/d", unit_text=both("a day", "al día")))
        decimal = make_item(typed("decimal", "ldl", unit="mg/dL"))
        pure = make_item(typed("integer", "falls"))

        words = [
            said(quantity, answer="54", unit="mmol/mol"),
            said(integer, "es", answer="20"),
            said(decimal, answer="0.00001"),
            said(pure, answer="3"),
        ]

        assert words == ["54 mmol per mol", "20 al día", "0.00001 mg/dL", "3"]


class TestDates:
    @pytest.mark.parametrize(
        ("typed_words", "english", "spanish"),
        [
            ("27 March 2019", "March 27, 2019", "27 de marzo de 2019"),
            ("March 2019", "March 2019", "marzo de 2019"),
            ("2019", "2019", "2019"),
            ("November 2026", "November 2026", "noviembre de 2026"),
            ("3 years ago", "about 3 years ago", "hace aproximadamente 3 años"),
            ("1 month ago", "about 1 month ago", "hace aproximadamente 1 mes"),
        ],
    )
    def test_says_a_date_as_exactly_as_it_was_given(self, typed_words: str, english: str, spanish: str) -> None:
        item = make_item(typed("date", "since"))

        assert said(item, "en", answer=typed_words) == english
        assert said(item, "es", answer=typed_words) == spanish
        assert said(item, "en", answer=english) == english
        assert said(item, "es", answer=spanish) == spanish


class TestOthers:
    def test_says_choices_in_their_own_words(self) -> None:
        item = make_item(choices("coded_list", "lungs", option("asthma"), option("copd"), allow_unknown=True))
        decided = make_item(yes_no(allow_decline=True))

        words = [
            said(item, answer=["copd", "asthma"], other="a cough"),
            said(item, "es", instead="dont_know"),
            said(decided, "es", answer="yes"),
            said(decided, answer="declined"),
        ]

        assert words == ["Asthma, Copd, a cough", "No lo sé", "Sí", "I prefer not to say"]

    def test_says_a_choice_as_worded_for_the_respondent(self) -> None:
        own = {"code": "yes", "text": {"en": {"self": "Yes, I do", "child": "Yes, my child does"}}}
        item = make_item(yes_no(options=[own, {"code": "no"}]))
        answer = parse(item, {"answer": ["yes"]}, language="en", on=TODAY)
        assert not isinstance(answer, Problems)

        assert describe(answer, item, "en", Respondent.CHILD) == "Yes, my child does"

    def test_says_an_age_words_and_nothing_for_a_page_to_read(self) -> None:
        words = [
            said(make_item(typed("age", "age")), answer="52 years"),
            said(make_item(typed("zip", "zip")), answer="02139-4307"),
            said(make_item(typed("short_text", "remark")), answer=" hello "),
            said(make_item(typed("statement", "pause"))),
        ]

        assert words == ["52", "02139", "hello", ""]
