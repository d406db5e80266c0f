"""What intake tells whoever listens, inside the same transaction."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class SubmissionReceived:
    """A person has sent answers and left a contact."""

    person_id: UUID
    study_id: UUID
    match_id: UUID
    language: str


@dataclass(frozen=True, slots=True)
class InquiryReceived:
    """A person has left a contact without answers."""

    person_id: UUID
    study_id: UUID
    match_id: UUID
    language: str
