"""Judge people against studies, keep what came of it, and lay staff's own verdicts beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.clock import civil_day
from recruit.db import actor_of, found, locked
from recruit.errors import Invalid, Refused
from recruit.ids import new_id
from recruit.keys import vault_of
from recruit.matching import queries
from recruit.matching.models import AssessmentRow, Match, Override, Triage
from recruit.matching.place import zone_of
from recruit.matching.service import RULED_OUT, WAITING, note_decision, queue
from recruit.people import queries as people
from recruit.studies import queries as studies
from recruit.studies import reading
from recruit.studies.models import ProtocolVersion, Study
from recruit.vocabulary import terms, vocabulary_of
from screening.assessment.assess import Assessment, assess_lowered, engine_hash
from screening.assessment.evidence import CONFLICT_POLICY
from screening.assessment.overrides import effective
from screening.facts import Facts
from screening.language.protocol import Protocol
from screening.verdict import Disposition
from screening.vocabulary import Vocabulary

_TIME_ALONE = frozenset({"day", "version"})
"""Causes for which an assessment is written only where it says something else than the last one."""


_TURNING = ("lineage", "applies", "holds", "passes", "open", "missing")
"""What of a stored verdict is compared; its words may name another age or day."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A person against one version on one day: the machine's verdicts, and staff's that hold beside them.

    ``overrides`` go by lineage of the criterion.
    """

    version: ProtocolVersion
    zone: str
    on: date
    facts: Facts
    vocabulary: Vocabulary
    assessment: Assessment
    overrides: Mapping[str, Override]
    disposition: Disposition
    closed_cohorts: frozenset[str] = frozenset()


def judge(session: Session, match: Match, *, at: datetime, study_site_id: UUID | None = None) -> Judged | None:
    """Judge a match by the version in force at its site, or at another one, writing nothing.

    A cohort that is closed or on hold there does not count, as long as another one is open.

    :returns: nothing where no version is in force
    """
    here = study_site_id or match.study_site_id
    version, zone = _version_for(session, match, here, at=at)
    if version is None:
        return None
    facts = facts_for(session, match)
    vocabulary = vocabulary_of(session, match.study_id)
    day = civil_day(at, zone)
    lowered = reading.lowered_of(version, vocabulary=vocabulary, terms=terms())
    closed: frozenset[str] = frozenset()
    if lowered.protocol.cohorts:
        closed = queries.closed_cohorts(session, match.study_id, at=at, study_site_id=here)
    assessment = assess_lowered(
        lowered, facts, on=day, vocabulary=vocabulary, terms=terms(), closed_cohorts=closed
    )
    overrides = _holding(session, match, version, facts)
    verdicts = {lineage: one.passes for lineage, one in overrides.items()}
    return Judged(
        version, zone, day, facts, vocabulary, assessment, overrides, effective(assessment, verdicts), closed
    )


def facts_for(session: Session, match: Match) -> Facts:
    """Collect the facts that count for a match, over all merged entries.

    Answers given under another study's wording count only where the study takes answers across studies.
    """
    members = people.cluster_of(session, people.root_of(session, match.person_id))
    study = found(session, Study, match.study_id)
    return people.facts_of(session, members, study_id=None if study.cross_study else study.id)


def assess_match(session: Session, match: Match, *, cause: str, at: datetime) -> AssessmentRow | None:
    """Judge a person's facts by the version in force at their site, and keep the reasons.

    The same facts on the same day and version are not written twice, and where only the day moved on, nothing
    is written unless a verdict turned. Staff's verdicts whose facts or version changed lapse here.

    :returns: the assessment that now counts; nothing where no version is in force
    """
    judged = judge(session, match, at=at)
    if judged is None:
        return None
    _lapse_others(session, match, judged, at=at)
    fact_ids = sorted(str(fact.id) for fact in judged.facts)
    row = latest(session, match.id)
    if row is None or not _is_same(row, judged, fact_ids, any_day=cause in _TIME_ALONE):
        row = _row_of(match, judged, fact_ids, cause=cause, at=at)
        session.add(row)
        session.flush()
    match.machine_disposition = judged.assessment.disposition
    match.effective_disposition = judged.disposition
    return row


def says_otherwise(session: Session, match: Match, judged: Judged) -> bool:
    """Tell whether judging by itself, because time went on or the version changed, says something new."""
    row = latest(session, match.id)
    if row is None or (match.machine_disposition, match.effective_disposition) != (
        judged.assessment.disposition,
        judged.disposition,
    ):
        return True
    return not _is_same(row, judged, sorted(str(fact.id) for fact in judged.facts), any_day=True)


def override(
    session: Session, match_id: UUID, lineage_id: str, *, passes: bool, reason: str, at: datetime
) -> Match:
    """Set staff's verdict on one criterion beside the machine's; it lapses when facts or version change.

    :raises Invalid: no reason, or the version has no such criterion
    :raises Refused: no version is in force
    """
    if not reason.strip():
        raise Invalid("Say why you see this criterion differently.", field="reason")
    match = locked(session, Match, match_id)
    judged = judge(session, match, at=at)
    if judged is None:
        raise Refused("No protocol version is in force for this person's site.")
    protocol = reading.protocol_of(judged.version)
    if lineage_id not in {criterion.lineage for criterion in protocol.criteria}:
        raise Invalid("This version has no such criterion.", field="criterion")
    _lapse(session, match, lineage_id, at=at)
    row_id = new_id()
    sealed = vault_of(session).seal(match.person_id, "override", "reason_sealed", row_id, reason.strip())
    session.add(
        Override(
            id=row_id,
            match_id=match.id,
            protocol_version_id=judged.version.id,
            lineage_id=lineage_id,
            passes=passes,
            reason_sealed=sealed,
            facts_hash=facts_hash(judged.facts),
            made_at=at,
            made_by=actor_of(session),
        )
    )
    session.flush()
    _settle(session, match, "match.overridden", {"criterion": lineage_id, "passes": passes}, at=at)
    return match


def withdraw_override(session: Session, match_id: UUID, lineage_id: str, *, at: datetime) -> Match:
    """Take staff's verdict on a criterion back; the machine's counts again.

    :raises Refused: there is none that holds
    """
    match = locked(session, Match, match_id)
    if not _lapse(session, match, lineage_id, at=at):
        raise Refused("This verdict has been taken back already.")
    _settle(session, match, "match.override_withdrawn", {"criterion": lineage_id}, at=at)
    return match


def reason_of(session: Session, match: Match, override: Override) -> str:
    """Open why staff saw a criterion differently."""
    vault = vault_of(session)
    return vault.open(match.person_id, "override", "reason_sealed", override.id, override.reason_sealed) or ""


def latest(session: Session, match_id: UUID) -> AssessmentRow | None:
    """Give the newest assessment of a match."""
    return session.scalar(
        sa.select(AssessmentRow)
        .where(AssessmentRow.match_id == match_id)
        .order_by(AssessmentRow.at.desc(), AssessmentRow.id.desc())
        .limit(1)
    )


def protocol_of(session: Session, assessment: AssessmentRow) -> Protocol:
    """Read the criteria that an assessment was made by."""
    return reading.protocol_of(found(session, ProtocolVersion, assessment.protocol_version_id))


def facts_hash(facts: Facts) -> str:
    """Fingerprint the set of facts seen, by their ids."""
    return hashlib.sha256(",".join(sorted(str(fact.id) for fact in facts)).encode()).hexdigest()


def _version_for(
    session: Session, match: Match, study_site_id: UUID | None, *, at: datetime
) -> tuple[ProtocolVersion | None, str]:
    if study_site_id is not None:
        zone = studies.zone_of(session, study_site_id)
        if match.signed_version_id is not None:
            return found(session, ProtocolVersion, match.signed_version_id), zone
        versions = studies.in_force(session, study_site_id, on=civil_day(at, zone))
        return (versions.protocol if versions else None), zone
    if match.signed_version_id is not None:
        return found(session, ProtocolVersion, match.signed_version_id), zone_of(session, match)
    study = found(session, Study, match.study_id)
    places = studies.open_sites(session, study, at=at)
    if not places:
        return None, zone_of(session, match)
    return places[0].in_force.protocol, places[0].site.zone


def _holding(session: Session, match: Match, version: ProtocolVersion, facts: Facts) -> dict[str, Override]:
    """Give staff's verdicts that hold: made by this version and on these facts."""
    rows = session.scalars(
        sa.select(Override).where(
            Override.match_id == match.id,
            Override.lapsed_at.is_(None),
            Override.protocol_version_id == version.id,
            Override.facts_hash == facts_hash(facts),
        )
    )
    return {row.lineage_id: row for row in rows}


def _lapse_others(session: Session, match: Match, judged: Judged, *, at: datetime) -> None:
    holding = [one.id for one in judged.overrides.values()]
    session.execute(
        sa.update(Override)
        .where(Override.match_id == match.id, Override.lapsed_at.is_(None), Override.id.not_in(holding))
        .values(lapsed_at=at, version=Override.version + 1)
    )


def _lapse(session: Session, match: Match, lineage_id: str, *, at: datetime) -> bool:
    lapsed = session.scalars(
        sa.update(Override)
        .where(Override.match_id == match.id, Override.lineage_id == lineage_id, Override.lapsed_at.is_(None))
        .values(lapsed_at=at, version=Override.version + 1)
        .returning(Override.id)
        .execution_options(synchronize_session=False)
    ).all()
    return bool(lapsed)


def _settle(session: Session, match: Match, type_: str, payload: dict[str, object], *, at: datetime) -> None:
    """Note a decision about a criterion, judge again, and let the queue follow."""
    note_decision(session, match, type_, at=at, payload=payload)
    assess_match(session, match, cause="override", at=at)
    follow(session, match, at=at)


def follow(session: Session, match: Match, *, at: datetime) -> None:
    """Let the queue follow a new assessment: whom a criterion rules out leaves it, and comes back after."""
    ruled_out = match.effective_disposition is Disposition.INELIGIBLE
    closed_by_rule = match.triage is Triage.CLOSED and match.closed_reason == RULED_OUT
    if closed_by_rule != ruled_out and (closed_by_rule or match.triage in WAITING):
        queue(session, match, at=at)


def _is_same(last: AssessmentRow, judged: Judged, fact_ids: list[str], *, any_day: bool) -> bool:
    if any_day and not _says_the_same(last, judged):
        return False
    return (
        last.protocol_version_id == judged.version.id
        and (any_day or last.on_day == judged.on)
        and last.fact_ids == fact_ids
        and last.vocabulary_hash == judged.vocabulary.version
        and last.engine_hash == engine_hash()
        and last.terms_hash == terms().version
        and last.policy_hash == CONFLICT_POLICY
        and last.result.get("cohorts") == judged.assessment.to_json()["cohorts"]
    )


def _says_the_same(last: AssessmentRow, judged: Judged) -> bool:
    """Compare two assessments by what they say of each criterion, whatever the day and the words."""
    told = judged.assessment.to_json()
    return last.result["disposition"] == told["disposition"] and _turning(last.result) == _turning(told)


def _turning(result: Mapping[str, object]) -> list[object]:
    criteria = result["criteria"]
    if not isinstance(criteria, list):
        return []
    return [[one[name] for name in _TURNING] for one in criteria]


def _row_of(match: Match, judged: Judged, fact_ids: list[str], *, cause: str, at: datetime) -> AssessmentRow:
    return AssessmentRow(
        id=new_id(),
        match_id=match.id,
        protocol_version_id=judged.version.id,
        on_day=judged.on,
        zone=judged.zone,
        disposition=judged.assessment.disposition,
        result=judged.assessment.to_json(),
        fact_ids=fact_ids,
        engine_hash=engine_hash(),
        vocabulary_hash=judged.vocabulary.version,
        terms_hash=terms().version,
        policy_hash=CONFLICT_POLICY,
        cause=cause,
        at=at,
    )
