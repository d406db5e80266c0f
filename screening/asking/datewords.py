"""Read dates and "about three years ago" as people type them in English or Spanish.

Nothing here raises on any text: what cannot be read comes back as a ``Slip``.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Literal

from screening.asking.numerals import read_number
from screening.intervals import CalendarUnit, DateRange, add_days
from screening.slips import Slip

Precision = Literal["day", "month", "year", "ago"]

MONTHS: Final[dict[str, tuple[str, ...]]] = {
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
    "es": (
        "enero", "febrero", "marzo", "abril", "mayo", "junio",
        "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
    ),
}  # fmt: skip
AGO_UNITS: Final[dict[CalendarUnit, tuple[str, ...]]] = {
    CalendarUnit.DAYS: ("d", "day", "days", "día", "días", "dia", "dias"),
    CalendarUnit.WEEKS: ("w", "wk", "wks", "week", "weeks", "semana", "semanas"),
    CalendarUnit.MONTHS: ("mo", "mos", "month", "months", "mes", "meses"),
    CalendarUnit.YEARS: ("y", "yr", "yrs", "year", "years", "año", "años", "ano", "anos"),
}
_ODD_MONTHS: Final = {"setiembre": 9, "set": 9, "sept": 9}
_MONTH_FIRST: Final = frozenset({"en"})
_ABOUT: Final = (
    r"(?:about|around|approximately|approx\.?|some|almost|nearly"
    r"|aproximadamente|alrededor de|más o menos|mas o menos|unos|unas|como|casi|~)?\s*"
)
_ONE: Final = {
    "a": "1", "an": "1", "one": "1", "un": "1", "una": "1", "uno": "1",
    "two": "2", "dos": "2", "three": "3", "tres": "3",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DateReading:
    """The days that a typed date may mean, and how exactly it was given."""

    range: DateRange
    precision: Precision
    count: Decimal | None = None
    unit: CalendarUnit | None = None


def read_date(day: str, month: str, year: str) -> DateReading | Slip:
    """Read three boxes; an empty day means the whole month, an empty month the whole year."""
    number = _year(year)
    if isinstance(number, Slip):
        return number
    if not month and not day:
        return _real("year", lambda: DateRange.year(number))
    if not month:
        return Slip.MONTH_MISSING
    which = month_number(month)
    if which is None:
        return Slip.UNREAL_DATE
    if not day:
        return _real("month", lambda: DateRange.month(number, which))
    if not re.fullmatch(r"\d{1,2}(?:st|nd|rd|th)?", day.lower()):
        return Slip.UNREAL_DATE
    return _real("day", lambda: DateRange.day(date(number, which, int(re.sub(r"\D", "", day)))))


def _year(year: str) -> int | Slip:
    if not year:
        return Slip.YEAR_MISSING
    if not re.fullmatch(r"\d{4}", year):
        return Slip.YEAR_DIGITS
    return int(year)


def _real(precision: Precision, make: Callable[[], DateRange]) -> DateReading | Slip:
    try:
        return DateReading(make(), precision)
    except ValueError:
        return Slip.UNREAL_DATE


def month_number(text: str) -> int | None:
    """Read a month given as 1 to 12, or by its English or Spanish name or the first three letters of it."""
    word = text.strip().rstrip(".").lower()
    if re.fullmatch(r"\d{1,2}", word):
        return int(word) if 1 <= int(word) <= 12 else None
    if word in _ODD_MONTHS:
        return _ODD_MONTHS[word]
    if len(word) < 3:
        return None
    hits = {
        number
        for names in MONTHS.values()
        for number, name in enumerate(names, 1)
        if name.lower().startswith(word)
    }
    return hits.pop() if len(hits) == 1 else None


def read_date_words(text: str, *, language: str, on: date, born: DateRange | None = None) -> DateReading | Slip:
    """Read one box: "27 March 2019", "3/27/2019", "marzo de 2019", "2019", "about 3 years ago".

    Figures that can be read both ways follow the language: month first in
    English, day first elsewhere. A year has four digits, always.
    """
    words = text.strip().lower()
    if words in ("today", "hoy"):
        return DateReading(DateRange.day(on), "day")
    if words in ("yesterday", "ayer"):
        return DateReading(DateRange.day(add_days(on, -1)), "day")
    if (ago := _ago_words(words, on=on, born=born)) is not None:
        return ago
    if found := re.fullmatch(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?", words):
        return read_date(found[3] or "", found[2], found[1])
    if found := re.fullmatch(r"(\d{1,2})([/.\- ])(\d{1,2})\2(\d+)", words):
        return _figures(found[1], found[3], found[4], language=language)
    return _named(words)


def _figures(first: str, second: str, year: str, *, language: str) -> DateReading | Slip:
    month_first = language in _MONTH_FIRST
    if int(first) > 12:
        month_first = False
    elif int(second) > 12:
        month_first = True
    month, day = (first, second) if month_first else (second, first)
    return read_date(day, month, year)


def _named(words: str) -> DateReading | Slip:
    plain = re.sub(r"\b(?:de|del|of|the|el)\b|[,']", " ", words)
    parts = re.split(r"[\s/\-]+", plain.strip())
    named = [part for part in parts if month_number(part) is not None and not part.isdigit()]
    match parts, named:
        case [[year], _] if year.isdigit():
            return read_date("", "", year)
        case [[month, year], _] if year.isdigit() and (named or month.isdigit()):
            return read_date("", month, year)
        case [[day, month, year], [name]] if name == month:
            return read_date(day, month, year)
        case [[month, day, year], [name]] if name == month:
            return read_date(day, month, year)
        case [[first, second], [_]] if month_number(second) is None or first[0].isdigit():
            return Slip.YEAR_MISSING
    return Slip.NOT_A_DATE


def _ago_words(words: str, *, on: date, born: DateRange | None) -> DateReading | Slip | None:
    found = re.fullmatch(rf"{_ABOUT}(\w[\w.,]*)\s*([a-zñí]+)\s+ago", words) or re.fullmatch(
        rf"hace\s+{_ABOUT}(\w[\w.,]*)\s*([a-zñí]+)", words
    )
    if found is None:
        return None
    unit = next((unit for unit, names in AGO_UNITS.items() if found[2] in names), None)
    if unit is None:
        return Slip.AGO_UNIT_MISSING
    return read_ago(found[1], unit, language="en", on=on, born=born)


def read_ago(
    count: str, unit: CalendarUnit | None, *, language: str, on: date, born: DateRange | None = None
) -> DateReading | Slip:
    """Read "about N units ago" as said on a day, cut at birth and at that day."""
    number = read_number(_ONE.get(count.lower(), count), language=language)
    if isinstance(number, Slip) or number.value < 0 or number.value > 50_000:
        return Slip.NOT_AN_AGO
    if unit is None:
        return Slip.AGO_UNIT_MISSING
    try:
        return DateReading(DateRange.ago(number.value, unit, on=on, birth=born), "ago", number.value, unit)
    except ValueError:
        return Slip.BEFORE_BIRTH
