"""What a version changes, shown to the coordinator before it is in force: words, numbers, referrals, sites."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from recruit import pipeline, upkeep
from recruit.accounts.models import Grant, Role
from recruit.db import Database
from recruit.matching import consequences
from recruit.studies import versions
from recruit.studies.models import ProtocolVersion
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import OpenStudy, make_account, make_open_study, make_site, make_study_site
from tests.recruit.matching.amended import (
    OLD,
    RULES,
    STRICTER,
    WITH_VAPING,
    YOUNG,
    draft,
    publish,
    put_in_force,
    somebody,
)

SMALL = "fewer than 11"


@pytest.fixture
def opened(database: Database) -> OpenStudy:
    """Give a study with two criteria in force at one site."""
    with database.transaction(actor="test") as session:
        return make_open_study(session, rules=RULES)


def browser_of(app: Flask, database: Database, *roles: Role, site_id: UUID | None = None) -> FlaskClient:
    with database.transaction(actor="test") as session:
        account = make_account(session, *roles, site_id=site_id)
    return signed_in(app, account, at=NOON)


@pytest.fixture
def ana(app: Flask, database: Database) -> FlaskClient:
    """Give the browser of somebody who coordinates everything."""
    return browser_of(app, database, Role.COORDINATOR)


def amended(
    database: Database, opened: OpenStudy, text: str = STRICTER, *, out: int = 0, same: int = 0
) -> ProtocolVersion:
    """Draft an amendment in a study with so many people whom it rules out, and so many whom it does not."""
    with database.transaction(actor="test") as session:
        for born in [*[OLD] * out, *[YOUNG] * same]:
            somebody(session, opened, born=born)
        return draft(session, opened, text)


def page_of(browser: FlaskClient, version: ProtocolVersion) -> str:
    answer = browser.get(f"/staff/protocol-versions/{version.id}/changes")
    assert answer.status_code == 200, answer.status_code
    return answer.text


def words_of(page: str) -> str:
    """Give what stands on a page, without its marks."""
    main = page[page.index("<main") :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))


def row_of(page: str, text: str) -> str:
    """Give the row of a table that holds a text."""
    rows = [one.split("</tr")[0] for one in page.split("<tr")]
    [row] = [one for one in rows if text in one and "<td" in one]
    return words_of(f"<main{row}")


class TestDifferences:
    def test_stand_side_by_side_with_their_rules(
        self, ana: FlaskClient, database: Database, opened: OpenStudy
    ) -> None:
        version = amended(database, opened, WITH_VAPING)

        page = page_of(ana, version)

        assert "<del>age between 18 and 75 years</del>" in page
        assert "<ins>age between 18 and 40 years</ins>" in page
        assert "<del>Adults of up to 75 years</del>" in page
        assert "<ins>vaping is yes</ins>" in page
        assert "2 differences to version 1" in words_of(page)

    def test_are_escaped(self, ana: FlaskClient, database: Database, opened: OpenStudy) -> None:
        hostile = STRICTER.replace("Adults of up to 40 years", "<script>alert(1)</script>{{ 7*7 }}")
        version = amended(database, opened, hostile, out=12, same=12)

        page = page_of(ana, version)

        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}" in page

    def test_are_linked_from_the_criteria_while_an_older_version_is_in_force(
        self, ana: FlaskClient, database: Database, opened: OpenStudy
    ) -> None:
        link = "/changes"
        before = ana.get(f"/staff/studies/{opened.study.id}/criteria").text
        version = amended(database, opened)

        after = ana.get(f"/staff/studies/{opened.study.id}/criteria").text

        assert link not in before
        assert f"/staff/protocol-versions/{version.id}{link}" in after


class TestNumbers:
    def test_say_in_a_sentence_who_would_no_longer_fit(
        self, ana: FlaskClient, database: Database, opened: OpenStudy
    ) -> None:
        version = amended(database, opened, out=12, same=30)

        page = words_of(page_of(ana, version))

        assert "12 people would no longer fit. No open referral is touched." in page

    def test_are_split_by_criterion(self, ana: FlaskClient, database: Database, opened: OpenStudy) -> None:
        version = amended(database, opened, out=12, same=30)

        row = row_of(page_of(ana, version), "Adults of up to 40 years")

        assert "Changed" in row
        assert " 12 " in row

    def test_under_the_floor_are_never_shown_and_cannot_be_subtracted(
        self, ana: FlaskClient, database: Database, opened: OpenStudy
    ) -> None:
        version = amended(database, opened, out=7, same=35)

        page = page_of(ana, version)

        assert "Fewer than 11 people would no longer fit." in words_of(page)
        assert SMALL in row_of(page, "Adults of up to 40 years")
        assert "not shown" in row_of(page, "Stay where they are")
        assert not re.search(r"\b(7|35)\b", words_of(page))

    def test_of_sites_do_not_give_a_small_one_away(
        self, ana: FlaskClient, database: Database, opened: OpenStudy
    ) -> None:
        with database.transaction(actor="test") as session:
            other = make_study_site(session, opened.study, make_site(session, name="South"))
            put_in_force(session, opened, opened.protocol, since=NOON.date(), study_site_id=other.id)
            for place, n in ((opened.study_site, 40), (other, 6)):
                for _ in range(n):
                    somebody(session, opened, born=OLD, study_site=place)
        version = amended(database, opened)

        page = page_of(ana, version)

        assert "46 people would no longer fit." in words_of(page)
        assert SMALL in row_of(page, "South")
        assert "not shown" in row_of(page, opened.site.name)

    def test_name_facts_that_only_the_new_version_needs(
        self, ana: FlaskClient, database: Database, opened: OpenStudy
    ) -> None:
        version = amended(database, opened, WITH_VAPING, same=15)

        row = row_of(page_of(ana, version), "Not asked in questionnaire")

        assert " 15 " in row

    def test_draw_no_inline_style(self, ana: FlaskClient, database: Database, opened: OpenStudy) -> None:
        version = amended(database, opened, out=12, same=30)

        page = page_of(ana, version)

        assert "<svg" in page
        assert "style=" not in page[page.index("<main") :]

    def test_are_none_where_a_rule_reads_what_the_study_does_not_have(
        self, ana: FlaskClient, database: Database, opened: OpenStudy
    ) -> None:
        with database.transaction(actor="test") as session:
            somebody(session, opened)
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

        page = words_of(page_of(ana, version))

        assert "Nobody can be judged by this version yet" in page

    def test_are_for_nobody_before_anything_is_in_force(self, ana: FlaskClient, database: Database) -> None:
        with database.transaction(actor="test") as session:
            opened = make_open_study(session, rules=RULES, at=NOON + timedelta(days=30))
        version = amended(database, opened)

        page = words_of(page_of(ana, version))

        assert "Nobody would be judged otherwise" in page


class TestReferrals:
    def refer(self, database: Database, opened: OpenStudy) -> tuple[UUID, ProtocolVersion]:
        with database.transaction(actor="test") as session:
            match = somebody(session, opened, born=OLD)
            referral = pipeline.refer(session, match.id, opened.study_site.id, at=NOON)
            return referral.id, draft(session, opened, STRICTER)

    def test_are_references_without_names_or_links_for_a_coordinator(
        self, ana: FlaskClient, database: Database, opened: OpenStudy
    ) -> None:
        referral_id, version = self.refer(database, opened)

        page = page_of(ana, version)

        assert referral_id.hex[-8:].upper() in page
        assert "1 open referral is touched." in words_of(page)
        assert str(referral_id) not in page
        assert "Ann" not in words_of(page).split()

    def test_are_links_for_those_who_may_open_them(
        self, app: Flask, database: Database, opened: OpenStudy
    ) -> None:
        referral_id, version = self.refer(database, opened)
        both = browser_of(app, database, Role.COORDINATOR, Role.RECRUITER)

        page = page_of(both, version)

        assert f'href="/staff/desk/referrals/{referral_id}"' in page

    def test_are_no_links_for_a_recruiter_of_another_site(
        self, app: Flask, database: Database, opened: OpenStudy
    ) -> None:
        referral_id, version = self.refer(database, opened)
        with database.transaction(actor="test") as session:
            account = make_account(session, Role.COORDINATOR)
            elsewhere = make_site(session)
            session.add(
                Grant(
                    account_id=account.id,
                    role=Role.RECRUITER,
                    site_id=elsewhere.id,
                    given_at=NOON,
                    given_by="t",
                )
            )

        page = page_of(signed_in(app, account, at=NOON), version)

        assert str(referral_id) not in page


class TestSites:
    def test_say_what_is_in_force_and_from_when_this_version_would_be(
        self, ana: FlaskClient, database: Database, opened: OpenStudy
    ) -> None:
        with database.transaction(actor="test") as session:
            version = publish(session, opened, STRICTER)
            put_in_force(session, opened, version, since=NOON.date() + timedelta(days=7))

        row = row_of(page_of(ana, version), opened.site.name)

        assert "Version 1 since Nov 2, 2026" in row
        assert "From Nov 25, 2026" in row

    def test_have_the_sentence_on_their_own_page_before_a_day_is_set(
        self, ana: FlaskClient, database: Database, opened: OpenStudy
    ) -> None:
        amended(database, opened, out=12, same=30)
        with database.transaction(actor="test") as session:
            version = publish(session, opened, STRICTER)

        page = ana.get(f"/staff/study-sites/{opened.study_site.id}").text

        assert f"Criteria version {version.number} here: 12 people would no longer fit." in words_of(page)
        assert f"/staff/protocol-versions/{version.id}/changes" in page

    def test_have_no_sentence_where_the_newest_version_is_in_force(
        self, ana: FlaskClient, opened: OpenStudy
    ) -> None:
        page = ana.get(f"/staff/study-sites/{opened.study_site.id}").text

        assert "/changes" not in page


class TestWhoSees:
    def test_an_auditor_reads_along_and_cannot_have_it_counted(
        self, app: Flask, database: Database, opened: OpenStudy
    ) -> None:
        version = amended(database, opened)
        auditor = browser_of(app, database, Role.AUDITOR)

        page_of(auditor, version)

        assert auditor.post(f"/staff/protocol-versions/{version.id}/changes").status_code == 403

    @pytest.mark.parametrize("role", [Role.RECRUITER, Role.MARKETER, Role.ADMIN])
    def test_others_do_not(self, app: Flask, database: Database, opened: OpenStudy, role: Role) -> None:
        version = amended(database, opened)
        browser = browser_of(app, database, role)

        assert browser.get(f"/staff/protocol-versions/{version.id}/changes").status_code == 403

    def test_somebody_of_another_site_learns_nothing(
        self, app: Flask, database: Database, opened: OpenStudy
    ) -> None:
        version = amended(database, opened)
        with database.transaction(actor="test") as session:
            elsewhere = make_site(session)
        browser = browser_of(app, database, Role.COORDINATOR, site_id=elsewhere.id)

        where = f"/staff/protocol-versions/{version.id}/changes"

        assert (browser.get(where).status_code, browser.post(where).status_code) == (404, 404)

    def test_somebody_of_one_site_sees_the_people_and_sites_of_that_one(
        self, app: Flask, database: Database, opened: OpenStudy
    ) -> None:
        with database.transaction(actor="test") as session:
            other = make_study_site(session, opened.study, make_site(session, name="South"))
            put_in_force(session, opened, opened.protocol, since=NOON.date(), study_site_id=other.id)
            for _ in range(20):
                somebody(session, opened, born=OLD, study_site=other)
        version = amended(database, opened, out=12)
        browser = browser_of(app, database, Role.COORDINATOR, site_id=opened.site.id)

        page = words_of(page_of(browser, version))

        assert "12 people would no longer fit." in page
        assert "South" not in page

    @pytest.mark.parametrize(
        "key", ["x", "00000000-0000-0000-0000-000000000000", "%00", "..%2f..", "' OR 1=1 --", "9" * 400]
    )
    def test_a_hostile_key_is_not_found(self, ana: FlaskClient, opened: OpenStudy, key: str) -> None:
        where = f"/staff/protocol-versions/{key}/changes"

        assert (ana.get(where).status_code, ana.post(where).status_code) == (404, 404)

    def test_a_questionnaire_is_no_version_of_criteria(self, ana: FlaskClient, opened: OpenStudy) -> None:
        keys = (opened.questionnaire.id, opened.study.id, uuid4())

        answers = {ana.get(f"/staff/protocol-versions/{key}/changes").status_code for key in keys}

        assert answers == {404}


class TestALargeStudy:
    @pytest.fixture(autouse=True)
    def _small_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(consequences, "IN_REQUEST", 20)

    def test_is_counted_in_the_background_when_asked(
        self, ana: FlaskClient, database: Database, opened: OpenStudy
    ) -> None:
        version = amended(database, opened, out=12, same=30)
        where = f"/staff/protocol-versions/{version.id}/changes"
        before = words_of(page_of(ana, version))

        asked = ana.post(where)
        waiting = words_of(page_of(ana, version))
        upkeep.count_amendments(database, NOON)
        after = words_of(page_of(ana, version))

        assert "42 people are in play." in before
        assert "Count now" in before
        assert asked.status_code == 303
        assert "Being counted" in waiting
        assert "12 people would no longer fit. No open referral is touched." in after
        assert "Count again" in after

    def test_names_no_cohort_for_a_criterion_that_the_draft_has_lost_since(
        self, ana: FlaskClient, database: Database, opened: OpenStudy
    ) -> None:
        with database.transaction(actor="test") as session:
            for _ in range(12):
                somebody(session, opened, vaping=True)
                somebody(session, opened, vaping=False)
            version = draft(session, opened, WITH_VAPING)
        ana.post(f"/staff/protocol-versions/{version.id}/changes")
        upkeep.count_amendments(database, NOON)
        with database.transaction(actor="test") as session:
            versions.remove_criterion(session, version.id, "c3")

        page = words_of(page_of(ana, version))

        assert "The criteria have changed since they were counted" in page
        assert "A criterion that was taken out since" in page
        assert "Which cohorts there are" not in page

    def test_says_on_the_site_s_page_that_nobody_has_counted_yet(
        self, ana: FlaskClient, database: Database, opened: OpenStudy
    ) -> None:
        amended(database, opened, out=12, same=30)
        with database.transaction(actor="test") as session:
            publish(session, opened, STRICTER)

        page = words_of(ana.get(f"/staff/study-sites/{opened.study_site.id}").text)

        assert "its consequences have not been counted yet." in page
