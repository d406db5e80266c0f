"""ClinicalTrials.gov API v2: one study record into our own types.

What arrives is somebody else's file. Every part that we keep is checked and every refusal names its path;
parts that we do not keep are not looked at. Of the people in a record (contacts, officials, investigators)
nothing is read: no name, no telephone number, no e-mail address, only whether the registry lists any. What a
sponsor wrote into a text of its own (a hotline as "facility") stays as written; these texts are internal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import TypeVar

from recruit.interop.jsonfile import loads
from recruit.interop.registry import (
    Certainty,
    Enrolment,
    IdentifierType,
    InvalidRecord,
    Organisation,
    OrganisationClass,
    PartialDate,
    Phase,
    RegistryAge,
    RegistryDate,
    RegistryDates,
    RegistryIdentifier,
    RegistryLocation,
    RegistrySex,
    RegistryStatus,
    StudyRecord,
    StudyType,
)
from recruit.interop.revision import differences, lineage
from screening.intervals import CalendarUnit, Duration, shift
from screening.structure import split

__all__ = ["differences", "lineage", "loads", "read", "records"]

Choice = TypeVar("Choice", bound=StrEnum)

SHORT = 2_000
LONG = 300_000
MANY = 20_000

_NCT = re.compile(r"NCT\d{8}", re.ASCII)
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_AGE = re.compile(r"(\d{1,4}) (Year|Month|Week|Day|Hour|Minute)s?", re.ASCII)
_UNITS = {
    "Year": CalendarUnit.YEARS,
    "Month": CalendarUnit.MONTHS,
    "Week": CalendarUnit.WEEKS,
    "Day": CalendarUnit.DAYS,
}
_PER_DAY = {"Hour": 24, "Minute": 24 * 60}
_OLDEST = Duration(150, CalendarUnit.YEARS)
_SOME_BIRTH = date(2001, 1, 1)


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
    protocol = _Part(document, "").part("protocolSection")
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


class _Part:
    """One object of the document with its path; absent and null are an object without fields."""

    __slots__ = ("_value", "path")

    def __init__(self, value: object, path: str) -> None:
        if value is not None and not isinstance(value, dict):
            raise InvalidRecord(path, f"An object was expected here, not {_kind(value)}.")
        self._value: dict[object, object] = value or {}
        self.path = path

    @property
    def holds_something(self) -> bool:
        return bool(self._value)

    def get(self, name: str) -> object:
        return self._value.get(name)

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def fail(self, name: str, message: str) -> InvalidRecord:
        return InvalidRecord(self.at(name), message)

    def part(self, name: str) -> _Part:
        return _Part(self.get(name), self.at(name))

    def items(self, name: str) -> list[object]:
        value = self.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.fail(name, f"A list was expected here, not {_kind(value)}.")
        if len(value) > MANY:
            raise self.fail(name, f"The list is longer than {MANY} entries.")
        return value

    def parts(self, name: str) -> Iterator[_Part]:
        for position, value in enumerate(self.items(name)):
            if value is None:
                raise self.fail(f"{name}[{position}]", "An object was expected here, not nothing.")
            yield _Part(value, f"{self.at(name)}[{position}]")

    def text(self, name: str, *, longest: int = SHORT) -> str | None:
        value = self.get(name)
        return None if value is None or value == "" else _text(value, self.at(name), longest)

    def required_text(self, name: str) -> str:
        value = self.text(name)
        if value is None or not value.strip():
            raise self.fail(name, "This field is missing or empty.")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(_text(value, f"{self.at(name)}[{at}]", SHORT) for at, value in enumerate(self.items(name)))

    def choice(self, name: str, known: type[Choice]) -> Choice | None:
        value = self.get(name)
        return None if value is None else _choice(value, self.at(name), known)

    def required_choice(self, name: str, known: type[Choice]) -> Choice:
        value = self.choice(name, known)
        if value is None:
            raise self.fail(name, "This field is missing.")
        return value

    def choices(self, name: str, known: type[Choice]) -> tuple[Choice, ...]:
        return tuple(
            _choice(value, f"{self.at(name)}[{at}]", known) for at, value in enumerate(self.items(name))
        )

    def flag(self, name: str) -> bool | None:
        value = self.get(name)
        if value is None or isinstance(value, bool):
            return value
        raise self.fail(name, f"True or false was expected here, not {_kind(value)}.")

    def number(self, name: str, *, largest: float) -> float | None:
        value = self.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fail(name, f"A number was expected here, not {_kind(value)}.")
        if not -largest <= value <= largest:  # also refuses NaN
            raise self.fail(name, f"The number is not between {-largest:g} and {largest:g}.")
        return float(value)

    def date(self, name: str) -> PartialDate | None:
        value = self.text(name)
        return None if value is None else _date(value, self.at(name))

    def dated(self, name: str) -> RegistryDate | None:
        part = self.part(name)
        when = part.date("date")
        return None if when is None else RegistryDate(when, part.choice("type", Certainty))


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else "something else")


def _quoted(value: str) -> str:
    return ascii(value if len(value) <= 40 else value[:40] + "...")


def _text(value: object, path: str, longest: int) -> str:
    if not isinstance(value, str):
        raise InvalidRecord(path, f"Text was expected here, not {_kind(value)}.")
    if len(value) > longest:
        raise InvalidRecord(path, f"The text is longer than {longest} characters.")
    if "\x00" in value:
        raise InvalidRecord(path, "The text holds a NUL character.")
    if any("\ud800" <= sign <= "\udfff" for sign in value):
        raise InvalidRecord(path, "The text holds half of a character (a lone surrogate).")
    return value


def _choice(value: object, path: str, known: type[Choice]) -> Choice:
    text = _text(value, path, SHORT)
    try:
        return known(text)
    except ValueError:
        raise InvalidRecord(path, f"{_quoted(text)} is not one of: {', '.join(known)}.") from None


def _date(value: str, path: str) -> PartialDate:
    found = _DATE.fullmatch(value)
    if found is not None:
        year, month, day = (None if part is None else int(part) for part in found.groups())
        if year and _exists(year, month, day):
            return PartialDate(year, month, day)
    raise InvalidRecord(path, f"{_quoted(value)} is no date (YYYY, YYYY-MM or YYYY-MM-DD).")


def _exists(year: int, month: int | None, day: int | None) -> bool:
    try:
        date(year, 1 if month is None else month, 1 if day is None else day)
    except ValueError:
        return False
    return True


def _nct_id(identity: _Part) -> str:
    value = identity.required_text("nctId")
    if not _NCT.fullmatch(value):
        raise identity.fail("nctId", f"{_quoted(value)} is no NCT number (NCT and eight digits).")
    return value


def _org_study_id(part: _Part) -> RegistryIdentifier | None:
    value = part.text("id")
    return None if value is None else RegistryIdentifier(value, part.choice("type", IdentifierType))


def _secondary_id(part: _Part) -> RegistryIdentifier:
    return RegistryIdentifier(
        part.required_text("id"), part.choice("type", IdentifierType), part.text("domain")
    )


def _organisation(part: _Part, name: str) -> Organisation | None:
    value = part.text(name)
    return None if value is None else Organisation(value, part.choice("class", OrganisationClass))


def _named(part: _Part) -> Organisation:
    return Organisation(part.required_text("name"), part.choice("class", OrganisationClass))


def _dates(status: _Part) -> RegistryDates:
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


def _enrolment(part: _Part) -> Enrolment | None:
    count = part.number("count", largest=1e9)
    if count is None:
        return None
    if count < 0 or not count.is_integer():
        raise part.fail("count", "A whole number of people was expected here.")
    return Enrolment(int(count), part.choice("type", Certainty))


def _ages(eligible: _Part) -> tuple[RegistryAge | None, RegistryAge | None]:
    minimum, maximum = _age(eligible, "minimumAge"), _age(eligible, "maximumAge")
    if minimum and maximum and minimum.duration and maximum.duration:
        # "2 Years" to "24 Months" is in order: the maximum counts to the day before the next unit
        beyond = Duration(maximum.duration.count + 1, maximum.duration.unit)
        if shift(_SOME_BIRTH, minimum.duration) >= shift(_SOME_BIRTH, beyond):
            raise eligible.fail(
                "maximumAge", f"The maximum age {maximum.text} is below the minimum age {minimum.text}."
            )
    return minimum, maximum


def _age(eligible: _Part, name: str) -> RegistryAge | None:
    text = eligible.text(name)
    if text is None:
        return None
    found = _AGE.fullmatch(text)
    if found is None:
        raise eligible.fail(name, f"{_quoted(text)} is no age, such as 18 Years or 6 Months.")
    duration = _age_duration(int(found[1]), found[2])
    if duration and shift(_SOME_BIRTH, duration) > shift(_SOME_BIRTH, _OLDEST):
        raise eligible.fail(name, f"The age {_quoted(text)} is beyond 150 years.")
    return RegistryAge(text, duration)


def _age_duration(count: int, unit: str) -> Duration | None:
    """Turn an age into calendar units; hours and minutes only where they make whole days."""
    if unit in _UNITS:
        return Duration(count, _UNITS[unit])
    days, rest = divmod(count, _PER_DAY[unit])
    return None if rest else Duration(days, CalendarUnit.DAYS)


def _location(part: _Part) -> RegistryLocation:
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


def _lists_contacts(places: _Part) -> bool:
    """Tell whether the registry names people for this study, without reading who they are."""
    if places.items("centralContacts") or places.items("overallOfficials"):
        return True
    return any(part.items("contacts") for part in places.parts("locations"))
