"""Protocols in USDM that are refused, by the path of what is wrong."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recruit.interop import usdm
from recruit.interop.registry import (
    InvalidRecord,
    StudyRecord,
)
from tests.recruit.interop.protocols import (
    YEAR,
    criterion,
    item,
    make_protocol,
    read,
    years,
)

DESIGN = "study.versions[0].studyDesigns[0]"
VERSION = "study.versions[0]"
AGES = f"{DESIGN}.population.plannedAge"
REFUSED: list[tuple[dict[str, object], str]] = [
    ({"studyDesigns": []}, f"{VERSION}.studyDesigns"),
    ({"studyIdentifiers": []}, f"{VERSION}.studyIdentifiers"),
    ({"studyIdentifiers": [{"text": "A", "scopeId": "O9"}]}, f"{VERSION}.studyIdentifiers[0].scopeId"),
    ({"studyIdentifiers": [{"text": "12", "scopeId": "O2"}]}, f"{VERSION}.studyIdentifiers[0].text"),
    ({"titles": 7}, f"{VERSION}.titles"),
    ({"eligibilityCriterionItems": []}, f"{DESIGN}.eligibilityCriteria[0].criterionItemId"),
    ({"eligibilityCriteria": {}}, f"{DESIGN}.eligibilityCriteria"),
    ({"eligibilityCriteria": [criterion(1, {"decode": "Maybe"})]}, f"{DESIGN}.eligibilityCriteria[0].category"),
    ({"eligibilityCriteria": [None]}, f"{DESIGN}.eligibilityCriteria[0]"),
    ({"criterionIds": ["C9"], "cohorts": []}, ""),
    ({"plannedSex": [{"decode": "Other"}]}, f"{DESIGN}.population.plannedSex[0].decode"),
    ({"plannedAge": {"minValue": years("x")}}, f"{DESIGN}.population.plannedAge.minValue.value"),
    ({"plannedAge": {"minValue": years(18, None)}}, f"{AGES}.minValue.unit.standardCode.decode"),
    ({"plannedAge": {"minValue": years(200)}}, f"{AGES}.minValue.value"),
    (
        {"plannedAge": {"minValue": years(70), "maxValue": {"value": 18, "unit": YEAR}}},
        f"{DESIGN}.population.plannedAge.maxValue",
    ),
    ({"plannedEnrollmentNumber": {"value": 1.5}}, f"{DESIGN}.population.plannedEnrollmentNumber.value"),
    ({"amendments": [{"number": "1", "dateValues": [{"dateValue": "soon"}]}]},
     f"{VERSION}.amendments[0].dateValues[0].dateValue"),
]  # fmt: skip
TEXTS: list[tuple[str, str]] = [
    ("", "This field is missing or empty."),
    ("<p> </p>", "no words"),
    ("a\x00b", "NUL"),
    ('<usdm:tag name="max"/>', "stands in no dictionary"),
    ('<usdm:ref klass="Quantity" id="Q9" attribute="value"/>', "to refer to"),
    ('<usdm:ref klass="Quantity" id="Q1" attribute="nothing"/>', "to show"),
    ('<usdm:ref klass="Item" id="LOOP" attribute="text"/>', "without an end"),
    ("<ul><li>" * 20 + "deep", "nested deeper"),
    ("x" * 300_001, "longer than"),
    ("<ul>" + "<li>x" * 5_001, "more than"),
]


class TestRefusals:
    @pytest.mark.parametrize(("changes", "field"), [case for case in REFUSED if case[1]])
    def test_names_the_field(self, changes: dict[str, object], field: str) -> None:
        with pytest.raises(InvalidRecord) as refusal:
            read(**changes)

        assert refusal.value.field == field
        assert refusal.value.message.endswith(".")
        assert refusal.value.message.isprintable()

    @pytest.mark.parametrize(("text", "message"), TEXTS)
    def test_names_the_text_that_cannot_be_kept(self, text: str, message: str) -> None:
        loop = {
            "id": "LOOP",
            "instanceType": "Item",
            "text": '<usdm:ref klass="Item" id="LOOP" attribute="text"/>',
        }
        items = [item(1, text, dictionaryId="D"), item(2, "Two"), item(3, "Three")]

        with pytest.raises(InvalidRecord) as refusal:
            read(eligibilityCriterionItems=items, notes=[loop])

        assert refusal.value.field == "study.versions[0].eligibilityCriterionItems[0].text"
        assert message in refusal.value.message

    @pytest.mark.parametrize("said", [None, "3.6.0", 4, ""])
    def test_reads_no_other_version_of_the_model(self, said: object) -> None:
        document = make_protocol() | {"usdmVersion": said}

        with pytest.raises(InvalidRecord) as refusal:
            usdm.read(document)

        assert refusal.value.field == "usdmVersion"

    def test_takes_a_moment_over_hostile_markup(self) -> None:
        began = time.perf_counter()

        for hostile in ("<a ", "<!--", "</", "&#", "<sup>1", '<a x="', "<p", "<td>"):
            read(
                eligibilityCriterionItems=[
                    item(1, "x" + hostile * (290_000 // len(hostile))),
                    item(2, "b"),
                    item(3, "c"),
                ]
            )

        assert time.perf_counter() - began < 20

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
            max_leaves=5,
        ),
        st.lists(st.integers(min_value=0), min_size=1, max_size=8),
    )
    def test_answers_anything_in_any_place_with_a_record_or_a_refusal(
        self, value: object, way: list[int]
    ) -> None:
        document = make_protocol()
        place: object = document
        for step in way[:-1]:
            inner = [one for one in _inside(place) if isinstance(one, dict | list) and one]
            place = inner[step % len(inner)] if inner else place
        _put(place, way[-1], value)

        try:
            record: object = usdm.read(document)
        except InvalidRecord as refusal:
            record = refusal

        assert isinstance(record, StudyRecord | InvalidRecord)


def _inside(place: object) -> list[object]:
    return list(place.values()) if isinstance(place, dict) else place if isinstance(place, list) else []


def _put(place: object, step: int, value: object) -> None:
    if isinstance(place, dict):
        place[list(place)[step % len(place)]] = value
    elif isinstance(place, list):
        place[step % len(place)] = value
