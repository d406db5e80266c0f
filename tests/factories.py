"""Make the things a test is about; each function names only what matters and fills in the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import count
from uuid import UUID

from sqlalchemy.orm import Session

from recruit.accounts.models import Account, AccountStatus, Grant, Role
from recruit.db import Database
from recruit.ids import new_id
from recruit.keys import Owner, vault_of
from recruit.materials import queries as material_queries
from recruit.materials import service as materials
from recruit.materials.approvals import Decision
from recruit.materials.models import Approval, Determination, MaterialKind, MaterialState
from recruit.studies import activation, places, publishing, questions, versions
from recruit.studies import service as study_service
from recruit.studies.defaults import Told
from recruit.studies.models import (
    ProtocolVersion,
    QuestionnaireVersion,
    Site,
    SiteHours,
    SitePersonRole,
    Study,
    StudySite,
    StudySiteStatus,
    StudyStatus,
)
from recruit.studies.places import StudySiteDetails
from recruit.studies.service import StudyDetails
from recruit.vocabulary import terms, vocabulary_of
from screening.language.protocol import Criterion, CriterionKind, Protocol, read_protocol

AT = datetime(2026, 11, 2, 15, 0, tzinfo=UTC)
_numbers = count(1)


def make_site(session: Session, *, name: str = "", zone: str = "America/New_York", **fields: object) -> Site:
    """Make a site that is open on weekdays from 9 to 17."""
    number = next(_numbers)
    values: dict[str, object] = {"languages": ["en", "es"], "created_at": AT, "postcode": "33101", **fields}
    site = Site(slug=f"site-{number}", name=name or f"Site {number}", zone=zone, **values)
    session.add(site)
    session.flush()
    session.add_all(SiteHours(site_id=site.id, weekday=day, opens=time(9), closes=time(17)) for day in range(5))
    session.flush()
    return site


def make_study(session: Session, *, status: StudyStatus = StudyStatus.OPEN, **fields: object) -> Study:
    """Make a study with nothing approved yet."""
    number = next(_numbers)
    values: dict[str, object] = {
        "slug": f"study-{number}",
        "title": f"A study of treatment {number}",
        "protocol_number": f"TR-{number:03}",
        "nickname": f"STUDY-{number}",
        "neutral_names": {"en": f"health study {number}", "es": f"estudio de salud {number}"},
        "icf_languages": ["en", "es"],
        "visits": {},
        "created_at": AT,
        **fields,
    }
    study = Study(status=status, **values)
    session.add(study)
    session.flush()
    return study


def make_study_site(
    session: Session, study: Study, site: Site, *, status: StudySiteStatus = StudySiteStatus.ACTIVATED
) -> StudySite:
    """Put a site into a study, approved for a year around the tests' day."""
    study_site = StudySite(
        study_id=study.id,
        site_id=site.id,
        status=status,
        protocol_site_number="101",
        study_phone="+15550100101",
        irb_name="Central IRB",
        irb_number="IRB-1",
        approved_on=date(2026, 1, 5),
        approval_expires_on=date(2027, 1, 4),
        activated_at=AT if status is StudySiteStatus.ACTIVATED else None,
    )
    session.add(study_site)
    session.flush()
    return study_site


def make_account(
    session: Session,
    *roles: Role,
    name: str = "Ana Staff",
    email: str = "",
    password_hash: str = "",
    site_id: UUID | None = None,
    study_id: UUID | None = None,
) -> Account:
    """Make an active account with these roles, over one site and study or over all."""
    database: Database = session.info["database"]
    email = email or f"staff{next(_numbers)}@example.org"
    key = new_id()
    vault = vault_of(session)
    vault.create_key(Owner.ACCOUNT, key)
    account = Account(
        id=key,
        email_token=database.keyring.fingerprint("account_email", email.lower()),
        email_sealed=vault.seal(key, "account", "email_sealed", key, email),
        name_sealed=vault.seal(key, "account", "name_sealed", key, name),
        password_hash=password_hash or None,
        status=AccountStatus.ACTIVE,
        created_at=AT,
    )
    session.add(account)
    session.flush()
    session.add_all(
        Grant(account_id=key, role=role, site_id=site_id, study_id=study_id, given_at=AT, given_by="test")
        for role in roles
    )
    session.flush()
    return account


@dataclass(frozen=True, slots=True)
class OpenStudy:
    """A study that takes people, with everything that stands behind it; see ``make_open_study``."""

    study: Study
    site: Site
    study_site: StudySite
    protocol: ProtocolVersion
    questionnaire: QuestionnaireVersion


OPEN_STUDY_RULES: tuple[tuple[str, str, str], ...] = (
    ("inclusion", "Men and women aged 18 to 75 years", "age between 18 and 75 years"),
    ("inclusion", "Type 2 diabetes mellitus", "condition in (E11)"),
    ("inclusion", "Body mass index of 25 to 40 kg/m2", "bmi between 25 and 40 kg/m2"),
    (
        "exclusion",
        "Heart attack within the last 6 months",
        "condition in (I21, I22) within 6 months before today",
    ),
    ("exclusion", "Pregnant", "pregnant is yes"),
    ("inclusion", "Adequate venous access in the investigator's opinion", 'site("Adequate venous access")'),
)


def make_open_study(
    session: Session,
    *,
    rules: Sequence[tuple[str, str, str]] = OPEN_STUDY_RULES,
    site: Site | None = None,
    languages: tuple[str, ...] = ("en", "es"),
    name: str = "",
    at: datetime = AT,
    **details: object,
) -> OpenStudy:
    """Make a study that takes people at one site from ``at``'s day on, through the real services.

    Each rule is (kind, verbatim text, rule in the notation; "" leaves it text). It contains, by default:

    - an age of 18 to 75 (``birth``: month and year), type 2 diabetes (``condition_diabetes``: options type_1,
      type_2, other, unknown_type, none_of_these), BMI 25 to 40 (``height``, ``weight``), no heart attack
      in 6 months (``condition_heart``, then ``condition_heart_heart_attack_last`` for its day), not pregnant
      (yes or no), and one criterion that only the site can tell. Order: birth, height, weight,
      condition_diabetes, condition_heart (and its day), pregnant;
    - a published questionnaire in English and Spanish proposed from it, with consents check_answers, contact,
      voicemail and, where ``registry_allowed=True``, registry;
    - approvals of both for all of 2026 and 2027, both in force, a principal investigator, capacity, hours on
      weekdays from 9 to 17 (New York unless ``site`` says otherwise), status activated, study open;
    - a study page and a "not recruiting" text in each language, approved and in use.

    ``details`` are fields of ``StudyDetails``.
    """
    number = next(_numbers)
    neutral = {"en": name or f"health study {number}", "es": f"estudio de salud {number}"}
    given: dict[str, object] = {
        "title": f"A study of treatment {number}",
        "protocol_number": f"TR-{number:03}",
        "nickname": f"STUDY-{number}",
        "neutral_names": neutral,
        "sponsor": "Northwind Research",
        "icf_languages": languages,
        "safety_contact": "Dr. Vera Lind, +1 555 010 0190",
        "safety_deputy": "Dr. Omar Reyes, +1 555 010 0191",
        **details,
    }
    study = study_service.create_study(session, StudyDetails(**given), at=at)  # type: ignore[arg-type]
    site = site or make_site(session)
    study_site = places.add_site(session, study.id, site.id, at=at)
    prepare_study_site(session, study_site, at=at)
    protocol = make_protocol(session, study, rules, at=at)
    [draft] = versions.versions_of(session, QuestionnaireVersion, study.id)
    questionnaire = versions.publish_questionnaire(session, draft.id, at=at)
    _write_pages(session, study, languages, at=at)
    approve_everything(session, study, at=at)
    put_in_force_and_activate(session, study_site, protocol, questionnaire, at=at)
    return OpenStudy(study, site, study_site, protocol, questionnaire)


def make_protocol(
    session: Session, study: Study, rules: Sequence[tuple[str, str, str]], *, at: datetime = AT
) -> ProtocolVersion:
    """Publish a protocol version of criteria given as (kind, text, rule in the notation)."""
    criteria = tuple(
        Criterion(
            id=f"c{place}",
            number=str(place),
            kind=CriterionKind(kind),
            text=text,
            rule=versions.read_rule(session, study.id, rule) if rule else None,
        )
        for place, (kind, text, rule) in enumerate(rules, start=1)
    )
    draft = versions.draft_protocol(session, study.id, Protocol(criteria=criteria), at=at)
    return publish_criteria(session, draft, at=at)


def publish_criteria(session: Session, draft: ProtocolVersion, *, at: datetime = AT) -> ProtocolVersion:
    """Publish criteria; where the newest questions do not ask all they need, better ones are drafted first."""
    study = session.get_one(Study, draft.study_id)
    protocol, vocabulary = read_protocol(draft.document), vocabulary_of(session, study.id)
    newest = publishing.newest_questions(session, study.id)
    if publishing.unasked_facts(protocol, newest, vocabulary):
        told = Told(
            operator="Trial Recruit",
            names=study.neutral_names,
            languages=questions.languages_of(study.icf_languages),
            registry=study.registry_allowed,
        )
        document = questions.propose(protocol, told, vocabulary=vocabulary, terms=terms())
        versions.draft_questionnaire(session, study.id, document, at=at)
    return versions.publish_protocol(session, draft.id, at=at)


def prepare_study_site(session: Session, study_site: StudySite, *, at: datetime = AT) -> None:
    """Fill in everything about a study site that activation asks for, but approvals and versions."""
    details = StudySiteDetails(
        protocol_site_number="101",
        study_phone="+15550100101",
        weekly_calls=40,
        weekly_visits=8,
        target=20,
        irb_name="Central IRB",
        irb_number="IRB-1",
        approved_on=date(2026, 1, 5),
        approval_expires_on=date(2027, 12, 31),
    )
    places.save_study_site(session, study_site.id, details)
    places.add_person(
        session,
        study_site.id,
        SitePersonRole.PRINCIPAL_INVESTIGATOR,
        "Dr. Ruth Okafor",
        tasks=("eligibility", "consent"),
        from_day=date(2026, 1, 5),
    )


def approve_everything(session: Session, study: Study, *, at: datetime = AT) -> Approval:
    """Record one approval of all that can be approved in a study, valid through 2026 and 2027, and use it."""
    decision = Decision(
        irb_name="Central IRB",
        submission_number=f"SUB-{next(_numbers)}",
        determination=Determination.APPROVED,
        decided_on=date(2026, 1, 5),
        valid_from=date(2026, 1, 1),
        valid_until=date(2027, 12, 31),
    )
    tokens = [one.token for one in materials.coverable(session, study.id)]
    approval = materials.record_approval(session, study.id, decision, tokens, at=at)
    for _, rows in material_queries.materials_of(session, study.id):
        for row in rows:
            if row.state is MaterialState.APPROVED:
                materials.move(session, row.id, MaterialState.IN_USE, at=at)
    return approval


def put_in_force_and_activate(
    session: Session,
    study_site: StudySite,
    protocol: ProtocolVersion,
    questionnaire: QuestionnaireVersion,
    *,
    at: datetime = AT,
) -> None:
    """Put versions in force from this day and take a selected site all the way to activated."""
    versions.put_in_force(
        session,
        study_site.id,
        protocol_version_id=protocol.id,
        questionnaire_version_id=questionnaire.id,
        effective_from=at.date(),
        at=at,
    )
    for status in (StudySiteStatus.START_UP, StudySiteStatus.INITIATED, StudySiteStatus.ACTIVATED):
        activation.set_status(session, study_site.id, status, at=at)


def _write_pages(session: Session, study: Study, languages: tuple[str, ...], *, at: datetime) -> None:
    texts = {
        MaterialKind.STUDY_PAGE: {
            "en": ("A health study near you", "We are looking for people who may want to take part."),
            "es": ("Un estudio de salud cerca de usted", "Buscamos personas que quieran participar."),
        },
        MaterialKind.NOT_RECRUITING: {
            "en": ("", "This study is not looking for people at the moment."),
            "es": ("", "Este estudio no busca personas en este momento."),
        },
        MaterialKind.PHONE_SCRIPT: {
            "en": (
                "",
                "Hello, this is {agent} about the health study you asked about. Is this a private time?",
            ),
            "es": ("", "Hola, soy {agent}, por el estudio de salud que pidió. ¿Puede hablar en privado?"),
        },
    }
    for kind, wordings in texts.items():
        material = materials.create(session, study.id, kind, kind.value, at=at)
        for language in languages:
            subject, body = wordings.get(language, wordings["en"])
            version = materials.write(session, material.id, language, body, subject=subject, at=at)
            for state in (MaterialState.INTERNAL_REVIEW, MaterialState.SUBMITTED):
                materials.move(session, version.id, state, at=at)
