"""Write persons, their contact points and their facts."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recruit.addresses import find_place
from recruit.db import Database, actor_of, locked
from recruit.errors import Refused
from recruit.ids import new_id
from recruit.keys import Owner, vault_of
from recruit.operations.models import Installation
from recruit.people import names, queries
from recruit.people.models import (
    Basis,
    ContactKind,
    ContactPoint,
    ContactRole,
    FactRow,
    LineType,
    Person,
    PersonContact,
    SearchToken,
)
from screening.facts import Absence, Fact, value_to_json


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is, as far as they told us; empty means not told."""

    given: str = ""
    family: str = ""
    say: str = ""
    birth: date | None = None


def add_person(
    session: Session,
    identity: Identity,
    *,
    basis: Basis,
    language: str,
    at: datetime,
    postcode: str = "",
    best_time: str = "",
    custodian_site_id: UUID | None = None,
    is_test: bool = False,
) -> Person:
    """Add somebody to the pool, sealed under a key of their own."""
    person_id = new_id()
    vault_of(session).create_key(Owner.PERSON, person_id)
    place = find_place(postcode) if postcode else None
    person = Person(
        id=person_id,
        slot=_next_slot(session),
        basis=basis,
        language=language,
        best_time=best_time,
        postcode=postcode,
        zone=place.zone if place else "",
        custodian_site_id=custodian_site_id,
        created_at=at,
        is_test=is_test,
    )
    _seal_identity(session, person, identity)
    session.add(person)
    session.flush()
    _add_tokens(session, person.id, identity)
    return person


def change_identity(session: Session, person_id: UUID, identity: Identity) -> Person:
    """Correct who somebody is, and how they are found.

    :raises NotFound: there is no such person
    """
    person = locked(session, Person, person_id)
    _seal_identity(session, person, identity)
    _index(session, person.id, identity)
    return person


def attach_contact(
    session: Session,
    person: Person,
    kind: ContactKind,
    address: str,
    *,
    at: datetime,
    role: ContactRole = ContactRole.SELF,
    country: str = "US",
    line_type: LineType = LineType.UNKNOWN,
    contact_name: str = "",
    preferred: bool = False,
) -> PersonContact:
    """Say that a person can be reached at an address in its normal form; saying it twice changes nothing."""
    point, is_new = _contact_point(session, kind, address, country=country, line_type=line_type, at=at)
    link = None if is_new else _link(session, person, point)
    if link is None:
        link = PersonContact(
            id=new_id(), person_id=person.id, contact_point_id=point.id, role=role, added_at=at
        )
        link.preferred = preferred
        if contact_name:
            link.contact_name_sealed = vault_of(session).seal(
                person.id, "person_contact", "contact_name_sealed", link.id, contact_name
            )
        session.add(link)
        session.flush()
    return link


def add_facts(
    session: Session,
    person_id: UUID,
    facts: Iterable[Fact],
    *,
    study_id: UUID | None = None,
    submission_id: UUID | None = None,
) -> list[FactRow]:
    """Add what was learned; raw words are sealed, coded values are kept clear under the opaque id."""
    vault = vault_of(session)
    rows = [
        FactRow(
            id=fact.id,
            person_id=person_id,
            key=fact.key,
            value=value_to_json(fact.value if fact.value is not None else Absence.DONT_KNOW),
            raw_sealed=vault.seal(person_id, "fact", "raw_sealed", fact.id, fact.raw) if fact.raw else None,
            observed_lo=fact.observed.lo,
            observed_hi=fact.observed.hi,
            recorded_at=fact.recorded_at,
            source=fact.source.value,
            study_id=study_id,
            submission_id=submission_id,
            recorded_by=actor_of(session),
            retracts_id=fact.retracts,
            only_retracts=fact.value is None,
        )
        for fact in facts
    ]
    session.add_all(rows)
    session.flush()
    return rows


def _seal_identity(session: Session, person: Person, identity: Identity) -> None:
    vault = vault_of(session)

    def seal(column: str, value: str) -> bytes | None:
        return vault.seal(person.id, "person", column, person.id, value or None)

    person.given_sealed = seal("given_sealed", identity.given)
    person.family_sealed = seal("family_sealed", identity.family)
    person.say_sealed = seal("say_sealed", identity.say)
    person.birth_sealed = seal("birth_sealed", identity.birth.isoformat() if identity.birth else "")


def _index(session: Session, person_id: UUID, identity: Identity) -> None:
    session.execute(sa.delete(SearchToken).where(SearchToken.person_id == person_id))
    _add_tokens(session, person_id, identity)


def _add_tokens(session: Session, person_id: UUID, identity: Identity) -> None:
    keyring = _database(session).keyring
    rows = [
        {
            "id": new_id(),
            "person_id": person_id,
            "kind": kind,
            "key_id": keyring.newest.id,
            "token": keyring.fingerprint(f"name.{kind}", value),
        }
        for kind, value in sorted(names.search_keys(identity.given, identity.family))
    ]
    if rows:
        session.execute(sa.insert(SearchToken), rows)


def _contact_point(
    session: Session, kind: ContactKind, address: str, *, country: str, line_type: LineType, at: datetime
) -> tuple[ContactPoint, bool]:
    """Find or add an address; say whether it is new. On SQLite nobody can add it in between."""
    token = queries.address_token(session, kind, address)
    known = sa.select(ContactPoint).where(ContactPoint.kind == kind, ContactPoint.address_token == token)
    point = session.scalar(known)
    if point is not None:
        return point, False
    point_id = new_id()
    try:
        with nullcontext() if _database(session).is_sqlite else session.begin_nested():
            vault = vault_of(session)
            vault.create_key(Owner.CONTACT_POINT, point_id)
            sealed = vault.seal(point_id, "contact_point", "address_sealed", point_id, address)
            point = ContactPoint(
                id=point_id,
                kind=kind,
                address_token=token,
                address_sealed=sealed,
                country=country,
                line_type=line_type,
                created_at=at,
            )
            session.add(point)
            session.flush()
    except IntegrityError:
        return session.scalars(known).one(), False
    return point, True


def _link(session: Session, person: Person, point: ContactPoint) -> PersonContact | None:
    return session.scalar(
        sa.select(PersonContact).where(
            PersonContact.person_id == person.id,
            PersonContact.contact_point_id == point.id,
            PersonContact.ended_at.is_(None),
        )
    )


def _next_slot(session: Session) -> int:
    slot = session.scalar(
        sa.update(Installation)
        .where(Installation.id == 1)
        .values(next_slot=Installation.next_slot + 1)
        .returning(Installation.next_slot)
        .execution_options(synchronize_session=False)
    )
    if slot is None:
        raise Refused("This database has not been prepared. Run `flask --app wsgi db upgrade`.")
    return slot - 1


def _database(session: Session) -> Database:
    database: Database = session.info["database"]
    return database
