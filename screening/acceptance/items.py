"""A screener's questions as ours: study facts of the vocabulary, and the pages that state them.

"Not sure" becomes "I don't know", which is an absence and no value. Of several answers each is a fact of its
own, so that "none of these" denies every one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from screening.acceptance.screener import NO, YES, AnswerForm, Certainty, Offered, Question, Shown, Trigger
from screening.asking.items import BIRTH_KEY, Item
from screening.asking.items import Limits as ItemLimits
from screening.asking.responses import DONT_KNOW
from screening.texts import Part
from screening.vocabulary import STUDY_PREFIX, Key, read_key

NONE_OF_THESE: Final = "none_of_these"
UNITLESS: Final = "1"
_LONGEST_NAME: Final = 40
_LONGEST_CODE: Final = 30
_TAKEN_CODES: Final = frozenset({YES, NO, DONT_KNOW, "declined", NONE_OF_THESE})
FLAGS: Final = (AnswerForm.YES_NO, AnswerForm.YES_NO_UNSURE)
NUMBERS: Final = (AnswerForm.COUNT, AnswerForm.NUMBER)


@dataclass(frozen=True, slots=True)
class Names:
    """What a question and its options are called among our facts."""

    item: str
    options: Mapping[str, str]

    @property
    def key(self) -> str:
        """The name of its fact."""
        return STUDY_PREFIX + self.item

    def flag(self, option: str) -> str:
        """Give the name of the fact that one of several answers states."""
        return f"{self.key}.{self.options[option]}"


def names_of(questions: Iterable[Question]) -> dict[str, Names]:
    """Name every question and option; where two would be called the same, the later one gets a number."""
    taken: set[str] = set()
    named: dict[str, Names] = {}
    for question in questions:
        item = _free(_slug(question.code, longest=_LONGEST_NAME, first="q_"), taken)
        named[question.code] = Names(item, _option_names(question.options))
    return named


def keys_of(question: Question, names: Names) -> tuple[Key, ...]:
    """Give the study facts that a question asks; a birth date has its own key already."""
    if question.form in FLAGS:
        return (_key(names.key, "flag", question.text, question),)
    if question.form is AnswerForm.ONE:
        choices = [{"code": names.options[one.code], "label": {"en": one.text}} for one in question.definite]
        if len(choices) < 2:
            return ()
        return (_key(names.key, "choice", question.text, question, choices=choices),)
    if question.form is AnswerForm.SEVERAL:
        return tuple(
            _key(names.flag(one.code), "flag", f"{question.text} {one.text}", question)
            for one in _tickable(question)
        )
    if question.form in NUMBERS:
        units = question.units or (UNITLESS,)
        return (_key(names.key, "quantity", question.text, question, unit=units[0], units=units),)
    return ()


def item_of(question: Question, names: Mapping[str, Names], *, asked: Mapping[str, Question]) -> Item:
    """Give the page of a questionnaire that asks a question and states its facts.

    Triggers that cannot happen are left out; the first question has to come before those it shows.

    :raises ValueError: when the screener's words do not fit a page of ours.
    """
    own = names[question.code]
    document: dict[str, object] = {
        "id": own.item,
        "text": {"en": question.text},
        "allow_unknown": question.offers_unsure,
        **_answered(question, own),
    }
    if question.shown is not None:
        document["show_if"] = _show_if(question.shown, names, asked)
    return _Page.model_validate({"item": document}).item


class _Page(Part):
    item: Item


def _answered(question: Question, own: Names) -> dict[str, object]:
    match question.form:
        case AnswerForm.YES_NO | AnswerForm.YES_NO_UNSURE:
            options = [{"code": code, "asserts": [_flag(own.key, code == YES)]} for code in (YES, NO)]
            return {"type": "yes_no", "options": options}
        case AnswerForm.ONE:
            return {"type": "single", "options": [_single(one, own) for one in question.definite]}
        case AnswerForm.SEVERAL:
            ticks = [_tick(one, own) for one in _tickable(question)]
            none = {"code": NONE_OF_THESE, "text": {"en": "None of these"}, "exclusive": True}
            return {"type": "multiple", "exhaustive": True, "options": [*ticks, none]}
        case AnswerForm.COUNT | AnswerForm.NUMBER:
            return _number(question, own)
        case AnswerForm.DATE:
            key = BIRTH_KEY if question.is_birth_date else None
            return {"type": "date", "key": key, "accepts": ["day", "month", "year"]}
        case AnswerForm.WORDS:
            return {"type": "short_text"}
        case AnswerForm.PAGE:
            return {"type": "statement"}


def _number(question: Question, own: Names) -> dict[str, object]:
    limits = ItemLimits(least=question.least, most=question.most)
    if question.form is AnswerForm.COUNT:
        return {"type": "integer", "key": own.key, "limits": limits}
    if len(question.units) < 2:
        unit = question.units[0] if question.units else UNITLESS
        return {"type": "decimal", "key": own.key, "unit": unit, "limits": limits}
    units = [{"code": unit, "text": {"en": unit}} for unit in question.units]
    return {"type": "quantity", "key": own.key, "units": units}


def _single(one: Offered, own: Names) -> dict[str, object]:
    code = own.options[one.code]
    value = {"type": "choice", "codes": [code]}
    return {"code": code, "text": {"en": one.text}, "asserts": [{"key": own.key, "value": value}]}


def _tick(one: Offered, own: Names) -> dict[str, object]:
    key = own.flag(one.code)
    return {
        "code": own.options[one.code],
        "text": {"en": one.text},
        "asserts": [_flag(key, value=True)],
        "denies": [_flag(key, value=False)],
    }


def _flag(key: str, value: bool) -> dict[str, object]:
    return {"key": key, "value": {"type": "flag", "value": value}}


def _tickable(question: Question) -> Iterator[Offered]:
    return (one for one in question.definite if not one.says_none)


def _show_if(shown: Shown, names: Mapping[str, Names], asked: Mapping[str, Question]) -> dict[str, object]:
    of = [
        _condition(trigger, names[trigger.question], asked[trigger.question])
        for trigger in shown.triggers
        if trigger.question in asked and option_of(asked[trigger.question], trigger) is not None
    ]
    return {"op": "any" if shown.any else "all", "of": of}


def _condition(trigger: Trigger, names: Names, question: Question) -> dict[str, object]:
    option = option_of(question, trigger)
    if option is not None and option.certainty is Certainty.UNSURE:
        code = DONT_KNOW
    else:
        code = trigger.code if question.form in FLAGS else names.options[trigger.code]
    return {"op": "is", "item": names.item, "code": code}


def option_of(question: Question, trigger: Trigger) -> Offered | None:
    """Find the option that a trigger waits for."""
    return next((one for one in question.answers if one.code == trigger.code), None)


def _key(name: str, kind: str, label: str, question: Question, **more: object) -> Key:
    table = {
        "kind": kind,
        "label": {"en": label},
        "question": {"en": question.text},
        "told_by": ["participant"],
        "allow_unknown": question.offers_unsure,
        **more,
    }
    return read_key(name, table)


def _option_names(options: Iterable[Offered]) -> dict[str, str]:
    taken = set(_TAKEN_CODES)
    return {one.code: _free(_slug(one.code, longest=_LONGEST_CODE, first="is_"), taken) for one in options}


def _slug(code: str, *, longest: int, first: str) -> str:
    """Write a code in small letters, digits and underscores, beginning with a letter."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", code).replace("+", " plus ").casefold()
    slug = re.sub(r"[^a-z0-9]+", "_", words).strip("_")
    if not slug or not slug[0].isalpha():
        slug = first + slug
    if len(slug) <= longest:
        return slug
    return f"{slug[: longest - 9].rstrip('_')}_{hashlib.sha256(code.encode()).hexdigest()[:8]}"


def _free(slug: str, taken: set[str]) -> str:
    name, number = slug, 1
    while name in taken:
        number += 1
        name = f"{slug}_{number}"
    taken.add(name)
    return name
