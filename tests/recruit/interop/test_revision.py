"""Two records of one study, compared."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recruit.interop import ctgov
from recruit.interop.lineage import lineage
from recruit.interop.registry import Amendment, Origin, RecordCode, RecordCohort
from recruit.interop.revision import Change, Difference, differences, places
from screening.structure.splitting import split
from tests.real_data import DATA, needs
from tests.recruit.interop.records import ABSENT, make_record, make_record_of

OLD = """Inclusion Criteria:

1. Age 18 years or older
2. Diagnosis of moderate asthma for at least one year
3. At least one of the following:

   1. Regular use of an inhaler
   2. Two exacerbations in the last year
4. Signed consent

Exclusion Criteria:

1. Pregnancy or breast feeding
2. Stroke in the last six months
"""


def compared(old: str, new: str) -> list[Difference]:
    found = differences(make_record_of(old), make_record_of(new))
    return [one for one in found if one.field.startswith("criteria")]


class TestCriteria:
    def test_tells_an_edit_from_an_addition_beside_a_removal(self) -> None:
        new = OLD.replace("Age 18 years or older", "Age 21 years or older")

        found = compared(OLD, new)

        assert found == [
            Difference(
                "criteria", Change.EDITED, "Age 18 years or older", "Age 21 years or older", "inclusion 1"
            )
        ]

    def test_does_not_call_it_a_move_when_another_came_in_before(self) -> None:
        new = OLD.replace("1. Age 18", "1. Body weight over 40 kg\n2. Age 18")

        found = compared(OLD, new)

        assert found == [Difference("criteria", Change.ADDED, None, "Body weight over 40 kg", "inclusion 1")]

    def test_names_a_removal_by_its_old_place(self) -> None:
        new = OLD.replace("   2. Two exacerbations in the last year\n", "")

        found = compared(OLD, new)

        assert found == [
            Difference("criteria", Change.REMOVED, "Two exacerbations in the last year", None, "inclusion 3.2")
        ]

    def test_finds_the_one_that_moved_among_those_that_stayed(self) -> None:
        new = OLD.replace("4. Signed consent\n", "").replace("1. Age 18", "1. Signed consent\n2. Age 18")

        found = compared(OLD, new)

        assert found == [Difference("criteria", Change.MOVED, "inclusion 4", "inclusion 1", "Signed consent")]

    def test_finds_one_that_changed_sides(self) -> None:
        new = OLD.replace("4. Signed consent\n", "") + "3. Signed consent\n"

        found = compared(OLD, new)

        assert found == [Difference("criteria", Change.MOVED, "inclusion 4", "exclusion 3", "Signed consent")]

    def test_lets_children_go_along_with_their_parent(self) -> None:
        group = OLD[OLD.index("3. At least") : OLD.index("4. Signed")]
        new = OLD.replace(group, "").replace("1. Age 18", f"{group}4. Age 18")

        found = compared(OLD, new)

        assert found == [
            Difference("criteria", Change.MOVED, "inclusion 3", "inclusion 1", "At least one of the following:")
        ]

    def test_tells_a_renamed_heading_once(self) -> None:
        new = OLD.replace("Exclusion Criteria:", "Key Exclusion Criteria:")

        found = compared(OLD, new)

        assert found == [
            Difference("criteria.section", Change.EDITED, "Exclusion Criteria:", "Key Exclusion Criteria:")
        ]

    def test_names_places_by_counting(self) -> None:
        criteria = split(OLD)

        named = places(criteria)

        assert named == (
            *("inclusion 1", "inclusion 2", "inclusion 3", "inclusion 3.1", "inclusion 3.2", "inclusion 4"),
            *("exclusion 1", "exclusion 2"),
        )


class TestLineage:
    def test_keeps_duplicates_apart_by_their_parents(self) -> None:
        old = split("* A first group of demands:\n  * yes\n  * no\n* A second group of demands:\n  * yes")
        new = split("* A second group of demands:\n  * yes\n* A first group of demands:\n  * yes\n  * no")

        continued = lineage(old, new)

        assert continued == (3, 4, 0, 1, 2)

    def test_does_not_take_other_words_for_an_edit(self) -> None:
        old = split("* Pregnancy or breast feeding")
        new = split("* Allergy to penicillin")

        continued = lineage(old, new)

        assert continued == (None,)

    def test_asks_for_more_likeness_across_sides(self) -> None:
        old = split("Inclusion Criteria:\n\n* Asthma for at least one year")
        new = split("Exclusion Criteria:\n\n* Asthma for at most ten years")

        continued = lineage(old, new)

        assert continued == (None,)

    def test_does_not_compare_without_end(self) -> None:
        old = split("\n".join(f"* demand {number} a" for number in range(2_000)))
        new = split("\n".join(f"* demand {number} b" for number in range(2_000)) + "\n* demand 7 a")

        continued = lineage(old, new)

        assert set(continued) == {None, 7}

    @given(st.permutations(range(8)), st.sets(st.integers(0, 7)))
    def test_finds_every_criterion_that_kept_its_words(self, order: list[int], dropped: set[int]) -> None:
        words = ["asthma", "stroke", "consent", "pregnancy", "smoking", "cancer", "weight", "surgery"]
        left = [at for at in order if at not in dropped]
        old = split("\n".join(f"* {word}" for word in words))
        new = split("\n".join(f"* {words[at]}" for at in left))

        continued = lineage(old, new)

        assert list(continued) == left


class TestFields:
    @pytest.mark.parametrize(
        ("path", "value", "expected"),
        [
            (
                "statusModule.overallStatus",
                "SUSPENDED",
                Difference("status", Change.EDITED, "RECRUITING", "SUSPENDED"),
            ),
            (
                "statusModule.whyStopped",
                "No money",
                Difference("why_stopped", Change.ADDED, None, "No money"),
            ),
            (
                "eligibilityModule.maximumAge",
                ABSENT,
                Difference("maximum_age", Change.REMOVED, "75 Years", None),
            ),
            (
                "eligibilityModule.healthyVolunteers",
                True,
                Difference("healthy_volunteers", Change.EDITED, "no", "yes"),
            ),
            (
                "designModule.enrollmentInfo",
                {"count": 90, "type": "ACTUAL"},
                Difference("enrolment", Change.EDITED, "120 (estimated)", "90 (actual)"),
            ),
            (
                "statusModule.completionDateStruct",
                {"date": "2028-02", "type": "ESTIMATED"},
                Difference("dates.completion", Change.EDITED, "2027 (estimated)", "2028-02 (estimated)"),
            ),
            (
                "sponsorCollaboratorsModule.leadSponsor",
                {"name": "Other Pharma", "class": "INDUSTRY"},
                Difference("sponsor", Change.EDITED, "Example Pharma (INDUSTRY)", "Other Pharma (INDUSTRY)"),
            ),
            (
                "identificationModule.secondaryIdInfos",
                [],
                Difference("secondary_ids", Change.REMOVED, "2020-000001-10 (EUDRACT_NUMBER)"),
            ),
            (
                "conditionsModule.conditions",
                ["Asthma", "COPD"],
                Difference("conditions", Change.ADDED, None, "COPD"),
            ),
        ],
    )
    def test_tells_a_changed_field(self, path: str, value: object, expected: Difference) -> None:
        old, new = make_record(), make_record({path: value})

        found = differences(old, new)

        assert found == (expected,)

    def test_tells_places_that_came_went_and_changed(self) -> None:
        here = {"facility": "Here", "city": "Boston", "status": "RECRUITING"}
        there = {"facility": "There", "city": "Denver"}
        path = "contactsLocationsModule.locations"
        old = make_record({path: [here, {"facility": "Gone", "city": "Reno"}]})
        new = make_record({path: [there, here | {"status": "WITHDRAWN"}]})

        found = differences(old, new)

        assert found == (
            Difference("locations", Change.ADDED, None, "There, Denver"),
            Difference("locations.status", Change.EDITED, "RECRUITING", "WITHDRAWN", "Here, Boston"),
            Difference("locations", Change.REMOVED, "Gone, Reno"),
        )

    def test_compares_every_field_of_a_record(self) -> None:
        old = make_record()
        code = RecordCode("ICD-10-CM", "J45")
        new = replace(
            ctgov.read(OTHER),
            origin=Origin.PROTOCOL,
            protocol_version="2",
            amendments=(Amendment("1"),),
            codes=(code,),
            criterion_codes=((0, code),),
            cohorts=(RecordCohort("a", "A"),),
        )
        shown = {one.field.partition(".")[0] for one in differences(old, new)}

        fields = set(type(old).__dataclass_fields__) - {"criteria_text"}

        assert fields - shown == set()


OTHER: dict[str, object] = {
    "protocolSection": {
        "identificationModule": {
            "nctId": "NCT07654321",
            "briefTitle": "Another",
            "nctIdAliases": ["NCT00000001"],
        },
        "statusModule": {"overallStatus": "UNKNOWN", "lastKnownStatus": "RECRUITING", "whyStopped": "x"},
        "descriptionModule": {"detailedDescription": "x"},
        "eligibilityModule": {"genderBased": True, "genderDescription": "x", "studyPopulation": "x"},
    }
}


@needs("ctgov")
class TestRealRecords:
    def test_finds_no_difference_between_a_record_and_itself(self) -> None:
        files = sorted((DATA / "ctgov" / "studies").glob("NCT*.json"))
        records = [ctgov.read(json.loads(file.read_text("utf-8"))) for file in files]

        found = [differences(record, record) for record in records]

        assert set(found) == {()}
