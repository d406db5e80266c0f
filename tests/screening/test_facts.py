"""Facts are appended, retracted and written as JSON; nothing is guessed on the way back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.errors import InvalidFact
from screening.facts import (
    Absence,
    Choice,
    Code,
    Dated,
    Denial,
    DenialScope,
    EvidenceSource,
    Fact,
    Facts,
    Flag,
    Quantity,
    Statement,
    StatementStatus,
    Value,
    value_from_json,
    value_to_json,
)
from screening.intervals import DateRange, DecimalRange
from tests.screening.people import TODAY, make_fact

day_ranges = st.builds(lambda a, b: DateRange(min(a, b), max(a, b)), st.dates(), st.dates()) | st.builds(
    DateRange, st.none(), st.none() | st.dates()
)
decimals = st.decimals(-1000, 1000, places=3)
number_ranges = st.builds(lambda a, b: DecimalRange(min(a, b), max(a, b)), decimals, decimals)
quantities = st.builds(Quantity, number_ranges, st.sampled_from(("kg", "%")), st.none() | number_ranges)
codes = st.builds(Code, st.just("icd-10-cm"), st.sampled_from(("E11", "I21.9")), st.sampled_from(("", "2026")))
statements = st.builds(
    Statement,
    codes,
    st.sampled_from(StatementStatus),
    onset=st.none() | day_ranges,
    ended=st.none() | day_ranges,
    unchanged_since=st.none() | day_ranges,
    unbroken=st.none() | st.booleans(),
    last=st.booleans(),
    dose=st.none() | quantities,
    route=st.none() | st.just("oral"),
)
some_codes = st.lists(codes, max_size=3).map(tuple)
denials = st.builds(
    Denial, some_codes, st.sampled_from(DenialScope), since=st.none() | day_ranges, but=some_codes
)
values: st.SearchStrategy[Value | Absence] = st.one_of(
    quantities,
    st.builds(Dated, day_ranges),
    st.builds(Choice, st.frozensets(st.sampled_from("abc"), min_size=1)),
    st.builds(Flag, st.booleans()),
    statements,
    denials,
    st.sampled_from(Absence),
)


class TestJson:
    @given(values)
    def test_comes_back_as_it_went(self, value: Value | Absence) -> None:
        assert value_from_json(value_to_json(value)) == value

    @pytest.mark.parametrize(
        "document",
        [
            None,
            7,
            [],
            {},
            {"type": "nonsense"},
            {"type": ["flag"]},
            {"type": "flag"},
            {"type": "flag", "value": 1},
            {"type": "flag", "value": True, "sure": True},
            {"type": "quantity", "lo": 7.1, "unit": "%"},
            {"type": "quantity", "lo": "NaN", "unit": "%"},
            {"type": "quantity", "lo": "1e9", "unit": "%"},
            {"type": "quantity", "lo": "8", "hi": "7", "unit": "%"},
            {"type": "quantity", "lo": "8"},
            {"type": "date", "lo": "9999-13-99"},
            {"type": "date", "lo": "20190301"},
            {"type": "choice", "codes": []},
            {"type": "choice", "codes": [1]},
            {"type": "absence", "why": "asleep"},
            {"type": "statement", "code": {"system": "icd-10-cm"}, "status": "current"},
            {"type": "statement", "code": {"system": "a", "code": "b", "x": 1}, "status": "current"},
            {"type": "denial", "codes": {}, "scope": "ever"},
            {"type": "denial", "codes": [], "scope": "maybe"},
        ],
    )
    def test_refuses_what_it_does_not_understand(self, document: object) -> None:
        with pytest.raises(InvalidFact):
            value_from_json(document)


class TestFacts:
    def test_a_retracted_fact_is_gone_and_its_correction_stands(self) -> None:
        wrong = make_fact("vaping", Flag(True))
        right = make_fact("vaping", Flag(False), retracts=wrong.id)

        held = Facts([right, wrong])

        assert held.of("vaping") == (right,)

    def test_a_retraction_that_is_itself_retracted_does_nothing(self) -> None:
        fact = make_fact("vaping", Flag(True))
        gone = make_fact("vaping", None, retracts=fact.id)
        sorry = make_fact("vaping", None, retracts=gone.id)

        held = Facts([fact, gone, sorry])

        assert held.of("vaping") == (fact,)

    def test_adding_the_same_fact_twice_changes_nothing(self) -> None:
        fact = make_fact("vaping", Flag(True))

        held = Facts([fact]).plus(fact)

        assert (len(held), "vaping" in held, "sex" in held) == (1, True, False)

    def test_coded_facts_are_found_whatever_they_answered(self) -> None:
        yes = make_fact("condition.heart", Statement(Code("icd-10-cm", "I21"), StatementStatus.PAST))
        no = make_fact("condition.diabetes", Denial((Code("icd-10-cm", "E11"),)))

        held = Facts([yes, no, make_fact("vaping", Flag(True))])

        assert held.coded() == (yes, no)

    def test_a_fact_without_a_value_must_retract(self) -> None:
        with pytest.raises(ValueError, match="must retract"):
            make_fact("vaping", None)

    def test_a_choice_needs_a_possible_code(self) -> None:
        with pytest.raises(ValueError, match="at least one"):
            Choice(frozenset())

    def test_sources_rank_from_the_laboratory_down(self) -> None:
        assert sorted(EvidenceSource, key=lambda source: source.rank) == list(EvidenceSource)
        assert [source for source in EvidenceSource if source.is_participant] == list(EvidenceSource)[-2:]

    def test_an_event_begins_and_ends_on_its_day(self) -> None:
        march = DateRange.month(2019, 3)

        event = Statement.event(Code("icd-10-cm", "I21"), march, last=True)

        assert (event.onset, event.ended, event.last) == (march, march, True)

    def test_order_is_that_of_recording(self) -> None:
        first = make_fact("weight", Quantity(DecimalRange.point(Decimal(80)), "kg"), observed=TODAY)
        second = make_fact("weight", Quantity(DecimalRange.point(Decimal(70)), "kg"), observed=date(2020, 1, 1))

        held: list[Fact] = list(Facts([second, first]))

        assert held == [first, second]
