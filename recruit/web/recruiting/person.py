"""One person in one study: why they fit, how to reach them, what was said, and what to do next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from flask import Blueprint, flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts.models import Role
from recruit.errors import NotFound
from recruit.matching import assessing, numbers, stopping
from recruit.matching import service as matching
from recruit.matching.models import Match
from recruit.people import queries as people
from recruit.web.guards import allow
from recruit.web.recruiting import clocks, personpage, words
from recruit.web.recruiting.reading import Form
from recruit.web.recruiting.scene import (
    account_id,
    hold_still,
    is_repeated,
    look,
    scene_of,
    to_person,
    writing,
)

bp = Blueprint("person", __name__, url_prefix="/matches/<uuid:match_id>")
VERDICTS = ("passes", "rules_out", "machine")


@bp.get("")
@allow(Role.RECRUITER)
def show(match_id: UUID) -> ResponseReturnValue:
    """Show one person in one study."""
    return _page(match_id)


@bp.post("/notes")
@allow(Role.RECRUITER)
def note(match_id: UUID) -> ResponseReturnValue:
    """Keep a note; notes never collide, so the page may be an older one."""
    form = Form(request.form)
    body = form.text("body", missing=_("Write the note first"))
    is_record = form.choice("kind", ("working", "record")) == "record"

    def keep(session: Session) -> None:
        scene_of(session, match_id)
        matching.write_note(
            session, match_id, body, is_record=is_record, account_id=account_id(), at=context.now()
        )

    return _do(match_id, form, "note:write", "note_kept", keep)


@bp.post("/assign")
@allow(Role.RECRUITER)
def assign(match_id: UUID) -> ResponseReturnValue:
    """Take a person on oneself, or give them back."""
    form = Form(request.form)
    to = account_id() if form.choice("to", ("me", "nobody")) == "me" else None

    def give(session: Session) -> None:
        match = hold_still(session, match_id, form)
        matching.assign(session, match.id, to, at=context.now())

    return _do(match_id, form, "match:assign", "assigned", give)


@bp.post("/snooze")
@allow(Role.RECRUITER)
def snooze(match_id: UUID) -> ResponseReturnValue:
    """Put a person aside until a day and time in the site's clock."""
    form = Form(request.form)
    with context.reading() as session:
        zone = scene_of(session, match_id).zone
    until = form.moment("snooze_day", "snooze_time", zone=zone)
    if until is not None and until <= context.now():
        form.problem("snooze_day", _("Choose a time in the future"))

    def put_aside(session: Session) -> None:
        match = hold_still(session, match_id, form)
        matching.snooze(session, match.id, until=until or context.now(), at=context.now())

    return _do(match_id, form, "match:snooze", "snoozed", put_aside)


@bp.post("/close")
@allow(Role.RECRUITER)
def close(match_id: UUID) -> ResponseReturnValue:
    """Take a person out of the queue for a reason."""
    form = Form(request.form)
    reason = form.choice("close_reason", words.CLOSES_BY_HAND, missing=_("Choose a reason"))
    body = form.text("close_note")

    def leave(session: Session) -> None:
        match = hold_still(session, match_id, form)
        matching.close(session, match.id, reason=reason, at=context.now())
        if body:
            matching.write_note(
                session, match.id, body, is_record=False, account_id=account_id(), at=context.now()
            )

    return _do(match_id, form, "match:close", "closed", leave)


@bp.post("/reopen")
@allow(Role.RECRUITER)
def reopen(match_id: UUID) -> ResponseReturnValue:
    """Bring a person back to the queue."""
    form = Form(request.form)

    def back(session: Session) -> None:
        match = hold_still(session, match_id, form)
        matching.reopen(session, match.id, at=context.now())

    return _do(match_id, form, "match:reopen", "reopened", back)


@bp.post("/criteria/<lineage>")
@allow(Role.RECRUITER)
def override(match_id: UUID, lineage: str) -> ResponseReturnValue:
    """Set staff's verdict on a criterion beside the machine's, or take it back."""
    form = Form(request.form)
    field = f"reason-{lineage[:60]}"
    said = form.choice(f"verdict-{lineage[:60]}", VERDICTS, missing=_("Choose a verdict"))
    reason = form.text(field, missing="" if said == "machine" else _("Say why you see this differently"))

    def judge(session: Session) -> None:
        match = hold_still(session, match_id, form)
        if said == "machine":
            assessing.withdraw_override(session, match.id, lineage, at=context.now())
            return
        assessing.override(session, match.id, lineage, passes=said == "passes", reason=reason, at=context.now())

    return _do(match_id, form, "match:override", "verdict_kept", judge)


@bp.post("/numbers/<uuid:point_id>")
@allow(Role.RECRUITER)
def number(match_id: UUID, point_id: UUID) -> ResponseReturnValue:
    """Mark a telephone number as wrong, or as right after all."""
    form = Form(request.form)
    said = form.choice("is", ("wrong", "right"), missing=_("Choose what is true of this number"))

    def mark(session: Session) -> None:
        match = hold_still(session, match_id, form)
        _require_own(session, match, point_id)
        (numbers.mark_wrong if said == "wrong" else numbers.mark_right)(session, point_id, at=context.now())

    return _do(match_id, form, "contact:number", "number_marked", mark)


@bp.post("/do-not-contact")
@allow(Role.RECRUITER)
def stop(match_id: UUID) -> ResponseReturnValue:
    """Note that the person asked not to be contacted any more, by anybody and for anything."""
    form = Form(request.form)
    if not form.ticked("asked"):
        form.problem("asked", _("Tick the box to confirm that the person asked for this"))

    def end(session: Session) -> None:
        if is_repeated(session, form, "person.stop", match_id):
            return
        match = hold_still(session, match_id, form)
        stopping.do_not_contact(session, match.person_id, at=context.now())

    return _do(match_id, form, "person:do_not_contact", "stopped", end)


def _do(
    match_id: UUID, form: Form, reason: str, notice: str, step: Callable[[Session], None]
) -> ResponseReturnValue:
    """Take one step on a person, or show the page again with what is wrong."""
    if not form.problems:
        with writing(form, reason=reason) as session:
            step(session)
    if form.problems:
        return _page(match_id, form)
    flash(notice)
    return to_person(match_id)


def _page(match_id: UUID, form: Form | None = None) -> ResponseReturnValue:
    now = context.now()
    with context.reading() as session:
        page = personpage.collect(session, match_id, now=now)
    look(page.scene.person.id, "desk.person")
    tomorrow = clocks.local_day(now + timedelta(days=1), page.scene.zone)
    shown = render_template(
        "desk/person.html",
        page=page,
        scene=page.scene,
        posted={"snooze_day": tomorrow, "snooze_time": "10:00", **(form.values if form else {})},
        errors=form.problems if form else [],
        wrong=form.wrong if form else {},
        seen=now.isoformat(),
        close_reasons=[
            {"value": code, "text": str(words.CLOSE_REASONS[code])} for code in words.CLOSES_BY_HAND
        ],
    )
    return (shown, 422) if form else shown


def _require_own(session: Session, match: Match, point_id: UUID) -> None:
    """Look whether an address is this person's.

    :raises NotFound: it is somebody else's
    """
    members = people.cluster_of(session, people.root_of(session, match.person_id))
    if point_id not in {one.point.id for one in people.contacts_of(session, members)}:
        raise NotFound("There is no such number.")
