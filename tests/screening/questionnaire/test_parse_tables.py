"""Hard input, table by table: a clinician or a translator can add a line."""

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from screening.asking.answers import parse
from screening.asking.responses import DateGiven, Measured
from screening.intervals import DateRange
from screening.slips import Problems
from tests.screening.questionnaire.documents import TODAY, make_item, typed

CASES = Path(__file__).parent / "cases"


def rows(name: str) -> list[tuple[str, ...]]:
    lines = (CASES / name).read_text(encoding="utf-8").splitlines()
    table = csv.reader(
        (line for line in lines if line and not line.startswith("#")), delimiter=";", quoting=csv.QUOTE_NONE
    )
    return [tuple(row) for row in table]


def boxes(field: str, words: str) -> dict[str, list[str]]:
    return {name: [text] for name, text in zip(field.split("+"), words.split("|"), strict=True)}


def outcome(answer: object) -> tuple[str, ...]:
    match answer:
        case Problems():
            return (answer.items[0].slip.value,)
        case Measured():
            return (str(answer.lo.normalize()), str(answer.hi.normalize()))
        case DateGiven():
            return (answer.lo.isoformat(), answer.hi.isoformat())
    raise AssertionError(answer)


def expected(cells: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(str(Decimal(cell).normalize()) for cell in cells)
    except ArithmeticError:
        return cells


class TestMeasurements:
    @pytest.mark.parametrize("row", rows("heights.csv"), ids="-".join)
    def test_reads_a_height(self, row: tuple[str, ...]) -> None:
        language, field, words, *cells = row
        item = make_item(typed("height", "height", soft_check=None))

        answer = parse(item, boxes(field, words), language=language, on=TODAY)

        assert outcome(answer) == expected(tuple(cells))

    @pytest.mark.parametrize("row", rows("weights.csv"), ids="-".join)
    def test_reads_a_weight(self, row: tuple[str, ...]) -> None:
        language, field, words, *cells = row
        item = make_item(typed("weight", "weight", soft_check=None, units=["lb", "kg", "st_lb"]))

        answer = parse(item, boxes(field, words), language=language, on=TODAY)

        assert outcome(answer) == expected(tuple(cells))

    @pytest.mark.parametrize("row", rows("numbers.csv"), ids="-".join)
    def test_reads_a_number(self, row: tuple[str, ...]) -> None:
        language, words, *cells = row
        item = make_item(typed("decimal", "level", limits={}))

        answer = parse(item, {"answer": [words]}, language=language, on=TODAY)

        assert outcome(answer) == expected(tuple(cells))


class TestDates:
    @pytest.mark.parametrize("row", rows("dates.csv"), ids="-".join)
    def test_reads_a_date_from_one_box(self, row: tuple[str, ...]) -> None:
        language, words, *cells = row
        item = make_item(typed("date", "since"))

        answer = parse(item, {"answer": [words]}, language=language, on=TODAY)

        assert outcome(answer) == tuple(cells)

    @pytest.mark.parametrize("row", rows("date_boxes.csv"), ids="-".join)
    def test_reads_a_date_from_three_boxes(self, row: tuple[str, ...]) -> None:
        words, *cells = row
        item = make_item(typed("date", "since"))

        answer = parse(item, boxes("day+month+year", words), language="en", on=TODAY)

        assert outcome(answer) == tuple(cells)

    def test_cuts_a_date_at_birth_and_refuses_one_before_it(self) -> None:
        item = make_item(typed("date", "since"))
        born = DateRange.day(date(2019, 3, 10))

        same_month = parse(item, {"month": ["3"], "year": ["2019"]}, language="en", on=TODAY, born=born)
        before = parse(item, {"year": ["2018"]}, language="en", on=TODAY, born=born)
        long_ago = parse(item, {"ago": ["30"], "ago_unit": ["years"]}, language="en", on=TODAY, born=born)

        assert outcome(same_month) == ("2019-03-10", "2019-03-31")
        assert outcome(before) == ("before_birth",)
        assert outcome(long_ago) == ("before_birth",)

    def test_takes_the_day_of_birth_itself(self) -> None:
        item = make_item(typed("date", "since"))
        born = DateRange.day(date(2019, 3, 10))

        answer = parse(item, {"answer": ["10 March 2019"]}, language="en", on=TODAY, born=born)

        assert outcome(answer) == ("2019-03-10", "2019-03-10")

    def test_lets_a_birth_date_be_changed_to_an_earlier_one(self) -> None:
        item = make_item(typed("date", "birth", key="birth"))

        answer = parse(item, {"year": ["1974"]}, language="en", on=TODAY, born=DateRange.year(1990))

        assert outcome(answer) == ("1974-01-01", "1974-12-31")

    @pytest.mark.parametrize(
        ("accepts", "form", "wanted"),
        [
            (["day"], {"year": ["2019"]}, "month_missing"),
            (["day"], {"month": ["3"], "year": ["2019"]}, "day_missing"),
            (["month"], {"year": ["2019"]}, "month_missing"),
            (["day", "month"], {"ago": ["3"], "ago_unit": ["years"]}, "not_a_date"),
            (["day", "ago"], {"ago": ["3"]}, "ago_unit_missing"),
            (["day", "ago"], {"ago": ["3"], "ago_unit": ["fortnights"]}, "ago_unit_missing"),
            (["day", "ago"], {"ago": ["many"], "ago_unit": ["years"]}, "not_an_ago"),
            (["day", "ago"], {"ago": ["3"], "ago_unit": ["years"], "year": ["2019"]}, "date_or_ago"),
            (["day", "ago"], {}, "required"),
        ],
    )
    def test_asks_for_as_much_as_the_question_needs(
        self, accepts: list[str], form: dict[str, list[str]], wanted: str
    ) -> None:
        item = make_item(typed("date", "since", accepts=accepts))

        answer = parse(item, form, language="en", on=TODAY)

        assert outcome(answer) == (wanted,)

    def test_keeps_no_more_of_a_date_than_the_question_asks(self) -> None:
        item = make_item(typed("date", "since", accepts=["month", "year"]))

        answer = parse(item, {"answer": ["27 March 2019"]}, language="en", on=TODAY)

        assert isinstance(answer, DateGiven)
        assert (answer.precision, *outcome(answer)) == ("month", "2019-03-01", "2019-03-31")

    @pytest.mark.parametrize(
        ("year", "wanted"),
        [
            ("2027", ("2027-01-01", "2027-12-31")),
            ("2026", ("2026-11-22", "2026-12-31")),
            ("2025", ("in_the_past",)),
            ("2999", ("too_far_ahead",)),
        ],
    )
    def test_reads_a_planned_date(self, year: str, wanted: tuple[str, ...]) -> None:
        item = make_item(typed("date", "surgery", when="future"))

        answer = parse(item, {"year": [year]}, language="en", on=TODAY)

        assert outcome(answer) == wanted
