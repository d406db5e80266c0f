"""Registry records, well-formed and hostile."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recruit.interop import ctgov
from recruit.interop.registry import (
    Certainty,
    IdentifierType,
    InvalidRecord,
    Organisation,
    OrganisationClass,
    PartialDate,
    Phase,
    Precision,
    RegistryDate,
    RegistryIdentifier,
    RegistryLocation,
    RegistryStatus,
    StudyRecord,
    restored,
    stored,
)
from screening.intervals import CalendarUnit, Duration
from tests.real_data import DATA, needs
from tests.recruit.interop.records import ABSENT, RECORD, make_document, make_record


class TestRead:
    def test_reads_what_identifies_a_study(self) -> None:
        document = make_document({"identificationModule.nctIdAliases": ["NCT00000001"]})

        record = ctgov.read(document)

        assert record.nct_id == "NCT01234567"
        assert record.nct_aliases == ("NCT00000001",)
        assert record.org_study_id == RegistryIdentifier("ABC-1")
        assert record.secondary_ids == (RegistryIdentifier("2020-000001-10", IdentifierType.EUDRACT_NUMBER),)
        assert (record.brief_title, record.acronym) == ("A study of asthma", "BREATHE")
        assert record.sponsor == Organisation("Example Pharma", OrganisationClass.INDUSTRY)
        assert record.collaborators == (Organisation("Example University", OrganisationClass.OTHER),)

    def test_keeps_a_date_as_exact_as_it_is(self) -> None:
        document = make_document()

        dates = ctgov.read(document).dates

        assert dates.verified == PartialDate(2025, 3)
        assert dates.start == RegistryDate(PartialDate(2025, 1, 15), Certainty.ACTUAL)
        assert dates.completion == RegistryDate(PartialDate(2027), Certainty.ESTIMATED)
        assert [str(PartialDate(2025, 3)), PartialDate(2025, 3).precision] == ["2025-03", Precision.MONTH]
        assert dates.first_posted is None

    def test_reads_design_and_places(self) -> None:
        document = make_document()

        record = ctgov.read(document)

        assert record.phases == (Phase.PHASE2, Phase.PHASE3)
        assert record.enrolment is not None
        assert (record.enrolment.count, record.enrolment.certainty) == (120, Certainty.ESTIMATED)
        assert record.locations == (
            RegistryLocation(
                facility="Example Clinic",
                status=RegistryStatus.RECRUITING,
                city="Boston",
                state="Massachusetts",
                postcode="02115",
                country="United States",
                latitude=42.35,
                longitude=-71.06,
            ),
        )

    @pytest.mark.parametrize(
        ("written", "duration"),
        [
            ("18 Years", Duration(18, CalendarUnit.YEARS)),
            ("1 Year", Duration(1, CalendarUnit.YEARS)),
            ("6 Months", Duration(6, CalendarUnit.MONTHS)),
            ("2 Weeks", Duration(2, CalendarUnit.WEEKS)),
            ("1 Day", Duration(1, CalendarUnit.DAYS)),
            ("48 Hours", Duration(2, CalendarUnit.DAYS)),
            ("36 Hours", None),
            ("30 Minutes", None),
        ],
    )
    def test_reads_ages_as_calendar_durations(self, written: str, duration: Duration | None) -> None:
        document = make_document({"eligibilityModule.minimumAge": written})

        age = ctgov.read(document).minimum_age

        assert age is not None
        assert (age.text, age.duration) == (written, duration)

    @pytest.mark.parametrize(("written", "meant"), [(True, True), (False, False), (ABSENT, None), (None, None)])
    def test_does_not_take_silence_for_no(self, written: object, meant: bool | None) -> None:
        document = make_document({"eligibilityModule.healthyVolunteers": written})

        record = ctgov.read(document)

        assert record.healthy_volunteers is meant

    def test_reads_a_record_of_three_fields(self) -> None:
        document = {
            "protocolSection": {
                "identificationModule": {"nctId": "NCT01234567", "briefTitle": "A study"},
                "statusModule": {"overallStatus": "UNKNOWN"},
            }
        }

        record = ctgov.read(document)

        assert record == StudyRecord(nct_id="NCT01234567", brief_title="A study", status=RegistryStatus.UNKNOWN)

    def test_brings_in_nobody(self) -> None:
        document = make_document(
            {"sponsorCollaboratorsModule.responsibleParty": {"investigatorFullName": "Dee Example"}}
        )

        record = ctgov.read(document)
        kept = json.dumps(stored(record))

        assert record.lists_contacts
        for trace in ("Ana", "Ben", "Cy ", "Dee", "555-0100", "example.org"):
            assert trace not in kept

    def test_tells_when_nobody_is_listed(self) -> None:
        document = make_document({"contactsLocationsModule": {"locations": [{"city": "Boston"}]}})

        record = ctgov.read(document)

        assert not record.lists_contacts

    def test_ignores_fields_it_does_not_know(self) -> None:
        document = make_document({"designModule.quantum": {"deep": [1, 2]}, "newModule": {"nan": float("nan")}})

        record = ctgov.read(document)

        assert record == make_record()

    def test_survives_storing(self) -> None:
        record = make_record({"eligibilityModule.minimumAge": "36 Hours"})

        again = restored(json.loads(json.dumps(stored(record))))

        assert again == record

    def test_refuses_a_stored_record_of_another_shape(self) -> None:
        document = stored(make_record()) | {"status": "BUSY"}

        with pytest.raises(InvalidRecord) as refusal:
            restored(document)

        assert refusal.value.field == "status"


LONE = "\ud800"
REFUSED: list[tuple[str, object, str]] = [
    ("identificationModule", ABSENT, "identificationModule.nctId"),
    ("identificationModule", [], "identificationModule"),
    ("identificationModule.nctId", ABSENT, "identificationModule.nctId"),
    ("identificationModule.nctId", "", "identificationModule.nctId"),
    ("identificationModule.nctId", "NCT1", "identificationModule.nctId"),
    ("identificationModule.nctId", "NCT01234567\n", "identificationModule.nctId"),
    (
        "identificationModule.nctId",
        "NCT\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667",
        "identificationModule.nctId",
    ),
    ("identificationModule.nctId", 1234567, "identificationModule.nctId"),
    ("identificationModule.nctIdAliases", [7], "identificationModule.nctIdAliases[0]"),
    ("identificationModule.briefTitle", " ", "identificationModule.briefTitle"),
    ("identificationModule.briefTitle", "a\x00b", "identificationModule.briefTitle"),
    ("identificationModule.briefTitle", f"a{LONE}", "identificationModule.briefTitle"),
    ("identificationModule.briefTitle", "a" * 2_001, "identificationModule.briefTitle"),
    ("identificationModule.secondaryIdInfos", {}, "identificationModule.secondaryIdInfos"),
    ("identificationModule.secondaryIdInfos", [None], "identificationModule.secondaryIdInfos[0]"),
    ("identificationModule.secondaryIdInfos", [{"id": ""}], "identificationModule.secondaryIdInfos[0].id"),
    ("identificationModule.secondaryIdInfos", [[]], "identificationModule.secondaryIdInfos[0]"),
    ("statusModule.overallStatus", ABSENT, "statusModule.overallStatus"),
    ("statusModule.overallStatus", "BUSY", "statusModule.overallStatus"),
    ("statusModule.overallStatus", ["RECRUITING"], "statusModule.overallStatus"),
    ("statusModule.lastKnownStatus", "recruiting", "statusModule.lastKnownStatus"),
    ("statusModule.startDateStruct", "2025-01-01", "statusModule.startDateStruct"),
    ("statusModule.startDateStruct", {"date": "9999-13-99"}, "statusModule.startDateStruct.date"),
    ("statusModule.startDateStruct", {"date": "2025-02-30"}, "statusModule.startDateStruct.date"),
    ("statusModule.startDateStruct", {"date": "2025-00"}, "statusModule.startDateStruct.date"),
    ("statusModule.startDateStruct", {"date": "0000"}, "statusModule.startDateStruct.date"),
    ("statusModule.startDateStruct", {"date": "2025-1-1"}, "statusModule.startDateStruct.date"),
    ("statusModule.startDateStruct", {"date": 2025}, "statusModule.startDateStruct.date"),
    ("statusModule.startDateStruct", {"date": "2025", "type": "MAYBE"}, "statusModule.startDateStruct.type"),
    ("statusModule.statusVerifiedDate", "March 2025", "statusModule.statusVerifiedDate"),
    ("sponsorCollaboratorsModule.leadSponsor", ["x"], "sponsorCollaboratorsModule.leadSponsor"),
    ("sponsorCollaboratorsModule.collaborators", [{}], "sponsorCollaboratorsModule.collaborators[0].name"),
    ("conditionsModule.conditions", "Asthma", "conditionsModule.conditions"),
    ("conditionsModule.conditions", [{}], "conditionsModule.conditions[0]"),
    ("conditionsModule.keywords", ["x"] * 20_001, "conditionsModule.keywords"),
    ("designModule.phases", ["PHASE9"], "designModule.phases[0]"),
    ("designModule.studyType", True, "designModule.studyType"),
    ("designModule.enrollmentInfo", {"count": "120"}, "designModule.enrollmentInfo.count"),
    ("designModule.enrollmentInfo", {"count": True}, "designModule.enrollmentInfo.count"),
    ("designModule.enrollmentInfo", {"count": -1}, "designModule.enrollmentInfo.count"),
    ("designModule.enrollmentInfo", {"count": 1.5}, "designModule.enrollmentInfo.count"),
    ("designModule.enrollmentInfo", {"count": float("nan")}, "designModule.enrollmentInfo.count"),
    ("designModule.enrollmentInfo", {"count": 10**400}, "designModule.enrollmentInfo.count"),
    ("eligibilityModule.sex", "OTHER", "eligibilityModule.sex"),
    ("eligibilityModule.healthyVolunteers", "false", "eligibilityModule.healthyVolunteers"),
    ("eligibilityModule.healthyVolunteers", 0, "eligibilityModule.healthyVolunteers"),
    ("eligibilityModule.minimumAge", "18", "eligibilityModule.minimumAge"),
    ("eligibilityModule.minimumAge", "-1 Years", "eligibilityModule.minimumAge"),
    ("eligibilityModule.minimumAge", "18.5 Years", "eligibilityModule.minimumAge"),
    ("eligibilityModule.minimumAge", "999 Years", "eligibilityModule.minimumAge"),
    ("eligibilityModule.minimumAge", 18, "eligibilityModule.minimumAge"),
    ("eligibilityModule.maximumAge", "17 Years", "eligibilityModule.maximumAge"),
    ("eligibilityModule.maximumAge", "200 Months", "eligibilityModule.maximumAge"),
    ("eligibilityModule.eligibilityCriteria", ["a"], "eligibilityModule.eligibilityCriteria"),
    ("eligibilityModule.eligibilityCriteria", "a\x00", "eligibilityModule.eligibilityCriteria"),
    ("eligibilityModule.eligibilityCriteria", "a" * 300_001, "eligibilityModule.eligibilityCriteria"),
    ("contactsLocationsModule.locations", {"0": {}}, "contactsLocationsModule.locations"),
    ("contactsLocationsModule.locations", [7], "contactsLocationsModule.locations[0]"),
    (
        "contactsLocationsModule.locations",
        [{"geoPoint": {"lat": 1}}],
        "contactsLocationsModule.locations[0].geoPoint",
    ),
    (
        "contactsLocationsModule.locations",
        [{"geoPoint": {"lat": 91, "lon": 0}}],
        "contactsLocationsModule.locations[0].geoPoint.lat",
    ),
    (
        "contactsLocationsModule.locations",
        [{"geoPoint": {"lat": "1", "lon": 0}}],
        "contactsLocationsModule.locations[0].geoPoint.lat",
    ),
    ("contactsLocationsModule.centralContacts", "Ana", "contactsLocationsModule.centralContacts"),
]


class TestRefusals:
    @pytest.mark.parametrize(("path", "value", "field"), REFUSED)
    def test_names_the_field(self, path: str, value: object, field: str) -> None:
        document = make_document({path: value})

        with pytest.raises(InvalidRecord) as refusal:
            ctgov.read(document)

        assert refusal.value.field == f"protocolSection.{field}"
        assert refusal.value.message.endswith(".")
        assert refusal.value.message.isprintable()

    @pytest.mark.parametrize(
        "document", [None, 7, "x", [], {}, {"protocolSection": None}, {"protocolSection": []}]
    )
    def test_refuses_what_is_no_record(self, document: object) -> None:
        with pytest.raises(InvalidRecord):
            ctgov.read(document)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
            max_leaves=5,
        ),
        st.integers(min_value=0),
    )
    def test_answers_anything_in_any_place_with_a_record_or_a_refusal(self, value: object, place: int) -> None:
        paths = list(paths_of(RECORD["protocolSection"]))
        document = make_document({paths[place % len(paths)]: value})

        try:
            record: object = ctgov.read(document)
        except InvalidRecord as refusal:
            record = refusal

        assert isinstance(record, StudyRecord | InvalidRecord)


def paths_of(value: object, path: str = "") -> Iterator[str]:
    if path:
        yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths_of(inner, f"{path}.{name}".lstrip("."))


class TestRecords:
    def test_takes_one_record_a_list_answer_and_a_bare_list(self) -> None:
        one = make_document()

        single, answer, bare = (ctgov.records(shape) for shape in (one, {"studies": [one, one]}, [one, one]))

        assert (len(single), len(answer), len(bare)) == (1, 2, 2)
        assert single[0] is one

    @pytest.mark.parametrize("document", [None, 7, "x", {}, {"studies": {}}, {"studies": []}, []])
    def test_refuses_a_file_without_records(self, document: object) -> None:
        with pytest.raises(InvalidRecord, match="stud"):
            ctgov.records(document)


def real_files() -> list[Path]:
    return sorted((DATA / "ctgov" / "studies").glob("NCT*.json"))


def real_records() -> Iterator[tuple[dict[str, object], StudyRecord]]:
    for file in real_files():
        (document,) = ctgov.records(ctgov.loads(file.read_bytes()))
        assert isinstance(document, dict)
        yield document, ctgov.read(document)


MODELLED = {
    "identificationModule.nctId": "nct_id",
    "identificationModule.nctIdAliases": "nct_aliases",
    "identificationModule.orgStudyIdInfo.id": "org_study_id.value",
    "identificationModule.orgStudyIdInfo.type": "org_study_id.type",
    "identificationModule.secondaryIdInfos[].id": "secondary_ids.value",
    "identificationModule.secondaryIdInfos[].type": "secondary_ids.type",
    "identificationModule.secondaryIdInfos[].domain": "secondary_ids.system",
    "identificationModule.organization.fullName": "organisation.name",
    "identificationModule.organization.class": "organisation.kind",
    "identificationModule.briefTitle": "brief_title",
    "identificationModule.officialTitle": "official_title",
    "identificationModule.acronym": "acronym",
    "statusModule.overallStatus": "status",
    "statusModule.lastKnownStatus": "last_known_status",
    "statusModule.whyStopped": "why_stopped",
    "statusModule.statusVerifiedDate": "dates.verified",
    "statusModule.studyFirstSubmitDate": "dates.first_submitted",
    "statusModule.lastUpdateSubmitDate": "dates.last_update_submitted",
    "statusModule.startDateStruct.date": "dates.start.date",
    "statusModule.startDateStruct.type": "dates.start.certainty",
    "statusModule.primaryCompletionDateStruct.date": "dates.primary_completion.date",
    "statusModule.primaryCompletionDateStruct.type": "dates.primary_completion.certainty",
    "statusModule.completionDateStruct.date": "dates.completion.date",
    "statusModule.completionDateStruct.type": "dates.completion.certainty",
    "statusModule.studyFirstPostDateStruct.date": "dates.first_posted.date",
    "statusModule.studyFirstPostDateStruct.type": "dates.first_posted.certainty",
    "statusModule.lastUpdatePostDateStruct.date": "dates.last_update_posted.date",
    "statusModule.lastUpdatePostDateStruct.type": "dates.last_update_posted.certainty",
    "sponsorCollaboratorsModule.leadSponsor.name": "sponsor.name",
    "sponsorCollaboratorsModule.leadSponsor.class": "sponsor.kind",
    "sponsorCollaboratorsModule.collaborators[].name": "collaborators.name",
    "sponsorCollaboratorsModule.collaborators[].class": "collaborators.kind",
    "descriptionModule.briefSummary": "brief_summary",
    "descriptionModule.detailedDescription": "detailed_description",
    "conditionsModule.conditions": "conditions",
    "conditionsModule.keywords": "keywords",
    "designModule.studyType": "study_type",
    "designModule.phases": "phases",
    "designModule.enrollmentInfo.count": "enrolment.count",
    "designModule.enrollmentInfo.type": "enrolment.certainty",
    "eligibilityModule.eligibilityCriteria": "criteria_text",
    "eligibilityModule.healthyVolunteers": "healthy_volunteers",
    "eligibilityModule.sex": "sex",
    "eligibilityModule.genderBased": "gender_based",
    "eligibilityModule.genderDescription": "gender_description",
    "eligibilityModule.minimumAge": "minimum_age.text",
    "eligibilityModule.maximumAge": "maximum_age.text",
    "eligibilityModule.studyPopulation": "study_population",
    "contactsLocationsModule.locations[].facility": "locations.facility",
    "contactsLocationsModule.locations[].status": "locations.status",
    "contactsLocationsModule.locations[].city": "locations.city",
    "contactsLocationsModule.locations[].state": "locations.state",
    "contactsLocationsModule.locations[].zip": "locations.postcode",
    "contactsLocationsModule.locations[].country": "locations.country",
    "contactsLocationsModule.locations[].geoPoint.lat": "locations.latitude",
    "contactsLocationsModule.locations[].geoPoint.lon": "locations.longitude",
}

NOT_MODELLED = (
    "oversightModule",
    "armsInterventionsModule",
    "outcomesModule",
    "referencesModule",
    "ipdSharingStatementModule",
    "identificationModule.orgStudyIdInfo.link",
    "identificationModule.secondaryIdInfos[].link",
    "statusModule.expandedAccessInfo",
    "statusModule.studyFirstSubmitQcDate",
    "statusModule.results",
    "statusModule.disp",
    "sponsorCollaboratorsModule.responsibleParty",  # people
    "designModule.designInfo",
    "designModule.patientRegistry",
    "designModule.targetDuration",
    "designModule.bioSpec",
    "eligibilityModule.stdAges",  # derived from the ages
    "eligibilityModule.samplingMethod",
    "contactsLocationsModule.centralContacts",  # people
    "contactsLocationsModule.overallOfficials",  # people
    "contactsLocationsModule.locations[].contacts",  # people
    "contactsLocationsModule.locations_nested",  # a copy that one source added
)


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Give every leaf of the raw record; a list of texts counts as one leaf."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for inner in value:
            yield from leaves(inner, f"{path}[]")
    else:
        yield path, value


def ours(record: StudyRecord, path: str) -> list[object]:
    """Give what we hold at a path, as texts; lists are walked."""
    values: list[object] = [record]
    for name in path.split("."):
        values = [
            inner
            for value in values
            for inner in (value if isinstance(value, tuple) else (value,))
            if inner is not None
        ]
        values = [getattr(value, name) for value in values]
    return [comparable(value) for value in values if value is not None]


def comparable(value: object) -> object:
    if isinstance(value, tuple | list):
        return [str(entry) for entry in value]
    return value if isinstance(value, bool | int | float) else str(value)


@needs("ctgov")
class TestRealRecords:
    def test_reads_all_without_an_error_in_good_time(self) -> None:
        files = [file.read_bytes() for file in real_files()]

        start = time.perf_counter()
        records = [ctgov.read(document) for data in files for document in ctgov.records(ctgov.loads(data))]
        seconds = time.perf_counter() - start

        assert len(records) == len(files) >= 295
        assert seconds < 4  # well under two seconds on a quiet machine

    def test_loses_no_modelled_field(self) -> None:
        pairs = list(real_records())

        lost = [
            (record.nct_id, theirs)
            for document, record in pairs
            for theirs, path in MODELLED.items()
            if [comparable(value) for at, value in leaves(document["protocolSection"]) if at == theirs]
            != [value for value in ours(record, path) if value not in ([], "")]
        ]

        assert lost == []

    def test_knows_of_every_field_whether_it_is_kept(self) -> None:
        documents = [document for document, _ in real_records()]

        unheard_of = {
            path
            for document in documents
            for path, _ in leaves(document["protocolSection"])
            if path not in MODELLED and not path.startswith(NOT_MODELLED)
        }

        assert unheard_of == set()

    def test_counts_what_the_index_counts(self) -> None:
        records = [record for _, record in real_records()]

        assert sum(len(record.locations) for record in records) == 2_978
        assert [sum(record.sex == sex for record in records) for sex in ("ALL", "FEMALE", "MALE")] == [
            282,
            11,
            2,
        ]
        assert sum(record.minimum_age is None for record in records) == 13
        assert all(record.criteria for record in records)

    def test_brings_in_no_contact(self) -> None:
        pairs = list(real_records())

        leaked = [
            (record.nct_id, value)
            for document, record in pairs
            for path, value in leaves(document["protocolSection"])
            if path.endswith((".email", ".phone")) and path.startswith("contactsLocationsModule")
            if str(value) in json.dumps(asdict(record)["locations"], default=str)
        ]

        assert leaked == []

    def test_stores_and_restores_every_record(self) -> None:
        records = [record for _, record in real_records()]

        again = [restored(json.loads(json.dumps(stored(record)))) for record in records]

        assert again == records
