"""Settings: a bad one stops the start with a sentence, and every one is described."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recruit.errors import BadSettings
from recruit.settings import PREFIX, Environment, Settings, from_environment
from tests import reference

SECRET = "9f2c77aa41d0e6b35c8841f0a97d2be3"
RANDOM = "nYq0T5oJv3z1mB8dKc7fWg2hXr4sLt6uEa9iOpZxQjM="
ZEROS = base64.b64encode(bytes(32)).decode()
GOOD = {"RECRUIT_DATABASE_URL": "sqlite:////srv/recruit.sqlite3", "RECRUIT_SECRET_KEY": SECRET}

BAD = [
    (
        {"RECRUIT_SECRET_KEY": "short"},
        "RECRUIT_SECRET_KEY: is easy to guess; set it to what `openssl rand -hex 32`",
    ),
    ({"RECRUIT_SECRET_KEY": "a" * 64}, "easy to guess"),
    ({"RECRUIT_SECRET_KEY": "changeme-changeme-changeme-changeme!"}, "easy to guess"),
    ({"RECRUIT_SECRET_KEY": "short", "RECRUIT_ENVIRONMENT": "test"}, "easy to guess"),
    ({"RECRUIT_SECRET_KEY": "", "RECRUIT_ENVIRONMENT": "demo"}, "easy to guess"),
    ({"RECRUIT_SECRET_KEY": " ", "RECRUIT_ENVIRONMENT": "demo"}, "easy to guess"),
    ({"RECRUIT_MASTER_KEY": f"k1:{ZEROS}"}, "RECRUIT_MASTER_KEY: the key 'k1' is easy to guess"),
    ({"RECRUIT_MASTER_KEY": f"k2:{RANDOM}, k1:{ZEROS}"}, "RECRUIT_MASTER_KEY: the key 'k1' is easy to guess"),
    ({"RECRUIT_MASTER_KEY": f"k1:{ZEROS}", "RECRUIT_ENVIRONMENT": "test"}, "easy to guess"),
    ({"RECRUIT_SECRET_KEY": None}, "RECRUIT_SECRET_KEY: Field required"),
    ({"RECRUIT_DATABASE_URL": None}, "RECRUIT_DATABASE_URL: Field required"),
    (
        {"RECRUIT_DATABASE_URL": "mysql://localhost/recruit"},
        "RECRUIT_DATABASE_URL: .*must start with postgresql://",
    ),
    ({"RECRUIT_DATABASE_URL": "sqlite:///"}, "RECRUIT_DATABASE_URL: must name a file"),
    ({"RECRUIT_DATABASE_URL": "sqlite:///:memory:"}, "RECRUIT_DATABASE_URL: must name a file"),
    ({"RECRUIT_DATABASE_URL": "sqlite:////srv/?timeout=3"}, "RECRUIT_DATABASE_URL: must name a file"),
    ({"RECRUIT_ENVIRONMENT": "staging"}, "RECRUIT_ENVIRONMENT: .*'production', 'demo' or 'test'"),
    ({"RECRUIT_PUBLIC_URL": "recruit.example.org"}, "RECRUIT_PUBLIC_URL: .*must start with http"),
    ({"RECRUIT_PUBLIC_URL": "https://"}, "RECRUIT_PUBLIC_URL: must name a host"),
    ({"RECRUIT_PUBLIC_URL": "https:///staff"}, "RECRUIT_PUBLIC_URL: must name a host"),
    ({"RECRUIT_PUBLIC_URL": "https://:443"}, "RECRUIT_PUBLIC_URL: must name a host"),
    ({"RECRUIT_PUBLIC_URL": "https://example.org:x"}, "RECRUIT_PUBLIC_URL: must name a host"),
    ({"RECRUIT_PUBLIC_URL": "https://[::1"}, "RECRUIT_PUBLIC_URL: must name a host"),
    ({"RECRUIT_PUBLIC_URL": "http://recruit.example.org"}, "RECRUIT_PUBLIC_URL: must start with https://"),
    ({"RECRUIT_PUBLIC_URL": "http://192.168.1.5:8000"}, "RECRUIT_PUBLIC_URL: must start with https://"),
    ({"RECRUIT_HELP_PHONE": "call us"}, "RECRUIT_HELP_PHONE: must be a telephone number"),
    ({"RECRUIT_HELP_PHONE": "555 01"}, "RECRUIT_HELP_PHONE: must be a telephone number"),
    ({"RECRUIT_SESSION_HOURS": "forever"}, "RECRUIT_SESSION_HOURS: .*valid integer"),
    ({"RECRUIT_SESSION_IDLE_MINUTES": "0"}, "RECRUIT_SESSION_IDLE_MINUTES: .*greater than or equal to 1"),
    ({"RECRUIT_TRUSTED_PROXIES": "99"}, "RECRUIT_TRUSTED_PROXIES: .*less than or equal to 5"),
    ({"RECRUIT_ZONE": "America/Gotham"}, "RECRUIT_ZONE: .*IANA time zone"),
    ({"RECRUIT_ZONE": "../../etc/passwd"}, "RECRUIT_ZONE: .*IANA time zone"),
    ({"RECRUIT_COUNTRY": "usa"}, "RECRUIT_COUNTRY: "),
    ({"RECRUIT_COUNTRY": "ZZ"}, "RECRUIT_COUNTRY: must be the two letters of a country"),
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

    def test_the_demo_s_master_key_may_be_anything_and_others_are_drawn_at_random(self) -> None:
        assert read(RECRUIT_ENVIRONMENT="demo", RECRUIT_MASTER_KEY=f"k1:{ZEROS}").is_demo
        assert read(RECRUIT_MASTER_KEY=f"k1:{RANDOM}").master_key == f"k1:{RANDOM}"

    @pytest.mark.parametrize(
        "address",
        ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000", "https://recruit.example.org"],
    )
    def test_an_installation_for_real_people_is_reached_by_https_or_on_this_machine(self, address: str) -> None:
        assert read(RECRUIT_PUBLIC_URL=address).public_url == address

    def test_a_demo_may_be_shown_in_the_house(self) -> None:
        assert not read(RECRUIT_ENVIRONMENT="demo", RECRUIT_PUBLIC_URL="http://192.168.1.5:8000").secure

    @pytest.mark.parametrize(
        ("number", "country"),
        [("+1 555 010 0100", "US"), ("(555) 010-0100", "US"), ("020 7946 0000", "GB"), ("", "US")],
    )
    def test_a_telephone_number_of_the_country_is_taken_as_it_is_written(
        self, number: str, country: str
    ) -> None:
        assert read(RECRUIT_HELP_PHONE=number, RECRUIT_COUNTRY=country).help_phone == number


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

    @pytest.mark.parametrize(
        ("address", "origin"),
        [
            ("https://Recruit.Example.org:443/", "https://recruit.example.org"),
            ("https://recruit.example.org:8443", "https://recruit.example.org:8443"),
            ("http://[::1]:80", "http://[::1]"),
        ],
    )
    def test_the_origin_is_written_as_browsers_write_it(self, address: str, origin: str) -> None:
        assert read(RECRUIT_PUBLIC_URL=address).public_origin == origin

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
