"""What another version would change, told before it is in force and true once it is."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from recruit import pipeline, upkeep
from recruit.accounts.policy import Scope
from recruit.db import Database, found
from recruit.ids import new_id
from recruit.matching import assessing, consequences, holds, service, tallies
from recruit.matching.consequences import EVERYTHING
from recruit.matching.floor import HIDDEN, SMALL, Count
from recruit.matching.models import AmendmentCount, AssessmentRow, Match
from recruit.matching.tallies import Shift, Stands, Tally
from recruit.people.models import Person
from recruit.referrals.states import State
from recruit.studies.models import Cohort, HoldReason, ProtocolVersion
from screening.assessment.amendment import Cause
from screening.errors import UnknownKey
from screening.verdict import Disposition
from tests.conftest import NOON
from tests.factories import OpenStudy, make_open_study, make_site, make_study_site
from tests.recruit.arrivals import bring_to
from tests.recruit.matching.amended import (
    OLD,
    RULES,
    STRICTER,
    TOO_OLD,
    WITH_VAPING,
    YOUNG,
    draft,
    publish,
    put_in_force,
    somebody,
)

INELIGIBLE, POTENTIAL, CANDIDATE = Disposition
DAY = timedelta(days=1)


@pytest.fixture
def opened(database: Database) -> OpenStudy:
    """Give a study with two criteria in force at one site."""
    with database.transaction(actor="test") as session:
        return make_open_study(session, rules=RULES)


def looked(database: Database, version: ProtocolVersion, scope: Scope = EVERYTHING) -> Tally:
    return consequences.look(database, version.id, scope, at=NOON)[0]


def shifts(tally: Tally) -> Counter[Shift]:
    counted: Counter[Shift] = Counter()
    for (_place, was, now), n in tally.moves.items():
        counted[tallies.shift_of(was, now)] += n
    return counted


class TestWhatIsSaid:
    def test_names_who_would_no_longer_fit_and_by_which_criterion(
        self, database: Database, opened: OpenStudy
    ) -> None:
        with database.transaction(actor="test") as session:
            for born in (YOUNG, OLD, OLD):
                somebody(session, opened, born=born)
            version = draft(session, opened, STRICTER)

        tally = looked(database, version)

        assert shifts(tally) == {Shift.OUT: 2, Shift.NONE: 1}
        place = opened.study_site.id
        assert tally.reasons == {(place, Shift.OUT, "c1", Cause.CHANGED): 2}

    def test_comes_true_when_the_version_is_in_force(self, database: Database, opened: OpenStudy) -> None:
        with database.transaction(actor="test") as session:
            for born in (YOUNG, OLD, TOO_OLD):
                somebody(session, opened, born=born)
                somebody(session, opened, born=born, vaping=True)
            version = publish(session, opened, WITH_VAPING)
        foretold = looked(database, version)
        before = standings(database)

        with database.transaction(actor="test") as session:
            put_in_force(session, opened, version, since=NOON.date())
            for match in session.scalars(sa.select(Match)).all():
                holds.judge_again(session, match, cause="version", at=NOON)

        after = standings(database)
        came = Counter((opened.study_site.id, before[match], after[match]) for match in before)
        assert came == foretold.moves

    def test_calls_a_fact_that_only_it_needs_missing_and_never_a_failure(
        self, database: Database, opened: OpenStudy
    ) -> None:
        with database.transaction(actor="test") as session:
            somebody(session, opened)
            somebody(session, opened, vaping=False)
            version = draft(session, opened, WITH_VAPING)

        tally = looked(database, version)

        assert tally.lacking == {(opened.study_site.id, "vaping"): 1}
        assert shifts(tally) == {Shift.MORE_TO_ASK: 1, Shift.NONE: 1}

    def test_writes_nothing(self, database: Database, opened: OpenStudy) -> None:
        with database.transaction(actor="test") as session:
            somebody(session, opened, born=OLD)
            version = draft(session, opened, STRICTER)
        before = standings(database), assessments(database)

        looked(database, version)

        assert (standings(database), assessments(database)) == before

    def test_is_the_same_in_small_batches(
        self, database: Database, opened: OpenStudy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with database.transaction(actor="test") as session:
            for born in (YOUNG, OLD, OLD, TOO_OLD, YOUNG):
                somebody(session, opened, born=born)
            version = draft(session, opened, WITH_VAPING)
        whole = looked(database, version)

        monkeypatch.setattr(consequences, "AT_ONCE", 2)

        assert looked(database, version) == whole

    def test_survives_being_kept(self, database: Database, opened: OpenStudy) -> None:
        with database.transaction(actor="test") as session:
            somebody(session, opened, born=OLD)
            somebody(session, opened, born=YOUNG, without_site=True)
            version = draft(session, opened, WITH_VAPING)
        tally = looked(database, version)

        assert Tally.from_json(tally.to_json()) == tally
        assert tally.lacking


class TestWhoCounts:
    def test_leaves_test_entries_the_erased_and_those_who_have_left_out(
        self, database: Database, opened: OpenStudy
    ) -> None:
        with database.transaction(actor="test") as session:
            somebody(session, opened, born=OLD, is_test=True)
            gone, left = somebody(session, opened, born=OLD), somebody(session, opened, born=OLD)
            found(session, Person, gone.person_id).erased_at = NOON
            service.close(session, left.id, reason="not_interested", at=NOON)
            version = draft(session, opened, STRICTER)

        tally = looked(database, version)

        assert not tally.people

    def test_counts_those_whom_a_criterion_ruled_out_since_it_may_let_them_back_in(
        self, database: Database, opened: OpenStudy
    ) -> None:
        wider = STRICTER.replace("18 and 40", "18 and 99")
        with database.transaction(actor="test") as session:
            somebody(session, opened, born=TOO_OLD)
            version = draft(session, opened, wider)

        tally = looked(database, version)

        assert shifts(tally) == {Shift.BACK: 1}

    def test_leaves_those_who_signed_on_the_version_they_signed(
        self, database: Database, opened: OpenStudy
    ) -> None:
        with database.transaction(actor="test") as session:
            match = somebody(session, opened, born=OLD)
            referral = pipeline.refer(session, match.id, opened.study_site.id, at=NOON)
            bring_to(session, referral, State.CONSENTED, at=NOON)
            version = draft(session, opened, STRICTER)

        tally, touched = consequences.look(database, version.id, EVERYTHING, at=NOON)

        assert tally.people == {(opened.study_site.id, Stands.SIGNED): 1}
        assert (tally.moves, touched) == ({}, ())

    def test_compares_with_what_is_in_force_at_each_site(self, database: Database, opened: OpenStudy) -> None:
        with database.transaction(actor="test") as session:
            other = make_study_site(session, opened.study, make_site(session))
            version = publish(session, opened, STRICTER)
            put_in_force(session, opened, version, since=NOON.date(), study_site_id=other.id)
            somebody(session, opened, born=OLD)
            somebody(session, opened, born=OLD, study_site=other)

        tally = looked(database, version)

        assert tally.people == {(opened.study_site.id, Stands.JUDGED): 1, (other.id, Stands.ON_IT): 1}

    def test_says_so_where_nothing_is_in_force(self, database: Database, opened: OpenStudy) -> None:
        with database.transaction(actor="test") as session:
            other = make_study_site(session, opened.study, make_site(session))
            somebody(session, opened, study_site=other)
            version = draft(session, opened, STRICTER)

        tally = looked(database, version)

        assert tally.people == {(other.id, Stands.NOTHING_IN_FORCE): 1}

    def test_counts_merged_entries_once_with_all_that_they_said(
        self, database: Database, opened: OpenStudy
    ) -> None:
        with database.transaction(actor="test") as session:
            first = somebody(session, opened)
            somebody(session, opened, merged_into=first.person_id, vaping=True)
            version = draft(session, opened, WITH_VAPING)

        tally = looked(database, version)

        assert shifts(tally) == {Shift.OUT: 1}

    def test_lets_the_verdict_of_staff_lapse(self, database: Database, opened: OpenStudy) -> None:
        with database.transaction(actor="test") as session:
            match = somebody(session, opened, born=TOO_OLD)
            assessing.override(session, match.id, "c1", passes=True, reason="A waiver", at=NOON)
            version = draft(session, opened, STRICTER.replace("18 and 40", "18 and 75"))

        tally = looked(database, version)

        assert tally.reasons == {(opened.study_site.id, Shift.OUT, "c1", Cause.VERDICT): 1}

    def test_keeps_to_a_scope(self, database: Database, opened: OpenStudy) -> None:
        with database.transaction(actor="test") as session:
            other = make_study_site(session, opened.study, make_site(session))
            somebody(session, opened, born=OLD)
            somebody(session, opened, born=OLD, study_site=other)
            somebody(session, opened, born=OLD, without_site=True)
            version = draft(session, opened, STRICTER)
        own = Scope(frozenset({(opened.site.id, None)}))
        elsewhere = Scope(frozenset({(None, new_id())}))

        assert set(looked(database, version, own).people) == {(opened.study_site.id, Stands.JUDGED)}
        assert not looked(database, version, elsewhere).people
        assert sum(looked(database, version).people.values()) == 3

    def test_looks_at_open_cohorts_alone(self, database: Database) -> None:
        text = 'language 1\ncohort a "A"\ncohort b "B"\ninclude c1 text "Adults" rule age >= 18 years\n'
        with database.transaction(actor="test") as session:
            opened = make_open_study(session, rules=RULES)
            for code in ("a", "b"):
                session.add(Cohort(id=new_id(), study_id=opened.study.id, code=code, name=code.upper()))
            first = publish(session, opened, f'{text}exclude c2 cohorts a text "Pregnant" rule pregnant is yes')
            put_in_force(session, opened, first, since=NOON.date())
            somebody(session, opened)
            version = draft(
                session, opened, f'{text}exclude c2 cohorts b text "Not pregnant" rule pregnant is no'
            )
        open_ones = shifts(looked(database, version))
        with database.transaction(actor="test") as session:
            cohort = session.scalars(sa.select(Cohort.id).where(Cohort.code == "a")).one()
            holds.place(session, reason=HoldReason.SPONSOR, at=NOON, cohort_id=cohort)

        tally = looked(database, version)

        assert open_ones == {Shift.NONE: 1}
        assert shifts(tally) == {Shift.OUT: 1}

    def test_cannot_judge_by_a_fact_that_the_study_does_not_have(
        self, database: Database, opened: OpenStudy
    ) -> None:
        with database.transaction(actor="test") as session:
            version = draft(session, opened, WITH_VAPING)
            version.document = {
                "language": 1,
                "criteria": [
                    {
                        "id": "c1",
                        "kind": "inclusion",
                        "text": "x",
                        "rule": {"op": "attested", "key": "study.gone"},
                    }
                ],
            }
            somebody(session, opened)

        with pytest.raises(UnknownKey):
            looked(database, version)


class TestReferrals:
    def test_are_named_with_state_and_site_where_somebody_would_stand_elsewhere(
        self, database: Database, opened: OpenStudy
    ) -> None:
        with database.transaction(actor="test") as session:
            matches = [somebody(session, opened, born=born) for born in (OLD, YOUNG)]
            referrals = [pipeline.refer(session, one.id, opened.study_site.id, at=NOON) for one in matches]
            bring_to(session, referrals[0], State.VISIT_BOOKED, at=NOON)
            version = draft(session, opened, STRICTER)

        [touched] = consequences.look(database, version.id, EVERYTHING, at=NOON)[1]

        assert (touched.referral_id, touched.study_site_id) == (referrals[0].id, opened.study_site.id)
        assert (touched.state, touched.shift) == (State.VISIT_BOOKED, Shift.OUT)

    def test_are_gone_through_alone_where_that_is_asked(self, database: Database, opened: OpenStudy) -> None:
        with database.transaction(actor="test") as session:
            match = somebody(session, opened, born=OLD)
            pipeline.refer(session, match.id, opened.study_site.id, at=NOON)
            somebody(session, opened, born=OLD)
            version = draft(session, opened, STRICTER)

        tally, touched = consequences.look(database, version.id, EVERYTHING, at=NOON, only_referred=True)

        assert (sum(tally.people.values()), len(touched)) == (1, 1)


class TestALargeStudy:
    @pytest.fixture(autouse=True)
    def _small_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(consequences, "IN_REQUEST", 1)

    def test_is_counted_only_when_somebody_asks(self, database: Database, opened: OpenStudy) -> None:
        with database.transaction(actor="test") as session:
            for _ in range(2):
                somebody(session, opened, born=OLD)
            version = draft(session, opened, STRICTER)

        upkeep.count_amendments(database, NOON)

        known = consequences.known(database, version.id, EVERYTHING, at=NOON)
        assert (known.people, known.tally, known.touched) == (2, None, ())

    def test_keeps_what_the_job_counted(self, database: Database, opened: OpenStudy) -> None:
        with database.transaction(actor="test") as session:
            for _ in range(2):
                somebody(session, opened, born=OLD)
            version = draft(session, opened, STRICTER)
            consequences.ask(session, version.id, at=NOON)
        waiting = consequences.known(database, version.id, EVERYTHING, at=NOON)

        upkeep.count_amendments(database, NOON + DAY)

        known = consequences.known(database, version.id, EVERYTHING, at=NOON + 2 * DAY)
        assert (waiting.is_waiting, waiting.tally) == (True, None)
        assert known.tally is not None
        assert shifts(known.tally) == {Shift.OUT: 2}
        assert (known.is_waiting, known.is_stale, known.counted_at) == (False, False, NOON + DAY)

    def test_is_counted_once_for_each_asking(self, database: Database, opened: OpenStudy) -> None:
        with database.transaction(actor="test") as session:
            version = draft(session, opened, STRICTER)
            consequences.ask(session, version.id, at=NOON)
            consequences.ask(session, version.id, at=NOON)

        first = upkeep.count_amendments(database, NOON + DAY)
        second = upkeep.count_amendments(database, NOON + 2 * DAY)

        assert (first, second) == (1, 0)

    def test_says_when_the_draft_has_changed_since(self, database: Database, opened: OpenStudy) -> None:
        with database.transaction(actor="test") as session:
            for _ in range(2):
                somebody(session, opened, born=OLD)
            version = draft(session, opened, STRICTER)
            consequences.ask(session, version.id, at=NOON)
        upkeep.count_amendments(database, NOON)
        with database.transaction(actor="test") as session:
            found(session, ProtocolVersion, version.id).sha256 = "0" * 64

        known = consequences.known(database, version.id, EVERYTHING, at=NOON)

        assert known.is_stale

    def test_shows_a_scope_only_its_own_numbers(self, database: Database, opened: OpenStudy) -> None:
        with database.transaction(actor="test") as session:
            other = make_study_site(session, opened.study, make_site(session))
            for place in (opened.study_site, opened.study_site, other, other, other):
                somebody(session, opened, born=OLD, study_site=place)
            version = draft(session, opened, STRICTER)
            consequences.ask(session, version.id, at=NOON)
        upkeep.count_amendments(database, NOON)

        known = consequences.known(database, version.id, Scope(frozenset({(opened.site.id, None)})), at=NOON)

        assert known.tally is not None
        assert known.tally.people == {(opened.study_site.id, Stands.JUDGED): 2}

    def test_leaves_no_numbers_where_nobody_can_be_judged(self, database: Database, opened: OpenStudy) -> None:
        with database.transaction(actor="test") as session:
            version = draft(session, opened, STRICTER)
            version.document = {
                "language": 1,
                "criteria": [
                    {
                        "id": "c1",
                        "kind": "inclusion",
                        "text": "x",
                        "rule": {"op": "attested", "key": "study.gone"},
                    }
                ],
            }
            consequences.ask(session, version.id, at=NOON)

        upkeep.count_amendments(database, NOON)

        with database.reading() as session:
            row = session.scalars(sa.select(AmendmentCount)).one()
        assert (row.result, row.counted_at) == (None, NOON)


class TestWhatIsShown:
    def test_holds_small_numbers_back_and_a_larger_one_with_them(self) -> None:
        tally = Tally.empty()
        tally.people[None, Stands.JUDGED] = 45
        tally.moves[None, CANDIDATE, INELIGIBLE] = 5
        tally.moves[None, CANDIDATE, CANDIDATE] = 40
        tally.reasons[None, Shift.OUT, "c1", Cause.CHANGED] = 5

        told = tallies.told(tally)

        assert (told.shifts[Shift.OUT], told.shifts[Shift.NONE]) == (SMALL, HIDDEN)
        assert told.shifts[Shift.BACK] == Count(0)
        assert told.reasons == {("c1", Cause.CHANGED): {Shift.OUT: SMALL}}
        assert told.moves == {}

    def test_splits_only_what_is_shown_and_says_by_site_no_more_than_the_total(self) -> None:
        north, south = UUID(int=1), UUID(int=2)
        tally = Tally.empty()
        for place, n in ((north, 40), (south, 6)):
            tally.people[place, Stands.JUDGED] = n
            tally.moves[place, CANDIDATE, INELIGIBLE] = n

        told = tallies.told(tally)

        assert told.shifts[Shift.OUT] == Count(46)
        assert told.moves[Shift.OUT] == {(CANDIDATE, INELIGIBLE): Count(46)}
        assert told.out == {north: HIDDEN, south: SMALL}


def standings(database: Database) -> dict[UUID, Disposition | None]:
    with database.reading() as session:
        return {row.id: row.effective_disposition for row in session.scalars(sa.select(Match))}


def assessments(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(AssessmentRow)) or 0
