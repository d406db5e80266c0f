"""Documents: read strictly, hashed by meaning, compared by lineage."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from screening.errors import InvalidCriteria
from screening.intervals import DateRange
from screening.language.checks import publishing_problems
from screening.language.notation import parse
from screening.language.protocol import Protocol, canonical_json, diff, read_protocol, write_protocol
from tests.screening.people import TERMS, VOCABULARY

DOCUMENT: dict[str, Any] = {
    "language": 1,
    "criteria": [
        {
            "id": "I1",
            "kind": "inclusion",
            "text": "Aged 18 to 75 years",
            "rule": {"op": "age", "ge": "18", "le": "75"},
            "x-page": 12,
        },
        {"id": "E1", "kind": "exclusion", "text": "Pregnant", "cohorts": ["A"], "parent": "I1"},
    ],
    "cohorts": [{"id": "A", "name": "Mild"}],
    "anchors": {"first_dose": {"earliest": "0 days", "latest": "28 days"}},
    "x-origin": {"registry": "NCT0"},
}


def changed(**members: Any) -> dict[str, Any]:  # noqa: ANN401 - plain JSON
    """Give the document with some members of its own."""
    return {**DOCUMENT, **members}


def criterion(**members: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - plain JSON
    """Give one criterion with some members of its own."""
    return [{"id": "I1", "kind": "inclusion", "text": "t", **members}]


class TestJson:
    def test_comes_back_as_it_went(self) -> None:
        protocol = read_protocol(DOCUMENT)

        written = json.loads(json.dumps(write_protocol(protocol)))

        assert read_protocol(written) == protocol
        assert written["x-origin"] == {"registry": "NCT0"}
        assert written["criteria"][0]["x-page"] == 12

    @pytest.mark.parametrize(
        ("document", "message"),
        [
            (None, "JSON object"),
            ({}, "language"),
            (changed(language=2), "language"),
            (changed(language="1"), "language"),
            (changed(language=True), "language"),
            (changed(origin=1), "Unknown member origin"),
            (changed(criteria={}), "criteria"),
            (changed(criteria=criterion(colour="red")), "Unknown member colour"),
            (changed(criteria=criterion(id="a b")), "id"),
            (changed(criteria=criterion() * 2), "twice"),
            (changed(criteria=criterion(parent="I0")), "parent"),
            (changed(criteria=criterion(cohorts=["B"])), "cohort"),
            (changed(criteria=[*criterion(), {**criterion()[0], "id": "I2", "lineage": "I1"}]), "lineage"),
            (changed(anchors={"today": DOCUMENT["anchors"]["first_dose"]}), "already"),
            (changed(cohorts=[{"id": "A", "name": "x"}] * 2, criteria=[]), "twice"),
        ],
    )
    def test_what_is_not_understood_is_refused(self, document: object, message: str) -> None:
        with pytest.raises(InvalidCriteria, match=message):
            read_protocol(document)

    def test_a_window_needs_a_declared_anchor(self) -> None:
        window = {"form": "within", "length": "1 week", "anchor": "second_dose"}
        rule = {"op": "when", "key": "last_vaccination", "window": window}

        with pytest.raises(InvalidCriteria, match="second_dose"):
            read_protocol(changed(criteria=criterion(rule=rule)))


class TestHash:
    def test_is_the_same_for_the_same_meaning(self) -> None:
        rule = DOCUMENT["criteria"][0]["rule"]
        wrapped = changed(criteria=criterion(rule={"op": "all", "of": [{"op": "any", "of": [rule]}]}))
        plain = changed(criteria=criterion(rule=rule))

        assert read_protocol(wrapped).digest == read_protocol(plain).digest
        assert read_protocol(wrapped) != read_protocol(plain)

    def test_changes_with_the_text_and_with_the_order(self) -> None:
        protocol = read_protocol(DOCUMENT)
        reordered = protocol.model_copy(update={"criteria": protocol.criteria[::-1]})
        reworded = read_protocol(changed(criteria=criterion(text="other")))

        assert len({protocol.digest, reordered.digest, reworded.digest}) == 3

    def test_the_canonical_form_is_sorted_and_has_no_spaces(self) -> None:
        assert canonical_json(Protocol()) == b'{"language":1}'
        assert b'"digest"' not in canonical_json(read_protocol(DOCUMENT))


class TestDifference:
    def test_is_told_by_lineage(self) -> None:
        old = parse("""language 1
            include a text "Adults" rule age >= 18 years
            include b text "Gone"
            exclude c text "Pregnant" rule pregnant is yes""")
        new = parse("""language 1
            exclude c2 lineage c text "Pregnant" rule all of (pregnant is yes)
            include a2 lineage a text "Adults" wording es "Adultos" rule age >= 21 years
            include d text "New" """)

        found = diff(old, new)

        assert [one.id for one in found.added] == ["d"]
        assert [one.id for one in found.removed] == ["b"]
        assert [(one.old.id, one.new.id, one.fields) for one in found.changed] == [
            ("a", "a2", ("wording", "rule"))
        ]
        assert [one.id for one in found.unchanged] == ["c2"]

    def test_of_a_document_to_itself_is_nothing(self) -> None:
        protocol = read_protocol(DOCUMENT)

        found = diff(protocol, protocol)

        assert (found.added, found.removed, found.changed) == ((), (), ())


class TestAnchors:
    def test_lie_in_a_range_after_the_day_of_screening(self) -> None:
        protocol = read_protocol(DOCUMENT)

        found = protocol.anchor_days(date(2026, 11, 22))

        assert found["today"] == DateRange.day(date(2026, 11, 22))
        assert found["first_dose"] == DateRange(date(2026, 11, 22), date(2026, 12, 20))


class TestPublishing:
    def test_names_what_stands_against_it(self) -> None:
        protocol = parse("""language 1
            include a text "a" rule bim >= 27 kg/m2
            include b text "b" rule all of ()
            include c text "c" rule at least 3 of (vaping is yes; pregnant is yes)
            include d text "d" unless vaping is maybe
            include e text "e" rule condition in (11E)
            include f text "f" rule vaping is yes""")

        found = publishing_problems(protocol, vocabulary=VOCABULARY, terms=TERMS)

        told = [(problem.criterion, problem.blocking, problem.suggestion) for problem in found]
        assert told == [
            ("a", True, "bmi"),
            ("b", True, None),
            ("c", True, None),
            ("d", False, None),
            ("d", True, None),
            ("e", True, None),
        ]

    def test_nothing_to_judge_by_is_a_problem(self) -> None:
        found = publishing_problems(Protocol(), vocabulary=VOCABULARY, terms=TERMS)

        assert [problem.message for problem in found] == ["The protocol has no criteria."]
