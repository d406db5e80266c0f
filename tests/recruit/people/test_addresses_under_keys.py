"""An address is known under whichever live key it was first kept with."""

from recruit import privacy, rotation
from recruit.db import Database
from recruit.people import queries
from tests.conftest import NOON
from tests.recruit.test_rotation import PHONE, add_ann, close, database, is_closed, ring

__all__ = ["database"]


def test_everybody_is_found_before_the_keys_are_rewrapped(database: Database) -> None:
    ann = add_ann(database)
    database.keyring = ring("k2", "k1")

    with database.reading() as session:
        assert [p.id for p in queries.people_at(session, PHONE, "+15550100123")] == [ann.id]


def test_a_stop_that_comes_before_the_keys_are_rewrapped_counts(database: Database) -> None:
    add_ann(database)
    database.keyring = ring("k2", "k1")
    close(database)

    rotation.rotate(database, at=NOON)

    database.keyring = ring("k2")
    assert is_closed(database)


def test_a_closed_address_outlives_its_person_under_the_old_key(database: Database) -> None:
    ann = add_ann(database)
    with database.transaction(actor="test") as session:
        privacy.erase_person(session, ann.id, at=NOON)
    database.keyring = ring("k2", "k1")
    rotation.rotate(database, at=NOON)

    add_ann(database)

    assert is_closed(database)
