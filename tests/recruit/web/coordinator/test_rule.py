"""The rule editor: what is chosen from menus equals what is typed in the notation, step by step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from random import Random
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from recruit.accounts.models import Role
from recruit.db import Database
from recruit.studies import versions
from recruit.studies.models import ProtocolVersion
from screening.language.criteria import Node
from screening.language.notation import parse_rule, write_rule
from screening.language.protocol import CriterionKind, read_protocol
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import AT, make_account, make_open_study

TEXT = "Adults who can take part"


@dataclass
class Editor:
    """One criterion of a draft that is still text, in the browser of a coordinator."""

    browser: FlaskClient
    database: Database
    version_id: UUID
    criterion_id: str

    @property
    def url(self) -> str:
        """The editor's page."""
        return f"/staff/protocol-versions/{self.version_id}/criteria/{self.criterion_id}/rule"

    def rule(self, tree: str = "rule") -> Node | None:
        """Give the rule as it is stored."""
        with self.database.reading() as session:
            row = session.get_one(ProtocolVersion, self.version_id)
            found = next(c for c in read_protocol(row.document).criteria if c.id == self.criterion_id)
        return found.unless if tree == "unless" else found.rule

    def notation(self, tree: str = "rule") -> str:
        """Give the rule in the notation."""
        rule = self.rule(tree)
        return "" if rule is None else write_rule(rule)

    def seen(self) -> str:
        """Give the version that the page was made from."""
        found = re.search(r'name="seen" value="(\d+)"', self.browser.get(self.url).text)
        assert found is not None
        return found[1]

    def say(
        self,
        fact: str,
        fields: Mapping[str, object] | None = None,
        *,
        at: str = "",
        how: str = "put",
        tree: str = "rule",
        **more: object,
    ) -> TestResponse:
        """Send the form of a part."""
        place = {"tree": tree, "at": at, "how": how, "fact": fact}
        return self.browser.post(f"{self.url}/part", data={**place, **(fields or {}), **more})

    def step(self, name: str, at: str = "", **fields: object) -> TestResponse:
        """Press one of the buttons of a part."""
        return self.browser.post(self.url, data={"step": name, "at": at, "tree": "rule", **fields})

    def write(self, notation: str) -> None:
        """Store a rule, as if it had been built before."""
        with self.database.transaction(actor="test") as session:
            rule = parse_rule(notation) if notation else None
            versions.save_criterion(session, self.version_id, self.criterion_id, {"rule": rule})


@pytest.fixture
def editor(app: Flask, database: Database) -> Editor:
    """Give the editor of a criterion that is still text."""
    with database.transaction(actor="test") as session:
        made = make_open_study(session)
        draft = versions.revise_protocol(session, made.protocol.id, at=AT)
        versions.add_criterion(session, draft.id, kind=CriterionKind.INCLUSION, text=TEXT)
        criterion_id = read_protocol(draft.document).criteria[-1].id
        account = make_account(session, Role.COORDINATOR)
    return Editor(signed_in(app, account, at=NOON), database, draft.id, criterion_id)


BUILT: dict[str, tuple[str, dict[str, object]]] = {
    "age between 18 and 75 years": (
        "birth",
        {"low_0": "18", "low_sign_0": ">=", "high_0": "75", "high_sign_0": "<=", "unit_0": "years"},
    ),
    "bmi > 30 kg/m2": ("bmi", {"low_0": "30", "low_sign_0": ">", "unit_0": "kg/m2"}),
    "alt <= 3 [ULN]": ("alt", {"high_0": "3", "high_sign_0": "<=", "unit_0": "[ULN]"}),
    "hba1c between 7.0 and 10.5 % | between 53 and 91 mmol/mol rounded to 1 "
    "measured within 3 months before today": (
        "hba1c",
        {
            "low_0": "7.0",
            "high_0": "10.5",
            "unit_0": "%",
            "low_1": "53",
            "high_1": "91",
            "unit_1": "mmol/mol",
            "rounded_to": "1",
            "w_form": "within",
            "w_count": "3",
            "w_unit": "months",
            "w_side": "before",
            "w_anchor": "today",
        },
    ),
    "sex is female": ("sex", {"choices": ["female"]}),
    "country is one of (us, ca)": ("country", {"choices": ["us", "ca"]}),
    "pregnant is no decided by laboratory told by clinician": (
        "pregnant",
        {"answer": "no", "decides_from": "laboratory", "told_by": "clinician"},
    ),
    "last_vaccination between 2 weeks and 3 months before today": (
        "last_vaccination",
        {
            "w_form": "between",
            "w_count": "2",
            "w_unit": "weeks",
            "w_upto_count": "3",
            "w_upto_unit": "months",
            "w_side": "before",
        },
    ),
    "birth at least 18 years before today": (
        "day.birth",
        {"w_form": "at_least", "w_count": "18", "w_unit": "years", "w_side": "before"},
    ),
    "condition in (C00-C97) but not in (C44) past onset within 5 years before today": (
        "codes.condition",
        {
            "codes": "C00-C97",
            "but": "C44",
            "status": "past",
            "w_form": "within",
            "w_count": "5",
            "w_unit": "years",
            "w_side": "before",
            "dating": "onset",
        },
    ),
    "medicine such as (A10BA02, A10BH) current for at least 3 months "
    "unchanged for at least 4 weeks dose >= 1000 mg/d route (oral, injection) asked by medicine.metformin": (
        "codes.medicine",
        {
            "codes": "a10ba02, A10BH",
            "such_as": "yes",
            "status": "current",
            "lasting_count": "3",
            "lasting_unit": "months",
            "steady_count": "4",
            "steady_unit": "weeks",
            "low_dose": "1000",
            "unit_dose": "mg/d",
            "routes": ["oral", "injection"],
            "asked_by": "medicine.metformin",
        },
    ),
    "procedure in (Z94) planned": ("codes.procedure", {"codes": "Z94", "status": "planned"}),
    "at least 2 kinds of medicine in (L04AB) past": (
        "codes.medicine",
        {"codes": "L04AB", "status": "past", "count": "2", "by": "kind"},
    ),
    'site("adequate veins")': ("site", {"words": "adequate veins"}),
    'note("for all")': ("note", {"words": "for all"}),
}


class TestEachKindOfPart:
    @pytest.mark.parametrize("notation", BUILT)
    def test_equals_the_notation_typed_by_hand(self, editor: Editor, notation: str) -> None:
        fact, fields = BUILT[notation]

        answer = editor.say(fact, {"status": "ever", **fields})

        assert answer.status_code == 303, answer.text
        assert editor.rule() == parse_rule(notation)
        assert answer.location.endswith("#p-rule")

    @pytest.mark.parametrize("notation", BUILT)
    def test_fills_its_form_with_what_stands_there(self, editor: Editor, notation: str) -> None:
        editor.write(notation)

        page = editor.browser.get(f"{editor.url}/part?how=put&at=&tree=rule")
        answer = editor.browser.post(f"{editor.url}/part", data=_fields(page.text))

        assert answer.status_code == 303, answer.text
        assert editor.rule() == parse_rule(notation)


def _fields(page: str) -> dict[str, list[str]]:
    """Read what a browser would send if somebody pressed Save at once."""
    form = page.partition('class="leaf-form"')[2].partition("</form>")[0]
    sent: dict[str, list[str]] = {}
    for tag in re.findall(r"<input [^>]*>", form):
        given = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if given.get("type") in ("checkbox", "radio") and " checked" not in tag:
            continue
        sent.setdefault(given["name"], []).append(unescape(given.get("value", "")))
    for name, inner in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        options = re.findall(r'<option value="([^"]*)"( selected)?', inner)
        chosen = [value for value, selected in options if selected] or [options[0][0]]
        sent.setdefault(name, []).append(unescape(chosen[0]))
    for name, inner in re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL):
        sent.setdefault(name, []).append(unescape(inner))
    return sent


class TestNamesOfCodes:
    def test_are_shown_with_what_they_stand_for_before_they_count(self, editor: Editor) -> None:
        asked = editor.say("codes.medicine", codes="semaglutide\nA10BH", status="current")

        assert asked.status_code == 200
        assert editor.rule() is None
        assert "<code>A10BJ06</code> semaglutide" in asked.text
        fields = _fields(asked.text)
        assert fields["codes"] == ["A10BJ06\nA10BH"]
        assert fields["status"] == ["current"]

        saved = editor.browser.post(f"{editor.url}/part", data=fields)

        assert saved.status_code == 303
        assert editor.notation() == "medicine in (A10BJ06, A10BH) current"

    def test_that_are_only_examples_make_it_such_as(self, editor: Editor) -> None:
        asked = editor.say("codes.medicine", codes="allergy medicines", status="ever")

        assert _fields(asked.text)["such_as"] == ["yes"]

    def test_that_nobody_knows_come_back_with_an_error_at_the_field(self, editor: Editor) -> None:
        answer = editor.say("codes.condition", codes="dropsie\nE11", status="current")

        assert answer.status_code == 422
        assert "Nothing is known by the name “dropsie”." in answer.text
        assert _fields(answer.text)["codes"] == ["dropsie\nE11"]
        assert editor.rule() is None


class TestFindingAFact:
    @pytest.mark.parametrize(
        ("typed", "leads_to"),
        [
            ("Body mass index", "bmi"),
            ("body mass", "bmi"),
            ("bmi", "bmi"),
            ("Age", "birth"),
            ("semaglutide", "codes.medicine"),
            ("E11.9", "codes.condition"),
            ("A10BA02", "codes.medicine"),
            ("type 2 diabetes", "codes.condition"),
            ("site", "site"),
        ],
    )
    def test_goes_straight_to_its_form(self, editor: Editor, typed: str, leads_to: str) -> None:
        page = editor.browser.get(f"{editor.url}/part", query_string={"fact": typed, "how": "put"})

        assert page.status_code == 200
        assert _fields(page.text)["fact"] == [leads_to]

    @pytest.mark.parametrize("typed", ["", "pressure", "zzz", "C10", "x" * 5000, "\x00"])
    def test_lists_what_there_is_where_it_is_not_one(self, editor: Editor, typed: str) -> None:
        page = editor.browser.get(f"{editor.url}/part", query_string={"fact": typed, "how": "put"})

        assert page.status_code == 200
        assert "fact-groups" in page.text

    def test_asks_which_is_meant_where_a_code_is_two_things(self, editor: Editor) -> None:
        page = editor.browser.get(f"{editor.url}/part", query_string={"fact": "c10", "how": "put"}).text

        links = re.findall(r'href="([^"]*codes=C10[^"]*)"', page)
        assert len(links) == 2
        fields = [_fields(editor.browser.get(unescape(link)).text) for link in links]
        assert [(one["fact"], one["codes"]) for one in fields] == [
            (["codes.condition"], ["C10"]),
            (["codes.medicine"], ["C10"]),
        ]


class TestMistakes:
    @pytest.mark.parametrize(
        ("fact", "fields", "words"),
        [
            ("bmi", {}, "Enter a lower or an upper limit."),
            ("bmi", {"low_0": "7,5"}, "Write the number with a point"),
            ("bmi", {"low_0": "a"}, "Enter a number, such as 2.5."),
            ("bmi", {"low_0": "40", "high_0": "30"}, "Nothing lies between these ends."),
            ("bmi", {"low_0": "30", "unit_0": "furlong"}, "furlong"),
            ("bmi", {"low_0": "30", "rounded_to": "12"}, "Select one from the list."),
            ("bmi", {"low_0": "30", "w_form": "within"}, "Enter a whole number, such as 12."),
            ("birth", {"low_0": "1.5", "unit_0": "years"}, "Enter a whole number, such as 12."),
            ("birth", {"low_0": "18", "unit_0": "aeons"}, "Select one from the list."),
            ("sex", {}, "Select one or more from the list."),
            ("sex", {"choices": ["neither"]}, "Select one or more from the list."),
            ("pregnant", {"answer": "perhaps"}, "Select one from the list."),
            ("last_vaccination", {}, "Say in which stretch of time."),
            (
                "last_vaccination",
                {
                    "w_form": "between",
                    "w_count": "6",
                    "w_unit": "months",
                    "w_upto_count": "2",
                    "w_upto_unit": "weeks",
                },
                "Between begins with the shorter length.",
            ),
            ("codes.medicine", {"status": "ever"}, "Enter at least one name or code."),
            (
                "codes.medicine",
                {"codes": "A10", "status": "past", "lasting_count": "3", "lasting_unit": "days"},
                "needs status current",
            ),
            (
                "codes.medicine",
                {"codes": "A10", "status": "ever", "asked_by": "bmi"},
                "Select one from the list.",
            ),
            ("site", {}, "Write what the site checks"),
        ],
    )
    def test_stand_at_their_fields_and_lose_nothing(
        self, editor: Editor, fact: str, fields: dict[str, object], words: str
    ) -> None:
        answer = editor.say(fact, fields, told_by="clinician")

        assert answer.status_code == 422
        assert words in unescape(answer.text)
        assert 'aria-invalid="true"' in answer.text or 'class="invalid"' in answer.text
        assert editor.rule() is None
        if fact not in ("site",):
            assert _fields(answer.text)["told_by"] == ["clinician"]
        for name in ("low_0", "codes"):
            if name in fields:
                assert _fields(answer.text)[name] == [fields[name]]


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
            versions.publish_protocol(session, editor.version_id, at=AT)

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


class TestTrying:
    @pytest.mark.parametrize(
        ("rule", "told", "label"),
        [
            ("age >= 18 years", {"f0": "17"}, "rules_out"),
            ("age >= 18 years", {"f0": "2008-11-18"}, "passes"),
            ("age >= 18 years", {"f0": "2008-11-19"}, "rules_out"),
            ("age >= 18 years", {"f0": "2008-11"}, "unknown"),
            ("bmi < 40 kg/m2", {"f0": "39.9", "f0_unit": "kg/m2"}, "passes"),
            ("bmi < 40 kg/m2", {"f0": "39", "f0_day": "2020"}, "unknown"),
            ("alt <= 3 [ULN]", {"f0": "121", "f0_unit": "U/L", "f0_limit": "40"}, "rules_out"),
            ("sex is female", {"f0": "male"}, "rules_out"),
            ("pregnant is no", {"f0": "dont_know"}, "unknown"),
            ("last_vaccination at least 4 weeks before today", {"f0": "2026-11-01"}, "rules_out"),
            ("medicine in (A10BA02) current", {"f0": "current"}, "passes"),
            ("medicine in (A10BA02) current", {"f0": "never"}, "rules_out"),
            ("medicine in (A10) current", {"f0": "current", "f0_code": "C10AA"}, "unknown"),
            (
                "condition in (I21) within 6 months before today",
                {"f0": "past", "f0_code": "I21 2026-10"},
                "passes",
            ),
            ("sex is male and age >= 65 years", {"f0": "male"}, "unknown"),
            (
                "at least 2 kinds of medicine in (L04AB)",
                {"f0": "past", "f0_code": "L04AB01 2024-05\nL04AB04"},
                "passes",
            ),
            ("at least 2 kinds of medicine in (L04AB)", {"f0": "past", "f0_code": "L04AB01"}, "unknown"),
        ],
    )
    def test_judges_somebody_made_up(self, editor: Editor, rule: str, told: dict[str, str], label: str) -> None:
        editor.write(rule)

        page = editor.browser.post(f"{editor.url}/try", data=told)

        assert page.status_code == 200
        row = page.text.partition("The person you made up")[2].partition("</tr>")[0]
        assert f"verdict {label}" in row
        assert editor.notation() == rule

    @pytest.mark.parametrize(
        ("rule", "told"),
        [
            ("age >= 18 years", {"f0": "young"}),
            ("bmi < 40 kg/m2", {"f0": "NaN"}),
            ("bmi < 40 kg/m2", {"f0": "39", "f0_unit": "parsec"}),
            ("bmi < 40 kg/m2", {"f0": "39", "f0_day": "2026-02-30"}),
            ("sex is female", {"f0": "\x00"}),
            ("medicine in (A10BA02) current", {"f0": "current", "f0_code": "('"}),
        ],
    )
    def test_names_what_cannot_be_read(self, editor: Editor, rule: str, told: dict[str, str]) -> None:
        editor.write(rule)

        page = editor.browser.post(f"{editor.url}/try", data=told)

        assert page.status_code == 422
        assert "The person you made up" not in page.text


HOSTILE = (
    *(
        "",
        "\x00",
        "\ud7ff",
        "9" * 60,
        "-1",
        "1e999",
        "NaN",
        "٣",
        "0.0.0.0.0",
        "..",
        "put",
        "rule",
        "x" * 30_000,
    ),
    *(
        "bmi",
        "birth",
        "sex",
        "codes.medicine",
        "site",
        "remove",
        "wrap.case",
        "turn.at_least",
        "undo",
        "A10",
        "*",
    ),
    *("<script>", "%s", "{0}", "[ULN]", "years", "within", "not " * 300),
)
NAMES = (
    *("step", "tree", "at", "how", "fact", "count", "seen", "then", "low_0", "high_0", "low_sign_0", "unit_0"),
    *("rounded_to", "w_form", "w_count", "w_unit", "w_upto_count", "w_side", "w_anchor", "choices", "answer"),
    *("codes", "but", "status", "dating", "lasting_count", "lasting_unit", "low_dose", "unit_dose", "routes"),
    *("by", "such_as", "asked_by", "words", "told_by", "decides_from", "f0", "f0_unit", "f0_code", "f0_day"),
)


class TestHostileBodies:
    @pytest.mark.parametrize("at", ["9", "0.0.0.0.0", "x", "-1", "1" * 9, "0." * 150])
    def test_an_unknown_part_changes_nothing(self, editor: Editor, at: str) -> None:
        editor.write("age >= 18 years and sex is male")

        answers = (
            editor.step("remove", at),
            editor.say("sex", at=at, choices=["male"]),
            editor.browser.get(f"{editor.url}/part", query_string={"at": at, "how": "put"}),
        )

        assert all(400 <= answer.status_code < 500 for answer in answers)
        assert editor.notation() == "age >= 18 years and sex is male"

    @pytest.mark.parametrize(
        ("step", "at"),
        [
            ("turn.any", "0"),
            ("unwrap", ""),
            ("wrap.nothing", ""),
            ("move.up", "0"),
            ("branch", ""),
            ("put", ""),
        ],
    )
    def test_a_step_that_does_not_fit_changes_nothing(self, editor: Editor, step: str, at: str) -> None:
        editor.write("age >= 18 years and sex is male")

        answer = editor.step(step, at)

        assert answer.status_code == 422
        assert editor.notation() == "age >= 18 years and sex is male"

    def test_a_rule_grows_no_deeper_than_a_protocol_may(self, editor: Editor) -> None:
        editor.write("age >= 18 years")

        answers = [editor.step("wrap.case").status_code for _turn in range(30)]

        assert answers[0] == 303
        assert answers[-1] == 422
        assert editor.browser.get(editor.url).status_code == 200

    @pytest.mark.parametrize("fact", ["", "nothing", "codes.", "codes.car", "day.bmi.x", "__class__"])
    def test_a_fact_that_is_none_is_not_found(self, editor: Editor, fact: str) -> None:
        assert editor.say(fact, words="x").status_code == 404

    @pytest.mark.parametrize("seed", range(4))
    def test_no_body_makes_the_server_fail(self, editor: Editor, seed: int) -> None:
        chance = Random(seed)  # noqa: S311 - reproducible bodies, no secret
        editor.write("age >= 18 years and medicine in (A10) current")

        for _turn in range(25):
            body = {name: chance.choice(HOSTILE) for name in chance.sample(NAMES, chance.randint(1, 12))}
            for where in (editor.url, f"{editor.url}/part", f"{editor.url}/try"):
                answer = editor.browser.post(where, data=body)

                assert answer.status_code in (200, 303, 404, 409, 422), (where, body)
            asked = editor.browser.get(f"{editor.url}/part", query_string=body)
            assert asked.status_code in (200, 404), body
        assert editor.browser.get(editor.url).status_code == 200
