"""Which carrier carries what, by the settings."""

from __future__ import annotations

from campaigns.providers.base import Carriers
from campaigns.providers.console import ConsoleProvider
from campaigns.providers.twilio import TwilioProvider
from recruit.contact.models import ContactChannel
from recruit.settings import Settings


def carriers_of(settings: Settings) -> Carriers:
    """Give the carriers of this installation; a channel without one holds its messages and says so."""
    if settings.message_provider == "twilio":
        return {ContactChannel.SMS: TwilioProvider.from_settings(settings)}
    console = ConsoleProvider()
    return {ContactChannel.SMS: console, ContactChannel.EMAIL: console}
