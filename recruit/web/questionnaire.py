"""The questions, one a page: who they are for, each answer, check your answers, the result.

No address holds a study, a question's name or an answer; everything hangs on the draft in the cookie.
"""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from recruit import context, pipeline
from recruit.clock import civil_day
from recruit.errors import NotFound
from recruit.intake import drafts
from recruit.intake.drafts import Opened
from recruit.intake.minors import says_minor
from recruit.intake.models import DraftStatus
from recruit.retention import ABANDONED_HOURS
from recruit.web import drafting, itempage
from recruit.web.fields import Problem
from recruit.web.guards import PUBLIC, allow
from recruit.web.itempage import ItemPage, Values
from screening.asking.answers import parse
from screening.asking.items import Age, Item, StatementPage
from screening.asking.path import on_path_answers, steps, urgent_item
from screening.asking.responses import AgeGiven, Answer, is_absent
from screening.asking.summary import describe
from screening.intervals import DateRange
from screening.slips import Problems
from screening.texts import Respondent

bp = Blueprint("questions", __name__, url_prefix="/<any(en, es):language>/questions")
MINOR = "minor"


@bp.get("/")
@allow(PUBLIC)
def resume(language: str) -> ResponseReturnValue:
    """Go on where somebody left off."""
    with context.reading() as session:
        found = drafting.opened(session)
    return redirect(drafting.next_url(found, drafting.language_of(found, language)), 303)


@bp.get("/start")
@allow(PUBLIC)
def who(language: str) -> ResponseReturnValue:
    """Ask whom the questions are about."""
    with context.reading() as session:
        found = drafting.opened(session)
    if found.draft.status is DraftStatus.SUBMITTED:
        return redirect(drafting.next_url(found, language), 303)
    return _who_page(found, language)


@bp.post("/start")
@allow(PUBLIC)
def choose(language: str) -> ResponseReturnValue:
    """Note whom the questions are about; a minor is asked to fetch a parent."""
    chosen = request.form.get("who", "")
    with context.transaction(reason="draft:who") as session:
        found = drafting.opened(session)
        if chosen == MINOR:
            drafts.stop(session, found.draft.id, at=context.now())
        elif chosen in found.document.respondents:
            drafts.choose_language(session, found.draft.id, language)
            drafts.choose_respondent(session, found.draft.id, Respondent(chosen), at=context.now())
    if chosen == MINOR:
        return minor_page(found, language)
    if chosen not in found.document.respondents:
        return _who_page(found, language, [Problem("who", _("Select who you are answering for"))]), 422
    return redirect(url_for(".resume", language=language), 303)


@bp.get("/<number>")
@allow(PUBLIC)
def question(language: str, number: str) -> ResponseReturnValue:
    """Show one question, with the answer given before."""
    with context.reading() as session:
        found = drafting.opened(session)
    item = _item(found, number)
    tongue = drafting.language_of(found, language)
    if tongue != language:
        return redirect(url_for(".question", language=tongue, number=number), 303)
    if not _may_show(found, item):
        return redirect(drafting.next_url(found, language), 303)
    page = itempage.page_of(
        item, found.document, language=language, respondent=found.respondent, answer=found.answers.get(item.id)
    )
    return _question_page(found, item, page, language, checking=request.args.get("check") == "1")


@bp.post("/<number>")
@allow(PUBLIC)
def answer(language: str, number: str) -> ResponseReturnValue:
    """Take one answer, or say what is wrong with it; an older page never overwrites a newer answer."""
    posted = itempage.read_form(request.form)
    checking = request.form.get("check") == "1"
    with context.transaction(reason="draft:answer") as session:
        found = drafting.opened(session)
        item = _item(found, number)
        if not _is_this_page(found, item):
            return render_template("public/moved.html", language=language), 409
        if not _may_show(found, item):
            return redirect(drafting.next_url(found, language), 303)
        read = _read(found, item, posted, language)
        if not isinstance(read, Problems):
            if found.respondent is Respondent.SELF and says_minor(item, read, on=read.on):
                drafts.stop(session, found.draft.id, at=context.now())
                return minor_page(found, language)
            drafts.choose_language(session, found.draft.id, language)
            carried = found.was_carried
            found = pipeline.answer(
                session, found.draft.id, item.id, read, shown_revision=_revision(), at=context.now()
            )
    if isinstance(read, Problems):
        page = _page_with_problems(found, item, posted, read, language)
        return _question_page(found, item, page, language, checking=checking), 422
    if carried and not _is_urgent(found):
        return redirect(drafting.next_url(found, language), 303)
    return redirect(_after(found, item, language, checking=checking), 303)


@bp.get("/check")
@allow(PUBLIC)
def check(language: str) -> ResponseReturnValue:
    """Show all answers, each with a way to change it."""
    with context.reading() as session:
        found = drafting.opened(session)
    if not _is_ready(found):
        return redirect(drafting.next_url(found, language), 303)
    tongue = drafting.language_of(found, language)
    last = found.journey.before(None)
    return render_template(
        "public/check.html",
        rows=_rows(found, tongue),
        was_carried=found.was_carried,
        back_url=_question_url(found, last, language) if last else url_for(".who", language=language),
        who=_who_words(found, tongue),
        language=language,
    )


@bp.post("/check")
@allow(PUBLIC)
def send(language: str) -> ResponseReturnValue:
    """Work out the result."""
    with context.transaction(reason="draft:conclude") as session:
        found = drafting.opened(session)
        if not _is_ready(found):
            return redirect(drafting.next_url(found, language), 303)
        pipeline.conclude(session, found.draft.id, at=context.now())
    return redirect(url_for(".result", language=language), 303)


@bp.get("/result")
@allow(PUBLIC)
def result(language: str) -> ResponseReturnValue:
    """Say honestly what the answers mean, in the approved words."""
    with context.reading() as session:
        found = drafting.opened(session)
    outcome = found.draft.outcome
    if outcome is None or found.draft.status is DraftStatus.OPEN or _is_urgent(found):
        return redirect(drafting.next_url(found, language), 303)
    if found.draft.status is DraftStatus.SUBMITTED:
        return redirect(drafting.next_url(found, language), 303)
    tongue = drafting.language_of(found, language)
    return render_template(
        "public/result.html",
        outcome=outcome.value,
        page=found.document.results.get(outcome),
        tongue=tongue,
        respondent=found.respondent,
        abandoned_hours=ABANDONED_HOURS,
        unsure=_unsure(found, tongue),
        registry=found.study.registry_allowed and any(c.purpose == "registry" for c in found.document.consents),
        language=language,
    )


@bp.get("/help")
@allow(PUBLIC)
def safety(language: str) -> ResponseReturnValue:
    """Show whom to call now; the questions end here."""
    with context.reading() as session:
        found = drafting.opened(session)
    item = urgent_item(found.document, found.answers, found.respondent)
    if item is None:
        return redirect(drafting.next_url(found, language), 303)
    page = found.document.safety_page
    return render_template(
        "public/safety.html",
        body=page.say(drafting.language_of(found, language)) if page else "",
        change_url=_question_url(found, item, language),
        language=language,
    )


@bp.post("/stop")
@allow(PUBLIC)
def stop(language: str) -> ResponseReturnValue:
    """Forget the answers at once, and let the browser know nothing any more."""
    with context.transaction(reason="draft:stop") as session:
        found = drafting.held(session)
        was_sent = drafting.inquiry_id() is not None or (
            found is not None and found.draft.status is DraftStatus.SUBMITTED
        )
        if found is not None:
            drafts.stop(session, found.draft.id, at=context.now())
    drafting.forget()
    return redirect(url_for(".stopped", language=language, sent=1 if was_sent else None), 303)


@bp.get("/stopped")
@allow(PUBLIC)
def stopped(language: str) -> ResponseReturnValue:
    """Say that nothing is left, or how to take back what was sent."""
    return render_template("public/stopped.html", was_sent=request.args.get("sent") == "1", language=language)


def _who_page(found: Opened, language: str, errors: list[Problem] | None = None) -> str:
    tongue = drafting.language_of(found, language)
    opening = found.document.opening
    options = [
        itempage.Choice(value=one.value, text=opening.choices[one].say(tongue))
        for one in found.document.respondents
        if one in opening.choices
    ]
    minor = itempage.Choice(value=MINOR, text=str(_("Me, and I am under 18")))
    return render_template(
        "public/who.html",
        question=opening.question.say(tongue),
        options=[*options, itempage.Choice(divider=str(_("or"))), minor],
        value=found.draft.respondent.value if found.draft.respondent else None,
        back_url=url_for("public.study", language=language, slug=found.study.slug),
        errors=errors or [],
        language=language,
    )


def minor_page(found: Opened, language: str) -> str:
    """Ask a minor to fetch a parent; this browser knows nothing any more."""
    drafting.forget()
    words = found.document.opening.minor.say(drafting.language_of(found, language))
    start_url = url_for("public.study", language=language, slug=found.study.slug)
    return render_template("public/minor.html", words=words, start_url=start_url, language=language)


def _question_page(found: Opened, item: Item, page: ItemPage, language: str, *, checking: bool) -> str:
    before = found.journey.before(item.id)
    back = _question_url(found, before, language) if before else url_for(".who", language=language)
    return render_template(
        "public/question.html",
        page=page,
        number=drafting.place_of(found, item.id),
        progress=found.journey.progress(item.id),
        was_carried=found.was_carried,
        item_id=item.id,
        draft_id=found.draft.id,
        revision=found.draft.revision,
        checking=checking,
        respondent=found.respondent.value,
        errors=page.problems,
        ago_units=itempage.ago_units(),
        back_url=url_for(".check", language=language) if checking else back,
        language=language,
    )


def _page_with_problems(
    found: Opened, item: Item, posted: Values, problems: Problems, language: str
) -> ItemPage:
    return itempage.page_of(
        item,
        found.document,
        language=language,
        respondent=found.respondent,
        posted=posted,
        problems=problems,
    )


def _read(found: Opened, item: Item, posted: Values, language: str) -> Answer | Problems:
    on = civil_day(context.now(), found.zone)
    return parse(item, posted, language=language, on=on, born=_born(found))


def _born(found: Opened) -> DateRange | None:
    """Give the days of birth that an age on the path allows, so that no date lies before them."""
    for step in steps(found.document, found.answers, found.respondent):
        if isinstance(step.item, Age) and isinstance(step.answer, AgeGiven):
            return step.answer.range
    return None


def _item(found: Opened, number: str) -> Item:
    """Find a question by its number.

    :raises NotFound: there is no question with this number
    """
    place = int(number) if len(number) <= 3 and number.isascii() and number.isdigit() else 0
    if not 1 <= place <= len(found.document.items):
        raise NotFound("There is no such question.")
    return found.document.items[place - 1]


def _is_this_page(found: Opened, item: Item) -> bool:
    """Tell whether the posted page belongs to this draft and question, not to one from another tab."""
    return (
        request.form.get("draft", str(found.draft.id)) == str(found.draft.id)
        and request.form.get("item", item.id) == item.id
    )


def _may_show(found: Opened, item: Item) -> bool:
    """Tell whether a question may be shown: it is on the path, and no urgent answer stands in the way."""
    if found.draft.respondent is None or found.draft.status is DraftStatus.SUBMITTED:
        return False
    urgent = urgent_item(found.document, found.answers, found.respondent)
    if urgent is not None and urgent.id != item.id:
        return False
    return found.journey.may_open(item.id)


def _is_urgent(found: Opened) -> bool:
    return urgent_item(found.document, found.answers, found.respondent) is not None


def _is_ready(found: Opened) -> bool:
    """Tell whether everything is answered and nothing has been sent yet."""
    return (
        found.draft.respondent is not None
        and found.draft.status is not DraftStatus.SUBMITTED
        and not _is_urgent(found)
        and found.journey.next is None
    )


def _revision() -> int:
    """Read which revision the posted page showed; none counts as the oldest."""
    text = request.form.get("revision", "")
    return int(text) if len(text) <= 9 and text.isascii() and text.isdigit() else 0


def _after(found: Opened, item: Item, language: str, *, checking: bool) -> str:
    if _is_urgent(found):
        return url_for(".safety", language=language)
    following = found.journey.after(item.id, changing=checking)
    if following is None:
        return url_for(".check", language=language)
    return _question_url(found, following, language, checking=checking)


def _question_url(found: Opened, item: Item, language: str, *, checking: bool = False) -> str:
    number = drafting.place_of(found, item.id)
    return url_for(".question", language=language, number=number, check=1 if checking else None)


def _rows(found: Opened, tongue: str) -> list[dict[str, str | None]]:
    language = tongue
    return [
        {
            "key": step.item.text.say(tongue, found.respondent),
            "value": describe(step.answer, step.item, tongue, found.respondent) if step.answer else None,
            "change_url": _question_url(found, step.item, language, checking=True),
        }
        for step in found.journey.steps
        if not isinstance(step.item, StatementPage)
    ]


def _who_words(found: Opened, tongue: str) -> dict[str, str] | None:
    if len(found.document.respondents) < 2:
        return None
    return {
        "key": found.document.opening.question.say(tongue),
        "value": found.document.opening.choices[found.respondent].say(tongue),
        "change_url": url_for(".who", language=tongue),
    }


def _unsure(found: Opened, tongue: str) -> list[str]:
    """List the questions that were answered with "I don't know" or not at all, to go through on the phone."""
    kept = on_path_answers(found.document, found.answers, found.respondent)
    return [
        item.text.say(tongue, found.respondent)
        for item in found.document.items
        if item.id in kept and is_absent(kept[item.id])
    ]
