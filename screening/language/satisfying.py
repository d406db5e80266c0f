"""Whether lowered nodes can all hold at once: a search over what is said of leaves, bounded by its splits.

Every node is taken as yes or no; what only a site can tell may be either. A
leaf is let in while what is said of its subject leaves a value (`regions`) or
a statement (`coverage`) possible. So "no" is a proof, and "yes" is not.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from screening.language.coverage import families, statements_possible
from screening.language.criteria import Leaf, coded_part
from screening.language.lowering import (
    AtomRef,
    Conjunction,
    Const,
    Disjunction,
    Lowered,
    Negation,
    Switch,
    Threshold,
)
from screening.language.questions import Atom
from screening.language.regions import Ground, Subject, possible, subject_of
from screening.verdict import Kleene

MOST_SPLITS: Final = 2_000
"""How many alternatives are opened before a search is given up."""


class TooManySplits(Exception):
    """A search was given up: nothing is proved."""


@dataclass(frozen=True, slots=True)
class Said:
    """That a leaf holds, or does not."""

    leaf: int
    wanted: bool


@dataclass(frozen=True, slots=True)
class Some:
    """That at least so many of several hold."""

    count: int
    of: tuple[Claim, ...]


Claim = Said | Some

ALWAYS: Final = Some(0, ())
NEVER: Final = Some(1, ())


def every(parts: Iterable[Claim]) -> Claim:
    """Claim that all of several hold."""
    of = tuple(parts)
    return Some(len(of), of)


def some(parts: Iterable[Claim]) -> Claim:
    """Claim that one of several holds."""
    return Some(1, tuple(parts))


def claim(node: Lowered, *, wanted: bool = True) -> Claim:
    """Write down when a lowered node holds, or does not, by the numbers of its atoms."""
    match node:
        case AtomRef(index):
            return Said(index, wanted)
        case Const(value):
            return ALWAYS if value is Kleene.UNKNOWN or (value is Kleene.MET) is wanted else NEVER
        case Negation(of):
            return claim(of, wanted=not wanted)
        case Conjunction(of):
            return (every if wanted else some)(claim(part, wanted=wanted) for part in of)
        case Disjunction(of):
            return (some if wanted else every)(claim(part, wanted=wanted) for part in of)
        case Threshold(count, of):
            needed = count if wanted else len(of) - count + 1
            return Some(max(needed, 0), tuple(claim(part, wanted=wanted) for part in of))
        case Switch(branches):
            return _case(branches, wanted=wanted)


def _case(branches: Sequence[tuple[Lowered, Lowered]], *, wanted: bool) -> Claim:
    """Take a case as its branches: one of them is entered, and holds; or none that is entered does."""
    entered = [claim(condition) for condition, _ in branches]
    if wanted:
        return some(every((when, claim(then))) for when, (_, then) in zip(entered, branches, strict=True))
    fails = [some((claim(condition, wanted=False), claim(then, wanted=False))) for condition, then in branches]
    return every((some(entered), *fails))


@dataclass(frozen=True, slots=True)
class _Held:
    """What has been said so far: of each leaf, and of each subject."""

    leaves: dict[int, bool] = field(default_factory=dict)
    subjects: dict[Hashable, frozenset[Said]] = field(default_factory=dict)

    def copy(self) -> _Held:
        return _Held(dict(self.leaves), dict(self.subjects))


class Search:
    """Leaves on a ground, ready to be asked whether claims about them can all hold."""

    def __init__(self, atoms: Sequence[Atom], ground: Ground, *, most_splits: int = MOST_SPLITS) -> None:
        told = [atom.leaf.model_copy(update={"told_by": None}) for atom in atoms]
        places: dict[Leaf, int] = {}
        self._same = [places.setdefault(leaf, number) for number, leaf in enumerate(told)]
        self._leaves = told
        self._ground = ground
        related = families(places, ground)
        self._subjects: list[Hashable] = [subject_of(leaf) or related.get(leaf, leaf) for leaf in told]
        self._known: dict[frozenset[Said], bool] = {}
        self._most = most_splits
        self._splits = 0

    def possible(self, claims: Iterable[Claim]) -> bool:
        """Tell whether claims can all hold; a yes only says that nothing was found against it.

        :raises TooManySplits: when the search is given up.
        """
        self._splits = 0
        return self._search(list(claims), _Held())

    def _search(self, waiting: list[Claim], held: _Held) -> bool:
        left = self._settled(waiting, held)
        if left is None or not left:
            return left is not None
        left.sort(key=lambda one: len(one.of))
        first, others = left[0], left[1:]
        self._splits += 1
        if self._splits > self._most:
            raise TooManySplits
        head, tail = first.of[0], first.of[1:]
        return any(
            self._search([*others, *chosen], held.copy())
            for chosen in ((head, Some(first.count - 1, tail)), (Some(first.count, tail),))
        )

    def _settled(self, waiting: list[Claim], held: _Held) -> list[Some] | None:
        """Take in everything that leaves no choice; give the choices that are left, or none where it fails."""
        while True:
            left: list[Some] = []
            moved = False
            for one in waiting:
                for part in self._parts(self._reduced(one, held)):
                    if isinstance(part, Some):
                        if part.count > len(part.of):
                            return None
                        left.append(part)
                    elif not self._take(part, held):
                        return None
                    else:
                        moved = True
            if not moved:
                return left
            waiting = list(left)

    def _parts(self, one: Claim) -> Iterable[Claim]:
        """Take apart what holds only if all of it does."""
        if isinstance(one, Some) and one.count == len(one.of):
            return [part for inner in one.of for part in self._parts(inner)]
        return (one,)

    def _reduced(self, one: Claim, held: _Held) -> Claim:
        """Leave out of a claim what is settled already."""
        if isinstance(one, Said):
            known = held.leaves.get(self._same[one.leaf])
            if known is not None:
                return ALWAYS if known is one.wanted else NEVER
            return one if self._allows(one, held) else NEVER
        count, parts = one.count, []
        for part in one.of:
            reduced = self._reduced(part, held)
            if isinstance(reduced, Some) and reduced.count <= 0:
                count -= 1
            elif not (isinstance(reduced, Some) and reduced.count > len(reduced.of)):
                parts.append(reduced)
        if count <= 0:
            return ALWAYS
        return parts[0] if count == len(parts) == 1 else Some(count, tuple(parts))

    def _take(self, said: Said, held: _Held) -> bool:
        place = self._same[said.leaf]
        known = held.leaves.get(place)
        if known is not None:
            return known is said.wanted
        if not self._allows(said, held):
            return False
        subject = self._subjects[place]
        held.leaves[place] = said.wanted
        held.subjects[subject] = held.subjects.get(subject, frozenset()) | {Said(place, said.wanted)}
        return True

    def _allows(self, said: Said, held: _Held) -> bool:
        place = self._same[said.leaf]
        subject = self._subjects[place]
        together = held.subjects.get(subject, frozenset()) | {Said(place, said.wanted)}
        if together not in self._known:
            literals = [(self._leaves[one.leaf], one.wanted) for one in together]
            self._known[together] = (
                possible(subject, literals, self._ground)
                if isinstance(subject, Subject)
                else statements_possible(literals, self._ground)
            )
        return self._known[together]


def depends_on_calendar(leaf: Leaf) -> bool:
    """Tell whether what a leaf leaves possible may differ from day to day, as months differ in length."""
    part = coded_part(leaf)
    subject = subject_of(leaf)
    return (part is not None and part.window is not None) or (subject is not None and subject.kind == "day")
