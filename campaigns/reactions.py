"""What the outbox does when something happens to a person; each runs in the transaction that published it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from campaigns.audience.models import AudienceMember
from campaigns.audience.queries import ACKNOWLEDGEMENT
from campaigns.inbox.models import ProviderCallback
from campaigns.outbox import service as outbox
from campaigns.outbox.models import Message, MessageEvent
from campaigns.outbox.service import NewMessage
from campaigns.wording import Wording
from recruit.clock import Clock
from recruit.contact.models import ContactChannel
from recruit.contact.notices import AddressClosed, CodeNeeded, ContactVerified
from recruit.contact.policy import MessagePurpose, WordingStanding
from recruit.contact.queries import wording_standing
from recruit.contact.service import CODE_LASTS
from recruit.db import Database, found
from recruit.errors import Refused
from recruit.intake.notices import SubmissionReceived
from recruit.logs import logger
from recruit.matching.models import Match
from recruit.materials.models import Material, MaterialKind, MaterialState, MaterialVersion
from recruit.people.models import ContactKind, ContactPoint, LineType, PersonContact
from recruit.privacy import Forgetting

ACKNOWLEDGE_WITHIN = timedelta(hours=72)
"""An acknowledgement later than this would only puzzle its reader."""
_CHANNEL = {ContactKind.PHONE: ContactChannel.SMS, ContactKind.EMAIL: ContactChannel.EMAIL}
_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Reactions:
    """The handlers, with what they need of the application."""

    wording: Wording
    clock: Clock

    def subscribe(self, database: Database) -> None:
        """Listen to what ``recruit`` publishes."""
        database.subscribe(CodeNeeded, self.send_code)
        database.subscribe(ContactVerified, self.release)
        database.subscribe(AddressClosed, self.stop)
        database.subscribe(SubmissionReceived, self.acknowledge)
        database.subscribe(Forgetting, self.forget)

    def send_code(self, session: Session, notice: CodeNeeded) -> None:
        """Plan the one message that needs no verified address; its code is nowhere else."""
        at = self.clock.now()
        point = found(session, ContactPoint, notice.contact_point_id)
        text = self.wording.verification(notice.language, code=notice.code)
        outbox.plan(
            session,
            NewMessage(
                dedupe_key=f"verification:{notice.verification_id}",
                purpose=MessagePurpose.VERIFICATION,
                channel=_CHANNEL[point.kind],
                contact_point_id=point.id,
                person_id=notice.person_id,
                language=text.language,
                body=text.body,
                expires_at=at + CODE_LASTS,
                material_sha256=text.sha256,
            ),
            at=at,
        )

    def release(self, session: Session, notice: ContactVerified) -> None:
        """Let go what waited for this address to be verified."""
        outbox.release_verified(session, notice.contact_point_id, at=self.clock.now())

    def stop(self, session: Session, notice: AddressClosed) -> None:
        """Close what waits for an address that was closed."""
        outbox.suppress_address(
            session, notice.contact_point_id, notice.channel, notice.reason, at=self.clock.now()
        )

    def acknowledge(self, session: Session, notice: SubmissionReceived) -> None:
        """Plan the study's approved acknowledgement; it waits until the address is verified and hours allow."""
        at = self.clock.now()
        match = found(session, Match, notice.match_id)
        version = _acknowledgement(session, notice, match.study_site_id, self.clock)
        point_id = _number_of(session, notice.person_id)
        if version is None or point_id is None:
            _log.info("nothing to acknowledge with", match_id=str(match.id), approved=version is not None)
            return
        try:
            body = self.wording.fill(version)
        except Refused as problem:
            _log.warning("acknowledgement cannot be filled in", match_id=str(match.id), why=problem.message)
            return
        outbox.plan(
            session,
            NewMessage(
                dedupe_key=f"acknowledgement:{match.id}",
                purpose=MessagePurpose.STUDY,
                channel=ContactChannel.SMS,
                contact_point_id=point_id,
                person_id=notice.person_id,
                language=version.language,
                body=body,
                expires_at=at + ACKNOWLEDGE_WITHIN,
                material_sha256=version.sha256,
                material_version_id=version.id,
                study_id=notice.study_id,
                study_site_id=match.study_site_id,
            ),
            at=at,
        )

    def forget(self, session: Session, notice: Forgetting) -> None:
        """Remove every message to people who are being forgotten, and their places in audiences.

        A frozen audience and its messages lose the same people, so the conservation check goes on holding.
        """
        people, points = notice.person_ids, notice.contact_point_ids
        mine = sa.select(Message.id).where(
            sa.or_(Message.person_id.in_(people), Message.contact_point_id.in_(points))
        )
        for statement in (
            sa.delete(MessageEvent).where(MessageEvent.message_id.in_(mine)),
            sa.delete(Message).where(
                sa.or_(Message.person_id.in_(people), Message.contact_point_id.in_(points))
            ),
            sa.delete(AudienceMember).where(
                sa.or_(AudienceMember.person_id.in_(people), AudienceMember.contact_point_id.in_(points))
            ),
            sa.delete(ProviderCallback).where(ProviderCallback.contact_point_id.in_(points)),
        ):
            session.execute(statement.execution_options(synchronize_session=False))


def _acknowledgement(
    session: Session, notice: SubmissionReceived, study_site_id: UUID | None, clock: Clock
) -> MaterialVersion | None:
    """Find the study's acknowledgement in the person's language that may be sent today."""
    rows = session.scalars(
        sa.select(MaterialVersion)
        .join(Material, Material.id == MaterialVersion.material_id)
        .where(Material.study_id == notice.study_id, Material.kind == MaterialKind.SMS)
        .where(sa.func.lower(Material.name) == ACKNOWLEDGEMENT, MaterialVersion.language == notice.language)
        .where(MaterialVersion.state.in_((MaterialState.APPROVED, MaterialState.IN_USE)))
        .order_by(MaterialVersion.number.desc())
    )
    for row in rows:
        standing = wording_standing(
            session, row.id, sha256=row.sha256, study_site_id=study_site_id, at=clock.now()
        )
        if standing is WordingStanding.APPROVED:
            return row
    return None


def _number_of(session: Session, person_id: UUID) -> UUID | None:
    """Give the number to which texts for a person go: verified and preferred ones first."""
    return session.scalar(
        sa.select(ContactPoint.id)
        .join(PersonContact, PersonContact.contact_point_id == ContactPoint.id)
        .where(PersonContact.person_id == person_id, PersonContact.ended_at.is_(None))
        .where(ContactPoint.kind == ContactKind.PHONE, ContactPoint.line_type != LineType.LANDLINE)
        .order_by(PersonContact.verified_at.is_(None), PersonContact.preferred.desc(), PersonContact.added_at)
        .limit(1)
    )
