"""The accounts of the demonstration: one for each role, and a recruiter who sees a single site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from recruit.accounts import service
from recruit.accounts.models import LinkPurpose, Role
from recruit.accounts.policy import Permit
from recruit.demo.world import Staff


@dataclass(frozen=True, slots=True)
class Member:
    """One made-up member of staff."""

    key: str
    name: str
    role: Role
    site: str = ""

    @property
    def email(self) -> str:
        """Give the address to sign in with."""
        return f"{self.key}@example.org"


MEMBERS = (
    Member("recruiter", "Nora Whitfield", Role.RECRUITER),
    Member("recruiter-boston", "Dan Okonkwo", Role.RECRUITER, site="Boston"),
    Member("coordinator", "Irene Castellanos", Role.COORDINATOR),
    Member("marketer", "Theo Lindgren", Role.MARKETER),
    Member("admin", "Sasha Petrov", Role.ADMIN),
    Member("auditor", "June Abernathy", Role.AUDITOR),
)


def hire(session: Session, sites: dict[str, UUID], *, password_hash: str, at: datetime) -> Staff:
    """Make the accounts, ready to sign in; all have the same password."""
    accounts = {}
    for member in MEMBERS:
        permit = Permit(member.role, site_id=sites[member.site] if member.site else None, study_id=None)
        account, token = service.invite(session, email=member.email, name=member.name, permits=(permit,), at=at)
        service.accept(session, token, purpose=LinkPurpose.INVITE, password_hash=password_hash, at=at)
        accounts[member.key] = account.id
    return Staff(accounts)
