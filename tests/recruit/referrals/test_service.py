"""Handing people to sites, and what becomes of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit import events, pipeline
from recruit.contact.models import ConsentScope, Purpose
from recruit.contact.service import give_consent
from recruit.db import Database, found, locked
from recruit.errors import Conflict, Invalid, NotPermitted, RecruitError, Refused
from recruit.events import Precision
from recruit.keys import vault_of
from recruit.matching import assessing, holds
from recruit.matching.models import DueReason, Match, Note, Triage
from recruit.referrals import service
from recruit.referrals.models import Referral
from recruit.referrals.states import AFTER_CONSENT, CLOSED, MOVES, State
from recruit.studies import places
from recruit.studies.models import HoldReason, StudySite
from tests.conftest import NOON
from tests.factories import OpenStudy, make_open_study, make_site, prepare_study_site, put_in_force_and_activate
from tests.recruit.arrivals import (
    UNSURE,
    WAY,
    arrive,
    bring_to,
    contact_of,
    hand_over,
    said,
)

TODAY = NOON.date()


@pytest.fixture
def opened(session: Session) -> OpenStudy:
    return make_open_study(session)


def second_site(session: Session, opened: OpenStudy, **fields: object) -> StudySite:
    """Open the study at one more site."""
    site = make_site(session, **fields)  # type: ignore[arg-type]
    study_site = places.add_site(session, opened.study.id, site.id, at=NOON)
    prepare_study_site(session, study_site)
    put_in_force_and_activate(session, study_site, opened.protocol, opened.questionnaire)
    return study_site


class TestReferring:
    def test_hands_somebody_over_with_the_assessment_as_it_stood(
        self, session: Session, opened: OpenStudy
    ) -> None:
        match = arrive(session, opened, at=NOON)

        referral = pipeline.refer(session, match.id, opened.study_site.id, at=NOON)

        assert referral.state is State.REFERRED
        assert referral.assessment_id is not None
        assert referral.protocol_version_id == opened.protocol.id
        assert (match.triage, match.due_at) == (Triage.REFERRED, None)
        assert [e.type for e in events.standing(session, ("referral", referral.id))] == ["referral.referred"]

    def test_refuses_somebody_whom_a_criterion_rules_out(self, session: Session, opened: OpenStudy) -> None:
        match = arrive(session, opened, at=NOON)
        assessing.override(session, match.id, "c6", passes=False, reason="No veins", at=NOON)

        with pytest.raises(Refused, match="rules this person out"):
            pipeline.refer(session, match.id, opened.study_site.id, at=NOON)

    def test_refuses_during_a_hold_and_allows_it_after(self, session: Session, opened: OpenStudy) -> None:
        match = arrive(session, opened, at=NOON)
        hold = holds.place(session, reason=HoldReason.SAFETY, at=NOON, study_id=opened.study.id)

        with pytest.raises(Refused, match="on hold"):
            pipeline.refer(session, match.id, opened.study_site.id, at=NOON)

        holds.lift(session, hold.id, at=NOON)
        assert pipeline.refer(session, match.id, opened.study_site.id, at=NOON).state is State.REFERRED

    def test_refuses_a_second_open_referral_but_not_one_after_it_has_ended(
        self, session: Session, opened: OpenStudy
    ) -> None:
        referral = hand_over(session, opened, at=NOON)

        with pytest.raises(Conflict, match="already has an open referral"):
            pipeline.refer(session, referral.match_id, opened.study_site.id, at=NOON)

        service.move(session, referral.id, said(State.RETURNED_BY_SITE, on=TODAY), at=NOON)
        again = pipeline.refer(session, referral.match_id, opened.study_site.id, at=NOON)
        assert again.id != referral.id

    def test_passing_somebody_to_another_site_needs_their_yes_naming_it(
        self, session: Session, opened: OpenStudy
    ) -> None:
        other = second_site(session, opened)
        referral = hand_over(session, opened, at=NOON)
        service.move(session, referral.id, said(State.TRANSFERRED, on=TODAY), at=NOON)

        with pytest.raises(Refused, match="their own yes"):
            pipeline.refer(session, referral.match_id, other.id, at=NOON)

        give_consent(
            session,
            referral.person_id,
            Purpose.PARTNER_SITE,
            ConsentScope.SITE,
            text="I agree.",
            text_version="1",
            language="en",
            how="phone",
            at=NOON,
            study_id=opened.study.id,
            site_id=other.site_id,
        )
        assert pipeline.refer(session, referral.match_id, other.id, at=NOON).study_site_id == other.id

    def test_ten_at_once_give_one_referral(self, database: Database) -> None:
        with database.transaction(actor="test") as session:
            opened = make_open_study(session)
            match_id = arrive(session, opened, at=NOON).id
            study_site_id = opened.study_site.id
        start = Barrier(10)

        def refer(_number: int) -> str:
            start.wait()
            try:
                with database.transaction(actor="test") as session:
                    pipeline.refer(session, match_id, study_site_id, at=NOON)
            except RecruitError as error:
                return error.code
            return "made"

        with ThreadPoolExecutor(10) as pool:
            results = list(pool.map(refer, range(10)))

        assert sorted(results) == ["conflict"] * 9 + ["made"]
        with database.reading() as session:
            assert session.scalar(sa.select(sa.func.count(Referral.id))) == 1


class TestMoving:
    def test_every_pair_of_states_follows_the_table(self, session: Session, opened: OpenStudy) -> None:
        referral = hand_over(session, opened, at=NOON)
        surprises = []

        for origin in State:
            for target in State:
                with session.begin_nested() as savepoint:
                    bring_to(session, referral, origin, at=NOON)
                    try:
                        service.move(session, referral.id, said(target, on=TODAY), at=NOON)
                        allowed = True
                    except NotPermitted:
                        allowed = False
                    savepoint.rollback()
                session.expire_all()
                if allowed is not (target in MOVES[origin]):
                    surprises.append((origin, target, allowed))

        assert surprises == []
        assert set(WAY) == set(State)

    def test_screen_failure_exists_only_after_informed_consent(self) -> None:
        before = {origin for origin in State if State.SCREEN_FAILED in MOVES[origin]}

        assert before == {State.CONSENTED, State.IN_SCREENING}
        assert State.SCREEN_FAILED in AFTER_CONSENT & CLOSED

    @pytest.mark.parametrize("state", [State.SCREEN_FAILED, State.PHONE_SCREEN_FAILED])
    @pytest.mark.parametrize("criterion", ["", "c99"])
    def test_a_failed_screen_names_a_criterion_of_the_version(
        self, session: Session, opened: OpenStudy, state: State, criterion: str
    ) -> None:
        referral = hand_over(session, opened, at=NOON)
        if state is State.SCREEN_FAILED:
            bring_to(session, referral, State.CONSENTED, at=NOON)

        with pytest.raises(Invalid) as refused:
            service.move(session, referral.id, said(state, on=TODAY, criterion=criterion), at=NOON)

        assert refused.value.field == "criterion"
        service.move(session, referral.id, said(state, on=TODAY, criterion="c3"), at=NOON)
        standing = events.standing(session, ("referral", referral.id))
        assert standing[-1].payload == {"criterion": "c3"}

    @pytest.mark.parametrize(
        "state", [State.NOT_INTERESTED, State.COULD_NOT_REACH, State.RETURNED_BY_SITE, State.WITHDRAWN]
    )
    @pytest.mark.parametrize("reason", ["", "no such reason"])
    def test_ends_before_consent_need_a_reason_of_the_list(
        self, session: Session, opened: OpenStudy, state: State, reason: str
    ) -> None:
        referral = hand_over(session, opened, at=NOON)

        with pytest.raises(Invalid) as refused:
            service.move(session, referral.id, said(state, on=TODAY, reason=reason), at=NOON)

        assert refused.value.field == "reason"

    @pytest.mark.parametrize("until", [None, TODAY, TODAY - timedelta(days=1)])
    def test_a_deferral_needs_a_day_to_come(
        self, session: Session, opened: OpenStudy, until: date | None
    ) -> None:
        referral = hand_over(session, opened, at=NOON)

        with pytest.raises(Invalid) as refused:
            service.move(session, referral.id, said(State.DEFERRED, on=TODAY, until=until), at=NOON)

        assert refused.value.field == "until"

    def test_the_sites_number_is_kept_from_consent_on_only(self, session: Session, opened: OpenStudy) -> None:
        referral = hand_over(session, opened, at=NOON)

        with pytest.raises(Invalid):
            service.move(session, referral.id, said(State.CONTACTED, on=TODAY, subject_number="101-1"), at=NOON)

        bring_to(session, referral, State.VISIT_ATTENDED, at=NOON)
        service.move(session, referral.id, said(State.CONSENTED, on=TODAY, subject_number="101-1"), at=NOON)
        service.move(session, referral.id, said(State.IN_SCREENING, on=TODAY), at=NOON)
        assert referral.subject_number == "101-1"

    def test_reaching_somebody_after_all_opens_the_referral_again(
        self, session: Session, opened: OpenStudy
    ) -> None:
        referral = hand_over(session, opened, at=NOON)
        service.move(session, referral.id, said(State.COULD_NOT_REACH, on=TODAY), at=NOON)
        match = found(session, Match, referral.match_id)
        closed = match.triage

        service.move(session, referral.id, said(State.CONTACTED, on=TODAY), at=NOON)

        assert referral.closed_at is None
        assert (closed, match.triage) == (Triage.CLOSED, Triage.REFERRED)

    def test_an_old_referral_cannot_be_opened_beside_a_new_one(
        self, session: Session, opened: OpenStudy
    ) -> None:
        old = hand_over(session, opened, at=NOON)
        service.move(session, old.id, said(State.COULD_NOT_REACH, on=TODAY), at=NOON)
        match = found(session, Match, old.match_id)
        match.triage = Triage.TO_CALL
        pipeline.refer(session, match.id, opened.study_site.id, at=NOON)

        with pytest.raises(Refused, match="second referral"):
            service.move(session, old.id, said(State.CONTACTED, on=TODAY), at=NOON)


class TestDays:
    def test_may_be_told_late_but_not_before_the_entry_that_it_follows(
        self, session: Session, opened: OpenStudy
    ) -> None:
        referral = hand_over(session, opened, at=NOON)
        later = NOON + timedelta(days=10)
        service.move(session, referral.id, said(State.CONTACTED, on=TODAY + timedelta(days=4)), at=later)

        with pytest.raises(Invalid, match="The entry before this one is of 2026-11-22"):
            service.move(
                session, referral.id, said(State.PHONE_SCREEN_PASSED, on=TODAY + timedelta(days=3)), at=later
            )

        assert referral.state_since == TODAY + timedelta(days=4)

    def test_are_those_of_the_site(self, session: Session) -> None:
        opened = make_open_study(session, site=make_site(session, zone="Pacific/Auckland"))
        referral = hand_over(session, opened, at=NOON)

        service.move(session, referral.id, said(State.CONTACTED, on=date(2026, 11, 19)), at=NOON)
        with pytest.raises(Invalid, match="future"):
            service.move(session, referral.id, said(State.DEFERRED, on=date(2026, 11, 20)), at=NOON)

        assert referral.state_since == date(2026, 11, 19)

    @pytest.mark.parametrize(
        ("precision", "day", "kept"),
        [
            (Precision.MONTH, date(2026, 11, 1), date(2026, 11, 18)),
            (Precision.YEAR, date(2026, 1, 1), date(2026, 11, 18)),
            (Precision.MONTH, date(2026, 12, 1), date(2026, 12, 1)),
        ],
    )
    def test_known_only_roughly_never_stand_before_what_they_follow(
        self, session: Session, opened: OpenStudy, precision: Precision, day: date, kept: date
    ) -> None:
        referral = hand_over(session, opened, at=NOON)
        later = NOON + timedelta(days=30)

        service.move(session, referral.id, said(State.CONTACTED, on=day, precision=precision), at=later)

        assert referral.state_since == kept

    def test_a_month_that_is_over_before_the_entry_is_refused(
        self, session: Session, opened: OpenStudy
    ) -> None:
        referral = hand_over(session, opened, at=NOON)

        with pytest.raises(Invalid, match="on or after it"):
            service.move(
                session,
                referral.id,
                said(State.CONTACTED, on=date(2026, 10, 1), precision=Precision.MONTH),
                at=NOON,
            )


class TestQueue:
    def test_somebody_the_site_gives_back_is_due_for_a_call(self, session: Session, opened: OpenStudy) -> None:
        referral = hand_over(session, opened, at=NOON)

        service.move(session, referral.id, said(State.RETURNED_BY_SITE, on=TODAY), at=NOON)

        match = found(session, Match, referral.match_id)
        assert (match.triage, match.due_at, match.due_reason) == (Triage.TO_CALL, NOON, DueReason.RETURNED)

    def test_somebody_deferred_comes_back_when_the_site_opens_on_the_day(
        self, session: Session, opened: OpenStudy
    ) -> None:
        referral = hand_over(session, opened, at=NOON)

        service.move(session, referral.id, said(State.DEFERRED, on=TODAY, until=date(2026, 11, 28)), at=NOON)

        match = found(session, Match, referral.match_id)
        assert match.triage is Triage.DEFERRED
        assert match.due_at is not None
        assert match.due_at.isoformat() == "2026-11-30T14:00:00+00:00"


class TestCorrecting:
    def test_voids_an_entry_and_derives_the_state_anew(self, session: Session, opened: OpenStudy) -> None:
        referral = bring_to(session, hand_over(session, opened, at=NOON), State.CONTACTED, at=NOON)
        service.move(session, referral.id, said(State.NOT_INTERESTED, on=TODAY), at=NOON)
        wrong = events.standing(session, ("referral", referral.id))[-1]

        service.correct(session, referral.id, wrong.id, reason="Meant somebody else", at=NOON)

        match = found(session, Match, referral.match_id)
        assert (referral.state, referral.closed_at) == (State.CONTACTED, None)
        assert (match.triage, match.closed_reason) == (Triage.REFERRED, "")
        note = session.scalars(sa.select(Note).where(Note.match_id == match.id)).one()
        assert note.is_record
        vault = vault_of(session)
        assert vault.open(note.person_id, "note", "body_sealed", note.id, note.body_sealed) == (
            "Meant somebody else"
        )

    def test_refuses_an_entry_on_which_a_later_one_rests(self, session: Session, opened: OpenStudy) -> None:
        referral = bring_to(session, hand_over(session, opened, at=NOON), State.CONSENTED, at=NOON)
        standing = events.standing(session, ("referral", referral.id))
        attended = next(e for e in standing if e.type == "referral.visit_attended")

        with pytest.raises(Refused, match="rests on this one"):
            service.correct(session, referral.id, attended.id, reason="wrong", at=NOON)

        assert attended.id not in service.correctable(standing)
        assert standing[-1].id in service.correctable(standing)

    def test_an_entry_in_the_middle_can_go_where_the_rest_still_makes_a_way(
        self, session: Session, opened: OpenStudy
    ) -> None:
        referral = hand_over(session, opened, at=NOON)
        for step in (State.ACKNOWLEDGED, State.CONTACTED, State.PHONE_SCREEN_PASSED):
            service.move(session, referral.id, said(step, on=TODAY), at=NOON)
        acknowledged = events.standing(session, ("referral", referral.id))[1]

        service.correct(session, referral.id, acknowledged.id, reason="never was", at=NOON)

        assert referral.state is State.PHONE_SCREEN_PASSED

    def test_happens_once_and_never_to_the_referral_itself(self, session: Session, opened: OpenStudy) -> None:
        referral = bring_to(session, hand_over(session, opened, at=NOON), State.CONTACTED, at=NOON)
        first, wrong = events.standing(session, ("referral", referral.id))
        service.correct(session, referral.id, wrong.id, reason="wrong", at=NOON)

        with pytest.raises(Refused, match="already"):
            service.correct(session, referral.id, wrong.id, reason="again", at=NOON)
        with pytest.raises(Refused, match="Close it"):
            service.correct(session, referral.id, first.id, reason="all of it", at=NOON)
        with pytest.raises(Invalid):
            service.correct(session, referral.id, first.id, reason="  ", at=NOON)

    def test_does_not_open_a_second_referral(self, session: Session, opened: OpenStudy) -> None:
        old = hand_over(session, opened, at=NOON)
        service.move(session, old.id, said(State.RETURNED_BY_SITE, on=TODAY), at=NOON)
        returned = events.standing(session, ("referral", old.id))[-1]
        pipeline.refer(session, old.match_id, opened.study_site.id, at=NOON)

        with pytest.raises(Refused, match="second referral"):
            service.correct(session, old.id, returned.id, reason="wrong", at=NOON)

    def test_takes_the_sites_number_back_with_the_consent(self, session: Session, opened: OpenStudy) -> None:
        referral = bring_to(session, hand_over(session, opened, at=NOON), State.VISIT_ATTENDED, at=NOON)
        service.move(session, referral.id, said(State.CONSENTED, on=TODAY, subject_number="101-7"), at=NOON)
        consented = events.standing(session, ("referral", referral.id))[-1]

        service.correct(session, referral.id, consented.id, reason="Wrong person", at=NOON)

        assert (referral.state, referral.subject_number) == (State.VISIT_ATTENDED, "")


def test_a_referral_is_judged_by_the_version_of_the_site(session: Session, opened: OpenStudy) -> None:
    match = arrive(session, opened, contact_of(), at=NOON, answers=UNSURE)

    referral = pipeline.refer(session, match.id, opened.study_site.id, at=NOON)

    assert locked(session, Match, match.id).effective_disposition is not None
    assert referral.protocol_version_id == opened.protocol.id
