"""Numbers that turn out to be somebody else's, or nobody's: it is the number that is dead, not the person."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.contact.models import ContactChannel, Suppression, SuppressionReason
from recruit.contact.service import suppress
from recruit.db import actor_of, locked
from recruit.errors import Refused
from recruit.people.models import ContactKind, ContactPoint

_CHANNELS = (ContactChannel.CALL, ContactChannel.SMS, ContactChannel.VOICEMAIL)


def mark_wrong(session: Session, contact_point_id: UUID, *, at: datetime) -> None:
    """Note that a number is wrong, for everybody who shares it; nothing is sent or called there any more.

    :raises Refused: it is no telephone number
    """
    point = locked(session, ContactPoint, contact_point_id)
    if point.kind is not ContactKind.PHONE:
        raise Refused("Only a telephone number can be wrong in this way.")
    point.wrong_number_at = point.wrong_number_at or at
    for channel in _CHANNELS:
        suppress(session, point.address_token, channel, SuppressionReason.WRONG_NUMBER, source="desk", at=at)


def mark_right(session: Session, contact_point_id: UUID, *, at: datetime) -> None:
    """Take a wrong number back that was marked by mistake; a STOP from that number stays.

    :raises Refused: the number was not marked
    """
    point = locked(session, ContactPoint, contact_point_id)
    if point.wrong_number_at is None:
        raise Refused("This number is not marked as wrong.")
    point.wrong_number_at = None
    session.execute(
        sa.update(Suppression)
        .where(Suppression.address_token == point.address_token, Suppression.lifted_at.is_(None))
        .where(Suppression.reason == SuppressionReason.WRONG_NUMBER)
        .values(lifted_at=at, lifted_by=actor_of(session), version=Suppression.version + 1)
        .execution_options(synchronize_session=False)
    )
    session.flush()
