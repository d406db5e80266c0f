"""Backups: whole while everybody works, looked into before anything is touched, and quiet after a restore."""

import os
import shutil
import sqlite3
import stat
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

from campaigns.app import create_app
from recruit import backup, schema
from recruit.backups import pgdump, sqlitefile
from recruit.clock import FixedClock
from recruit.crypto import Keyring
from recruit.db import Database
from recruit.errors import Refused, Unavailable
from recruit.operations import checks
from recruit.operations import service as operations
from recruit.operations.models import Installation
from recruit.people import queries as people_queries
from recruit.people import service as people
from recruit.people.models import Basis, Person
from recruit.settings import Environment, Settings
from recruit.studies.models import Site
from tests.conftest import NOON, SECRET
from tests.factories import make_site
from tests.recruit.conftest import MakeEmpty

DAY = timedelta(days=1)


@pytest.fixture
def live(make_migrated: MakeEmpty) -> Database:
    """Give a database in use: schema by migration, sending on, one person in it."""
    database = make_migrated()
    with database.transaction(actor="test") as session:
        operations.ensure(session)
    add_person(database, "Ann")
    return database


def add_person(database: Database, given: str) -> UUID:
    with database.transaction(actor="test") as session:
        identity = people.Identity(given=given)
        return people.add_person(session, identity, basis=Basis.CALL, language="en", at=NOON).id


def names_in(database: Database) -> set[str]:
    with database.reading() as session:
        return {
            people_queries.identity_of(session, person).given for person in session.scalars(sa.select(Person))
        }


def installation_of(database: Database) -> Installation:
    with database.reading() as session:
        return session.get_one(Installation, 1)


def restore(
    database: Database, source: Path, *, replace: bool = False, folder: Path | None = None
) -> backup.Restored:
    return backup.restore(database, source, replace=replace, folder=folder or source.parent, at=NOON + DAY)


class TestWriting:
    def test_it_is_one_private_file_that_says_what_it_holds(self, live: Database, tmp_path: Path) -> None:
        made = backup.write(live, tmp_path / "copy.backup", at=NOON)

        assert made.revision == schema.head()
        assert made.size == made.path.stat().st_size
        assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
        assert [file.name for file in tmp_path.iterdir() if "copy" in file.name] == ["copy.backup"]

    def test_in_a_folder_it_is_named_after_the_time(self, live: Database, tmp_path: Path) -> None:
        folder = tmp_path / "backups"
        folder.mkdir()

        made = backup.write(live, folder, at=NOON)

        assert made.path.name.startswith("recruit-20261118T170000Z.")

    def test_a_file_that_exists_is_not_overwritten(self, live: Database, tmp_path: Path) -> None:
        (tmp_path / "mine").write_text("precious")

        with pytest.raises(Refused, match="exists already"):
            backup.write(live, tmp_path / "mine", at=NOON)

        assert (tmp_path / "mine").read_text() == "precious"

    def test_a_folder_that_is_not_there_is_named(self, live: Database, tmp_path: Path) -> None:
        with pytest.raises(Unavailable, match="gone cannot be written to"):
            backup.write(live, tmp_path / "gone" / "copy", at=NOON)

    def test_an_empty_database_has_nothing_to_back_up(self, make_empty: MakeEmpty, tmp_path: Path) -> None:
        with pytest.raises(Refused, match="nothing to back up"):
            backup.write(make_empty(), tmp_path / "copy", at=NOON)

    def test_it_holds_no_name_in_clear(self, live: Database, tmp_path: Path) -> None:
        add_person(live, "Canary-Annabel")

        made = backup.write(live, tmp_path / "copy", at=NOON)

        assert b"Canary" not in made.path.read_bytes()
        assert SECRET.encode() not in made.path.read_bytes()


class TestDrill:
    def test_what_was_there_when_it_was_made_comes_back(self, live: Database, tmp_path: Path) -> None:
        made = backup.write(live, tmp_path / "copy", at=NOON)
        add_person(live, "Later")

        done = restore(live, made.path, replace=True)

        assert names_in(live) == {"Ann"}
        assert done.revision == schema.head()
        assert all(finding.is_sound for finding in checks.look(live))
        add_person(live, "After")
        assert names_in(live) == {"Ann", "After"}

    def test_while_people_write_every_backup_is_one_moment(self, live: Database, tmp_path: Path) -> None:
        """Sites are made in pairs; a backup with half a pair would be torn."""
        stop = threading.Event()

        def write() -> None:
            while not stop.is_set():
                with live.transaction(actor="test") as session:
                    make_site(session)
                    make_site(session)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            made = [backup.write(live, tmp_path / f"copy{n}", at=NOON) for n in range(3)]
        finally:
            stop.set()
            writer.join()

        counts = []
        for one in made:
            restore(live, one.path, replace=True, folder=tmp_path / f"aside-{one.path.name}")
            with live.reading() as session:
                counts.append(session.scalar(sa.select(sa.func.count()).select_from(Site)) or 0)
            assert all(finding.is_sound for finding in checks.look(live))
        assert counts == sorted(counts)
        assert [count % 2 for count in counts] == [0, 0, 0]
        assert counts[-1] > 0

    def test_into_an_empty_database(self, live: Database, make_empty: MakeEmpty, tmp_path: Path) -> None:
        made = backup.write(live, tmp_path / "copy", at=NOON)
        fresh = make_empty()

        done = restore(fresh, made.path)

        assert names_in(fresh) == {"Ann"}
        assert done.set_aside is None

    def test_a_connection_that_was_open_sees_what_was_restored(self, live: Database, tmp_path: Path) -> None:
        made = backup.write(live, tmp_path / "copy", at=NOON)
        add_person(live, "Later")
        other = Database(live.engine.url.render_as_string(hide_password=False), keyring=live.keyring)
        assert names_in(other) == {"Ann", "Later"}

        restore(live, made.path, replace=True)

        assert names_in(other) == {"Ann"}
        add_person(other, "After")
        assert names_in(live) == {"Ann", "After"}
        other.dispose()


class TestAfterwards:
    def test_sending_is_off_until_somebody_switches_it_on(self, live: Database, tmp_path: Path) -> None:
        made = backup.write(live, tmp_path / "copy", at=NOON)

        restore(live, made.path, replace=True)

        installation = installation_of(live)
        assert not installation.sending_on
        assert installation.restored_at == NOON + DAY
        with live.transaction(actor="test") as session:
            assert not operations.sending_is_on(session)
            operations.switch_sending(session, on=True)
            assert operations.sending_is_on(session)

    def test_the_epoch_rises_above_the_backup_s_and_the_database_s(
        self, live: Database, tmp_path: Path
    ) -> None:
        made = backup.write(live, tmp_path / "copy", at=NOON)
        with live.transaction(actor="test") as session:
            operations.ensure(session).sending_epoch = 7

        done = restore(live, made.path, replace=True)

        assert done.sending_epoch == 8 == installation_of(live).sending_epoch

    def test_the_trail_says_that_it_was_restored(self, live: Database, tmp_path: Path) -> None:
        made = backup.write(live, tmp_path / "copy", at=NOON)

        restore(live, made.path, replace=True)

        with live.reading() as session:
            last = session.execute(
                sa.text(
                    "SELECT actor, reason FROM audit_entry WHERE table_name='installation' ORDER BY id DESC"
                )
            ).first()
        assert last == ("cli:db restore", "restore")

    def test_what_was_replaced_can_be_restored_too(self, live: Database, tmp_path: Path) -> None:
        made = backup.write(live, tmp_path / "copy", at=NOON)
        add_person(live, "Later")

        done = restore(live, made.path, replace=True, folder=tmp_path / "aside")
        assert done.set_aside is not None
        backup.restore(live, done.set_aside.path, replace=True, folder=tmp_path / "aside2", at=NOON + DAY)

        assert names_in(live) == {"Ann", "Later"}


class TestRefusing:
    @pytest.fixture
    def made(self, live: Database, tmp_path: Path) -> backup.Backup:
        return backup.write(live, tmp_path / "copy", at=NOON)

    @pytest.fixture(autouse=True)
    def untouched(self, live: Database) -> Iterator[None]:
        """Whatever is refused, the database stays as it was."""
        yield
        assert names_in(live) == {"Ann"}
        assert installation_of(live).restored_at is None

    def test_rows_are_not_overwritten_unless_asked(self, live: Database, made: backup.Backup) -> None:
        with pytest.raises(Refused, match=r"holds data\. Restore with --replace"):
            restore(live, made.path)

    @pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
    def test_a_truncated_file(self, live: Database, made: backup.Backup, share: float) -> None:
        with made.path.open("r+b") as file:
            file.truncate(int(made.size * share))

        with pytest.raises(Refused, match=r"damaged|not a backup"):
            restore(live, made.path, replace=True)

    def test_a_file_with_altered_bytes(self, live: Database, made: backup.Backup) -> None:
        content = bytearray(made.path.read_bytes())
        for place in range(len(content) // 3, len(content) // 3 + 4096):
            content[place] ^= 0xFF
        made.path.write_bytes(content)

        with pytest.raises(Refused, match=r"damaged|not a backup"):
            restore(live, made.path, replace=True)

    @pytest.mark.parametrize("content", [b"", b"hello", b"SQLite format 3\x00", b"PGDMP", b"\x00" * 5000])
    def test_a_foreign_file(self, live: Database, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "foreign").write_bytes(content)

        with pytest.raises(Refused, match=r"damaged|not a backup"):
            restore(live, tmp_path / "foreign", replace=True)

    def test_no_file_at_all(self, live: Database, tmp_path: Path) -> None:
        with pytest.raises(Refused, match="There is no file"):
            restore(live, tmp_path / "nothing", replace=True)
        with pytest.raises(Refused, match="cannot be read"):
            restore(live, tmp_path, replace=True)

    def test_somebody_else_s_database(self, live: Database, tmp_path: Path) -> None:
        with sqlite3.connect(tmp_path / "theirs") as connection:
            connection.execute("CREATE TABLE invoice (id INTEGER)")
        connection.close()

        with pytest.raises(Refused, match="not a backup"):
            restore(live, tmp_path / "theirs", replace=True)

    def test_a_backup_that_our_keys_do_not_open(self, live: Database, made: backup.Backup) -> None:
        url = live.engine.url.render_as_string(hide_password=False)
        other = Database(url, keyring=Keyring.from_settings("", secret_key="another secret " * 4))

        with pytest.raises(Refused, match="Set RECRUIT_SECRET_KEY and RECRUIT_MASTER_KEY"):
            restore(other, made.path, replace=True)
        other.dispose()

    def test_a_backup_of_a_newer_version(self, live: Database, made: backup.Backup, tmp_path: Path) -> None:
        with live.engine.begin() as connection:
            connection.execute(sa.update(schema.VERSION).values(version_num="9999"))

        with pytest.raises(Refused, match="newer version of the software \\(schema 9999"):
            backup.write(live, tmp_path / "newer", at=NOON)

        assert not (tmp_path / "newer").exists()
        with live.engine.begin() as connection:
            connection.execute(sa.update(schema.VERSION).values(version_num=schema.head()))

    def test_a_live_database_is_no_backup(self, live: Database, tmp_path: Path) -> None:
        if not live.is_sqlite:
            pytest.skip("a PostgreSQL database is no file")
        add_person(live, "Ann")

        with pytest.raises(Refused, match="in use"):
            restore(live, Path(live.engine.url.database or ""), replace=True)


class TestSqlite:
    @pytest.fixture(autouse=True)
    def only_here(self, live: Database) -> None:
        if not live.is_sqlite:
            pytest.skip("about SQLite")

    def test_a_database_that_stays_busy_is_left_as_it_is(
        self, live: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sqlitefile, "_TRIES", 2)
        monkeypatch.setattr(sqlitefile, "_PAUSE", 0.01)
        made = backup.write(live, tmp_path / "copy", at=NOON)
        add_person(live, "Later")
        holder = sqlite3.connect(live.engine.url.database or "", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")

        with pytest.raises(Unavailable):
            restore(live, made.path, replace=True)

        holder.rollback()
        holder.close()
        assert names_in(live) == {"Ann", "Later"}

    def test_copying_the_file_is_no_backup(self, live: Database, tmp_path: Path) -> None:
        """Seen to fail: what people do instead, while the database is in use."""
        add_person(live, "Later")
        shutil.copyfile(live.engine.url.database or "", tmp_path / "copied")

        with sqlite3.connect(tmp_path / "copied") as connection:
            try:
                count = connection.execute("SELECT count(*) FROM person").fetchone()[0]
            except sqlite3.DatabaseError:
                count = 0
        connection.close()

        assert count < 2

    def test_what_a_killed_restore_leaves_behind_is_the_old_database(
        self, live: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = backup.write(live, tmp_path / "copy", at=NOON)
        add_person(live, "Later")

        def die(_source: Path, _database: Path) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(sqlitefile, "load", die)
        with pytest.raises(Unavailable):
            restore(live, made.path, replace=True)

        assert names_in(live) == {"Ann", "Later"}
        assert not [
            file for file in Path(live.engine.url.database or "").parent.iterdir() if file.name[0] == "."
        ]


class TestPostgresql:
    def test_missing_programs_are_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "")

        with pytest.raises(Refused, match="pg_dump, pg_restore, psql cannot be found: install"):
            pgdump.require_programs()

    def test_a_password_is_not_shown_to_other_users(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program = tmp_path / "pg_dump"
        program.write_text('#!/bin/sh\necho "$@" > "$SEEN"; echo "$PGPASSWORD" >> "$SEEN"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        monkeypatch.setenv("SEEN", str(tmp_path / "seen"))

        pgdump.write(
            sa.make_url("postgresql+psycopg://ana:s3cret@db:6543/recruit?sslmode=require"), tmp_path / "x"
        )

        arguments, password = (tmp_path / "seen").read_text().splitlines()
        assert "s3cret" not in arguments
        assert arguments.endswith("--dbname=postgresql://ana@db:6543/recruit?sslmode=require")
        assert password == "s3cret"

    def test_a_server_that_is_away_is_said_to_be(self, keyring: Keyring, tmp_path: Path) -> None:
        away = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing", keyring=keyring)

        with pytest.raises(Unavailable):
            backup.write(away, tmp_path / "copy", at=NOON)


class TestCommands:
    @pytest.fixture
    def app(self, make_empty: MakeEmpty, tmp_path: Path) -> Flask:
        database = make_empty()
        settings = Settings(
            environment=Environment.TEST,
            database_url=database.engine.url.render_as_string(hide_password=False),
            secret_key=SECRET,
            backup_folder=str(tmp_path / "backups"),
            log_level="ERROR",
        )
        return create_app(settings, clock=FixedClock(NOON), database=database)

    def run(self, app: Flask, *arguments: str) -> Result:
        return app.test_cli_runner().invoke(args=["db", *arguments])

    def test_the_whole_way(self, app: Flask, tmp_path: Path) -> None:
        copy = str(tmp_path / "copy")

        steps = [
            self.run(app, *arguments)
            for arguments in (
                ("upgrade",),
                ("upgrade",),
                ("current",),
                ("backup", copy),
                ("restore", copy),
                ("check",),
                ("sending", "on"),
                ("check",),
            )
        ]

        assert [step.exit_code for step in steps] == [0] * len(steps), [step.output for step in steps]
        words = [step.output for step in steps]
        assert f"The schema is at {schema.head()}." in words[0]
        assert "up to date" in words[1]
        assert words[2].strip() == f"{schema.head()} (newest {schema.head()})"
        assert "Sending is off" in words[4]
        assert "sending: off" in words[5]
        assert "sending: on" in words[7]
        assert not (tmp_path / "backups").exists()

    def test_a_refusal_is_one_sentence(self, app: Flask, tmp_path: Path) -> None:
        done = self.run(app, "restore", str(tmp_path / "nothing"))

        assert done.exit_code == 1
        assert done.output == f"Error: There is no file {tmp_path}/nothing.\n"

    def test_a_check_that_finds_something_exits_1(self, app: Flask) -> None:
        done = self.run(app, "check")

        assert done.exit_code == 1
        assert "BAD  schema: at nothing" in done.output

    def test_a_missing_trigger_is_found(self, app: Flask) -> None:
        self.run(app, "upgrade")
        database: Database = app.extensions["recruit"].database
        on = "" if database.is_sqlite else " ON person"
        with database.engine.begin() as connection:
            connection.execute(sa.text(f"DROP TRIGGER audit_person_delete{on}"))

        done = self.run(app, "check")

        assert done.exit_code == 1
        assert "BAD  trail: triggers are missing (1)" in done.output

    def test_an_existing_schema_is_backed_up_before_it_moves(
        self, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.run(app, "upgrade")
        monkeypatch.setattr(schema, "is_current", lambda _database: False)

        moved = self.run(app, "upgrade")
        without = self.run(app, "upgrade", "--no-backup")

        kept = list((tmp_path / "backups").iterdir())
        assert moved.exit_code == without.exit_code == 0
        assert [file.name.partition(".")[0] for file in kept] == ["before-upgrade-20261118T170000Z"]
        assert str(kept[0]) in moved.output
