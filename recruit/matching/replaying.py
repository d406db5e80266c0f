"""Making a stored assessment again: the same day, version and facts, with the engine of today.

What was stored remains the record. A difference is told as what it is: a
change of engine, vocabulary, terms or policy since then, where one of these
has another fingerprint, and a fault where none has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.db import found
from recruit.matching.models import AssessmentRow, Match
from recruit.people import queries as people
from recruit.people.models import FactRow
from recruit.studies import reading
from recruit.studies.models import ProtocolVersion
from recruit.vocabulary import terms, vocabulary_of
from screening.assessment.assess import Assessment, assess_lowered, engine_hash
from screening.assessment.evidence import CONFLICT_POLICY
from screening.facts import Facts

_COMPARED: Final = ("applies", "holds", "passes", "label", "open", "strength", "facts", "missing")


@dataclass(frozen=True, slots=True)
class Difference:
    """A criterion that comes out otherwise today, by its lineage."""

    criterion: str
    part: str
    then: str
    now: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of making an assessment again.

    `moved` names what has changed since: engine, vocabulary, terms or policy.
    `lost` counts the facts that were erased; without them nothing is compared.
    """

    assessment_id: UUID
    on: date
    moved: tuple[str, ...]
    lost: int
    then: str
    now: str
    differences: tuple[Difference, ...]

    @property
    def is_same(self) -> bool:
        """Whether the assessment comes out as it is stored."""
        return not self.lost and self.then == self.now and not self.differences

    @property
    def is_fault(self) -> bool:
        """Whether it comes out otherwise although nothing has changed that could explain it."""
        return not self.lost and not self.is_same and not self.moved


def replay(session: Session, row: AssessmentRow) -> Replay:
    """Judge a person again on the day, by the version and by the facts that an assessment names."""
    version = found(session, ProtocolVersion, row.protocol_version_id)
    match = found(session, Match, row.match_id)
    vocabulary = vocabulary_of(session, match.study_id)
    facts = _facts(session, row)
    judged = assess_lowered(
        reading.lowered_of(version, vocabulary=vocabulary, terms=terms()),
        facts,
        on=row.on_day,
        vocabulary=vocabulary,
        terms=terms(),
        closed_cohorts=_closed(row),
    )
    lost = len(row.fact_ids) - len(facts)
    return Replay(
        assessment_id=row.id,
        on=row.on_day,
        moved=tuple(_moved(row, vocabulary.version)),
        lost=lost,
        then=row.disposition.value,
        now=judged.disposition.value,
        differences=() if lost else tuple(_differences(row, judged)),
    )


def sample(session: Session, *, count: int, after: UUID | None = None) -> list[AssessmentRow]:
    """Give stored assessments of people who are still here, in the order of their keys."""
    rows = sa.select(AssessmentRow).order_by(AssessmentRow.id).limit(count)
    return list(session.scalars(rows if after is None else rows.where(AssessmentRow.id > after)))


def _facts(session: Session, row: AssessmentRow) -> Facts:
    """Collect the facts that stood then; what was retracted since still counts."""
    keys = [UUID(key) for key in row.fact_ids]
    return Facts(
        people.as_fact(fact) for fact in session.scalars(sa.select(FactRow).where(FactRow.id.in_(keys)))
    )


def _closed(row: AssessmentRow) -> frozenset[str]:
    cohorts = row.result.get("cohorts")
    told = cohorts if isinstance(cohorts, list) else []
    return frozenset(str(one["cohort"]) for one in told if one["closed"])


def _moved(row: AssessmentRow, vocabulary: str) -> Iterator[str]:
    fingerprints = (
        ("engine", row.engine_hash, engine_hash()),
        ("vocabulary", row.vocabulary_hash, vocabulary),
        ("terms", row.terms_hash, terms().version),
        ("policy", row.policy_hash, CONFLICT_POLICY),
    )
    yield from (name for name, then, now in fingerprints if then != now)


def _differences(row: AssessmentRow, judged: Assessment) -> Iterator[Difference]:
    then, now = _by_lineage(row.result), _by_lineage(judged.to_json())
    for lineage in sorted({*then, *now}):
        before, after = then.get(lineage, {}), now.get(lineage, {})
        for part in _COMPARED:
            if before.get(part) != after.get(part):
                yield Difference(lineage, part, str(before.get(part)), str(after.get(part)))


def _by_lineage(result: Mapping[str, object]) -> dict[str, dict[str, object]]:
    criteria = result.get("criteria")
    return {str(one["lineage"]): one for one in criteria} if isinstance(criteria, list) else {}
