"""The accounts of the demonstration: one for each role, and a recruiter who sees a single site."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from recruit.accounts import service
from recruit.accounts.models import LinkPurpose
from recruit.accounts.policy import Permit
from recruit.demo.members import MEMBERS as MEMBERS
from recruit.demo.world import Staff


def hire(session: Session, sites: dict[str, UUID], *, password_hash: str, at: datetime) -> Staff:
    """Make the accounts, ready to sign in; all have the same password."""
    accounts = {}
    for member in MEMBERS:
        permit = Permit(member.role, site_id=sites[member.site] if member.site else None, study_id=None)
        account, token = service.invite(session, email=member.email, name=member.name, permits=(permit,), at=at)
        service.accept(session, token, purpose=LinkPurpose.INVITE, password_hash=password_hash, at=at)
        accounts[member.key] = account.id
    return Staff(accounts)
