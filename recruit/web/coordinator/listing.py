"""The list of studies, most urgent first, and a new study."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts.models import Role
from recruit.errors import Forbidden
from recruit.studies import overview, service
from recruit.studies.models import StudyStatus
from recruit.studies.overview import Step
from recruit.web import fields
from recruit.web.coordinator import forms, frame, words
from recruit.web.coordinator.blueprint import bp
from recruit.web.coordinator.frame import Failed
from recruit.web.coordinator.reading import Posted
from recruit.web.guards import allow


@bp.get("/studies")
@allow(Role.COORDINATOR, Role.AUDITOR)
def index() -> ResponseReturnValue:
    """List the studies of one's scope with the next step of each."""
    query = fields.line("q", longest=120, query=True)
    status = forms.member(StudyStatus, request.args.get("status", ""))
    step = forms.member(Step, request.args.get("step", ""))
    with context.reading() as session:
        rows = overview.study_rows(session, frame.reading_scope(), at=context.now(), words=query, status=status)
    shown = [row for row in rows if step is None or row.step is step]
    start = forms.whole(request.args.get("from", ""))
    return frame.page(
        "studies/index.html",
        rows=shown[start : start + overview.PAGE],
        total=len(shown),
        start=start,
        newer=max(0, start - overview.PAGE) if start else None,
        older=start + overview.PAGE if start + overview.PAGE < len(shown) else None,
        steps=overview.steps_of(rows),
        query=query,
        status=status,
        step=step,
        words=words,
        statuses=words.options(StudyStatus, blank=forms.all_words()),
        may_add=frame.writing_scope().is_everything,
    )


@bp.get("/studies/new")
@allow(Role.COORDINATOR)
def new_study() -> ResponseReturnValue:
    """Ask for the few things that a study begins with."""
    _require_everything()
    return _new_page()


@bp.post("/studies/new")
@allow(Role.COORDINATOR)
def create_study() -> ResponseReturnValue:
    """Begin a study."""
    _require_everything()
    posted = Posted()
    details = forms.new_study(posted)
    made: list[str] = []

    def work(session: Session) -> None:
        study = service.create_study(
            session, details, at=context.now(), identifiers=forms.identifiers(posted, field="identifiers")
        )
        made.append(str(study.id))

    failed = frame.attempt(posted, work, reason="study:create")
    if failed:
        return _new_page(failed)
    return redirect(url_for("studies.edit", study_id=made[0], done="created"), 303)


def _new_page(failed: Failed | None = None) -> ResponseReturnValue:
    return frame.page("studies/new.html", failed=failed, words=words, neutral=forms.neutral_fields())


def _require_everything() -> None:
    if not frame.writing_scope().is_everything:
        raise Forbidden("Only somebody who coordinates all studies adds one.")
