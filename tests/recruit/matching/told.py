"""What people answered, written down as the product writes it, for tests that need no questionnaire."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.orm import Session

from recruit.ids import new_id
from recruit.people import service as people
from screening.facts import EvidenceSource, Fact, Value
from screening.intervals import DateRange
from tests.conftest import NOON


def tell(session: Session, study_id: UUID, person_id: UUID, said: Mapping[str, Value]) -> None:
    """Write down what a person answered to a study's questions."""
    told = [
        Fact(
            id=new_id(),
            key=key,
            value=value,
            raw="",
            observed=DateRange.day(NOON.date()),
            recorded_at=NOON,
            source=EvidenceSource.PARTICIPANT_ONLINE,
        )
        for key, value in said.items()
    ]
    people.add_facts(session, person_id, told, study_id=study_id)
