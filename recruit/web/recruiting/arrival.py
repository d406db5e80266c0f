"""After the questions: the result read aloud, the agreement read aloud, and how to reach the person."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from recruit import context, pipeline
from recruit.accounts.models import Role
from recruit.db import locked
from recruit.errors import Invalid, Refused
from recruit.intake import drafts
from recruit.intake.drafts import Opened
from recruit.intake.models import Draft, Entrance, InquiryChannel
from recruit.studies import queries as studies
from recruit.studies.nearby import nearest
from recruit.web import contactform
from recruit.web.contactform import Left, Wanted
from recruit.web.fields import problems
from recruit.web.guards import allow
from recruit.web.recruiting.assisted import keep_answers, opened_own
from recruit.web.recruiting.scene import scope, to_person
from screening.asking.questionnaire import Outcome

bp = Blueprint("arrival", __name__, url_prefix="/questions/<uuid:draft_id>")
_HOW = {Entrance.ASSISTED_CALL: "phone", Entrance.WALK_IN: "in_person"}


@bp.get("/contact")
@allow(Role.RECRUITER)
def form(draft_id: UUID) -> ResponseReturnValue:
    """Read the result and the agreements aloud, and ask how to reach the person."""
    with context.reading() as session:
        opened = opened_own(session, draft_id)
        wanted = _wanted(session, opened)
    return _page(opened, wanted, contactform.empty(wanted))


@bp.post("/contact")
@allow(Role.RECRUITER)
def leave(draft_id: UUID) -> ResponseReturnValue:
    """Take the person in with what they said, finished or not."""
    with context.transaction(reason="submission:assisted") as session:
        opened = opened_own(session, draft_id)
        locked(session, Draft, draft_id)
        wanted = _wanted(session, opened)
        left = contactform.read(request.form, wanted, on=context.now().date())
        if left.problems or left.only_sort:
            session.rollback()
            return _page(opened, wanted, left), 422 if left.problems else 200
        try:
            match_id = _take_in(session, opened, left)
        except (Invalid, Refused) as error:
            session.rollback()
            left.problems.extend(problems(error))
            return _page(opened, wanted, left), 422
    flash("taken_in")
    return redirect(url_for("desk.queue.show"), 303) if match_id is None else to_person(match_id)


def _take_in(session: Session, opened: Opened, left: Left) -> UUID | None:
    """Take somebody in by the answers they gave, or as a contact with the few answers there are."""
    draft, how = opened.draft, _HOW[opened.draft.entrance]
    if draft.outcome is not None:
        _submission, match = pipeline.submit(
            session,
            draft.id,
            left.contact,
            left.consents,
            at=context.now(),
            study_site_id=left.study_site_id,
            how=how,
        )
        return match.id if match is not None else None
    _inquiry, match = pipeline.inquire(
        session,
        opened.study,
        left.contact,
        left.consents,
        channel=InquiryChannel.HAND,
        at=context.now(),
        how=how,
        study_site_id=left.study_site_id or draft.study_site_id,
        source_link_id=draft.source_link_id,
        is_test=draft.is_test,
    )
    return keep_answers(session, draft.id, match.person_id, opened.study.id)


def _wanted(session: Session, opened: Opened) -> Wanted:
    places = [
        place
        for place in studies.open_sites(session, opened.study, at=context.now())
        if scope().covers(site_id=place.site.id, study_id=opened.study.id)
    ]
    version_id, document = drafts.agreements(session, opened, at=context.now())
    return Wanted(
        respondent=opened.respondent,
        document=document,
        version_id=version_id,
        tongue=opened.draft.language,
        places=tuple(nearest(places, request.form.get("zip", "")[:12])),
        with_registry=contactform.offers_registry(opened.study, document),
        registry_only=opened.draft.outcome is Outcome.NOT_THIS_STUDY,
        country=context.settings().country,
    )


def _page(opened: Opened, wanted: Wanted, left: Left) -> str:
    outcome = opened.draft.outcome
    result = opened.document.results.get(outcome) if outcome is not None else None
    return render_template(
        "desk/contact.html",
        opened=opened,
        wanted=wanted,
        left=left,
        errors=left.problems,
        wrong=left.wrong,
        tongue=opened.draft.language,
        respondent=opened.respondent,
        result=result,
        may_keep=outcome is not Outcome.NOT_THIS_STUDY or wanted.with_registry,
    )
