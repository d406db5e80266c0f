"""ClinicalTrials.gov API v2: one study record into our own types.

What arrives is somebody else's file. Every part that we keep is checked and every refusal names its path;
parts that we do not keep are not looked at. Of the people in a record (contacts, officials, investigators)
nothing is read: no name, no telephone number, no e-mail address, only whether the registry lists any. What a
sponsor wrote into a text of its own (a hotline as "facility") stays as written; these texts are internal.
"""

from __future__ import annotations

import re

from recruit.interop.fields import LONG, Part, quoted
from recruit.interop.jsonfile import loads
from recruit.interop.registry import (
    Certainty,
    Enrolment,
    IdentifierType,
    InvalidRecord,
    Organisation,
    OrganisationClass,
    Phase,
    RegistryAge,
    RegistryDates,
    RegistryIdentifier,
    RegistryLocation,
    RegistrySex,
    RegistryStatus,
    StudyRecord,
    StudyType,
)
from recruit.interop.revision import differences, lineage
from screening.intervals import CalendarUnit, Duration
from screening.structure.splitting import split

__all__ = ["differences", "lineage", "loads", "read", "records"]

_NCT = re.compile(r"NCT\d{8}", re.ASCII)
_AGE = re.compile(r"(\d{1,4}) (Year|Month|Week|Day|Hour|Minute)s?", re.ASCII)
_UNITS = {
    "Year": CalendarUnit.YEARS,
    "Month": CalendarUnit.MONTHS,
    "Week": CalendarUnit.WEEKS,
    "Day": CalendarUnit.DAYS,
}
_PER_DAY = {"Hour": 24, "Minute": 24 * 60}


def records(document: object) -> tuple[object, ...]:
    """Give the study records of a file: a single one, the API's list answer, or a bare list.

    :raises InvalidRecord: where there is none.
    """
    if isinstance(document, dict) and "protocolSection" in document:
        return (document,)
    listed = document.get("studies") if isinstance(document, dict) else document
    if not isinstance(listed, list):
        raise InvalidRecord(
            "", "This is no study record of ClinicalTrials.gov: it has no protocolSection and no studies."
        )
    if not listed:
        raise InvalidRecord("studies", "The list holds no study.")
    return tuple(listed)


def read(document: object) -> StudyRecord:
    """Read one study record, already decoded from JSON.

    Unknown extra fields are ignored; an unknown word in a field with a fixed list of words is refused, since
    it would be lost otherwise. Texts are kept as sent.

    :raises InvalidRecord: with the path of the field, such as ``protocolSection.identificationModule.nctId``.
    """
    protocol = Part(document, "").part("protocolSection")
    if not protocol.holds_something:
        raise InvalidRecord(
            "protocolSection", "This part is missing: it is no study record of ClinicalTrials.gov."
        )
    identity = protocol.part("identificationModule")
    status = protocol.part("statusModule")
    parties = protocol.part("sponsorCollaboratorsModule")
    described = protocol.part("descriptionModule")
    subjects = protocol.part("conditionsModule")
    design = protocol.part("designModule")
    eligible = protocol.part("eligibilityModule")
    places = protocol.part("contactsLocationsModule")
    criteria_text = eligible.text("eligibilityCriteria", longest=LONG) or ""
    minimum, maximum = _ages(eligible)
    return StudyRecord(
        nct_id=_nct_id(identity),
        nct_aliases=identity.texts("nctIdAliases"),
        org_study_id=_org_study_id(identity.part("orgStudyIdInfo")),
        secondary_ids=tuple(_secondary_id(part) for part in identity.parts("secondaryIdInfos")),
        brief_title=identity.required_text("briefTitle"),
        official_title=identity.text("officialTitle"),
        acronym=identity.text("acronym"),
        organisation=_organisation(identity.part("organization"), "fullName"),
        sponsor=_organisation(parties.part("leadSponsor"), "name"),
        collaborators=tuple(_named(part) for part in parties.parts("collaborators")),
        status=status.required_choice("overallStatus", RegistryStatus),
        last_known_status=status.choice("lastKnownStatus", RegistryStatus),
        why_stopped=status.text("whyStopped"),
        dates=_dates(status),
        study_type=design.choice("studyType", StudyType),
        phases=design.choices("phases", Phase),
        conditions=subjects.texts("conditions"),
        keywords=subjects.texts("keywords"),
        brief_summary=described.text("briefSummary", longest=LONG),
        detailed_description=described.text("detailedDescription", longest=LONG),
        enrolment=_enrolment(design.part("enrollmentInfo")),
        minimum_age=minimum,
        maximum_age=maximum,
        sex=eligible.choice("sex", RegistrySex),
        gender_based=eligible.flag("genderBased"),
        gender_description=eligible.text("genderDescription"),
        healthy_volunteers=eligible.flag("healthyVolunteers"),
        study_population=eligible.text("studyPopulation", longest=LONG),
        criteria_text=criteria_text,
        criteria=split(criteria_text),
        locations=tuple(_location(part) for part in places.parts("locations")),
        lists_contacts=_lists_contacts(places),
    )


def _nct_id(identity: Part) -> str:
    value = identity.required_text("nctId")
    if not _NCT.fullmatch(value):
        raise identity.fail("nctId", f"{quoted(value)} is no NCT number (NCT and eight digits).")
    return value


def _org_study_id(part: Part) -> RegistryIdentifier | None:
    value = part.text("id")
    return None if value is None else RegistryIdentifier(value, part.choice("type", IdentifierType))


def _secondary_id(part: Part) -> RegistryIdentifier:
    return RegistryIdentifier(
        part.required_text("id"), part.choice("type", IdentifierType), part.text("domain")
    )


def _organisation(part: Part, name: str) -> Organisation | None:
    value = part.text(name)
    return None if value is None else Organisation(value, part.choice("class", OrganisationClass))


def _named(part: Part) -> Organisation:
    return Organisation(part.required_text("name"), part.choice("class", OrganisationClass))


def _dates(status: Part) -> RegistryDates:
    return RegistryDates(
        start=status.dated("startDateStruct"),
        primary_completion=status.dated("primaryCompletionDateStruct"),
        completion=status.dated("completionDateStruct"),
        first_submitted=status.date("studyFirstSubmitDate"),
        first_posted=status.dated("studyFirstPostDateStruct"),
        last_update_submitted=status.date("lastUpdateSubmitDate"),
        last_update_posted=status.dated("lastUpdatePostDateStruct"),
        verified=status.date("statusVerifiedDate"),
    )


def _enrolment(part: Part) -> Enrolment | None:
    count = part.number("count", largest=1e9)
    if count is None:
        return None
    if count < 0 or not count.is_integer():
        raise part.fail("count", "A whole number of people was expected here.")
    return Enrolment(int(count), part.choice("type", Certainty))


def _ages(eligible: Part) -> tuple[RegistryAge | None, RegistryAge | None]:
    minimum, maximum = _age(eligible, "minimumAge"), _age(eligible, "maximumAge")
    if minimum and maximum and maximum.is_below(minimum):
        raise eligible.fail(
            "maximumAge", f"The maximum age {maximum.text} is below the minimum age {minimum.text}."
        )
    return minimum, maximum


def _age(eligible: Part, name: str) -> RegistryAge | None:
    text = eligible.text(name)
    if text is None:
        return None
    found = _AGE.fullmatch(text)
    if found is None:
        raise eligible.fail(name, f"{quoted(text)} is no age, such as 18 Years or 6 Months.")
    age = RegistryAge(text, _age_duration(int(found[1]), found[2]))
    if age.is_beyond_any:
        raise eligible.fail(name, f"The age {quoted(text)} is beyond 150 years.")
    return age


def _age_duration(count: int, unit: str) -> Duration | None:
    """Turn an age into calendar units; hours and minutes only where they make whole days."""
    if unit in _UNITS:
        return Duration(count, _UNITS[unit])
    days, rest = divmod(count, _PER_DAY[unit])
    return None if rest else Duration(days, CalendarUnit.DAYS)


def _location(part: Part) -> RegistryLocation:
    point = part.part("geoPoint")
    latitude, longitude = point.number("lat", largest=90), point.number("lon", largest=180)
    if (latitude is None) is not (longitude is None):
        raise part.fail("geoPoint", "A point needs both lat and lon.")
    return RegistryLocation(
        facility=part.text("facility"),
        status=part.choice("status", RegistryStatus),
        city=part.text("city"),
        state=part.text("state"),
        postcode=part.text("zip"),
        country=part.text("country"),
        latitude=latitude,
        longitude=longitude,
    )


def _lists_contacts(places: Part) -> bool:
    """Tell whether the registry names people for this study, without reading who they are."""
    if places.items("centralContacts") or places.items("overallOfficials"):
        return True
    return any(part.items("contacts") for part in places.parts("locations"))
