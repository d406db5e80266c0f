"""Settings: one frozen object, read once from ``RECRUIT_*`` variables and ``.env``.

A missing or unsafe value stops the start with a sentence that says what to do. The reference page
``docs/reference/settings.md`` is generated from the fields below.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from recruit.errors import BadSettings, Invalid

PREFIX = "RECRUIT_"
_WEAK = ("secret", "changeme", "password", "development", "test", "demo", "example")
_LEAST_VARIETY = 8
"""Different characters of a secret or bytes of a key; chance gives fewer to one key in more than a billion."""
_PORTS = {"http": 80, "https": 443}


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
        description="At least 32 random characters; signs cookies. Make one with `openssl rand -hex 32`; "
        "only the demo takes less.",
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
        "`https` turns on Secure cookies and HSTS; production requires it, unless the host is this machine.",
    )
    trusted_proxies: int = Field(
        default=0,
        ge=0,
        le=5,
        description="How many reverse proxies stand in front and set `X-Forwarded-For`, `X-Forwarded-Proto` "
        "and `X-Forwarded-Host`.",
    )
    operator_name: str = Field(
        default="Trial Recruit", max_length=80, description="Name of the organisation, shown on every page."
    )
    country: str = Field(
        default="US", pattern="^[A-Z]{2}$", description="Country assumed for telephone numbers and postcodes."
    )
    help_phone: str = Field(
        default="",
        max_length=32,
        description="Telephone number for participants, shown on every public page; a number of "
        "`RECRUIT_COUNTRY`, or an international one with `+`.",
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
        if value.startswith("sqlite:") and not _names_a_file(value):
            raise ValueError("must name a file, such as sqlite:////srv/recruit.sqlite3")
        return value

    @field_validator("secret_key")
    @classmethod
    def _refuse_weak_secret(cls, value: str, info: ValidationInfo) -> str:
        weak = len(value) < 32 or len(set(value)) < _LEAST_VARIETY or any(w in value.lower() for w in _WEAK)
        if not value.strip() or (weak and not _is_for_trying_out(info)):
            raise ValueError("is easy to guess; set it to what `openssl rand -hex 32` prints")
        return value

    @field_validator("master_key")
    @classmethod
    def _refuse_weak_master_key(cls, value: str, info: ValidationInfo) -> str:
        """Refuse a key that nobody drew at random; ``recruit.crypto`` reads them and says what is malformed."""
        for entry in value.split(","):
            key_id, _, encoded = entry.strip().partition(":")
            if _has_no_variety(encoded) and not _is_for_trying_out(info):
                raise ValueError(
                    f"the key {key_id[:32]!r} is easy to guess; set it to what `openssl rand -base64 32` prints"
                )
        return value

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str, info: ValidationInfo) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        host = _host_of(value)
        if not host:
            raise ValueError("must name a host, such as https://recruit.example.org")
        is_real = info.data.get("environment") is Environment.PRODUCTION
        if is_real and value.startswith("http://") and not _is_loopback(host):
            raise ValueError("must start with https://, unless it is an address of this machine itself")
        return value.rstrip("/")

    @field_validator("country")
    @classmethod
    def _check_country(cls, value: str) -> str:
        import phonenumbers  # here, so that settings can be read before the application is loaded

        if value not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError("must be the two letters of a country, such as US")
        return value

    @field_validator("help_phone")
    @classmethod
    def _check_help_phone(cls, value: str, info: ValidationInfo) -> str:
        from recruit.addresses import read_phone

        if not value.strip():
            return ""
        try:
            read_phone(value, country=info.data.get("country", "US"))
        except Invalid:
            raise ValueError("must be a telephone number that people can call") from None
        return value

    @field_validator("zone")
    @classmethod
    def _check_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("must be an IANA time zone, such as America/New_York") from None
        return value

    @model_validator(mode="after")
    def _require_a_whole_provider(self) -> Settings:
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
    def public_origin(self) -> str:
        """Give the origin of the public address, written as browsers write it."""
        parts = urlsplit(self.public_url)
        host = parts.hostname or ""
        name = f"[{host}]" if ":" in host else host
        port = "" if parts.port in (None, _PORTS[parts.scheme]) else f":{parts.port}"
        return f"{parts.scheme}://{name}{port}"

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
        lines.append(f"{variable}{item['msg'].removeprefix('Value error, ')}")
    return "The application cannot start. " + "; ".join(lines)


def _is_for_trying_out(info: ValidationInfo) -> bool:
    return info.data.get("environment") is Environment.DEMO


def _names_a_file(url: str) -> bool:
    path = url.removeprefix("sqlite:///").partition("?")[0]
    return path.strip() not in ("", ":memory:") and not path.endswith("/")


def _has_no_variety(encoded: str) -> bool:
    """Tell whether this is a key of which most bytes are the same; what is not a key is not judged."""
    try:
        material = base64.b64decode(encoded, validate=True)
    except ValueError:
        return False
    return len(material) == 32 and len(set(material)) < _LEAST_VARIETY


def _host_of(url: str) -> str:
    """Read the host of an address; nothing where there is none, or where it cannot be read."""
    try:
        parts = urlsplit(url)
        readable = parts.port != 0 and not any(c.isspace() for c in url)
    except ValueError:
        return ""
    return (parts.hostname or "") if readable else ""


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
