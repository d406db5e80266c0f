"""What answers still to come can make of a tree: a value that cannot change any more, or one that can.

A leaf that an unanswered question may move stands for any verdict at all. The
bounds enclose what the tree may become, and what it may become when leaves
that stay unknown but could be told are pushed one way or the other, which
decides whether a criterion is open (SEMANTICS 3).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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

Sixfold = tuple[int, int, int, int, int, int]
"""Least and greatest value: as the facts are, with open leaves pushed towards it, and pushed against it."""

_ANYTHING: Sixfold = (-1, 1, -1, 1, -1, 1)
_OPEN: Sixfold = (0, 0, 1, 1, -1, -1)


@dataclass(frozen=True, slots=True)
class Leaves:
    """The verdicts of the atoms, 0 for what is `live`: that may still move; `open` is what could be told."""

    values: Sequence[int]
    live: Sequence[bool]
    open: Sequence[bool]


def value(node: Lowered, values: Sequence[int]) -> int:
    """Work out a node from plain verdicts of -1, 0 and 1."""
    match node:
        case AtomRef():
            return values[node.index]
        case Const():
            return int(node.value)
        case Negation():
            return -value(node.of, values)
        case Conjunction():
            return min(value(part, values) for part in node.of)
        case Disjunction():
            return max(value(part, values) for part in node.of)
        case Threshold():
            return nth_greatest(node.count, [value(part, values) for part in node.of])
        case Switch():
            return _switch_value(node, values)


def nth_greatest(count: int, values: Sequence[int]) -> int:
    """Give the N-th greatest: met for a count of 0, not met where there are not so many."""
    if count <= 0:
        return 1
    return sorted(values, reverse=True)[count - 1] if count <= len(values) else -1


def _switch_value(node: Switch, values: Sequence[int]) -> int:
    taken, every, reachable = -1, 1, False
    for condition, consequence in node.branches:
        chosen, then = value(condition, values), value(consequence, values)
        taken = max(taken, min(chosen, then))
        if chosen > -1:
            every, reachable = min(every, then), True
    return max(taken, every) if reachable else 0


def is_fixed(node: Lowered, leaves: Leaves) -> bool:
    """Tell whether answers to come change neither the value nor whether the person could."""
    if value(node, leaves.values):
        return True
    low, high, best_low, best_high, worst_low, worst_high = bounds(node, leaves)
    return low == high and best_low == best_high and worst_low == worst_high


def bounds(node: Lowered, leaves: Leaves) -> Sixfold:
    """Enclose what a node may become."""
    match node:
        case AtomRef():
            return _leaf(node.index, leaves)
        case Const():
            told = int(node.value)
            return told, told, told, told, told, told
        case Negation():
            low, high, best_low, best_high, worst_low, worst_high = bounds(node.of, leaves)
            return -high, -low, -worst_high, -worst_low, -best_high, -best_low
        case Switch():
            return _switch(node, leaves)
        case _:
            return _counted(node, [bounds(part, leaves) for part in node.of])


def _leaf(place: int, leaves: Leaves) -> Sixfold:
    if leaves.live[place]:
        return _ANYTHING
    told = leaves.values[place]
    if not told and leaves.open[place]:
        return _OPEN
    return told, told, told, told, told, told


def _counted(node: Conjunction | Disjunction | Threshold, parts: Sequence[Sixfold]) -> Sixfold:
    columns = list(zip(*parts, strict=True)) or [()] * 6
    if isinstance(node, Threshold):
        a, b, c, d, e, f = (nth_greatest(node.count, column) for column in columns)
    elif isinstance(node, Conjunction):
        a, b, c, d, e, f = (min(column, default=1) for column in columns)
    else:
        a, b, c, d, e, f = (max(column, default=-1) for column in columns)
    return a, b, c, d, e, f


def _switch(node: Switch, leaves: Leaves) -> Sixfold:
    """Enclose a case; a branch is reachable for sure, or only perhaps."""
    pairs = [(bounds(when, leaves), bounds(then, leaves)) for when, then in node.branches]
    ends: list[int] = []
    for at in (0, 2, 4):
        low_taken = max(min(when[at], then[at]) for when, then in pairs)
        high_taken = max(min(when[at + 1], then[at + 1]) for when, then in pairs)
        low_every = min((then[at] for when, then in pairs if when[1] > -1), default=0)
        high_every = _high_every([(when[0], when[1], then[at + 1]) for when, then in pairs])
        low, high = max(low_taken, low_every), max(high_taken, high_every)
        if all(when[0] == -1 for when, _ in pairs):  # perhaps none can be reached, which is unknown
            low, high = min(low, 0), max(high, 0)
        ends += [low, high]
    return ends[0], ends[1], ends[2], ends[3], ends[4], ends[5]


def _high_every(branches: Sequence[tuple[int, int, int]]) -> int:
    """Give the most that all reachable branches together can say."""
    sure = [then for low, _, then in branches if low > -1]
    perhaps = [then for _, high, then in branches if high > -1]
    return min(sure) if sure else max(perhaps, default=0)


def wanted(node: Lowered, leaves: Leaves) -> Iterator[int]:
    """Give the live leaves that may still change a node; parts that nothing can change are passed over."""
    if isinstance(node, AtomRef):
        if leaves.live[node.index]:
            yield node.index
        return
    if isinstance(node, Const) or is_fixed(node, leaves):
        return
    match node:
        case Negation():
            yield from wanted(node.of, leaves)
        case Switch():
            for branch in node.branches:
                yield from (leaf for part in branch for leaf in wanted(part, leaves))
        case _:
            yield from (leaf for part in node.of for leaf in wanted(part, leaves))
