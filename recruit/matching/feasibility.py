"""A protocol over the pool: how many it leaves, what each criterion takes, what another limit would bring.

The pool is read and judged before the transaction that writes, so that nothing waits for it; which numbers
may be shown is decided within, one coordinator after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.clock import civil_day
from recruit.db import Database, actor_of, found
from recruit.errors import Invalid, NotFound
from recruit.ids import new_id
from recruit.matching import pool
from recruit.matching.counted import Book, pack, question
from recruit.matching.figures import MILES, Asked, Bounds, Counted, Nearby, Taken, Tried
from recruit.matching.models import FeasibilityCount
from recruit.matching.place import FALLBACK_ZONE
from recruit.studies import reading, versions
from recruit.studies.models import ProtocolVersion, Site, Study, StudySite
from recruit.vocabulary import terms, vocabulary_of
from screening.feasibility import Feasibility, Passing, Sets, feasibility
from screening.language.lowering import LoweredProtocol, lower
from screening.language.protocol import Criterion, Protocol
from screening.language.questions import Resolver
from screening.planes.columns import Snapshot
from screening.planes.pool import Pool
from screening.vocabulary import Vocabulary

_PLACE: Final = ""
"""Stands for where people live among the criteria; it comes before all of them."""


@dataclass(frozen=True, slots=True)
class Around:
    """A study site with the day there, and who lives near it."""

    study_site_id: UUID
    on: date
    near: Sets


@dataclass(frozen=True, slots=True)
class Laid:
    """A protocol laid over the pool, by person; nothing of it may be shown before it went through the book."""

    study_id: UUID
    version_id: UUID
    sha256: str
    asked: Asked
    on: date
    name: tuple[str, ...]
    found: Feasibility
    near: Sets
    sites: tuple[tuple[Around, Feasibility], ...]
    tried: Feasibility | None
    tried_name: tuple[str, ...]


def lay(database: Database, version_id: UUID, asked: Asked, *, at: datetime) -> Laid:
    """Judge everybody who may be counted by a version of a study's criteria, each site's people on its day.

    :raises NotFound: the study has no such site, cohort or criterion
    :raises Invalid: the distance is none of those offered
    :raises NotationError: the rule to be tried cannot be read
    :raises UnknownKey: when a criterion names a key that the vocabulary lacks
    """
    if asked.miles not in MILES:
        raise Invalid("Select one from the list.", field="miles")
    with database.reading() as session:
        setting = _Setting.of(session, version_id, asked, at=at)
    return setting.laid(version_id, asked)


def keep(session: Session, laid: Laid, *, at: datetime) -> FeasibilityCount:
    """Decide which numbers may be shown, and keep them with the sets behind them."""
    book = Book.opened(session, on=laid.on)
    counted = _Telling(book, laid).counted()
    row = FeasibilityCount(
        id=new_id(),
        place=book.rows,
        study_id=laid.study_id,
        protocol_version_id=laid.version_id,
        sha256=laid.sha256,
        asked=laid.asked.to_json(),
        result=counted.to_json(),
        told=book.new,
        sets=pack(book.register.new),
        asked_at=at,
        asked_by=actor_of(session),
    )
    session.add(row)
    session.flush()
    return row


@dataclass(frozen=True, slots=True)
class _Setting:
    """What is read once and judged by afterwards."""

    study_id: UUID
    sha256: str
    on: date
    vocabulary: Vocabulary
    snapshot: Snapshot
    lowered: LoweredProtocol
    tried: LoweredProtocol | None
    sites: tuple[Around, ...]

    @classmethod
    def of(cls, session: Session, version_id: UUID, asked: Asked, *, at: datetime) -> _Setting:
        version = found(session, ProtocolVersion, version_id)
        study = found(session, Study, version.study_id)
        vocabulary = vocabulary_of(session, study.id)
        protocol = reading.protocol_of(version)
        if asked.cohort and asked.cohort not in {one.id for one in protocol.cohorts}:
            raise NotFound("There is no such cohort.")
        tried = _tried(session, study.id, protocol, asked)
        people = pool.people_of(session, study, at=at)
        sites = tuple(_around(session, study.id, people, asked.miles, at=at))
        on = _day(session, study, sites, asked, at=at)
        return cls(
            study.id,
            version.sha256,
            on,
            vocabulary,
            pool.snapshot_of(session, study, people, on=on),
            reading.lowered_of(version, vocabulary=vocabulary, terms=terms()),
            lower(tried, resolver=Resolver(vocabulary, terms())) if tried is not None else None,
            sites,
        )

    def laid(self, version_id: UUID, asked: Asked) -> Laid:
        """Judge the people by the criteria, and by the one to be tried instead of its own."""
        judged = Pool(self.snapshot, terms=terms())
        everybody = Sets(self.snapshot.present, self.snapshot.present)
        near = next((one.near for one in self.sites if one.study_site_id == asked.study_site_id), everybody)
        by_day = {
            on: self._passing(judged, self.lowered, asked, on=on)
            for on in {self.on, *(one.on for one in self.sites)}
        }
        own = by_day[self.on]
        tried = self.tried and self._passing(judged, self.tried, asked, on=self.on, but=own)
        return Laid(
            self.study_id,
            version_id,
            self.sha256,
            asked,
            self.on,
            self._name(asked, self.lowered),
            self._over(near, own),
            near,
            tuple((one, self._over(one.near, by_day[one.on])) for one in self.sites),
            self._over(near, tried) if tried else None,
            self._name(asked, self.tried) if self.tried else (),
        )

    def _over(self, near: Sets, criteria: Sequence[Passing]) -> Feasibility:
        return feasibility(self.snapshot.present, [Passing(_PLACE, near.surely, near.possibly), *criteria])

    def _passing(
        self, judged: Pool, lowered: LoweredProtocol, asked: Asked, *, on: date, but: Sequence[Passing] = ()
    ) -> list[Passing]:
        """Judge criterion by criterion; with `but`, only the one to be tried anew."""
        done = {one.criterion: one for one in but if one.criterion != asked.criterion}
        return [
            done[one.id] if one.id in done else self._judged(judged, lowered, one.id, on=on)
            for one in _of(lowered.protocol, asked.cohort)
        ]

    def _judged(self, judged: Pool, lowered: LoweredProtocol, criterion: str, *, on: date) -> Passing:
        planes = judged.criterion(lowered, criterion, on=on, vocabulary=self.vocabulary)
        return Passing(criterion, *planes.passes)

    def _name(self, asked: Asked, lowered: LoweredProtocol) -> tuple[str, ...]:
        return str(self.study_id), lowered.digest, asked.cohort


def _of(protocol: Protocol, cohort: str) -> list[Criterion]:
    """Choose the criteria that everybody has to pass, and those of one cohort."""
    return [one for one in protocol.criteria if not one.cohorts or cohort in one.cohorts]


def _tried(session: Session, study_id: UUID, protocol: Protocol, asked: Asked) -> Protocol | None:
    if not asked.criterion:
        return None
    if asked.criterion not in {one.id for one in _of(protocol, asked.cohort)}:
        raise NotFound("This version has no such criterion.")
    rule = versions.read_rule(session, study_id, asked.rule)
    criteria = (
        one.model_copy(update={"rule": rule}) if one.id == asked.criterion else one for one in protocol.criteria
    )
    return protocol.model_copy(update={"criteria": tuple(criteria)})


def _around(
    session: Session, study_id: UUID, people: pool.People, miles: int, *, at: datetime
) -> Iterator[Around]:
    rows = session.execute(
        sa.select(StudySite.id, Site)
        .join(Site, Site.id == StudySite.site_id)
        .where(StudySite.study_id == study_id)
        .order_by(Site.name, Site.id)
    )
    for study_site_id, site in rows:
        yield Around(study_site_id, civil_day(at, site.zone), Sets(*people.within(site, miles)))


def _day(session: Session, study: Study, sites: Sequence[Around], asked: Asked, *, at: datetime) -> date:
    """Give the day at the site that was asked about; for the whole pool, at the lead site (SEMANTICS 2.9)."""
    if asked.study_site_id is not None:
        here = next((one for one in sites if one.study_site_id == asked.study_site_id), None)
        if here is None:
            raise NotFound("There is no such study site.")
        return here.on
    lead = session.get(Site, study.lead_site_id) if study.lead_site_id is not None else None
    return civil_day(at, lead.zone if lead is not None else FALLBACK_ZONE)


@dataclass(frozen=True, slots=True)
class _Telling:
    """Sends every set of people through the book: the most wanted first, because they may hide later ones."""

    book: Book
    laid: Laid

    def counted(self) -> Counted:
        """Give all numbers of a count as they may be shown."""
        laid = self.laid
        whole = self.book.figure(question(str(laid.study_id), "pool"), laid.found.pool)
        people = self._bounds(laid.near, str(laid.study_id), *self._place, "near")
        left = self._bounds(laid.found.left, *laid.name, *self._place, "left")
        sites = tuple(self._nearby(around, over) for around, over in laid.sites)
        tried = self._tried(laid.tried) if laid.tried is not None else None
        return Counted(laid.on, whole, people, left, self._taken(), sites, tried)

    @property
    def _place(self) -> tuple[str, ...]:
        asked = self.laid.asked
        return _place(asked.study_site_id, asked.miles) if asked.study_site_id else ("",)

    def _bounds(self, sets: Sets, *name: str) -> Bounds:
        return self.book.bounds(question(*name), sets)

    def _taken(self) -> tuple[Taken, ...]:
        """Tell what each criterion takes; where people live, which stands before all, is no criterion."""
        laid, effects = self.laid, self.laid.found.effects[1:]

        def told(what: str, sets: Iterable[Sets]) -> list[Bounds]:
            return [
                self._bounds(one, *laid.name, *self._place, effect.criterion, what)
                for one, effect in zip(sets, effects, strict=True)
            ]

        lefts = told("left", (one.left for one in effects))
        alone = told("alone", (_common(laid.near, one.alone) for one in effects))
        only = told("only", (one.only for one in effects))
        return tuple(
            Taken(one.criterion, *parts) for one, *parts in zip(effects, alone, only, lefts, strict=True)
        )

    def _nearby(self, around: Around, over: Feasibility) -> Nearby:
        place = _place(around.study_site_id, self.laid.asked.miles)
        people = self._bounds(around.near, str(self.laid.study_id), *place, "near")
        left = self._bounds(over.left, *self.laid.name, *place, "left")
        return Nearby(around.study_site_id, people, left)

    def _tried(self, after: Feasibility) -> Tried:
        laid, before = self.laid, self.laid.found
        between = (*laid.name, *laid.tried_name, *self._place)
        return Tried(
            laid.asked.criterion,
            laid.asked.rule,
            self._bounds(after.left, *laid.tried_name, *self._place, "left"),
            self._bounds(after.left.without(before.left), *between, "gained"),
            self._bounds(before.left.without(after.left), *between, "lost"),
        )


def _place(study_site_id: UUID, miles: int) -> tuple[str, ...]:
    return str(study_site_id), str(miles)


def _common(one: Sets, other: Sets) -> Sets:
    return Sets(one.surely & other.surely, one.possibly & other.possibly)
