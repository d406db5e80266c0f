"""Staff accounts, what each may do, and where each is signed in."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from recruit.db import Row, Versioned, enum_type, unique_where
from recruit.retention import Retention


class Role(StrEnum):
    """What a grant allows; the policy table says which pages each opens."""

    RECRUITER = "recruiter"
    MARKETER = "marketer"
    COORDINATOR = "coordinator"
    ADMIN = "admin"
    AUDITOR = "auditor"


class AccountStatus(StrEnum):
    """Whether an account can sign in."""

    INVITED = "invited"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"


class LinkPurpose(StrEnum):
    """What a one-time link is for."""

    INVITE = "invite"
    RESET = "reset"


class Account(Versioned, Row):
    """A member of staff. Raising ``auth_epoch`` ends every session at once."""

    __tablename__ = "account"
    retention: ClassVar[Retention] = Retention.ACCOUNT

    email_token: Mapped[bytes] = mapped_column(unique=True)
    email_sealed: Mapped[bytes]
    name_sealed: Mapped[bytes]
    password_hash: Mapped[str | None] = mapped_column(sa.String(255))
    status: Mapped[AccountStatus] = mapped_column(enum_type(AccountStatus), default=AccountStatus.INVITED)
    auth_epoch: Mapped[int] = mapped_column(default=1)
    language: Mapped[str] = mapped_column(sa.String(12), default="en")
    theme: Mapped[str] = mapped_column(sa.String(8), default="auto")
    shortcuts: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    last_sign_in_at: Mapped[datetime | None]


class Grant(Versioned, Row):
    """One role for one account, over one site and one study or over all where the column is empty."""

    __tablename__ = "grant"
    __table_args__ = (
        unique_where(
            "one_live_grant",
            "account_id",
            "role",
            sa.text("coalesce(site_id, '00000000000000000000000000000000')"),
            sa.text("coalesce(study_id, '00000000000000000000000000000000')"),
            condition="ended_at IS NULL",
        ),
    )
    retention: ClassVar[Retention] = Retention.ACCOUNT

    account_id: Mapped[UUID] = mapped_column(sa.ForeignKey("account.id"), index=True)
    role: Mapped[Role] = mapped_column(enum_type(Role))
    site_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("site.id"))
    study_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("study.id"))
    given_at: Mapped[datetime]
    given_by: Mapped[str] = mapped_column(sa.String(80))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(sa.String(80))


class LoginSession(Row):
    """One browser signed in; the cookie's token is stored hashed, so signing out kills a copied cookie too."""

    __tablename__ = "login_session"
    retention: ClassVar[Retention] = Retention.OPERATION
    silent_columns: ClassVar[tuple[str, ...]] = ("last_seen_at",)

    account_id: Mapped[UUID] = mapped_column(sa.ForeignKey("account.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    auth_epoch: Mapped[int]
    agent: Mapped[str] = mapped_column(sa.String(120))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_reason: Mapped[str | None] = mapped_column(sa.String(40))


class OneTimeLink(Row):
    """An invitation or a password reset: works once, for a day."""

    __tablename__ = "one_time_link"
    retention: ClassVar[Retention] = Retention.OPERATION

    account_id: Mapped[UUID] = mapped_column(sa.ForeignKey("account.id"), index=True)
    purpose: Mapped[LinkPurpose] = mapped_column(enum_type(LinkPurpose))
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    made_by: Mapped[str] = mapped_column(sa.String(80))


class LoginAttempt(Row):
    """One attempt to sign in, counted by account and by address within a window of time."""

    __tablename__ = "login_attempt"
    __table_args__ = (sa.Index("ix_login_attempt_subject_at", "subject", "at"),)
    retention: ClassVar[Retention] = Retention.OPERATION
    audited: ClassVar[bool] = False

    subject: Mapped[bytes]
    at: Mapped[datetime]
    succeeded: Mapped[bool]
