"""Sites of ours: address, zone, hours and closed days."""

from __future__ import annotations

from uuid import UUID
from zoneinfo import available_timezones

import sqlalchemy as sa
from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts.models import Role
from recruit.errors import Forbidden
from recruit.studies import places, reach
from recruit.studies.calendar import Calendar, Span
from recruit.studies.models import Site, SiteClosedDay, SiteHours, Study, StudySite
from recruit.web import fields
from recruit.web.coordinator import forms, frame, words
from recruit.web.coordinator.blueprint import bp
from recruit.web.coordinator.frame import Failed
from recruit.web.coordinator.reading import Posted
from recruit.web.guards import allow

USUAL_ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
    "America/Puerto_Rico",
)


@bp.get("/sites")
@allow(Role.COORDINATOR, Role.AUDITOR)
def sites() -> ResponseReturnValue:
    """List the sites of one's scope."""
    query = fields.line("q", longest=120, query=True)
    with context.reading() as session:
        rows = _rows(session, query)
    return frame.page(
        "studies/sites.html", rows=rows, query=query, words=words, may_add=frame.writing_scope().is_everything
    )


@bp.get("/sites/new")
@allow(Role.COORDINATOR)
def new_site() -> ResponseReturnValue:
    """Ask for a site's name, address and zone."""
    _require_everything()
    return _new_page()


@bp.post("/sites/new")
@allow(Role.COORDINATOR)
def create_site() -> ResponseReturnValue:
    """Add a site."""
    _require_everything()
    posted = Posted()
    details = forms.site_details(posted)
    made: list[UUID] = []
    failed = frame.attempt(
        posted,
        lambda session: made.append(places.create_site(session, details, at=context.now()).id),
        reason="site:create",
    )
    if failed:
        return _new_page(failed)
    return redirect(url_for("studies.site", site_id=made[0], done="created"), 303)


@bp.get("/sites/<uuid:site_id>")
@allow(Role.COORDINATOR, Role.AUDITOR)
def site(site_id: UUID) -> ResponseReturnValue:
    """Show a site with its hours, closed days and studies."""
    return _page(site_id)


@bp.post("/sites/<uuid:site_id>")
@allow(Role.COORDINATOR)
def save_site(site_id: UUID) -> ResponseReturnValue:
    """Change a site's address, zone, phone and languages."""
    posted = Posted()
    details = forms.site_details(posted)

    def work(session: Session) -> None:
        reach.site_to_change(session, site_id, frame.writing_scope())
        places.save_site(session, site_id, details, seen=posted.seen())

    failed = frame.attempt(posted, work, reason="site:edit")
    return _page(site_id, failed) if failed else _back(site_id)


@bp.post("/sites/<uuid:site_id>/hours")
@allow(Role.COORDINATOR)
def save_hours(site_id: UUID) -> ResponseReturnValue:
    """Replace a site's weekly hours and its closed days."""
    posted = Posted()
    spans, closed = forms.hours(posted), forms.closed_days(posted)

    def work(session: Session) -> None:
        reach.site_to_change(session, site_id, frame.writing_scope())
        places.set_hours(session, site_id, spans)
        places.set_closed_days(session, site_id, closed)

    failed = frame.attempt(posted, work, reason="site:hours")
    return _page(site_id, failed, hours_failed=True) if failed else _back(site_id, "hours")


def _rows(session: Session, query: str) -> list[dict[str, object]]:
    statement = sa.select(Site).where(reach.visible_sites(frame.reading_scope())).order_by(Site.name, Site.id)
    for word in query.split()[:5]:
        columns = (Site.name, Site.city, Site.state, Site.postcode)
        statement = statement.where(sa.or_(*(one.icontains(word, autoescape=True) for one in columns)))
    found = session.scalars(statement).all()
    keys = [one.id for one in found]
    counted = session.execute(
        sa.select(StudySite.site_id, sa.func.count())
        .where(StudySite.site_id.in_(keys))
        .group_by(StudySite.site_id)
    )
    studies = {site_id: number for site_id, number in counted}
    hours = session.scalars(sa.select(SiteHours).where(SiteHours.site_id.in_(keys))).all()
    return [
        {
            "site": one,
            "studies": studies.get(one.id, 0),
            "open": _calendar(one, [row for row in hours if row.site_id == one.id]),
        }
        for one in found
    ]


def _calendar(one: Site, hours: list[SiteHours]) -> bool | None:
    """Say whether a site is open now; nothing is known without hours."""
    if not hours:
        return None
    spans = (Span(row.weekday, row.opens, row.closes) for row in hours)
    return Calendar.of(one.zone, spans).is_open(context.now())


def _page(site_id: UUID, failed: Failed | None = None, *, hours_failed: bool = False) -> ResponseReturnValue:
    with context.reading() as session:
        found = reach.site_to_read(session, site_id, frame.reading_scope())
        hours = session.scalars(
            sa.select(SiteHours)
            .where(SiteHours.site_id == found.id)
            .order_by(SiteHours.weekday, SiteHours.opens)
        ).all()
        closed = session.scalars(
            sa.select(SiteClosedDay).where(SiteClosedDay.site_id == found.id).order_by(SiteClosedDay.day)
        ).all()
        taking_part = session.execute(
            sa.select(StudySite, Study)
            .join(Study, Study.id == StudySite.study_id)
            .where(StudySite.site_id == found.id, reach.visible_studies(frame.reading_scope()))
            .order_by(Study.nickname)
        ).all()
    stored = forms.site_values(found, list(hours), list(closed))
    return frame.page(
        "studies/site.html",
        failed=failed,
        values=stored,
        stored=stored,
        hours_failed=hours_failed,
        site=found,
        taking_part=[(row.StudySite, row.Study) for row in taking_part],
        zones=_zones(found.zone),
        words=words,
        may_change=reach.may_change_site(frame.writing_scope(), found.id),
    )


def _new_page(failed: Failed | None = None) -> ResponseReturnValue:
    zone = context.settings().zone
    return frame.page(
        "studies/site_new.html",
        failed=failed,
        values={"country": context.settings().country, "zone": zone, "languages": "en, es"},
        zones=_zones(zone),
        words=words,
    )


def _zones(chosen: str) -> list[dict[str, object]]:
    usual = [*USUAL_ZONES, *([] if chosen in USUAL_ZONES else [chosen])]
    others = sorted(available_timezones() - set(usual))
    return [
        {"group": "United States", "options": [{"value": name, "text": name} for name in usual]},
        {"group": "Everywhere else", "options": [{"value": name, "text": name} for name in others]},
    ]


def _back(site_id: UUID, done: str = "saved") -> ResponseReturnValue:
    return redirect(url_for("studies.site", site_id=site_id, done=done), 303)


def _require_everything() -> None:
    if not frame.writing_scope().is_everything:
        raise Forbidden("Only somebody who coordinates all sites adds one.")
