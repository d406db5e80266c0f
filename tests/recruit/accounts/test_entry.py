from datetime import timedelta

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher, extract_parameters

from recruit.accounts import entry, passwords, service, sessions
from recruit.accounts.entry import Client, Denied, Entered
from recruit.accounts.models import Account, AccountStatus, Role
from recruit.audit.models import AuditEntry
from recruit.db import Database, found
from tests.conftest import NOON
from tests.factories import make_account

PASSWORD = "violet gravel teapot orbit"
CLIENT = Client(
    address="192.0.2.1",
    agent="test",
    idle=timedelta(minutes=30),
    lasts=timedelta(hours=12),
    request_id="r1",
)


@pytest.fixture(scope="module")
def stored() -> str:
    return passwords.hash_password(PASSWORD)


@pytest.fixture
def ana(database: Database, stored: str) -> Account:
    with database.transaction(actor="test") as session:
        return make_account(session, Role.RECRUITER, email="Ana@example.org", password_hash=stored)


def enter(database: Database, email: str = "ana@example.org", password: str = PASSWORD) -> Entered | Denied:
    """Sign in at noon."""
    return entry.sign_in(database, email=email, password=password, client=CLIENT, at=NOON)


class TestSignIn:
    @pytest.mark.parametrize("email", ["ana@example.org", "ANA@EXAMPLE.ORG", "  Ana@example.org "])
    def test_opens_a_session_however_the_address_is_typed(
        self, database: Database, ana: Account, email: str
    ) -> None:
        entered = enter(database, email)

        assert isinstance(entered, Entered)
        assert entered.signed_in.account_id == ana.id
        with database.reading() as session:
            assert found(session, Account, ana.id).last_sign_in_at == NOON

    def test_leaves_a_trail_in_the_account_s_name(self, database: Database, ana: Account) -> None:
        enter(database)

        with database.reading() as session:
            row = session.scalars(sa.select(AuditEntry).where(AuditEntry.table_name == "login_session")).one()
        assert (row.actor, row.reason, row.request_id) == (f"account:{ana.id}", "account:sign_in", "r1")

    def test_does_the_same_work_and_says_the_same_whoever_is_asked_for(
        self, database: Database, ana: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with database.transaction(actor="test") as session:
            gone = make_account(session, email="gone@example.org", password_hash=ana.password_hash or "")
            found(session, Account, gone.id).status = AccountStatus.DEACTIVATED
            make_account(session, email="new@example.org")
        work = list[object]()
        verify = PasswordHasher.verify

        def counted(self: PasswordHasher, stored: str, password: bytes) -> bool:
            work.append(extract_parameters(stored))
            return verify(self, stored, password)

        monkeypatch.setattr(PasswordHasher, "verify", counted)

        answers = [enter(database, "ana@example.org", "wrong")]
        answers += [enter(database, f"{who}@example.org") for who in ("gone", "new", "nobody")]

        assert answers == [Denied.WRONG] * 4
        assert len(work) == 4
        assert len({repr(parameters) for parameters in work}) == 1

    def test_hashes_nothing_after_ten_wrong_tries_not_even_for_the_right_password(
        self, database: Database, ana: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hashed = list[str]()

        def never(_stored: str | None, password: str) -> bool:
            hashed.append(password)
            return False

        monkeypatch.setattr(passwords, "matches", never)

        answers = [enter(database, password="wrong") for _ in range(50)]

        assert answers.count(Denied.WRONG) == len(hashed) == 10
        assert answers.count(Denied.TOO_MANY) == 40

    def test_an_unknown_address_is_locked_out_alike(self, database: Database) -> None:
        answers = [enter(database, "nobody@example.org", "wrong") for _ in range(11)]

        assert answers == [Denied.WRONG] * 10 + [Denied.TOO_MANY]

    def test_a_password_stored_with_less_work_is_stored_anew(self, database: Database) -> None:
        weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
        with database.transaction(actor="test") as session:
            account = make_account(session, email="old@example.org", password_hash=weak)

        assert isinstance(enter(database, "old@example.org"), Entered)

        with database.reading() as session:
            renewed = found(session, Account, account.id).password_hash
        assert renewed is not None
        assert not passwords.is_outdated(renewed)
        assert passwords.matches(renewed, PASSWORD)

    def test_ends_the_session_this_browser_had(self, database: Database, ana: Account) -> None:
        first = enter(database)
        assert isinstance(first, Entered)

        entry.sign_in(
            database,
            email="ana@example.org",
            password=PASSWORD,
            client=CLIENT,
            at=NOON,
            replaces=first.signed_in,
        )

        with database.reading() as session:
            assert sessions.resolve(session, first.token, idle=CLIENT.idle, at=NOON) is None

    def test_is_refused_when_the_password_was_changed_while_it_was_checked(
        self, database: Database, ana: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def changed_meanwhile(stored: str | None, password: str) -> bool:
            with database.transaction(actor="test") as session:
                account = found(session, Account, ana.id)
                service.set_password(session, account, password_hash="another", at=NOON)
            return True

        monkeypatch.setattr(passwords, "matches", changed_meanwhile)

        assert enter(database) is Denied.WRONG


class TestChangePassword:
    def test_ends_every_session_and_opens_one(self, database: Database, ana: Account) -> None:
        first = enter(database)
        assert isinstance(first, Entered)

        changed = entry.change_password(
            database, ana.id, present=PASSWORD, new="quartz lantern mosaic fig", client=CLIENT, at=NOON
        )

        assert isinstance(changed, Entered)
        with database.reading() as session:
            assert sessions.resolve(session, first.token, idle=CLIENT.idle, at=NOON) is None
            assert sessions.resolve(session, changed.token, idle=CLIENT.idle, at=NOON) is not None
        assert enter(database) is Denied.WRONG
        assert isinstance(enter(database, password="quartz lantern mosaic fig"), Entered)

    def test_asks_for_the_present_password_ten_times(self, database: Database, ana: Account) -> None:
        answers = [
            entry.change_password(database, ana.id, present="wrong", new="x" * 20, client=CLIENT, at=NOON)
            for _ in range(11)
        ]

        assert answers == [Denied.WRONG] * 10 + [Denied.TOO_MANY]
