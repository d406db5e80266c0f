"""Trying a rule on somebody made up."""

from __future__ import annotations

import pytest

from tests.recruit.web.coordinator.editors import Editor


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
