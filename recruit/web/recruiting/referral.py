"""Hand a person to a site, and write down what became of them, one step at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from recruit import context, pipeline
from recruit.accounts.models import Role
from recruit.clock import civil_day
from recruit.contact.models import ConsentScope, Purpose
from recruit.contact.service import give_consent
from recruit.db import found, locked
from recruit.events import Channel, Precision
from recruit.matching import assessing
from recruit.matching.models import Triage
from recruit.referrals import service as referrals
from recruit.referrals.models import Referral
from recruit.referrals.service import Report
from recruit.referrals.states import State, needs
from recruit.studies import queries as studies
from recruit.studies.models import Site, StudySite, StudySiteStatus
from recruit.studies.nearby import distance
from recruit.web.guards import allow
from recruit.web.recruiting import referralpage, words
from recruit.web.recruiting.reading import Form
from recruit.web.recruiting.scene import (
    Scene,
    account_id,
    check_version,
    hold_still,
    look,
    referral_in_scope,
    scene_of,
    scope,
    to_person,
    writing,
)
from recruit.web.recruiting.words import Badge

bp = Blueprint("referral", __name__)
TRANSFER_VERSION = "desk-transfer-1"
CHANNELS = (Channel.SITE, Channel.CALL_TEAM, Channel.CALL_TEAM_FOR_SITE)


@dataclass(frozen=True, slots=True)
class Choice:
    """A site somebody could be referred to, and how they stand there."""

    study_site_id: UUID
    name: str
    where: str
    languages: str
    badge: Badge | None
    changes: str
    closed: str
    asks_yes: bool


@bp.get("/matches/<uuid:match_id>/refer")
@allow(Role.RECRUITER)
def choose(match_id: UUID) -> ResponseReturnValue:
    """Show the sites of the study, nearest first, and how the person stands at each."""
    return _choose_page(match_id)


@bp.post("/matches/<uuid:match_id>/refer")
@allow(Role.RECRUITER)
def refer(match_id: UUID) -> ResponseReturnValue:
    """Hand the person to a site, judged by the version in force there."""
    form = Form(request.form)
    with context.reading() as session:
        scene = scene_of(session, match_id)
        choices = _choices(session, scene, now=context.now())
    chosen = form.key("site", [one.study_site_id for one in choices], missing=_("Choose a site"))
    agreed = form.ticked("agreed")
    if any(one.study_site_id == chosen and one.asks_yes for one in choices) and not agreed:
        form.problem("agreed", _("Ask the person first: passing them to another site needs their own yes"))
    if chosen is None or form.problems:
        return _choose_page(match_id, form)
    with writing(form, reason="referral:refer") as session:
        hold_still(session, match_id, form)
        if agreed:
            _keep_yes(session, scene, chosen)
        made = pipeline.refer(session, match_id, chosen, at=context.now(), owner_id=account_id())
    if form.problems:
        return _choose_page(match_id, form)
    flash("referred")
    return redirect(url_for("desk.referral.show", referral_id=made.id), 303)


@bp.get("/referrals/<uuid:referral_id>")
@allow(Role.RECRUITER)
def show(referral_id: UUID) -> ResponseReturnValue:
    """Show where a referral stands, what may follow, its visits and its entries."""
    return referral_page(referral_id)


@bp.post("/referrals/<uuid:referral_id>/moves")
@allow(Role.RECRUITER)
def move(referral_id: UUID) -> ResponseReturnValue:
    """Record the next step, with what belongs to it."""
    form = Form(request.form)
    with context.reading() as session:
        referral = referral_in_scope(session, referral_id)
        said = _read_report(session, referral, form)
    if said is None or form.problems:
        return referral_page(referral_id, form)
    with writing(form, reason=f"referral:{said.state.value}") as session:
        pipeline.report(session, _still(session, referral_id, form).id, said, at=context.now())
    if form.problems:
        return referral_page(referral_id, form)
    flash(str(_("Recorded: %(state)s", state=words.STATES[said.state])), "said")
    return redirect(url_for("desk.referral.show", referral_id=referral_id), 303)


@bp.post("/referrals/<uuid:referral_id>/corrections")
@allow(Role.RECRUITER)
def correct(referral_id: UUID) -> ResponseReturnValue:
    """Void a wrong entry by a new one, with the reason."""
    form = Form(request.form)
    with context.reading() as session:
        referral = referral_in_scope(session, referral_id)
        entries = [event.id for event in referralpage.standing(session, referral)]
    event_id = form.key("event", entries, missing=_("Choose the entry that is wrong"))
    reason = form.text("correction", missing=_("Say why this entry was wrong"))
    if event_id is None or form.problems:
        return referral_page(referral_id, form)
    with writing(form, reason="referral:correct") as session:
        referral = _still(session, referral_id, form)
        pipeline.correct(session, referral.id, event_id, reason=reason, at=context.now())
    if form.problems:
        return referral_page(referral_id, form)
    flash("corrected")
    return redirect(url_for("desk.referral.show", referral_id=referral_id), 303)


def _still(session: Session, referral_id: UUID, form: Form) -> Referral:
    """Lock a referral within reach, and refuse a post from a page that shows an older state of it."""
    referral = locked(session, Referral, referral_in_scope(session, referral_id).id)
    check_version(referral, form, match_id=referral.match_id)
    return referral


def referral_page(referral_id: UUID, form: Form | None = None) -> ResponseReturnValue:
    """Render a referral's page, with what is wrong where a form came back."""
    now = context.now()
    with context.reading() as session:
        referral = referral_in_scope(session, referral_id)
        step = (form.values.get("state") if form else None) or request.args.get("step", "")
        page = referralpage.collect(session, referral, step=step, now=now)
    look(page.scene.person.id, "desk.referral")
    shown = render_template(
        "desk/referral.html",
        page=page,
        scene=page.scene,
        referral=page.referral,
        visit_id=request.args.get("visit", ""),
        doing=(form.values.get("do") if form else None) or request.args.get("do", ""),
        posted={"happened_on": page.today, **page.suggested, **(form.values if form else {})},
        errors=form.problems if form else [],
        wrong=form.wrong if form else {},
        seen=now.isoformat(),
    )
    return (shown, 422) if form else shown


def _read_report(session: Session, referral: Referral, form: Form) -> Report | None:
    steps = referralpage.steps_of(session, referral)
    said = form.choice("state", [one.value for one in steps], missing=_("Choose what happened"))
    if not said:
        return None
    state = State(said)
    due = needs(state)
    happened_on = form.day("happened_on", missing=_("Enter the day on which it happened"))
    precision = Precision(form.choice("precision", list(Precision)) or Precision.DAY)
    channel = Channel(form.choice("channel", CHANNELS) or Channel.SITE)
    lineages = [one.lineage for one in referrals.criteria_of(session, referral)]
    criterion = reason = ""
    until = None
    if due.criterion:
        criterion = form.choice("criterion", lineages, missing=_("Choose the criterion that was not met"))
    if due.reason:
        offered = dict(referralpage.reasons_of(session, referral, state))
        reason = form.choice("reason", offered, missing=_("Choose a reason"))
    if due.day:
        until = form.day("until", missing=_("Enter the day on which to come back"))
    number = form.line("subject_number", longest=referrals.LONGEST_SUBJECT_NUMBER)
    if happened_on is None:
        return None
    return Report(
        state,
        happened_on=happened_on,
        precision=precision,
        criterion=criterion,
        reason=reason,
        until=until,
        subject_number=number,
        channel=channel,
    )


def _choose_page(match_id: UUID, form: Form | None = None) -> ResponseReturnValue:
    now = context.now()
    with context.reading() as session:
        scene = scene_of(session, match_id)
        if scene.match.triage is Triage.REFERRED and scene.referral is not None:
            return redirect(url_for("desk.referral.show", referral_id=scene.referral.id), 303)
        if scene.person.do_not_contact_at is not None:
            return to_person(match_id)
        choices = _choices(session, scene, now=now)
    look(scene.person.id, "desk.refer")
    shown = render_template(
        "desk/refer.html",
        scene=scene,
        badge=words.disposition(scene.match),
        choices=choices,
        posted=form.values if form else {"site": str(scene.match.study_site_id or "")},
        errors=form.problems if form else [],
        wrong=form.wrong if form else {},
        seen=now.isoformat(),
    )
    return (shown, 422) if form else shown


def _choices(session: Session, scene: Scene, *, now: datetime) -> list[Choice]:
    """List the activated sites that this account may refer to, nearest first."""
    rows = session.execute(
        sa.select(StudySite, Site)
        .join(Site, Site.id == StudySite.site_id)
        .where(StudySite.study_id == scene.study.id, StudySite.status == StudySiteStatus.ACTIVATED)
        .where(studies.within(scope()))
        .order_by(Site.name)
    ).all()
    before = set(
        session.scalars(
            sa.select(Referral.study_site_id).where(
                Referral.person_id.in_(scene.members), Referral.study_id == scene.study.id
            )
        )
    )
    near = sorted(rows, key=lambda row: _far(distance(row.Site, scene.person.postcode)))
    return [_choice(session, scene, row.StudySite, row.Site, before, now) for row in near]


def _far(miles: int | None) -> tuple[bool, int]:
    return miles is None, miles or 0


def _choice(
    session: Session, scene: Scene, study_site: StudySite, site: Site, before: set[UUID], now: datetime
) -> Choice:
    miles = distance(site, scene.person.postcode)
    judged = assessing.judge(session, scene.match, at=now, study_site_id=study_site.id)
    badge = words.disposition_badge(judged.disposition if judged else None)
    now_badge = words.disposition(scene.match)
    changed = _("Here: %(there)s, so far: %(now)s", there=badge["text"], now=now_badge["text"])
    return Choice(
        study_site_id=study_site.id,
        name=site.name,
        where=ngettext("%(num)s mile away", "%(num)s miles away", miles) if miles is not None else site.city,
        languages=_tongue(site, scene.person.language),
        badge=badge,
        changes=changed if badge["text"] != now_badge["text"] else "",
        closed=_closed(session, scene, study_site, site, now=now),
        asks_yes=bool(before - {study_site.id}),
    )


def _tongue(site: Site, language: str) -> str:
    """Say whether somebody at a site speaks the person's language."""
    name = words.language(language)
    if language in site.languages:
        return str(_("Speaks %(language)s", language=name))
    if site.interpreter:
        return str(_("Interpreter for %(language)s", language=name))
    return str(_("Nobody speaks %(language)s", language=name))


def _closed(session: Session, scene: Scene, study_site: StudySite, site: Site, *, now: datetime) -> str:
    """Say why a site takes nobody now; nothing where it does."""
    held = studies.live_holds(session, at=now, study_id=scene.study.id, site_id=site.id)
    if held:
        return str(_("On hold: %(reason)s", reason=words.HOLD_REASONS[held[0].reason]))
    if not studies.takes_people(study_site, on=civil_day(now, site.zone)):
        return str(_("Its approval does not cover today"))
    return ""


def _keep_yes(session: Session, scene: Scene, study_site_id: UUID) -> None:
    site = found(session, Site, found(session, StudySite, study_site_id).site_id)
    operator = context.settings().operator_name
    give_consent(
        session,
        scene.person.id,
        Purpose.PARTNER_SITE,
        ConsentScope.SITE,
        text=f"I agree that {operator} passes my details and answers to {site.name}.",
        text_version=TRANSFER_VERSION,
        language=scene.person.language,
        how="phone",
        at=context.now(),
        study_id=scene.study.id,
        site_id=site.id,
    )
