"""The rule editor: a rule is built step by step, and shown with what to look at."""

from __future__ import annotations

from html import unescape

from flask import Flask

from recruit.accounts.models import Role
from recruit.db import Database
from recruit.studies import versions
from recruit.studies.models import ProtocolVersion
from screening.language.protocol import CriterionKind, read_protocol
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import make_account, make_open_study, publish_criteria
from tests.recruit.web.coordinator.editors import TEXT, Editor


class TestSteps:
    def test_a_rule_grows_step_by_step(self, editor: Editor) -> None:
        editor.say("birth", low_0="18", unit_0="years")
        added = editor.say("bmi", how="and", low_0="30", unit_0="kg/m2")
        assert added.location.endswith("#p-rule-1")

        editor.say("sex", how="or", at="1", choices=["male"])
        wrapped = editor.step("wrap.if", "0")
        editor.say("pregnant", at="0.0", answer="no")
        editor.step("move.down", "0")
        editor.step("turn.at_least", "", count="1")

        assert wrapped.status_code == 303
        assert wrapped.location.endswith("#p-rule-0")
        assert editor.notation() == (
            "at least 1 of (bmi >= 30 kg/m2 or sex is male; if pregnant is no then age >= 18 years)"
        )

    def test_the_last_one_is_undone_and_done_again(self, editor: Editor) -> None:
        editor.say("birth", low_0="18", unit_0="years")
        editor.step("wrap.not")

        undone = editor.step("undo")

        assert undone.status_code == 303
        assert editor.notation() == "age >= 18 years"
        editor.step("undo")
        assert editor.notation() == "not age >= 18 years"

    def test_the_first_one_is_undone_to_nothing(self, editor: Editor) -> None:
        editor.say("birth", low_0="18", unit_0="years")

        editor.step("undo")

        assert editor.rule() is None

    def test_undoing_is_not_offered_once_something_else_was_saved(self, editor: Editor) -> None:
        editor.say("birth", low_0="18", unit_0="years")
        assert "Undo the last step" in editor.browser.get(editor.url).text
        editor.write("sex is male")

        answer = editor.step("undo")

        assert answer.status_code == 409
        assert editor.notation() == "sex is male"
        assert "Undo the last step" not in editor.browser.get(editor.url).text

    def test_a_page_that_is_behind_changes_nothing(self, editor: Editor) -> None:
        editor.say("birth", low_0="18", unit_0="years")
        behind = editor.seen()
        editor.say("bmi", how="and", low_0="30", unit_0="kg/m2")

        late = editor.step("remove", "", seen=behind)
        lost = editor.say("sex", how="and", choices=["male"], seen=behind)

        assert (late.status_code, lost.status_code) == (409, 409)
        assert "Somebody else changed this draft" in lost.text
        assert editor.notation() == "age >= 18 years and bmi >= 30 kg/m2"

    def test_the_exception_that_widens_is_built_alike(self, editor: Editor) -> None:
        editor.write("pregnant is no")

        editor.say("birth", tree="unless", low_0="65", unit_0="years")

        assert editor.notation("unless") == "age >= 65 years"
        assert "unless Age is at least 65 years" in editor.browser.get(editor.url).text


class TestPage:
    def test_shows_the_rule_in_every_form(self, editor: Editor) -> None:
        editor.write("age >= 18 years and (if sex is female then pregnant is no)")

        page = unescape(editor.browser.get(editor.url).text)

        assert TEXT in page
        assert "All of these: Age is at least 18 years; (If Sex registered at birth: Female" in page
        assert "age >= 18 years and (if sex is female then pregnant is no)" in page
        for person in ("Somebody who passes", "Somebody ruled out", "nothing is known", "right at a limit"):
            assert person in page

    def test_says_what_to_look_at(self, editor: Editor) -> None:
        editor.write('bmi > 300 kg/m2 and text("")')

        page = editor.browser.get(editor.url).text

        assert "lies outside what is plausible" in page
        assert "Something is still to be said." in page

    def test_is_in_the_criterions_own_page_too(self, editor: Editor) -> None:
        editor.write("age >= 18 years")

        page = editor.browser.get(editor.url.removesuffix("/rule")).text

        assert "Age is at least 18 years." in page
        assert editor.url in page

    def test_of_a_published_version_is_only_read(self, editor: Editor) -> None:
        editor.write("age >= 18 years")
        with editor.database.transaction(actor="test") as session:
            publish_criteria(session, session.get_one(ProtocolVersion, editor.version_id))

        page = editor.browser.get(editor.url)

        assert "Age is at least 18 years" in page.text
        assert "Change<span" not in page.text
        assert editor.browser.get(f"{editor.url}/part?how=put").status_code == 404
        assert editor.step("remove").status_code == 422
        assert editor.say("sex", choices=["male"]).status_code == 422
        assert editor.notation() == "age >= 18 years"

    def test_is_read_by_an_auditor_and_found_by_nobody_else(
        self, app: Flask, database: Database, editor: Editor
    ) -> None:
        editor.write("age >= 18 years")
        with database.transaction(actor="test") as session:
            other = make_open_study(session)
            auditor = make_account(session, Role.AUDITOR)
            elsewhere = make_account(session, Role.COORDINATOR, study_id=other.study.id)

        read = signed_in(app, auditor, at=NOON)
        outside = signed_in(app, elsewhere, at=NOON)

        assert "Age is at least 18 years" in read.get(editor.url).text
        assert read.post(editor.url, data={"step": "remove"}).status_code == 403
        assert read.get(f"{editor.url}/part").status_code == 403
        for answer in (
            outside.get(editor.url),
            outside.get(f"{editor.url}/part"),
            outside.post(editor.url, data={"step": "remove"}),
            outside.post(f"{editor.url}/part", data={"fact": "sex", "choices": "male"}),
            outside.post(f"{editor.url}/try", data={}),
        ):
            assert answer.status_code == 404
        assert editor.notation() == "age >= 18 years"

    def test_leads_from_one_text_to_the_next(self, editor: Editor) -> None:
        with editor.database.transaction(actor="test") as session:
            version = versions.add_criterion(
                session, editor.version_id, kind=CriterionKind.EXCLUSION, text="Cannot give consent"
            )
            following = read_protocol(version.document).criteria[-1].id
        assert "Next text" in editor.browser.get(editor.url).text

        answer = editor.browser.post(
            f"{editor.url.removesuffix('/rule')}/confirm",
            data={"decision": "site", "then": "next", "page": "rule"},
        )

        assert answer.status_code == 303
        assert f"/criteria/{following}/rule" in answer.location
