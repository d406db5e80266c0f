"""Events: what stands, what was voided, and the one order in which readers see them."""

from datetime import date, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recruit import events, upkeep
from recruit.db import Database
from recruit.events import Event, EventPosition, EventWaiting
from recruit.ids import new_id
from tests.conftest import NOON

DAY = NOON.date()


def happen(
    session: Session,
    type_: str = "visit.booked",
    *,
    subject: UUID | None = None,
    on: date = DAY,
    seconds: int = 0,
    voids: UUID | None = None,
) -> Event:
    event = events.record(
        session,
        type_,
        subject=("referral", subject or new_id()),
        happened_on=on,
        at=NOON + timedelta(seconds=seconds),
        voids=voids,
    )
    session.flush()
    return event


def order(session: Session) -> list[UUID]:
    return list(session.scalars(sa.select(EventPosition.event_id).order_by(EventPosition.position)))


class TestRecording:
    def test_keeps_who_and_both_times(self, database: Database) -> None:
        with database.transaction(actor="account:7") as session:
            event_id = happen(session, on=DAY - timedelta(days=3)).id

        with database.reading() as session:
            event = session.get_one(Event, event_id)

        assert (event.actor, event.happened_on, event.recorded_at) == (
            "account:7",
            DAY - timedelta(days=3),
            NOON,
        )

    def test_goes_when_the_change_it_tells_of_goes(self, database: Database) -> None:
        def fail() -> None:
            with database.transaction(actor="test") as session:
                happen(session)
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()

        with database.reading() as session:
            assert session.scalar(sa.select(Event.id)) is None
            assert not events.is_anything_waiting(session)


class TestVoiding:
    def test_what_is_voided_no_longer_stands_and_neither_does_what_voided_it(self, session: Session) -> None:
        subject = new_id()
        booked = happen(session, subject=subject)
        wrong = happen(session, "visit.attended", subject=subject, seconds=1)
        happen(session, "referral.corrected", subject=subject, seconds=2, voids=wrong.id)

        standing = events.standing(session, ("referral", subject))

        assert [event.id for event in standing] == [booked.id]

    def test_stand_in_the_order_they_happened_not_in_which_they_were_told(self, session: Session) -> None:
        subject = new_id()
        late = happen(session, subject=subject, on=DAY, seconds=1)
        early = happen(session, subject=subject, on=DAY - timedelta(days=2), seconds=2)

        assert [event.id for event in events.standing(session, ("referral", subject))] == [early.id, late.id]

    def test_an_event_is_voided_once(self, database: Database) -> None:
        def void_twice() -> None:
            with database.transaction(actor="test") as session:
                wrong = happen(session)
                happen(session, voids=wrong.id)
                happen(session, voids=wrong.id)

        with pytest.raises(IntegrityError):
            void_twice()

    def test_another_s_events_are_not_touched(self, session: Session) -> None:
        mine, other = new_id(), new_id()
        happen(session, voids=happen(session, subject=mine).id, subject=mine)
        theirs = happen(session, subject=other)

        assert [event.id for event in events.standing(session, ("referral", other))] == [theirs.id]
        assert events.standing(session, ("referral", mine)) == []
        assert events.standing(session, ("visit", other)) == []


class TestSequencing:
    def test_gives_each_event_one_position_without_gaps(self, database: Database) -> None:
        with database.transaction(actor="test") as session:
            made = [happen(session, seconds=n).id for n in range(25)]

        with database.transaction(actor="test") as session:
            placed = [events.sequence(session, limit=10) for _ in range(4)]

        with database.reading() as session:
            positions = list(
                session.scalars(sa.select(EventPosition.position).order_by(EventPosition.position))
            )
            assert order(session) == made
        assert placed == [10, 10, 5, 0]
        assert positions == list(range(1, 26))

    def test_a_slow_transaction_never_slips_in_behind_a_reader(self, database: Database) -> None:
        """The first to begin commits last; whoever has read up to the other still gets to see it."""
        first, second = database.transaction(actor="slow"), database.transaction(actor="quick")
        with database.transaction(actor="test") as session:
            before = happen(session).id
        if database.is_sqlite:
            with second as quick:
                overtaking = happen(quick, seconds=5).id
            with database.transaction(actor="test") as session:
                events.sequence(session)
            with first as slow:
                overtaken = happen(slow, seconds=1).id
        else:
            with first as slow:
                overtaken = happen(slow, seconds=1).id
                with second as quick:
                    overtaking = happen(quick, seconds=5).id
                with database.transaction(actor="test") as session:
                    events.sequence(session)

        with database.reading() as session:
            seen = order(session)
        with database.transaction(actor="test") as session:
            events.sequence(session)

        assert seen == [before, overtaking]
        with database.reading() as session:
            assert order(session) == [*seen, overtaken]

    def test_looks_only_at_what_is_new(self, database: Database) -> None:
        with database.transaction(actor="test") as session:
            for n in range(5):
                happen(session, seconds=n)

        placed = upkeep.sequence_events(database, NOON)
        again = upkeep.sequence_events(database, NOON)

        assert (placed, again) == (5, 0)
        with database.reading() as session:
            assert session.scalar(sa.select(EventWaiting.event_id)) is None

    def test_two_sequencers_at_once_place_nothing_twice(self, database: Database) -> None:
        if database.is_sqlite:
            pytest.skip("SQLite lets one writer in at a time")
        with database.transaction(actor="test") as session:
            made = happen(session).id

        def both() -> None:
            with database.transaction(actor="one") as one:
                events.sequence(one)
                one.flush()
                one.connection().exec_driver_sql("SET LOCAL lock_timeout = '200ms'")
                with database.transaction(actor="two") as two:
                    two.connection().exec_driver_sql("SET LOCAL lock_timeout = '200ms'")
                    events.sequence(two)

        with pytest.raises(Exception, match=r"cannot be reached|lock"):
            both()
        upkeep.sequence_events(database, NOON)

        with database.reading() as session:
            assert order(session) == [made]
