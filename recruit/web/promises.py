"""When somebody will hear from us, said as a person would, in their own zone."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time, get_timezone_name
from flask_babel import gettext as _

from recruit import context
from recruit.addresses import show_phone

_LOCALES = {"en": "en_US", "es": "es_US"}
"""How times are written where the studies are."""


def promise(due_at: datetime, *, zone: str, language: str, at: datetime) -> str:
    """Say by when, such as "today by 12:15 PM (Eastern Standard Time)"."""
    local, today = due_at.astimezone(ZoneInfo(zone)), at.astimezone(ZoneInfo(zone)).date()
    locale = Locale.parse(_LOCALES.get(language, language))
    clock = f"{format_time(local.timetz(), 'short', locale=locale)} ({get_timezone_name(local, locale=locale)})"
    clock = clock.replace("\u202f", " ")
    if language == "es":
        clock = f"{'la' if local.hour % 12 == 1 else 'las'} {clock}"
    if local.date() <= today:
        return str(_("today by %(time)s", time=clock))
    if local.date() == today + timedelta(days=1):
        return str(_("tomorrow by %(time)s", time=clock))
    pattern = "EEEE d 'de' MMMM" if language == "es" else "EEEE, MMMM d"
    day = format_date(local.date(), pattern, locale=locale)
    return str(_("on %(day)s by %(time)s", day=day, time=clock))


def phone_words(number: str) -> str:
    """Write a number as people here do; the service's own where a study has none."""
    settings = context.settings()
    return show_phone(number, country=settings.country) if number else settings.help_phone
