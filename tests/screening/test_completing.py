"""Who could still settle a computed value: the person, only where all that is lacking is theirs to tell."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.assessment.assess import assess_lowered
from screening.atoms.table import OpenProtocols
from screening.facts import Absence, Choice, Dated, EvidenceSource, Fact, Facts, Quantity
from screening.intervals import CalendarUnit, DateRange, DecimalRange, Duration
from screening.language.criteria import Limits, Node, Number, Window, WindowForm
from screening.language.lowering import LoweredProtocol, lower
from screening.language.protocol import Criterion, CriterionKind, Protocol
from screening.language.questions import Resolver
from screening.planes.columns import build_snapshot
from screening.planes.pool import Pool
from screening.vocabulary import Answerer
from tests.screening.people import TERMS, TODAY, VOCABULARY, judged, make_fact, noted_all

RESOLVER = Resolver(VOCABULARY, TERMS)
EGFR = "egfr >= 60 mL/min/{1.73_m2}"
CLEARANCE = "creatinine_clearance >= 60 mL/min"
LEVEL = "0.9 mg/dL @laboratory"


class TestOpen:
    @pytest.mark.parametrize(
        ("rule", "facts", "is_open"),
        [
            (EGFR, {}, False),
            (EGFR, {"birth": "1960"}, False),
            (EGFR, {"birth": "1960", "sex": "female"}, False),
            (EGFR, {"creatinine": LEVEL}, True),
            (EGFR, {"creatinine": LEVEL, "sex": "female"}, True),
            (EGFR, {"creatinine": LEVEL, "sex": "female", "birth": "dont_know"}, True),
            (EGFR, {"creatinine": "0.9 mg/dL @laboratory 2020-01-05", "sex": "female"}, False),
            (f"{EGFR} told by participant", {}, True),
            (CLEARANCE, {"creatinine": LEVEL, "birth": "1960", "sex": "male"}, True),
            (CLEARANCE, {"weight": "70 kg", "birth": "1960", "sex": "male"}, False),
            ("bmi > 30 kg/m2", {"height": "170 cm"}, True),
            ("bmi > 30 kg/m2", {}, True),
            ("pack_years >= 10 {pack-years}", {"cigarettes_a_day": "10 {cigarettes}/d"}, True),
        ],
    )
    def test_counts_what_the_laboratory_has_not_told(
        self, rule: str, facts: dict[str, str | list[str]], is_open: bool
    ) -> None:
        for kind in CriterionKind:
            assert judged(rule, noted_all(facts), kind=kind).is_open is is_open


limits = st.sampled_from(("30", "60", "90")).map(lambda end: Decimal(end))
windows = st.none() | st.sampled_from(
    (
        Window(form=WindowForm.WITHIN, length=Duration(1, CalendarUnit.MONTHS)),
        Window(form=WindowForm.WITHIN, length=Duration(5, CalendarUnit.YEARS)),
        Window(form=WindowForm.AT_LEAST, length=Duration(2, CalendarUnit.MONTHS)),
    )
)
units = {"egfr": "mL/min/{1.73_m2}", "creatinine_clearance": "mL/min"}
leaves: st.SearchStrategy[Node] = st.sampled_from(sorted(units)).flatmap(
    lambda key: st.builds(
        lambda least, window, source, teller: Number(
            key=key,
            limits=(Limits(unit=units[key], ge=least),),
            window=window,
            decides_from=source,
            told_by=teller,
        ),
        limits,
        windows,
        st.none() | st.none() | st.sampled_from(EvidenceSource),
        st.none() | st.none() | st.sampled_from(Answerer),
    )
)
days = st.sampled_from(
    (TODAY, date(2026, 11, 1), date(2026, 9, 1), date(2026, 5, 22), date(2025, 11, 1), date(2020, 1, 5))
)
observed = days.map(DateRange.day) | days.map(lambda day: DateRange(day, None))
sources = st.sampled_from(EvidenceSource)


def _facts(key: str, values: st.SearchStrategy[object]) -> st.SearchStrategy[Fact]:
    return st.builds(
        lambda value, source, day: make_fact(key, value, source=source, observed=day),
        values,
        sources,
        observed,
    )


def _quantity(unit: str, *numbers: str) -> st.SearchStrategy[object]:
    ends = st.lists(st.sampled_from(numbers).map(Decimal), min_size=1, max_size=2).map(sorted)
    return ends.map(lambda pair: Quantity(DecimalRange(pair[0], pair[-1]), unit)) | st.sampled_from(Absence)


people = st.lists(
    st.one_of(
        _facts("creatinine", _quantity("mg/dL", "0.5", "0.9", "2.4")),
        _facts("weight", _quantity("kg", "60", "80")),
        _facts("sex", st.sampled_from(("female", "male")).map(Choice.of) | st.sampled_from(Absence)),
        _facts("birth", st.sampled_from((1950, 1990, 2009)).map(lambda year: Dated(DateRange.year(year)))),
        _facts("egfr", _quantity("mL/min/{1.73_m2}", "45", "75")),
    ),
    max_size=6,
).map(Facts)


def _protocol(rules: list[Node]) -> LoweredProtocol:
    criteria = tuple(
        Criterion(id=f"c{place}", kind=CriterionKind.INCLUSION, text="as written", rule=rule)
        for place, rule in enumerate(rules)
    )
    return lower(Protocol(criteria=criteria), resolver=RESOLVER)


@given(st.lists(leaves, min_size=1, max_size=5), people)
def test_one_person_against_all_protocols_sees_the_same(rules: list[Node], facts: Facts) -> None:
    lowered = _protocol(rules)
    protocols = OpenProtocols(vocabulary=VOCABULARY, terms=TERMS)
    protocols.add("p", lowered)

    standings = protocols.judge(facts, on=TODAY)

    expected = assess_lowered(lowered, facts, on=TODAY, vocabulary=VOCABULARY, terms=TERMS)
    told = [(one.passes, one.is_open) for one in standings.criteria("p")]
    assert told == [(one.passes, one.is_open) for one in expected.verdicts]
    assert standings.disposition("p") is expected.disposition


@given(st.lists(leaves, min_size=1, max_size=3), st.lists(people, min_size=1, max_size=4))
def test_all_people_against_one_protocol_are_seen_the_same(rules: list[Node], held: list[Facts]) -> None:
    lowered = _protocol(rules)
    pool = Pool(build_snapshot(enumerate(held), on=TODAY, vocabulary=VOCABULARY, terms=TERMS), terms=TERMS)

    criteria = [
        pool.criterion(lowered, one.criterion.id, on=TODAY, vocabulary=VOCABULARY) for one in lowered.criteria
    ]

    for slot, facts in enumerate(held):
        expected = assess_lowered(lowered, facts, on=TODAY, vocabulary=VOCABULARY, terms=TERMS)
        for planes, verdict in zip(criteria, expected.verdicts, strict=True):
            assert planes.verdict(slot) == (verdict.passes, verdict.applies, verdict.is_open)
