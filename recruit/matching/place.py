"""Where a match is handled: its site, whose zone counts its days and whose hours run its clocks.

Nobody is promised a call, or put before a recruiter, at an hour at which they may not be called.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from recruit.contact import queries as contact
from recruit.contact.hours import packaged_rules
from recruit.db import found
from recruit.matching.models import Match
from recruit.matching.plan import common_hour
from recruit.people import queries as people
from recruit.studies import queries as studies
from recruit.studies.calendar import Calendar, Span
from recruit.studies.models import Site, StudySite
from recruit.studies.places import CALENDARS

FALLBACK_ZONE = "America/New_York"


def site_id_of(session: Session, match: Match) -> UUID | None:
    """Give the site of a match; nothing before one is chosen."""
    if match.study_site_id is None:
        return None
    return found(session, StudySite, match.study_site_id).site_id


def zone_of(session: Session, match: Match) -> str:
    """Give the zone in which a match's days are counted."""
    if match.study_site_id is not None:
        return studies.zone_of(session, match.study_site_id)
    return FALLBACK_ZONE


def calendar_of(session: Session, match: Match) -> Calendar:
    """Give the open hours that a match's clocks run in: its site's, or always open before one is chosen."""
    site_id = site_id_of(session, match)
    return Calendar.of(FALLBACK_ZONE, ()) if site_id is None else site_calendar(session, site_id)


def site_calendar(session: Session, site_id: UUID) -> Calendar:
    """Give a site's weekly hours and closed days as one value, read once in a session."""
    known: dict[UUID, Calendar] = session.info.setdefault(CALENDARS, {})
    if site_id not in known:
        site = found(session, Site, site_id)
        hours, closed = studies.hours_of(session, site_id)
        known[site_id] = Calendar.of(site.zone, (Span(h.weekday, h.opens, h.closes) for h in hours), closed)
    return known[site_id]


def next_call_hour(session: Session, match: Match, at: datetime) -> datetime:
    """Give the first instant from now on at which the site is open and the person may be called."""
    members = people.cluster_of(session, people.root_of(session, match.person_id))
    return common_hour(
        calendar_of(session, match),
        at,
        places=contact.call_places(session, members),
        rules=packaged_rules(),
    )
