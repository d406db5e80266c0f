"""The funnel is exact: everybody once, corrections undone, test traffic out, totals the sum of the rows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from campaigns.links.service import NewLink, create_link, record_hit
from campaigns.reports.funnel import Funnel, FunnelRow, Period, Stage, funnel
from campaigns.reports.service import NewSpend, enter_spend, read_amount
from recruit import events
from recruit.accounts.policy import Scope
from recruit.errors import Invalid, NotFound
from recruit.ids import new_id
from recruit.intake.models import Entrance, HitKind, Medium, SettledCounter, SourceLink
from recruit.matching import merging
from recruit.referrals.ladder import Rung, rungs
from recruit.referrals.models import Referral
from recruit.referrals.states import State
from recruit.studies.models import EnrolmentCounts, ProtocolVersion, VersionStatus
from recruit.studies.versions import draft_questionnaire
from tests.campaigns.scenes import OpenStudy, Reachable, make_open_study, make_reachable
from tests.conftest import NOON
from tests.factories import AT
from tests.screening.questionnaire.documents import make_document

EVERYTHING = Scope(frozenset({(None, None)}))
ALWAYS = Period("America/New_York")


@pytest.fixture
def place(session: Session) -> OpenStudy:
    return make_open_study(session)


def make_link(
    session: Session, place: OpenStudy, *, channel: str = "Facebook", is_test: bool = False
) -> SourceLink:
    new = NewLink(place.study.id, Medium.SOCIAL, channel, is_test=is_test)
    return create_link(session, new, at=AT)


def refer(
    session: Session, place: OpenStudy, somebody: Reachable, *states: State, is_test: bool = False
) -> Referral:
    version = ProtocolVersion(
        id=new_id(),
        study_id=place.study.id,
        number=int(new_id().int % 10**8),
        status=VersionStatus.PUBLISHED,
        document={},
        sha256="0" * 64,
        created_at=AT,
        created_by="test",
    )
    session.add(version)
    session.flush()
    referral = Referral(
        id=new_id(),
        person_id=somebody.person.id,
        study_id=place.study.id,
        study_site_id=place.study_site.id,
        match_id=somebody.match.id,
        protocol_version_id=version.id,
        state=states[-1],
        state_since=AT.date(),
        referred_at=AT,
        is_test=is_test,
    )
    session.add(referral)
    session.flush()
    for state in states:
        happened(session, referral, state)
    return referral


def happened(session: Session, referral: Referral, state: State, *, voids: UUID | None = None) -> UUID:
    name = "referral.corrected" if voids else f"referral.{state.value}"
    event = events.record(
        session, name, subject=("referral", referral.id), happened_on=AT.date(), at=AT, voids=voids
    )
    session.flush()
    return event.id


def row_of(funnel: Funnel, link: SourceLink | None) -> FunnelRow:
    return next(row for row in funnel.rows if row.source_link_id == (link.id if link else None))


class TestFunnel:
    def test_a_person_proves_the_steps_below(self, session: Session, place: OpenStudy) -> None:
        link = make_link(session, place)
        somebody = make_reachable(session, place, source_link_id=link.id)
        refer(session, place, somebody, State.REFERRED, State.VISIT_ATTENDED)

        counted = row_of(funnel(session, EVERYTHING, period=ALWAYS), link).counts

        assert [counted[stage] for stage in Stage] == [0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0]

    def test_an_entry_that_was_corrected_does_not_count(self, session: Session, place: OpenStudy) -> None:
        link = make_link(session, place)
        somebody = make_reachable(session, place, source_link_id=link.id)
        referral = refer(session, place, somebody, State.REFERRED)
        wrong = happened(session, referral, State.RANDOMISED)
        before = row_of(funnel(session, EVERYTHING, period=ALWAYS), link).counts[Stage.RANDOMISED]

        happened(session, referral, State.RANDOMISED, voids=wrong)

        after = row_of(funnel(session, EVERYTHING, period=ALWAYS), link).counts
        assert (before, after[Stage.RANDOMISED], after[Stage.REFERRED]) == (1, 0, 1)

    def test_screen_failure_is_beside_the_way(self, session: Session, place: OpenStudy) -> None:
        somebody = make_reachable(session, place)
        refer(session, place, somebody, State.REFERRED, State.CONSENTED, State.SCREEN_FAILED)

        counted = funnel(session, EVERYTHING, period=ALWAYS).total.counts

        assert (counted[Stage.CONSENTED], counted[Stage.SCREEN_FAILED], counted[Stage.RANDOMISED]) == (1, 1, 0)

    def test_a_second_referral_of_the_same_person_counts_once(self, session: Session, place: OpenStudy) -> None:
        somebody = make_reachable(session, place)
        first = refer(session, place, somebody, State.REFERRED, State.VISIT_BOOKED, State.RETURNED_BY_SITE)
        first.closed_at = NOON
        session.flush()
        refer(session, place, somebody, State.REFERRED, State.VISIT_BOOKED)

        counted = funnel(session, EVERYTHING, period=ALWAYS).total.counts

        assert (counted[Stage.REFERRED], counted[Stage.VISIT_BOOKED]) == (1, 1)

    def test_merged_entries_are_one_person_at_the_first_source(
        self, session: Session, place: OpenStudy
    ) -> None:
        early, late = make_link(session, place), make_link(session, place, channel="Radio")
        one = make_reachable(session, place, source_link_id=early.id, arrived_at=AT)
        two = make_reachable(session, place, source_link_id=late.id, arrived_at=AT + timedelta(days=1))
        refer(session, place, two, State.REFERRED)
        apart = funnel(session, EVERYTHING, period=ALWAYS).total.counts[Stage.CONTACT_LEFT]

        merging.merge(session, one.person.id, into=two.person.id, at=NOON)

        counted = funnel(session, EVERYTHING, period=ALWAYS)
        assert (apart, counted.total.counts[Stage.CONTACT_LEFT]) == (2, 1)
        assert row_of(counted, early).counts[Stage.REFERRED] == 1

    def test_clicks_of_people_count_and_looks_of_programs_do_not(
        self, session: Session, place: OpenStudy
    ) -> None:
        link = make_link(session, place)
        for kind in (HitKind.PERSON, HitKind.PERSON, HitKind.PREVIEW):
            record_hit(session, link.id, kind, at=NOON)
        session.flush()

        assert row_of(funnel(session, EVERYTHING, period=ALWAYS), link).counts[Stage.CLICKED] == 2

    def test_test_traffic_is_nowhere(self, session: Session, place: OpenStudy) -> None:
        link = make_link(session, place, is_test=True)
        record_hit(session, link.id, HitKind.PERSON, at=NOON)
        somebody = make_reachable(session, place, is_test=True)
        refer(session, place, somebody, State.REFERRED, is_test=True)

        assert sum(funnel(session, EVERYTHING, period=ALWAYS).total.counts.values()) == 0

    def test_drafts_that_are_gone_still_count(self, session: Session, place: OpenStudy) -> None:
        link = make_link(session, place)
        asked = draft_questionnaire(session, place.study.id, make_document(), at=AT)
        for reached, count in (("started", 5), ("answered", 3), ("may_fit", 2), ("not_this_study", 4)):
            session.add(
                SettledCounter(
                    day=AT.date(),
                    study_id=place.study.id,
                    questionnaire_version_id=asked.id,
                    source_link_id=link.id,
                    language="en",
                    entrance=Entrance.ONLINE,
                    reached=reached,
                    count=count,
                )
            )
        session.flush()

        counted = row_of(funnel(session, EVERYTHING, period=ALWAYS), link).counts

        assert [counted[stage] for stage in (Stage.STARTED, Stage.COMPLETED, Stage.MAY_FIT)] == [14, 6, 2]

    def test_people_belong_to_the_day_of_their_first_touch(self, session: Session, place: OpenStudy) -> None:
        evening = datetime(2026, 11, 3, 4, 30, tzinfo=UTC)  # still the 2nd in New York
        somebody = make_reachable(session, place, arrived_at=evening)
        refer(session, place, somebody, State.REFERRED)

        def left(first: date, last: date) -> int:
            period = Period("America/New_York", first, last)
            return funnel(session, EVERYTHING, period=period).total.counts[Stage.CONTACT_LEFT]

        assert left(date(2026, 11, 2), date(2026, 11, 2)) == 1
        assert left(date(2026, 11, 3), date(2026, 11, 3)) == 0

    def test_the_total_is_the_sum_of_the_rows(self, session: Session, place: OpenStudy) -> None:
        links = [make_link(session, place, channel=name) for name in ("A", "B")]
        for number in range(7):
            source = [None, *(link.id for link in links)][number % 3]
            somebody = make_reachable(session, place, source_link_id=source)
            refer(session, place, somebody, State.REFERRED, *([State.VISIT_BOOKED] if number % 2 else []))

        counted = funnel(session, EVERYTHING, period=ALWAYS)

        for stage in Stage:
            assert counted.total.counts[stage] == sum(row.counts[stage] for row in counted.rows)
        assert counted.total.counts[Stage.CONTACT_LEFT] == 7

    def test_a_scope_sees_its_own_site_only(self, session: Session, place: OpenStudy) -> None:
        other = make_open_study(session)
        make_reachable(session, place)
        make_reachable(session, other)
        scope = Scope(frozenset({(place.study_site.site_id, None)}))

        assert funnel(session, scope, period=ALWAYS).total.counts[Stage.CONTACT_LEFT] == 1


class TestCost:
    def test_an_amount_is_shared_over_its_days(self, session: Session, place: OpenStudy) -> None:
        link = make_link(session, place)
        new = NewSpend(link.id, date(2026, 11, 1), date(2026, 11, 10), 100_00, "USD")
        enter_spend(session, new, EVERYTHING, key="k1", at=NOON)
        enter_spend(session, new, EVERYTHING, key="k1", at=NOON)
        make_reachable(session, place, source_link_id=link.id, arrived_at=AT)

        week = Period("America/New_York", date(2026, 11, 1), date(2026, 11, 7))
        row = row_of(funnel(session, EVERYTHING, period=week), link)

        assert row.spend == {"USD": 70_00}
        assert row.cost_per(Stage.CONTACT_LEFT) == (70_00, "USD")
        assert row.cost_per(Stage.RANDOMISED) is None

    def test_another_ones_link_is_not_there(self, session: Session, place: OpenStudy) -> None:
        link = make_link(session, place)
        new = NewSpend(link.id, date(2026, 11, 1), date(2026, 11, 1), 1, "USD")

        with pytest.raises(NotFound):
            enter_spend(session, new, Scope(frozenset({(None, new_id())})), key="k", at=NOON)

    @pytest.mark.parametrize(
        ("text", "minor"), [("1,250.00", 125000), ("$12", 1200), ("-3.50", -350), ("0.05", 5)]
    )
    def test_amounts_are_read_as_people_write_them(self, text: str, minor: int) -> None:
        assert read_amount(text, currency="USD") == minor

    @pytest.mark.parametrize("text", ["", "NaN", "1e9", "1.005", "inf", "\u0661", "9" * 40, "1.2.3"])
    def test_anything_else_is_no_amount(self, text: str) -> None:
        with pytest.raises(Invalid):
            read_amount(text, currency="USD")


class TestLadder:
    @pytest.mark.parametrize("state", State)
    def test_every_state_proves_at_least_the_referral(self, state: State) -> None:
        assert Rung.REFERRED in rungs(f"referral.{state.value}", {}, counts=EnrolmentCounts.RANDOMISED)

    def test_a_study_says_what_counts_as_the_last_rung(self) -> None:
        by_enrolment = rungs("referral.enrolled", {}, counts=EnrolmentCounts.ENROLLED)
        by_randomisation = rungs("referral.enrolled", {}, counts=EnrolmentCounts.RANDOMISED)

        assert Rung.RANDOMISED in by_enrolment
        assert Rung.RANDOMISED not in by_randomisation

    def test_a_call_counts_where_somebody_spoke(self) -> None:
        spoke = rungs("match.called", {"outcome": "reached"}, counts=EnrolmentCounts.RANDOMISED)
        rang = rungs("match.called", {"outcome": "no_answer"}, counts=EnrolmentCounts.RANDOMISED)

        assert spoke == {Rung.CONTACTED}
        assert not rang

    def test_other_events_prove_nothing(self) -> None:
        assert not rungs("referral.corrected", {}, counts=EnrolmentCounts.RANDOMISED)
        assert not rungs("person.erased", {}, counts=EnrolmentCounts.RANDOMISED)
