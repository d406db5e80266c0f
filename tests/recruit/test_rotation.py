"""Changing the master key: everything goes under the newest key, and everybody is found as before."""

import base64
from collections.abc import Iterator
from hashlib import sha256

import pytest
import sqlalchemy as sa
from flask import Flask

from recruit import privacy, rotation
from recruit.accounts import queries as accounts
from recruit.accounts.models import Role
from recruit.clock import FixedClock
from recruit.contact import queries as contact_queries
from recruit.contact import service as contact
from recruit.contact.models import ContactChannel, Suppression, SuppressionReason
from recruit.crypto import Keyring
from recruit.db import Database
from recruit.errors import Unreadable
from recruit.keys import DataKey
from recruit.people import queries, service
from recruit.people.models import Basis, ContactKind, ContactPoint, Person
from recruit.settings import Settings
from tests.conftest import NOON, make_app
from tests.factories import make_account

SMS, PHONE = ContactChannel.SMS, ContactKind.PHONE
NUMBER = "+15550100123"


def ring(*names: str) -> Keyring:
    entries = (f"{name}:{base64.b64encode(sha256(name.encode()).digest()).decode()}" for name in names)
    return Keyring.from_settings(",".join(entries), secret_key="")


@pytest.fixture
def database(database: Database) -> Iterator[Database]:
    """Give a database that began with the key k1."""
    before, database.keyring = database.keyring, ring("k1")
    yield database
    database.keyring = before


def add_ann(database: Database, *, number: str = NUMBER) -> Person:
    with database.transaction(actor="test") as session:
        ann = service.add_person(
            session,
            service.Identity(given="Ann", family="Lee"),
            basis=Basis.INQUIRY,
            language="en",
            at=NOON,
        )
        service.attach_contact(session, ann, PHONE, number, at=NOON)
    return ann


def close(database: Database, number: str = NUMBER) -> None:
    with database.transaction(actor="test") as session:
        token = queries.address_token(session, PHONE, number)
        contact.suppress(session, token, SMS, SuppressionReason.STOP, source="test", at=NOON)


def is_closed(database: Database, number: str = NUMBER) -> bool:
    with database.reading() as session:
        token = queries.address_token(session, PHONE, number)
        return contact_queries.closed_for(session, token, SMS) is not None


class TestRotate:
    def test_everybody_is_found_with_the_new_key_alone(self, database: Database) -> None:
        ann = add_ann(database)
        with database.transaction(actor="test") as session:
            member = make_account(session, Role.ADMIN)
            email = accounts.member(session, member.id).email
        database.keyring = ring("k2", "k1")

        done = rotation.rotate(database, at=NOON)

        database.keyring = ring("k2")
        with database.reading() as session:
            assert queries.search_by_name(session, "ann lee") == [ann.id]
            assert [person.id for person in queries.people_at(session, PHONE, NUMBER)] == [ann.id]
            assert queries.names_of(session, [ann.id])[ann.id].full_name == "Ann Lee"
            found = accounts.account_of(session, email)
            assert found is not None
            assert found.id == member.id
        assert done == rotation.Rotated(data_keys=3, addresses=1, accounts=1, people=1)

    def test_a_stop_stays_a_stop(self, database: Database) -> None:
        add_ann(database)
        close(database)
        database.keyring = ring("k2", "k1")

        rotation.rotate(database, at=NOON)

        database.keyring = ring("k2")
        assert is_closed(database)

    def test_a_number_that_was_closed_again_in_between_is_closed_once(self, database: Database) -> None:
        add_ann(database)
        close(database)
        database.keyring = ring("k2")
        close(database)
        database.keyring = ring("k2", "k1")

        rotation.rotate(database, at=NOON)

        assert is_closed(database)
        with database.reading() as session:
            rows = session.scalars(sa.select(Suppression)).all()
        assert [row.lifted_at is None for row in rows].count(True) == 1

    def test_a_number_that_was_entered_again_in_between_is_closed_both_times(self, database: Database) -> None:
        add_ann(database)
        close(database)
        database.keyring = ring("k2")
        add_ann(database)
        database.keyring = ring("k2", "k1")

        rotation.rotate(database, at=NOON)

        with database.reading() as session:
            tokens = session.scalars(sa.select(ContactPoint.address_token)).all()
            closed = [contact_queries.closed_for(session, token, SMS) for token in tokens]
        assert closed == [SuppressionReason.STOP] * 2

    def test_goes_in_batches_and_a_second_time_changes_nothing(self, database: Database) -> None:
        for last in range(7):
            add_ann(database, number=f"+1555010010{last}")
        database.keyring = ring("k2", "k1")

        first, second = (rotation.rotate(database, at=NOON, batch=3) for _ in range(2))

        assert first == rotation.Rotated(data_keys=14, addresses=7, accounts=0, people=7)
        assert second == rotation.Rotated(data_keys=0, addresses=0, accounts=0, people=0)

    def test_what_was_stopped_in_the_middle_is_finished_the_next_time(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for last in range(5):
            add_ann(database, number=f"+1555010010{last}")
        database.keyring = ring("k2", "k1")
        with monkeypatch.context() as broken:
            broken.setattr(rotation, "_accounts", _stop)
            with pytest.raises(KeyboardInterrupt):
                rotation.rotate(database, at=NOON, batch=2)

        rest = rotation.rotate(database, at=NOON, batch=2)

        assert rest == rotation.Rotated(data_keys=0, addresses=0, accounts=0, people=5)

    def test_a_key_that_was_taken_off_too_early_is_named(self, database: Database) -> None:
        add_ann(database)
        database.keyring = ring("k2")

        with pytest.raises(Unreadable, match="k1 is not configured"):
            rotation.rotate(database, at=NOON)


class TestWords:
    def test_an_old_key_that_holds_nothing_may_go(self, database: Database) -> None:
        add_ann(database)
        database.keyring = ring("k2", "k1")

        rotation.rotate(database, at=NOON)

        assert rotation.words_of(database) == [
            "k1 may be removed from RECRUIT_MASTER_KEY. Keep a copy for as long as you keep backups made "
            "before now."
        ]

    def test_a_closed_address_of_somebody_erased_keeps_it(self, database: Database) -> None:
        ann = add_ann(database)
        with database.transaction(actor="test") as session:
            privacy.erase_person(session, ann.id, at=NOON)
        database.keyring = ring("k2", "k1")

        rotation.rotate(database, at=NOON)

        (words,) = rotation.words_of(database)
        assert words.startswith("No data key is wrapped by k1 any more, but keep it: 1 closed address")

    def test_a_key_that_a_running_process_still_uses_stays(self, database: Database) -> None:
        database.keyring = ring("k2", "k1")
        rotation.rotate(database, at=NOON)
        database.keyring = ring("k1")
        add_ann(database)
        database.keyring = ring("k2", "k1")

        (words,) = rotation.words_of(database)

        assert words.startswith("Keep k1: 2 data keys")

    def test_without_an_older_key_there_is_nothing_to_remove(self, database: Database) -> None:
        assert rotation.words_of(database) == ["There is no older master key beside k1."]


def test_the_command_says_what_it_did(settings: Settings, database: Database) -> None:
    add_ann(database)
    database.keyring = ring("k2", "k1")
    app: Flask = make_app(settings, clock=FixedClock(NOON), database=database)

    ran = app.test_cli_runner().invoke(args=["db", "rewrap"])

    assert ran.exit_code == 0, ran.output
    assert "Wrapped 2 data keys anew; made the fingerprints of 1 addresses" in ran.output
    assert "k1 may be removed" in ran.output
    with database.reading() as session:
        assert set(session.scalars(sa.select(DataKey.master_key_id))) == {"k2"}


def _stop(*_arguments: object) -> None:
    raise KeyboardInterrupt
