"""How far a tree has come, what is likely to be said, and what a marked question may differ in."""

from __future__ import annotations

import json
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.asking.assertions import stated
from screening.choosing.bounds import Leaves, bounds, is_fixed, value, wanted
from screening.choosing.examples import answer_of, label_of
from screening.choosing.progress import Way, every, gain, settled, so_many, some, way_of
from screening.choosing.statistics import (
    UNINFORMED,
    Said,
    Statistics,
    burden_of,
    counted,
    even_chances,
)
from screening.choosing.wordings import is_alike
from screening.language.lowering import AtomRef, Lowered, lower, value_of
from screening.language.protocol import Criterion, CriterionKind, Protocol
from screening.language.questions import Resolver
from screening.texts import Respondent
from screening.verdict import Kleene
from tests.screening.asked import ITEMS, rules
from tests.screening.people import TERMS, TODAY, VOCABULARY
from tests.screening.questionnaire.documents import make_item, option, yes_no

SELF = Respondent.SELF
parts: st.SearchStrategy[list[Way]] = st.lists(
    st.tuples(st.sampled_from((0.0, 0.25, 0.5, 0.9)), st.sampled_from((0.0, 0.25, 0.5, 0.9))),
    min_size=1,
    max_size=4,
)


def lowered_of(rule: object) -> tuple[Lowered, int]:
    criterion = Criterion.model_validate(
        {"id": "c", "kind": CriterionKind.INCLUSION, "text": "as written", "rule": rule}
    )
    lowered = lower(Protocol(criteria=(criterion,)), resolver=Resolver(VOCABULARY, TERMS))
    return lowered.criteria[0].passes, len(lowered.atoms)


class TestProgress:
    def test_all_passes_by_the_mean_and_fails_by_any(self) -> None:
        assert every([(1.0, 0.0), (0.0, 0.5), (0.5, 0.5)]) == (0.5, 0.75)

    def test_any_is_the_dual(self) -> None:
        assert some([(0.0, 1.0), (0.5, 0.0), (0.5, 0.5)]) == (0.75, 0.5)

    @given(parts)
    def test_so_many_of_lies_between_any_and_all(self, of: list[Way]) -> None:
        both = [so_many(1, of), so_many(len(of), of)]

        for found, expected in zip(both, (some(of), every(of)), strict=True):
            assert isclose(found[0], expected[0], abs_tol=1e-12)
            assert isclose(found[1], expected[1], abs_tol=1e-12)

    @given(parts, st.integers(1, 4), st.integers(0, 3))
    def test_a_part_that_is_settled_always_brings_the_whole_further(
        self, of: list[Way], count: int, place: int
    ) -> None:
        place %= len(of)
        count = min(count, len(of))

        for told in ((1.0, of[place][1]), (of[place][0], 1.0)):
            further = [*of[:place], told, *of[place + 1 :]]
            assert gain(so_many(count, further)) > gain(so_many(count, of))

    @given(rules, st.lists(st.sampled_from((-1, 0, 1)), min_size=20, max_size=20))
    def test_is_whole_only_where_the_verdict_is_settled(self, rule: object, told: list[int]) -> None:
        node, _ = lowered_of(rule)

        passing, failing = way_of(node, [settled(one) for one in told])

        verdict = value(node, told)
        assert (passing == 1.0) == (verdict == 1)
        assert (failing == 1.0) == (verdict == -1)


class TestBounds:
    @given(rules, st.lists(st.sampled_from((-1, 0, 1)), min_size=20, max_size=20))
    def test_a_value_is_that_of_the_reference(self, rule: object, told: list[int]) -> None:
        node, size = lowered_of(rule)

        assert value(node, told) == value_of(node, [Kleene(one) for one in told[:size]])

    @given(
        rules,
        st.lists(st.sampled_from((-1, 0, 1)), min_size=20, max_size=20),
        st.lists(st.booleans(), min_size=20, max_size=20),
        st.lists(st.booleans(), min_size=20, max_size=20),
        st.lists(st.sampled_from((-1, 0, 1)), min_size=20, max_size=20),
    )
    def test_enclose_whatever_may_still_be_said(
        self, rule: object, told: list[int], live: list[bool], opens: list[bool], later: list[int]
    ) -> None:
        node, size = lowered_of(rule)
        now = [0 if alive else one for one, alive in zip(told, live, strict=True)]
        low, high, *_ = ends = bounds(node, Leaves(now, live, opens))

        then = [late if alive else one for one, late, alive in zip(told, later, live, strict=True)]
        reached = [Kleene(one) for one in then[:size]]
        open_then = [is_open and not one for is_open, one in zip(opens, then, strict=True)]
        best = value_of(node, reached, open_atoms=open_then, favour=Kleene.MET)
        worst = value_of(node, reached, open_atoms=open_then, favour=Kleene.NOT_MET)
        assert low <= value_of(node, reached) <= high
        assert ends[2] <= best <= ends[3]
        assert ends[4] <= worst <= ends[5]

    def test_a_live_leaf_is_wanted_unless_the_rest_has_decided(self) -> None:
        node, _ = lowered_of(
            {
                "op": "any",
                "of": [{"op": "attested", "key": key, "value": True} for key in ("vaping", "pregnant")],
            }
        )

        still = Leaves([0, -1], [True, False], [True, False])
        decided = Leaves([0, 1], [True, False], [True, False])
        assert list(wanted(node, still)) == [0]
        assert list(wanted(node, decided)) == []
        assert not is_fixed(AtomRef(0), still)


class TestWhatIsSaid:
    @pytest.mark.parametrize("name", sorted(set(ITEMS) - {"words"}))
    def test_every_label_is_an_answer_that_says_itself(self, name: str) -> None:
        item = make_item(ITEMS[name](allow_unknown=True, allow_decline=True))

        chances = even_chances(item, VOCABULARY, SELF)

        assert sum(chances.values()) == pytest.approx(1)
        for label in chances:
            answer = answer_of(item, label, on=TODAY)
            assert label_of(item, answer, tuple(chances)) == label
            assert list(stated(item, answer))

    def test_nobody_says_anything_to_words_that_no_rule_reads(self) -> None:
        assert even_chances(make_item(ITEMS["words"]()), VOCABULARY, SELF) == {}

    def test_a_child_is_not_taken_for_an_adult(self) -> None:
        item = make_item(ITEMS["birth"]())

        ages = {who: max(map(int, even_chances(item, VOCABULARY, who))) for who in (SELF, Respondent.CHILD)}

        assert ages == {SELF: 84, Respondent.CHILD: 17}

    def test_what_was_counted_outweighs_the_even_chances_with_people(self) -> None:
        even = {"q": {"yes": 0.5, "no": 0.5}}

        few = counted([Said("q", "yes")] * 2 + [Said("else", "yes"), Said("q", "maybe")], even)
        many = counted([Said("q", "yes", weight=2.0)] * 500, even)

        assert few.of("q", even["q"])["yes"] == pytest.approx(7 / 12)
        assert many.of("q", even["q"])["yes"] == pytest.approx(1005 / 1010)

    def test_statistics_are_frozen_and_named_by_what_they_say(self) -> None:
        told = counted([Said("q", "yes")], {"q": {"yes": 0.5, "no": 0.5}})

        again = Statistics.from_json(told.to_json())

        assert (again, again.version) == (told, told.version)
        assert told.version != counted([], {"q": {"yes": 0.5, "no": 0.5}}).version
        assert Statistics().version == UNINFORMED
        assert Statistics().of("q", {"yes": 0.5, "no": 0.5}) == {"yes": 0.5, "no": 0.5}

    @pytest.mark.parametrize(
        "document", [[], {"q": []}, {"q": {"yes": True}}, {"q": {"yes": "1"}}, {"q": {"yes": 1.5}}]
    )
    def test_refuses_what_is_no_chance(self, document: object) -> None:
        with pytest.raises(ValueError, match=r"object|chance"):
            Statistics.from_json(json.dumps(document))

    def test_a_sensitive_question_costs_twice_as_much(self) -> None:
        plain, sensitive = (make_item(yes_no(sensitivity=phase)) for phase in ("normal", "sensitive"))

        assert burden_of(sensitive) == 2 * burden_of(plain)


class TestAlike:
    def test_words_may_differ_and_what_they_mean_may_not(self) -> None:
        item = make_item(ITEMS["vaping"]())

        worded = make_item(ITEMS["vaping"](text={"en": "Do you vape at all?"}, id="vapes", sensitivity="flat"))
        turned = make_item(
            ITEMS["vaping"](
                options=[
                    option(code, asserts=[{"key": "vaping", "value": {"type": "flag", "value": code == "no"}}])
                    for code in ("yes", "no")
                ]
            )
        )

        assert is_alike(item, worded)
        assert not is_alike(item, turned)
