"""What answers come to: the result that a draft ends with, by the versions that it pins."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from recruit.clock import civil_day
from recruit.db import found, locked
from recruit.errors import Refused
from recruit.intake.drafts import Opened, facts_of, note_step, open_draft
from recruit.intake.models import Draft, DraftStatus
from recruit.studies import queries as studies
from recruit.studies.models import ProtocolVersion
from recruit.studies.reading import lowered_of, protocol_of
from recruit.vocabulary import terms, vocabulary_of
from screening.asking.questionnaire import Outcome
from screening.assessment.assess import Assessment, assess_lowered
from screening.facts import Facts
from screening.language.protocol import Protocol
from screening.verdict import Disposition


def conclude(session: Session, draft_id: UUID, *, at: datetime) -> Outcome:
    """Work out the result of a draft whose questions are all answered; doing it again gives the same.

    :raises Refused: a question on the path is still open
    """
    draft = locked(session, Draft, draft_id)
    if draft.outcome is not None and draft.status is not DraftStatus.OPEN:
        return draft.outcome
    opened = open_draft(session, draft)
    if opened.journey.next is not None:
        raise Refused("Some questions are still open.")
    draft.outcome = outcome_of(session, opened, at=at)
    draft.status, draft.completed_at = DraftStatus.COMPLETED, at
    draft.revision += 1
    note_step(draft, "result", at=at)
    return draft.outcome


def outcome_of(session: Session, opened: Opened, *, at: datetime) -> Outcome:
    """Say what the result page says: rules decide, and what is unknown never counts against anybody."""
    assessment = preview(session, opened, at=at)
    if assessment.disposition is Disposition.INELIGIBLE:
        return Outcome.NOT_THIS_STUDY
    if not studies.open_sites(session, opened.study, at=at):
        return Outcome.WAITLIST
    if assessment.disposition is Disposition.POTENTIAL_CANDIDATE:
        return Outcome.NEED_TO_TALK
    return Outcome.MAY_FIT


def preview(session: Session, opened: Opened, *, at: datetime) -> Assessment:
    """Assess a draft's answers on the version it started with, writing nothing."""
    version = found(session, ProtocolVersion, opened.draft.protocol_version_id)
    vocabulary = vocabulary_of(session, opened.study.id)
    return assess_lowered(
        lowered_of(version, vocabulary=vocabulary, terms=terms()),
        Facts(facts_of(opened, at=at)),
        on=civil_day(at, opened.zone),
        vocabulary=vocabulary,
        terms=terms(),
    )


def pinned_protocol(session: Session, draft: Draft) -> Protocol:
    """Read the criteria that a draft started with."""
    return protocol_of(found(session, ProtocolVersion, draft.protocol_version_id))
