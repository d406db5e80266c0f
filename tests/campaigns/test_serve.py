"""Serving: a new database is built whole or not at all, an old one is moved, and a signal ends it cleanly."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from campaigns import serve
from campaigns.app import create_app
from recruit import context, schema
from recruit.clock import FixedClock
from recruit.context import Application, Demo, DemoAccount
from recruit.errors import Refused
from recruit.operations.models import Installation
from recruit.settings import Environment, Settings
from tests.architecture.source import ROOT
from tests.conftest import NOON, SECRET
from tests.factories import make_site

Say = Callable[[str], None]


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    """Give an application whose database is not there yet, with a demo of one site."""
    settings = Settings(
        environment=Environment.DEMO,
        database_url=f"sqlite:///{tmp_path}/new/demo.sqlite3",
        secret_key=SECRET,
        backup_folder=str(tmp_path / "backups"),
        log_level="ERROR",
    )
    serve.make_room(settings)
    application = context.of(create_app(settings, clock=FixedClock(NOON)))
    application.demo = Demo(build=build, accounts=(DemoAccount("ana@example.org", "pass", "recruiter"),))
    yield application
    application.database.dispose()


def build(application: Application, say: Say) -> None:
    """Make a demo of one site."""
    with application.database.transaction(actor="demo") as session:
        make_site(session, name="Demo Clinic")
    say("1 site")


def names(application: Application) -> list[str]:
    with application.database.reading() as session:
        return list(session.scalars(sa.text("SELECT name FROM site ORDER BY id")))


def add_site(application: Application, name: str) -> None:
    with application.database.transaction(actor="test") as session:
        make_site(session, name=name)


class TestPreparing:
    def test_a_new_database_gets_schema_and_demo(
        self, application: Application, capsys: pytest.CaptureFixture[str]
    ) -> None:
        serve.prepare(application, fresh=False, with_demo=True)

        assert names(application) == ["Demo Clinic"]
        assert schema.is_current(application.database)
        with application.database.reading() as session:
            assert session.scalar(sa.select(Installation.sending_on))
        assert "1 site" in capsys.readouterr().out
        folder = Path(application.database.engine.url.database or "").parent
        assert stat.S_IMODE((folder / "demo.sqlite3").stat().st_mode) == 0o600
        assert not [file for file in folder.iterdir() if "building" in file.name]

    def test_a_second_start_builds_nothing(self, application: Application) -> None:
        serve.prepare(application, fresh=False, with_demo=True)
        add_site(application, "Mine")

        serve.prepare(application, fresh=False, with_demo=True)

        assert names(application) == ["Demo Clinic", "Mine"]

    def test_fresh_throws_away_what_was_there(self, application: Application) -> None:
        serve.prepare(application, fresh=False, with_demo=True)
        add_site(application, "Mine")

        serve.prepare(application, fresh=True, with_demo=True)

        assert names(application) == ["Demo Clinic"]

    def test_no_demo_is_an_empty_database(self, application: Application) -> None:
        serve.prepare(application, fresh=False, with_demo=False)

        assert names(application) == []

    def test_an_interrupted_build_leaves_what_was_there(self, application: Application) -> None:
        serve.prepare(application, fresh=False, with_demo=True)
        add_site(application, "Mine")

        def fail(application: Application, say: Say) -> None:
            build(application, say)
            raise KeyboardInterrupt

        application.demo = Demo(build=fail, accounts=())
        with pytest.raises(KeyboardInterrupt):
            serve.prepare(application, fresh=True, with_demo=True)

        assert names(application) == ["Demo Clinic", "Mine"]

    def test_an_interrupted_first_build_starts_over(self, application: Application) -> None:
        def fail(application: Application, say: Say) -> None:
            build(application, say)
            raise KeyboardInterrupt

        demo, application.demo = application.demo, Demo(build=fail, accounts=())
        with pytest.raises(KeyboardInterrupt):
            serve.prepare(application, fresh=False, with_demo=True)
        application.demo = demo

        serve.prepare(application, fresh=False, with_demo=True)

        assert names(application) == ["Demo Clinic"]

    def test_fresh_is_for_the_demo_only(self, application: Application) -> None:
        serve.prepare(application, fresh=False, with_demo=True)
        application.settings = application.settings.model_copy(update={"environment": Environment.PRODUCTION})

        with pytest.raises(Refused, match="for the demo only"):
            serve.prepare(application, fresh=True, with_demo=True)

        assert names(application) == ["Demo Clinic"]

    def test_outside_the_demo_nobody_is_made_up(self, application: Application) -> None:
        application.settings = application.settings.model_copy(update={"environment": Environment.PRODUCTION})

        serve.prepare(application, fresh=False, with_demo=True)

        assert names(application) == []

    def test_a_database_of_a_newer_version_is_left_alone(self, application: Application) -> None:
        serve.prepare(application, fresh=False, with_demo=True)
        with application.database.engine.begin() as connection:
            connection.execute(sa.update(schema.VERSION).values(version_num="9999"))

        with pytest.raises(Refused, match="newer version"):
            serve.prepare(application, fresh=False, with_demo=True)


class TestServing:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_answers_until_a_signal_comes(self, tmp_path: Path, number: signal.Signals) -> None:
        port = free_port()

        with started(tmp_path, port) as process:
            lines = [line_of(process) for _ in range(3)]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
                status = answer.status
            process.send_signal(number)
            rest = process.stdout.read() if process.stdout else ""

        assert status == 200
        assert lines[0] == f"Trial Recruit is at http://127.0.0.1:{port}"
        assert re.search(r"/en/ .*/es/", lines[1])
        assert rest.endswith("Stopped.\n")
        assert process.returncode == 0
        assert [file.name for file in tmp_path.iterdir()] == ["x.sqlite3"]

    def test_a_taken_port_is_one_sentence(self, tmp_path: Path) -> None:
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            with started(tmp_path, holder.getsockname()[1]) as process:
                words = process.stderr.read() if process.stderr else ""

        assert process.returncode == 1
        assert re.fullmatch(r"Error: Port \d+ cannot be used \(.*\): choose another one with --port\.\n", words)

    def test_bad_settings_are_one_sentence(self, tmp_path: Path) -> None:
        with started(tmp_path, free_port(), RECRUIT_ZONE="Nowhere") as process:
            words = process.stderr.read() if process.stderr else ""

        assert process.returncode == 1
        assert words.startswith("Error: The application cannot start. RECRUIT_ZONE: ")
        assert words.count("\n") == 1


def started(folder: Path, port: int, **settings: str) -> subprocess.Popen[str]:
    """Start the server as ``run.py`` does, without a demo."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RECRUIT_")}
    environment |= {
        "RECRUIT_ENVIRONMENT": "demo",
        "RECRUIT_DATABASE_URL": f"sqlite:///{folder}/x.sqlite3",
        "RECRUIT_SECRET_KEY": SECRET,
        **settings,
    }
    command = [sys.executable, "-m", "campaigns.serve", "--port", str(port), "--no-demo"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True)


def line_of(process: subprocess.Popen[str]) -> str:
    return process.stdout.readline().rstrip("\n") if process.stdout else ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
