"""Ten thousand made-up people: somebody passes what can be passed, and what parts them is named."""

from __future__ import annotations

import pytest

from screening.editor.crowd import PEOPLE, Crowd, crowd
from screening.language.lowering import LoweredProtocol
from tests.screening.people import TERMS, TODAY, VOCABULARY
from tests.screening.test_emptiness import read, table

USUAL = (
    "include age between 18 and 75 years / include condition in (E11) / include hba1c between 7 and 10 % / "
    "include bmi between 25 and 40 kg/m2 / include medicine in (A10BA02) current for at least 3 months / "
    "include medicine in (A10BA02) current dose >= 1500 mg/d / exclude condition in (E10) / "
    "exclude condition in (I21, I22) within 6 months before today / exclude condition in (C00-D49) / "
    "exclude pregnant is yes / exclude breastfeeding is yes / exclude medicine in (A10A) current / "
    "exclude egfr < 45 mL/min/{1.73_m2} / exclude alt > 3 [ULN] / exclude smoking is current / "
    "include case when sex is female then qtc < 470 ms when sex is male then qtc < 450 ms end / "
    "exclude last_study_drug within 3 months before today / exclude condition such as (F10) / "
    'include site("Adequate veins") / exclude text("Any other reason") / include recreational_drugs is no'
)


def gathered(lowered: LoweredProtocol) -> Crowd:
    """Make up people with the vocabulary of the tests."""
    return crowd(lowered, on=TODAY, vocabulary=VOCABULARY, terms=TERMS)


def test_somebody_passes_an_ordinary_protocol() -> None:
    found = gathered(read(USUAL))

    assert found.people == PEOPLE
    assert found.passing > 20
    assert found.partings == ()


def test_the_same_people_are_made_up_every_time() -> None:
    assert gathered(read(USUAL)) == gathered(read(USUAL))


@pytest.mark.parametrize(
    ("criteria", "parted"),
    [
        ("include age >= 18 years / include vaping is yes / include vaping is no", [("c2", "c3")]),
        ("include age >= 18 years / exclude age >= 18 years", [("c1", "c2")]),
        ("include condition in (E11.9) / include age >= 18 years / exclude condition in (E11)", [("c1", "c3")]),
        ("include vaping is yes and vaping is no / include age >= 18 years", [("c1",)]),
        (
            "include vaping is no / cohort a: include vaping is yes / cohort b: exclude vaping is no",
            [("c1", "c2"), ("c1", "c3")],
        ),
    ],
)
def test_names_what_parts_them_where_nobody_passes(criteria: str, parted: list[tuple[str, ...]]) -> None:
    found = gathered(read(criteria))

    assert found.passing == 0
    assert [one.criteria for one in found.partings] == parted


def test_a_cohort_that_somebody_fits_is_enough() -> None:
    found = gathered(
        read("include vaping is no / cohort a: include vaping is yes / cohort b: include age >= 18 years")
    )

    assert found.passing > 0


def test_what_only_a_site_can_tell_parts_nobody() -> None:
    found = gathered(read('include site("Adequate veins") / exclude text("Any other reason")'))

    assert found.passing == PEOPLE


def test_nobody_in_it_passes_what_the_table_proves_empty() -> None:
    for criteria, expected in table():
        found = crowd(read(criteria), on=TODAY, vocabulary=VOCABULARY, terms=TERMS, people=500)

        is_empty = expected[0].isdigit() or expected.startswith("nobody")
        assert found.passing == 0 or not is_empty or "200 years" in criteria, criteria


@pytest.mark.parametrize(
    "criteria",
    [
        "include condition in (E11) / exclude condition in (E11.9)",
        "include condition in (I21) / exclude condition in (I21) within 6 months before today",
        "include medicine in (A10BA02) planned / exclude medicine in (A10B)",
        "include medicine in (H02A) current / exclude medicine in (H02A) current route (oral)",
        "include age between 18 and 65 years / exclude age between 18 and 40 years",
    ],
)
def test_somebody_passes_what_only_looks_like_a_contradiction(criteria: str) -> None:
    assert gathered(read(criteria)).passing > 0
