"""What a restore must not undo, read out of the database that is about to be replaced.

Only named columns are read, so that an older schema can be read too, and each kind by itself, so that a
damaged table costs no more than its own rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from recruit.accounts.models import Account, AccountStatus, Grant
from recruit.backups import outgoing
from recruit.backups.outgoing import Outgoing
from recruit.contact.models import (
    Consent,
    ConsentScope,
    ContactChannel,
    Purpose,
    Suppression,
    SuppressionReason,
)
from recruit.db import Database
from recruit.events import Event
from recruit.people.models import Person
from recruit.privacy import Cause

_MARGIN = timedelta(days=1)
"""How far a clock may have been set back between the backup and what came after it."""
_T = TypeVar("_T")


class Unread(Exception):
    """A table is damaged, missing or of another shape."""


@dataclass(frozen=True, slots=True)
class Closing:
    """An address that is closed on a channel, or was: then with the day and the act that opened it again."""

    token: bytes
    channel: ContactChannel
    reason: SuppressionReason
    at: datetime
    source: str
    lifted_at: datetime | None
    lifted_by: str | None


@dataclass(frozen=True, slots=True)
class Erased:
    """A person who was forgotten, and the studies whose record stayed."""

    person_id: UUID
    at: datetime
    cause: Cause
    record_kept: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A consent that was refused or taken back, with the words that were read."""

    person_id: UUID
    contact_point_id: UUID | None
    channel: ContactChannel | None
    purpose: Purpose
    scope: ConsentScope
    study_id: UUID | None
    site_id: UUID | None
    text: str = field(repr=False)
    text_version: str
    language: str
    questionnaire_version_id: UUID | None
    study_site_id: UUID | None
    how: str
    at: datetime
    recorded_by: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stood."""

    account_id: UUID
    status: AccountStatus
    auth_epoch: int
    password_hash: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class EndedGrant:
    """A role that was taken away."""

    grant_id: UUID
    account_id: UUID


@dataclass(frozen=True, slots=True)
class Persons:
    """Which entries are one person, and who asked not to be contacted."""

    merged_into: dict[UUID, UUID] = field(default_factory=dict)
    do_not_contact: dict[UUID, datetime] = field(default_factory=dict)

    def root_of(self, person_id: UUID) -> UUID:
        """Name the entry that stood for a person."""
        seen: set[UUID] = set()
        while person_id in self.merged_into and person_id not in seen:
            seen.add(person_id)
            person_id = self.merged_into[person_id]
        return person_id

    def refusing(self) -> dict[UUID, datetime]:
        """Name every entry of whoever asked not to be contacted, those merged with theirs later too."""
        roots: dict[UUID, datetime] = {}
        for person_id, at in sorted(self.do_not_contact.items(), key=lambda mark: mark[1]):
            roots.setdefault(self.root_of(person_id), at)
        entries = {*self.merged_into, *self.merged_into.values()}
        theirs = {entry: roots[root] for entry in entries if (root := self.root_of(entry)) in roots}
        return theirs | self.do_not_contact


@dataclass(frozen=True, slots=True)
class Survivors:
    """What was found; a kind that could not be read is named in ``unread``, and empty."""

    closings: tuple[Closing, ...] = ()
    erased: tuple[Erased, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
    persons: Persons = field(default_factory=Persons)
    accounts: tuple[Standing, ...] = ()
    ended_grants: tuple[EndedGrant, ...] = ()
    outgoing: Outgoing = field(default_factory=Outgoing)
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Horizon:
    """Up to which moments a backup knows consents and messages; none where it has none."""

    consents: datetime | None
    messages: datetime | None


def horizon_of(session: Session) -> Horizon:
    """Find out how far a restored database knows what happened, with a margin for clocks that were wrong."""
    return Horizon(
        _earlier(session.scalar(sa.select(sa.func.max(Consent.at)))), _earlier(outgoing.last_change(session))
    )


def read(database: Database, horizon: Horizon) -> Survivors:
    """Read everything that must survive; what is damaged or of another shape is named, not raised.

    :raises Unavailable: the database is locked or gone
    """
    unread: list[str] = []

    def tried(kind: str, reader: Callable[[Session], _T], otherwise: _T) -> _T:
        try:
            with readable(), database.reading() as session:
                return reader(session)
        except Unread:
            unread.append(kind)
            return otherwise

    return Survivors(
        closings=tried("closed addresses", _closings, ()),
        erased=tried("erasures", _erased, ()),
        withdrawals=tried("withdrawn consents", lambda s: _withdrawals(s, since=horizon.consents), ()),
        persons=tried("do-not-contact marks", _persons, Persons()),
        accounts=tried("deactivated accounts", _accounts, ()),
        ended_grants=tried("roles that were taken away", _ended_grants, ()),
        outgoing=tried(
            "messages that went out", lambda s: outgoing.read(s, since=horizon.messages), Outgoing()
        ),
        unread=tuple(unread),
    )


@contextmanager
def readable() -> Iterator[None]:
    """Make one kind of failure of whatever is damaged or of another shape.

    :raises Unread: a table is damaged, missing or of another shape
    """
    try:
        yield
    except (DBAPIError, sqlite3.DatabaseError, LookupError, ValueError) as error:
        raise Unread from error


def _earlier(at: datetime | None) -> datetime | None:
    return at - _MARGIN if at is not None else None


def _closings(session: Session) -> tuple[Closing, ...]:
    row = Suppression
    query = sa.select(
        row.address_token, row.channel, row.reason, row.at, row.source, row.lifted_at, row.lifted_by
    )
    return tuple(Closing(*found) for found in session.execute(query.order_by(row.at, row.id)))


def _erased(session: Session) -> tuple[Erased, ...]:
    """Read erasures from their events; an entry without one still says when it was emptied."""
    events = session.execute(
        sa.select(Event.subject_id, Event.happened_at, Event.recorded_at, Event.payload)
        .where(Event.type == "person.erased", Event.subject_kind == "person")
        .order_by(Event.recorded_at, Event.id)
    ).all()
    told = [
        Erased(person_id, happened_at or recorded_at, _cause(payload), _kept(payload))
        for person_id, happened_at, recorded_at, payload in events
    ]
    known = {erasure.person_id for erasure in told}
    marked = session.execute(sa.select(Person.id, Person.erased_at).where(Person.erased_at.is_not(None)))
    untold = [
        Erased(person_id, at, Cause.REQUEST, frozenset())
        for person_id, at in marked
        if at is not None and person_id not in known
    ]
    return (*told, *untold)


def _cause(payload: dict[str, object]) -> Cause:
    return Cause.RETENTION if payload.get("cause") == Cause.RETENTION.value else Cause.REQUEST


def _kept(payload: dict[str, object]) -> frozenset[UUID]:
    kept = payload.get("record_kept")
    return frozenset(UUID(str(study_id)) for study_id in kept) if isinstance(kept, list) else frozenset()


def _withdrawals(session: Session, *, since: datetime | None) -> tuple[Withdrawal, ...]:
    row = Consent
    query = sa.select(
        row.person_id,
        row.contact_point_id,
        row.channel,
        row.purpose,
        row.scope,
        row.study_id,
        row.site_id,
        row.text,
        row.text_version,
        row.language,
        row.questionnaire_version_id,
        row.study_site_id,
        row.how,
        row.at,
        row.recorded_by,
    ).where(row.given.is_(False), row.at >= since if since is not None else sa.true())
    return tuple(Withdrawal(**found) for found in session.execute(query.order_by(row.at, row.id)).mappings())


def _persons(session: Session) -> Persons:
    merged = session.execute(
        sa.select(Person.id, Person.merged_into_id).where(Person.merged_into_id.is_not(None))
    )
    marked = session.execute(
        sa.select(Person.id, Person.do_not_contact_at).where(Person.do_not_contact_at.is_not(None))
    )
    return Persons(
        {key: into for key, into in merged if into is not None},
        {key: at for key, at in marked if at is not None},
    )


def _accounts(session: Session) -> tuple[Standing, ...]:
    query = sa.select(Account.id, Account.status, Account.auth_epoch, Account.password_hash)
    return tuple(Standing(*found) for found in session.execute(query.order_by(Account.id)))


def _ended_grants(session: Session) -> tuple[EndedGrant, ...]:
    query = sa.select(Grant.id, Grant.account_id).where(Grant.ended_at.is_not(None))
    return tuple(EndedGrant(*found) for found in session.execute(query.order_by(Grant.id)))
