"""Made-up registry records, in the registry's own form and in ours."""

from __future__ import annotations

from copy import deepcopy

from recruit.interop import ctgov
from recruit.interop.registry import StudyRecord

TEXT = (
    "Inclusion Criteria:\n\n* Asthma for a year\n* Signed consent\n\nExclusion Criteria:\n\n* Stroke last year"
)

RECORD: dict[str, object] = {
    "protocolSection": {
        "identificationModule": {
            "nctId": "NCT01234567",
            "orgStudyIdInfo": {"id": "ABC-1"},
            "secondaryIdInfos": [{"id": "2020-000001-10", "type": "EUDRACT_NUMBER"}],
            "briefTitle": "A study of asthma",
            "officialTitle": "A randomised study of asthma",
            "acronym": "BREATHE",
            "organization": {"fullName": "Example Pharma", "class": "INDUSTRY"},
        },
        "statusModule": {
            "overallStatus": "RECRUITING",
            "statusVerifiedDate": "2025-03",
            "startDateStruct": {"date": "2025-01-15", "type": "ACTUAL"},
            "completionDateStruct": {"date": "2027", "type": "ESTIMATED"},
        },
        "sponsorCollaboratorsModule": {
            "leadSponsor": {"name": "Example Pharma", "class": "INDUSTRY"},
            "collaborators": [{"name": "Example University", "class": "OTHER"}],
        },
        "descriptionModule": {"briefSummary": "About asthma."},
        "conditionsModule": {"conditions": ["Asthma"], "keywords": ["wheeze"]},
        "designModule": {
            "studyType": "INTERVENTIONAL",
            "phases": ["PHASE2", "PHASE3"],
            "enrollmentInfo": {"count": 120, "type": "ESTIMATED"},
        },
        "eligibilityModule": {
            "eligibilityCriteria": TEXT,
            "healthyVolunteers": False,
            "sex": "ALL",
            "minimumAge": "18 Years",
            "maximumAge": "75 Years",
        },
        "contactsLocationsModule": {
            "centralContacts": [{"name": "Ana Example", "phone": "555-0100", "email": "ana@example.org"}],
            "overallOfficials": [{"name": "Ben Example", "role": "PRINCIPAL_INVESTIGATOR"}],
            "locations": [
                {
                    "facility": "Example Clinic",
                    "status": "RECRUITING",
                    "city": "Boston",
                    "state": "Massachusetts",
                    "zip": "02115",
                    "country": "United States",
                    "geoPoint": {"lat": 42.35, "lon": -71.06},
                    "contacts": [{"name": "Cy Example", "email": "cy@example.org"}],
                }
            ],
        },
    },
    "hasResults": False,
}

ABSENT = object()
"""Stands for a field to leave out."""


def make_document(changes: dict[str, object] | None = None) -> dict[str, object]:
    """Make a registry record; changes go by path below ``protocolSection`` ("designModule.phases")."""
    document = deepcopy(RECORD)
    for path, value in (changes or {}).items():
        *parents, name = path.split(".")
        place = document["protocolSection"]
        for parent in parents:
            assert isinstance(place, dict)
            place = place[parent]
        assert isinstance(place, dict)
        if value is ABSENT:
            del place[name]
        else:
            place[name] = value
    return document


def make_record(changes: dict[str, object] | None = None) -> StudyRecord:
    """Make a record of ours from a registry record with changes."""
    return ctgov.read(make_document(changes))


def make_record_of(text: str) -> StudyRecord:
    """Make a record with an eligibility text and no other limits."""
    return make_record(
        {
            "eligibilityModule.eligibilityCriteria": text,
            "eligibilityModule.minimumAge": ABSENT,
            "eligibilityModule.maximumAge": ABSENT,
        }
    )
