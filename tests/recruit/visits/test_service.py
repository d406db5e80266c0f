"""Visits: booked, moved, called off, attended or missed, and what follows for the referral and the queue."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from recruit import events, pipeline
from recruit.db import found
from recruit.errors import Invalid, NotPermitted, Refused
from recruit.matching import holds
from recruit.matching.models import DueReason, Match, Triage
from recruit.referrals.models import Referral
from recruit.referrals.states import State
from recruit.studies.models import HoldReason
from recruit.visits import service
from recruit.visits.models import CancelledBy, VisitKind, VisitStatus
from recruit.visits.service import Appointment
from tests.conftest import NOON
from tests.factories import OpenStudy, make_open_study
from tests.recruit.arrivals import bring_to, hand_over, said

SOON = NOON + timedelta(days=2)
TODAY = NOON.date()


@pytest.fixture
def opened(session: Session) -> OpenStudy:
    return make_open_study(session)


@pytest.fixture
def referral(session: Session, opened: OpenStudy) -> Referral:
    return hand_over(session, opened, at=NOON)


def match_of(session: Session, referral: Referral) -> Match:
    return found(session, Match, referral.match_id)


class TestBooking:
    def test_moves_the_referral_on(self, session: Session, referral: Referral) -> None:
        visit = service.book(session, referral.id, Appointment(SOON, place="2nd floor"), at=NOON)

        assert (visit.status, referral.state) == (VisitStatus.BOOKED, State.VISIT_BOOKED)
        told = events.standing(session, ("referral", referral.id))[-1]
        assert told.payload == {"visit": str(visit.id)}

    @pytest.mark.parametrize(
        ("appointment", "field"),
        [
            (Appointment(NOON), "starts_at"),
            (Appointment(NOON - timedelta(days=1)), "starts_at"),
            (Appointment(NOON + timedelta(days=900)), "starts_at"),
            (Appointment(SOON, minutes=0), "minutes"),
            (Appointment(SOON, minutes=-5), "minutes"),
            (Appointment(SOON, minutes=24 * 60 + 1), "minutes"),
            (Appointment(SOON, place="x" * 301), "place"),
        ],
    )
    def test_refuses_what_cannot_be(
        self, session: Session, referral: Referral, appointment: Appointment, field: str
    ) -> None:
        with pytest.raises(Invalid) as refused:
            service.book(session, referral.id, appointment, at=NOON)

        assert refused.value.field == field

    def test_one_of_a_kind_is_open_at_a_time(self, session: Session, referral: Referral) -> None:
        service.book(session, referral.id, Appointment(SOON), at=NOON)

        with pytest.raises(Refused, match="Reschedule"):
            service.book(session, referral.id, Appointment(SOON), at=NOON)
        service.book(session, referral.id, Appointment(SOON, kind=VisitKind.PHONE), at=NOON)

    def test_not_during_a_hold_nor_after_the_end(
        self, session: Session, opened: OpenStudy, referral: Referral
    ) -> None:
        hold = holds.place(session, reason=HoldReason.CAPACITY, at=NOON, site_id=opened.site.id)
        with pytest.raises(Refused, match="on hold"):
            service.book(session, referral.id, Appointment(SOON), at=NOON)
        holds.lift(session, hold.id, at=NOON)
        pipeline.report(session, referral.id, said(State.WITHDRAWN, on=TODAY), at=NOON)

        with pytest.raises(Refused, match="closed"):
            service.book(session, referral.id, Appointment(SOON), at=NOON)


class TestChanging:
    def test_a_new_time_names_the_visit_that_takes_its_place(
        self, session: Session, referral: Referral
    ) -> None:
        old = service.book(session, referral.id, Appointment(SOON), at=NOON)

        new = service.reschedule(session, old.id, Appointment(SOON + timedelta(days=1)), at=NOON)

        assert (old.status, old.replaced_by_id) == (VisitStatus.RESCHEDULED, new.id)
        assert service.open_visits(session, referral.id) == [new]
        assert referral.state is State.VISIT_BOOKED

    def test_calling_off_makes_a_call_due(self, session: Session, referral: Referral) -> None:
        visit = service.book(session, referral.id, Appointment(SOON), at=NOON)

        service.cancel(session, visit.id, by=CancelledBy.PARTICIPANT, reason="illness", at=NOON)

        match = match_of(session, referral)
        assert (visit.status, visit.cancelled_by) == (VisitStatus.CANCELLED, CancelledBy.PARTICIPANT)
        assert (match.triage, match.due_at) == (Triage.REFERRED, NOON)
        assert match.due_reason is DueReason.VISIT_CANCELLED

    @pytest.mark.parametrize("status", [VisitStatus.CANCELLED, VisitStatus.ATTENDED, VisitStatus.NO_SHOW])
    def test_what_is_over_stays(self, session: Session, referral: Referral, status: VisitStatus) -> None:
        visit = service.book(session, referral.id, Appointment(SOON), at=NOON)
        visit.status = status
        session.flush()

        for step in (service.confirm, service.attend, service.no_show):
            with pytest.raises(NotPermitted):
                step(session, visit.id, at=SOON)
        with pytest.raises(NotPermitted):
            service.reschedule(session, visit.id, Appointment(SOON + timedelta(days=9)), at=SOON)

    def test_the_end_of_a_referral_calls_off_what_is_booked(self, session: Session, referral: Referral) -> None:
        visit = service.book(session, referral.id, Appointment(SOON), at=NOON)

        pipeline.report(session, referral.id, said(State.NOT_INTERESTED, on=TODAY), at=NOON)

        assert (visit.status, visit.reason) == (VisitStatus.CANCELLED, "referral_closed")
        assert match_of(session, referral).triage is Triage.CLOSED


class TestComing:
    def test_moves_the_referral_on_with_the_day_of_the_visit(
        self, session: Session, referral: Referral
    ) -> None:
        visit = service.book(session, referral.id, Appointment(SOON), at=NOON)
        service.confirm(session, visit.id, at=NOON)

        service.attend(session, visit.id, at=SOON + timedelta(days=3))

        assert (visit.status, referral.state) == (VisitStatus.ATTENDED, State.VISIT_ATTENDED)
        assert referral.state_since == SOON.date()

    def test_not_coming_makes_a_call_due_the_same_day(self, session: Session, referral: Referral) -> None:
        visit = service.book(session, referral.id, Appointment(SOON), at=NOON)

        service.no_show(session, visit.id, at=SOON + timedelta(hours=1))

        match = match_of(session, referral)
        assert referral.state is State.NO_SHOW
        assert (match.due_at, match.due_reason) == (SOON + timedelta(hours=1), DueReason.NO_SHOW)
        again = service.book(session, referral.id, Appointment(SOON + timedelta(days=4)), at=SOON)
        assert (again.status, referral.state, match.due_at) == (VisitStatus.BOOKED, State.VISIT_BOOKED, None)

    def test_cannot_be_told_before_the_time(self, session: Session, referral: Referral) -> None:
        visit = service.book(session, referral.id, Appointment(SOON), at=NOON)

        for step in (service.attend, service.no_show):
            with pytest.raises(Invalid, match="still to come"):
                step(session, visit.id, at=NOON)

    def test_a_visit_after_consent_moves_nothing(self, session: Session, referral: Referral) -> None:
        bring_to(session, referral, State.CONSENTED, at=NOON)
        visit = service.book(session, referral.id, Appointment(SOON, kind=VisitKind.BASELINE), at=NOON)

        service.attend(session, visit.id, at=SOON)

        assert referral.state is State.CONSENTED


class TestCorrecting:
    def test_a_visit_wrongly_attended_is_booked_again(self, session: Session, referral: Referral) -> None:
        visit = service.book(session, referral.id, Appointment(SOON), at=NOON)
        service.confirm(session, visit.id, at=NOON)
        service.attend(session, visit.id, at=SOON)
        wrong = events.standing(session, ("referral", referral.id))[-1]

        pipeline.correct(session, referral.id, wrong.id, reason="That was somebody else", at=SOON)

        assert (visit.status, referral.state) == (VisitStatus.CONFIRMED, State.VISIT_BOOKED)
        service.no_show(session, visit.id, at=SOON)
        assert referral.state is State.NO_SHOW

    def test_a_visit_booked_by_mistake_is_called_off(self, session: Session, referral: Referral) -> None:
        first = service.book(session, referral.id, Appointment(SOON), at=NOON)
        visit = service.reschedule(session, first.id, Appointment(SOON + timedelta(days=1)), at=NOON)
        booked = events.standing(session, ("referral", referral.id))[-1]

        pipeline.correct(session, referral.id, booked.id, reason="Wrong person", at=NOON)

        assert (visit.status, visit.reason) == (VisitStatus.CANCELLED, "entered_by_mistake")
        assert referral.state is State.REFERRED
