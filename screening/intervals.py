"""Closed intervals of civil days and of decimals, and the calendar they need.

Whatever a person tells us is a set of possibilities. "March 2019" is that
month; "about two years ago" is a year wide. Nothing here rounds a date to the
first of a month to make it look exact.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor


class CalendarUnit(StrEnum):
    """The units in which people and protocols count time."""

    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"


@dataclass(frozen=True, slots=True)
class Duration:
    """A whole number of calendar units, such as 6 months; never a number of seconds."""

    count: int
    unit: CalendarUnit

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError("a duration cannot be negative")

    def __str__(self) -> str:
        return f"{self.count} {self.unit.value.removesuffix('s') if self.count == 1 else self.unit.value}"


def add_months(day: date, months: int) -> date:
    """Move a day by calendar months, clamped to the month's end (31 August + 6 months = 28 February).

    Stops at the first and the last day that the calendar knows.
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    if year < date.min.year:
        return date.min
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def add_days(day: date, days: int) -> date:
    """Move a day by days, stopping at the first and the last day that the calendar knows."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.min if days < 0 else date.max


def shift(day: date, duration: Duration, sign: int = 1) -> date:
    """Move a day forwards (`sign=1`) or backwards (`sign=-1`) by a duration."""
    count = duration.count * sign
    match duration.unit:
        case CalendarUnit.DAYS:
            return add_days(day, count)
        case CalendarUnit.WEEKS:
            return add_days(day, count * 7)
        case CalendarUnit.MONTHS:
            return add_months(day, count)
        case CalendarUnit.YEARS:
            return add_months(day, count * 12)


def latest_start(anchor: date, duration: Duration) -> date:
    """Find the last day d with d + duration <= anchor.

    This is the cut-off day of "at least six months ago". It is not always
    anchor minus duration: with 28 February 2027 and six months it is
    31 August 2026, since that day plus six months is clamped to 28 February.
    """
    day = shift(anchor, duration, -1)
    while day < date.max and shift(add_days(day, 1), duration) <= anchor:
        day = add_days(day, 1)
    return day


@lru_cache(maxsize=4096)
def earliest_start(anchor: date, duration: Duration) -> date:
    """Find the first day d with d + duration >= anchor: the cut-off day of "within six months"."""
    day = shift(anchor, duration, -1)
    while day < date.max and shift(day, duration) < anchor:
        day = add_days(day, 1)
    return day


def completed(since: date, on: date, unit: CalendarUnit) -> int:
    """Count the units completed between two days; somebody born on 29 February turns on 28 February."""
    days = (on - since).days
    if unit is CalendarUnit.DAYS:
        return days
    if unit is CalendarUnit.WEEKS:
        return days // 7
    months = (on.year - since.year) * 12 + on.month - since.month
    if unit is CalendarUnit.YEARS:
        years = on.year - since.year
        return years if add_months(since, years * 12) <= on else years - 1
    return months if add_months(since, months) <= on else months - 1


@dataclass(frozen=True, slots=True)
class DateRange:
    """A closed interval of civil days; an end of None is unbounded.

    :raises ValueError: when `lo` lies after `hi`.
    """

    lo: date | None
    hi: date | None

    def __post_init__(self) -> None:
        if self.lo is not None and self.hi is not None and self.lo > self.hi:
            raise ValueError(f"an interval cannot end ({self.hi}) before it begins ({self.lo})")

    @classmethod
    def day(cls, day: date) -> DateRange:
        """Make the interval of one known day."""
        return cls(day, day)

    @classmethod
    def month(cls, year: int, month: int) -> DateRange:
        """Make the interval of one calendar month.

        :raises ValueError: when there is no such month.
        """
        first = date(year, month, 1)
        return cls(first, first.replace(day=monthrange(year, month)[1]))

    @classmethod
    def year(cls, year: int) -> DateRange:
        """Make the interval of one calendar year.

        :raises ValueError: when there is no such year.
        """
        return cls(date(year, 1, 1), date(year, 12, 31))

    @classmethod
    def ago(
        cls, count: Decimal, unit: CalendarUnit | str, *, on: date, birth: DateRange | None = None
    ) -> DateRange:
        """Read "about N units ago", said on a day.

        Plus or minus the larger of half a unit and a quarter of N, cut at
        birth and at the day of the answer (SEMANTICS 1.2). Parts of a month
        are taken at their longest, so that the true day stays inside.

        :raises ValueError: when the count is out of bounds, or the time lies before birth.
        """
        if not count.is_finite() or not 0 <= count <= 100_000:
            raise ValueError("a time ago is a number between 0 and 100,000")
        exact = Fraction(round(count, 6))
        slack = max(Fraction(1, 2), exact / 4)
        lo = _days_before(on, exact + slack, CalendarUnit(unit), early=True)
        hi = _days_before(on, max(exact - slack, Fraction(0)), CalendarUnit(unit), early=False)
        if birth is not None and birth.lo is not None:
            lo = max(lo, birth.lo)
        return cls(lo, min(hi, on))

    @property
    def is_point(self) -> bool:
        """Whether exactly one day is possible."""
        return self.lo is not None and self.lo == self.hi

    def within(self, other: DateRange) -> bool:
        """Tell whether every day of this interval lies in the other."""
        starts = other.lo is None or (self.lo is not None and self.lo >= other.lo)
        ends = other.hi is None or (self.hi is not None and self.hi <= other.hi)
        return starts and ends

    def overlaps(self, other: DateRange) -> bool:
        """Tell whether the two intervals share a day."""
        return not (self.before(other) or other.before(self))

    def before(self, other: DateRange) -> bool:
        """Tell whether every day of this interval lies before every day of the other."""
        return self.hi is not None and other.lo is not None and self.hi < other.lo


def _days_before(on: date, amount: Fraction, unit: CalendarUnit, *, early: bool) -> date:
    """Go back by a broken number of units; days and weeks are exact, parts of months outward."""
    if unit in (CalendarUnit.DAYS, CalendarUnit.WEEKS):
        days = amount * (7 if unit is CalendarUnit.WEEKS else 1)
        return add_days(on, -(floor(days) if early else ceil(days)))
    months = amount * (12 if unit is CalendarUnit.YEARS else 1)
    whole = floor(months)
    part = months - whole
    return add_days(add_months(on, -whole), -(ceil(part * 31) if early else floor(part * 28)))


@dataclass(frozen=True, slots=True)
class DecimalRange:
    """A closed interval of finite decimals; an end of None is unbounded.

    :raises ValueError: when `lo` lies above `hi` or an end is not finite.
    """

    lo: Decimal | None
    hi: Decimal | None

    def __post_init__(self) -> None:
        for end in (self.lo, self.hi):
            if end is not None and not end.is_finite():
                raise ValueError("an end of an interval must be a finite number")
        if self.lo is not None and self.hi is not None and self.lo > self.hi:
            raise ValueError(f"an interval cannot end ({self.hi}) before it begins ({self.lo})")

    @classmethod
    def point(cls, value: Decimal) -> DecimalRange:
        """Make the interval of one known number, as a laboratory reports it."""
        return cls(value, value)

    @classmethod
    def reported(cls, value: Decimal) -> DecimalRange:
        """Make the interval that a person means: plus or minus half the last digit that they gave.

        "27" is 26.5 to 27.5, "27.0" is 26.95 to 27.05 (SEMANTICS 1.2).

        :raises ValueError: when the number is not finite.
        """
        if not value.is_finite():
            raise ValueError("a reported number must be finite")
        exponent = value.as_tuple().exponent
        half = Decimal(5).scaleb(min(int(exponent), 0) - 1)
        return cls(value - half, value + half)

    @property
    def is_point(self) -> bool:
        """Whether exactly one number is possible."""
        return self.lo is not None and self.lo == self.hi

    def within(self, other: DecimalRange) -> bool:
        """Tell whether every number of this interval lies in the other."""
        starts = other.lo is None or (self.lo is not None and self.lo >= other.lo)
        ends = other.hi is None or (self.hi is not None and self.hi <= other.hi)
        return starts and ends


def age_range(birth: DateRange, on: date) -> tuple[int | None, int | None]:
    """Give the least and the greatest age in completed years; None where birth is unbounded."""
    youngest = None if birth.hi is None else completed(birth.hi, on, CalendarUnit.YEARS)
    oldest = None if birth.lo is None else completed(birth.lo, on, CalendarUnit.YEARS)
    return youngest, oldest


def birth_range_from_age(age: int, on: date) -> DateRange:
    """Read "I am 52", said on a day, as the days of birth that make it true (SEMANTICS 1.3).

    On 28 February of a common year somebody born on 29 February has already
    had the birthday, so the ends are cut-off days rather than plain subtraction.

    :raises ValueError: when the age is negative or over 150 years.
    """
    if not 0 <= age <= 150:
        raise ValueError("an age is between 0 and 150 years")
    newest = latest_start(on, Duration(age, CalendarUnit.YEARS))
    oldest = add_days(latest_start(on, Duration(age + 1, CalendarUnit.YEARS)), 1)
    return DateRange(oldest, newest)
