"""When to call: the first attempt and the tries after it, in the site's open hours; pure.

The default plan: within 15 minutes of arrival in open hours, else at opening; then four hours later, the
next day, and on days 3, 7 and 10, at different times and at least once in the evening, or as late as the
site is open. Then the person could not be reached, until a reply reopens the matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from recruit.contact.hours import HoursRule, Place, next_allowed
from recruit.studies.calendar import LOOK_AHEAD_DAYS, Calendar, Span

FIRST_ATTEMPT_MINUTES = 15


class CallOutcome(StrEnum):
    """How a call ended; values appear in exports."""

    REACHED = "reached"
    NO_ANSWER = "no_answer"
    LEFT_MESSAGE = "left_message"
    BUSY = "busy"
    CALL_BACK = "call_back"
    WRONG_NUMBER = "wrong_number"
    DISCONNECTED = "disconnected"
    VOICEMAIL_FULL = "voicemail_full"
    DECLINED_TO_TALK = "declined_to_talk"


UNREACHED = frozenset(
    {
        CallOutcome.NO_ANSWER,
        CallOutcome.LEFT_MESSAGE,
        CallOutcome.BUSY,
        CallOutcome.VOICEMAIL_FULL,
        CallOutcome.DISCONNECTED,
        CallOutcome.WRONG_NUMBER,
    }
)
DEAD_NUMBER = frozenset({CallOutcome.WRONG_NUMBER, CallOutcome.DISCONNECTED})


@dataclass(frozen=True, slots=True)
class _Try:
    """One further attempt: so many days after the first one, and at what time of day."""

    days: int
    at: time


_SAME_DAY = timedelta(hours=4)
_LATER_TRIES = (
    _Try(1, time(10, 0)),
    _Try(3, time(18, 0)),
    _Try(7, time(12, 30)),
    _Try(10, time(16, 0)),
)
_BEFORE_CLOSING = timedelta(minutes=30)
_LEAST_GAP = timedelta(hours=3)
ATTEMPTS = 2 + len(_LATER_TRIES)


def first_due(calendar: Calendar, arrived_at: datetime) -> datetime:
    """Give the instant by which somebody who just arrived should have been called."""
    return calendar.after_open_minutes(arrived_at, FIRST_ATTEMPT_MINUTES)


def next_due(calendar: Calendar, *, first_tried_at: datetime, attempts: int, at: datetime) -> datetime | None:
    """Give when to try again after ``attempts`` calls without an answer; nothing when the plan is done.

    Days count from the first attempt, so that a late call does not stretch the plan; two tries are never
    closer than three hours.
    """
    if attempts < 1 or attempts >= ATTEMPTS:
        return None
    if attempts == 1:
        return calendar.next_open(at + _SAME_DAY)
    step = _LATER_TRIES[attempts - 2]
    first_day = first_tried_at.astimezone(ZoneInfo(calendar.zone)).date()
    due = _slot(calendar, first_day + timedelta(days=step.days), step.at)
    soonest = at + _LEAST_GAP
    return due if due >= soonest else calendar.next_open(soonest)


def common_hour(
    calendar: Calendar, at: datetime, *, places: frozenset[Place], rules: Sequence[HoursRule]
) -> datetime:
    """Give the first instant at which the site is open and a call is allowed where the person may be.

    Where the two share no hour in the days ahead, the site's next opening; the call page then says why not.

    :param places: where the person's telephone may ring; empty without a telephone
    """
    opened = soonest = calendar.next_open(at)
    for _ in range(LOOK_AHEAD_DAYS if places else 0):
        allowed = next_allowed(rules, places, at=soonest)
        if allowed is None:
            return opened
        soonest = calendar.next_open(allowed)
        if soonest == allowed:
            return soonest
    return opened


def opening(calendar: Calendar, day: date) -> datetime:
    """Give the first open instant on or after a civil day."""
    zone = ZoneInfo(calendar.zone)
    return calendar.next_open(datetime.combine(day, time(0), zone).astimezone(UTC))


def _slot(calendar: Calendar, day: date, wanted: time) -> datetime:
    """Give the wanted time of a day, or the nearest that is open; a closed day gives way to the next."""
    zone = ZoneInfo(calendar.zone)
    for offset in range(LOOK_AHEAD_DAYS):
        candidate = day + timedelta(days=offset)
        spans = _spans(calendar, candidate)
        if spans or not calendar.spans:
            return datetime.combine(candidate, _clamped(spans, wanted), zone).astimezone(UTC)
    return opening(calendar, day)


def _spans(calendar: Calendar, day: date) -> list[Span]:
    if day in calendar.closed_days:
        return []
    return [span for span in calendar.spans if span.weekday == day.weekday()]


def _clamped(spans: list[Span], wanted: time) -> time:
    for span in spans:
        if wanted < span.closes:
            return max(wanted, span.opens)
    if not spans:
        return wanted
    last = spans[-1]
    late = (datetime.combine(date.min, last.closes) - _BEFORE_CLOSING).time()
    return max(late, last.opens)
