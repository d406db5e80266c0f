"""Fixed combinations: whoever takes one takes what is in it, in every back end and every completion."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.assessment.assess import assess_lowered, explain
from screening.atoms.table import OpenProtocols
from screening.combinations import FormularyTerms, packaged_terms
from screening.facts import Code, Denial, Fact, Facts, Statement, StatementStatus
from screening.language.criteria import Coded, Distinct, DistinctBy, Node
from screening.language.lowering import LoweredProtocol, lower
from screening.language.notation import parse_rule
from screening.language.protocol import Criterion, CriterionKind, Protocol
from screening.language.questions import Resolver
from screening.medicines import packaged_formulary, read_formulary
from screening.planes.columns import build_snapshot
from screening.planes.pool import Pool
from screening.terms import ATC, Components, PrefixTerms
from screening.verdict import Kleene
from screening.vocabulary import About
from tests.screening import histories
from tests.screening.people import TERMS, TODAY, VOCABULARY, judged, make_fact, noted_all
from tests.screening.test_cases import TABLES, lines

RESOLVER = Resolver(VOCABULARY, TERMS)

medicines = st.sampled_from(
    ("A10BA02", "A10BH01", "A10BD07", "A10BD07", "A10BD07", "A10BD", "A10BD07+A10BD11", "A10", "*")
).map(lambda code: Code(ATC, code))
few = st.lists(medicines, min_size=1, max_size=2, unique=True).map(tuple)


def about_medicines(leaf: Coded, codes: tuple[Code, ...], but: tuple[Code, ...]) -> Coded:
    """Ask for medicines in the way in which another leaf asks."""
    return leaf.model_copy(update={"codes": codes, "but": but, "key": None})


leaves: st.SearchStrategy[Coded] = st.builds(
    about_medicines,
    st.one_of(histories.coded, histories.coded, histories.dated, histories.detailed),
    few,
    st.just(()) | st.just(()) | few,
)
counts: st.SearchStrategy[Node] = st.builds(
    Distinct,
    count=st.integers(1, 3),
    by=st.sampled_from(DistinctBy),
    of=leaves,
    decides_from=histories.limits_of_evidence,
)
decided: st.SearchStrategy[Node] = st.builds(
    lambda leaf, limit, teller: leaf.model_copy(update={"decides_from": limit, "told_by": teller}),
    leaves,
    histories.limits_of_evidence,
    histories.tellers,
)
rules = st.one_of(leaves, decided, counts)
facts: st.SearchStrategy[Fact] = st.builds(histories.about, histories.coded_facts, medicines)
people: st.SearchStrategy[Facts] = st.builds(
    lambda said, listed: Facts([*said, *listed]),
    st.lists(facts, max_size=4),
    st.just([]) | histories.closed_lists(),
)


def protocol_of(rules_: list[Node]) -> LoweredProtocol:
    """Make a protocol of several inclusion criteria."""
    criteria = tuple(
        Criterion(id=f"c{number}", kind=CriterionKind.INCLUSION, text="as written", rule=rule)
        for number, rule in enumerate(rules_)
    )
    return lower(Protocol(criteria=criteria, anchors=histories.ANCHORS), resolver=RESOLVER)


def assert_all_equal(lowered: LoweredProtocol, everybody: Sequence[Facts]) -> None:
    """Compare the verdicts of the three back ends for every criterion and person."""
    opened = OpenProtocols(vocabulary=VOCABULARY, terms=TERMS)
    opened.add("trial", lowered)
    snapshot = build_snapshot(enumerate(everybody), on=TODAY, vocabulary=VOCABULARY, terms=TERMS)
    pool = Pool(snapshot, terms=TERMS)
    ids = [one.criterion.id for one in lowered.criteria]
    planes = [pool.criterion(lowered, name, on=TODAY, vocabulary=VOCABULARY) for name in ids]
    for slot, person in enumerate(everybody):
        verdicts = assess_lowered(lowered, person, on=TODAY, vocabulary=VOCABULARY, terms=TERMS).verdicts
        alone = opened.judge(person, on=TODAY).criteria("trial")
        for verdict, one, plane in zip(verdicts, alone, planes, strict=True):
            expected = (verdict.passes, verdict.applies, verdict.is_open)
            told = (verdict.criterion.rule, list(person))
            assert (one.passes, one.applies, one.is_open) == expected, told
            assert plane.verdict(slot) == expected, told


@given(st.lists(rules, min_size=1, max_size=6), st.lists(people, min_size=1, max_size=6))
def test_both_fast_back_ends_equal_the_interpreter(asked: list[Node], everybody: list[Facts]) -> None:
    assert_all_equal(protocol_of(asked), everybody)


def test_they_equal_it_for_everybody_and_every_criterion_of_the_table() -> None:
    rows = [row for _, row in lines(TABLES / "combinations.csv")]
    asked = [parse_rule(text, vocabulary=VOCABULARY, terms=TERMS) for text in rules_in(rows)]

    assert_all_equal(protocol_of(asked), [noted_all(json.loads(facts)) for _, facts, _, _ in rows])


def rules_in(rows: Sequence[Sequence[str]]) -> list[str]:
    """Give each rule of a table once, as text."""
    return list(dict.fromkeys(row[0].removeprefix("exclude ") for row in rows))


PRODUCTS: Mapping[str, tuple[str, ...]] = {
    "A10BA02": (),
    "A10BH01": (),
    "A10BH05": (),
    "A10BB12": (),
    "A10BD07": ("A10BA02", "A10BH01"),
    "A10BD11": ("A10BA02", "A10BH05"),
}
"""All medicines of a small world, with what they contain."""
SAID = (*PRODUCTS, "A10BD", "A10B", "A10BH", "A10BD07+A10BD11", "A10BA02+A10BD07")


@dataclass(frozen=True)
class Taken:
    """Somebody of whom some medicines are affirmed, some denied; `but` is spared by a closed list."""

    affirmed: frozenset[str]
    denied: frozenset[str]
    listed: bool

    def facts(self) -> Facts:
        """Write the person down."""
        held = [
            make_fact("medicine.any", Statement(Code(ATC, code), StatementStatus.EVER))
            for code in sorted(self.affirmed)
        ]
        if self.denied:
            held.append(make_fact("medicine.any", Denial(tuple(Code(ATC, one) for one in sorted(self.denied)))))
        if self.listed:
            spared = tuple(Code(ATC, one) for one in sorted(self.affirmed))
            held.append(make_fact("medicine.any", Denial((Code(ATC, "*"),), but=spared)))
        return Facts(held)

    def worlds(self) -> Iterator[frozenset[str]]:
        """Give every set of products that somebody of whom this was said may have taken."""
        for size in range(len(PRODUCTS) + 1):
            for chosen in combinations(PRODUCTS, size):
                is_said = all(any(_below(product, said) for product in chosen) for said in self.affirmed)
                if is_said and not any(map(self._is_barred, chosen)):
                    yield frozenset(chosen)

    def _is_barred(self, product: str) -> bool:
        inside = (product, *PRODUCTS[product])
        if any(_below(one, said) for one in inside for said in self.denied):
            return True
        return self.listed and not any(_below(product, said) for said in self.affirmed)


def _below(code: str, said: str) -> bool:
    return any(code.startswith(root) for root in said.split("+"))


def kinds_in(world: frozenset[str], wanted: Collection[str]) -> set[str]:
    """Give what counts as a kind: a combination's substances, or itself where the codes ask for none."""
    kinds = set()
    for product in world:
        parts = {part for part in PRODUCTS[product] if any(_below(part, one) for one in wanted)}
        kinds |= parts or {product for one in wanted if _below(product, one)}
    return kinds


codes_said = st.sampled_from(SAID)
takers = st.builds(
    Taken,
    st.frozensets(codes_said, max_size=3),
    st.frozensets(st.sampled_from(("A10BA02", "A10BH01", "A10BH", "A10BD", "A10BD07")), max_size=2),
    st.booleans(),
)
asked_codes = st.lists(
    st.sampled_from(("A10", "A10B", "A10BA02", "A10BH", "A10BH01", "A10BD", "A10BD11", "A10BB12")),
    min_size=1,
    max_size=2,
    unique=True,
)


def rule_about(wanted: Sequence[str], count: int) -> Node:
    """Ask for one of some medicines, or for several kinds of them."""
    leaf = Coded(about=About.MEDICINE, codes=tuple(Code(ATC, one) for one in wanted))
    return Distinct(count=count, by=DistinctBy.KIND, of=leaf) if count else leaf


@given(takers, asked_codes, st.integers(0, 4))
def test_a_settled_verdict_holds_for_everything_that_may_have_been_taken(
    taken: Taken, wanted: list[str], count: int
) -> None:
    verdict = judged(rule_about(wanted, count), taken.facts()).holds

    if verdict.is_settled:
        outcomes = {len(kinds_in(world, wanted)) >= max(count, 1) for world in taken.worlds()}
        assert outcomes <= {verdict is Kleene.MET}, (taken, wanted, count)


@given(st.frozensets(st.sampled_from(sorted(PRODUCTS)), max_size=4), asked_codes, st.integers(0, 4))
def test_a_closed_list_of_known_medicines_settles_every_count(
    products: frozenset[str], wanted: list[str], count: int
) -> None:
    taken = Taken(products, frozenset(), listed=True)

    verdict = judged(rule_about(wanted, count), taken.facts()).holds

    enough = len(kinds_in(products, wanted)) >= max(count, 1)
    assert verdict is (Kleene.MET if enough else Kleene.NOT_MET)


class TestReasons:
    def test_name_the_combination_and_what_is_in_it(self) -> None:
        facts = noted_all({"medicine.any": "A10BD07 current since 2025"})

        verdict = judged("medicine in (A10BA02) current", facts)

        assert explain(verdict) == [
            "Medicine in A10BA02 (current): sitagliptin and metformin A10BD07 current since 2025, "
            "which contains metformin A10BA02 (answered online, 22 Nov 2026)."
        ]
        assert verdict.facts == tuple(fact.id for fact in facts)

    def test_show_both_sides_of_a_conflict(self) -> None:
        facts = noted_all({"medicine.any": "A10BD07 current @record", "medicine.metformin": "no"})

        verdict = judged("medicine in (A10BA02) current", facts)

        assert set(verdict.facts) == {fact.id for fact in facts}
        assert verdict.missing[0].facts == verdict.facts
        assert "which contains metformin A10BA02 (medical record" in explain(verdict)[0]
        assert "do not agree" in explain(verdict)[0]

    def test_prefer_the_medicine_itself_to_the_combination_with_it(self) -> None:
        facts = noted_all({"medicine.any": ["A10BD07 current", "A10BA02 current"]})

        verdict = judged("medicine in (A10BA02) current", facts)

        assert verdict.facts == (list(facts)[1].id,)


class TestTerms:
    def test_name_the_formulary_in_their_version(self) -> None:
        other = read_formulary(
            "ingredient;atc;route;components;names;spanish;brands;lay\n"
            "sitagliptin and metformin;A10BD07;;A10BA02;;;;\n",
            "code;name;spanish;names;lay;spanish_lay;contains\n",
            "group;atc;complete;names;spanish;lay;spanish_lay\n",
        )

        assert FormularyTerms(other).version not in (packaged_terms().version, PrefixTerms.version)
        assert FormularyTerms(packaged_formulary()).version == packaged_terms().version

    @pytest.mark.parametrize(
        ("code", "sure", "possible"),
        [
            ("A10BA02", "", ""),
            ("C09BA03", "C03AA03 C09AA03", "C03AA03 C09AA03"),
            ("C09BA04", "C03 C09A", "C03 C09A"),
            ("A10BA02+A10BD07", "A10BA02", "A10BA02 A10BH01"),
            ("N02AJ22", "N02BE01 R05DA03", "N02BE01 R05DA03"),
            ("C03EA01", "C03AA03 C03D", "C03AA03 C03D C03DA01 C03DB01 C03DB02"),
        ],
    )
    def test_leave_out_a_class_that_a_component_fills(self, code: str, sure: str, possible: str) -> None:
        found = packaged_terms().components(Code(ATC, code))

        assert sorted(one.code for one in found.sure) == sure.split()
        assert sorted(one.code for one in found.possible) == possible.split()

    @pytest.mark.parametrize(
        ("code", "is_complete"),
        [("A10BA02", True), ("A10BD07", True), ("J05AR20", False), ("C09DX04", False), ("A10BD", False)],
    )
    def test_know_of_which_combinations_everything_is_named(self, code: str, is_complete: bool) -> None:
        assert packaged_terms().components(Code(ATC, code)).is_complete is is_complete

    def test_know_a_class_by_what_may_be_in_it(self) -> None:
        found = packaged_terms().components(Code(ATC, "A10BD"))

        assert not found.sure
        assert Code(ATC, "A10BA02") in found.possible
        assert Code(ATC, "A10BJ02") not in found.possible

    def test_other_systems_contain_nothing(self) -> None:
        assert packaged_terms().components(Code("icd-10-cm", "E11")) == Components()


def test_a_medicine_begun_after_the_word_that_it_is_over_is_judged_all_the_same() -> None:
    facts = noted_all({"medicine.any": ["A10BA02 ever since 2026-11-22 @ 2026-11-20", "no @ 2026-11-21"]})

    assert judged("medicine in (A10BA02) current", facts).holds is Kleene.NOT_MET
