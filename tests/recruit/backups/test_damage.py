"""A database too damaged to be read in part or at all."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from recruit.contact.models import SuppressionReason
from recruit.operations import checks
from tests.recruit.backups.places import Place


class TestDamagedSqlite:
    @pytest.fixture(autouse=True)
    def only_here(self, place: Place) -> None:
        if not place.database.is_sqlite:
            pytest.skip("about SQLite")

    def file_of(self, place: Place) -> Path:
        return Path(place.database.engine.url.database or "")

    def test_a_file_that_is_no_database_any_more_is_put_aside_and_replaced(self, place: Place) -> None:
        place.stop()
        place.database.dispose()
        self.file_of(place).write_bytes(b"\x00garbage" * 4000)

        done = place.run("restore", str(place.copy), "--replace")

        assert done.exit_code == 0, done.output
        assert "Nothing could be carried over from the database that was replaced (it cannot be read)" in (
            done.output
        )
        assert place.person(place.ann.person.id).erased_at is None
        assert [file.read_bytes()[:8] for file in (place.folder / "backups").iterdir()] == [b"\x00garbage"]
        assert all(finding.is_sound for finding in checks.look(place.database))

    def test_without_the_word_replace_it_stays(self, place: Place) -> None:
        place.database.dispose()
        self.file_of(place).write_bytes(b"\x00garbage" * 4000)

        done = place.run("restore", str(place.copy))

        assert done.exit_code == 1
        assert "Restore with --replace" in done.output

    def test_a_damaged_page_costs_no_more_than_its_own_rows(self, place: Place) -> None:
        place.stop()
        place.database.dispose()
        with sqlite3.connect(self.file_of(place)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            query = "SELECT rootpage FROM sqlite_master WHERE type = 'table' AND name = 'consent'"
            page = connection.execute(query).fetchone()[0]
            size = connection.execute("PRAGMA page_size").fetchone()[0]
        connection.close()
        with self.file_of(place).open("r+b") as file:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)

        done = place.run("restore", str(place.copy), "--replace")

        assert done.exit_code == 0, done.output
        assert "Could not be read there, and so not carried over: withdrawn consents." in done.output
        assert place.closed() is SuppressionReason.STOP
        assert all(finding.is_sound for finding in checks.look(place.database))
        kept = list((place.folder / "backups").iterdir())
        assert [stat.S_IMODE(file.stat().st_mode) for file in kept] == [0o600]

    def test_a_table_that_cannot_be_read_is_named_and_the_others_are_carried(self, place: Place) -> None:
        place.stop()
        with place.database.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE event RENAME COLUMN happened_at TO was")

        done = place.run("restore", str(place.copy), "--replace")

        assert done.exit_code == 0, done.output
        assert "Could not be read there, and so not carried over: erasures." in done.output
        assert place.closed() is SuppressionReason.STOP
