"""The list of referrals: whose turn it is first, page by page."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from recruit.accounts.policy import Scope
from recruit.referrals import queries
from recruit.referrals.queries import Filter
from recruit.referrals.states import State
from tests.conftest import NOON
from tests.factories import OpenStudy, make_open_study
from tests.recruit.arrivals import arrive, bring_to, contact_of, hand_over

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


class TestOrder:
    def test_no_news_for_longest_comes_first_and_whoever_is_in_the_study_last(
        self, session: Session, opened: OpenStudy
    ) -> None:
        arrived = in_state(session, opened, "Arrived", State.RANDOMISED, days=9)
        new = in_state(session, opened, "New", State.CONTACTED, days=2)
        silent = in_state(session, opened, "Silent", State.CONTACTED, days=6)

        rows = queries.listed(session, EVERYWHERE, Filter())

        assert [row.referral.id for row in rows] == [silent, new, arrived]

    def test_a_page_goes_on_where_the_one_before_ended(self, session: Session, opened: OpenStudy) -> None:
        for days, state in ((9, State.RANDOMISED), (8, State.RANDOMISED), (3, State.CONTACTED)):
            in_state(session, opened, f"P{days}", state, days=days)
        everybody = [row.referral.id for row in queries.listed(session, EVERYWHERE, Filter())]

        after = [
            [row.referral.id for row in queries.listed(session, EVERYWHERE, Filter(after=last))]
            for last in everybody
        ]

        assert after == [everybody[1:], everybody[2:], []]
