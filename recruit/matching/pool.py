"""Who may be counted for a study, and what is known of them, laid out for being judged all at once.

Those are the people in play for the study, by the same rule as an amendment's consequences, and those who
stay in the registry for other studies (DOMAIN 4): nobody erased, nobody who asked not to be contacted, no
test traffic. What is read here is derived and never the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.clock import civil_day
from recruit.contact.models import Consent, ConsentScope, Purpose
from recruit.contact.wordings import wordings
from recruit.matching.consequences import in_play
from recruit.matching.models import Match
from recruit.matching.place import FALLBACK_ZONE
from recruit.matching.snapshot import pool_snapshot, standing
from recruit.people.models import Person
from recruit.studies import nearby
from recruit.studies.models import Site, Study
from recruit.vocabulary import terms, vocabulary_of
from screening.planes.bits import Plane, put, words_for
from screening.planes.columns import Snapshot


@dataclass(frozen=True, slots=True)
class Somebody:
    """One person who may be counted: the slot of the entry that stands for them, and where they live."""

    slot: int
    postcode: str


@dataclass(frozen=True, slots=True)
class People:
    """Who may be counted, by the entry that stands for each."""

    roots: Mapping[UUID, Somebody]

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
    merged = standing({row.id: row.merged_into_id for row in entries if row.merged_into_id is not None})
    stands_for = {row.id: merged.get(row.id, row.id) for row in entries}
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
    return People(roots)


def day_of(session: Session, study: Study, *, at: datetime) -> date:
    """Give the day on which a whole pool is judged: that at the lead site (SEMANTICS 2.9)."""
    lead = session.get(Site, study.lead_site_id) if study.lead_site_id is not None else None
    return civil_day(at, lead.zone if lead is not None else FALLBACK_ZONE)


def snapshot_of(session: Session, study: Study, counted: People, *, on: date) -> Snapshot:
    """Lay out what is known of the people of a study's pool on a day, each under the slot they keep.

    What was answered to another study's questions counts only where the study may look across.
    """
    return pool_snapshot(
        session,
        on=on,
        vocabulary=vocabulary_of(session, study.id),
        terms=terms(),
        slots=sorted(one.slot for one in counted.roots.values()),
        study_id=None if study.cross_study else study.id,
    )


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
