"""Made-up studies that are open together: some twenty criteria each, many of them alike from study to study."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from random import Random
from typing import Final

from screening.combinations import packaged_terms
from screening.facts import Code
from screening.language.criteria import (
    Age,
    AnyOf,
    AtLeast,
    Attested,
    Coded,
    IfThen,
    Is,
    Leaf,
    Limits,
    Node,
    Number,
    When,
    Window,
)
from screening.language.lowering import LoweredProtocol, lower
from screening.language.protocol import Criterion, CriterionKind, Protocol
from screening.language.questions import Resolver
from screening.terms import ATC, ICD10CM
from screening.vocabulary import About, Key, KeyKind, packaged_vocabulary

VOCABULARY: Final = packaged_vocabulary()
TERMS: Final = packaged_terms()

# key, unit of the limits, from, to, steps between
MEASURES = (
    ("hba1c", "%", 5, 12, 70),
    ("hba1c", "mmol/mol", 40, 100, 60),
    ("fasting_glucose", "mg/dL", 70, 300, 46),
    ("creatinine", "mg/dL", 0.5, 3, 25),
    ("egfr", "mL/min/{1.73_m2}", 15, 90, 15),
    ("alt", "U/L", 20, 300, 28),
    ("ast", "U/L", 20, 300, 28),
    ("alt", "[ULN]", 1, 5, 8),
    ("bilirubin", "mg/dL", 0.5, 3, 25),
    ("hemoglobin", "g/dL", 7, 17, 100),
    ("platelets", "10*9/L", 50, 450, 40),
    ("neutrophils", "10*9/L", 0.5, 8, 15),
    ("ldl", "mg/dL", 50, 250, 40),
    ("triglycerides", "mg/dL", 100, 600, 50),
    ("tsh", "m[IU]/L", 0.2, 10, 49),
    ("systolic_bp", "mm[Hg]", 80, 200, 24),
    ("diastolic_bp", "mm[Hg]", 50, 120, 14),
    ("qtc", "ms", 400, 500, 20),
    ("ejection_fraction", "%", 20, 60, 40),
    ("bmi", "kg/m2", 15, 50, 70),
    ("weight", "kg", 40, 160, 24),
    ("phq9_total", "{score}", 0, 27, 27),
    ("mmse_total", "{score}", 10, 30, 20),
    ("migraine_days", "{days}/mo", 0, 28, 28),
    ("pain_score", "{score}", 0, 10, 10),
    ("drinks_a_week", "{drinks}/wk", 0, 28, 28),
    ("uacr", "mg/g", 10, 3000, 60),
)
HEIGHT = ("height", "cm", 150, 200, 50)
MEASURED = tuple(
    dict.fromkeys(key for key, *_ in (*MEASURES, HEIGHT) if VOCABULARY[key].computed is None)
)  # what is computed is computed: from height and weight, from creatinine, age and sex
LENGTHS = (
    "7 days", "14 days", "28 days", "30 days", "60 days", "90 days", "4 weeks", "8 weeks", "12 weeks",
    "1 month", "2 months", "3 months", "6 months", "12 months", "2 years", "5 years", "10 years",
)  # fmt: skip
CATEGORIES = tuple(f"{letter}{number:02d}" for letter in "ABCDEFGHIJKLMN" for number in range(0, 100, 3))
ACTIVES = tuple(
    f"{group}{first}{letter}{second}{active:02d}"
    for group in ("A10", "B01", "C07", "C09", "C10", "H02", "L01", "L04", "M01", "N02", "N05", "N06", "R03")
    for first in "AB"
    for letter in "ABC"
    for second in ("A", "B")
    for active in range(1, 12, 3)
)  # fmt: skip
FLAGS = tuple(key.name for key in VOCABULARY if key.kind is KeyKind.FLAG)
DATES = ("last_study_drug", "last_blood_donation", "last_vaccination")
CHOICES = tuple(key for key in VOCABULARY if key.kind is KeyKind.CHOICE and len(key.choices) <= 12)


@dataclass(frozen=True, slots=True)
class _Cached(Resolver):
    """Looks a leaf's keys up once: making the input is not what is measured."""

    def keys(self, leaf: Leaf) -> tuple[Key, ...]:
        """Give the keys to ask."""
        return _keys(leaf)


@cache
def _keys(leaf: Leaf) -> tuple[Key, ...]:
    return Resolver(VOCABULARY, TERMS).keys(leaf)


def protocols(chance: Random, count: int) -> Iterator[LoweredProtocol]:
    """Make protocols of about 20 criteria each."""
    resolver = _Cached(VOCABULARY, TERMS)
    for _ in range(count):
        number = chance.randint(14, 26)
        criteria = (Criterion(id="age", kind=CriterionKind.INCLUSION, text="age", rule=_age(chance)), *(
            Criterion(
                id=f"c{place}",
                kind=chance.choice((CriterionKind.INCLUSION, CriterionKind.EXCLUSION, CriterionKind.EXCLUSION)),
                text="as written",
                rule=_rule(chance),
            )
            for place in range(1, number)
        ))  # fmt: skip
        yield lower(Protocol(criteria=criteria), resolver=resolver)


def _rule(chance: Random) -> Node:
    sort = chance.random()
    if sort < 0.20:
        return IfThen(when=_condition(chance), then=_leaf(chance))
    if sort < 0.30:
        return AnyOf(of=tuple(_leaf(chance) for _ in range(chance.randint(2, 4))))
    if sort < 0.33:
        return AtLeast(count=2, of=tuple(_leaf(chance) for _ in range(chance.randint(3, 4))))
    return _leaf(chance)


def _condition(chance: Random) -> Node:
    return chance.choice((_is, _attested, _age, _coded))(chance)


def _leaf(chance: Random) -> Node:
    makers, weights = (_number, _coded, _attested, _is, _when, _age), (35, 42, 10, 4, 6, 3)
    return chance.choices(makers, weights)[0](chance)


def _number(chance: Random) -> Node:
    key, unit, low, high, steps = chance.choice(MEASURES)
    step = (Decimal(str(high)) - Decimal(str(low))) / steps
    first, second = sorted(chance.sample(range(steps + 1), 2))
    ends = [_tidy(Decimal(str(low)) + step * place) for place in (first, second)]
    sort = chance.choice(("ge", "gt", "le", "lt", "range"))
    given = {"ge": ends[0], "le": ends[1]} if sort == "range" else {sort: chance.choice(ends)}
    window = _window(chance, ("within",)) if chance.random() < 0.1 else None
    return Number(key=key, limits=(Limits.model_validate({"unit": unit, **given}),), window=window)


def _tidy(number: Decimal) -> Decimal:
    return round(number, 2).normalize() + Decimal(0)


def _age(chance: Random) -> Node:
    low = chance.choice((12, 18, 18, 18, 18, 21, 30, 40, 50, 55))
    return Age(ge=low, le=chance.choice((None, 60, 65, 70, 75, 80, 85, 90)))


def _attested(chance: Random) -> Node:
    return Attested(key=chance.choice(FLAGS), value=chance.random() < 0.6)


def _is(chance: Random) -> Node:
    key = chance.choice(CHOICES)
    return Is(key=key.name, codes=tuple(chance.sample(key.codes, chance.randint(1, min(2, len(key.codes))))))


def _when(chance: Random) -> Node:
    return When(key=chance.choice(DATES), window=_window(chance, ("within", "at_least")))


def _window(chance: Random, forms: Sequence[str]) -> Window:
    return Window.model_validate({"form": chance.choice(forms), "length": chance.choice(LENGTHS)})


def _coded(chance: Random) -> Node:
    if chance.random() < 0.35:
        about, roots = About.MEDICINE, often_the_first(chance, ACTIVES, chance.choice((1, 1, 2, 3)))
        codes = [Code(ATC, root[: chance.choice((3, 4, 5, 5, 7, 7))]) for root in roots]
    else:
        about, roots = About.CONDITION, often_the_first(chance, CATEGORIES, chance.choice((1, 1, 1, 1, 2, 3)))
        codes = [Code(ICD10CM, narrowed(chance, root)) for root in roots]
    status = chance.choice(("ever", "ever", "ever", "current", "current"))
    window = _window(chance, ("within",)) if chance.random() < 0.25 and status == "ever" else None
    unlike = tuple(dict.fromkeys(codes))
    return Coded.model_validate({"about": about, "codes": unlike, "status": status, "window": window})


def often_the_first(chance: Random, among: Sequence[str], count: int) -> list[str]:
    """Choose some, the first of a list much more often than its last: studies ask for the same things."""
    return [among[int(len(among) * chance.random() ** 2.5)] for _ in range(count)]


def narrowed(chance: Random, category: str) -> str:
    """Give a category, a subcategory of it, or now and then its whole letter."""
    sort = chance.random()
    if sort < 0.15:
        return f"{category[0]}00-{category[0]}99"
    return f"{category}.{chance.choice((0, 1, 9))}" if sort > 0.8 else category
