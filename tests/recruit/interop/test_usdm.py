"""Protocols in USDM: what is read of them, and in which order."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest

from recruit.interop import usdm
from recruit.interop.eligibility import CODES_MEMBER, drafts
from recruit.interop.registry import (
    IdentifierType,
    InvalidRecord,
    Phase,
    RegistryIdentifier,
    RegistrySex,
    restored,
    stored,
)
from screening.language.criteria import Age, Is
from screening.language.protocol import read_protocol
from screening.structure.headings import TextKind
from tests.recruit.interop.protocols import (
    EXCLUSION,
    criterion,
    item,
    make_protocol,
    read,
    tops,
    years,
)


class TestRead:
    def test_reads_what_identifies_a_study_and_who_gave_the_numbers(self) -> None:
        record = read()

        assert (record.nct_id, record.org_study_id) == ("NCT01234567", RegistryIdentifier("ABC-1"))
        assert record.secondary_ids == (
            RegistryIdentifier("2020-000001-10", IdentifierType.EUDRACT_NUMBER),
            RegistryIdentifier("jRCT1", None, "Japan Registry"),
        )
        assert record.sponsor is not None
        assert (record.brief_title, record.sponsor.name) == ("A study of asthma", "Example Pharma")
        assert record.phases == (Phase.PHASE2, Phase.PHASE3)
        assert (record.protocol_version, [str(one) for one in record.amendments]) == (
            "2",
            ["1, 2024-05-02, Ages"],
        )

    def test_fills_parameters_in_and_nests_lists(self) -> None:
        record = read()

        assert [(one.text, one.kind, one.parent) for one in record.criteria] == [
            ("At least 18 years", TextKind.INCLUSION, None),
            ("Adults with asthma", TextKind.INCLUSION, None),
            ("Any of the following:", TextKind.EXCLUSION, None),
            ("Stroke", TextKind.EXCLUSION, 2),
            ("Epilepsy", TextKind.EXCLUSION, 2),
        ]
        assert record.criteria[4].marker == "b."

    def test_drafts_ages_and_sex_as_rules_and_the_rest_as_text(self) -> None:
        protocol = drafts(read())

        rules = {one.id: one.rule for one in protocol.criteria if one.rule is not None}
        assert rules["age"] == Age(ge=18, le=65)
        assert rules["sex"] == Is(key="sex", codes=("female",))
        assert protocol.criteria[0].text == "Age at least 18 Years and at most 65 Years (protocol)"
        assert protocol.extensions == {
            "x-indications": [{"system": "ICD-10-CM", "code": "J45", "words": "Asthma"}]
        }
        assert read_protocol(json.loads(json.dumps(protocol.model_dump(mode="json", exclude_defaults=True))
                                        ) | {"language": 1}).criteria  # fmt: skip

    def test_keeps_codes_beside_a_criterion(self) -> None:
        note = {"codes": [{"codeSystem": "SNOMED", "code": "195967001"}]}
        record = read(eligibilityCriteria=[criterion(1), criterion(2, notes=[note]), criterion(3, EXCLUSION)])

        protocol = drafts(record)

        kept = {one.text: one.extensions.get(CODES_MEMBER) for one in protocol.criteria}
        assert kept["Adults with asthma"] == [{"system": "SNOMED", "code": "195967001"}]
        assert kept["At least 18 years"] is None

    def test_gives_a_cohort_its_own_criteria(self) -> None:
        cohort = {
            "id": "K1",
            "name": "Naive",
            "label": "Never treated",
            "criterionIds": ["C3"],
            "plannedSex": [{"code": "C20197", "decode": "Male"}],
            "characteristics": [{"name": "CH", "text": "<p>No earlier treatment</p>"}],
        }
        record = read(cohorts=[], criterionIds=["C1", "C2"])
        document = make_protocol(criterionIds=["C1", "C2"])
        version = document["study"]["versions"][0]  # type: ignore[index]
        version["studyDesigns"][0]["population"]["cohorts"] = [cohort]

        protocol = drafts(usdm.read(document))

        assert record.cohorts == ()
        assert [(one.id, one.name) for one in protocol.cohorts] == [("Naive", "Never treated")]
        own = {one.text for one in protocol.criteria if one.cohorts == ("Naive",)}
        assert own >= {"Sex male (protocol)", "No earlier treatment"}
        assert "At least 18 years" not in own
        assert any("Stroke" in text or "following" in text for text in own)

    def test_makes_several_designs_cohorts(self) -> None:
        document = make_protocol()
        version = document["study"]["versions"][0]  # type: ignore[index]
        other = deepcopy(version["studyDesigns"][0])
        other |= {"name": "Other", "eligibilityCriteria": [criterion(4)]}
        other["population"] |= {"criterionIds": ["C4"], "plannedSex": []}
        version["studyDesigns"].append(other)
        version["eligibilityCriterionItems"].append(item(4, "Only here"))

        protocol = drafts(usdm.read(document))

        by_text = {one.text: one.cohorts for one in protocol.criteria}
        assert by_text["Only here"] == ("Other",)
        assert by_text["At least 18 years"] == ("Design",)
        assert [one.rule for one in protocol.criteria if one.id == "Other.age"] == [Age(ge=18, le=65)]
        assert not any(one.id == "Other.sex" for one in protocol.criteria)

    def test_takes_the_newest_version(self) -> None:
        document = make_protocol(dateValues=[{"dateValue": "2025-01-01"}])
        versions = document["study"]["versions"]  # type: ignore[index]
        older = make_protocol(dateValues=[{"dateValue": "2024-01-01"}], versionIdentifier="1")
        versions.extend(older["study"]["versions"])  # type: ignore[index]

        record = usdm.read(document)

        assert record.protocol_version == "2"

    def test_takes_an_approximate_age_for_text(self) -> None:
        age = {"isApproximate": True, "minValue": years(18)}

        protocol = drafts(read(plannedAge=age))

        assert (protocol.criteria[0].text, protocol.criteria[0].rule) == (
            "Age at least about 18 Years (protocol)",
            None,
        )

    def test_takes_both_sexes_for_all(self) -> None:
        sexes = [{"code": "C16576"}, {"code": "C20197"}]

        record = read(plannedSex=sexes)

        assert record.sex is RegistrySex.ALL

    def test_loses_no_item_that_no_criterion_names(self) -> None:
        items = [item(1, "One"), item(2, "Two"), item(3, "Three"), item(9, "Nine")]

        record = read(eligibilityCriterionItems=items)

        assert tops(record) == ["One", "Two", "Three", "Nine"]
        assert record.criteria[-1].section == (usdm.NAMED_BY_NONE,)

    def test_survives_storing(self) -> None:
        record = read()

        again = restored(json.loads(json.dumps(stored(record))))

        assert again == record


class TestOrder:
    ITEMS = (item(1, "One"), item(2, "Two"), item(3, "Three"))

    @pytest.mark.parametrize(
        ("criteria", "order"),
        [
            ([criterion(3), criterion(1, nextId="C2"), criterion(2, nextId="C3")], ["One", "Two", "Three"]),
            ([criterion(3, previousId="C2"), criterion(2, previousId="C1"), criterion(1)],
             ["One", "Two", "Three"]),
            ([criterion(2, identifier="10"), criterion(1, identifier="9b"), criterion(3, identifier="9a")],
             ["Three", "One", "Two"]),
            ([criterion(2, EXCLUSION, identifier="1"), criterion(3, identifier="2"),
              criterion(1, identifier="1")], ["One", "Three", "Two"]),
            ([criterion(2, identifier="x"), criterion(1, identifier="x"), criterion(3, identifier="")],
             ["Two", "One", "Three"]),
        ],
    )  # fmt: skip
    def test_follows_links_then_identifiers_then_the_file(
        self, criteria: list[object], order: list[str]
    ) -> None:
        record = read(eligibilityCriteria=criteria, eligibilityCriterionItems=list(self.ITEMS))

        assert tops(record) == order

    @pytest.mark.parametrize(
        ("criteria", "field"),
        [
            ([criterion(1, nextId="C2"), criterion(2, nextId="C1"), criterion(3)], "[0].nextId"),
            ([criterion(1, nextId="C1"), criterion(2), criterion(3)], "[0].nextId"),
            ([criterion(1, nextId="C9"), criterion(2), criterion(3)], "[0].nextId"),
            ([criterion(1, nextId="C3"), criterion(2, nextId="C3"), criterion(3)], "[1].nextId"),
            ([criterion(1, previousId=7), criterion(2), criterion(3)], "[0].previousId"),
            ([criterion(1), criterion(1), criterion(2)], "[1].id"),
        ],
    )
    def test_refuses_an_order_that_cannot_be_followed(self, criteria: list[object], field: str) -> None:
        with pytest.raises(InvalidRecord) as refusal:
            read(eligibilityCriteria=criteria)

        assert refusal.value.field == f"study.versions[0].studyDesigns[0].eligibilityCriteria{field}"
