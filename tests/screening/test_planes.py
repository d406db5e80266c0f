"""The pool against a protocol says of each person what the interpreter says."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.assessment.assess import assess_lowered
from screening.facts import Dated, EvidenceSource, Facts, Flag
from screening.intervals import DateRange
from screening.language.criteria import Leaf
from screening.language.lowering import LoweredProtocol, lower
from screening.language.notation import parse, parse_rule
from screening.language.protocol import Criterion, CriterionKind, Protocol
from screening.language.questions import Resolver
from screening.planes import pool as planes_module
from screening.planes.bits import positions
from screening.planes.columns import Snapshot, build_snapshot
from screening.planes.pool import Changes, Pool, PoolResult, changes
from screening.terms import PrefixTerms
from screening.verdict import Disposition
from tests.screening import histories, trees
from tests.screening.oracle import Person
from tests.screening.people import TERMS, TODAY, VOCABULARY, make_fact, noted_all
from tests.screening.test_cases import TABLES, lines

RESOLVER = Resolver(VOCABULARY, TERMS)
TOMORROW = TODAY + timedelta(days=1)


def pool_of(people: Sequence[Facts], *, slots: Sequence[int] | None = None) -> Pool:
    """Make a pool of people, at the slots 0, 1, 2 and so on unless others are named."""
    return Pool(snapshot_of(people, slots=slots), terms=TERMS)


def snapshot_of(people: Sequence[Facts], *, slots: Sequence[int] | None = None) -> Snapshot:
    """Make a snapshot of people."""
    return build_snapshot(
        zip(slots or range(len(people)), people, strict=True), on=TODAY, vocabulary=VOCABULARY, terms=TERMS
    )


def judged_by(
    pool: Pool, lowered: LoweredProtocol, *, on: date = TODAY, closed: Collection[str] = ()
) -> PoolResult:
    """Judge a pool with the vocabulary of the tests."""
    return pool.judge(lowered, on=on, vocabulary=VOCABULARY, closed_cohorts=closed)


def one_rule(text: str, kind: CriterionKind = CriterionKind.INCLUSION) -> LoweredProtocol:
    """Make a protocol of one criterion."""
    rule = parse_rule(text, vocabulary=VOCABULARY, terms=TERMS)
    return lower(Protocol(criteria=(Criterion(id="c1", kind=kind, text=text, rule=rule),)), resolver=RESOLVER)


def assert_equals_the_interpreter(
    pool: Pool,
    people: dict[int, Facts],
    lowered: LoweredProtocol,
    *,
    on: date = TODAY,
    closed: Collection[str] = (),
) -> None:
    """Compare every criterion and the disposition of every person."""
    result = judged_by(pool, lowered, on=on, closed=closed)
    criteria = [
        pool.criterion(lowered, one.criterion.id, on=on, vocabulary=VOCABULARY) for one in lowered.criteria
    ]
    for slot, facts in people.items():
        expected = assess_lowered(
            lowered, facts, on=on, vocabulary=VOCABULARY, terms=TERMS, closed_cohorts=closed
        )
        for planes, verdict in zip(criteria, expected.verdicts, strict=True):
            told = (verdict.passes, verdict.applies, verdict.is_open)
            assert planes.verdict(slot) == told, (slot, verdict.criterion.rule, list(facts))
        assert result.disposition(slot) is expected.disposition
    assert positions(result.present).tolist() == sorted(people)


@given(
    histories.protocols(),
    st.lists(histories.people, min_size=1, max_size=8),
    st.sets(st.sampled_from(histories.COHORTS)),
)
def test_the_planes_equal_the_interpreter(protocol: Protocol, people: list[Facts], closed: set[str]) -> None:
    lowered = lower(protocol, resolver=RESOLVER)
    pool = pool_of(people)

    assert_equals_the_interpreter(pool, dict(enumerate(people)), lowered, closed=closed)


@given(trees.rules, st.lists(trees.people, min_size=1, max_size=8), st.sampled_from(CriterionKind))
def test_they_equal_it_for_partly_known_people_too(
    rule: Leaf, persons: list[Person], kind: CriterionKind
) -> None:
    criterion = Criterion(id="c1", kind=kind, text="as written", rule=rule)
    lowered = lower(Protocol(criteria=(criterion,)), resolver=RESOLVER)
    people = [person.facts() for person in persons]

    assert_equals_the_interpreter(pool_of(people), dict(enumerate(people)), lowered)


def as_written(text: str) -> LoweredProtocol:
    """Read a line of a table: a whole protocol in notation, or one rule."""
    if text.startswith(("anchor ", "include ", "exclude ")):
        named = re.sub(r"\b(include|exclude)\b", r'\1 c1 text "as written" rule', text, count=1)
        return lower(parse(f"language 1 {named}", vocabulary=VOCABULARY, terms=TERMS), resolver=RESOLVER)
    return one_rule(text)


@pytest.mark.parametrize("table", sorted(TABLES.glob("*.csv")), ids=lambda table: table.stem)
def test_they_equal_it_for_every_person_and_criterion_of_the_tables(table: Path) -> None:
    by_day: dict[str, list[list[str]]] = {}
    for _, row in lines(table):
        by_day.setdefault(row[2], []).append(row)
    for on, rows in by_day.items():
        day = date.fromisoformat(on)
        people = [noted_all(json.loads(facts), on=day) for _, facts, _, _ in rows]
        pool = pool_of(people)

        for text in dict.fromkeys(row[0] for row in rows):
            assert_equals_the_interpreter(pool, dict(enumerate(people)), as_written(text), on=day)


VAPES = Facts([make_fact("vaping", Flag(value=True))])
CLEAN = Facts([make_fact("vaping", Flag(value=False))])
NOBODY_ASKED = Facts()
MIXED = (VAPES, CLEAN, NOBODY_ASKED)


class TestSizes:
    @pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 130])
    def test_a_pool_of_any_size_counts_everybody_once(self, size: int) -> None:
        people = [MIXED[slot % 3] for slot in range(size)]
        lowered = one_rule("vaping is yes", CriterionKind.EXCLUSION)
        pool = pool_of(people)

        counts = judged_by(pool, lowered).counts()

        assert_equals_the_interpreter(pool, dict(enumerate(people)), lowered)
        assert counts == {
            Disposition.INELIGIBLE: len(people[0::3]),
            Disposition.CANDIDATE: len(people[1::3]),
            Disposition.POTENTIAL_CANDIDATE: len(people[2::3]),
        }

    def test_slots_that_are_nobodys_stay_empty(self) -> None:
        lowered = one_rule("vaping is no")
        pool = pool_of([CLEAN, VAPES], slots=[3, 70])

        result = judged_by(pool, lowered)

        assert result.slots(Disposition.CANDIDATE).tolist() == [3]
        assert result.slots(Disposition.INELIGIBLE).tolist() == [70]
        with pytest.raises(KeyError):
            result.disposition(4)

    def test_a_protocol_without_criteria_lets_everybody_pass(self) -> None:
        lowered = lower(Protocol(), resolver=RESOLVER)

        result = judged_by(pool_of(MIXED), lowered)

        assert result.slots(Disposition.CANDIDATE).tolist() == [0, 1, 2]


class TestPeopleWhoChanged:
    def test_whoever_is_put_or_removed_is_judged_by_what_holds_now(self) -> None:
        lowered = one_rule("vaping is yes", CriterionKind.EXCLUSION)
        pool = pool_of(MIXED)

        pool.put(0, CLEAN)
        pool.put(90, VAPES)
        pool.remove(1)

        assert_equals_the_interpreter(pool, {0: CLEAN, 2: NOBODY_ASKED, 90: VAPES}, lowered)

    def test_forgetting_a_change_brings_the_snapshot_back(self) -> None:
        lowered = one_rule("vaping is yes", CriterionKind.EXCLUSION)
        pool = pool_of(MIXED)
        pool.put(0, CLEAN)

        pool.forget(0)

        assert_equals_the_interpreter(pool, dict(enumerate(MIXED)), lowered)

    @given(histories.protocols(), st.lists(histories.people, min_size=2, max_size=4), histories.people)
    def test_a_put_equals_a_snapshot_made_anew(
        self, protocol: Protocol, people: list[Facts], changed: Facts
    ) -> None:
        lowered = lower(protocol, resolver=RESOLVER)
        pool = pool_of(people)
        pool.put(1, changed)

        anew = judged_by(pool_of([people[0], changed, *people[2:]]), lowered)

        laid_over = judged_by(pool, lowered)
        assert changes(anew, laid_over) == Changes((), (), (), ())

    @given(
        histories.protocols(),
        st.lists(histories.people, min_size=2, max_size=4),
        st.dictionaries(st.integers(0, 70), st.none() | histories.people, min_size=1, max_size=4),
        st.sets(st.sampled_from(histories.COHORTS)),
    )
    def test_several_who_changed_are_judged_as_the_interpreter_judges(
        self, protocol: Protocol, people: list[Facts], changed: dict[int, Facts | None], closed: set[str]
    ) -> None:
        lowered = lower(protocol, resolver=RESOLVER)
        pool, held = pool_of(people), dict(enumerate(people))
        for slot, facts in changed.items():
            if facts is None:
                pool.remove(slot)
                held.pop(slot, None)
            else:
                pool.put(slot, facts)
                held[slot] = facts

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(planes_module, "SEVERAL", 1)
            assert_equals_the_interpreter(pool, held, lowered, closed=closed)

    def test_changes_name_who_rose_fell_came_and_went(self) -> None:
        lowered = one_rule("vaping is yes", CriterionKind.EXCLUSION)
        pool = pool_of([VAPES, CLEAN, CLEAN, NOBODY_ASKED])
        before = judged_by(pool, lowered)
        for slot, facts in ((0, CLEAN), (1, NOBODY_ASKED), (200, CLEAN)):
            pool.put(slot, facts)
        pool.remove(2)

        found = changes(before, judged_by(pool, lowered))

        assert found == Changes(better=(0,), worse=(1,), come=(200,), gone=(2,))


class TestKeptPlanes:
    def test_a_fact_that_expires_tomorrow_is_unknown_tomorrow(self) -> None:
        last_good_day = make_fact("pregnant", Flag(value=False), observed=date(2026, 10, 22))
        people = [Facts([last_good_day])]
        lowered, pool = one_rule("pregnant is no"), pool_of(people)

        today, tomorrow = (judged_by(pool, lowered, on=day) for day in (TODAY, TOMORROW))

        assert today.disposition(0) is Disposition.CANDIDATE
        assert tomorrow.disposition(0) is Disposition.POTENTIAL_CANDIDATE
        assert_equals_the_interpreter(pool, dict(enumerate(people)), lowered, on=TOMORROW)

    def test_the_second_protocol_with_a_leaf_finds_its_planes(self) -> None:
        pool = pool_of(MIXED)
        judged_by(pool, one_rule("vaping is yes", CriterionKind.EXCLUSION))
        worked_out = pool.cache.misses

        judged_by(pool, one_rule("vaping is yes or sex is female"))

        assert pool.cache.misses == worked_out + 1
        assert pool.cache.hits

    def test_little_memory_changes_nothing_but_time(self) -> None:
        pool = Pool(snapshot_of(MIXED), terms=TERMS, cache_bytes=1)
        for text in ("vaping is no", "age between 18 and 75 years", "vaping is no"):
            assert_equals_the_interpreter(pool, dict(enumerate(MIXED)), one_rule(text))

    def test_the_same_anchor_name_may_mean_other_days_in_another_protocol(self) -> None:
        dose = make_fact("last_study_drug", Dated(DateRange.day(date(2026, 11, 1))))
        pool = pool_of([Facts([dose])])

        for days in ("2", "20"):
            anchor = f"anchor first_dose between {days} days and {days} days after screening"
            text = f"{anchor} include last_study_drug within 30 days before first_dose"
            assert_equals_the_interpreter(pool, {0: Facts([dose])}, as_written(text))


class TestWhomTheInterpreterJudges:
    def test_a_kind_of_leaf_that_is_not_known_is_judged_one_by_one(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(planes_module, "SCALARS", ())
        pool = pool_of(MIXED)

        assert_equals_the_interpreter(pool, dict(enumerate(MIXED)), one_rule("vaping is no"))

        assert pool.judged_one_by_one == len(MIXED)

    def test_sources_that_contradict_each_other_need_nobody_to_look(self) -> None:
        at_odds = Facts(
            [
                make_fact("vaping", Flag(value=True)),
                make_fact("vaping", Flag(value=False), source=EvidenceSource.RECORD),
            ]
        )
        pool = pool_of([at_odds, *MIXED])

        assert_equals_the_interpreter(pool, dict(enumerate([at_odds, *MIXED])), one_rule("vaping is no"))

        assert pool.judged_one_by_one == 0

    def test_whoever_says_two_things_on_one_day_is_judged_one_by_one(self) -> None:
        at_odds = Facts([make_fact("vaping", Flag(value=value)) for value in (True, False)])
        pool = pool_of([at_odds, *MIXED])

        assert_equals_the_interpreter(pool, dict(enumerate([at_odds, *MIXED])), one_rule("vaping is no"))

        assert pool.judged_one_by_one == 1


def test_a_snapshot_of_other_terms_is_refused() -> None:
    class OtherTerms(PrefixTerms):
        version = "other"

    with pytest.raises(ValueError, match="terms"):
        Pool(snapshot_of(MIXED), terms=OtherTerms())


def test_a_criterion_that_is_not_there_is_no_criterion() -> None:
    with pytest.raises(KeyError):
        pool_of(MIXED).criterion(one_rule("vaping is no"), "c9", on=TODAY, vocabulary=VOCABULARY)
