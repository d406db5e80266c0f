"""Made-up screeners, every answer that their questions allow, and what a typed rule says of it.

What a rule says is found out without the code under test: Python reads the typed comparison by itself. An
answer is the list of things it may mean; "not sure" may mean anything, and a month of birth any day in it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import chain, combinations, count, product
from types import CodeType
from uuid import UUID

from screening.acceptance.items import NONE_OF_THESE, item_of, names_of
from screening.acceptance.reading import Acceptance, Reading
from screening.acceptance.screener import (
    AcceptanceRule,
    AnswerForm,
    Certainty,
    Offered,
    Question,
    Screener,
    Shown,
    Trigger,
)
from screening.asking.answers import parse
from screening.asking.assertions import facts_from
from screening.asking.items import Item
from screening.asking.path import steps
from screening.asking.questionnaire import Document
from screening.asking.responses import Answer
from screening.assessment.assess import assess
from screening.facts import EvidenceSource, Facts
from screening.intervals import CalendarUnit, completed
from screening.language.protocol import Protocol
from screening.slips import Problems
from screening.texts import Respondent
from screening.verdict import Disposition
from screening.vocabulary import Vocabulary, packaged_vocabulary
from tests.screening.people import TERMS, TODAY
from tests.screening.questionnaire.documents import make_document

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
Meaning = Mapping[str, object]

_NAMED = {
    "YN_Y": {"yes"},
    "YN_N": {"no"},
    "YNNS_YNS": {"yes", "notSure"},
    "YNNS_NNS": {"no", "notSure"},
}
_NAMES = frozenset({"age", "qty", "value", "code", "length"})
_ALLOWED = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.Compare, ast.Name, ast.Load, ast.Constant, ast.Eq,
    ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Given:
    """One answer: the form that is posted, and all that it may mean; nothing listed stands for anything."""

    form: Mapping[str, list[str]]
    may_mean: tuple[Meaning, ...] = ()


def make_question(
    code: str = "asthma",
    form: AnswerForm = AnswerForm.YES_NO_UNSURE,
    *,
    text: str = "Do you have asthma?",
    options: Mapping[str, str] | None = None,
    shown: Shown | None = None,
    units: tuple[str, ...] = (),
    least: str | None = None,
    most: str | None = None,
) -> Question:
    """Make a question; options are given as code and text."""
    return Question(
        code,
        text,
        form,
        tuple(Offered(*pair) for pair in (options or {}).items()),
        units,
        None if least is None else Decimal(least),
        None if most is None else Decimal(most),
        shown,
    )


def shown_after(*pairs: tuple[str, str], any: bool = False) -> Shown:
    """Make skip logic of questions and answers."""
    return Shown(tuple(Trigger(*pair) for pair in pairs), any)


def make_screener(
    question: Question, typed: str, label: str = "", *, others: Sequence[Question] = ()
) -> Screener:
    """Make a screener with one rule; other questions come first."""
    return Screener((*others, question), (AcceptanceRule(question.code, typed, label),))


def lets_pass(typed: str, given: Given) -> bool:
    """Tell whether a rule lets one of the things pass that an answer may mean."""
    return not given.may_mean or any(_lets_pass(typed, meaning) for meaning in given.may_mean)


def _lets_pass(typed: str, meaning: Meaning) -> bool:
    if typed in _NAMED:
        return meaning["code"] in _NAMED[typed]
    if typed.casefold() == "any":
        return True
    return bool(eval(_compiled(typed), {"__builtins__": {}}, dict(meaning)))  # noqa: S307


@cache
def _compiled(typed: str) -> CodeType:
    """Turn a typed rule into a comparison of Python's, which chains 75 >= age >= 18 by itself."""
    text = typed.replace("≥", ">=").replace("≤", "<=").replace("&&", " and ").replace("||", " or ")
    text = text.replace("value.length", "length").replace("Age", "age")
    text = re.sub(r"(?<![=!<>])=(?!=)", "==", text)
    tree = ast.parse(text.strip(), mode="eval")
    for node in ast.walk(tree):
        assert isinstance(node, _ALLOWED), node
        assert not isinstance(node, ast.Name) or node.id in _NAMES
    return compile(tree, "rule", "eval")


def every_answer(question: Question, typed: str) -> Iterator[Given]:
    """Give each option, each set of several options, and the numbers around each number of the rule."""
    names = names_of([question])[question.code]
    if question.offers_unsure:
        yield Given({"instead": ["dont_know"]})
    marks = sorted({int(float(number)) for number in re.findall(r"\d+(?:\.\d+)?", typed)} | {0})
    match question.form:
        case AnswerForm.YES_NO | AnswerForm.YES_NO_UNSURE:
            yield from (Given({"answer": [code]}, ({"code": code},)) for code in ("yes", "no"))
        case AnswerForm.ONE:
            for one in question.definite:
                yield Given({"answer": [names.options[one.code]]}, ({"code": one.code},))
        case AnswerForm.SEVERAL:
            yield from _ticked(question, names.options)
        case AnswerForm.COUNT:
            yield from _counts(question, marks)
        case AnswerForm.NUMBER:
            yield from _numbers(marks)
        case AnswerForm.DATE:
            yield from _births(marks)
        case _:
            return


def _ticked(question: Question, codes: Mapping[str, str]) -> Iterator[Given]:
    """Give every set of options, none included."""
    ticks = [one.code for one in question.options if one.certainty is not Certainty.UNSURE]
    for chosen in chain.from_iterable(combinations(ticks, size) for size in range(len(ticks) + 1)):
        posted = [codes[code] for code in chosen] or [NONE_OF_THESE]
        yield Given({"answer": posted}, ({"length": len(chosen)},))


def _counts(question: Question, marks: Sequence[int]) -> Iterator[Given]:
    near = {mark + step for mark in marks for step in (-1, 0, 1)} | _ends(question)
    for number in sorted(number for number in near if _may_be_entered(number, question)):
        yield Given({"answer": [str(number)]}, ({"qty": number, "value": number},))


def _ends(question: Question) -> set[int]:
    return {int(end) for end in (question.least, question.most) if end is not None}


def _may_be_entered(number: int, question: Question) -> bool:
    above = question.least is None or number >= question.least
    return above and number >= 0 and (question.most is None or number <= question.most)


def _numbers(marks: Sequence[int]) -> Iterator[Given]:
    """Give numbers with a decimal; each may mean half a digit more or less."""
    for tenths in sorted({mark * 10 + step for mark in marks for step in (-2, -1, 0, 1, 2)}):
        if tenths >= 0:
            number, half = Decimal(tenths) / 10, Decimal("0.05")
            may_mean = tuple({"value": value, "qty": value} for value in (number - half, number, number + half))
            yield Given({"answer": [f"{number:.1f}"]}, may_mean)


def _births(marks: Sequence[int]) -> Iterator[Given]:
    """Give birth days around each birthday of the rule, by day, month and year; facts hold the month."""
    for mark in marks:
        for years, step in product((mark - 1, mark, mark + 1), (-40, -1, 0, 1, 40)):
            if 0 < years < 110:
                day = date(TODAY.year - years, TODAY.month, TODAY.day) + timedelta(step)
                first = day.replace(day=1)
                days = [first + timedelta(n) for n in range(31) if (first + timedelta(n)).month == first.month]
                may_mean = _ages(days)
                posted = {"month": [str(day.month)], "year": [str(day.year)]}
                yield Given(posted, may_mean)
                yield Given({**posted, "day": [str(day.day)]}, may_mean)
        for year in (TODAY.year - mark - 2, TODAY.year - mark - 1, TODAY.year - mark, TODAY.year - mark + 1):
            if TODAY.year - 110 < year < TODAY.year:
                first = date(year, 1, 1)
                yield Given({"year": [str(year)]}, _ages([first + timedelta(n) for n in range(365)]))


def _ages(days: Sequence[date]) -> tuple[Meaning, ...]:
    ages = {completed(day, TODAY, CalendarUnit.YEARS) for day in days if day <= TODAY}
    return tuple({"age": age} for age in sorted(ages))


@dataclass(frozen=True)
class Played:
    """A person who has answered a screener, seen by one rule."""

    given: Given
    was_shown: bool
    disposition: Disposition


class Stage:
    """A screener as a questionnaire of ours, to be answered in every way that matters to a rule."""

    def __init__(self, screener: Screener, acceptance: Acceptance) -> None:
        self._asked = {question.code: question for question in screener.questions}
        self._names = names_of(self._asked.values())
        self._vocabulary: Vocabulary = packaged_vocabulary().extended(acceptance.keys)

    def plays(self, reading: Reading) -> Iterator[Played]:
        """Answer a rule's question, and those that show it, in every way."""
        question = self._asked[reading.rule.question]
        before = [self._asked[code] for code in self._sources(question)]
        document = self._document([*before, question])
        for earlier in product(*(tuple(every_answer(one, "")) for one in before)):
            answers: dict[str, Answer] = {}
            for one, given in zip(before, earlier, strict=True):
                answers |= self._answer(document, one, given)
            shown = {step.item.id for step in steps(document, answers, Respondent.SELF)}
            if self._names[question.code].item not in shown:
                yield Played(Given({}), False, self._judged(reading, document, answers))
                continue
            for given in every_answer(question, reading.rule.typed):
                all_answers = answers | self._answer(document, question, given)
                yield Played(given, True, self._judged(reading, document, all_answers))

    def _sources(self, question: Question) -> list[str]:
        """Name the questions that a question rests on, the first to be asked first."""
        found: list[str] = []
        for trigger in question.shown.triggers if question.shown else ():
            source = self._asked[trigger.question]
            found = [*found, *self._sources(source), source.code]
        return list(dict.fromkeys(found))

    def _document(self, questions: Sequence[Question]) -> Document:
        items: tuple[Item, ...] = tuple(item_of(one, self._names, asked=self._asked) for one in questions)
        return make_document().model_copy(update={"items": items})

    def _answer(self, document: Document, question: Question, given: Given) -> dict[str, Answer]:
        item = document.item(self._names[question.code].item)
        assert item is not None
        answer = parse(item, given.form, language="en", on=TODAY)
        assert not isinstance(answer, Problems), (question, given, answer)
        return {item.id: answer}

    def _judged(self, reading: Reading, document: Document, answers: Mapping[str, Answer]) -> Disposition:
        ids = count(1)
        facts = facts_from(
            document,
            answers,
            Respondent.SELF,
            recorded_at=NOON,
            source=EvidenceSource.PARTICIPANT_ONLINE,
            new_id=lambda: UUID(int=next(ids)),
        )
        protocol = Protocol(criteria=(reading.criterion,))
        return assess(protocol, Facts(facts), on=TODAY, vocabulary=self._vocabulary, terms=TERMS).disposition
