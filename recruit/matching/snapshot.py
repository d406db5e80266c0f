"""Reading the pool's facts for a snapshot: coded facts, without names or words as entered.

PostgreSQL sends projected columns by COPY, which are taken apart in bulk; any
other database is read person by person. Both give the same rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased, defer

from recruit.matching.poolcopy import copied_ledger
from recruit.people.models import FactRow, Person
from recruit.people.queries import as_fact
from screening.facts import Fact, Facts
from screening.planes.columns import Snapshot, snapshot_of
from screening.planes.ledger import Ledger, write_ledger
from screening.terms import Terms
from screening.vocabulary import Vocabulary

Entry = TypeVar("Entry", bound=Hashable)

AT_A_TIME = 2_000
"""How many rows are fetched at a time."""

_IN_THE_POOL = (Person.merged_into_id.is_(None), Person.erased_at.is_(None), Person.is_test.is_(False))


def pool_snapshot(
    session: Session,
    *,
    on: date,
    vocabulary: Vocabulary,
    terms: Terms,
    slots: Sequence[int] | None = None,
    study_id: UUID | None = None,
) -> Snapshot:
    """Make a snapshot of the pool, or of some of it; see `pool_ledger`."""
    ledger = pool_ledger(session, slots=slots, study_id=study_id)
    return snapshot_of(ledger, on=on, vocabulary=vocabulary, terms=terms)


def pool_ledger(
    session: Session, *, slots: Sequence[int] | None = None, study_id: UUID | None = None
) -> Ledger:
    """Read people's facts, those of merged entries under the slot of the entry that stands for them.

    :param slots: of whom, rising; everybody who is not erased and no test, if not given
    :param study_id: leave out what was answered to another study's questions
    """
    held = _slots(session) if slots is None else slots
    merged = _merged(session)
    if session.get_bind().dialect.name == "postgresql":
        return copied_ledger(session, held, merged, study_id=study_id)
    return write_ledger(_one_by_one(session, held, merged, study_id))


def standing(merged: Mapping[Entry, Entry]) -> dict[Entry, Entry]:
    """Say for every merged entry which one stands for it in the end, by which one it was merged into."""
    found: dict[Entry, Entry] = {}
    for entry in merged:
        root = entry
        while root in merged:
            root = merged[root]
        found[entry] = root
    return found


def _slots(session: Session) -> list[int]:
    query = sa.select(Person.slot).where(*_IN_THE_POOL).order_by(Person.slot)
    return list(session.scalars(query))


def _merged(session: Session) -> dict[int, int]:
    into = aliased(Person)
    query = sa.select(Person.slot, into.slot).join(into, Person.merged_into_id == into.id)
    return standing({slot: above for slot, above in session.execute(query)})


def _one_by_one(
    session: Session, slots: Sequence[int], stands_for: Mapping[int, int], study_id: UUID | None
) -> Iterator[tuple[int, Facts]]:
    """Read people in the order of their slots, each with what stands under merged entries."""
    merged: defaultdict[int, list[Fact]] = defaultdict(list)
    for slot, facts in _told(session, study_id, Person.merged_into_id.is_not(None)):
        merged[stands_for[slot]].extend(facts)
    told = _told(session, study_id, Person.merged_into_id.is_(None))
    held = next(told, None)
    for slot in slots:
        while held is not None and held[0] < slot:
            held = next(told, None)
        own = held[1] if held is not None and held[0] == slot else []
        yield slot, Facts([*merged.pop(slot, []), *own])


def _told(
    session: Session, study_id: UUID | None, *conditions: sa.ColumnElement[bool]
) -> Iterator[tuple[int, list[Fact]]]:
    query = (
        sa.select(Person.slot, FactRow)
        .options(defer(FactRow.raw_sealed))
        .join(Person, Person.id == FactRow.person_id)
        .where(*conditions)
        .order_by(Person.slot)
        .execution_options(yield_per=AT_A_TIME)
    )
    if study_id is not None:
        query = query.where(sa.or_(FactRow.study_id.is_(None), FactRow.study_id == study_id))
    for slot, rows in groupby(session.execute(query), key=attrgetter("slot")):
        yield slot, [as_fact(row.FactRow) for row in rows]
