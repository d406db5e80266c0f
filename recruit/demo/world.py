"""The places and studies of the demonstration while it is being made, by id, with what every step needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from random import Random
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from recruit.db import set_audit_context
from recruit.demo.catalogue import SiteData, StudyData
from recruit.studies.calendar import Calendar
from recruit.studies.models import (
    ProtocolVersion,
    QuestionnaireVersion,
    Site,
    Study,
    StudySite,
    StudySiteStatus,
)
from screening.asking.questionnaire import Document
from screening.language.protocol import Protocol


@dataclass(frozen=True, slots=True)
class Place:
    """A site in a study, and from when to when it takes people."""

    study_site_id: UUID
    site_id: UUID
    data: SiteData
    calendar: Calendar
    status: StudySiteStatus
    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True)
class Stage:
    """A study with its places, its questions and its criteria."""

    key: str
    study_id: UUID
    data: StudyData
    version_id: UUID
    document: Document
    protocol: Protocol
    places: tuple[Place, ...]
    opens: datetime

    def places_at(self, at: datetime) -> tuple[Place, ...]:
        """List the places that took people at a moment."""
        return tuple(place for place in self.places if place.opens <= at < place.closes)


@dataclass(frozen=True, slots=True)
class Source:
    """Where people come from: a link's code, how many come by it, and how good they are."""

    code: str
    link_id: UUID
    weight: float
    quality: float


@dataclass(frozen=True, slots=True)
class Staff:
    """Who acts: the accounts by a short name, and the recruiters of the call team."""

    accounts: dict[str, UUID]

    @property
    def callers(self) -> tuple[UUID, ...]:
        """List the accounts that call."""
        return tuple(key for name, key in sorted(self.accounts.items()) if name.startswith("recruiter"))


@dataclass(frozen=True, slots=True)
class World:
    """All that stands before the first person comes."""

    stages: tuple[Stage, ...]
    staff: Staff
    sources: dict[str, tuple[Source, ...]]
    chance: Random
    now: datetime

    def stage(self, key: str) -> Stage:
        """Give a study by its short name."""
        return next(stage for stage in self.stages if stage.key == key)

    def place(self, key: str, city: str) -> Place:
        """Give a study's place in a city."""
        return next(place for place in self.stage(key).places if place.data.city == city)


class Hold:
    """Keeps rows at hand: those that nearly every step reads, and those of the person whose turn it is.

    A session forgets a row that nobody names any more and has to fetch it again. Here nobody else writes, so
    what it holds stays true (``recruit.db.locked``).
    """

    def __init__(self, session: Session) -> None:
        session.info["alone"] = True
        self._everywhere: list[object] = []
        for model in (Study, Site, StudySite, ProtocolVersion, QuestionnaireVersion):
            self._everywhere += session.scalars(sa.select(model)).all()
        self._rows: list[object] = []
        event.listen(session, "pending_to_persistent", self._keep)
        event.listen(session, "loaded_as_persistent", self._keep)

    def release(self) -> None:
        """Let go of a person's rows when the next one comes."""
        self._rows.clear()

    def _keep(self, _session: Session, row: object) -> None:
        self._rows.append(row)


@contextmanager
def acting(session: Session, actor: str, reason: str) -> Iterator[None]:
    """Let somebody else act for a while: one transaction holds the days of many people."""
    before = session.info["actor"]
    session.flush()
    _act(session, actor, reason)
    try:
        yield
        session.flush()
    finally:
        _act(session, before, "demo")


def _act(session: Session, actor: str, reason: str) -> None:
    session.info["actor"] = actor
    set_audit_context(session.connection(), actor=actor, reason=reason, request_id="")
