"""Forgetting: after an erasure nobody can find out who somebody was, and a no is still a no."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from campaigns import jobs
from recruit import events, privacy, purges, settling
from recruit.accounts.models import LoginAttempt
from recruit.contact.models import (
    Consent,
    ConsentScope,
    ContactChannel,
    Purpose,
    Suppression,
    SuppressionReason,
)
from recruit.db import Base, Database, Row
from recruit.errors import NotFound, Unreadable
from recruit.events import Event
from recruit.ids import new_id
from recruit.intake.models import Draft, DraftStatus, Entrance, IdempotencyKey, SettledCounter, Submission
from recruit.keys import DataKey, vault_of
from recruit.matching.models import AssessmentRow, Match, Note, StageCounter, Triage
from recruit.people import queries as people_queries
from recruit.people import service as people
from recruit.people.models import Basis, ContactKind, ContactPoint, FactRow, Person, PersonContact
from recruit.privacy import Cause, Forgetting
from recruit.referrals.models import Referral
from recruit.referrals.states import State
from recruit.retention import Retention
from recruit.visits.models import Visit
from screening.asking.questionnaire import Outcome
from tests.conftest import NOON
from tests.factories import OpenStudy, make_open_study
from tests.recruit.lives import (
    EMAIL,
    FAMILY,
    GIVEN,
    PHONE,
    WORDS,
    Life,
    close,
    found_canaries,
    live,
    make_draft,
    make_source,
    merge,
    refer,
    report,
    rows_about,
    stop,
)

DAY = timedelta(days=1)


@pytest.fixture
def study(database: Database) -> OpenStudy:
    with database.transaction(actor="test") as session:
        return make_open_study(session)


@pytest.fixture
def life(database: Database, study: OpenStudy) -> Life:
    with database.transaction(actor="test") as session:
        return live(session, study)


def write(database: Database, change: Callable[[Session], object]) -> None:
    with database.transaction(actor="test", reason="test") as session:
        change(session)


def erase(
    database: Database, person_id: UUID, *, at: datetime = NOON, cause: Cause = Cause.REQUEST
) -> privacy.Erasure:
    with database.transaction(actor="account:1", reason="privacy:erase") as session:
        return privacy.erase_person(session, person_id, at=at, cause=cause)


def count(database: Database, model: type[Base], *conditions: sa.ColumnElement[bool]) -> int:
    with database.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(model).where(*conditions)) or 0


def closed(database: Database, kind: ContactKind, address: str) -> dict[ContactChannel, SuppressionReason]:
    """Say how an address is closed, asking as the contact policy does: by its fingerprint."""
    with database.reading() as session:
        token = people_queries.address_token(session, kind, address)
        rows = session.scalars(
            sa.select(Suppression).where(Suppression.address_token == token, Suppression.lifted_at.is_(None))
        )
        return {row.channel: row.reason for row in rows}


class TestBeforeInformedConsent:
    def test_the_canaries_are_there_to_be_found(self, database: Database, life: Life) -> None:
        """Seen to fail: the search finds what an erasure must remove."""
        found = found_canaries(database)

        assert {place.partition(":")[0] for place in found} >= {
            "person.given_sealed",
            "person.family_sealed",
            "person.say_sealed",
            "person.birth_sealed",
            "person.postcode",
            "person_contact.contact_name_sealed",
            "contact_point.address_sealed",
            "draft.answers_sealed",
            "submission.answers_sealed",
            "inquiry.clinician_sealed",
            "fact.raw_sealed",
            "note.body_sealed",
            "override.reason_sealed",
            "communication.note_sealed",
        }

    def test_no_row_of_any_table_holds_anything_of_the_person(
        self, database: Database, study: OpenStudy, life: Life
    ) -> None:
        write(database, lambda session: refer(session, study, life, State.CONTACTED, State.NOT_INTERESTED))

        erase(database, life.person_id)

        assert found_canaries(database) == []
        assert rows_about(database, {life.person_id}) == {}
        assert count(database, DataKey, DataKey.owner_id.in_({life.phone_id, life.email_id})) == 0
        assert [count(database, model) for model in (Match, Referral, Visit, AssessmentRow, Draft)] == [0] * 5

    def test_nothing_is_left_in_the_file_either(self, database: Database, life: Life) -> None:
        if not database.is_sqlite:
            pytest.skip("PostgreSQL frees its pages by vacuum")
        with database.reading() as session:
            wrapped = list(
                session.scalars(sa.select(DataKey.wrapped).where(DataKey.owner_id == life.person_id))
            )

        erase(database, life.person_id)
        database.dispose()

        content = Path(database.engine.url.database or "").read_bytes()
        assert wrapped[0] not in content
        assert b'"kind":"yes"' not in content.replace(b" ", b"")

    def test_an_empty_row_says_that_somebody_was_here(self, database: Database, life: Life) -> None:
        erase(database, life.person_id)

        with database.reading() as session:
            person = session.get_one(Person, life.person_id)
            assert person.erased_at == person.do_not_contact_at == NOON
            assert (person.given_sealed, person.postcode, person.zone, person.best_time) == (None, "", "", "")
            assert people_queries.names_of(session, [life.person_id]) == {}
            with pytest.raises(Unreadable):
                vault_of(session).seal(life.person_id, "note", "body_sealed", new_id(), "later")

    def test_the_addresses_are_closed_by_their_fingerprints(self, database: Database, life: Life) -> None:
        erase(database, life.person_id)

        erased = SuppressionReason.ERASED
        assert closed(database, ContactKind.PHONE, PHONE) == {
            ContactChannel.CALL: erased,
            ContactChannel.SMS: erased,
            ContactChannel.VOICEMAIL: erased,
        }
        assert closed(database, ContactKind.EMAIL, EMAIL) == {ContactChannel.EMAIL: erased}

    def test_a_stop_from_before_stays_what_it_was(self, database: Database, life: Life) -> None:
        write(database, lambda session: stop(session, life.phone_id))

        erase(database, life.person_id)

        assert closed(database, ContactKind.PHONE, PHONE)[ContactChannel.SMS] is SuppressionReason.STOP

    def test_a_spouse_on_the_same_phone_keeps_it(
        self, database: Database, study: OpenStudy, life: Life
    ) -> None:
        with database.transaction(actor="test") as session:
            spouse = people.add_person(
                session, people.Identity(given="Bert"), basis=Basis.CALL, language="en", at=NOON
            )
            people.attach_contact(session, spouse, ContactKind.PHONE, PHONE, at=NOON)

        done = erase(database, life.person_id)

        assert done.shared_contact_points == 1
        assert closed(database, ContactKind.PHONE, PHONE) == {}
        assert closed(database, ContactKind.EMAIL, EMAIL) != {}
        with database.reading() as session:
            [reachable] = people_queries.contacts_of(session, {spouse.id})
            assert reachable.address == PHONE
            assert people_queries.names_of(session, [spouse.id])[spouse.id].given == "Bert"
        assert [place for place in found_canaries(database) if PHONE not in place] == []

    def test_the_last_of_a_couple_takes_the_phone_along(
        self, database: Database, study: OpenStudy, life: Life
    ) -> None:
        with database.transaction(actor="test") as session:
            spouse = live(session, study, email="other@birdhouse.example")

        erase(database, life.person_id)
        erase(database, spouse.person_id)

        assert count(database, ContactPoint) == 0
        assert closed(database, ContactKind.PHONE, PHONE) != {}
        assert found_canaries(database) == []

    def test_merged_entries_go_together(self, database: Database, study: OpenStudy, life: Life) -> None:
        with database.transaction(actor="test") as session:
            other, third = (live(session, study, phone=f"+1555010088{n}") for n in range(2))
            merge(session, other.person_id, into=life.person_id)
            merge(session, third.person_id, into=other.person_id)

        done = erase(database, other.person_id)

        everybody = {life.person_id, other.person_id, third.person_id}
        assert done.person_ids == everybody
        assert rows_about(database, everybody) == {}
        assert found_canaries(database) == []

    def test_others_are_left_alone(self, database: Database, study: OpenStudy, life: Life) -> None:
        with database.transaction(actor="test") as session:
            other = live(session, study, phone="+15550100999", email="someone@else.example")
        before = rows_about(database, {other.person_id})

        erase(database, life.person_id)

        assert rows_about(database, {other.person_id}) == before
        with database.reading() as session:
            assert people_queries.names_of(session, [other.person_id])[other.person_id].family == FAMILY

    def test_it_is_written_down_without_a_word_about_the_person(self, database: Database, life: Life) -> None:
        erase(database, life.person_id)

        with database.reading() as session:
            [event] = events.standing(session, ("person", life.person_id))
        assert event.type == "person.erased"
        assert event.actor == "account:1"
        assert event.payload == {"cause": "request", "record_kept": []}

    def test_doing_it_again_changes_nothing(self, database: Database, life: Life) -> None:
        erase(database, life.person_id)
        before = [
            count(database, model) for model in (Event, Suppression, StageCounter, SettledCounter, Person)
        ]

        again = erase(database, life.person_id, at=NOON + DAY)

        after = [count(database, model) for model in (Event, Suppression, StageCounter, SettledCounter, Person)]
        assert after == before
        assert again.person_ids == {life.person_id}
        with database.reading() as session:
            assert session.get_one(Person, life.person_id).erased_at == NOON

    def test_whoever_holds_more_is_told_before_the_rows_go(self, database: Database, life: Life) -> None:
        told: list[tuple[Forgetting, int]] = []

        def handle(session: Session, notice: Forgetting) -> None:
            told.append((notice, session.scalar(sa.select(sa.func.count()).select_from(Match)) or 0))

        database.subscribe(Forgetting, handle)

        erase(database, life.person_id)

        assert told == [
            (Forgetting(frozenset({life.person_id}), frozenset({life.phone_id, life.email_id}), NOON), 1)
        ]

    def test_nobody_is_not_found(self, session: Session) -> None:
        with pytest.raises(NotFound):
            privacy.erase_person(session, new_id(), at=NOON)

    def test_an_erasure_that_is_interrupted_leaves_the_person_whole(
        self, database: Database, life: Life
    ) -> None:
        def interrupted() -> None:
            with database.transaction(actor="test") as session:
                privacy.erase_person(session, life.person_id, at=NOON)
                raise KeyboardInterrupt

        before = rows_about(database, {life.person_id})
        with pytest.raises(KeyboardInterrupt):
            interrupted()

        assert rows_about(database, {life.person_id}) == before
        erase(database, life.person_id)
        assert found_canaries(database) == []


class TestAfterInformedConsent:
    @pytest.fixture
    def referral(self, database: Database, study: OpenStudy, life: Life) -> Referral:
        with database.transaction(actor="test") as session:
            return refer(session, study, life, State.VISIT_ATTENDED, State.CONSENTED, State.IN_SCREENING)

    def test_the_record_of_the_study_stays_and_can_be_read(
        self, database: Database, study: OpenStudy, life: Life, referral: Referral
    ) -> None:
        done = erase(database, life.person_id)

        assert done.kept_study_ids == {study.study.id}
        with database.reading() as session:
            kept = session.get_one(Referral, referral.id)
            submission = session.get_one(Submission, life.submission_id)
            [note] = session.scalars(sa.select(Note))
            vault = vault_of(session)
            answers = vault.open(
                life.person_id, "submission", "answers_sealed", submission.id, submission.answers_sealed
            )
            words = vault.open(life.person_id, "note", "body_sealed", note.id, note.body_sealed)
            name = people_queries.names_of(session, [life.person_id])[life.person_id]
        assert (kept.state, kept.match_id, note.is_record) == (State.IN_SCREENING, life.match_id, True)
        assert (answers, words) == (WORDS, WORDS)
        assert (name.given, name.family, name.say) == (GIVEN, FAMILY, "")
        assert count(database, Visit) == count(database, AssessmentRow) == 1

    def test_pool_registry_and_campaign_data_go(
        self, database: Database, life: Life, referral: Referral
    ) -> None:
        erase(database, life.person_id)

        left = rows_about(database, {life.person_id})
        assert left == {"consent": 2, "data_key": 1, "match": 1, "note": 1, "referral": 1, "submission": 1}
        assert not [place for place in found_canaries(database) if PHONE in place or EMAIL in place]
        assert count(database, DataKey, DataKey.owner_id.in_({life.phone_id, life.email_id})) == 0
        assert closed(database, ContactKind.PHONE, PHONE) != {}
        with database.reading() as session:
            assert session.get_one(Person, life.person_id).do_not_contact_at == NOON

    def test_another_study_s_rows_go(
        self, database: Database, study: OpenStudy, life: Life, referral: Referral
    ) -> None:
        with database.transaction(actor="test") as session:
            other = live(session, make_open_study(session))
            merge(session, other.person_id, into=life.person_id)

        erase(database, life.person_id)

        assert count(database, Match) == count(database, Submission) == 1
        assert rows_about(database, {other.person_id}) == {}
        with database.reading() as session:
            assert session.get_one(Person, other.person_id).erased_at == NOON
            assert session.get_one(Person, life.person_id).erased_at is None

    def test_who_has_left_the_study_has_a_record_too(
        self, database: Database, study: OpenStudy, life: Life
    ) -> None:
        write(database, lambda session: refer(session, study, life, State.CONSENTED, State.WITHDRAWN))

        assert erase(database, life.person_id).kept_study_ids == {study.study.id}

    def test_a_consent_that_was_entered_by_mistake_is_none(
        self, database: Database, study: OpenStudy, life: Life
    ) -> None:
        with database.transaction(actor="test") as session:
            referral = refer(session, study, life, State.VISIT_ATTENDED)
            wrong = report(session, referral, State.CONSENTED, on=NOON.date())
            session.flush()
            happened = {"happened_on": NOON.date(), "at": NOON, "voids": wrong.id}
            subject = ("referral", referral.id)
            events.record(session, "referral.corrected", subject=subject, **happened)  # type: ignore[arg-type]

        assert erase(database, life.person_id).kept_study_ids == frozenset()
        assert found_canaries(database) == []

    def test_it_is_written_down_once(
        self, database: Database, study: OpenStudy, life: Life, referral: Referral
    ) -> None:
        for day in range(3):
            erase(database, life.person_id, at=NOON + day * DAY)

        with database.reading() as session:
            [event] = events.standing(session, ("person", life.person_id))
        assert event.payload == {"cause": "request", "record_kept": [str(study.study.id)]}


class TestNumbers:
    def test_the_stages_somebody_reached_stay_in_numbers(
        self, database: Database, study: OpenStudy, life: Life
    ) -> None:
        write(database, lambda session: refer(session, study, life, State.CONTACTED, State.NOT_INTERESTED))

        erase(database, life.person_id)

        with database.reading() as session:
            rows = {row.stage: row for row in session.scalars(sa.select(StageCounter))}
        assert {name for name in rows if not name.startswith("rung.")} == {
            "matched",
            "submitted",
            "inquired",
            "referral.referred",
            "referral.contacted",
            "referral.not_interested",
        }
        assert {row.count for row in rows.values()} == {1}
        assert {row.source_link_id for row in rows.values()} == {life.source_id}
        assert rows["referral.contacted"].day - rows["referral.referred"].day == DAY

    def test_two_people_add_up(self, database: Database, study: OpenStudy) -> None:
        with database.transaction(actor="test") as session:
            lives = [live(session, study, phone=f"+1555010055{n}", email=f"{n}@x.example") for n in range(3)]
            for one in lives:
                session.get_one(Match, one.match_id).first_source_link_id = lives[0].source_id

        for one in lives:
            erase(database, one.person_id)

        with database.reading() as session:
            counts = {row.stage: row.count for row in session.scalars(sa.select(StageCounter))}
        assert counts == {"matched": 3, "submitted": 3, "inquired": 3}

    def test_a_person_with_two_entries_counts_once(
        self, database: Database, study: OpenStudy, life: Life
    ) -> None:
        with database.transaction(actor="test") as session:
            other = live(session, study, phone="+15550100880")
            merge(session, other.person_id, into=life.person_id)

        erase(database, life.person_id)

        assert count(database, StageCounter, StageCounter.stage == "matched", StageCounter.count == 1) == 1

    def test_staff_s_own_tests_are_not_counted(self, database: Database, life: Life) -> None:
        write(database, lambda session: session.execute(sa.update(Match).values(is_test=True)))

        erase(database, life.person_id)

        assert count(database, StageCounter) == 0


class TestDrafts:
    def settled(self, database: Database) -> dict[tuple[str, str], int]:
        with database.reading() as session:
            rows = session.scalars(sa.select(SettledCounter))
            return {(row.reached, row.last_item): row.count for row in rows}

    def test_stay_a_day_after_the_last_answer(self, database: Database, study: OpenStudy) -> None:
        write(database, lambda session: make_draft(session, study, started_at=NOON - DAY))

        early = purges.purge_drafts(database, at=NOON + DAY - timedelta(seconds=1))
        due = purges.purge_drafts(database, at=NOON + DAY)

        assert (early, due) == (0, 1)
        assert count(database, Draft) == count(database, DataKey) == 0
        assert found_canaries(database) == []

    def test_of_somebody_known_stay_thirty_days_until_submitted(
        self, database: Database, study: OpenStudy, life: Life
    ) -> None:
        def add(session: Session) -> None:
            for status in (DraftStatus.OPEN, DraftStatus.SUBMITTED):
                make_draft(session, study, person_id=life.person_id, status=status)

        write(database, add)
        write(database, lambda session: session.execute(sa.update(Draft).values(last_at=NOON)))

        after = [purges.purge_drafts(database, at=NOON + days * DAY) for days in (1, 29, 30)]

        assert after == [2, 0, 1]

    def test_are_counted_by_how_far_they_came(self, database: Database, study: OpenStudy) -> None:
        def add(session: Session) -> None:
            make_draft(session, study, revision=0, path=[])
            make_draft(session, study, revision=0, path=[["who", 2]])
            make_draft(session, study, revision=1)
            make_draft(session, study, revision=1)
            make_draft(session, study, revision=9, completed_at=NOON)
            make_draft(session, study, revision=9, completed_at=NOON, outcome=Outcome.NOT_THIS_STUDY)
            make_draft(session, study, is_test=True)

        write(database, add)

        gone = purges.purge_drafts(database, at=NOON + DAY)

        assert gone == 7
        assert self.settled(database) == {
            ("started", ""): 1,
            ("started", "who"): 1,
            ("answered", "birth"): 2,
            ("completed", ""): 1,
            ("not_this_study", ""): 1,
        }

    def test_are_counted_by_day_source_language_and_entrance(
        self, database: Database, study: OpenStudy
    ) -> None:
        with database.transaction(actor="test") as session:
            source = make_source(session, study.study.id)
            late = {"started_at": NOON - timedelta(hours=13), "language": "es", "entrance": Entrance.WALK_IN}
            make_draft(session, study, source_link_id=source.id, **late)

        purges.purge_drafts(database, at=NOON + DAY)

        with database.reading() as session:
            [row] = session.scalars(sa.select(SettledCounter))
        assert row.day == NOON.date() - DAY, "23:00 at the site is still the day before"
        assert (row.study_id, row.source_link_id) == (study.study.id, source.id)
        assert (row.language, row.entrance) == ("es", Entrance.WALK_IN)

    def test_a_run_that_is_killed_counts_nothing_twice(
        self, database: Database, study: OpenStudy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def add(session: Session) -> None:
            for _ in range(25):
                make_draft(session, study)

        write(database, add)
        monkeypatch.setattr(purges, "DRAFTS_AT_ONCE", 4)
        batches = iter([False, False, True, False, True])
        settle = settling.settle

        def settle_or_die(session: Session, drafts: list[Draft]) -> None:
            settle(session, drafts)
            if next(batches, False):
                raise KeyboardInterrupt

        monkeypatch.setattr(settling, "settle", settle_or_die)
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                purges.purge_drafts(database, at=NOON + DAY)
            counted = sum(self.settled(database).values())
            assert counted + count(database, Draft) == 25

        purges.purge_drafts(database, at=NOON + DAY)
        again = purges.purge_drafts(database, at=NOON + DAY)

        assert sum(self.settled(database).values()) == 25
        assert again == 0


class TestScreenedOut:
    def end(self, database: Database, life: Life, *, days_ago: float) -> None:
        write(database, lambda session: close(session, life, at=NOON - days_ago * DAY))

    def test_goes_when_the_study_s_days_are_over(self, database: Database, life: Life) -> None:
        self.end(database, life, days_ago=90)

        early = purges.purge_screened_out(database, at=NOON - timedelta(seconds=1))
        due = purges.purge_screened_out(database, at=NOON)
        again = purges.purge_screened_out(database, at=NOON)

        assert (early, due, again) == (0, 1, 0)
        assert found_canaries(database) == []
        assert count(database, StageCounter, StageCounter.stage == "matched") == 1

    def test_a_study_may_keep_people_for_less(self, database: Database, study: OpenStudy, life: Life) -> None:
        self.end(database, life, days_ago=10)
        write(database, lambda session: session.execute(sa.text("UPDATE study SET screened_out_days = 10")))

        assert purges.purge_screened_out(database, at=NOON) == 1

    def test_the_address_is_not_closed_for_them(self, database: Database, life: Life) -> None:
        self.end(database, life, days_ago=91)

        purges.purge_screened_out(database, at=NOON)

        assert closed(database, ContactKind.PHONE, PHONE) == {}
        with database.reading() as session:
            [event] = events.standing(session, ("person", life.person_id))
        assert event.payload["cause"] == "retention"

    def test_somebody_in_another_study_loses_only_this_one(self, database: Database, life: Life) -> None:
        with database.transaction(actor="test") as session:
            other = live(session, make_open_study(session))
            merge(session, other.person_id, into=life.person_id)
        self.end(database, life, days_ago=91)

        gone = purges.purge_screened_out(database, at=NOON)

        assert gone == 1
        with database.reading() as session:
            assert list(session.scalars(sa.select(Match.id))) == [other.match_id]
            assert list(session.scalars(sa.select(Submission.id))) == [other.submission_id]
            assert set(session.scalars(sa.select(FactRow.submission_id))) == {other.submission_id}
            assert session.get_one(Person, life.person_id).erased_at is None
        assert count(database, PersonContact) == 4

    def test_a_member_of_the_registry_stays_and_the_study_s_answers_go(
        self, database: Database, life: Life
    ) -> None:
        self.end(database, life, days_ago=91)
        write(database, lambda session: session.add(registry(life, given=True, at=NOON - 50 * DAY)))

        purges.purge_screened_out(database, at=NOON)

        assert count(database, Match) == count(database, Submission) == 0
        with database.reading() as session:
            assert people_queries.names_of(session, [life.person_id])[life.person_id].given == GIVEN

    def test_a_member_whose_time_in_the_registry_is_over_goes(self, database: Database, life: Life) -> None:
        self.end(database, life, days_ago=91)
        until = registry(life, given=True, at=NOON - 50 * DAY, ends_on=NOON.date())
        write(database, lambda session: session.add(until))
        purges.purge_screened_out(database, at=NOON)

        kept = purges.purge_screened_out(database, at=NOON)
        gone = purges.purge_screened_out(database, at=NOON + DAY)

        assert (kept, gone) == (0, 1)
        assert found_canaries(database) == []

    def test_who_agreed_to_the_registry_anew_stays(self, database: Database, life: Life) -> None:
        self.end(database, life, days_ago=91)

        def agree_twice(session: Session) -> None:
            session.add(registry(life, given=True, at=NOON - 50 * DAY, ends_on=NOON.date() - DAY))
            session.add(registry(life, given=True, at=NOON - 2 * DAY))

        write(database, agree_twice)
        purges.purge_screened_out(database, at=NOON)

        assert purges.purge_screened_out(database, at=NOON + DAY) == 0

    def test_who_left_the_registry_goes(self, database: Database, life: Life) -> None:
        self.end(database, life, days_ago=91)

        def change_mind(session: Session) -> None:
            session.add_all(
                registry(life, given=given, at=NOON - days * DAY) for given, days in ((True, 9), (False, 8))
            )

        write(database, change_mind)

        purges.purge_screened_out(database, at=NOON)

        assert found_canaries(database) == []

    @pytest.mark.parametrize("triage", [Triage.WAITLISTED, Triage.DEFERRED, Triage.SNOOZED, Triage.TO_CALL])
    def test_who_waits_for_something_stays(self, database: Database, life: Life, triage: Triage) -> None:
        write(database, lambda session: session.execute(sa.update(Match).values(triage=triage)))

        assert purges.purge_screened_out(database, at=NOON + 400 * DAY) == 0

    def test_an_open_referral_keeps_the_person(self, database: Database, study: OpenStudy, life: Life) -> None:
        write(database, lambda session: refer(session, study, life, State.CONTACTED))
        self.end(database, life, days_ago=91)

        assert purges.purge_screened_out(database, at=NOON) == 0

    def test_informed_consent_keeps_the_person(self, database: Database, study: OpenStudy, life: Life) -> None:
        write(database, lambda session: refer(session, study, life, State.CONSENTED, State.SCREEN_FAILED))
        self.end(database, life, days_ago=400)

        assert purges.purge_screened_out(database, at=NOON) == 0
        assert rows_about(database, {life.person_id})["submission"] == 1

    def test_a_later_retraction_survives_the_study_whose_fact_it_retracts(
        self, database: Database, life: Life
    ) -> None:
        with database.transaction(actor="test") as session:
            other = live(session, make_open_study(session))
            merge(session, other.person_id, into=life.person_id)
            old = session.scalars(sa.select(FactRow).where(FactRow.submission_id == life.submission_id)).one()
            columns = {c.name: getattr(old, c.name) for c in FactRow.__table__.columns}
            retraction = {
                "id": new_id(),
                "submission_id": other.submission_id,
                "retracts_id": old.id,
                "raw_sealed": None,
            }
            session.add(FactRow(**{**columns, **retraction, "study_id": None}))
        self.end(database, life, days_ago=91)

        assert purges.purge_screened_out(database, at=NOON) == 1
        assert count(database, FactRow, FactRow.retracts_id.is_not(None)) == 1


class TestOperationalRows:
    def test_go_after_thirty_days(self, database: Database) -> None:
        def add(session: Session) -> None:
            for days in (29, 31, 40):
                at = NOON - days * DAY
                session.add(LoginAttempt(subject=b"x", at=at, succeeded=False))
                session.add(
                    IdempotencyKey(
                        scope="submit", key_hash=bytes([days]), body_hash=b"x", location="/en/", at=at
                    )
                )

        write(database, add)

        gone, again = (purges.purge_operational(database, at=NOON) for _ in range(2))

        assert (gone, again) == (4, 0)
        assert count(database, LoginAttempt) == count(database, IdempotencyKey) == 1

    def test_go_in_batches(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(purges, "ROWS_AT_ONCE", 3)

        def add(session: Session) -> None:
            session.add_all(LoginAttempt(subject=b"x", at=NOON - 90 * DAY, succeeded=False) for _ in range(10))

        write(database, add)

        assert purges.purge_operational(database, at=NOON) == 10

    def test_every_such_table_has_its_clock(self) -> None:
        without_a_clock = {"job_lease", "event_waiting"}
        ours = {
            str(mapper.class_.__tablename__)
            for mapper in Base.registry.mappers
            if mapper.class_.retention is Retention.OPERATION
        }

        cleared = {str(table.model.__tablename__) for table in (*purges.OPERATIONAL, *jobs.OPERATIONAL)}

        assert cleared == ours - without_a_clock


class TestCoverage:
    def test_a_life_fills_every_table_that_can_hold_a_person(
        self, database: Database, study: OpenStudy, life: Life
    ) -> None:
        """A new table about people fails here until an erasure is seen to empty it."""
        write(database, lambda session: refer(session, study, life, State.CONTACTED))
        models: list[type[Row]] = [
            m.class_ for m in Base.registry.mappers if m.class_.__module__.startswith("recruit.")
        ]
        about = {"person", "match", "contact_point", "submission", "referral", "assessment"}

        empty = {
            model.__tablename__
            for model in models
            if {key.column.table.name for key in model.__table__.foreign_keys} & about
            and count(database, model) == 0
        }

        assert empty == set()


def registry(life: Life, *, given: bool, at: datetime, ends_on: date | None = None) -> Consent:
    """Make one word about the registry."""
    return Consent(
        person_id=life.person_id,
        purpose=Purpose.REGISTRY,
        scope=ConsentScope.REGISTRY,
        given=given,
        text="Stay in touch.",
        text_sha256="0" * 64,
        text_version="1",
        language="en",
        how="online",
        at=at,
        ends_on=ends_on,
        recorded_by="participant",
    )
