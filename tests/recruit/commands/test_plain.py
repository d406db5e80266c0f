"""The command line says what is wrong in one sentence, whichever command it is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from campaigns.app import create_app
from recruit import schema
from recruit.clock import FixedClock
from recruit.db import Database
from recruit.errors import BadSettings
from recruit.settings import Environment, Settings
from tests.conftest import NOON, SECRET
from tests.recruit.conftest import MakeEmpty
from tests.reference import ROOT

INVITE = ("users", "invite", "ana@example.org", "--name", "Ana", "--role", "admin")
COMMANDS = [
    ("users", "list"),
    ("users", "link", "ana@example.org"),
    INVITE,
    ("studies", "import", "tests/no-such-file.json"),
    ("db", "sending", "on"),
    ("db", "rewrap"),
    ("worker", "--once"),
]


@pytest.fixture
def empty(make_empty: MakeEmpty) -> Database:
    return make_empty()


@pytest.fixture
def app(empty: Database) -> Flask:
    """Give an application whose database has no tables."""
    settings = Settings(
        environment=Environment.TEST,
        database_url=empty.engine.url.render_as_string(hide_password=False),
        secret_key=SECRET,
        log_level="ERROR",
    )
    return create_app(settings, clock=FixedClock(NOON), database=empty)


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=list(arguments))


class TestADatabaseWithoutTables:
    @pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
    def test_is_said_in_one_sentence(self, app: Flask, arguments: tuple[str, ...], tmp_path: Path) -> None:
        file = tmp_path / "study.json"
        file.write_text(STUDY)
        typed = tuple(str(file) if part.endswith(".json") else part for part in arguments)

        ran = run(app, *typed)

        assert ran.exit_code == 1
        assert ran.output == ("Error: The database has no tables yet: run flask --app wsgi db upgrade first.\n")

    def test_is_no_obstacle_to_making_them(self, app: Flask) -> None:
        assert run(app, "db", "upgrade").exit_code == 0
        assert run(app, "users", "list").exit_code == 0


def test_an_older_schema_is_named(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    run(app, "db", "upgrade")
    monkeypatch.setattr(schema, "head", lambda: "9999")

    ran = run(app, "worker", "--once")

    assert ran.exit_code == 1
    assert "this version needs 9999: run flask --app wsgi db upgrade first." in ran.output


class TestABadSetting:
    def flask(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return python("-m", "flask", "--app", "wsgi", *arguments)

    @pytest.mark.parametrize("arguments", [("db", "current"), ("users", "list"), ("worker",), ("--help",)])
    def test_is_one_sentence_on_the_command_line(self, arguments: tuple[str, ...]) -> None:
        done = self.flask(*arguments)

        assert done.returncode == 1
        assert done.stderr.startswith("Error: The application cannot start. RECRUIT_ZONE: must be an IANA")
        assert done.stderr.count("\n") == 1

    def test_stops_a_server_by_an_error_that_it_logs(self) -> None:
        done = python("-c", "import wsgi")

        assert BadSettings.__name__ in done.stderr


def python(*arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RECRUIT_")}
    environment |= {
        "RECRUIT_DATABASE_URL": "sqlite:////srv/recruit.sqlite3",
        "RECRUIT_SECRET_KEY": SECRET,
        "RECRUIT_ZONE": "Nowhere",
    }
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


STUDY = """{"protocolSection": {
  "identificationModule": {"nctId": "NCT01234567", "briefTitle": "A study"},
  "statusModule": {"overallStatus": "RECRUITING"}
}}"""
