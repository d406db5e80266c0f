"""Random studies that ask, people with an answer to everything, and what asking all of it comes to.

The reading of "all of it" shares nothing with the choice of questions: every
answer is put into the questionnaire at once, which drops what is not on the
path, and the reference judges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from screening.asking.assertions import facts_from
from screening.asking.responses import (
    Answer,
    Chosen,
    DateGiven,
    Declined,
    DontKnow,
    Measured,
)
from screening.assessment.assess import assess_lowered
from screening.assessment.forecast import forecast
from screening.choosing.nextquestion import Plan, plan
from screening.choosing.outline import Study
from screening.choosing.standing import Setting
from screening.choosing.wordings import Place
from screening.facts import EvidenceSource, Facts
from screening.language.criteria import AllOf, AnyOf, IfThen, Node, Not
from screening.language.lowering import lower
from screening.language.notation import parse_rule
from screening.language.protocol import Cohort, Criterion, CriterionKind, Protocol
from screening.language.questions import Resolver
from screening.terms import ICD10CM
from screening.texts import Respondent
from screening.verdict import Disposition
from screening.vocabulary import Answerer
from tests.screening import trees
from tests.screening.people import TERMS, TODAY, VOCABULARY
from tests.screening.questionnaire.documents import (
    choices,
    denies,
    flag_question,
    make_document,
    option,
    states,
    typed,
)

SETTING = Setting(Respondent.SELF, TODAY, EvidenceSource.PARTICIPANT_ONLINE)
PHASES = ("flat", "normal", "sensitive")


def icd(code: str) -> dict[str, str]:
    return {"system": ICD10CM, "code": code}


def sexes(**changes: object) -> dict[str, object]:
    options = [
        option(sex, asserts=[{"key": "sex", "value": {"type": "choice", "codes": [sex]}}])
        for sex in ("female", "male")
    ]
    return choices("single", "sex", *options, **changes)


def diabetes(**changes: object) -> dict[str, object]:
    key = "condition.diabetes"
    options = [
        option(
            name,
            asserts=states(icd(code), "ever", key),
            denies=denies(icd(code), scope="ever", key=key),
        )
        for name, code in (("type_1", "E10"), ("type_2", "E11"), ("type_2_calm", "E11.9"))
    ]
    vague = option("vague", asserts=states(icd("E10-E11"), "ever", key))
    none = option("none_of_these", exclusive=True)
    return choices("multiple", "diabetes", *options, vague, none, **changes)


def attack(**changes: object) -> dict[str, object]:
    key = "condition.heart"
    yes = {"code": "yes", "asserts": states(icd("I21"), "past", key)}
    no = {"code": "no", "asserts": denies(icd("I21"), scope="ever", key=key)}
    return {**flag_question("attack", "vaping"), "options": [yes, no]} | changes


def attack_on(**changes: object) -> dict[str, object]:
    statement = states(icd("I21"), "past", "condition.heart")[0]["value"]
    return typed(
        "date", "attack_on", key="condition.heart", statement=statement, fills=["onset", "ended"], **changes
    )


ITEMS: dict[str, Callable[..., dict[str, object]]] = {
    "sex": sexes,
    "vaping": lambda **changes: flag_question("vaping", "vaping", **changes),
    "pregnant": lambda **changes: flag_question("pregnant", "pregnant", **changes),
    "breastfeeding": lambda **changes: flag_question("breastfeeding", "breastfeeding", **changes),
    "vaping_again": lambda **changes: flag_question("vaping_again", "vaping", **changes),
    "qtc": lambda **changes: typed("decimal", "qtc", key="qtc", unit="ms", **changes),
    "birth": lambda **changes: typed("date", "birth", key="birth", **changes),
    "diabetes": diabetes,
    "attack": attack,
    "attack_on": attack_on,
    "last_drug": lambda **changes: typed("date", "last_drug", key="last_study_drug", **changes),
    "height": lambda **changes: typed("height", "height", key="height", **changes),
    "weight": lambda **changes: typed("weight", "weight", key="weight", **changes),
    "words": lambda **changes: typed("short_text", "words", **changes),
}
OPTIONS = {
    "sex": ("female", "male"),
    "diabetes": ("type_1", "type_2", "type_2_calm", "vague", "none_of_these"),
    **dict.fromkeys(("vaping", "pregnant", "breastfeeding", "vaping_again", "attack"), ("yes", "no")),
}
NUMBERS = {
    "qtc": ("ms", ("430", "440", "447", "450", "455", "470")),
    "height": ("cm", ("160", "180")),
    "weight": ("kg", ("60", "78", "100")),
}
DAYS = {
    "birth": ("1960-11-23 1960-11-30", "2008-11-01 2008-11-30", "2009-03-01 2009-03-31",
              "2011-01-01 2011-12-31", "1990-05-01 1990-05-31"),
    "attack_on": ("2026-08-31 2026-08-31", "2026-05-01 2026-05-31", "2025-01-01 2025-12-31"),
    "last_drug": ("2026-11-01 2026-11-10", "2026-08-01 2026-08-31", "2024-01-01 2024-12-31"),
}  # fmt: skip
RULES = (
    "age between 18 and 65 years",
    "age >= 18 years",
    "age < 66 years",
    "condition in (I21) within 6 months before today",
    "condition in (I21)",
    "condition in (I21) between 1 month and 12 months before today",
    "last_study_drug within 3 months before today",
    "last_study_drug within 30 days before today",
    "bmi between 20 and 30 kg/m2",
    "condition in (E10, E11)",
    "condition in (E10-E11) but not in (E11.9)",
    "if age >= 18 years then vaping is yes",
    "case when age < 18 years then vaping is yes else pregnant is no end",
    "case when sex is female then qtc <= 450 ms when sex is male then qtc <= 440 ms end",
    'site("s1") or (vaping is yes and pregnant is yes)',
    "at least 2 of (vaping is yes; pregnant is yes; breastfeeding is yes; sex is male)",
)

timed = st.sampled_from([parse_rule(text, vocabulary=VOCABULARY, terms=TERMS) for text in RULES])
rules: st.SearchStrategy[Node] = st.one_of(
    timed,
    timed,
    timed,
    trees.rules,
    st.builds(lambda one, other: AllOf(of=(one, other)), timed, trees.rules),
    st.builds(lambda one, other: AnyOf(of=(one, other)), timed, trees.rules),
    st.builds(lambda one, other: IfThen(when=one, then=other), timed, timed),
    st.builds(lambda one: Not(of=one), timed),
)


PASSING = (
    "age >= 18 years",
    "not condition in (I21) within 6 months before today",
    "not last_study_drug within 3 months before today",
    "last_study_drug more than 3 months before today",
    "condition in (I21) between 1 month and 12 months before today",
    "age < 66 years",
    "if age >= 18 years then vaping is yes",
    "not (last_study_drug within 30 days before today and vaping is yes)",
)
passing = st.sampled_from([parse_rule(text, vocabulary=VOCABULARY, terms=TERMS) for text in PASSING])
"""Rules of which many a failure is over one day."""


@st.composite
def protocols(
    draw: st.DrawFn,
    rules: st.SearchStrategy[Node] = rules,
    kinds: tuple[CriterionKind, ...] = tuple(CriterionKind),
) -> Protocol:
    """Draw a protocol of a few criteria, sometimes with cohorts."""
    names = draw(st.sampled_from(((), (), ("a", "b"))))
    criteria = []
    for number in range(draw(st.integers(1, 4))):
        cohorts = draw(st.sampled_from(((), *((name,) for name in names)))) if names else ()
        criteria.append(
            Criterion(
                id=f"c{number}",
                kind=draw(st.sampled_from(kinds)),
                text="as written",
                cohorts=cohorts,
                rule=draw(rules),
                unless=draw(st.none() | st.none() | timed),
                evidence=draw(st.sampled_from((None, Answerer.PARTICIPANT, Answerer.PARTICIPANT))),
            )
        )
    groups = tuple(Cohort(id=name, name=name) for name in names)
    return Protocol(criteria=tuple(criteria), cohorts=groups)


@st.composite
def documents(draw: st.DrawFn, order: str) -> dict[str, Any]:
    """Draw a questionnaire: some of the questions in some order, some of them after answers to earlier ones."""
    names = draw(st.permutations(tuple(ITEMS)))[: draw(st.sampled_from((3, 8, 11, len(ITEMS))))]
    items, earlier = [], list[str]()
    for name in names:
        changes: dict[str, object] = {
            "allow_unknown": True,
            "allow_decline": True,
            "sensitivity": draw(st.sampled_from(PHASES)),
        }
        if earlier and draw(st.integers(0, 3)) == 0:
            changes["show_if"] = draw(_conditions(earlier))
        items.append(ITEMS[name](**changes))
        if name in OPTIONS:
            earlier.append(name)
    return {"items": items, "order": order}


def _conditions(earlier: list[str]) -> st.SearchStrategy[dict[str, object]]:
    leaf = st.sampled_from(earlier).flatmap(
        lambda name: st.sampled_from((*OPTIONS[name], "dont_know")).map(
            lambda code: {"op": "is", "item": name, "code": code}
        )
    )
    pair = st.lists(leaf, min_size=1, max_size=2)
    return st.one_of(
        leaf,
        st.builds(lambda of: {"op": "all", "of": of}, pair),
        st.builds(lambda of: {"op": "any", "of": of}, pair),
        st.builds(lambda of: {"op": "not", "of": of}, leaf),
    )


@dataclass(frozen=True)
class Case:
    """Studies laid out together, and one answer to each of their questions."""

    plan: Plan = field(repr=False)
    answers: Mapping[str, Answer] = field(repr=False)
    seed: str
    share: float


@st.composite
def cases(draw: st.DrawFn, orders: tuple[str, ...] = ("adaptive", "adaptive", "fixed")) -> Case:
    """Draw one to three studies; questions of the same name are marked as one, or are not."""
    studies = []
    for number in range(draw(st.sampled_from((1, 1, 2, 3)))):
        protocol = draw(protocols())
        drawn = draw(documents(draw(st.sampled_from(orders))))
        studies.append(
            make_study(
                f"s{number}",
                protocol,
                *drawn["items"],
                order=drawn["order"],
                closed=draw(st.sampled_from(((), ("a",), ("a", "b")))),
            )
        )
    laid_out = plan(studies, terms=TERMS, equivalent=same_names(studies) if draw(st.booleans()) else ())
    answers = {question.id: draw(said(question.places[0].item)) for question in laid_out.questions}
    return Case(laid_out, answers, draw(st.sampled_from("abcdef")), draw(st.sampled_from((0.0, 0.05, 1.0))))


WAITING = {
    "birth": ("2008-12-05 2008-12-20", "2009-03-01 2009-03-31", "1960-12-01 1960-12-31",
              "1990-05-01 1990-05-31"),
    "attack_on": ("2026-08-31 2026-08-31", "2026-05-01 2026-07-31", "2025-12-01 2025-12-31"),
    "last_drug": ("2026-11-01 2026-11-10", "2026-09-01 2026-09-30", "2026-05-01 2026-05-31"),
}  # fmt: skip


@st.composite
def waiting(draw: st.DrawFn) -> Case:
    """Draw a study that asks everything, and somebody whom a day or two may rule out or let in."""
    protocol = draw(protocols(passing, (CriterionKind.INCLUSION,)))
    names = draw(st.permutations(("birth", "attack", "attack_on", "last_drug", "vaping", "pregnant")))
    laid_out = plan(
        [make_study("s0", protocol, *(ITEMS[name](allow_unknown=True) for name in names))], terms=TERMS
    )
    answers: dict[str, Answer] = {
        f"s0:{name}": dated(draw(st.sampled_from(days))) for name, days in WAITING.items()
    }
    for name in ("attack", "vaping", "pregnant"):
        answers[f"s0:{name}"] = chose(draw(st.sampled_from(("yes", "no"))))
    return Case(laid_out, answers, draw(st.sampled_from("abc")), draw(st.sampled_from((0.0, 1.0))))


def make_study(
    name: str,
    protocol: Protocol,
    *items: dict[str, object],
    order: str = "adaptive",
    closed: tuple[str, ...] = (),
    weight: float = 1.0,
) -> Study:
    """Make a study that asks some questions."""
    lowered = lower(protocol, resolver=Resolver(VOCABULARY, TERMS))
    document = make_document(*items, order=order)
    return Study(name, lowered, document, VOCABULARY, frozenset(closed), weight)


def same_names(studies: list[Study]) -> list[list[Place]]:
    """Mark questions of the same name as one."""
    return [
        [Place(study.id, name) for study in studies if study.document.item(name) is not None]
        for name in ITEMS
        if sum(study.document.item(name) is not None for study in studies) > 1
    ]


def said(name: str) -> st.SearchStrategy[Answer]:
    """Draw an answer to a question; one in ten knows nothing or declines."""
    absent: st.SearchStrategy[Answer] = st.sampled_from((DontKnow(on=TODAY), Declined(on=TODAY)))
    given = _given(name)
    return st.integers(0, 9).flatmap(lambda luck: given if luck else absent)


def _given(name: str) -> st.SearchStrategy[Answer]:
    if name == "diabetes":
        some = st.lists(
            st.sampled_from(("type_1", "type_2", "type_2_calm", "vague")), min_size=1, max_size=2, unique=True
        )
        return st.one_of(some, st.just(["none_of_these"])).map(
            lambda codes: Chosen(on=TODAY, codes=tuple(codes))
        )
    if name in OPTIONS:
        return st.sampled_from(OPTIONS[name]).map(chose)
    if name in NUMBERS:
        unit, numbers = NUMBERS[name]
        return st.sampled_from(numbers).map(lambda number: measured(number, unit))
    if name in DAYS:
        return st.sampled_from(DAYS[name]).map(dated)
    return st.just(DontKnow(on=TODAY))


def chose(*codes: str) -> Answer:
    return Chosen(on=TODAY, codes=codes)


def measured(number: str, unit: str) -> Answer:
    value, half = Decimal(number), Decimal("0.5")
    return Measured(
        on=TODAY,
        raw=number,
        entered=(),
        unit=unit,
        parts=(value,),
        lo=value - half,
        hi=value + half,
        canonical=unit,
    )


def dated(days: str) -> Answer:
    first, last = map(date.fromisoformat, days.split())
    precision = "day" if first == last else "month"
    return DateGiven(on=TODAY, raw=days, entered=(), lo=first, hi=last, precision=precision)


@dataclass(frozen=True)
class Whole:
    """What asking everything comes to for one study."""

    disposition: Disposition
    later: date | None
    failing: frozenset[str]


def asked_everything(laid_out: Plan, answers: Mapping[str, Answer]) -> dict[str, Whole]:
    """Judge each study by all answers at once; what is not on the path, the questionnaire drops by itself."""
    found = {}
    for study in (one.study for one in laid_out.outlines):
        given = {item.id: answers[laid_out.names[study.id][item.id]] for item in study.document.items}
        numbers = count(1)
        facts = Facts(
            facts_from(
                study.document,
                given,
                SETTING.respondent,
                recorded_at=SETTING.recorded_at,
                source=SETTING.source,
                new_id=lambda numbers=numbers: UUID(int=next(numbers)),  # type: ignore[misc]
            )
        )
        judged = assess_lowered(
            study.lowered,
            facts,
            on=TODAY,
            vocabulary=VOCABULARY,
            terms=TERMS,
            closed_cohorts=study.closed_cohorts,
        )
        ahead = forecast(
            study.lowered,
            facts,
            on=TODAY,
            vocabulary=VOCABULARY,
            terms=TERMS,
            closed_cohorts=study.closed_cohorts,
        )
        failing = frozenset(verdict.criterion.id for verdict in judged.ruling_out)
        found[study.id] = Whole(judged.disposition, ahead.possible_from, failing)
    return found
