"""Sites and what they do in a study: hours, closed days, people with delegated tasks, capacity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from uuid import UUID
from zoneinfo import available_timezones

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit import events
from recruit.db import found, locked
from recruit.errors import Invalid, Refused
from recruit.ids import new_id
from recruit.studies.calendar import Span
from recruit.studies.details import free_slug, require_count, require_plain, require_same, write
from recruit.studies.models import (
    Site,
    SiteClosedDay,
    SiteHours,
    SitePersonRole,
    Study,
    StudySite,
    StudySitePerson,
    Team,
)

CALENDARS = "calendars"
"""Where a session keeps the opening hours that it has read; forgotten when they change."""
DELEGATED_TASKS = (
    "phone_screen",
    "eligibility",
    "consent",
    "visits",
    "outcomes",
    "records",
    "adverse_events",
)
"""Tasks that an investigator can delegate; the words for them stand in the templates."""


@dataclass(frozen=True, slots=True)
class SiteDetails:
    """What a coordinator says about a site."""

    name: str
    zone: str
    street: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    country: str = "US"
    latitude: float | None = None
    longitude: float | None = None
    phone: str = ""
    languages: tuple[str, ...] = ()
    interpreter: bool = False
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class StudySiteDetails:
    """What a coordinator says about a site in a study."""

    protocol_site_number: str = ""
    study_phone: str = ""
    weekly_calls: int | None = None
    weekly_visits: int | None = None
    target: int | None = None
    target_by: date | None = None
    reimbursed_screen_fail_ratio: Decimal | None = None
    irb_name: str = ""
    irb_number: str = ""
    approved_on: date | None = None
    approval_expires_on: date | None = None
    first_call_by: Team = Team.CALL_TEAM
    phone_screen_by: Team = Team.EITHER
    booking_by: Team = Team.EITHER


_SITE_SIZES = {"name": 200, "street": 200, "city": 120, "state": 40, "postcode": 12, "phone": 32}
_PLACE_SIZES = {"protocol_site_number": 40, "study_phone": 32, "irb_name": 120, "irb_number": 80}


def create_site(session: Session, details: SiteDetails, *, at: datetime) -> Site:
    """Add a site of ours.

    :raises Invalid: naming the field that is wrong
    """
    _check_site(details)
    site = Site(id=new_id(), slug=free_slug(session, Site, details.name), created_at=at)
    write(site, details)
    session.add(site)
    session.flush()
    return site


def save_site(session: Session, site_id: UUID, details: SiteDetails, *, seen: int | None = None) -> Site:
    """Change a site.

    :raises Invalid: naming the field that is wrong
    :raises Conflict: somebody else saved in the meantime
    """
    _check_site(details)
    site = locked(session, Site, site_id)
    require_same(site.version, seen)
    write(site, details)
    session.flush()
    return site


def set_hours(session: Session, site_id: UUID, spans: Sequence[Span]) -> None:
    """Replace a site's weekly hours; several openings on a day make a break.

    :raises Invalid: an opening ends before it begins, or two overlap
    """
    locked(session, Site, site_id)
    ordered = sorted(spans, key=lambda span: (span.weekday, span.opens))
    for span in ordered:
        if span.closes <= span.opens:
            raise Invalid("A site closes after it opens.", field=f"hours-{span.weekday}")
    for first, second in pairwise(ordered):
        if first.weekday == second.weekday and second.opens < first.closes:
            raise Invalid("Two openings on one day overlap.", field=f"hours-{second.weekday}")
    session.info.pop(CALENDARS, None)
    session.execute(sa.delete(SiteHours).where(SiteHours.site_id == site_id))
    session.add_all(
        SiteHours(id=new_id(), site_id=site_id, weekday=span.weekday, opens=span.opens, closes=span.closes)
        for span in ordered
    )
    session.flush()


def set_closed_days(session: Session, site_id: UUID, days: Mapping[date, str]) -> None:
    """Replace the days on which a site is closed, each with its reason.

    :raises Invalid: a reason is too long
    """
    locked(session, Site, site_id)
    for reason in days.values():
        require_plain(reason, "closed_days", most=120)
    session.info.pop(CALENDARS, None)
    session.execute(sa.delete(SiteClosedDay).where(SiteClosedDay.site_id == site_id))
    session.add_all(
        SiteClosedDay(id=new_id(), site_id=site_id, day=day, reason=days[day].strip()) for day in sorted(days)
    )
    session.flush()


def add_site(session: Session, study_id: UUID, site_id: UUID, *, at: datetime) -> StudySite:
    """Put a site into a study as selected.

    :raises Refused: it takes part already
    """
    study, site = locked(session, Study, study_id), found(session, Site, site_id)
    known = sa.select(StudySite.id).where(StudySite.study_id == study.id, StudySite.site_id == site.id)
    if session.scalar(known) is not None:
        raise Refused("This site takes part in the study already.")
    study_site = StudySite(id=new_id(), study_id=study.id, site_id=site.id)
    session.add(study_site)
    session.flush()
    events.record(session, "study_site.selected", subject=("study_site", study_site.id), happened_on=at.date(),
                  happened_at=at, at=at, study_id=study.id, site_id=site.id)  # fmt: skip
    return study_site


def save_study_site(
    session: Session, study_site_id: UUID, details: StudySiteDetails, *, seen: int | None = None
) -> StudySite:
    """Change what is said about a site in a study.

    :raises Invalid: naming the field that is wrong
    :raises Conflict: somebody else saved in the meantime
    """
    _check_place(details)
    study_site = locked(session, StudySite, study_site_id)
    require_same(study_site.version, seen)
    write(study_site, details)
    session.flush()
    return study_site


def place_details(study_site: StudySite) -> StudySiteDetails:
    """Give what has been said about a site in a study."""
    return StudySiteDetails(**{f.name: getattr(study_site, f.name) for f in fields(StudySiteDetails)})


def add_person(
    session: Session,
    study_site_id: UUID,
    role: SitePersonRole,
    name: str,
    *,
    tasks: Sequence[str] = (),
    account_id: UUID | None = None,
    trained_on: date | None = None,
    from_day: date | None = None,
) -> StudySitePerson:
    """Write down who works on a study at a site, and what the investigator delegated to them.

    :raises Invalid: naming the field that is wrong
    :raises Refused: there is a principal investigator already
    """
    if not name.strip():
        raise Invalid("Enter the person's name.", field="person_name")
    require_plain(name, "person_name", most=200)
    unknown = set(tasks) - set(DELEGATED_TASKS)
    if unknown:
        raise Invalid("Select tasks from the list.", field="tasks")
    study_site = locked(session, StudySite, study_site_id)
    if role is SitePersonRole.PRINCIPAL_INVESTIGATOR and _investigator(session, study_site.id) is not None:
        raise Refused("This site has a principal investigator. End that entry first.")
    person = StudySitePerson(
        id=new_id(),
        study_site_id=study_site.id,
        role=role,
        name=name.strip(),
        account_id=account_id,
        tasks=[task for task in DELEGATED_TASKS if task in tasks],
        trained_on=trained_on,
        from_day=from_day,
    )
    session.add(person)
    session.flush()
    return person


def end_person(session: Session, person_id: UUID, *, on: date) -> StudySitePerson:
    """Note the last day on which somebody worked on a study at a site; the entry stays.

    :raises Invalid: the day lies before the first one
    :raises Refused: the entry has ended already
    """
    person = locked(session, StudySitePerson, person_id)
    if person.until_day is not None:
        raise Refused("This entry has ended already.")
    if person.from_day is not None and on < person.from_day:
        raise Invalid("The last day cannot lie before the first one.", field="until_day")
    person.until_day = on
    session.flush()
    return person


def _investigator(session: Session, study_site_id: UUID) -> UUID | None:
    return session.scalar(
        sa.select(StudySitePerson.id)
        .where(
            StudySitePerson.study_site_id == study_site_id,
            StudySitePerson.role == SitePersonRole.PRINCIPAL_INVESTIGATOR,
            StudySitePerson.until_day.is_(None),
        )
        .limit(1)
    )


def _check_site(details: SiteDetails) -> None:
    if not details.name.strip():
        raise Invalid("Enter the site's name.", field="name")
    for name, most in _SITE_SIZES.items():
        require_plain(getattr(details, name), name, most=most)
    if details.zone not in available_timezones():
        raise Invalid("Select the site's time zone.", field="zone")
    if not (len(details.country) == 2 and details.country.isascii() and details.country.isupper()):
        raise Invalid("Write the country with two capital letters, such as US.", field="country")
    for language in details.languages:
        if not (2 <= len(language) <= 12 and language.replace("-", "").isalpha() and language.isascii()):
            raise Invalid("Write languages as short codes, such as en or es.", field="languages")
    for name, limit in (("latitude", 90.0), ("longitude", 180.0)):
        value: float | None = getattr(details, name)
        if value is not None and not -limit <= value <= limit:
            raise Invalid(
                "Enter a number from %(least)s to %(most)s.",
                field=name,
                values={"least": f"-{limit:.0f}", "most": f"{limit:.0f}"},
            )


def _check_place(details: StudySiteDetails) -> None:
    for name, most in _PLACE_SIZES.items():
        require_plain(getattr(details, name), name, most=most)
    for name in ("weekly_calls", "weekly_visits"):
        require_count(getattr(details, name), name, least=0, most=100_000)
    require_count(details.target, "target", least=1, most=1_000_000)
    ratio = details.reimbursed_screen_fail_ratio
    if ratio is not None and not (ratio.is_finite() and 0 <= ratio <= 9_999):
        raise Invalid("Enter how many screen failures are paid per randomized person, such as 3.",
                      field="reimbursed_screen_fail_ratio")  # fmt: skip
    start, end = details.approved_on, details.approval_expires_on
    if end is not None and (start is None or end < start):
        raise Invalid("The approval cannot end before it begins.", field="approval_expires_on")
