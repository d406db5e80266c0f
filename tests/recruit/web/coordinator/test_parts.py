"""The form of a part: what is chosen from menus equals what is typed in the notation."""

from __future__ import annotations

import re
from html import unescape

import pytest

from screening.language.notation import parse_rule
from tests.recruit.web.coordinator.editors import Editor

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
            ("codes.medicine", {"codes": "A10", "status": "ever", "count": "0"}, "Enter a whole number"),
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
