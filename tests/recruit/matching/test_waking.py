"""The day on which time, or another version, changes what is true of somebody."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import sqlalchemy as sa

from recruit import events, upkeep
from recruit.db import Database, found
from recruit.ids import new_id
from recruit.matching import holds, waking
from recruit.matching.models import AssessmentRow, Match, Triage, Watch
from recruit.people import service as people
from recruit.referrals import service as referrals
from recruit.referrals.models import Referral
from recruit.referrals.states import State
from recruit.studies import versions
from screening.facts import Code, EvidenceSource, Fact, Statement
from screening.intervals import DateRange
from screening.language.notation import parse
from screening.language.protocol import Protocol, read_protocol
from screening.terms import ICD10CM
from screening.verdict import Disposition
from tests.conftest import NOON
from tests.factories import OpenStudy, approve_everything, make_open_study, publish_criteria
from tests.recruit.arrivals import arrive, bring_to, hand_over

DAY = timedelta(days=1)
BACK_ON = date(2027, 3, 2)
STRICTER = parse("""language 1
    include c1 text "Young adults" rule age between 18 and 40 years""")


def ruled_out(database: Database, opened: OpenStudy) -> Match:
    """Bring in somebody who may fit but for a heart attack on 1 September, as their doctor's record says."""
    with database.transaction(actor="test") as session:
        match = arrive(session, opened, at=NOON, answers={"condition_heart": {"instead": ["dont_know"]}})
        fact = Fact(
            id=new_id(),
            key="condition.heart",
            value=Statement.event(Code(ICD10CM, "I21"), DateRange.day(date(2026, 9, 1)), last=True),
            raw="",
            observed=DateRange.day(NOON.date()),
            recorded_at=NOON + timedelta(minutes=1),
            source=EvidenceSource.RECORD,
        )
        people.add_facts(session, match.person_id, [fact], study_id=opened.study.id)
        row = found(session, Match, match.id)
        holds.judge_again(session, row, cause="record", at=NOON + timedelta(minutes=1))
    return match


def open_study(database: Database) -> OpenStudy:
    with database.transaction(actor="test") as session:
        return make_open_study(session)


def fitting(database: Database, opened: OpenStudy) -> Match:
    with database.transaction(actor="test") as session:
        return arrive(session, opened, at=NOON)


def wake(database: Database, at: datetime) -> None:
    upkeep.wake_matches(database, at)


def seen(database: Database, match: Match) -> tuple[Triage, Disposition | None]:
    with database.reading() as session:
        row = found(session, Match, match.id)
        return row.triage, row.effective_disposition


def causes(database: Database, match: Match) -> list[str]:
    with database.reading() as session:
        mine = sa.select(AssessmentRow.cause).where(AssessmentRow.match_id == match.id)
        return list(session.scalars(mine.order_by(AssessmentRow.at, AssessmentRow.id)))


def next_day(database: Database, match: Match) -> date | None:
    with database.reading() as session:
        return session.scalar(sa.select(Watch.look_again_on).where(Watch.match_id == match.id))


def put_in_force(database: Database, opened: OpenStudy, protocol: Protocol, *, since: date) -> None:
    with database.transaction(actor="test") as session:
        draft = versions.draft_protocol(session, opened.study.id, protocol, at=NOON)
        published = publish_criteria(session, draft, at=NOON)
        approve_everything(session, opened.study, at=NOON)
        versions.put_in_force(
            session,
            opened.study_site.id,
            protocol_version_id=published.id,
            questionnaire_version_id=opened.questionnaire.id,
            effective_from=since,
            at=NOON,
        )


class TestTheDay:
    def test_is_found_after_somebody_was_judged(self, database: Database) -> None:
        match = ruled_out(database, open_study(database))

        wake(database, NOON)

        assert next_day(database, match) == date(2026, 12, 19)
        assert causes(database, match) == ["submission", "record"]

    def test_is_each_person_s_own(self, database: Database) -> None:
        opened = open_study(database)
        first, second = fitting(database, opened), ruled_out(database, opened)
        wake(database, NOON)
        with database.transaction(actor="test") as session:
            session.execute(sa.delete(Watch).where(Watch.match_id == second.id))

        wake(database, NOON + DAY)

        with database.reading() as session:
            looked = {watch.match_id: watch.looked_at for watch in session.scalars(sa.select(Watch))}
        assert looked == {first.id: NOON, second.id: NOON + DAY}

    def test_brings_somebody_back_into_the_queue(self, database: Database) -> None:
        match = ruled_out(database, open_study(database))
        before = seen(database, match)

        for step in range(130):
            wake(database, NOON + step * DAY)

        assert before == (Triage.CLOSED, Disposition.INELIGIBLE)
        assert seen(database, match) == (Triage.TO_CALL, Disposition.POTENTIAL_CANDIDATE)
        with database.reading() as session:
            rows = session.scalars(
                sa.select(AssessmentRow).where(AssessmentRow.match_id == match.id).order_by(AssessmentRow.at)
            ).all()
        by_time = [row for row in rows if row.cause == "day"]
        left = [row.on_day for row in by_time if row.disposition is not Disposition.INELIGIBLE]
        assert left[0] == BACK_ON

    def test_that_passed_before_anybody_looked_is_made_up_for(self, database: Database) -> None:
        match = fitting(database, open_study(database))

        wake(database, NOON + 40 * DAY)

        assert causes(database, match) == ["submission", "day"]

    def test_writes_only_where_a_verdict_turned(self, database: Database) -> None:
        match = fitting(database, open_study(database))
        wake(database, NOON)

        for step in range(1, 25):
            wake(database, NOON + step * DAY)

        assert causes(database, match) == ["submission"]

    def test_comes_once_however_often_the_job_runs(self, database: Database) -> None:
        match = ruled_out(database, open_study(database))
        for step in range(130):
            wake(database, NOON + step * DAY)
        before = causes(database, match)

        wake(database, NOON + 129 * DAY)
        wake(database, NOON + 129 * DAY)

        assert causes(database, match) == before

    def test_leaves_the_desk_s_lock_alone_where_nothing_turned(self, database: Database) -> None:
        match = fitting(database, open_study(database))
        with database.reading() as session:
            before = found(session, Match, match.id).version

        wake(database, NOON)
        wake(database, NOON + DAY)

        with database.reading() as session:
            assert found(session, Match, match.id).version == before

    def test_foretells_when_somebody_may_come_back(self, database: Database) -> None:
        match = ruled_out(database, open_study(database))

        with database.reading() as session:
            told = waking.foretell(session, found(session, Match, match.id), at=NOON)

        assert told is not None
        assert told.possible_from == BACK_ON


class TestAnotherVersion:
    def test_is_judged_by_from_its_day_on(self, database: Database) -> None:
        opened = open_study(database)
        match = fitting(database, opened)
        put_in_force(database, opened, STRICTER, since=NOON.date() + 7 * DAY)

        wake(database, NOON + 6 * DAY)
        before = seen(database, match)
        wake(database, NOON + 7 * DAY)

        assert before == (Triage.TO_CALL, Disposition.CANDIDATE)
        assert seen(database, match) == (Triage.CLOSED, Disposition.INELIGIBLE)
        assert causes(database, match) == ["submission", "version"]

    def test_is_judged_by_once(self, database: Database) -> None:
        opened = open_study(database)
        match = fitting(database, opened)
        put_in_force(database, opened, STRICTER, since=NOON.date())

        wake(database, NOON)
        wake(database, NOON + DAY)

        assert causes(database, match) == ["submission", "version"]

    def test_does_not_touch_who_has_given_informed_consent(self, database: Database) -> None:
        opened = open_study(database)
        match = fitting(database, opened)
        with database.transaction(actor="test") as session:
            referral = hand_over(session, opened, found(session, Match, match.id), at=NOON)
            bring_to(session, referral, State.CONSENTED, at=NOON + DAY)
        put_in_force(database, opened, STRICTER, since=NOON.date() + 3 * DAY)

        wake(database, NOON + 4 * DAY)

        assert seen(database, match)[1] is Disposition.CANDIDATE
        with database.reading() as session:
            row = found(session, Match, match.id)
            criteria = referrals.criteria_of(session, found(session, Referral, referral.id))
        assert row.signed_version_id == opened.protocol.id
        assert criteria == read_protocol(opened.protocol.document).criteria

    def test_counts_again_when_the_consent_was_entered_by_mistake(self, database: Database) -> None:
        opened = open_study(database)
        match = fitting(database, opened)
        with database.transaction(actor="test") as session:
            referral = hand_over(session, opened, found(session, Match, match.id), at=NOON)
            bring_to(session, referral, State.CONSENTED, at=NOON + DAY)
            standing = events.standing(session, (referrals.SUBJECT, referral.id))
            [wrong] = [one for one in standing if referrals.state_of(one) is State.CONSENTED]
            referrals.correct(session, referral.id, wrong.id, reason="Another person", at=NOON + DAY)

        with database.reading() as session:
            assert found(session, Match, match.id).signed_version_id is None
