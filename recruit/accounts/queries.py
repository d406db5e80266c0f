"""What pages about accounts show: who there is, what they may do, where they are signed in."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.accounts.models import Account, AccountStatus, Grant, LinkPurpose, LoginSession, OneTimeLink, Role
from recruit.db import Database
from recruit.db import found as found_row
from recruit.ids import token_hash
from recruit.keys import vault_of
from recruit.studies.models import Site, Study

EMAIL_KIND = "account_email"


@dataclass(frozen=True, slots=True)
class Member:
    """A member of staff, as a list and a page show them."""

    id: UUID
    name: str
    email: str
    status: AccountStatus
    roles: tuple[Role, ...]
    created_at: datetime
    last_sign_in_at: datetime | None


@dataclass(frozen=True, slots=True)
class Held:
    """A live grant with the names of its site and study; ``None`` means all."""

    id: UUID
    role: Role
    site: str | None
    study: str | None
    given_at: datetime
    given_by: str


@dataclass(frozen=True, slots=True)
class Browser:
    """A place where somebody is signed in."""

    id: UUID
    account_id: UUID
    agent: str
    created_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class LinkOwner:
    """Whom a one-time link belongs to."""

    account_id: UUID
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Places:
    """The sites and studies that a grant can be limited to, as key and name."""

    sites: tuple[tuple[UUID, str], ...]
    studies: tuple[tuple[UUID, str], ...]


def normal_email(text: str) -> str:
    """Give the one spelling under which an email address is found again."""
    return unicodedata.normalize("NFC", text).strip().lower()


def account_of(session: Session, email: str) -> Account | None:
    """Find an account by email address, under every live key."""
    database: Database = session.info["database"]
    tokens = [token for _, token in database.keyring.fingerprints(EMAIL_KIND, normal_email(email))]
    return session.scalar(sa.select(Account).where(Account.email_token.in_(tokens)))


def members(session: Session, *, status: AccountStatus | None = None) -> list[Member]:
    """List the staff by name."""
    query = sa.select(Account)
    accounts = list(session.scalars(query.where(Account.status == status) if status else query))
    roles = _roles(session, {account.id for account in accounts})
    vault_of(session).load({account.id for account in accounts})
    shown = [_member(session, account, roles.get(account.id, ())) for account in accounts]
    return sorted(shown, key=lambda member: (member.name.casefold(), member.email))


def member(session: Session, account_id: UUID) -> Member:
    """Show one member of staff.

    :raises NotFound: there is no such account
    """
    account = found_row(session, Account, account_id)
    return _member(session, account, _roles(session, {account_id}).get(account_id, ()))


def numbers(session: Session) -> dict[AccountStatus, int]:
    """Count the accounts in each status."""
    rows = session.execute(sa.select(Account.status, sa.func.count()).group_by(Account.status))
    counted = {status: number for status, number in rows}
    return {status: counted.get(status, 0) for status in AccountStatus}


def names(session: Session, accounts: set[UUID]) -> dict[UUID, str]:
    """Give the names of accounts, for a page that shows who did something; unknown ones are left out."""
    vault = vault_of(session)
    vault.load(accounts)
    rows = session.execute(sa.select(Account.id, Account.name_sealed).where(Account.id.in_(accounts)))
    return {key: vault.open(key, "account", "name_sealed", key, sealed) or "" for key, sealed in rows}


def held(session: Session, account_id: UUID) -> list[Held]:
    """List what an account may do now, by role."""
    rows = session.execute(
        sa.select(Grant, Site.name, Study.nickname)
        .outerjoin(Site, Site.id == Grant.site_id)
        .outerjoin(Study, Study.id == Grant.study_id)
        .where(Grant.account_id == account_id, Grant.ended_at.is_(None))
        .order_by(Grant.role, Site.name, Study.nickname, Grant.given_at)
    )
    return [Held(g.id, g.role, site, study, g.given_at, g.given_by) for g, site, study in rows]


def browsers(
    session: Session, *, idle: timedelta, at: datetime, account_id: UUID | None = None
) -> list[Browser]:
    """List where staff are signed in now, the one used last first."""
    query = (
        sa.select(LoginSession)
        .join(Account, Account.id == LoginSession.account_id)
        .where(LoginSession.ended_at.is_(None), LoginSession.auth_epoch == Account.auth_epoch)
        .where(LoginSession.expires_at > at, LoginSession.last_seen_at > at - idle)
        .where(Account.status == AccountStatus.ACTIVE)
        .order_by(LoginSession.last_seen_at.desc(), LoginSession.id)
    )
    if account_id is not None:
        query = query.where(LoginSession.account_id == account_id)
    return [
        Browser(row.id, row.account_id, row.agent, row.created_at, row.last_seen_at)
        for row in session.scalars(query)
    ]


def link_owner(session: Session, token: str, *, purpose: LinkPurpose, at: datetime) -> LinkOwner | None:
    """Say whom a link belongs to; nobody where it was used, replaced or is too old."""
    account_id = session.scalar(
        sa.select(OneTimeLink.account_id).where(
            OneTimeLink.token_hash == token_hash(token),
            OneTimeLink.purpose == purpose,
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > at,
        )
    )
    if account_id is None:
        return None
    owner = member(session, account_id)
    return None if owner.status is AccountStatus.DEACTIVATED else LinkOwner(account_id, owner.name, owner.email)


def link_until(session: Session, account_id: UUID, *, at: datetime) -> datetime | None:
    """Say until when the account's open link works, where it has one."""
    return session.scalar(
        sa.select(OneTimeLink.expires_at)
        .where(OneTimeLink.account_id == account_id, OneTimeLink.used_at.is_(None))
        .where(OneTimeLink.expires_at > at)
        .order_by(OneTimeLink.expires_at.desc())
        .limit(1)
    )


def places(session: Session) -> Places:
    """List the sites and studies a grant can be limited to."""
    sites = session.execute(sa.select(Site.id, Site.name).order_by(Site.name))
    studies = session.execute(sa.select(Study.id, Study.nickname).order_by(Study.nickname))
    return Places(tuple((key, name) for key, name in sites), tuple((key, name) for key, name in studies))


def _member(session: Session, account: Account, roles: tuple[Role, ...]) -> Member:
    vault = vault_of(session)
    return Member(
        id=account.id,
        name=vault.open(account.id, "account", "name_sealed", account.id, account.name_sealed) or "",
        email=vault.open(account.id, "account", "email_sealed", account.id, account.email_sealed) or "",
        status=account.status,
        roles=roles,
        created_at=account.created_at,
        last_sign_in_at=account.last_sign_in_at,
    )


def _roles(session: Session, accounts: set[UUID]) -> dict[UUID, tuple[Role, ...]]:
    rows = session.execute(
        sa.select(Grant.account_id, Grant.role)
        .where(Grant.account_id.in_(accounts), Grant.ended_at.is_(None))
        .distinct()
    )
    roles: dict[UUID, list[Role]] = {}
    for account_id, role in rows:
        roles.setdefault(account_id, []).append(role)
    order = list(Role)
    return {key: tuple(sorted(found, key=order.index)) for key, found in roles.items()}
