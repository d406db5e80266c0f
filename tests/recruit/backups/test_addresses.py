"""Addresses that were closed or opened since the backup."""

from __future__ import annotations

import base64
from hashlib import sha256
from pathlib import Path

import sqlalchemy as sa

from recruit import backup, rotation
from recruit.audit.models import AuditEntry
from recruit.contact import queries as contact_queries
from recruit.contact.models import Suppression, SuppressionReason
from recruit.crypto import Keyring
from recruit.people.models import ContactPoint
from tests.conftest import NOON
from tests.recruit.backups.places import DAY, HOUR, SINCE, SMS, STRANGER, Place, make_place
from tests.recruit.conftest import MakeEmpty


class TestClosedAddresses:
    def test_a_stop_since_the_backup_is_still_a_stop(self, place: Place) -> None:
        place.stop()
        place.stop(STRANGER)

        done = place.restore()

        assert place.closed() is SuppressionReason.STOP
        assert place.closed(STRANGER) is SuppressionReason.STOP
        assert done.carried.addresses_closed == 2

    def test_it_keeps_its_day_and_its_source_and_the_trail_names_the_restore(self, place: Place) -> None:
        place.stop()

        place.restore()

        with place.database.reading() as session:
            row = session.scalars(sa.select(Suppression)).one()
            written = session.execute(
                sa.select(AuditEntry.actor, AuditEntry.reason).where(AuditEntry.table_name == "suppression")
            ).one()
        assert (row.at, row.source) == (SINCE, "reply")
        assert tuple(written) == ("cli:db restore", "restore:carry-over")

    def test_what_its_holder_opened_again_since_stays_open(self, place: Place, tmp_path: Path) -> None:
        place.stop(at=NOON - DAY)
        made = backup.write(place.database, tmp_path / "with-stop", at=NOON)
        place.start(at=SINCE)
        place.copy = made.path

        done = place.restore()

        assert place.closed() is None
        assert done.carried.addresses_opened == 1

    def test_a_stop_after_a_start_is_a_stop(self, place: Place, tmp_path: Path) -> None:
        place.stop(at=NOON - DAY)
        made = backup.write(place.database, tmp_path / "with-stop", at=NOON)
        place.start(at=SINCE)
        place.stop(at=SINCE + HOUR)
        place.copy = made.path

        place.restore()

        assert place.closed() is SuppressionReason.STOP

    def test_a_backup_that_is_the_newer_one_keeps_its_own_word(self, place: Place, tmp_path: Path) -> None:
        """Restoring the older one and then the newer one again must not bring a lifted stop back."""
        place.stop(at=NOON - DAY)
        older = backup.write(place.database, tmp_path / "older", at=NOON).path
        place.start(at=SINCE)
        newer = backup.write(place.database, tmp_path / "newer", at=NOON).path
        with place.database.transaction(actor="test") as session:
            session.execute(sa.update(Suppression).values(lifted_at=None, lifted_by=None))

        place.copy = newer
        place.restore()

        assert older.exists()
        assert place.closed() is None

    def test_it_holds_for_an_address_whose_fingerprint_has_changed_since(
        self, make_migrated: MakeEmpty, tmp_path: Path
    ) -> None:
        """Between backup and restore the master key was changed, and every fingerprint with it."""
        database = make_migrated()
        database.keyring = ring("k1")
        place = make_place(database, tmp_path, before=lambda _session, _study: None)
        database.keyring = ring("k2", "k1")
        rotation.rotate(database, at=SINCE)
        place.stop()

        place.restore()

        with database.reading() as session:
            point = session.scalars(sa.select(ContactPoint)).one()
            assert contact_queries.closed_for(session, point.address_token, SMS) is SuppressionReason.STOP


def ring(*names: str) -> Keyring:
    entries = (f"{name}:{base64.b64encode(sha256(name.encode()).digest()).decode()}" for name in names)
    return Keyring.from_settings(",".join(entries), secret_key="")
