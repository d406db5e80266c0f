"""Time as a site lives it: weekly hours and closed days in its own zone; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LOOK_AHEAD_DAYS = 60


@dataclass(frozen=True, slots=True)
class Span:
    """One opening on one weekday (0 is Monday)."""

    weekday: int
    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class Calendar:
    """A site's openings; a site without hours counts as always open."""

    zone: str
    spans: tuple[Span, ...]
    closed_days: frozenset[date] = frozenset()

    @classmethod
    def of(cls, zone: str, spans: Iterable[Span], closed_days: Collection[date] = ()) -> Calendar:
        """Collect a site's openings."""
        ordered = tuple(sorted(spans, key=lambda span: (span.weekday, span.opens)))
        return cls(zone, ordered, frozenset(closed_days))

    def is_open(self, at: datetime) -> bool:
        """Say whether somebody answers at this instant."""
        if not self.spans:
            return True
        local = at.astimezone(ZoneInfo(self.zone))
        return any(span.opens <= local.time() < span.closes for span in self._on(local.date()))

    def next_open(self, at: datetime) -> datetime:
        """Give the first open instant at or after this one, in UTC."""
        if self.is_open(at):
            return at.astimezone(UTC)
        start, _ = next(self._openings(at))
        return max(start, at).astimezone(UTC)

    def after_open_minutes(self, at: datetime, minutes: int) -> datetime:
        """Give the instant after so many open minutes have passed: how a clock in business hours runs."""
        left = timedelta(minutes=minutes)
        if not self.spans:
            return at.astimezone(UTC) + left
        for start, end in self._openings(at):
            begin = max(start, at)
            if end - begin >= left:
                return (begin + left).astimezone(UTC)
            left -= end - begin
        return at.astimezone(UTC) + timedelta(days=LOOK_AHEAD_DAYS)

    def _on(self, day: date) -> list[Span]:
        if day in self.closed_days:
            return []
        return [span for span in self.spans if span.weekday == day.weekday()]

    def _openings(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        zone = ZoneInfo(self.zone)
        first = at.astimezone(zone).date()
        for offset in range(LOOK_AHEAD_DAYS):
            day = first + timedelta(days=offset)
            for span in self._on(day):
                start = datetime.combine(day, span.opens, zone).astimezone(UTC)
                end = datetime.combine(day, span.closes, zone).astimezone(UTC)
                if end > at:
                    yield start, end
        far = at.astimezone(UTC) + timedelta(days=LOOK_AHEAD_DAYS)
        yield far, far + timedelta(days=LOOK_AHEAD_DAYS)
