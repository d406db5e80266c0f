"""What we keep of a registry's study record, whichever registry it comes from.

Nobody's name, telephone number or e-mail address has a field here: investigators, officials and contacts are
left in the registry, and only the fact that it lists some is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from typing import cast

from pydantic import TypeAdapter, ValidationError

from recruit.errors import Invalid
from screening.intervals import CalendarUnit, Duration, shift
from screening.structure.splitting import TextCriterion

_OLDEST = Duration(150, CalendarUnit.YEARS)
_SOME_BIRTH = date(2001, 1, 1)


class InvalidRecord(Invalid):
    """A registry record cannot be read; ``field`` is the path to the part that is wrong."""

    code = "invalid_record"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, field=field)

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class RegistryStatus(StrEnum):
    """How a study or one of its locations stands, in the registry's words."""

    ACTIVE_NOT_RECRUITING = "ACTIVE_NOT_RECRUITING"
    COMPLETED = "COMPLETED"
    ENROLLING_BY_INVITATION = "ENROLLING_BY_INVITATION"
    NOT_YET_RECRUITING = "NOT_YET_RECRUITING"
    RECRUITING = "RECRUITING"
    SUSPENDED = "SUSPENDED"
    TERMINATED = "TERMINATED"
    WITHDRAWN = "WITHDRAWN"
    AVAILABLE = "AVAILABLE"
    NO_LONGER_AVAILABLE = "NO_LONGER_AVAILABLE"
    TEMPORARILY_NOT_AVAILABLE = "TEMPORARILY_NOT_AVAILABLE"
    APPROVED_FOR_MARKETING = "APPROVED_FOR_MARKETING"
    WITHHELD = "WITHHELD"
    UNKNOWN = "UNKNOWN"


class StudyType(StrEnum):
    """Whether a study assigns a treatment, watches, or only gives access to one."""

    INTERVENTIONAL = "INTERVENTIONAL"
    OBSERVATIONAL = "OBSERVATIONAL"
    EXPANDED_ACCESS = "EXPANDED_ACCESS"


class Phase(StrEnum):
    """Phases of a trial; a trial may span two."""

    NA = "NA"
    EARLY_PHASE1 = "EARLY_PHASE1"
    PHASE1 = "PHASE1"
    PHASE2 = "PHASE2"
    PHASE3 = "PHASE3"
    PHASE4 = "PHASE4"


class RegistrySex(StrEnum):
    """Whom a study takes by sex."""

    ALL = "ALL"
    FEMALE = "FEMALE"
    MALE = "MALE"


class Certainty(StrEnum):
    """Whether a date or a number has happened or is planned."""

    ACTUAL = "ACTUAL"
    ESTIMATED = "ESTIMATED"


class IdentifierType(StrEnum):
    """Who gave an identifier, as far as the registry tells."""

    NIH = "NIH"
    FDA = "FDA"
    VA = "VA"
    CDC = "CDC"
    AHRQ = "AHRQ"
    SAMHSA = "SAMHSA"
    OTHER_GRANT = "OTHER_GRANT"
    EUDRACT_NUMBER = "EUDRACT_NUMBER"
    CTIS = "CTIS"
    REGISTRY = "REGISTRY"
    OTHER = "OTHER"


class OrganisationClass(StrEnum):
    """What kind of body a sponsor is."""

    NIH = "NIH"
    FED = "FED"
    OTHER_GOV = "OTHER_GOV"
    INDIV = "INDIV"
    INDUSTRY = "INDUSTRY"
    NETWORK = "NETWORK"
    AMBIG = "AMBIG"
    OTHER = "OTHER"
    UNKNOWN = "UNKNOWN"


class Precision(StrEnum):
    """How exactly a date is given."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date as exact as the registry gives it; never rounded to the first of a month."""

    year: int
    month: int | None = None
    day: int | None = None

    @property
    def precision(self) -> Precision:
        """Tell how exact the date is."""
        if self.day is not None:
            return Precision.DAY
        return Precision.YEAR if self.month is None else Precision.MONTH

    def __str__(self) -> str:
        parts = [f"{self.year:04}"] + [f"{part:02}" for part in (self.month, self.day) if part is not None]
        return "-".join(parts)


@dataclass(frozen=True, slots=True)
class RegistryDate:
    """A date of a study's life and whether it has come to pass; some old records do not say."""

    date: PartialDate
    certainty: Certainty | None = None

    def __str__(self) -> str:
        return f"{self.date} ({self.certainty.value.lower()})" if self.certainty else str(self.date)


@dataclass(frozen=True, slots=True)
class RegistryDates:
    """The dates of a study's life that we keep."""

    start: RegistryDate | None = None
    primary_completion: RegistryDate | None = None
    completion: RegistryDate | None = None
    first_submitted: PartialDate | None = None
    first_posted: RegistryDate | None = None
    last_update_submitted: PartialDate | None = None
    last_update_posted: RegistryDate | None = None
    verified: PartialDate | None = None


@dataclass(frozen=True, slots=True)
class RegistryIdentifier:
    """A study's name in somebody's system; ``system`` is the registry's free text ("CTIS (EU)")."""

    value: str
    type: IdentifierType | None = None
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Organisation:
    """A sponsor or collaborator; a sponsor-investigator is named here as the registry's organisation."""

    name: str
    kind: OrganisationClass | None = None


@dataclass(frozen=True, slots=True)
class RegistryAge:
    """An age limit as written; ``duration`` is missing for hours that make no whole days."""

    text: str
    duration: Duration | None

    @property
    def is_beyond_any(self) -> bool:
        """Whether nobody has ever been that old."""
        return self.duration is not None and shift(_SOME_BIRTH, self.duration) > shift(_SOME_BIRTH, _OLDEST)

    def is_below(self, minimum: RegistryAge) -> bool:
        """Tell whether nobody is at least as old as a minimum and at most this old.

        "2 Years" to "24 Months" is in order: a maximum counts to the day before the next unit.
        """
        if self.duration is None or minimum.duration is None:
            return False
        beyond = Duration(self.duration.count + 1, self.duration.unit)
        return shift(_SOME_BIRTH, minimum.duration) >= shift(_SOME_BIRTH, beyond)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """How many people a study took or means to take."""

    count: int
    certainty: Certainty | None = None


@dataclass(frozen=True, slots=True)
class RegistryLocation:
    """A place that the registry lists. It is internal text and never becomes a site of ours."""

    facility: str | None = None
    status: RegistryStatus | None = None
    city: str | None = None
    state: str | None = None
    postcode: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None

    def __str__(self) -> str:
        return ", ".join(
            part for part in (self.facility, self.city, self.state, self.postcode, self.country) if part
        )


class Origin(StrEnum):
    """Where a record was written: in a registry, or with the protocol itself."""

    REGISTRY = "registry"
    PROTOCOL = "protocol"


@dataclass(frozen=True, slots=True)
class RecordCode:
    """A code that somebody put beside a text, with the words of its system; none of our criteria reads it."""

    system: str
    code: str
    release: str = ""
    words: str = ""

    def __str__(self) -> str:
        return f"{self.code} ({self.system})"


@dataclass(frozen=True, slots=True)
class RecordCohort:
    """A group of participants; ``criteria`` are places among the record's, ``demands`` are texts of its own."""

    id: str
    name: str
    criteria: tuple[int, ...] = ()
    demands: tuple[str, ...] = ()
    minimum_age: RegistryAge | None = None
    maximum_age: RegistryAge | None = None
    sex: RegistrySex | None = None

    def __str__(self) -> str:
        ages = " to ".join(age.text for age in (self.minimum_age, self.maximum_age) if age)
        return "; ".join(part for part in (self.name, ages, self.sex or "", *self.demands) if part)


@dataclass(frozen=True, slots=True)
class Amendment:
    """A change of the protocol, as its authors number and sum it up."""

    number: str
    summary: str = ""
    date: PartialDate | None = None

    def __str__(self) -> str:
        return ", ".join(part for part in (self.number, str(self.date or ""), self.summary) if part)


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """One study as a registry describes it.

    Absent is not "no": ``healthy_volunteers`` and the ages are ``None`` where the registry is silent.
    ``criteria_text`` is the eligibility text as sent, ``criteria`` the same cut into pieces.
    ``nct_id`` is empty where a protocol has no number of ClinicalTrials.gov (yet). ``criterion_codes`` name a
    criterion by its place.
    """

    nct_id: str
    brief_title: str
    status: RegistryStatus
    nct_aliases: tuple[str, ...] = ()
    org_study_id: RegistryIdentifier | None = None
    secondary_ids: tuple[RegistryIdentifier, ...] = ()
    official_title: str | None = None
    acronym: str | None = None
    organisation: Organisation | None = None
    sponsor: Organisation | None = None
    collaborators: tuple[Organisation, ...] = ()
    last_known_status: RegistryStatus | None = None
    why_stopped: str | None = None
    dates: RegistryDates = RegistryDates()
    study_type: StudyType | None = None
    phases: tuple[Phase, ...] = ()
    conditions: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    brief_summary: str | None = None
    detailed_description: str | None = None
    enrolment: Enrolment | None = None
    minimum_age: RegistryAge | None = None
    maximum_age: RegistryAge | None = None
    sex: RegistrySex | None = None
    gender_based: bool | None = None
    gender_description: str | None = None
    healthy_volunteers: bool | None = None
    study_population: str | None = None
    criteria_text: str = ""
    criteria: tuple[TextCriterion, ...] = ()
    locations: tuple[RegistryLocation, ...] = ()
    lists_contacts: bool = False
    origin: Origin = Origin.REGISTRY
    protocol_version: str | None = None
    amendments: tuple[Amendment, ...] = ()
    codes: tuple[RecordCode, ...] = ()
    criterion_codes: tuple[tuple[int, RecordCode], ...] = ()
    cohorts: tuple[RecordCohort, ...] = ()


@cache
def _adapter() -> TypeAdapter[StudyRecord]:
    """Make what reads and writes a record, when one is met: a start meets none."""
    return TypeAdapter(StudyRecord)


def stored(record: StudyRecord) -> dict[str, object]:
    """Give a record as plain JSON values, to be kept beside the import it came with."""
    return cast(dict[str, object], _adapter().dump_python(record, mode="json"))


def restored(document: Mapping[str, object]) -> StudyRecord:
    """Read a record back from what ``stored`` gave.

    :raises InvalidRecord: where it has another shape, with the field.
    """
    try:
        return _adapter().validate_python(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InvalidRecord(".".join(str(step) for step in first["loc"]), first["msg"]) from None
