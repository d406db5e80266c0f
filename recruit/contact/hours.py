"""When somebody may be called or texted: dated rules for every place they may be at; pure.

A telephone number says where it was issued, a postcode where somebody lives, and the two need not agree.
So a person has several candidate places, and an instant is allowed when it is allowed in all of them
(47 CFR 64.1200(c)(1) speaks of the called party's location; research: outreach 4, C9 and C12).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

ANY = "*"
LOOK_AHEAD_DAYS = 8
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where somebody may be: country, state (empty if the country has none that matter) and zone."""

    country: str
    state: str
    zone: str


NOWHERE = Place("US", "?", "America/New_York")
"""Stands for a person of whom no place is known."""


@dataclass(frozen=True, slots=True)
class HoursRule:
    """One dated rule: on these weekdays (0 is Monday) not before ``opens`` and not from ``closes`` on."""

    country: str
    state: str
    days: frozenset[int]
    opens: time
    closes: time
    valid_from: date
    valid_until: date | None
    source: str

    def applies(self, place: Place, on: date) -> bool:
        """Say whether the rule speaks about a place on a local day."""
        state = place.state != "?" if self.state == ANY else self.state == place.state
        return (
            self.country in (ANY, place.country)
            and state
            and self.valid_from <= on
            and (self.valid_until is None or on <= self.valid_until)
            and on.weekday() in self.days
        )


def is_allowed(rules: Iterable[HoursRule], places: frozenset[Place], *, at: datetime) -> bool:
    """Say whether an instant is allowed everywhere the person may be."""
    rules = tuple(rules)
    return all(_allowed_in(rules, place, at) for place in places or {NOWHERE})


def next_allowed(rules: Iterable[HoursRule], places: frozenset[Place], *, at: datetime) -> datetime | None:
    """Give the first allowed instant from now on; nothing where the places leave no common hour."""
    rules, places = tuple(rules), places or frozenset({NOWHERE})
    openings = (start for start, _ in _spans(rules, places, at) if start > at)
    return next((start for start in sorted({at, *openings}) if is_allowed(rules, places, at=start)), None)


def allowed_until(rules: Iterable[HoursRule], places: frozenset[Place], *, at: datetime) -> datetime:
    """Give the end of the window that an allowed instant lies in."""
    rules, places = tuple(rules), places or frozenset({NOWHERE})
    return min(end for _, end in _spans(rules, places, at) if end > at)


def places_of(*, phone: str, postcode: tuple[str, str] | None, zone: str, country: str) -> frozenset[Place]:
    """Collect where somebody may be.

    :param phone: number in E.164, or empty
    :param postcode: state and zone of the postcode, where it is known
    :param zone: the person's own IANA zone, or empty
    """
    places = set(area_places(phone))
    if postcode is not None:
        places.add(Place(country, postcode[0], postcode[1]))
    elif zone:
        places.add(Place(country, "", zone))
    return frozenset(places or {NOWHERE})


def area_places(phone: str) -> frozenset[Place]:
    """Give the places where a number of North America may have been issued; none if it is another's."""
    return _area_codes().get(phone[2:5], frozenset()) if phone.startswith("+1") else frozenset()


def read_rules(text: str) -> tuple[HoursRule, ...]:
    """Read rules, one a line, as in ``rules.csv``."""
    return tuple(_read_rule(line) for line in _lines(text))


@lru_cache(maxsize=1)
def packaged_rules() -> tuple[HoursRule, ...]:
    """Give the rules that come with the product."""
    return read_rules(_resource("rules.csv"))


def _allowed_in(rules: tuple[HoursRule, ...], place: Place, at: datetime) -> bool:
    local = at.astimezone(ZoneInfo(place.zone))
    return all(rule.opens <= local.time() < rule.closes for rule in rules if rule.applies(place, local.date()))


def _spans(
    rules: tuple[HoursRule, ...], places: frozenset[Place], at: datetime
) -> Iterator[tuple[datetime, datetime]]:
    for place in places:
        zone = ZoneInfo(place.zone)
        today = at.astimezone(zone).date()
        for day in (today + timedelta(days=offset) for offset in range(LOOK_AHEAD_DAYS)):
            for rule in rules:
                if rule.applies(place, day):
                    yield (
                        datetime.combine(day, rule.opens, zone).astimezone(UTC),
                        datetime.combine(day, rule.closes, zone).astimezone(UTC),
                    )


@lru_cache(maxsize=1)
def _area_codes() -> dict[str, frozenset[Place]]:
    table = {}
    for line in _lines(_resource("area_codes.csv")):
        code, _, entries = line.partition(";")
        pairs = (entry.split(" ") for entry in entries.split(","))
        table[code] = frozenset(Place("US", state, zone) for state, zone in pairs)
    return table


def _read_rule(line: str) -> HoursRule:
    country, state, days, opens, closes, start, end, source = line.split(";")
    return HoursRule(
        country=country,
        state=state,
        days=_read_days(days),
        opens=time.fromisoformat(opens),
        closes=time.fromisoformat(closes),
        valid_from=date.fromisoformat(start),
        valid_until=date.fromisoformat(end) if end else None,
        source=source,
    )


def _read_days(text: str) -> frozenset[int]:
    first, _, last = text.partition("-")
    return frozenset(range(_DAYS.index(first), _DAYS.index(last or first) + 1))


def _lines(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line and not line.startswith("#"))


def _resource(name: str) -> str:
    return resources.files("recruit.contact").joinpath(name).read_text(encoding="utf-8")
