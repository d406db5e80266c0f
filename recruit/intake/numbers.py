"""What became of the drafts of one questionnaire version, in numbers that tell about nobody.

Drafts count once they ended. Numbers are rounded to tens and those from 1 to 10 are held back, so that no
difference of two of them tells about a few people.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.intake.models import Entrance, QuestionCounter, SettledCounter
from recruit.intake.timing import ANSWERED, LEFT_HERE, WITHIN, quantile
from screening.asking.items import asks
from screening.asking.questionnaire import Document, Outcome
from screening.floor import FLOOR

_TEN: Final = 10


@dataclass(frozen=True, slots=True)
class Some:
    """A number as it may be shown: rounded to tens; `about` is nothing where it is from 1 to 10."""

    about: int | None

    @classmethod
    def of(cls, count: int) -> Some:
        """Hold back what is small, and round the rest."""
        return cls(None if 0 < count < FLOOR else round(count / _TEN) * _TEN)

    @property
    def is_few(self) -> bool:
        """Whether the number is held back."""
        return self.about is None


@dataclass(frozen=True, slots=True)
class Question:
    """What became of one question: shown to so many, answered, left; seconds of half and of nine in ten."""

    item: str
    seen: Some
    answered: Some
    left: Some
    left_share: float
    half: int | None
    most: int | None


@dataclass(frozen=True, slots=True)
class Numbers:
    """What became of the drafts of a version; `ended` are those that were left before a result."""

    started: Some
    ended: Some
    outcomes: tuple[tuple[Outcome, Some], ...]
    questions: tuple[Question, ...]

    @property
    def worst(self) -> Question | None:
        """The question at which the largest share of those who see it leaves."""
        told = [one for one in self.questions if one.left.about]
        return max(told, key=lambda one: one.left_share, default=None)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which drafts to count; nothing stands for all."""

    source_link_id: UUID | None = None
    language: str = ""
    since: date | None = None


def numbers_of(session: Session, version_id: UUID, document: Document, wanted: Wanted) -> Numbers:
    """Count what became of a version's drafts."""
    reached = _reached(session, version_id, wanted)
    happened = _happened(session, version_id, wanted)
    finished = {outcome.value for outcome in Outcome} | {"completed"}
    return Numbers(
        started=Some.of(sum(reached.values())),
        ended=Some.of(sum(count for name, count in reached.items() if name not in finished)),
        outcomes=tuple((outcome, Some.of(reached[outcome.value])) for outcome in Outcome),
        questions=tuple(_question(item.id, happened[item.id]) for item in document.items if asks(item)),
    )


def languages_of(session: Session, version_id: UUID) -> tuple[str, ...]:
    """List the languages in which a version's drafts ended."""
    of = SettledCounter.questionnaire_version_id == version_id
    return tuple(session.scalars(sa.select(SettledCounter.language).where(of).distinct().order_by("language")))


def sources_of(session: Session, version_id: UUID) -> tuple[UUID, ...]:
    """List the links by which people came to a version's drafts."""
    of = SettledCounter.questionnaire_version_id == version_id
    found = session.scalars(sa.select(SettledCounter.source_link_id).where(of).distinct())
    return tuple(one for one in found if one is not None)


def _reached(session: Session, version_id: UUID, wanted: Wanted) -> Counter[str]:
    rows = session.execute(
        sa.select(SettledCounter.reached, sa.func.sum(SettledCounter.count))
        .where(SettledCounter.questionnaire_version_id == version_id, *_only(SettledCounter, wanted))
        .group_by(SettledCounter.reached)
    )
    return Counter({name: int(count) for name, count in rows})


def _happened(session: Session, version_id: UUID, wanted: Wanted) -> defaultdict[str, Counter[str]]:
    rows = session.execute(
        sa.select(QuestionCounter.item, QuestionCounter.what, sa.func.sum(QuestionCounter.count))
        .where(QuestionCounter.questionnaire_version_id == version_id, *_only(QuestionCounter, wanted))
        .group_by(QuestionCounter.item, QuestionCounter.what)
    )
    happened: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for item, what, count in rows:
        happened[item][what] = int(count)
    return happened


def _only(counter: type[SettledCounter | QuestionCounter], wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    conditions = [counter.entrance != Entrance.PREVIEW]
    if wanted.source_link_id is not None:
        conditions.append(counter.source_link_id == wanted.source_link_id)
    if wanted.language:
        conditions.append(counter.language == wanted.language)
    if wanted.since is not None:
        conditions.append(counter.day >= wanted.since)
    return conditions


def _question(item: str, happened: Counter[str]) -> Question:
    answered, left = happened[ANSWERED], happened[LEFT_HERE]
    times = {
        int(name.removeprefix(WITHIN)): count for name, count in happened.items() if name.startswith(WITHIN)
    }
    told = answered >= FLOOR
    return Question(
        item=item,
        seen=Some.of(answered + left),
        answered=Some.of(answered),
        left=Some.of(left),
        left_share=left / (answered + left) if left >= FLOOR else 0.0,
        half=quantile(times, 0.5) if told else None,
        most=quantile(times, 0.9) if told else None,
    )
