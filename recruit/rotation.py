"""Changing the master key: everything that an older key made is made anew with the newest one.

Data keys are wrapped anew; sealed values stay as they are. Fingerprints are made anew from the sealed value
beside them. Each batch is a transaction of its own, and what is done already is passed over, so that this can
be stopped and repeated. A closed address outlives its person; nobody holds the address any more, so its
fingerprint stays as it is and its key has to stay with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit import keys
from recruit.accounts import queries as accounts
from recruit.accounts.models import Account
from recruit.contact import service as contact
from recruit.contact.models import Suppression
from recruit.db import Database
from recruit.ids import new_id
from recruit.keys import DataKey, vault_of
from recruit.people import names
from recruit.people import queries as people
from recruit.people.models import ContactKind, ContactPoint, Person, SearchToken

BATCH = 200
_ACTOR = "cli:db rewrap"
_BEGINNING = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Rotated:
    """How many of each kind were made anew."""

    data_keys: int
    addresses: int
    accounts: int
    people: int


@dataclass(frozen=True, slots=True)
class Remains:
    """What an older key still holds."""

    key_id: str
    data_keys: int
    names: int


@dataclass(frozen=True, slots=True)
class _Batch:
    """How many of a batch were made anew, and the last row looked at; none where there was nothing left."""

    made: int
    last: UUID | None


def rotate(database: Database, *, at: datetime, batch: int = BATCH) -> Rotated:
    """Put everything under the newest master key.

    :raises Unreadable: a data key needs a master key that is not configured; what was done stays done
    """
    return Rotated(
        data_keys=_rewrap(database, batch),
        addresses=_walk(database, lambda session, after: _addresses(session, after, batch, at=at)),
        accounts=_walk(database, lambda session, after: _accounts(session, after, batch)),
        people=_walk(database, lambda session, after: _names(session, after, batch)),
    )


def words_of(database: Database) -> list[str]:
    """Say of each older key whether it may be removed, and of what else has to be thought."""
    with database.reading() as session:
        older = [_remains(session, key.id) for key in database.keyring.keys[1:]]
        closed = _closed_without_address(session)
    if not older:
        return [f"There is no older master key beside {database.keyring.newest.id}."]
    return [_words(remains, closed) for remains in older]


def _words(remains: Remains, closed: int) -> str:
    if remains.data_keys or remains.names:
        return (
            f"Keep {remains.key_id}: {remains.data_keys} data keys and {remains.names} search entries were "
            "made with it meanwhile. Restart everything with the new RECRUIT_MASTER_KEY, then run this again."
        )
    if closed:
        return (
            f"No data key is wrapped by {remains.key_id} any more, but keep it: {closed} closed addresses "
            "belong to nobody we hold, and may be known only by its fingerprint."
        )
    return (
        f"{remains.key_id} may be removed from RECRUIT_MASTER_KEY. Keep a copy for as long as you keep backups "
        "made before now."
    )


def _rewrap(database: Database, batch: int) -> int:
    total = 0
    while True:
        with database.transaction(actor=_ACTOR, reason="keys:rewrap") as session:
            done = keys.rewrap(session, database.keyring, limit=batch)
        total += done
        if not done:
            return total


def _walk(database: Database, step: Callable[[Session, UUID], _Batch]) -> int:
    """Go over a table in the order of its keys, a transaction for each batch; count what was made anew."""
    total, after = 0, _BEGINNING
    while True:
        with database.transaction(actor=_ACTOR, reason="keys:rewrap") as session:
            done = step(session, after)
        total += done.made
        if done.last is None:
            return total
        after = done.last


def _addresses(session: Session, after: UUID, limit: int, *, at: datetime) -> _Batch:
    """Make the fingerprints of addresses anew, and with them those of their closings."""
    query = sa.select(ContactPoint).where(ContactPoint.id > after, ContactPoint.address_sealed != b"")
    points = list(session.scalars(query.order_by(ContactPoint.id).limit(limit).with_for_update()))
    vault_of(session).load({point.id for point in points})
    made = sum(_move_address(session, point, at=at) for point in points)
    return _Batch(made, points[-1].id if points else None)


def _move_address(session: Session, point: ContactPoint, *, at: datetime) -> bool:
    vault, old = vault_of(session), point.address_token
    address = vault.open(point.id, "contact_point", "address_sealed", point.id, point.address_sealed) or ""
    new = vault.keyring.fingerprint(f"address.{point.kind.value}", address)
    if old == new:
        return False
    if _is_taken(session, point.kind, new):
        _close_alike(session, old, new)
        return False
    point.address_token = new
    _move_closings(session, old, new, at=at)
    session.flush()
    return True


def _is_taken(session: Session, kind: ContactKind, token: bytes) -> bool:
    """Tell whether an address was entered a second time, by a process that had only the newest key."""
    same = sa.select(ContactPoint.id).where(ContactPoint.kind == kind, ContactPoint.address_token == token)
    return session.scalar(same) is not None


def _close_alike(session: Session, one: bytes, other: bytes) -> None:
    """Let an address that is there twice be closed under both fingerprints: a no is said to the number."""
    for source, target in ((one, other), (other, one)):
        for closing in session.scalars(_closings(source).where(Suppression.lifted_at.is_(None))).all():
            contact.suppress(session, target, closing.channel, closing.reason, source=_ACTOR, at=closing.at)


def _move_closings(session: Session, old: bytes, new: bytes, *, at: datetime) -> None:
    closed = {row.channel for row in session.scalars(_closings(new)) if row.lifted_at is None}
    for closing in session.scalars(_closings(old)).all():
        if closing.lifted_at is None and closing.channel in closed:  # one live closing for a channel is enough
            closing.lifted_at, closing.lifted_by = at, _ACTOR
        closing.address_token = new


def _closings(token: bytes) -> sa.Select[Suppression]:
    return sa.select(Suppression).where(Suppression.address_token == token)


def _accounts(session: Session, after: UUID, limit: int) -> _Batch:
    """Make the fingerprints by which staff sign in anew."""
    query = sa.select(Account).where(Account.id > after).order_by(Account.id).limit(limit)
    rows, vault = list(session.scalars(query.with_for_update())), vault_of(session)
    vault.load({account.id for account in rows})
    made = 0
    for account in rows:
        email = vault.open(account.id, "account", "email_sealed", account.id, account.email_sealed) or ""
        token = vault.keyring.fingerprint(accounts.EMAIL_KIND, accounts.normal_email(email))
        if account.email_token != token:
            account.email_token, made = token, made + 1
    return _Batch(made, rows[-1].id if rows else None)


def _names(session: Session, after: UUID, limit: int) -> _Batch:
    """Make the fingerprints by which people are found by name anew."""
    newest = vault_of(session).keyring.newest.id
    stale = sa.select(SearchToken.person_id).where(SearchToken.key_id != newest, SearchToken.person_id > after)
    ids = list(session.scalars(stale.distinct().order_by(SearchToken.person_id).limit(limit)))
    session.execute(sa.select(Person.id).where(Person.id.in_(ids)).with_for_update())
    known = people.names_of(session, ids)
    session.execute(sa.delete(SearchToken).where(SearchToken.person_id.in_(ids)))
    rows = [row for person_id, name in known.items() for row in _search_rows(session, person_id, name)]
    if rows:
        session.execute(sa.insert(SearchToken), rows)
    return _Batch(len(known), ids[-1] if ids else None)


def _search_rows(session: Session, person_id: UUID, known: people.Known) -> list[dict[str, object]]:
    keyring = vault_of(session).keyring
    return [
        {
            "id": new_id(),
            "person_id": person_id,
            "kind": kind,
            "key_id": keyring.newest.id,
            "token": keyring.fingerprint(f"name.{kind}", value),
        }
        for kind, value in sorted(names.search_keys(known.given, known.family))
    ]


def _remains(session: Session, key_id: str) -> Remains:
    wrapped = sa.select(sa.func.count()).select_from(DataKey).where(DataKey.master_key_id == key_id)
    found = sa.select(sa.func.count()).select_from(SearchToken).where(SearchToken.key_id == key_id)
    return Remains(key_id, session.scalar(wrapped) or 0, session.scalar(found) or 0)


def _closed_without_address(session: Session) -> int:
    """Count the live closings whose address we do not hold: nothing is left to make their fingerprint from."""
    held = sa.select(ContactPoint.id).where(ContactPoint.address_token == Suppression.address_token)
    query = sa.select(sa.func.count(sa.distinct(Suppression.address_token))).where(
        Suppression.lifted_at.is_(None), ~held.exists()
    )
    return session.scalar(query) or 0
