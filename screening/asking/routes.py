"""Every way through a questionnaire: which questions can be met at all, and in which company.

Answers are stood for by one example each per outcome of the conditions that
read them, so that a walk over the examples is a walk over all answers.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import ROUND_CEILING, Decimal
from itertools import combinations
from typing import Final

from screening.asking.conditions import AtLeast, Leaf, codes_of, holds
from screening.asking.items import (
    Age,
    CodedList,
    DecimalNumber,
    Height,
    Integer,
    Item,
    Limits,
    Multiple,
    NamedList,
    QuantityNumber,
    Single,
    StatementPage,
    Weight,
    YesNo,
    reads,
)
from screening.asking.questionnaire import Document
from screening.asking.responses import (
    RESERVED,
    AgeGiven,
    Answer,
    Chosen,
    Counted,
    Declined,
    DontKnow,
    Measured,
    Named,
    Seen,
    Told,
)
from screening.texts import Respondent

_ANY_DAY: Final = date(2000, 1, 1)
_MOST_STEPS: Final = 100_000
_MOST_CODES: Final = 10


class TooManyRoutes(Exception):
    """There are more ways than can be walked; nothing is said about the rest."""


def routes(
    document: Document, respondent: Respondent, *, most_steps: int = _MOST_STEPS
) -> tuple[tuple[str, ...], ...]:
    """List the distinct paths through a document as tuples of item ids, in the order in which they branch.

    :raises TooManyRoutes: when the walk takes more than ``most_steps`` steps.
    """
    return tuple(dict.fromkeys(_walk(document.items, respondent, most_steps)))


def reachable(document: Document, item: Item, *, most_steps: int = _MOST_STEPS) -> bool:
    """Tell whether some answers of some respondent show a question.

    Only the questions that its condition rests on are walked, so the proof is
    exact for documents of any usual size.

    :raises TooManyRoutes: when even these have too many combinations.
    """
    cone = _cone(document.items, item)
    return any(
        item.id in route for respondent in document.respondents for route in _walk(cone, respondent, most_steps)
    )


def _cone(items: Sequence[Item], target: Item) -> tuple[Item, ...]:
    """Keep an item and all that its condition, and theirs, rest on."""
    wanted = {target.id}
    for item in reversed(items):
        if item.id in wanted:
            wanted.update(leaf.item for leaf in reads(item))
    return tuple(item for item in items if item.id in wanted)


def _walk(items: Sequence[Item], respondent: Respondent, most_steps: int) -> Iterator[tuple[str, ...]]:
    read: dict[str, list[Leaf]] = {item.id: [] for item in items}
    for item in items:
        for leaf in reads(item):
            read.setdefault(leaf.item, []).append(leaf)
    examples = {item.id: _examples(item, read[item.id]) for item in items}
    waiting: list[tuple[int, dict[str, Answer], tuple[str, ...]]] = [(0, {}, ())]
    steps = 0
    while waiting:
        place, visible, path = waiting.pop()
        steps += 1
        if steps > most_steps:
            raise TooManyRoutes
        if place == len(items):
            yield path
            continue
        item = items[place]
        if item.show_if is not None and holds(item.show_if, visible, respondent) is not True:
            waiting.append((place + 1, visible, path))
            continue
        further = (*path, item.id)
        for answer in reversed(examples[item.id]):
            seen = visible if answer is None else {**visible, item.id: answer}
            waiting.append((place + 1, seen, further))


def _examples(item: Item, read: Sequence[Leaf]) -> tuple[Answer | None, ...]:
    """Give one answer per outcome of the conditions that read it; a single None where none does."""
    if not read:
        return (None,)
    asked = {code for leaf in read for code in codes_of(leaf)}
    found: list[Answer | None] = []
    match item:
        case YesNo() | Single():
            found.extend(_one_of(item, asked))
        case Multiple() | CodedList():
            found.extend(_some_of(item, asked))
        case NamedList():
            found.append(Named(on=_ANY_DAY, told=(Told(words="?"),)))
            if item.none is not None:
                found.append(Named(on=_ANY_DAY, none=item.none.code))
        case StatementPage():
            found.append(Seen(on=_ANY_DAY))
        case _:
            found.extend(_numbers(item, [leaf for leaf in read if isinstance(leaf, AtLeast)]))
    if item.allow_unknown:
        found.append(DontKnow(on=_ANY_DAY))
    if item.allow_decline:
        found.append(Declined(on=_ANY_DAY))
    return tuple(found) or (None,)


def _chosen(*codes: str, other: str = "") -> Chosen:
    return Chosen(on=_ANY_DAY, codes=codes, other=other)


def _one_of(item: YesNo | Single, asked: set[str]) -> Iterator[Answer]:
    rest = [option.code for option in item.options if option.code not in asked]
    for option in item.options:
        if option.code in asked or option.code in rest[:1]:
            yield _chosen(option.code)


def _some_of(item: Multiple | CodedList, asked: set[str]) -> Iterator[Answer]:
    alone = [option.code for option in item.options if option.exclusive]
    free = [option.code for option in item.options if not option.exclusive]
    read = [code for code in free if code in asked - RESERVED]
    if len(read) > _MOST_CODES:
        raise TooManyRoutes
    rest = tuple(code for code in free if code not in asked)[:1]
    for code in alone:
        yield _chosen(code)
    for size in range(len(read) + 1):
        for codes in combinations(read, size):
            if rest or codes:
                yield _chosen(*codes, *rest)
            if isinstance(item, CodedList) and item.other:
                yield _chosen(*codes, other="?")


def _numbers(item: Item, read: list[AtLeast]) -> Iterator[Answer]:
    match item:
        case Integer():
            for value in _points([leaf.value for leaf in read], item.limits, whole=True):
                yield Counted(on=_ANY_DAY, raw="", entered=(), value=int(value))
        case Age():
            limits = Limits(least=Decimal(0), most=Decimal(item.most))
            for value in _points([leaf.value for leaf in read], limits, whole=True):
                yield AgeGiven(on=_ANY_DAY, raw="", entered=(), years=int(value), lo=_ANY_DAY, hi=_ANY_DAY)
        case Height():
            yield from _measures(read, item.limits, "cm")
        case Weight():
            yield from _measures(read, item.limits, "kg")
        case DecimalNumber():
            yield from _measures(read, item.limits, item.unit)
        case QuantityNumber():
            for unit in item.units:
                yield from _measures(read, unit.limits, unit.code)
        case _:
            yield Counted(on=_ANY_DAY, raw="", entered=(), value=0)


def _measures(read: list[AtLeast], limits: Limits, unit: str) -> Iterator[Measured]:
    bounds = [leaf.value for leaf in read if leaf.unit in (None, unit)]
    ranges = [(value, value) for value in _points(bounds, limits, whole=False)]
    straddling = [(bound - 1, bound) for bound in bounds if _inside(bound, limits)]
    for lo, hi in (*ranges, *straddling):
        yield Measured(on=_ANY_DAY, raw="", entered=(), unit=unit, parts=(hi,), lo=lo, hi=hi, canonical=unit)


def _points(bounds: list[Decimal], limits: Limits, *, whole: bool) -> list[Decimal]:
    """Give one possible number below all bounds and one from each bound to the next."""
    marks = sorted({bound.to_integral_value(ROUND_CEILING) if whole else bound for bound in bounds})
    first = limits.least if limits.least is not None else marks[0] - 1 if marks else Decimal(0)
    return [value for value in dict.fromkeys((first, *marks)) if _inside(value, limits)]


def _inside(value: Decimal, limits: Limits) -> bool:
    return (limits.least is None or value >= limits.least) and (limits.most is None or value <= limits.most)
