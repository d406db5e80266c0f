from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.errors import Incomplete, NotPermitted
from recruit.materials import approvals
from recruit.materials.models import Approval
from recruit.studies import activation, places, queries, service, versions
from recruit.studies.models import (
    SiteHours,
    StudySitePerson,
    StudySiteStatus,
    StudyStatus,
    VersionInForce,
)
from tests.factories import OpenStudy, make_open_study

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
S = StudySiteStatus
Break = Callable[[Session, OpenStudy], object]


def _study(**change: object) -> Break:
    return lambda session, made: service.save_study(
        session,
        made.study.id,
        replace(service.details_of(made.study), **change),  # type: ignore[arg-type]
    )


def _place(**change: object) -> Break:
    return lambda session, made: places.save_study_site(
        session,
        made.study_site.id,
        replace(places.place_details(made.study_site), **change),  # type: ignore[arg-type]
    )


def _without(table: type[SiteHours] | type[StudySitePerson] | type[VersionInForce]) -> Break:
    def remove(session: Session, made: OpenStudy) -> None:
        session.execute(sa.delete(table))
        session.info.pop(versions.IN_FORCE, None)  # read once in a session, and only a service changes it

    return remove


def _withdrawn(session: Session, made: OpenStudy) -> None:
    for approval in session.scalars(sa.select(Approval)).all():
        approvals.withdraw(session, approval.id, at=NOON)
    session.flush()


class TestMissing:
    @pytest.mark.parametrize(
        ("broken", "said"),
        [
            (_study(neutral_names={}), "no neutral name"),
            (_study(safety_contact=""), "no safety contact"),
            (_study(safety_deputy=""), "no deputy"),
            (_study(icf_languages=()), "informed consent form"),
            (_study(sponsor=""), "no sponsor"),
            (_place(protocol_site_number=""), "no number in the protocol"),
            (_place(study_phone=""), "no telephone number"),
            (_place(weekly_calls=None), "weekly capacity"),
            (_place(irb_number=""), "IRB of record"),
            (_place(approved_on=None, approval_expires_on=None), "not approved the study"),
            (_place(approval_expires_on=date(2026, 11, 17)), "expired on 2026-11-17"),
            (_without(SiteHours), "no opening hours"),
            (_without(StudySitePerson), "no principal investigator"),
            (_without(VersionInForce), "version is in force"),
            (_withdrawn, "no live approval in en"),
            (_withdrawn, "no live approval in es"),
            (_withdrawn, "protocol version in force has no live approval"),
        ],
    )
    def test_names_each_thing_that_is_missing(self, session: Session, broken: Break, said: str) -> None:
        made = make_open_study(session)
        activation.set_status(session, made.study_site.id, S.PAUSED, at=NOON)

        broken(session, made)

        with pytest.raises(Incomplete) as refused:
            activation.set_status(session, made.study_site.id, S.ACTIVATED, at=NOON)
        assert any(said in str(gap) for gap in refused.value.missing), refused.value.missing


class TestSetStatus:
    def test_moves_only_as_the_table_permits(self, session: Session) -> None:
        made = make_open_study(session)

        moved = set()
        for state, target in product(S, S):
            made.study_site.status = state
            session.flush()
            with suppress(NotPermitted):
                activation.set_status(session, made.study_site.id, target, at=NOON)
                moved.add((state, target))

        assert moved == {(state, target) for state in S for target in activation.MOVES[state]}

    def test_opens_the_study_and_names_a_lead_site_with_the_first_activation(self, session: Session) -> None:
        made = make_open_study(session)

        assert made.study.status is StudyStatus.OPEN
        assert made.study.lead_site_id == made.site.id


class TestOpenSites:
    @pytest.mark.parametrize(
        "broken",
        [
            _place(approval_expires_on=date(2026, 11, 17)),
            _without(VersionInForce),
            _withdrawn,
            lambda session, made: activation.set_status(session, made.study_site.id, S.PAUSED, at=NOON),
        ],
    )
    def test_leaves_out_a_site_that_may_not_take_people(self, session: Session, broken: Break) -> None:
        made = make_open_study(session)

        broken(session, made)

        assert queries.open_sites(session, made.study, at=NOON) == []

    def test_still_takes_people_on_the_last_day_of_the_approval(self, session: Session) -> None:
        made = make_open_study(session)

        _place(approval_expires_on=date(2026, 11, 18))(session, made)

        assert len(queries.open_sites(session, made.study, at=NOON)) == 1
