"""Begin the questions with a caller, somebody at the door, or a person we are on the phone with."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recruit import context, pipeline
from recruit.accounts.models import Role
from recruit.db import found
from recruit.errors import Invalid, Refused
from recruit.intake import assisted, drafts
from recruit.intake.drafts import Opened
from recruit.intake.models import Draft, Entrance, Medium, SourceLink
from recruit.matching import queries
from recruit.studies import queries as studies
from recruit.studies.models import Study
from recruit.web.guards import allow
from recruit.web.recruiting import rightperson, words
from recruit.web.recruiting.reading import Form
from recruit.web.recruiting.scene import Scene, account_id, scene_of, scope
from screening.texts import Respondent

bp = Blueprint("beginning", __name__)
LANGUAGES = ("en", "es")


@bp.get("/new/questions")
@allow(Role.RECRUITER)
def choose() -> ResponseReturnValue:
    """Ask which study, by which door, in which language, and how they heard about us."""
    return _choose_page(Form(request.form))


@bp.post("/new/questions")
@allow(Role.RECRUITER)
def begin() -> ResponseReturnValue:
    """Begin the questions with somebody new; nothing is kept before they agree."""
    form = Form(request.form)
    with context.reading() as session:
        offered = _studies(session)
        links = assisted.sources_of(session, {study.id for study in offered})
    study_id = form.key("study", [study.id for study in offered], missing=_("Choose the study"))
    entrance = form.choice("entrance", assisted.ENTRANCES, missing=_("Choose how they came to us"))
    language = form.choice("language", LANGUAGES, missing=_("Choose the language"))
    source = form.choice("source", _source_values(links), missing=_("Ask how they heard about us"))
    if study_id is None or form.problems:
        return _choose_page(form), 422
    try:
        with context.transaction(reason="draft:assisted") as session:
            draft = _begin(session, study_id, Entrance(entrance), language, source, links)
            draft_id = draft.id
    except (Invalid, Refused) as error:
        form.refuse(error)
        return _choose_page(form), 422
    return redirect(url_for("desk.assisted.show", draft_id=draft_id), 303)


@bp.post("/matches/<uuid:match_id>/questions")
@allow(Role.RECRUITER)
def begin_known(match_id: UUID) -> ResponseReturnValue:
    """Begin the questions with somebody we know; online answers are there to confirm."""
    with context.transaction(reason="draft:assisted") as session:
        scene = scene_of(session, match_id)
        site_ids = [scene.match.study_site_id] if scene.match.study_site_id else []
        draft, _token = pipeline.begin(
            session,
            scene.study,
            language=scene.person.language if scene.person.language in LANGUAGES else "en",
            at=context.now(),
            entrance=Entrance.ASSISTED_CALL,
            started_by=account_id(),
            person_id=scene.person.id,
            is_test=scene.match.is_test,
            study_site_ids=site_ids,
        )
        draft.source_link_id = scene.match.first_source_link_id
        about = _about(session, scene, drafts.open_draft(session, draft))
        if about is not None:
            drafts.choose_respondent(session, draft.id, about, at=context.now())
        draft_id = draft.id
    return redirect(url_for("desk.assisted.show", draft_id=draft_id), 303)


def _about(session: Session, scene: Scene, opened: Opened) -> Respondent | None:
    """Say whom the questions are about: as last time, unless the child of then is of age now."""
    before = assisted.respondent_before(session, opened)
    if before is not Respondent.CHILD or Respondent.SELF not in opened.document.respondents:
        return before
    return rightperson.right_person(session, scene, now=context.now()).respondent


def _begin(
    session: Session, study_id: UUID, entrance: Entrance, language: str, source: str, links: list[SourceLink]
) -> Draft:
    study = found(session, Study, study_id)
    draft, _token = pipeline.begin(
        session,
        study,
        language=language,
        at=context.now(),
        entrance=entrance,
        started_by=account_id(),
        study_site_ids=_own_sites(session, study),
    )
    kind, _colon, value = source.partition(":")
    if kind == "link":
        draft.source_link_id = next(link.id for link in links if str(link.id) == value)
    else:
        link = assisted.source_by_word(session, study.id, Medium(value), at=context.now())
        draft.source_link_id = link.id
    return draft


def _own_sites(session: Session, study: Study) -> list[UUID]:
    """List the sites of a study that the account may act for; a call team may act for all."""
    places = studies.open_sites(session, study, at=context.now())
    return [place.study_site.id for place in places if scope().covers(site_id=place.site.id, study_id=study.id)]


def _studies(session: Session) -> list[Study]:
    """List the studies that take people now at a site of this account."""
    rows, _sites = queries.filter_choices(session, scope())
    offered = [found(session, Study, key) for key, _name in rows]
    return [study for study in offered if _own_sites(session, study)]


def _choose_page(form: Form) -> str:
    with context.reading() as session:
        offered = _studies(session)
        links = assisted.sources_of(session, {study.id for study in offered})
    return render_template(
        "desk/begin.html",
        studies=[{"value": str(one.id), "text": one.nickname} for one in offered],
        entrances=[
            {"value": Entrance.ASSISTED_CALL.value, "text": _("On the phone")},
            {"value": Entrance.WALK_IN.value, "text": _("In person")},
        ],
        languages=[{"value": code, "text": words.language(code)} for code in LANGUAGES],
        sources=_source_options(links),
        posted=form.values,
        errors=form.problems,
        wrong=form.wrong,
    )


def _source_values(links: list[SourceLink]) -> list[str]:
    return [f"link:{link.id}" for link in links] + [f"medium:{medium.value}" for medium in Medium]


def _source_options(links: list[SourceLink]) -> list[dict[str, object]]:
    told = [{"value": f"medium:{medium.value}", "text": str(words.MEDIA[medium])} for medium in Medium]
    placed = [
        {
            "value": f"link:{link.id}",
            "text": " · ".join(p for p in (link.channel, link.campaign, link.code) if p),
        }
        for link in links
    ]
    groups: list[dict[str, object]] = [
        {"value": "", "text": _("Choose")},
        {"group": _("They told us"), "options": told},
    ]
    return [*groups, {"group": _("A placement of ours"), "options": placed}] if placed else groups
