"""Submissions: what somebody said in one go, kept under their own key, and opened again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from recruit.ids import new_id
from recruit.intake.drafts import Opened, read_answers
from recruit.intake.models import Submission
from recruit.keys import vault_of
from recruit.people import service as people
from screening.asking.questionnaire import Outcome
from screening.asking.responses import Answer
from screening.facts import Fact

_SEALED = ("submission", "answers_sealed")


def keep(
    session: Session,
    opened: Opened,
    person_id: UUID,
    said: str,
    facts: Iterable[Fact],
    *,
    outcome: Outcome,
    by: UUID | None,
    at: datetime,
) -> Submission:
    """Keep what was said in a draft under the person's key, and its facts beside those that are known.

    :param said: answers as JSON, as ``read_answers`` reads them
    :param by: the account that sent them in, if it was not the person
    """
    draft, key = opened.draft, new_id()
    submission = Submission(
        id=key,
        person_id=person_id,
        study_id=draft.study_id,
        study_site_id=draft.study_site_id,
        draft_id=draft.id,
        entrance=draft.entrance,
        respondent=opened.respondent,
        protocol_version_id=draft.protocol_version_id,
        questionnaire_version_id=draft.questionnaire_version_id,
        source_link_id=draft.source_link_id,
        language=draft.language,
        outcome=outcome,
        answers_sealed=vault_of(session).seal(person_id, *_SEALED, key, said),
        submitted_at=at,
        submitted_by=by,
        is_test=draft.is_test,
    )
    session.add(submission)
    session.flush()
    people.add_facts(session, person_id, facts, study_id=draft.study_id, submission_id=submission.id)
    return submission


def answers_in(session: Session, submission: Submission) -> dict[str, Answer]:
    """Open the answers of one submission, by item; none where their key is gone."""
    text = vault_of(session).open(submission.person_id, *_SEALED, submission.id, submission.answers_sealed)
    return read_answers(text) if text else {}
