"""After the result: the contact, what we may do with it, the code that proves it, and when we call."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recruit import context, pipeline
from recruit.contact import service as contact_service
from recruit.contact.service import CODE_LASTS, CodeResult
from recruit.errors import Refused
from recruit.ids import new_token
from recruit.intake import arrivals, drafts, once
from recruit.intake import service as intake
from recruit.intake.arrivals import Arrival
from recruit.intake.drafts import Opened
from recruit.intake.minors import is_minor
from recruit.intake.models import DraftStatus
from recruit.studies import queries as studies
from recruit.studies.nearby import nearest
from recruit.web import contactform, drafting
from recruit.web.contactform import Left, Wanted
from recruit.web.fields import Problem, said
from recruit.web.guards import PUBLIC, allow
from recruit.web.promises import phone_words, promise
from recruit.web.questionnaire import minor_page
from screening.asking.items import Zip
from screening.asking.path import on_path_answers
from screening.asking.questionnaire import Outcome
from screening.asking.responses import Worded
from screening.texts import Respondent

bp = Blueprint("contact", __name__, url_prefix="/<any(en, es):language>")


@bp.get("/contact")
@allow(PUBLIC)
def form(language: str) -> ResponseReturnValue:
    """Ask how to reach somebody, and what we may do."""
    with context.reading() as session:
        found = drafting.opened(session)
        if not _may_leave_contact(found):
            return redirect(drafting.next_url(found, language), 303)
        wanted = _wanted(session, found, language)
    return _page(wanted, contactform.empty(wanted, postcode=_postcode_of(found)), language)


@bp.post("/contact")
@allow(PUBLIC)
def leave(language: str) -> ResponseReturnValue:
    """Take the contact once: the same form sent again gets the same answer."""
    body = once.body_hash(request.form.to_dict(flat=False))
    key = request.form.get("key", "")[:200] or body.hex()
    with context.transaction(reason="submission:web") as session:
        found = drafting.opened(session)
        intake.locked_draft(session, found.draft.id)
        scope = f"contact:{found.draft.id.hex}"
        stored = once.replayed(session, scope, key, body)
        if stored is not None:
            return redirect(stored, 303)
        if not _may_leave_contact(found):
            return redirect(drafting.next_url(found, language), 303)
        wanted = _wanted(session, found, language)
        left = contactform.read(request.form, wanted, on=context.now().date())
        if left.problems or left.only_sort:
            return _page(wanted, left, language), 422 if left.problems else 200
        if _is_minor(found, left):
            drafts.stop(session, found.draft.id, at=context.now())
            return minor_page(found, language)
        once.claim(session, scope, key, body, at=context.now())
        location = _submit(session, found, left, language)
        once.settle(session, scope, key, location=location)
    return redirect(location, 303)


@bp.get("/code")
@allow(PUBLIC)
def code(language: str) -> ResponseReturnValue:
    """Ask for the code that was sent."""
    arrival = _arrival()
    if arrival.code is None or arrival.code.is_proven:
        return redirect(url_for(".thanks", language=language), 303)
    return _code_page(arrival, language, was_sent=request.args.get("sent") == "1")


@bp.post("/code")
@allow(PUBLIC)
def confirm(language: str) -> ResponseReturnValue:
    """Check the code, or send another one."""
    arrival = _arrival()
    if arrival.code is None or arrival.code.is_proven:
        return redirect(url_for(".thanks", language=language), 303)
    if request.form.get("do") == "resend":
        return _resend(arrival, language)
    typed = request.form.get("code", "")
    with context.transaction(reason="contact:verify") as session:
        result = contact_service.confirm_code(session, arrival.code.verification_id, typed, at=context.now())
    if result in (CodeResult.CONFIRMED, CodeResult.USED):
        return redirect(url_for(".thanks", language=language), 303)
    return _code_page(arrival, language, errors=[Problem("code", _code_words(result, typed))]), 422


@bp.get("/thank-you")
@allow(PUBLIC)
def thanks(language: str) -> ResponseReturnValue:
    """Say what happens next: who calls, when, and from which number."""
    arrival = _arrival()
    when = None
    if arrival.due_at is not None:
        when = promise(arrival.due_at, zone=arrival.zone, language=language, at=context.now())
    return render_template(
        "public/thanks.html",
        arrival=arrival,
        when=when,
        phone=phone_words(arrival.phone),
        channels={channel.value for channel in arrival.channels},
        language=language,
    )


def _arrival() -> Arrival:
    """Tell what came of this browser's draft or inquiry.

    :raises DraftGone: nothing was sent from this browser, or its time is over
    """
    with context.reading() as session:
        inquiry_id = drafting.inquiry_id()
        if inquiry_id is not None:
            arrival = arrivals.of_inquiry(session, inquiry_id)
        else:
            arrival = arrivals.of_draft(session, drafting.opened(session).draft)
    if arrival is None:
        raise drafting.DraftGone("Your answers are no longer here. Please start again.")
    return arrival


def _may_leave_contact(found: Opened) -> bool:
    """Tell whether a contact is asked for: after every result but *not this study* without a registry."""
    if found.draft.status is not DraftStatus.COMPLETED or found.draft.outcome is None:
        return False
    return found.draft.outcome is not Outcome.NOT_THIS_STUDY or contactform.offers_registry(
        found.study, found.document
    )


def _wanted(session: Session, found: Opened, language: str) -> Wanted:
    registry_only = found.draft.outcome is Outcome.NOT_THIS_STUDY
    places = [] if registry_only else studies.open_sites(session, found.study, at=context.now())
    postcode = request.form.get("zip", "") or _postcode_of(found)
    version_id, document = drafts.agreements(session, found, at=context.now())
    return Wanted(
        respondent=found.respondent,
        document=document,
        version_id=version_id,
        tongue=drafting.language_of(found, language),
        places=tuple(nearest(places, postcode[:12])),
        with_registry=contactform.offers_registry(found.study, document),
        registry_only=registry_only,
        country=context.settings().country,
    )


def _page(wanted: Wanted, left: Left, language: str) -> str:
    return render_template(
        "public/contact.html",
        wanted=wanted,
        left=left,
        errors=left.problems,
        wrong=left.wrong,
        key=left.values.get("key") or new_token(),
        back_url=url_for("public.questions.result", language=language),
        action=url_for(".leave", language=language),
        language=language,
    )


def _submit(session: Session, found: Opened, left: Left, language: str) -> str:
    drafts.choose_language(session, found.draft.id, language)
    pipeline.submit(
        session,
        found.draft.id,
        left.contact,
        left.consents,
        at=context.now(),
        study_site_id=left.study_site_id,
        how="web_form",
    )
    return after(arrivals.of_draft(session, found.draft), language)


def _postcode_of(found: Opened) -> str:
    """Give the ZIP code that was answered, so that it need not be typed again."""
    kept = on_path_answers(found.document, found.answers, found.respondent)
    for item in found.document.items:
        answer = kept.get(item.id)
        if isinstance(item, Zip) and isinstance(answer, Worded):
            return answer.words
    return ""


def _is_minor(found: Opened, left: Left) -> bool:
    birth = left.contact.identity.birth
    return (
        found.respondent is Respondent.SELF and birth is not None and is_minor(birth, on=context.now().date())
    )


def after(arrival: Arrival | None, language: str) -> str:
    """Say where somebody goes who has just left a contact: to the code, where one was sent."""
    waits = arrival is not None and arrival.code is not None and not arrival.code.is_proven
    return url_for("public.contact.code" if waits else "public.contact.thanks", language=language)


def _resend(arrival: Arrival, language: str) -> ResponseReturnValue:
    sent = arrival.code
    if sent is None:
        return redirect(url_for(".thanks", language=language), 303)
    try:
        with context.transaction(reason="contact:code") as session:
            contact_service.request_code(
                session, arrival.person_id, sent.contact_point_id, language=language, at=context.now()
            )
    except Refused as error:
        return _code_page(arrival, language, errors=[Problem("code", said(error))]), 422
    return redirect(url_for(".code", language=language, sent=1), 303)


def _code_page(
    arrival: Arrival, language: str, *, errors: list[Problem] | None = None, was_sent: bool = False
) -> str:
    return render_template(
        "public/code.html",
        code=arrival.code,
        minutes=int(CODE_LASTS.total_seconds() // 60),
        was_sent=was_sent,
        errors=errors or [],
        can_call="call" in {channel.value for channel in arrival.channels},
        language=language,
    )


def _code_words(result: CodeResult, typed: str) -> str:
    if not typed.strip():
        return str(_("Enter the code that we sent you"))
    words = {
        CodeResult.WRONG: _("That code is not right. Check the newest message and try again"),
        CodeResult.TOO_MANY_TRIES: _("That code was tried too often. Ask for a new one"),
        CodeResult.EXPIRED: _("That code is too old. Ask for a new one"),
    }
    return str(words[result])
