"""The queue: who is in which list, in which order, for whom, and at which cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from recruit import pipeline
from recruit.accounts.models import Role
from recruit.accounts.policy import Scope
from recruit.db import Database, found
from recruit.errors import Invalid, NotFound, Refused
from recruit.matching import assessing, holds, queries, service, stopping
from recruit.matching.models import DueReason, Match, Triage
from recruit.matching.plan import CallOutcome
from recruit.matching.queries import PAGE, Filter, View
from recruit.people.models import Person
from recruit.studies.models import HoldReason
from recruit.studies.service import save_cohort
from tests.conftest import NOON
from tests.factories import OpenStudy, make_account, make_open_study, make_site
from tests.recruit.arrivals import UNSURE, arrive, contact_of, hand_over, inquire

EVERYTHING = Scope(frozenset({(None, None)}))
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def opened(session: Session) -> OpenStudy:
    return make_open_study(session)


def names(session: Session, wanted: Filter, scope: Scope = EVERYTHING, *, at: object = LATER) -> list[str]:
    """List who stands in a view."""
    return [row.known.given for row in queries.queue(session, scope, wanted, at=at)]  # type: ignore[arg-type]


class TestLists:
    def test_somebody_new_is_to_be_called_at_once_and_within_fifteen_minutes(
        self, session: Session, opened: OpenStudy
    ) -> None:
        match = arrive(session, opened, contact_of("Ana"), at=NOON)

        assert match.due_at == NOON + timedelta(minutes=15)
        assert names(session, Filter(View.NOW), at=NOON) == ["Ana"]
        assert names(session, Filter(View.LATER), at=NOON) == []

    def test_somebody_new_at_night_is_to_be_called_from_opening_on(
        self, session: Session, opened: OpenStudy
    ) -> None:
        night, opening = NOON + timedelta(hours=11), NOON + timedelta(hours=21)
        arrive(session, opened, contact_of("Ana"), at=night)

        assert names(session, Filter(View.NOW), at=opening - timedelta(minutes=1)) == []
        assert names(session, Filter(View.LATER), at=opening - timedelta(minutes=1)) == ["Ana"]
        assert names(session, Filter(View.NOW), at=opening) == ["Ana"]

    def test_promises_come_first_then_who_is_due_longest(self, session: Session, opened: OpenStudy) -> None:
        for minutes, name in ((0, "First"), (10, "Second"), (20, "Promised")):
            match = arrive(session, opened, contact_of(name), at=NOON + timedelta(minutes=minutes))
        pipeline.call(
            session,
            match.id,
            CallOutcome.CALL_BACK,
            at=NOON + timedelta(minutes=25),
            call_back_at=NOON + timedelta(minutes=55),
        )

        assert names(session, Filter(View.NOW)) == ["Promised", "First", "Second"]

    def test_somebody_put_aside_comes_back_at_the_time(self, session: Session, opened: OpenStudy) -> None:
        match = arrive(session, opened, contact_of("Ana"), at=NOON)
        until = NOON + timedelta(days=2)
        service.snooze(session, match.id, until=until, at=NOON)

        assert names(session, Filter(View.NOW)) == []
        assert names(session, Filter(View.NOW), at=until) == ["Ana"]
        assert match.due_reason is DueReason.SNOOZED

    def test_somebody_referred_is_in_the_queue_only_with_a_task(
        self, session: Session, opened: OpenStudy
    ) -> None:
        referral = hand_over(session, opened, arrive(session, opened, contact_of("Ana"), at=NOON), at=NOON)
        assert names(session, Filter(View.NOW)) == []
        assert names(session, Filter(View.REFERRED)) == ["Ana"]

        service.call_today(session, found(session, Match, referral.match_id), DueReason.NO_SHOW, at=NOON)

        assert names(session, Filter(View.NOW)) == ["Ana"]

    def test_closed_ones_are_listed_newest_first(self, session: Session, opened: OpenStudy) -> None:
        for hours, name in enumerate(("Early", "Late")):
            match = arrive(session, opened, contact_of(name), at=NOON)
            service.close(session, match.id, reason="area", at=NOON + timedelta(hours=hours))

        assert names(session, Filter(View.CLOSED)) == ["Late", "Early"]

    def test_counts_agree_with_the_lists(self, session: Session, opened: OpenStudy) -> None:
        people = [arrive(session, opened, contact_of(f"P{n}"), at=NOON) for n in range(6)]
        service.snooze(session, people[0].id, until=NOON + timedelta(days=1), at=NOON)
        service.close(session, people[1].id, reason="area", at=NOON)
        hand_over(session, opened, people[2], at=NOON)

        counts = queries.counts(session, EVERYTHING, Filter(), at=LATER)

        assert counts == {view: len(names(session, Filter(view))) for view in View}
        assert counts[View.NOW] == 3

    def test_filters_narrow_lists_and_counts_alike(self, session: Session, opened: OpenStudy) -> None:
        other = make_open_study(session)
        account = make_account(session, Role.RECRUITER).id
        arrive(session, opened, contact_of("Ana", language="es"), at=NOON)
        mine = arrive(session, other, contact_of("Ben"), at=NOON)
        service.assign(session, mine.id, account, at=NOON)

        for wanted, expected in (
            (Filter(study_id=opened.study.id), ["Ana"]),
            (Filter(site_id=other.site.id), ["Ben"]),
            (Filter(language="es"), ["Ana"]),
            (Filter(mine=account), ["Ben"]),
            (Filter(language="es", mine=account), []),
        ):
            assert names(session, wanted) == expected
            assert queries.counts(session, EVERYTHING, wanted, at=LATER)[View.NOW] == len(expected)

    def test_pages_follow_each_other_without_gap_or_repeat(self, session: Session, opened: OpenStudy) -> None:
        first = arrive(session, opened, at=NOON)
        for number in range(PAGE + 12):
            session.add(copy_of(session, first, number))
        session.flush()
        for view in (View.NOW, View.CLOSED):
            if view is View.CLOSED:
                session.execute(sa.update(Match).values(triage=Triage.CLOSED, closed_at=NOON))
                session.expire_all()
            seen, wanted = [], Filter(view)
            while True:
                rows = queries.queue(session, EVERYTHING, wanted, at=LATER)
                seen += [row.match.id for row in rows[:PAGE]]
                if len(rows) <= PAGE:
                    break
                wanted = replace(wanted, after=rows[PAGE - 1].place)

            assert len(seen) == len(set(seen)) == PAGE + 13


class TestScope:
    def test_a_site_sees_its_own_people_only(self, session: Session, opened: OpenStudy) -> None:
        other = make_open_study(session)
        arrive(session, opened, contact_of("Ours"), at=NOON)
        theirs = arrive(session, other, contact_of("Theirs"), at=NOON)
        scope = Scope(frozenset({(opened.site.id, None)}))

        assert names(session, Filter(), scope) == ["Ours"]
        assert queries.counts(session, scope, Filter(), at=LATER)[View.NOW] == 1
        with pytest.raises(NotFound):
            queries.match_in_scope(session, theirs.id, scope)

    def test_a_person_without_a_site_is_for_the_network(self, session: Session, opened: OpenStudy) -> None:
        match = inquire(session, opened, contact_of("Nowhere"), at=NOON)
        match.study_site_id = None
        session.flush()
        site, study = Scope(frozenset({(opened.site.id, None)})), Scope(frozenset({(None, opened.study.id)}))

        assert names(session, Filter(), site) == []
        assert names(session, Filter(), study) == ["Nowhere"]

    def test_no_grant_shows_nothing(self, session: Session, opened: OpenStudy) -> None:
        arrive(session, opened, at=NOON)

        assert names(session, Filter(), Scope(frozenset())) == []

    def test_erased_test_and_do_not_contact_people_are_not_to_be_called(
        self, session: Session, opened: OpenStudy
    ) -> None:
        erased, test, stopped = (arrive(session, opened, contact_of(f"P{n}"), at=NOON) for n in range(3))
        found(session, Person, erased.person_id).erased_at = NOON
        test.is_test = True
        session.flush()
        stopping.do_not_contact(session, stopped.person_id, at=NOON)

        assert names(session, Filter()) == []
        assert (stopped.triage, stopped.closed_reason) == (Triage.CLOSED, "do_not_contact")


class TestHolds:
    def test_hold_people_back_and_let_them_go_on_where_they_stood(
        self, session: Session, opened: OpenStudy
    ) -> None:
        match = arrive(session, opened, contact_of("Ana"), at=NOON)
        pipeline.call(session, match.id, CallOutcome.NO_ANSWER, at=NOON)
        due = match.due_at
        hold = holds.place(session, reason=HoldReason.IRB, at=NOON, study_id=opened.study.id)
        assert names(session, Filter(View.HELD)) == ["Ana"]
        [live] = queries.holds_on(session, EVERYTHING, at=LATER)
        assert (live.hold.reason, live.study, live.waiting) == (HoldReason.IRB, opened.study.nickname, 1)

        holds.lift(session, hold.id, at=LATER)

        assert (match.triage, match.due_at, match.attempts) == (Triage.TO_CALL, due, 1)

    def test_who_arrives_during_one_is_held(self, session: Session, opened: OpenStudy) -> None:
        hold = holds.place(session, reason=HoldReason.SAFETY, at=NOON, site_id=opened.site.id)
        match = inquire(session, opened, at=NOON)
        held = match.triage

        holds.lift(session, hold.id, at=NOON + timedelta(days=1))

        assert (held, match.triage) == (Triage.HELD, Triage.TO_CALL)
        assert match.due_at == NOON + timedelta(days=1)

    def test_are_told_to_whom_they_stop_and_count_their_people_only(
        self, session: Session, opened: OpenStudy
    ) -> None:
        other, elsewhere = make_open_study(session, site=opened.site), make_open_study(session)
        arrive(session, opened, at=NOON)
        arrive(session, other, at=NOON)
        holds.place(session, reason=HoldReason.CAPACITY, at=NOON, site_id=opened.site.id)
        site, study, none, far = (
            Scope(frozenset(pairs))
            for pairs in (
                {(opened.site.id, None)},
                {(None, other.study.id)},
                set[tuple[None, None]](),
                {(elsewhere.site.id, None)},
            )
        )

        told = [queries.holds_on(session, scope, at=LATER) for scope in (EVERYTHING, site, study, none, far)]

        assert [[live.waiting for live in one] for one in told] == [[2], [2], [1], [], []]

    def test_on_a_cohort_name_it_and_one_to_come_is_not_told_yet(
        self, session: Session, opened: OpenStudy
    ) -> None:
        cohort = save_cohort(session, opened.study.id, "A", name="Young")
        holds.place(session, reason=HoldReason.SAFETY, at=NOON, cohort_id=cohort.id)
        holds.place(session, reason=HoldReason.IRB, at=NOON, effective_at=LATER, study_id=opened.study.id)

        told = queries.holds_on(session, EVERYTHING, at=NOON)

        assert [(live.study, live.cohort) for live in told] == [(opened.study.nickname, "Young")]


class TestDecisions:
    def test_closing_needs_a_reason_and_reopening_begins_anew(
        self, session: Session, opened: OpenStudy
    ) -> None:
        match = arrive(session, opened, at=NOON)
        pipeline.call(session, match.id, CallOutcome.NO_ANSWER, at=NOON)
        with pytest.raises(Invalid):
            service.close(session, match.id, reason="", at=NOON)
        service.close(session, match.id, reason="not_interested", at=NOON)
        later = NOON + timedelta(days=30)

        service.reopen(session, match.id, at=later)

        assert (match.triage, match.attempts, match.closed_reason) == (Triage.TO_CALL, 0, "")
        assert match.due_reason is DueReason.REOPENED
        pipeline.call(session, match.id, CallOutcome.NO_ANSWER, at=later)
        assert match.due_at == later + timedelta(hours=4)

    def test_a_referred_person_is_closed_on_the_referral(self, session: Session, opened: OpenStudy) -> None:
        referral = hand_over(session, opened, at=NOON)

        with pytest.raises(Refused):
            service.close(session, referral.match_id, reason="area", at=NOON)
        with pytest.raises(Refused):
            service.snooze(session, referral.match_id, until=LATER, at=NOON)
        with pytest.raises(Refused):
            service.reopen(session, referral.match_id, at=NOON)

    def test_a_new_submission_brings_somebody_back(self, session: Session, opened: OpenStudy) -> None:
        who = contact_of("Ana", phone="+13055550777", birth=NOON.date().replace(year=1976))
        match = arrive(session, opened, who, at=NOON)
        service.close(session, match.id, reason="could_not_reach", at=NOON)

        again = arrive(session, opened, who, at=LATER)

        assert again.id == match.id
        assert (again.triage, again.due_reason) == (Triage.TO_CALL, DueReason.FIRST_CALL)

    def test_a_note_is_sealed_and_not_empty(self, session: Session, opened: OpenStudy) -> None:
        match = arrive(session, opened, at=NOON)
        with pytest.raises(Invalid):
            service.write_note(session, match.id, " \n", is_record=False, account_id=None, at=NOON)

        note = service.write_note(
            session, match.id, "Afraid of needles", is_record=True, account_id=None, at=NOON
        )

        assert b"needles" not in note.body_sealed


class TestVerdicts:
    def test_staffs_own_stands_beside_the_machines_and_lapses_with_new_facts(
        self, session: Session, opened: OpenStudy
    ) -> None:
        match = arrive(session, opened, contact_of("Ana", phone="+13055550778", birth=NOON.date()), at=NOON)
        before = match.machine_disposition
        assessing.override(session, match.id, "c3", passes=False, reason="Weighed here", at=NOON)
        assert match.machine_disposition is before
        assert (match.triage, match.closed_reason) == (Triage.CLOSED, "ruled_out")
        judged = assessing.judge(session, match, at=NOON)
        assert judged is not None
        assert assessing.reason_of(session, match, judged.overrides["c3"]) == "Weighed here"

        again = arrive(
            session,
            opened,
            contact_of("Ana", phone="+13055550778", birth=NOON.date()),
            at=LATER,
            answers=UNSURE,
        )

        assert again.id == match.id
        assert queries.overrides_of(session, match.id) == {}
        assert match.triage is Triage.TO_CALL

    def test_can_be_taken_back(self, session: Session, opened: OpenStudy) -> None:
        match = arrive(session, opened, at=NOON)
        assessing.override(session, match.id, "c3", passes=False, reason="Weighed here", at=NOON)

        assessing.withdraw_override(session, match.id, "c3", at=NOON)

        assert match.triage is Triage.TO_CALL
        with pytest.raises(Refused):
            assessing.withdraw_override(session, match.id, "c3", at=NOON)

    def test_need_a_reason_and_a_criterion_of_the_version(self, session: Session, opened: OpenStudy) -> None:
        match = arrive(session, opened, at=NOON)

        with pytest.raises(Invalid):
            assessing.override(session, match.id, "c3", passes=True, reason=" ", at=NOON)
        with pytest.raises(Invalid):
            assessing.override(session, match.id, "c99", passes=True, reason="why", at=NOON)

    def test_answers_to_another_study_count_only_where_it_takes_them(
        self, session: Session, opened: OpenStudy
    ) -> None:
        who = contact_of("Ana", phone="+13055550779", birth=NOON.date().replace(year=1976))
        arrive(session, opened, who, at=NOON)
        other = make_open_study(session, site=make_site(session))
        match = inquire(session, other, who, at=NOON)
        assert list(assessing.facts_for(session, match)) == []

        other.study.cross_study = True

        assert len(list(assessing.facts_for(session, match))) > 0


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Collect the statements that are sent meanwhile."""
    sent: list[str] = []

    def look(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", look)
    try:
        yield sent
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", look)


def copy_of(session: Session, match: Match, number: int) -> Match:
    """Put somebody else into the same study without asking all questions again."""
    person = found(session, Person, match.person_id)
    twin = Person(
        slot=10_000 + number,
        basis=person.basis,
        language=person.language,
        created_at=NOON,
    )
    session.add(twin)
    session.flush()
    return Match(
        person_id=twin.id,
        study_id=match.study_id,
        study_site_id=match.study_site_id,
        triage=Triage.TO_CALL,
        arrived_at=NOON,
        due_at=NOON + timedelta(minutes=number % 7),
        due_reason=DueReason.PROMISE if number % 5 == 0 else DueReason.FIRST_CALL,
    )


def test_fifty_people_cost_as_many_queries_as_five(database: Database) -> None:
    costs = []
    for size in (5, 45):
        with database.transaction(actor="test") as session:
            if size == 5:
                opened = make_open_study(session)
                first = arrive(session, opened, at=NOON)
            for number in range(size):
                session.add(copy_of(session, found(session, Match, first.id), number + 100 * size))
        with database.reading() as session, counted(database) as sent:
            rows = queries.queue(session, EVERYTHING, Filter(), at=LATER)
            queries.counts(session, EVERYTHING, Filter(), at=LATER)
            queries.holds_on(session, EVERYTHING, at=LATER)
        costs.append((len(rows), len(sent)))

    assert [rows for rows, _sent in costs] == [6, 51]
    assert costs[0][1] == costs[1][1] <= 12
