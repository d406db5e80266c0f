"""Bodies that no form of the rule editor sends."""

from __future__ import annotations

from random import Random

import pytest

from tests.recruit.web.coordinator.editors import Editor

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
