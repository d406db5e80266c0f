"""The way of one person through a questionnaire: what was asked in which order, and what comes next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from screening.asking import path
from screening.asking.items import Item
from screening.asking.path import Progress, Step
from screening.asking.questionnaire import Document
from screening.asking.responses import Answers
from screening.texts import Respondent


class Journey(ABC):
    """What pages need to know to lead somebody through the questions of one study."""

    @property
    @abstractmethod
    def steps(self) -> tuple[Step, ...]:
        """The questions that were asked or surely will be, in order, with their answers."""

    @property
    @abstractmethod
    def next(self) -> Item | None:
        """Where somebody who comes back goes on; None when nothing is open any more."""

    @abstractmethod
    def after(self, item_id: str, *, changing: bool = False) -> Item | None:
        """Find the page after one that was just answered; None stands for "check your answers".

        Somebody who came from there (``changing``) goes back there, by way of what the change has opened.
        """

    @abstractmethod
    def before(self, item_id: str | None) -> Item | None:
        """Find the page to go back to, from "check your answers" where None is given; None where none is."""

    @abstractmethod
    def may_open(self, item_id: str) -> bool:
        """Tell whether a page may be shown: it was answered and counts, or its turn has come."""

    @abstractmethod
    def progress(self, at: str) -> Progress | None:
        """Say how far somebody is; None on a page without a question."""


@dataclass(frozen=True)
class FixedJourney(Journey):
    """Through a document in its own order."""

    document: Document
    answers: Answers
    respondent: Respondent

    @property
    def steps(self) -> tuple[Step, ...]:
        """The questions on the path."""
        return path.steps(self.document, self.answers, self.respondent)

    @property
    def next(self) -> Item | None:
        """The first question on the path without an answer."""
        return path.first_unanswered(self.document, self.answers, self.respondent)

    def after(self, item_id: str, *, changing: bool = False) -> Item | None:
        """Find the page after one that was just answered."""
        return path.next_item(self.document, self.answers, self.respondent, after=item_id, changing=changing)

    def before(self, item_id: str | None) -> Item | None:
        """Find the page to go back to."""
        return path.previous_item(self.document, self.answers, self.respondent, before=item_id)

    def may_open(self, item_id: str) -> bool:
        """Tell whether a page may be shown."""
        return path.may_open(self.document, self.answers, self.respondent, item_id=item_id)

    def progress(self, at: str) -> Progress | None:
        """Say how far somebody is."""
        return path.progress(self.document, self.answers, self.respondent, at=at)
