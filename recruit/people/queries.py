"""Read persons: who they are together with their merged entries, how to reach them, what is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from recruit.contact.models import Suppression
from recruit.db import Database
from recruit.errors import NotFound
from recruit.keys import vault_of
from recruit.people import names
from recruit.people.models import ContactKind, ContactPoint, FactRow, Person, PersonContact, SearchToken
from screening.facts import EvidenceSource, Fact, Facts, value_from_json
from screening.intervals import DateRange

_MAX_MERGES = 50


@dataclass(frozen=True, slots=True)
class Known:
    """Who somebody is, opened."""

    given: str
    family: str
    say: str
    birth: date | None

    @property
    def full_name(self) -> str:
        """Write the name; a person without one is called that."""
        return " ".join(part for part in (self.given, self.family) if part) or "Name not given"


@dataclass(frozen=True, slots=True)
class Reachable:
    """One way to reach a person, opened."""

    link: PersonContact
    point: ContactPoint
    address: str
    shared_with: int


def address_token(session: Session, kind: ContactKind, address: str) -> bytes:
    """Give the keyed fingerprint under which an address is kept, or would be.

    While the master key is changed, and for a closed address that outlived its person, this is an older one.
    """
    database: Database = session.info["database"]
    tokens = [token for _, token in database.keyring.fingerprints(f"address.{kind.value}", address)]
    if len(tokens) == 1:
        return tokens[0]
    kept = set(
        session.scalars(
            sa.select(ContactPoint.address_token)
            .where(ContactPoint.kind == kind, ContactPoint.address_token.in_(tokens))
            .union(sa.select(Suppression.address_token).where(Suppression.address_token.in_(tokens)))
        )
    )
    return next((token for token in tokens if token in kept), tokens[0])


def root_of(session: Session, person_id: UUID) -> UUID:
    """Give the entry that stands for a person after all merges.

    :raises NotFound: there is no such person
    """
    current = person_id
    for _ in range(_MAX_MERGES):
        person = session.get(Person, current)
        if person is None:
            raise NotFound("There is no such person.")
        if person.merged_into_id is None:
            return current
        current = person.merged_into_id
    raise NotFound("There is no such person.")


def cluster_of(session: Session, root_id: UUID) -> frozenset[UUID]:
    """List all entries that are one person, the root among them."""
    members = {root_id}
    fringe = {root_id}
    while fringe:
        found = session.scalars(sa.select(Person.id).where(Person.merged_into_id.in_(fringe)))
        fringe = set(found) - members
        members |= fringe
    return frozenset(members)


def identity_of(session: Session, person: Person) -> Known:
    """Open who somebody is.

    :raises Unreadable: the person has been erased
    """
    vault = vault_of(session)

    def opened(column: str, sealed: bytes | None) -> str:
        return vault.open(person.id, "person", column, person.id, sealed) or ""

    birth = opened("birth_sealed", person.birth_sealed)
    return Known(
        given=opened("given_sealed", person.given_sealed),
        family=opened("family_sealed", person.family_sealed),
        say=opened("say_sealed", person.say_sealed),
        birth=date.fromisoformat(birth) if birth else None,
    )


def names_of(session: Session, person_ids: Iterable[UUID]) -> dict[UUID, Known]:
    """Open many people's names with two queries; erased ones are left out."""
    wanted = set(person_ids)
    vault_of(session).load(wanted)
    people = session.scalars(sa.select(Person).where(Person.id.in_(wanted), Person.erased_at.is_(None)))
    return {person.id: identity_of(session, person) for person in people}


def contacts_of(session: Session, person_ids: Iterable[UUID]) -> list[Reachable]:
    """List the live ways to reach a person, preferred and verified first."""
    members = set(person_ids)
    other = aliased(PersonContact)
    sharing = (
        sa.select(sa.func.count(sa.distinct(other.person_id)))
        .where(other.contact_point_id == ContactPoint.id, other.ended_at.is_(None))
        .where(other.person_id.not_in(members))
        .scalar_subquery()
    )
    rows = session.execute(
        sa.select(PersonContact, ContactPoint, sharing.label("shared"))
        .join(ContactPoint, ContactPoint.id == PersonContact.contact_point_id)
        .where(PersonContact.person_id.in_(members), PersonContact.ended_at.is_(None))
        .order_by(PersonContact.preferred.desc(), PersonContact.verified_at.is_(None), PersonContact.added_at)
    ).all()
    vault = vault_of(session)
    vault.load({row.ContactPoint.id for row in rows})
    return [_reachable(session, row.PersonContact, row.ContactPoint, row.shared) for row in rows]


def _reachable(session: Session, link: PersonContact, point: ContactPoint, shared: int) -> Reachable:
    address = vault_of(session).open(
        point.id, "contact_point", "address_sealed", point.id, point.address_sealed
    )
    return Reachable(link=link, point=point, address=address or "", shared_with=shared)


def people_at(session: Session, kind: ContactKind, address: str) -> list[Person]:
    """List everybody who can be reached at an address, merged entries included."""
    token = address_token(session, kind, address)
    return list(
        session.scalars(
            sa.select(Person)
            .join(PersonContact, PersonContact.person_id == Person.id)
            .join(ContactPoint, ContactPoint.id == PersonContact.contact_point_id)
            .where(ContactPoint.kind == kind, ContactPoint.address_token == token)
            .where(PersonContact.ended_at.is_(None), Person.erased_at.is_(None))
            .distinct()
        )
    )


def search_by_name(session: Session, typed: str, *, limit: int = 50) -> list[UUID]:
    """Find people by the words of a name; every word must match whole or by its first letters."""
    database: Database = session.info["database"]
    query = sa.select(Person.id).where(Person.erased_at.is_(None))
    groups = names.query_keys(typed)
    if not groups:
        return []
    for group in groups:
        tokens = [
            (kind, fingerprint)
            for kind, value in group
            for _, fingerprint in database.keyring.fingerprints(f"name.{kind}", value)
        ]
        matches = sa.or_(
            *(sa.and_(SearchToken.kind == kind, SearchToken.token == token) for kind, token in tokens)
        )
        query = query.where(Person.id.in_(sa.select(SearchToken.person_id).where(matches)))
    return list(session.scalars(query.limit(limit)))


def facts_of(session: Session, person_ids: Iterable[UUID], *, study_id: UUID | None = None) -> Facts:
    """Collect what is known about a person over all merged entries, without the sealed raw words.

    :param study_id: leave out what was answered to another study's questions
    """
    query = sa.select(FactRow).where(FactRow.person_id.in_(set(person_ids)))
    if study_id is not None:
        query = query.where(sa.or_(FactRow.study_id.is_(None), FactRow.study_id == study_id))
    return Facts(as_fact(row) for row in session.scalars(query))


def as_fact(row: FactRow) -> Fact:
    """Read a row as the core's fact."""
    return Fact(
        id=row.id,
        key=row.key,
        value=None if row.only_retracts else value_from_json(row.value),
        raw="",
        observed=DateRange(row.observed_lo, row.observed_hi),
        recorded_at=row.recorded_at,
        source=EvidenceSource(row.source),
        retracts=row.retracts_id,
    )
