"""How many of the pool fit, asked for and shown: bounds, bars, tables, and what is held back."""

from __future__ import annotations

import re
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from recruit.accounts.models import Role
from recruit.audit.models import AuditEntry
from recruit.db import Database, found
from recruit.matching.models import FeasibilityCount
from recruit.studies import versions
from recruit.studies.models import ProtocolVersion
from screening.language.protocol import read_protocol
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import make_account, make_site, make_study_site
from tests.recruit.matching.pooled import NEW_YORK, OLD, TOO_OLD, Pooled, bring, make_pooled

FEW, NEARLY_ALL = "fewer than 11", "all but fewer than 11"
DASH = "\N{EN DASH}"


@pytest.fixture
def pooled(database: Database) -> Pooled:
    """Give a study with four criteria at one site in Miami."""
    with database.transaction(actor="test") as session:
        return make_pooled(session)


def browser_of(app: Flask, database: Database, *roles: Role, site_id: UUID | None = None) -> FlaskClient:
    with database.transaction(actor="test") as session:
        account = make_account(session, *roles, site_id=site_id)
    return signed_in(app, account, at=NOON)


@pytest.fixture
def ana(app: Flask, database: Database) -> FlaskClient:
    """Give the browser of somebody who coordinates everything."""
    return browser_of(app, database, Role.COORDINATOR)


def read_at(pooled: Pooled) -> str:
    return f"/staff/studies/{pooled.study.id}/feasibility"


def ask_at(pooled: Pooled) -> str:
    return f"/staff/protocol-versions/{pooled.protocol.id}/feasibility"


def counted(browser: FlaskClient, pooled: Pooled, **asked: object) -> str:
    """Ask for a count and follow to the page that shows it."""
    answer = browser.post(ask_at(pooled), data={"miles": "50", **asked})
    assert answer.status_code == 303, answer.text
    page = browser.get(answer.headers["Location"])
    assert page.status_code == 200
    return page.text


def words_of(page: str) -> str:
    """Give what stands on a page, without its marks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page[page.index("<main") :]))


def row_of(page: str, text: str) -> str:
    """Give the row of a table that begins with a text."""
    rows = [words_of(f"<main{one.split('</tr')[0]}") for one in page.split("<tr") if "<td" in one]
    [row] = [one for one in rows if text in one]
    return row


def counts(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(FeasibilityCount)) or 0


class TestPage:
    def test_shows_bounds_for_the_protocol_and_by_criterion(
        self, ana: FlaskClient, database: Database, pooled: Pooled
    ) -> None:
        bring(database, pooled, 30)
        bring(database, pooled, 20, born=TOO_OLD)

        page = counted(ana, pooled)

        assert "In the pool 50" in words_of(page)
        assert "Left by all criteria at least: 0 at most: 30" in words_of(page)
        numbers = row_of(page, "Adults of up to 75 years").split("Adults of up to 75 years")[-1]
        assert numbers.split() == ["20", "30", "20", "at", "least:", "0", "at", "most:", "20"]

    def test_draws_what_is_shown_and_nothing_else(
        self, ana: FlaskClient, database: Database, pooled: Pooled
    ) -> None:
        bring(database, pooled, 40)
        bring(database, pooled, 5, born=TOO_OLD)

        page = counted(ana, pooled)

        [picture] = re.findall(r'<ol class="bars waterfall">.*?</ol>', page, re.DOTALL)
        bars = re.findall(r"<li>.*?</li>", picture, re.DOTALL)
        assert [re.findall(r'mark-. *" width="([\d.]+)"', bar) for bar in bars] == [["100.0", "100.0"], ["0.0"]]
        assert "Adults of up to 75 years" not in picture

    def test_says_why_a_number_is_not_shown(self, ana: FlaskClient, database: Database, pooled: Pooled) -> None:
        bring(database, pooled, 40)
        bring(database, pooled, 5, born=TOO_OLD)

        row = row_of(counted(ana, pooled), "Adults of up to 75 years")

        numbers = row.split("Adults of up to 75 years")[-1]
        assert numbers.strip() == (
            f"{FEW} at least: {DASH} not shown at most: {NEARLY_ALL} {FEW} at least: 0 at most: {FEW}"
        )
        assert not re.search(r"\b(5|40|45)\b", row)

    def test_counts_site_by_site(self, ana: FlaskClient, database: Database, pooled: Pooled) -> None:
        bring(database, pooled, 20)
        bring(database, pooled, 15, postcode=NEW_YORK)

        page = counted(ana, pooled)

        assert row_of(page, pooled.site.name).split(pooled.site.name)[1].split()[0] == "20"

    def test_of_one_site_says_so(self, ana: FlaskClient, database: Database, pooled: Pooled) -> None:
        bring(database, pooled, 20)
        bring(database, pooled, 15, postcode=NEW_YORK)

        page = counted(ana, pooled, site=pooled.study_site.id, miles="25")

        assert f"25 miles around {pooled.site.name}, as of" in words_of(page)
        assert "Near the site 20" in words_of(page)

    def test_writes_nothing_when_read(self, ana: FlaskClient, database: Database, pooled: Pooled) -> None:
        bring(database, pooled, 20)

        ana.get(read_at(pooled))

        assert counts(database) == 0

    def test_is_a_tab_of_the_study(self, ana: FlaskClient, pooled: Pooled) -> None:
        page = ana.get(f"/staff/studies/{pooled.study.id}/criteria").text

        assert read_at(pooled) in page

    def test_offers_counts_from_before(self, ana: FlaskClient, database: Database, pooled: Pooled) -> None:
        bring(database, pooled, 20)
        counted(ana, pooled)

        page = counted(ana, pooled, miles="10")

        assert "Earlier counts" in page
        [address] = re.findall(r'href="([^"]+count=[^"]+)">[^<]*</a>, Everybody', page)
        assert ana.get(address.replace("&amp;", "&")).status_code == 200

    def test_says_when_the_criteria_have_changed(
        self, ana: FlaskClient, database: Database, pooled: Pooled
    ) -> None:
        bring(database, pooled, 20)
        counted(ana, pooled)
        with database.transaction(actor="test") as session:
            versions.remove_criterion(session, pooled.protocol.id, "c1")

        page = ana.get(read_at(pooled)).text

        assert "The criteria have changed since they were counted" in page
        assert "A criterion that was taken out since" in page

    def test_speaks_of_a_study_without_criteria(
        self, ana: FlaskClient, database: Database, pooled: Pooled
    ) -> None:
        with database.transaction(actor="test") as session:
            other = make_pooled(session)
            session.delete(found(session, ProtocolVersion, other.protocol.id))

        assert "No criteria yet" in ana.get(read_at(other)).text


class TestAnotherLimit:
    def test_is_tried_without_changing_the_version(
        self, ana: FlaskClient, database: Database, pooled: Pooled
    ) -> None:
        bring(database, pooled, 30, born=OLD)
        bring(database, pooled, 20, born=TOO_OLD)

        page = counted(ana, pooled, criterion="c1", rule="age between 18 and 99 years")

        assert "Left with the other limit at least: 0 at most: 50" in words_of(page)
        assert "Come in at least: 0 at most: 20" in words_of(page)
        with database.reading() as session:
            version = found(session, ProtocolVersion, pooled.protocol.id)
            assert read_protocol(version.document) == read_protocol(pooled.protocol.document)

    def test_is_offered_for_numbers_with_the_rule_as_it_reads(
        self, ana: FlaskClient, database: Database, pooled: Pooled
    ) -> None:
        bring(database, pooled, 20)
        page = counted(ana, pooled)

        [address] = re.findall(r'href="([^"]+try=[^"]+)"', page)
        form = ana.get(address.replace("&amp;", "&")).text

        assert "try=c1" in address
        assert "age between 18 and 75 years</textarea>" in form

    def test_that_cannot_be_read_is_refused_by_its_place(
        self, ana: FlaskClient, database: Database, pooled: Pooled
    ) -> None:
        answer = ana.post(ask_at(pooled), data={"miles": "50", "criterion": "c1", "rule": "age >= x years"})

        assert answer.status_code == 422
        assert "Line 1, column 8" in answer.text
        assert "age &gt;= x years</textarea>" in answer.text
        assert counts(database) == 0

    @pytest.mark.parametrize(
        "asked",
        [
            {"miles": "11"},
            {"miles": "x"},
            {"site": "x"},
            {"criterion": "c1", "rule": ""},
            {"criterion": "c1", "rule": "no_such_key is yes"},
        ],
    )
    def test_or_place_that_is_none_is_refused(
        self, ana: FlaskClient, database: Database, pooled: Pooled, asked: dict[str, str]
    ) -> None:
        answer = ana.post(ask_at(pooled), data={"miles": "50", **asked})

        assert answer.status_code == 422
        assert "There is a problem" in answer.text
        assert counts(database) == 0

    @pytest.mark.parametrize(
        "asked", [{"site": str(uuid4())}, {"cohort": "x"}, {"criterion": "x", "rule": "x"}]
    )
    def test_or_place_of_another_study_is_not_found(
        self, ana: FlaskClient, pooled: Pooled, asked: dict[str, str]
    ) -> None:
        assert ana.post(ask_at(pooled), data={"miles": "50", **asked}).status_code == 404


class TestWhoSees:
    def test_an_auditor_reads_along_and_cannot_count(
        self, app: Flask, ana: FlaskClient, database: Database, pooled: Pooled
    ) -> None:
        bring(database, pooled, 20)
        counted(ana, pooled)
        auditor = browser_of(app, database, Role.AUDITOR)

        page = auditor.get(read_at(pooled)).text

        assert "In the pool 20" in words_of(page)
        assert '<form method="post" action="/staff/protocol-versions' not in page
        assert auditor.post(ask_at(pooled)).status_code == 403

    @pytest.mark.parametrize("role", [Role.RECRUITER, Role.MARKETER, Role.ADMIN])
    def test_others_do_not(self, app: Flask, database: Database, pooled: Pooled, role: Role) -> None:
        browser = browser_of(app, database, role)

        assert (browser.get(read_at(pooled)).status_code, browser.post(ask_at(pooled)).status_code) == (
            403,
            403,
        )

    def test_somebody_of_another_site_learns_nothing(
        self, app: Flask, database: Database, pooled: Pooled
    ) -> None:
        with database.transaction(actor="test") as session:
            elsewhere = make_site(session)
        browser = browser_of(app, database, Role.COORDINATOR, site_id=elsewhere.id)

        assert (browser.get(read_at(pooled)).status_code, browser.post(ask_at(pooled)).status_code) == (
            404,
            404,
        )

    def test_somebody_of_one_site_reads_its_row_and_cannot_count(
        self, app: Flask, ana: FlaskClient, database: Database, pooled: Pooled
    ) -> None:
        with database.transaction(actor="test") as session:
            make_study_site(session, pooled.study, make_site(session, name="South"))
        bring(database, pooled, 20)
        counted(ana, pooled)
        browser = browser_of(app, database, Role.COORDINATOR, site_id=pooled.site.id)

        page = browser.get(read_at(pooled)).text

        assert pooled.site.name in page
        assert "South" not in page
        assert browser.post(ask_at(pooled), data={"miles": "50"}).status_code == 403

    def test_a_count_of_another_version_is_not_found(
        self, ana: FlaskClient, database: Database, pooled: Pooled
    ) -> None:
        with database.transaction(actor="test") as session:
            other = make_pooled(session)
        bring(database, other, 20)
        counted(ana, other)
        with database.reading() as session:
            key = session.scalar(sa.select(FeasibilityCount.id))

        answers = {ana.get(f"{read_at(pooled)}?count={one}").status_code for one in (key, uuid4(), "x", "%00")}

        assert answers == {404}

    def test_a_count_is_in_the_trail(self, ana: FlaskClient, database: Database, pooled: Pooled) -> None:
        bring(database, pooled, 20)

        counted(ana, pooled)

        with database.reading() as session:
            [entry] = session.scalars(sa.select(AuditEntry).where(AuditEntry.table_name == "feasibility_count"))
        assert entry.actor.startswith("account:")
        assert entry.reason == "study:count_feasibility"
