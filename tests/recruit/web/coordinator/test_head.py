"""The head of a study's pages says how much of it is on hold, beside its status."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from recruit.accounts.models import Role
from recruit.db import Database, found
from recruit.matching import holds
from recruit.studies import service
from recruit.studies.models import Cohort, HoldReason, Study, StudyStatus
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import OpenStudy, make_account, make_open_study, make_site
from tests.web_components.dom import parse


@pytest.fixture
def made(database: Database) -> OpenStudy:
    with database.transaction(actor="test") as session:
        return make_open_study(session)


@pytest.fixture
def browser(app: Flask, database: Database) -> FlaskClient:
    with database.transaction(actor="test") as session:
        account = make_account(session, Role.COORDINATOR)
    return signed_in(app, account, at=NOON)


def head_of(browser: FlaskClient, made: OpenStudy) -> list[str]:
    """Read what stands beside a study's name."""
    page = parse(browser.get(f"/staff/studies/{made.study.id}/criteria").text)
    return [tag.text for tag in page.by_class("page-title")[0].by_class("tag")]


def hold(session: Session, made: OpenStudy, *, study: bool = False, site: bool = False) -> None:
    """Stop a study, a site, or the one at the other."""
    study_id, site_id = made.study.id if study else None, made.site.id if site else None
    holds.place(session, reason=HoldReason.SAFETY, at=NOON, study_id=study_id, site_id=site_id)


def test_an_open_study_is_open(browser: FlaskClient, made: OpenStudy) -> None:
    assert head_of(browser, made) == ["Open"]


@pytest.mark.parametrize("study", [True, False])
def test_counts_the_sites_on_hold(
    browser: FlaskClient, database: Database, made: OpenStudy, study: bool
) -> None:
    with database.transaction(actor="test") as session:
        hold(session, made, study=study, site=True)

    assert head_of(browser, made) == ["Open", "1 site on hold"]


def test_two_holds_of_one_site_are_one_site(browser: FlaskClient, database: Database, made: OpenStudy) -> None:
    with database.transaction(actor="test") as session:
        hold(session, made, site=True)
        hold(session, made, study=True, site=True)

    assert head_of(browser, made) == ["Open", "1 site on hold"]


def test_a_study_that_stands_still_is_on_hold(
    browser: FlaskClient, database: Database, made: OpenStudy
) -> None:
    with database.transaction(actor="test") as session:
        hold(session, made, study=True)
        hold(session, made, site=True)

    assert head_of(browser, made) == ["Open", "On hold"]


def test_a_cohort_and_another_place_are_not_counted(
    browser: FlaskClient, database: Database, made: OpenStudy
) -> None:
    with database.transaction(actor="test") as session:
        cohort: Cohort = service.save_cohort(session, made.study.id, "A", name="Young")
        holds.place(session, reason=HoldReason.CAPACITY, at=NOON, cohort_id=cohort.id)
        holds.place(session, reason=HoldReason.CAPACITY, at=NOON, site_id=make_site(session).id)

    assert head_of(browser, made) == ["Open"]


def test_a_closed_study_is_only_closed(browser: FlaskClient, database: Database, made: OpenStudy) -> None:
    with database.transaction(actor="test") as session:
        hold(session, made, site=True)
        found(session, Study, made.study.id).status = StudyStatus.CLOSED

    assert head_of(browser, made) == ["Closed"]
