"""Every way through a document, against brute force."""

from itertools import product

import pytest
from hypothesis import given

from screening.asking.path import steps
from screening.asking.questionnaire import Document
from screening.asking.responses import Answer
from screening.asking.routes import TooManyRoutes, reachable, routes
from screening.texts import Respondent
from tests.screening.questionnaire.documents import SELF, both, make_document, shown_if_is, typed, yes_no
from tests.screening.questionnaire.test_path import ANSWERS, documents


def test_lists_the_ways_in_the_order_in_which_they_branch() -> None:
    document = make_document(
        yes_no("smokes", allow_unknown=True),
        typed("integer", "daily", show_if=shown_if_is("smokes")),
        typed("date", "since", show_if={"op": "at_least", "item": "daily", "value": "20"}),
        typed("height", "height"),
    )

    ways = routes(document, SELF)

    assert ways == (
        ("smokes", "daily", "height"),
        ("smokes", "daily", "since", "height"),
        ("smokes", "height"),
    )


def test_takes_the_ways_of_each_respondent() -> None:
    document = make_document(yes_no("school", show_if={"op": "about", "respondents": ["child"]}))

    ways = {respondent: routes(document, respondent) for respondent in Respondent}

    assert ways == {Respondent.SELF: ((),), Respondent.CHILD: (("school",),), Respondent.CARED_FOR: ((),)}


@pytest.mark.parametrize(
    ("kind", "changes", "unit"),
    [
        ("height", {}, None),
        ("weight", {}, None),
        ("decimal", {"unit": "mg/dL"}, None),
        (
            "quantity",
            {"units": [{"code": "%", "text": both("%")}, {"code": "mmol/mol", "text": both("m")}]},
            "%",
        ),
    ],
)
def test_takes_a_measurement_below_above_and_across_a_bound(
    kind: str, changes: dict[str, object], unit: str | None
) -> None:
    reaches = {"op": "at_least", "item": "n", "value": "100", "unit": unit}
    document = make_document(
        typed(kind, "n", **changes),
        yes_no("above", show_if=reaches),
        yes_no("below", show_if={"op": "not", "of": reaches}),
    )

    ways = routes(document, SELF)

    assert set(ways) == {("n", "above"), ("n", "below"), ("n",)}


def test_takes_an_age_on_both_sides_of_a_bound_within_what_may_be_entered() -> None:
    adult = {"op": "at_least", "item": "age", "value": "17.5"}
    ancient = {"op": "at_least", "item": "age", "value": "121"}
    document = make_document(
        typed("age", "age"),
        yes_no("adult", show_if=adult),
        yes_no("child", show_if={"op": "not", "of": adult}),
        yes_no("ancient", show_if=ancient),
    )

    ways = routes(document, SELF)

    assert set(ways) == {("age", "adult"), ("age", "child")}


def test_stops_where_there_are_too_many() -> None:
    questions = [yes_no(f"q{number}") for number in range(30)]
    follow_ups = [yes_no(f"f{number}", show_if=shown_if_is(f"q{number}")) for number in range(30)]
    document = make_document(*questions, *follow_ups)

    with pytest.raises(TooManyRoutes):
        routes(document, SELF)
    assert all(reachable(document, item) for item in document.items)


def by_brute_force(document: Document) -> set[tuple[str, ...]]:
    """Give the ids on the path for every combination of answers that the tests know."""
    kinds = [ANSWERS[item.type] for item in document.items]
    names = [item.id for item in document.items]
    every: list[dict[str, Answer]] = [dict(zip(names, given, strict=True)) for given in product(*kinds)]
    return {tuple(step.item.id for step in steps(document, answers, SELF)) for answers in every}


@given(document=documents.filter(lambda document: len(document.items) <= 4))
def test_finds_exactly_the_ways_that_brute_force_finds(document: Document) -> None:
    expected = by_brute_force(document)

    ways = routes(document, SELF)

    # the walk knows answers of 5 and more, which the brute force does not: its conditions ask for at most 4
    assert set(ways) == expected
    assert {item.id for item in document.items if reachable(document, item)} == {
        i for way in expected for i in way
    }
