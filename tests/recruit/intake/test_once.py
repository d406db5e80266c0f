from contextlib import suppress

import pytest

from recruit.db import Database
from recruit.errors import Conflict, Invalid
from recruit.intake import once
from tests.conftest import NOON


def body(**fields: str) -> bytes:
    """Fingerprint a form."""
    return once.body_hash({name: [value] for name, value in fields.items()})


class TestBodyHash:
    def test_knows_fields_from_values(self) -> None:
        assert once.body_hash({"a": ["b", "c"]}) != once.body_hash({"a": ["b"], "c": [""]})
        assert once.body_hash({"a": ["1;1:b=1:2"]}) != once.body_hash({"a": ["1"], "b": ["2"]})

    def test_ignores_the_order_of_fields(self) -> None:
        assert once.body_hash({"a": ["1"], "b": ["2"]}) == once.body_hash({"b": ["2"], "a": ["1"]})

    def test_takes_any_text(self) -> None:
        assert len(body(name="\ud800\x00")) == 32


class TestClaim:
    def test_replays_what_was_settled(self, database: Database) -> None:
        with database.transaction(actor="test") as session:
            assert once.claim(session, "contact", "k", body(a="1"), at=NOON) is None
            once.settle(session, "contact", "k", location="/en/code")

        with database.transaction(actor="test") as session:
            assert once.claim(session, "contact", "k", body(a="1"), at=NOON) == "/en/code"
            assert once.replayed(session, "contact", "k", body(a="1")) == "/en/code"

    def test_refuses_another_body(self, database: Database) -> None:
        with database.transaction(actor="test") as session:
            once.claim(session, "contact", "k", body(a="1"), at=NOON)

        with database.transaction(actor="test") as session:
            with pytest.raises(Conflict):
                once.claim(session, "contact", "k", body(a="2"), at=NOON)
            with pytest.raises(Conflict):
                once.replayed(session, "contact", "k", body(a="2"))

    def test_a_step_that_fails_gives_its_key_back(self, database: Database) -> None:
        with suppress(Invalid), database.transaction(actor="test") as session:
            once.claim(session, "contact", "k", body(a="1"), at=NOON)
            raise Invalid("no address")

        with database.reading() as session:
            assert once.replayed(session, "contact", "k", body(a="1")) is None

    def test_scopes_do_not_know_each_other(self, database: Database) -> None:
        with database.transaction(actor="test") as session:
            once.claim(session, "contact", "k", body(a="1"), at=NOON)

            assert once.replayed(session, "inquiry", "k", body(a="1")) is None
