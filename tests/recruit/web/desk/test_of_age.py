"""A person whose parent answered is asked in their own words once they are of age."""

from __future__ import annotations

from datetime import date

import pytest
from flask.testing import FlaskClient

from recruit.db import Database
from screening.texts import Respondent
from tests.conftest import NOON
from tests.recruit.web.desk.conftest import Desk
from tests.recruit.web.desk.test_call_page import answered_by_another

COMES_OF_AGE = NOON.date().replace(year=NOON.year - 18)
DAY_AFTER = date(COMES_OF_AGE.year, COMES_OF_AGE.month, COMES_OF_AGE.day + 1)


@pytest.mark.parametrize(
    ("respondent", "born", "asked"),
    [
        (Respondent.CHILD, COMES_OF_AGE, "How much do you weigh?"),
        (Respondent.CHILD, DAY_AFTER, "How much do you weigh? (child)"),
        (Respondent.CARED_FOR, date(1951, 1, 8), "How much do you weigh? (cared_for)"),
        (Respondent.SELF, date(1951, 1, 8), "How much do you weigh?"),
    ],
)
def test_the_questions_are_worded_for_whoever_answers_now(
    browser: FlaskClient, desk: Desk, database: Database, respondent: Respondent, born: date, asked: str
) -> None:
    url = answered_by_another(database, desk, respondent, adult="Carmen Diaz", born=born)

    questions = browser.get(browser.post(f"{url}/questions").location).text

    assert f">{asked}<" in questions


def test_without_a_birth_date_it_stays_as_last_time(
    browser: FlaskClient, desk: Desk, database: Database
) -> None:
    url = answered_by_another(database, desk, Respondent.CHILD, adult="Carmen Diaz", born=None)  # type: ignore[arg-type]

    questions = browser.get(browser.post(f"{url}/questions").location).text

    assert "How much do you weigh? (child)" in questions
