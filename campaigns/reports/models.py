"""What was paid for a placement."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from recruit.db import Row
from recruit.retention import Retention


class Spend(Row):
    """Money for one link over a span of days, in minor units; a correction is a row with less than nothing."""

    __tablename__ = "spend"
    __table_args__ = (
        sa.CheckConstraint("until_day >= from_day", name="days_in_order"),
        sa.CheckConstraint("length(currency) = 3", name="currency_code"),
    )
    retention: ClassVar[Retention] = Retention.STUDY_RECORD
    append_only: ClassVar[bool] = True

    source_link_id: Mapped[UUID] = mapped_column(sa.ForeignKey("source_link.id"), index=True)
    from_day: Mapped[date]
    until_day: Mapped[date]
    amount_minor: Mapped[int] = mapped_column(sa.BigInteger)
    currency: Mapped[str] = mapped_column(sa.String(3))
    note: Mapped[str] = mapped_column(sa.String(200), default="")
    entry_key: Mapped[bytes] = mapped_column(unique=True)
    entered_at: Mapped[datetime]
    entered_by: Mapped[str] = mapped_column(sa.String(80))
