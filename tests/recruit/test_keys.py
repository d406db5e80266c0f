"""Data keys: one for each owner; rotation rewraps them and erasure deletes them."""

import base64
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.crypto import Keyring
from recruit.db import Database
from recruit.errors import Unreadable
from recruit.ids import new_id
from recruit.keys import DataKey, Owner, Vault, rewrap, vault_of


@pytest.fixture
def owner(session: Session) -> UUID:
    owner = new_id()
    vault_of(session).create_key(Owner.PERSON, owner)
    session.flush()
    return owner


def ring(*names: str) -> Keyring:
    entries = (f"{name}:{base64.b64encode(name.encode().ljust(32)).decode()}" for name in names)
    return Keyring.from_settings(",".join(entries), secret_key="")


class TestVault:
    def test_a_value_opens_in_another_session(self, database: Database) -> None:
        owner, row = new_id(), new_id()
        with database.transaction(actor="test") as session:
            vault_of(session).create_key(Owner.PERSON, owner)
            sealed = vault_of(session).seal(owner, "person", "given_sealed", row, "Ann")

        with database.reading() as session:
            opened = vault_of(session).open(owner, "person", "given_sealed", row, sealed)

        assert opened == "Ann"

    def test_nothing_stays_nothing(self, session: Session, owner: UUID) -> None:
        vault = vault_of(session)

        assert vault.seal(owner, "person", "given_sealed", owner, None) is None
        assert vault.open(owner, "person", "given_sealed", owner, None) is None

    def test_one_owner_s_value_does_not_open_as_another_s(self, session: Session, owner: UUID) -> None:
        vault, other = vault_of(session), new_id()
        vault.create_key(Owner.PERSON, other)
        sealed = vault.seal(owner, "note", "body_sealed", owner, "called")

        with pytest.raises(Unreadable):
            vault.open(other, "note", "body_sealed", owner, sealed)

    def test_without_a_key_nothing_is_sealed(self, session: Session) -> None:
        with pytest.raises(Unreadable, match="erased"):
            vault_of(session).seal(new_id(), "person", "given_sealed", new_id(), "Ann")

    def test_an_erased_key_closes_its_values_for_good(self, database: Database) -> None:
        owner, row = new_id(), new_id()
        with database.transaction(actor="test") as session:
            vault = vault_of(session)
            vault.create_key(Owner.PERSON, owner)
            sealed = vault.seal(owner, "note", "body_sealed", row, "called")
            vault.destroy_key(owner)
            with pytest.raises(Unreadable):
                vault.open(owner, "note", "body_sealed", row, sealed)

        with database.reading() as session, pytest.raises(Unreadable, match="erased"):
            vault_of(session).open(owner, "note", "body_sealed", row, sealed)

    def test_a_list_loads_its_keys_with_one_query(self, database: Database) -> None:
        owners = [new_id() for _ in range(20)]
        with database.transaction(actor="test") as session:
            for owner in owners:
                vault_of(session).create_key(Owner.PERSON, owner)
            sealed = {o: vault_of(session).seal(o, "person", "given_sealed", o, "Ann") for o in owners}
        statements: list[str] = []
        sa.event.listen(database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

        with database.reading() as session:
            vault = vault_of(session)
            vault.load(set(owners))
            names = {vault.open(o, "person", "given_sealed", o, sealed[o]) for o in owners}

        assert names == {"Ann"}
        assert len([text for text in statements if "data_key" in text]) == 1


class TestRotation:
    def test_rewraps_in_batches_while_everything_stays_readable(self, session: Session) -> None:
        old, owners = Vault(session, ring("k1")), [new_id() for _ in range(25)]
        for owner in owners:
            old.create_key(Owner.PERSON, owner)
        session.flush()
        sealed = {owner: old.seal(owner, "person", "given_sealed", owner, "Ann") for owner in owners}
        rotated = ring("k2", "k1")

        batches: list[int] = []
        while not batches or batches[-1]:
            batches.append(rewrap(session, rotated, limit=10))
            session.flush()
            fresh = Vault(session, rotated)
            assert {fresh.open(o, "person", "given_sealed", o, sealed[o]) for o in owners} == {"Ann"}

        assert batches == [10, 10, 5, 0]
        assert set(session.scalars(sa.select(DataKey.master_key_id))) == {"k2"}
        alone = Vault(session, ring("k2"))
        assert alone.open(owners[0], "person", "given_sealed", owners[0], sealed[owners[0]]) == "Ann"

    def test_a_key_that_was_taken_off_the_ring_too_early_is_named(self, session: Session) -> None:
        Vault(session, ring("k1")).create_key(Owner.PERSON, new_id())
        session.flush()

        with pytest.raises(Unreadable, match="k1 is not configured"):
            rewrap(session, ring("k2"), limit=10)
