"""Settings: a bad one stops the start with a sentence, and every one is described."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from recruit.errors import BadSettings
from recruit.settings import PREFIX, Environment, Settings, from_environment
from tests import reference

SECRET = "9f2c77aa41d0e6b35c8841f0a97d2be3"
GOOD = {"RECRUIT_DATABASE_URL": "sqlite:////srv/recruit.sqlite3", "RECRUIT_SECRET_KEY": SECRET}

BAD = [
    ({"RECRUIT_SECRET_KEY": "short"}, "easy to guess; set RECRUIT_SECRET_KEY to what `openssl rand -hex 32`"),
    ({"RECRUIT_SECRET_KEY": "a" * 64}, "easy to guess"),
    ({"RECRUIT_SECRET_KEY": "changeme-changeme-changeme-changeme!"}, "easy to guess"),
    ({"RECRUIT_SECRET_KEY": None}, "RECRUIT_SECRET_KEY: Field required"),
    ({"RECRUIT_DATABASE_URL": None}, "RECRUIT_DATABASE_URL: Field required"),
    (
        {"RECRUIT_DATABASE_URL": "mysql://localhost/recruit"},
        "RECRUIT_DATABASE_URL: .*must start with postgresql://",
    ),
    ({"RECRUIT_ENVIRONMENT": "staging"}, "RECRUIT_ENVIRONMENT: .*'production', 'demo' or 'test'"),
    ({"RECRUIT_PUBLIC_URL": "recruit.example.org"}, "RECRUIT_PUBLIC_URL: .*must start with http"),
    ({"RECRUIT_SESSION_HOURS": "forever"}, "RECRUIT_SESSION_HOURS: .*valid integer"),
    ({"RECRUIT_SESSION_IDLE_MINUTES": "0"}, "RECRUIT_SESSION_IDLE_MINUTES: .*greater than or equal to 1"),
    ({"RECRUIT_TRUSTED_PROXIES": "99"}, "RECRUIT_TRUSTED_PROXIES: .*less than or equal to 5"),
    ({"RECRUIT_ZONE": "America/Gotham"}, "RECRUIT_ZONE: .*IANA time zone"),
    ({"RECRUIT_ZONE": "../../etc/passwd"}, "RECRUIT_ZONE: .*IANA time zone"),
    ({"RECRUIT_COUNTRY": "usa"}, "RECRUIT_COUNTRY: "),
    ({"RECRUIT_LOG_LEVEL": "LOUD"}, "RECRUIT_LOG_LEVEL: "),
    ({"RECRUIT_MESSAGE_PROVIDER": "twilio"}, "needs RECRUIT_TWILIO_ACCOUNT_SID"),
    ({"RECRUIT_SECRET": SECRET}, "RECRUIT_SECRET: Extra inputs are not permitted"),
]


def read(**changes: str | None) -> Settings:
    environ = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return from_environment(environ)


class TestStarting:
    def test_two_settings_are_enough(self) -> None:
        settings = read()

        assert settings.environment is Environment.PRODUCTION
        assert not settings.is_demo

    @pytest.mark.parametrize(("changes", "complaint"), BAD)
    def test_a_bad_one_is_refused_with_a_clear_text(
        self, changes: dict[str, str | None], complaint: str
    ) -> None:
        with pytest.raises(BadSettings, match=complaint) as refused:
            read(**changes)

        assert refused.value.message.startswith("The application cannot start. ")
        assert "\n" not in refused.value.message
        assert SECRET not in refused.value.message

    def test_every_mistake_is_named_at_once(self) -> None:
        with pytest.raises(BadSettings) as refused:
            read(RECRUIT_ZONE="Nowhere", RECRUIT_COUNTRY="x", RECRUIT_PUBLIC_URL="x")

        assert all(name in refused.value.message for name in ("ZONE", "COUNTRY", "PUBLIC_URL"))

    def test_the_command_line_stops_with_it_too(self, tmp_path: Path) -> None:
        environment = {"PATH": os.environ["PATH"], **GOOD, "RECRUIT_SECRET_KEY": "short"}
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "current"]

        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, cwd=reference.ROOT
        )

        assert done.returncode != 0
        assert "easy to guess" in done.stderr

    def test_the_demo_s_secret_may_be_anything(self) -> None:
        assert read(RECRUIT_ENVIRONMENT="demo", RECRUIT_SECRET_KEY="short").is_demo


class TestReading:
    def test_the_environment_wins_over_the_file(self, tmp_path: Path) -> None:
        file = tmp_path / ".env"
        file.write_text("RECRUIT_OPERATOR_NAME=From the file\nRECRUIT_COUNTRY=CA\nOTHER=1\n")

        settings = from_environment({**GOOD, "RECRUIT_COUNTRY": "US"}, env_file=file)

        assert (settings.operator_name, settings.country) == ("From the file", "US")

    def test_a_file_that_is_not_there_is_no_mistake(self, tmp_path: Path) -> None:
        assert from_environment(GOOD, env_file=tmp_path / ".env").country == "US"

    @pytest.mark.parametrize("prefix", ["postgres://", "postgresql://", "postgresql+psycopg://"])
    def test_postgresql_is_reached_by_psycopg(self, prefix: str) -> None:
        url = read(RECRUIT_DATABASE_URL=f"{prefix}ana@db/recruit").database_url

        assert url == "postgresql+psycopg://ana@db/recruit"

    def test_an_address_loses_its_last_slash_and_https_is_secure(self) -> None:
        settings = read(RECRUIT_PUBLIC_URL="https://recruit.example.org/")

        assert settings.public_url == "https://recruit.example.org"
        assert settings.secure

    def test_secrets_are_not_shown(self) -> None:
        shown = repr(read(RECRUIT_TWILIO_AUTH_TOKEN="tok-123", RECRUIT_MASTER_KEY="k1:abc"))

        assert not [secret for secret in (SECRET, "tok-123", "k1:abc") if secret in shown]

    def test_settings_do_not_change(self) -> None:
        with pytest.raises(ValueError, match="frozen"):
            read().country = "CA"  # type: ignore[misc]


class TestDescriptions:
    @pytest.mark.parametrize("name", Settings.model_fields)
    def test_every_setting_has_a_sentence(self, name: str) -> None:
        description = Settings.model_fields[name].description or ""

        assert len(description) > 20
        assert description.endswith(".")

    @pytest.mark.parametrize("path", reference.PAGES, ids=lambda path: path.name)
    def test_the_written_pages_are_current(self, path: Path) -> None:
        assert path.read_text() == reference.PAGES[path](), "run python -m tests.reference"

    def test_the_example_names_every_setting(self) -> None:
        example = (reference.ROOT / ".env.example").read_text()

        assert all(f"{PREFIX}{name.upper()}=" in example for name in Settings.model_fields)
