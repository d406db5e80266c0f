"""What a person's answers state as facts.

Only answers on the path count. Every fact is observed on the day of its
answer; the words as typed go with it.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from screening.asking.items import (
    BIRTH_KEY,
    ChoiceItem,
    CodedList,
    Day,
    Integer,
    Item,
    Multiple,
    NamedList,
    Option,
    Zip,
    fact_keys,
)
from screening.asking.path import steps
from screening.asking.questionnaire import Document
from screening.asking.responses import (
    AgeGiven,
    Answer,
    Answers,
    Chosen,
    Counted,
    DateGiven,
    Declined,
    DontKnow,
    Measured,
    Named,
    Seen,
    Worded,
)
from screening.facts import (
    Absence,
    Choice,
    Code,
    Dated,
    Denial,
    EvidenceSource,
    Fact,
    Quantity,
    Statement,
    Value,
)
from screening.intervals import DateRange, DecimalRange
from screening.texts import Respondent
from screening.vocabulary import DEFAULT_SYSTEM


def facts_from(
    document: Document,
    answers: Answers,
    respondent: Respondent,
    *,
    recorded_at: datetime,
    source: EvidenceSource,
    new_id: Callable[[], UUID],
) -> tuple[Fact, ...]:
    """Turn the answers on the path into facts.

    "I don't know" and "I prefer not to say" become an absence of every key that
    the question speaks to. Words of one's own become no fact, a ZIP code at most
    its first digit, a birth date at most its month; so do their raw words. What
    was named but not found becomes an absence that carries the words.
    """
    return tuple(
        Fact(
            new_id(),
            key,
            value,
            raw,
            DateRange.day(step.answer.on),
            recorded_at,
            source,
        )
        for step in steps(document, answers, respondent)
        if step.answer is not None
        for key, value, raw in _in_words(step.item, step.answer)
    )


def birth_range(document: Document, answers: Answers, respondent: Respondent) -> DateRange | None:
    """Find the days of birth that the answers on the path allow; None while nobody has said.

    A page that asks for a date passes it to ``answers.parse`` as ``born``.
    """
    for step in steps(document, answers, respondent):
        if isinstance(step.answer, AgeGiven | DateGiven) and BIRTH_KEY in fact_keys(step.item):
            return step.answer.range
    return None


def stated(item: Item, answer: Answer) -> Iterator[tuple[str, Value | Absence]]:
    """Give the keys and values that one answer states, in the document's order.

    An answer that does not belong to this kind of question states nothing.
    """
    match answer:
        case DontKnow() | Declined():
            why = Absence.DONT_KNOW if isinstance(answer, DontKnow) else Absence.DECLINED
            yield from ((key, why) for key in fact_keys(item))
        case Chosen() if isinstance(item, ChoiceItem):
            yield from _of_options(item, answer)
        case Counted() if isinstance(item, Integer) and item.key is not None:
            yield item.key, Quantity(_exactly(answer), item.unit)
        case Measured():
            yield from ((key, Quantity(answer.range, answer.canonical)) for key in fact_keys(item))
        case DateGiven() if isinstance(item, Day) and item.key is not None:
            yield item.key, _of_day(item, item.key, answer)
        case Worded() if isinstance(item, Zip) and item.key is not None:
            yield item.key, Choice.of(f"zip{answer.words[0]}")
        case AgeGiven():
            yield from ((key, Dated(answer.range)) for key in fact_keys(item))
        case Named() if isinstance(item, NamedList):
            yield from ((key, value) for key, value, _ in _of_names(item, answer))


def _in_words(item: Item, answer: Answer) -> Iterator[tuple[str, Value | Absence, str]]:
    """Give what an answer states, each with the words that it rests on."""
    if isinstance(item, NamedList) and isinstance(answer, Named):
        return _of_names(item, answer)
    raw = _raw(item, answer)
    return ((key, value, raw) for key, value in stated(item, answer))


def _of_names(item: NamedList, answer: Named) -> Iterator[tuple[str, Value | Absence, str]]:
    """State what was named; words without a code leave the key unknown for somebody to ask."""
    system = DEFAULT_SYSTEM[item.about]
    for told in answer.told:
        known = Statement(Code(system, told.code), item.status) if told.code else Absence.DONT_KNOW
        yield item.key, known, told.words
    if item.none is not None and answer.none == item.none.code:
        yield from ((assertion.key, assertion.value, answer.none) for assertion in item.none.asserts)


def _exactly(answer: Counted) -> DecimalRange:
    return DecimalRange.point(Decimal(answer.value))


def _of_day(item: Day, key: str, answer: DateGiven) -> Value:
    days = answer.range
    if key == BIRTH_KEY and days.is_point:
        days = DateRange.month(answer.lo.year, answer.lo.month)
    statement = item.statement
    if statement is None:
        return Dated(days)
    return replace(
        statement,
        onset=days if "onset" in item.fills else statement.onset,
        ended=days if "ended" in item.fills else statement.ended,
        unchanged_since=days if "unchanged_since" in item.fills else statement.unchanged_since,
    )


def _of_options(item: ChoiceItem, answer: Chosen) -> Iterator[tuple[str, Value | Absence]]:
    chosen = [option for option in item.options if option.code in answer.codes]
    for option in chosen:
        yield from ((assertion.key, assertion.value) for assertion in option.asserts)
    if isinstance(item, Multiple | CodedList) and _closes(item, chosen, answer):
        yield from _left_out(item, chosen)


def _closes(item: Multiple | CodedList, chosen: list[Option], answer: Chosen) -> bool:
    """Tell whether what was not chosen is denied; words that nobody has coded may mean any of it."""
    return not answer.other and (item.exhaustive or any(option.exclusive for option in chosen))


def _left_out(item: Multiple | CodedList, chosen: list[Option]) -> Iterator[tuple[str, Value | Absence]]:
    """State what leaving an option out denies, sparing the codes of what was chosen."""
    spared = tuple(a.value.code for option in chosen for a in option.asserts if isinstance(a.value, Statement))
    for option in item.options:
        for assertion in option.denies if option not in chosen else ():
            value = assertion.value
            if isinstance(value, Denial):
                value = replace(value, but=tuple(dict.fromkeys((*value.but, *spared))))
            yield assertion.key, value


def _raw(item: Item, answer: Answer) -> str:
    match answer:
        case DontKnow() | Declined():
            return answer.kind
        case Chosen():
            return ", ".join((*answer.codes, answer.other) if answer.other else answer.codes)
        case DateGiven() if answer.precision == "day" and BIRTH_KEY in fact_keys(item):
            return f"{answer.lo:%Y-%m}"
        case Worded() if isinstance(item, Zip):
            return answer.words[:1]
        case Named():
            return ", ".join(told.words for told in answer.told) or answer.none
        case Seen():
            return ""
        case _:
            return answer.raw
