"""The published schema of a protocol document accepts what we write and refuses what we refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from screening.errors import InvalidCriteria
from screening.language.documentschema import protocol_schema
from screening.language.protocol import Protocol, read_protocol, write_protocol
from tests.screening.test_notation import protocols

VALIDATOR = Draft202012Validator(protocol_schema())


def document(rule: object, **more: object) -> dict[str, Any]:
    criterion = {"id": "c1", "kind": "inclusion", "text": "t", "rule": rule, **more}
    return {"language": 1, "criteria": [criterion]}


def test_is_a_schema() -> None:
    Draft202012Validator.check_schema(protocol_schema())


@given(protocols)
def test_accepts_every_document_that_is_written(protocol: Protocol) -> None:
    written = json.loads(json.dumps(write_protocol(protocol)))

    assert [error.message for error in VALIDATOR.iter_errors(written)] == []


@pytest.mark.parametrize(
    "broken",
    [
        {"criteria": []},
        {"language": 2, "criteria": []},
        {"language": 1, "criteria": [], "notes": "unknown member"},
        document({"op": "guess", "key": "bmi"}),
        document({"key": "bmi"}),
        document({"op": "attested", "key": "pregnant", "maybe": True}),
        document({"op": "number", "key": "bmi", "limits": [{"unit": "kg/m2", "ge": 25}]}),
        document({"op": "number", "key": "bmi", "limits": [{"unit": "kg/m2", "ge": "25,0"}]}),
        document({"op": "number", "key": "bmi", "limits": []}),
        document({"op": "age", "ge": "-1"}),
        document({"op": "coded", "about": "condition", "codes": [{"system": "icd-10-cm"}]}),
        document({"op": "coded", "about": "planet", "codes": [{"system": "icd-10-cm", "code": "E11"}]}),
        document({"op": "all", "of": {"op": "note", "text": "t"}}),
        document({"op": "when", "key": "birth", "window": {"form": "within", "length": "some months"}}),
        document({"op": "note", "text": "t"}, mood="good"),
        document({"op": "note", "text": "t"}, kind="maybe"),
    ],
)
def test_refuses_what_the_engine_refuses(broken: dict[str, Any]) -> None:
    with pytest.raises(InvalidCriteria):
        read_protocol(broken)

    assert not VALIDATOR.is_valid(broken)


def test_keeps_members_that_begin_with_x() -> None:
    extended = document({"op": "note", "text": "t"}, **{"x-source": {"page": 3}})

    assert VALIDATOR.is_valid(extended)
    assert read_protocol(extended).criteria[0].extensions == {"x-source": {"page": 3}}
