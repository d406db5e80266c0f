"""Who may be counted for a study, and what is known of them, laid out for being judged all at once.

Those are the people in play for the study, by the same rule as an amendment's consequences, and those who
stay in the registry for other studies (DOMAIN 4): nobody erased, nobody who asked not to be contacted, no
test traffic. What is read here is derived and never the record.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Final
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from recruit.contact.models import Consent, ConsentScope, Purpose
from recruit.contact.wordings import wordings
from recruit.matching.consequences import in_play
from recruit.matching.models import Match
from recruit.people import queries as people
from recruit.people.models import FactRow, Person
from recruit.studies import nearby
from recruit.studies.models import Site, Study
from recruit.vocabulary import terms, vocabulary_of
from screening.facts import Facts
from screening.planes.bits import Plane, put, words_for
from screening.planes.columns import Snapshot, build_snapshot

AT_ONCE: Final = 2_000
"""Facts fetched from the database in one go."""


@dataclass(frozen=True, slots=True)
class Somebody:
    """One person who may be counted: the slot of the entry that stands for them, and where they live."""

    slot: int
    postcode: str


@dataclass(frozen=True, slots=True)
class People:
    """Who may be counted, by the entry that stands for each; and which entries are theirs."""

    roots: Mapping[UUID, Somebody]
    stands_for: Mapping[UUID, UUID]

    @property
    def size(self) -> int:
        """One more than the greatest slot."""
        return max((one.slot for one in self.roots.values()), default=-1) + 1

    def within(self, site: Site, miles: int) -> tuple[Plane, Plane]:
        """Give who lives surely, and who lives surely or perhaps, so many miles or less from a site.

        Perhaps: where they live is not known, or where the site is.
        """
        surely, perhaps = (np.zeros(words_for(self.size), dtype=np.uint64) for _ in range(2))
        away: dict[str, int | None] = {}
        for one in self.roots.values():
            if one.postcode not in away:
                away[one.postcode] = nearby.distance(site, one.postcode)
            far = away[one.postcode]
            put(perhaps, one.slot, far is None or far <= miles)
            put(surely, one.slot, far is not None and far <= miles)
        return surely, perhaps


def people_of(session: Session, study: Study, *, at: datetime) -> People:
    """List who may be counted for a study."""
    entries = session.execute(
        sa.select(
            Person.id,
            Person.slot,
            Person.merged_into_id,
            Person.postcode,
            Person.do_not_contact_at,
            sa.or_(Person.erased_at.is_not(None), Person.is_test).label("is_out"),
        )
    ).all()
    stands_for = _roots({row.id: row.merged_into_id for row in entries})
    own = {stands_for[key] for key in session.scalars(sa.select(Match.person_id).where(in_play(study.id)))}
    registered = _registered(session, stands_for, on=at.date())
    postcodes = {stands_for[row.id]: row.postcode for row in entries if row.postcode}
    roots = {
        row.id: Somebody(row.slot, row.postcode or postcodes.get(row.id, ""))
        for row in entries
        if row.merged_into_id is None
        and not row.is_out
        and (row.id in own or (row.id in registered and row.do_not_contact_at is None))
    }
    return People(roots, {key: root for key, root in stands_for.items() if root in roots})


def snapshot_of(session: Session, study: Study, counted: People, *, on: date) -> Snapshot:
    """Lay out what is known of the people of a study's pool on a day, each under the slot they keep."""
    return build_snapshot(
        _facts(session, study, counted), on=on, vocabulary=vocabulary_of(session, study.id), terms=terms()
    )


def _roots(merged: Mapping[UUID, UUID | None]) -> dict[UUID, UUID]:
    """Say for every entry which one stands for it."""
    found: dict[UUID, UUID] = {}
    for key in merged:
        root = key
        while (into := merged.get(root)) is not None:
            root = into
        found[key] = root
    return found


def _registered(session: Session, stands_for: Mapping[UUID, UUID], *, on: date) -> set[UUID]:
    """Name the people whose last word about the registry is a yes that holds."""
    rows = session.scalars(
        sa.select(Consent)
        .where(Consent.purpose == Purpose.REGISTRY, Consent.scope == ConsentScope.REGISTRY)
        .order_by(Consent.at, Consent.id)
    )
    last = {stands_for[consent.person_id]: consent for consent in rows}
    ruling = wordings(session)
    return {root for root, consent in last.items() if ruling.holds(consent, on=on)}


def _facts(session: Session, study: Study, counted: People) -> Iterator[tuple[int, Facts]]:
    """Read everybody's facts in one go through them; those of merged entries are one person's.

    What was answered to another study's questions counts only where the study may look across.
    """
    merged = _entries(counted.stands_for)
    gathered: dict[UUID, list[FactRow]] = {root: [] for root in merged.values()}
    told: set[UUID] = set()
    for person_id, rows in groupby(_rows(session, study), key=lambda row: row.person_id):
        root = counted.stands_for.get(person_id)
        if root is None:
            continue
        if root in gathered:
            gathered[root].extend(rows)
            continue
        told.add(root)
        yield counted.roots[root].slot, Facts(people.as_fact(row) for row in rows)
    for root, one in counted.roots.items():
        if root not in told:
            yield one.slot, Facts(people.as_fact(row) for row in gathered.get(root, ()))


def _rows(session: Session, study: Study) -> Iterator[FactRow]:
    query = sa.select(FactRow).options(defer(FactRow.raw_sealed)).order_by(FactRow.person_id)
    if not study.cross_study:
        query = query.where(sa.or_(FactRow.study_id.is_(None), FactRow.study_id == study.id))
    return iter(session.scalars(query.execution_options(yield_per=AT_ONCE)))


def _entries(stands_for: Mapping[UUID, UUID]) -> dict[UUID, UUID]:
    """Keep the entries of people who have several."""
    several: Collection[UUID] = {root for key, root in stands_for.items() if key != root}
    return {key: root for key, root in stands_for.items() if root in several}
