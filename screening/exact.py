"""Exact field types of the documents: decimals as texts, calendar durations, names, plain texts.

JSON numbers are refused wherever a number could matter, because 7.1 is not
7.1 once it has been a float.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, StringConstraints, WithJsonSchema

from screening.intervals import CalendarUnit, Duration

_DECIMAL: Final = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
_COUNT: Final = re.compile(r"[0-9]{1,6}")
_NOT_PLAIN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff]")
_DURATION: Final = re.compile(r"([0-9]{1,6}) (day|week|month|year)s?")


def _read_decimal(value: object) -> Decimal:
    if isinstance(value, Decimal) and value.is_finite() and _DECIMAL.fullmatch(format(value, "f")):
        return value
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    raise ValueError('a number is written as text, such as "7.1"')


def _read_count(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 999_999:
        return value
    raise ValueError("a count is a whole number, not below 0")


def _read_count_text(value: object) -> object:
    if isinstance(value, str) and _COUNT.fullmatch(value):
        return int(value)
    return value


def _read_duration(value: object) -> Duration:
    if isinstance(value, Duration):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('a duration is written as "6 months"')
    return Duration(int(match[1]), CalendarUnit(match[2] + "s"))


def _check_plain(text: str) -> str:
    if _NOT_PLAIN.search(text):
        raise ValueError("a text holds no control characters and no broken ones")
    return text


ExactDecimal = Annotated[
    Decimal,
    BeforeValidator(_read_decimal),
    PlainSerializer(lambda d: format(d, "f"), return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_DECIMAL.pattern}$"}),
]
"""A finite decimal, written in JSON as text; its digits are kept as given."""

Count = Annotated[
    int,
    BeforeValidator(_read_count),
    BeforeValidator(_read_count_text),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_COUNT.pattern}$"}),
]
"""A whole number from 0 on, written in JSON as text."""

CalendarDuration = Annotated[
    Duration,
    BeforeValidator(_read_duration),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_DURATION.pattern}$"}),
]
"""A calendar duration, written as "6 months"."""

Plain = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(_check_plain)]
"""A text of at most 20,000 characters that any database and any page can hold."""

KeyName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9][a-z0-9_-]*)*$", max_length=80)]
"""The name of a key, a choice or an anchor: small letters, digits, underscores, dots between parts."""

Slug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""An identifier as it may stand in a file name."""
