"""A restore that is killed, or fails, at one of its steps."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from recruit import backup, privacy
from recruit.contact.models import SuppressionReason
from recruit.matching import stopping
from recruit.operations import checks
from recruit.operations import service as operations
from tests.architecture.source import ROOT
from tests.conftest import NOON, SECRET
from tests.recruit.backups.places import DAY, SINCE, Place

KILLED = """
import importlib, os, signal
from datetime import datetime
from pathlib import Path
from campaigns import models
from recruit import backup
from recruit.crypto import Keyring
from recruit.db import Database

holder = importlib.import_module({module!r})
step = getattr(holder, {step!r})

def die(*arguments, **named):
    if {after}:
        step(*arguments, **named)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(holder, {step!r}, die)
database = Database({url!r}, keyring=Keyring.from_settings("", secret_key={secret!r}))
backup.restore(
    database, Path({source!r}), replace=True, folder=Path({folder!r}), at=datetime.fromisoformat({at!r})
)
"""


class TestKilled:
    def die(self, place: Place, module: str, step: str, *, after: bool) -> None:
        """Run a restore in a process of its own that is killed before or after one of its steps."""
        place.database.dispose()
        script = KILLED.format(
            module=module,
            step=step,
            after=after,
            url=place.database.engine.url.render_as_string(hide_password=False),
            secret=SECRET,
            source=str(place.copy),
            folder=str(place.folder / "killed"),
            at=(NOON + DAY).isoformat(),
        )
        root = ROOT
        died = subprocess.run([sys.executable, "-c", script], cwd=root, env=os.environ, check=False)
        assert died.returncode == -signal.SIGKILL

    def swap_of(self, place: Place) -> tuple[str, str]:
        sqlite = "recruit.backups.sqlitefile", "load"
        return sqlite if place.database.is_sqlite else ("recruit.backups.pgdump", "swap")

    @pytest.mark.parametrize("step", ["mark_restored", "carry_over", "swap"])
    def test_before_the_swap_it_leaves_the_old_database_and_the_next_restore_works(
        self, place: Place, step: str
    ) -> None:
        place.stop()
        holder = {
            "mark_restored": ("recruit.operations.service", "mark_restored"),
            "carry_over": ("recruit.backups.carrying", "carry_over"),
            "swap": self.swap_of(place),
        }[step]

        self.die(place, *holder, after=False)

        assert place.closed() is SuppressionReason.STOP
        with place.database.reading() as session:
            assert operations.sending_is_on(session)
        place.restore()
        assert place.closed() is SuppressionReason.STOP
        with place.database.reading() as session:
            assert not operations.sending_is_on(session)
        assert all(finding.is_sound for finding in checks.look(place.database))
        assert not [file for file in place.folder.iterdir() if file.name[0] == "."]

    def test_right_after_the_swap_everything_is_there(self, place: Place) -> None:
        place.stop()
        place.write(lambda session: stopping.do_not_contact(session, place.ann.person.id, at=SINCE))

        self.die(place, *self.swap_of(place), after=True)

        assert place.closed() is SuppressionReason.STOP
        assert place.person(place.ann.person.id).do_not_contact_at == SINCE
        with place.database.reading() as session:
            assert not operations.sending_is_on(session)

    def test_a_draft_of_a_process_that_had_our_number_is_in_nobody_s_way(self, place: Place) -> None:
        """As in a container, where every process has the same number."""
        if not place.database.is_sqlite:
            pytest.skip("about files")
        live = Path(place.database.engine.url.database or "")
        live.with_name(f".{live.name}.{os.getpid()}").write_bytes(b"half a draft")
        place.stop()

        place.restore()

        assert place.closed() is SuppressionReason.STOP

    def test_what_it_left_behind_is_in_no_later_backup(self, place: Place) -> None:
        if place.database.is_sqlite:
            pytest.skip("a draft beside the file, and no part of it")
        with place.database.engine.begin() as connection:
            connection.execute(sa.text("CREATE SCHEMA recruit_incoming"))
            connection.execute(sa.text("CREATE TABLE recruit_incoming.leftover (id INTEGER)"))

        made = backup.write(place.database, place.folder / "later", at=NOON)

        assert b"leftover" not in made.path.read_bytes()

    def test_a_failure_while_carrying_over_leaves_everything_as_it_was(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place.stop()
        place.write(lambda session: privacy.erase_person(session, place.ann.person.id, at=SINCE))

        def fail(*_arguments: object, **_named: object) -> None:
            raise RuntimeError("a bug")

        monkeypatch.setattr(privacy, "erase_person", fail)
        with pytest.raises(RuntimeError, match="a bug"):
            place.restore()

        assert place.closed() is SuppressionReason.STOP
        assert place.person(place.ann.person.id).erased_at == SINCE
        with place.database.reading() as session:
            assert operations.sending_is_on(session)
        if not place.database.is_sqlite:
            with place.database.engine.connect() as connection:
                assert "recruit_incoming" not in sa.inspect(connection).get_schema_names()
