"""Random facts of every kind and random protocols, for back ends that have to equal the interpreter."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import strategies as st

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
    CodedStatus,
    Dating,
    Distinct,
    DistinctBy,
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
    WindowForm,
)
from screening.language.protocol import Anchor, Cohort, Criterion, CriterionKind, Protocol
from screening.terms import ATC, ICD10CM
from screening.units import UPPER_LIMIT
from screening.vocabulary import About, Answerer
from tests.screening.people import TODAY, make_fact

FLAGS = ("vaping", "allergy_medicine", "can_have_mri", "study.pills")
DATES = ("birth", "last_study_drug", "study.biopsy")
CHOICES = {"sex": ("female", "male"), "smoking": ("never", "former", "current")}
NUMBERS = {
    "hba1c": ("%", "mmol/mol"),
    "alt": ("U/L", "ukat/L"),
    "weight": ("kg", "[lb_av]", "cm"),
    "qtc": ("ms",),
    "bmi": ("kg/m2",),
}
CODED_KEYS = (
    "condition.any",
    "condition.diabetes",
    "condition.heart",
    "medicine.any",
    "medicine.metformin",
    "study.other",
)
CONDITIONS = ("E10", "E11", "E11.9", "E10.1", "E08-E13", "I21", "I20-I25", "*", "B20+Z21")
MEDICINES = ("A10", "A10B", "A10BA02", "A10BH01", "A10BD07", "A10BD07", "A10BD", "A10BD07+A10BD11", "*")
"""Metformin, sitagliptin, and combinations that contain them for sure or perhaps."""
ANCHOR = "first_dose"
ANCHORS = {ANCHOR: Anchor(earliest=Duration(3, CalendarUnit.DAYS), latest=Duration(1, CalendarUnit.MONTHS))}

sources = st.sampled_from(EvidenceSource)
limits_of_evidence = st.none() | sources
days = st.sampled_from((0, 1, 13, 14, 30, 31, 89, 91, 92, 93, 181, 183, 184, 185, 365, 366, 367, 800)).map(
    lambda back: TODAY - timedelta(days=back)
)
edges = st.sampled_from((date(2026, 2, 28), date(2025, 11, 22), date(2026, 5, 22), date(2026, 8, 22), TODAY))
points = days | edges
stretches = st.one_of(
    points.map(DateRange.day),
    points.map(DateRange.day),
    points.map(DateRange.day),
    st.tuples(points, points).map(lambda pair: DateRange(min(pair), max(pair))),
    points.map(lambda day: DateRange.month(day.year, day.month)),
    points.map(lambda day: DateRange(None, day)),
    points.map(lambda day: DateRange(day, None)),
)
births = st.one_of(
    st.sampled_from((1950, 1990, 2008, 2009)).map(DateRange.year),
    st.sampled_from((10, 11, 12)).map(lambda month: DateRange.month(2008, month)),
    st.sampled_from((date(2008, 11, 22), date(2008, 2, 29), date(2008, 11, 23))).map(DateRange.day),
)
decimals = st.sampled_from(
    ("5.9", "6.0", "6.5", "7", "7.00", "7.25", "53", "54", "40", "80", "120", "450")
).map(Decimal)
ranges = st.one_of(
    decimals.map(DecimalRange.point),
    decimals.map(DecimalRange.point),
    decimals.map(DecimalRange.reported),
    st.tuples(decimals, decimals).map(lambda pair: DecimalRange(min(pair), max(pair))),
    decimals.map(lambda number: DecimalRange(None, number)),
    decimals.map(lambda number: DecimalRange(number, None)),
)
references = st.none() | st.sampled_from(("40", "35.5")).map(lambda top: DecimalRange(None, Decimal(top)))


def _fact(key: str, value: object, source: EvidenceSource, observed: DateRange) -> Fact:
    return make_fact(key, value, source=source, observed=observed)  # type: ignore[arg-type]


def _facts(keys: st.SearchStrategy[str], values: st.SearchStrategy[object]) -> st.SearchStrategy[Fact]:
    return st.builds(_fact, keys, values, sources, stretches)


def _quantities(key: str) -> st.SearchStrategy[Fact]:
    values = st.builds(Quantity, ranges, st.sampled_from(NUMBERS[key]), references)
    return _facts(st.just(key), values)


conditions = st.sampled_from(CONDITIONS).map(lambda code: Code(ICD10CM, code))
medicines = st.sampled_from(MEDICINES).map(lambda code: Code(ATC, code))
any_code = conditions | medicines
some_codes = st.lists(conditions, min_size=1, max_size=2, unique=True) | st.lists(
    medicines, min_size=1, max_size=2
)
doses = st.none() | st.builds(Quantity, ranges, st.sampled_from(("mg/d", "ms")))
statements = st.builds(
    Statement,
    any_code,
    st.sampled_from(StatementStatus),
    onset=st.none() | stretches,
    ended=st.none() | stretches,
    unchanged_since=st.none() | stretches,
    unbroken=st.none() | st.booleans(),
    last=st.booleans(),
    dose=doses,
    route=st.none() | st.just("oral"),
)
plain_statements = st.builds(Statement, any_code, st.sampled_from(StatementStatus), onset=st.none() | stretches)
denials = st.builds(
    lambda codes, scope, since, but: Denial(tuple(codes), scope, since, tuple(but)),
    some_codes,
    st.sampled_from((DenialScope.EVER, DenialScope.EVER, DenialScope.CURRENT, DenialScope.PLANNED)),
    st.none() | st.none() | stretches,
    st.just(()) | st.lists(any_code, max_size=1).map(tuple),
)
coded_facts = _facts(st.sampled_from(CODED_KEYS), st.one_of(plain_statements, statements, denials, denials))


def about(fact: Fact, code: Code) -> Fact:
    """Give a coded fact that speaks of another code instead."""
    value = fact.value
    if isinstance(value, Statement):
        value = replace(value, code=code)
    elif isinstance(value, Denial):
        value = replace(value, codes=(code,))
    return replace(fact, value=value)


@st.composite
def closed_lists(draw: st.DrawFn) -> list[Fact]:
    """Draw a closed list: some statements, and a denial of everything else."""
    key, named, system, roots = draw(
        st.sampled_from(
            (
                ("condition.any", conditions, ICD10CM, ("*", "E08-E13")),
                ("medicine.any", medicines, ATC, ("*", "A10")),
            )
        )
    )
    codes = draw(st.lists(named, max_size=2, unique=True))
    source, observed = draw(sources), draw(stretches)
    root, is_now = draw(st.sampled_from(roots)), draw(st.booleans())
    status, scope = (
        (StatementStatus.CURRENT, DenialScope.CURRENT) if is_now else (StatementStatus.EVER, DenialScope.EVER)
    )
    held: list[Fact] = [_fact(key, Statement(code, status), source, observed) for code in codes]
    held.append(_fact(key, Denial((Code(system, root),), scope, but=tuple(codes)), source, observed))
    return held


single_facts = st.one_of(
    *(_quantities(key) for key in NUMBERS),
    _facts(st.just("height"), st.builds(Quantity, st.just(DecimalRange.point(Decimal(180))), st.just("cm"))),
    _facts(st.sampled_from(FLAGS), st.builds(Flag, st.booleans())),
    _facts(st.just("birth"), births.map(Dated)),
    _facts(st.sampled_from(DATES[1:]), stretches.map(Dated) | st.just(Denial(()))),
    *(
        _facts(st.just(key), st.sets(st.sampled_from(codes), min_size=1).map(lambda s: Choice(frozenset(s))))
        for key, codes in CHOICES.items()
    ),
    _facts(st.sampled_from((*FLAGS, *DATES, *NUMBERS, *CODED_KEYS)), st.sampled_from(Absence)),
    coded_facts,
    coded_facts,
)
people: st.SearchStrategy[Facts] = st.builds(
    lambda facts, listed: Facts([*facts, *listed]),
    st.lists(single_facts, max_size=9),
    st.just([]) | closed_lists(),
)

durations = st.builds(
    Duration, st.sampled_from((1, 3, 6, 12)), st.sampled_from((CalendarUnit.MONTHS, CalendarUnit.WEEKS))
)
windows = st.one_of(
    st.builds(
        Window,
        form=st.sampled_from([form for form in WindowForm if form is not WindowForm.BETWEEN]),
        length=durations,
        side=st.sampled_from(("before", "before", "after")),
        anchor=st.sampled_from(("today", "today", ANCHOR)),
    ),
    st.just(
        Window(
            form=WindowForm.BETWEEN,
            length=Duration(1, CalendarUnit.MONTHS),
            upto=Duration(6, CalendarUnit.MONTHS),
        )
    ),
)
ends = st.sampled_from(("ge", "gt", "le", "lt"))


@st.composite
def numbers(draw: st.DrawFn) -> Number:
    """Draw a number, often in several units or as multiples of the upper limit."""
    key = draw(st.sampled_from(tuple(NUMBERS)))
    extra = (UPPER_LIMIT,) if key == "alt" else ()
    units = draw(st.lists(st.sampled_from((*NUMBERS[key], *extra)), min_size=1, max_size=2, unique=True))
    limits = []
    for unit in units:
        low, high = sorted((draw(decimals), draw(decimals)))
        both = low < high and draw(st.booleans())
        ends_held = {"ge": low, "le": high} if both else {draw(ends): low}
        limits.append(Limits.model_validate({"unit": unit, **ends_held}))
    return Number(
        key=key,
        limits=tuple(limits),
        rounded_to=draw(st.none() | st.none() | st.integers(0, 1)),
        window=draw(st.none() | st.none() | windows),
        decides_from=draw(limits_of_evidence),
    )


tellers = st.none() | st.none() | st.sampled_from(Answerer)
coded = st.builds(
    Coded,
    about=st.just(About.CONDITION),
    codes=some_codes.map(tuple),
    but=st.just(()) | st.lists(any_code, max_size=1).map(tuple),
    such_as=st.booleans(),
    status=st.sampled_from(CodedStatus),
    window=st.none() | st.none() | windows,
    key=st.none() | st.just("condition.any"),
)
dated = st.builds(
    lambda leaf, window, dating: leaf.model_copy(update={"window": window, "dating": dating}),
    coded,
    windows,
    st.sampled_from(Dating),
)
detailed = st.builds(
    lambda leaf, lasting, steady, dose, routes: leaf.model_copy(
        update={
            "status": CodedStatus.CURRENT,
            "for_at_least": lasting,
            "unchanged_for": steady,
            "dose": dose,
            "routes": routes,
        }
    ),
    coded,
    st.none() | durations,
    st.none() | durations,
    st.none() | st.none() | st.just(Limits.model_validate({"unit": "mg/d", "ge": Decimal(40)})),
    st.just(()) | st.just(("oral",)),
)
several = st.builds(
    Distinct, count=st.integers(1, 3), by=st.sampled_from(DistinctBy), of=coded, decides_from=limits_of_evidence
)
weighed = st.builds(
    lambda leaf, limit, teller: leaf.model_copy(update={"decides_from": limit, "told_by": teller}),
    st.one_of(
        coded,
        coded,
        dated,
        detailed,
        st.builds(When, key=st.sampled_from(DATES), window=windows),
        st.builds(lambda key, value: Attested(key=key, value=value), st.sampled_from(FLAGS), st.booleans()),
        st.sampled_from(sorted(CHOICES)).flatmap(
            lambda key: st.builds(
                lambda codes: Is(key=key, codes=tuple(sorted(codes))),
                st.sets(st.sampled_from(CHOICES[key]), min_size=1),
            )
        ),
        st.builds(
            lambda end, count, unit: Age.model_validate({end: count, "unit": unit}),
            ends,
            st.sampled_from((17, 18, 216)),
            st.sampled_from((CalendarUnit.YEARS, CalendarUnit.MONTHS)),
        ),
    ),
    limits_of_evidence,
    tellers,
)
leaves: st.SearchStrategy[Node] = st.one_of(
    weighed, weighed, weighed, numbers(), several, st.just(SiteOnly(text="s")), st.just(Note(text="n"))
)


def _grown(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    some = st.lists(inner, min_size=1, max_size=4).map(tuple)
    grouped = [st.builds(lambda of, kind=kind: kind(of=of), some) for kind in (AllOf, AnyOf, NoneOf)]
    cases = st.builds(
        lambda branches, rest: Case(branches=branches, otherwise=rest),
        st.lists(
            st.builds(lambda when, then: Branch(when=when, then=then), inner, inner), min_size=1, max_size=2
        ).map(tuple),
        st.none() | inner,
    )
    by_sex = st.builds(
        lambda one, other: Case(
            branches=(
                Branch(when=Is(key="sex", codes=("female",)), then=one),
                Branch(when=Is(key="sex", codes=("male",)), then=other),
            )
        ),
        inner,
        inner,
    )
    return st.one_of(
        *grouped,
        st.builds(lambda count, of: AtLeast(count=count, of=of), st.integers(1, 4), some),
        st.builds(lambda of: Not(of=of), inner),
        st.builds(lambda when, then: IfThen(when=when, then=then), inner, inner),
        st.builds(lambda of, exempt: ButNot(of=of, exempt=exempt), numbers(), inner),
        cases,
        by_sex,
    )


rules: st.SearchStrategy[Node] = st.recursive(leaves, _grown, max_leaves=6)
COHORTS = ("a", "b")


@st.composite
def protocols(draw: st.DrawFn) -> Protocol:
    """Draw a protocol of a few criteria, some of them of a cohort, some with an "unless"."""
    cohorts = draw(st.sampled_from(((), (), COHORTS)))
    criteria = tuple(
        Criterion(
            id=f"c{number}",
            kind=draw(st.sampled_from(CriterionKind)),
            text="as written",
            evidence=draw(tellers),
            rule=draw(rules),
            unless=draw(st.none() | st.none() | rules),
            cohorts=draw(st.sampled_from(((), ("a",), ("b",), COHORTS))) if cohorts else (),
        )
        for number in range(draw(st.integers(1, 4)))
    )
    return Protocol(
        criteria=criteria,
        cohorts=tuple(Cohort(id=name, name=name) for name in cohorts),
        anchors=ANCHORS,
    )
