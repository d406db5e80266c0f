"""Trying a rule on the pool: asked for by a button, kept, shown again with its day, and silent about a few."""

from __future__ import annotations

import re

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
from screening.language.protocol import CriterionKind, read_protocol
from tests.conftest import NOON
from tests.factories import make_site, publish_criteria
from tests.recruit.matching.counting import rewrite, version_counted
from tests.recruit.matching.pooled import OLD, TOO_OLD, Pooled, bring, make_pooled
from tests.recruit.web.coordinator.test_feasibility import DASH, browser_of, counts, words_of


@pytest.fixture
def pooled(database: Database) -> Pooled:
    """Give a study with four criteria at one site in Miami."""
    with database.transaction(actor="test") as session:
        return make_pooled(session)


@pytest.fixture
def ana(app: Flask, database: Database) -> FlaskClient:
    """Give the browser of somebody who coordinates everything."""
    return browser_of(app, database, Role.COORDINATOR)


def rule_at(pooled: Pooled, criterion: str = "c1") -> str:
    return f"/staff/protocol-versions/{pooled.protocol.id}/criteria/{criterion}/rule"


def tried(browser: FlaskClient, pooled: Pooled, criterion: str = "c1") -> str:
    """Press the button and follow to the page; give what it says of the pool."""
    answer = browser.post(f"{rule_at(pooled, criterion)}/pool")
    assert answer.status_code == 303, answer.text
    assert answer.headers["Location"].endswith("/rule#pool")
    return said(browser.get(answer.headers["Location"]).text)


def said(page: str) -> str:
    """Give what a page says of the pool."""
    [part] = re.findall(r'<section id="pool".*?</section>\s*(?=</main|<section|</div)', page, re.DOTALL)
    return words_of(f"<main{part}")


class TestPage:
    def test_counts_a_draft_and_says_when(self, ana: FlaskClient, database: Database, pooled: Pooled) -> None:
        bring(database, pooled, 30)
        bring(database, pooled, 20, born=TOO_OLD)

        words = tried(ana, pooled)

        assert "Pass 30 Unknown 0 Do not pass 20" in words
        assert "Counted on Nov 18, 2026, 12:00" in words
        assert "the numbers may have changed since" in words
        assert "Count again" in words

    def test_gives_bounds_where_some_are_unknown(
        self, ana: FlaskClient, database: Database, pooled: Pooled
    ) -> None:
        bring(database, pooled, 30, vaping=False)
        bring(database, pooled, 40)

        words = tried(ana, pooled, "c3")

        assert "Pass 30 Unknown 40 Do not pass 0 So 30 pass at least, and 70 at most." in words
        assert "Unknown for want of one fact: Uses e-cigarettes." in words

    def test_names_what_is_lacking_most(self, ana: FlaskClient, database: Database, pooled: Pooled) -> None:
        rewrite(database, pooled, "c3", "vaping is yes or breastfeeding is yes")
        bring(database, pooled, 30, vaping=False)
        bring(database, pooled, 45, breastfeeding=False)
        bring(database, pooled, 12)

        words = tried(ana, pooled, "c3")

        assert "Lacking most: Uses e-cigarettes." in words
        assert "Uses e-cigarettes 57 45 Breastfeeding 42 30" in words

    def test_names_no_lacking_fact_that_hidden_numbers_would_tell(
        self, ana: FlaskClient, database: Database, pooled: Pooled
    ) -> None:
        rewrite(database, pooled, "c3", "vaping is yes or breastfeeding is yes")
        bring(database, pooled, 30)
        bring(database, pooled, 5, vaping=False)

        words = tried(ana, pooled, "c3")

        assert "Lacking most" not in words
        assert "A dash: the number together with others" in words

    def test_counts_a_published_version(self, ana: FlaskClient, database: Database, pooled: Pooled) -> None:
        bring(database, pooled, 30)
        with database.transaction(actor="test") as session:
            publish_criteria(session, found(session, ProtocolVersion, pooled.protocol.id), at=NOON)

        assert "Pass 30" in tried(ana, pooled)
        listed = ana.get(f"/staff/studies/{pooled.study.id}/criteria").text
        assert rule_at(pooled) in listed

    def test_shows_the_count_again_and_writes_nothing(
        self, ana: FlaskClient, database: Database, pooled: Pooled
    ) -> None:
        bring(database, pooled, 30)
        tried(ana, pooled)

        words = said(ana.get(rule_at(pooled)).text)

        assert "Pass 30" in words
        assert counts(database) == 1

    def test_says_when_the_rule_has_changed_and_finds_it_again(
        self, ana: FlaskClient, database: Database, pooled: Pooled
    ) -> None:
        bring(database, pooled, 30)
        bring(database, pooled, 20, born=OLD)
        tried(ana, pooled)

        rewrite(database, pooled, "c1", "age between 18 and 40 years")
        changed = said(ana.get(rule_at(pooled)).text)
        again = tried(ana, pooled)
        rewrite(database, pooled, "c1", "age between 18 and 75 years")
        back = said(ana.get(rule_at(pooled)).text)

        assert "The rule has changed since it was counted" in changed
        assert "Counted was: age between 18 and 75 years Pass 50" in changed
        assert "Pass 30 Unknown 0 Do not pass 20" in again
        assert "Other counts of this criterion age between 18 and 75 years Pass 50" in again
        assert "changed since it was counted" not in back
        assert "Try it on the pool Pass 50" in back

    def test_helps_where_too_few_would_be_told(
        self, ana: FlaskClient, database: Database, pooled: Pooled
    ) -> None:
        bring(database, pooled, 40, vaping=False)
        bring(database, pooled, 5)
        version_counted(database, pooled)

        words = tried(ana, pooled, "c3")

        assert f"Pass {DASH} not shown Unknown fewer than 11 Do not pass 0" in words
        assert "How many pass cannot be shown" in words
        assert not re.search(r"\b(5|40|45)\b", words.partition("Counted on")[0])

    def test_is_apart_from_the_counts_of_a_version(
        self, ana: FlaskClient, database: Database, pooled: Pooled
    ) -> None:
        bring(database, pooled, 30)
        tried(ana, pooled)
        with database.reading() as session:
            key = session.scalar(sa.select(FeasibilityCount.id))

        page = ana.get(f"/staff/studies/{pooled.study.id}/feasibility")

        assert "Count now" in page.text
        assert ana.get(f"/staff/studies/{pooled.study.id}/feasibility?count={key}").status_code == 404

    def test_of_text_offers_no_count(self, ana: FlaskClient, database: Database, pooled: Pooled) -> None:
        with database.transaction(actor="test") as session:
            versions.add_criterion(session, pooled.protocol.id, kind=CriterionKind.INCLUSION, text="Fit")
            version = found(session, ProtocolVersion, pooled.protocol.id)
            added = read_protocol(version.document).criteria[-1].id

        for criterion in (added, "c4"):
            assert 'id="pool"' not in ana.get(rule_at(pooled, criterion)).text
            refused = ana.post(f"{rule_at(pooled, criterion)}/pool")
            assert refused.status_code == 422
            assert "This rule reads no fact yet" in refused.text
        assert counts(database) == 0


class TestWhoMay:
    def test_auditors_read_and_do_not_count(
        self, app: Flask, ana: FlaskClient, database: Database, pooled: Pooled
    ) -> None:
        bring(database, pooled, 30)
        tried(ana, pooled)
        auditor = browser_of(app, database, Role.AUDITOR)

        words = said(auditor.get(rule_at(pooled)).text)

        assert "Pass 30" in words
        assert "Count again" not in words
        assert auditor.post(f"{rule_at(pooled)}/pool").status_code == 403

    @pytest.mark.parametrize("role", [Role.RECRUITER, Role.MARKETER, Role.ADMIN])
    def test_others_do_not(self, app: Flask, database: Database, pooled: Pooled, role: Role) -> None:
        assert browser_of(app, database, role).post(f"{rule_at(pooled)}/pool").status_code == 403

    def test_somebody_of_one_site_does_not_count(self, app: Flask, database: Database, pooled: Pooled) -> None:
        with database.transaction(actor="test") as session:
            elsewhere = make_site(session)
        here, away = (
            browser_of(app, database, Role.COORDINATOR, site_id=one) for one in (pooled.site.id, elsewhere.id)
        )

        assert here.post(f"{rule_at(pooled)}/pool").status_code == 403
        assert here.post(f"{rule_at(pooled, 'x')}/pool").status_code == 403
        assert away.post(f"{rule_at(pooled)}/pool").status_code == 404
        assert counts(database) == 0

    def test_another_criterion_is_not_found(self, ana: FlaskClient, pooled: Pooled) -> None:
        assert ana.post(f"{rule_at(pooled, 'x')}/pool").status_code == 404

    def test_a_count_is_in_the_trail(self, ana: FlaskClient, database: Database, pooled: Pooled) -> None:
        bring(database, pooled, 30)

        tried(ana, pooled)

        with database.reading() as session:
            [entry] = session.scalars(sa.select(AuditEntry).where(AuditEntry.table_name == "feasibility_count"))
        assert entry.reason == "criterion:count_rule"
