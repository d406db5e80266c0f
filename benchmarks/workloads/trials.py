"""Made-up protocols of twenty criteria: ranges, flags, codes, windows, groups, conditions."""

from collections.abc import Callable
from decimal import Decimal
from random import Random

from benchmarks.workloads.crowd import CODE_LETTERS, DAYS, FLAGS, NUMBERS
from screening.facts import Code
from screening.intervals import CalendarUnit, Duration
from screening.language.criteria import (
    Age,
    AnyOf,
    AtLeast,
    Attested,
    Branch,
    Case,
    Coded,
    CodedStatus,
    IfThen,
    Is,
    Limits,
    Node,
    Not,
    Number,
    When,
    Window,
    WindowForm,
)
from screening.language.protocol import Criterion, CriterionKind, Protocol
from screening.terms import ICD10CM
from screening.vocabulary import About, packaged_vocabulary


def drawn_protocol(number: int, *, seed: int) -> Protocol:
    """Draw a protocol of twenty criteria, five of them conditional; the same one for the same number."""
    chance = Random(f"{seed}-{number}")  # noqa: S311 - no secret, and the same every time
    makers: list[Callable[[Random], Node]] = [
        *(_age, _number, _number, _number, _number, _flag, _flag, _smoking),
        *(_code, _code, _code, _recent_code, _day, _group, _some_of),
        *(_for_women, _for_women, _by_sex, _by_sex, _lasting),
    ]
    criteria = tuple(
        Criterion(
            id=f"c{place}",
            kind=CriterionKind.INCLUSION if maker in _LET_IN else CriterionKind.EXCLUSION,
            text=maker.__name__.removeprefix("_").replace("_", " "),
            rule=maker(chance),
        )
        for place, maker in enumerate(makers)
    )
    return Protocol(criteria=criteria)


def _age(chance: Random) -> Node:
    return Age(ge=18, le=chance.choice((65, 70, 75, 80)))


def _number(chance: Random) -> Node:
    name = chance.choice(tuple(NUMBERS))
    mean, spread, digits, _ = NUMBERS[name]
    low, high = (Decimal(f"{mean + side * spread * chance.uniform(1, 2.5):.{digits}f}") for side in (-1, 1))
    ends = chance.choice(({"ge": low, "le": high}, {"ge": low}, {"lt": high}, {"ge": low, "lt": high}))
    unit = packaged_vocabulary()[name].unit or ""
    window = Window(form=WindowForm.WITHIN, length=_length(chance)) if chance.random() < 0.2 else None
    return Number(key=name, limits=(Limits.model_validate({"unit": unit, **ends}),), window=window)


def _flag(chance: Random) -> Node:
    return Attested(key=chance.choice(FLAGS), value=True)


def _smoking(chance: Random) -> Node:
    return Is(key="smoking", codes=("current",))


def _code(chance: Random) -> Node:
    return Coded(
        about=About.CONDITION,
        codes=_category(chance),
        status=chance.choice((CodedStatus.EVER, CodedStatus.CURRENT)),
    )


def _category(chance: Random) -> tuple[Code, ...]:
    letter, number = chance.choice(CODE_LETTERS), chance.randrange(90)
    wide = chance.random()
    if wide < 0.2:
        return (Code(ICD10CM, f"{letter}{number:02d}-{letter}{number + 9:02d}"),)
    return tuple(Code(ICD10CM, f"{letter}{number + more:02d}") for more in range(chance.randint(1, 3)))


def _length(chance: Random) -> Duration:
    return Duration(chance.choice((1, 3, 6, 12)), CalendarUnit.MONTHS)


def _recent_code(chance: Random) -> Node:
    window = Window(form=WindowForm.WITHIN, length=_length(chance))
    return Coded(about=About.CONDITION, codes=_category(chance), window=window)


def _lasting(chance: Random) -> Node:
    return Coded(
        about=About.CONDITION, codes=_category(chance), status=CodedStatus.CURRENT, for_at_least=_length(chance)
    )


def _day(chance: Random) -> Node:
    return When(key=chance.choice(DAYS), window=Window(form=WindowForm.WITHIN, length=_length(chance)))


def _group(chance: Random) -> Node:
    return AnyOf(of=(_number_beyond(chance), _flag(chance), _code(chance)))


def _number_beyond(chance: Random) -> Node:
    return Not(of=_number(chance))


def _some_of(chance: Random) -> Node:
    return AtLeast(count=2, of=(_number_beyond(chance), _flag(chance), _code(chance), _smoking(chance)))


def _for_women(chance: Random) -> Node:
    name = chance.choice(("pregnant", "breastfeeding"))
    return IfThen(when=Is(key="sex", codes=("female",)), then=Attested(key=name, value=True))


def _by_sex(chance: Random) -> Node:
    women, men = (Branch(when=Is(key="sex", codes=(sex,)), then=_number(chance)) for sex in ("female", "male"))
    return Case(branches=(women, men))


_LET_IN = (_age, _number, _by_sex)
