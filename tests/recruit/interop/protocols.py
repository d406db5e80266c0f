"""A small protocol in USDM, to be changed and read."""

from __future__ import annotations

from copy import deepcopy

from recruit.interop import usdm
from recruit.interop.registry import (
    StudyRecord,
)

INCLUSION = {"code": "C25532", "decode": "Inclusion Criteria"}
EXCLUSION = {"code": "C25370", "decode": "Exclusion Criteria"}
YEAR = {"standardCode": {"code": "C29848", "decode": "Year"}}


def criterion(number: int, category: object = INCLUSION, **changes: object) -> dict[str, object]:
    return {
        "id": f"C{number}",
        "name": f"C{number}",
        "identifier": str(number),
        "category": category,
        "criterionItemId": f"I{number}",
    } | changes


def item(number: int, text: str, **changes: object) -> dict[str, object]:
    return {"id": f"I{number}", "name": f"I{number}", "text": text} | changes


def years(value: object, unit: object = YEAR) -> dict[str, object]:
    return {"id": "Q1", "instanceType": "Quantity", "value": value, "unit": unit}


def make_protocol(**changes: object) -> dict[str, object]:
    """Make a USDM file; changes go by name into the version, its design or the population."""
    population: dict[str, object] = {
        "id": "P",
        "instanceType": "StudyDesignPopulation",
        "description": "Adults with <b>asthma</b>",
        "includesHealthySubjects": False,
        "plannedEnrollmentNumber": {"value": 40.0},
        "plannedSex": [{"code": "C16576", "decode": "Female"}],
        "plannedAge": {
            "minValue": years(18.0),
            "maxValue": {"id": "Q2", "instanceType": "Quantity", "value": 65.0, "unit": YEAR},
        },
        "criterionIds": ["C1", "C2", "C3"],
    }
    design: dict[str, object] = {
        "name": "Design",
        "studyType": {"code": "C98388"},
        "studyPhase": {"standardCode": {"decode": "Phase II/III Trial"}},
        "indications": [
            {"label": "Asthma", "codes": [{"codeSystem": "ICD-10-CM", "code": "J45", "decode": "Asthma"}]}
        ],
        "population": population,
        "eligibilityCriteria": [criterion(1), criterion(2), criterion(3, EXCLUSION)],
    }
    version: dict[str, object] = {
        "versionIdentifier": "2",
        "titles": [{"text": "A study of asthma", "type": {"decode": "Brief Study Title"}}],
        "organizations": [
            {"id": "O1", "name": "EX", "label": "Example Pharma", "type": {"code": "C70793"}},
            {"id": "O2", "name": "CT-GOV", "label": "ClinicalTrials.gov"},
            {"id": "O3", "name": "EMA", "label": "European Medicines Agency"},
            {"id": "O4", "name": "JRCT", "label": "Japan Registry"},
        ],
        "studyIdentifiers": [
            {"text": "ABC-1", "scopeId": "O1"},
            {"text": "NCT01234567", "scopeId": "O2"},
            {"text": "2020-000001-10", "scopeId": "O3"},
            {"text": "jRCT1", "scopeId": "O4"},
        ],
        "amendments": [{"number": "1", "summary": "Ages", "dateValues": [{"dateValue": "2024-05-02"}]}],
        "dictionaries": [
            {
                "id": "D",
                "parameterMaps": [
                    {"tag": "min", "reference": '<usdm:ref klass="Quantity" id="Q1" attribute="value"/>'},
                    {
                        "tag": "who",
                        "reference": '<usdm:ref klass="StudyDesignPopulation" id="P" attribute="description"/>',
                    },
                ],
            }
        ],
        "studyDesigns": [design],
        "eligibilityCriterionItems": [
            item(1, '<p>At least <usdm:tag name="min"/> years</p>', dictionaryId="D"),
            item(2, '<p><usdm:tag name="who"/></p>', dictionaryId="D"),
            item(3, "<p>Any of the following:</p><ol type='a'><li>Stroke</li><li><p>Epilepsy</p></li></ol>"),
        ],
    }
    for name, value in changes.items():
        place = next(one for one in (population, design, version) if name in one or one is version)
        place[name] = value
    return deepcopy({"usdmVersion": "4.0.0", "study": {"id": None, "name": "Wheeze", "versions": [version]}})


def read(**changes: object) -> StudyRecord:
    return usdm.read(make_protocol(**changes))


def tops(record: StudyRecord) -> list[str]:
    return [one.text for one in record.criteria if one.parent is None]
