"""The reasons staff choose from: ours, the operator's, or a study's own."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.referrals import reasons
from recruit.referrals.models import Reason, ReasonKind
from recruit.referrals.states import NEEDS_REASON
from tests.conftest import NOON
from tests.factories import make_study

KIND = ReasonKind.RETURNED_BY_SITE


def test_every_state_that_needs_a_reason_has_some_to_offer(session: Session) -> None:
    offered = {state: reasons.choices(session, reasons.KIND_OF[state], study_id=None) for state in NEEDS_REASON}

    assert all(offered.values())


def test_the_standard_lists_are_put_in_once_and_can_be_edited(session: Session) -> None:
    assert reasons.choices(session, KIND, study_id=None) == list(reasons.STANDARD[KIND])
    added = reasons.ensure(session)
    row = session.scalars(sa.select(Reason).where(Reason.kind == KIND, Reason.code == "area")).one()
    row.label, row.position = "Too far for us", -1
    session.flush()

    assert reasons.ensure(session) == 0

    assert added == sum(map(len, reasons.STANDARD.values()))
    assert reasons.choices(session, KIND, study_id=None)[0] == ("area", "Too far for us")


def test_a_study_has_its_own_in_their_place(session: Session) -> None:
    study = make_study(session)
    reasons.ensure(session)
    session.add(Reason(study_id=study.id, kind=KIND, code="no_scanner", label="No scanner free"))
    session.flush()

    assert reasons.choices(session, KIND, study_id=study.id) == [("no_scanner", "No scanner free")]
    assert ("capacity", "No capacity") in reasons.choices(session, KIND, study_id=None)


def test_a_retired_reason_keeps_its_words_but_is_not_offered(session: Session) -> None:
    reasons.ensure(session)
    row = session.scalars(sa.select(Reason).where(Reason.kind == KIND, Reason.code == "area")).one()
    row.retired_at = NOON
    session.flush()

    assert "area" not in dict(reasons.choices(session, KIND, study_id=None))
    assert reasons.label(session, KIND, "area", study_id=None) == "Outside the site's area"
    assert reasons.label(session, KIND, "never_heard_of", study_id=None) == "never heard of"
