"""When to call next, as a table that a recruiter can extend."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from recruit.contact.hours import Place, packaged_rules
from recruit.matching.plan import ATTEMPTS, common_hour, first_due, next_due, opening
from recruit.studies.calendar import Calendar, Span

CASES = Path(__file__).with_name("cases") / "contact_plan.csv"
HOURS = {
    "always": (),
    "weekdays": tuple(Span(day, time(9), time(17)) for day in range(5)),
    "evenings": tuple(Span(day, time(9), time(20)) for day in range(5)),
    "split": tuple(
        Span(day, *part) for day in range(5) for part in ((time(9), time(12)), (time(14), time(17)))
    ),
}


def cases() -> Iterator[list[str]]:
    for line in CASES.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split(";")


def instant(words: str, zone: str) -> datetime:
    weekday, rest = words.split(" ", 1)
    local = datetime.fromisoformat(rest).replace(tzinfo=ZoneInfo(zone))
    assert local.strftime("%a") == weekday
    return local.astimezone(UTC)


@pytest.mark.parametrize("case", list(cases()), ids=";".join)
def test_the_plan(case: list[str]) -> None:
    zone, hours, closed, attempts, first, now, expected = case
    calendar = Calendar.of(zone, HOURS[hours], [date.fromisoformat(day) for day in closed.split()])
    at = instant(now, zone)

    if attempts == "0":
        due: datetime | None = first_due(calendar, at)
    else:
        due = next_due(calendar, first_tried_at=instant(first, zone), attempts=int(attempts), at=at)

    assert due == (instant(expected, zone) if expected else None)


@pytest.mark.parametrize("hours", HOURS)
def test_all_tries_lie_in_open_hours_and_end(hours: str) -> None:
    calendar = Calendar.of("America/Chicago", HOURS[hours])
    tried = [first_due(calendar, datetime(2026, 11, 18, 17, 0, tzinfo=UTC))]

    while (due := next_due(calendar, first_tried_at=tried[0], attempts=len(tried), at=tried[-1])) is not None:
        tried.append(due)

    assert len(tried) == ATTEMPTS
    assert tried == sorted(tried)
    assert all(calendar.is_open(at) for at in tried)
    assert len({at.astimezone(ZoneInfo("America/Chicago")).time() for at in tried}) >= 4


def test_a_day_opens_when_the_site_does() -> None:
    calendar = Calendar.of("America/New_York", HOURS["weekdays"])

    opens = opening(calendar, date(2026, 11, 21))

    assert opens == datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


DENVER, HONOLULU, TOKYO = (
    Place("US", "CO", "America/Denver"),
    Place("US", "HI", "Pacific/Honolulu"),
    Place("JP", "", "Asia/Tokyo"),
)
SUNDAY_NIGHT = "Sun 2026-11-22 23:00"


@pytest.mark.parametrize(
    ("places", "now", "expected"),
    [
        ({DENVER}, SUNDAY_NIGHT, "Mon 2026-11-23 10:00"),
        ({DENVER}, "Mon 2026-11-23 09:10", "Mon 2026-11-23 10:00"),
        ({DENVER}, "Mon 2026-11-23 13:00", "Mon 2026-11-23 13:00"),
        ({DENVER, HONOLULU}, SUNDAY_NIGHT, "Mon 2026-11-23 13:00"),
        (set(), SUNDAY_NIGHT, "Mon 2026-11-23 09:00"),
    ],
    ids=["at night", "site open, too early there", "both", "in two places", "no telephone"],
)
def test_nobody_is_called_before_it_is_a_decent_hour_there(places: set[Place], now: str, expected: str) -> None:
    boston = Calendar.of("America/New_York", HOURS["weekdays"])

    at = common_hour(boston, instant(now, "America/New_York"), places=frozenset(places), rules=packaged_rules())

    assert at == instant(expected, "America/New_York")


def test_places_that_share_no_hour_leave_the_site_its_opening() -> None:
    boston = Calendar.of("America/New_York", HOURS["weekdays"])

    at = common_hour(
        boston,
        instant(SUNDAY_NIGHT, "America/New_York"),
        places=frozenset({Place("US", "NY", "America/New_York"), TOKYO}),
        rules=packaged_rules(),
    )

    assert at == instant("Mon 2026-11-23 09:00", "America/New_York")
