"""What a path tells of each question."""

from recruit.intake.timing import happenings, quantile

ITEMS = {"age", "smoking", "words"}


def test_counts_each_question_once_with_the_time_that_it_took() -> None:
    path = [["who", 4], ["age", 10], ["smoking", 35]]

    assert list(happenings(path, ITEMS, None)) == [
        ("age", "answered"),
        ("age", "within.8"),
        ("smoking", "answered"),
        ("smoking", "within.27"),
    ]


def test_a_changed_answer_is_no_second_person() -> None:
    path = [["age", 10], ["smoking", 20], ["age", 500]]

    assert list(happenings(path, ITEMS, None))[4:] == [("age", "again")]


def test_names_where_somebody_left_and_nothing_that_is_no_question() -> None:
    assert list(happenings([], ITEMS, "words")) == [("words", "left")]
    assert list(happenings([["result", 9], ["gone", 3]], ITEMS, "result")) == []


def test_what_took_very_long_counts_with_the_longest() -> None:
    assert list(happenings([["age", 90_000]], ITEMS, None))[1] == ("age", "within.600")


def test_steps_of_another_shape_are_left_out() -> None:
    assert list(happenings([["left", 0, "age"], "age", ["age"], [3, 4], ["age", "soon"]], ITEMS, None)) == []


def test_quantiles_are_bounds_within_which_a_share_answered() -> None:
    counts = {3: 5, 8: 4, 60: 1}

    assert (quantile(counts, 0.5), quantile(counts, 0.9), quantile(counts, 1)) == (3, 8, 60)
    assert quantile({}, 0.5) is None
