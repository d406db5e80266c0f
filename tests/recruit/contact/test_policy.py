"""What may go out, and when: tables that a person from compliance can extend."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import cast
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import pytest
import zipcodes

from recruit.contact.hours import (
    NOWHERE,
    Place,
    area_places,
    is_allowed,
    next_allowed,
    packaged_rules,
    places_of,
)
from recruit.contact.models import SuppressionReason
from recruit.contact.policy import (
    REASONS,
    Allowed,
    Facts,
    MessagePurpose,
    Reason,
    Request,
    Rules,
    StudyStanding,
    WordingStanding,
    decide,
    say,
)

HERE = Path(__file__).parent
NEW_YORK = Place("US", "NY", "America/New_York")
NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
RULES = Rules(hours=packaged_rules())
SOMEBODY = Facts(consent_id=UUID(int=1), places=frozenset({NEW_YORK}))


def rows(name: str) -> list[list[str]]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line.split(";") for line in lines if line and not line.startswith("#")]


def read_facts(text: str, at: datetime) -> Facts:
    facts = SOMEBODY
    readers: dict[str, type[StrEnum]] = {
        "closed": SuppressionReason,
        "study": StudyStanding,
        "wording": WordingStanding,
    }
    for part in text.split():
        name, _, value = part.partition("=")
        if name == "invited_hours":
            hours = tuple(at - timedelta(hours=int(one)) for one in value.split(","))
            facts = replace(facts, invited_at=hours)
        elif name in readers:
            facts = replace(facts, **{name: readers[name](value)})  # type: ignore[arg-type]
        elif name not in ("hour", "expired"):
            facts = replace(facts, **{name: {"True": True, "False": False, "None": None}[value]})  # type: ignore[arg-type]
    return facts


@pytest.mark.parametrize(("purpose", "differs", "expected"), rows("policy.csv"))
def test_the_table_of_gates(purpose: str, differs: str, expected: str) -> None:
    hour = next((int(part[5:]) for part in differs.split() if part.startswith("hour=")), 12)
    at = datetime(2026, 11, 18, hour, tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)
    expires = at if "expired=True" in differs else at + timedelta(days=1)

    decision = decide(Request(MessagePurpose(purpose), at, expires), read_facts(differs, at), rules=RULES)

    assert ("allowed" if isinstance(decision, Allowed) else decision.reason.value) == expected


@pytest.mark.parametrize(("places", "when", "zone", "expected"), rows("hours.csv"))
def test_the_table_of_hours(places: str, when: str, zone: str, expected: str) -> None:
    at = datetime.fromisoformat(when).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    where = frozenset(Place(*place.split(" ")) for place in places.split(",") if place)

    start = next_allowed(packaged_rules(), where, at=at)

    assert start is not None
    wanted = at if expected == "now" else datetime.fromisoformat(expected).replace(tzinfo=ZoneInfo(zone))
    assert start == wanted
    assert is_allowed(packaged_rules(), where, at=start)


class TestReasons:
    @pytest.mark.parametrize("reason", Reason)
    def test_every_reason_has_a_sentence_and_an_ending(self, reason: Reason) -> None:
        assert reason in REASONS
        assert say(reason).endswith(".")

    def test_a_message_must_leave_before_the_hours_end(self) -> None:
        decision = decide(Request(MessagePurpose.STUDY, NOON), SOMEBODY, rules=RULES)

        assert isinstance(decision, Allowed)
        assert decision.until == datetime(2026, 11, 19, 2, 0, tzinfo=UTC)

    def test_a_cap_says_from_when_on(self) -> None:
        facts = replace(SOMEBODY, invited_at=(NOON - timedelta(hours=20),))

        decision = decide(Request(MessagePurpose.INVITATION, NOON), facts, rules=RULES)

        assert not isinstance(decision, Allowed)
        assert getattr(decision, "until", None) == NOON + timedelta(hours=4)

    def test_places_that_share_no_hour_wait_for_a_person(self) -> None:
        places = frozenset(
            {Place("US", "", zone) for zone in ("Pacific/Guam", "America/New_York", "Europe/Berlin")}
        )

        start = next_allowed(packaged_rules(), places, at=NOON)

        assert start is None


class TestPlaces:
    def test_the_number_and_the_home_both_count(self) -> None:
        places = places_of(phone="+14155550100", postcode=("FL", "America/New_York"), zone="", country="US")

        assert Place("US", "FL", "America/New_York") in places
        assert Place("US", "CA", "America/Los_Angeles") in places

    def test_nobody_knows_where_an_unknown_number_is(self) -> None:
        assert places_of(phone="+15550100100", postcode=None, zone="", country="US") == {NOWHERE}

    def test_a_foreign_number_is_where_its_person_is(self) -> None:
        places = places_of(phone="+4930901820", postcode=None, zone="Europe/Berlin", country="DE")

        assert places == {Place("DE", "", "Europe/Berlin")}

    def test_the_area_codes_are_those_of_the_postcode_table(self) -> None:
        known: dict[str, set[tuple[str, str]]] = {}
        zones = available_timezones()
        entries = zipcodes.list_all()  # type: ignore[no-untyped-call]
        for entry in cast("list[dict[str, object]]", entries):
            if entry["country"] == "US" and entry["timezone"] in zones:
                for code in cast("list[str]", entry["area_codes"]):
                    known.setdefault(code, set()).add((str(entry["state"]), str(entry["timezone"])))

        ours = {code: {(p.state, p.zone) for p in area_places(f"+1{code}5550100")} for code in known}

        assert ours == known
