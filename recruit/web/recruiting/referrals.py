"""The referrals of one's sites: how old, where they stand, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from recruit import context
from recruit.accounts.models import Role
from recruit.clock import civil_day
from recruit.matching.queries import NOBODY
from recruit.people.queries import Known
from recruit.referrals import queries
from recruit.referrals.queries import Filter, ReferralRow
from recruit.web.guards import allow
from recruit.web.recruiting import clocks, outlook
from recruit.web.recruiting.reading import uuid_of
from recruit.web.recruiting.scene import scope
from recruit.web.recruiting.words import Badge

bp = Blueprint("referrals", __name__)


@dataclass(frozen=True, slots=True)
class Line:
    """One referral of the list, in words."""

    url: str
    name: str
    study: str
    site: str
    badge: Badge
    hold: Badge | None
    age: str
    is_quiet: bool
    next_step: str
    visit: str
    number: str


@bp.get("/referrals")
@allow(Role.RECRUITER)
def show() -> ResponseReturnValue:
    """List the referrals that are open, most pressing first, or those that have ended."""
    wanted, now = _read_filter(), context.now()
    with context.reading() as session:
        rows = queries.listed(session, scope(), wanted, at=now)
        counts = queries.counts(session, scope(), wanted)
        names = queries.names(session, rows)
    page = rows[: queries.PAGE]
    return render_template(
        "desk/referrals.html",
        lines=[_line(row, names, now=now) for row in page],
        tabs=[
            _tab(_("Open"), wanted, closed=False, number=counts[0]),
            _tab(_("Ended"), wanted, closed=True, number=counts[1]),
        ],
        closed=wanted.closed,
        narrowed=_narrowed(wanted, page),
        first_url=_url(wanted) if wanted.after else None,
        more_url=_url(wanted, page[-1]) if len(rows) > queries.PAGE else None,
    )


def _read_filter() -> Filter:
    after = uuid_of(request.args.get("after"))
    return Filter(
        closed=request.args.get("show") == "ended",
        study_id=uuid_of(request.args.get("study")),
        site_id=uuid_of(request.args.get("site")),
        after=after,
    )


def _url(wanted: Filter, last: ReferralRow | None = None, *, closed: bool | None = None) -> str:
    ended = wanted.closed if closed is None else closed
    return url_for(
        "desk.referrals.show",
        show="ended" if ended else None,
        study=wanted.study_id,
        site=wanted.site_id,
        after=last.referral.id if last else None,
    )


def _narrowed(wanted: Filter, rows: Sequence[ReferralRow]) -> dict[str, str] | None:
    """Name what alone is listed, and lead back to everything."""
    if wanted.site_id is None and wanted.study_id is None:
        return None
    places = [row.site.name for row in rows[:1] if wanted.site_id]
    names = [*(row.study.nickname for row in rows[:1] if wanted.study_id), *places]
    return {"names": " · ".join(names), "url": _url(Filter(closed=wanted.closed))}


def _tab(label: str, wanted: Filter, *, closed: bool, number: int) -> dict[str, object]:
    return {
        "label": label,
        "url": _url(wanted, closed=closed),
        "current": wanted.closed is closed,
        "count": number,
    }


def _line(row: ReferralRow, names: Mapping[UUID, Known], *, now: datetime) -> Line:
    referral, zone = row.referral, row.site.zone
    days = (civil_day(now, zone) - referral.state_since).days
    return Line(
        url=url_for("desk.referral.show", referral_id=referral.id),
        name=names.get(referral.person_id, NOBODY).full_name,
        study=row.study.nickname,
        site=row.site.name,
        badge=outlook.badge(row),
        hold=outlook.hold(row),
        age=str(ngettext("%(num)s day", "%(num)s days", days)),
        is_quiet=outlook.is_quiet(row, now=now),
        next_step=outlook.next_step(row, now=now),
        visit=clocks.due(row.next_visit, zone, now=now) if row.next_visit else "",
        number=referral.subject_number,
    )
