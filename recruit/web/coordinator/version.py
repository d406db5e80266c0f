"""A version of a study's criteria or questions: which one a page is about, and who may read or change it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from flask import request
from sqlalchemy.orm import Session

from recruit import context
from recruit.db import found
from recruit.errors import NotFound
from recruit.studies import reach
from recruit.studies.models import ProtocolVersion, QuestionnaireVersion, Study
from recruit.web.coordinator import forms, frame

V = TypeVar("V", ProtocolVersion, QuestionnaireVersion)


def to_read(session: Session, kind: type[V], version_id: UUID) -> tuple[V, Study]:
    """Fetch a version within one's scope.

    :raises NotFound: there is none, or it is somebody else's
    """
    version = found(session, kind, version_id)
    return version, reach.study_to_read(session, version.study_id, frame.reading_scope())


def to_change(session: Session, kind: type[V], version_id: UUID) -> tuple[V, Study]:
    """Fetch a version that one may change.

    :raises NotFound: there is none, or it is somebody else's
    :raises Forbidden: only a part of the study is within one's scope
    """
    version = found(session, kind, version_id)
    return version, reach.study_to_change(session, version.study_id, frame.writing_scope())


def study_id_of(kind: type[V], version_id: UUID) -> UUID:
    """Give the study of a version within one's scope.

    :raises NotFound: there is none, or it is somebody else's
    """
    with context.reading() as session:
        _version, study = to_read(session, kind, version_id)
        return study.id


def chosen(rows: Sequence[V]) -> V | None:
    """Choose the version that the address asks for by number, else the newest; none where there are none.

    :raises NotFound: there is no such version
    """
    asked = request.args.get("version", "")
    if not asked:
        return rows[0] if rows else None
    number = forms.whole(asked)
    version = next((row for row in rows if row.number == number), None)
    if version is None:
        raise NotFound("There is no such version.")
    return version
