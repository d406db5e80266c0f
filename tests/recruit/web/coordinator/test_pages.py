from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from recruit.accounts.models import Account, Role
from recruit.db import Database
from recruit.studies import versions
from recruit.studies.models import ProtocolVersion, Study
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import AT, OpenStudy, make_account, make_open_study, make_site
from tests.recruit.web.coordinator.pages import PAGES, address, posts


class _Page(HTMLParser):
    """Collects what makes a page usable: headings, labels, controls, ids, links to ids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings, self.labels, self.ids = 0, set[str](), list[str]()
        self.controls: list[dict[str, str | None]] = []
        self.targets: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.headings += tag == "h1"
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "label" and given.get("for"):
            self.labels.add(str(given["for"]))
        if tag in ("input", "select", "textarea") and given.get("type") not in ("hidden", "submit"):
            self.controls.append(given)
        if tag == "a" and str(given.get("href", "")).startswith("#"):
            self.targets.add(str(given["href"])[1:])


@pytest.fixture
def made(database: Database) -> OpenStudy:
    """Give an open study with a draft of its criteria and of its questions."""
    with database.transaction(actor="test") as session:
        made = make_open_study(session)
        versions.revise_protocol(session, made.protocol.id, at=AT)
    return made


@pytest.fixture
def ana(app: Flask, database: Database) -> FlaskClient:
    """Give the browser of somebody who coordinates everything."""
    return _browser(app, database, Role.COORDINATOR)


def _browser(app: Flask, database: Database, role: Role, **where: object) -> FlaskClient:
    with database.transaction(actor="test") as session:
        account: Account = make_account(session, role, **where)  # type: ignore[arg-type]
    return signed_in(app, account, at=NOON)


class TestEveryPage:
    def test_opens_with_one_heading_labelled_fields_and_links_that_lead_somewhere(
        self, app: Flask, database: Database, made: OpenStudy, ana: FlaskClient
    ) -> None:
        with database.reading() as session:
            addresses = {name: address(app, session, made, name) for name in PAGES}

        answers = {name: ana.get(where) for name, where in addresses.items()}

        for name, answer in answers.items():
            assert answer.status_code == 200, name
            page = _Page(answer.text)
            assert page.headings == 1, name
            assert page.targets <= {*page.ids, ""}, name
            assert len(page.ids) == len(set(page.ids)), name
            for control in page.controls:
                assert control.get("id") in page.labels or control.get("aria-label"), (name, control)

    def test_an_auditor_reads_and_finds_nothing_to_send(
        self, app: Flask, database: Database, made: OpenStudy
    ) -> None:
        with database.reading() as session:
            addresses = {name: address(app, session, made, name) for name in PAGES}
        browser = _browser(app, database, Role.AUDITOR)

        answers = {name: browser.get(where) for name, where in addresses.items()}

        for name, answer in answers.items():
            if name in ("new_study", "import_form", "new_site"):
                assert answer.status_code == 403, name
                continue
            assert answer.status_code == 200, name
            main = answer.text.partition("<main")[2].partition("</main>")[0]
            buttons = [
                form for form in main.split("<form") if 'method="post"' in form and 'type="submit"' in form
            ]
            assert buttons == [], name

    def test_an_auditor_changes_nothing(self, app: Flask, database: Database, made: OpenStudy) -> None:
        browser = _browser(app, database, Role.AUDITOR)

        with database.reading() as session:
            for where in posts(app, session, made):
                assert browser.post(where, data={}).status_code == 403, where


class TestScopes:
    def test_the_coordinator_of_one_study_finds_no_other(
        self, app: Flask, database: Database, made: OpenStudy
    ) -> None:
        with database.transaction(actor="test") as session:
            own = make_open_study(session)
        browser = _browser(app, database, Role.COORDINATOR, study_id=own.study.id)
        everybodys = {"index", "sites", "holds"}

        with database.reading() as session:
            for name in PAGES:
                if name in everybodys or name in ("new_study", "import_form", "new_site"):
                    continue
                assert browser.get(address(app, session, made, name)).status_code == 404, name
                assert browser.get(address(app, session, own, name, draft=False)).status_code == 200, name
            for where in posts(app, session, made):
                assert browser.post(where, data={}).status_code == 404, where
        listed = browser.get("/staff/studies").text
        assert own.study.nickname in listed
        assert made.study.nickname not in listed

    def test_the_coordinator_of_one_site_reads_its_study_and_changes_its_own_part(
        self, app: Flask, database: Database, made: OpenStudy
    ) -> None:
        with database.transaction(actor="test") as session:
            other = make_open_study(session)
        browser = _browser(app, database, Role.COORDINATOR, site_id=made.site.id)

        assert browser.get(f"/staff/studies/{made.study.id}").status_code == 200
        assert browser.get(f"/staff/studies/{other.study.id}").status_code == 404
        assert browser.post(f"/staff/studies/{made.study.id}/edit", data={}).status_code == 403
        assert browser.post(f"/staff/protocol-versions/{made.protocol.id}/publish").status_code == 403
        saved = browser.post(
            f"/staff/study-sites/{made.study_site.id}",
            data={"first_call_by": "site", "phone_screen_by": "site", "booking_by": "site", "target": "7"},
        )
        assert saved.status_code == 303
        assert browser.post(f"/staff/sites/{made.site.id}/hours", data={}).status_code == 303
        assert (
            browser.post("/staff/holds", data={"reason": "irb", "study_id": str(made.study.id)}).status_code
            == 403
        )
        held = browser.post("/staff/holds", data={"reason": "irb", "site_id": str(made.site.id)})
        assert held.status_code == 303

    def test_unknown_and_foreign_ids_are_told_apart_from_nothing(self, ana: FlaskClient) -> None:
        nobody = "00000000-0000-7000-8000-000000000000"

        for where in (
            f"/staff/studies/{nobody}",
            f"/staff/study-sites/{nobody}",
            f"/staff/protocol-versions/{nobody}/criteria/c1",
            f"/staff/questionnaire-versions/{nobody}/pages",
            f"/staff/material-versions/{nobody}",
            f"/staff/approvals/{nobody}/document",
            f"/staff/sites/{nobody}",
        ):
            assert ana.get(where).status_code == 404, where


class TestList:
    def test_puts_what_needs_doing_first_and_finds_by_every_name(
        self, database: Database, made: OpenStudy, ana: FlaskClient
    ) -> None:
        with database.transaction(actor="test") as session:
            quiet = make_open_study(session, nickname="QUIET")
            study = session.get(Study, quiet.study.id)
            assert study is not None
            site = make_site(session)
        del site

        text = ana.get("/staff/studies").text
        found = ana.get("/staff/studies?q=quiet").text
        none = ana.get("/staff/studies?q=%25_").text
        stepped = ana.get("/staff/studies?step=publish_amendment").text

        assert text.index(made.study.nickname) < text.index("QUIET")
        assert "QUIET" in found
        assert made.study.nickname not in found
        assert "No study matches" in none
        assert "QUIET" not in stepped

    @pytest.mark.parametrize("query", ["status=nonsense", "step=%00", "from=-1", "from=9999999999"])
    def test_takes_nonsense_calmly(self, made: OpenStudy, ana: FlaskClient, query: str) -> None:
        assert ana.get(f"/staff/studies?{query}").status_code == 200

    @pytest.mark.parametrize("query", ["q=%00", "q=%ED%A0%80", "q=" + "x" * 200])
    def test_refuses_what_nobody_types_without_failing(self, ana: FlaskClient, query: str) -> None:
        assert ana.get(f"/staff/studies?{query}").status_code in (200, 422)

    def test_asks_the_same_number_of_questions_for_many_studies(
        self, database: Database, ana: FlaskClient
    ) -> None:
        counts = []
        for _round in range(2):
            with database.transaction(actor="test") as session:
                for _ in range(3):
                    make_open_study(session)
            with _counting(database) as statements:
                ana.get("/staff/studies")
            counts.append(len(statements))

        assert counts[0] == counts[1]


class TestConflicts:
    def test_a_stale_page_says_so_and_loses_nothing(self, made: OpenStudy, ana: FlaskClient) -> None:
        where = f"/staff/study-sites/{made.study_site.id}"
        form = {"first_call_by": "site", "phone_screen_by": "site", "booking_by": "site", "irb_name": "Typed"}

        answer = ana.post(where, data={**form, "seen": "1"})

        assert answer.status_code == 409
        assert "in the meantime" in answer.text
        assert 'value="Typed"' in answer.text

    def test_two_saves_of_one_criterion_do_not_overwrite_each_other(
        self, database: Database, made: OpenStudy, ana: FlaskClient
    ) -> None:
        with database.reading() as session:
            draft = session.scalars(sa.select(ProtocolVersion).where(ProtocolVersion.number == 2)).one()
        where = f"/staff/protocol-versions/{draft.id}/criteria/c1"
        form = {"text": "Adults", "kind": "inclusion", "rule": "age >= 18 years", "seen": str(draft.version)}

        first, second = ana.post(where, data=form), ana.post(where, data={**form, "text": "Grown-ups"})

        assert first.status_code == 303
        assert second.status_code == 409
        assert "Grown-ups" in second.text


class _counting:  # noqa: N801 - reads as a verb at its use
    """Counts the statements sent to the database."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine
        self.statements: list[str] = []

    def __enter__(self) -> list[str]:
        sa.event.listen(self._engine, "before_cursor_execute", self._count)
        return self.statements

    def __exit__(self, *_: object) -> None:
        sa.event.remove(self._engine, "before_cursor_execute", self._count)

    def _count(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not re.match(r"\s*(PRAGMA|BEGIN|COMMIT)", statement):
            self.statements.append(statement)
