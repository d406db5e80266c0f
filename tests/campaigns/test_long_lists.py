"""What would be long on the marketer's pages: figures by study, folded links, spend by the page."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from campaigns.links.service import NewLink, create_link
from campaigns.reports import service as spending
from campaigns.reports.service import NewSpend
from campaigns.web.pages import SPEND_PAGE
from recruit.accounts.models import Role
from recruit.accounts.policy import Scope
from recruit.db import Database
from recruit.intake.models import Medium, SourceLink
from tests.browsing import signed_in
from tests.campaigns.scenes import OpenStudy, make_open_study, make_reachable
from tests.conftest import NOON
from tests.factories import make_account
from tests.web_components.dom import parse

EVERYTHING = Scope(frozenset({(None, None)}))
DAY = date(2026, 11, 2)


@pytest.fixture
def marketer(app: Flask, database: Database) -> FlaskClient:
    with database.transaction(actor="test") as session:
        account = make_account(session, Role.MARKETER)
    return signed_in(app, account, at=NOON)


@pytest.fixture
def place(database: Database) -> OpenStudy:
    with database.transaction(actor="test") as session:
        return make_open_study(session)


@pytest.fixture
def other(database: Database, place: OpenStudy) -> OpenStudy:
    with database.transaction(actor="test") as session:
        return make_open_study(session)


def link_to(database: Database, place: OpenStudy, channel: str, *, people: int = 0) -> SourceLink:
    """Make a link for a placement that has brought people."""
    with database.transaction(actor="test") as session:
        link = create_link(session, NewLink(place.study.id, Medium.POSTER, channel), at=NOON)
        for _ in range(people):
            make_reachable(session, place, source_link_id=link.id)
        return link


def rows_of(html: str) -> list[list[str]]:
    """Read a page's table: each row with what its cells say."""
    rows = [row for row in parse(html).all("tr") if row.all("td")]
    return [[cell.text for cell in (*row.all("th"), *row.all("td"))] for row in rows]


class TestFunnel:
    def test_several_studies_are_a_line_each_that_leads_to_the_sources(
        self, marketer: FlaskClient, database: Database, place: OpenStudy, other: OpenStudy
    ) -> None:
        link_to(database, place, "Clinic", people=2)
        link_to(database, other, "Radio", people=1)

        page = marketer.get("/staff/marketing").text
        sources = marketer.get(f"/staff/marketing?study={place.study.id}").text

        figures = {row[0]: row[5] for row in rows_of(page)}
        assert figures == {place.study.nickname: "2", other.study.nickname: "1", "All studies": "3"}
        assert f'href="/staff/marketing?study={place.study.id}"' in page
        assert [(row[0], row[5]) for row in rows_of(sources)] == [
            ("Clinic Poster or flyer", "2"),
            ("All sources", "2"),
        ]

    def test_the_days_that_were_asked_for_stay(
        self, marketer: FlaskClient, database: Database, place: OpenStudy, other: OpenStudy
    ) -> None:
        link_to(database, place, "Clinic", people=1)

        page = marketer.get("/staff/marketing?from=2020-01-01").text

        assert f'href="/staff/marketing?study={place.study.id}&amp;from=2020-01-01"' in page

    def test_every_source_can_be_had_in_one_table(
        self, marketer: FlaskClient, database: Database, place: OpenStudy, other: OpenStudy
    ) -> None:
        link_to(database, place, "Clinic", people=2)
        link_to(database, other, "Radio", people=1)

        page = marketer.get("/staff/marketing?by=source").text

        assert [row[0].split()[0] for row in rows_of(page)] == ["Clinic", "Radio", "All"]

    def test_a_study_in_which_nothing_happened_takes_no_line(
        self, marketer: FlaskClient, database: Database, place: OpenStudy, other: OpenStudy
    ) -> None:
        link_to(database, place, "Clinic", people=1)

        page = marketer.get("/staff/marketing").text

        assert [row[0] for row in rows_of(page)] == [place.study.nickname, "All studies"]

    def test_one_table_of_sources_stays_when_the_days_change_and_leads_back(
        self, marketer: FlaskClient, database: Database, place: OpenStudy, other: OpenStudy
    ) -> None:
        link_to(database, place, "Clinic", people=1)

        page = parse(marketer.get("/staff/marketing?by=source").text)

        assert page.one("input", name="by").attrs["value"] == "source"
        assert "One line for each study" in page.text

    def test_days_in_which_nobody_came_say_so(
        self, marketer: FlaskClient, database: Database, place: OpenStudy
    ) -> None:
        link_to(database, place, "Clinic", people=1)

        page = marketer.get("/staff/marketing?from=2031-01-01").text

        assert "Nothing to count here" in page
        assert "Show everything" in page


class TestLinks:
    def test_are_folded_by_study_where_there_are_several(
        self, marketer: FlaskClient, database: Database, place: OpenStudy, other: OpenStudy
    ) -> None:
        for where, channel in ((place, "Clinic"), (place, "Bus"), (other, "Radio")):
            link_to(database, where, channel)

        folds = parse(marketer.get("/staff/marketing/links").text).by_class("details")

        said = {fold.one("summary").text: len(fold.all("a")) for fold in folds}
        assert said == {f"{place.study.nickname} · 2 links": 2, f"{other.study.nickname} · 1 link": 1}
        assert ["open" in fold.attrs for fold in folds] == [True, False]


class TestSpend:
    def test_is_shown_a_page_at_a_time(
        self, marketer: FlaskClient, database: Database, place: OpenStudy
    ) -> None:
        link = link_to(database, place, "Clinic")
        with database.transaction(actor="test") as session:
            for number in range(SPEND_PAGE + 1):
                new = NewSpend(link.id, DAY, DAY, 100 + number, "USD", "")
                spending.enter_spend(session, new, EVERYTHING, key=f"k{number}", at=NOON)

        pages = [marketer.get(f"/staff/marketing/spend?page={number}").text for number in (1, 2)]

        lengths = [len(rows_of(page)) for page in pages]
        assert lengths == [SPEND_PAGE, 1]
        assert "?page=2" in pages[0]
        assert "?page=1" in pages[1]

    @pytest.mark.parametrize("page", ["0", "-1", "x", "٣", "99999999999"])
    def test_a_page_that_cannot_be_is_the_first(
        self, marketer: FlaskClient, database: Database, place: OpenStudy, page: str
    ) -> None:
        link = link_to(database, place, "Clinic")
        with database.transaction(actor="test") as session:
            spending.enter_spend(
                session, NewSpend(link.id, DAY, DAY, 100, "USD", ""), EVERYTHING, key="k", at=NOON
            )

        answer = marketer.get(f"/staff/marketing/spend?page={page}")

        assert answer.status_code == 200
        assert "$1.00" in answer.text


class TestNewMessage:
    def test_asks_for_the_study_first_and_then_shows_only_its_links(
        self, marketer: FlaskClient, database: Database, place: OpenStudy, other: OpenStudy
    ) -> None:
        mine, others = link_to(database, place, "Clinic"), link_to(database, other, "Radio")

        first = parse(marketer.get("/staff/marketing/messages/new").text)
        second = marketer.get(f"/staff/marketing/messages/new?study={place.study.id}").text

        offered = {box.attrs["value"] for box in first.all("input", name="study")}
        assert offered == {str(place.study.id), str(other.study.id)}
        assert first.all("input", name="source") == []
        assert str(mine.id) in second
        assert str(others.id) not in second

    def test_a_single_study_is_not_asked_for(
        self, marketer: FlaskClient, database: Database, place: OpenStudy
    ) -> None:
        page = parse(marketer.get("/staff/marketing/messages/new").text)

        assert page.one("select", name="text").all("option")

    def test_a_mistake_does_not_lead_back_to_the_first_step(
        self, marketer: FlaskClient, database: Database, place: OpenStudy, other: OpenStudy
    ) -> None:
        form = {"name": "News", "text": "", "key": "k", "study": str(other.study.id)}

        answer = marketer.post("/staff/marketing/messages", data=form)

        assert answer.status_code == 422
        assert parse(answer.text).one("input", name="name").attrs["value"] == "News"
