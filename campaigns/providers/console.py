"""The default carrier: takes every message and says so in the log, without a number or a word of it.

Nothing leaves the machine. In the demo and in tests the messages can be read at ``/demo/messages``.
"""

from __future__ import annotations

from datetime import datetime

from campaigns.providers.base import Accepted, Answer, Outgoing, Sighting, Unclear
from recruit.logs import logger

_log = logger(__name__)


class ConsoleProvider:
    """Accepts messages under their own id, so that accepting one twice is accepting it once."""

    name = "console"

    def send(self, outgoing: Outgoing) -> Answer:
        """Accept a message."""
        _log.info("message accepted", message_id=str(outgoing.message_id), channel=outgoing.channel.value)
        return Accepted(f"console-{outgoing.message_id}")

    def find(self, outgoing: Outgoing, *, since: datetime) -> tuple[Sighting, ...] | Unclear:
        """Find nothing: accepting again is harmless here."""
        return ()
