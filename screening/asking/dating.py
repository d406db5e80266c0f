"""Read the page of a date or an age into an answer."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Final

from screening.asking.datewords import DateReading, Precision, read_ago, read_date, read_date_words
from screening.asking.forms import Page
from screening.asking.items import BIRTH_KEY, Age, Day
from screening.asking.responses import AgeGiven, DateGiven
from screening.intervals import CalendarUnit, DateRange, birth_range_from_age
from screening.slips import Problem, Problems, Slip

_EARLIEST_YEAR: Final = 1900
_YEARS_AHEAD: Final = 20
_FINEST_FIRST: Final[tuple[Precision, ...]] = ("day", "month", "year")
_FIELDS: Final[Mapping[Slip, str]] = MappingProxyType(
    {
        Slip.MONTH_MISSING: "month",
        Slip.YEAR_MISSING: "year",
        Slip.YEAR_DIGITS: "year",
        Slip.TOO_LONG_AGO: "year",
        Slip.TOO_FAR_AHEAD: "year",
        Slip.AGO_UNIT_MISSING: "ago_unit",
    }
)


def day(item: Day, page: Page) -> DateGiven | Problems:
    """Read a date from three boxes, from "about N units ago", or from one box."""
    posted = page.posted
    dated, ago = posted.filled("day", "month", "year"), posted.filled("ago")
    if posted.filled("answer"):
        words = posted.folded("answer")
        reading = read_date_words(words, language=page.language, on=page.on, born=page.born)
        return _answer(item, reading, ("answer",), page)
    if dated and ago:
        return Problems.one(Slip.DATE_OR_AGO, "ago")
    if ago:
        unit = next((unit for unit in CalendarUnit if unit.value == posted.raw("ago_unit")), None)
        reading = read_ago(posted.folded("ago"), unit, language=page.language, on=page.on, born=page.born)
        return _answer(item, reading, ("ago", "ago_unit"), page)
    if dated:
        reading = read_date(posted.folded("day"), posted.folded("month"), posted.folded("year"))
        return _answer(item, reading, ("day", "month", "year"), page)
    return Problems.one(Slip.REQUIRED, next((p for p in _FINEST_FIRST if p in item.accepts), "ago"))


def _answer(
    item: Day, reading: DateReading | Slip, fields: tuple[str, ...], page: Page
) -> DateGiven | Problems:
    accepted = reading if isinstance(reading, Slip) else _accepted(reading, item.accepts)
    if not isinstance(accepted, Slip):
        accepted = _bounded(accepted, item, page)
    if isinstance(accepted, Slip):
        return _problem(accepted, fields, page)
    days = accepted.range
    if days.lo is None or days.hi is None:
        return _problem(Slip.NOT_A_DATE, fields, page)
    return DateGiven(
        on=page.on,
        raw=" ".join(page.posted.raw(name) for name in page.posted.filled(*fields)),
        entered=page.posted.entered(*fields),
        precision=accepted.precision,
        count=accepted.count,
        unit=accepted.unit,
        lo=days.lo,
        hi=days.hi,
    )


def _accepted(reading: DateReading, accepts: tuple[Precision, ...]) -> DateReading | Slip:
    """Widen a date that says more than the question wants; refuse one that says less."""
    if reading.precision in accepts:
        return reading
    if reading.precision == "ago":
        return Slip.NOT_A_DATE
    given = _FINEST_FIRST.index(reading.precision)
    coarser = next((wider for wider in _FINEST_FIRST[given:] if wider in accepts), None)
    first = reading.range.lo
    if first is None or coarser is None:
        return Slip.DAY_MISSING if reading.precision == "month" else Slip.MONTH_MISSING
    wide = DateRange.month(first.year, first.month) if coarser == "month" else DateRange.year(first.year)
    return replace(reading, range=wide, precision=coarser)


def _bounded(reading: DateReading, item: Day, page: Page) -> DateReading | Slip:
    """Cut a date at birth, at 1900 and at the day of the answer, as far as the question says."""
    lo, hi = reading.range.lo or date.min, reading.range.hi or date.max
    born = page.born.lo if page.born is not None and item.key != BIRTH_KEY else None
    if hi.year < _EARLIEST_YEAR:
        return Slip.TOO_LONG_AGO
    if born is not None and hi < born:
        return Slip.BEFORE_BIRTH
    if item.when == "past" and lo > page.on:
        return Slip.IN_THE_FUTURE
    if item.when == "future" and hi < page.on:
        return Slip.IN_THE_PAST
    if lo.year > page.on.year + _YEARS_AHEAD:
        return Slip.TOO_FAR_AHEAD
    lo = max(lo, date(_EARLIEST_YEAR, 1, 1), born or date.min, page.on if item.when == "future" else date.min)
    hi = min(hi, page.on if item.when == "past" else date.max)
    return replace(reading, range=DateRange(lo, hi))


def _problem(slip: Slip, fields: tuple[str, ...], page: Page) -> Problems:
    at = fields[0] if fields == ("answer",) else _FIELDS.get(slip, fields[0])
    params = {
        Slip.TOO_LONG_AGO: {"least": str(_EARLIEST_YEAR)},
        Slip.TOO_FAR_AHEAD: {"most": str(page.on.year + _YEARS_AHEAD)},
    }
    return Problems((Problem(slip, at if at in fields else fields[0], params.get(slip, {})),))


def age(item: Age, page: Page) -> AgeGiven | Problems:
    """Read an age in whole years as the days of birth that make it true on the day of the answer."""
    posted = page.posted
    if not posted.filled("answer"):
        return Problems.one(Slip.REQUIRED, "answer")
    found = re.fullmatch(
        r"(\d{1,6})\s*(?:y|yo|y/?o|yrs?|years?|years? old|años?|anos?|años? de edad)?\.?",
        posted.folded("answer").lower(),
    )
    if found is None:
        return Problems.one(Slip.NOT_AN_AGE, "answer")
    years = int(found[1])
    if years > item.most:
        return Problems.one(Slip.AGE_RANGE, "answer", most=str(item.most))
    births = birth_range_from_age(years, page.on)
    return AgeGiven(
        on=page.on,
        raw=posted.raw("answer"),
        entered=posted.entered("answer"),
        years=years,
        lo=births.lo or date.min,
        hi=births.hi or page.on,
    )
