"""What had gone out before a restore, so that nothing is sent twice.

A database of yesterday believes that what was sent since has still to be sent. Messages that wait in it are
held by the sending epoch; but a campaign that runs in it would plan anew for everybody it has no message of.
The outbox belongs to a package that this one must not import: a backup knows its tables, as all others, from
the metadata, and copies their rows as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.db import Base

WAITING = ("planned", "queued", "held")
"""States of a message that has not gone out and may."""
IN_FLIGHT = ("sending", "unknown")
_FATE = ("state", "reason", "attempt", "fence", "lease_until", "attempted_at", "provider", "provider_sid")
"""Columns that change after a message was planned."""
_AT_ONCE = 500

Record = Mapping[str, object]
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Rows as they stood: messages that no longer wait, what happened to them, their place in the timeline."""

    messages: Sequence[Record] = ()
    events: Sequence[Record] = ()
    contacts: Sequence[Record] = ()
    cancelled: Sequence[Record] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """How many messages were carried over, and how many campaigns were paused."""

    messages: int
    campaigns_paused: int


def last_change(session: Session) -> datetime | None:
    """Give the moment up to which a database knows what became of its messages."""
    table = _table("message_event")
    return None if table is None else session.scalar(sa.select(sa.func.max(table.c.at)))


def read(session: Session, *, since: datetime | None) -> Outgoing:
    """Read what went out or was closed after a moment, and which campaigns were cancelled."""
    messages, events, contacts = _table("message"), _table("message_event"), _table("communication")
    campaigns = _table("campaign")
    if messages is None or events is None or contacts is None or campaigns is None:
        return Outgoing()
    changed: sa.ColumnElement[bool] = messages.c.state.not_in(WAITING)
    if since is not None:
        changed &= messages.c.id.in_(sa.select(events.c.message_id).where(events.c.at >= since))
    ids = sa.select(messages.c.id).where(changed)
    return Outgoing(
        messages=_rows(session, sa.select(messages).where(changed)),
        events=_rows(session, sa.select(events).where(events.c.message_id.in_(ids))),
        contacts=_rows(session, sa.select(contacts).where(contacts.c.message_id.in_(ids))),
        cancelled=_rows(
            session, sa.select(campaigns.c.id, campaigns.c.ended_at).where(campaigns.c.state == "cancelled")
        ),
    )


def carry(session: Session, outgoing: Outgoing) -> Settled:
    """Let a restored database know what has gone out, and pause whatever would go on by itself.

    A message whose person, address or campaign the backup does not know is left out: nobody would send it.
    """
    paused = _settle_campaigns(session, outgoing.cancelled)
    ended_first = sorted(outgoing.messages, key=lambda row: row["state"] in IN_FLIGHT)
    moved = _move(session, ended_first) + _add(session, "message", ended_first, unique="dedupe_key")
    _add(session, "message_event", outgoing.events)
    _add(session, "communication", outgoing.contacts)
    return Settled(moved, paused)


def _settle_campaigns(session: Session, cancelled: Sequence[Record]) -> int:
    """Cancel what was cancelled since, and pause what runs: a person looks before it goes on."""
    campaigns = _table("campaign")
    if campaigns is None:
        return 0
    for row in cancelled:
        session.execute(
            sa.update(campaigns)
            .where(campaigns.c.id == row["id"], campaigns.c.state != "cancelled")
            .values(state="cancelled", ended_at=row["ended_at"], version=campaigns.c.version + 1)
        )
    running = session.scalars(sa.select(campaigns.c.id).where(campaigns.c.state == "started")).all()
    session.execute(
        sa.update(campaigns)
        .where(campaigns.c.state == "started")
        .values(state="paused", version=campaigns.c.version + 1)
    )
    return len(running)


def _move(session: Session, rows: Sequence[Record]) -> int:
    """Give messages that wait or were on their way in the backup the fate that they have met since."""
    messages = _table("message")
    if messages is None:
        return 0
    open_ = (*WAITING, *IN_FLIGHT)
    moved = 0
    for some in _batches(rows):
        known = _known(session, messages.c.id, [row["id"] for row in some], messages.c.state.in_(open_))
        for row in (row for row in some if row["id"] in known):
            fate = {name: row[name] for name in _FATE}
            session.execute(sa.update(messages).where(messages.c.id == row["id"]).values(fate))
            moved += 1
    return moved


def _add(session: Session, name: str, rows: Sequence[Record], *, unique: str = "id") -> int:
    """Copy rows that are not there, as far as everything they refer to is."""
    table = _table(name)
    added = 0
    for some in _batches(rows if table is not None else ()):
        assert table is not None  # noqa: S101 - for the type checker
        there = _known(session, table.c.id, [row["id"] for row in some])
        taken = _known(session, table.c[unique], [row[unique] for row in some])
        new = [dict(row) for row in some if row["id"] not in there and row[unique] not in taken]
        for key in table.foreign_keys:
            place = key.parent.name
            wanted = [row[place] for row in new if row[place] is not None]
            parents = _known(session, key.column, wanted)
            new = [row for row in new if row[place] is None or row[place] in parents]
        if new:
            session.execute(sa.insert(table), new)
        added += len(new)
    return added


def _known(
    session: Session, column: sa.Column[object], values: Collection[object], *conditions: sa.ColumnElement[bool]
) -> set[object]:
    return set(session.scalars(sa.select(column).where(column.in_(values), *conditions)))


def _rows(session: Session, query: sa.Select[tuple[object, ...]]) -> list[Record]:
    return [dict(row) for row in session.execute(query).mappings()]


def _batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    iterator = iter(items)
    while some := list(islice(iterator, _AT_ONCE)):
        yield some


def _table(name: str) -> sa.Table | None:
    return Base.metadata.tables.get(name)
