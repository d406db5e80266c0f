"""From the tree as written to plain three-valued algebra.

Every node becomes a pair: whether it applies, and whether it holds
(SEMANTICS 2.3). "Does not apply" never enters the algebra. What is left are
and, or, not, "at least N of", a switch for `case`, constants and atoms; every
back end starts from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from screening.language.criteria import (
    AllOf,
    AnyOf,
    AtLeast,
    ButNot,
    Case,
    IfThen,
    Leaf,
    Node,
    NoneOf,
    Not,
    Note,
    SiteOnly,
    Unconfirmed,
)
from screening.language.outside import outside
from screening.language.protocol import Criterion, CriterionKind, Protocol
from screening.language.questions import Atom, Resolver
from screening.language.tree import folded
from screening.verdict import Kleene, all_of, any_of, at_least, negate


@dataclass(frozen=True, slots=True)
class Const:
    """A fixed value."""

    value: Kleene


@dataclass(frozen=True, slots=True)
class AtomRef:
    """The verdict of a leaf, by its place among the atoms."""

    index: int


@dataclass(frozen=True, slots=True)
class Negation:
    """The opposite."""

    of: Lowered


@dataclass(frozen=True, slots=True)
class Conjunction:
    """The least of several."""

    of: tuple[Lowered, ...]


@dataclass(frozen=True, slots=True)
class Disjunction:
    """The greatest of several."""

    of: tuple[Lowered, ...]


@dataclass(frozen=True, slots=True)
class Threshold:
    """The N-th greatest of several."""

    count: int
    of: tuple[Lowered, ...]


@dataclass(frozen=True, slots=True)
class Switch:
    """A case: (condition, consequence) by branch, the rest included as a branch of its own.

    Its value is OR(P_i and Q_i) OR AND(Q_i of every branch that is reachable),
    and a branch is reachable unless its condition is not met (SEMANTICS 2.7).
    Where no branch is, a value lies outside all that is listed: unknown.
    """

    branches: tuple[tuple[Lowered, Lowered], ...]


Lowered = Const | AtomRef | Negation | Conjunction | Disjunction | Threshold | Switch

MET = Const(Kleene.MET)
NOT_MET = Const(Kleene.NOT_MET)
UNKNOWN = Const(Kleene.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Part:
    """A node with its pair and its parts, for telling the reasons in the words of the tree."""

    node: Node
    applies: Lowered
    holds: Lowered
    parts: tuple[Part, ...] = ()
    atom: int | None = None


@dataclass(frozen=True, slots=True)
class LoweredCriterion:
    """A criterion ready to judge: `passes` is all that dispositions look at."""

    criterion: Criterion
    part: Part
    unless: Part | None
    passes: Lowered


@dataclass(frozen=True, slots=True)
class LoweredProtocol:
    """A protocol version ready to judge; equal leaves of different criteria share an atom."""

    protocol: Protocol
    criteria: tuple[LoweredCriterion, ...]
    atoms: tuple[Atom, ...]
    digest: str


def lower(protocol: Protocol, *, resolver: Resolver) -> LoweredProtocol:
    """Lower every criterion of a protocol.

    :raises UnknownKey: when a criterion names a key that the vocabulary lacks.
    """
    lowering = _Lowering(resolver)
    criteria = tuple(lowering.criterion(criterion) for criterion in protocol.criteria)
    return LoweredProtocol(protocol, criteria, tuple(lowering.atoms), protocol.digest)


def value_of(
    node: Lowered, values: Sequence[Kleene], *, open_atoms: Sequence[bool] = (), favour: Kleene | None = None
) -> Kleene:
    """Work out a lowered node from the verdicts of the atoms.

    With `favour`, each occurrence of an open atom takes the value that pushes
    the whole towards it, by polarity; all other verdicts stay (SEMANTICS 3).
    """
    match node:
        case AtomRef(index):
            return favour if favour is not None and open_atoms[index] else values[index]
        case Const(value):
            return value
        case Negation(of):
            turned = None if favour is None else negate(favour)
            return negate(value_of(of, values, open_atoms=open_atoms, favour=turned))
        case Conjunction(of):
            return all_of(value_of(p, values, open_atoms=open_atoms, favour=favour) for p in of)
        case Disjunction(of):
            return any_of(value_of(p, values, open_atoms=open_atoms, favour=favour) for p in of)
        case Threshold(count, of):
            return at_least(count, (value_of(p, values, open_atoms=open_atoms, favour=favour) for p in of))
        case Switch(branches):
            return _switch_value(branches, values, open_atoms, favour)


def _switch_value(
    branches: tuple[tuple[Lowered, Lowered], ...],
    values: Sequence[Kleene],
    open_atoms: Sequence[bool],
    favour: Kleene | None,
) -> Kleene:
    """Judge a case; which branches are reachable is told by the facts as they are, never by favour."""
    taken, every, reachable = Kleene.NOT_MET, Kleene.MET, False
    for condition, consequence in branches:
        then = value_of(consequence, values, open_atoms=open_atoms, favour=favour)
        chosen = value_of(condition, values, open_atoms=open_atoms, favour=favour)
        taken = max(taken, min(chosen, then))
        if value_of(condition, values) is not Kleene.NOT_MET:
            every, reachable = min(every, then), True
    return max(taken, every) if reachable else Kleene.UNKNOWN


def conjoin(parts: Iterable[Lowered]) -> Lowered:
    """Make an and, without what cannot matter."""
    kept = [part for part in parts if part != MET]
    if NOT_MET in kept:
        return NOT_MET
    if len(kept) < 2:
        return kept[0] if kept else MET
    return Conjunction(tuple(kept))


def disjoin(parts: Iterable[Lowered]) -> Lowered:
    """Make an or, without what cannot matter."""
    kept = [part for part in parts if part != NOT_MET]
    if MET in kept:
        return MET
    if len(kept) < 2:
        return kept[0] if kept else NOT_MET
    return Disjunction(tuple(kept))


def opposite(part: Lowered) -> Lowered:
    """Make a not, without doubling."""
    if isinstance(part, Const):
        return Const(negate(part.value))
    return part.of if isinstance(part, Negation) else Negation(part)


def _switch(branches: Sequence[tuple[Lowered, Lowered]]) -> Lowered:
    """Make a case; when every branch says the same constant, so does the whole."""
    consequences = {consequence for _, consequence in branches}
    if len(consequences) == 1 and consequences <= {MET, NOT_MET}:
        return consequences.pop()
    return Switch(tuple(branches))


@dataclass(slots=True)
class _Lowering:
    """One pass over a protocol; collects the atoms."""

    resolver: Resolver
    atoms: list[Atom] = field(default_factory=list)
    places: dict[Atom, int] = field(default_factory=dict)

    def criterion(self, criterion: Criterion) -> LoweredCriterion:
        part = self.part(folded(criterion.tree), criterion)
        unless = None if criterion.unless is None else self.part(folded(criterion.unless), criterion)
        included = criterion.kind is CriterionKind.INCLUSION
        wanted = part.holds if included else opposite(part.holds)
        ways = [opposite(part.applies), wanted]
        if unless is not None:
            ways.append(conjoin((unless.applies, unless.holds)))
        return LoweredCriterion(criterion, part, unless, disjoin(ways))

    def part(self, node: Node, criterion: Criterion) -> Part:
        match node:
            case Leaf():
                index = self.place(self.resolver.atom(node, criterion.evidence))
                return Part(node, MET, AtomRef(index), atom=index)
            case SiteOnly() | Unconfirmed():
                return Part(node, MET, UNKNOWN)
            case Note():
                return Part(node, NOT_MET, MET)
            case Not():
                inner = self.part(node.of, criterion)
                return Part(node, inner.applies, opposite(inner.holds), (inner,))
            case ButNot():
                return self.but_not(node, criterion)
            case IfThen():
                return self.if_then(node, criterion)
            case Case():
                return self.case(node, criterion)
            case AllOf() | AnyOf() | NoneOf() | AtLeast():
                return self.group(node, criterion)

    def group(self, node: AllOf | AnyOf | NoneOf | AtLeast, criterion: Criterion) -> Part:
        parts = tuple(self.part(inner, criterion) for inner in node.of)
        applies = disjoin(part.applies for part in parts)
        if isinstance(node, AllOf):
            holds = conjoin(disjoin((opposite(part.applies), part.holds)) for part in parts)
            return Part(node, applies, holds, parts)
        held = [conjoin((part.applies, part.holds)) for part in parts]
        if isinstance(node, AtLeast):
            return Part(node, applies, Threshold(node.count, tuple(held)), parts)
        some = disjoin(held)
        return Part(node, applies, opposite(some) if isinstance(node, NoneOf) else some, parts)

    def but_not(self, node: ButNot, criterion: Criterion) -> Part:
        base, exempt = self.part(node.of, criterion), self.part(node.exempt, criterion)
        holds = conjoin((base.holds, opposite(conjoin((exempt.applies, exempt.holds)))))
        return Part(node, base.applies, holds, (base, exempt))

    def if_then(self, node: IfThen, criterion: Criterion) -> Part:
        when, then = self.part(node.when, criterion), self.part(node.then, criterion)
        return Part(node, conjoin((when.applies, when.holds, then.applies)), then.holds, (when, then))

    def case(self, node: Case, criterion: Criterion) -> Part:
        whens = [self.part(branch.when, criterion) for branch in node.branches]
        thens = [self.part(branch.then, criterion) for branch in node.branches]
        conditions = [conjoin((when.applies, when.holds)) for when in whens]
        conditions.append(self.rest(node, criterion, conditions))
        if node.otherwise is None:
            rest = Part(SiteOnly(text=""), MET, UNKNOWN)
        else:
            rest = self.part(node.otherwise, criterion)
        applies = [then.applies for then in (*thens, rest)]
        holds = [then.holds for then in (*thens, rest)]
        shown = [part for pair in zip(whens, thens, strict=True) for part in pair]
        return Part(
            node,
            _switch([pair for pair in zip(conditions, applies, strict=True) if pair[0] != NOT_MET]),
            _switch([pair for pair in zip(conditions, holds, strict=True) if pair[0] != NOT_MET]),
            (*shown, rest) if node.otherwise is not None else tuple(shown),
        )

    def rest(self, node: Case, criterion: Criterion, conditions: Sequence[Lowered]) -> Lowered:
        """Say when a value lies outside all branches: as one leaf where they cut up one key."""
        left = outside([branch.when for branch in node.branches], vocabulary=self.resolver.vocabulary)
        if left is None:
            return conjoin(opposite(condition) for condition in conditions)
        return disjoin(self.part(leaf, criterion).holds for leaf in left)

    def place(self, atom: Atom) -> int:
        index = self.places.setdefault(atom, len(self.atoms))
        if index == len(self.atoms):
            self.atoms.append(atom)
        return index
