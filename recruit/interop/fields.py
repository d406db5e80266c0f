"""Parts of somebody else's document, each with its path, so that every refusal names its field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import TypeVar

from recruit.interop.registry import Certainty, InvalidRecord, PartialDate, RegistryDate

Choice = TypeVar("Choice", bound=StrEnum)

SHORT = 2_000
LONG = 300_000
MANY = 20_000

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)


class Part:
    """One object of the document with its path; absent and null are an object without fields."""

    __slots__ = ("_value", "path")

    def __init__(self, value: object, path: str) -> None:
        if value is not None and not isinstance(value, dict):
            raise InvalidRecord(path, f"An object was expected here, not {kind(value)}.")
        self._value: dict[object, object] = value or {}
        self.path = path

    @property
    def holds_something(self) -> bool:
        """Whether it has any field."""
        return bool(self._value)

    def get(self, name: str) -> object:
        """Give a field as it stands there."""
        return self._value.get(name)

    def at(self, name: str) -> str:
        """Give the path of a field."""
        return f"{self.path}.{name}" if self.path else name

    def fail(self, name: str, message: str) -> InvalidRecord:
        """Make the refusal of a field."""
        return InvalidRecord(self.at(name), message)

    def part(self, name: str) -> Part:
        """Give the object in a field."""
        return Part(self.get(name), self.at(name))

    def items(self, name: str) -> list[object]:
        """Give the list in a field; absent and null are an empty one."""
        value = self.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.fail(name, f"A list was expected here, not {kind(value)}.")
        if len(value) > MANY:
            raise self.fail(name, f"The list is longer than {MANY} entries.")
        return value

    def parts(self, name: str) -> Iterator[Part]:
        """Give the objects of the list in a field."""
        for position, value in enumerate(self.items(name)):
            if value is None:
                raise self.fail(f"{name}[{position}]", "An object was expected here, not nothing.")
            yield Part(value, f"{self.at(name)}[{position}]")

    def text(self, name: str, *, longest: int = SHORT) -> str | None:
        """Give the text in a field; an empty one is none."""
        value = self.get(name)
        return None if value is None or value == "" else read_text(value, self.at(name), longest)

    def required_text(self, name: str) -> str:
        """Give the text that a field must hold."""
        value = self.text(name)
        if value is None or not value.strip():
            raise self.fail(name, "This field is missing or empty.")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Give the texts of the list in a field."""
        return tuple(
            read_text(value, f"{self.at(name)}[{at}]", SHORT) for at, value in enumerate(self.items(name))
        )

    def choice(self, name: str, known: type[Choice]) -> Choice | None:
        """Give one of a fixed list of words."""
        value = self.get(name)
        return None if value is None else chosen(value, self.at(name), known)

    def required_choice(self, name: str, known: type[Choice]) -> Choice:
        """Give the one of a fixed list of words that a field must hold."""
        value = self.choice(name, known)
        if value is None:
            raise self.fail(name, "This field is missing.")
        return value

    def choices(self, name: str, known: type[Choice]) -> tuple[Choice, ...]:
        """Give the words of a fixed list that a field holds."""
        return tuple(
            chosen(value, f"{self.at(name)}[{at}]", known) for at, value in enumerate(self.items(name))
        )

    def flag(self, name: str) -> bool | None:
        """Give a yes or a no."""
        value = self.get(name)
        if value is None or isinstance(value, bool):
            return value
        raise self.fail(name, f"True or false was expected here, not {kind(value)}.")

    def number(self, name: str, *, largest: float) -> float | None:
        """Give a finite number, at most so large in either direction."""
        value = self.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fail(name, f"A number was expected here, not {kind(value)}.")
        if not -largest <= value <= largest:  # also refuses NaN
            raise self.fail(name, f"The number is not between {-largest:g} and {largest:g}.")
        return float(value)

    def date(self, name: str) -> PartialDate | None:
        """Give a date as exactly as it is written."""
        value = self.text(name)
        return None if value is None else read_date(value, self.at(name))

    def dated(self, name: str) -> RegistryDate | None:
        """Give a date and whether it has come to pass."""
        part = self.part(name)
        when = part.date("date")
        return None if when is None else RegistryDate(when, part.choice("type", Certainty))


def kind(value: object) -> str:
    """Say what a JSON value is."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else "something else")


def quoted(value: str) -> str:
    """Quote a text in a message, shortened and without anything that could not be printed."""
    return ascii(value if len(value) <= 40 else value[:40] + "...")


def read_text(value: object, path: str, longest: int) -> str:
    """Give a text that any database can hold.

    :raises InvalidRecord: with the path.
    """
    if not isinstance(value, str):
        raise InvalidRecord(path, f"Text was expected here, not {kind(value)}.")
    if len(value) > longest:
        raise InvalidRecord(path, f"The text is longer than {longest} characters.")
    if "\x00" in value:
        raise InvalidRecord(path, "The text holds a NUL character.")
    if any("\ud800" <= sign <= "\udfff" for sign in value):
        raise InvalidRecord(path, "The text holds half of a character (a lone surrogate).")
    return value


def chosen(value: object, path: str, known: type[Choice]) -> Choice:
    """Give one of a fixed list of words.

    :raises InvalidRecord: with the path.
    """
    text = read_text(value, path, SHORT)
    try:
        return known(text)
    except ValueError:
        raise InvalidRecord(path, f"{quoted(text)} is not one of: {', '.join(known)}.") from None


def read_date(value: str, path: str) -> PartialDate:
    """Read YYYY, YYYY-MM or YYYY-MM-DD.

    :raises InvalidRecord: with the path.
    """
    found = _DATE.fullmatch(value)
    if found is not None:
        year, month, day = (None if part is None else int(part) for part in found.groups())
        if year and _exists(year, month, day):
            return PartialDate(year, month, day)
    raise InvalidRecord(path, f"{quoted(value)} is no date (YYYY, YYYY-MM or YYYY-MM-DD).")


def _exists(year: int, month: int | None, day: int | None) -> bool:
    try:
        date(year, 1 if month is None else month, 1 if day is None else day)
    except ValueError:
        return False
    return True
