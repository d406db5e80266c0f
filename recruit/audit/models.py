"""The trail: one row for each changed row, written by the database's own triggers."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from recruit.db import Base
from recruit.retention import Retention


class AuditEntry(Base):
    """Which row changed, which columns, who did it and why; never a value.

    Written only by triggers, in the transaction of the change; it can be neither changed nor deleted.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        sa.Index("ix_audit_entry_row", "table_name", "row_id"),
        sa.Index("ix_audit_entry_actor", "actor", "id"),
    )
    retention: ClassVar[Retention] = Retention.TRAIL
    audited: ClassVar[bool] = False
    append_only: ClassVar[bool] = True
    undeletable: ClassVar[bool] = True

    id: Mapped[int] = mapped_column(
        sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True
    )
    table_name: Mapped[str] = mapped_column(sa.String(63))
    row_id: Mapped[str] = mapped_column(sa.String(40))
    row_version: Mapped[int | None]
    operation: Mapped[str] = mapped_column(sa.String(6))
    columns: Mapped[str] = mapped_column(sa.Text)
    actor: Mapped[str] = mapped_column(sa.String(80))
    reason: Mapped[str] = mapped_column(sa.Text)
    request_id: Mapped[str] = mapped_column(sa.String(64))
    recorded_at: Mapped[datetime] = mapped_column(index=True)
