"""Freeze an audience, make a campaign of it, start, pause and cancel it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from campaigns.audience.criteria import Criteria, require_floor
from campaigns.audience.models import Audience, AudienceMember, Campaign, CampaignState
from campaigns.audience.queries import Chosen, choose, version_in_use
from campaigns.links.service import NewLink, create_link
from campaigns.outbox import service as outbox
from campaigns.outbox.models import Message
from campaigns.outbox.service import NewMessage
from campaigns.scoping import study_within
from campaigns.wording import Wording
from recruit.accounts.policy import Scope
from recruit.contact.models import ContactChannel
from recruit.contact.policy import MessagePurpose, WordingStanding
from recruit.contact.queries import wording_standing
from recruit.db import actor_of, found, locked
from recruit.errors import Conflict, NotFound, NotPermitted, Refused
from recruit.ids import new_id, token_hash
from recruit.intake.models import Medium, SourceLink
from recruit.materials.models import MaterialVersion

LASTS = timedelta(days=14)
"""A campaign that has not gone out by then does not go out late."""
PLAN_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class NewCampaign:
    """One approved message, and whom it is for."""

    name: str
    study_id: UUID
    material_version_id: UUID
    criteria: Criteria


def make_campaign(session: Session, new: NewCampaign, scope: Scope, *, key: str, at: datetime) -> Campaign:
    """Freeze the audience and get a campaign ready; nothing is sent before it is started.

    The same form sent twice gives the first campaign.

    :raises Refused: the wording is not approved, or the audience is too small to stay anonymous
    :raises NotFound: study, wording or reference are not within the scope
    """
    known = session.scalar(sa.select(Campaign).where(Campaign.request_key == token_hash(key)))
    if known is not None:
        if known.study_id != new.study_id or known.name != new.name:
            raise Conflict("This form was sent before with other choices. Please start a new one.")
        return known
    study = study_within(session, new.study_id, scope)
    version = version_in_use(session, new.material_version_id, study_id=study.id)
    standing = wording_standing(session, version.id, sha256=version.sha256, at=at)
    if standing is not WordingStanding.APPROVED:
        raise Refused("This text is not approved for all sites of the study today.")
    chosen, left_out = choose(session, study.id, new.criteria, scope, language=version.language, at=at)
    require_floor(len(chosen), handed_over=new.criteria.reference is not None)
    audience = _freeze(session, new, chosen, left_out, at=at)
    link = create_link(
        session,
        NewLink(study.id, Medium.SMS, "Text message", campaign=new.name, material_version_id=version.id),
        at=at,
    )
    campaign = Campaign(
        id=new_id(),
        name=new.name,
        study_id=study.id,
        audience_id=audience.id,
        material_version_id=version.id,
        material_sha256=version.sha256,
        purpose=MessagePurpose.INVITATION,
        source_link_id=link.id,
        request_key=token_hash(key),
        created_at=at,
        created_by=actor_of(session),
        expires_at=at + LASTS,
    )
    session.add(campaign)
    session.flush()
    return campaign


def start(
    session: Session, campaign_id: UUID, scope: Scope, *, wording: Wording, public_url: str, at: datetime
) -> Campaign:
    """Start or resume a campaign; a small one is planned at once, a large one by the job. Twice is once.

    :raises NotPermitted: it was cancelled
    :raises Refused: its time has passed, or its text cannot be filled in
    """
    campaign = _locked(session, campaign_id, scope)
    if campaign.state is CampaignState.STARTED:
        return campaign
    if campaign.state is CampaignState.CANCELLED:
        raise NotPermitted("This campaign was cancelled.")
    if campaign.expires_at <= at:
        raise Refused("The time for this campaign has passed. Make a new one.")
    campaign.state = CampaignState.STARTED
    campaign.started_at, campaign.started_by = campaign.started_at or at, actor_of(session)
    session.flush()
    plan_batch(session, campaign.id, wording=wording, public_url=public_url, at=at)
    return campaign


def pause(session: Session, campaign_id: UUID, scope: Scope) -> Campaign:
    """Pause a campaign: nothing more of it is claimed from this moment on.

    :raises NotPermitted: it does not run
    """
    campaign = _locked(session, campaign_id, scope)
    if campaign.state is not CampaignState.STARTED:
        raise NotPermitted("Only a campaign that runs can be paused.")
    campaign.state = CampaignState.PAUSED
    return campaign


def cancel(session: Session, campaign_id: UUID, scope: Scope, *, at: datetime) -> Campaign:
    """Cancel a campaign and close whatever of it still waits; doing it again changes nothing."""
    campaign = _locked(session, campaign_id, scope)
    if campaign.state is not CampaignState.CANCELLED:
        campaign.state, campaign.ended_at = CampaignState.CANCELLED, at
        session.flush()
        outbox.cancel_campaign(session, campaign.id, at=at)
    return campaign


def decide(
    session: Session, campaign_id: UUID, message_id: UUID, scope: Scope, *, send_again: bool, at: datetime
) -> None:
    """Write down what a person decided about one message of a campaign.

    :raises NotFound: the message is not this campaign's
    :raises NotPermitted: it does not wait for a decision
    """
    campaign = _locked(session, campaign_id, scope)
    if found(session, Message, message_id).campaign_id != campaign.id:
        raise NotFound("There is no such message.")
    outbox.decide_held(session, message_id, send_again=send_again, at=at)


def plan_batch(session: Session, campaign_id: UUID, *, wording: Wording, public_url: str, at: datetime) -> int:
    """Plan messages for members who have none yet, in a batch that keeps the transaction short.

    :raises Refused: the approved text has a field that cannot be filled in
    """
    campaign = found(session, Campaign, campaign_id)
    version = found(session, MaterialVersion, campaign.material_version_id)
    link = session.get(SourceLink, campaign.source_link_id) if campaign.source_link_id else None
    body = wording.fill(version, link=f"{public_url}/go/{link.code}" if link else "")
    members = list(session.scalars(_unplanned(campaign).limit(PLAN_AT_ONCE)))
    for member in members:
        outbox.plan(
            session,
            NewMessage(
                dedupe_key=f"campaign:{campaign.id}:{member.person_id}",
                purpose=campaign.purpose,
                channel=ContactChannel.SMS,
                contact_point_id=member.contact_point_id,
                person_id=member.person_id,
                language=version.language,
                body=body,
                expires_at=campaign.expires_at,
                material_sha256=campaign.material_sha256,
                material_version_id=campaign.material_version_id,
                study_id=campaign.study_id,
                study_site_id=member.study_site_id,
                campaign_id=campaign.id,
            ),
            at=at,
        )
    return len(members)


def waiting_for_plan(session: Session) -> list[UUID]:
    """List running campaigns with members who have no message yet."""
    rows = session.scalars(sa.select(Campaign).where(Campaign.state == CampaignState.STARTED))
    return [row.id for row in rows if session.scalar(_unplanned(row).limit(1)) is not None]


def _unplanned(campaign: Campaign) -> sa.Select[AudienceMember]:
    planned = sa.exists().where(
        Message.campaign_id == campaign.id, Message.person_id == AudienceMember.person_id
    )
    return (
        sa.select(AudienceMember)
        .where(AudienceMember.audience_id == campaign.audience_id, ~planned)
        .order_by(AudienceMember.id)
    )


def _freeze(
    session: Session, new: NewCampaign, chosen: list[Chosen], left_out: Counter[str], *, at: datetime
) -> Audience:
    audience = Audience(
        id=new_id(),
        study_id=new.study_id,
        channel=ContactChannel.SMS,
        criteria=new.criteria.to_json(),
        handed_over=new.criteria.reference is not None,
        size=len(chosen),
        left_out=dict(sorted(left_out.items())),
        frozen_at=at,
        frozen_by=actor_of(session),
    )
    session.add(audience)
    session.flush()
    session.execute(
        sa.insert(AudienceMember),
        [
            {
                "id": new_id(),
                "audience_id": audience.id,
                "person_id": one.person_id,
                "contact_point_id": one.contact_point_id,
                "study_site_id": one.study_site_id,
            }
            for one in chosen
        ],
    )
    return audience


def _locked(session: Session, campaign_id: UUID, scope: Scope) -> Campaign:
    campaign = locked(session, Campaign, campaign_id)
    study_within(session, campaign.study_id, scope)
    return campaign
