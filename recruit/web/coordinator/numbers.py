"""What became of a questionnaire version: how far people came, question by question."""

from __future__ import annotations

from uuid import UUID

from flask.typing import ResponseReturnValue

from recruit import context
from recruit.accounts.models import Role
from recruit.studies.models import QuestionnaireVersion
from recruit.web import numbers
from recruit.web.coordinator import frame, words
from recruit.web.coordinator.blueprint import bp
from recruit.web.coordinator.version import to_read
from recruit.web.guards import allow


@bp.get("/questionnaire-versions/<uuid:version_id>/numbers")
@allow(Role.COORDINATOR, Role.AUDITOR)
def question_numbers(version_id: UUID) -> ResponseReturnValue:
    """Show what became of a version's drafts, by source and language."""
    with context.reading() as session:
        version, study = to_read(session, QuestionnaireVersion, version_id)
        shown = numbers.shown(session, version)
    return frame.page(
        "studies/numbers.html",
        shown=shown,
        outcomes=numbers.OUTCOMES,
        some=numbers.some,
        plain=numbers.plain,
        words=words,
        parts=frame.study_parts(study, "questions"),
    )
