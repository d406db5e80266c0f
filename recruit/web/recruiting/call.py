"""The call workspace: which number, what to say, what to ask, and how it ended, in two clicks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts.models import Role
from recruit.clock import civil_day
from recruit.contact.queries import timeline
from recruit.errors import Conflict, Refused
from recruit.intake.pages import FALLBACK
from recruit.matching import assessing, calling
from recruit.matching.calling import Ended
from recruit.matching.plan import UNREACHED, CallOutcome
from recruit.referrals.models import Referral
from recruit.studies import queries as studies
from recruit.visits.models import Visit
from recruit.visits.service import OPEN
from recruit.web.guards import allow
from recruit.web.promises import phone_words
from recruit.web.recruiting import clocks, criteria, reach, words
from recruit.web.recruiting import timeline as line
from recruit.web.recruiting.reach import Way
from recruit.web.recruiting.reading import Form
from recruit.web.recruiting.renewing import Asked, asked_again
from recruit.web.recruiting.rightperson import RightPerson, right_person
from recruit.web.recruiting.scene import (
    Scene,
    account_id,
    hold_still,
    look,
    scene_of,
    scope,
    to_person,
    writing,
)
from recruit.web.recruiting.script import Script, script_of
from screening.asking.items import fact_keys
from screening.asking.questionnaire import Document
from screening.texts import Respondent

bp = Blueprint("call", __name__, url_prefix="/matches/<uuid:match_id>/call")
_LAST_CONTACTS = 3
_TALKED = frozenset({CallOutcome.REACHED, CallOutcome.DECLINED_TO_TALK})


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask: the criterion's open fact, and the approved words to ask it in."""

    fact: str
    words: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class CallBack:
    """How the fields for calling back are labelled: in the person's clock where it is known."""

    label: str
    hint: str


@dataclass(frozen=True, slots=True)
class CallPage:
    """Everything beside the telephone."""

    scene: Scene
    right: RightPerson
    ways: list[Way]
    numbers: list[dict[str, str]]
    script: Script | None
    questions: list[Question]
    again: list[Asked]
    contacts: list[line.Entry]
    visits: list[str]
    next_try: str
    call_back: CallBack


@bp.post("/start")
@allow(Role.RECRUITER)
def start(match_id: UUID) -> ResponseReturnValue:
    """Take the telephone, so that nobody else calls this person meanwhile."""
    with context.transaction(reason="call:open") as session:
        scene = scene_of(session, match_id)
        if scene.person.do_not_contact_at is not None:
            raise Refused("This person asked not to be contacted.")
        calling.open_call(session, match_id, account_id(), at=context.now())
    return redirect(url_for("desk.call.show", match_id=match_id), 303)


@bp.get("")
@allow(Role.RECRUITER)
def show(match_id: UUID) -> ResponseReturnValue:
    """Show the workspace of the call that this account has open."""
    with context.reading() as session:
        scene = scene_of(session, match_id)
        if not _is_mine(session, scene):
            return to_person(match_id)
    return _page(match_id)


@bp.post("/leave")
@allow(Role.RECRUITER)
def leave(match_id: UUID) -> ResponseReturnValue:
    """Put the telephone down without having called."""
    with context.transaction(reason="call:leave") as session:
        scene_of(session, match_id)
        calling.leave_call(session, match_id, account_id())
    return to_person(match_id)


@bp.post("")
@allow(Role.RECRUITER)
def log(match_id: UUID) -> ResponseReturnValue:
    """Write down how the call ended; the plan says when the next one is."""
    form = Form(request.form)
    with context.reading() as session:
        scene = scene_of(session, match_id)
        points = [one.point_id for one in reach.ways_of(session, scene, now=context.now()) if one.is_phone]
    ended = _read(form, _their_zone(scene), points)
    if ended is not None and not form.problems:
        with writing(form, reason="call:log") as session:
            hold_still(session, match_id, form)
            _require_no_other(session, scene_of(session, match_id))
            match = calling.log_call(session, match_id, ended, at=context.now())
    if ended is None or form.problems:
        return _page(match_id, form)
    flash(_logged(match.due_at, scene.zone), "said")
    return to_person(match_id) if ended.outcome in _TALKED else redirect(url_for("desk.queue.show"), 303)


def _read(form: Form, zone: str, points: list[UUID]) -> Ended | None:
    said = form.choice("outcome", [one.value for one in CallOutcome], missing=_("Choose how the call ended"))
    missing = _("Choose the number you called") if len(points) > 1 else ""
    point = form.key("number", points, missing=missing)
    note = form.text("note")
    call_back_at = None
    for name in ("call_back_day", "call_back_time"):
        form.values[name] = request.form.get(name, "")[:20]
    if said == CallOutcome.CALL_BACK:
        call_back_at = form.moment("call_back_day", "call_back_time", zone=zone)
        if call_back_at is not None and call_back_at <= context.now():
            form.problem("call_back_day", _("Choose a time in the future"))
    if not said:
        return None
    point = point or (points[0] if len(points) == 1 else None)
    return Ended(CallOutcome(said), contact_point_id=point, note=note, call_back_at=call_back_at)


def _logged(due: datetime | None, zone: str) -> str:
    if due is None:
        return str(_("Call logged. No further call is planned."))
    return str(_("Call logged. Next: %(when)s.", when=clocks.moment(due, zone, now=context.now())))


def _is_mine(session: Session, scene: Scene) -> bool:
    call = calling.call_in_progress(session, scene.match, at=context.now())
    return call is not None and call.account_id == account_id()


def _require_no_other(session: Session, scene: Scene) -> None:
    """Refuse to log over somebody else's call.

    :raises Conflict: somebody else is on the phone with this person
    """
    call = calling.call_in_progress(session, scene.match, at=context.now())
    if call is not None and call.account_id != account_id():
        raise Conflict("Somebody else is on the phone with this person right now.")


def _page(match_id: UUID, form: Form | None = None) -> ResponseReturnValue:
    now = context.now()
    with context.reading() as session:
        page = _collect(session, match_id, now=now)
    look(page.scene.person.id, "desk.call")
    shown = render_template(
        "desk/call.html",
        page=page,
        scene=page.scene,
        outcomes=words.options(words.OUTCOMES),
        unreached=[one.value for one in UNREACHED],
        posted={"call_back_day": "", "call_back_time": "", **(form.values if form else {})},
        errors=form.problems if form else [],
        wrong=form.wrong if form else {},
        seen=now.isoformat(),
        call_from=phone_words(page.scene.site_phone),
    )
    return (shown, 422) if form else shown


def _collect(session: Session, match_id: UUID, *, now: datetime) -> CallPage:
    scene = scene_of(session, match_id)
    ways = reach.ways_of(session, scene, now=now)
    due = calling.next_try(session, scene.match, at=now)
    right = right_person(session, scene, now=now)
    return CallPage(
        scene=scene,
        right=right,
        ways=ways,
        numbers=[
            {"value": str(way.point_id), "text": way.address, "hint": way.shared}
            for way in ways
            if way.is_phone and not way.is_wrong
        ],
        script=script_of(session, scene, now=now),
        questions=_questions(session, scene, right.respondent, now=now),
        again=asked_again(session, scene, right.respondent, now=now),
        contacts=_last_contacts(session, scene, now=now),
        visits=_visits(session, scene, now=now),
        next_try=clocks.moment(due, scene.zone, now=now) if due else "",
        call_back=_call_back(scene, now=now),
    )


def _their_zone(scene: Scene) -> str:
    """Give the zone in which a call back is agreed: the person's, or the site's where that is unknown."""
    return scene.person.zone or scene.zone


def _call_back(scene: Scene, *, now: datetime) -> CallBack:
    there, here = clocks.clock(now, _their_zone(scene)), clocks.clock(now, scene.zone)
    if not scene.person.zone:
        hint = _("At the site it is now %(time)s. The person's own time is not known.", time=here)
        return CallBack(str(_("at (site's time)")), str(hint))
    hint = _("It is now %(time)s for the person and at the site.", time=there)
    if there != here:
        hint = _("It is now %(there)s for the person and %(here)s at the site.", there=there, here=here)
    return CallBack(str(_("at (the person's time)")), str(hint))


def _questions(session: Session, scene: Scene, respondent: Respondent, *, now: datetime) -> list[Question]:
    """List what is still open, in the order of the approved questionnaire and its words for who answers."""
    judged = assessing.judge(session, scene.match, at=now)
    if judged is None:
        return []
    open_keys = {
        one.key: criteria.label(one.key, judged.vocabulary)
        for verdict in judged.assessment.open
        for one in verdict.missing
    }
    document, tongue = _document(session, scene, now=now), scene.person.language
    asked = []
    if document is not None:
        for item in document.items:
            found = [key for key in fact_keys(item) if key in open_keys]
            if found:
                said = tongue if tongue in item.text.root else FALLBACK
                asked.append(Question(open_keys[found[0]], item.text.say(tongue, respondent), said))
            for key in found:
                open_keys.pop(key)
    return [*asked, *(Question(label, "") for label in open_keys.values())]


def _document(session: Session, scene: Scene, *, now: datetime) -> Document | None:
    if scene.match.study_site_id is not None:
        versions = studies.in_force(session, scene.match.study_site_id, on=civil_day(now, scene.zone))
        return Document.model_validate(versions.questionnaire.document) if versions else None
    places = studies.open_sites(session, scene.study, at=now)
    return Document.model_validate(places[0].in_force.questionnaire.document) if places else None


def _last_contacts(session: Session, scene: Scene, *, now: datetime) -> list[line.Entry]:
    rows = timeline(session, scene.members, limit=_LAST_CONTACTS)
    teller = line.Teller(
        zone=scene.zone,
        now=now,
        names=line.actors(session, [one.recorded_by for one in rows]),
        criteria={},
        notes={},
        reasons={},
    )
    return [line.of_communication(session, one, teller, scope()) for one in rows]


def _visits(session: Session, scene: Scene, *, now: datetime) -> list[str]:
    rows = session.scalars(
        sa.select(Visit)
        .join(Referral, Referral.id == Visit.referral_id)
        .where(Referral.match_id == scene.match.id, Visit.status.in_(OPEN))
        .order_by(Visit.starts_at)
    )
    return [f"{words.VISIT_KINDS[one.kind]}: {clocks.due(one.starts_at, scene.zone, now=now)}" for one in rows]
