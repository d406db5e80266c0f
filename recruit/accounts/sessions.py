"""Signing in and out: one row for each browser, found by the hash of the cookie's token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.accounts.models import Account, AccountStatus, Grant, LoginSession
from recruit.accounts.policy import Permit, Permits
from recruit.ids import new_token, token_hash
from recruit.keys import vault_of

SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in, as a page needs it."""

    session_id: UUID
    account_id: UUID
    display_name: str
    language: str
    theme: str
    shortcuts: bool
    permits: Permits
    last_seen_at: datetime

    @property
    def roles(self) -> tuple[str, ...]:
        """Name the roles held, in a fixed order."""
        return tuple(sorted(role.value for role in self.permits.roles))


def open_session(session: Session, account: Account, *, agent: str, lasts: timedelta, at: datetime) -> str:
    """Sign an account in on one browser; return the token for its cookie."""
    token = new_token()
    session.add(
        LoginSession(
            account_id=account.id,
            token_hash=token_hash(token),
            auth_epoch=account.auth_epoch,
            agent=agent[:120],
            created_at=at,
            last_seen_at=at,
            expires_at=at + lasts,
        )
    )
    account.last_sign_in_at = at
    return token


def resolve(session: Session, token: str, *, idle: timedelta, at: datetime) -> SignedIn | None:
    """Find who holds a token; nobody where it ended, expired, idled, or the account changed since."""
    row = session.execute(
        sa.select(LoginSession, Account)
        .join(Account, Account.id == LoginSession.account_id)
        .where(LoginSession.token_hash == token_hash(token), LoginSession.ended_at.is_(None))
        .where(LoginSession.auth_epoch == Account.auth_epoch, Account.status == AccountStatus.ACTIVE)
        .where(LoginSession.expires_at > at, LoginSession.last_seen_at > at - idle)
    ).one_or_none()
    if row is None:
        return None
    login, account = row.LoginSession, row.Account
    name = vault_of(session).open(account.id, "account", "name_sealed", account.id, account.name_sealed)
    return SignedIn(
        session_id=login.id,
        account_id=account.id,
        display_name=name or "",
        language=account.language,
        theme=account.theme,
        shortcuts=account.shortcuts,
        permits=permits_of(session, account.id),
        last_seen_at=login.last_seen_at,
    )


def permits_of(session: Session, account_id: UUID) -> Permits:
    """Collect an account's live grants."""
    grants = session.scalars(sa.select(Grant).where(Grant.account_id == account_id, Grant.ended_at.is_(None)))
    return Permits.of(Permit(g.role, g.site_id, g.study_id) for g in grants)


def touch(session: Session, session_id: UUID, *, at: datetime) -> None:
    """Note that a session was used just now."""
    session.execute(sa.update(LoginSession).where(LoginSession.id == session_id).values(last_seen_at=at))


def end(session: Session, session_id: UUID, *, reason: str, at: datetime) -> None:
    """End one session; a copy of its cookie is dead from now on."""
    session.execute(
        sa.update(LoginSession)
        .where(LoginSession.id == session_id, LoginSession.ended_at.is_(None))
        .values(ended_at=at, ended_reason=reason)
    )
