"""Reading what the desk's forms post: every problem at its field, and the values to show again."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from uuid import UUID

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from recruit.addresses import clean_line, clean_text
from recruit.errors import Invalid, RecruitError
from recruit.web import fields
from recruit.web.fields import Problem
from recruit.web.moments import parse_day
from recruit.web.recruiting import clocks

LONGEST_LINE, LONGEST_TEXT = 120, 5_000


class Form:
    """One posted form; problems are collected, so that all of them are shown at once."""

    def __init__(self, posted: MultiDict[str, str]) -> None:
        self._posted = posted
        self.problems: list[Problem] = []
        self.values: dict[str, str] = {}

    @property
    def wrong(self) -> dict[str, str]:
        """Give the first problem of each field."""
        return fields.wrong(self.problems)

    def problem(self, name: str, text: str) -> None:
        """Note what is wrong with a field."""
        self.problems.append(Problem(name, text))

    def refuse(self, error: RecruitError) -> None:
        """Note what a service refused, at its field where it names one."""
        self.problem(error.field or "", fields.said(error))

    def line(self, name: str, *, longest: int = LONGEST_LINE, missing: str = "") -> str:
        """Read one line; ``missing`` is what to say where nothing is there."""
        with self._reading(name):
            self.values[name] = clean_line(self._posted.get(name, ""), limit=longest)
        return self._needed(name, missing)

    def text(self, name: str, *, missing: str = "") -> str:
        """Read several lines."""
        with self._reading(name):
            self.values[name] = clean_text(self._posted.get(name, ""), limit=LONGEST_TEXT)
        return self._needed(name, missing)

    def choice(self, name: str, offered: Collection[str], *, missing: str = "") -> str:
        """Read one of several; anything else counts as nothing chosen."""
        given = self._posted.get(name, "")
        self.values[name] = given if given in offered else ""
        return self._needed(name, missing)

    def ticked(self, name: str) -> bool:
        """Say whether a box is ticked."""
        self.values[name] = "yes" if self._posted.get(name) == "yes" else ""
        return bool(self.values[name])

    def key(self, name: str, offered: Collection[UUID], *, missing: str = "") -> UUID | None:
        """Read the key of something chosen from a list."""
        keys = {str(one): one for one in offered}
        return keys.get(self.choice(name, keys, missing=missing))

    def number(self, name: str, *, least: int, most: int, missing: str = "") -> int | None:
        """Read a whole number within limits."""
        text = self.line(name, longest=12, missing=missing)
        if not text:
            return None
        if text.isascii() and text.isdigit() and least <= int(text) <= most:
            return int(text)
        self.problem(name, _("Enter a number from %(least)s to %(most)s", least=least, most=most))
        return None

    def day(self, name: str, *, missing: str = "") -> date | None:
        """Read a civil day as a date field sends it."""
        text = self.line(name, longest=20, missing=missing)
        found = parse_day(text) if text else None
        if text and found is None:
            self.problem(name, _("Enter a day, such as 2026-11-18"))
        return found

    def moment(self, day_name: str, time_name: str, *, zone: str) -> datetime | None:
        """Read a day and a time in a zone; both are needed, and the hour that clocks skip is none."""
        on = self.day(day_name, missing=_("Enter the day"))
        text = self.line(time_name, longest=20, missing=_("Enter the time"))
        at = parse_time(text)
        if text and at is None:
            self.problem(time_name, _("Enter a time, such as 14:30"))
        if on is None or at is None:
            return None
        found = clocks.instant(on, at, zone)
        if found is None:
            self.problem(time_name, _("This time does not exist on that day: the clocks are changed"))
        return found

    def version(self) -> int | None:
        """Read which version of a row the page showed; nothing where the page does not say."""
        text = self._posted.get("version", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        self.values[name] = ""
        try:
            yield
        except Invalid as error:
            self.problem(name, fields.said(error))

    def _needed(self, name: str, missing: str) -> str:
        if missing and not self.values[name] and name not in self.wrong:
            self.problem(name, missing)
        return self.values[name]


def parse_time(text: str) -> time | None:
    """Read a time of day: "14:30", "9:05" or "2:30 pm"."""
    words = text.casefold().replace(".", "").split()
    digits, half = [*words, "", ""][:2]
    if digits.endswith(("am", "pm")) and not half:
        digits, half = digits[:-2], digits[-2:]
    hour, _colon, minute = digits.partition(":")
    minute = minute or ("00" if half else "")
    if not (_is_number(hour) and _is_number(minute) and len(words) <= 2 and half in ("", "am", "pm")):
        return None
    hours, minutes = int(hour), int(minute)
    if half:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if half == "pm" else 0)
    return time(hours, minutes) if hours < 24 and minutes < 60 else None


def uuid_of(text: str | None) -> UUID | None:
    """Read a key from an address; nothing where it is none."""
    try:
        return UUID(text) if text and len(text) <= 36 else None
    except ValueError:
        return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 2
