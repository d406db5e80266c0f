"""Accounts, roles and passwords that were taken away since the backup."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit import backup
from recruit.accounts import service as accounts
from recruit.accounts import sessions
from recruit.accounts.models import Account, AccountStatus, Grant, LoginSession, OneTimeLink, Role
from recruit.accounts.policy import Permit
from recruit.db import found
from tests.campaigns.scenes import OpenStudy
from tests.conftest import NOON
from tests.factories import make_account
from tests.recruit.backups.places import DAY, SINCE, Place, make_place
from tests.recruit.conftest import MakeEmpty


class TestAccounts:
    @pytest.fixture
    def staff(self, make_migrated: MakeEmpty, tmp_path: Path) -> tuple[Place, UUID, UUID]:
        """Give a place with an administrator and a recruiter, both signed in."""
        made: list[Account] = []

        def invite(session: Session, _study: OpenStudy) -> None:
            for role in (Role.ADMIN, Role.RECRUITER):
                made.append(make_account(session, role, password_hash="old"))
                sessions.open_session(session, made[-1], agent="x", lasts=DAY * 30, at=NOON)

        place = make_place(make_migrated(), tmp_path, before=invite)
        return place, made[0].id, made[1].id

    def test_nobody_is_signed_in_afterwards(self, staff: tuple[Place, UUID, UUID]) -> None:
        place, _, _ = staff

        place.restore()

        assert place.count(LoginSession, LoginSession.ended_at.is_(None)) == 0
        assert place.count(LoginSession, LoginSession.ended_reason == "restored") == 2

    def test_no_one_time_link_of_before_opens_anything(
        self, staff: tuple[Place, UUID, UUID], tmp_path: Path
    ) -> None:
        place, _, recruiter = staff
        place.write(lambda session: accounts.renew_link(session, recruiter, at=NOON + DAY))
        place.copy = backup.write(place.database, tmp_path / "with-link", at=NOON).path

        place.restore()

        assert place.count(OneTimeLink, OneTimeLink.expires_at > NOON + DAY) == 0

    def test_an_account_that_was_deactivated_stays_so(self, staff: tuple[Place, UUID, UUID]) -> None:
        place, _, recruiter = staff
        place.write(lambda session: accounts.deactivate(session, recruiter, at=SINCE))

        done = place.restore()

        assert place.account(recruiter).status is AccountStatus.DEACTIVATED
        assert done.carried.accounts_deactivated == 1

    def test_a_role_that_was_taken_away_stays_taken(self, staff: tuple[Place, UUID, UUID]) -> None:
        place, _, recruiter = staff

        def take(session: Session) -> None:
            accounts.give(session, recruiter, Permit(Role.MARKETER, None, None), at=SINCE)
            grant = contact_grant(session, recruiter)
            accounts.take(session, recruiter, grant, at=SINCE)

        place.write(take)

        done = place.restore()

        with place.database.reading() as session:
            assert sessions.permits_of(session, recruiter).roles == frozenset()
        assert done.carried.roles_ended == 1

    def test_a_password_that_was_changed_works_no_more(self, staff: tuple[Place, UUID, UUID]) -> None:
        place, _, recruiter = staff
        place.write(
            lambda session: accounts.set_password(
                session, found(session, Account, recruiter), password_hash="new", at=SINCE
            )
        )

        done = place.restore()

        assert place.account(recruiter).password_hash == "new"
        assert done.carried.passwords_changed == 1

    def test_the_only_administrator_of_the_backup_keeps_no_password_if_they_were_deactivated(
        self, staff: tuple[Place, UUID, UUID]
    ) -> None:
        place, admin, _ = staff

        def replace(session: Session) -> None:
            make_account(session, Role.ADMIN)
            accounts.deactivate(session, admin, at=SINCE)

        place.write(replace)

        done = place.restore()

        assert place.account(admin).password_hash is None
        assert done.carried.last_administrators == 1


def contact_grant(session: Session, account_id: UUID) -> UUID:
    """Name the grant of a recruiter."""
    return session.scalars(
        sa.select(Grant.id).where(Grant.account_id == account_id, Grant.role == Role.RECRUITER)
    ).one()
