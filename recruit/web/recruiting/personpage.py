"""Everything a person's page shows, collected in one reading."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recruit.accounts import queries as accounts
from recruit.db import found
from recruit.intake.models import SourceLink
from recruit.matching import assessing, calling, history, queries
from recruit.matching.assessing import Judged
from recruit.matching.models import Match, Triage
from recruit.referrals.models import Referral
from recruit.studies import queries as studies
from recruit.studies.models import Study
from recruit.web.recruiting import answers, clocks, criteria, reach, timeline, words
from recruit.web.recruiting.answers import Answered
from recruit.web.recruiting.criteria import Counted, CriterionRow
from recruit.web.recruiting.reach import Way
from recruit.web.recruiting.scene import Scene, account_id, scene_of, scope
from recruit.web.recruiting.timeline import Entry
from recruit.web.recruiting.words import Badge


@dataclass(frozen=True, slots=True)
class OtherStudy:
    """Another study of the same person; out of scope it says no more than that there is one."""

    name: str
    url: str | None
    state: Badge


@dataclass(frozen=True, slots=True)
class PersonPage:
    """One person in one study, in words."""

    scene: Scene
    badge: Badge
    due: str
    due_why: str
    facts: list[dict[str, str]]
    ways: list[Way]
    judged: Judged | None
    counted: Counted | None
    striking: list[CriterionRow]
    settled: list[CriterionRow]
    elsewhere: list[str]
    answered: list[Answered]
    entries: list[Entry]
    others: list[OtherStudy]
    holds: list[str]
    on_phone: str
    is_my_call: bool
    is_mine: bool
    assigned: str
    referral: Referral | None
    referral_badge: Badge | None
    can_call: bool
    can_refer: bool
    is_waiting: bool
    is_closed: bool


def collect(session: Session, match_id: UUID, *, now: datetime) -> PersonPage:
    """Collect a person's page.

    :raises NotFound: there is none, or it is somebody else's
    """
    scene = scene_of(session, match_id)
    match = scene.match
    judged = assessing.judge(session, match, at=now)
    past = history.history_of(session, match, scene.members)
    texts = {one.criterion.lineage: one.criterion.text for one in judged.assessment.verdicts} if judged else {}
    teller = timeline.teller_of(session, match, past, zone=scene.zone, now=now, criteria=texts)
    made_by = timeline.actors(session, [one.made_by for one in judged.overrides.values()]) if judged else {}
    rows = criteria.rows_of(session, match, judged, names=made_by) if judged else []
    call = calling.call_in_progress(session, match, at=now)
    names = accounts.names(session, {k for k in (match.assigned_to, call and call.account_id) if k})
    is_referred = match.triage is Triage.REFERRED
    return PersonPage(
        scene=scene,
        badge=words.disposition(match),
        due=clocks.due(match.due_at, scene.zone, now=now) if match.due_at else "",
        due_why=_due_why(match),
        facts=_facts(session, scene, now=now),
        ways=reach.ways_of(session, scene, now=now),
        judged=judged,
        counted=criteria.count(judged) if judged else None,
        striking=[row for row in rows if row.stands_out],
        settled=[row for row in rows if not row.stands_out],
        elsewhere=criteria.elsewhere(judged) if judged else [],
        answered=answers.answered(session, past.submissions, zone=scene.zone, now=now),
        entries=timeline.entries_of(session, past, teller, scope=scope()),
        others=_others(session, scene),
        holds=_holds(session, scene, now=now),
        on_phone=names.get(call.account_id, _("Somebody")) if call else "",
        is_my_call=call is not None and call.account_id == account_id(),
        is_mine=match.assigned_to == account_id(),
        assigned=names.get(match.assigned_to, "") if match.assigned_to else "",
        referral=scene.referral,
        referral_badge=words.state(scene.referral.state) if scene.referral else None,
        can_call=scene.person.do_not_contact_at is None,
        can_refer=not is_referred and scene.person.do_not_contact_at is None,
        is_waiting=match.triage
        in (Triage.TO_CALL, Triage.SNOOZED, Triage.DEFERRED, Triage.HELD, Triage.WAITLISTED),
        is_closed=match.triage is Triage.CLOSED,
    )


def _due_why(match: Match) -> str:
    if match.triage is Triage.CLOSED:
        return str(_("Closed: %(reason)s", reason=words.closed_reason(match.closed_reason)))
    if match.triage is Triage.HELD:
        return str(words.TRIAGE[match.triage])
    return str(words.DUE[match.due_reason]) if match.due_at else str(words.TRIAGE[match.triage])


def _facts(session: Session, scene: Scene, *, now: datetime) -> list[dict[str, str]]:
    """List what to know before the telephone rings."""
    match, person = scene.match, scene.person
    last = match.last_contact_at
    rows = [
        (_("Language"), words.language(person.language)),
        (_("Likes to be called"), words.best_time(person.best_time)),
        (_("Time there"), clocks.clock(now, person.zone) if person.zone else _("Not known")),
        (_("Time at the site"), clocks.clock(now, scene.zone)),
        (_("Calls without an answer"), str(match.attempts)),
        (_("Last contact"), clocks.due(last, scene.zone, now=now) if last else _("Never")),
        (_("Came by"), _source(session, match)),
        (_("Arrived"), clocks.moment(match.arrived_at, scene.zone, now=now)),
        (_("Reference for messages"), str(match.id)),
    ]
    if scene.known.birth:
        rows.insert(0, (_("Born"), clocks.day(scene.known.birth)))
    return [{"key": str(key), "value": str(value)} for key, value in rows]


def _source(session: Session, match: Match) -> str:
    if match.first_source_link_id is None:
        return str(_("Not known"))
    link = found(session, SourceLink, match.first_source_link_id)
    parts = [link.channel, link.campaign]
    return " · ".join(part for part in parts if part) or str(words.MEDIA[link.medium])


def _others(session: Session, scene: Scene) -> list[OtherStudy]:
    rows = queries.matches_of(session, scene.members)
    return [_other(session, match, study) for match, study in rows if match.id != scene.match.id]


def _other(session: Session, match: Match, study: Study) -> OtherStudy:
    if not queries.covered(session, match, scope()):
        return OtherStudy(
            str(_("Another study")),
            None,
            Badge(text=str(_("Already in contact with the network")), kind="info"),
        )
    badge = Badge(text=str(words.TRIAGE[match.triage]), kind="neutral")
    return OtherStudy(study.nickname, url_for("desk.person.show", match_id=match.id), badge)


def _holds(session: Session, scene: Scene, *, now: datetime) -> list[str]:
    site_id = scene.site.id if scene.site else None
    live = studies.live_holds(session, at=now, study_id=scene.study.id, site_id=site_id)
    return [str(words.HOLD_REASONS[hold.reason]) for hold in live]
