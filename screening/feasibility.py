"""How many of a pool a protocol leaves: at least and at most, criterion by criterion.

Everything is counted twice: who surely passes, and who passes or may, as far
as is known. The truth lies between the two (SEMANTICS 3); neither is a promise
that anybody is eligible.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from screening.planes.bits import Plane


@dataclass(frozen=True, slots=True)
class Passing:
    """A criterion's two planes: who surely passes, and who passes or may."""

    criterion: str
    must: Plane
    may: Plane


@dataclass(frozen=True, slots=True)
class Sets:
    """Two sets of people: those for sure, and with them those who are possible."""

    surely: Plane
    possibly: Plane

    def without(self, other: Sets) -> Sets:
        """Give who is in this pair and not in the other, set by set."""
        return Sets(self.surely & ~other.surely, self.possibly & ~other.possibly)


@dataclass(frozen=True, slots=True)
class Effect:
    """What one criterion does to the pool.

    `alone` is who fails it, whatever the others say. `only` is who fails it
    and no other: they would come back if it were dropped. `left` is who is
    left after it and all before it, in the order of the protocol.
    """

    criterion: str
    alone: Sets
    only: Sets
    left: Sets


@dataclass(frozen=True, slots=True)
class Feasibility:
    """A protocol over a pool: who there is, who is left, and what each criterion does."""

    pool: Plane
    left: Sets
    effects: tuple[Effect, ...]


def feasibility(pool: Plane, criteria: Sequence[Passing]) -> Feasibility:
    """Lay the criteria of a protocol over a pool, all of them and one by one."""
    must = _running(pool, (one.must for one in criteria))
    may = _running(pool, (one.may for one in criteria))
    must_after = _running(pool, (one.must for one in reversed(criteria)))[::-1]
    may_after = _running(pool, (one.may for one in reversed(criteria)))[::-1]
    effects = []
    for place, one in enumerate(criteria):
        others_must = must[place] & must_after[place + 1]
        others_may = may[place] & may_after[place + 1]
        effects.append(
            Effect(
                one.criterion,
                alone=Sets(pool & ~one.may, pool & ~one.must),
                only=Sets(others_must & ~one.may, others_may & ~one.must),
                left=Sets(must[place + 1], may[place + 1]),
            )
        )
    return Feasibility(pool, Sets(must[-1], may[-1]), tuple(effects))


def gained(before: Feasibility, after: Feasibility) -> Sets:
    """Give who is left by a changed protocol and was not before, such as by a relaxed threshold."""
    return after.left.without(before.left)


def _running(pool: Plane, planes: Iterable[Plane]) -> list[Plane]:
    """Give who is left before the first, after the first, and so on."""
    left = [pool]
    for plane in planes:
        left.append(np.bitwise_and(left[-1], plane))
    return left
