from datetime import date

import pytest

from recruit.intake.minors import is_minor, says_minor
from screening.asking.answers import parse
from screening.slips import Problems
from tests.screening.questionnaire.documents import make_item, typed

ON = date(2026, 11, 18)


@pytest.mark.parametrize(
    ("birth", "minor"),
    [
        (date(2008, 11, 18), False),
        (date(2008, 11, 19), True),
        (date(2008, 2, 29), False),
        (date(2009, 1, 1), True),
        (date(1950, 1, 1), False),
    ],
)
def test_is_grown_up_on_the_eighteenth_birthday(birth: date, minor: bool) -> None:
    assert is_minor(birth, on=ON) is minor


@pytest.mark.parametrize(
    ("kind", "fields", "minor"),
    [
        ("age", {"answer": ["17"]}, True),
        ("age", {"answer": ["18"]}, False),
        ("date", {"month": ["11"], "year": ["2008"]}, False),
        ("date", {"month": ["12"], "year": ["2008"]}, True),
        ("date", {"year": ["2008"]}, False),
        ("date", {"year": ["2010"]}, True),
    ],
)
def test_only_a_certain_answer_makes_a_minor(kind: str, fields: dict[str, list[str]], minor: bool) -> None:
    item = make_item(typed(kind, "born", key="birth"))

    answer = parse(item, fields, language="en", on=ON)

    assert not isinstance(answer, Problems)
    assert says_minor(item, answer, on=ON) is minor


def test_another_date_says_nothing_about_age() -> None:
    item = make_item(typed("date", "diagnosed", key="diagnosed"))

    answer = parse(item, {"year": ["2020"]}, language="en", on=ON)

    assert not isinstance(answer, Problems)
    assert not says_minor(item, answer, on=ON)
