"""Sites and studies of the demonstration, made complete through the services that coordinators use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Session

from recruit.clock import civil_day
from recruit.demo import catalogue
from recruit.demo.catalogue import SiteData, StudyData
from recruit.demo.questionnaires import LANGUAGES, document_of
from recruit.demo.world import Place, Stage
from recruit.materials import queries as material_queries
from recruit.materials import service as materials
from recruit.materials.approvals import Decision
from recruit.materials.models import Determination, MaterialKind, MaterialState, MaterialVersion
from recruit.studies import activation, importing, places, versions
from recruit.studies import service as studies
from recruit.studies.calendar import Calendar
from recruit.studies.models import (
    ProtocolVersion,
    QuestionnaireVersion,
    SitePersonRole,
    Study,
    StudySite,
    StudySiteStatus,
)
from recruit.studies.places import SiteDetails, StudySiteDetails
from recruit.studies.service import StudyDetails, Visits
from recruit.vocabulary import terms, vocabulary_of
from screening.asking.questionnaire import Document
from screening.language.notation import parse
from screening.language.protocol import Protocol

BEFORE_THE_YEAR = 400
"""How many days before the anchor the first studies were set up."""
OPENED_DAYS_AGO = {"willow": 270, "birch": 190}
"""Studies that opened within the year."""
EXPIRING = ("aspen", "Phoenix", 20)
"""Where an approval ends soon, and in how many days."""
CLOSED_DAYS_AGO = {StudySiteStatus.PAUSED: 55, StudySiteStatus.ENROLMENT_CLOSED: 80}
_WAY = (StudySiteStatus.START_UP, StudySiteStatus.INITIATED, StudySiteStatus.ACTIVATED)
_TOOK_PEOPLE = (StudySiteStatus.ACTIVATED, *CLOSED_DAYS_AGO)
_IRB = "Meridian Review Board"


def open_sites(session: Session, *, at: datetime) -> dict[str, UUID]:
    """Make the sites; return them by city."""
    years = {at.year - 1, at.year, at.year + 1}
    closed = {day: why for year in sorted(years) for day, why in catalogue.holidays(year).items()}
    made = {}
    for data in catalogue.sites():
        shared = {name: getattr(data, name) for name in SiteDetails.__slots__ if name in SiteData.model_fields}
        site = places.create_site(session, SiteDetails(**shared), at=at)
        places.set_hours(session, site.id, data.hours)
        places.set_closed_days(session, site.id, closed)
        made[data.city] = site.id
    return made


def open_study(session: Session, key: str, sites: dict[str, UUID], *, operator: str, now: datetime) -> Stage:
    """Set up one study with everything approved, and open it at its sites."""
    data = catalogue.study(key)
    days = OPENED_DAYS_AGO.get(key, BEFORE_THE_YEAR)
    at = now - timedelta(days=days)
    study = _begin(session, key, data, at=at)
    protocol, version_id, document = _criteria(session, study, key, data, operator=operator, at=at)
    _texts(session, study, data, at=at)
    _approve(session, study, at=at, until=(now + timedelta(days=240)).date())
    _use_texts(session, study, at=at)
    here = [site for site in catalogue.sites() if key in site.studies]
    opened = [
        _open_place(session, study, number, site, sites[site.city], at=at, now=now)
        for number, site in enumerate(here, start=1)
    ]
    return Stage(key, study.id, data, version_id, document, protocol, tuple(opened), at)


def import_from_registry(session: Session, *, at: datetime) -> Study:
    """Import a record that nobody has worked on yet, so that a coordinator has something to do."""
    parsed = importing.parse(catalogue.text("registry.json").encode())
    return importing.import_record(session, parsed[0], filename="hazel.json", at=at).study


def close_places(session: Session, stages: Sequence[Stage], *, now: datetime) -> None:
    """Pause and close the places that no longer take people; to be done when their people have come."""
    for stage in stages:
        for place in stage.places:
            if place.status in CLOSED_DAYS_AGO:
                activation.set_status(session, place.study_site_id, place.status, at=place.closes)


def _begin(session: Session, key: str, data: StudyData, *, at: datetime) -> Study:
    shared = {name: getattr(data, name) for name in StudyDetails.__slots__ if name in StudyData.model_fields}
    visits = Visits(**data.visits.model_dump())
    details = StudyDetails(
        **{
            **shared,
            "visits": visits,
            "icf_languages": LANGUAGES,
            "recruit_from": at.date(),
            "recruit_until": (at + timedelta(days=730)).date(),
            "screen_limit": data.planned_enrolment * 3,
            "randomise_limit": data.planned_enrolment,
        }
    )
    study = studies.create_study(session, details, slug=key, at=at)
    for cohort in data.cohorts:
        studies.save_cohort(session, study.id, cohort.code, name=cohort.name, cap=cohort.cap)
    for fact in data.facts:
        described = {name: value for name, value in fact.items() if name != "name"}
        studies.add_fact_key(session, study.id, described, name=str(fact["name"]), at=at)
    return study


def _criteria(
    session: Session, study: Study, key: str, data: StudyData, *, operator: str, at: datetime
) -> tuple[Protocol, UUID, Document]:
    vocabulary = vocabulary_of(session, study.id)
    protocol = parse(catalogue.text(f"{key}.protocol"), vocabulary=vocabulary, terms=terms())
    draft = versions.draft_protocol(session, study.id, protocol, at=at, label="Protocol 2.0")
    document = document_of(data, protocol, operator=operator, vocabulary=vocabulary, terms=terms())
    questions = versions.draft_questionnaire(session, study.id, document, at=at, label="Screener 1.0")
    versions.publish_protocol(session, draft.id, at=at)
    versions.publish_questionnaire(session, questions.id, at=at)
    return protocol, questions.id, document


def _texts(session: Session, study: Study, data: StudyData, *, at: datetime) -> None:
    def write(kind: MaterialKind, name: str, wordings: dict[str, tuple[str, str]]) -> None:
        material = materials.create(session, study.id, kind, name, at=at)
        for language, (subject, body) in wordings.items():
            version = materials.write(session, material.id, language, body, subject=subject, at=at)
            _submit(session, version, at=at)

    pages = {language: (page.title, page.body) for language, page in data.page.items()}
    write(MaterialKind.STUDY_PAGE, "study page", pages)
    write(MaterialKind.PAYMENT, "payment", {language: ("", body) for language, body in data.payment.items()})
    for text in catalogue.materials():
        wordings = {
            language: (text.subject.get(language, ""), text.body(language, name=data.neutral_names[language]))
            for language in LANGUAGES
        }
        write(text.kind, text.name, wordings)


def _submit(session: Session, version: MaterialVersion, *, at: datetime) -> None:
    for state in (MaterialState.INTERNAL_REVIEW, MaterialState.SUBMITTED):
        materials.move(session, version.id, state, at=at)


def _approve(session: Session, study: Study, *, at: datetime, until: date) -> None:
    decision = Decision(
        irb_name=_IRB,
        submission_number=f"{study.protocol_number}-INIT",
        determination=Determination.APPROVED,
        decided_on=at.date() - timedelta(days=3),
        valid_from=at.date() - timedelta(days=3),
        valid_until=until,
    )
    tokens = [one.token for one in materials.coverable(session, study.id)]
    materials.record_approval(session, study.id, decision, tokens, at=at)


def _use_texts(session: Session, study: Study, *, at: datetime) -> None:
    for _, rows in material_queries.materials_of(session, study.id):
        for row in rows:
            materials.move(session, row.id, MaterialState.IN_USE, at=at)


def _open_place(
    session: Session, study: Study, number: int, data: SiteData, site_id: UUID, *, at: datetime, now: datetime
) -> Place:
    """Put a site into the study and take it as far as it has come."""
    status = data.studies[study.slug]
    study_site = places.add_site(session, study.id, site_id, at=at)
    took_people = status in _TOOK_PEOPLE
    if took_people or status is StudySiteStatus.INITIATED:
        _describe(session, study, study_site, number, data, at=at, now=now)
    if took_people:
        _put_in_force(session, study, study_site, civil_day(at, data.zone), at=at)
    for step in _WAY[: _steps(status)]:
        activation.set_status(session, study_site.id, step, at=at)
    closes = now + timedelta(days=1)
    if not took_people:
        closes = at
    elif status in CLOSED_DAYS_AGO:
        closes = now - timedelta(days=CLOSED_DAYS_AGO[status])
    years = (at.year, at.year + 1, at.year + 2)
    closed = [day for year in years for day in catalogue.holidays(year)]
    calendar = Calendar.of(data.zone, data.hours, closed)
    return Place(study_site.id, site_id, data, calendar, status, at, closes)


def _steps(status: StudySiteStatus) -> int:
    """Say how many steps towards activation a site has taken."""
    if status in _TOOK_PEOPLE:
        return len(_WAY)
    return _WAY.index(status) + 1 if status in _WAY else 0


def _describe(
    session: Session,
    study: Study,
    study_site: StudySite,
    number: int,
    data: SiteData,
    *,
    at: datetime,
    now: datetime,
) -> None:
    key, city, days = EXPIRING
    days = days if (study.slug, data.city) == (key, city) else 150 + 20 * number
    details = StudySiteDetails(
        protocol_site_number=f"{100 + number}",
        study_phone=data.phone,
        weekly_calls=60,
        weekly_visits=12,
        target=max(10, (study.planned_enrolment or 60) // 4),
        target_by=(now + timedelta(days=200)).date(),
        reimbursed_screen_fail_ratio=Decimal(3),
        irb_name=_IRB,
        irb_number=f"MRB-{study.protocol_number}",
        approved_on=at.date() - timedelta(days=3),
        approval_expires_on=civil_day(now, data.zone) + timedelta(days=days),
    )
    places.save_study_site(session, study_site.id, details)
    places.add_person(
        session,
        study_site.id,
        SitePersonRole.PRINCIPAL_INVESTIGATOR,
        data.investigator,
        tasks=("eligibility", "consent"),
        trained_on=at.date() - timedelta(days=10),
        from_day=at.date(),
    )


def _put_in_force(session: Session, study: Study, study_site: StudySite, day: date, *, at: datetime) -> None:
    protocol = versions.newest_published(session, ProtocolVersion, study.id)
    questionnaire = versions.newest_published(session, QuestionnaireVersion, study.id)
    if protocol is None or questionnaire is None:
        raise RuntimeError("a study of the demonstration has no published version")
    versions.put_in_force(
        session,
        study_site.id,
        protocol_version_id=protocol.id,
        questionnaire_version_id=questionnaire.id,
        effective_from=day,
        at=at,
    )
