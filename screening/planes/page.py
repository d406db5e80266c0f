"""One page of a pool: the next people in an order, each with the interpreter's reasons.

The order is by score, highest first, and by slot where scores are the same, so
that a page begins where the last one ended, whoever came or went meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from screening.assessment.assess import Assessment
from screening.language.lowering import LoweredProtocol
from screening.planes.bits import Slots
from screening.planes.pool import Pool, PoolResult
from screening.verdict import Disposition
from screening.vocabulary import Vocabulary

Scores = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody stands in the order."""

    score: float
    slot: int


@dataclass(frozen=True, slots=True)
class Shown:
    """One person of a page."""

    place: Place
    assessment: Assessment


@dataclass(frozen=True, slots=True)
class Page:
    """The people of a page in order, and how many there are on all pages; `after` begins the next one."""

    people: tuple[Shown, ...]
    total: int
    after: Place | None


def page_of(
    pool: Pool,
    lowered: LoweredProtocol,
    result: PoolResult,
    *,
    vocabulary: Vocabulary,
    dispositions: Collection[Disposition],
    scores: Scores | None = None,
    after: Place | None = None,
    count: int = 50,
) -> Page:
    """Show the next people of some dispositions, each explained by the interpreter on the day of the result.

    `scores` has one for each slot; without them, everybody's is the same. Whoever has none (NaN) comes last.

    :raises ValueError: when the result is of another protocol, vocabulary or snapshot, or a slot has no score.
    """
    _refuse_another(pool, lowered, result, vocabulary)
    slots = np.sort(
        np.concatenate([result.slots(one) for one in dispositions] or [np.zeros(0, dtype=np.int32)])
    )
    if scores is not None and len(slots) and int(slots[-1]) >= len(scores):
        raise ValueError(f"there is no score for slot {slots[-1]}")
    own = np.zeros(len(slots)) if scores is None else np.nan_to_num(scores[slots], nan=-np.inf)
    places = ranked(slots, own, after=after, count=count + 1)
    shown = tuple(
        Shown(
            place,
            pool.assess(
                place.slot,
                lowered,
                on=result.on,
                vocabulary=vocabulary,
                closed_cohorts=result.closed_cohorts,
            ),
        )
        for place in places[:count]
    )
    return Page(shown, len(slots), shown[-1].place if len(places) > count else None)


def ranked(slots: Slots, scores: Scores, *, after: Place | None, count: int) -> list[Place]:
    """Give the first people in order that come after a place; `slots` are in order, each with its score."""
    if after is not None:
        behind = (scores < after.score) | ((scores == after.score) & (slots > after.slot))
        slots, scores = slots[behind], scores[behind]
    if len(slots) > count:
        least = np.partition(scores, len(scores) - count)[len(scores) - count]
        above = np.flatnonzero(scores > least)
        level = np.flatnonzero(scores == least)[: count - len(above)]
        chosen = np.concatenate((above, level))
        slots, scores = slots[chosen], scores[chosen]
    order = np.lexsort((slots, -scores))
    return [Place(float(scores[at]), int(slots[at])) for at in order.tolist()]


def _refuse_another(pool: Pool, lowered: LoweredProtocol, result: PoolResult, vocabulary: Vocabulary) -> None:
    ours = (lowered.digest, vocabulary.version, pool.snapshot.version)
    if (result.protocol, result.vocabulary, result.snapshot) != ours:
        raise ValueError("a result of another protocol, vocabulary or snapshot")
