"""Say an answer back in plain words, for "check your answers" and "is that right?"."""

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from screening.asking.datewords import MONTHS
from screening.asking.items import (
    ChoiceItem,
    DecimalNumber,
    Height,
    Integer,
    Item,
    NamedList,
    QuantityNumber,
    Weight,
)
from screening.asking.numerals import CM_PER_INCH, INCHES_PER_FOOT, KG_PER_POUND, POUNDS_PER_STONE
from screening.asking.responses import (
    AgeGiven,
    Answer,
    Chosen,
    Counted,
    DateGiven,
    Declined,
    DontKnow,
    Measured,
    Named,
    Told,
    Worded,
)
from screening.intervals import CalendarUnit
from screening.texts import Respondent

_UNITS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {"cm": "cm", "m": "m", "ft": "ft", "in": "in", "kg": "kg", "lb": "lb", "st": "st"},
    "es": {"cm": "cm", "m": "m", "ft": "pies", "in": "pulg", "kg": "kg", "lb": "lb", "st": "stone"},
}
_AGO: Final[Mapping[str, Mapping[CalendarUnit, tuple[str, str]]]] = {
    "en": {unit: (unit.value.removesuffix("s"), unit.value) for unit in CalendarUnit},
    "es": {
        CalendarUnit.DAYS: ("día", "días"),
        CalendarUnit.WEEKS: ("semana", "semanas"),
        CalendarUnit.MONTHS: ("mes", "meses"),
        CalendarUnit.YEARS: ("año", "años"),
    },
}
_ABOUT_AGO: Final = {"en": "about {count} {unit} ago", "es": "hace aproximadamente {count} {unit}"}


def describe(answer: Answer, item: Item, language: str, respondent: Respondent = Respondent.SELF) -> str:
    """Say an answer as a person would: "5 ft 11 in (180 cm)", "March 2019", "I don't know".

    English and Spanish have their own units and months; any other language
    gets the English ones. A page without a question gives an empty text.
    """
    match answer:
        case DontKnow():
            return item.unknown_text.say(language, respondent)
        case Declined():
            return item.declined_text.say(language, respondent)
        case Chosen():
            return _chosen(answer, item, language, respondent)
        case Named():
            return _named(answer, item, language, respondent)
        case Counted():
            return f"{answer.value} {_unit_text(item, '1', language)}".strip()
        case Measured():
            return _measured(answer, item, language)
        case DateGiven():
            return _days(answer, language)
        case AgeGiven():
            return str(answer.years)
        case Worded():
            return answer.words
        case _:
            return ""


def _chosen(answer: Chosen, item: Item, language: str, respondent: Respondent) -> str:
    if not isinstance(item, ChoiceItem):
        return ", ".join(answer.codes)
    said = [option.text.say(language, respondent) for option in item.options if option.code in answer.codes]
    return ", ".join((*said, answer.other) if answer.other else said)


def _named(answer: Named, item: Item, language: str, respondent: Respondent) -> str:
    if answer.none and isinstance(item, NamedList) and item.none is not None:
        return item.none.text.say(language, respondent)
    return "; ".join(map(say_told, answer.told))


def say_told(told: Told) -> str:
    """Say one thing that was named: its label, and the words as typed where they differ."""
    if not told.code:
        return f"“{told.words}”"
    return told.label if told.words.casefold() == told.label.casefold() else f"{told.label} (“{told.words}”)"


def _unit_text(item: Item, unit: str, language: str) -> str:
    match item:
        case QuantityNumber():
            return next((u.text.say(language) for u in item.units if u.code == unit), unit)
        case Integer() | DecimalNumber():
            return item.unit_text.say(language) if item.unit_text else item.unit.removeprefix("1")
        case _:
            return unit


def _measured(answer: Measured, item: Item, language: str) -> str:
    if not isinstance(item, Height | Weight):
        return f"{plain(answer.parts[0])} {_unit_text(item, answer.unit, language)}".strip()
    entered = " ".join(
        f"{plain(part)} {word}"
        for part, word in zip(answer.parts, _unit_words(answer.unit, language), strict=False)
    )
    if answer.unit == answer.canonical:
        return entered
    return f"{entered} ({amount(canonical(answer), answer.canonical, language=language)})"


def _unit_words(unit: str, language: str) -> list[str]:
    words = _UNITS.get(language, _UNITS["en"])
    return [words[name] for name in unit.split("_")]


def plain(number: Decimal) -> str:
    """Write a decimal without an exponent, with the digits it has."""
    return format(number, "f")


def canonical(answer: Measured) -> Decimal:
    """Give the middle of what was entered, in the canonical unit."""
    first = answer.parts[0]
    match answer.unit:
        case "m":
            return first * 100
        case "in":
            return first * CM_PER_INCH
        case "ft_in":
            return (first * INCHES_PER_FOOT + answer.parts[1]) * CM_PER_INCH
        case "lb" if answer.canonical == "kg":
            return first * KG_PER_POUND
        case "st_lb":
            return (first * POUNDS_PER_STONE + answer.parts[1]) * KG_PER_POUND
        case _:
            return first


def amount(value: Decimal, unit: str, *, language: str) -> str:
    """Write a height in cm or a weight in kg in a unit that people use, rounded as they would."""
    words = _UNITS.get(language, _UNITS["en"])
    match unit:
        case "ft_in" | "in":
            feet, inches = divmod(_rounded(value / CM_PER_INCH, "1"), INCHES_PER_FOOT)
            return f"{plain(feet)} {words['ft']} {plain(inches)} {words['in']}"
        case "lb" | "st_lb":
            return f"{plain(_rounded(value / KG_PER_POUND, '1'))} {words['lb']}"
        case "kg":
            return f"{plain(_rounded(value, '0.1')).removesuffix('.0')} {words['kg']}"
        case _:
            return f"{plain(_rounded(value, '1'))} {words['cm']}"


def _rounded(value: Decimal, step: str) -> Decimal:
    return value.quantize(Decimal(step), rounding=ROUND_HALF_UP)


def _days(answer: DateGiven, language: str) -> str:
    if answer.precision == "ago" and answer.count is not None and answer.unit is not None:
        spoken = language if language in _AGO else "en"
        unit = _AGO[spoken][answer.unit][answer.count != 1]
        return _ABOUT_AGO[spoken].format(count=plain(answer.count), unit=unit)
    if answer.precision == "year":
        return f"{answer.hi.year}"
    if answer.precision == "month":
        return month_words(answer.hi, language)
    return day_words(answer.lo, language)


def month_words(day: date, language: str) -> str:
    """Write the month of a day: "March 2019", "marzo de 2019"."""
    if language == "es":
        return f"{MONTHS['es'][day.month - 1]} de {day.year}"
    return f"{MONTHS['en'][day.month - 1]} {day.year}"


def day_words(day: date, language: str) -> str:
    """Write a day: "March 27, 2019", "27 de marzo de 2019"."""
    if language == "es":
        return f"{day.day} de {month_words(day, language)}"
    return f"{MONTHS['en'][day.month - 1]} {day.day}, {day.year}"
