from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from recruit import pipeline
from recruit.contact.models import ContactChannel, Purpose
from recruit.errors import Invalid, Refused
from recruit.intake.models import InquiryChannel
from recruit.intake.service import Consented, Contact
from recruit.matching import holds
from recruit.matching.models import Match, Triage
from recruit.people.models import LineType
from recruit.people.service import Identity
from recruit.studies import queries
from recruit.studies.models import HoldReason
from tests.factories import OpenStudy, make_open_study, make_site

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
YES = (Consented(Purpose.CONTACT, ContactChannel.CALL, "You may call me.", "1"),)


def _waiting(session: Session, made: OpenStudy, phone: str = "+12125550101") -> Match:
    """Bring in somebody who waits for a call at a study's site."""
    contact = Contact(Identity(given="Maria"), phone=phone, line_type=LineType.LANDLINE)
    _, match = pipeline.inquire(
        session,
        made.study,
        contact,
        YES,
        channel=InquiryChannel.HAND,
        at=NOON,
        study_site_id=made.study_site.id,
    )
    return match


def _stands(match: Match) -> Triage:
    """Say where somebody stands in the queue now."""
    return match.triage


class TestHolds:
    @pytest.mark.parametrize("scope", ["study", "site", "both"])
    def test_holds_those_who_wait_and_lets_them_go_on(self, session: Session, scope: str) -> None:
        made, other = make_open_study(session), make_open_study(session)
        match, elsewhere = _waiting(session, made), _waiting(session, other, "+12125550102")
        study_id = made.study.id if scope != "site" else None
        site_id = made.site.id if scope != "study" else None

        hold = holds.place(session, reason=HoldReason.SAFETY, at=NOON, study_id=study_id, site_id=site_id)
        assert _stands(match) is Triage.HELD
        assert elsewhere.triage is Triage.TO_CALL
        assert queries.open_sites(session, made.study, at=NOON) == []
        assert holds.effect(session, hold, at=NOON).waiting == 1
        holds.lift(session, hold.id, at=NOON + timedelta(hours=1))

        assert _stands(match) is Triage.TO_CALL
        assert match.due_at is not None
        assert len(queries.open_sites(session, made.study, at=NOON + timedelta(hours=1))) == 1

    def test_refuses_a_new_referral_while_it_stands(self, session: Session) -> None:
        made = make_open_study(session)
        match = _waiting(session, made)
        holds.place(session, reason=HoldReason.SPONSOR, at=NOON, study_id=made.study.id)

        with pytest.raises(Refused):
            pipeline.refer(session, match.id, made.study_site.id, at=NOON)

    def test_refuses_a_new_questionnaire_while_it_stands(self, session: Session) -> None:
        made = make_open_study(session)
        holds.place(session, reason=HoldReason.CAPACITY, at=NOON, site_id=made.site.id)

        with pytest.raises(Refused):
            pipeline.begin(session, made.study, language="en", at=NOON)

    def test_a_second_hold_keeps_people_held_when_the_first_is_lifted(self, session: Session) -> None:
        made = make_open_study(session)
        match = _waiting(session, made)
        first = holds.place(session, reason=HoldReason.IRB, at=NOON, study_id=made.study.id)
        holds.place(session, reason=HoldReason.SAFETY, at=NOON, site_id=made.site.id)

        holds.lift(session, first.id, at=NOON)

        assert _stands(match) is Triage.HELD

    def test_somebody_who_comes_during_a_hold_waits(self, session: Session) -> None:
        made = make_open_study(session)
        holds.place(session, reason=HoldReason.IRB, at=NOON, study_id=made.study.id)

        match = _waiting(session, made)

        assert _stands(match) is Triage.HELD

    def test_begins_at_its_hour(self, session: Session) -> None:
        made = make_open_study(session)
        match = _waiting(session, made)
        later = NOON + timedelta(days=1)

        holds.place(
            session, reason=HoldReason.TARGET_REACHED, at=NOON, effective_at=later, study_id=made.study.id
        )
        assert _stands(match) is Triage.TO_CALL
        assert queries.open_sites(session, made.study, at=NOON)
        holds.apply_due(session, at=later)

        assert _stands(match) is Triage.HELD
        assert queries.open_sites(session, made.study, at=later) == []

    def test_a_hold_lifted_before_its_hour_never_stands(self, session: Session) -> None:
        made = make_open_study(session)
        later = NOON + timedelta(days=1)
        hold = holds.place(
            session, reason=HoldReason.SAFETY, at=NOON, effective_at=later, study_id=made.study.id
        )

        holds.lift(session, hold.id, at=NOON)

        assert queries.open_sites(session, made.study, at=later + timedelta(hours=1))

    def test_one_of_a_pair_leaves_the_site_open_for_other_studies(self, session: Session) -> None:
        site = make_site(session)
        made, other = make_open_study(session, site=site), make_open_study(session, site=site)

        holds.place(session, reason=HoldReason.SAFETY, at=NOON, study_id=made.study.id, site_id=site.id)

        assert queries.open_sites(session, made.study, at=NOON) == []
        assert len(queries.open_sites(session, other.study, at=NOON)) == 1

    def test_names_something_and_is_lifted_once(self, session: Session) -> None:
        made = make_open_study(session)

        with pytest.raises(Invalid):
            holds.place(session, reason=HoldReason.SAFETY, at=NOON)
        hold = holds.place(session, reason=HoldReason.SAFETY, at=NOON, study_id=made.study.id)
        holds.lift(session, hold.id, at=NOON)
        with pytest.raises(Refused, match="already"):
            holds.lift(session, hold.id, at=NOON)
