"""Newer questions come into force while somebody answers: people finish, go on with them, or start again."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from recruit.clock import FixedClock
from recruit.db import Database
from recruit.ids import new_id
from recruit.intake.models import Draft, Submission
from recruit.studies.models import BegunDrafts, QuestionnaireVersion, VersionInForce, VersionStatus
from recruit.studies.reading import document_of
from recruit.studies.versions import draft_questionnaire
from screening.asking.questionnaire import Document, Outcome
from tests.conftest import NOON
from tests.factories import OpenStudy, approve_everything
from tests.recruit.web.public.visitor import CONTACT, FITTING, Visitor

NOTICE = "The study changed its questions"
OTHER_WORDS = "What is it, in other words?"


@pytest.fixture
def eva(app: Flask, study: OpenStudy) -> Visitor:
    """Give somebody who answered the first three questions."""
    visitor = Visitor(app.test_client(), study.study.slug).begin()
    for _ in range(3):
        visitor.send(FITTING[asked(visitor)])
    return visitor


def asked(visitor: Visitor) -> str:
    return str(visitor.hidden()["item"])


def document(database: Database, *, reworded: str = "") -> Document:
    """Give the study's questions, one of them in other words."""
    with database.reading() as session:
        version = session.scalars(sa.select(QuestionnaireVersion).order_by(QuestionnaireVersion.number)).first()
        assert version is not None
        plain = document_of(version).model_dump(mode="json")
    for item in plain["items"]:
        if item["id"] == reworded:
            item["text"] = {"en": OTHER_WORDS, "es": "¿Qué es, con otras palabras?"}
    plain["title"] = {"en": "Newer questions", "es": "Preguntas más nuevas"}
    return Document.model_validate(plain)


def come_into_force(
    database: Database, study: OpenStudy, clock: FixedClock, newer: Document, rule: BegunDrafts
) -> None:
    """Put newer questions in force at the site on the next day, and let it come."""
    clock.move_to(clock.now() + timedelta(hours=20))
    with database.transaction(actor="test") as session:
        version = draft_questionnaire(session, study.study.id, newer, at=clock.now())
        version.status, version.published_at = VersionStatus.PUBLISHED, clock.now()
        session.flush()
        approve_everything(session, study.study, at=NOON)
        session.add(
            VersionInForce(
                id=new_id(),
                study_site_id=study.study_site.id,
                protocol_version_id=study.protocol.id,
                questionnaire_version_id=version.id,
                effective_from=NOON.date() + timedelta(days=1),
                begun_drafts=rule,
                recorded_at=clock.now(),
                recorded_by="test",
            )
        )


def pinned(database: Database) -> str:
    with database.reading() as session:
        draft = session.scalars(sa.select(Draft)).one()
        version = session.get(QuestionnaireVersion, draft.questionnaire_version_id)
        assert version is not None
        return document_of(version).title.say("en")


class TestFinishing:
    def test_nothing_changes_for_whoever_may_finish(
        self, eva: Visitor, database: Database, study: OpenStudy, clock: FixedClock
    ) -> None:
        come_into_force(database, study, clock, document(database, reworded="height"), BegunDrafts.FINISH)

        eva.get("/en/questions/").answer(FITTING)

        assert NOTICE not in eva.html
        assert pinned(database) != "Newer questions"


class TestCarryingOver:
    @pytest.fixture(autouse=True)
    def newer(self, eva: Visitor, database: Database, study: OpenStudy, clock: FixedClock) -> None:
        come_into_force(database, study, clock, document(database, reworded="height"), BegunDrafts.CARRY_OVER)

    def test_what_changed_is_asked_again_in_the_new_words_and_said(self, eva: Visitor) -> None:
        eva.get("/en/questions/")

        assert asked(eva) == "height"
        assert OTHER_WORDS in eva.html
        assert NOTICE in eva.html

    def test_a_page_that_only_reads_writes_nothing(self, eva: Visitor, database: Database) -> None:
        eva.get("/en/questions/").get("/en/questions/")

        assert pinned(database) != "Newer questions"
        assert NOTICE in eva.html

    def test_the_next_answer_brings_the_new_questions_and_keeps_the_rest(
        self, eva: Visitor, database: Database
    ) -> None:
        eva.get("/en/questions/").send(FITTING["height"])

        assert pinned(database) == "Newer questions"
        assert NOTICE not in eva.html
        assert asked(eva) not in ("birth", "height", "weight")

    def test_they_come_through_to_a_submission_on_the_new_questions(
        self, eva: Visitor, database: Database
    ) -> None:
        eva.get("/en/questions/").answer(FITTING)
        eva.send({})
        eva.get("/en/contact").send(CONTACT)

        with database.reading() as session:
            kept = session.scalars(sa.select(Submission)).one()
            version = session.get(QuestionnaireVersion, kept.questionnaire_version_id)
            assert version is not None
            assert document_of(version).title.say("en") == "Newer questions"
            assert kept.outcome is not Outcome.NOT_THIS_STUDY

    def test_an_answer_from_an_older_page_is_taken_where_its_question_stayed(
        self, eva: Visitor, database: Database
    ) -> None:
        eva.get("/en/questions/1").send({"answer-month": "6", "answer-year": "1971"})

        assert pinned(database) == "Newer questions"
        assert asked(eva) == "height"


class TestStartingAgain:
    def test_says_why_and_keeps_nothing(
        self, eva: Visitor, database: Database, study: OpenStudy, clock: FixedClock
    ) -> None:
        come_into_force(database, study, clock, document(database), BegunDrafts.WITHDRAW)

        eva.get("/en/questions/")

        assert eva.status == 410
        assert eva.heading == "The questions have changed"
        assert eva.page.one("a", href=f"/en/studies/{eva.slug}").text == "Start again"

    def test_starting_again_begins_anew(
        self, eva: Visitor, database: Database, study: OpenStudy, clock: FixedClock
    ) -> None:
        come_into_force(database, study, clock, document(database), BegunDrafts.WITHDRAW)
        eva.get("/en/questions/").get(f"/en/studies/{eva.slug}").send({})

        eva.send({"who": "self"})

        assert asked(eva) == "birth"

    def test_the_strictest_of_several_changes_counts(
        self, eva: Visitor, database: Database, study: OpenStudy, clock: FixedClock
    ) -> None:
        come_into_force(database, study, clock, document(database), BegunDrafts.WITHDRAW)
        with database.transaction(actor="test") as session:
            row = session.scalars(sa.select(VersionInForce).order_by(VersionInForce.effective_from)).all()[-1]
            session.add(
                VersionInForce(
                    id=new_id(),
                    study_site_id=row.study_site_id,
                    protocol_version_id=row.protocol_version_id,
                    questionnaire_version_id=row.questionnaire_version_id,
                    effective_from=row.effective_from + timedelta(days=1),
                    begun_drafts=BegunDrafts.FINISH,
                    recorded_at=clock.now(),
                    recorded_by="test",
                )
            )
        clock.move_to(clock.now() + timedelta(hours=20))

        eva.get("/en/questions/")

        assert eva.heading == "The questions have changed"

    def test_somebody_who_begins_afterwards_is_not_touched(
        self, app: Flask, eva: Visitor, database: Database, study: OpenStudy, clock: FixedClock
    ) -> None:
        come_into_force(database, study, clock, document(database), BegunDrafts.WITHDRAW)

        later = Visitor(app.test_client(), study.study.slug).begin()

        assert asked(later) == "birth"
