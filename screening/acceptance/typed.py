"""Acceptance rules as people type them: comparisons such as `75 ≥ Age ≥ 18`, joined by && and ||.

Only what can be meant in one way is read: one "=" is an equals sign, since nobody assigns anything in a rule. A
word that is not known is never guessed, only suggested.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from screening.vocabulary import nearest

LONGEST: Final = 500
_DEEPEST: Final = 20


class Subject(StrEnum):
    """What a comparison speaks of."""

    AGE = "age"
    NUMBER = "number"
    CODE = "code"
    HOW_MANY = "how_many"


@dataclass(frozen=True, slots=True)
class Everybody:
    """Any answer lets pass."""


@dataclass(frozen=True, slots=True)
class Answers:
    """A named list of yes, no and not sure, such as YNNS_NNS: no or not sure."""

    codes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Something held against a number or an option; `sign` is one of == != < <= > >=."""

    subject: Subject
    sign: str
    value: Decimal | str


@dataclass(frozen=True, slots=True)
class Joined:
    """Comparisons of which all must hold, or with `any` at least one."""

    parts: tuple[Typed, ...]
    any: bool


Typed = Everybody | Answers | Comparison | Joined


class Unreadable(Exception):
    """A typed rule that cannot be read; the message goes on from "the rule ... ", without a full stop."""


_NAMED: Final = re.compile(r"(?:YNNS|YN)_(Y|N|NS|YN|YNS|NNS|YNNS)")
_SAME: Final = str.maketrans({"≥": ">=", "≤": "<=", "≠": "!=", "“": '"', "”": '"', "„": '"', "\u00a0": " "})
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d{1,6}(?:\.\d{1,6})?)(?![\w.])"
    r"|(?P<name>[A-Za-z_][\w.]*)"
    r"|\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'"
    r"|(?P<sign>===|!==|==|!=|>=|<=|=>|=<|=|>|<)|(?P<join>&&|\|\|)|(?P<bracket>[()]))"
)
_SIGNS: Final = {"===": "==", "!==": "!=", "=": "==", "=>": ">=", "=<": "<="}
_TURNED: Final = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_SUBJECTS: Final = {
    "age": Subject.AGE,
    "qty": Subject.NUMBER,
    "quantity": Subject.NUMBER,
    "value": Subject.NUMBER,
    "number": Subject.NUMBER,
    "code": Subject.CODE,
    "value.length": Subject.HOW_MANY,
}


def read_typed(text: str) -> Typed:
    """Read a typed rule.

    :raises Unreadable: when it cannot be read, or only guessed.
    """
    plain = text.translate(_SAME).strip()
    if len(plain) > LONGEST:
        raise Unreadable(f"is longer than {LONGEST} characters")
    if plain.casefold() in ("any", "all"):
        return Everybody()
    if (named := _named(plain)) is not None:
        return named
    return _Reader(_tokens(plain)).whole()


def _named(text: str) -> Answers | None:
    """Read YN_Y, YN_N, YNNS_YNS and their kin: after the underscore, Y, N and NS in this order."""
    found = _NAMED.fullmatch(text)
    if found is None:
        return None
    listed = found[1]
    unsure = listed.endswith("NS")
    rest = listed[:-2] if unsure else listed
    codes = {"Y": "yes", "N": "no"}
    return Answers(frozenset([codes[letter] for letter in rest] + (["notSure"] if unsure else [])))


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise Unreadable(f'cannot be read from "{text[at:].strip()[:20]}" on')
        kind = "text" if match.lastgroup in ("double", "single") else match.lastgroup
        found.append(_Token(kind, match[match.lastgroup]))
        at = match.end()
    return found


class _Reader:
    """Read tokens one after the other; && binds tighter than ||."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Typed:
        if not self._tokens:
            raise Unreadable("is empty")
        read = self._either()
        if self._here is not None:
            raise Unreadable(f'has "{self._here.text[:20]}" where it should end')
        return read

    @property
    def _here(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _takes(self, kind: str, text: str | None = None) -> _Token | None:
        token = self._here
        if token is None or token.kind != kind or (text is not None and token.text != text):
            return None
        self._at += 1
        return token

    def _either(self) -> Typed:
        parts = [self._both()]
        while self._takes("join", "||"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Joined(tuple(parts), any=True)

    def _both(self) -> Typed:
        parts = [self._one()]
        while self._takes("join", "&&"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Joined(tuple(parts), any=False)

    def _one(self) -> Typed:
        if self._takes("bracket", "(") is None:
            return self._chain()
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Unreadable("has too many brackets")
        inner = self._either()
        if self._takes("bracket", ")") is None:
            raise Unreadable("has a bracket that is never closed")
        self._depth -= 1
        return inner

    def _chain(self) -> Typed:
        """Read `age >= 18`, `18 <= age` or both in one, `75 >= age >= 18`."""
        left, sign, right = self._operand(), self._sign(), self._operand()
        first = _comparison(left, sign, right)
        if self._here is None or self._here.kind != "sign":
            return first
        if right.kind != "name":
            raise Unreadable("compares twice, but not with a name in the middle")
        further = self._sign()
        if sign[0] != further[0] or sign[0] not in "<>":
            raise Unreadable("compares in two directions at once")
        return Joined((first, _comparison(right, further, self._operand())), any=False)

    def _operand(self) -> _Token:
        token = self._here
        if token is None or token.kind not in ("number", "name", "text"):
            found = f'"{token.text[:20]}"' if token else "nothing"
            raise Unreadable(f"has {found} where a name, a number or an option in quotation marks is needed")
        self._at += 1
        return token

    def _sign(self) -> str:
        token = self._takes("sign")
        if token is None:
            raise Unreadable("compares nothing")
        return _SIGNS.get(token.text, token.text)


def _comparison(left: _Token, sign: str, right: _Token) -> Comparison:
    if left.kind != "name":
        left, sign, right = right, _TURNED[sign], left
    if left.kind != "name" or right.kind == "name":
        raise Unreadable("needs a name on one side of a comparison and a value on the other")
    subject = _SUBJECTS.get(left.text.casefold())
    if subject is None:
        meant = nearest(left.text.casefold(), _SUBJECTS)
        hint = f", perhaps {meant} is meant" if meant else ""
        raise Unreadable(f'speaks of "{left.text[:40]}", which nobody knows{hint}')
    if subject is Subject.CODE:
        if right.kind != "text" or sign not in ("==", "!="):
            raise Unreadable("compares an option, which is only equal or not to one in quotation marks")
        return Comparison(subject, sign, right.text)
    if right.kind != "number":
        raise Unreadable("compares a number with something that is none")
    return Comparison(subject, sign, Decimal(right.text))
