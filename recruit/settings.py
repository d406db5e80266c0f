"""Settings: one frozen object, read once from ``RECRUIT_*`` variables and ``.env``.

A missing or unsafe value stops the start with a sentence that says what to do. The reference page
``docs/reference/settings.md`` is generated from the fields below.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from recruit.errors import BadSettings

PREFIX = "RECRUIT_"
_WEAK = ("secret", "changeme", "password", "development", "test", "demo", "example")


class Environment(StrEnum):
    """What kind of installation this is."""

    PRODUCTION = "production"
    DEMO = "demo"
    TEST = "test"


class Settings(BaseModel):
    """Everything the operator can set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: Environment = Field(
        default=Environment.PRODUCTION,
        description="`production`, `demo` (made-up people, banner on every page) or `test`.",
    )
    database_url: str = Field(
        description="SQLAlchemy URL: `postgresql://user@host/name` or `sqlite:////absolute/path`.",
    )
    secret_key: str = Field(
        repr=False,
        description="At least 32 random characters; signs cookies. Make one with `openssl rand -hex 32`.",
    )
    master_key: str = Field(
        default="",
        repr=False,
        description="Keys that seal personal data, newest first: `id:base64 of 32 bytes`, comma-separated. "
        "Derived from the secret key where absent; set it before the first real person.",
    )
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        description="Address under which people reach the application; every link we send starts with it. "
        "`https` turns on Secure cookies and HSTS.",
    )
    trusted_proxies: int = Field(
        default=0,
        ge=0,
        le=5,
        description="How many reverse proxies stand in front and set `X-Forwarded-For`.",
    )
    operator_name: str = Field(
        default="Trial Recruit", max_length=80, description="Name of the organisation, shown on every page."
    )
    help_phone: str = Field(
        default="",
        max_length=32,
        description="Telephone number for participants, shown on every public page.",
    )
    country: str = Field(
        default="US", pattern="^[A-Z]{2}$", description="Country assumed for telephone numbers and postcodes."
    )
    zone: str = Field(
        default="America/New_York",
        description="IANA time zone of the operator, for reports over several sites.",
    )
    session_idle_minutes: int = Field(
        default=30, ge=1, le=720, description="A staff session ends after this long without a request."
    )
    session_hours: int = Field(
        default=12, ge=1, le=24, description="A staff session ends after this long in any case."
    )
    public_body_limit: int = Field(
        default=64 * 1024, ge=1024, description="Largest body of a public request, in bytes."
    )
    staff_body_limit: int = Field(
        default=20 * 1024 * 1024, ge=1024, description="Largest body of a staff request, in bytes."
    )
    message_provider: str = Field(
        default="console",
        pattern="^(console|twilio)$",
        description="Who carries text messages: `console` writes them to the log, `twilio` sends them.",
    )
    twilio_account_sid: str = Field(
        default="", description="Twilio account SID, with `message_provider=twilio`."
    )
    twilio_auth_token: str = Field(
        default="", repr=False, description="Twilio auth token; also checks the signature of callbacks."
    )
    twilio_sender: str = Field(
        default="", description="Twilio sender: an E.164 number or a Messaging Service SID."
    )
    backup_folder: str = Field(
        default="var/backups",
        min_length=1,
        description="Folder for the backups that are made before an upgrade and before a restore replaces a "
        "database; relative to where the command runs. It holds personal data: keep it on an encrypted disk.",
    )
    log_level: str = Field(
        default="INFO",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="Least severe level that is logged.",
    )

    @field_validator("database_url")
    @classmethod
    def _normalise_database_url(cls, value: str) -> str:
        for prefix in ("postgres://", "postgresql://"):
            if value.startswith(prefix):
                return "postgresql+psycopg://" + value[len(prefix) :]
        if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("must start with postgresql:// or sqlite:///")
        return value

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @field_validator("zone")
    @classmethod
    def _check_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("must be an IANA time zone, such as America/New_York") from None
        return value

    @model_validator(mode="after")
    def _refuse_weak_secrets(self) -> Settings:
        secret = self.secret_key
        weak = len(secret) < 32 or len(set(secret)) < 8 or any(word in secret.lower() for word in _WEAK)
        if weak and self.environment is Environment.PRODUCTION:
            raise ValueError(
                "the secret key is easy to guess; set RECRUIT_SECRET_KEY to what `openssl rand -hex 32` prints"
            )
        twilio = (self.twilio_account_sid, self.twilio_auth_token, self.twilio_sender)
        if self.message_provider == "twilio" and not all(twilio):
            raise ValueError(
                "message_provider=twilio needs RECRUIT_TWILIO_ACCOUNT_SID, RECRUIT_TWILIO_AUTH_TOKEN and "
                "RECRUIT_TWILIO_SENDER"
            )
        return self

    @property
    def secure(self) -> bool:
        """Whether people reach us over https."""
        return self.public_url.startswith("https://")

    @property
    def is_demo(self) -> bool:
        """Whether every person in here is made up."""
        return self.environment is not Environment.PRODUCTION


def from_environment(environ: Mapping[str, str] | None = None, *, env_file: Path | None = None) -> Settings:
    """Read settings from the environment, with ``.env`` beneath it.

    :raises BadSettings: a value is missing, malformed, unknown or unsafe
    """
    source = dict(os.environ if environ is None else environ)
    file_values = dotenv_values(env_file) if env_file is not None and env_file.is_file() else {}
    merged = {key: value for key, value in {**file_values, **source}.items() if value is not None}
    values = {
        key[len(PREFIX) :].lower(): value
        for key, value in merged.items()
        if key.startswith(PREFIX) and not key.startswith("RECRUIT_TEST_") and key != "RECRUIT_REQUIRE_BROWSER"
    }
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise BadSettings(_say(error)) from None


def _say(error: ValidationError) -> str:
    lines = []
    for item in error.errors(include_input=False, include_url=False):
        name = ".".join(str(part) for part in item["loc"])
        variable = f"{PREFIX}{name.upper()}: " if name else ""
        lines.append(f"{variable}{item['msg']}")
    return "The application cannot start. " + "; ".join(lines)
