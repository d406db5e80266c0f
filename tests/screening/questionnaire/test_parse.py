"""What a page takes, and what it says when it does not."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.asking.answers import error_text, parse
from screening.asking.forms import PICKED, TYPED
from screening.asking.items import Item
from screening.asking.responses import (
    AgeGiven,
    Answer,
    Chosen,
    Counted,
    Declined,
    DontKnow,
    Measured,
    Seen,
    Worded,
    answer_from_json,
    answer_to_json,
    as_form,
)
from screening.slips import MESSAGES, Problem, Problems, Slip
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

HBA1C_UNITS = [
    {"code": "%", "text": both("%", "%"), "also": ["percent"], "limits": {"least": "3", "most": "20"}},
    {"code": "mmol/mol", "text": both("mmol/mol", "mmol/mol"), "limits": {"least": "10", "most": "200"}},
]
EVERY_KIND = [
    yes_no(allow_unknown=True, allow_decline=True),
    choices("single", "sex", option("female"), option("male"), allow_decline=True),
    choices("multiple", "lungs", option("asthma"), option("copd"), option("none", exclusive=True)),
    choices("coded_list", "medicines", option("metformin"), option("none", exclusive=True), allow_unknown=True),
    typed("integer", "cigarettes", soft_check={"most": "60"}),
    typed("decimal", "level", unit="mg/dL", unit_text=both("mg/dL")),
    typed("quantity", "hba1c", units=HBA1C_UNITS),
    typed("height", "height"),
    typed("weight", "weight", units=["lb", "kg", "st_lb"]),
    typed("date", "since", allow_unknown=True),
    typed("date", "surgery", when="any"),
    typed("age", "age"),
    typed("short_text", "remark", max_length=200),
    typed("zip", "zip"),
    typed("statement", "pause"),
]


Fields = Mapping[str, str | list[str]]


def read(
    item: Item, form: Fields | None = None, /, *, language: str = "en", **fields: str | list[str]
) -> Answer | Problems:
    posted = {
        name: [given] if isinstance(given, str) else given for name, given in {**(form or {}), **fields}.items()
    }
    return parse(item, posted, language=language, on=TODAY)


def slip(answer: Answer | Problems) -> tuple[Slip, str]:
    assert isinstance(answer, Problems)
    (problem,) = answer.items
    return problem.slip, problem.field


class TestChoices:
    def test_takes_one_option(self) -> None:
        item = make_item(yes_no())

        answer = read(item, answer="yes")

        assert answer == Chosen(on=TODAY, codes=("yes",))

    @pytest.mark.parametrize(
        ("form", "wanted"),
        [
            ({}, Slip.CHOOSE_ONE),
            ({"answer": ""}, Slip.CHOOSE_ONE),
            ({"answer": "maybe"}, Slip.UNKNOWN_OPTION),
            ({"answer": ["yes", "no"]}, Slip.ONE_ONLY),
            ({"answer": ["yes", "<script>"]}, Slip.UNKNOWN_OPTION),
            ({"answer": "y\x00es"}, Slip.UNREADABLE),
            ({"answer": "\ud800"}, Slip.UNREADABLE),
            ({"answer": "x" * 65_536}, Slip.TOO_LONG),
        ],
    )
    def test_refuses_any_other_form(self, form: Fields, wanted: Slip) -> None:
        item = make_item(yes_no())

        answer = read(item, form)

        assert slip(answer) == (wanted, "answer")

    def test_keeps_several_options_in_the_order_of_the_document(self) -> None:
        item = make_item(choices("multiple", "lungs", option("asthma"), option("copd")))

        answer = read(item, answer=["copd", "asthma", "copd"])

        assert answer == Chosen(on=TODAY, codes=("asthma", "copd"))

    def test_takes_none_of_these_only_alone(self) -> None:
        item = make_item(choices("multiple", "lungs", option("asthma"), option("none", exclusive=True)))

        both_ticked = read(item, answer=["asthma", "none"])
        alone = read(item, answer="none")

        assert slip(both_ticked) == (Slip.NONE_AND_SOME, "answer")
        assert alone == Chosen(on=TODAY, codes=("none",))

    def test_keeps_what_is_not_in_a_list_in_the_persons_words(self) -> None:
        item = make_item(
            choices("coded_list", "medicines", option("metformin"), option("none", exclusive=True))
        )

        answer = read(item, answer="metformin", other="  the little white pill ")
        contradiction = read(item, answer="none", other="a pill")

        assert answer == Chosen(on=TODAY, codes=("metformin",), other="the little white pill")
        assert slip(contradiction) == (Slip.NONE_AND_SOME, "answer")

    def test_asks_for_a_choice_from_a_list(self) -> None:
        item = make_item(choices("multiple", "lungs", option("asthma")))

        answer = read(item)

        assert slip(answer) == (Slip.CHOOSE_SOME, "answer")


class TestAbsence:
    @pytest.mark.parametrize("field", ["answer", "instead"])
    def test_takes_i_dont_know_and_prefer_not_to_say(self, field: str) -> None:
        item = make_item(yes_no(allow_unknown=True, allow_decline=True))

        unknown = read(item, {field: "dont_know"})
        declined = read(item, {field: "declined"})

        assert unknown == DontKnow(on=TODAY)
        assert declined == Declined(on=TODAY)

    def test_refuses_what_the_question_does_not_offer(self) -> None:
        item = make_item(yes_no(allow_decline=True))

        unknown = read(item, instead="dont_know")
        invented = read(item, instead="whatever")

        assert slip(unknown) == (Slip.UNKNOWN_OPTION, "instead")
        assert slip(invented) == (Slip.UNKNOWN_OPTION, "instead")

    def test_refuses_an_answer_beside_i_dont_know_but_not_a_unit_left_selected(self) -> None:
        item = make_item(typed("weight", "weight", allow_unknown=True))

        both_given = read(item, instead="dont_know", kg="72")
        unit_only = read(item, instead="dont_know", unit="kg")

        assert slip(both_given) == (Slip.ANSWER_AND_INSTEAD, "answer")
        assert unit_only == DontKnow(on=TODAY)

    def test_refuses_both_at_once(self) -> None:
        item = make_item(yes_no(allow_unknown=True, allow_decline=True))

        answer = read(item, answer=["dont_know", "declined"])

        assert slip(answer) == (Slip.ONE_ONLY, "instead")


class TestNumbers:
    @pytest.mark.parametrize(
        ("words", "wanted"),
        [
            ("three", Slip.NOT_WHOLE),
            ("3.0", Slip.NOT_WHOLE),
            ("-1", Slip.TOO_SMALL),
            ("NaN", Slip.NOT_WHOLE),
            ("9" * 50, Slip.TOO_MANY_DIGITS),
            ("  ", Slip.REQUIRED),
        ],
    )
    def test_counts_whole_things(self, words: str, wanted: Slip) -> None:
        item = make_item(typed("integer", "falls"))

        good = read(item, answer="٣")
        bad = read(item, answer=words)

        assert isinstance(good, Counted)
        assert good.value == 3
        assert slip(bad) == (wanted, "answer")

    def test_takes_the_unit_from_the_list_or_from_the_words(self) -> None:
        item = make_item(typed("quantity", "hba1c", units=HBA1C_UNITS))

        picked = read(item, answer="7,1", unit="%", language="es")
        typed_unit = read(item, answer="7.1 Percent")
        other_unit = read(item, answer="54 mmol/mol")

        assert isinstance(picked, Measured)
        assert (picked.lo, picked.hi, picked.canonical) == (Decimal("7.05"), Decimal("7.15"), "%")
        assert isinstance(typed_unit, Measured)
        assert typed_unit.canonical == "%"
        assert isinstance(other_unit, Measured)
        assert (other_unit.lo, other_unit.canonical) == (Decimal("53.5"), "mmol/mol")

    @pytest.mark.parametrize(
        ("form", "wanted"),
        [
            ({"answer": "7.1"}, (Slip.CHOOSE_UNIT, "unit")),
            ({"answer": "7.1", "unit": "mg"}, (Slip.UNKNOWN_OPTION, "unit")),
            ({"answer": "7.1 mg"}, (Slip.UNKNOWN_UNIT, "answer")),
            ({"answer": "54 mmol/mol", "unit": "%"}, (Slip.TWO_UNITS, "answer")),
            ({"answer": "54", "unit": "%"}, (Slip.TOO_BIG, "answer")),
            ({"unit": "%"}, (Slip.REQUIRED, "answer")),
        ],
    )
    def test_asks_about_a_unit_that_is_missing_or_wrong(self, form: Fields, wanted: tuple[Slip, str]) -> None:
        item = make_item(typed("quantity", "hba1c", units=HBA1C_UNITS))

        answer = read(item, form)

        assert slip(answer) == wanted

    def test_reads_the_boxes_of_the_unit_that_was_chosen(self) -> None:
        item = make_item(typed("height", "height"))

        chosen = read(item, unit="cm", cm="180", feet="5", inches="11")
        left_over = read(item, unit="ft_in", cm="180")
        both_filled = read(item, cm="180", feet="5", inches="11")
        empty = read(item, unit="cm")
        unknown = read(item, unit="ell", cm="180")

        assert isinstance(chosen, Measured)
        assert chosen.unit == "cm"
        assert isinstance(left_over, Measured)
        assert left_over.unit == "cm"
        assert slip(both_filled) == (Slip.TWO_UNITS, "feet")
        assert slip(empty) == (Slip.REQUIRED, "cm")
        assert slip(unknown) == (Slip.UNKNOWN_OPTION, "unit")

    def test_says_limits_in_the_unit_that_was_typed(self) -> None:
        item = make_item(typed("height", "height"))

        answer = read(item, feet="9", inches="2")

        assert isinstance(answer, Problems)
        assert answer.items[0].params == {"most": "8 ft 6 in"}

    def test_asks_back_once_about_an_unlikely_number_and_again_about_another(self) -> None:
        item = make_item(typed("height", "height"))

        asked = read(item, cm="100")
        assert isinstance(asked, Problems)
        (question,) = asked.items
        confirmed = read(item, cm="100", confirmed=question.params["confirm"])
        changed = read(item, cm="101", confirmed=question.params["confirm"])

        assert (question.slip, question.soft, question.params["entered"]) == (Slip.UNLIKELY, True, "100 cm")
        assert isinstance(confirmed, Measured)
        assert slip(changed) == (Slip.UNLIKELY, "cm")

    def test_keeps_a_measurement_inside_what_is_possible(self) -> None:
        item = make_item(typed("decimal", "score", limits={"least": "0", "most": "10"}))

        none, full = read(item, answer="0"), read(item, answer="10")

        assert isinstance(none, Measured)
        assert (none.lo, none.hi) == (Decimal(0), Decimal("0.5"))
        assert isinstance(full, Measured)
        assert (full.lo, full.hi) == (Decimal("9.5"), Decimal(10))

    def test_gives_one_canonical_value_for_five_eleven_in_every_notation(self) -> None:
        item = make_item(typed("height", "height"))

        answers = [
            read(item, feet="5", inches="11"),
            read(item, cm="5'11\""),
            read(item, answer="5 ft 11"),
            read(item, feet="\u0665", inches="\u0661\u0661", language="es"),
        ]

        assert {(a.lo, a.hi, a.canonical) for a in answers if isinstance(a, Measured)} == {
            (Decimal("179.070"), Decimal("181.610"), "cm")
        }


class TestAge:
    def test_reads_an_age_as_days_of_birth(self) -> None:
        item = make_item(typed("age", "age"))

        answer = read(item, answer="52 años")

        assert isinstance(answer, AgeGiven)
        assert (answer.years, answer.lo, answer.hi) == (52, date(1973, 11, 23), date(1974, 11, 22))

    @pytest.mark.parametrize(
        ("words", "wanted"),
        [
            ("52.5", Slip.NOT_AN_AGE),
            ("fifty", Slip.NOT_AN_AGE),
            ("-1", Slip.NOT_AN_AGE),
            ("18 months", Slip.NOT_AN_AGE),
            ("1974", Slip.AGE_RANGE),
            ("121", Slip.AGE_RANGE),
            ("", Slip.REQUIRED),
        ],
    )
    def test_refuses_what_is_no_age_in_whole_years(self, words: str, wanted: Slip) -> None:
        item = make_item(typed("age", "age"))

        answer = read(item, answer=words)

        assert slip(answer) == (wanted, "answer")


class TestWords:
    @pytest.mark.parametrize(
        "words",
        [
            "02139",
            "02139-4307",
            "\uff10\uff12\uff11\uff13\uff19",
            "\u0660\u0662\u0661\u0663\u0669",
            "021394307",
        ],
    )
    def test_reads_a_zip_code(self, words: str) -> None:
        item = make_item(typed("zip", "zip"))

        answer = read(item, answer=words)

        assert isinstance(answer, Worded)
        assert (answer.words, answer.raw) == ("02139", words)

    @pytest.mark.parametrize("words", ["2139", "SW1A 1AA", "021390", "0213\u00b2"])
    def test_refuses_what_is_no_zip_code(self, words: str) -> None:
        item = make_item(typed("zip", "zip"))

        answer = read(item, answer=words)

        assert slip(answer) == (Slip.NOT_A_ZIP, "answer")

    def test_counts_a_line_break_once_and_keeps_the_words(self) -> None:
        item = make_item(typed("short_text", "remark", max_length=5))

        fits = read(item, answer="ab\r\ncd")
        too_long = read(item, answer="abcdef")

        assert isinstance(fits, Worded)
        assert fits.words == "ab\ncd"
        assert isinstance(too_long, Problems)
        assert too_long.items[0].params == {"most": "5"}

    def test_takes_a_page_without_a_question_as_seen(self) -> None:
        item = make_item(typed("statement", "pause"))

        answer = read(item, answer="\x00")

        assert answer == Seen(on=TODAY)


class TestErrors:
    def test_prefers_the_questions_own_approved_words(self) -> None:
        item = make_item(
            yes_no(
                errors={
                    "required": {
                        "en": {"self": "Select yes if you smoke", "child": "Select yes if your child smokes"}
                    }
                }
            )
        )
        problem = Problem(Slip.CHOOSE_ONE, "answer")

        own = error_text(item, problem, "en")
        about_child = error_text(item, problem, "en", Respondent.CHILD)
        untranslated = error_text(item, problem, "es")
        other_slip = error_text(item, Problem(Slip.ONE_ONLY, "answer"), "en")

        assert own == "Select yes if you smoke"
        assert about_child == "Select yes if your child smokes"
        assert untranslated is None
        assert other_slip is None

    def test_has_a_message_for_every_slip(self) -> None:
        slips = set(Slip)

        missing = slips - set(MESSAGES)

        assert missing == set()


class MultiDict:
    """A form as Werkzeug gives it."""

    def __init__(self, **fields: list[str]) -> None:
        self.fields = fields

    def getlist(self, key: str) -> list[str]:
        return self.fields.get(key, [])


def test_reads_a_multidict_like_a_mapping() -> None:
    item = make_item(choices("multiple", "lungs", option("asthma"), option("copd")))

    answer = parse(item, MultiDict(answer=["asthma", "copd"]), language="en", on=TODAY)

    assert answer == Chosen(on=TODAY, codes=("asthma", "copd"))


hostile = st.one_of(
    st.text(st.characters(codec=None, categories=None), max_size=40),
    st.text("0123456789.,'\"\u2019 ftincmstlbkg-/½٣３\x00\ud800", max_size=20),
    st.sampled_from(
        ["yes", "dont_know", "declined", "years", "cm", "ft_in", "nan", "1e999", "9999-13-99", "9" * 80]
    ),
)
forms = st.dictionaries(st.sampled_from((*TYPED, *PICKED)), st.lists(hostile, max_size=3), max_size=6)


class TestHostileForms:
    @given(kind=st.sampled_from(EVERY_KIND), form=forms, language=st.sampled_from(["en", "es", "ar", ""]))
    def test_never_raises_and_keeps_only_what_can_be_stored_and_shown_again(
        self, kind: dict[str, object], form: dict[str, list[str]], language: str
    ) -> None:
        item = make_item(kind)

        answer = parse(item, form, language=language, on=TODAY)

        if isinstance(answer, Problems):
            assert all(problem.slip in MESSAGES for problem in answer.items)
            assert all(MESSAGES[problem.slip] % problem.params for problem in answer.items)
        else:
            assert answer_from_json(answer_to_json(answer)) == answer
            confirmed = form.get("confirmed", [])
            again = parse(item, as_form(answer) | {"confirmed": confirmed}, language=language, on=TODAY)
            assert again == answer

    @pytest.mark.parametrize("text", ["\x00", "\ud800", "a" * 65_536, "nan", "9" * 65_536, "( " * 30_000])
    @pytest.mark.parametrize("kind", EVERY_KIND[:-1], ids=lambda kind: str(kind["id"]))
    def test_answers_a_known_attack_with_a_problem(self, kind: dict[str, object], text: str) -> None:
        item = make_item(kind)

        answer = parse(item, {name: [text] for name in TYPED}, language="en", on=TODAY)

        if (text, kind["type"]) == ("nan", "short_text"):
            assert isinstance(answer, Worded)
        else:
            assert isinstance(answer, Problems)
