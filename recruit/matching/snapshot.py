"""Reading the whole pool's facts for a snapshot: everybody's coded facts, without names or words as entered.

PostgreSQL sends projected columns by COPY, which are taken apart in bulk; any
other database is read person by person. Both give the same rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import groupby
from operator import attrgetter
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

AT_A_TIME = 2_000
"""How many rows are fetched at a time."""

_IN_THE_POOL = (Person.merged_into_id.is_(None), Person.erased_at.is_(None), Person.is_test.is_(False))


def pool_snapshot(
    session: Session, *, on: date, vocabulary: Vocabulary, terms: Terms, study_id: UUID | None = None
) -> Snapshot:
    """Make a snapshot of everybody in the pool; see `pool_ledger`."""
    return snapshot_of(pool_ledger(session, study_id=study_id), on=on, vocabulary=vocabulary, terms=terms)


def pool_ledger(session: Session, *, study_id: UUID | None = None) -> Ledger:
    """Read the facts of everybody who is not erased and no test, over all merged entries.

    :param study_id: leave out what was answered to another study's questions
    """
    stands_for = _merged(session)
    if session.get_bind().dialect.name == "postgresql":
        return copied_ledger(session, _slots(session), stands_for, study_id=study_id)
    return write_ledger(_one_by_one(session, stands_for, study_id))


def _slots(session: Session) -> list[int]:
    query = sa.select(Person.slot).where(*_IN_THE_POOL).order_by(Person.slot)
    return list(session.scalars(query))


def _merged(session: Session) -> dict[int, int]:
    """Say for the slot of every merged entry which one stands for it."""
    into = aliased(Person)
    query = sa.select(Person.slot, into.slot).join(into, Person.merged_into_id == into.id)
    above = {slot: root for slot, root in session.execute(query)}
    return {slot: _root(slot, above) for slot in above}


def _root(slot: int, above: dict[int, int]) -> int:
    while slot in above:
        slot = above[slot]
    return slot


def _one_by_one(
    session: Session, stands_for: dict[int, int], study_id: UUID | None
) -> Iterator[tuple[int, Facts]]:
    """Read people in the order of their slots, each with what stands under merged entries."""
    merged: defaultdict[int, list[Fact]] = defaultdict(list)
    for slot, facts in _told(session, study_id, Person.merged_into_id.is_not(None)):
        merged[stands_for[slot]].extend(facts)
    told = _told(session, study_id, *_IN_THE_POOL)
    held = next(told, None)
    for slot in _slots(session):
        facts = merged.pop(slot, [])
        if held is not None and held[0] == slot:
            facts = [*facts, *held[1]]
            held = next(told, None)
        yield slot, Facts(facts)


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
