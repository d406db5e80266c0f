"""What a verdict promises, held against every way in which a person may be completed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from screening.facts import Absence
from screening.language.criteria import Node, Not, SiteOnly
from screening.language.protocol import CriterionKind
from screening.language.tree import walk
from screening.verdict import Kleene, Label
from tests.screening.oracle import CODES, Person, asked_by, known, narrowed, passes, truth
from tests.screening.people import judged, make_fact
from tests.screening.trees import people, rules

KINDS = {CriterionKind.INCLUSION: True, CriterionKind.EXCLUSION: False}
kinds = st.sampled_from(CriterionKind)


@given(rules, people, kinds)
def test_a_settled_verdict_holds_in_every_completion(rule: Node, person: Person, kind: CriterionKind) -> None:
    verdict = judged(rule, person.facts(), kind=kind)

    if verdict.passes.is_settled:
        outcomes = {passes(rule, world, inclusion=KINDS[kind]) for world in person.worlds(asked_by(rule))}
        assert outcomes == {verdict.passes is Kleene.MET}
    if verdict.label is Label.DOES_NOT_APPLY:
        assert not any(truth(rule, world)[0] for world in person.worlds(asked_by(rule)))


@given(rules, people, kinds, st.data())
def test_somebody_fully_known_is_always_settled(
    rule: Node, person: Person, kind: CriterionKind, data: st.DataObject
) -> None:
    world = data.draw(st.sampled_from(person.worlds(asked_by(rule))))

    verdict = judged(rule, known(world).facts(), kind=kind)

    # a code may have narrower ones, each of which is a kind of its own: a count stays open above
    may_stay_open = {"case", "distinct"} & set(_operators(rule))
    asks_site = any(isinstance(node, SiteOnly) for node in walk(rule)) or may_stay_open
    expected = Kleene.MET if passes(rule, world, inclusion=KINDS[kind]) else Kleene.NOT_MET
    assert verdict.passes is expected or (asks_site and verdict.passes is Kleene.UNKNOWN)


@given(rules, people, kinds, st.lists(st.booleans(), min_size=7, max_size=7), st.data())
def test_narrowing_never_changes_a_settled_verdict(
    rule: Node, person: Person, kind: CriterionKind, parts: list[bool], data: st.DataObject
) -> None:
    world = data.draw(st.sampled_from(person.worlds(asked_by(rule))))
    before = judged(rule, person.facts(), kind=kind)

    after = judged(rule, narrowed(person, world, parts).facts(), kind=kind)

    if before.passes.is_settled:
        assert after.passes is before.passes
    if before.applies.is_settled:
        assert after.applies is before.applies


@given(rules, people, kinds, st.sampled_from(Absence))
def test_an_answer_without_value_displaces_nothing(
    rule: Node, person: Person, kind: CriterionKind, answer: Absence
) -> None:
    facts = person.facts()
    shrugs = [make_fact(key, answer) for key in ("sex", "vaping", "pregnant", "qtc", "birth", "condition.any")]

    before = judged(rule, facts, kind=kind)
    after = judged(rule, facts.plus(*shrugs), kind=kind)

    assert (after.applies, after.holds, after.passes) == (before.applies, before.holds, before.passes)


@given(rules, people)
def test_an_exclusion_passes_exactly_as_the_opposite_included(rule: Node, person: Person) -> None:
    facts = person.facts()

    excluded = judged(rule, facts, kind=CriterionKind.EXCLUSION)
    included = judged(Not(of=rule), facts)

    assert (excluded.passes, excluded.is_open, excluded.label) == (
        included.passes,
        included.is_open,
        included.label,
    )


@given(rules, people, kinds)
def test_only_what_is_unknown_is_open_and_says_what_is_missing(
    rule: Node, person: Person, kind: CriterionKind
) -> None:
    verdict = judged(rule, person.facts(), kind=kind)

    if verdict.passes.is_settled:
        assert not verdict.is_open
        assert verdict.missing == ()
    elif verdict.is_open:
        assert verdict.missing


@given(rules, people, kinds, st.data())
def test_retracting_a_fact_changes_only_verdicts_that_looked_at_it(
    rule: Node, person: Person, kind: CriterionKind, data: st.DataObject
) -> None:
    facts = person.facts()
    if not len(facts):
        return
    gone = data.draw(st.sampled_from(list(facts)))

    before = judged(rule, facts, kind=kind)
    after = judged(rule, facts.plus(make_fact(gone.key, None, retracts=gone.id)), kind=kind)

    if after.passes is not before.passes:
        assert gone.id in before.facts
    assert gone.id not in after.facts


def test_the_worlds_of_somebody_unknown_are_all_there_are() -> None:
    worlds = Person().worlds()

    assert len({world.codes for world in worlds}) == 2 ** len(CODES)
    assert len(worlds) == 2 * 2**3 * 9 * 5 * 16 * 4


def _operators(rule: Node) -> set[str]:
    return {node.op for node in walk(rule)}
