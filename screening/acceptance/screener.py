"""A screener as others write it: questions with their options and skip logic, and the answers that let pass.

What arrives is somebody else's table. Every part that is kept is checked, and a refusal names its path. Here
nothing is judged: which rules can be expressed, and which are broken, is the work of `acceptance`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from screening.errors import InvalidCriteria

YES: Final = "yes"
NO: Final = "no"
NOT_SURE: Final = "notSure"
_LONGEST: Final = 5_000
_MANY: Final = 2_000
_NUMBER: Final = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
_UNSURE: Final = re.compile(
    r"\b(?:not|un)\s?sure\b|\bunsure\b|\b(?:don['\u2019]?t|do not|doesn['\u2019]?t) know\b|\bunknown\b"
    r"|\bprefer not\b|\bnot known\b|\bno idea\b",
    re.I,
)
_FILLING: Final = {
    "i",
    "am",
    "m",
    "we",
    "are",
    "or",
    "to",
    "say",
    "answer",
    "it",
    "is",
    "really",
    "the",
    "about",
}
_NONE: Final = re.compile(r"^\W*(?:none\b|no(?:ne)? of (?:these|the above)\b|neither\b)", re.I)
_BIRTH: Final = re.compile(r"birth|\bborn\b", re.I)


class AnswerForm(StrEnum):
    """What an answer looks like."""

    YES_NO = "yes_no"
    YES_NO_UNSURE = "yes_no_unsure"
    ONE = "one"
    SEVERAL = "several"
    COUNT = "count"
    NUMBER = "number"
    DATE = "date"
    WORDS = "words"
    PAGE = "page"


class Certainty(StrEnum):
    """Whether choosing an option says something, says "not sure", or both in one."""

    DEFINITE = "definite"
    UNSURE = "unsure"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Offered:
    """One option of a question."""

    code: str
    text: str

    @property
    def certainty(self) -> Certainty:
        """Tell what choosing it says, by its words ("No, or I am not sure" is a no and a not sure)."""
        if not _UNSURE.search(self.text):
            return Certainty.DEFINITE
        rest = set(re.findall(r"[a-z]+", _UNSURE.sub(" ", self.text).casefold())) - _FILLING
        return Certainty.MIXED if rest else Certainty.UNSURE

    @property
    def says_none(self) -> bool:
        """Whether it stands for "none of these" among answers of which several may be chosen."""
        return _NONE.match(self.text) is not None


@dataclass(frozen=True, slots=True)
class Trigger:
    """An answer to another question that shows this one."""

    question: str
    code: str


@dataclass(frozen=True, slots=True)
class Shown:
    """When a question is shown: after every trigger, or with `any` after at least one."""

    triggers: tuple[Trigger, ...]
    any: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """One question; `least` and `most` bound what may be entered, `units` are UCUM."""

    code: str
    text: str
    form: AnswerForm
    options: tuple[Offered, ...] = ()
    units: tuple[str, ...] = ()
    least: Decimal | None = None
    most: Decimal | None = None
    shown: Shown | None = None

    @property
    def answers(self) -> tuple[Offered, ...]:
        """The options, those of a yes or no included."""
        if self.form in (AnswerForm.YES_NO, AnswerForm.YES_NO_UNSURE):
            unsure = (Offered(NOT_SURE, "Not sure"),) if self.form is AnswerForm.YES_NO_UNSURE else ()
            return (Offered(YES, "Yes"), Offered(NO, "No"), *unsure)
        return self.options

    @property
    def definite(self) -> tuple[Offered, ...]:
        """The options that say something; a mixed one does, since it cannot be told apart."""
        return tuple(one for one in self.answers if one.certainty is not Certainty.UNSURE)

    @property
    def offers_unsure(self) -> bool:
        """Whether "not sure" is an answer of its own."""
        return len(self.definite) < len(self.answers)

    @property
    def is_birth_date(self) -> bool:
        """Whether it asks for the day of birth, from which ages are computed."""
        return self.form is AnswerForm.DATE and _BIRTH.search(f"{self.text} {self.code}") is not None


@dataclass(frozen=True, slots=True)
class AcceptanceRule:
    """Which answers of a question let somebody pass: as typed, and what the patient reads about it."""

    question: str
    typed: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Screener:
    """The questions that somebody meets, and the rules on their answers."""

    questions: tuple[Question, ...]
    rules: tuple[AcceptanceRule, ...]


def read_question(document: object, *, where: str = "") -> Question:
    """Read one question in the form of LHC-Forms (localquestioncode, datatype, answers, skiplogic).

    :raises InvalidCriteria: with the path to what is not understood.
    """
    table = _Table(document, where)
    code = table.needed("localquestioncode")
    options = tuple(Offered(one.needed("code"), one.needed("text")) for one in table.tables("answers"))
    if len({option.code for option in options}) < len(options):
        raise table.wrong("answers", "an option stands there twice")
    limits = table.table("restrictions")
    return Question(
        code=code,
        text=table.needed("question"),
        form=_form(table, options),
        options=options,
        units=tuple(unit.needed("name") for unit in table.tables("units")),
        least=limits.number("minInclusive"),
        most=limits.number("maxInclusive"),
        shown=_shown(table.table("skiplogic")),
    )


def read_rule(document: object, *, where: str = "") -> AcceptanceRule | None:
    """Read what a screener asks of one question; none where every answer lets pass.

    :raises InvalidCriteria: with the path to what is not understood.
    """
    table = _Table(document, where)
    typed = table.text("criteria")
    if not typed.strip():
        return None
    return AcceptanceRule(table.needed("questiontype"), typed, table.text("criterialabel").strip())


_FORMS: Final = {
    "YN": AnswerForm.YES_NO,
    "YNNS": AnswerForm.YES_NO_UNSURE,
    "QTY": AnswerForm.COUNT,
    "INT": AnswerForm.COUNT,
    "REAL": AnswerForm.NUMBER,
    "DT": AnswerForm.DATE,
    "ST": AnswerForm.WORDS,
    "TX": AnswerForm.WORDS,
    "TITLE": AnswerForm.PAGE,
}


def _form(table: _Table, options: Sequence[Offered]) -> AnswerForm:
    kind = table.needed("datatype")
    if kind == "CNE":
        if not options:
            raise table.wrong("answers", "a choice needs options")
        return AnswerForm.ONE if table.text("answercardinalitymax") in ("", "1") else AnswerForm.SEVERAL
    if kind not in _FORMS:
        raise table.wrong("datatype", f"{kind[:40]} is not a kind of answer")
    return _FORMS[kind]


def _shown(table: _Table) -> Shown | None:
    if table.is_empty:
        return None
    if table.needed("action") != "show":
        raise table.wrong("action", "only show is understood")
    logic = table.needed("logic")
    if logic not in ("ALL", "ANY"):
        raise table.wrong("logic", "ALL or ANY is needed")
    triggers = tuple(
        Trigger(one.needed("source"), one.table("trigger").table("value").needed("code"))
        for one in table.tables("conditions")
    )
    if not triggers:
        raise table.wrong("conditions", "skip logic needs a condition")
    return Shown(triggers, any=logic == "ANY")


class _Table:
    """One object of a document with its path; absent and null are an object without fields."""

    __slots__ = ("_held", "_where")

    def __init__(self, value: object, where: str) -> None:
        if value is not None and not isinstance(value, dict):
            raise InvalidCriteria("an object is needed", where=where)
        self._held: dict[object, object] = value or {}
        self._where = where

    @property
    def is_empty(self) -> bool:
        return not self._held

    def at(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where else name

    def wrong(self, name: str, message: str) -> InvalidCriteria:
        return InvalidCriteria(message, where=self.at(name))

    def text(self, name: str) -> str:
        value = self._held.get(name)
        if value is None:
            return ""
        if not isinstance(value, str) or len(value) > _LONGEST:
            raise self.wrong(name, f"a text of at most {_LONGEST} characters is needed")
        if any(ord(sign) < 32 and sign not in "\t\n" for sign in value) or re.search(r"[\ud800-\udfff]", value):
            raise self.wrong(name, "a text holds no control characters and no broken ones")
        return value

    def needed(self, name: str) -> str:
        value = self.text(name)
        if not value.strip():
            raise self.wrong(name, "this is missing")
        return value.strip()

    def table(self, name: str) -> _Table:
        return _Table(self._held.get(name), self.at(name))

    def tables(self, name: str) -> list[_Table]:
        value = self._held.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > _MANY:
            raise self.wrong(name, f"a list of at most {_MANY} entries is needed")
        return [_Table(one, f"{self.at(name)}.{at}") for at, one in enumerate(value)]

    def number(self, name: str) -> Decimal | None:
        value = self.text(name)
        if not value:
            return None
        if not _NUMBER.fullmatch(value):
            raise self.wrong(name, 'a number is written as text, such as "7.1"')
        return Decimal(value)
