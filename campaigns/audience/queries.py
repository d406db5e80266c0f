"""Choose who gets a message, and read campaigns. Names, numbers and verdicts never come into it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from campaigns.audience.criteria import TRIAGES, Criteria, WaitingStage
from campaigns.audience.models import Audience, Campaign
from campaigns.scoping import studies_within, within
from recruit.accounts.policy import Scope
from recruit.contact.models import Communication, Consent, ContactChannel, Suppression
from recruit.contact.policy import MessagePurpose
from recruit.contact.queries import covering_consent
from recruit.contact.wordings import wordings
from recruit.db import found
from recruit.errors import NotFound
from recruit.matching.models import Match
from recruit.materials.models import Material, MaterialKind, MaterialState, MaterialVersion
from recruit.people.models import ContactKind, ContactPoint, LineType, Person, PersonContact
from recruit.studies.models import Study, StudySite
from screening.verdict import Disposition

ACKNOWLEDGEMENT = "acknowledgement"
"""The name of the material that answers a submission; it is sent by itself, never by a campaign."""
_USABLE = (MaterialState.APPROVED, MaterialState.IN_USE)


@dataclass(frozen=True, slots=True)
class Chosen:
    """One member of an audience to be."""

    person_id: UUID
    contact_point_id: UUID
    study_site_id: UUID | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One person in one study who stands where the criteria say."""

    person_id: UUID
    study_site_id: UUID | None
    language: str


@dataclass(frozen=True, slots=True)
class CampaignLine:
    """One campaign as a list shows it."""

    campaign: Campaign
    study: str
    size: int
    handed_over: bool


def choose(
    session: Session, study_id: UUID, criteria: Criteria, scope: Scope, *, language: str, at: datetime
) -> tuple[list[Chosen], Counter[str]]:
    """Choose whom a text goes to; say for how many it does not, and why.

    One person is written to once, and so is one number, however many share it.

    :raises NotFound: a handed-over reference that is not of this study or not within the scope
    """
    candidates = _candidates(session, study_id, criteria, scope, at=at)
    if criteria.reference is not None and not candidates:
        raise NotFound("There is nobody behind this reference in this study.")
    left_out: Counter[str] = Counter()
    ids = [one.person_id for one in candidates]
    phones, consents = _phones(session, ids), _consents(session, ids)
    chosen: list[Chosen] = []
    used: set[UUID] = set()
    ruling = wordings(session)
    for one in candidates:
        reachable = [
            point_id
            for point_id in phones.get(one.person_id, ())
            if covering_consent(
                consents.get(one.person_id, ()),
                channel=ContactChannel.SMS,
                contact_point_id=point_id,
                study_id=study_id,
                purpose=MessagePurpose.INVITATION,
                on=at.date(),
                wordings=ruling,
            )
        ]
        if one.language != language:
            left_out["other_language"] += 1
        elif one.person_id not in phones:
            left_out["no_number"] += 1
        elif not reachable:
            left_out["no_consent"] += 1
        elif reachable[0] in used:
            left_out["same_number"] += 1
        else:
            used.add(reachable[0])
            chosen.append(Chosen(one.person_id, reachable[0], one.study_site_id))
    return chosen, left_out


def approved_texts(session: Session, scope: Scope) -> list[tuple[MaterialVersion, Material, Study]]:
    """List the texts that may be chosen for a campaign, by study and name."""
    studies = {study.id: study for study in studies_within(session, scope)}
    rows = session.execute(
        sa.select(MaterialVersion, Material)
        .join(Material, Material.id == MaterialVersion.material_id)
        .where(Material.kind == MaterialKind.SMS, Material.study_id.in_(studies))
        .where(MaterialVersion.state.in_(_USABLE), sa.func.lower(Material.name) != ACKNOWLEDGEMENT)
        .order_by(Material.name, MaterialVersion.language, MaterialVersion.number.desc())
    ).all()
    lines = [
        (row.MaterialVersion, row.Material, studies[row.Material.study_id])
        for row in rows
        if row.Material.study_id in studies
    ]
    return sorted(lines, key=lambda line: line[2].nickname)


def version_in_use(session: Session, material_version_id: UUID, *, study_id: UUID) -> MaterialVersion:
    """Fetch a text of a study.

    :raises NotFound: there is no such text in this study
    """
    version = found(session, MaterialVersion, material_version_id)
    material = found(session, Material, version.material_id)
    if material.study_id != study_id or material.kind is not MaterialKind.SMS:
        raise NotFound("There is no such text in this study.")
    return version


def list_campaigns(session: Session, scope: Scope) -> list[CampaignLine]:
    """List the campaigns of the studies that a scope reaches into, newest first."""
    names = {study.id: study.nickname for study in studies_within(session, scope)}
    rows = session.execute(
        sa.select(Campaign, Audience)
        .join(Audience, Audience.id == Campaign.audience_id)
        .where(Campaign.study_id.in_(names))
        .order_by(Campaign.created_at.desc(), Campaign.id)
    ).all()
    return [
        CampaignLine(row.Campaign, names[row.Campaign.study_id], row.Audience.size, row.Audience.handed_over)
        for row in rows
    ]


def _candidates(
    session: Session, study_id: UUID, criteria: Criteria, scope: Scope, *, at: datetime
) -> list[Candidate]:
    """List who stands where the criteria say: never somebody ruled out, erased, or of test traffic."""
    rows = session.execute(
        sa.select(Match.person_id, Match.study_site_id, Person.language)
        .join(Person, Person.id == Match.person_id)
        .outerjoin(StudySite, StudySite.id == Match.study_site_id)
        .where(Match.study_id == study_id, Match.is_test.is_(False), Person.is_test.is_(False))
        .where(Person.erased_at.is_(None), Person.merged_into_id.is_(None), Person.do_not_contact_at.is_(None))
        .where(within(scope, Match.study_id, StudySite.site_id))
        .where(*_conditions(criteria, at=at))
        .order_by(Match.arrived_at, Match.id)
    )
    return [Candidate(person_id, site_id, language) for person_id, site_id, language in rows]


def _conditions(criteria: Criteria, *, at: datetime) -> Iterable[sa.ColumnElement[bool]]:
    if criteria.reference is not None:
        yield Match.id == criteria.reference
        return
    yield Match.effective_disposition.is_distinct_from(Disposition.INELIGIBLE)
    stages = criteria.stages or tuple(WaitingStage)
    reopened = sa.and_(
        Match.triage.in_(TRIAGES[WaitingStage.NOT_REACHED]), Match.closed_reason == "could_not_reach"
    )
    waiting = [triage for stage in stages if stage is not WaitingStage.NOT_REACHED for triage in TRIAGES[stage]]
    yield sa.or_(Match.triage.in_(waiting), reopened if WaitingStage.NOT_REACHED in stages else sa.false())
    if criteria.source_link_ids:
        yield Match.first_source_link_id.in_(criteria.source_link_ids)
    if criteria.quiet_days is not None:
        yield ~sa.exists().where(
            Communication.person_id == Match.person_id,
            Communication.at > at - timedelta(days=criteria.quiet_days),
        )


def _phones(session: Session, person_ids: list[UUID]) -> dict[UUID, list[UUID]]:
    """List each person's verified numbers that take texts and are not closed, the preferred one first."""
    closed = sa.exists().where(
        Suppression.address_token == ContactPoint.address_token,
        Suppression.channel == ContactChannel.SMS,
        Suppression.lifted_at.is_(None),
    )
    rows = session.execute(
        sa.select(PersonContact.person_id, ContactPoint.id)
        .join(ContactPoint, ContactPoint.id == PersonContact.contact_point_id)
        .where(PersonContact.person_id.in_(person_ids), PersonContact.ended_at.is_(None))
        .where(PersonContact.verified_at.is_not(None), ContactPoint.kind == ContactKind.PHONE)
        .where(ContactPoint.line_type != LineType.LANDLINE, ~closed)
        .order_by(PersonContact.preferred.desc(), PersonContact.added_at, PersonContact.id)
    )
    phones: dict[UUID, list[UUID]] = defaultdict(list)
    for person_id, point_id in rows:
        phones[person_id].append(point_id)
    return dict(phones)


def _consents(session: Session, person_ids: list[UUID]) -> dict[UUID, list[Consent]]:
    """Collect each person's consents; ``covering_consent`` lets the last one count."""
    rows = session.scalars(
        sa.select(Consent).where(Consent.person_id.in_(person_ids)).order_by(Consent.at, Consent.id)
    )
    consents: dict[UUID, list[Consent]] = defaultdict(list)
    for row in rows:
        consents[row.person_id].append(row)
    return dict(consents)
