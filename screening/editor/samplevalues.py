"""Values to try a leaf with, taken from its thresholds: on them, beside them, far from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from typing import Final

from screening.assessment.evidence import Scene
from screening.facts import (
    Choice,
    Code,
    Dated,
    Denial,
    DenialScope,
    Flag,
    Quantity,
    Statement,
    StatementStatus,
    Value,
)
from screening.intervals import CalendarUnit, DateRange, DecimalRange, Duration, shift
from screening.language.criteria import (
    Age,
    Attested,
    Coded,
    CodedStatus,
    Dating,
    Distinct,
    DistinctBy,
    Is,
    Leaf,
    Limits,
    Number,
    When,
    Window,
)
from screening.language.windows import edges
from screening.medicines import packaged_formulary
from screening.terms import ATC, EITHER, EVERYTHING, CodeSet
from screening.units import UPPER_LIMIT
from screening.vocabulary import About, Key

_LIMIT: Final = Decimal(40)
"""An upper limit of normal to multiply: a laboratory's own is not known here."""

_OLDEST: Final = 110
_DAY: Final = timedelta(days=1)
_MOST_CODES: Final = 12
_ANY_CODE: Final = {About.CONDITION: "I10", About.MEDICINE: "N02BE01", About.PROCEDURE: "Z98.890"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """What could be told for a leaf, observed on one day; `is_edge` where it is a threshold itself."""

    values: tuple[Value, ...]
    observed: date
    is_edge: bool = False


def candidates(leaf: Leaf, key: Key | None, scene: Scene) -> Iterator[Candidate]:
    """List values to try, whatever the leaf says about them."""
    match leaf:
        case Number():
            yield from _numbers(leaf, key, scene)
        case Age():
            yield from _births(leaf, scene)
        case When() | Is() | Attested():
            yield from _answers(leaf, key, scene)
        case Coded():
            yield from _coded(leaf, scene)
        case Distinct():
            yield from _distinct(leaf, scene)
        case _:
            return


def _answers(leaf: When | Is | Attested, key: Key | None, scene: Scene) -> Iterator[Candidate]:
    match leaf:
        case When():
            yield Candidate((Denial(()),), scene.on)
            for day, is_edge in _days(leaf.window, scene):
                yield Candidate((Dated(DateRange.day(day)),), scene.on, is_edge)
        case Is():
            for code in dict.fromkeys((*leaf.codes, *(key.codes if key else ()))):
                yield Candidate((Choice.of(code),), scene.on)
        case Attested():
            for answer in (leaf.value, not leaf.value):
                yield Candidate((Flag(answer),), scene.on)


def _numbers(leaf: Number, key: Key | None, scene: Scene) -> Iterator[Candidate]:
    observed = [day for day, _ in _days(leaf.window, scene)] if leaf.window else [scene.on]
    for limits in leaf.limits:
        for number, is_edge in _values(limits, is_whole=bool(key and key.whole)):
            for day in observed:
                yield Candidate((_quantity(number, limits.unit, key),), min(day, scene.on), is_edge)


def _quantity(number: Decimal, unit: str, key: Key | None) -> Quantity:
    if unit != UPPER_LIMIT or key is None or key.unit is None:
        return Quantity(DecimalRange.point(number), unit)
    return Quantity(DecimalRange.point(number * _LIMIT), key.unit, DecimalRange(None, _LIMIT))


def _values(limits: Limits, *, is_whole: bool) -> Iterator[tuple[Decimal, bool]]:
    low = limits.ge if limits.ge is not None else limits.gt
    high = limits.le if limits.le is not None else limits.lt
    ends = [end for end in (low, high) if end is not None]
    if low is not None and high is not None:
        middle = (low + high) / 2
        yield (middle.to_integral_value() if is_whole or high - low > 4 else middle), False
    for end in ends:
        step = max(_step(end), Decimal(1)) if is_whole else _step(end)
        yield from ((end + step * factor, False) for factor in (5, -5, 1, -1) if end + step * factor >= 0)
    yield from ((end, True) for end in ends)


def _step(number: Decimal) -> Decimal:
    """Give a tenth of a number's own size: 1 for 30, 10 for 470, 0.1 for 7."""
    return Decimal(1).scaleb(number.adjusted() - 1) if number else Decimal(1)


def _births(leaf: Age, scene: Scene) -> Iterator[Candidate]:
    first = leaf.ge if leaf.ge is not None else None if leaf.gt is None else leaf.gt + 1
    first_too_many = leaf.lt if leaf.lt is not None else None if leaf.le is None else leaf.le + 1
    a_year = 5 if leaf.unit is CalendarUnit.YEARS else 30
    ages = [first + a_year] if first is not None else []
    if first is not None and first_too_many is not None:
        ages.insert(0, (first + first_too_many) // 2)
    for bound in (first, first_too_many):
        ages += [] if bound is None else [bound + a_year, bound - a_year, bound - 1]
    oldest = shift(scene.on, Duration(_OLDEST, CalendarUnit.YEARS), -1)
    for age in dict.fromkeys(one for one in ages if one >= 0):
        day = shift(scene.on, Duration(age, leaf.unit), -1)
        if day >= oldest:
            yield _birth(day, scene)
    if first is not None:
        yield _birth(shift(scene.on, Duration(first, leaf.unit), -1), scene, is_edge=True)
    if first_too_many is not None:
        last_day = shift(scene.on, Duration(first_too_many, leaf.unit), -1) + _DAY
        yield _birth(min(last_day, scene.on), scene, is_edge=True)


def _birth(day: date, scene: Scene, *, is_edge: bool = False) -> Candidate:
    return Candidate((Dated(DateRange.day(day)),), scene.on, is_edge)


def _days(window: Window, scene: Scene) -> Iterator[tuple[date, bool]]:
    """List days inside a window, on its ends and outside, those well inside first."""
    first, last = edges(window, scene.anchors[window.anchor]).surely
    if first is not None and last is not None and first <= last:
        yield first + (last - first) / 2, False
    for end, inwards in ((first, 1), (last, -1)):
        if end is not None:
            yield shift(end, Duration(2, CalendarUnit.MONTHS), inwards), False
            yield shift(end, Duration(2, CalendarUnit.MONTHS), -inwards), False
            yield end, True
            yield end - _DAY * inwards, False


def _coded(leaf: Coded, scene: Scene) -> Iterator[Candidate]:
    code = next(iter(codes_within(leaf, scene)), None)
    for statement, is_edge in _statements(leaf, code, scene) if code else ():
        yield Candidate((statement,), scene.on, is_edge)
    yield from (Candidate((denial,), scene.on) for denial in _denials(leaf))


def _denials(leaf: Coded) -> Iterator[Denial]:
    planned = leaf.status is CodedStatus.PLANNED
    yield Denial(leaf.codes, DenialScope.PLANNED if planned else DenialScope.EVER)


def codes_within(leaf: Coded, scene: Scene) -> Iterator[Code]:
    """Give codes that lie within what the leaf asks for, as narrow as they are known."""
    wanted = CodeSet.of(scene.terms, leaf.codes, leaf.but)
    for code in leaf.codes:
        for text in _narrower(code, leaf.about):
            one = replace(code, code=text)
            if CodeSet.of(scene.terms, (one,)).within(wanted):
                yield one


def _narrower(code: Code, about: About) -> Iterator[str]:
    for text in code.code.split(EITHER):
        first, _, last = text.partition("-")
        if text == EVERYTHING:
            yield _ANY_CODE[about]
        elif last:
            yield from (f"{first[:1]}{number:02}" for number in _categories(first, last))
        else:
            yield text
            if code.system == ATC:
                yield from islice(packaged_formulary().below(text), _MOST_CODES)
            else:
                yield from (f"{text}{'' if '.' in text else '.'}{digit}" for digit in range(10))


def _categories(first: str, last: str) -> Iterable[int]:
    """List the numbers of a block of categories, such as 8 to 13 for E08-E13."""
    if first[:1] != last[:1] or not (first[1:].isdecimal() and last[1:].isdecimal()):
        return (int(first[1:3]),) if first[1:3].isdecimal() else ()
    return range(int(first[1:]), int(last[1:]) + 1)


def _statements(leaf: Coded, code: Code, scene: Scene) -> Iterator[tuple[Statement, bool]]:
    """List statements about a code that may be what the leaf asks for, and some that are not."""
    for status in _statuses(leaf):
        plain = _detailed(leaf, Statement(code, status), scene)
        if leaf.for_at_least is None and leaf.unchanged_for is None and leaf.window is None:
            yield plain, False
        for day, is_edge in _days(leaf.window, scene) if leaf.window else ():
            yield _dated(leaf, plain, day), is_edge
        for length in (leaf.for_at_least, leaf.unchanged_for):
            if length is not None:
                yield from _lasting(leaf, plain, shift(scene.on, length, -1))
        if leaf.dose is not None:
            yield from (
                (replace(plain, dose=Quantity(DecimalRange.point(number), leaf.dose.unit)), is_edge)
                for number, is_edge in _values(leaf.dose, is_whole=False)
            )


def _statuses(leaf: Coded) -> tuple[StatementStatus, ...]:
    current, past = StatementStatus.CURRENT, StatementStatus.PAST
    if leaf.status is CodedStatus.PLANNED:
        return (StatementStatus.PLANNED,)
    if leaf.status is CodedStatus.CURRENT:
        return current, past
    return (past, current) if leaf.status is CodedStatus.PAST or leaf.window else (current, past)


def _detailed(leaf: Coded, statement: Statement, scene: Scene) -> Statement:
    """Add what else the leaf asks for, so that only the day is left to vary."""
    if leaf.routes:
        statement = replace(statement, route=leaf.routes[0])
    if leaf.dose is not None:
        number = next(iter(_values(leaf.dose, is_whole=False)))[0]
        statement = replace(statement, dose=Quantity(DecimalRange.point(number), leaf.dose.unit))
    if leaf.for_at_least is not None:
        long_ago = shift(shift(scene.on, leaf.for_at_least, -1), Duration(1, CalendarUnit.YEARS), -1)
        statement = replace(statement, onset=DateRange.day(long_ago), unbroken=True)
    if leaf.unchanged_for is not None:
        long_ago = shift(shift(scene.on, leaf.unchanged_for, -1), Duration(1, CalendarUnit.MONTHS), -1)
        statement = replace(statement, unchanged_since=DateRange.day(long_ago))
    return statement


def _dated(leaf: Coded, statement: Statement, day: date) -> Statement:
    when = DateRange.day(day)
    match leaf.dating:
        case Dating.ONSET:
            return replace(statement, onset=when)
        case Dating.ENDED:
            return replace(statement, ended=when)
        case Dating.ACTIVE:
            is_over = statement.status is StatementStatus.PAST
            return replace(statement, onset=when, ended=when if is_over else None, last=is_over)


def _lasting(leaf: Coded, statement: Statement, since: date) -> Iterator[tuple[Statement, bool]]:
    yield statement, False
    for day, is_edge in ((since, True), (since + _DAY, False)):
        when = DateRange.day(day)
        if leaf.for_at_least is not None:
            yield replace(statement, onset=when, unbroken=True), is_edge
        if leaf.unchanged_for is not None:
            yield replace(statement, unchanged_since=when), is_edge


def _distinct(leaf: Distinct, scene: Scene) -> Iterator[Candidate]:
    codes = list(islice(_apart(codes_within(leaf.of, scene), scene), leaf.count))
    if leaf.by is DistinctBy.KIND:
        told = [next(_statements(leaf.of, code, scene))[0] for code in codes]
        if len(told) == leaf.count:
            yield Candidate(tuple(told), scene.on, is_edge=True)
            yield Candidate(tuple(told), scene.on)
    elif codes:
        month = Duration(1, CalendarUnit.MONTHS)
        first = next(_days(leaf.of.window, scene))[0] if leaf.of.window else shift(scene.on, month, -1)
        days = [first - timedelta(days=7 * turn) for turn in range(leaf.count)]
        events = tuple(Statement.event(codes[0], DateRange.day(day)) for day in days)
        yield Candidate(events, scene.on)
        yield Candidate(events, scene.on, is_edge=True)
    yield from (Candidate((denial,), scene.on) for denial in _denials(leaf.of))


def _apart(codes: Iterable[Code], scene: Scene) -> Iterator[Code]:
    """Leave out codes that lie within, or around, one taken before; narrow ones are taken."""
    held: list[CodeSet] = []
    narrow_first = sorted(dict.fromkeys(codes), key=lambda code: -len(code.code))
    for code in narrow_first:
        spans = CodeSet.of(scene.terms, (code,))
        if not any(spans.overlaps(other) for other in held):
            held.append(spans)
            yield code
