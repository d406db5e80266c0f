"""One person against all open protocols: every verdict as the interpreter has it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screening.assessment.assess import Assessment, assess_lowered
from screening.atoms.standings import Standings
from screening.atoms.table import OpenProtocols
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
)
from screening.intervals import CalendarUnit, DateRange, DecimalRange, Duration
from screening.language.criteria import (
    Age,
    AllOf,
    AnyOf,
    AtLeast,
    Attested,
    Branch,
    ButNot,
    Case,
    Coded,
    Distinct,
    IfThen,
    Is,
    Limits,
    Node,
    NoneOf,
    Not,
    Note,
    Number,
    SiteOnly,
    When,
    Window,
)
from screening.language.lowering import LoweredProtocol, lower
from screening.language.protocol import Anchor, Cohort, Criterion, CriterionKind, Protocol
from screening.language.questions import Resolver
from screening.terms import ATC, ICD10CM
from screening.verdict import Disposition, Kleene
from screening.vocabulary import About, Answerer
from tests.screening.people import TERMS, TODAY, VOCABULARY, days, noted_all

FEWER = max(10, settings().max_examples // 5)
"""Examples of the properties that take longest."""

RESOLVER = Resolver(VOCABULARY, TERMS)
YEAR = timedelta(days=365)

optional_sources = st.none() | st.none() | st.sampled_from(EvidenceSource)
tellers = st.none() | st.none() | st.none() | st.sampled_from(Answerer)
durations = st.sampled_from(
    (
        "0 days",
        "1 day",
        "30 days",
        "8 weeks",
        "1 month",
        "3 months",
        "6 months",
        "12 months",
        "5 years",
        "300 years",
    )
)
anchors = st.sampled_from(("today", "today", "today", "first_dose"))


@st.composite
def windows(draw: st.DrawFn) -> Window:
    form = draw(st.sampled_from(("within", "less_than", "at_least", "more_than", "between")))
    document: dict[str, Any] = {
        "form": form,
        "length": draw(durations),
        "side": draw(st.sampled_from(("before", "before", "after"))),
        "anchor": draw(anchors),
    }
    if form == "between":
        document |= {"length": "1 month", "upto": draw(st.sampled_from(("1 month", "12 months", "5 years")))}
    return Window.model_validate(document)


def _limits(unit: str, ends: Sequence[str]) -> st.SearchStrategy[Limits]:
    def build(sort: str, first: str, second: str) -> Limits:
        low, high = sorted((Decimal(first), Decimal(second)))
        if sort == "range":
            return Limits(unit=unit, ge=low, le=high)
        if sort == "inside" and low < high:
            return Limits(unit=unit, gt=low, lt=high)
        return Limits.model_validate({"unit": unit, sort if sort != "inside" else "ge": low})

    sorts = st.sampled_from(("ge", "gt", "le", "lt", "range", "inside"))
    return st.builds(build, sorts, st.sampled_from(ends), st.sampled_from(ends))


limits_by_key: dict[str, Any] = {
    "qtc": st.tuples(_limits("ms", ("440", "450", "460.5"))),
    "hba1c": st.one_of(
        st.tuples(_limits("%", ("7", "7.0", "10.05"))),
        st.tuples(_limits("%", ("7.0", "10.0")), _limits("mmol/mol", ("53", "86"))),
        st.tuples(_limits("mmol/mol", ("53", "54.5"))),
    ),
    "bmi": st.tuples(_limits("kg/m2", ("25", "27", "30", "40"))),
    "alt": st.one_of(
        st.tuples(_limits("[ULN]", ("1.5", "3", "0.33333333"))),
        st.tuples(_limits("U/L", ("40", "120")), _limits("[ULN]", ("2", "3"))),
    ),
    "fasting_glucose": st.tuples(_limits("mmol/L", ("6.9", "7.0", "99999999999999"))),
    "phq2_total": st.tuples(_limits("{score}", ("2", "3", "6"))),
}
numbers = st.sampled_from(sorted(limits_by_key)).flatmap(
    lambda key: st.builds(
        Number,
        key=st.just(key),
        limits=limits_by_key[key],
        rounded_to=st.none() | st.none() | st.sampled_from((0, 1)),
        window=st.none() | st.none() | windows(),
        decides_from=optional_sources,
        told_by=tellers,
    )
)
ages = st.builds(
    lambda unit, end, count, source: Age.model_validate({"unit": unit, end: count, "decides_from": source}),
    st.sampled_from(("years", "years", "months", "weeks", "days")),
    st.sampled_from(("ge", "gt", "le", "lt")),
    st.sampled_from((0, 17, 18, 65, 216, 999_999)),
    optional_sources,
)
dates = st.builds(
    When,
    key=st.sampled_from(("last_study_drug", "last_vaccination", "birth", "study.biopsy")),
    window=windows(),
    decides_from=optional_sources,
    told_by=tellers,
)
choices = st.one_of(
    st.builds(
        lambda codes, source: Is(key="sex", codes=tuple(codes), decides_from=source),
        st.lists(st.sampled_from(("female", "male")), min_size=1, max_size=2, unique=True),
        optional_sources,
    ),
    st.builds(
        lambda codes: Is(key="smoking", codes=tuple(codes)),
        st.lists(st.sampled_from(("never", "former", "current")), min_size=1, max_size=2, unique=True),
    ),
)
flags = st.builds(
    Attested,
    key=st.sampled_from(("vaping", "pregnant", "allergy_medicine", "study.pills")),
    value=st.booleans(),
    decides_from=optional_sources,
    told_by=tellers,
)
ICD_CODES = (
    "E10",
    "E11",
    "E11.0",
    "E11.9",
    "E10-E11",
    "E00-E13",
    "I21",
    "I20",
    "C00-D49",
    "B20",
    "Z21",
    "Z94",
    "*",
)
ATC_CODES = (
    "A10BA02",
    "A10B",
    "A10",
    "A10BD07",
    "A10BD07",
    "A10BD",
    "A10BD07+A10BD11",
    "C09BA03",
    "C09A",
    "L04A",
    "L04AB02",
    "L04AB04",
    "N02A",
    "*",
)


def _codes(system: str, codes: Sequence[str]) -> tuple[Code, ...]:
    return tuple(Code(system, code) for code in codes)


@st.composite
def coded(draw: st.DrawFn, *, plain: bool = False) -> Coded:
    about = draw(st.sampled_from((About.CONDITION, About.CONDITION, About.MEDICINE)))
    system, known = (ATC, ATC_CODES) if about is About.MEDICINE else (ICD10CM, ICD_CODES)
    roots = draw(st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True))
    but = draw(st.lists(st.sampled_from(known[:-1]), max_size=2, unique=True)) if draw(st.booleans()) else []
    status = draw(st.sampled_from(("ever", "ever", "current", "current", "past", "planned")))
    window = draw(st.none() | windows())
    rare = draw(st.integers(0, 5))
    return Coded.model_validate(
        {
            "about": about,
            "codes": _codes(system, roots),
            "but": _codes(system, but),
            "such_as": draw(st.sampled_from((False, False, True))),
            "status": status,
            "window": window,
            "dating": draw(st.sampled_from(("active", "onset", "ended"))) if window else "active",
            "for_at_least": draw(durations) if status == "current" and rare == 0 else None,
            "unchanged_for": draw(durations) if rare == 1 else None,
            "dose": draw(_limits("mg/d", ("500", "1000"))) if rare == 2 else None,
            "routes": ("oral",) if rare == 3 else (),
            "key": draw(st.sampled_from((None, None, None, "condition.diabetes", "medicine.biologic"))),
            "decides_from": None if plain else draw(optional_sources),
            "told_by": None if plain else draw(tellers),
        }
    )


distinct = st.builds(
    Distinct, count=st.integers(1, 3), by=st.sampled_from(("kind", "episode")), of=coded(plain=True)
)
plain_leaves = st.one_of(numbers, ages, dates, choices, flags)
leaves: st.SearchStrategy[Node] = st.one_of(
    numbers, ages, dates, choices, flags, coded(), coded(), coded(), distinct,
    st.just(SiteOnly(text="s")), st.just(Note(text="n")),
)  # fmt: skip
by_sex = st.just((Is(key="sex", codes=("female",)), Is(key="sex", codes=("male",))))
by_age = st.just((Age(lt=18), Age(ge=18)))


def _grown(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(inner, min_size=1, max_size=4).map(tuple)
    return st.one_of(
        *(st.builds(lambda of, kind=kind: kind(of=of), several) for kind in (AllOf, AnyOf, NoneOf)),
        st.builds(lambda count, of: AtLeast(count=count, of=of), st.integers(1, 4), several),
        st.builds(lambda of: Not(of=of), inner),
        st.builds(lambda when, then: IfThen(when=when, then=then), inner, inner),
        st.builds(lambda of, exempt: ButNot(of=of, exempt=exempt), plain_leaves, inner),
        st.builds(
            lambda whens, thens, rest: Case(
                branches=tuple(Branch(when=w, then=t) for w, t in zip(whens, thens, strict=False)),
                otherwise=rest,
            ),
            st.one_of(by_sex, by_age, st.tuples(inner), st.tuples(inner, inner)),
            st.lists(inner, min_size=2, max_size=2),
            st.none() | inner,
        ),
    )


rules: st.SearchStrategy[Node] = st.recursive(leaves, _grown, max_leaves=8)
FIRST_DOSES = (
    Anchor(earliest=Duration(1, CalendarUnit.WEEKS), latest=Duration(1, CalendarUnit.MONTHS)),
    Anchor(earliest=Duration(0, CalendarUnit.DAYS), latest=Duration(0, CalendarUnit.DAYS)),
)


@st.composite
def protocols(draw: st.DrawFn) -> LoweredProtocol:
    cohorts = draw(st.sampled_from(((), (), ("a",), ("a", "b"))))
    criteria = tuple(
        Criterion(
            id=f"c{number}",
            kind=draw(st.sampled_from(CriterionKind)),
            text="as written",
            rule=draw(st.none() | rules if number == 0 else rules),
            unless=draw(st.none() | st.none() | rules),
            evidence=draw(tellers),
            cohorts=draw(st.lists(st.sampled_from(cohorts), max_size=2, unique=True)) if cohorts else (),
        )
        for number in range(draw(st.integers(0, 5)))
    )
    return lower(
        Protocol(
            criteria=criteria,
            cohorts=tuple(Cohort(id=name, name=name) for name in cohorts),
            anchors={"first_dose": draw(st.sampled_from(FIRST_DOSES))},
        ),
        resolver=RESOLVER,
    )


day_texts = st.sampled_from(
    ("2026-11-22", "2026-11-21", "2026-10-22", "2026-08-22", "2026-08-21", "2026-05-22", "2025-11-22",
     "2025-11-21", "2021-11-22", "2026-11", "2026", "2019", "2008-11-22", "2008-11", "1961-11-23", "2026-12-01")
)  # fmt: skip
spells = st.one_of(
    day_texts.map(days),
    st.builds(lambda day: DateRange(None, days(day).hi), day_texts),
    st.builds(lambda day: DateRange(days(day).lo, None), day_texts),
)
observations = st.one_of(st.just(days("2026-11-22")), day_texts.map(days))


def _quantities(unit: str, values: Sequence[str]) -> st.SearchStrategy[Quantity]:
    def build(first: str, second: str | None, reference: str | None, open_end: bool) -> Quantity:
        ends = sorted((Decimal(first), Decimal(second or first)))
        limits = None if reference is None else DecimalRange(None, Decimal(reference))
        return Quantity(DecimalRange(ends[0], None if open_end else ends[1]), unit, limits)

    ends = st.sampled_from(values)
    rarely = st.integers(0, 9).map(lambda n: n == 0)
    return st.builds(build, ends, st.none() | ends, st.none() | st.sampled_from(("40", "35")), rarely)


statements = st.builds(
    Statement,
    code=st.one_of(
        st.sampled_from((*ICD_CODES, "B20+Z21", "E11.65")).map(lambda code: Code(ICD10CM, code)),
        st.sampled_from(ATC_CODES).map(lambda code: Code(ATC, code)),
    ),
    status=st.sampled_from(StatementStatus),
    onset=st.none() | spells,
    ended=st.none() | st.none() | spells,
    unchanged_since=st.none() | spells,
    unbroken=st.none() | st.booleans(),
    last=st.booleans(),
    dose=st.none() | _quantities("mg/d", ("499.5", "500", "1000")) | _quantities("mL", ("3",)),
    route=st.sampled_from((None, "oral", "nasal")),
)


@st.composite
def denials(draw: st.DrawFn) -> Denial:
    system, known = draw(st.sampled_from(((ICD10CM, ICD_CODES), (ATC, ATC_CODES))))
    return Denial(
        _codes(system, draw(st.lists(st.sampled_from((*known, "*")), min_size=1, max_size=3))),
        draw(st.sampled_from((DenialScope.EVER, DenialScope.EVER, DenialScope.CURRENT, DenialScope.PLANNED))),
        since=draw(st.none() | st.none() | spells),
        but=_codes(system, draw(st.lists(st.sampled_from(known[:-1]), max_size=2))),
    )


values_by_key: dict[str, Any] = {
    "qtc": _quantities("ms", ("440", "450", "460.5", "461")) | _quantities("s", ("0.45", "0.4605")),
    "hba1c": _quantities("%", ("6.95", "7.0", "10.0", "10.05")) | _quantities("mmol/mol", ("53", "54.5", "86")),
    "bmi": _quantities("kg/m2", ("24.95", "25", "27", "31")),
    "height": _quantities("cm", ("170", "180")) | _quantities("[in_i]", ("67",)),
    "weight": _quantities("kg", ("70", "78.03", "91")),
    "alt": _quantities("U/L", ("40", "60", "105", "120"))
    | _quantities("ukat/L", ("1",))
    | _quantities("mg", ("1",)),
    "fasting_glucose": _quantities("mg/dL", ("124.3", "126.1", "126.2"))
    | _quantities("mmol/L", ("6.9", "7.0")),
    "phq2_interest": _quantities("{score}", ("0", "3")),
    "phq2_mood": _quantities("{score}", ("0", "2")),
    "birth": spells.map(Dated),
    "last_study_drug": spells.map(Dated) | st.just(Denial(())),
    "last_vaccination": spells.map(Dated) | st.just(Denial(())),
    "study.biopsy": spells.map(Dated),
    "sex": st.sampled_from((Choice.of("female"), Choice.of("male"), Choice.of("female", "male"))),
    "smoking": st.sampled_from((Choice.of("never"), Choice.of("former", "current"), Choice.of("elsewhere"))),
    **dict.fromkeys(("vaping", "pregnant", "allergy_medicine", "study.pills"), st.booleans().map(Flag)),
    **dict.fromkeys(
        ("condition.any", "condition.diabetes", "condition.heart", "medicine.any", "study.elsewhere"),
        st.one_of(statements, statements, denials()),
    ),
}


@st.composite
def facts(draw: st.DrawFn) -> Fact:
    key = draw(st.sampled_from(sorted(values_by_key)))
    value: Value | Absence = draw(
        st.sampled_from(Absence) if draw(st.integers(0, 9)) == 0 else values_by_key[key]
    )
    number = draw(st.integers(1, 10**6))
    return Fact(
        id=UUID(int=number),
        key=key,
        value=value,
        raw="",
        observed=draw(observations),
        recorded_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number),
        source=draw(st.sampled_from(EvidenceSource)),
    )


people = st.lists(facts(), max_size=14).map(Facts)
todays = st.sampled_from((TODAY, TODAY + timedelta(days=1), date(2027, 2, 28)))


def make_open(lowered: Sequence[LoweredProtocol]) -> OpenProtocols:
    opened = OpenProtocols(vocabulary=VOCABULARY, terms=TERMS)
    for number, one in enumerate(lowered):
        opened.add(number, one)
    return opened


def interpreted(lowered: LoweredProtocol, person: Facts, on: date, closed: Sequence[str] = ()) -> Assessment:
    return assess_lowered(lowered, person, on=on, vocabulary=VOCABULARY, terms=TERMS, closed_cohorts=closed)


def assert_equal(standings: Standings, name: object, expected: Assessment) -> None:
    found = [(one.applies, one.passes, one.is_open) for one in standings.criteria(name)]
    assert found == [(one.applies, one.passes, one.is_open) for one in expected.verdicts]
    assert standings.cohorts(name) == expected.cohorts
    assert standings.disposition(name) is expected.disposition


@given(st.lists(protocols(), min_size=1, max_size=3), st.lists(people, min_size=1, max_size=3), todays)
def test_every_verdict_equals_the_interpreters(
    lowered: list[LoweredProtocol], everybody: list[Facts], on: date
) -> None:
    opened = make_open(lowered)

    for person in everybody:
        standings = opened.judge(person, on=on)

        for number, one in enumerate(lowered):
            assert_equal(standings, number, interpreted(one, person, on))


@settings(max_examples=FEWER)
@given(st.lists(protocols(), min_size=2, max_size=6), people, todays, st.data())
def test_taking_protocols_in_and_out_comes_to_the_same_as_starting_anew(
    lowered: list[LoweredProtocol], person: Facts, on: date, data: st.DataObject
) -> None:
    gone = data.draw(st.sets(st.sampled_from(range(len(lowered))), min_size=1))
    left = [number for number in range(len(lowered)) if number not in gone]
    opened = make_open(lowered)
    before = opened.judge(person, on=on)

    for number in sorted(gone):
        opened.remove(number)
    anew = make_open([lowered[number] for number in left])
    assert (opened.atoms, opened.nodes, len(opened)) == (anew.atoms, anew.nodes, len(anew))
    between = opened.judge(person, on=on)
    for number in sorted(gone, reverse=True):
        opened.add(number, lowered[number])
    after = opened.judge(person, on=on)

    for number in range(len(lowered)):
        assert after.criteria(number) == before.criteria(number)
        assert after.disposition(number) is before.disposition(number)
        assert (number in gone) or between.criteria(number) == before.criteria(number)


@settings(max_examples=FEWER)
@given(st.lists(protocols(), min_size=1, max_size=4), st.lists(facts(), min_size=60, max_size=90))
def test_a_long_record_is_judged_like_a_short_one(lowered: list[LoweredProtocol], held: list[Fact]) -> None:
    person = Facts(held)

    standings = make_open(lowered).judge(person, on=TODAY)

    for number, one in enumerate(lowered):
        assert_equal(standings, number, interpreted(one, person, TODAY))


def make_protocol(
    *rules_: Node, cohorts: Sequence[str] = (), own: Sequence[Sequence[str]] = ()
) -> LoweredProtocol:
    criteria = tuple(
        Criterion(
            id=f"c{number}",
            kind=CriterionKind.INCLUSION,
            text="as written",
            rule=rule,
            cohorts=tuple(own[number]) if own else (),
        )
        for number, rule in enumerate(rules_)
    )
    named = tuple(Cohort(id=name, name=name) for name in cohorts)
    return lower(Protocol(criteria=criteria, cohorts=named), resolver=RESOLVER)


OVER_450 = Number(key="qtc", limits=(Limits(unit="ms", gt=Decimal(450)),))


class TestDays:
    def test_a_measurement_that_expires_tomorrow_leaves_its_leaf_unknown_then(self) -> None:
        opened = make_open([make_protocol(OVER_450)])
        person = noted_all({"qtc": "460 ms @record 2026-05-22"})

        today = opened.judge(person, on=TODAY).criteria(0)[0]
        tomorrow = opened.judge(person, on=TODAY + timedelta(days=1)).criteria(0)[0]

        assert (today.passes, tomorrow.passes) == (Kleene.MET, Kleene.UNKNOWN)

    def test_a_birthday_counts_from_its_day(self) -> None:
        opened = make_open([make_protocol(Age(ge=18))])
        person = noted_all({"birth": "2008-11-23"})

        days_apart = [opened.judge(person, on=TODAY + timedelta(days=n)).disposition(0) for n in (0, 1, 0)]

        assert days_apart == [Disposition.INELIGIBLE, Disposition.CANDIDATE, Disposition.INELIGIBLE]

    def test_an_operation_leaves_its_window_the_day_after(self) -> None:
        window = Window.model_validate({"form": "within", "length": "6 months"})
        rule = Coded(about=About.CONDITION, codes=(Code(ICD10CM, "I21"),), window=window, dating="onset")
        opened = make_open([make_protocol(rule)])
        person = noted_all({"condition.heart": "I21 past on 2026-05-22"})

        today = opened.judge(person, on=TODAY).criteria(0)[0]
        tomorrow = opened.judge(person, on=TODAY + timedelta(days=1)).criteria(0)[0]

        assert (today.passes, tomorrow.passes) == (Kleene.MET, Kleene.UNKNOWN)


class TestCohorts:
    def test_a_closed_cohort_counts_only_where_no_other_is_open(self) -> None:
        lowered = make_protocol(Age(ge=18), Age(lt=18), cohorts=("old", "young"), own=(("old",), ("young",)))
        person = noted_all({"birth": "1990"})
        opened = OpenProtocols(vocabulary=VOCABULARY, terms=TERMS)

        for closed in ((), ("old",), ("young",), ("old", "young")):
            opened.add("trial", lowered, closed_cohorts=closed)
            assert_equal(opened.judge(person, on=TODAY), "trial", interpreted(lowered, person, TODAY, closed))


class TestSharing:
    def test_equal_leaves_and_subtrees_of_different_protocols_are_held_once(self) -> None:
        rule = AnyOf(of=(OVER_450, Age(ge=18)))

        opened = make_open(
            [make_protocol(rule), make_protocol(rule, Age(ge=18)), make_protocol(Not(of=OVER_450))]
        )

        assert (opened.atoms, opened.nodes) == (2, 1)

    def test_nothing_is_left_of_protocols_that_are_gone(self) -> None:
        opened = make_open([make_protocol(AtLeast(count=2, of=(OVER_450, Age(ge=18), Attested(key="vaping"))))])

        opened.remove(0)

        assert (opened.atoms, opened.nodes, len(opened)) == (0, 0, 0)
        with pytest.raises(KeyError):
            opened.judge(Facts(), on=TODAY).disposition(0)

    def test_a_standing_read_earlier_stays_as_it_was(self) -> None:
        opened = make_open([make_protocol(OVER_450)])
        standings = opened.judge(noted_all({"qtc": "440 ms @record"}), on=TODAY)

        opened.remove(0)
        opened.add(0, make_protocol(Not(of=OVER_450)))

        assert standings.disposition(0) is Disposition.INELIGIBLE
        assert standings.criteria(0)[0].passes is Kleene.NOT_MET


class TestAsking:
    def test_a_person_whose_answers_are_plain_needs_no_interpreter(self) -> None:
        person = noted_all(
            {"qtc": "460 ms @record", "birth": "1990", "vaping": "no", "condition.diabetes": "no"}
        )
        diabetes = Coded(about=About.CONDITION, codes=(Code(ICD10CM, "E11"),))
        rules_ = (OVER_450, Age(ge=18), Attested(key="vaping"), diabetes)

        standings = make_open([make_protocol(*rules_)]).judge(person, on=TODAY)

        assert standings.asked == 0
        assert [one.passes for one in standings.criteria(0)] == [
            Kleene.MET, Kleene.MET, Kleene.NOT_MET, Kleene.NOT_MET
        ]  # fmt: skip

    def test_sources_that_contradict_each_other_are_left_to_it(self) -> None:
        person = noted_all({"vaping": ["yes", "no @record"], "qtc": "460 ms @record"})

        standings = make_open([make_protocol(OVER_450, Attested(key="vaping"))]).judge(person, on=TODAY)

        assert standings.asked == 1
        assert standings.criteria(0)[1].passes is Kleene.UNKNOWN

    def test_limits_finer_than_the_scale_are_compared_exactly(self) -> None:
        fine = Number(key="qtc", limits=(Limits(unit="ms", ge=Decimal("450.00000001")),))

        standings = make_open([make_protocol(fine)]).judge(noted_all({"qtc": "450 ms @record"}), on=TODAY)

        assert standings.criteria(0)[0].passes is Kleene.NOT_MET
