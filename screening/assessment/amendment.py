"""What an amendment changes for one person: where they stand before and after, and by which criteria.

Dispositions are those of ``assess``; the reasons are left out, so that a whole pool can be gone through.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from screening.assessment.assess import is_open
from screening.assessment.evidence import Finding, Scene
from screening.assessment.leaves import find_leaves
from screening.facts import Facts
from screening.language.lowering import LoweredProtocol, value_of
from screening.language.protocol import diff
from screening.language.questions import Atom
from screening.terms import Terms
from screening.verdict import Disposition, Kleene, truth
from screening.vocabulary import Vocabulary

_MEANING: Final = frozenset({"kind", "rule", "unless", "evidence", "cohorts"})
"""What of a criterion decides; its number, its text and its wording alone do not."""
_NOBODY_SAID: Final[Mapping[str, bool]] = MappingProxyType({})
_NOTHING: Final[Mapping[str, Standing]] = MappingProxyType({})


class Cause(StrEnum):
    """Why a criterion comes out otherwise than before.

    VERDICT: staff had their own verdict on it, which lapses with the version. CONTEXT: it reads as before, but
    the days or cohorts that it speaks of are others.
    """

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    VERDICT = "verdict"
    CONTEXT = "context"


@dataclass(frozen=True, slots=True)
class Standing:
    """How one criterion stands for a person, as far as dispositions look at it."""

    passes: Kleene
    is_open: bool

    @property
    def disposition(self) -> Disposition:
        """Where the person would stand by this criterion alone."""
        if self.passes is Kleene.NOT_MET:
            return Disposition.INELIGIBLE
        return Disposition.POTENTIAL_CANDIDATE if self.is_open else Disposition.CANDIDATE


@dataclass(frozen=True, slots=True)
class Turned:
    """A criterion that makes the difference, by lineage; a version that does not have it has no standing."""

    lineage: str
    cause: Cause
    was: Standing | None
    now: Standing | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Where a person stands before and after an amendment.

    ``turned`` holds, where the two differ, each criterion that keeps the person from the better of the two in
    the worse one: with all of them as they are there, and only then, the person would stand better. Where the
    cohorts themselves make the difference, and no criterion does, ``by_cohorts`` says so. ``lacking`` names the
    facts that only the new version reads and that leave something unknown.
    """

    before: Disposition
    after: Disposition
    turned: tuple[Turned, ...]
    by_cohorts: bool
    lacking: frozenset[str]

    @property
    def is_changed(self) -> bool:
        """Whether the person stands elsewhere."""
        return self.before is not self.after

    @property
    def is_worse(self) -> bool:
        """Whether the person stands worse than before."""
        return self.after.rank < self.before.rank


@dataclass(frozen=True, slots=True)
class Amendment:
    """Two versions laid side by side, ready to compare people by; see ``amendment_of``."""

    old: LoweredProtocol
    new: LoweredProtocol
    atoms: tuple[Atom, ...]
    old_places: tuple[int, ...]
    new_places: tuple[int, ...]
    causes: Mapping[str, Cause]
    unchanged: frozenset[str]
    new_keys: frozenset[str]


def amendment_of(old: LoweredProtocol, new: LoweredProtocol) -> Amendment:
    """Lay two lowered versions of one protocol side by side, once for all people."""
    difference = diff(old.protocol, new.protocol)
    atoms = tuple(dict.fromkeys((*old.atoms, *new.atoms)))
    places = {atom: place for place, atom in enumerate(atoms)}
    causes = {one.lineage: Cause.ADDED for one in difference.added}
    causes |= {one.lineage: Cause.REMOVED for one in difference.removed}
    changed = [one for one in difference.changed if _MEANING.intersection(one.fields)]
    causes |= {one.new.lineage: Cause.CHANGED for one in changed}
    return Amendment(
        old,
        new,
        atoms,
        tuple(places[atom] for atom in old.atoms),
        tuple(places[atom] for atom in new.atoms),
        causes,
        frozenset(one.criterion.lineage for one in new.criteria) - causes.keys(),
        frozenset(_keys(new) - _keys(old)),
    )


def compare(
    amendment: Amendment,
    facts: Facts,
    *,
    on: date,
    vocabulary: Vocabulary,
    terms: Terms,
    closed_cohorts: Collection[str] = (),
    said: Mapping[str, bool] = _NOBODY_SAID,
) -> Comparison:
    """Judge a person by both versions on one day, and say which criteria make the difference.

    :param said: staff's own verdicts under the old version, by lineage; they lapse with it
    """
    was, now = _found(amendment, Scene(facts, on, vocabulary, terms, {}))
    judged = dict(_standings(amendment.old, was, vocabulary))
    same_days = amendment.old.protocol.anchors == amendment.new.protocol.anchors
    known = {name: judged[name] for name in amendment.unchanged} if same_days else {}
    overruled = {name: Standing(truth(said[name]), is_open=False) for name in said if name in judged}
    old = _Side.of(amendment.old, judged | overruled, closed_cohorts)
    new = _Side.of(amendment.new, dict(_standings(amendment.new, now, vocabulary, known)), closed_cohorts)
    lineages = _deciding(old, new)
    return Comparison(
        old.disposition,
        new.disposition,
        tuple(
            Turned(name, _cause(amendment, name, said), old.standings.get(name), new.standings.get(name))
            for name in lineages or ()
        ),
        lineages is None,
        _lacking(amendment, now),
    )


def _found(amendment: Amendment, scene: Scene) -> tuple[list[Finding], list[Finding]]:
    """Judge the leaves of both versions, those that are the same once where they speak of the same days."""
    old, new = amendment.old, amendment.new
    before, after = (replace(scene, anchors=one.protocol.anchor_days(scene.on)) for one in (old, new))
    if before.anchors != after.anchors:
        return find_leaves(old.atoms, before), find_leaves(new.atoms, after)
    found = find_leaves(amendment.atoms, before)
    return [found[at] for at in amendment.old_places], [found[at] for at in amendment.new_places]


def _keys(lowered: LoweredProtocol) -> set[str]:
    return {key for atom in lowered.atoms for key in atom.keys}


def _lacking(amendment: Amendment, findings: Sequence[Finding]) -> frozenset[str]:
    missing = {one.key for finding in findings if not finding.value.is_settled for one in finding.missing}
    return amendment.new_keys & missing


def _cause(amendment: Amendment, lineage: str, said: Mapping[str, bool]) -> Cause:
    own = amendment.causes.get(lineage)
    if own is None:
        return Cause.VERDICT if lineage in said else Cause.CONTEXT
    return own


@dataclass(frozen=True, slots=True)
class _Side:
    """A person by one version: each criterion's standing, and which criteria count for which open cohort.

    A protocol without cohorts has one that nobody named.
    """

    standings: Mapping[str, Standing]
    counting: Mapping[str | None, tuple[str, ...]]

    @classmethod
    def of(cls, lowered: LoweredProtocol, standings: Mapping[str, Standing], closed: Collection[str]) -> _Side:
        cohorts = [one.id for one in lowered.protocol.cohorts]
        taking: list[str] | list[None] = [one for one in cohorts if one not in closed] or cohorts or [None]
        criteria = lowered.protocol.criteria
        counting: dict[str | None, tuple[str, ...]] = {
            name: tuple(one.lineage for one in criteria if not one.cohorts or name in one.cohorts)
            for name in taking
        }
        return cls(standings, counting)

    @property
    def disposition(self) -> Disposition:
        """Where the person stands towards the best cohort."""
        return max((self.towards(cohort) for cohort in self.counting), key=lambda one: one.rank)

    def towards(self, cohort: str | None) -> Disposition:
        """Say where the person stands towards one cohort."""
        counted = (self.standings[lineage].disposition for lineage in self.counting[cohort])
        return min(counted, key=lambda one: one.rank, default=Disposition.CANDIDATE)

    def keeping(self, cohort: str | None, at: Disposition) -> tuple[str, ...]:
        """Name the criteria that keep the person from standing better than this towards a cohort."""
        return tuple(
            lineage for lineage in self.counting[cohort] if self.standings[lineage].disposition.rank <= at.rank
        )


def _standings(
    lowered: LoweredProtocol,
    findings: Sequence[Finding],
    vocabulary: Vocabulary,
    known: Mapping[str, Standing] = _NOTHING,
) -> Iterator[tuple[str, Standing]]:
    """Judge criterion by criterion; what is settled is not open, for no further fact can be needed."""
    values = [finding.value for finding in findings]
    pairs = zip(lowered.atoms, findings, strict=True)
    open_atoms = [is_open(atom, finding, vocabulary) for atom, finding in pairs]
    for one in lowered.criteria:
        lineage = one.criterion.lineage
        if lineage in known:
            yield lineage, known[lineage]
            continue
        passes, favours = value_of(one.passes, values), (Kleene.MET, Kleene.NOT_MET)
        ends = (value_of(one.passes, values, open_atoms=open_atoms, favour=favour) for favour in favours)
        yield lineage, Standing(passes, is_open=not passes.is_settled and len(set(ends)) > 1)


def _deciding(old: _Side, new: _Side) -> tuple[str, ...] | None:
    """Name the criteria that make the difference; none without a difference, nothing where cohorts make it.

    Of several cohorts that would have to be lifted, the one with the fewest obstacles is told.
    """
    worse, better = sorted((old, new), key=lambda side: side.disposition.rank)
    at = worse.disposition
    if at is better.disposition:
        return ()
    lifted = [cohort for cohort in better.counting if better.towards(cohort).rank > at.rank]
    nameless = None in lifted or None in worse.counting
    shared = worse.counting if nameless else [cohort for cohort in worse.counting if cohort in lifted]
    return min((worse.keeping(cohort, at) for cohort in shared), key=len, default=None)
