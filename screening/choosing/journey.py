"""The way of one person through questions that are chosen.

Its order is that in which answers came. A page without a question is shown
before the first question of its section; questions that can change no
criterion come last, for people whom nothing rules out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from types import MappingProxyType

from screening.asking import path
from screening.asking.items import Item, asks
from screening.asking.journey import Journey
from screening.asking.path import Progress, Step
from screening.asking.questionnaire import Document
from screening.asking.responses import Answers
from screening.choosing.nextquestion import Asking, Choice, Plan, begin, choose, results
from screening.choosing.standing import Standing
from screening.choosing.statistics import Statistics
from screening.facts import EvidenceSource
from screening.texts import Respondent
from screening.verdict import Disposition


@dataclass(frozen=True)
class ChosenJourney(Journey):
    """Through the questions of one study as they are chosen.

    `asking` holds the answers so far, `asked` the ids of the items in the
    order in which they were first answered, `seed` names the draft.
    """

    asking: Asking
    statistics: Statistics
    asked: Sequence[str]
    seed: str

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """What was answered and counts, in the order in which it was asked."""
        held = {
            step.item.id: step
            for step in path.steps(self._document, self._answers, self._respondent)
            if step.answer is not None
        }
        first = [held[name] for name in dict.fromkeys(self.asked) if name in held]
        return (*(step for step in held.values() if step.item.id not in self.asked), *first)

    @cached_property
    def next(self) -> Item | None:
        """A page that belongs before the chosen question, that question, or one of those that come last."""
        if self.choice is not None:
            return next(self._pages_before(self.choice.item), self.choice.item)
        return next(self._last(), None)

    @cached_property
    def choice(self) -> Choice | None:
        """How the next question was chosen; None where none could change anything."""
        return choose(self.asking, self.statistics, seed=self.seed)

    def after(self, item_id: str, *, changing: bool = False) -> Item | None:
        """Find the page after one that was just answered."""
        if changing:
            return self.next
        names = [step.item.id for step in self.steps]
        following = names.index(item_id) + 1 if item_id in names else len(names)
        return self.steps[following].item if following < len(names) else self.next

    def before(self, item_id: str | None) -> Item | None:
        """Find the page to go back to."""
        names = [step.item.id for step in self.steps]
        place = names.index(item_id) if item_id in names else len(names)
        return self.steps[place - 1].item if place else None

    def may_open(self, item_id: str) -> bool:
        """Tell whether a page may be shown."""
        return any(step.item.id == item_id for step in self.steps) or (
            self.next is not None and self.next.id == item_id
        )

    def progress(self, at: str) -> Progress | None:
        """Say how far somebody is: of the questions that may still matter, half are expected to come."""
        done = [step.item.id for step in self.steps if asks(step.item)]
        if at not in done and not (self.next is not None and self.next.id == at and asks(self.next)):
            return None
        number = done.index(at) + 1 if at in done else len(done) + 1
        to_come = (len(self._standing.relevant) + 1) // 2 + sum(asks(item) for item in self._idle)
        return Progress(number=number, about=max(number, len(done) + to_come))

    @cached_property
    def _idle(self) -> tuple[Item, ...]:
        """What is on the path and open and can change no criterion, for people whom nothing rules out."""
        if results(self.asking)[0].disposition is Disposition.INELIGIBLE:
            return ()
        moves = self._standing.outline.moves
        return tuple(item for item in self._standing.sure if not moves[item.id])

    @property
    def _standing(self) -> Standing:
        return self.asking.standings[0]

    @property
    def _document(self) -> Document:
        return self._standing.outline.study.document

    @property
    def _answers(self) -> Answers:
        return self._standing.answers

    @property
    def _respondent(self) -> Respondent:
        return self.asking.setting.respondent

    def _pages_before(self, chosen: Item) -> Iterator[Item]:
        """Give unread pages that stand before a question in the document, of its section or of none."""
        for item in self._document.items:
            if item.id == chosen.id:
                return
            if not asks(item) and item in self._standing.sure and item.section in (None, chosen.section):
                yield item

    def _last(self) -> Iterator[Item]:
        """Give what is left where nothing is chosen any more, pages only where a question follows them."""
        if any(asks(item) for item in self._idle):
            yield from self._idle


def begin_chosen(
    plan: Plan,
    answers: Answers,
    *,
    respondent: Respondent,
    on: date,
    source: EvidenceSource,
    asked: Sequence[str],
    seed: str,
) -> ChosenJourney:
    """Go on from the answers to one study's items.

    :param asked: the items in the order in which pages of them were answered
    :param seed: names the draft: the same answers and the same seed lead the same way
    """
    study = plan.outlines[0].study
    names = plan.names[study.id]
    asking = begin(
        plan,
        respondent=respondent,
        on=on,
        source=source,
        answers={names[item]: answer for item, answer in answers.items()},
    )
    chances = {names[item]: table for item, table in study.document.chances.items() if item in names}
    return ChosenJourney(asking, Statistics(MappingProxyType(chances)), asked, seed)
