"""The same questions, asked aloud: a caller, somebody at the door, or a person we are on the phone with."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recruit import context, pipeline
from recruit.accounts.models import Role
from recruit.clock import civil_day
from recruit.db import found
from recruit.intake import assisted, drafts
from recruit.intake.drafts import Opened
from recruit.intake.minors import says_minor
from recruit.matching import assessing
from recruit.matching import service as matching
from recruit.people.models import Person
from recruit.studies.models import Study
from recruit.web import itempage
from recruit.web.guards import allow
from recruit.web.itempage import ItemPage, Values
from recruit.web.recruiting.reading import Form
from recruit.web.recruiting.scene import account_id, to_person
from screening.asking.answers import parse
from screening.asking.assertions import birth_range
from screening.asking.items import Item, StatementPage
from screening.asking.path import first_unanswered, may_open, steps, urgent_item
from screening.asking.responses import Answer, Declined, is_absent
from screening.asking.summary import describe
from screening.slips import Problems
from screening.texts import Respondent

bp = Blueprint("assisted", __name__)
LANGUAGES = ("en", "es")


@dataclass(frozen=True, slots=True)
class QuestionLine:
    """One question of the list: what was said, when, and whether it still has to be asked."""

    number: int
    text: str
    answer: str
    state: str
    url: str | None


@bp.get("/questions/<uuid:draft_id>")
@allow(Role.RECRUITER)
def show(draft_id: UUID) -> ResponseReturnValue:
    """Show all questions in their approved order, with what is known and what is still open."""
    return _list_page(draft_id)


@bp.post("/questions/<uuid:draft_id>/who")
@allow(Role.RECRUITER)
def who(draft_id: UUID) -> ResponseReturnValue:
    """Note whom the questions are about."""
    form = Form(request.form)
    with context.transaction(reason="draft:who") as session:
        opened = _opened(session, draft_id)
        offered = [one.value for one in opened.document.respondents]
        chosen = form.choice("who", offered, missing=_("Choose whom the questions are about"))
        if chosen:
            drafts.choose_respondent(session, draft_id, Respondent(chosen), at=context.now())
    return _list_page(draft_id, form) if form.problems else _to_next(draft_id)


@bp.get("/questions/<uuid:draft_id>/<int:number>")
@allow(Role.RECRUITER)
def question(draft_id: UUID, number: int) -> ResponseReturnValue:
    """Show one question, word for word as approved, with what was said before."""
    with context.reading() as session:
        opened = _opened(session, draft_id)
        before = assisted.said_before(session, opened)
    item = _item(opened, before, number)
    if item is None:
        return redirect(url_for("desk.assisted.show", draft_id=draft_id), 303)
    page = itempage.page_of(
        item,
        opened.document,
        language=opened.draft.language,
        respondent=opened.respondent,
        answer=opened.answers.get(item.id),
    )
    return _question_page(opened, before, item, number, page)


@bp.post("/questions/<uuid:draft_id>/<int:number>")
@allow(Role.RECRUITER)
def answer(draft_id: UUID, number: int) -> ResponseReturnValue:
    """Take one answer: said now, still true, or declined."""
    posted, said = itempage.read_form(request.form), request.form.get("do", "")
    with context.transaction(reason="draft:answer") as session:
        opened = _opened(session, draft_id)
        before = assisted.said_before(session, opened)
        item = _item(opened, before, number)
        if item is None:
            return redirect(url_for("desk.assisted.show", draft_id=draft_id), 303)
        read = _read(opened, before, item, posted, said)
        if not isinstance(read, Problems):
            if _is_minors(opened, item, read):
                drafts.stop(session, draft_id, at=context.now())
                return render_template("desk/minor.html", words=_minor_words(opened))
            assisted.save(session, draft_id, item, read, before, at=context.now())
    if isinstance(read, Problems):
        page = itempage.page_of(
            item,
            opened.document,
            language=opened.draft.language,
            respondent=opened.respondent,
            posted=posted,
            problems=read,
        )
        return _question_page(opened, before, item, number, page), 422
    return _to_next(draft_id)


@bp.post("/questions/<uuid:draft_id>/finish")
@allow(Role.RECRUITER)
def finish(draft_id: UUID) -> ResponseReturnValue:
    """Keep what a known person said, finished or not; or go on to the result of somebody new."""
    with context.transaction(reason="draft:finish") as session:
        opened = _opened(session, draft_id)
        person_id, study_id = opened.draft.person_id, opened.study.id
        if person_id is None:
            if _open_item(opened, {}) is None and opened.draft.respondent is not None:
                pipeline.conclude(session, draft_id, at=context.now())
            return redirect(url_for("desk.arrival.form", draft_id=draft_id), 303)
        match_id = keep_answers(session, draft_id, person_id, study_id)
    flash("answers_kept")
    return to_person(match_id)


@bp.post("/questions/<uuid:draft_id>/stop")
@allow(Role.RECRUITER)
def stop(draft_id: UUID) -> ResponseReturnValue:
    """End without keeping anything."""
    with context.transaction(reason="draft:stop") as session:
        _opened(session, draft_id)
        drafts.stop(session, draft_id, at=context.now())
    return redirect(url_for("desk.queue.show"), 303)


def keep_answers(session: Session, draft_id: UUID, person_id: UUID, study_id: UUID) -> UUID:
    """Keep what was said as new facts and judge anew; give the match to go on to."""
    kept = assisted.keep_said(session, draft_id, person_id, account_id(), at=context.now())
    match = matching.ensure_match(
        session,
        found(session, Person, person_id),
        found(session, Study, study_id),
        study_site_id=None,
        source_link_id=None,
        at=context.now(),
        is_test=False,
    )
    if kept is not None:
        payload: dict[str, object] = {"submission": str(kept.id)}
        matching.note_decision(session, match, "match.answers_confirmed", at=context.now(), payload=payload)
        assessing.assess_match(session, match, cause="phone", at=context.now())
        assessing.follow(session, match, at=context.now())
    return match.id


def opened_own(session: Session, draft_id: UUID) -> Opened:
    """Open a draft of this account, within what it may see.

    :raises NotFound: there is none
    """
    return _opened(session, draft_id)


def _opened(session: Session, draft_id: UUID) -> Opened:
    return assisted.open_own(session, draft_id, account_id())


def _to_next(draft_id: UUID) -> ResponseReturnValue:
    """Go on to the next open question, to the list where none is, or where help comes first."""
    with context.reading() as session:
        opened = _opened(session, draft_id)
        before = assisted.said_before(session, opened)
        whole = assisted.together(opened, before)
    item = _open_item(opened, before)
    urgent = urgent_item(whole.document, whole.answers, whole.respondent)
    if item is None or urgent is not None:
        return redirect(url_for("desk.assisted.show", draft_id=draft_id), 303)
    return redirect(url_for("desk.assisted.question", draft_id=draft_id, number=_number(opened, item)), 303)


def _open_item(opened: Opened, before: dict[str, Answer]) -> Item | None:
    """Find the next question without an answer; one that was only put off before is asked again."""
    told = {item: one for item, one in before.items() if not is_absent(one)}
    whole = assisted.together(opened, told)
    return first_unanswered(whole.document, whole.answers, whole.respondent)


def _number(opened: Opened, item: Item) -> int:
    return next(n for n, one in enumerate(opened.document.items, 1) if one.id == item.id)


def _item(opened: Opened, before: dict[str, Answer], number: int) -> Item | None:
    """Find a question by its number, where it may be asked now."""
    if not 1 <= number <= len(opened.document.items) or opened.draft.respondent is None:
        return None
    item = opened.document.items[number - 1]
    whole = assisted.together(opened, before)
    may = may_open(whole.document, whole.answers, whole.respondent, item_id=item.id)
    return item if may else None


def _read(
    opened: Opened, before: dict[str, Answer], item: Item, posted: Values, said: str
) -> Answer | Problems:
    on = civil_day(context.now(), opened.zone)
    if said == "declined":
        return Declined(on=on)
    if said == "same" and item.id in before:
        return assisted.still_true(before[item.id], on=on)
    whole = assisted.together(opened, before)
    born = birth_range(whole.document, whole.answers, whole.respondent)
    return parse(item, posted, language=opened.draft.language, on=on, born=born)


def _is_minors(opened: Opened, item: Item, read: Answer) -> bool:
    is_own = opened.respondent is Respondent.SELF and opened.draft.person_id is None
    return is_own and says_minor(item, read, on=read.on)


def _minor_words(opened: Opened) -> str:
    return opened.document.opening.minor.say(opened.draft.language)


def _list_page(draft_id: UUID, form: Form | None = None) -> ResponseReturnValue:
    with context.reading() as session:
        opened = _opened(session, draft_id)
        before = assisted.said_before(session, opened)
    whole = assisted.together(opened, before)
    tongue = opened.draft.language
    open_one = _open_item(opened, before)
    urgent = urgent_item(whole.document, whole.answers, whole.respondent)
    safety = whole.document.safety_page
    shown = render_template(
        "desk/questions.html",
        opened=opened,
        tongue=tongue,
        lines=_lines(opened, before) if opened.draft.respondent else [],
        notice=[
            getattr(opened.document.notice, name).say(tongue)
            for name in type(opened.document.notice).model_fields
        ],
        opening=opened.document.opening.question.say(tongue),
        respondents=[
            {"value": one.value, "text": opened.document.opening.choices[one].say(tongue)}
            for one in opened.document.respondents
            if one in opened.document.opening.choices
        ],
        next_url=url_for("desk.assisted.question", draft_id=draft_id, number=_number(opened, open_one))
        if open_one is not None and opened.draft.respondent
        else None,
        safety=safety.say(tongue) if urgent is not None and safety is not None else None,
        is_known=opened.draft.person_id is not None,
        said_something=bool(assisted.said_now(opened)),
        errors=form.problems if form else [],
        wrong=form.wrong if form else {},
    )
    return (shown, 422) if form else shown


def _notice(opened: Opened) -> list[str]:
    """Give the lines that are read before the first question."""
    notice = opened.document.notice
    return [getattr(notice, name).say(opened.draft.language) for name in type(notice).model_fields]


def _lines(opened: Opened, before: dict[str, Answer]) -> list[QuestionLine]:
    whole = assisted.together(opened, before)
    now = assisted.said_now(opened)
    lines = []
    for step in steps(whole.document, whole.answers, whole.respondent):
        if isinstance(step.item, StatementPage):
            continue
        number = _number(opened, step.item)
        given = step.answer
        words_given = describe(given, step.item, opened.draft.language, opened.respondent) if given else ""
        state = "said" if step.item.id in now else "open"
        if state == "open" and given is not None:
            state = "unsure" if is_absent(given) else "before"
        url = url_for("desk.assisted.question", draft_id=opened.draft.id, number=number)
        text = step.item.text.say(opened.draft.language, opened.respondent)
        lines.append(QuestionLine(number, text, words_given, state, url))
    return lines


def _question_page(opened: Opened, before: dict[str, Answer], item: Item, number: int, page: ItemPage) -> str:
    earlier = before.get(item.id)
    return render_template(
        "desk/question.html",
        page=page,
        opened=opened,
        number=number,
        tongue=opened.draft.language,
        ago_units=itempage.ago_units(),
        earlier=describe(earlier, item, opened.draft.language, opened.respondent) if earlier else None,
        can_decline=not isinstance(item, StatementPage),
        errors=page.problems,
    )
