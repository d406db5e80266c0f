"""Which values of one key some leaves leave possible, exactly: numbers, days, choices, yes and no.

Whoever has all of several things said of one key has a value that lies in all
their regions; where none is left, nobody has. What cannot be said exactly is
taken wider than it is, never narrower.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import reduce
from math import ceil, floor
from typing import Final, TypeVar

from screening.errors import InvalidUnit
from screening.intervals import CalendarUnit, DateRange, Duration, latest_start, shift
from screening.language.criteria import TODAY, Age, Attested, Is, Leaf, Limits, Number, When, Window, WindowForm
from screening.language.lines import (
    EVERY,
    FIRST,
    LAST,
    Cut,
    Line,
    before_scaling,
    both,
    stretch,
    widened,
    without,
)
from screening.language.questions import BIRTH
from screening.language.windows import Ends, edges
from screening.terms import Terms
from screening.units import UPPER_LIMIT, convert
from screening.vocabulary import Key, Vocabulary

L = TypeVar("L", bound=Leaf)

Literal = tuple[Leaf, bool]
"""A leaf, and whether it is to hold or not to."""

_LONGEST_LIFE: Final = Duration(150, CalendarUnit.YEARS)


@dataclass(frozen=True, slots=True)
class Ground:
    """What a day, its anchors, a vocabulary and a terminology say about leaves."""

    on: date
    anchors: Mapping[str, DateRange]
    vocabulary: Vocabulary
    terms: Terms


@dataclass(frozen=True, slots=True)
class Subject:
    """What a leaf reads: leaves with the same subject speak of one and the same value.

    Numbers of other days, or told by other sources, may be other numbers.
    """

    kind: str
    key: str
    apart: object = None


def subject_of(leaf: Leaf) -> Subject | None:
    """Name what a leaf reads; none for statements, of which there may be several."""
    match leaf:
        case Number():
            moment = None if leaf.window is None or _is_latest(leaf.window) else leaf.window
            return Subject("number", leaf.key, (leaf.decides_from, moment))
        case Age():
            return Subject("day", BIRTH)
        case When():
            return Subject("day", leaf.key)
        case Is():
            return Subject("choice", leaf.key)
        case Attested():
            return Subject("flag", leaf.key)
        case _:
            return None


def _is_latest(window: Window) -> bool:
    """Tell whether the newest value is meant, if it is new enough."""
    until_now = window.form in (WindowForm.WITHIN, WindowForm.LESS_THAN)
    return until_now and window.side == "before" and window.anchor == TODAY


def possible(subject: Subject, literals: Iterable[Literal], ground: Ground) -> bool:
    """Tell whether some value of a subject is all that is said of it."""
    key = ground.vocabulary.get(subject.key)
    if key is None:
        return True
    said = list(literals)
    match subject.kind:
        case "number":
            return _number_possible(key, said)
        case "day":
            return _day_possible(key, said, ground)
        case "choice":
            return any(
                all((code in leaf.codes) is wanted for leaf, wanted in _of(Is, said)) for code in key.codes
            )
        case _:
            return len({leaf.value is wanted for leaf, wanted in _of(Attested, said)}) < 2


def _of(kind: type[L], said: Sequence[Literal]) -> list[tuple[L, bool]]:
    return [(leaf, wanted) for leaf, wanted in said if isinstance(leaf, kind)]


def _number_possible(key: Key, said: Sequence[Literal]) -> bool:
    """Try every unit in which a result may come: each is held against the limits given in it."""
    leaves = _of(Number, said)
    named = {limits.unit for leaf, _ in leaves for limits in leaf.limits}
    return any(_possible_in(unit, key, leaves) for unit in {key.unit or "", *named})


def _possible_in(unit: str, key: Key, leaves: Sequence[tuple[Number, bool]]) -> bool:
    values, multiples = EVERY, EVERY
    for leaf, wanted in leaves:
        chosen = _limits_for(unit, leaf, key)
        inside = region(chosen, leaf.rounded_to)
        said = inside if wanted else without(inside)
        if chosen.unit == UPPER_LIMIT:
            multiples = both(multiples, said)
            continue
        try:
            values = both(values, _seen_in(unit, said, chosen.unit, key))
        except InvalidUnit:
            return False
    return bool(values and multiples)


def _limits_for(unit: str, leaf: Number, key: Key) -> Limits:
    """Choose the limits that a value in a unit is held against, as judging does."""
    for wanted in (unit, key.unit):
        for limits in leaf.limits:
            if limits.unit == wanted:
                return limits
    return leaf.limits[0]


def _seen_in(unit: str, line: Line, given: str, key: Key) -> Line:
    """Give the values in a unit that may come to lie in a region of another one.

    A value in another unit than the key's is rounded once when it is taken in.

    :raises InvalidUnit: when the units do not measure the same.
    """
    if unit == given:
        return line
    own = key.unit or ""
    within = before_scaling(line, *_factors(own, given, key))
    if unit == own:
        return within
    slack = Fraction(1, 2 * 10**key.digits)
    return before_scaling(widened(within, slack), *_factors(unit, own, key))


def _factors(source: str, target: str, key: Key) -> tuple[Fraction, Fraction]:
    start = convert(Fraction(0), source, target, analyte=key.analyte)
    return convert(Fraction(1), source, target, analyte=key.analyte) - start, start


def region(limits: Limits, digits: int | None = None) -> Line:
    """Give the numbers within limits, or those that lie there once they are rounded."""
    lower, upper = FIRST, LAST
    if limits.ge is not None:
        lower = _reaches(Fraction(limits.ge), digits, beyond=False)
    elif limits.gt is not None:
        lower = _reaches(Fraction(limits.gt), digits, beyond=True)
    if limits.lt is not None:
        upper = _reaches(Fraction(limits.lt), digits, beyond=False)
    elif limits.le is not None:
        upper = _reaches(Fraction(limits.le), digits, beyond=True)
    return stretch(lower, upper)


def _reaches(limit: Fraction, digits: int | None, *, beyond: bool) -> Cut:
    """Give the place from which numbers, rounded halves away from zero, are at a limit or above it."""
    if digits is None:
        return limit, beyond
    scaled = limit * 10**digits
    step = floor(scaled) + 1 if beyond else ceil(scaled)
    return (step - Fraction(1, 2)) / 10**digits, step <= 0


def _day_possible(key: Key, said: Sequence[Literal], ground: Ground) -> bool:
    ages = _of(Age, said)
    days = _of(When, said)
    if not ages and not any(wanted for _, wanted in days):
        return True  # it may never have happened
    left = [_lived(leaf, wanted, ground) for leaf, wanted in ages]
    left += [_in_window(leaf, wanted, ground) for leaf, wanted in days]
    start = _births(ground.on) if key.name == BIRTH else EVERY
    return bool(reduce(both, left, start))


def _births(on: date) -> Line:
    return _days((shift(on, _LONGEST_LIFE, -1), on))


def _lived(leaf: Age, wanted: bool, ground: Ground) -> Line:
    """Give the days of birth of those whose age lies in a range."""
    least = leaf.ge if leaf.ge is not None else None if leaf.gt is None else leaf.gt + 1
    too_many = leaf.lt if leaf.lt is not None else None if leaf.le is None else leaf.le + 1
    line = EVERY
    if least is not None:
        line = both(line, _days((None, latest_start(ground.on, Duration(least, leaf.unit)))))
    if too_many is not None:
        young = without(_days((None, latest_start(ground.on, Duration(too_many, leaf.unit)))))
        line = both(line, young)
    return line if wanted else without(line)


def _in_window(leaf: When, wanted: bool, ground: Ground) -> Line:
    """Give the days that may lie in a window, or outside; a vague anchor leaves some that may do either."""
    anchor = ground.anchors.get(leaf.window.anchor)
    if anchor is None:
        return EVERY
    days = edges(leaf.window, anchor)
    return _days(days.possibly) if wanted else without(_days(days.surely))


def _days(ends: Ends) -> Line:
    first, last = ends
    lower: Cut = FIRST if first is None else (Fraction(first.toordinal()), False)
    upper: Cut = LAST if last is None else (Fraction(last.toordinal() + 1), False)
    return stretch(lower, upper)
