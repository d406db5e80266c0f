"""The queue: whom to call now, why, and what was said last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts import queries as accounts
from recruit.accounts.models import Role
from recruit.matching import queries
from recruit.matching.calling import CALL_LASTS
from recruit.matching.models import DueReason, Triage
from recruit.matching.place import FALLBACK_ZONE
from recruit.matching.plan import FIRST_ATTEMPT_MINUTES, UNREACHED, CallOutcome
from recruit.matching.queries import PAGE, Filter, LiveHold, Place, QueueRow, View
from recruit.studies.models import StudyFactKey
from recruit.web import languages
from recruit.web.guards import allow
from recruit.web.recruiting import clocks, criteria, timeline, words
from recruit.web.recruiting.reading import uuid_of
from recruit.web.recruiting.scene import account_id, scope
from recruit.web.recruiting.words import Badge
from screening.vocabulary import packaged_vocabulary, read_key

bp = Blueprint("queue", __name__)
OVERDUE_AFTER = timedelta(minutes=15)
FIRST_ATTEMPT = timedelta(minutes=FIRST_ATTEMPT_MINUTES)
LANGUAGES = ("en", "es")
LONGEST_NOTE = 90
SPOKEN = frozenset(outcome.value for outcome in CallOutcome if outcome not in UNREACHED)


@dataclass(frozen=True, slots=True)
class Line:
    """One person of the queue, in words."""

    url: str
    name: str
    study: str
    badge: Badge
    why: str
    due: str
    due_why: str
    urgency: Badge | None
    tried: str
    last_contact: str
    last_words: str
    details: list[str]
    assigned: str
    state: Badge | None
    on_phone: str
    call_url: str


@dataclass(frozen=True, slots=True)
class HoldBanner:
    """A live hold in words, and where the people stand who wait because of it."""

    text: str
    waiting: str
    url: str


@bp.get("/")
@allow(Role.RECRUITER)
def show() -> ResponseReturnValue:
    """Show one list of the desk, most urgent first."""
    wanted, now = read_filter(), context.now()
    with context.reading() as session:
        rows = queries.queue(session, scope(), wanted, at=now)
        counts = queries.counts(session, scope(), wanted, at=now)
        studies, sites = queries.filter_choices(session, scope())
        holds = queries.holds_on(session, scope(), at=now)
        lines = _lines(session, rows[:PAGE], wanted.view, now=now)
    return render_template(
        "desk/queue.html",
        lines=lines,
        tabs=_tabs(wanted, counts),
        holds=[_banner(live) for live in holds],
        held={"count": counts[View.HELD], "url": _url(replace(wanted, view=View.HELD, after=None))},
        wanted=wanted,
        studies=studies,
        sites=sites,
        languages=[(code, words.language(code)) for code in LANGUAGES],
        active=_active(wanted, dict(studies), dict(sites)),
        here=_url(wanted),
        first_url=_url(replace(wanted, after=None)) if wanted.after else None,
        more_url=_url(replace(wanted, after=rows[PAGE - 1].place)) if len(rows) > PAGE else None,
    )


def read_filter() -> Filter:
    """Read which list is asked for; what cannot be read is left out."""
    view = request.args.get("view", "")
    language = request.args.get("language", "")
    return Filter(
        view=View(view) if view in list(View) else View.NOW,
        study_id=uuid_of(request.args.get("study")),
        site_id=uuid_of(request.args.get("site")),
        language=language if language in LANGUAGES else "",
        mine=account_id() if request.args.get("mine") == "yes" else None,
        after=_read_place(request.args.get("after", "")),
    )


def _read_place(text: str) -> Place | None:
    rank, _dot, rest = text[:120].partition("_")
    moment, _dot, key = rest.rpartition("_")
    found = uuid_of(key)
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    if found is None or at.tzinfo is None or rank not in ("0", "1") or not 2000 <= at.year <= 2100:
        return None
    return Place(int(rank), at, found)


def _url(wanted: Filter) -> str:
    after = wanted.after
    place = f"{after.rank}_{after.moment.isoformat()}_{after.key}" if after else None
    return url_for(
        "desk.queue.show",
        view=wanted.view.value if wanted.view is not View.NOW else None,
        study=wanted.study_id,
        site=wanted.site_id,
        language=wanted.language or None,
        mine="yes" if wanted.mine else None,
        after=place,
    )


def _tabs(wanted: Filter, counts: Mapping[View, int]) -> list[dict[str, object]]:
    return [
        {
            "label": str(words.VIEWS[view]),
            "url": _url(replace(wanted, view=view, after=None)),
            "current": view is wanted.view,
            "count": counts[view],
        }
        for view in View
    ]


def _active(wanted: Filter, studies: Mapping[UUID, str], sites: Mapping[UUID, str]) -> list[dict[str, str]]:
    plain = replace(wanted, after=None)
    found = []
    if wanted.study_id:
        label = studies.get(wanted.study_id, _("Another study"))
        found.append({"label": label, "remove_url": _url(replace(plain, study_id=None))})
    if wanted.site_id:
        label = sites.get(wanted.site_id, _("Another site"))
        found.append({"label": label, "remove_url": _url(replace(plain, site_id=None))})
    if wanted.language:
        label = words.language(wanted.language)
        found.append({"label": label, "remove_url": _url(replace(plain, language=""))})
    if wanted.mine:
        found.append({"label": _("Assigned to me"), "remove_url": _url(replace(plain, mine=None))})
    return found


def _lines(session: Session, rows: list[QueueRow], view: View, *, now: datetime) -> list[Line]:
    staff = {row.match.assigned_to for row in rows} | {row.call.account_id for row in rows if row.call}
    names = accounts.names(session, {key for key in staff if key is not None})
    labels = _fact_labels(session, {row.study.id for row in rows})
    lines = [_line(session, row, names, labels.get(row.study.id, labels[None]), now=now) for row in rows]
    return lines if view is View.NOW else [replace(line, call_url="") for line in lines]


def _line(
    session: Session, row: QueueRow, names: Mapping[UUID, str], labels: Mapping[str, str], *, now: datetime
) -> Line:
    match, zone = row.match, row.site.zone if row.site else FALLBACK_ZONE
    return Line(
        url=url_for("desk.person.show", match_id=match.id),
        name=row.known.full_name,
        study=row.study.nickname,
        badge=words.disposition(match),
        why=criteria.why(row.assessment, labels),
        due=_due_words(row, zone, now=now),
        due_why=_due_why(row),
        urgency=urgency(row, now=now),
        tried=_tried(row),
        last_contact=clocks.moment(row.last.at, zone, now=now) if row.last else "",
        last_words=_last_words(session, row),
        details=_details(row),
        assigned=names.get(match.assigned_to, "") if match.assigned_to else "",
        state=words.state(row.referral.state) if row.referral else None,
        on_phone=_on_phone(row, names, now=now),
        call_url=_call_url(row, now=now),
    )


def urgency(row: QueueRow, *, now: datetime) -> Badge | None:
    """Say in a word why somebody is on top of the list."""
    match = row.match
    is_waiting = match.triage in (Triage.TO_CALL, Triage.SNOOZED, Triage.DEFERRED, Triage.REFERRED)
    if match.due_at is None or not is_waiting:
        return None
    is_first = match.due_reason is DueReason.FIRST_CALL
    if match.due_at > (now + FIRST_ATTEMPT if is_first else now):
        return None
    if match.due_at < now - OVERDUE_AFTER:
        return Badge(text=str(_("Overdue")), kind="bad")
    if match.last_contact_at is None:
        return Badge(text=str(_("New")), kind="info")
    return Badge(text=str(_("Due")), kind="warn")


def _due_words(row: QueueRow, zone: str, *, now: datetime) -> str:
    match = row.match
    if match.triage is Triage.CLOSED:
        return clocks.moment(match.closed_at, zone, now=now) if match.closed_at else ""
    if match.due_at is not None:
        return clocks.due(match.due_at, zone, now=now)
    if row.referral is not None:
        return str(_("Since %(day)s", day=clocks.day(row.referral.state_since)))
    return str(_("No time set"))


def _due_why(row: QueueRow) -> str:
    match = row.match
    if match.triage is Triage.CLOSED:
        return words.closed_reason(match.closed_reason)
    if match.triage in (Triage.HELD, Triage.WAITLISTED):
        return str(words.TRIAGE[match.triage])
    return str(words.DUE[match.due_reason]) if match.due_at is not None else ""


def _details(row: QueueRow) -> list[str]:
    person = row.person
    return [
        words.language(person.language),
        words.best_time(person.best_time),
        row.site.name if row.site else str(_("No site yet")),
        row.source.channel if row.source else str(_("No source")),
    ]


def _tried(row: QueueRow) -> str:
    """Say how often somebody was called in vain in this round, or that they answered."""
    attempts, last = row.match.attempts, row.last
    if attempts:
        return str(ngettext("%(num)s without an answer", "%(num)s without an answer", attempts))
    if last is not None and last.outcome in SPOKEN:
        return str(_("Reached"))
    return str(_("Not tried yet") if row.match.last_contact_at is None else _("Not tried again yet"))


def _call_url(row: QueueRow, *, now: datetime) -> str:
    """Say where a call begins, unless the person wants none or somebody else is on the phone with them."""
    others = _is_on_phone(row, now=now) and row.call is not None and row.call.account_id != account_id()
    if others or row.person.do_not_contact_at is not None:
        return ""
    return url_for("desk.call.start", match_id=row.match.id)


def _is_on_phone(row: QueueRow, *, now: datetime) -> bool:
    return row.call is not None and row.call.started_at > now - CALL_LASTS


def _on_phone(row: QueueRow, names: Mapping[UUID, str], *, now: datetime) -> str:
    if row.call is None or not _is_on_phone(row, now=now):
        return ""
    if row.call.account_id == account_id():
        return str(_("You are on the phone with them"))
    return str(_("%(name)s is on the phone with them", name=names.get(row.call.account_id, _("Somebody"))))


def _last_words(session: Session, row: QueueRow) -> str:
    """Say how the last contact ended, and the beginning of what was noted."""
    if row.last is None:
        return ""
    outcome = timeline.outcome_words(row.last)
    note = timeline.communication_note(session, row.last)
    short = note if len(note) <= LONGEST_NOTE else f"{note[: LONGEST_NOTE - 1].rstrip()}…"
    return f"{outcome}: {short}" if short else outcome


def _banner(live: LiveHold) -> HoldBanner:
    hold, count = live.hold, live.waiting
    where = " · ".join(part for part in (live.study, live.site, live.cohort) if part)
    held = Filter(View.HELD, study_id=hold.study_id, site_id=hold.site_id)
    return HoldBanner(
        text=str(_("%(where)s: %(reason)s", where=where, reason=words.HOLD_REASONS[hold.reason])),
        waiting=str(ngettext("%(num)s person waits", "%(num)s people wait", count)) if count else "",
        url=_url(held),
    )


def _fact_labels(session: Session, study_ids: set[UUID]) -> dict[UUID | None, dict[str, str]]:
    """Give words for fact keys in the reader's language, with one query for all studies' own."""
    tongue = languages.current()
    packaged = {key.name: key.text("label", tongue) for key in packaged_vocabulary()}
    found: dict[UUID | None, dict[str, str]] = {None: packaged}
    for row in session.scalars(sa.select(StudyFactKey).where(StudyFactKey.study_id.in_(study_ids))):
        own = found.setdefault(row.study_id, dict(packaged))
        own[row.name] = read_key(row.name, row.document).text("label", tongue)
    return found
