"""Calls: one at a time, logged with what follows from them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit import events
from recruit.accounts.models import Role
from recruit.contact.models import Communication, ContactChannel, Suppression
from recruit.contact.queries import closed_for
from recruit.db import Database, found
from recruit.errors import Conflict, Invalid, Refused
from recruit.matching import calling, holds, numbers, service
from recruit.matching.calling import Ended
from recruit.matching.models import DueReason, Match, OpenCall, Triage
from recruit.matching.plan import UNREACHED, CallOutcome
from recruit.people import queries as people
from recruit.people import service as people_service
from recruit.people.models import ContactKind, ContactPoint, Person
from recruit.studies.models import HoldReason
from tests.conftest import NOON
from tests.factories import OpenStudy, make_account, make_open_study
from tests.recruit.arrivals import arrive, contact_of, hand_over

HOUR = timedelta(hours=1)


@pytest.fixture
def opened(session: Session) -> OpenStudy:
    return make_open_study(session)


@pytest.fixture
def match(session: Session, opened: OpenStudy) -> Match:
    return arrive(session, opened, at=NOON)


def point_of(session: Session, match: Match) -> ContactPoint:
    """Give the telephone of a person."""
    reachable = people.contacts_of(session, {match.person_id})
    return next(one.point for one in reachable if one.point.kind is ContactKind.PHONE)


class TestLogging:
    @pytest.mark.parametrize(
        "outcome", sorted(UNREACHED - {CallOutcome.WRONG_NUMBER, CallOutcome.DISCONNECTED})
    )
    def test_no_answer_sets_the_next_try(self, session: Session, match: Match, outcome: CallOutcome) -> None:
        calling.log_call(session, match.id, Ended(outcome, note="rang"), at=NOON)

        assert (match.triage, match.attempts) == (Triage.TO_CALL, 1)
        assert (match.due_at, match.due_reason) == (NOON + 4 * HOUR, DueReason.NEXT_TRY)
        assert match.last_contact_at == NOON

    def test_the_plan_ends_with_could_not_reach(self, session: Session, match: Match) -> None:
        at = NOON
        for _ in range(6):
            calling.log_call(session, match.id, Ended(CallOutcome.NO_ANSWER), at=at)
            at = match.due_at or at

        assert (match.triage, match.closed_reason) == (Triage.CLOSED, "could_not_reach")
        assert at.date().isoformat() == "2026-11-30"

    def test_a_promise_keeps_its_time_and_begins_a_new_round(self, session: Session, match: Match) -> None:
        calling.log_call(session, match.id, Ended(CallOutcome.NO_ANSWER), at=NOON)
        promised = NOON + timedelta(days=2)

        calling.log_call(session, match.id, Ended(CallOutcome.CALL_BACK, call_back_at=promised), at=NOON + HOUR)

        assert (match.due_at, match.due_reason, match.attempts) == (promised, DueReason.PROMISE, 0)
        calling.log_call(session, match.id, Ended(CallOutcome.NO_ANSWER), at=promised)
        assert match.due_at == promised + 4 * HOUR

    @pytest.mark.parametrize("late", [None, NOON, NOON - HOUR])
    def test_a_promise_needs_a_time_to_come(self, session: Session, match: Match, late: object) -> None:
        with pytest.raises(Invalid):
            calling.log_call(
                session,
                match.id,
                Ended(CallOutcome.CALL_BACK, call_back_at=late),  # type: ignore[arg-type]
                at=NOON,
            )

    @pytest.mark.parametrize("outcome", [CallOutcome.REACHED, CallOutcome.DECLINED_TO_TALK])
    def test_somebody_spoken_to_stays_on_top_until_the_next_step_is_decided(
        self, session: Session, match: Match, outcome: CallOutcome
    ) -> None:
        calling.log_call(session, match.id, Ended(outcome), at=NOON)

        assert (match.due_at, match.due_reason) == (NOON, DueReason.DECIDE)

    def test_is_an_event_and_a_contact_with_a_sealed_note(self, session: Session, match: Match) -> None:
        calling.log_call(session, match.id, Ended(CallOutcome.REACHED, note="Likes tea"), at=NOON)

        row = session.scalars(sa.select(Communication)).one()
        assert (row.outcome, row.channel) == ("reached", ContactChannel.CALL)
        assert row.note_sealed is not None
        assert b"tea" not in row.note_sealed
        assert "match.called" in [e.type for e in events.standing(session, ("match", match.id))]

    def test_a_hold_stays_a_hold(self, session: Session, opened: OpenStudy, match: Match) -> None:
        holds.place(session, reason=HoldReason.SPONSOR, at=NOON, study_id=opened.study.id)

        calling.log_call(session, match.id, Ended(CallOutcome.NO_ANSWER), at=NOON)

        assert match.triage is Triage.HELD

    def test_an_exhausted_plan_leaves_a_referral_to_its_site(
        self, session: Session, opened: OpenStudy, match: Match
    ) -> None:
        hand_over(session, opened, match, at=NOON)
        service.call_today(session, match, DueReason.NO_SHOW, at=NOON)
        at = NOON
        for _ in range(6):
            calling.log_call(session, match.id, Ended(CallOutcome.NO_ANSWER), at=at)
            at = match.due_at or at

        assert (match.triage, match.due_at) == (Triage.REFERRED, None)

    def test_speaking_to_somebody_referred_ends_the_task(
        self, session: Session, opened: OpenStudy, match: Match
    ) -> None:
        hand_over(session, opened, match, at=NOON)
        service.call_today(session, match, DueReason.NO_SHOW, at=NOON)

        calling.log_call(session, match.id, Ended(CallOutcome.REACHED), at=NOON)

        assert (match.triage, match.due_at) == (Triage.REFERRED, None)


class TestWrongNumbers:
    def test_close_the_number_for_everybody_and_the_person_where_nothing_is_left(
        self, session: Session, match: Match
    ) -> None:
        point = point_of(session, match)

        ended = Ended(CallOutcome.WRONG_NUMBER, contact_point_id=point.id)
        calling.log_call(session, match.id, ended, at=NOON)

        assert point.wrong_number_at == NOON
        for channel in (ContactChannel.CALL, ContactChannel.SMS, ContactChannel.VOICEMAIL):
            assert closed_for(session, point.address_token, channel) is not None
        assert (match.triage, match.closed_reason) == (Triage.CLOSED, "could_not_reach")

    def test_try_another_way_where_there_is_one(self, session: Session, opened: OpenStudy) -> None:
        match = arrive(session, opened, contact_of(email="maria@example.org"), at=NOON)

        ended = Ended(CallOutcome.DISCONNECTED, contact_point_id=point_of(session, match).id)
        calling.log_call(session, match.id, ended, at=NOON)

        assert (match.triage, match.due_at) == (Triage.TO_CALL, NOON)
        assert match.due_reason is DueReason.OTHER_CHANNEL

    def test_a_slip_can_be_taken_back_but_a_stop_stays(self, session: Session, match: Match) -> None:
        point = point_of(session, match)
        numbers.mark_wrong(session, point.id, at=NOON)

        numbers.mark_right(session, point.id, at=NOON)

        assert point.wrong_number_at is None
        assert closed_for(session, point.address_token, ContactChannel.CALL) is None
        assert session.scalar(sa.select(sa.func.count(Suppression.id))) == 3
        with pytest.raises(Refused):
            numbers.mark_right(session, point.id, at=NOON)


class TestOpenCalls:
    def test_lock_a_person_across_studies(self, session: Session, match: Match) -> None:
        ana, ben = make_account(session, Role.RECRUITER).id, make_account(session, Role.RECRUITER).id
        other = make_open_study(session)
        second = service.ensure_match(
            session,
            found(session, Person, match.person_id),
            other.study,
            study_site_id=other.study_site.id,
            source_link_id=None,
            at=NOON,
            is_test=False,
        )
        calling.open_call(session, match.id, ana, at=NOON)

        with pytest.raises(Conflict, match="on the phone"):
            calling.open_call(session, second.id, ben, at=NOON + timedelta(minutes=5))

        assert calling.call_in_progress(session, second, at=NOON) is not None
        calling.log_call(session, match.id, Ended(CallOutcome.REACHED), at=NOON)
        calling.open_call(session, second.id, ben, at=NOON)

    def test_a_forgotten_one_ends_after_an_hour(self, session: Session, match: Match) -> None:
        ana, ben = make_account(session, Role.RECRUITER).id, make_account(session, Role.RECRUITER).id
        calling.open_call(session, match.id, ana, at=NOON)

        calling.open_call(session, match.id, ben, at=NOON + HOUR)

        assert session.scalars(sa.select(OpenCall.account_id)).all() == [ben]

    def test_six_at_once_give_one_call(self, database: Database) -> None:
        with database.transaction(actor="test") as session:
            match_id = arrive(session, make_open_study(session), at=NOON).id
            accounts = [make_account(session, Role.RECRUITER).id for _ in range(6)]
        start = Barrier(6)

        def take(number: int) -> bool:
            start.wait()
            try:
                with database.transaction(actor="test") as session:
                    calling.open_call(session, match_id, accounts[number], at=NOON)
            except Conflict:
                return False
            return True

        with ThreadPoolExecutor(6) as pool:
            taken = list(pool.map(take, range(6)))

        assert taken.count(True) == 1


def test_a_number_of_somebody_else_is_not_a_person(session: Session, match: Match) -> None:
    person = found(session, Person, match.person_id)
    email = people_service.attach_contact(session, person, ContactKind.EMAIL, "a@example.org", at=NOON)

    with pytest.raises(Refused, match="telephone"):
        numbers.mark_wrong(session, email.contact_point_id, at=NOON)
