"""Sets of codes as numbered spans, and one person's few coded facts held against all of them.

Which facts overlap a span, lie within it or cover it is kept as a bit for each
fact, 64 to a word, so that a leaf is judged by a few operations on words.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screening.atoms.rows import Integers
from screening.terms import CodeSet

Words = NDArray[np.uint64]
Flags = NDArray[np.bool_]
Ranks = NDArray[np.int32]

WORD: Final = 64
_HALF: Final = 32

_Place = tuple[str, str]
"""A code system and a position in it."""


def words_of(table: Flags, owners: Integers, count: int) -> Words:
    """Turn rows of flags, each owned by a fact, into a bit for each fact that has any.

    `owners` ascend; they are below `count`. The bits are added up as numbers of half a word, which are exact.
    """
    halves = np.zeros((2 * max(1, -(-count // WORD)), table.shape[1]))
    if len(owners):
        begins = np.concatenate([[True], owners[1:] != owners[:-1]])
        further = np.flatnonzero(~begins)
        if len(further):
            rows, table, owners = table, table[begins], owners[begins]
            for row, mine in zip(further, np.cumsum(begins)[further] - 1, strict=True):
                table[mine] |= rows[row]
        bits = np.zeros((len(halves), len(owners)))
        bits[owners // _HALF, np.arange(len(owners))] = np.exp2(owners % _HALF)
        np.matmul(bits, table.astype(np.float64), out=halves)
    words = halves.astype(np.uint64)
    return words[::2] | (words[1::2] << np.uint64(_HALF))


def some(words: Words) -> Flags:
    """Tell of each column of words whether any bit is set."""
    found: Flags = words[0] != 0
    for word in words[1:]:
        found |= word != 0
    return found


def distinct(words: Words) -> tuple[Words, Integers]:
    """Give columns of words that differ, and for each column which of them it is."""
    if len(words) == 1:
        found, kinds = np.unique(words[0], return_inverse=True)
        return found[None, :], kinds
    found, kinds = np.unique(words, axis=1, return_inverse=True)
    return found, kinds.reshape(-1)


@dataclass(frozen=True, slots=True)
class Held:
    """One person's facts against everything asked for: a bit for each fact, by span, `overlap` by set of codes.

    `places` are the facts' own spans, `lo` and `hi` their ends among all others, `owners` the facts.
    """

    overlap: Words
    span_overlap: Words
    span_within: Words
    span_covered: Words
    places: tuple[tuple[_Place, _Place], ...]
    owners: Integers
    lo: Ranks
    hi: Ranks


@dataclass(slots=True)
class Spans:
    """Every set of codes that a leaf asks for, as numbers of spans; equal spans are one.

    Sets are never empty. What leaves no longer ask for stays until all is made anew.
    """

    _spans: dict[tuple[_Place, _Place], int] = field(default_factory=dict)
    _sets: dict[tuple[int, ...], int] = field(default_factory=dict)
    _laid_out: int = -1
    _edges: list[_Place] = field(default_factory=list)
    _lo: Ranks = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    _hi: Ranks = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    _members: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    _first: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    _size: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    _place: list[tuple[_Place, _Place]] = field(default_factory=list)
    _further: list[tuple[Integers, Integers]] = field(default_factory=list)

    def number(self, codes: CodeSet) -> int | None:
        """Give the number of a set, or nothing where it is empty or one of its spans ends before it begins."""
        places = places_of(codes)
        if not places or not all(start < end for start, end in places):
            return None
        members = tuple(self._spans.setdefault(place, len(self._spans)) for place in places)
        return self._sets.setdefault(members, len(self._sets))

    def hold(self, codes: Sequence[CodeSet]) -> Held:
        """Hold a person's facts, by the codes of each, against every span and set."""
        self._lay_out()
        places = [(fact, place) for fact, held in enumerate(codes) for place in places_of(held)]
        owners = np.array([fact for fact, _ in places], dtype=np.int64)
        lo = np.array([self._rank(start) for _, (start, _) in places], dtype=np.int32)[:, None]
        hi = np.array([self._rank(end) for _, (_, end) in places], dtype=np.int32)[:, None]
        count = len(codes)
        overlap = words_of((lo < self._hi) & (self._lo < hi), owners, count)
        within = words_of((lo >= self._lo) & (hi <= self._hi), owners, count)
        covered = words_of((lo <= self._lo) & (hi >= self._hi), owners, count)
        return Held(
            overlap=self._by_set(overlap),
            span_overlap=overlap,
            span_within=within,
            span_covered=covered,
            places=tuple(place for _, place in places),
            owners=owners,
            lo=lo,
            hi=hi,
        )

    def within(self, held: Held, sets: Integers) -> Words:
        """Give the facts whose codes all lie within each set, for facts of a single span."""
        starts, spans = self._expanded(sets)
        found: Words = np.bitwise_or.reduceat(held.span_within.take(spans, axis=1), starts, axis=1)
        return found

    def covered(self, held: Held, sets: Integers, facts: Words, kinds: Integers) -> Flags:
        """Tell of each set whether its facts cover all its spans, one fact or several together.

        `kinds` says which column of `facts` is meant for each set.
        """
        if not len(sets):
            return np.zeros(0, dtype=bool)
        facts, same = distinct(facts)
        starts, spans = self._expanded(sets)
        spans += np.repeat(same[kinds] * len(self._lo), self._size[sets])
        shut = some(held.span_covered[:, None] & facts[:, :, None])
        several = np.bitwise_count(held.span_overlap[:, None] & facts[:, :, None]).sum(axis=0) > 1
        asked = np.zeros(shut.size, dtype=bool)
        asked[spans] = True
        left = np.flatnonzero(asked & (several & ~shut).reshape(-1))
        if len(left):
            kind, span = np.divmod(left, shut.shape[1])
            shut.reshape(-1)[left] = self._filled(held, span, facts.take(kind, axis=1))
        gaps = np.cumsum(~shut.take(spans), dtype=np.int32)
        gaps = gaps[np.append(starts[1:], len(spans)) - 1]
        covered: Flags = np.diff(gaps, prepend=np.int32(0)) == 0
        return covered

    def _expanded(self, sets: Integers) -> tuple[Integers, Integers]:
        """Give the spans of several sets one after the other, and where each set begins."""
        sizes = self._size[sets]
        starts = np.cumsum(sizes) - sizes
        return starts, self._members[np.repeat(self._first[sets] - starts, sizes) + np.arange(sizes.sum())]

    def _filled(self, held: Held, spans: Integers, facts: Words) -> Flags:
        """Tell of each span whether the facts beside it fill it together, if they are long enough."""
        low, high = self._lo[spans], self._hi[spans]
        lengths = np.clip(np.minimum(held.hi, high) - np.maximum(held.lo, low), 0, None)
        bits = (held.owners % WORD).astype(np.uint64)[:, None]
        counted = (facts[held.owners // WORD] >> bits) & np.uint64(1)
        filled: Flags = (lengths * counted.astype(np.int64)).sum(axis=0) >= high - low
        known: dict[tuple[int, bytes], bool] = {}
        for column in np.flatnonzero(filled):
            span, own = int(spans[column]), counted[:, column].astype(bool)
            which = span, own.tobytes()
            if which not in known:
                known[which] = _fill(
                    [place for place, is_in in zip(held.places, own, strict=True) if is_in], *self._place[span]
                )
            filled[column] = known[which]
        return filled

    def _rank(self, place: _Place) -> int:
        """Give the place of an end among all edges, between two of them if it is none itself."""
        index = bisect_left(self._edges, place)
        return 2 * index if index < len(self._edges) and self._edges[index] == place else 2 * index - 1

    def _by_set(self, words: Words) -> Words:
        """Join the facts of a set's spans."""
        by_set = words.take(self._members[self._first], axis=1)
        for sets, members in self._further:
            for row, word in zip(by_set, words, strict=True):
                row[sets] |= word[members]
        return by_set

    def _lay_out(self) -> None:
        if self._laid_out == len(self._sets):
            return
        self._laid_out = len(self._sets)
        self._edges = sorted({place for span in self._spans for place in span})
        ranks = {place: 2 * rank for rank, place in enumerate(self._edges)}
        self._lo = np.array([ranks[start] for start, _ in self._spans], dtype=np.int32)
        self._hi = np.array([ranks[end] for _, end in self._spans], dtype=np.int32)
        self._size = np.array([len(members) for members in self._sets], dtype=np.int64)
        self._first = np.cumsum(self._size) - self._size
        self._members = np.array([span for members in self._sets for span in members], dtype=np.int64)
        self._further = []
        self._place = list(self._spans)
        for place in range(1, int(self._size.max())):
            sets = np.flatnonzero(self._size > place)
            self._further.append((sets, self._members[self._first[sets] + place]))


def _fill(places: Sequence[tuple[_Place, _Place]], start: _Place, end: _Place) -> bool:
    """Tell whether spans leave no gap between two places."""
    reached = start
    for first, last in sorted(places):
        if first > reached:
            break
        reached = max(reached, last)
    return reached >= end


def places_of(codes: CodeSet) -> list[tuple[_Place, _Place]]:
    """Give the spans of a set in an order that keeps code systems apart."""
    return [
        ((system, start), (system, end)) for system in sorted(codes.spans) for start, end in codes.spans[system]
    ]
