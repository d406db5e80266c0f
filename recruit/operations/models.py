"""State of the installation itself: the sending switch, job leases and who looked at whom."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from recruit.db import Base, Row
from recruit.retention import Retention


class Installation(Base):
    """The one row about this installation. A restored database starts with sending off and a new epoch."""

    __tablename__ = "installation"
    __table_args__ = (sa.CheckConstraint("id = 1", name="single"),)
    retention: ClassVar[Retention] = Retention.STUDY_RECORD

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sending_on: Mapped[bool] = mapped_column(default=True)
    sending_epoch: Mapped[int] = mapped_column(default=1)
    restored_at: Mapped[datetime | None]
    next_slot: Mapped[int] = mapped_column(default=0)
    demo_anchor: Mapped[datetime | None]


class JobLease(Base):
    """Who runs a job right now, until when, and when it last finished."""

    __tablename__ = "job_lease"
    retention: ClassVar[Retention] = Retention.OPERATION
    audited: ClassVar[bool] = False

    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    holder: Mapped[str] = mapped_column(sa.String(80), default="")
    fence: Mapped[int] = mapped_column(default=0)
    held_until: Mapped[datetime | None]
    last_started_at: Mapped[datetime | None]
    last_finished_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(sa.Text, default="")


class ViewLog(Row):
    """That somebody looked at a person's data: who, whom, which page, when."""

    __tablename__ = "view_log"
    __table_args__ = (sa.Index("ix_view_log_person_id_at", "person_id", "at"),)
    retention: ClassVar[Retention] = Retention.TRAIL
    audited: ClassVar[bool] = False
    append_only: ClassVar[bool] = True
    undeletable: ClassVar[bool] = True

    account_id: Mapped[UUID]
    person_id: Mapped[UUID]
    page: Mapped[str] = mapped_column(sa.String(80))
    at: Mapped[datetime]
