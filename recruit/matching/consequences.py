"""What another version of the criteria would change for a study's people, before it is in force anywhere.

Everybody who is still in play is judged by the version in force at their site and by the other one, on today's
facts and day. Nothing is written. Rows are read in batches and judged when the reading is over, so that no
transaction stays open while a large pool is gone through.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.accounts.policy import Scope
from recruit.clock import civil_day
from recruit.db import Database, found, locked
from recruit.ids import new_id
from recruit.matching import assessing, queries
from recruit.matching.models import AmendmentCount, Match, Override, Triage
from recruit.matching.service import RULED_OUT, WAITING
from recruit.matching.tallies import Place, Shift, Stands, Tally, shift_of
from recruit.people import queries as people
from recruit.people.models import FactRow, Person
from recruit.referrals.models import Referral
from recruit.referrals.states import State
from recruit.studies import queries as studies
from recruit.studies import reading
from recruit.studies.models import ProtocolVersion, Site, Study, StudySite
from recruit.vocabulary import terms, vocabulary_of
from screening.assessment.amendment import Amendment, Comparison, amendment_of, compare
from screening.errors import UnknownKey
from screening.facts import Fact, Facts
from screening.language.lowering import LoweredProtocol
from screening.vocabulary import Vocabulary

IN_REQUEST: Final = 1_000
"""How many people are gone through while somebody waits for a page; beyond, a job counts.

With 18 criteria and nine facts a person, one takes 1.5 ms on one core, of which a third is reading.
"""
AT_ONCE: Final = 200
"""People read in one go."""
EVERYTHING: Final = Scope(frozenset({(None, None)}))
_ACTOR: Final = "job:amendments.count"


@dataclass(frozen=True, slots=True)
class Touched:
    """An open referral of somebody who would stand elsewhere."""

    referral_id: UUID
    study_site_id: UUID
    state: State
    shift: Shift


@dataclass(frozen=True, slots=True)
class Seen:
    """One person gone through; no comparison where the version would not be asked about them."""

    place: Place
    stands: Stands
    comparison: Comparison | None = None
    referral: Referral | None = None


def size(session: Session, study_id: UUID, scope: Scope, *, only_referred: bool = False) -> int:
    """Count the people whom a version of a study would be asked about, within a scope."""
    query = _living(study_id, scope, only_referred=only_referred)
    return session.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0


def look(
    database: Database, version_id: UUID, scope: Scope, *, at: datetime, only_referred: bool = False
) -> tuple[Tally, tuple[Touched, ...]]:
    """Go through a study's people; count what a version would change and name the open referrals it touches.

    :param only_referred: go through those alone who have an open referral
    :raises UnknownKey: when a criterion names a key that the vocabulary lacks
    """
    tally, touched = Tally.empty(), []
    for one in _seen(database, version_id, scope, at=at, only_referred=only_referred):
        tally.add(one.place, one.stands, one.comparison)
        told, referral = one.comparison, one.referral
        if told is not None and told.is_changed and referral is not None:
            shift = shift_of(told.before, told.after)
            touched.append(Touched(referral.id, referral.study_site_id, referral.state, shift))
    return tally, tuple(touched)


def ask(session: Session, version_id: UUID, *, at: datetime) -> AmendmentCount:
    """Ask for a version's consequences to be counted beside requests."""
    locked(session, ProtocolVersion, version_id)
    row = kept(session, version_id)
    if row is None:
        row = AmendmentCount(id=new_id(), protocol_version_id=version_id)
        session.add(row)
    row.asked_at = at
    session.flush()
    return row


def kept(session: Session, version_id: UUID) -> AmendmentCount | None:
    """Give what was asked for and counted last for a version."""
    return session.scalar(sa.select(AmendmentCount).where(AmendmentCount.protocol_version_id == version_id))


def is_waiting(row: AmendmentCount) -> bool:
    """Say whether a count was asked for that has not been made yet."""
    return row.counted_at is None or row.counted_at < row.asked_at


def count_asked(database: Database, *, at: datetime) -> int:
    """Count what was asked for, and keep it; criteria that cannot be judged by leave no numbers."""
    with database.reading() as session:
        asked = [row for row in session.scalars(sa.select(AmendmentCount)) if is_waiting(row)]
        hashes = [found(session, ProtocolVersion, row.protocol_version_id).sha256 for row in asked]
    for row, sha256 in zip(asked, hashes, strict=True):
        try:
            result = look(database, row.protocol_version_id, EVERYTHING, at=at)[0].to_json()
        except UnknownKey:
            result = None
        with database.transaction(actor=_ACTOR, reason="amendment:count") as session:
            own = locked(session, AmendmentCount, row.id)
            own.result, own.sha256, own.counted_at = result, sha256, max(at, row.asked_at)
    return len(asked)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a version's consequences: counted just now, or kept from when somebody asked.

    ``touched`` is nothing where even the open referrals are too many to go through for a page.
    """

    people: int
    tally: Tally | None
    touched: tuple[Touched, ...] | None
    counted_at: datetime
    is_kept: bool = False
    is_waiting: bool = False
    is_stale: bool = False


def known(database: Database, version_id: UUID, scope: Scope, *, at: datetime) -> Known:
    """Count a version's consequences, or give what was counted last where that takes longer than a page may.

    :raises UnknownKey: when a criterion names a key that the vocabulary lacks
    """
    with database.reading() as session:
        version = found(session, ProtocolVersion, version_id)
        people_, referred = (
            size(session, version.study_id, scope, only_referred=only) for only in (False, True)
        )
        row, places = kept(session, version_id), _places_within(session, version.study_id, scope)
    if people_ <= IN_REQUEST:
        tally, touched = look(database, version_id, scope, at=at)
        return Known(people_, tally, touched, at)
    few = referred <= IN_REQUEST
    named = look(database, version_id, scope, at=at, only_referred=True)[1] if few else None
    if row is None:
        return Known(people_, None, named, at, is_kept=True)
    return Known(
        people_,
        Tally.from_json(row.result).within(places) if row.result is not None else None,
        named,
        row.counted_at or row.asked_at,
        is_kept=True,
        is_waiting=is_waiting(row),
        is_stale=row.sha256 != version.sha256,
    )


def _places_within(session: Session, study_id: UUID, scope: Scope) -> set[Place]:
    """Name the study sites whose people are within a scope; no site at all needs a grant over all of them."""
    query = sa.select(StudySite.id).where(StudySite.study_id == study_id, studies.within(scope))
    places: set[Place] = set(session.scalars(query))
    return {*places, None} if scope.covers(site_id=None, study_id=study_id) else places


def _seen(
    database: Database, version_id: UUID, scope: Scope, *, at: datetime, only_referred: bool
) -> Iterator[Seen]:
    with database.reading() as session:
        study_id = found(session, ProtocolVersion, version_id).study_id
        setting = _Setting.of(session, version_id, at=at)
        rows = session.execute(_living(study_id, scope, only_referred=only_referred)).all()
        keys = list(_once_each(session, [(row.id, row.person_id, row.merged_into_id) for row in rows]))
    for first in range(0, len(keys), AT_ONCE):
        with database.reading() as session:
            somebody = _read(session, keys[first : first + AT_ONCE], setting)
        for one in somebody:
            yield setting.see(one)


def in_play(study_id: UUID) -> sa.ColumnElement[bool]:
    """Keep the matches of a study that wait, are referred, or were closed by nothing but a criterion."""
    by_rule = sa.and_(Match.triage == Triage.CLOSED, Match.closed_reason == RULED_OUT)
    stands = sa.or_(Match.triage.in_(WAITING | {Triage.REFERRED}), by_rule)
    return sa.and_(Match.study_id == study_id, Match.is_test.is_(False), stands)


def _living(study_id: UUID, scope: Scope, *, only_referred: bool) -> sa.Select[UUID, UUID, UUID | None]:
    """Choose who is in play within a scope; open work first."""
    order = sa.case((Match.triage == Triage.REFERRED, 0), (Match.triage == Triage.CLOSED, 2), else_=1)
    query = (
        sa.select(Match.id, Match.person_id, Person.merged_into_id)
        .join(Person, Person.id == Match.person_id)
        .outerjoin(StudySite, StudySite.id == Match.study_site_id)
        .where(in_play(study_id), Person.erased_at.is_(None))
        .where(_within(scope))
        .order_by(order, Match.arrived_at, Match.id)
    )
    return query.where(_open_referral()) if only_referred else query


def _open_referral() -> sa.ColumnElement[bool]:
    return sa.exists().where(Referral.match_id == Match.id, *_standing())


def _standing() -> tuple[sa.ColumnElement[bool], ...]:
    return Referral.closed_at.is_(None), Referral.is_test.is_(False)


def _within(scope: Scope) -> sa.ColumnElement[bool]:
    """Keep matches within a scope; one without a site needs a grant over all sites of the study."""
    if scope.is_everything:
        return sa.true()
    pairs = []
    for site_id, study_id in scope.pairs:
        site = StudySite.site_id == site_id if site_id is not None else sa.true()
        study = Match.study_id == study_id if study_id is not None else sa.true()
        pairs.append(sa.and_(site, study))
    return sa.or_(sa.false(), *pairs)


def _once_each(session: Session, rows: Iterable[tuple[UUID, UUID, UUID | None]]) -> Iterator[UUID]:
    """Keep one match for each person: merged entries may each have one."""
    known: set[UUID] = set()
    for match_id, person_id, merged_into_id in rows:
        root = person_id if merged_into_id is None else people.root_of(session, person_id)
        if root not in known:
            known.add(root)
            yield match_id


@dataclass(frozen=True, slots=True)
class _Here:
    """What people are judged by at one study site: its day, its version in force, and the comparison."""

    day: date
    old: ProtocolVersion | None
    amendment: Amendment | None
    closed: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Somebody:
    """One person with what they are judged by."""

    place: Place
    has_signed: bool
    facts: Facts
    said: Mapping[str, bool]
    referral: Referral | None


@dataclass(frozen=True, slots=True)
class _Setting:
    """What is the same for everybody in one going-through."""

    study_id: UUID
    cross_study: bool
    vocabulary: Vocabulary
    places: Mapping[Place, _Here]

    @classmethod
    def of(cls, session: Session, version_id: UUID, *, at: datetime) -> _Setting:
        new = found(session, ProtocolVersion, version_id)
        study = found(session, Study, new.study_id)
        vocabulary = vocabulary_of(session, study.id)
        made: dict[UUID, Amendment] = {}

        def here(zone: str, old: ProtocolVersion | None, study_site_id: Place) -> _Here:
            amendment = None
            if old is not None and old.number < new.number:
                if old.id not in made:
                    made[old.id] = laid_beside(old, new, vocabulary=vocabulary)
                amendment = made[old.id]
            closed = queries.closed_cohorts(session, study.id, at=at, study_site_id=study_site_id)
            return _Here(civil_day(at, zone), old, amendment, closed)

        places: dict[Place, _Here] = {}
        for study_site_id, zone in session.execute(_sites_of(study.id)):
            used = studies.in_force(session, study_site_id, on=civil_day(at, zone))
            places[study_site_id] = here(zone, used.protocol if used else None, study_site_id)
        first = next(iter(studies.open_sites(session, study, at=at)), None)
        if first is not None:
            places[None] = here(first.site.zone, first.in_force.protocol, None)
        return cls(study.id, study.cross_study, vocabulary, places)

    def see(self, one: _Somebody) -> Seen:
        """Compare what the two versions say of somebody."""
        here = self.places.get(one.place)
        if one.has_signed:
            return Seen(one.place, Stands.SIGNED)
        if here is None or here.old is None:
            return Seen(one.place, Stands.NOTHING_IN_FORCE)
        if here.amendment is None:
            return Seen(one.place, Stands.ON_IT)
        comparison = compare(
            here.amendment,
            one.facts,
            on=here.day,
            vocabulary=self.vocabulary,
            terms=terms(),
            closed_cohorts=here.closed,
            said=one.said,
        )
        return Seen(one.place, Stands.JUDGED, comparison, one.referral)


def _sites_of(study_id: UUID) -> sa.Select[UUID, str]:
    query = sa.select(StudySite.id, Site.zone).join(Site, Site.id == StudySite.site_id)
    return query.where(StudySite.study_id == study_id)


def laid_beside(old: ProtocolVersion, new: ProtocolVersion, *, vocabulary: Vocabulary) -> Amendment:
    """Lay a version beside an older one.

    :raises UnknownKey: when a criterion names a key that the vocabulary lacks
    """
    return amendment_of(_lowered(old, vocabulary), _lowered(new, vocabulary))


def _lowered(version: ProtocolVersion, vocabulary: Vocabulary) -> LoweredProtocol:
    return reading.lowered_of(version, vocabulary=vocabulary, terms=terms())


def _read(session: Session, keys: Sequence[UUID], setting: _Setting) -> list[_Somebody]:
    """Read some people with a handful of queries."""
    matches = session.scalars(sa.select(Match).where(Match.id.in_(keys))).all()
    facts = _facts_of(
        session,
        {match.person_id for match in matches if match.signed_version_id is None},
        study_id=None if setting.cross_study else setting.study_id,
    )
    overrides: defaultdict[UUID, list[Override]] = defaultdict(list)
    for row in session.scalars(
        sa.select(Override).where(Override.match_id.in_(keys), Override.lapsed_at.is_(None))
    ):
        overrides[row.match_id].append(row)
    referrals = {
        row.match_id: row
        for row in session.scalars(sa.select(Referral).where(Referral.match_id.in_(keys), *_standing()))
    }
    return [
        _Somebody(
            match.study_site_id,
            match.signed_version_id is not None,
            held := facts.get(match.person_id, Facts()),
            _holding(overrides[match.id], held, setting.places.get(match.study_site_id)),
            referrals.get(match.id),
        )
        for match in matches
    ]


def _holding(overrides: Sequence[Override], facts: Facts, here: _Here | None) -> dict[str, bool]:
    """Give staff's verdicts that hold: made by the version in force and on these facts."""
    if not overrides or here is None or here.old is None:
        return {}
    seen = assessing.facts_hash(facts)
    holding = [one for one in overrides if (one.protocol_version_id, one.facts_hash) == (here.old.id, seen)]
    return {one.lineage_id: one.passes for one in holding}


def _facts_of(session: Session, person_ids: Collection[UUID], *, study_id: UUID | None) -> dict[UUID, Facts]:
    """Collect what is known about some people over all merged entries, as ``people.facts_of`` does for one."""
    roots = _roots(session, person_ids)
    stands_for = _members(session, set(roots.values()))
    query = sa.select(FactRow).where(FactRow.person_id.in_(stands_for))
    if study_id is not None:
        query = query.where(sa.or_(FactRow.study_id.is_(None), FactRow.study_id == study_id))
    told: defaultdict[UUID, list[Fact]] = defaultdict(list)
    for row in session.scalars(query):
        told[stands_for[row.person_id]].append(people.as_fact(row))
    return {person_id: Facts(told[root]) for person_id, root in roots.items()}


def _roots(session: Session, person_ids: Collection[UUID]) -> dict[UUID, UUID]:
    query = sa.select(Person.id, Person.merged_into_id).where(Person.id.in_(person_ids))
    merged = {person_id: into for person_id, into in session.execute(query)}
    return {key: key if into is None else people.root_of(session, key) for key, into in merged.items()}


def _members(session: Session, roots: Collection[UUID]) -> dict[UUID, UUID]:
    """Say for every entry of these people which one stands for it."""
    stands_for = {root: root for root in roots}
    fringe = set(stands_for)
    while fringe:
        query = sa.select(Person.id, Person.merged_into_id).where(Person.merged_into_id.in_(fringe))
        below = {
            key: into for key, into in session.execute(query) if into is not None and key not in stands_for
        }
        stands_for |= {key: stands_for[into] for key, into in below.items()}
        fringe = set(below)
    return stands_for
