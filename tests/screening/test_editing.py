from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.editor.editing import (
    HOLE,
    Add,
    Branching,
    Direction,
    Join,
    Joint,
    Move,
    Path,
    Put,
    Remove,
    Step,
    Turn,
    Unwrap,
    Wrap,
    edit,
    fits,
    holes,
    part_at,
    read_path,
    write_path,
)
from screening.errors import InvalidCriteria
from screening.language.criteria import Node, read_rule, write_rule_json
from screening.language.notation import parse_rule, write_rule
from screening.language.tree import parts
from tests.screening.trees import leaves, rules

AGE = parse_rule("age >= 18 years")
BMI = parse_rule("bmi < 40 kg/m2")

nodes = leaves
counts = st.integers(1, 4)
steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(Put, nodes),
    st.builds(Add, nodes),
    st.builds(Join, st.sampled_from((Joint.ALL, Joint.ANY)), nodes),
    st.builds(Wrap, st.sampled_from(Joint), counts),
    st.builds(Turn, st.sampled_from(Joint), counts),
    st.builds(Branching, st.booleans()),
    st.builds(Move, st.sampled_from(Direction)),
    st.just(Unwrap()),
    st.just(Remove()),
)


def paths(node: Node, path: Path = ()) -> list[Path]:
    """List the paths to a node and everything below it."""
    return [
        path,
        *(one for at, part in enumerate(parts(node)) for one in paths(part, (*path, at))),
    ]


def edited(text: str, path: str, step: Step) -> str:
    """Take a step at a rule in the notation."""
    rule = edit(parse_rule(text), read_path(path), step).rule
    return "" if rule is None else write_rule(rule)


def _repeat(rule: Node | None, step: Step) -> None:
    for _turn in range(200):
        rule = edit(rule, (), step).rule


class TestEveryStep:
    @given(rules, st.lists(st.tuples(st.integers(0, 40), steps), min_size=1, max_size=6))
    def test_gives_a_tree_that_both_forms_read_back(self, rule: Node, taken: list[tuple[int, Step]]) -> None:
        held: Node | None = rule

        for place, step in taken:
            if held is None:
                break
            every = paths(held)
            try:
                came_of = edit(held, every[place % len(every)], step)
            except InvalidCriteria:
                continue
            held = came_of.rule

            assert held is None or read_rule(write_rule_json(held)) == held
            assert held is None or parse_rule(write_rule(held)) == held
            assert held is None or part_at(held, came_of.path)

    @given(rules, st.integers(0, 40), steps)
    def test_is_undone_by_the_notation_of_what_was_there(self, rule: Node, place: int, step: Step) -> None:
        every = paths(rule)
        kept = write_rule(rule)

        with suppress(InvalidCriteria):
            edit(rule, every[place % len(every)], step)

        assert parse_rule(kept) == rule

    @given(rules, st.integers(0, 40), steps)
    def test_is_offered_only_where_it_can_be_taken(self, rule: Node, place: int, step: Step) -> None:
        every = paths(rule)
        path = every[place % len(every)]

        if not fits(rule, path, step):
            with pytest.raises(InvalidCriteria):
                edit(rule, path, step)

    @given(rules, st.integers(0, 40))
    def test_up_and_down_again_is_where_it_was(self, rule: Node, place: int) -> None:
        every = paths(rule)
        path = every[place % len(every)]
        if not fits(rule, path, Move(Direction.UP)):
            return

        up = edit(rule, path, Move(Direction.UP))
        back = edit(up.rule, up.path, Move(Direction.DOWN))

        assert (back.rule, back.path) == (rule, path)

    @given(rules, st.integers(0, 40), st.sampled_from(Joint))
    def test_a_frame_comes_off_as_it_went_on(self, rule: Node, place: int, joint: Joint) -> None:
        every = paths(rule)
        path = every[place % len(every)]
        if not fits(rule, path, Wrap(joint)):
            return

        wrapped = edit(rule, path, Wrap(joint))

        assert edit(wrapped.rule, wrapped.path, Unwrap()).rule == rule


class TestSaying:
    def test_the_first_thing_is_the_whole_rule(self) -> None:
        assert edit(None, (), Put(AGE)).rule == AGE

    def test_nothing_stands_at_a_place_of_an_empty_rule(self) -> None:
        with pytest.raises(InvalidCriteria, match="no such part"):
            edit(None, (0,), Put(AGE))

    def test_a_second_part_makes_a_group(self) -> None:
        came_of = edit(AGE, (), Join(Joint.ALL, BMI))

        assert came_of.rule == parse_rule("age >= 18 years and bmi < 40 kg/m2")
        assert came_of.path == (1,)

    def test_a_third_part_goes_into_the_group_that_is_there(self) -> None:
        text = "age >= 18 years and bmi < 40 kg/m2"

        assert edited(text, "0", Join(Joint.ALL, HOLE)) == 'age >= 18 years and text("") and bmi < 40 kg/m2'
        assert edited(text, "", Join(Joint.ALL, HOLE)) == 'age >= 18 years and bmi < 40 kg/m2 and text("")'
        assert edited(text, "1", Join(Joint.ANY, HOLE)) == 'age >= 18 years and (bmi < 40 kg/m2 or text(""))'

    def test_a_hole_is_filled_and_not_added_to(self) -> None:
        framed = edit(BMI, (), Wrap(Joint.IF)).rule
        assert holes(framed) == [(0,)]

        filled = edit(framed, (0,), Join(Joint.ALL, AGE)).rule

        assert filled == parse_rule("if age >= 18 years then bmi < 40 kg/m2")
        assert holes(filled) == []


class TestRemoving:
    def test_the_last_part_leaves_no_rule(self) -> None:
        assert edit(AGE, (), Remove()).rule is None

    def test_what_must_stand_becomes_a_hole_and_a_hole_takes_its_frame_along(self) -> None:
        text = "if age >= 18 years then bmi < 40 kg/m2"

        once = edited(text, "0", Remove())

        assert once == 'if text("") then bmi < 40 kg/m2'
        assert edited(once, "0", Remove()) == "bmi < 40 kg/m2"

    def test_the_opposite_of_nothing_goes(self) -> None:
        assert edited('age >= 18 years and not text("")', "1.0", Remove()) == "all of (age >= 18 years)"

    def test_a_branch_goes_by_its_hole(self) -> None:
        text = "case when sex is female then qtc < 470 ms when sex is male then qtc < 450 ms end"

        once = edited(text, "3", Remove())

        assert edited(once, "3", Remove()) == "case when sex is female then qtc < 470 ms end"


class TestGroups:
    def test_turn_into_one_another(self) -> None:
        text = "age >= 18 years and bmi < 40 kg/m2"

        assert edited(text, "", Turn(Joint.ANY)) == "age >= 18 years or bmi < 40 kg/m2"
        assert edited(text, "", Turn(Joint.AT_LEAST, 2)) == "at least 2 of (age >= 18 years; bmi < 40 kg/m2)"

    def test_spread_into_the_group_around_them(self) -> None:
        text = "sex is female and (age >= 18 years or bmi < 40 kg/m2)"

        assert edited(text, "1", Unwrap()) == "sex is female and age >= 18 years and bmi < 40 kg/m2"

    def test_let_parts_in_and_out(self) -> None:
        text = "(age >= 18 years or sex is female) and bmi < 40 kg/m2"

        inside = edited(text, "1", Move(Direction.INTO))

        assert inside == "all of (age >= 18 years or sex is female or bmi < 40 kg/m2)"
        assert edited(inside, "0.2", Move(Direction.OUT)) == text


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "path", "step"),
        [
            ("age >= 18 years", "3", Remove()),
            ("age >= 18 years", "", Move(Direction.UP)),
            ("age >= 18 years", "", Unwrap()),
            ("age >= 18 years", "", Turn(Joint.ANY)),
            ("age >= 18 years", "", Add(BMI)),
            ("age >= 18 years and bmi < 40 kg/m2", "", Unwrap()),
            ("age >= 18 years and bmi < 40 kg/m2", "", Turn(Joint.AT_LEAST, 0)),
            ("age >= 18 years and bmi < 40 kg/m2", "", Turn(Joint.NOT)),
            ("age >= 18 years", "", Branching()),
            ('condition in (C00-C97) but not text("")', "1", Put(parse_rule("condition in (C44)"))),
        ],
    )
    def test_what_does_not_fit_is_refused(self, text: str, path: str, step: Step) -> None:
        with pytest.raises(InvalidCriteria):
            edit(parse_rule(text), read_path(path), step)

    def test_depth_ends_somewhere(self) -> None:
        rule: Node | None = AGE

        while rule is not None and len(paths(rule)) < 20:
            rule = edit(rule, (), Wrap(Joint.NOT)).rule
        framed: Step = Wrap(Joint.CASE)

        with pytest.raises(InvalidCriteria, match="deep"):
            _repeat(rule, framed)

    @pytest.mark.parametrize("text", ["x", "0..1", "-1", "0.99999", "٣", "0." * 200])
    def test_a_path_is_numbers_and_dots(self, text: str) -> None:
        with pytest.raises(InvalidCriteria):
            read_path(text)

    def test_a_path_reads_back(self) -> None:
        assert read_path(write_path((0, 12, 3))) == (0, 12, 3)
        assert read_path("") == ()
