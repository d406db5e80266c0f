"""A protocol over the pool: how many it leaves, what each criterion takes, what another limit would bring.

The pool is read and judged before the transaction that writes, so that nothing waits for it; which numbers
may be shown is decided within, one coordinator after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise, starmap
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.clock import civil_day
from recruit.db import Database, found
from recruit.errors import Invalid, NotFound
from recruit.matching import pool
from recruit.matching.counted import Book, Subject, question
from recruit.matching.figures import MILES, Asked, Bounds, Counted, Figure, Nearby, Taken, Tried, meaning
from recruit.matching.models import FeasibilityCount
from recruit.studies import reading, versions
from recruit.studies.models import ProtocolVersion, Site, Study, StudySite
from recruit.vocabulary import terms, vocabulary_of
from screening.feasibility import Effect, Feasibility, Passing, Sets, feasibility
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

    about: Subject
    asked: Asked
    on: date
    meanings: tuple[str, ...]
    found: Feasibility
    near: Sets
    sites: tuple[tuple[Around, Feasibility], ...]
    tried: Feasibility | None
    tried_meanings: tuple[str, ...]


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
    return setting.laid(asked)


def keep(session: Session, laid: Laid, *, at: datetime) -> FeasibilityCount:
    """Decide which numbers may be shown, and keep them with the sets behind them."""
    book = Book.opened(session, on=laid.on)
    counted = _Telling(book, laid).counted()
    return book.close(session, laid.about, asked=laid.asked.to_json(), result=counted.to_json(), at=at)


@dataclass(frozen=True, slots=True)
class _Setting:
    """What is read once and judged by afterwards."""

    about: Subject
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
            Subject(study.id, version.id, version.sha256),
            on,
            vocabulary,
            pool.snapshot_of(session, study, people, on=on),
            reading.lowered_of(version, vocabulary=vocabulary, terms=terms()),
            lower(tried, resolver=Resolver(vocabulary, terms())) if tried is not None else None,
            sites,
        )

    def laid(self, asked: Asked) -> Laid:
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
            self.about,
            asked,
            self.on,
            _meanings(self.lowered.protocol, asked.cohort),
            self._over(near, own),
            near,
            tuple((one, self._over(one.near, by_day[one.on])) for one in self.sites),
            self._over(near, tried) if tried else None,
            _meanings(self.tried.protocol, asked.cohort) if self.tried else (),
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


def _of(protocol: Protocol, cohort: str) -> list[Criterion]:
    """Choose the criteria that everybody has to pass, and those of one cohort."""
    return [one for one in protocol.criteria if not one.cohorts or cohort in one.cohorts]


def _meanings(protocol: Protocol, cohort: str) -> tuple[str, ...]:
    return tuple(meaning(one, protocol.anchors) for one in _of(protocol, cohort))


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
    return pool.day_of(session, study, at=at)


@dataclass(frozen=True, slots=True)
class _Telling:
    """Sends every set of people through the book: the most wanted first, because they may hide later ones.

    Who there is comes first, because all else is measured by it; then who passes everything, what another
    limit brings, what each criterion takes in order, then each by itself, at last site by site. The order
    never looks at a number. A question is named by whom its criteria let pass and not by the version they
    stand in, so that a version changed elsewhere is answered as before.
    """

    book: Book
    laid: Laid

    def counted(self) -> Counted:
        """Give all numbers of a count as they may be shown."""
        laid = self.laid
        whole = self.book.figure(question(str(laid.about.study_id), "pool"), laid.found.pool)
        people = self._bounds(laid.near, "near")
        left = self._left(laid.found.left, laid.near, laid.meanings)
        tried = self._tried(laid.tried) if laid.tried is not None else None
        taken = self._taken()
        sites = tuple(self._nearby(around, over) for around, over in laid.sites)
        return Counted(laid.on, whole, people, left, taken, sites, tried)

    @property
    def _place(self) -> tuple[str, ...]:
        asked = self.laid.asked
        return _place(asked.study_site_id, asked.miles) if asked.study_site_id else ("",)

    def _name(self, *parts: object, place: tuple[str, ...] | None = None) -> str:
        return question(str(self.laid.about.study_id), *(self._place if place is None else place), *parts)

    def _bounds(self, sets: Sets, *name: object) -> Bounds:
        return self.book.bounds(self._name(*name), sets)

    def _left(
        self, left: Sets, near: Sets, meanings: Iterable[str], *, place: tuple[str, ...] | None = None
    ) -> Bounds:
        name = self._name("left", *sorted(set(meanings)), place=place)
        return self.book.bounds(name, left, of=near.possibly)

    def _taken(self) -> tuple[Taken, ...]:
        """Tell what each criterion takes; where people live, which stands before all, is no criterion."""
        laid, effects, own = self.laid, self.laid.found.effects[1:], self.laid.meanings
        upto = [sorted(set(own[: place + 1])) for place in range(len(own))]
        here = [
            self._here(before, one, place) for place, (before, one) in enumerate(pairwise(laid.found.effects))
        ]
        lefts = [self._left(one.left, laid.near, names) for one, names in zip(effects, upto, strict=True)]
        alone = [
            self._bounds(_common(laid.near, one.alone), "alone", name)
            for one, name in zip(effects, own, strict=True)
        ]
        only = [self._bounds(one.only, "only", name, upto[-1]) for one, name in zip(effects, own, strict=True)]
        names = (one.criterion for one in effects)
        return tuple(starmap(Taken, zip(names, here, lefts, alone, only, strict=True)))

    def _here(self, before: Effect, one: Effect, place: int) -> Figure:
        """Tell whom a criterion surely takes out of those whom none before it surely took."""
        own = self.laid.meanings
        name = self._name("here", own[place], sorted(set(own[:place])))
        return self.book.figure(name, before.left.possibly & ~one.left.possibly)

    def _nearby(self, around: Around, over: Feasibility) -> Nearby:
        place = _place(around.study_site_id, self.laid.asked.miles)
        people = self.book.bounds(self._name("near", place=place), around.near)
        left = self._left(over.left, around.near, self.laid.meanings, place=place)
        return Nearby(around.study_site_id, people, left)

    def _tried(self, after: Feasibility) -> Tried:
        laid, before = self.laid, self.laid.found
        between = (sorted(laid.meanings), sorted(laid.tried_meanings))
        return Tried(
            laid.asked.criterion,
            laid.asked.rule,
            self._left(after.left, laid.near, laid.tried_meanings),
            self._bounds(after.left.without(before.left), "gained", *between),
            self._bounds(before.left.without(after.left), "lost", *between),
        )


def _place(study_site_id: UUID, miles: int) -> tuple[str, ...]:
    return str(study_site_id), str(miles)


def _common(one: Sets, other: Sets) -> Sets:
    return Sets(one.surely & other.surely, one.possibly & other.possibly)
