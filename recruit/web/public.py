"""What participants see first: studies that look for people, a study's own page, and what we do with data."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from recruit import context, pipeline
from recruit.errors import Invalid, Refused
from recruit.intake import pages
from recruit.intake.models import DraftStatus
from recruit.retention import ABANDONED_HOURS, RULES, SCREENED_OUT_DAYS, Retention
from recruit.studies.nearby import nearest
from recruit.web import (
    contact,
    contactform,
    drafting,
    fields,
    identity,
    inquiry,
    languages,
    lookup,
    prose,
    questionnaire,
    referring,
)
from recruit.web.guards import PUBLIC, allow
from recruit.web.navigation import NavigationItem
from recruit.web.promises import phone_words

bp = Blueprint("public", __name__)
NAVIGATION: tuple[NavigationItem, ...] = ()
SHOWN_RETENTION = (
    Retention.DRAFT,
    Retention.PERSON,
    Retention.STUDY_RECORD,
    Retention.SUPPRESSION,
    Retention.COUNTER,
)
PAGES = ("about", "privacy", "accessibility", "cookies")

for part in (questionnaire.bp, contact.bp, inquiry.bp, referring.bp, lookup.bp):
    bp.register_blueprint(part)
bp.add_app_template_filter(prose.blocks, "blocks")
bp.add_app_template_filter(prose.calls, "calls")
bp.add_app_template_filter(prose.first_paragraph, "first_paragraph")


@bp.get("/<any(en, es):language>/")
@allow(PUBLIC)
def home(language: str) -> ResponseReturnValue:
    """Show which studies are looking for people."""
    with context.reading() as session:
        studies = pages.recruiting(session, language=language, at=context.now())
    return render_template("public/home.html", studies=studies, language=language)


@bp.get("/<any(en, es):language>/studies/<slug>")
@allow(PUBLIC)
def study(language: str, slug: str) -> ResponseReturnValue:
    """Show one study: what it is, where it is, what the questions are like, and a way to begin."""
    postcode, wrong = _postcode()
    with context.reading() as session:
        page = pages.study_page(session, slug, language=language, at=context.now())
        going_on = drafting.going_on(session)
    is_same = going_on is not None and going_on.draft.study_id == page.study.id
    return render_template(
        "public/study.html",
        page=page,
        places=nearest(page.places, postcode),
        zip=request.args.get("zip", "")[:12] if wrong or postcode else "",
        errors=wrong,
        source=_source_code(),
        goes_on=is_same and going_on is not None and going_on.draft.status is not DraftStatus.SUBMITTED,
        phone=phone_words(page.phone),
        language=language,
    )


@bp.post("/<any(en, es):language>/studies/<slug>/start")
@allow(PUBLIC)
def start(language: str, slug: str) -> ResponseReturnValue:
    """Begin the questionnaire; who has begun it in this browser goes on instead."""
    with context.transaction(reason="draft:begin") as session:
        page = pages.study_page(session, slug, language=language, at=context.now())
        going_on = drafting.going_on(session)
        if going_on is not None and going_on.draft.study_id == page.study.id:
            return redirect(drafting.next_url(going_on, language), 303)
        if page.document is None:
            raise Refused("This study is not looking for people at the moment.")
        _, token = pipeline.begin(
            session,
            page.study,
            language=page.tongue(language),
            at=context.now(),
            source_code=request.form.get("s", "")[:40],
            is_test=identity.account_id() is not None,
        )
    drafting.remember(token)
    return redirect(url_for("public.questions.who", language=language), 303)


@bp.get("/<any(en, es):language>/<any(about, privacy, accessibility, cookies):name>")
@allow(PUBLIC)
def information(language: str, name: str) -> ResponseReturnValue:
    """Show a page about the service itself."""
    return render_template(
        f"public/{name}.html",
        rules=[(kind.value, RULES[kind].kept) for kind in SHOWN_RETENTION],
        abandoned_hours=ABANDONED_HOURS,
        screened_out_days=SCREENED_OUT_DAYS,
        language=language,
    )


@bp.errorhandler(drafting.QuestionsChanged)
def changed(error: drafting.QuestionsChanged) -> ResponseReturnValue:
    """Say that the questions changed, and where to start again."""
    return render_template("public/changed.html", study_url=error.study_url, language=languages.current()), 410


@bp.errorhandler(drafting.DraftGone)
def gone(_error: drafting.DraftGone) -> ResponseReturnValue:
    """Say that the answers are no longer here, and where to begin again."""
    drafting.forget()
    return render_template("public/gone.html", language=languages.current()), 410


def _source_code() -> str:
    """Read by which link somebody came; anything that cannot be a code is none."""
    code = request.args.get("s", "")
    return code if len(code) <= 24 and code.isascii() and code.isalnum() else ""


def _postcode() -> tuple[str, list[fields.Problem]]:
    try:
        typed = fields.line("zip", longest=12, query=True)
        return (contactform.read_postcode(typed) if typed else ""), []
    except Invalid as error:
        return "", [fields.Problem("zip", fields.said(error))]
