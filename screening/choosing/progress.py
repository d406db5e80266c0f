"""How far a tree has come towards passing and towards failing, each from 0 to 1 (SEMANTICS 4).

`all` passes by the mean of its parts and fails by any of them, 1 - prod(1 -
fail); `any` is the dual. "At least N of" lies between: it passes as an `any`
over the means of N parts next to one another, the greatest first. A number is
1 only where the verdict is settled, and grows with each part that does.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

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

Way = tuple[float, float]
"""Towards passing, towards failing."""

NOWHERE: Way = (0.0, 0.0)
PASSES: Way = (1.0, 0.0)
FAILS: Way = (0.0, 1.0)
_SETTLED: dict[int, Way] = {1: PASSES, 0: NOWHERE, -1: FAILS}


def settled(value: int) -> Way:
    """Give how far a plain verdict has come."""
    return _SETTLED[value]


def gain(way: Way) -> float:
    """Give how far a study has come towards either end: 1 - (1 - fail)(1 - pass)."""
    return 1 - (1 - way[0]) * (1 - way[1])


def way_of(node: Lowered, leaves: Sequence[Way]) -> Way:
    """Work out how far a node has come from its leaves."""
    match node:
        case AtomRef():
            return leaves[node.index]
        case Const():
            return settled(int(node.value))
        case Negation():
            passing, failing = way_of(node.of, leaves)
            return failing, passing
        case Conjunction():
            return every([way_of(part, leaves) for part in node.of])
        case Disjunction():
            return some([way_of(part, leaves) for part in node.of])
        case Threshold():
            return so_many(node.count, [way_of(part, leaves) for part in node.of])
        case Switch():
            return _case(node, leaves)


def every(parts: Sequence[Way]) -> Way:
    """Join parts that must all pass."""
    if not parts:
        return PASSES
    return sum(part[0] for part in parts) / len(parts), 1 - prod(1 - part[1] for part in parts)


def some(parts: Sequence[Way]) -> Way:
    """Join parts of which one must pass."""
    failing, passing = every([(part[1], part[0]) for part in parts])
    return passing, failing


def so_many(count: int, parts: Sequence[Way]) -> Way:
    """Join parts of which so many must pass."""
    if count <= 0:
        return PASSES
    if count > len(parts):
        return FAILS
    passing = _in_a_row(count, [part[0] for part in parts])
    return passing, _in_a_row(len(parts) - count + 1, [part[1] for part in parts])


def _in_a_row(count: int, numbers: Sequence[float]) -> float:
    ranked = sorted(numbers, reverse=True)
    means = (sum(ranked[at : at + count]) / count for at in range(len(ranked) - count + 1))
    return 1 - prod(1 - mean for mean in means)


def _case(node: Switch, leaves: Sequence[Way]) -> Way:
    """Join a branch that is taken, or all branches that are not ruled out."""
    pairs = [(way_of(when, leaves), way_of(then, leaves)) for when, then in node.branches]
    reachable = [then for when, then in pairs if when[1] < 1]
    if not reachable:
        return NOWHERE
    return some([*(every(pair) for pair in pairs), every(reachable)])
