"""How people get through a questionnaire: counted once when it ended, shown so that nobody is told about."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from recruit.accounts.models import Role
from recruit.clock import FixedClock
from recruit.db import Database
from recruit.intake.models import QuestionCounter
from recruit.purges import purge_drafts
from tests.browsing import signed_in
from tests.factories import OpenStudy, make_account
from tests.recruit.web.public.visitor import FITTING, Visitor, open_study
from tests.web_components.dom import Element, parse


@pytest.fixture
def study(database: Database) -> OpenStudy:
    """Give an open study."""
    return open_study(database)


def come(app: Flask, study: OpenStudy, number: int, *, questions: int, stops: bool = False) -> None:
    """Let some people answer so many questions and leave."""
    for _ in range(number):
        visitor = Visitor(app.test_client(), study.study.slug).begin()
        for _ in range(questions):
            visitor.send(FITTING[str(visitor.hidden()["item"])])
        if stops:
            visitor.post("/en/questions/stop")


def a_day_later(database: Database, clock: FixedClock) -> None:
    clock.move_to(clock.now() + timedelta(hours=30))
    purge_drafts(database, at=clock.now())


def counted(database: Database) -> dict[tuple[str, str], int]:
    with database.reading() as session:
        return {
            (row.item, row.what): row.count
            for row in session.scalars(sa.select(QuestionCounter))
            if not row.what.startswith("within.")
        }


def page_of(app: Flask, database: Database, clock: FixedClock, role: Role, address: str) -> Element:
    with database.transaction(actor="test") as session:
        account = make_account(session, role)
    answer = signed_in(app, account, at=clock.now()).get(address)
    assert answer.status_code == 200
    return parse(answer.get_data(as_text=True))


def cells(page: Element) -> dict[str, list[str]]:
    """Give the table's numbers by question."""
    rows = page.all("tbody")[-1].all("tr")
    return {row.all("td")[0].text: [cell.text for cell in row.all("td")[1:]] for row in rows}


class TestCounting:
    def test_each_draft_counts_once_when_it_goes(
        self, app: Flask, database: Database, study: OpenStudy, clock: FixedClock
    ) -> None:
        come(app, study, 2, questions=2)
        come(app, study, 1, questions=1, stops=True)
        assert counted(database) == {}

        a_day_later(database, clock)
        a_day_later(database, clock)

        assert counted(database) == {
            ("birth", "answered"): 3,
            ("height", "answered"): 2,
            ("height", "left"): 1,
            ("weight", "left"): 2,
        }

    def test_who_said_nothing_left_nowhere_and_who_finished_did_not_leave(
        self, app: Flask, database: Database, study: OpenStudy, clock: FixedClock
    ) -> None:
        Visitor(app.test_client(), study.study.slug).finish(FITTING)
        visitor = Visitor(app.test_client(), study.study.slug)
        visitor.get(f"/en/studies/{study.study.slug}").send({})

        a_day_later(database, clock)

        assert not [what for _, what in counted(database) if what == "left"]


class TestPages:
    def test_small_numbers_are_held_back_and_others_rounded(
        self, app: Flask, database: Database, study: OpenStudy, clock: FixedClock
    ) -> None:
        come(app, study, 13, questions=1)
        come(app, study, 4, questions=2)
        a_day_later(database, clock)

        address = f"/staff/questionnaire-versions/{study.questionnaire.id}/numbers"
        page = page_of(app, database, clock, Role.COORDINATOR, address)

        rows = list(cells(page).values())
        assert rows[0][:3] == ["20", "20", "0"]
        assert rows[1][:3] == ["20", "fewer than 11", "10"]
        assert rows[2][:3] == ["fewer than 11", "0", "fewer than 11"]
        assert "13" not in page.one("main").text

    def test_a_marketer_sees_the_same_of_studies_that_are_theirs(
        self, app: Flask, database: Database, study: OpenStudy, clock: FixedClock
    ) -> None:
        come(app, study, 12, questions=1)
        a_day_later(database, clock)

        page = page_of(app, database, clock, Role.MARKETER, "/staff/marketing/questions")

        assert next(iter(cells(page).values()))[:2] == ["10", "10"]
        assert [one.attrs["value"] for one in page.one("select", id="study").all("option")] == [
            str(study.study.id)
        ]

    def test_another_language_counts_by_itself(
        self, app: Flask, database: Database, study: OpenStudy, clock: FixedClock
    ) -> None:
        come(app, study, 12, questions=1)
        a_day_later(database, clock)
        address = f"/staff/questionnaire-versions/{study.questionnaire.id}/numbers?language=en"

        page = page_of(app, database, clock, Role.COORDINATOR, address)

        assert next(iter(cells(page).values()))[0] == "10"

    @pytest.mark.parametrize("query", ["source=x", "language=zz", "source=%00", "language="])
    def test_a_choice_that_is_none_counts_all(
        self, app: Flask, database: Database, study: OpenStudy, clock: FixedClock, query: str
    ) -> None:
        address = f"/staff/questionnaire-versions/{study.questionnaire.id}/numbers?{query}"

        page = page_of(app, database, clock, Role.COORDINATOR, address)

        assert "Nothing to count yet" in page.one("main").text
