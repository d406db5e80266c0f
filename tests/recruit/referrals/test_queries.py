"""The list of referrals: whose turn it is first, page by page."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from recruit import events
from recruit.accounts.policy import Scope
from recruit.db import found
from recruit.matching import holds
from recruit.referrals import queries, service
from recruit.referrals.models import Referral
from recruit.referrals.queries import Filter, ReferralRow
from recruit.referrals.states import State
from recruit.studies.models import HoldReason
from recruit.visits import service as visits
from recruit.visits.models import CancelledBy
from recruit.visits.service import Appointment
from tests.conftest import NOON
from tests.factories import OpenStudy, make_open_study
from tests.recruit.arrivals import arrive, bring_to, contact_of, hand_over, said

EVERYWHERE = Scope(frozenset({(None, None)}))


@pytest.fixture
def opened(session: Session) -> OpenStudy:
    return make_open_study(session)


def in_state(session: Session, opened: OpenStudy, name: str, state: State, *, days: int) -> UUID:
    """Hand somebody over who has been in a state for some days."""
    at = NOON - timedelta(days=days)
    match = arrive(session, opened, contact_of(name), at=at)
    referral = hand_over(session, opened, match, at=at)
    return bring_to(session, referral, state, at=at).id


def with_visit(session: Session, opened: OpenStudy, name: str, *, days: int, starts_at: datetime) -> UUID:
    """Book a visit for somebody who was handed over some days ago."""
    key = in_state(session, opened, name, State.CONTACTED, days=days)
    visits.book(session, key, Appointment(starts_at), at=NOON - timedelta(days=days))
    return key


def listed(session: Session, *, after: UUID | None = None) -> list[UUID]:
    """List the open referrals as the page would at noon."""
    rows = queries.listed(session, EVERYWHERE, Filter(after=after), at=NOON)
    return [row.referral.id for row in rows]


def row_of(session: Session, key: UUID) -> ReferralRow:
    """Read one referral as a list shows it at noon."""
    return queries.row_of(session, found(session, Referral, key), at=NOON)


class TestOrder:
    def test_no_news_for_longest_comes_first_and_whoever_is_in_the_study_last(
        self, session: Session, opened: OpenStudy
    ) -> None:
        arrived = in_state(session, opened, "Arrived", State.RANDOMISED, days=9)
        new = in_state(session, opened, "New", State.CONTACTED, days=2)
        silent = in_state(session, opened, "Silent", State.CONTACTED, days=6)

        assert listed(session) == [silent, new, arrived]

    def test_a_visit_to_come_where_recruiting_is_on_hold_comes_before_everything(
        self, session: Session, opened: OpenStudy
    ) -> None:
        elsewhere = make_open_study(session)
        silent = in_state(session, opened, "Silent", State.CONTACTED, days=6)
        free = with_visit(session, elsewhere, "Free", days=5, starts_at=NOON + timedelta(days=3))
        begun = with_visit(session, opened, "Begun", days=4, starts_at=NOON - timedelta(hours=1))
        to_call = with_visit(session, opened, "Call", days=2, starts_at=NOON + timedelta(days=3))
        holds.place(session, reason=HoldReason.SPONSOR, at=NOON, site_id=opened.site.id)

        keys = listed(session)

        assert keys == [to_call, silent, free, begun]
        assert [row_of(session, key).is_held for key in keys] == [True, False, False, False]

    @pytest.mark.parametrize("named", ["study", "site", "both"])
    def test_a_hold_counts_whatever_it_names_until_it_is_lifted(
        self, session: Session, opened: OpenStudy, named: str
    ) -> None:
        key = with_visit(session, opened, "Call", days=2, starts_at=NOON + timedelta(days=3))
        hold = holds.place(
            session,
            reason=HoldReason.SAFETY,
            at=NOON,
            study_id=opened.study.id if named != "site" else None,
            site_id=opened.site.id if named != "study" else None,
        )
        assert row_of(session, key).is_held

        holds.lift(session, hold.id, at=NOON)

        assert not row_of(session, key).is_held

    def test_a_hold_elsewhere_or_still_to_begin_changes_nothing(
        self, session: Session, opened: OpenStudy
    ) -> None:
        key = with_visit(session, opened, "Call", days=2, starts_at=NOON + timedelta(days=3))
        other = make_open_study(session)
        holds.place(session, reason=HoldReason.IRB, at=NOON, study_id=other.study.id, site_id=opened.site.id)
        holds.place(
            session,
            reason=HoldReason.IRB,
            at=NOON,
            site_id=opened.site.id,
            effective_at=NOON + timedelta(days=1),
        )

        assert not row_of(session, key).is_held

    def test_a_page_goes_on_where_the_one_before_ended(self, session: Session, opened: OpenStudy) -> None:
        held = make_open_study(session)
        for days, state in ((9, State.RANDOMISED), (8, State.RANDOMISED), (3, State.CONTACTED)):
            in_state(session, opened, f"P{days}", state, days=days)
        for days in (7, 2):
            with_visit(session, held, f"H{days}", days=days, starts_at=NOON + timedelta(days=3))
        holds.place(session, reason=HoldReason.SPONSOR, at=NOON, study_id=held.study.id)
        everybody = listed(session)

        after = [listed(session, after=last) for last in everybody]

        assert after == [everybody[place:] for place in range(1, 6)]


class TestVisits:
    def test_the_only_one_called_off_leaves_none(self, session: Session, opened: OpenStudy) -> None:
        key = with_visit(session, opened, "Off", days=2, starts_at=NOON + timedelta(days=3))
        visit = visits.open_visits(session, key)[0]
        before = row_of(session, key)

        visits.cancel(session, visit.id, by=CancelledBy.PARTICIPANT, reason="time", at=NOON)

        after = row_of(session, key)
        assert (before.next_visit, before.is_called_off) == (visit.starts_at, False)
        assert (after.next_visit, after.is_called_off) == (None, True)

    def test_another_one_booked_stands(self, session: Session, opened: OpenStudy) -> None:
        key = with_visit(session, opened, "Again", days=2, starts_at=NOON + timedelta(days=3))
        visit = visits.open_visits(session, key)[0]
        visits.cancel(session, visit.id, by=CancelledBy.PARTICIPANT, reason="time", at=NOON)

        visits.book(session, key, Appointment(NOON + timedelta(days=5)), at=NOON)

        assert not row_of(session, key).is_called_off


class TestPuttingOff:
    def test_the_last_day_that_stands_counts(self, session: Session, opened: OpenStudy) -> None:
        key = in_state(session, opened, "Later", State.DEFERRED, days=6)
        for state, until in ((State.CONTACTED, None), (State.DEFERRED, date(2027, 3, 1))):
            service.move(session, key, said(state, on=NOON.date(), until=until), at=NOON)
        second = row_of(session, key).until
        for _entry in range(2):
            wrong = events.standing(session, (service.SUBJECT, key))[-1]
            service.correct(session, key, wrong.id, reason="Meant somebody else", at=NOON)

        first = row_of(session, key).until

        assert (second, first) == (date(2027, 3, 1), date(2027, 1, 15))
