"""Whatever is posted to a form of the coordinators: a clear answer, nothing lost, no 5xx."""

from __future__ import annotations

from io import BytesIO
from random import Random
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from recruit.accounts.models import Role
from recruit.db import Database
from recruit.studies import versions
from recruit.studies.models import ProtocolVersion
from screening.asking.questionnaire import Document
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import AT, make_account, make_open_study
from tests.recruit.web.coordinator.pages import posts

FIELDS = (
    *(
        "title",
        "nickname",
        "protocol_number",
        "neutral_name_en",
        "neutral_name_es",
        "sponsor",
        "icf_languages",
        "identifiers",
        "budget",
    ),
    *(
        "planned_enrolment",
        "recruit_from",
        "screened_out_days",
        "currency",
        "enrolment_counts",
        "seen",
        "status",
    ),
    *(
        "visits_number",
        "lead_site_id",
        "offer_sponsors",
        "code",
        "cohort_name",
        "cap",
        "fact_name",
        "fact_kind",
    ),
    *("fact_label_en", "fact_unit", "fact_choices", "fact_told_by", "kind", "text", "number", "rule", "unless"),
    *(
        "evidence",
        "cohorts",
        "wording_en",
        "decision",
        "then",
        "languages",
        "respondents",
        "consents",
        "way",
        "what",
    ),
    *(
        "t.text.en.self",
        "t.options.type_1.text.en.self",
        "t.notice.who.es.self",
        "allow_unknown",
        "body",
        "subject",
    ),
    *("language", "name", "state", "irb_name", "submission_number", "determination", "basis", "decided_on"),
    *("valid_from", "valid_until", "covered", "sites", "conditions", "site_id", "zone", "country", "latitude"),
    *(
        "opens-0-0",
        "closes-0-0",
        "closed_days",
        "protocol_site_number",
        "weekly_calls",
        "target_by",
        "approved_on",
    ),
    *(
        "reimbursed_screen_fail_ratio",
        "first_call_by",
        "role",
        "person_name",
        "tasks",
        "trained_on",
        "protocol",
    ),
    *(
        "questionnaire",
        "effective_from",
        "study_id",
        "cohort_id",
        "reason",
        "note",
        "effective",
        "effective_time",
    ),
)
VALUES = (
    *(
        "",
        " ",
        "\x00",
        "a\x00b",
        "\ud800",
        "9999-13-99",
        "0000-00-00",
        "2026-02-30",
        "NaN",
        "-Infinity",
        "1e999",
        "-1",
    ),
    *(
        "9" * 40,
        "٣",
        "½",
        "yes",
        "on",
        "true",
        "null",
        "[]",
        "{}",
        "<script>",
        "' OR 1=1 --",
        "%s%n",
        "../..",
        "\u202e",
    ),
    *(
        "x" * 30_000,
        "(" * 500,
        "not " * 300,
        "all of (" * 100,
        "age >= 18 years",
        'site("x")',
        'text("x")',
        "condition in (E11)",
    ),
    *(
        "00000000-0000-0000-0000-000000000000",
        "en, es",
        "en",
        "self",
        "contact",
        "published",
        "activated",
        "site",
        "up",
    ),
    *(
        "25:99",
        "09:00",
        "America/New_York",
        "safety",
        "sms",
        "study_page",
        "flag",
        "approved",
        "2026-11-18",
        "3",
        "1",
    ),
    *(
        "a: b",
        "ClinicalTrials.gov: NCT00000000",
        "ClinicalTrials.gov: x",
        "birth",
        "+zip",
        "bmi",
        "\U0001f600" * 50,
        "\r\n" * 100,
    ),
)


class TestHostileBodies:
    @pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
    def test_no_form_ever_fails(self, app: Flask, database: Database, seed: int) -> None:
        chance = Random(seed)  # noqa: S311 - reproducible bodies, no secret
        with database.transaction(actor="test") as session:
            made = make_open_study(session)
            draft = versions.revise_protocol(session, made.protocol.id, at=AT)
            asked = Document.model_validate(made.questionnaire.document)
            wording = versions.draft_questionnaire(session, made.study.id, asked, at=AT)
            ana = make_account(session, Role.COORDINATOR)
        browser = signed_in(app, ana, at=NOON)
        with database.reading() as session:
            forms = posts(app, session, made)
        forms += [
            *("/staff/studies/new", "/staff/sites/new", "/staff/holds", "/staff/studies/import"),
            *(f"/staff/sites/{made.site.id}", f"/staff/sites/{made.site.id}/hours"),
            *(form.replace(str(made.questionnaire.id), str(wording.id)) for form in forms),
            f"/staff/protocol-versions/{draft.id}/criteria/c2",
        ]

        for where in forms:
            for _ in range(5):
                answer = _post(browser, where, _body(chance))

                assert answer.status_code < 500, (where, answer.status_code)
                assert answer.status_code in (200, 303, 403, 404, 409, 413, 422), (where, answer.status_code)

        with database.reading() as session:
            kept = session.scalars(
                sa.select(ProtocolVersion.document).where(ProtocolVersion.id == made.protocol.id)
            ).one()
        assert kept == made.protocol.document


def _post(browser: FlaskClient, where: str, body: dict[str, object]) -> TestResponse:
    """Send a body as bytes, so that half characters arrive as a hostile client sends them."""
    if "files" in body or "document" in body:
        kept = {
            name: value
            for name, value in body.items()
            if "\ud800" not in str(value) and "\\ud800" not in repr(value)
        }
        return browser.post(where, data=kept)
    pairs = [(name, str(one)) for name, values in body.items() if isinstance(values, list) for one in values]
    coded = urlencode(pairs, errors="surrogatepass")
    return browser.post(where, data=coded, content_type="application/x-www-form-urlencoded")


def _body(chance: Random) -> dict[str, object]:
    """Fill some fields with what nobody should send, some twice, perhaps a file too."""
    body: dict[str, object] = {}
    for name in chance.sample(FIELDS, chance.randint(0, len(FIELDS))):
        body[name] = [chance.choice(VALUES) for _ in range(chance.choice((1, 1, 2)))]
    if chance.random() < 0.3:
        name = chance.choice(("files", "document"))
        content = chance.choice((b"", b"\x00", b"%PDF-1.7", b"{}", b"[" * 5000, b'{"protocolSection": {}}'))
        body[name] = (BytesIO(content), chance.choice(("a.pdf", "a.json", "..\\..", "", "x" * 300)))
    return body
