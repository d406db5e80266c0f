"""What a verdict rests on: the leaves that decide it, and how strong they are together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from screening.assessment.evidence import Finding
from screening.facts import EvidenceSource
from screening.language.lowering import (
    AtomRef,
    Conjunction,
    Const,
    Disjunction,
    Lowered,
    Negation,
    Switch,
    Threshold,
    value_of,
)
from screening.verdict import Kleene

_NOTHING = -1
_SOURCES = tuple(EvidenceSource)


@dataclass(frozen=True, slots=True)
class Support:
    """The atoms from which a verdict follows; `rank` is that of their weakest source."""

    rank: int = _NOTHING
    atoms: frozenset[int] = frozenset()

    @property
    def strength(self) -> EvidenceSource | None:
        """The weakest source, or nothing where no fact was needed."""
        return None if self.rank == _NOTHING else _SOURCES[self.rank]


def support(node: Lowered, findings: Sequence[Finding]) -> Support:
    """Find the strongest set of leaves that makes a node what it is.

    A conjunction that fails rests on one failing part, one that holds on all;
    what is unknown rests on everything that is unknown in it.
    """
    return _Search(findings, [finding.value for finding in findings]).of(node)


@dataclass(frozen=True, slots=True)
class _Search:
    findings: Sequence[Finding]
    values: Sequence[Kleene]

    def of(self, node: Lowered) -> Support:
        match node:
            case Const():
                return Support()
            case AtomRef(index):
                strength = self.findings[index].strength
                return Support(_NOTHING if strength is None else strength.rank, frozenset({index}))
            case Negation(of):
                return self.of(of)
            case Conjunction(of):
                return self.counted(of, len(of))
            case Disjunction(of):
                return self.counted(of, 1)
            case Threshold(count, of):
                return self.counted(of, count)
            case Switch(branches):
                return self.switch(branches)

    def counted(self, of: Sequence[Lowered], count: int) -> Support:
        """Support "at least N of": N met parts, or as many failing ones as leave fewer than N."""
        value = value_of(Threshold(count, tuple(of)), self.values)
        alike = [self.of(part) for part in of if value_of(part, self.values) is value]
        if value is Kleene.UNKNOWN:
            return _together(alike)
        needed = count if value is Kleene.MET else len(of) - count + 1
        return _together(sorted(alike, key=lambda s: (s.rank, len(s.atoms)))[: max(needed, 0)])

    def switch(self, branches: Sequence[tuple[Lowered, Lowered]]) -> Support:
        """Support a case: a branch taken, or all branches that can be reached agreeing."""
        taken = Disjunction(tuple(Conjunction(branch) for branch in branches))
        whole = value_of(Switch(tuple(branches)), self.values)
        if value_of(taken, self.values) is whole and whole is not Kleene.UNKNOWN:
            return self.of(taken)
        reachable = [b for b in branches if value_of(b[0], self.values) is not Kleene.NOT_MET]
        if whole is Kleene.UNKNOWN:
            doubtful = [part for branch in reachable for part in branch]
            return _together(
                self.of(part) for part in doubtful if value_of(part, self.values) is Kleene.UNKNOWN
            )
        barred = [b[0] for b in branches if b not in reachable]
        return _together(self.of(part) for part in (*barred, *(then for _, then in reachable)))


def _together(supports: Iterable[Support]) -> Support:
    held = list(supports)
    return Support(
        max((one.rank for one in held), default=_NOTHING), frozenset().union(*(one.atoms for one in held))
    )
