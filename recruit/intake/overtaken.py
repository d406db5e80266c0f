"""What becomes of answers on their way when a site takes newer questions: the coordinator says it with them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.clock import civil_day
from recruit.db import found, is_writing, locked
from recruit.errors import NotFound
from recruit.intake import drafts
from recruit.intake.drafts import Opened, Saved
from recruit.intake.models import DraftStatus, Entrance
from recruit.studies.models import BegunDrafts, ProtocolVersion, QuestionnaireVersion, VersionInForce
from recruit.studies.reading import document_of
from recruit.vocabulary import vocabulary_of
from screening.asking.items import Item
from screening.asking.questionnaire import Document


class Overtaken(NotFound):
    """The questions that a draft began with may not be finished."""


CARRIED = "carried"
"""The step in a draft's path at which it took newer questions."""

_STRICTEST = (BegunDrafts.WITHDRAW, BegunDrafts.CARRY_OVER, BegunDrafts.FINISH)


def brought_up(session: Session, opened: Opened, *, at: datetime) -> Opened:
    """Give a draft as it goes on today, with the questions of today where its own may not be asked any more.

    In a session that only reads nothing is written; the next answer brings it.

    :raises Overtaken: its questions may not be finished
    """
    row = _newer(session, opened, at=at)
    if row is None or row.begun_drafts is BegunDrafts.FINISH:
        return opened
    if row.begun_drafts is BegunDrafts.WITHDRAW:
        raise Overtaken("The questions of this study have changed since you began. Please start again.")
    return _carried(session, opened, row, at=at)


def _newer(session: Session, opened: Opened, *, at: datetime) -> VersionInForce | None:
    """Find what came into force since a draft began, the strictest where it was several times."""
    draft = opened.draft
    theirs = draft.entrance in (Entrance.ONLINE, Entrance.KIOSK) and draft.study_site_id is not None
    if not theirs or draft.status not in (DraftStatus.OPEN, DraftStatus.COMPLETED):
        return None
    since, today = civil_day(draft.started_at, opened.zone), civil_day(at, opened.zone)
    rows = session.scalars(
        sa.select(VersionInForce)
        .where(
            VersionInForce.study_site_id == draft.study_site_id,
            VersionInForce.effective_from.between(since, today),
        )
        .order_by(VersionInForce.effective_from)
    ).all()
    pinned = (draft.protocol_version_id, draft.questionnaire_version_id)
    own = max((n for n, row in enumerate(rows, 1) if _versions(row) == pinned), default=0)
    newer = rows[own:]
    if not newer:
        return None
    strictest = min(newer, key=lambda row: _STRICTEST.index(row.begun_drafts))
    return strictest if strictest.begun_drafts is not BegunDrafts.CARRY_OVER else newer[-1]


def _versions(row: VersionInForce) -> tuple[object, object]:
    return row.protocol_version_id, row.questionnaire_version_id


def _carried(session: Session, opened: Opened, row: VersionInForce, *, at: datetime) -> Opened:
    """Let a draft go on with newer questions, and keep the answers to those that stayed as they were."""
    draft = locked(session, type(opened.draft), opened.draft.id) if is_writing(session) else opened.draft
    document = document_of(found(session, QuestionnaireVersion, row.questionnaire_version_id))
    kept = unchanged(opened.document, document, opened.saved, draft.language)
    criteria = found(session, ProtocolVersion, row.protocol_version_id)
    draft.protocol_version_id, draft.questionnaire_version_id = criteria.id, row.questionnaire_version_id
    draft.vocabulary_hash = vocabulary_of(session, draft.study_id).version
    draft.status, draft.outcome, draft.completed_at = DraftStatus.OPEN, None, None
    if draft.respondent not in document.respondents:
        draft.respondent, kept = None, {}
    if is_writing(session):
        drafts.carry(session, draft, kept)
        drafts.note_step(draft, CARRIED, at=at)
        session.flush()
    went_on = drafts.with_document(session, replace(opened, draft=draft, saved=kept), document, at=at)
    return replace(went_on, was_carried=True)


def unchanged(earlier: Document, later: Document, saved: dict[str, Saved], language: str) -> dict[str, Saved]:
    """Keep the answers to questions that ask the same in the same words of a language, and mean the same."""
    return {
        name: answer
        for name, answer in saved.items()
        if (old := earlier.item(name)) is not None
        and (new := later.item(name)) is not None
        and _asked(old, language) == _asked(new, language)
    }


_NOT_ASKED = {"show_if", "section", "sensitivity", "why_we_ask", "errors"}
"""What a page says or decides around a question without changing what is asked and what an answer means."""


def _asked(item: Item, language: str) -> dict[str, object]:
    return item.model_dump(mode="json", context={"language": language}, exclude=_NOT_ASKED)
