"""Accounts from invitation to the last day: every change to who may sign in and what they may do.

Changing the password, deactivating and gaining or losing a role end every session at once, by raising
``auth_epoch``. Giving a role that is held already for one more site or study does not: it counts from the
next request on, and nobody loses the call note they are typing.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.accounts import queries, sessions
from recruit.accounts.models import Account, AccountStatus, Grant, LinkPurpose, LoginSession, OneTimeLink, Role
from recruit.accounts.policy import Permit
from recruit.db import Base, Database, actor_of, locked
from recruit.errors import Invalid, NotFound, Refused
from recruit.ids import new_id, new_token, token_hash
from recruit.keys import Owner, vault_of
from recruit.studies.models import Site, Study

LINK_LASTS = timedelta(hours=24)
NAME_LENGTH = 120
EVERYWHERE = frozenset({Role.ADMIN, Role.AUDITOR})
"""Roles that are held over the whole installation or not at all."""
THEMES = ("auto", "light", "dark")

_M = TypeVar("_M", bound=Base)


def invite(
    session: Session, *, email: str, name: str, permits: tuple[Permit, ...], language: str = "en", at: datetime
) -> tuple[Account, str]:
    """Make an account that cannot sign in yet; return it with the token of its one-time link.

    :raises Invalid: the email address or the name cannot be read
    :raises Refused: there is an account with this address, or no role was named
    """
    email, name = _email(email), _name(name)
    if queries.account_of(session, email) is not None:
        raise Refused("There is already an account with this email address.", field="email")
    if not permits:
        raise Refused("Select at least one role.", field="role")
    account = _new_account(session, email=email, name=name, language=language, at=at)
    for permit in permits:
        _add_grant(session, account.id, permit, at=at)
    return account, _new_link(session, account, at=at)


def renew_link(session: Session, account_id: UUID, *, at: datetime) -> tuple[LinkPurpose, str]:
    """Make a new invitation, or a password reset for somebody who has signed in before; older links are void.

    The present password works until the link is used, so a link made by mistake locks nobody out.

    :raises Refused: the account is deactivated
    """
    account = locked(session, Account, account_id)
    if account.status is AccountStatus.DEACTIVATED:
        raise Refused("This account is deactivated. Reactivate it first.")
    return _purpose(account), _new_link(session, account, at=at)


def accept(session: Session, token: str, *, purpose: LinkPurpose, password_hash: str, at: datetime) -> Account:
    """Use up a one-time link: set the password, open the account, end whatever was signed in before.

    :raises NotFound: the link was used, replaced or is too old
    """
    used = session.execute(
        sa.update(OneTimeLink)
        .where(OneTimeLink.token_hash == token_hash(token), OneTimeLink.purpose == purpose)
        .where(OneTimeLink.used_at.is_(None), OneTimeLink.expires_at > at)
        .values(used_at=at)
        .returning(OneTimeLink.account_id)
    ).scalar_one_or_none()
    if used is None:
        raise NotFound("This link does not work any more.")
    account = locked(session, Account, used)
    if account.status is AccountStatus.DEACTIVATED:
        raise NotFound("This link does not work any more.")
    account.status = AccountStatus.ACTIVE
    set_password(session, account, password_hash=password_hash, at=at)
    return account


def set_password(session: Session, account: Account, *, password_hash: str, at: datetime) -> None:
    """Store a new password; every session ends and every open link is void."""
    account.password_hash = password_hash
    account.auth_epoch += 1
    _void_links(session, account.id, at=at)


def set_preferences(
    session: Session, account_id: UUID, *, language: str, theme: str, shortcuts: bool
) -> Account:
    """Store how somebody likes their pages.

    :raises Invalid: there is no such theme
    """
    if theme not in THEMES:
        raise Invalid("Select a theme.", field="theme")
    account = locked(session, Account, account_id)
    account.language, account.theme, account.shortcuts = language, theme, shortcuts
    return account


def give(session: Session, account_id: UUID, permit: Permit, *, at: datetime) -> Grant:
    """Let an account act in a role, everywhere or for one site or study.

    A role that is new to the account ends its sessions; one more place does not.

    :raises Refused: it is held already, the account is deactivated, or the role knows no places
    :raises Invalid: there is no such site or study
    """
    account = locked(session, Account, account_id)
    if account.status is AccountStatus.DEACTIVATED:
        raise Refused("This account is deactivated. Reactivate it first.")
    before = sessions.permits_of(session, account_id)
    if permit in before.permits:
        raise Refused("This account has this role already.", field="role")
    grant = _add_grant(session, account_id, permit, at=at)
    if permit.role not in before.roles:
        account.auth_epoch += 1
    return grant


def take(session: Session, account_id: UUID, grant_id: UUID, *, at: datetime) -> Grant:
    """End a grant; losing a role altogether ends the account's sessions.

    :raises NotFound: this account holds no such grant
    :raises Refused: nobody would be left who can manage accounts
    """
    _hold_admins(session)
    account = locked(session, Account, account_id)
    grant = session.get(Grant, grant_id, with_for_update=True, populate_existing=True)
    if grant is None or grant.account_id != account_id or grant.ended_at is not None:
        raise NotFound("There is no such grant.")
    if grant.role is Role.ADMIN:
        _require_another_admin(session, account_id)
    grant.ended_at, grant.ended_by = at, actor_of(session)
    session.flush()
    if grant.role not in sessions.permits_of(session, account_id).roles:
        account.auth_epoch += 1
    return grant


def deactivate(session: Session, account_id: UUID, *, at: datetime) -> None:
    """Close an account: its sessions end now, its links are void, its history stays.

    :raises Refused: it is one's own, or the last that can manage accounts
    """
    _hold_admins(session)
    account = locked(session, Account, account_id)
    if actor_of(session) == f"account:{account_id}":
        raise Refused("You cannot deactivate your own account. Ask another administrator.")
    if account.status is AccountStatus.DEACTIVATED:
        return
    _require_another_admin(session, account_id)
    account.status = AccountStatus.DEACTIVATED
    account.auth_epoch += 1
    _void_links(session, account_id, at=at)


def reactivate(session: Session, account_id: UUID, *, at: datetime) -> str:
    """Invite somebody back with the roles they had; the old password is gone. Return the link's token.

    :raises Refused: the account is not deactivated
    """
    account = locked(session, Account, account_id)
    if account.status is not AccountStatus.DEACTIVATED:
        raise Refused("This account is not deactivated.")
    account.status, account.password_hash = AccountStatus.INVITED, None
    return _new_link(session, account, at=at)


def end_session(session: Session, account_id: UUID, session_id: UUID, *, reason: str, at: datetime) -> None:
    """End one session of an account; ending it twice is harmless.

    :raises NotFound: this account has no such session
    """
    login = session.get(LoginSession, session_id)
    if login is None or login.account_id != account_id:
        raise NotFound("There is no such session.")
    sessions.end(session, session_id, reason=reason, at=at)


def end_sessions(
    session: Session, account_id: UUID, *, reason: str, at: datetime, except_for: UUID | None = None
) -> int:
    """End an account's sessions, all or all but one; return how many."""
    query = sa.update(LoginSession).where(
        LoginSession.account_id == account_id, LoginSession.ended_at.is_(None)
    )
    if except_for is not None:
        query = query.where(LoginSession.id != except_for)
    ended = session.execute(query.values(ended_at=at, ended_reason=reason).returning(LoginSession.id))
    return len(ended.all())


def _new_account(session: Session, *, email: str, name: str, language: str, at: datetime) -> Account:
    database: Database = session.info["database"]
    vault, key = vault_of(session), new_id()
    vault.create_key(Owner.ACCOUNT, key)
    account = Account(
        id=key,
        email_token=database.keyring.fingerprint(queries.EMAIL_KIND, queries.normal_email(email)),
        email_sealed=vault.seal(key, "account", "email_sealed", key, email),
        name_sealed=vault.seal(key, "account", "name_sealed", key, name),
        status=AccountStatus.INVITED,
        language=language,
        created_at=at,
    )
    session.add(account)
    session.flush()
    return account


def _add_grant(session: Session, account_id: UUID, permit: Permit, *, at: datetime) -> Grant:
    if permit.role in EVERYWHERE and (permit.site_id or permit.study_id):
        raise Refused("Administrators and auditors work across all sites and studies.", field="role")
    _require(session, Site, permit.site_id, "Select a site from the list.", "site_id")
    _require(session, Study, permit.study_id, "Select a study from the list.", "study_id")
    grant = Grant(
        account_id=account_id,
        role=permit.role,
        site_id=permit.site_id,
        study_id=permit.study_id,
        given_at=at,
        given_by=actor_of(session),
    )
    session.add(grant)
    session.flush()
    return grant


def _require(session: Session, model: type[_M], key: UUID | None, message: str, field: str) -> None:
    if key is not None and session.get(model, key) is None:
        raise Invalid(message, field=field)


def _purpose(account: Account) -> LinkPurpose:
    return LinkPurpose.INVITE if account.status is AccountStatus.INVITED else LinkPurpose.RESET


def _new_link(session: Session, account: Account, *, at: datetime) -> str:
    _void_links(session, account.id, at=at)
    token = new_token()
    session.add(
        OneTimeLink(
            account_id=account.id,
            purpose=_purpose(account),
            token_hash=token_hash(token),
            created_at=at,
            expires_at=at + LINK_LASTS,
            made_by=actor_of(session),
        )
    )
    session.flush()
    return token


def _void_links(session: Session, account_id: UUID, *, at: datetime) -> None:
    session.execute(
        sa.update(OneTimeLink)
        .where(OneTimeLink.account_id == account_id, OneTimeLink.used_at.is_(None))
        .where(OneTimeLink.expires_at > at)
        .values(expires_at=at)
    )


def _admins() -> sa.Select[UUID]:
    holds = sa.exists().where(
        Grant.account_id == Account.id, Grant.role == Role.ADMIN, Grant.ended_at.is_(None)
    )
    return sa.select(Account.id).where(Account.status == AccountStatus.ACTIVE, holds).order_by(Account.id)


def _hold_admins(session: Session) -> None:
    """Lock all administrators, in one order, so that two of them cannot remove each other at once."""
    session.execute(_admins().with_for_update(of=Account)).all()


def _require_another_admin(session: Session, account_id: UUID) -> None:
    admins = set(session.scalars(_admins()))
    if admins == {account_id}:
        raise Refused("This is the last administrator. Make somebody else an administrator first.")


def _email(text: str) -> str:
    from email_validator import EmailNotValidError, validate_email  # here for the start, as in addresses

    try:
        return validate_email(text.strip(), check_deliverability=False).normalized
    except EmailNotValidError:
        message = "Enter an email address in the correct format, like name@example.org."
        raise Invalid(message, field="email") from None


def _name(text: str) -> str:
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        raise Invalid("Enter a name.", field="name")
    if len(name) > NAME_LENGTH or not name.isprintable():
        raise Invalid("Enter a name of at most %(most)s letters.", field="name", values={"most": NAME_LENGTH})
    return name
