"""Killed workers, lost answers, limits and errors: nobody is lost and nobody is written to twice.

The table is that of the experiment behind the design: real runs of four workers against a carrier with
state, seeds fixed. A worker that sends and then marks is run beside it, to show that the harness can tell.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from campaigns.outbox import service, worker
from campaigns.outbox.models import Message
from campaigns.outbox.states import HANDED_OVER, State
from campaigns.providers.base import Accepted, Outgoing
from recruit.clock import FixedClock
from recruit.contact import service as contact
from recruit.contact.models import ContactChannel, Suppression, SuppressionReason
from recruit.contact.policy import MessagePurpose
from recruit.db import Database, found
from recruit.people.models import ContactPoint
from tests.campaigns.scenes import FakeCarrier, Killed, make_open_study, make_reachable, plan
from tests.conftest import NOON

SMS = ContactChannel.SMS
WORKERS = 4
PEOPLE = 40


def faulty(seed: int) -> FakeCarrier:
    return FakeCarrier(
        seed=seed,
        limited=0.08,
        broken=0.05,
        broken_but_made=0.05,
        lost=0.08,
        killed_before=0.06,
        killed_after=0.06,
    )


def fill(database: Database, *, purpose: MessagePurpose) -> None:
    with database.transaction(actor="test") as session:
        place = make_open_study(session)
        for _ in range(PEOPLE):
            plan(session, place, make_reachable(session, place), purpose=purpose)


def in_threads(work: Callable[[], object], *, count: int = WORKERS) -> None:
    """Run so many workers at once; one that is killed is gone, as its process would be."""
    problems: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except Killed:
            pass
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def run_until_done(database: Database, carrier: FakeCarrier, clock: FixedClock) -> None:
    """Let workers come and die, time pass and the sweeper follow, until nothing is left to do."""
    for _ in range(200):
        for _ in range(4):
            in_threads(lambda: worker.send_due(database, {SMS: carrier}, clock=clock))
        clock.move_to(clock.now() + timedelta(minutes=4))
        carrier.now = clock.now()
        in_threads(lambda: worker.sweep(database, {SMS: carrier}, clock=clock), count=2)
        with database.transaction(actor="test") as session:
            states = set(session.scalars(sa.select(Message.state).distinct()))
            for message_id in list(session.scalars(_undecided())):
                service.decide_held(session, message_id, send_again=True, at=clock.now())
        if states <= HANDED_OVER:
            return
    raise AssertionError(f"still in {states}")


def _undecided() -> sa.Select[UUID]:
    return sa.select(Message.id).where(Message.state == State.HELD, Message.reason == "not_at_provider")


def texts(carrier: FakeCarrier) -> Counter[str]:
    return Counter(one.outgoing.to for one in carrier.carried)


class SendThenMark:
    """How it must not be done: look, send, then write it down."""

    def __init__(self, database: Database, carrier: FakeCarrier) -> None:
        self.database, self.carrier = database, carrier

    def __call__(self) -> None:
        while True:
            with self.database.reading() as session:
                row = session.scalars(sa.select(Message).where(Message.state == State.QUEUED).limit(1)).first()
                if row is None:
                    return
                to = str(row.contact_point_id)
            answer = self.carrier.send(Outgoing(row.id, SMS, to, "text"))
            if isinstance(answer, Accepted):
                with self.database.transaction(actor="test") as session:
                    session.execute(sa.update(Message).where(Message.id == row.id).values(state=State.ACCEPTED))


@pytest.mark.parametrize("purpose", [MessagePurpose.STUDY, MessagePurpose.INVITATION])
@pytest.mark.parametrize("seed", [1, 2])
def test_nobody_is_lost_and_nobody_doubled(
    database: Database, clock: FixedClock, seed: int, purpose: MessagePurpose
) -> None:
    fill(database, purpose=purpose)
    carrier = faulty(seed)

    run_until_done(database, carrier, clock)

    assert carrier.kills > 0
    assert len(texts(carrier)) == PEOPLE
    assert set(texts(carrier).values()) == {1}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_harness_sees_a_worker_that_doubles(database: Database, seed: int) -> None:
    fill(database, purpose=MessagePurpose.STUDY)
    carrier = faulty(seed)

    for _ in range(40):
        in_threads(SendThenMark(database, carrier))

    assert max(texts(carrier).values()) > 1


def test_of_a_stop_and_a_claim_one_comes_first(database: Database, clock: FixedClock) -> None:
    with database.transaction(actor="test") as session:
        place = make_open_study(session)
        people = [make_reachable(session, place) for _ in range(24)]
        for somebody in people:
            plan(session, place, somebody)
        tokens = [found(session, ContactPoint, somebody.point_id).address_token for somebody in people]
    carrier, barrier = FakeCarrier(), threading.Barrier(WORKERS)
    shares = [tokens[n::2] for n in range(2)]

    def stop(mine: list[bytes]) -> None:
        barrier.wait()
        for token in mine:
            with database.transaction(actor="test") as session:
                contact.suppress(session, token, SMS, SuppressionReason.STOP, source="reply", at=NOON)

    def send() -> None:
        barrier.wait()
        worker.send_due(database, {SMS: carrier}, clock=clock)

    jobs: list[Callable[[], None]] = [send, send, *(lambda mine=mine: stop(mine) for mine in shares)]
    remaining = iter(jobs)
    in_threads(lambda: next(remaining)())

    with database.reading() as session:
        rows = session.scalars(sa.select(Message)).all()
        stops = session.scalar(sa.select(sa.func.count()).select_from(Suppression))
    assert stops == len(people)
    assert {row.state for row in rows} <= {State.ACCEPTED, State.SUPPRESSED}
    assert sum(row.state is State.ACCEPTED for row in rows) == len(carrier.carried)
    again = worker.send_due(database, {SMS: carrier}, clock=clock)
    assert again == 0
