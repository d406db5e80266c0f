from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings

from screening.editor.cautions import cautions, sample_cautions
from screening.editor.samples import Bench, Sample, SampleKind, samples
from screening.facts import Dated, Facts, Quantity
from screening.intervals import DateRange
from screening.language.criteria import Node
from screening.language.notation import parse_rule
from screening.language.protocol import Criterion, CriterionKind
from screening.language.questions import Resolver
from screening.verdict import Kleene, Label
from tests.screening.people import TERMS, TODAY, VOCABULARY
from tests.screening.trees import rules

EVERY = {SampleKind.PASSES, SampleKind.RULED_OUT, SampleKind.UNKNOWN}
WITH_A_LIMIT = (
    "age between 18 and 75 years",
    "age < 12 months",
    "bmi > 30, < 40 kg/m2 measured within 3 months before today",
    "alt <= 3 [ULN]",
    "hba1c between 7 and 10.5 % | between 53 and 91 mmol/mol",
    "last_vaccination at least 4 weeks before today",
    "condition in (C00-C97) but not in (C44) within 5 years before today",
    "medicine in (A10BA02) current for at least 3 months dose >= 1000 mg/d route (oral)",
    "medicine in (A10BA02) current unchanged for at least 4 weeks",
    "at least 2 kinds of medicine in (L04AB) past",
    "at least 2 episodes of condition in (I21) within 12 months before today",
    "case when sex is female then qtc < 470 ms else qtc < 450 ms end",
    "at least 2 of (age >= 50 years; bmi > 30 kg/m2; pregnant is yes)",
    'age >= 18 years and (pregnant is yes or site("veins"))',
    "age >= 18 years but not sex is male",
)
WITHOUT = (
    "sex is female",
    "pregnant is no decided by laboratory",
    "condition in (E11) current",
    "medicine in (A10BA02) planned",
    "condition in (*)",
    "if sex is female then not pregnant is yes",
    "none of (pregnant is yes; breastfeeding is yes)",
)


def bench(rule: str | Node, kind: CriterionKind = CriterionKind.INCLUSION, unless: str | None = None) -> Bench:
    """Set a rule up to be tried."""
    node = parse_rule(rule) if isinstance(rule, str) else rule
    exempt = None if unless is None else parse_rule(unless)
    criterion = Criterion(id="c1", kind=kind, text="as written", rule=node, unless=exempt)
    return Bench.of(criterion, on=TODAY, vocabulary=VOCABULARY, terms=TERMS)


def made(*given: object) -> dict[SampleKind, Sample]:
    """Make up people for a rule, by what they are there to show."""
    return {one.kind: one for one in samples(bench(*given))}  # type: ignore[arg-type]


class TestPeople:
    @pytest.mark.parametrize("kind", CriterionKind)
    @pytest.mark.parametrize("rule", [*WITH_A_LIMIT, *WITHOUT])
    def test_are_what_they_are_there_to_show(self, rule: str, kind: CriterionKind) -> None:
        people = made(rule, kind)

        assert set(people) == (EVERY | {SampleKind.BOUNDARY} if rule in WITH_A_LIMIT else EVERY)
        assert people[SampleKind.PASSES].verdict.label is Label.PASSES
        assert people[SampleKind.RULED_OUT].verdict.label is Label.RULES_OUT
        assert people[SampleKind.UNKNOWN].verdict.label is Label.UNKNOWN

    @settings(max_examples=60, deadline=None)
    @given(rules)
    def test_never_show_what_the_reference_does_not_say(self, rule: Node) -> None:
        people = samples(bench(rule))

        for one in people:
            assert one.verdict == bench(rule).judge(one.facts)
            if one.kind is SampleKind.PASSES:
                assert one.verdict.passes is Kleene.MET
            if one.kind is SampleKind.RULED_OUT:
                assert one.verdict.passes is Kleene.NOT_MET

    def test_stand_right_at_the_limit(self) -> None:
        age, number = made("age >= 18 years"), made("bmi > 30 kg/m2")

        (birth,) = age[SampleKind.BOUNDARY].facts
        (bmi,) = number[SampleKind.BOUNDARY].facts

        assert birth.value == Dated(DateRange.day(date(TODAY.year - 18, TODAY.month, TODAY.day)))
        assert age[SampleKind.BOUNDARY].verdict.label is Label.PASSES
        assert isinstance(bmi.value, Quantity)
        assert str(bmi.value.range.lo) == "30"
        assert number[SampleKind.BOUNDARY].verdict.label is Label.RULES_OUT

    def test_are_not_ruled_out_by_examples(self) -> None:
        assert SampleKind.RULED_OUT not in made("condition such as (I10)")

    def test_are_ruled_out_only_without_the_exception(self) -> None:
        people = made("sex is female", CriterionKind.INCLUSION, "age >= 65 years")

        assert people[SampleKind.RULED_OUT].verdict.label is Label.RULES_OUT
        assert {fact.key for fact in people[SampleKind.RULED_OUT].facts} == {"sex", "birth"}

    def test_are_few_where_only_the_site_can_tell(self) -> None:
        assert set(made('site("veins")')) == {SampleKind.UNKNOWN}


def told(rule: str, asked: set[str] | None = None) -> list[str]:
    """Say what to look at in a rule."""
    node = parse_rule(rule)
    resolver = Resolver(VOCABULARY, TERMS)
    found = [*cautions(node, resolver=resolver, evidence=None, asked=asked)]
    found += sample_cautions(node, samples(bench(node)))
    return [one.message.format_map(one.values) for one in found]


class TestCautions:
    def test_are_none_for_a_rule_that_is_whole(self) -> None:
        assert told("age between 18 and 75 years", {"birth"}) == []

    @pytest.mark.parametrize(
        ("rule", "words"),
        [
            ('age >= 18 years and text("")', "Something is still to be said."),
            ("age >= 18 years and none of ()", "A group is empty."),
            ("at least 3 of (age >= 18 years; pregnant is no)", "At least 3 of 2 can never be met."),
            ("bmi > 300 kg/m2", "lies outside what is plausible"),
            ("weight < 20 kg and weight > 30 kg", "No made-up person passes."),
            ("bmi < 30 mg/dL", "does not fit"),
        ],
    )
    def test_name_what_is_likely_a_slip(self, rule: str, words: str) -> None:
        assert any(words in one for one in told(rule))

    def test_name_what_no_published_question_asks(self) -> None:
        assert told("pregnant is yes", {"birth"}) == ["No published question asks “Pregnant” yet."]
        assert told("pregnant is yes", None) == []

    def test_say_nothing_against_what_only_a_site_can_tell(self) -> None:
        assert told('site("veins")', set()) == []

    def test_do_not_judge_by_an_unknown_person(self) -> None:
        assert bench("age >= 18 years").judge(Facts()).passes is Kleene.UNKNOWN
