"""Forms and their values: what was posted as details of the services, and rows as the values of a form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from flask_babel import gettext as _

from recruit.errors import Invalid
from recruit.studies.calendar import Span
from recruit.studies.models import (
    EnrolmentCounts,
    Site,
    SiteClosedDay,
    SiteHours,
    Study,
    StudySite,
    Team,
)
from recruit.studies.naming import ANY_STUDY
from recruit.studies.places import SiteDetails, StudySiteDetails
from recruit.studies.service import StudyDetails, Visits, visits_of
from recruit.web.coordinator import words
from recruit.web.coordinator.reading import Posted
from recruit.web.moments import parse_day

E = TypeVar("E", bound=StrEnum)
SPANS_A_DAY = 2
_NEUTRAL_EXAMPLES = {"en": "Harbor study", "es": "estudio Faro"}


def member(kind: type[E], value: str) -> E | None:
    """Read a filter from an address; what is not in the list filters nothing."""
    return next((one for one in kind if one.value == value), None)


def whole(value: str) -> int:
    """Read where a page of a list begins; anything else is the beginning."""
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 7 else 0


def all_words() -> str:
    """Give the first entry of a filter."""
    return str(_("All that are not closed"))


def identifiers(posted: Posted, *, field: str) -> list[tuple[str, str]]:
    """Read lines of "system: number".

    :raises Invalid: a line has no colon
    """
    pairs = []
    for line in posted.text(field, longest=8_000, lines=True).splitlines():
        if not line.strip():
            continue
        system, colon, value = line.rpartition(":")
        if not colon:
            raise Invalid(_("Write each number as “system: number”."), field=field)
        pairs.append((system.strip(), value.strip()))
    return pairs


def new_study(posted: Posted) -> StudyDetails:
    """Read what a study begins with."""
    return StudyDetails(
        title=posted.text("title", longest=2_000),
        protocol_number=posted.text("protocol_number", longest=80),
        nickname=posted.text("nickname", longest=80),
        neutral_names=_neutral_names(posted),
        sponsor=posted.text("sponsor", longest=2_000),
        icf_languages=posted.codes("icf_languages"),
    )


def study_details(posted: Posted, study: Study) -> StudyDetails:
    """Read everything about a study; what has no field stays as it was."""
    return StudyDetails(
        title=posted.text("title", longest=2_000),
        protocol_number=posted.text("protocol_number", longest=80),
        nickname=posted.text("nickname", longest=80),
        neutral_names={**study.neutral_names, **_neutral_names(posted)},
        sponsor=posted.text("sponsor", longest=2_000),
        cro=posted.text("cro", longest=200),
        phase=posted.text("phase", longest=80),
        indication=posted.text("indication", longest=20_000, lines=True),
        healthy_volunteers={"yes": True, "no": False}.get(posted.raw("healthy_volunteers")),
        planned_enrolment=posted.number("planned_enrolment"),
        recruit_from=posted.day("recruit_from"),
        recruit_until=posted.day("recruit_until"),
        competitive=posted.flag("competitive"),
        screen_limit=posted.number("screen_limit"),
        randomise_limit=posted.number("randomise_limit"),
        enrolment_counts=posted.choice("enrolment_counts", EnrolmentCounts) or EnrolmentCounts.RANDOMISED,
        rescreen_times=posted.number("rescreen_times") or 0,
        rescreen_after_days=posted.number("rescreen_after_days") or 0,
        study_partner_needed=posted.flag("study_partner_needed"),
        icf_languages=posted.codes("icf_languages"),
        visits=_visits(posted),
        registry_allowed=posted.flag("registry_allowed"),
        offer_other_studies=posted.flag("offer_other_studies"),
        offer_sponsors=_lines(posted.text("offer_sponsors", longest=4_000, lines=True)),
        screened_out_days=_required(posted, "screened_out_days"),
        budget_minor=posted.minor("budget"),
        currency=posted.text("currency", longest=3) or "USD",
        safety_contact=posted.text("safety_contact", longest=200),
        safety_deputy=posted.text("safety_deputy", longest=200),
        lead_owner_id=study.lead_owner_id,
        lead_site_id=posted.key("lead_site_id"),
        is_test=study.is_test,
    )


@dataclass(frozen=True, slots=True)
class NeutralField:
    """A field for a study's neutral name: its language, a name as it should be, what is read without one."""

    code: str
    language: str
    example: str
    instead: str


def neutral_fields() -> list[NeutralField]:
    """List the fields for a study's neutral name, one for each language of the pages."""
    return [
        NeutralField(code, language, _NEUTRAL_EXAMPLES[code], ANY_STUDY[code])
        for code, language in words.LANGUAGES.items()
    ]


def _neutral_names(posted: Posted) -> dict[str, str]:
    return {code: posted.text(f"neutral_name_{code}", longest=80) for code in words.LANGUAGES}


def _visits(posted: Posted) -> Visits:
    return Visits(
        number=posted.number("visits_number"),
        first_minutes=posted.number("visits_first_minutes"),
        duration=posted.text("visits_duration", longest=200),
        overnight=posted.flag("visits_overnight"),
        procedures=posted.text("visits_procedures", longest=2_000, lines=True),
    )


def _required(posted: Posted, name: str) -> int:
    number = posted.number(name)
    if number is None:
        posted.fail(name, _("Enter a whole number."))
    return number or 1


def _lines(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def study_values(study: Study, numbers: list[tuple[str, str]]) -> dict[str, object]:
    """Give a study as the values of its form."""
    visits = visits_of(study)
    values: dict[str, object] = {
        name: getattr(study, name)
        for name in (
            *("title", "protocol_number", "nickname", "sponsor", "cro", "phase", "indication"),
            *("planned_enrolment", "screen_limit", "randomise_limit", "rescreen_times", "rescreen_after_days"),
            *("screened_out_days", "currency", "safety_contact", "safety_deputy"),
        )
    }
    flags = ("competitive", "study_partner_needed", "registry_allowed", "offer_other_studies")
    values |= {name: "yes" if getattr(study, name) else "" for name in flags}
    values |= {f"neutral_name_{language}": name for language, name in study.neutral_names.items()}
    return values | {
        "seen": study.version,
        "identifiers": "\n".join(f"{system}: {value}" for system, value in numbers),
        "healthy_volunteers": _answer(study.healthy_volunteers),
        "recruit_from": _iso(study.recruit_from),
        "recruit_until": _iso(study.recruit_until),
        "enrolment_counts": study.enrolment_counts.value,
        "icf_languages": ", ".join(study.icf_languages),
        "offer_sponsors": "\n".join(study.offer_sponsors),
        "budget": _money(study.budget_minor),
        "lead_site_id": study.lead_site_id or "",
        "visits_number": visits.number,
        "visits_first_minutes": visits.first_minutes,
        "visits_duration": visits.duration,
        "visits_overnight": "yes" if visits.overnight else "",
        "visits_procedures": visits.procedures,
    }


def site_details(posted: Posted, *, is_test: bool = False) -> SiteDetails:
    """Read what is said about a site."""
    return SiteDetails(
        name=posted.text("name", longest=200),
        zone=posted.text("zone", longest=64),
        street=posted.text("street", longest=200),
        city=posted.text("city", longest=120),
        state=posted.text("state", longest=40),
        postcode=posted.text("postcode", longest=12),
        country=posted.text("country", longest=2) or "US",
        latitude=posted.coordinate("latitude"),
        longitude=posted.coordinate("longitude"),
        phone=posted.text("phone", longest=32),
        languages=posted.codes("languages"),
        interpreter=posted.flag("interpreter"),
        is_test=is_test,
    )


def site_values(site: Site, hours: list[SiteHours], closed: list[SiteClosedDay]) -> dict[str, object]:
    """Give a site as the values of its forms."""
    names = ("name", "zone", "street", "city", "state", "postcode", "country", "latitude", "longitude", "phone")
    values: dict[str, object] = {name: getattr(site, name) for name in names}
    values |= {
        "seen": site.version,
        "languages": ", ".join(site.languages),
        "interpreter": "yes" if site.interpreter else "",
        "closed_days": "\n".join(f"{row.day.isoformat()} {row.reason}".strip() for row in closed),
    }
    for weekday in range(7):
        spans = [row for row in hours if row.weekday == weekday]
        for place, row in enumerate(spans[:SPANS_A_DAY]):
            values[f"opens-{weekday}-{place}"] = f"{row.opens:%H:%M}"
            values[f"closes-{weekday}-{place}"] = f"{row.closes:%H:%M}"
    return values


def hours(posted: Posted) -> list[Span]:
    """Read the weekly hours: an opening and a closing for each of two spans a day."""
    spans = []
    for weekday in range(7):
        for place in range(SPANS_A_DAY):
            opens = posted.clock_time(f"opens-{weekday}-{place}")
            closes = posted.clock_time(f"closes-{weekday}-{place}")
            if (opens is None) != (closes is None):
                posted.fail(f"opens-{weekday}-{place}", _("Enter both when it opens and when it closes."))
            elif opens is not None and closes is not None:
                spans.append(Span(weekday, _minutes(opens), _minutes(closes)))
    return spans


def _minutes(at: time) -> time:
    return at.replace(second=0, microsecond=0)


def closed_days(posted: Posted) -> dict[date, str]:
    """Read lines of a day and perhaps a reason."""
    days: dict[date, str] = {}
    for line in posted.text("closed_days", longest=20_000, lines=True).splitlines():
        first, _space, reason = line.strip().partition(" ")
        if not first:
            continue
        found = parse_day(first)
        if found is None:
            posted.fail("closed_days", _("Begin every line with a day such as 2026-12-25."))
            break
        days[found] = reason.strip()
    return days


def place_details(posted: Posted) -> StudySiteDetails:
    """Read what is said about a site in a study."""
    return StudySiteDetails(
        protocol_site_number=posted.text("protocol_site_number", longest=40),
        study_phone=posted.text("study_phone", longest=32),
        weekly_calls=posted.number("weekly_calls"),
        weekly_visits=posted.number("weekly_visits"),
        target=posted.number("target"),
        target_by=posted.day("target_by"),
        reimbursed_screen_fail_ratio=posted.decimal("reimbursed_screen_fail_ratio"),
        irb_name=posted.text("irb_name", longest=120),
        irb_number=posted.text("irb_number", longest=80),
        approved_on=posted.day("approved_on"),
        approval_expires_on=posted.day("approval_expires_on"),
        first_call_by=posted.choice("first_call_by", Team) or Team.CALL_TEAM,
        phone_screen_by=posted.choice("phone_screen_by", Team) or Team.EITHER,
        booking_by=posted.choice("booking_by", Team) or Team.EITHER,
    )


def place_values(study_site: StudySite) -> dict[str, object]:
    """Give a site in a study as the values of its form."""
    plain = (
        "protocol_site_number",
        "study_phone",
        "weekly_calls",
        "weekly_visits",
        "target",
        "irb_name",
        "irb_number",
    )
    days = ("target_by", "approved_on", "approval_expires_on")
    teams = ("first_call_by", "phone_screen_by", "booking_by")
    ratio: Decimal | None = study_site.reimbursed_screen_fail_ratio
    values: dict[str, object] = {name: getattr(study_site, name) for name in plain}
    values |= {name: _iso(getattr(study_site, name)) for name in days}
    values |= {name: getattr(study_site, name).value for name in teams}
    return values | {
        "seen": study_site.version,
        "reimbursed_screen_fail_ratio": "" if ratio is None else f"{ratio.normalize():f}",
    }


def _answer(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _money(minor: int | None) -> str:
    return "" if minor is None else f"{Decimal(minor) / 100:.2f}"
