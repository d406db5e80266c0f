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

WORD: Final = 64

_Place = tuple[str, str]
"""A code system and a position in it."""


def words_of(table: Flags, owners: Integers, count: int) -> Words:
    """Turn rows of flags, each owned by a fact, into a bit for each fact that has any."""
    words = np.zeros((max(1, -(-count // WORD)), table.shape[1]), dtype=np.uint64)
    for word in range(len(words)):
        mine = owners // WORD == word
        bits = np.left_shift(np.uint64(1), (owners[mine] % WORD).astype(np.uint64))
        chosen = table[mine].view(np.uint8).astype(np.uint64) * bits[:, None]
        words[word] = np.bitwise_or.reduce(chosen, axis=0)
    return words


def some(words: Words) -> Flags:
    """Tell of each column of words whether any bit is set."""
    found: Flags = words[0] != 0
    for word in words[1:]:
        found |= word != 0
    return found


@dataclass(frozen=True, slots=True)
class Held:
    """One person's facts against everything asked for: a bit for each fact, by set of codes or by span.

    `places` are the facts' own spans, `lo` and `hi` their ends among all others, `owners` the facts.
    """

    overlap: Words
    covered: Words
    span_overlap: Words
    span_within: Words
    span_covered: Words
    places: tuple[tuple[_Place, _Place], ...]
    owners: Integers
    lo: Integers
    hi: Integers


@dataclass(slots=True)
class Spans:
    """Every set of codes that a leaf asks for, as numbers of spans; equal spans are one.

    Sets are never empty. What leaves no longer ask for stays until all is made anew.
    """

    _spans: dict[tuple[_Place, _Place], int] = field(default_factory=dict)
    _sets: dict[tuple[int, ...], int] = field(default_factory=dict)
    _laid_out: int = -1
    _edges: list[_Place] = field(default_factory=list)
    _lo: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    _hi: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
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
        lo = np.array([self._rank(start) for _, (start, _) in places], dtype=np.int64)[:, None]
        hi = np.array([self._rank(end) for _, (_, end) in places], dtype=np.int64)[:, None]
        count = len(codes)
        overlap = words_of((lo < self._hi) & (self._lo < hi), owners, count)
        within = words_of((lo >= self._lo) & (hi <= self._hi), owners, count)
        covered = words_of((lo <= self._lo) & (hi >= self._hi), owners, count)
        return Held(
            overlap=self._by_set(overlap, np.bitwise_or),
            covered=self._by_set(covered, np.bitwise_and),
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

    def covered(self, held: Held, sets: Integers, facts: Words) -> Flags:
        """Tell of each set whether the facts beside it cover it, one of them or several together."""
        covered = some(held.covered.take(sets, axis=1) & facts)
        left = np.flatnonzero(~covered)
        near = held.overlap.take(sets[left], axis=1) & facts.take(left, axis=1)
        left = left[np.bitwise_count(near).sum(axis=0) > 1]
        if len(left):
            covered[left] = self._covered_together(held, sets[left], facts[:, left])
        return covered

    def _covered_together(self, held: Held, sets: Integers, facts: Words) -> Flags:
        """Tell it span by span, where one fact may cover one and another the next."""
        starts, spans = self._expanded(sets)
        by_span = np.repeat(facts, self._size[sets], axis=1)
        whole = some(held.span_covered.take(spans, axis=1) & by_span)
        several = np.bitwise_count(held.span_overlap.take(spans, axis=1) & by_span).sum(axis=0) > 1
        which = np.flatnonzero(~whole & several)
        if len(which):
            whole[which] = self._filled(held, spans[which], by_span[:, which])
        covered: Flags = np.logical_and.reduceat(whole, starts)
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

    def _by_set(self, words: Words, joined: np.ufunc) -> Words:
        by_set = words.take(self._members[self._first], axis=1)
        for sets, members in self._further:
            for row, word in zip(by_set, words, strict=True):
                row[sets] = joined(row[sets], word[members])
        return by_set

    def _lay_out(self) -> None:
        if self._laid_out == len(self._sets):
            return
        self._laid_out = len(self._sets)
        self._edges = sorted({place for span in self._spans for place in span})
        ranks = {place: 2 * rank for rank, place in enumerate(self._edges)}
        self._lo = np.array([ranks[start] for start, _ in self._spans], dtype=np.int64)
        self._hi = np.array([ranks[end] for _, end in self._spans], dtype=np.int64)
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
