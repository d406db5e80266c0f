"""The marketer's view of a questionnaire: how far people came, question by question, by source."""

from __future__ import annotations

from uuid import UUID

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from campaigns.scoping import studies_within
from campaigns.web.marketing import NAVIGATION, bp
from recruit import context
from recruit.accounts.models import Role
from recruit.accounts.policy import Scope
from recruit.errors import NotFound
from recruit.studies import versions
from recruit.studies.models import QuestionnaireVersion, Study
from recruit.web import identity, numbers
from recruit.web.guards import allow

__all__ = ["NAVIGATION", "bp"]


@bp.get("/questions")
@allow(Role.MARKETER)
def question_numbers() -> ResponseReturnValue:
    """Show what became of the published questions of a study; the first study where none is chosen."""
    with context.reading() as session:
        studies = _whole_studies(session, identity.scope(Role.MARKETER))
        study = _chosen(studies)
        version = study and versions.newest_published(session, QuestionnaireVersion, study.id)
        shown = numbers.shown(session, version) if version else None
    return render_template(
        "marketing/questions.html",
        studies=studies,
        study=study,
        shown=shown,
        outcomes=numbers.OUTCOMES,
        some=numbers.some,
        plain=numbers.plain,
    )


def _whole_studies(session: Session, scope: Scope) -> list[Study]:
    """List the studies of which somebody may see all sites: questions are not counted by site."""
    whole = {study for site, study in scope.pairs if site is None}
    return [one for one in studies_within(session, scope) if None in whole or one.id in whole]


def _chosen(studies: list[Study]) -> Study | None:
    asked = request.args.get("study", "")
    if not asked:
        return studies[0] if studies else None
    try:
        key = UUID(asked)
    except ValueError:
        raise NotFound("There is no such study.") from None
    study = next((one for one in studies if one.id == key), None)
    if study is None:
        raise NotFound("There is no such study.")
    return study
