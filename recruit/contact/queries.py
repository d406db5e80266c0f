"""Read consents, closed addresses and the timeline, and collect what the contact policy asks for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.addresses import find_place
from recruit.clock import civil_day
from recruit.contact.hours import Place, packaged_rules, places_of
from recruit.contact.models import (
    Communication,
    Consent,
    ConsentScope,
    ContactChannel,
    Direction,
    Purpose,
    Suppression,
    SuppressionReason,
)
from recruit.contact.policy import (
    Facts,
    MessagePurpose,
    Rules,
    StudyStanding,
    WordingStanding,
)
from recruit.contact.wordings import Wordings, wordings
from recruit.db import found
from recruit.errors import Unreadable
from recruit.keys import vault_of
from recruit.materials.models import (
    Approval,
    ApprovalItem,
    ApprovalSite,
    ApprovedKind,
    MaterialState,
    MaterialVersion,
)
from recruit.operations.models import Installation
from recruit.people import queries as people
from recruit.people.models import ContactKind, ContactPoint, LineType, Person, PersonContact
from recruit.studies import queries as studies
from recruit.studies.models import Site, Study, StudySite, StudySiteStatus, StudyStatus

RULES = Rules(hours=packaged_rules())
_USABLE = (MaterialState.APPROVED, MaterialState.IN_USE)
_GONE = (MaterialState.SUPERSEDED, MaterialState.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class About:
    """The message that the policy is asked about."""

    purpose: MessagePurpose
    channel: ContactChannel
    person_id: UUID | None
    contact_point_id: UUID
    sending_epoch: int
    study_id: UUID | None = None
    study_site_id: UUID | None = None
    material_version_id: UUID | None = None
    material_sha256: str = ""
    language: str = "en"


def standing_consents(session: Session, members: Collection[UUID]) -> list[Consent]:
    """List what holds: the last row for each channel, purpose and scope of a person's entries.

    Yes and no are both listed; a withdrawal is a row like any other.
    """
    rows = session.scalars(
        sa.select(Consent).where(Consent.person_id.in_(members)).order_by(Consent.at, Consent.id)
    )
    last = {(c.channel, c.purpose, c.scope, c.study_id, c.site_id, c.contact_point_id): c for c in rows}
    return list(last.values())


def covering_consent(
    consents: Collection[Consent],
    *,
    channel: ContactChannel,
    contact_point_id: UUID,
    study_id: UUID | None,
    purpose: MessagePurpose,
    on: date,
    wordings: Wordings,
) -> UUID | None:
    """Name the consent that covers a message on a channel to one address on a day, or nothing.

    A study's own consent to contact covers whatever concerns that study. An invitation may also rest on the
    registry: on a consent for this channel, given for the registry. A yes for one number is none for another,
    and a later no without an address ends them all. A yes to words that are used no longer covers nothing.
    """
    wanted = {(Purpose.CONTACT, ConsentScope.STUDY, study_id)}
    if purpose is MessagePurpose.INVITATION:
        wanted |= {
            (Purpose.CONTACT, ConsentScope.REGISTRY, None),
            (Purpose.REGISTRY, ConsentScope.REGISTRY, None),
        }
    own = [
        consent
        for consent in consents
        if consent.channel is channel
        and consent.contact_point_id in (None, contact_point_id)
        and (consent.purpose, consent.scope, consent.study_id) in wanted
    ]
    last: dict[tuple[Purpose, ConsentScope], Consent] = {}
    for consent in sorted(own, key=lambda consent: (consent.at, consent.id)):
        last[consent.purpose, consent.scope] = consent
    given = [consent.id for consent in last.values() if wordings.holds(consent, on=on)]
    return given[0] if given else None


def closed_for(session: Session, token: bytes, channel: ContactChannel) -> SuppressionReason | None:
    """Say why an address is closed on a channel, if it is."""
    return session.scalar(
        sa.select(Suppression.reason).where(
            Suppression.address_token == token,
            Suppression.channel == channel,
            Suppression.lifted_at.is_(None),
        )
    )


def timeline(session: Session, members: Collection[UUID], *, limit: int = 200) -> list[Communication]:
    """List every contact with a person, merged entries included, newest first."""
    return list(
        session.scalars(
            sa.select(Communication)
            .where(Communication.person_id.in_(members))
            .order_by(Communication.at.desc(), Communication.id.desc())
            .limit(limit)
        )
    )


def members_of(session: Session, person_id: UUID) -> frozenset[UUID]:
    """List all entries of the person behind one entry."""
    return people.cluster_of(session, people.root_of(session, person_id))


def facts_for(
    session: Session,
    about: About,
    *,
    at: datetime,
    carried: bool = True,
    in_flight: Collection[datetime] = (),
) -> Facts:
    """Collect everything the gates look at, as it stands inside this transaction.

    :param carried: whether somebody carries messages on this channel
    :param in_flight: when invitations were handed over whose fate is still unknown; they count as sent
    """
    point = found(session, ContactPoint, about.contact_point_id)
    members = members_of(session, about.person_id) if about.person_id else frozenset()
    entries = [found(session, Person, member) for member in members]
    links = _links(session, members, point.id)
    installation = found_installation(session)
    return Facts(
        sending_on=installation.sending_on,
        same_epoch=installation.sending_epoch == about.sending_epoch,
        carried=carried,
        is_text=about.channel is ContactChannel.SMS,
        landline=point.line_type is LineType.LANDLINE,
        closed=closed_for(session, point.address_token, about.channel),
        do_not_contact=any(entry.do_not_contact_at is not None for entry in entries),
        erased=any(entry.erased_at is not None for entry in entries),
        theirs=bool(links) or not members,
        verified=any(link.verified_at is not None for link in links),
        consent_id=covering_consent(
            standing_consents(session, members) if members else (),
            channel=about.channel,
            contact_point_id=point.id,
            study_id=about.study_id,
            purpose=about.purpose,
            on=at.date(),
            wordings=wordings(session),
        ),
        study=_study_standing(session, about, at=at),
        wording=_wording_standing(session, about, at=at),
        places=_places(session, point, entries),
        invited_at=(*_invited_at(session, members, point.id, at=at), *in_flight),
    )


def found_installation(session: Session) -> Installation:
    """Give the one row about this installation, as it stands now."""
    return session.scalars(sa.select(Installation).execution_options(populate_existing=True)).one()


def _links(session: Session, members: Collection[UUID], contact_point_id: UUID) -> list[PersonContact]:
    return list(
        session.scalars(
            sa.select(PersonContact)
            .where(PersonContact.person_id.in_(members), PersonContact.ended_at.is_(None))
            .where(PersonContact.contact_point_id == contact_point_id)
            .execution_options(populate_existing=True)
        )
    )


def _invited_at(
    session: Session, members: Collection[UUID], contact_point_id: UUID, *, at: datetime
) -> tuple[datetime, ...]:
    """Give when invitations went to this person or this address; a shared phone counts for all who share it."""
    return tuple(
        session.scalars(
            sa.select(Communication.at).where(
                sa.or_(
                    Communication.person_id.in_(members), Communication.contact_point_id == contact_point_id
                ),
                Communication.direction == Direction.OUT,
                Communication.purpose == MessagePurpose.INVITATION.value,
                Communication.at > at - timedelta(days=31),
            )
        )
    )


def _study_standing(session: Session, about: About, *, at: datetime) -> StudyStanding:
    if about.study_id is None:
        return StudyStanding.NONE
    study = found(session, Study, about.study_id)
    if study.status is not StudyStatus.OPEN:
        return StudyStanding.CLOSED if study.status is StudyStatus.CLOSED else StudyStanding.NOT_OPEN
    rows = session.execute(
        sa.select(StudySite, Site)
        .join(Site, Site.id == StudySite.site_id)
        .where(StudySite.study_id == study.id)
        .where(StudySite.id == about.study_site_id if about.study_site_id else sa.true())
    ).all()
    taking = [row for row in rows if studies.takes_people(row.StudySite, on=civil_day(at, row.Site.zone))]
    if not taking:
        closed = about.study_site_id is not None and any(
            row.StudySite.status in (StudySiteStatus.ENROLMENT_CLOSED, StudySiteStatus.CLOSED_OUT)
            for row in rows
        )
        return StudyStanding.CLOSED if closed else StudyStanding.NO_SITE
    for row in taking:
        if not studies.live_holds(session, at=at, study_id=study.id, site_id=row.Site.id):
            return StudyStanding.OPEN
    return StudyStanding.ON_HOLD


def _wording_standing(session: Session, about: About, *, at: datetime) -> WordingStanding:
    if about.material_version_id is None:
        return WordingStanding.OURS
    return wording_standing(
        session,
        about.material_version_id,
        sha256=about.material_sha256,
        study_site_id=about.study_site_id,
        at=at,
    )


def wording_standing(
    session: Session,
    material_version_id: UUID,
    *,
    sha256: str,
    at: datetime,
    study_site_id: UUID | None = None,
) -> WordingStanding:
    """Say whether a wording may be sent on this day: approved, in these bytes, for this site.

    Without a site, only an approval that covers every site of the study counts.
    """
    version = session.get(MaterialVersion, material_version_id, populate_existing=True)
    if version is None or version.state in _GONE:
        return WordingStanding.WITHDRAWN
    if version.sha256 != sha256:
        return WordingStanding.CHANGED
    if version.state not in _USABLE:
        lapsed = version.state is MaterialState.EXPIRED
        return WordingStanding.LAPSED if lapsed else WordingStanding.NOT_APPROVED
    approvals = _approvals(session, version, study_site_id)
    if not approvals:
        return WordingStanding.NOT_APPROVED
    day = civil_day(at, studies.zone_of(session, study_site_id) if study_site_id else "UTC")
    valid = any(a.valid_from <= day and (a.valid_until is None or day <= a.valid_until) for a in approvals)
    return WordingStanding.APPROVED if valid else WordingStanding.LAPSED


def _approvals(session: Session, version: MaterialVersion, study_site_id: UUID | None) -> list[Approval]:
    limited = sa.exists().where(ApprovalSite.approval_id == Approval.id)
    named = sa.exists().where(
        ApprovalSite.approval_id == Approval.id, ApprovalSite.study_site_id == study_site_id
    )
    return list(
        session.scalars(
            sa.select(Approval)
            .join(ApprovalItem, ApprovalItem.approval_id == Approval.id)
            .where(ApprovalItem.subject_kind == ApprovedKind.MATERIAL_VERSION)
            .where(ApprovalItem.subject_id == version.id, ApprovalItem.sha256 == version.sha256)
            .where(ApprovalItem.language.in_(("", version.language)))
            .where(Approval.withdrawn_at.is_(None), sa.or_(~limited, named))
            .execution_options(populate_existing=True)
        )
    )


def call_places(session: Session, members: Collection[UUID]) -> frozenset[Place]:
    """Collect where a person may be when one of their telephones rings; nothing without a telephone."""
    entries = [found(session, Person, member) for member in members]
    points = session.scalars(
        sa.select(ContactPoint)
        .join(PersonContact, PersonContact.contact_point_id == ContactPoint.id)
        .where(PersonContact.person_id.in_(members), PersonContact.ended_at.is_(None))
        .where(ContactPoint.kind == ContactKind.PHONE, ContactPoint.wrong_number_at.is_(None))
    )
    return frozenset().union(*(_places(session, point, entries) for point in points))


def _places(session: Session, point: ContactPoint, entries: Collection[Person]) -> frozenset[Place]:
    phone = _address(session, point) if point.kind is ContactKind.PHONE else ""
    places: set[Place] = set()
    for entry in entries:
        home = find_place(entry.postcode) if entry.postcode else None
        postcode = (home.state, home.zone) if home is not None and home.zone else None
        places |= places_of(phone=phone, postcode=postcode, zone=entry.zone, country=point.country)
    return frozenset(places) or places_of(phone=phone, postcode=None, zone="", country=point.country)


def _address(session: Session, point: ContactPoint) -> str:
    try:
        return (
            vault_of(session).open(point.id, "contact_point", "address_sealed", point.id, point.address_sealed)
            or ""
        )
    except Unreadable:
        return ""
