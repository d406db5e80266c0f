"""Instants as staff read them: in the operator's zone."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask_babel import format_date, format_time
from flask_babel import gettext as _

from recruit import context


def recent_moment(at: datetime) -> str:
    """Write an instant for a list, such as "Today, 12:00 PM" or "Nov 2, 2026, 10:00 AM"."""
    local = _local(at)
    time = format_time(local, "short", rebase=False)
    if local.date() == _local(context.now()).date():
        return str(_("Today, %(time)s", time=time))
    return f"{format_date(local, 'medium', rebase=False)}, {time}"


def civil(at: datetime) -> str:
    """Write the day of an instant, such as "Nov 18, 2026"."""
    return str(format_date(_local(at), "medium", rebase=False))


def clock_time(at: datetime) -> str:
    """Write the time of an instant to the second with its zone, such as "12:00:00 PM EST"."""
    local = _local(at)
    return f"{format_time(local, 'medium', rebase=False)} {local.tzname()}"


def parse_day(text: str) -> date | None:
    """Read a day as a browser's date field sends it; nothing where it is none or out of reach."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2100 else None


def _local(at: datetime) -> datetime:
    return at.astimezone(ZoneInfo(context.settings().zone))
