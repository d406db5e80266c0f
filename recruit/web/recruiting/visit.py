"""Visits at the site: book, confirm, put at another time, call off, and say who came."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts.models import Role
from recruit.db import found, locked
from recruit.errors import NotFound
from recruit.referrals.models import Referral
from recruit.studies import queries as studies
from recruit.visits import service as visits
from recruit.visits.models import CancelledBy, Visit, VisitKind
from recruit.visits.service import Appointment
from recruit.web.guards import allow
from recruit.web.recruiting import words
from recruit.web.recruiting.reading import Form
from recruit.web.recruiting.referral import referral_page
from recruit.web.recruiting.scene import check_version, is_repeated, referral_in_scope, writing

bp = Blueprint("visit", __name__)


@bp.post("/referrals/<uuid:referral_id>/visits")
@allow(Role.RECRUITER)
def book(referral_id: UUID) -> ResponseReturnValue:
    """Book a visit in the site's own time."""
    form = Form(request.form)
    form.values["do"] = "book"
    planned = _read_appointment(referral_id, form)

    def make(session: Session) -> None:
        referral = locked(session, Referral, referral_in_scope(session, referral_id).id)
        if is_repeated(session, form, "visit.book", referral.id):
            return
        check_version(referral, form, match_id=referral.match_id)
        if planned is not None:
            visits.book(session, referral.id, planned, at=context.now())

    return _do(referral_id, form, "visit:book", "visit_booked", make)


@bp.post("/visits/<uuid:visit_id>/confirm")
@allow(Role.RECRUITER)
def confirm(visit_id: UUID) -> ResponseReturnValue:
    """Note that the person will come."""
    return _step(visit_id, "visit:confirm", "visit_confirmed", visits.confirm)


@bp.post("/visits/<uuid:visit_id>/attended")
@allow(Role.RECRUITER)
def attended(visit_id: UUID) -> ResponseReturnValue:
    """Note that the person came."""
    return _step(visit_id, "visit:attend", "visit_attended", visits.attend)


@bp.post("/visits/<uuid:visit_id>/no-show")
@allow(Role.RECRUITER)
def no_show(visit_id: UUID) -> ResponseReturnValue:
    """Note that the person did not come; a call is due the same day."""
    return _step(visit_id, "visit:no_show", "visit_missed", visits.no_show)


@bp.post("/visits/<uuid:visit_id>/reschedule")
@allow(Role.RECRUITER)
def reschedule(visit_id: UUID) -> ResponseReturnValue:
    """Put a visit at another time."""
    form = Form(request.form)
    form.values["do"] = "reschedule"
    referral_id = _referral_of(visit_id)
    planned = _read_appointment(referral_id, form)

    def move(session: Session) -> None:
        visit = _still(session, visit_id, form)
        if planned is not None:
            visits.reschedule(session, visit.id, planned, at=context.now())

    return _do(referral_id, form, "visit:reschedule", "visit_rescheduled", move)


@bp.post("/visits/<uuid:visit_id>/cancel")
@allow(Role.RECRUITER)
def cancel(visit_id: UUID) -> ResponseReturnValue:
    """Call a visit off, saying who did and why."""
    form = Form(request.form)
    form.values["do"] = "cancel"
    by = form.choice("cancelled_by", list(CancelledBy), missing=_("Choose who called it off"))
    reason = form.choice("cancel_reason", words.CANCELS_BY_HAND, missing=_("Choose a reason"))

    def off(session: Session) -> None:
        visit = _still(session, visit_id, form)
        visits.cancel(session, visit.id, by=CancelledBy(by), reason=reason, at=context.now())

    return _do(_referral_of(visit_id), form, "visit:cancel", "visit_cancelled", off)


def _step(visit_id: UUID, reason: str, notice: str, act: Callable[..., Visit]) -> ResponseReturnValue:
    form = Form(request.form)

    def take(session: Session) -> None:
        act(session, _still(session, visit_id, form).id, at=context.now())

    return _do(_referral_of(visit_id), form, reason, notice, take)


def _do(
    referral_id: UUID, form: Form, reason: str, notice: str, step: Callable[[Session], None]
) -> ResponseReturnValue:
    """Take one step, or show the referral's page again with what is wrong."""
    if not form.problems:
        with writing(form, reason=reason) as session:
            step(session)
    if form.problems:
        return referral_page(referral_id, form)
    flash(notice)
    return redirect(url_for("desk.referral.show", referral_id=referral_id, _anchor="visits"), 303)


def _read_appointment(referral_id: UUID, form: Form) -> Appointment | None:
    with context.reading() as session:
        zone = studies.zone_of(session, referral_in_scope(session, referral_id).study_site_id)
    starts_at = form.moment("visit_day", "visit_time", zone=zone)
    minutes = form.number(
        "minutes", least=5, most=visits.LONGEST_MINUTES, missing=_("Enter the length in minutes")
    )
    place = form.line("place", longest=visits.LONGEST_PLACE)
    kind = form.choice("kind", list(VisitKind), missing=_("Choose the kind of visit"))
    if starts_at is not None and starts_at <= context.now():
        form.problem("visit_day", _("Choose a time in the future"))
    if form.problems or starts_at is None or minutes is None:
        return None
    return Appointment(starts_at, minutes=minutes, place=place, kind=VisitKind(kind))


def _referral_of(visit_id: UUID) -> UUID:
    """Find the referral of a visit that the account may see.

    :raises NotFound: there is none, or it is another site's
    """
    with context.reading() as session:
        visit = session.get(Visit, visit_id)
        if visit is None:
            raise NotFound("There is no such visit.")
        return referral_in_scope(session, visit.referral_id).id


def _still(session: Session, visit_id: UUID, form: Form) -> Visit:
    """Lock a visit for a change, if it is still as the page showed it."""
    visit = locked(session, Visit, visit_id)
    referral = referral_in_scope(session, visit.referral_id)
    check_version(visit, form, match_id=found(session, Referral, referral.id).match_id)
    return visit
