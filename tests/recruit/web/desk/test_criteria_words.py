"""One line about an assessment: what is counted, and what belongs to another group of the study."""

from __future__ import annotations

import pytest
from flask import Flask

from recruit.matching.models import AssessmentRow
from recruit.web.recruiting import criteria
from screening.language.notation import parse
from tests.screening.people import assessed, noted_all

PROTOCOL = parse("""language 1
    cohort A "Young"
    cohort B "Old"
    include i1 number "1" text "Adults" rule age >= 18 years
    include i2 number "2" cohorts A text "Young" rule age < 40 years
    include i3 number "3" cohorts B text "Old" rule age >= 40 years
    include i4 number "4" text "Women: no pregnancy" rule if sex is female then pregnant is no
    include i5 number "5" text "Investigator agrees" rule site("investigator agrees")""")


@pytest.mark.parametrize(
    ("birth", "line"),
    [
        ("1960", "Fits 2 of 3; 1 only the site can tell"),
        ("1995", "Fits 2 of 3; 1 only the site can tell"),
        ("2015", "Ruled out by 1, 3"),
    ],
)
def test_counts_what_applies_to_the_person(app: Flask, birth: str, line: str) -> None:
    found = assessed(PROTOCOL, noted_all({"birth": birth, "sex": "male"}))
    row = AssessmentRow(result=found.to_json(), disposition=found.disposition)

    with app.test_request_context("/en/"):
        assert criteria.why(row, {}) == line
