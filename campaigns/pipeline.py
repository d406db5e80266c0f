"""What happens to a message, from an audience to what came of it, read from top to bottom.

Gates are asked twice: when a message is planned, and again in the transaction that claims it for sending. No
network call happens inside a transaction. What a carrier did not clearly answer is ``unknown`` and is asked
about, never sent again blindly.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from campaigns.audience import service as audience
from campaigns.audience.models import Campaign
from campaigns.audience.service import NewCampaign
from campaigns.inbox import service as inbox
from campaigns.inbox.keywords import Reply
from campaigns.inbox.service import Inbound
from campaigns.outbox import worker
from campaigns.providers.base import Carriers
from campaigns.wording import Wording
from recruit.accounts.policy import Scope
from recruit.clock import Clock
from recruit.db import Database

_PLANNING = "job:send_messages"

# 1. A marketer chooses whom to write to and with which approved words. Names are never shown. ---------


def prepare(session: Session, new: NewCampaign, scope: Scope, *, key: str, at: datetime) -> Campaign:
    """Freeze an audience and get its campaign ready; nothing is sent yet.

    :raises Refused: the wording is not approved, or the audience is too small to stay anonymous
    """
    return audience.make_campaign(session, new, scope, key=key, at=at)


def start(
    session: Session, campaign_id: UUID, scope: Scope, *, wording: Wording, public_url: str, at: datetime
) -> Campaign:
    """Let a campaign run; starting it twice is starting it once.

    :raises NotPermitted: it was cancelled
    :raises Refused: its time has passed
    """
    return audience.start(session, campaign_id, scope, wording=wording, public_url=public_url, at=at)


# 2. Every member gets one row in the outbox, whatever the gates say about it. --------------------------


def plan(database: Database, *, wording: Wording, public_url: str, at: datetime) -> None:
    """Plan what running campaigns still lack, in short transactions that can be stopped anywhere."""
    with database.reading() as session:
        waiting = audience.waiting_for_plan(session)
    for campaign_id in waiting:
        planned = audience.PLAN_AT_ONCE
        while planned == audience.PLAN_AT_ONCE:
            with database.transaction(actor=_PLANNING, reason="campaign:plan") as session:
                planned = audience.plan_batch(
                    session, campaign_id, wording=wording, public_url=public_url, at=at
                )


# 3. Claim, commit, look again, send, settle. -----------------------------------------------------------


def send(database: Database, carriers: Carriers, *, clock: Clock) -> int:
    """Send what is due; return how many messages a carrier took."""
    return worker.send_due(database, carriers, clock=clock)


# 4. The carrier reports, people answer. Everything is stored as it came and applied from the table. ----


def receipt(
    session: Session,
    *,
    provider: str,
    sid: str,
    status: str,
    message_id: UUID | None,
    codes: Mapping[str, str],
    at: datetime,
) -> bool:
    """Store a receipt; say whether it is new."""
    return inbox.receive_status(
        session, provider=provider, sid=sid, status=status, message_id=message_id, codes=codes, at=at
    )


def reply(session: Session, inbound: Inbound, *, provider: str, wording: Wording, at: datetime) -> Reply | None:
    """Take in what somebody wrote back; a stop closes the number in this same transaction."""
    return inbox.receive_inbound(session, inbound, provider=provider, wording=wording, at=at)


def settle(database: Database, *, at: datetime) -> int:
    """Apply the receipts that wait; applying one twice, late or out of order changes nothing for the worse."""
    return inbox.apply_waiting(database, at=at)


# 5. What stopped half-way is found again. ---------------------------------------------------------------


def sweep(database: Database, carriers: Carriers, *, clock: Clock) -> int:
    """Ask carriers about unknown messages, and release or expire those that wait."""
    return worker.sweep(database, carriers, clock=clock)
