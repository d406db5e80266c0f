"""Twilio: the only file that knows the library, which is imported when it is first needed.

Creating a message has no idempotency key, so nothing here retries. Our message id travels in the status
callback's address and settles what an answer left open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from campaigns.outbox.states import State
from campaigns.providers.base import (
    Accepted,
    Answer,
    Limited,
    Outgoing,
    Rejected,
    Sighting,
    Unclear,
    body_hash,
)
from recruit.settings import Settings

if TYPE_CHECKING:
    from twilio.http import HttpClient
    from twilio.rest import Client
    from twilio.rest.api.v2010.account.message import MessageInstance

TIMEOUT_SECONDS = 10.0
LONGEST_VALIDITY = 36_000
LIST_LIMIT = 50
SID = re.compile(r"(SM|MM)[0-9a-f]{32}")
STATUSES: Mapping[str, State] = {
    "accepted": State.ACCEPTED,
    "scheduled": State.ACCEPTED,
    "queued": State.ACCEPTED,
    "sending": State.ACCEPTED,
    "sent": State.SENT,
    "partially_delivered": State.SENT,
    "delivered": State.DELIVERED,
    "read": State.DELIVERED,
    "undelivered": State.UNDELIVERED,
    "failed": State.FAILED,
    "canceled": State.FAILED,
}
OWN_STOP_WORDS = frozenset({"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "CANCEL", "REVOKE", "OPTOUT"})
"""Words that Twilio answers by itself, and after which it takes no more from us for that number."""


@dataclass(frozen=True, slots=True)
class TwilioProvider:
    """Sends texts through one account, from one number or Messaging Service."""

    account_sid: str
    auth_token: str
    sender: str
    public_url: str
    http_client: HttpClient | None = None
    name: str = "twilio"

    @classmethod
    def from_settings(cls, settings: Settings) -> TwilioProvider:
        """Take the account from the settings."""
        return cls(
            account_sid=settings.twilio_account_sid,
            auth_token=settings.twilio_auth_token,
            sender=settings.twilio_sender,
            public_url=settings.public_url,
        )

    def send(self, outgoing: Outgoing) -> Answer:
        """Create one message, once."""
        from requests.exceptions import RequestException
        from twilio.base.exceptions import TwilioException, TwilioRestException

        sender = "messaging_service_sid" if self.sender.startswith("MG") else "from_"
        extra: dict[str, object] = {sender: self.sender}
        if outgoing.valid_seconds is not None:
            extra["validity_period"] = min(LONGEST_VALIDITY, outgoing.valid_seconds)
        try:
            created = self._client().messages.create(
                to=outgoing.to,
                body=outgoing.body,
                status_callback=f"{self.public_url}/hooks/twilio/status?m={outgoing.message_id}",
                **extra,
            )
        except TwilioRestException as error:
            return _answer_to(error.status, error.code)
        except (TwilioException, RequestException) as error:
            return Unclear(type(error).__name__)
        return Accepted(created.sid) if created.sid else Unclear("no sid")

    def find(self, outgoing: Outgoing, *, since: datetime) -> tuple[Sighting, ...] | Unclear:
        """List what Twilio has for this number since an instant.

        The list's own filter is on the day of sending, which a message that still waits there does not have.
        """
        from requests.exceptions import RequestException
        from twilio.base.exceptions import TwilioException

        try:
            messages = self._client().messages.list(to=outgoing.to, limit=LIST_LIMIT)
        except (TwilioException, RequestException) as error:
            return Unclear(type(error).__name__)
        seen = [_sighting(message) for message in messages]
        return tuple(sighting for sighting in seen if sighting is not None and sighting.created_at >= since)

    def _client(self) -> Client:
        from twilio.http.http_client import TwilioHttpClient
        from twilio.rest import Client

        http_client = self.http_client or TwilioHttpClient(timeout=TIMEOUT_SECONDS)
        return Client(self.account_sid, self.auth_token, http_client=http_client)


def is_signed(url: str, fields: Mapping[str, list[str]], signature: str, *, auth_token: str) -> bool:
    """Say whether a callback to this address with these fields is Twilio's; without a token nothing is.

    :param url: the address under which Twilio called us, as configured, with its query
    """
    from twilio.request_validator import RequestValidator

    if not auth_token or not signature:
        return False
    return bool(RequestValidator(auth_token).validate(url, _Fields(fields), signature))


class _Fields(dict[str, list[str]]):
    """Posted fields in the shape that the validator reads."""

    def getlist(self, name: str) -> list[str]:
        """Give all values of a field."""
        return self[name]


def _answer_to(status: int, code: int | None) -> Answer:
    if status == 429:
        return Limited()
    if 400 <= status < 500:
        return Rejected(str(code if code is not None else status))
    return Unclear(f"http {status}")


def _sighting(message: MessageInstance) -> Sighting | None:
    created = message.date_created
    if not message.sid or created is None:
        return None
    return Sighting(
        sid=message.sid,
        state=STATUSES.get(str(message.status), State.ACCEPTED),
        body_sha256=body_hash(message.body or ""),
        created_at=created.astimezone(UTC) if created.tzinfo else created.replace(tzinfo=UTC),
    )
