"""Which questions a person meets, which comes next, and what is still open.

A pure function of document, answers and respondent. Branches go forward only:
while the path is walked, a condition sees the answers to questions that stand
earlier on the path and nothing else. Answers to hidden questions stay with the
caller, so that a branch that opens again still has them; no logic reads them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from screening.asking.conditions import holds
from screening.asking.items import ChoiceItem, Item, asks, reads
from screening.asking.questionnaire import Document
from screening.asking.responses import Answer, Answers, Chosen
from screening.texts import Respondent


@dataclass(frozen=True, slots=True)
class Step:
    """One question on the path, and its answer so far."""

    item: Item
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Progress:
    """Question ``number`` of about ``about``."""

    number: int
    about: int


def _walk(
    document: Document, answers: Answers, respondent: Respondent
) -> Iterator[tuple[Item, bool | None, bool]]:
    """Go through all items as (item, shown or None for unknown, waits for an answer still open)."""
    visible: dict[str, Answer] = {}
    open_ids: set[str] = set()
    for item in document.items:
        shown = True if item.show_if is None else holds(item.show_if, visible, respondent)
        waits = shown is None and any(leaf.item in open_ids for leaf in reads(item))
        if (shown is True and item.id not in answers) or waits:
            open_ids.add(item.id)
        elif shown is True:
            visible[item.id] = answers[item.id]
        yield item, shown, waits


def steps(document: Document, answers: Answers, respondent: Respondent) -> tuple[Step, ...]:
    """List the questions that these answers put on the path, in order."""
    return tuple(
        Step(item, answers.get(item.id))
        for item, shown, _ in _walk(document, answers, respondent)
        if shown is True
    )


def ahead(
    document: Document, answers: Answers, respondent: Respondent
) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """List what is on the path for certain and not answered, and what an answer still to come may open.

    The latter may have an answer already, which counts once it is on the path.
    """
    walked = list(_walk(document, answers, respondent))
    sure = tuple(item for item, shown, _ in walked if shown is True and item.id not in answers)
    return sure, tuple(item for item, _, waits in walked if waits)


def on_path_answers(document: Document, answers: Answers, respondent: Respondent) -> dict[str, Answer]:
    """Keep the answers that count: what is submitted, and all that logic may read."""
    return {
        step.item.id: step.answer for step in steps(document, answers, respondent) if step.answer is not None
    }


def first_unanswered(document: Document, answers: Answers, respondent: Respondent) -> Item | None:
    """Find where somebody who comes back goes on; None when everything on the path is answered."""
    return next((step.item for step in steps(document, answers, respondent) if step.answer is None), None)


def next_item(
    document: Document, answers: Answers, respondent: Respondent, *, after: str, changing: bool = False
) -> Item | None:
    """Find the page after one that was just answered; None stands for "check your answers".

    Somebody who came from there (``changing``) goes back there, by way of the
    follow-up questions that the change has opened. A page that is no longer on
    the path, or unknown, leads on from its place in the document.
    """
    if changing:
        return first_unanswered(document, answers, respondent)
    places = {item.id: place for place, item in enumerate(document.items)}
    here = places.get(after, -1)
    following = (s.item for s in steps(document, answers, respondent) if places[s.item.id] > here)
    return next(following, None) or first_unanswered(document, answers, respondent)


def previous_item(
    document: Document, answers: Answers, respondent: Respondent, *, before: str | None
) -> Item | None:
    """Find the page to go back to; None stands for the page before the first question.

    ``before=None`` is "check your answers", which leads back to the last question.
    """
    path = [step.item for step in steps(document, answers, respondent)]
    if before is None:
        return path[-1] if path else None
    places = {item.id: place for place, item in enumerate(document.items)}
    here = places.get(before, 0)
    return next((item for item in reversed(path) if places[item.id] < here), None)


def may_open(document: Document, answers: Answers, respondent: Respondent, *, item_id: str) -> bool:
    """Tell whether a page may be shown: it is on the path and nothing before it is unanswered."""
    for step in steps(document, answers, respondent):
        if step.item.id == item_id:
            return True
        if step.answer is None:
            return False
    return False


def urgent_item(document: Document, answers: Answers, respondent: Respondent) -> Item | None:
    """Find a question on the path whose answer calls for the safety page at once."""
    for step in steps(document, answers, respondent):
        if isinstance(step.item, ChoiceItem) and isinstance(step.answer, Chosen):
            urgent = {option.code for option in step.item.options if option.urgent}
            if urgent.intersection(step.answer.codes):
                return step.item
    return None


def progress(document: Document, answers: Answers, respondent: Respondent, *, at: str) -> Progress | None:
    """Say how far somebody is; None on a page without a question.

    Questions that an answer still to come may open count half: the true
    number is known only at the end, and people prefer an honest "about".
    """
    walked = [(item, shown, waits) for item, shown, waits in _walk(document, answers, respondent) if asks(item)]
    sure = [item.id for item, shown, _ in walked if shown is True]
    if at not in sure:
        return None
    maybe = sum(waits for _, _, waits in walked)
    return Progress(number=sure.index(at) + 1, about=len(sure) + (maybe + 1) // 2)
