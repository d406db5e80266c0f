"""Values, dates, sources and limits in English words, for reasons that staff read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from screening.assessment.evidence import Reading
from screening.facts import Choice, Code, Dated, Denial, EvidenceSource, Flag, Quantity, Statement, Value
from screening.intervals import DateRange, DecimalRange, age_range
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
    WindowForm,
)
from screening.medicines import packaged_formulary
from screening.units import UPPER_LIMIT
from screening.vocabulary import Key, Vocabulary

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SOURCES = {
    EvidenceSource.LABORATORY: "laboratory",
    EvidenceSource.RECORD: "medical record",
    EvidenceSource.CLINICIAN: "clinician",
    EvidenceSource.PARTICIPANT_PHONE: "told to staff",
    EvidenceSource.PARTICIPANT_ONLINE: "answered online",
}
_UNITS = {
    "[in_i]": "in", "[ft_i]": "ft", "[lb_av]": "lb", "[stone_av]": "st", "mm[Hg]": "mmHg", "Cel": "°C",
    "[degF]": "°F", UPPER_LIMIT: "x the upper limit of normal", "1": "", "mL/min/{1.73_m2}": "mL/min/1.73 m2",
}  # fmt: skip

_COUNTED: Final = {
    (DistinctBy.KIND, False): "kind",
    (DistinctBy.KIND, True): "kinds",
    (DistinctBy.EPISODE, False): "episode",
    (DistinctBy.EPISODE, True): "episodes",
}


def source_words(source: EvidenceSource) -> str:
    """Name a source as staff do."""
    return _SOURCES[source]


def day_words(day: date) -> str:
    """Write a day as "12 Nov 2026"."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def days_words(days: DateRange) -> str:
    """Write days as exactly as they are known: a day, a month, a year, or from and to."""
    lo, hi = days.lo, days.hi
    if lo is None or hi is None:
        if lo is None:
            return "an unknown day" if hi is None else f"{day_words(hi)} or before"
        return f"{day_words(lo)} or later"
    if lo == hi:
        return day_words(lo)
    if days == DateRange.year(lo.year):
        return str(lo.year)
    if days == DateRange.month(lo.year, lo.month):
        return f"{_MONTHS[lo.month - 1]} {lo.year}"
    return f"{day_words(lo)} to {day_words(hi)}"


def number_words(number: Decimal) -> str:
    """Write a number without idle zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def unit_words(unit: str) -> str:
    """Write a unit as people do; counts in braces lose them."""
    return _UNITS.get(unit, unit.replace("{", "").replace("}", "").replace("_", " "))


def numbers_words(numbers: DecimalRange, unit: str) -> str:
    """Write an interval with its unit: "31.2 to 31.6 kg/m2"."""
    lo, hi = numbers.lo, numbers.hi
    if lo is None or hi is None:
        ends = (
            "any value"
            if lo is hi
            else f"at most {number_words(hi)}"
            if hi
            else f"at least {number_words(lo or hi or Decimal(0))}"
        )
        return _with_unit(ends, unit)
    if number_words(lo) == number_words(hi):
        return _with_unit(number_words(lo), unit)
    return _with_unit(f"{number_words(lo)} to {number_words(hi)}", unit)


def reading_words(reading: Reading, leaf: Leaf, vocabulary: Vocabulary, *, on: date) -> str:
    """Write a reading with where it comes from: "female (self-reported online, 12 Nov 2026)".

    Of a component it tells the combination, and that this contains it.
    """
    shown = reading.value
    if isinstance(leaf, Number) and isinstance(shown, Quantity) and len(reading.facts) > 1:
        shown = Quantity(_outward(shown.range, vocabulary[leaf.key].digits), shown.unit)
    value = value_words(shown, leaf, vocabulary, on=on)
    if reading.through is not None and isinstance(shown, Statement):
        told = _statement_words(reading.through, _named(reading.through.code))
        value = f"{told}, which contains {_named(shown.code)}"
    return f"{value} ({source_words(reading.source)}, {days_words(reading.observed)})"


def _outward(numbers: DecimalRange, digits: int) -> DecimalRange:
    """Shorten a computed interval for reading, so that nothing possible falls out of it."""
    step = Decimal(1).scaleb(-digits)
    lo, hi = numbers.lo, numbers.hi
    return DecimalRange(
        None if lo is None else lo.quantize(step, ROUND_FLOOR),
        None if hi is None else hi.quantize(step, ROUND_CEILING),
    )


def value_words(value: Value, leaf: Leaf, vocabulary: Vocabulary, *, on: date) -> str:
    """Write a value as the leaf reads it."""
    match value:
        case Quantity():
            return numbers_words(value.range, value.unit)
        case Dated() if isinstance(leaf, Age):
            return _age_words(value.range, on)
        case Dated():
            return days_words(value.range)
        case Choice():
            key = vocabulary.get(leaf.key) if isinstance(leaf, Is) else None
            return _or(choice_words(key, code) for code in sorted(value.codes))
        case Flag():
            return "yes" if value.value else "no"
        case Statement():
            return _statement_words(value)
        case Denial():
            return "no" if value.since is None else f"none since {days_words(value.since)}"


def choice_words(key: Key | None, code: str) -> str:
    """Give the label of a choice, or its code where the vocabulary has none."""
    options = key.choices if key else ()
    return next(
        (option.label["en"] for option in options if option.code == code and "en" in option.label), code
    )


def subject_words(leaf: Leaf, vocabulary: Vocabulary) -> str:
    """Name what a leaf asks about."""
    match leaf:
        case Age():
            return "Age"
        case Coded():
            return f"{leaf.about.value.capitalize()} {_coded_words(leaf)}"
        case Distinct():
            kinds = f"At least {leaf.count} {_COUNTED[leaf.by, leaf.count > 1]}"
            return f"{kinds} of {leaf.of.about.value} {_coded_words(leaf.of)}"
        case Number() | When() | Is() | Attested():
            key = vocabulary.get(leaf.key)
            return key.text("label", "en") if key else leaf.key
        case _:
            return ""


def wanted_words(leaf: Leaf, vocabulary: Vocabulary) -> str:
    """Write what a leaf asks for: "above 30 kg/m2", "female", "within 8 weeks before today"."""
    match leaf:
        case Number():
            limits = _or(limits_words(given) for given in leaf.limits)
            rounded = "" if leaf.rounded_to is None else f", rounded to {leaf.rounded_to} decimals"
            window = f", measured {window_words(leaf.window)}" if leaf.window else ""
            return limits + rounded + window
        case Age():
            return _ends_words(leaf.ge, leaf.gt, leaf.le, leaf.lt, leaf.unit.value)
        case When():
            return window_words(leaf.window)
        case Is():
            return _or(choice_words(vocabulary.get(leaf.key), code) for code in leaf.codes)
        case Attested():
            return "yes" if leaf.value else "no"
        case _:
            return ""


def limits_words(limits: Limits) -> str:
    """Write a range of numbers: "above 30 kg/m2", "between 7 and 10 %"."""
    return _ends_words(limits.ge, limits.gt, limits.le, limits.lt, unit_words(limits.unit))


def window_words(window: Window) -> str:
    """Write a stretch of time."""
    anchor = window.anchor.replace("_", " ")
    form = window.form.value.replace("_", " ")
    length = f"{window.length} and {window.upto}" if window.form is WindowForm.BETWEEN else str(window.length)
    return f"{form} {length} {window.side} {anchor}"


def _ends_words(
    ge: Decimal | int | None,
    gt: Decimal | int | None,
    le: Decimal | int | None,
    lt: Decimal | int | None,
    unit: str,
) -> str:
    if ge is not None and le is not None:
        return _with_unit(f"between {number_words(Decimal(ge))} and {number_words(Decimal(le))}", unit)
    ends = (("at least", ge), ("above", gt), ("at most", le), ("below", lt))
    return _with_unit(
        " and ".join(f"{word} {number_words(Decimal(n))}" for word, n in ends if n is not None), unit
    )


def _age_words(birth: DateRange, on: date) -> str:
    youngest, oldest = age_range(birth, on)
    if youngest is None or oldest is None:
        return f"born {days_words(birth)}"
    return f"{youngest} years" if youngest == oldest else f"{youngest} to {oldest} years"


def _coded_words(leaf: Coded) -> str:
    words = ["such as" if leaf.such_as else "in", _codes_words(leaf.codes)]
    if leaf.but:
        words.append(f"but not in {_codes_words(leaf.but)}")
    details = [] if leaf.status is CodedStatus.EVER else [leaf.status.value]
    if leaf.window:
        dating = "" if leaf.dating is Dating.ACTIVE else f"{leaf.dating.value} "
        details.append(dating + window_words(leaf.window))
    if leaf.for_at_least:
        details.append(f"for at least {leaf.for_at_least} without a break")
    if leaf.unchanged_for:
        details.append(f"unchanged for at least {leaf.unchanged_for}")
    if leaf.dose:
        details.append(f"dose {limits_words(leaf.dose)}")
    if leaf.routes:
        details.append(f"route {_or(leaf.routes)}")
    return " ".join(words) + (f" ({', '.join(details)})" if details else "")


def _statement_words(statement: Statement, name: str = "") -> str:
    words = [name or code_words(statement.code), statement.status.value]
    if statement.onset is not None and statement.onset == statement.ended:
        words.append(
            f"on {days_words(statement.onset)}" if statement.onset.is_point else days_words(statement.onset)
        )
    else:
        if statement.onset is not None:
            words.append(f"since {days_words(statement.onset)}")
        if statement.ended is not None:
            words.append(f"until {days_words(statement.ended)}")
    if statement.dose is not None:
        words.append(numbers_words(statement.dose.range, statement.dose.unit))
    return " ".join(words)


def _codes_words(codes: Iterable[Code]) -> str:
    return ", ".join(map(code_words, codes))


def code_words(code: Code) -> str:
    """Write a code, or the codes of which it is one."""
    return code.code.replace("+", " or ")


def _named(code: Code) -> str:
    """Write a medicine by its name, where it has one, and its code: "metformin A10BA02"."""
    title = packaged_formulary().title(code.code)
    return code_words(code) if title == code.code else f"{title} {code_words(code)}"


def _or(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _with_unit(text: str, unit: str) -> str:
    words = unit_words(unit)
    return f"{text} {words}" if words else text
