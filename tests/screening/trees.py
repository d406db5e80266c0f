"""Random rules and random people, for properties."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from screening.facts import Code
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
)
from screening.terms import ICD10CM
from screening.vocabulary import About
from tests.screening.oracle import BIRTHDAYS, BOTH, FLAGS, READINGS, SEXES, SITE_TEXTS, Person

ends = st.sampled_from(("ge", "gt", "le", "lt"))
thresholds = st.sampled_from((440, 450, 460))
sexes = st.sampled_from(SEXES)
codes = st.sampled_from(("E10", "E11", "E11.0", "E11.9", "E10-E11", "I21"))

numbers = st.builds(
    lambda end, limit: Number(key="qtc", limits=(Limits.model_validate({"unit": "ms", end: Decimal(limit)}),)),
    ends,
    thresholds,
)
ages = st.builds(lambda end, years: Age.model_validate({end: years}), ends, st.sampled_from((11, 18, 30)))
chosen = st.builds(lambda sex: Is(key="sex", codes=(sex,)), sexes)
flags = st.builds(lambda key, value: Attested(key=key, value=value), st.sampled_from(FLAGS), st.booleans())
coded = st.builds(
    lambda roots, but: Coded(
        about=About.CONDITION,
        codes=tuple(Code(ICD10CM, code) for code in roots),
        but=tuple(Code(ICD10CM, code) for code in but),
    ),
    st.lists(codes, min_size=1, max_size=2, unique=True),
    st.lists(st.sampled_from(("E11.9", "E10")), max_size=1),
)
several = st.builds(lambda count, of: Distinct(count=count, of=of), st.integers(1, 3), coded)
site = st.builds(lambda text: SiteOnly(text=text), st.sampled_from(SITE_TEXTS))
plain_leaves = st.one_of(numbers, ages, chosen, flags)
leaves: st.SearchStrategy[Node] = st.one_of(plain_leaves, coded, several, site, st.just(Note(text="n")))


def _case(whens: tuple[Node, ...], thens: list[Node], otherwise: Node | None) -> Case:
    branches = tuple(Branch(when=when, then=then) for when, then in zip(whens, thens, strict=False))
    return Case(branches=branches, otherwise=otherwise)


by_sex = st.just((Is(key="sex", codes=("female",)), Is(key="sex", codes=("male",))))
by_age = st.just((Age(lt=18), Age(ge=18)))
by_flag = flags.map(lambda flag: (flag,))
by_limit = numbers.map(lambda number: (number,))


def _grown(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    grouped = [st.builds(lambda of, kind=kind: kind(of=of), several) for kind in (AllOf, AnyOf, NoneOf)]
    return st.one_of(
        *grouped,
        st.builds(lambda count, of: AtLeast(count=count, of=of), st.integers(1, 3), several),
        st.builds(lambda of: Not(of=of), inner),
        st.builds(lambda when, then: IfThen(when=when, then=then), inner, inner),
        st.builds(lambda of, exempt: ButNot(of=of, exempt=exempt), plain_leaves, inner),
        st.builds(
            _case,
            st.one_of(by_sex, by_age, by_flag, by_limit),
            st.lists(inner, min_size=2, max_size=2),
            st.none() | inner,
        ),
    )


rules: st.SearchStrategy[Node] = st.recursive(leaves, _grown, max_leaves=6)


def _pairs(size: int) -> st.SearchStrategy[tuple[int, int]]:
    places = st.integers(0, size - 1)
    return st.tuples(places, places).map(lambda pair: (min(pair), max(pair)))


flag_values = st.none() | st.sampled_from((frozenset({True}), frozenset({False}), BOTH))
code_answers = st.sampled_from(
    (
        (frozenset(), frozenset()),
        (frozenset({"E11"}), frozenset()),
        (frozenset({"E11"}), frozenset({"E10", "I21"})),
        (frozenset({"E11.9"}), frozenset({"E10"})),
        (frozenset({"E10.1", "E11.9"}), frozenset({"I21"})),
        (frozenset(), frozenset({"E11"})),
        (frozenset(), frozenset({"E10", "E11", "I21"})),
    )
)
people: st.SearchStrategy[Person] = st.builds(
    lambda sex, flags, qtc, birth, codes: Person(
        sex, flags, qtc and (READINGS[qtc[0]], READINGS[qtc[1]]), birth, codes[0], codes[1]
    ),
    st.none() | st.sampled_from((frozenset({"female"}), frozenset({"male"}), frozenset(SEXES))),
    st.tuples(flag_values, flag_values, flag_values),
    st.none() | _pairs(len(READINGS)),
    st.none() | _pairs(len(BIRTHDAYS)),
    code_answers,
)
