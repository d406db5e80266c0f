"""One example answer for each thing that may be said to a question, named by a label that says what it is.

A label is an option's code, "none" for a list with nothing chosen, a number,
an age in years, a month count "ago", or "dont_know". The labels are those of
`statistics`; only what an answer would do to the criteria is read off them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from screening.asking.items import BIRTH_KEY as BIRTH
from screening.asking.items import (
    Age,
    CodedList,
    Day,
    DecimalNumber,
    Height,
    Integer,
    Item,
    Limits,
    Multiple,
    QuantityNumber,
    Single,
    Weight,
    YesNo,
    Zip,
    fact_keys,
)
from screening.asking.responses import (
    DECLINED,
    DONT_KNOW,
    RESERVED,
    AgeGiven,
    Answer,
    Chosen,
    Counted,
    DateGiven,
    Declined,
    DontKnow,
    Measured,
    Seen,
    Worded,
)
from screening.intervals import (
    CalendarUnit,
    DateRange,
    DecimalRange,
    add_months,
    birth_range_from_age,
    completed,
)
from screening.texts import Respondent
from screening.vocabulary import Vocabulary

NONE: Final = "none"
_MONTHS: Final = (1, 3, 6, 12, 24, 60, 120)
_POINTS: Final = 9
_ADULTS: Final = tuple(range(20, 85, 8))
_CHILDREN: Final = tuple(range(1, 18, 2))


def labels(item: Item, vocabulary: Vocabulary, respondent: Respondent) -> tuple[str, ...]:
    """Name what may be said to a question, without "I don't know": options, or points along the usual range."""
    match item:
        case YesNo() | Single():
            return tuple(option.code for option in item.options)
        case Multiple() | CodedList():
            return (NONE, *(option.code for option in item.options if not option.exclusive))
        case Age():
            return tuple(map(str, _ages(respondent)))
        case Day() if BIRTH in fact_keys(item):
            return tuple(map(str, _ages(respondent)))
        case Day():
            return tuple(map(str, _MONTHS))
        case Zip():
            return tuple(map(str, range(10)))
        case Integer() | DecimalNumber() | Height() | Weight() | QuantityNumber():
            return tuple(dict.fromkeys(_numbers(item, vocabulary)))
        case _:
            return ()


def _ages(respondent: Respondent) -> tuple[int, ...]:
    return _CHILDREN if respondent is Respondent.CHILD else _ADULTS


def _numbers(
    item: Integer | DecimalNumber | Height | Weight | QuantityNumber, vocabulary: Vocabulary
) -> Iterator[str]:
    """Lay points evenly over what is usual, and half as far again on both sides, within what is accepted."""
    limits = item.units[0].limits if isinstance(item, QuantityNumber) else item.limits
    low, high = _usual(item, vocabulary) or _accepted(limits)
    margin = (high - low) / 2
    low, high = low - margin, high + margin
    if limits.least is not None:
        low = max(low, limits.least)
    if limits.most is not None:
        high = min(high, limits.most)
    for place in range(_POINTS):
        number = low + (high - low) * place / (_POINTS - 1)
        yield format(round(number) if isinstance(item, Integer) else number.quantize(Decimal("0.1")), "f")


def _usual(
    item: Integer | DecimalNumber | Height | Weight | QuantityNumber, vocabulary: Vocabulary
) -> tuple[Decimal, Decimal] | None:
    """Give what is usual in the unit that is asked first: of the vocabulary, or of the page."""
    unit = unit_of(item)
    key = vocabulary.get(item.key) if item.key is not None else None
    if key is not None and key.usual is not None and key.unit == unit:
        return key.usual.lo, key.usual.hi
    check = item.units[0].soft_check if isinstance(item, QuantityNumber) else item.soft_check
    if check is None or check.least is None or check.most is None:
        return None
    return check.least, check.most


def _accepted(limits: Limits) -> tuple[Decimal, Decimal]:
    low = limits.least if limits.least is not None else Decimal(0)
    return low, limits.most if limits.most is not None and limits.most > low else low + 100


def unit_of(item: Integer | DecimalNumber | Height | Weight | QuantityNumber) -> str:
    """Give the unit in which an example answer is written."""
    match item:
        case Height():
            return "cm"
        case Weight():
            return "kg"
        case QuantityNumber():
            return item.units[0].code
        case _:
            return item.unit


def answer_of(item: Item, label: str, *, on: date) -> Answer:
    """Give the answer that a label stands for, as if it had been given on a day."""
    if label == DONT_KNOW:
        return DontKnow(on=on)
    if label == DECLINED:
        return Declined(on=on)
    match item:
        case YesNo() | Single():
            return Chosen(on=on, codes=(label,))
        case Multiple() | CodedList():
            return Chosen(on=on, codes=_ticked(item, label))
        case Age():
            return age_given(int(label), on=on)
        case Day():
            return _day(item, int(label), on=on)
        case Integer():
            return Counted(on=on, raw=label, entered=(("answer", label),), value=int(Decimal(label)))
        case DecimalNumber() | QuantityNumber() | Height() | Weight():
            return _measured(item, Decimal(label), on=on)
        case Zip():
            return Worded(on=on, raw=label, entered=(), words=f"{label}0000")
        case _:
            return Seen(on=on)


def _ticked(item: Multiple | CodedList, label: str) -> tuple[str, ...]:
    if label != NONE:
        return (label,)
    return tuple(option.code for option in item.options if option.exclusive)[:1]


def age_given(years: int, *, on: date) -> AgeGiven:
    """Give an age as an answer."""
    born = birth_range_from_age(years, on)
    return AgeGiven(on=on, raw=str(years), entered=(), years=years, lo=born.lo or on, hi=born.hi or on)


def _day(item: Day, label: int, *, on: date) -> DateGiven:
    """Give a month so long ago: in years for a birth, in months for anything else."""
    months = label * 12 + 5 if BIRTH in fact_keys(item) else label if item.when != "future" else -label
    day = add_months(on, -months)
    month = DateRange.month(day.year, day.month)
    return DateGiven(
        on=on, raw=f"{day:%Y-%m}", entered=(), lo=month.lo or day, hi=month.hi or day, precision="month"
    )


def _measured(item: DecimalNumber | QuantityNumber | Height | Weight, number: Decimal, *, on: date) -> Measured:
    meant, unit = DecimalRange.reported(number), unit_of(item)
    return Measured(
        on=on, raw=str(number), entered=(), unit=unit, parts=(number,), canonical=unit,
        lo=meant.lo if meant.lo is not None else number, hi=meant.hi if meant.hi is not None else number,
    )  # fmt: skip


def label_of(item: Item, answer: Answer, among: Sequence[str]) -> str:
    """Name what an answer said by one of the labels of its question, numbers by the nearest; "" for none.

    Of several options that were chosen, the first stands for all.
    """
    match answer:
        case DontKnow() | Declined():
            return answer.kind
        case Chosen():
            said = [code for code in answer.codes if code in among]
            return said[0] if said else NONE if NONE in among else ""
        case Worded() if isinstance(item, Zip):
            return answer.words[:1]
    number = _number_said(item, answer)
    points = [label for label in among if label not in RESERVED]
    if number is None or not points:
        return ""
    return min(points, key=lambda label: abs(Decimal(label) - number))


def _number_said(item: Item, answer: Answer) -> Decimal | None:
    match answer:
        case AgeGiven():
            return Decimal(answer.years)
        case DateGiven():
            unit = CalendarUnit.YEARS if BIRTH in fact_keys(item) else CalendarUnit.MONTHS
            first, last = sorted((answer.lo, answer.on))
            return Decimal(completed(first, last, unit))
        case Counted():
            return Decimal(answer.value)
        case Measured():
            return (answer.lo + answer.hi) / 2
        case _:
            return None
