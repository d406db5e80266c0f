"""Instants as the desk says them: in the site's clock, today and tomorrow in words, and how long ago."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_timedelta
from flask_babel import format_date, format_time
from flask_babel import gettext as _

from recruit.web import languages

_SOON = timedelta(minutes=1)


def clock(at: datetime, zone: str) -> str:
    """Write the time of day with its zone, such as "12:05 PM EST"."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{_time(local)} {local.tzname()}"


def day(on: date) -> str:
    """Write a civil day, such as "Nov 18, 2026"."""
    return str(format_date(on, "medium", rebase=False))


def moment(at: datetime, zone: str, *, now: datetime) -> str:
    """Write an instant: "Today, 12:05 PM EST", "Tomorrow, 9:00 AM EST", "Nov 2, 2026, 10:00 AM EST"."""
    local, today = at.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    words = {
        today: _("Today"),
        today + timedelta(days=1): _("Tomorrow"),
        today - timedelta(days=1): _("Yesterday"),
    }
    return f"{words.get(local.date(), day(local.date()))}, {clock(at, zone)}"


def due(at: datetime, zone: str, *, now: datetime) -> str:
    """Say when something is due: "Today, 12:05 PM EST (25 minutes ago)"."""
    return f"{moment(at, zone, now=now)} ({distance(at, now=now)})"


def distance(at: datetime, *, now: datetime) -> str:
    """Say how far away an instant is: "in 2 hours", "25 minutes ago", "now"."""
    if abs(at - now) < _SOON:
        return str(_("now"))
    return str(format_timedelta(at - now, add_direction=True, locale=languages.current(), threshold=1.2))


def local_day(at: datetime, zone: str) -> str:
    """Give the civil day of an instant as a date field takes it."""
    return at.astimezone(ZoneInfo(zone)).date().isoformat()


def local_time(at: datetime, zone: str) -> str:
    """Give the time of day of an instant as a time field takes it."""
    return at.astimezone(ZoneInfo(zone)).strftime("%H:%M")


def instant(on: date, at: time, zone: str) -> datetime | None:
    """Give the instant of a day and time in a zone; nothing in the hour that a change of clocks skips."""
    local = datetime.combine(on, at, ZoneInfo(zone))
    found = local.astimezone(UTC)
    return (
        found if found.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local.replace(tzinfo=None) else None
    )


def _time(local: datetime) -> str:
    return str(format_time(local, "short", rebase=False)).replace("\u202f", " ")
