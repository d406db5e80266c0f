from datetime import timedelta
from threading import Barrier, Thread

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.accounts import lockout
from recruit.accounts.lockout import IN_ALL, PER_SUBJECT, WINDOW, admit, succeed
from recruit.accounts.models import LoginAttempt
from recruit.db import Database
from recruit.ids import new_id
from tests.conftest import NOON


def admitted(session: Session, number: int, *, who: str = "ana@example.org", address: str = "192.0.2.1") -> int:
    """Try a number of times; say how many were let through."""
    return sum(admit(session, who=who, address=address, at=NOON) is not None for _ in range(number))


class TestAdmit:
    def test_lets_ten_tries_through_for_an_account_from_anywhere(self, session: Session) -> None:
        let_in = sum(admitted(session, 1, address=f"192.0.2.{n}") for n in range(40))

        assert let_in == PER_SUBJECT == 10

    def test_lets_ten_tries_through_for_a_client_at_any_accounts(self, session: Session) -> None:
        let_in = sum(admitted(session, 1, who=f"staff{n}@example.org") for n in range(40))

        assert let_in == PER_SUBJECT

    def test_counts_a_household_of_ipv6_as_one_client(self, session: Session) -> None:
        let_in = sum(admitted(session, 1, who=f"{n}", address=f"2001:db8:1:2::{n:x}") for n in range(40))

        assert let_in == PER_SUBJECT
        assert admitted(session, 1, who="x", address="2001:db8:1:3::1") == 1

    def test_lets_a_thousand_through_in_all(self, session: Session) -> None:
        session.add_all(
            LoginAttempt(id=new_id(), subject=lockout._EVERYBODY, at=NOON, succeeded=False)
            for _ in range(IN_ALL - 1)
        )

        let_in = admitted(session, 1) + admitted(session, 1, who="bo@example.org", address="192.0.2.9")

        assert let_in == 1

    def test_opens_again_when_the_window_has_passed(self, session: Session) -> None:
        admitted(session, 20)

        early = admit(
            session, who="ana@example.org", address="192.0.2.1", at=NOON + WINDOW - timedelta(seconds=1)
        )
        later = admit(session, who="ana@example.org", address="192.0.2.1", at=NOON + WINDOW)

        assert early is None
        assert later is not None

    def test_hammering_at_a_closed_door_does_not_keep_it_closed(self, session: Session) -> None:
        admitted(session, 500)

        rows = session.scalar(sa.select(sa.func.count()).select_from(LoginAttempt))

        assert rows == 3 * PER_SUBJECT

    def test_setting_the_clock_back_frees_nobody(self, session: Session) -> None:
        admitted(session, 10)

        attempt = admit(session, who="ana@example.org", address="192.0.2.1", at=NOON - timedelta(hours=1))

        assert attempt is None

    def test_a_clinic_behind_one_address_signs_in_together(self, session: Session) -> None:
        for number in range(40):
            attempt = admit(session, who=f"staff{number}@example.org", address="192.0.2.1", at=NOON)
            assert attempt is not None
            succeed(session, attempt)

        assert admitted(session, 1) == 1

    def test_signing_in_does_not_forgive_the_wrong_tries_before(self, session: Session) -> None:
        admitted(session, 9)
        attempt = admit(session, who="ana@example.org", address="192.0.2.1", at=NOON)
        assert attempt is not None

        succeed(session, attempt)

        assert admitted(session, 5) == 1

    def test_an_address_that_is_none_is_counted_too(self, session: Session) -> None:
        assert sum(admitted(session, 1, who=f"{n}", address="") for n in range(20)) == PER_SUBJECT


def test_processes_count_together(database: Database) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    start, let_in = Barrier(4), list[int]()

    def guess(address: str) -> None:
        own = Database(url, keyring=database.keyring, durable=False)
        start.wait()
        for _ in range(10):
            with own.transaction(actor="test") as session:
                if admit(session, who="ana@example.org", address=address, at=NOON):
                    let_in.append(1)
        own.dispose()

    threads = [Thread(target=guess, args=(f"192.0.2.{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(let_in) == PER_SUBJECT
