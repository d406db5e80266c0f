"""Stretches of days around an anchor, where the anchor itself may be a range of days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from screening.intervals import DateRange, Duration, add_days, earliest_start, latest_start, shift
from screening.language.criteria import Window, WindowForm
from screening.verdict import Kleene

Ends = tuple[date | None, date | None]


@dataclass(frozen=True, slots=True)
class Edges:
    """The days inside a window whatever the anchor, and those inside for some anchor.

    `surely` may be empty (its first day after its last) when the anchor is vague.
    """

    surely: Ends
    possibly: Ends

    def judge(self, starts: DateRange, ends: DateRange) -> Kleene:
        """Tell whether something that lasted from one day to another touches the window.

        For an event both are the same range: then it asks whether the day lies inside.
        """
        first, last = self.possibly
        if _above(starts.lo, last) or _above(first, ends.hi):
            return Kleene.NOT_MET
        first, last = self.surely
        begins = last is None or (starts.hi is not None and starts.hi <= last)
        lasts = first is None or (ends.lo is not None and ends.lo >= first)
        return Kleene.MET if begins and lasts else Kleene.UNKNOWN

    def judge_day(self, day: DateRange) -> Kleene:
        """Tell whether a day lies inside the window."""
        return self.judge(day, day)


def edges(window: Window, anchor: DateRange) -> Edges:
    """Find the cut-off days of a window; both move forward with the anchor.

    :raises ValueError: when the anchor is unbounded.
    """
    if anchor.lo is None or anchor.hi is None:
        raise ValueError("an anchor lies between two days")
    early, late = _ends(window, anchor.lo), _ends(window, anchor.hi)
    return Edges(surely=(late[0], early[1]), possibly=(early[0], late[1]))


def lasted(since: DateRange | None, length: Duration, anchor: DateRange) -> Kleene:
    """Tell whether a length has passed from a day to the anchor: day + length <= anchor."""
    if since is None:
        return Kleene.UNKNOWN
    if since.hi is not None and anchor.lo is not None and shift(since.hi, length) <= anchor.lo:
        return Kleene.MET
    if since.lo is not None and anchor.hi is not None and shift(since.lo, length) > anchor.hi:
        return Kleene.NOT_MET
    return Kleene.UNKNOWN


def _above(day: date | None, limit: date | None) -> bool:
    return day is not None and limit is not None and day > limit


def _ends(window: Window, anchor: date) -> Ends:
    return _before(window, anchor) if window.side == "before" else _after(window, anchor)


def _before(window: Window, anchor: date) -> Ends:
    length = window.length
    match window.form:
        case WindowForm.WITHIN:
            return earliest_start(anchor, length), anchor
        case WindowForm.LESS_THAN:
            return add_days(latest_start(anchor, length), 1), anchor
        case WindowForm.AT_LEAST:
            return None, latest_start(anchor, length)
        case WindowForm.MORE_THAN:
            return None, add_days(earliest_start(anchor, length), -1)
        case WindowForm.BETWEEN:
            return earliest_start(anchor, window.upto or length), latest_start(anchor, length)


def _after(window: Window, anchor: date) -> Ends:
    day = shift(anchor, window.length)
    match window.form:
        case WindowForm.WITHIN:
            return anchor, day
        case WindowForm.LESS_THAN:
            return anchor, add_days(day, -1)
        case WindowForm.AT_LEAST:
            return day, None
        case WindowForm.MORE_THAN:
            return add_days(day, 1), None
        case WindowForm.BETWEEN:
            return day, shift(anchor, window.upto or window.length)
