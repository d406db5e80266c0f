"""Questions whose order is chosen: each page asks what settles most, and nothing else changes for anybody."""

import pytest
import sqlalchemy as sa
from flask import Flask

from recruit.db import Database
from recruit.intake.models import Draft, Submission
from recruit.studies.models import QuestionnaireVersion
from recruit.studies.reading import document_of
from screening.asking.questionnaire import Outcome
from tests.factories import OpenStudy
from tests.recruit.web.public.visitor import CONTACT, FITTING, Visitor, ask_instead


@pytest.fixture
def eva(app: Flask, study: OpenStudy, database: Database) -> Visitor:
    """Give somebody before the study's own questions, in an order that is chosen."""
    with database.reading() as session:
        version = session.scalars(sa.select(QuestionnaireVersion)).first()
        assert version is not None
        document = document_of(version)
    ask_instead(database, study, document.model_copy(update={"order": "adaptive"}))
    return Visitor(app.test_client(), study.study.slug)


def asked(visitor: Visitor) -> str:
    return str(visitor.hidden()["item"])


def outcome(database: Database) -> Outcome | None:
    with database.reading() as session:
        return session.scalars(sa.select(Draft)).one().outcome


class TestThePath:
    def test_comes_to_the_same_result_as_the_fixed_order(self, eva: Visitor, database: Database) -> None:
        eva.finish(FITTING)

        assert outcome(database) is not Outcome.NOT_THIS_STUDY
        assert eva.path.endswith("/questions/result")

    def test_ends_at_once_where_nothing_asked_could_change_the_answer(
        self, eva: Visitor, database: Database
    ) -> None:
        out = FITTING | {"condition_diabetes": {"answer": "none_of_these"}}
        eva.begin()
        seen = []
        while eva.path.rsplit("/", 1)[-1].isdigit():
            seen.append(asked(eva))
            eva.send(out[asked(eva)])

        eva.send({})

        assert outcome(database) is Outcome.NOT_THIS_STUDY
        assert seen[-1] == "condition_diabetes"
        assert len(seen) < len(FITTING)

    def test_says_how_far_it_is_without_promising_too_little(self, eva: Visitor) -> None:
        eva.begin()
        for number in range(1, 4):
            assert eva.page.by_class("progress")[0].text.startswith(f"Question {number} of about")
            eva.send(FITTING[asked(eva)])

    def test_what_was_answered_is_kept(self, eva: Visitor, database: Database) -> None:
        eva.finish(FITTING)
        eva.get("/en/contact").send(CONTACT)

        with database.reading() as session:
            assert session.scalars(sa.select(Submission)).one().outcome is not Outcome.NOT_THIS_STUDY


class TestGoingBackAndForth:
    def test_back_leads_to_the_question_before(self, eva: Visitor) -> None:
        eva.begin()
        first = asked(eva)
        eva.send(FITTING[first])
        second = asked(eva)

        eva.get(eva.page.by_class("back-link")[0].attrs["href"])
        assert asked(eva) == first
        eva.send(FITTING[first])

        assert asked(eva) == second

    def test_a_page_whose_turn_has_not_come_leads_to_the_one_whose_has(self, eva: Visitor) -> None:
        eva.begin()
        here, mine = eva.path, asked(eva)
        numbers = range(1, len(FITTING) + 1)
        others = [f"/en/questions/{number}" for number in numbers if not here.endswith(f"/{number}")]

        for other in others:
            eva.get(other)
            assert (eva.path, asked(eva)) == (here, mine)

    def test_a_changed_answer_may_end_it_and_may_open_it_again(self, eva: Visitor, database: Database) -> None:
        eva.finish(FITTING)
        eva.get("/en/questions/check")
        change = next(
            link.attrs["href"]
            for link in eva.page.all("a")
            if "check=1" in link.attrs.get("href", "") and "diabetes" in link.text.lower()
        )

        eva.get(change).send({"answer": "none_of_these"})
        assert eva.path.endswith("/questions/check")
        eva.send({})
        assert outcome(database) is Outcome.NOT_THIS_STUDY
