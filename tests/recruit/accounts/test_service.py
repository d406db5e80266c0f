from datetime import timedelta
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.accounts import queries, service, sessions
from recruit.accounts.models import Account, AccountStatus, LinkPurpose, LoginSession, OneTimeLink, Role
from recruit.accounts.policy import Permit
from recruit.audit.models import AuditEntry
from recruit.db import Database, found
from recruit.errors import Invalid, NotFound, Refused
from recruit.ids import new_id
from tests.conftest import NOON
from tests.factories import make_account, make_site, make_study

RECRUITER = Permit(Role.RECRUITER, None, None)
DAY = timedelta(hours=24)


def invited(session: Session, email: str = "lee@example.org") -> tuple[Account, str]:
    """Invite somebody as a recruiter."""
    return service.invite(session, email=email, name="Lee Park", permits=(RECRUITER,), at=NOON)


def signed_in_as(session: Session, account: Account, token: str) -> bool:
    """Say whether a cookie's token still counts."""
    session.flush()
    return sessions.resolve(session, token, idle=timedelta(minutes=30), at=NOON) is not None


def signed_in(session: Session, account: Account) -> str:
    """Open a session; return the cookie's token."""
    return sessions.open_session(session, account, agent="test", lasts=timedelta(hours=8), at=NOON)


class TestInvite:
    def test_makes_an_account_that_cannot_sign_in_yet(self, session: Session) -> None:
        account, token = invited(session)

        assert account.status is AccountStatus.INVITED
        assert account.password_hash is None
        assert queries.member(session, account.id).roles == (Role.RECRUITER,)
        assert queries.link_owner(session, token, purpose=LinkPurpose.INVITE, at=NOON) is not None

    def test_keeps_no_name_address_or_token_in_the_clear(self, session: Session) -> None:
        account, token = invited(session)

        stored = session.execute(sa.select(OneTimeLink.token_hash)).scalar_one()
        sealed = account.email_sealed + account.name_sealed + account.email_token + stored

        assert not any(word in sealed for word in (b"lee", b"Park", b"example", token.encode()))

    @pytest.mark.parametrize("again", ["lee@example.org", "LEE@Example.org", " lee@example.org "])
    def test_refuses_an_address_that_has_an_account(self, session: Session, again: str) -> None:
        invited(session)

        with pytest.raises(Refused, match="already an account"):
            invited(session, again)

    @pytest.mark.parametrize(
        "email", ["", "lee", "lee@", "lee@example.org\x00", "a@b@c.org", "x" * 300 + "@b.org"]
    )
    def test_refuses_what_is_no_address(self, session: Session, email: str) -> None:
        with pytest.raises(Invalid, match="email address"):
            invited(session, email)

    @pytest.mark.parametrize("name", ["", "  ", "Lee\x00", "x" * 121, "\ud800"])
    def test_refuses_what_is_no_name(self, session: Session, name: str) -> None:
        with pytest.raises(Invalid, match="a name"):
            service.invite(session, email="lee@example.org", name=name, permits=(RECRUITER,), at=NOON)

    def test_asks_for_a_role(self, session: Session) -> None:
        with pytest.raises(Refused, match="at least one role"):
            service.invite(session, email="lee@example.org", name="Lee", permits=(), at=NOON)

    def test_lands_in_the_trail_with_actor_and_reason(self, database: Database) -> None:
        with database.transaction(actor="account:ana", reason="account:invite") as session:
            invited(session)

        with database.reading() as session:
            rows = session.scalars(sa.select(AuditEntry).where(AuditEntry.reason == "account:invite"))
            traces = {(row.table_name, row.operation, row.actor) for row in rows}
        assert {t for t, _, _ in traces} == {"account", "data_key", "grant", "one_time_link"}
        assert {a for _, _, a in traces} == {"account:ana"}


class TestLink:
    def test_works_once(self, session: Session) -> None:
        account, token = invited(session)

        service.accept(session, token, purpose=LinkPurpose.INVITE, password_hash="h", at=NOON)

        assert account.status is AccountStatus.ACTIVE
        with pytest.raises(NotFound):
            service.accept(session, token, purpose=LinkPurpose.INVITE, password_hash="i", at=NOON)
        assert account.password_hash == "h"

    def test_works_for_24_hours(self, session: Session) -> None:
        _, token = invited(session)

        assert queries.link_owner(
            session, token, purpose=LinkPurpose.INVITE, at=NOON + DAY - timedelta(seconds=1)
        )
        assert queries.link_owner(session, token, purpose=LinkPurpose.INVITE, at=NOON + DAY) is None
        with pytest.raises(NotFound):
            service.accept(session, token, purpose=LinkPurpose.INVITE, password_hash="h", at=NOON + DAY)

    def test_is_void_once_there_is_a_newer_one(self, session: Session) -> None:
        account, first = invited(session)

        _, second = service.renew_link(session, account.id, at=NOON + timedelta(hours=1))

        later = NOON + timedelta(hours=2)
        assert queries.link_owner(session, first, purpose=LinkPurpose.INVITE, at=later) is None
        assert queries.link_owner(session, second, purpose=LinkPurpose.INVITE, at=later) is not None

    def test_of_an_invitation_does_not_open_a_reset(self, session: Session) -> None:
        _, token = invited(session)

        with pytest.raises(NotFound):
            service.accept(session, token, purpose=LinkPurpose.RESET, password_hash="h", at=NOON)

    def test_of_a_reset_leaves_the_present_password_until_it_is_used(self, session: Session) -> None:
        account = make_account(session, Role.RECRUITER, password_hash="old")
        cookie = signed_in(session, account)

        purpose, token = service.renew_link(session, account.id, at=NOON)

        assert purpose is LinkPurpose.RESET
        assert account.password_hash == "old"
        assert signed_in_as(session, account, cookie)
        service.accept(session, token, purpose=purpose, password_hash="new", at=NOON)
        assert account.password_hash == "new"
        assert not signed_in_as(session, account, cookie)

    def test_is_void_for_a_deactivated_account(self, session: Session) -> None:
        account, token = invited(session)
        service.deactivate(session, account.id, at=NOON)

        with pytest.raises(NotFound):
            service.accept(session, token, purpose=LinkPurpose.INVITE, password_hash="h", at=NOON)
        with pytest.raises(Refused, match="Reactivate"):
            service.renew_link(session, account.id, at=NOON)

    def test_used_by_two_at_once_opens_for_one(self, database: Database) -> None:
        with database.transaction(actor="test") as session:
            account, token = invited(session)
        start, opened = Barrier(2), list[str]()

        def use(password_hash: str) -> None:
            start.wait()
            try:
                with database.transaction(actor="test") as session:
                    service.accept(
                        session, token, purpose=LinkPurpose.INVITE, password_hash=password_hash, at=NOON
                    )
                    opened.append(password_hash)
            except NotFound:
                pass

        threads = [Thread(target=use, args=(text,)) for text in ("one", "two")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        with database.reading() as session:
            assert [found(session, Account, account.id).password_hash] == opened


class TestGrants:
    def test_a_role_is_limited_to_a_site_and_a_study(self, session: Session) -> None:
        account = make_account(session)
        site, study = make_site(session, name="Austin"), make_study(session, nickname="KNEE-1")

        service.give(session, account.id, Permit(Role.RECRUITER, site.id, study.id), at=NOON)

        (held,) = queries.held(session, account.id)
        assert (held.role, held.site, held.study) == (Role.RECRUITER, "Austin", "KNEE-1")
        scope = sessions.permits_of(session, account.id).scope(Role.RECRUITER)
        assert scope.covers(site_id=site.id, study_id=study.id)
        assert not scope.covers(site_id=site.id, study_id=None)

    def test_a_role_held_already_is_refused(self, session: Session) -> None:
        account = make_account(session, Role.RECRUITER)

        with pytest.raises(Refused, match="already"):
            service.give(session, account.id, RECRUITER, at=NOON)

    @pytest.mark.parametrize("role", [Role.ADMIN, Role.AUDITOR])
    def test_administrators_and_auditors_work_everywhere(self, session: Session, role: Role) -> None:
        account, site = make_account(session), make_site(session)

        with pytest.raises(Refused, match="across all sites"):
            service.give(session, account.id, Permit(role, site.id, None), at=NOON)

    def test_an_unknown_site_or_study_is_named(self, session: Session) -> None:
        account = make_account(session)

        with pytest.raises(Invalid, match="site from the list"):
            service.give(session, account.id, Permit(Role.RECRUITER, new_id(), None), at=NOON)
        with pytest.raises(Invalid, match="study from the list"):
            service.give(session, account.id, Permit(Role.RECRUITER, None, new_id()), at=NOON)

    def test_a_new_role_ends_sessions_and_one_more_place_does_not(self, session: Session) -> None:
        site = make_site(session)
        account = make_account(session, Role.RECRUITER, site_id=site.id)
        cookie = signed_in(session, account)

        service.give(session, account.id, Permit(Role.RECRUITER, make_site(session).id, None), at=NOON)
        still_in = signed_in_as(session, account, cookie)
        service.give(session, account.id, Permit(Role.MARKETER, None, None), at=NOON)

        assert still_in
        assert not signed_in_as(session, account, cookie)

    def test_losing_a_role_ends_sessions_and_losing_one_place_does_not(self, session: Session) -> None:
        account = make_account(session, Role.RECRUITER, site_id=make_site(session).id)
        service.give(session, account.id, RECRUITER, at=NOON)
        cookie = signed_in(session, account)
        first, second = queries.held(session, account.id)

        service.take(session, account.id, first.id, at=NOON)
        still_in = signed_in_as(session, account, cookie)
        service.take(session, account.id, second.id, at=NOON)

        assert still_in
        assert not signed_in_as(session, account, cookie)
        assert queries.held(session, account.id) == []

    def test_an_ended_grant_can_be_given_again_and_not_ended_again(self, session: Session) -> None:
        account = make_account(session, Role.RECRUITER)
        (held,) = queries.held(session, account.id)
        service.take(session, account.id, held.id, at=NOON)

        service.give(session, account.id, RECRUITER, at=NOON)

        with pytest.raises(NotFound):
            service.take(session, account.id, held.id, at=NOON)

    def test_a_grant_of_somebody_else_is_not_found(self, session: Session) -> None:
        ana, bo = make_account(session, Role.RECRUITER), make_account(session)
        (held,) = queries.held(session, ana.id)

        with pytest.raises(NotFound):
            service.take(session, bo.id, held.id, at=NOON)


class TestLastAdministrator:
    def test_keeps_the_role(self, session: Session) -> None:
        admin = make_account(session, Role.ADMIN)
        invited(session)
        (held,) = queries.held(session, admin.id)

        with pytest.raises(Refused, match="last administrator"):
            service.take(session, admin.id, held.id, at=NOON)

    def test_is_not_deactivated(self, session: Session) -> None:
        admin = make_account(session, Role.ADMIN)

        with pytest.raises(Refused, match="last administrator"):
            service.deactivate(session, admin.id, at=NOON)

    def test_is_last_although_another_was_invited_or_deactivated(self, session: Session) -> None:
        admin, left = make_account(session, Role.ADMIN), make_account(session, Role.ADMIN)
        service.invite(
            session, email="n@example.org", name="New", permits=(Permit(Role.ADMIN, None, None),), at=NOON
        )
        service.deactivate(session, left.id, at=NOON)

        with pytest.raises(Refused, match="last administrator"):
            service.deactivate(session, admin.id, at=NOON)

    def test_remains_when_two_remove_each_other_at_once(self, database: Database) -> None:
        with database.transaction(actor="test") as session:
            ana, bo = make_account(session, Role.ADMIN), make_account(session, Role.ADMIN)
        start, refused = Barrier(2), list[str]()

        def remove(account: Account) -> None:
            start.wait()
            try:
                with database.transaction(actor="test") as session:
                    service.deactivate(session, account.id, at=NOON)
            except Refused as error:
                refused.append(error.message)

        threads = [Thread(target=remove, args=(account,)) for account in (ana, bo)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        with database.reading() as session:
            assert queries.numbers(session)[AccountStatus.ACTIVE] == 1
        assert len(refused) == 1


class TestDeactivate:
    def test_ends_sessions_and_keeps_the_roles_for_a_return(self, session: Session) -> None:
        account = make_account(session, Role.RECRUITER, password_hash="old")
        cookie = signed_in(session, account)

        service.deactivate(session, account.id, at=NOON)
        out = not signed_in_as(session, account, cookie)
        token = service.reactivate(session, account.id, at=NOON)

        assert out
        assert account.status is AccountStatus.INVITED
        assert account.password_hash is None
        assert queries.member(session, account.id).roles == (Role.RECRUITER,)
        assert not signed_in_as(session, account, cookie)
        assert queries.link_owner(session, token, purpose=LinkPurpose.INVITE, at=NOON) is not None

    def test_of_oneself_is_refused(self, database: Database) -> None:
        with database.transaction(actor="test") as session:
            make_account(session, Role.ADMIN)
            ana = make_account(session, Role.ADMIN)

        with (
            pytest.raises(Refused, match="your own account"),
            database.transaction(actor=f"account:{ana.id}") as session,
        ):
            service.deactivate(session, ana.id, at=NOON)

    def test_twice_is_harmless_and_a_return_only_follows_it(self, session: Session) -> None:
        make_account(session, Role.ADMIN)
        account = make_account(session, Role.RECRUITER)
        service.deactivate(session, account.id, at=NOON)

        service.deactivate(session, account.id, at=NOON)
        service.reactivate(session, account.id, at=NOON)

        with pytest.raises(Refused, match="not deactivated"):
            service.reactivate(session, account.id, at=NOON)

    def test_no_role_can_be_given_meanwhile(self, session: Session) -> None:
        make_account(session, Role.ADMIN)
        account = make_account(session)
        service.deactivate(session, account.id, at=NOON)

        with pytest.raises(Refused, match="deactivated"):
            service.give(session, account.id, RECRUITER, at=NOON)


class TestSessions:
    def test_somebody_elses_session_is_not_found(self, session: Session) -> None:
        ana, bo = make_account(session), make_account(session)
        signed_in(session, ana)
        session.flush()
        (browser,) = queries.browsers(session, idle=DAY, at=NOON)

        with pytest.raises(NotFound):
            service.end_session(session, bo.id, browser.id, reason="test", at=NOON)

    def test_all_but_one_end(self, session: Session) -> None:
        account = make_account(session)
        tokens = [signed_in(session, account) for _ in range(3)]
        session.flush()
        keep = queries.browsers(session, idle=DAY, at=NOON)[0]

        ended = service.end_sessions(session, account.id, reason="test", at=NOON, except_for=keep.id)

        assert ended == 2
        assert queries.browsers(session, idle=DAY, at=NOON, account_id=account.id) == [keep]
        assert sum(signed_in_as(session, account, token) for token in tokens) == 1

    def test_opening_and_ending_leave_a_trail_and_using_leaves_none(self, database: Database) -> None:
        with database.transaction(actor="test", reason="sign_in") as session:
            signed_in(session, make_account(session))
        with database.reading() as session:
            key = session.execute(sa.select(LoginSession.id)).scalar_one()

        with database.transaction(actor="test", reason="seen") as session:
            sessions.touch(session, key, at=NOON + timedelta(minutes=2))
        with database.transaction(actor="test", reason="out") as session:
            sessions.end(session, key, reason="signed out", at=NOON)

        with database.reading() as session:
            rows = session.scalars(sa.select(AuditEntry).where(AuditEntry.table_name == "login_session"))
            assert [(row.operation, row.reason) for row in rows] == [("INSERT", "sign_in"), ("UPDATE", "out")]
