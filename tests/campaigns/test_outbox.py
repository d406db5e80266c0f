"""Messages are never lost, doubled or sent to somebody who said no."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from campaigns.outbox import journal, service, worker
from campaigns.outbox.claims import LEASE, claim
from campaigns.outbox.models import Message, MessageEvent
from campaigns.outbox.states import FINAL, MOVES, RANK, State, after_report, permitted
from campaigns.outbox.worker import SETTLE_AFTER, send_due, sweep
from campaigns.providers.base import Accepted, Answer, Outgoing, Rejected, Sighting, Unclear
from campaigns.providers.console import ConsoleProvider
from recruit.clock import FixedClock
from recruit.contact import service as contact
from recruit.contact.models import Communication, ContactChannel, SuppressionReason
from recruit.contact.policy import MessagePurpose
from recruit.db import Database, found
from recruit.operations.models import Installation
from recruit.people.models import ContactPoint
from recruit.studies.models import Hold, HoldReason
from tests.campaigns.scenes import FakeCarrier, OpenStudy, Reachable, make_open_study, make_reachable, plan
from tests.conftest import NOON

SMS = ContactChannel.SMS


class Answering(FakeCarrier):
    """A carrier that gives one answer."""

    answer: Answer

    def send(self, outgoing: Outgoing) -> Answer:
        return self.answer


def answering(answer: Answer) -> Answering:
    carrier = Answering()
    carrier.answer = answer
    return carrier


def one_message(database: Database, **how: object) -> tuple[OpenStudy, Reachable, UUID]:
    with database.transaction(actor="test") as session:
        place = make_open_study(session)
        somebody = make_reachable(session, place)
        return place, somebody, plan(session, place, somebody, **how)  # type: ignore[arg-type]


def state_of(database: Database, message_id: UUID) -> tuple[State, str]:
    with database.reading() as session:
        row = found(session, Message, message_id)
        return row.state, row.reason


class TestStates:
    def test_every_state_has_a_rank_and_its_moves(self) -> None:
        assert set(RANK) == set(MOVES) == set(State)

    def test_a_closed_or_delivered_message_is_never_moved_by_us(self) -> None:
        assert all(not MOVES[state] for state in FINAL)

    def test_only_a_claim_begins_a_send(self) -> None:
        origins = {origin for origin in State if permitted(origin, State.SENDING)}

        assert origins == {State.QUEUED}

    @pytest.mark.parametrize("current", State)
    @pytest.mark.parametrize("reported", [State.ACCEPTED, State.SENT, State.FAILED, State.DELIVERED])
    def test_a_report_never_takes_a_message_back(self, current: State, reported: State) -> None:
        after = after_report(current, reported)

        assert RANK[after] >= RANK[current]


class TestPlan:
    def test_planning_twice_is_planning_once(self, session: Session) -> None:
        place = make_open_study(session)
        somebody = make_reachable(session, place)

        first = plan(session, place, somebody, key="acknowledgement:1")
        second = plan(session, place, somebody, key="acknowledgement:1")

        assert first == second
        assert session.scalar(sa.select(sa.func.count()).select_from(Message)) == 1

    def test_a_test_person_gets_nothing(self, session: Session) -> None:
        place = make_open_study(session)
        somebody = make_reachable(session, place, is_test=True)

        with pytest.raises(AssertionError):
            plan(session, place, somebody)

        assert session.scalar(sa.select(sa.func.count()).select_from(Message)) == 0

    def test_the_words_are_not_in_the_database(self, session: Session) -> None:
        place = make_open_study(session)
        message_id = plan(session, place, make_reachable(session, place), body="Your code is 482913")

        sealed = found(session, Message, message_id).body_sealed

        assert b"482913" not in sealed


class TestSend:
    def test_an_accepted_message_has_its_sid_its_events_and_its_place_on_the_timeline(
        self, database: Database, clock: FixedClock
    ) -> None:
        _, somebody, message_id = one_message(database)

        accepted = send_due(database, {SMS: FakeCarrier()}, clock=clock)

        assert accepted == 1
        with database.reading() as session:
            row = found(session, Message, message_id)
            kinds = list(session.scalars(sa.select(MessageEvent.kind).order_by(MessageEvent.fence)))
            noted = session.scalars(sa.select(Communication)).one()
        assert (row.state, row.attempt, row.provider) == (State.ACCEPTED, 1, "fake")
        assert row.provider_sid is not None
        assert row.consent_id is not None
        assert kinds == ["planned", "claimed", "accepted"]
        assert (noted.person_id, noted.message_id, noted.purpose) == (somebody.person.id, message_id, "study")

    def test_a_limit_waits_and_sends_later(self, database: Database, clock: FixedClock) -> None:
        _, _, message_id = one_message(database)
        carrier = FakeCarrier(limited=1.0)

        send_due(database, {SMS: carrier}, clock=clock)
        waiting = state_of(database, message_id)
        carrier.limited = 0.0
        at_once = send_due(database, {SMS: carrier}, clock=clock)
        clock.move_to(NOON + timedelta(minutes=1))
        later = send_due(database, {SMS: carrier}, clock=clock)

        assert waiting == (State.QUEUED, "slow_down")
        assert (at_once, later) == (0, 1)

    def test_a_dead_number_fails_and_is_closed(self, database: Database, clock: FixedClock) -> None:
        _, somebody, message_id = one_message(database)

        send_due(database, {SMS: answering(Rejected("21614"))}, clock=clock)

        assert state_of(database, message_id) == (State.FAILED, "21614")
        with database.transaction(actor="test") as session:
            point = found(session, ContactPoint, somebody.point_id)
            row = contact.suppress(
                session, point.address_token, SMS, SuppressionReason.STOP, source="t", at=NOON
            )
            assert row.reason is SuppressionReason.BOUNCED

    def test_trouble_with_our_account_holds_the_message(self, database: Database, clock: FixedClock) -> None:
        _, _, message_id = one_message(database)

        send_due(database, {SMS: answering(Rejected("20003"))}, clock=clock)

        assert state_of(database, message_id) == (State.HELD, "provider_blocked")

    def test_an_unclear_answer_is_never_sent_again_blindly(self, database: Database, clock: FixedClock) -> None:
        _, _, message_id = one_message(database)
        carrier = FakeCarrier(lost=1.0)

        send_due(database, {SMS: carrier}, clock=clock)
        again = send_due(database, {SMS: carrier}, clock=clock)

        assert state_of(database, message_id) == (State.UNKNOWN, "no_answer")
        assert again == 0
        assert len(carrier.carried) == 1

    def test_one_message_of_a_number_is_on_its_way_at_a_time(
        self, database: Database, clock: FixedClock
    ) -> None:
        with database.transaction(actor="test") as session:
            place = make_open_study(session)
            somebody = make_reachable(session, place)
            plan(session, place, somebody, key="first")
            plan(session, place, somebody, key="second")
        with database.transaction(actor="test") as session:
            first = claim(session, carried={SMS}, limit=10, at=NOON)
        with database.transaction(actor="test") as session:
            second = claim(session, carried={SMS}, limit=10, at=NOON)

        assert (len(first.claimed), len(second.claimed)) == (1, 0)

    def test_nothing_due_and_held_back_does_not_stop_the_rest(
        self, database: Database, clock: FixedClock
    ) -> None:
        with database.transaction(actor="test") as session:
            place = make_open_study(session)
            for _ in range(12):
                plan(session, place, make_reachable(session, place, verified=False), at=NOON)
            plan(session, place, make_reachable(session, place), at=NOON + timedelta(seconds=1))

        assert send_due(database, {SMS: FakeCarrier()}, clock=clock) == 1


class TestGatesAreReadAgain:
    def held(self, database: Database, clock: FixedClock, message_id: UUID) -> tuple[State, str]:
        carrier = FakeCarrier()
        send_due(database, {SMS: carrier}, clock=clock)
        assert carrier.carried == []
        return state_of(database, message_id)

    def test_the_sending_switch(self, database: Database, clock: FixedClock) -> None:
        _, _, message_id = one_message(database)
        with database.transaction(actor="test") as session:
            session.execute(sa.update(Installation).values(sending_on=False))

        assert self.held(database, clock, message_id) == (State.HELD, "sending_off")

    def test_a_restored_database(self, database: Database, clock: FixedClock) -> None:
        _, _, message_id = one_message(database)
        with database.transaction(actor="test") as session:
            session.execute(sa.update(Installation).values(sending_epoch=2))

        assert self.held(database, clock, message_id) == (State.HELD, "other_epoch")

    def test_a_hold_on_the_study_and_its_end(self, database: Database, clock: FixedClock) -> None:
        place, _, message_id = one_message(database)
        with database.transaction(actor="test") as session:
            hold = Hold(study_id=place.study.id, reason=HoldReason.SAFETY, effective_at=NOON, placed_by="test")
            session.add(hold)

        assert self.held(database, clock, message_id) == (State.HELD, "study_hold")
        with database.transaction(actor="test") as session:
            found(session, Hold, hold.id).lifted_at = NOON + timedelta(minutes=5)
        clock.move_to(NOON + timedelta(minutes=16))
        sweep(database, {SMS: FakeCarrier()}, clock=clock)
        assert send_due(database, {SMS: FakeCarrier()}, clock=clock) == 1

    def test_a_stop_between_plan_and_claim(self, database: Database, clock: FixedClock) -> None:
        _, somebody, message_id = one_message(database)
        with database.transaction(actor="test") as session:
            point = found(session, ContactPoint, somebody.point_id)
            contact.suppress(session, point.address_token, SMS, SuppressionReason.STOP, source="reply", at=NOON)

        assert self.held(database, clock, message_id) == (State.SUPPRESSED, "stopped")

    def test_a_stop_between_claim_and_send(self, database: Database, clock: FixedClock) -> None:
        _, somebody, message_id = one_message(database)
        with database.transaction(actor="test") as session:
            batch = claim(session, carried={SMS}, limit=1, at=NOON)
        with database.transaction(actor="test") as session:
            point = found(session, ContactPoint, somebody.point_id)
            contact.suppress(session, point.address_token, SMS, SuppressionReason.STOP, source="reply", at=NOON)
        carrier = FakeCarrier()

        worker.send_one(database, carrier, batch.claimed[0], clock=clock)

        assert carrier.carried == []
        assert state_of(database, message_id) == (State.SUPPRESSED, "stopped")

    def test_a_channel_that_nobody_carries(self, database: Database, clock: FixedClock) -> None:
        _, _, message_id = one_message(database)

        send_due(database, {}, clock=clock)

        assert state_of(database, message_id) == (State.HELD, "no_carrier")


class TestSweep:
    def test_a_worker_that_stopped_before_the_send_costs_a_detour(
        self, database: Database, clock: FixedClock
    ) -> None:
        _, _, message_id = one_message(database)
        carrier = FakeCarrier()
        with database.transaction(actor="test") as session:
            claim(session, carried={SMS}, limit=1, at=NOON)

        clock.move_to(NOON + LEASE)
        sweep(database, {SMS: carrier}, clock=clock)
        looked_into = state_of(database, message_id)
        clock.move_to(NOON + LEASE + SETTLE_AFTER)
        sweep(database, {SMS: carrier}, clock=clock)
        send_due(database, {SMS: carrier}, clock=clock)

        assert looked_into == (State.UNKNOWN, "lease_expired")
        assert state_of(database, message_id)[0] is State.ACCEPTED
        assert len(carrier.carried) == 1

    def test_a_lost_answer_is_found_at_the_carrier(self, database: Database, clock: FixedClock) -> None:
        _, _, message_id = one_message(database)
        carrier = FakeCarrier(lost=1.0)
        send_due(database, {SMS: carrier}, clock=clock)

        clock.move_to(NOON + SETTLE_AFTER)
        settled = sweep(database, {SMS: carrier}, clock=clock)

        assert settled == 1
        assert state_of(database, message_id)[0] is State.ACCEPTED

    def test_an_invitation_without_a_trace_waits_for_a_person(
        self, database: Database, clock: FixedClock
    ) -> None:
        _, _, message_id = one_message(database, purpose=MessagePurpose.INVITATION)
        send_due(database, {SMS: FakeCarrier(broken=1.0)}, clock=clock)

        clock.move_to(NOON + SETTLE_AFTER)
        sweep(database, {SMS: FakeCarrier()}, clock=clock)
        waits = state_of(database, message_id)
        with database.transaction(actor="test") as session:
            service.decide_held(session, message_id, send_again=True, at=clock.now())

        assert waits == (State.HELD, "not_at_provider")
        assert send_due(database, {SMS: FakeCarrier()}, clock=clock) == 1

    def test_a_carrier_that_cannot_be_asked_leaves_it_open(self, database: Database, clock: FixedClock) -> None:
        class Silent(FakeCarrier):
            def find(self, outgoing: Outgoing, *, since: object) -> tuple[Sighting, ...] | Unclear:
                return Unclear("ReadTimeout")

        _, _, message_id = one_message(database)
        send_due(database, {SMS: FakeCarrier(broken=1.0)}, clock=clock)
        clock.move_to(NOON + SETTLE_AFTER)

        sweep(database, {SMS: Silent()}, clock=clock)

        assert state_of(database, message_id)[0] is State.UNKNOWN

    def test_a_late_yes_counts_whoever_holds_the_message(self, database: Database, clock: FixedClock) -> None:
        _, _, message_id = one_message(database)
        with database.transaction(actor="test") as session:
            [claimed] = claim(session, carried={SMS}, limit=1, at=NOON).claimed
        clock.move_to(NOON + LEASE)
        sweep(database, {SMS: FakeCarrier()}, clock=clock)

        with database.transaction(actor="test") as session:
            worker.settle(session, claimed, Accepted("SM1"), provider="fake", at=clock.now())

        assert state_of(database, message_id)[0] is State.ACCEPTED

    def test_a_late_no_counts_only_while_the_message_is_ours(
        self, database: Database, clock: FixedClock
    ) -> None:
        _, _, message_id = one_message(database)
        with database.transaction(actor="test") as session:
            [claimed] = claim(session, carried={SMS}, limit=1, at=NOON).claimed
        clock.move_to(NOON + LEASE)
        sweep(database, {SMS: FakeCarrier()}, clock=clock)

        with database.transaction(actor="test") as session:
            worker.settle(session, claimed, Rejected("30008"), provider="fake", at=clock.now())

        assert state_of(database, message_id)[0] is State.UNKNOWN

    def test_a_worker_that_slept_past_its_lease_does_not_send(
        self, database: Database, clock: FixedClock
    ) -> None:
        one_message(database)
        carrier = FakeCarrier()
        with database.transaction(actor="test") as session:
            [claimed] = claim(session, carried={SMS}, limit=1, at=NOON).claimed
        clock.move_to(NOON + LEASE)

        answer = worker.send_one(database, carrier, claimed, clock=clock)

        assert (answer, carrier.carried) == (None, [])

    def test_what_comes_too_late_expires(self, database: Database, clock: FixedClock) -> None:
        _, _, message_id = one_message(database, expires_at=NOON + timedelta(minutes=15))
        clock.move_to(NOON + timedelta(minutes=15))

        sweep(database, {SMS: ConsoleProvider()}, clock=clock)

        assert state_of(database, message_id) == (State.EXPIRED, "expired")


class TestJournal:
    def test_a_move_under_an_old_fence_changes_nothing(self, database: Database) -> None:
        _, _, message_id = one_message(database)
        with database.transaction(actor="test") as session:
            first = journal.move(session, message_id, State.HELD, kind="gate", at=NOON, fence=0)
            second = journal.move(session, message_id, State.QUEUED, kind="released", at=NOON, fence=0)

        assert (first, second) == (1, None)

    def test_a_second_sid_is_kept_as_a_doubled_message(self, database: Database) -> None:
        _, _, message_id = one_message(database)
        with database.transaction(actor="test") as session:
            for sid in ("SM1", "SM2"):
                journal.report(
                    session, message_id, State.ACCEPTED, kind="accepted", at=NOON, provider="f", sid=sid
                )

        with database.reading() as session:
            kinds = set(session.scalars(sa.select(MessageEvent.kind)))
        assert "second_sid" in kinds
