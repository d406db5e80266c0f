"""What an amendment changes for one person: just those criteria are named that make the difference."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from screening.assessment.amendment import Cause, Comparison, amendment_of, compare
from screening.assessment.assess import assess
from screening.assessment.overrides import effective
from screening.facts import Facts
from screening.language.criteria import Node
from screening.language.lowering import lower
from screening.language.notation import parse
from screening.language.protocol import Cohort, Criterion, CriterionKind, Protocol
from screening.language.questions import Resolver
from screening.verdict import Disposition, Kleene
from tests.screening.oracle import Person
from tests.screening.people import TERMS, TODAY, VOCABULARY, noted_all
from tests.screening.trees import people, rules

RESOLVER = Resolver(VOCABULARY, TERMS)
INELIGIBLE, POTENTIAL, CANDIDATE = Disposition
COHORTS = ("a", "b", "c")


def compared(
    old: Protocol,
    new: Protocol,
    facts: Facts,
    *,
    closed: Sequence[str] = (),
    said: dict[str, bool] | None = None,
) -> Comparison:
    amendment = amendment_of(lower(old, resolver=RESOLVER), lower(new, resolver=RESOLVER))
    return compare(
        amendment, facts, on=TODAY, vocabulary=VOCABULARY, terms=TERMS, closed_cohorts=closed, said=said or {}
    )


def stands(protocol: Protocol, facts: Facts, *, closed: Sequence[str] = ()) -> Disposition:
    return assess(
        protocol, facts, on=TODAY, vocabulary=VOCABULARY, terms=TERMS, closed_cohorts=closed
    ).disposition


def read(text: str) -> Protocol:
    return parse(f"language 1\n{text}", vocabulary=VOCABULARY, terms=TERMS)


def lineages(comparison: Comparison) -> dict[str, Cause]:
    return {one.lineage: one.cause for one in comparison.turned}


def _criterion(name: str, kind: CriterionKind, rule: Node, cohorts: frozenset[str] = frozenset()) -> Criterion:
    return Criterion(id=name, kind=kind, text="as written", rule=rule, cohorts=tuple(sorted(cohorts)))


def _drawn(name: str, meant: tuple[CriterionKind, Node], cohorts: frozenset[str] = frozenset()) -> Criterion:
    return _criterion(name, meant[0], meant[1], cohorts)


names = st.sets(st.sampled_from(("c1", "c2", "c3", "c4", "c5")), max_size=4).map(sorted)
pool = st.lists(st.tuples(st.sampled_from(CriterionKind), rules), min_size=1, max_size=4)


@st.composite
def versions(draw: st.DrawFn) -> tuple[Protocol, Protocol]:
    """Draw two versions that share some criteria, in any order."""
    shared = draw(pool)
    return tuple(  # type: ignore[return-value]
        Protocol(
            criteria=tuple(
                _drawn(name, draw(st.sampled_from(shared))) for name in draw(st.permutations(draw(names)))
            )
        )
        for _ in range(2)
    )


@st.composite
def versions_with_cohorts(draw: st.DrawFn) -> tuple[Protocol, Protocol]:
    """Draw two versions with cohorts of their own, or with none."""
    shared, made = draw(pool), []
    for _ in range(2):
        cohorts = sorted(draw(st.sets(st.sampled_from(COHORTS))))
        some = st.frozensets(st.sampled_from(cohorts)) if cohorts else st.just(frozenset[str]())
        criteria = [_drawn(name, draw(st.sampled_from(shared)), draw(some)) for name in draw(names)]
        made.append(
            Protocol(criteria=tuple(criteria), cohorts=tuple(Cohort(id=one, name=one) for one in cohorts))
        )
    return made[0], made[1]


def swapped(worse: Protocol, better: Protocol, lineages: set[str]) -> Protocol:
    """Give a version with some criteria as another one has them."""
    kept = [one for one in worse.criteria if one.lineage not in lineages]
    return Protocol(criteria=(*kept, *(one for one in better.criteria if one.lineage in lineages)))


class TestEverybody:
    @given(versions_with_cohorts(), people, st.sets(st.sampled_from(COHORTS)))
    def test_stands_where_the_assessment_says(
        self, pair: tuple[Protocol, Protocol], person: Person, closed: set[str]
    ) -> None:
        facts = person.facts()

        told = compared(*pair, facts, closed=sorted(closed))

        assert told.before is stands(pair[0], facts, closed=sorted(closed))
        assert told.after is stands(pair[1], facts, closed=sorted(closed))

    @given(versions_with_cohorts(), people, st.sets(st.sampled_from(COHORTS)))
    def test_is_told_a_difference_exactly_where_there_is_one(
        self, pair: tuple[Protocol, Protocol], person: Person, closed: set[str]
    ) -> None:
        told = compared(*pair, person.facts(), closed=sorted(closed))

        assert told.is_changed == (bool(told.turned) or told.by_cohorts)
        assert not (told.turned and told.by_cohorts)

    @given(versions(), people)
    def test_would_stand_better_with_all_that_is_named_undone_and_not_with_less(
        self, pair: tuple[Protocol, Protocol], person: Person
    ) -> None:
        facts = person.facts()
        told = compared(*pair, facts)
        named = {one.lineage for one in told.turned}
        old, new = pair
        worse, better = (new, old) if told.is_worse else (old, new)

        at = stands(worse, facts)

        if named:
            assert stands(swapped(worse, better, named), facts).rank > at.rank
        for kept in named:
            assert stands(swapped(worse, better, named - {kept}), facts).rank <= at.rank

    @given(versions(), people)
    def test_has_nothing_named_that_stands_as_it_stood(
        self, pair: tuple[Protocol, Protocol], person: Person
    ) -> None:
        told = compared(*pair, person.facts())

        assert all(one.was != one.now for one in told.turned)

    @given(versions(), people, st.dictionaries(st.sampled_from(("c1", "c2", "c3")), st.booleans()))
    def test_stood_where_staff_said(
        self, pair: tuple[Protocol, Protocol], person: Person, said: dict[str, bool]
    ) -> None:
        facts = person.facts()

        told = compared(*pair, facts, said=said)

        judged = assess(pair[0], facts, on=TODAY, vocabulary=VOCABULARY, terms=TERMS)
        assert told.before is effective(judged, said)
        assert told.after is stands(pair[1], facts)
        assert told.is_changed == bool(told.turned)

    @given(versions(), people)
    def test_lacks_only_what_the_new_version_alone_reads(
        self, pair: tuple[Protocol, Protocol], person: Person
    ) -> None:
        facts = person.facts()

        told = compared(*pair, facts)

        old, new = (lower(one, resolver=RESOLVER) for one in pair)
        before = {key for atom in old.atoms for key in atom.keys}
        assert told.lacking <= {key for atom in new.atoms for key in atom.keys} - before


class TestCauses:
    def test_a_stricter_limit_is_a_change(self) -> None:
        old = read('include age text "Adults" rule age between 18 and 75 years')
        new = read('include age text "Adults" rule age between 18 and 40 years')

        told = compared(old, new, noted_all({"birth": "age 60"}))

        assert (told.before, told.after) == (CANDIDATE, INELIGIBLE)
        assert lineages(told) == {"age": Cause.CHANGED}

    def test_all_that_newly_rule_out_are_named_and_nothing_that_only_stays_open(self) -> None:
        old = read(
            'include age text "Adults" rule age >= 18 years\ninclude sugar text "HbA1c" rule hba1c >= 7 %'
        )
        new = read(
            'include age text "Adults" rule age >= 70 years\ninclude sugar text "HbA1c" rule hba1c >= 7 %\n'
            'exclude vape text "Vapes" rule vaping is yes\nexclude preg text "Pregnant" rule pregnant is yes'
        )

        told = compared(old, new, noted_all({"birth": "age 60", "vaping": "yes"}))

        assert told.after is INELIGIBLE
        assert lineages(told) == {"age": Cause.CHANGED, "vape": Cause.ADDED}

    def test_what_let_somebody_back_in_is_named_as_removed(self) -> None:
        old = read('exclude vape text "Vapes" rule vaping is yes')
        new = read('include age text "Adults" rule age >= 18 years')

        told = compared(old, new, noted_all({"birth": "age 60", "vaping": "yes"}))

        assert (told.before, told.after) == (INELIGIBLE, CANDIDATE)
        assert lineages(told) == {"vape": Cause.REMOVED}

    def test_a_fact_that_only_the_new_version_needs_makes_unknown_and_never_rules_out(self) -> None:
        old = read('include age text "Adults" rule age >= 18 years')
        new = read(
            'include age text "Adults" rule age >= 18 years\nexclude vape text "Vapes" rule vaping is yes'
        )

        told = compared(old, new, noted_all({"birth": "age 60"}))

        assert (told.before, told.after) == (CANDIDATE, POTENTIAL)
        assert told.lacking == {"vaping"}
        assert [(one.lineage, one.now and one.now.passes) for one in told.turned] == [("vape", Kleene.UNKNOWN)]

    def test_other_words_alone_change_nothing(self) -> None:
        old = read('include age text "Adults" rule age >= 18 years')
        new = read('include age text "Grown-ups" rule age >= 18 years')

        told = compared(old, new, noted_all({"birth": "age 12"}))

        assert not told.is_changed
        assert told.turned == ()

    def test_a_verdict_of_staff_lapses_with_the_version(self) -> None:
        version = read('exclude vape text "Vapes" rule vaping is yes')

        told = compared(version, version, noted_all({"vaping": "yes"}), said={"vape": True})

        assert (told.before, told.after) == (CANDIDATE, INELIGIBLE)
        assert lineages(told) == {"vape": Cause.VERDICT}

    def test_another_anchor_turns_a_criterion_that_reads_as_before(self) -> None:
        rule = 'exclude shot text "Vaccine" rule last_vaccination within 14 days before first_dose'
        old = read(f"anchor first_dose between 4 weeks and 5 weeks after screening\n{rule}")
        new = read(f"anchor first_dose between 1 day and 2 days after screening\n{rule}")

        told = compared(old, new, noted_all({"last_vaccination": "2026-11-20"}))

        assert (told.before, told.after) == (CANDIDATE, INELIGIBLE)
        assert lineages(told) == {"shot": Cause.CONTEXT}

    def test_an_anchor_that_only_one_version_knows_is_no_trouble(self) -> None:
        old = read('include age text "Adults" rule age >= 18 years')
        new = read(
            "anchor first_dose between 1 day and 2 days after screening\n"
            'exclude shot text "Vaccine" rule last_vaccination within 14 days before first_dose'
        )

        told = compared(old, new, noted_all({"birth": "age 60", "last_vaccination": "2026-11-20"}))

        assert lineages(told) == {"shot": Cause.ADDED}

    def test_a_cohort_taken_out_is_no_fault_of_a_criterion_that_ruled_out_all_along(self) -> None:
        strict = _criterion(
            "c1", CriterionKind.EXCLUSION, read('exclude x text "-" rule vaping is yes').criteria[0].tree
        )
        two = (Cohort(id="a", name="A"), Cohort(id="b", name="B"))
        narrow = strict.model_copy(update={"cohorts": ("b",)})
        facts = noted_all({"vaping": "yes"})

        told = compared(
            Protocol(criteria=(narrow,), cohorts=two), Protocol(criteria=(narrow,), cohorts=two[1:]), facts
        )

        assert (told.before, told.after) == (CANDIDATE, INELIGIBLE)
        assert told.turned == ()
        assert told.by_cohorts

    def test_a_closed_cohort_does_not_hide_what_changed_in_the_open_one(self) -> None:
        old = read('cohort a "A"\ncohort b "B"\ninclude age text "Adults" rule age >= 18 years')
        new = read('cohort a "A"\ncohort b "B"\ninclude age text "Adults" rule age >= 70 years')

        told = compared(old, new, noted_all({"birth": "age 60"}), closed=("a",))

        assert lineages(told) == {"age": Cause.CHANGED}
