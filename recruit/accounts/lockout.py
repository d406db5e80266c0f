"""How often somebody may try to sign in: counted in the database, so that all processes count together.

10 failed tries in 5 minutes for an account and for a client address, 1,000 for the installation (the
limits of PyPI). The window moves with time: nobody is locked out for longer than a guesser keeps guessing.
An address of an account that does not exist is counted alike, so that the answer tells nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.accounts.models import LoginAttempt
from recruit.db import Database
from recruit.ids import new_id

WINDOW = timedelta(minutes=5)
PER_SUBJECT = 10
IN_ALL = 1000

_EVERYBODY = b"everybody"
_LOCK = 0x6C6F636B6F7574


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try that was let through; it counts as failed until it is said to have succeeded."""

    rows: tuple[UUID, ...]


def admit(session: Session, *, who: str, address: str, at: datetime) -> Attempt | None:
    """Let a try through and count it, or refuse it without counting; call before the password is checked.

    :param who: what was typed as the account, known or not
    :param address: the client's address; a network of IPv6 counts as one client
    """
    _one_at_a_time(session)
    subjects = _subjects(session, who, address)
    failed = _failures(session, subjects, since=at - WINDOW)
    if any(failed.get(s, 0) >= (IN_ALL if s == _EVERYBODY else PER_SUBJECT) for s in subjects):
        return None
    rows = [LoginAttempt(id=new_id(), subject=subject, at=at, succeeded=False) for subject in subjects]
    session.add_all(rows)
    return Attempt(tuple(row.id for row in rows))


def succeed(session: Session, attempt: Attempt) -> None:
    """Take back a try from the count: it was the right person."""
    session.execute(sa.update(LoginAttempt).where(LoginAttempt.id.in_(attempt.rows)).values(succeeded=True))


def _subjects(session: Session, who: str, address: str) -> tuple[bytes, ...]:
    database: Database = session.info["database"]
    fingerprint = database.keyring.fingerprint
    return fingerprint("attempt_account", who), fingerprint("attempt_client", _client(address)), _EVERYBODY


def _client(address: str) -> str:
    """Name the client behind an address: with IPv6 a household or an office has a whole /64."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed.packed, 64), strict=False))
    return str(parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else parsed)


def _failures(session: Session, subjects: tuple[bytes, ...], *, since: datetime) -> dict[bytes, int]:
    """Count failed tries; later ones than now count too, so that setting the clock back frees nobody."""
    rows = session.execute(
        sa.select(LoginAttempt.subject, sa.func.count())
        .where(LoginAttempt.subject.in_(subjects), LoginAttempt.at > since, LoginAttempt.succeeded.is_(False))
        .group_by(LoginAttempt.subject)
    )
    return {bytes(subject): number for subject, number in rows}


def _one_at_a_time(session: Session) -> None:
    """Keep two tries from being counted at once; SQLite already holds its one write lock."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
