"""A coordinator's way, by the pages alone: from a registry's file to a study that takes people."""

from __future__ import annotations

import json
import re
from html import unescape
from io import BytesIO

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from recruit.accounts.models import Role
from recruit.db import Database
from recruit.materials.models import MaterialState, MaterialVersion
from recruit.studies import queries
from recruit.studies.models import (
    Hold,
    ProtocolVersion,
    QuestionnaireVersion,
    Site,
    Study,
    StudySite,
    StudyStatus,
)
from screening.asking.questionnaire import Document
from screening.language.protocol import read_protocol
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import make_account
from tests.recruit.interop.records import make_document

PDF = b"%PDF-1.7\nstamped"


@pytest.fixture
def ana(app: Flask, database: Database) -> FlaskClient:
    """Give the browser of somebody who coordinates everything."""
    with database.transaction(actor="test") as session:
        account = make_account(session, Role.COORDINATOR)
    return signed_in(app, account, at=NOON)


def _done(answer: TestResponse) -> str:
    assert answer.status_code == 303, _problems(answer)
    return answer.headers["Location"]


def _problems(answer: TestResponse) -> list[str]:
    summary = answer.text.partition('id="error-summary-title"')[2].partition("</ul>")[0]
    return [unescape(re.sub(r"<[^>]+>", "", one)) for one in re.findall(r"<li>(.*?)</li>", summary, re.DOTALL)]


class _Coordinator:
    """Does by posting forms what a coordinator does, step by step."""

    def __init__(self, browser: FlaskClient, database: Database) -> None:
        self.browser, self.database = browser, database

    def one(self, kind: type[Study] | type[Site] | type[StudySite] | type[Hold]) -> str:
        with self.database.reading() as session:
            return str(session.scalars(sa.select(kind.id)).one())

    def import_study(self) -> str:
        file = (BytesIO(json.dumps(make_document()).encode()), "NCT01234567.json")
        answer = self.browser.post("/staff/studies/import", data={"files": [file]})
        assert answer.status_code == 200
        assert "Created" in answer.text
        return self.one(Study)

    def fill_in(self, study: str) -> None:
        form = {
            "title": "A study of asthma",
            "protocol_number": "ABC-1",
            "nickname": "BREATHE",
            "neutral_name_en": "Harbor study",
            "neutral_name_es": "estudio Faro",
            "sponsor": "Example Pharma",
            "icf_languages": "en, es",
            "safety_contact": "Dr. Lind",
            "safety_deputy": "Dr. Reyes",
            "enrolment_counts": "randomised",
            "screened_out_days": "90",
            "currency": "USD",
            "budget": "1,250.50",
            "identifiers": "ClinicalTrials.gov: NCT01234567",
        }
        _done(self.browser.post(f"/staff/studies/{study}/edit", data=form))

    def confirm_criteria(self, study: str) -> None:
        version = self.newest(ProtocolVersion)
        texts = [one for one in read_protocol(version.document).criteria if one.rule is None]
        rules = {
            "Asthma for a year": "condition in (J45)",
            "Stroke last year": "condition in (I60-I63) within 1 year before today",
        }
        for one in texts:
            where = f"/staff/protocol-versions/{version.id}/criteria/{one.id}"
            if one.text in rules:
                form = {"text": one.text, "kind": one.kind.value, "rule": rules[one.text], "then": "next"}
                _done(self.browser.post(where, data=form))
            else:
                _done(self.browser.post(f"{where}/confirm", data={"decision": "site", "then": "next"}))

    def publish_criteria(self) -> None:
        version = self.newest(ProtocolVersion)
        _done(self.browser.post(f"/staff/protocol-versions/{version.id}/publish"))

    def ask(self, study: str) -> None:
        _done(self.browser.post(f"/staff/studies/{study}/questions", data={}))
        version = self.newest(QuestionnaireVersion)
        where = f"/staff/questionnaire-versions/{version.id}/items/condition_asthma"
        words = {"t.text.en.self": "Do you have asthma?", "t.text.es.self": "¿Tiene asma?"}
        page = self.browser.get(where).text
        held = dict(re.findall(r'name="(t\.[^"]+)"[^>]*value="([^"]*)"', page))
        _done(
            self.browser.post(
                where, data={**{k: unescape(v) for k, v in held.items()}, **words, "allow_unknown": "yes"}
            )
        )
        self.publish_criteria()
        _done(self.browser.post(f"/staff/questionnaire-versions/{version.id}/publish"))

    def write_page(self, study: str) -> str:
        form = {
            "kind": "study_page",
            "name": "Page",
            "language": "en",
            "subject": "Breathing",
            "body": "A study.",
        }
        where = _done(self.browser.post(f"/staff/studies/{study}/materials", data=form)).partition("?")[0]
        for state in ("internal_review", "submitted"):
            _done(self.browser.post(f"{where}/move", data={"state": state}))
        return where

    def approve(self, study: str) -> None:
        page = self.browser.get(f"/staff/studies/{study}/approvals").text
        tokens = re.findall(r'name="covered" value="([^"]+)"', page)
        form = {
            "irb_name": "Central IRB",
            "submission_number": "SUB-1",
            "determination": "approved",
            "decided_on": "2026-11-01",
            "valid_until": "2027-10-31",
            "covered": tokens,
            "document": (BytesIO(PDF), "stamp.pdf"),
        }
        _done(self.browser.post(f"/staff/studies/{study}/approvals", data=form))

    def open_site(self, study: str) -> str:
        site = {"name": "Harbor", "zone": "America/New_York", "country": "US", "languages": "en, es"}
        _done(self.browser.post("/staff/sites/new", data=site))
        hours = {"opens-0-0": "09:00", "closes-0-0": "17:00", "closed_days": "2026-12-25 Christmas"}
        _done(self.browser.post(f"/staff/sites/{self.one(Site)}/hours", data=hours))
        _done(self.browser.post(f"/staff/studies/{study}/sites", data={"site_id": self.one(Site)}))
        return f"/staff/study-sites/{self.one(StudySite)}"

    def prepare(self, place: str) -> None:
        details = {
            "protocol_site_number": "101",
            "study_phone": "+1 555 010 0101",
            "weekly_calls": "40",
            "weekly_visits": "8",
            "irb_name": "Central IRB",
            "irb_number": "IRB-1",
            "approved_on": "2026-11-01",
            "approval_expires_on": "2027-10-31",
            "first_call_by": "call_team",
            "phone_screen_by": "either",
            "booking_by": "site",
        }
        _done(self.browser.post(place, data=details))
        person = {"role": "principal_investigator", "person_name": "Dr. Okafor", "tasks": ["consent"]}
        _done(self.browser.post(f"{place}/people", data=person))
        versions = {
            "protocol": str(self.newest(ProtocolVersion).id),
            "questionnaire": str(self.newest(QuestionnaireVersion).id),
            "effective_from": "2026-11-18",
        }
        _done(self.browser.post(f"{place}/versions", data=versions))

    def newest(
        self, kind: type[ProtocolVersion] | type[QuestionnaireVersion]
    ) -> ProtocolVersion | QuestionnaireVersion:
        with self.database.reading() as session:
            return session.scalars(sa.select(kind).order_by(kind.number.desc())).first()  # type: ignore[return-value]


class TestFromAFileToAnOpenStudy:
    def test_every_step_is_done_by_a_page(self, database: Database, ana: FlaskClient) -> None:
        coordinator = _Coordinator(ana, database)

        study = coordinator.import_study()
        coordinator.fill_in(study)
        coordinator.confirm_criteria(study)
        coordinator.ask(study)
        page = coordinator.write_page(study)
        coordinator.approve(study)
        place = coordinator.open_site(study)
        for status in ("start_up", "initiated"):
            _done(ana.post(f"{place}/status", data={"status": status}))
        too_early = ana.post(f"{place}/status", data={"status": "activated"})
        coordinator.prepare(place)
        _done(ana.post(f"{place}/status", data={"status": "activated"}))
        _done(ana.post(f"{page}/move", data={"state": "in_use"}))

        assert too_early.status_code == 422
        assert "The site has no principal investigator." in _problems(too_early)
        with database.reading() as session:
            found = session.scalars(sa.select(Study)).one()
            places = queries.open_sites(session, found, at=NOON)
            document = Document.model_validate(places[0].in_force.questionnaire.document)
            item = document.item("condition_asthma")
            text = session.scalars(sa.select(MaterialVersion)).one()
        assert found.status is StudyStatus.OPEN
        assert found.budget_minor == 125_050
        assert places[0].languages == ("en", "es")
        assert item is not None
        assert item.text.say("es") == "¿Tiene asma?"
        assert text.state is MaterialState.IN_USE
        assert "Nothing to do" in ana.get("/staff/studies").text

    def test_a_hold_acts_and_is_lifted(self, database: Database, ana: FlaskClient) -> None:
        coordinator = _Coordinator(ana, database)
        study = coordinator.import_study()

        _done(ana.post("/staff/holds", data={"study_id": study, "reason": "safety", "note": "Look into it"}))
        held = ana.get(f"/staff/studies/{study}").text
        _done(ana.post(f"/staff/holds/{coordinator.one(Hold)}/lift"))

        assert "On hold since" in held
        assert "Look into it" in held
        assert "On hold since" not in ana.get(f"/staff/studies/{study}").text

    def test_the_stamped_document_comes_back_byte_for_byte(self, database: Database, ana: FlaskClient) -> None:
        coordinator = _Coordinator(ana, database)
        study = coordinator.import_study()
        coordinator.confirm_criteria(study)
        coordinator.ask(study)
        coordinator.approve(study)

        page = ana.get(f"/staff/studies/{study}/approvals").text
        where = re.search(r'href="(/staff/approvals/[^"]+/document)"', page)
        assert where is not None
        answer = ana.get(where.group(1))

        assert answer.data == PDF
        assert answer.headers["Content-Disposition"] == "attachment; filename=stamp.pdf"
        assert answer.headers["Content-Type"] == "application/pdf"


class TestWrongInput:
    def test_a_slip_in_a_rule_comes_back_with_its_place_and_everything_typed(
        self, database: Database, ana: FlaskClient
    ) -> None:
        coordinator = _Coordinator(ana, database)
        coordinator.import_study()
        version = coordinator.newest(ProtocolVersion)

        answer = ana.post(
            f"/staff/protocol-versions/{version.id}/criteria/in-1",
            data={"text": "Asthma", "kind": "inclusion", "rule": "asthma is yes", "wording_en": "Breathing"},
        )

        assert answer.status_code == 422
        assert "Line 1, column 1" in answer.text
        assert "asthma is yes" in answer.text
        assert "Breathing" in answer.text

    def test_a_study_comes_back_with_what_was_typed(self, ana: FlaskClient) -> None:
        answer = ana.post(
            "/staff/studies/new",
            data={"title": "T", "nickname": "", "protocol_number": "P" * 81, "identifiers": "no colon here"},
        )

        assert answer.status_code == 422
        assert _problems(answer) == ["Use at most 80 characters."]
        assert "no colon here" in answer.text

    def test_several_wrong_fields_are_all_named(self, database: Database, ana: FlaskClient) -> None:
        study = _Coordinator(ana, database).import_study()

        answer = ana.post(
            f"/staff/studies/{study}/edit",
            data={
                "planned_enrolment": "many",
                "recruit_from": "9999-13-99",
                "budget": "1.999",
                "enrolment_counts": "x",
            },
        )

        assert answer.status_code == 422
        assert len(_problems(answer)) == 5
        assert 'value="9999-13-99"' in answer.text

    def test_an_empty_upload_and_too_large_a_file_are_said_so(self, ana: FlaskClient) -> None:
        nothing = ana.post("/staff/studies/import", data={})
        too_large = _upload(ana, {"large.json": b" " * (20 * 1024 * 1024 + 1)})

        assert (nothing.status_code, too_large.status_code) == (422, 422)
        assert "Choose at least one file." in _problems(nothing)
        assert _problems(too_large) == ["large.json: The file is larger than 20 MiB."]

    def test_several_large_files_may_be_sent_together(self, ana: FlaskClient) -> None:
        answer = _upload(ana, {f"{n}.json": b"[]" + b" " * (15 * 1024 * 1024) for n in range(2)})

        assert answer.status_code == 422
        assert len(_problems(answer)) == 2


def _upload(browser: FlaskClient, files: dict[str, bytes]) -> TestResponse:
    """Send files as a browser does; the body is made here, since the test client would leave a file open."""
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
        + data
        + b"\r\n"
        for name, data in files.items()
    ]
    body = b"".join((*parts, b"--edge--\r\n"))
    return browser.post("/staff/studies/import", data=body, content_type="multipart/form-data; boundary=edge")
