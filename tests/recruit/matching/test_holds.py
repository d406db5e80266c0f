"""Holds on a cohort: who waits, who goes on, and who can still be handed to a site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from recruit import pipeline
from recruit.db import Database
from recruit.errors import Refused
from recruit.matching import assessing, cohorts, holds, queries, service
from recruit.matching.models import Match, Triage
from recruit.studies import service as study_service
from recruit.studies import versions
from recruit.studies.models import Cohort, HoldReason
from screening.language.notation import parse
from screening.verdict import Disposition
from tests.conftest import NOON
from tests.factories import OpenStudy, approve_everything, make_open_study, make_site, publish_criteria
from tests.recruit.arrivals import arrive
from tests.recruit.matching.test_queue import counted

LATER = NOON + timedelta(hours=1)
PROTOCOL = parse("""language 1
    cohort A "Young"
    cohort B "Old"
    include c1 text "Adults" rule age >= 18 years
    include c2 cohorts A text "Young" rule age < 40 years
    include c3 cohorts B text "Old" rule age >= 40 years""")
YOUNG, OLD = "1996", "1976"


@dataclass(frozen=True, slots=True)
class Parted:
    """A study that takes people into two cohorts, young and old."""

    opened: OpenStudy
    young: Cohort
    old: Cohort


@pytest.fixture
def parted(session: Session) -> Parted:
    opened = make_open_study(session)
    young, old = (
        study_service.save_cohort(session, opened.study.id, code, name=name)
        for code, name in (("A", "Young"), ("B", "Old"))
    )
    draft = versions.draft_protocol(session, opened.study.id, PROTOCOL, at=NOON)
    published = publish_criteria(session, draft, at=NOON)
    approve_everything(session, opened.study, at=NOON)
    versions.put_in_force(
        session,
        opened.study_site.id,
        protocol_version_id=published.id,
        questionnaire_version_id=opened.questionnaire.id,
        effective_from=NOON.date(),
        at=NOON,
    )
    return Parted(opened, young, old)


def came(session: Session, parted: Parted, year: str) -> Match:
    """Bring in somebody born in a year."""
    return arrive(session, parted.opened, at=NOON, answers={"birth": {"month": ["3"], "year": [year]}})


def stands(match: Match) -> tuple[Triage, Disposition | None]:
    """Say where somebody stands in the queue and in the study."""
    return match.triage, match.effective_disposition


class TestAHeldCohort:
    def test_keeps_those_waiting_who_fit_no_other_and_lets_them_go_on_where_they_stood(
        self, session: Session, parted: Parted
    ) -> None:
        young, old = came(session, parted, YOUNG), came(session, parted, OLD)
        due = old.due_at

        hold = holds.place(session, reason=HoldReason.SAFETY, at=NOON, cohort_id=parted.old.id)

        assert stands(young) == (Triage.TO_CALL, Disposition.CANDIDATE)
        assert stands(old) == (Triage.HELD, Disposition.INELIGIBLE)
        assert holds.effect(session, hold, at=NOON).waiting == 1
        holds.lift(session, hold.id, at=NOON)
        assert stands(old) == (Triage.TO_CALL, Disposition.CANDIDATE)
        assert old.due_at == due

    def test_keeps_all_waiting_when_no_other_is_open(self, session: Session, parted: Parted) -> None:
        young, old = came(session, parted, YOUNG), came(session, parted, OLD)

        for cohort in (parted.young, parted.old):
            holds.place(session, reason=HoldReason.SPONSOR, at=NOON, cohort_id=cohort.id)

        assert [stands(match)[0] for match in (young, old)] == [Triage.HELD, Triage.HELD]

    def test_leaves_those_alone_who_were_put_aside(self, session: Session, parted: Parted) -> None:
        match = came(session, parted, OLD)
        service.snooze(session, match.id, until=NOON + timedelta(days=2), at=NOON)

        holds.place(session, reason=HoldReason.SAFETY, at=NOON, cohort_id=parted.old.id)

        assert match.triage is Triage.SNOOZED

    def test_stops_only_the_site_it_names(self, session: Session, parted: Parted) -> None:
        match, elsewhere = came(session, parted, OLD), make_site(session)

        holds.place(session, reason=HoldReason.CAPACITY, at=NOON, cohort_id=parted.old.id, site_id=elsewhere.id)
        judged = assessing.judge(session, match, at=NOON)

        assert judged is not None
        assert (match.triage, judged.disposition) == (Triage.TO_CALL, Disposition.CANDIDATE)

    def test_begins_at_its_hour_and_judges_once(self, session: Session, parted: Parted) -> None:
        match = came(session, parted, OLD)
        holds.place(session, reason=HoldReason.IRB, at=NOON, effective_at=LATER, cohort_id=parted.old.id)
        assert stands(match)[0] is Triage.TO_CALL

        first = holds.apply_due(session, at=LATER)
        session.flush()
        again = holds.apply_due(session, at=LATER + timedelta(minutes=1))

        assert stands(match)[0] is Triage.HELD
        assert (first, again) == (1, 0)

    def test_lifting_one_over_the_study_leaves_its_people_held(self, session: Session, parted: Parted) -> None:
        match = came(session, parted, OLD)
        whole = holds.place(session, reason=HoldReason.IRB, at=NOON, study_id=parted.opened.study.id)
        holds.place(session, reason=HoldReason.SAFETY, at=NOON, cohort_id=parted.old.id)

        holds.lift(session, whole.id, at=NOON)

        assert match.triage is Triage.HELD

    def test_whoever_came_meanwhile_waits_and_comes_back_with_its_end(
        self, session: Session, parted: Parted
    ) -> None:
        hold = holds.place(session, reason=HoldReason.SAFETY, at=NOON, cohort_id=parted.old.id)
        match = came(session, parted, OLD)
        assert (match.triage, match.closed_reason) == (Triage.HELD, "")

        holds.lift(session, hold.id, at=LATER)

        assert match.triage is Triage.TO_CALL

    def test_an_override_may_open_another_one(self, session: Session, parted: Parted) -> None:
        match = came(session, parted, OLD)
        assessing.override(session, match.id, "c2", passes=True, reason="Agreed with the sponsor", at=NOON)

        holds.place(session, reason=HoldReason.SAFETY, at=NOON, cohort_id=parted.old.id)

        assert stands(match) == (Triage.TO_CALL, Disposition.CANDIDATE)


def setting(session: Session, cohort: Cohort, *, is_open: bool, at: datetime = NOON) -> Cohort:
    """Open or close a cohort as its page does."""
    return cohorts.save(session, cohort.study_id, cohort.code, name=cohort.name, is_open=is_open, at=at)


class TestAClosedCohort:
    def test_takes_those_from_the_queue_who_fit_no_other_and_opening_brings_them_back(
        self, session: Session, parted: Parted
    ) -> None:
        young, old = came(session, parted, YOUNG), came(session, parted, OLD)

        setting(session, parted.old, is_open=False)

        assert stands(young) == (Triage.TO_CALL, Disposition.CANDIDATE)
        assert (stands(old), old.closed_reason) == (
            (Triage.CLOSED, Disposition.INELIGIBLE),
            service.RULED_OUT,
        )
        setting(session, parted.old, is_open=True, at=LATER)
        assert stands(old) == (Triage.TO_CALL, Disposition.CANDIDATE)

    def test_says_in_the_assessment_why_somebody_was_judged_again(
        self, session: Session, parted: Parted
    ) -> None:
        old = came(session, parted, OLD)

        setting(session, parted.old, is_open=False)

        assert queries.assessments_of(session, old.id)[0].cause == "cohort"

    def test_judges_nobody_again_who_was_ruled_out_before_it_closed(
        self, session: Session, parted: Parted
    ) -> None:
        parted.old.is_open = False
        session.flush()
        old = came(session, parted, OLD)
        parted.old.is_open = True
        session.flush()
        setting(session, parted.old, is_open=False, at=LATER)

        setting(session, parted.old, is_open=True, at=LATER)

        assert old.triage is Triage.CLOSED

    def test_brings_back_those_who_came_while_it_was_closed(self, session: Session, parted: Parted) -> None:
        setting(session, parted.old, is_open=False)
        old = came(session, parted, OLD)
        assert stands(old)[0] is Triage.CLOSED

        setting(session, parted.old, is_open=True, at=LATER)

        assert stands(old)[0] is Triage.TO_CALL

    def test_makes_those_wait_whose_other_one_is_held_and_opening_lets_them_go_on(
        self, session: Session, parted: Parted
    ) -> None:
        match = came(session, parted, OLD)
        assessing.override(session, match.id, "c2", passes=True, reason="Agreed with the sponsor", at=NOON)
        holds.place(session, reason=HoldReason.SAFETY, at=NOON, cohort_id=parted.old.id)
        assert stands(match)[0] is Triage.TO_CALL

        setting(session, parted.young, is_open=False)

        assert stands(match)[0] is Triage.HELD
        setting(session, parted.young, is_open=True)
        assert stands(match)[0] is Triage.TO_CALL

    def test_judges_nobody_again_for_another_name_or_cap(self, session: Session, parted: Parted) -> None:
        old = came(session, parted, OLD)
        parted.old.is_open = False
        session.flush()

        cohorts.save(session, parted.opened.study.id, "B", name="Older", cap=9, is_open=False, at=LATER)

        assert stands(old) == (Triage.TO_CALL, Disposition.CANDIDATE)

    def test_may_be_new_and_closed_from_the_beginning(self, session: Session, parted: Parted) -> None:
        old = came(session, parted, OLD)
        session.delete(parted.old)
        session.flush()

        cohorts.save(session, parted.opened.study.id, "B", name="Old", is_open=False, at=NOON)

        assert stands(old)[0] is Triage.CLOSED


class TestArriving:
    def test_asks_for_no_cohort_where_the_protocol_has_none(self, database: Database, session: Session) -> None:
        opened = make_open_study(session)

        with counted(database) as sent:
            arrive(session, opened, at=NOON)

        assert not [one for one in sent if "FROM cohort" in one]

    def test_asks_for_cohorts_where_the_protocol_has_some(
        self, database: Database, session: Session, parted: Parted
    ) -> None:
        with counted(database) as sent:
            came(session, parted, OLD)

        assert [one for one in sent if "FROM cohort" in one]


class TestHandingOver:
    def test_is_refused_where_all_that_fits_is_held(self, session: Session, parted: Parted) -> None:
        young, old = came(session, parted, YOUNG), came(session, parted, OLD)
        place = parted.opened.study_site.id
        holds.place(session, reason=HoldReason.SAFETY, at=NOON, cohort_id=parted.old.id)

        with pytest.raises(Refused, match="Recruiting is on hold here"):
            pipeline.refer(session, old.id, place, at=NOON)
        assert pipeline.refer(session, young.id, place, at=NOON).match_id == young.id

    def test_is_refused_when_every_cohort_is_held(self, session: Session, parted: Parted) -> None:
        match, place = came(session, parted, OLD), parted.opened.study_site.id
        for cohort in (parted.young, parted.old):
            holds.place(session, reason=HoldReason.SPONSOR, at=NOON, cohort_id=cohort.id)

        with pytest.raises(Refused, match="Recruiting is on hold here"):
            pipeline.refer(session, match.id, place, at=NOON)

    def test_is_refused_into_a_closed_one_without_speaking_of_a_hold(
        self, session: Session, parted: Parted
    ) -> None:
        match, place = came(session, parted, OLD), parted.opened.study_site.id
        parted.old.is_open = False
        session.flush()

        with pytest.raises(Refused, match="No cohort"):
            pipeline.refer(session, match.id, place, at=NOON)


class TestJudging:
    def test_goes_by_the_best_open_cohort(self, session: Session, parted: Parted) -> None:
        match = came(session, parted, OLD)
        parted.old.is_open = False
        session.flush()

        judged = assessing.judge(session, match, at=NOON)

        assert judged is not None
        assert judged.disposition is Disposition.INELIGIBLE
        assert [one.is_closed for one in judged.assessment.cohorts] == [False, True]

    def test_names_closed_and_held_ones_apart(self, session: Session, parted: Parted) -> None:
        study_id, place = parted.opened.study.id, parted.opened.study_site.id
        parted.young.is_open = False
        holds.place(session, reason=HoldReason.SAFETY, at=NOON, cohort_id=parted.old.id)

        closed = queries.closed_cohorts(session, study_id, at=NOON, study_site_id=place)
        held = queries.held_cohorts(session, study_id, at=NOON, study_site_id=place)

        assert (sorted(closed), sorted(held)) == (["A", "B"], ["B"])
