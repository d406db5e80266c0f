"""Three truth values, in order, and the strong Kleene algebra over them.

"Not met", "unknown" and "met" are kept as -1, 0 and 1, so that *and* is the
least, *or* the greatest and *not* the negative. Unknown is never a no.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, StrEnum


class Kleene(IntEnum):
    """Whether something holds, as far as is known."""

    NOT_MET = -1
    UNKNOWN = 0
    MET = 1

    @property
    def is_settled(self) -> bool:
        """Whether no further fact can be needed."""
        return self is not Kleene.UNKNOWN

    def __str__(self) -> str:
        return _WORDS[self]


_WORDS = {Kleene.NOT_MET: "not met", Kleene.UNKNOWN: "unknown", Kleene.MET: "met"}
_OPPOSITE = {
    Kleene.NOT_MET: Kleene.MET,
    Kleene.UNKNOWN: Kleene.UNKNOWN,
    Kleene.MET: Kleene.NOT_MET,
}


class Label(StrEnum):
    """What staff read beside a criterion."""

    PASSES = "passes"
    RULES_OUT = "rules_out"
    UNKNOWN = "unknown"
    DOES_NOT_APPLY = "does_not_apply"


class Disposition(StrEnum):
    """Where a person stands towards a study; "eligible" is a word only the site may use."""

    INELIGIBLE = "ineligible"
    POTENTIAL_CANDIDATE = "potential_candidate"
    CANDIDATE = "candidate"

    @property
    def rank(self) -> int:
        """The place in the order from worst (0) to best (2)."""
        return _DISPOSITION_RANKS[self]


_DISPOSITION_RANKS = {disposition: rank for rank, disposition in enumerate(Disposition)}


def truth(value: bool) -> Kleene:
    """Turn a plain truth value into a settled verdict."""
    return Kleene.MET if value else Kleene.NOT_MET


def negate(value: Kleene) -> Kleene:
    """Turn met into not met and back; unknown stays."""
    return _OPPOSITE[value]


def all_of(values: Iterable[Kleene]) -> Kleene:
    """Conjoin: the least of the values, met when there are none."""
    return min(values, default=Kleene.MET)


def any_of(values: Iterable[Kleene]) -> Kleene:
    """Disjoin: the greatest of the values, not met when there are none."""
    return max(values, default=Kleene.NOT_MET)


def at_least(count: int, values: Iterable[Kleene]) -> Kleene:
    """Judge "at least N of": the N-th largest value.

    Met if N are met, not met if met and unknown together are fewer than N,
    else unknown; always met for a count of 0 or less.
    """
    if count <= 0:
        return Kleene.MET
    ranked = sorted(values, reverse=True)
    return ranked[count - 1] if count <= len(ranked) else Kleene.NOT_MET
