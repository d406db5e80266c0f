"""The JSON form is strict: what is not understood is refused, never ignored."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from screening.errors import InvalidCriteria
from screening.language.criteria import AllOf, AnyOf, Attested, Node, Not, read_rule, write_rule_json
from screening.language.tree import folded, parts, walk
from tests.screening.trees import rules

BMI: dict[str, Any] = {"op": "number", "key": "bmi", "limits": [{"unit": "kg/m2", "ge": "27.0"}]}
CODED: dict[str, Any] = {"op": "coded", "about": "condition", "codes": [{"system": "icd-10-cm", "code": "E11"}]}
WINDOW: dict[str, Any] = {"form": "within", "length": "6 months"}


@given(rules)
def test_a_rule_comes_back_as_it_went(rule: Node) -> None:
    document = json.loads(json.dumps(write_rule_json(rule)))

    assert read_rule(document) == rule


def test_digits_stay_as_they_were_written() -> None:
    written = write_rule_json(read_rule(BMI))

    assert written == BMI


@pytest.mark.parametrize(
    ("document", "where"),
    [
        (None, "rule"),
        ([], "rule"),
        ({}, "rule"),
        ({"op": "nope"}, "rule"),
        ({"op": ["all"]}, "rule"),
        ({**BMI, "unit": "kg"}, "rule.number.unit"),
        ({**BMI, "limits": []}, "rule.number.limits"),
        ({**BMI, "key": "BMI"}, "rule.number.key"),
        ({**BMI, "rounded_to": "1"}, "rule.number.rounded_to"),
        ({**BMI, "limits": [{"unit": "kg/m2", "ge": 27}]}, "rule.number.limits.0.ge"),
        ({**BMI, "limits": [{"unit": "kg/m2", "ge": 27.5}]}, "rule.number.limits.0.ge"),
        ({**BMI, "limits": [{"unit": "kg/m2", "ge": "NaN"}]}, "rule.number.limits.0.ge"),
        ({**BMI, "limits": [{"unit": "kg/m2", "ge": "1e3"}]}, "rule.number.limits.0.ge"),
        ({**BMI, "limits": [{"unit": "kg/m2", "min": "3"}]}, "rule.number.limits.0.min"),
        ({**BMI, "limits": [{"unit": "kg/m2"}]}, "rule.number.limits.0"),
        ({**BMI, "limits": [{"unit": "kg/m2", "ge": "3", "gt": "3"}]}, "rule.number.limits.0"),
        ({**BMI, "limits": [{"unit": "kg/m2", "ge": "3", "lt": "3"}]}, "rule.number.limits.0"),
        ({**BMI, "limits": [{"unit": "banana", "ge": "3"}]}, "rule.number.limits.0.unit"),
        ({**BMI, "limits": BMI["limits"] * 2}, "rule.number.limits"),
        ({**BMI, "window": {**WINDOW, "length": "6"}}, "rule.number.window.length"),
        ({**BMI, "window": {**WINDOW, "form": "about"}}, "rule.number.window.form"),
        ({**BMI, "window": {**WINDOW, "upto": "9 months"}}, "rule.number.window"),
        ({**BMI, "window": {**WINDOW, "form": "between", "upto": "9 days"}}, "rule.number.window"),
        ({**BMI, "decides_from": "rumour"}, "rule.number.decides_from"),
        ({"op": "age", "ge": "18.5"}, "rule.age.ge"),
        ({"op": "age", "ge": "65", "le": "18"}, "rule.age"),
        ({"op": "age"}, "rule.age"),
        ({"op": "is", "key": "sex", "codes": []}, "rule.is.codes"),
        ({"op": "is", "key": "sex", "codes": ["male", "male"]}, "rule.is.codes"),
        ({"op": "attested", "key": "vaping", "value": 1}, "rule.attested.value"),
        ({"op": "attested", "key": "vaping", "value": "yes"}, "rule.attested.value"),
        ({**CODED, "codes": [{"code": "E11"}]}, "rule.coded.codes.0"),
        ({**CODED, "codes": [{"system": "icd-10-cm", "code": "E11", "name": "x"}]}, "rule.coded.codes.0"),
        ({**CODED, "codes": [{"system": "icd-10-cm", "code": "E 11"}]}, "rule.coded.codes.0"),
        ({**CODED, "status": "sometimes"}, "rule.coded.status"),
        ({**CODED, "for_at_least": "3 months"}, "rule.coded"),
        ({**CODED, "dating": "onset"}, "rule.coded"),
        ({"op": "at_least", "count": "0", "of": []}, "rule.at_least.count"),
        ({"op": "all", "of": [{"op": "not", "of": {"op": "wat"}}]}, "rule.all.of.0.not.of"),
        ({"op": "but_not", "of": CODED, "exempt": CODED}, "rule.but_not"),
        ({"op": "case", "branches": []}, "rule.case.branches"),
        ({"op": "site", "text": "a\x00b"}, "rule.site.text"),
        ({"op": "site", "text": "\ud800"}, "rule.site.text"),
        ({"op": "note"}, "rule.note.text"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(document: object, where: str) -> None:
    with pytest.raises(InvalidCriteria) as refused:
        read_rule(document)

    assert refused.value.where == where


def test_a_bottomless_rule_is_refused() -> None:
    document: dict[str, Any] = BMI
    for _ in range(5000):
        document = {"op": "not", "of": document}

    with pytest.raises(InvalidCriteria, match="levels deep"):
        read_rule(document)


def test_single_part_groups_fold_and_nothing_else_does() -> None:
    leaf = Attested(key="vaping")
    rule = AllOf(of=(AnyOf(of=(Not(of=AllOf(of=(leaf,))),)),))

    assert folded(rule) == Not(of=leaf)
    assert folded(AllOf(of=())) == AllOf(of=())


@given(rules)
def test_folding_is_done_once_and_for_all(rule: Node) -> None:
    once = folded(rule)

    assert folded(once) == once
    assert not [n for n in walk(once) if isinstance(n, AllOf | AnyOf) and len(parts(n)) == 1]
