"""The one place that reads the clock; everything else is told what time it is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Something that knows what time it is."""

    def now(self) -> datetime:
        """Give the present instant, aware and in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Give the present instant, aware and in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is moved: for tests and for making the demo's past."""

    def __init__(self, at: datetime) -> None:
        self.at = at.astimezone(UTC)

    def now(self) -> datetime:
        """Give the instant it was set to."""
        return self.at

    def move_to(self, at: datetime) -> None:
        """Set the hands; going back is allowed."""
        self.at = at.astimezone(UTC)


def civil_day(at: datetime, zone: str) -> date:
    """Give the calendar day of an instant in an IANA zone.

    :raises zoneinfo.ZoneInfoNotFoundError: the zone has no such name
    """
    return at.astimezone(ZoneInfo(zone)).date()
