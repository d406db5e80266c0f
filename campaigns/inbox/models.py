"""What providers sent us, stored before anything is done about it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from recruit.db import Row, enum_type
from recruit.retention import Retention


class CallbackKind(StrEnum):
    """What a callback is about."""

    STATUS = "status"
    INBOUND = "inbound"


class ProviderCallback(Row):
    """One callback, once: the same report sent again finds its row already there.

    A status report is kept as its codes, without numbers. A reply keeps the number's fingerprint and, where we
    know the number, its words sealed under the contact point's key; the words of a stranger are not kept.
    """

    __tablename__ = "provider_callback"
    __table_args__ = (
        sa.UniqueConstraint("provider", "kind", "sid", "status"),
        sa.Index("ix_provider_callback_waiting", "applied_at", "received_at"),
    )
    retention: ClassVar[Retention] = Retention.OPERATION
    audited: ClassVar[bool] = False

    provider: Mapped[str] = mapped_column(sa.String(20))
    kind: Mapped[CallbackKind] = mapped_column(enum_type(CallbackKind))
    sid: Mapped[str] = mapped_column(sa.String(64))
    status: Mapped[str] = mapped_column(sa.String(40))
    message_id: Mapped[UUID | None]
    payload: Mapped[dict[str, object]]
    contact_point_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("contact_point.id"))
    address_token: Mapped[bytes | None]
    body_sealed: Mapped[bytes | None]
    reply_class: Mapped[str] = mapped_column(sa.String(20), default="")
    received_at: Mapped[datetime]
    applied_at: Mapped[datetime | None]
