"""A study's details and cohorts, as a coordinator changes them by the pages."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from recruit.accounts.models import Role
from recruit.db import Database, found
from recruit.matching.models import Match, Triage
from recruit.studies import service, versions
from recruit.studies.models import Study
from screening.language.notation import parse
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import OpenStudy, approve_everything, make_account, make_open_study, publish_criteria
from tests.recruit.arrivals import arrive

TWO_COHORTS = parse("""language 1
    cohort A "Young"
    cohort B "Old"
    include c1 cohorts A text "Young" rule age < 40 years
    include c2 cohorts B text "Old" rule age >= 40 years""")


@pytest.fixture
def ana(app: Flask, database: Database) -> FlaskClient:
    """Give the browser of somebody who coordinates everything."""
    with database.transaction(actor="test") as session:
        account = make_account(session, Role.COORDINATOR)
    return signed_in(app, account, at=NOON)


def _part(session: Session, made: OpenStudy) -> None:
    """Let a study take people into two cohorts, young and old."""
    for code, name in (("A", "Young"), ("B", "Old")):
        service.save_cohort(session, made.study.id, code, name=name)
    draft = versions.draft_protocol(session, made.study.id, TWO_COHORTS, at=NOON)
    published = publish_criteria(session, draft, at=NOON)
    approve_everything(session, made.study, at=NOON)
    versions.put_in_force(
        session,
        made.study_site.id,
        protocol_version_id=published.id,
        questionnaire_version_id=made.questionnaire.id,
        effective_from=NOON.date(),
        at=NOON,
    )


class TestCohorts:
    def test_closing_one_takes_those_from_the_queue_who_fit_no_other(
        self, database: Database, ana: FlaskClient
    ) -> None:
        with database.transaction(actor="test") as session:
            made = make_open_study(session)
            _part(session, made)
            match_id = arrive(session, made, at=NOON).id
        form = {"code": "B", "cohort_name": "Old"}

        answer = ana.post(f"/staff/studies/{made.study.id}/cohorts", data=form)

        assert answer.status_code == 303
        with database.reading() as session:
            assert found(session, Match, match_id).triage is Triage.CLOSED


class TestNeutralNames:
    def test_are_kept_in_each_language_and_shown_again(self, database: Database, ana: FlaskClient) -> None:
        with database.transaction(actor="test") as session:
            made = make_open_study(session)
        where = f"/staff/studies/{made.study.id}/edit"
        form = {
            "title": "A study",
            "protocol_number": "ABC-1",
            "nickname": "FARO",
            "screened_out_days": "90",
            "enrolment_counts": "randomised",
            "neutral_name_en": "Harbor study",
            "neutral_name_es": "estudio Faro",
        }

        answer = ana.post(where, data=form)

        assert answer.status_code == 303
        with database.reading() as session:
            names = found(session, Study, made.study.id).neutral_names
        assert names == {"en": "Harbor study", "es": "estudio Faro"}
        page = ana.get(where).text
        assert 'value="Harbor study"' in page
        assert 'value="estudio Faro"' in page

    def test_may_be_missing_in_one_language_and_the_page_says_what_people_read_then(
        self, database: Database, ana: FlaskClient
    ) -> None:
        form = {
            "title": "A study",
            "protocol_number": "ABC-1",
            "nickname": "FARO",
            "neutral_name_es": "estudio Faro",
        }

        answer = ana.post("/staff/studies/new", data=form)

        with database.reading() as session:
            study = session.scalars(sa.select(Study)).one()
        assert (study.neutral_names, study.slug) == ({"es": "estudio Faro"}, "estudio-faro")
        page = ana.get(answer.headers["Location"]).text
        assert "Without a name, people read “health study”." in page
