"""The tables that the core needs, opened once and passed in: vocabulary and terms."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, lru_cache
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.studies.models import StudyFactKey
from screening.combinations import packaged_terms
from screening.terms import Terms
from screening.vocabulary import Vocabulary, packaged_vocabulary, read_key

VOCABULARIES = "vocabularies"
"""Where a session keeps the vocabularies that it has read; forgotten when a study gets another fact."""


@cache
def terms() -> Terms:
    """Give the hierarchy of codes, and what combinations contain."""
    return packaged_terms()


def vocabulary_of(session: Session, study_id: UUID) -> Vocabulary:
    """Give the packaged vocabulary with a study's own facts added."""
    known: dict[UUID, Vocabulary] = session.info.setdefault(VOCABULARIES, {})
    if study_id not in known:
        known[study_id] = _read(session, study_id)
    return known[study_id]


def _read(session: Session, study_id: UUID) -> Vocabulary:
    rows = session.scalars(
        sa.select(StudyFactKey).where(StudyFactKey.study_id == study_id).order_by(StudyFactKey.name)
    ).all()
    return _extended(_Own(tuple(row.id for row in rows), tuple((row.name, row.document) for row in rows)))


@dataclass(frozen=True, slots=True)
class _Own:
    """A study's own keys; none ever changes, so their ids tell all."""

    ids: tuple[UUID, ...]
    tables: tuple[tuple[str, dict[str, object]], ...] = field(compare=False)


@lru_cache(maxsize=256)
def _extended(own: _Own) -> Vocabulary:
    if not own.ids:
        return packaged_vocabulary()
    return packaged_vocabulary().extended(read_key(name, table) for name, table in own.tables)
