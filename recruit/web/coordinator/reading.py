"""Reading a posted form field by field: every problem is collected, and the words go back as typed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import request
from flask_babel import gettext as _

from recruit.web.fields import Problem
from recruit.web.moments import parse_day

E = TypeVar("E", bound=StrEnum)
_DIGITS = 12
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")


class Posted:
    """The form of this request."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._form = request.form

    def fail(self, name: str, message: str) -> None:
        """Note that a field is wrong."""
        self.problems.append(Problem(name, message))

    def raw(self, name: str) -> str:
        """Give a field as it was sent; nothing sent is an empty text."""
        return self._form.get(name, "")

    def many(self, name: str) -> list[str]:
        """Give all values of a field, each once."""
        return list(dict.fromkeys(self._form.getlist(name)))

    def text(self, name: str, *, longest: int = 254, lines: bool = False) -> str:
        """Read words; with ``lines`` several lines of them."""
        words = self.raw(name).replace("\r\n", "\n").strip()
        if len(words) > longest:
            self.fail(name, _("Use at most %(most)s characters.", most=longest))
            return ""
        allowed = "\n\t" if lines else ""
        if any(unicodedata.category(sign) in ("Cc", "Cs") and sign not in allowed for sign in words):
            self.fail(name, _("Use only letters, digits and signs."))
            return ""
        return words

    def flag(self, name: str) -> bool:
        """Read a tick."""
        return self.raw(name) == "yes"

    def number(self, name: str) -> int | None:
        """Read a whole number; nothing sent is none."""
        words = self.raw(name).strip().replace(",", "")
        if not words:
            return None
        if not (words.isascii() and words.isdecimal() and len(words) <= _DIGITS):
            self.fail(name, _("Enter a whole number, such as 12."))
            return None
        return int(words)

    def decimal(self, name: str) -> Decimal | None:
        """Read a number with a decimal point; nothing sent is none."""
        words = self.raw(name).strip()
        if not words:
            return None
        if _THOUSANDS.fullmatch(words):
            words = words.replace(",", "")
        try:
            value = Decimal(words) if len(words) <= _DIGITS else Decimal("NaN")
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite():
            self.fail(name, _("Enter a number, such as 2.5."))
            return None
        return value

    def minor(self, name: str) -> int | None:
        """Read an amount of money and give it in the smallest unit (cents)."""
        value = self.decimal(name)
        if value is None:
            return None
        minor = value * 100
        if minor != minor.to_integral_value() or value < 0:
            self.fail(name, _("Enter an amount such as 1250.50."))
            return None
        return int(minor)

    def coordinate(self, name: str) -> float | None:
        """Read a degree of latitude or longitude."""
        value = self.decimal(name)
        return None if value is None else float(value)

    def day(self, name: str, *, required: bool = False) -> date | None:
        """Read a day as a date field sends it."""
        words = self.raw(name).strip()
        if not words:
            if required:
                self.fail(name, _("Enter a day."))
            return None
        day = parse_day(words)
        if day is None:
            self.fail(name, _("Enter a day such as 2026-03-27, between 2000 and 2100."))
        return day

    def clock_time(self, name: str) -> time | None:
        """Read a time of day as a time field sends it."""
        words = self.raw(name).strip()
        if not words:
            return None
        try:
            return time.fromisoformat(words[:8]).replace(tzinfo=None)
        except ValueError:
            self.fail(name, _("Enter a time such as 9:00."))
            return None

    def moment(self, name: str, *, zone: str) -> datetime | None:
        """Read a day and a time, NAME and NAME_time, in a zone; a day alone begins at midnight."""
        day, at = self.day(name), self.clock_time(f"{name}_time")
        return None if day is None else datetime.combine(day, at or time(0), ZoneInfo(zone))

    def choice(self, name: str, kind: type[E]) -> E | None:
        """Read one of a fixed list."""
        words = self.raw(name)
        try:
            return kind(words)
        except ValueError:
            self.fail(name, _("Select one from the list."))
            return None

    def key(self, name: str, *, required: bool = False) -> UUID | None:
        """Read the key of something chosen from a list."""
        words = self.raw(name).strip()
        if not words:
            if required:
                self.fail(name, _("Select one from the list."))
            return None
        return self._uuid(name, words)

    def keys(self, name: str) -> list[UUID]:
        """Read the keys of several things ticked."""
        return [key for key in (self._uuid(name, words) for words in self.many(name)) if key is not None]

    def codes(self, name: str) -> tuple[str, ...]:
        """Read a list of short codes, separated by commas or spaces."""
        return tuple(dict.fromkeys(self.text(name, longest=400).replace(",", " ").split()))

    def seen(self) -> int | None:
        """Read which version of the row the page was made from."""
        words = self.raw("seen")
        return int(words) if words.isascii() and words.isdecimal() and len(words) < _DIGITS else None

    def words_at(
        self, place: str, languages: Sequence[str], respondents: Sequence[E]
    ) -> dict[str, dict[E, str]]:
        """Read the words of one place of a questionnaire, by language and by whom the questions are about."""
        return {
            language: {
                who: self.text(f"t.{place}.{language}.{who.value}", longest=20_000, lines=True)
                for who in respondents
            }
            for language in languages
        }

    def _uuid(self, name: str, words: str) -> UUID | None:
        try:
            return UUID(words)
        except ValueError:
            self.fail(name, _("Select one from the list."))
            return None
