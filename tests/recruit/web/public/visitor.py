"""Somebody who walks through the public pages with a browser that has no scripts."""

from __future__ import annotations

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from recruit.db import Database
from recruit.ids import new_id
from recruit.studies.models import VersionInForce, VersionStatus
from recruit.studies.versions import draft_questionnaire
from screening.asking.questionnaire import Document
from tests.conftest import NOON
from tests.factories import OpenStudy, approve_everything, make_open_study
from tests.web_components.dom import Element, parse

Fields = dict[str, str | list[str]]

FITTING: dict[str, Fields] = {
    "birth": {"answer-month": "5", "answer-year": "1970"},
    "height": {"answer-ft": "5", "answer-in": "11"},
    "weight": {"answer-lb": "200"},
    "condition_diabetes": {"answer": "type_2"},
    "condition_heart": {"answer": "none_of_these"},
    "pregnant": {"answer": "no"},
}
"""Answers to the open study of the factories that meet every criterion a participant can tell."""

CONTACT: Fields = {
    "given": "Ana",
    "family": "Ruiz",
    "phone": "(212) 555-0123",
    "phone_kind": "mobile",
    "zip": "33101",
    "best_time": "morning",
    "language": "en",
    "contact": ["call", "sms"],
    "check_answers": "yes",
}


class Visitor:
    """A browser, the page it shows, and a memory of every page it has seen."""

    def __init__(self, client: FlaskClient, slug: str, *, language: str = "en") -> None:
        self.client, self.slug, self.language = client, slug, language
        self.seen: list[tuple[str, str]] = []
        self.status, self.path, self.html = 0, "", ""

    @property
    def page(self) -> Element:
        """Give the page that is shown."""
        return parse(self.html)

    @property
    def heading(self) -> str:
        """Give the page's one first heading."""
        return self.page.one("h1").text

    @property
    def errors(self) -> list[str]:
        """Give what the error summary lists."""
        summaries = self.page.by_class("error-summary")
        return [item.text for item in summaries[0].all("li")] if summaries else []

    def url(self, path: str) -> str:
        """Give an address in this visitor's language."""
        return f"/{self.language}{path}"

    def get(self, path: str) -> Visitor:
        """Open an address and follow where it leads."""
        return self._show(path, self.client.get(path))

    def post(self, path: str, fields: Fields | None = None) -> Visitor:
        """Send a form and follow where it leads."""
        return self._show(path, self.client.post(path, data=fields or {}))

    def hidden(self) -> Fields:
        """Give the hidden fields of the page's forms."""
        return {field.attrs["name"]: field.attrs["value"] for field in self.page.all("input", type="hidden")}

    def send(self, fields: Fields) -> Visitor:
        """Fill in the page's form and send it."""
        action = next(
            form.attrs["action"] for form in self.page.all("form", method="post") if form.inside("main")
        )
        return self.post(action, {**self.hidden(), **fields})

    def begin(self, *, source: str = "", who: str = "self") -> Visitor:
        """Open the study's page, start, and say who it is for."""
        self.get(self.url(f"/studies/{self.slug}" + (f"?s={source}" if source else "")))
        self.send({})
        return self.send({"who": who})

    def answer(self, answers: dict[str, Fields]) -> Visitor:
        """Answer question after question until a page comes that is none."""
        while self.path.split("?")[0].rsplit("/", 1)[-1].isdigit():
            item = str(self.hidden()["item"])
            before = self.path
            self.send(answers[item])
            assert self.status == 200, (item, self.status, self.errors)
            assert self.path != before, item
        return self

    def finish(self, answers: dict[str, Fields]) -> Visitor:
        """Answer everything and ask for the result."""
        self.begin()
        self.answer(answers)
        return self.send({})

    def _show(self, path: str, answer: TestResponse) -> Visitor:
        for _ in range(5):
            if answer.status_code != 303:
                break
            path = answer.headers["Location"]
            answer = self.client.get(path)
        self.status, self.path, self.html = answer.status_code, path, answer.get_data(as_text=True)
        self.seen.append((path, self.html))
        return self


def open_study(database: Database, **details: object) -> OpenStudy:
    """Make an open study and commit it."""
    with database.transaction(actor="test") as session:
        return make_open_study(session, **details)  # type: ignore[arg-type]


def ask_instead(database: Database, study: OpenStudy, document: Document) -> None:
    """Put another questionnaire in force at the study's site."""
    with database.transaction(actor="test") as session:
        version = draft_questionnaire(session, study.study.id, document, at=NOON)
        version.status, version.published_at = VersionStatus.PUBLISHED, NOON
        session.flush()
        approve_everything(session, study.study, at=NOON)
        session.add(
            VersionInForce(
                id=new_id(),
                study_site_id=study.study_site.id,
                protocol_version_id=study.protocol.id,
                questionnaire_version_id=version.id,
                effective_from=NOON.date(),
                recorded_at=NOON,
                recorded_by="test",
            )
        )
