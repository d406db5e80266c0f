"""Take a posted form apart: the fields that an answer may come in, cleaned of what nobody can type.

Field names, the same on every page::

    answer              the option or options chosen, or the words or number typed
    instead             "dont_know" or "declined"
    other               what is not in a list, in one's own words
    named               what was named so far, one value each: code, label and words
    meant asked typed   what was meant by the words in "answer", and the words before a suggestion was taken
    none look_up        that there is nothing to name; that the words are only to be looked up
    unit                the unit chosen
    feet inches cm      a height          stone pounds kg lb     a weight
    day month year      a date            ago ago_unit           "about N units ago"
    confirmed           the token of a soft question that was answered with yes
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final, Protocol, runtime_checkable

from screening.asking.numerals import LONGEST_NUMBER, fold
from screening.asking.responses import RESERVED
from screening.intervals import DateRange
from screening.slips import Problem, Problems, Slip

TYPED: Final = (
    "answer", "named", "other", "feet", "inches", "cm", "stone", "pounds", "kg", "lb",
    "day", "month", "year", "ago",
)  # fmt: skip
PICKED: Final = (
    "unit", "ago_unit", "instead", "confirmed", "meant", "asked", "typed", "none", "look_up",
)  # fmt: skip


@runtime_checkable
class MultiDictLike(Protocol):
    """A form as web frameworks hold it."""

    def getlist(self, key: str, /) -> Sequence[str]:
        """Give all values of a field; none when it is missing."""


Form = Mapping[str, Sequence[str]] | MultiDictLike


@dataclass(frozen=True, slots=True)
class Posted:
    """The fields of one page: every value readable, not too long and not blank."""

    values: Mapping[str, tuple[str, ...]]

    def all(self, name: str) -> tuple[str, ...]:
        """Give all values of a field."""
        return self.values.get(name, ())

    def raw(self, name: str) -> str:
        """Give the first value as it was typed, without space around it."""
        return self.values.get(name, ("",))[0]

    def folded(self, name: str) -> str:
        """Give the first value with digits, marks and spaces in their plain form."""
        return fold(self.raw(name))

    def filled(self, *names: str) -> tuple[str, ...]:
        """Name those fields, in this order, that hold something."""
        return tuple(name for name in names if name in self.values)

    def entered(self, *names: str) -> tuple[tuple[str, str], ...]:
        """Give those fields with their words, to be shown again."""
        return tuple((name, self.raw(name)) for name in self.filled(*names))


@dataclass(frozen=True, slots=True)
class Page:
    """One posted page and the circumstances in which it was posted."""

    posted: Posted
    language: str
    on: date
    born: DateRange | None


def take_apart(form: Form, *, longest: int = LONGEST_NUMBER) -> Posted | Problems:
    """Read the known fields of a form; anything else in it is left alone.

    Text with control characters or lone surrogates, and text longer than
    ``longest`` characters, is a problem at its field.
    """
    values: dict[str, tuple[str, ...]] = {}
    problems: list[Problem] = []
    read = form.getlist if isinstance(form, MultiDictLike) else partial(_values, form)
    for name in (*TYPED, *PICKED):
        given = tuple(value.replace("\r\n", "\n").strip() for value in read(name))
        slip = next((slip for value in given if (slip := _fault(value, longest))), None)
        if slip is not None:
            problems.append(Problem(slip, name, {"most": str(longest)} if slip is Slip.TOO_LONG else {}))
        elif any(given):
            values[name] = tuple(dict.fromkeys(value for value in given if value))
    return Problems(tuple(problems)) if problems else Posted(values)


def _values(form: Mapping[str, Sequence[str]], name: str) -> Sequence[str]:
    given = form.get(name, ())
    return (given,) if isinstance(given, str) else given


def _fault(value: str, longest: int) -> Slip | None:
    if len(value) > longest:
        return Slip.TOO_LONG
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\t\n\r" for c in value):
        return Slip.UNREADABLE
    return None


def instead(posted: Posted) -> tuple[tuple[str, ...], bool]:
    """Give what was said instead of an answer, and whether an answer stands beside it."""
    said = dict.fromkeys((*posted.all("instead"), *(v for v in posted.all("answer") if v in RESERVED)))
    beside = any(value not in RESERVED for name in posted.filled(*TYPED) for value in posted.all(name))
    return tuple(said), beside


def bare(text: str) -> str:
    """Cut the words and marks behind a number: "5 ft" is 5."""
    return re.sub(r"[^0-9.,]+$", "", text)
