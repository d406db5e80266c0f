"""Studies, their cohorts and their own facts: made and changed by coordinators."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit import events
from recruit.db import found, locked
from recruit.errors import Invalid, NotPermitted, Refused
from recruit.ids import new_id
from recruit.studies import naming
from recruit.studies.details import free_slug, require_count, require_plain, require_same, write
from recruit.studies.models import (
    Cohort,
    EnrolmentCounts,
    Study,
    StudyFactKey,
    StudyIdentifier,
    StudySite,
    StudySiteStatus,
    StudyStatus,
)
from screening.errors import InvalidVocabulary
from screening.slips import N_
from screening.vocabulary import STUDY_PREFIX, packaged_vocabulary, read_key

CLINICALTRIALS_GOV = "ClinicalTrials.gov"
MOST = 2_000_000_000
_NCT = re.compile(r"NCT\d{8}", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][A-Za-z]{1,3})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_STATUS_MOVES = {
    StudyStatus.DRAFT: frozenset({StudyStatus.CLOSED}),
    StudyStatus.OPEN: frozenset({StudyStatus.CLOSED}),
    StudyStatus.CLOSED: frozenset({StudyStatus.OPEN, StudyStatus.DRAFT}),
}


@dataclass(frozen=True, slots=True)
class Visits:
    """What taking part asks of somebody's time."""

    number: int | None = None
    first_minutes: int | None = None
    duration: str = ""
    overnight: bool = False
    procedures: str = ""

    def document(self) -> dict[str, object]:
        """Give what is stored; what is not known is left out."""
        known = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in known.items() if value not in (None, "", False)}


def visits_of(study: Study) -> Visits:
    """Read what a study asks of somebody's time."""
    known = study.visits
    number, minutes = known.get("number"), known.get("first_minutes")
    return Visits(
        number=number if isinstance(number, int) else None,
        first_minutes=minutes if isinstance(minutes, int) else None,
        duration=str(known.get("duration", "")),
        overnight=known.get("overnight") is True,
        procedures=str(known.get("procedures", "")),
    )


@dataclass(frozen=True, slots=True)
class StudyDetails:
    """Everything about a study that a coordinator fills in; what participants read is a material."""

    title: str
    protocol_number: str
    nickname: str
    neutral_names: Mapping[str, str] = field(default_factory=dict)
    sponsor: str = ""
    cro: str = ""
    phase: str = ""
    indication: str = ""
    healthy_volunteers: bool | None = None
    planned_enrolment: int | None = None
    recruit_from: date | None = None
    recruit_until: date | None = None
    competitive: bool = False
    screen_limit: int | None = None
    randomise_limit: int | None = None
    enrolment_counts: EnrolmentCounts = EnrolmentCounts.RANDOMISED
    rescreen_times: int = 0
    rescreen_after_days: int = 0
    study_partner_needed: bool = False
    icf_languages: tuple[str, ...] = ()
    visits: Visits = Visits()
    registry_allowed: bool = False
    offer_other_studies: bool = False
    offer_sponsors: tuple[str, ...] = ()
    screened_out_days: int = 90
    budget_minor: int | None = None
    currency: str = "USD"
    safety_contact: str = ""
    safety_deputy: str = ""
    lead_owner_id: UUID | None = None
    lead_site_id: UUID | None = None
    is_test: bool = False


_NEEDED = {
    "title": N_("Enter the study's title."),
    "protocol_number": N_("Enter the study's protocol number."),
    "nickname": N_("Enter the study's short name."),
}
_SIZES = {
    "title": 2_000,
    "protocol_number": 80,
    "nickname": 80,
    "sponsor": 2_000,
    "cro": 200,
    "phase": 80,
    "indication": 20_000,
    "safety_contact": 200,
    "safety_deputy": 200,
}
_COUNTS = {
    "planned_enrolment": (1, 10_000_000),
    "screen_limit": (1, 10_000_000),
    "randomise_limit": (1, 10_000_000),
    "rescreen_times": (0, 99),
    "rescreen_after_days": (0, 3_650),
    "screened_out_days": (1, 3_650),
    "budget_minor": (0, MOST),
}


def create_study(
    session: Session,
    details: StudyDetails,
    *,
    at: datetime,
    slug: str = "",
    identifiers: Sequence[tuple[str, str]] = (),
) -> Study:
    """Begin a study as a draft; its address is made of the neutral or short name where none is given.

    :raises Invalid: naming the field that is wrong
    :raises Refused: another study has the same number at ClinicalTrials.gov
    """
    check_details(details)
    study = Study(
        id=new_id(),
        slug=free_slug(session, Study, slug or naming.any_name(details.neutral_names) or details.nickname),
        status=StudyStatus.DRAFT,
        created_at=at,
    )
    _write(study, details)
    session.add(study)
    session.flush()
    set_identifiers(session, study.id, identifiers)
    events.record(session, "study.created", subject=("study", study.id), happened_on=at.date(), at=at,
                  happened_at=at, study_id=study.id)  # fmt: skip
    return study


def save_study(session: Session, study_id: UUID, details: StudyDetails, *, seen: int | None = None) -> Study:
    """Change a study's details.

    :param seen: the row's version number that the editor saw
    :raises Invalid: naming the field that is wrong
    :raises Conflict: somebody else saved in the meantime
    """
    check_details(details)
    study = locked(session, Study, study_id)
    require_same(study.version, seen)
    _write(study, details)
    session.flush()
    return study


def details_of(study: Study) -> StudyDetails:
    """Give what a coordinator has filled in, to be shown in a form or changed in part."""
    values = {one.name: getattr(study, one.name) for one in fields(StudyDetails)}
    values["neutral_names"] = dict(study.neutral_names)
    values["icf_languages"] = tuple(study.icf_languages)
    values["offer_sponsors"] = tuple(study.offer_sponsors)
    return StudyDetails(**{**values, "visits": visits_of(study)})


def check_details(details: StudyDetails) -> None:
    """Check what was filled in.

    :raises Invalid: naming the first field that is wrong
    """
    for name, sentence in _NEEDED.items():
        if not getattr(details, name).strip():
            raise Invalid(sentence, field=name)
    for name, most in _SIZES.items():
        require_plain(getattr(details, name), name, most=most)
    _check_names(details.neutral_names)
    for name, (least, most) in _COUNTS.items():
        require_count(getattr(details, name), name, least=least, most=most)
    if details.recruit_from and details.recruit_until and details.recruit_until < details.recruit_from:
        raise Invalid("Recruitment cannot end before it begins.", field="recruit_until")
    if details.rescreen_times and not details.rescreen_after_days:
        raise Invalid("Say after how many days somebody may be screened again.", field="rescreen_after_days")
    for language in details.icf_languages:
        if not _LANGUAGE.fullmatch(language):
            raise Invalid("Write languages as short codes, such as en or es.", field="icf_languages")
    if not _CURRENCY.fullmatch(details.currency):
        raise Invalid("Write the currency with three capital letters, such as USD.", field="currency")
    _check_visits(details.visits)


def set_status(session: Session, study_id: UUID, target: StudyStatus, *, at: datetime) -> Study:
    """Close a study, or take that back; a study opens when its first site is activated.

    :raises NotPermitted: the status does not follow from the present one
    :raises Refused: a site is still activated
    """
    study = locked(session, Study, study_id)
    if target not in _STATUS_MOVES[study.status]:
        raise NotPermitted(
            "A study that is %(now)s cannot become %(target)s.",
            values={"now": study.status.value, "target": target.value},
        )
    activated = sa.select(StudySite.id).where(
        StudySite.study_id == study.id, StudySite.status == StudySiteStatus.ACTIVATED
    )
    has_open_site = session.scalar(activated.limit(1)) is not None
    if target is StudyStatus.CLOSED and has_open_site:
        raise Refused("Pause or close enrolment at every site first: somebody could still be called.")
    was_opened = sa.select(StudySite.id).where(
        StudySite.study_id == study.id, StudySite.activated_at.is_not(None)
    )
    if target is not StudyStatus.CLOSED:
        ever = session.scalar(was_opened.limit(1)) is not None
        target = StudyStatus.OPEN if ever else StudyStatus.DRAFT
    study.status = target
    session.flush()
    events.record(session, f"study.{target.value}", subject=("study", study.id), happened_on=at.date(), at=at,
                  happened_at=at, study_id=study.id)  # fmt: skip
    return study


def set_identifiers(session: Session, study_id: UUID, identifiers: Sequence[tuple[str, str]]) -> None:
    """Replace a study's names in other systems by these pairs of system and value.

    :raises Invalid: one is empty or too long, or no number of ClinicalTrials.gov
    :raises Refused: another study has the same number at ClinicalTrials.gov
    """
    wanted = list(dict.fromkeys((system.strip(), value.strip()) for system, value in identifiers))
    for system, value in wanted:
        _check_identifier(session, study_id, system, value)
    rows = session.scalars(sa.select(StudyIdentifier).where(StudyIdentifier.study_id == study_id)).all()
    held = {(row.system, row.value): row for row in rows}
    for pair, row in held.items():
        if pair not in wanted:
            session.delete(row)
    session.flush()
    session.add_all(
        StudyIdentifier(id=new_id(), study_id=study_id, system=system, value=value)
        for system, value in wanted
        if (system, value) not in held
    )
    session.flush()


def save_cohort(
    session: Session,
    study_id: UUID,
    code: str,
    *,
    name: str,
    cap: int | None = None,
    is_open: bool = True,
    seen: int | None = None,
) -> Cohort:
    """Add a cohort or change the one with this code; the code is the protocol's.

    Nobody is judged again here: ``recruit.matching.cohorts`` does both.

    :raises Invalid: naming the field that is wrong
    :raises Conflict: somebody else saved in the meantime
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", code, re.ASCII):
        raise Invalid("Use letters, digits, dots and dashes for the cohort's code.", field="code")
    if not name.strip():
        raise Invalid("Enter the cohort's name.", field="name")
    require_plain(name, "name", most=200)
    require_count(cap, "cap", least=1, most=10_000_000)
    locked(session, Study, study_id)
    cohort = session.scalar(sa.select(Cohort).where(Cohort.study_id == study_id, Cohort.code == code))
    if cohort is None:
        cohort = Cohort(id=new_id(), study_id=study_id, code=code, name="")
        session.add(cohort)
    else:
        require_same(cohort.version, seen)
    cohort.name, cohort.cap, cohort.is_open = name.strip(), cap, is_open
    session.flush()
    return cohort


def add_fact_key(
    session: Session, study_id: UUID, document: dict[str, object], *, name: str, at: datetime
) -> StudyFactKey:
    """Add a fact that only this study asks about, named ``study.<slug>``.

    A key never changes once it stands: criteria and answers rest on what it says.

    :raises Invalid: the name is taken or outside the study's own space, or the description contradicts itself
    """
    full = name if name.startswith(STUDY_PREFIX) else f"{STUDY_PREFIX}{name}"
    try:
        key = read_key(full, document)
        packaged_vocabulary().extended([key])
    except InvalidVocabulary as error:
        raise Invalid("This fact cannot be added: %(why)s.", field="name", values={"why": error}) from None
    locked(session, Study, study_id)
    taken = sa.select(StudyFactKey.id).where(StudyFactKey.study_id == study_id, StudyFactKey.name == full)
    if session.scalar(taken) is not None:
        raise Invalid("This study has a fact of that name already.", field="name")
    row = StudyFactKey(id=new_id(), study_id=study_id, name=full, document=document, created_at=at)
    session.add(row)
    session.flush()
    session.info.pop("vocabularies", None)  # recruit.vocabulary stands above this module
    return row


def _write(study: Study, details: StudyDetails) -> None:
    write(study, details)
    study.visits = details.visits.document()
    study.neutral_names = {
        language: name.strip() for language, name in details.neutral_names.items() if name.strip()
    }


def _check_names(names: Mapping[str, str]) -> None:
    for language, name in names.items():
        if not _LANGUAGE.fullmatch(language):
            raise Invalid("Write languages as short codes, such as en or es.", field="neutral_names")
        require_plain(name, f"neutral_name_{language}", most=80)


def _check_visits(visits: Visits) -> None:
    require_count(visits.number, "visits_number", least=1, most=500)
    require_count(visits.first_minutes, "visits_first_minutes", least=1, most=10_000)
    require_plain(visits.duration, "visits_duration", most=200)
    require_plain(visits.procedures, "visits_procedures", most=2_000)


def _check_identifier(session: Session, study_id: UUID, system: str, value: str) -> None:
    if not system or not value:
        raise Invalid("Give both the system and the study's number in it.", field="identifiers")
    require_plain(system, "identifiers", most=300)
    require_plain(value, "identifiers", most=300)
    if system != CLINICALTRIALS_GOV:
        return
    if not _NCT.fullmatch(value):
        raise Invalid("A number of ClinicalTrials.gov is NCT and eight digits.", field="identifiers")
    other = session.scalar(
        sa.select(StudyIdentifier.study_id).where(
            StudyIdentifier.system == system,
            StudyIdentifier.value == value,
            StudyIdentifier.study_id != study_id,
        )
    )
    if other is not None:
        raise Refused("Another study has the number %(number)s.", values={"number": value})


def study_named(session: Session, system: str, value: str) -> Study | None:
    """Find the study with a name in somebody's system."""
    key = session.scalar(
        sa.select(StudyIdentifier.study_id)
        .where(StudyIdentifier.system == system, StudyIdentifier.value == value)
        .limit(1)
    )
    return found(session, Study, key) if key is not None else None
