"""Signing in and changing the password: count the try, check outside any transaction, then open a session.

Checking a password takes a tenth of a second on purpose. It happens between transactions, so that nobody
waits for it; what was true before is checked again before the session opens. An unknown address, an
account without a password and a deactivated one cost the same work and get the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from recruit.accounts import lockout, passwords, queries, service, sessions
from recruit.accounts.lockout import Attempt
from recruit.accounts.models import Account, AccountStatus
from recruit.accounts.sessions import SignedIn
from recruit.db import Database, locked

ANONYMOUS = "anonymous"


class Denied(StrEnum):
    """Why somebody was not let in; the account's state is never told."""

    WRONG = "wrong"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class Client:
    """The browser at the other end, and how long it may stay signed in."""

    address: str
    agent: str
    idle: timedelta
    lasts: timedelta
    request_id: str


@dataclass(frozen=True, slots=True)
class Entered:
    """A session just opened: the cookie's token and who it is."""

    token: str
    signed_in: SignedIn


def sign_in(
    database: Database,
    *,
    email: str,
    password: str,
    client: Client,
    at: datetime,
    replaces: SignedIn | None = None,
) -> Entered | Denied:
    """Check email and password and open a session; one that this browser had before ends."""
    attempt = _admitted(database, queries.normal_email(email), client, at)
    if attempt is None:
        return Denied.TOO_MANY
    with database.reading() as session:
        account = queries.account_of(session, email)
    if not _is_right(account, password) or account is None:
        return Denied.WRONG
    fresh = _rehashed(account, password)
    with database.transaction(
        actor=f"account:{account.id}", reason="account:sign_in", request_id=client.request_id
    ) as session:
        current = locked(session, Account, account.id)
        if current.status is not AccountStatus.ACTIVE or current.password_hash != account.password_hash:
            return Denied.WRONG
        if fresh is not None:
            current.password_hash = fresh
        if replaces is not None:
            sessions.end(session, replaces.session_id, reason="signed in again", at=at)
        lockout.succeed(session, attempt)
        return reopen(session, current, client=client, at=at)


def change_password(
    database: Database, account_id: UUID, *, present: str, new: str, client: Client, at: datetime
) -> Entered | Denied:
    """Change one's own password: all sessions end, and this browser gets a new one."""
    attempt = _admitted(database, str(account_id), client, at)
    if attempt is None:
        return Denied.TOO_MANY
    with database.reading() as session:
        account = session.get(Account, account_id)
    if not _is_right(account, present) or account is None:
        return Denied.WRONG
    stored = passwords.hash_password(new)
    with database.transaction(
        actor=f"account:{account_id}", reason="account:password", request_id=client.request_id
    ) as session:
        current = locked(session, Account, account_id)
        if current.status is not AccountStatus.ACTIVE or current.password_hash != account.password_hash:
            return Denied.WRONG
        service.set_password(session, current, password_hash=stored, at=at)
        lockout.succeed(session, attempt)
        return reopen(session, current, client=client, at=at)


def reopen(session: Session, account: Account, *, client: Client, at: datetime) -> Entered:
    """Open a session for an account in the transaction at hand."""
    token = sessions.open_session(session, account, agent=client.agent, lasts=client.lasts, at=at)
    session.flush()
    signed_in = sessions.resolve(session, token, idle=client.idle, at=at)
    assert signed_in is not None  # noqa: S101 - it was opened two lines above
    return Entered(token, signed_in)


def _admitted(database: Database, who: str, client: Client, at: datetime) -> Attempt | None:
    with database.transaction(
        actor=ANONYMOUS, reason="account:attempt", request_id=client.request_id
    ) as session:
        return lockout.admit(session, who=who, address=client.address, at=at)


def _is_right(account: Account | None, password: str) -> bool:
    """Check a password with equal work for every account, known or not."""
    right = passwords.matches(account.password_hash if account else None, password)
    return right and account is not None and account.status is AccountStatus.ACTIVE


def _rehashed(account: Account, password: str) -> str | None:
    stored = account.password_hash
    return passwords.hash_password(password) if stored and passwords.is_outdated(stored) else None
