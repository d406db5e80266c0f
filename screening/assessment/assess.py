"""Judging a person against a protocol version: the reference that every other back end must equal."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Final
from uuid import UUID

from screening.assessment.evidence import (
    CONFLICT_POLICY,
    OPEN,
    Finding,
    Missing,
    Scene,
    person_could_settle,
)
from screening.assessment.leaves import find_leaves
from screening.assessment.reasons import SENTENCES, Reason, reason_of, sentences
from screening.assessment.support import support
from screening.facts import EvidenceSource, Facts
from screening.language.criteria import LANGUAGE, Number
from screening.language.lowering import LoweredCriterion, LoweredProtocol, lower, value_of
from screening.language.protocol import Criterion, Protocol
from screening.language.questions import Atom, Resolver
from screening.terms import Terms
from screening.verdict import Disposition, Kleene, Label
from screening.vocabulary import Vocabulary

_ENGINE: Final = (
    "analytes", "assessment/assess", "assessment/coded", "assessment/distinct", "assessment/evidence",
    "assessment/leaves", "assessment/limits", "assessment/statements", "assessment/support",
    "combinations", "computed", "exact", "facts", "intervals", "language/criteria", "language/lowering",
    "language/outside", "language/protocol", "language/questions", "language/tree", "language/windows",
    "medicines", "terms", "units", "verdict", "vocabulary",
)  # fmt: skip


@cache
def engine_hash() -> str:
    """Hash the modules that decide verdicts; stored with an assessment, to be replayed knowingly."""
    digest = hashlib.sha256()
    for name in _ENGINE:
        digest.update(resources.files("screening").joinpath(f"{name}.py").read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class CriterionVerdict:
    """What came of one criterion, and why.

    `passes` is all that dispositions look at. `strength` is the weakest source
    that a settled verdict rests on. `facts` are all facts that were looked at,
    `missing` says what keeps the criterion unknown. `is_open`: the person
    could still change it.
    """

    criterion: Criterion
    applies: Kleene
    holds: Kleene
    passes: Kleene
    label: Label
    is_open: bool
    strength: EvidenceSource | None
    facts: tuple[UUID, ...]
    missing: tuple[Missing, ...]
    reason: Reason
    unless: Reason | None = None

    def to_json(self) -> dict[str, object]:
        """Write the verdict as plain JSON, by ids."""
        return {
            "criterion": self.criterion.id,
            "lineage": self.criterion.lineage,
            "number": self.criterion.number,
            "kind": self.criterion.kind.value,
            "applies": str(self.applies),
            "holds": str(self.holds),
            "passes": str(self.passes),
            "label": self.label.value,
            "open": self.is_open,
            "strength": self.strength.value if self.strength else None,
            "facts": [str(fact) for fact in self.facts],
            "missing": [
                {"key": one.key, "why": one.why.value, "facts": [str(fact) for fact in one.facts]}
                for one in self.missing
            ],
            "reason": self.reason.to_json(),
            "unless": self.unless.to_json() if self.unless else None,
        }


@dataclass(frozen=True, slots=True)
class CohortDisposition:
    """Where a person stands towards one cohort, by the shared criteria and its own."""

    cohort: str
    disposition: Disposition
    is_closed: bool


@dataclass(frozen=True, slots=True)
class Assessment:
    """Every criterion judged on one day, and where the person stands.

    `disposition` is that of the best cohort that is not closed; without
    cohorts, or with all of them closed, that of the best there is.
    """

    on: date
    verdicts: tuple[CriterionVerdict, ...]
    disposition: Disposition
    cohorts: tuple[CohortDisposition, ...]
    protocol: str
    vocabulary: str
    terms: str

    @property
    def ruling_out(self) -> tuple[CriterionVerdict, ...]:
        """The verdicts that rule out, cohorts' own included."""
        return tuple(verdict for verdict in self.verdicts if verdict.passes is Kleene.NOT_MET)

    @property
    def counting(self) -> tuple[CriterionVerdict, ...]:
        """The verdicts that tell where the person stands: without those of cohorts that rule them out alone.

        Where no cohort is left, all of them.
        """
        if self.disposition is Disposition.INELIGIBLE:
            return self.verdicts
        gone = {one.cohort for one in self.cohorts if one.disposition is Disposition.INELIGIBLE}
        return tuple(
            one for one in self.verdicts if not one.criterion.cohorts or set(one.criterion.cohorts) - gone
        )

    @property
    def open(self) -> tuple[CriterionVerdict, ...]:
        """The verdicts that the person could still change."""
        return tuple(verdict for verdict in self.verdicts if verdict.is_open)

    def to_json(self) -> dict[str, object]:
        """Write the assessment with everything that a replay must name, but the zone of its day."""
        return {
            "on": self.on.isoformat(),
            "disposition": self.disposition.value,
            "cohorts": [
                {"cohort": one.cohort, "disposition": one.disposition.value, "closed": one.is_closed}
                for one in self.cohorts
            ],
            "criteria": [verdict.to_json() for verdict in self.verdicts],
            "counting": [verdict.criterion.id for verdict in self.counting],
            "language": LANGUAGE,
            "engine": engine_hash(),
            "protocol": self.protocol,
            "vocabulary": self.vocabulary,
            "terms": self.terms,
            "conflict_policy": CONFLICT_POLICY,
        }


def assess(
    protocol: Protocol,
    facts: Facts,
    *,
    on: date,
    vocabulary: Vocabulary,
    terms: Terms,
    closed_cohorts: Collection[str] = (),
) -> Assessment:
    """Judge every criterion of a protocol version and keep the reasons.

    A fact we do not hold never counts against a person: it leaves its leaf
    unknown and is named in ``missing``, so that somebody can ask.

    :raises UnknownKey: when a criterion names a key that the vocabulary lacks.
    """
    lowered = lower(protocol, resolver=Resolver(vocabulary, terms))
    return assess_lowered(
        lowered, facts, on=on, vocabulary=vocabulary, terms=terms, closed_cohorts=closed_cohorts
    )


def assess_lowered(
    lowered: LoweredProtocol,
    facts: Facts,
    *,
    on: date,
    vocabulary: Vocabulary,
    terms: Terms,
    closed_cohorts: Collection[str] = (),
) -> Assessment:
    """Judge against a protocol that was lowered before, with the same vocabulary and terms."""
    scene = Scene(facts, on, vocabulary, terms, lowered.protocol.anchor_days(on))
    return assess_scene(lowered, scene, closed_cohorts=closed_cohorts)


def assess_scene(lowered: LoweredProtocol, scene: Scene, *, closed_cohorts: Collection[str] = ()) -> Assessment:
    """Judge against a lowered protocol on the day of a scene."""
    protocol = lowered.protocol
    findings = find_leaves(lowered.atoms, scene)
    values = [finding.value for finding in findings]
    open_atoms = [
        is_open(atom, finding, scene.vocabulary) for atom, finding in zip(lowered.atoms, findings, strict=True)
    ]
    verdicts = tuple(_verdict(one, findings, values, open_atoms, scene) for one in lowered.criteria)
    cohorts = _cohorts(protocol, verdicts, closed_cohorts)
    return Assessment(
        on=scene.on,
        verdicts=verdicts,
        disposition=_best(cohorts) if cohorts else disposition_of(verdicts),
        cohorts=cohorts,
        protocol=lowered.digest,
        vocabulary=scene.vocabulary.version,
        terms=scene.terms.version,
    )


def is_open(atom: Atom, finding: Finding, vocabulary: Vocabulary) -> bool:
    """Tell whether an unknown leaf is one that the person could still settle (SEMANTICS 3)."""
    if finding.value.is_settled or not atom.askable or finding.why not in OPEN:
        return False
    leaf = atom.leaf
    key = vocabulary.get(leaf.key) if isinstance(leaf, Number) else None
    return atom.told or person_could_settle(finding, key, vocabulary)


def disposition_of(verdicts: Sequence[CriterionVerdict]) -> Disposition:
    """Say where a person stands by these criteria; "eligible" is for the site to say."""
    if any(verdict.passes is Kleene.NOT_MET for verdict in verdicts):
        return Disposition.INELIGIBLE
    if any(verdict.is_open for verdict in verdicts):
        return Disposition.POTENTIAL_CANDIDATE
    return Disposition.CANDIDATE


def explain(verdict: CriterionVerdict) -> list[str]:
    """Give the sentences, in English, on which the verdict rests or that keep it unknown."""
    told = list(sentences([verdict.reason, *([verdict.unless] if verdict.unless else [])]))
    return [SENTENCES["does_not_apply"], *told] if verdict.label is Label.DOES_NOT_APPLY else told


def _verdict(
    lowered: LoweredCriterion,
    findings: Sequence[Finding],
    values: Sequence[Kleene],
    open_atoms: Sequence[bool],
    scene: Scene,
) -> CriterionVerdict:
    applies, holds = value_of(lowered.part.applies, values), value_of(lowered.part.holds, values)
    passes = value_of(lowered.passes, values)
    best = value_of(lowered.passes, values, open_atoms=open_atoms, favour=Kleene.MET)
    worst = value_of(lowered.passes, values, open_atoms=open_atoms, favour=Kleene.NOT_MET)
    rests_on = support(lowered.passes, findings)
    used = _atoms_of(lowered)
    unknown = passes is Kleene.UNKNOWN
    missing = [one for index in sorted(rests_on.atoms) for one in findings[index].missing] if unknown else []
    unless = lowered.unless
    return CriterionVerdict(
        criterion=lowered.criterion,
        applies=applies,
        holds=holds,
        passes=passes,
        label=_label(applies, passes),
        is_open=best is not worst,
        strength=None if unknown else rests_on.strength,
        facts=tuple(dict.fromkeys(fact for index in used for fact in findings[index].facts)),
        missing=tuple(dict.fromkeys(missing)),
        reason=reason_of(lowered.part, findings, scene, deciding=rests_on.atoms),
        unless=None if unless is None else reason_of(unless, findings, scene, deciding=rests_on.atoms),
    )


def _label(applies: Kleene, passes: Kleene) -> Label:
    if applies is Kleene.NOT_MET:
        return Label.DOES_NOT_APPLY
    return {Kleene.MET: Label.PASSES, Kleene.NOT_MET: Label.RULES_OUT}.get(passes, Label.UNKNOWN)


def _atoms_of(lowered: LoweredCriterion) -> list[int]:
    """Collect the atoms of a criterion, in the order of its tree."""
    found: list[int] = []
    waiting = [lowered.part, *([lowered.unless] if lowered.unless else [])]
    while waiting:
        part = waiting.pop(0)
        if part.atom is not None:
            found.append(part.atom)
        waiting[:0] = part.parts
    return list(dict.fromkeys(found))


def _cohorts(
    protocol: Protocol, verdicts: Sequence[CriterionVerdict], closed: Collection[str]
) -> tuple[CohortDisposition, ...]:
    return tuple(
        CohortDisposition(
            cohort.id,
            disposition_of(
                [v for v in verdicts if not v.criterion.cohorts or cohort.id in v.criterion.cohorts]
            ),
            cohort.id in closed,
        )
        for cohort in protocol.cohorts
    )


def _best(cohorts: Sequence[CohortDisposition]) -> Disposition:
    open_ones = [cohort for cohort in cohorts if not cohort.is_closed]
    return max((cohort.disposition for cohort in open_ones or cohorts), key=lambda one: one.rank)
