"""Change a message: one conditional UPDATE and one event beside it, or nothing at all."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from campaigns.outbox.models import Message, MessageEvent
from campaigns.outbox.states import HANDED_OVER, State, after_report, origins_of
from recruit.contact import service as contact
from recruit.contact.models import Direction
from recruit.db import actor_of

_TRIES = 8


def move(
    session: Session,
    message_id: UUID,
    target: State,
    *,
    kind: str,
    at: datetime,
    origins: Collection[State] | None = None,
    fence: int | None = None,
    reason: str = "",
    provider_code: str = "",
    values: dict[str, object] | None = None,
) -> int | None:
    """Move a message if it stands where we think it stands; give its new fence, or nothing.

    :param origins: the states it may come from; all that ``MOVES`` permits where left out
    :param fence: the fence we hold; somebody else's change in the meantime makes this a no-op
    """
    seen = session.execute(
        sa.select(Message.state, Message.fence, Message.attempt).where(Message.id == message_id)
    ).one_or_none()
    allowed = origins_of(target) if origins is None else frozenset(origins) & origins_of(target)
    if seen is None or seen.state not in allowed or fence not in (None, seen.fence):
        return None
    changes: dict[str, object] = {"lease_until": None, **(values or {})}
    if not _compare_and_set(session, message_id, seen.state, seen.fence, target, reason, changes):
        return None
    _write(
        session,
        message_id,
        kind=kind,
        at=at,
        before=seen.state,
        after=target,
        reason=reason,
        attempt=_number(changes.get("attempt"), seen.attempt),
        fence=seen.fence + 1,
        provider_code=provider_code,
    )
    return int(seen.fence) + 1


def report(
    session: Session,
    message_id: UUID,
    reported: State,
    *,
    kind: str,
    at: datetime,
    provider: str,
    sid: str = "",
    provider_code: str = "",
) -> State | None:
    """Take down what a carrier says about a message; it moves forward or stays, whoever holds it.

    A report under a second SID is kept as an event of kind ``second_sid``: the carrier took the message twice,
    and the conservation check shows it.
    """
    for _ in range(_TRIES):
        seen = session.execute(
            sa.select(Message).where(Message.id == message_id).execution_options(populate_existing=True)
        ).scalar_one_or_none()
        if seen is None:
            return None
        before, after = seen.state, after_report(seen.state, reported)
        doubled = bool(sid) and seen.provider_sid not in (None, sid)
        values: dict[str, object] = {}
        if sid and seen.provider_sid is None:
            values = {"provider_sid": sid, "provider": provider}
        if after is not before:
            values["lease_until"] = None
        reason = seen.reason if after is before else provider_code
        if (after is not before or values) and not _compare_and_set(
            session, message_id, before, seen.fence, after, reason, values
        ):
            continue
        _write(
            session,
            message_id,
            kind="second_sid" if doubled else kind,
            at=at,
            before=before,
            after=after,
            reason=reason,
            attempt=seen.attempt,
            fence=seen.fence + bool(after is not before or values),
            sid=sid,
            provider_code=provider_code,
        )
        if before not in HANDED_OVER and after in HANDED_OVER:
            _tell_timeline(session, seen, at=seen.attempted_at or at)
        return after
    return None


def _compare_and_set(
    session: Session,
    message_id: UUID,
    before: State,
    fence: int,
    after: State,
    reason: str,
    values: dict[str, object],
) -> bool:
    changed = session.execute(
        sa.update(Message)
        .where(Message.id == message_id, Message.state == before, Message.fence == fence)
        .values(state=after, reason=reason, fence=fence + 1, **values)
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return changed is not None


def _write(
    session: Session,
    message_id: UUID,
    *,
    kind: str,
    at: datetime,
    before: State,
    after: State,
    reason: str,
    attempt: int,
    fence: int,
    sid: str = "",
    provider_code: str = "",
) -> None:
    session.add(
        MessageEvent(
            message_id=message_id,
            at=at,
            kind=kind,
            state_before=before,
            state_after=after,
            reason=reason,
            attempt=attempt,
            fence=fence,
            provider_sid=sid,
            provider_code=provider_code,
            actor=actor_of(session),
        )
    )
    session.flush()


def _tell_timeline(session: Session, message: Message, *, at: datetime) -> None:
    """Append the message to the person's timeline, where the caps count it."""
    if message.person_id is None:
        return
    contact.note_contact(
        session,
        message.person_id,
        direction=Direction.OUT,
        channel=message.channel,
        purpose=message.purpose.value,
        outcome="handed_over",
        at=at,
        contact_point_id=message.contact_point_id,
        study_id=message.study_id,
        message_id=message.id,
    )


def _number(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) else otherwise
