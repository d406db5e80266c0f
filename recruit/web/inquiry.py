"""A contact without answers: from somebody who would rather talk, or from their doctor."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from recruit import context, pipeline
from recruit.errors import Refused
from recruit.ids import new_token
from recruit.intake import arrivals, drafts, once, pages
from recruit.intake.models import InquiryChannel
from recruit.intake.pages import StudyPage
from recruit.studies.nearby import nearest
from recruit.web import contact, contactform, drafting, identity
from recruit.web.contactform import Left, Wanted
from recruit.web.guards import PUBLIC, allow
from screening.texts import Respondent

bp = Blueprint("inquiry", __name__, url_prefix="/<any(en, es):language>")


@bp.get("/studies/<slug>/contact")
@allow(PUBLIC)
def form(language: str, slug: str) -> ResponseReturnValue:
    """Ask only how to reach somebody."""
    with context.reading() as session:
        page = pages.study_page(session, slug, language=language, at=context.now())
    if page.document is None:
        return redirect(url_for("public.study", language=language, slug=slug), 303)
    wanted = _wanted(page, language)
    return _page(page, wanted, contactform.empty(wanted), language, source=request.args.get("s", "")[:24])


@bp.post("/studies/<slug>/contact")
@allow(PUBLIC)
def leave(language: str, slug: str) -> ResponseReturnValue:
    """Take the contact once; the first call has a clock from now on."""
    body = once.body_hash(request.form.to_dict(flat=False))
    key = request.form.get("key", "")[:200] or body.hex()
    with context.transaction(reason="inquiry:web") as session:
        page = pages.study_page(session, slug, language=language, at=context.now())
        if page.document is None:
            raise Refused("This study is not looking for people at the moment.")
        stored = once.replayed(session, "inquiry", key, body)
        if stored is not None:
            return _go(stored)
        wanted = _wanted(page, language)
        left = contactform.read(request.form, wanted, on=context.now().date())
        if left.problems or left.only_sort:
            return _page(page, wanted, left, language, source=_source()), 422 if left.problems else 200
        stored = once.claim(session, "inquiry", key, body, at=context.now())
        if stored is None:
            stored = _take(session, page, left, language)
            once.settle(session, "inquiry", key, location=stored)
    return _go(stored)


def _go(stored: str) -> ResponseReturnValue:
    """Lead on; the stored answer also names the inquiry, so that a repeated post knows it as well."""
    location, _, inquiry_id = stored.partition(" ")
    drafting.remember_inquiry(UUID(inquiry_id))
    return redirect(location, 303)


def _take(session: Session, page: StudyPage, left: Left, language: str) -> str:
    source = drafts.live_source(session, _source())
    chosen = left.study_site_id or (page.places[0].study_site.id if page.places else None)
    inquiry, _match = pipeline.inquire(
        session,
        page.study,
        left.contact,
        left.consents,
        channel=InquiryChannel.FORM,
        at=context.now(),
        how="web_form",
        study_site_id=chosen,
        source_link_id=source.id if source else None,
        is_test=identity.account_id() is not None or bool(source and source.is_test),
    )
    return f"{contact.after(arrivals.of_inquiry(session, inquiry.id), language)} {inquiry.id}"


def _wanted(page: StudyPage, language: str) -> Wanted:
    document = page.document
    if document is None:
        raise Refused("This study is not looking for people at the moment.")
    return Wanted(
        respondent=Respondent.SELF,
        document=document,
        version_id=page.places[0].in_force.questionnaire.id,
        tongue=page.tongue(language),
        places=tuple(nearest(page.places, request.form.get("zip", "")[:12])),
        with_registry=contactform.offers_registry(page.study, document),
        registry_only=False,
        country=context.settings().country,
        is_short=True,
    )


def _page(page: StudyPage, wanted: Wanted, left: Left, language: str, *, source: str) -> str:
    return render_template(
        "public/inquiry.html",
        wanted=wanted,
        left=left,
        errors=left.problems,
        wrong=left.wrong,
        key=left.values.get("key") or new_token(),
        source=source,
        back_url=url_for("public.study", language=language, slug=page.study.slug, s=source or None),
        action=url_for(".leave", language=language, slug=page.study.slug),
        language=language,
    )


def _source() -> str:
    return request.form.get("s", "")[:24]
