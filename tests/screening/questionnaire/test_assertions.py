"""What answers state as facts."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from uuid import UUID

import pytest

from screening.asking.answers import parse
from screening.asking.assertions import birth_range, facts_from
from screening.asking.questionnaire import Document
from screening.asking.responses import Answer, Chosen, DontKnow
from screening.facts import (
    Absence,
    Choice,
    Code,
    Dated,
    Denial,
    DenialScope,
    EvidenceSource,
    Fact,
    Flag,
    Quantity,
    Statement,
    StatementStatus,
    value_from_json,
    value_to_json,
)
from screening.intervals import DateRange, DecimalRange
from screening.slips import Problems
from tests.screening.questionnaire.documents import (
    ASTHMA,
    COPD,
    DIABETES,
    SELF,
    TODAY,
    both,
    choices,
    denies,
    flag_question,
    make_document,
    option,
    shown_if_is,
    states,
    typed,
    yes_no,
)

NOON = datetime(2026, 11, 22, 17, tzinfo=UTC)
J45, J44 = (Code(code["system"], code["code"]) for code in (ASTHMA, COPD))


def answered(
    document: Document, forms: Mapping[str, Mapping[str, str | list[str]]], *, on: date = TODAY
) -> dict[str, Answer]:
    """Give the answers that the forms of some pages parse to."""
    answers: dict[str, Answer] = {}
    for item_id, form in forms.items():
        item = document.item(item_id)
        assert item is not None
        posted = {name: [value] if isinstance(value, str) else value for name, value in form.items()}
        answer = parse(item, posted, language="en", on=on)
        assert not isinstance(answer, Problems), answer
        answers[item_id] = answer
    return answers


def facts(document: Document, answers: Mapping[str, Answer]) -> tuple[Fact, ...]:
    ids = count(1)
    return facts_from(
        document,
        answers,
        SELF,
        recorded_at=NOON,
        source=EvidenceSource.PARTICIPANT_ONLINE,
        new_id=lambda: UUID(int=next(ids)),
    )


def values(document: Document, **forms: Mapping[str, str | list[str]]) -> list[tuple[str, object]]:
    return [(fact.key, fact.value) for fact in facts(document, answered(document, forms))]


def flag(*, said: bool) -> list[dict[str, object]]:
    return [{"key": "smoker", "value": {"type": "flag", "value": said}}]


def lungs(**changes: object) -> Document:
    options = [
        option("asthma", asserts=states(ASTHMA), denies=denies(ASTHMA)),
        option("copd", asserts=states(COPD, "ever"), denies=denies(COPD, scope="ever")),
        option("smoker", asserts=flag(said=True), denies=flag(said=False)),
        option("none", exclusive=True),
    ]
    return make_document(choices("multiple", "lungs", *options, allow_unknown=True, **changes))


class TestWhole:
    def test_states_a_fact_with_its_words_day_source_and_an_id_of_its_own(self) -> None:
        document = make_document(typed("weight", "weight", key="weight"), flag_question("smokes", "smoker"))
        answers = answered(document, {"weight": {"lb": "158 lbs"}}, on=TODAY - timedelta(days=3))
        answers |= answered(document, {"smokes": {"answer": "no"}})

        weight, smoker = facts(document, answers)

        assert weight == Fact(
            UUID(int=1),
            "weight",
            Quantity(DecimalRange(Decimal("71.440798275"), Decimal("71.894390645")), "kg"),
            "158 lbs",
            DateRange.day(date(2026, 11, 19)),
            NOON,
            EvidenceSource.PARTICIPANT_ONLINE,
        )
        assert (smoker.id, smoker.value, smoker.raw) == (UUID(int=2), Flag(value=False), "no")

    def test_states_nothing_from_a_hidden_answer(self) -> None:
        document = make_document(
            flag_question("smokes", "smoker"),
            typed("integer", "daily", key="daily", show_if=shown_if_is("smokes")),
        )
        answers = answered(document, {"smokes": {"answer": "no"}, "daily": {"answer": "20"}})

        stated = facts(document, answers)

        assert [fact.key for fact in stated] == ["smoker"]

    def test_writes_facts_that_can_be_stored_exactly(self) -> None:
        document = make_document(
            typed("height", "height", key="height"), typed("decimal", "level", key="level")
        )

        stated = values(document, height={"feet": "5", "inches": "11½"}, level={"answer": "0.00001"})

        assert all(value_from_json(value_to_json(value)) == value for _, value in stated)  # type: ignore[arg-type]


class TestAbsence:
    def test_says_dont_know_and_declined_for_every_key_of_the_question(self) -> None:
        question = flag_question("smokes", "smoker", allow_unknown=True, allow_decline=True)
        document = make_document(question)

        unknown = values(document, smokes={"answer": "dont_know"})
        declined = values(document, smokes={"answer": "declined"})
        of_a_list = values(lungs(exhaustive=True), lungs={"instead": "dont_know"})

        assert unknown == [("smoker", Absence.DONT_KNOW)]
        assert declined == [("smoker", Absence.DECLINED)]
        assert of_a_list == [("conditions", Absence.DONT_KNOW), ("smoker", Absence.DONT_KNOW)]

    def test_lets_an_option_of_the_sponsors_own_say_unsure(self) -> None:
        unsure = option("unsure", asserts=[{"key": "smoker", "value": {"type": "absence", "why": "dont_know"}}])
        document = make_document(choices("single", "smokes", unsure, option("other")))

        stated = values(document, smokes={"answer": "unsure"})

        assert stated == [("smoker", Absence.DONT_KNOW)]


class TestLists:
    def test_affirms_what_was_chosen_and_leaves_the_rest_open(self) -> None:
        stated = values(lungs(), lungs={"answer": ["asthma"]})

        assert stated == [("conditions", Statement(J45, StatementStatus.CURRENT))]

    def test_denies_the_rest_of_a_list_that_is_asked_exhaustively(self) -> None:
        stated = values(lungs(exhaustive=True), lungs={"answer": ["asthma"]})

        assert stated == [
            ("conditions", Statement(J45, StatementStatus.CURRENT)),
            ("conditions", Denial((J44,), DenialScope.EVER, but=(J45,))),
            ("smoker", Flag(value=False)),
        ]

    def test_denies_all_that_is_listed_on_none_of_these(self) -> None:
        stated = values(lungs(), lungs={"answer": ["none"]})

        assert stated == [
            ("conditions", Denial((J45,), DenialScope.CURRENT)),
            ("conditions", Denial((J44,), DenialScope.EVER)),
            ("smoker", Flag(value=False)),
        ]

    def test_denies_only_what_an_option_declares(self) -> None:
        narrow = option("lungs", asserts=states(COPD), denies=denies(ASTHMA))
        silent = option("sugar", asserts=states(DIABETES))
        document = make_document(choices("multiple", "ill", narrow, silent, option("none", exclusive=True)))

        stated = values(document, ill={"answer": ["none"]})

        assert stated == [("conditions", Denial((J45,), DenialScope.CURRENT))]

    def test_denies_nothing_beside_words_that_nobody_has_coded(self) -> None:
        asthma = option("asthma", asserts=states(ASTHMA), denies=denies(ASTHMA))
        copd = option("copd", asserts=states(COPD), denies=denies(COPD))
        document = make_document(choices("coded_list", "lungs", asthma, copd, exhaustive=True))

        stated = facts(document, answered(document, {"lungs": {"other": "a whistling chest"}}))
        listed = facts(document, answered(document, {"lungs": {"answer": "asthma", "other": "x"}}))

        assert stated == ()
        assert [(fact.value, fact.raw) for fact in listed] == [
            (Statement(J45, StatementStatus.CURRENT), "asthma, x")
        ]

    def test_yields_the_denial_that_a_no_declares(self) -> None:
        options = [
            {"code": "yes", "asserts": states(ASTHMA)},
            {"code": "no", "asserts": denies(ASTHMA, COPD, scope="ever")},
        ]
        document = make_document(yes_no("asthma", options=options))

        stated = values(document, asthma={"answer": "no"})

        assert stated == [("conditions", Denial((J45, J44)))]

    def test_states_a_choice(self) -> None:
        female = option("female", asserts=[{"key": "sex", "value": {"type": "choice", "codes": ["female"]}}])
        document = make_document(choices("single", "sex", female, option("male")))

        stated = values(document, sex={"answer": "female"})

        assert stated == [("sex", Choice.of("female"))]


class TestNumbersAndDates:
    def test_counts_exactly_and_measures_by_half_the_last_digit(self) -> None:
        units = [{"code": "%", "text": both("%")}, {"code": "mmol/mol", "text": both("mmol/mol")}]
        document = make_document(
            typed("integer", "falls", key="falls", unit="{falls}"),
            typed("quantity", "hba1c", key="hba1c", units=units),
        )

        stated = values(document, falls={"answer": "3"}, hba1c={"answer": "7.1", "unit": "%"})

        assert stated == [
            ("falls", Quantity(DecimalRange.point(Decimal(3)), "{falls}")),
            ("hba1c", Quantity(DecimalRange(Decimal("7.05"), Decimal("7.15")), "%")),
        ]

    def test_keeps_a_birth_date_by_the_month_and_an_age_by_its_year_of_days(self) -> None:
        by_date = make_document(typed("date", "birth", key="birth"))
        by_age = make_document(typed("age", "age", key="birth"))

        (full,) = facts(by_date, answered(by_date, {"birth": {"day": "27", "month": "3", "year": "1974"}}))
        age = values(by_age, age={"answer": "52"})

        assert (full.value, full.raw) == (Dated(DateRange.month(1974, 3)), "1974-03")
        assert age == [("birth", Dated(DateRange(date(1973, 11, 23), date(1974, 11, 22))))]

    def test_keeps_the_age_of_the_day_on_which_it_was_said(self) -> None:
        document = make_document(typed("age", "age", key="birth"))
        answers = answered(document, {"age": {"answer": "52"}}, on=date(2026, 11, 1))

        (fact,) = facts(document, answers)

        assert fact.value == Dated(DateRange(date(1973, 11, 2), date(1974, 11, 1)))
        assert fact.observed == DateRange.day(date(2026, 11, 1))

    @pytest.mark.parametrize(
        ("fills", "ended"), [(["onset"], None), (["onset", "ended"], DateRange.month(2019, 3))]
    )
    def test_fills_a_statement_with_a_date(self, fills: list[str], ended: DateRange | None) -> None:
        statement = {"type": "statement", "code": ASTHMA, "status": "past"}
        document = make_document(typed("date", "since", key="conditions", statement=statement, fills=fills))

        stated = values(document, since={"month": "3", "year": "2019"})

        assert stated == [
            ("conditions", Statement(J45, StatementStatus.PAST, onset=DateRange.month(2019, 3), ended=ended))
        ]

    def test_keeps_the_first_digit_of_a_zip_code(self) -> None:
        document = make_document(typed("zip", "zip", key="zip_region"), typed("zip", "other_zip"))
        answers = answered(document, {"zip": {"answer": "02139"}, "other_zip": {"answer": "02139"}})

        stated = facts(document, answers)

        assert [(fact.key, fact.value, fact.raw) for fact in stated] == [("zip_region", Choice.of("zip0"), "0")]


class TestBirthRange:
    def test_gives_the_days_of_birth_for_later_questions(self) -> None:
        document = make_document(typed("age", "age", key="birth", allow_unknown=True), typed("date", "since"))
        answers = answered(document, {"age": {"answer": "52"}})

        known = birth_range(document, answers, SELF)
        unknown = birth_range(document, {"age": DontKnow(on=TODAY)}, SELF)

        assert known == DateRange(date(1973, 11, 23), date(1974, 11, 22))
        assert unknown is None


def test_states_nothing_from_an_answer_of_another_kind() -> None:
    document = make_document(typed("height", "height", key="height"))

    stated = facts(document, {"height": Chosen(on=TODAY, codes=("yes",))})

    assert stated == ()
