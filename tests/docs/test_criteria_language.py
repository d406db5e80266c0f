"""Every example on the page about the language of criteria is read as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from screening.language.notation import parse, parse_rule, write, write_rule
from screening.terms import PrefixTerms
from screening.vocabulary import packaged_vocabulary

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "criteria-language.md").read_text("utf-8")
RULES = [
    cell.replace("\\|", "|") for cell in re.findall(r"^\| `(.+?)` \| ", PAGE, re.MULTILINE) if cell != "a rule"
]
[DOCUMENT] = re.findall(r"```protocol\n(.*?)```", PAGE, re.DOTALL)
VOCABULARY, TERMS = packaged_vocabulary(), PrefixTerms()


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_can_be_read(rule: str) -> None:
    read = parse_rule(rule, vocabulary=VOCABULARY, terms=TERMS)

    assert parse_rule(write_rule(read)) == read


def test_the_document_can_be_read() -> None:
    protocol = parse(DOCUMENT, vocabulary=VOCABULARY, terms=TERMS)

    assert [criterion.id for criterion in protocol.criteria] == ["i1", "i2", "e1"]
    assert parse(write(protocol)) == protocol


def test_every_form_of_the_grammar_stands_there() -> None:
    assert len(RULES) > 25
