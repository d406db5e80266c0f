"""Criteria that leave nobody: a table of them, and that no proof ever rules out somebody who can be found."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from screening.assessment.assess import assess_lowered
from screening.facts import EvidenceSource, Fact, Facts, Statement
from screening.intervals import DateRange
from screening.language.criteria import Node
from screening.language.emptiness import Emptiness, EmptinessKind, Examination, examine
from screening.language.lowering import LoweredProtocol, lower
from screening.language.notation import parse
from screening.language.protocol import Criterion, CriterionKind, Protocol
from screening.language.questions import Resolver
from screening.verdict import Kleene
from tests.screening import histories, trees
from tests.screening.oracle import Person, asked_by, passes
from tests.screening.people import TERMS, TODAY, VOCABULARY

TABLE = Path(__file__).parent / "contradictions.csv"
RESOLVER = Resolver(VOCABULARY, TERMS)
_CRITERION = re.compile(r"(?:cohort (?P<cohort>\w+): )?(?P<kind>include|exclude) (?P<rule>.*)")


def table() -> list[tuple[str, str]]:
    """Read the table: criteria, and what is proved of them."""
    with TABLE.open(encoding="utf-8") as text:
        read_rows = csv.reader(text, delimiter=";", quotechar="'")
        return [(row[0], row[1]) for row in read_rows if row and not row[0].startswith("#")]


def read(text: str) -> LoweredProtocol:
    """Read criteria as the table writes them; they are numbered in their order."""
    head = re.match(r"anchor .*? screening ", text)
    texts = text[head.end() if head else 0 :].split(" / ")
    found = [_CRITERION.fullmatch(one) for one in texts]
    lines, cohorts = list[str](), dict[str, None]()
    for number, one in enumerate(found, start=1):
        assert one is not None, text
        of = f"cohorts {one['cohort']} " if one["cohort"] else ""
        cohorts |= {one["cohort"]: None} if of else {}
        lines.append(f'{one["kind"]} c{number} text "as written" {of}rule {one["rule"]}')
    named = [f'cohort {name} "{name}"' for name in cohorts]
    whole = "\n".join(["language 1", head[0] if head else "", *named, *lines])
    return lower(parse(whole, vocabulary=VOCABULARY, terms=TERMS), resolver=RESOLVER)


def examined(lowered: LoweredProtocol, *, on: date = TODAY) -> Examination:
    """Examine with the vocabulary of the tests."""
    return examine(lowered, on=on, vocabulary=VOCABULARY, terms=TERMS)


def told(proof: Emptiness) -> str:
    """Write a proof as the table does."""
    numbers = " + ".join(name.removeprefix("c") for name in proof.criteria)
    kind = "" if proof.kind is EmptinessKind.CONTRADICTION else f"{proof.kind.value}: "
    return f"{f'in {proof.cohort}: ' if proof.cohort else ''}{kind}{numbers}"


@pytest.mark.parametrize(("criteria", "expected"), table())
def test_a_line_of_the_table_comes_out_as_written(criteria: str, expected: str) -> None:
    found = examined(read(criteria))

    assert (", ".join(map(told, found.found)) or "-") == expected
    assert found.is_complete


def test_what_is_proved_does_not_hang_on_the_day() -> None:
    ages = read("include age >= 6574 days / include age < 18 years")

    found = {examined(ages, on=on).found for on in (date(2026, 2, 28), date(2024, 2, 29), date(2026, 12, 31))}

    assert found == {()}


def test_a_search_that_is_given_up_proves_nothing() -> None:
    # Eight pigeons do not fit into seven holes, and no search of this kind sees it soon.
    pigeons, holes = range(8), range(7)
    sits = [[f"condition in (E{10 + pigeon}.{hole})" for hole in holes] for pigeon in pigeons]
    lines = ["include " + " or ".join(places) for places in sits]
    pairs = ((one, other) for one in pigeons for other in range(one))
    lines += [f"exclude {sits[one][hole]} and {sits[other][hole]}" for one, other in pairs for hole in holes]

    found = examined(read(" / ".join(lines)))

    assert not found.is_complete
    assert found.found == ()


def consistent(facts: Facts) -> Facts:
    """Make facts of one mind: one source, no episode that ends before it begins, days told today.

    Sources may contradict one another, and an old answer a new one, without any leaf's noticing; of what is
    so, both cannot be.
    """
    return Facts(_plain(fact) for fact in facts if not _is_impossible(fact))


def _plain(fact: Fact) -> Fact:
    by_day = VOCABULARY[fact.key].kind.value == "date" if fact.key in VOCABULARY else False
    observed = DateRange.day(TODAY) if by_day else fact.observed
    return replace(fact, source=EvidenceSource.LABORATORY, observed=observed)


def _is_impossible(fact: Fact) -> bool:
    value = fact.value
    if isinstance(value, Statement) and value.onset and value.ended:
        return value.ended.before(value.onset)
    return False


def assert_nobody(lowered: LoweredProtocol, found: Examination, facts: Facts) -> None:
    """Check every proof against a person: nobody passes what nobody can, everybody what everybody does."""
    assessed = assess_lowered(lowered, facts, on=TODAY, vocabulary=VOCABULARY, terms=TERMS)
    verdicts = {one.criterion.id: one.passes for one in assessed.verdicts}
    for proof in found.found:
        mine = [verdicts[name] for name in proof.criteria]
        if proof.refuses:
            assert not all(verdict is Kleene.MET for verdict in mine), (proof, list(facts))
        else:
            assert Kleene.NOT_MET not in mine, (proof, list(facts))


@given(histories.protocols(), st.lists(histories.people, min_size=1, max_size=8))
def test_nobody_passes_what_is_proved_empty(protocol: Protocol, people: list[Facts]) -> None:
    lowered = lower(protocol, resolver=RESOLVER)

    found = examined(lowered)

    for facts in people:
        assert_nobody(lowered, found, consistent(facts))


criteria = st.lists(
    st.tuples(trees.rules, st.sampled_from(CriterionKind), st.none() | st.none() | trees.rules),
    min_size=1,
    max_size=4,
)


@given(criteria)
def test_no_world_of_all_that_are_possible_passes(rules: list[tuple[Node, CriterionKind, Node | None]]) -> None:
    protocol = Protocol(
        criteria=tuple(
            Criterion(id=f"c{place}", kind=kind, text="as written", rule=rule, unless=unless)
            for place, (rule, kind, unless) in enumerate(rules)
        )
    )
    found = examined(lower(protocol, resolver=RESOLVER)).found
    assume(found)

    for proof in found:
        mine = [rules[int(name.removeprefix("c"))] for name in proof.criteria]
        trees_used = [tree for rule, _, unless in mine for tree in (rule, unless) if tree is not None]
        asked = frozenset().union(*map(asked_by, trees_used))
        for world in Person().worlds(asked):
            held = [
                passes(rule, world, inclusion=kind is CriterionKind.INCLUSION, unless=unless)
                for rule, kind, unless in mine
            ]
            assert all(held) is not proof.refuses, (proof, world)
