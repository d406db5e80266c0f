"""Everything a referral's page shows: where it stands, what may follow, its visits and its entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from recruit import context, events
from recruit.accounts import queries as accounts
from recruit.clock import civil_day
from recruit.db import found
from recruit.events import Event, Precision
from recruit.matching import history
from recruit.referrals import queries, reasons
from recruit.referrals import service as referrals
from recruit.referrals.models import Referral
from recruit.referrals.queries import ReferralRow
from recruit.referrals.service import SUBJECT
from recruit.referrals.states import AFTER_CONSENT, CLOSED, Needs, State, needs
from recruit.studies import queries as studies
from recruit.studies.models import Site, StudySite
from recruit.visits.models import Visit, VisitKind, VisitStatus
from recruit.visits.service import OPEN
from recruit.web.recruiting import clocks, outlook, timeline, words
from recruit.web.recruiting.scene import Scene, scene_of_match, scope
from recruit.web.recruiting.timeline import Entry
from recruit.web.recruiting.words import Badge

_WHO_CAME = frozenset({State.VISIT_ATTENDED, State.NO_SHOW})


@dataclass(frozen=True, slots=True)
class Step:
    """One state that may follow."""

    value: str
    text: str
    url: str
    ends: bool


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One visit, with what can be done about it now."""

    id: UUID
    version: int
    kind: str
    when: str
    place: str
    badge: Badge
    text: str
    is_open: bool
    has_come: bool
    day: str
    time: str
    minutes: int
    raw_place: str
    raw_kind: str


@dataclass(frozen=True, slots=True)
class ReferralPage:
    """One referral, in words."""

    referral: Referral
    scene: Scene
    site: Site
    zone: str
    badge: Badge
    facts: list[dict[str, str]]
    steps: list[Step]
    chosen: Step | None
    needs: Needs | None
    keeps_number: bool
    criteria: list[dict[str, str]]
    reasons: list[dict[str, str]]
    precisions: list[dict[str, str]]
    channels: list[dict[str, str]]
    visits: list[VisitRow]
    visit_kinds: list[dict[str, str]]
    cancelled_by: list[dict[str, str]]
    cancel_reasons: list[dict[str, str]]
    can_book: bool
    entries: list[Entry]
    correctable: list[dict[str, str]]
    today: str
    suggested: dict[str, str]
    holds: list[str]
    in_scope: bool


def collect(session: Session, referral: Referral, *, step: str, now: datetime) -> ReferralPage:
    """Collect a referral's page."""
    scene = scene_of_match(session, referral.match_id)
    site = found(session, Site, found(session, StudySite, referral.study_site_id).site_id)
    entries, correctable = _entries(session, referral, scene, site.zone, now=now)
    steps = [_step(referral, state) for state in steps_of(session, referral)]
    chosen = next((one for one in steps if one.value == step), None)
    state = State(chosen.value) if chosen else None
    visits = _visits(session, referral)
    row = queries.row_of(session, referral, at=now)
    live = studies.live_holds(session, at=now, study_id=referral.study_id, site_id=site.id)
    return ReferralPage(
        referral=referral,
        scene=scene,
        site=site,
        zone=site.zone,
        badge=outlook.badge(row),
        facts=_facts(session, row, now=now),
        steps=steps,
        chosen=chosen,
        needs=needs(state) if state else None,
        keeps_number=state in AFTER_CONSENT,
        criteria=_criteria(session, referral) if state and needs(state).criterion else [],
        reasons=_options(reasons_of(session, referral, state)) if state and needs(state).reason else [],
        precisions=_options(_precisions()),
        channels=words.options(words.REPORTERS),
        visits=[_visit(visit, site.zone, now=now) for visit in visits],
        visit_kinds=words.options(words.VISIT_KINDS),
        cancelled_by=words.options(words.CANCELLED_BY),
        cancel_reasons=words.options({code: words.CANCEL_REASONS[code] for code in words.CANCELS_BY_HAND}),
        can_book=_can_book(referral),
        entries=entries,
        correctable=correctable,
        today=civil_day(now, site.zone).isoformat(),
        suggested=_suggested(site, referral, now=now),
        holds=[str(words.HOLD_REASONS[hold.reason]) for hold in live],
        in_scope=_in_scope(scene),
    )


def standing(session: Session, referral: Referral) -> list[Event]:
    """List a referral's entries that count, oldest first."""
    return events.standing(session, (SUBJECT, referral.id))


def steps_of(session: Session, referral: Referral) -> list[State]:
    """List what may follow, in the order of the way; what a booked visit tells is told by the visit."""
    hidden = {State.VISIT_BOOKED}
    if not _may_say_who_came(_visits(session, referral), now=context.now()):
        hidden |= _WHO_CAME
    following = referrals.next_states(referral.state) - hidden
    return [state for state in State if state in following]


def _may_say_who_came(visits: Sequence[Visit], *, now: datetime) -> bool:
    """Say whether coming is told here: a screening visit tells it itself, and others must have begun.

    Where the only visits were called off, nobody can have come. Of a visit that the site told us of without
    its time we know nothing, so it may have begun.
    """
    live = [visit for visit in visits if visit.status in OPEN]
    if live:
        return all(visit.kind is not VisitKind.SCREENING and visit.starts_at <= now for visit in live)
    return not any(visit.status is VisitStatus.CANCELLED for visit in visits)


def reasons_of(session: Session, referral: Referral, state: State) -> list[tuple[str, str]]:
    """List the reasons to choose from for a state."""
    return reasons.choices(session, reasons.KIND_OF[state], study_id=referral.study_id)


def _facts(session: Session, row: ReferralRow, *, now: datetime) -> list[dict[str, str]]:
    referral, site = row.referral, row.site
    days = (civil_day(now, site.zone) - referral.state_since).days
    since = clocks.day(referral.state_since)
    owner = accounts.names(session, {referral.owner_id}) if referral.owner_id else {}
    step = outlook.next_step(row, now=now)
    rows = [
        *([(_("Next step"), step)] if step else []),
        (_("Site"), site.name),
        (_("Referred"), clocks.moment(referral.referred_at, site.zone, now=now)),
        (
            _("In this state"),
            ngettext("since %(day)s (%(num)s day)", "since %(day)s (%(num)s days)", days, day=since),
        ),
        (_("Handed over by"), next(iter(owner.values()), _("Not known"))),
    ]
    if referral.subject_number:
        rows.append((_("Site's number"), referral.subject_number))
    return [{"key": str(key), "value": str(value)} for key, value in rows]


def _step(referral: Referral, state: State) -> Step:
    return Step(
        value=state.value,
        text=str(words.STATES[state]),
        url=url_for("desk.referral.show", referral_id=referral.id, step=state.value, _anchor="step"),
        ends=state in CLOSED,
    )


def _criteria(session: Session, referral: Referral) -> list[dict[str, str]]:
    return [
        {"value": one.lineage, "text": f"{one.number} {one.text}".strip()}
        for one in referrals.criteria_of(session, referral)
    ]


def _options(pairs: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"value": code, "text": str(text)} for code, text in pairs]


def _precisions() -> list[tuple[str, str]]:
    return [
        (Precision.DAY, _("Exactly that day")),
        (Precision.MONTH, _("Some day in that month")),
        (Precision.YEAR, _("Some day in that year")),
    ]


def _visits(session: Session, referral: Referral) -> list[Visit]:
    query = sa.select(Visit).where(Visit.referral_id == referral.id)
    return list(session.scalars(query.order_by(Visit.starts_at.desc(), Visit.booked_at.desc())))


def _visit(visit: Visit, zone: str, *, now: datetime) -> VisitRow:
    parts = [
        str(words.CANCELLED_BY[visit.cancelled_by]) if visit.cancelled_by else "",
        str(words.CANCEL_REASONS.get(visit.reason, visit.reason)) if visit.reason else "",
    ]
    return VisitRow(
        id=visit.id,
        version=visit.version,
        kind=str(words.VISIT_KINDS[visit.kind]),
        when=clocks.due(visit.starts_at, zone, now=now)
        if visit.status in OPEN
        else clocks.moment(visit.starts_at, zone, now=now),
        place=" · ".join(part for part in (str(_("%(n)s minutes", n=visit.minutes)), visit.place) if part),
        badge=words.visit_status(visit.status),
        text=" · ".join(part for part in parts if part),
        is_open=visit.status in OPEN,
        has_come=visit.starts_at <= now,
        day=clocks.local_day(visit.starts_at, zone),
        time=clocks.local_time(visit.starts_at, zone),
        minutes=visit.minutes,
        raw_place=visit.place,
        raw_kind=visit.kind.value,
    )


def _can_book(referral: Referral) -> bool:
    return referral.closed_at is None


def _suggested(site: Site, referral: Referral, *, now: datetime) -> dict[str, str]:
    """Fill in what a new visit probably is."""
    place = ", ".join(part for part in (site.street, site.city) if part)
    kind = VisitKind.STUDY if referral.state in AFTER_CONSENT else VisitKind.SCREENING
    return {
        "visit_day": clocks.local_day(now + timedelta(days=1), site.zone),
        "visit_time": "10:00",
        "minutes": "60",
        "place": place,
        "kind": kind.value,
    }


def _entries(
    session: Session, referral: Referral, scene: Scene, zone: str, *, now: datetime
) -> tuple[list[Entry], list[dict[str, str]]]:
    """Tell the entries of a referral and its visits, and list those that can be corrected now."""
    past = history.history_of(session, scene.match, scene.members)
    texts = {one.lineage: f"{one.number} {one.text}" for one in referrals.criteria_of(session, referral)}
    teller = timeline.teller_of(session, scene.match, past, zone=zone, now=now, criteria=texts)
    subjects = {referral.id, *(visit.id for visit in past.visits.values() if visit.referral_id == referral.id)}
    own = [event for event in past.events if event.subject_id in subjects]
    entries = timeline.of_events(own, teller)
    counting = standing(session, referral)
    free = referrals.correctable(counting)
    correctable = [
        {
            "value": str(event.id),
            "text": str(words.STATES[referrals.state_of(event)]),
            "hint": clocks.day(event.happened_on),
        }
        for event in reversed(counting)
        if event.id in free
    ]
    return entries, correctable


def _in_scope(scene: Scene) -> bool:
    return scope().covers(site_id=scene.site.id if scene.site else None, study_id=scene.study.id)
