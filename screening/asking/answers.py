"""Read what a person typed or chose on one page into a typed answer.

``parse`` never raises, whatever a form holds: it gives the answer, or the
problems as message keys with parameters. The words as typed are kept; numbers
become closed intervals of plus or minus half the last digit.
"""

import re
from datetime import date
from typing import Final, assert_never

from screening.asking import dating, measuring, naming
from screening.asking.forms import Form, Page, instead, take_apart
from screening.asking.items import (
    Age,
    ChoiceItem,
    CodedList,
    Day,
    DecimalNumber,
    Height,
    Integer,
    Item,
    Multiple,
    NamedList,
    QuantityNumber,
    ShortText,
    Single,
    StatementPage,
    Weight,
    YesNo,
    Zip,
)
from screening.asking.numerals import LONGEST_NUMBER
from screening.asking.responses import (
    DECLINED,
    DONT_KNOW,
    Answer,
    Chosen,
    Declined,
    DontKnow,
    Seen,
    Worded,
)
from screening.intervals import DateRange
from screening.slips import Problem, Problems, Slip
from screening.texts import Respondent

_LONGEST_OTHER: Final = 500
_MISSING: Final = (Slip.REQUIRED, Slip.CHOOSE_ONE, Slip.CHOOSE_SOME)


def parse(
    item: Item, form: Form, *, language: str, on: date, born: DateRange | None = None
) -> Answer | Problems:
    """Read one page's form into an answer given on a day.

    ``born`` is what is known of the birth date; no date may lie before it.
    """
    if isinstance(item, StatementPage):
        return Seen(on=on)
    posted = take_apart(form, longest=_longest(item))
    if isinstance(posted, Problems):
        return posted
    said, beside = instead(posted)
    if said:
        return _absence(item, said, beside, language=language, on=on)
    return _read(item, Page(posted, language, on, born))


def error_text(
    item: Item, problem: Problem, language: str, respondent: Respondent = Respondent.SELF
) -> str | None:
    """Give the item's own approved words for a problem, if it has any in this language."""
    own = item.errors.get(problem.slip)
    if own is None and problem.slip in _MISSING:
        own = item.errors.get(Slip.REQUIRED)
    return own.say(language, respondent) if own is not None and own.has(language) else None


def _longest(item: Item) -> int:
    match item:
        case ShortText():
            return item.max_length
        case CodedList():
            return _LONGEST_OTHER
        case NamedList():
            return naming.LONGEST_TOKEN
        case _:
            return LONGEST_NUMBER


def _absence(item: Item, said: tuple[str, ...], beside: bool, *, language: str, on: date) -> Answer | Problems:
    offered = {DONT_KNOW: item.allow_unknown, DECLINED: item.allow_decline}
    if not all(offered.get(word, False) for word in said):
        return Problems.one(Slip.UNKNOWN_OPTION, "instead")
    if len(said) > 1:
        return Problems.one(Slip.ONE_ONLY, "instead")
    if beside:
        words = item.unknown_text if said[0] == DONT_KNOW else item.declined_text
        return Problems.one(Slip.ANSWER_AND_INSTEAD, "answer", instead=words.say(language))
    return DontKnow(on=on) if said[0] == DONT_KNOW else Declined(on=on)


def _read(item: Item, page: Page) -> Answer | Problems:
    match item:
        case YesNo() | Single() | Multiple() | CodedList():
            return _choice(item, page)
        case NamedList():
            return naming.named(item, page)
        case Integer():
            return measuring.count(item, page)
        case DecimalNumber() | QuantityNumber():
            return measuring.quantity(item, page)
        case Height() | Weight():
            return measuring.body_measure(item, page)
        case Day():
            return dating.day(item, page)
        case Age():
            return dating.age(item, page)
        case Zip() | ShortText():
            return _words(item, page)
        case StatementPage():
            return Seen(on=page.on)
        case _:
            assert_never(item)


def _choice(item: ChoiceItem, page: Page) -> Chosen | Problems:
    many = isinstance(item, Multiple | CodedList)
    given = set(page.posted.all("answer"))
    chosen = [option for option in item.options if option.code in given]
    other = page.posted.raw("other") if isinstance(item, CodedList) and item.other else ""
    if given - {option.code for option in chosen}:
        return Problems.one(Slip.UNKNOWN_OPTION, "answer")
    if not chosen and not other:
        return Problems.one(Slip.CHOOSE_SOME if many else Slip.CHOOSE_ONE, "answer")
    if not many and len(chosen) > 1:
        return Problems.one(Slip.ONE_ONLY, "answer")
    alone = next((option for option in chosen if option.exclusive), None)
    if alone is not None and (len(chosen) > 1 or other):
        return Problems.one(Slip.NONE_AND_SOME, "answer", none=alone.text.say(page.language))
    return Chosen(on=page.on, codes=tuple(dict.fromkeys(option.code for option in chosen)), other=other)


def _words(item: Zip | ShortText, page: Page) -> Worded | Problems:
    posted = page.posted
    if not posted.filled("answer"):
        return Problems.one(Slip.REQUIRED, "answer")
    words = posted.raw("answer")
    if isinstance(item, Zip):
        found = re.fullmatch(r"(\d{5})(?:[- ]?\d{4})?", posted.folded("answer"))
        if found is None:
            return Problems.one(Slip.NOT_A_ZIP, "answer")
        words = found[1]
    return Worded(on=page.on, raw=posted.raw("answer"), entered=posted.entered("answer"), words=words)
