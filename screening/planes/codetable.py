"""The codes of a pool, numbered so that a code with all its descendants is a run of numbers."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from screening.facts import Code
from screening.planes.bits import Flags
from screening.terms import CodeSet, Terms

Place = tuple[str, str]


@dataclass(frozen=True, eq=False)
class CodeTable:
    """The codes of a pool in the order of their spans; those of several spans stand behind the others.

    Places of a code system follow one another, so that a set is held against
    all codes by comparing numbers. What is written down in `texts` is read
    when it is first asked for.
    """

    texts: NDArray[np.uint8]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    terms: Terms

    @classmethod
    def of(cls, codes: Sequence[Code], terms: Terms) -> CodeTable:
        """Look the codes up and put them in order."""
        single = {code: place for code in codes if (place := _single(terms, code)) is not None}
        ordered = sorted(single, key=lambda code: single[code])
        rest = [code for code in codes if code not in single]
        marks = sorted({end for place in single.values() for end in place})
        ranks = {mark: rank for rank, mark in enumerate(marks)}
        held = [[code.system, code.code, code.release] for code in (*ordered, *rest)]
        return cls(
            texts=np.frombuffer(json.dumps([held, marks]).encode(), dtype=np.uint8),
            start=np.array([ranks[single[code][0]] for code in ordered], dtype=np.int64),
            end=np.array([ranks[single[code][1]] for code in ordered], dtype=np.int64),
            terms=terms,
        )

    @cached_property
    def _told(self) -> list[list[list[str]]]:
        told: list[list[list[str]]] = json.loads(self.texts.tobytes())
        return told

    @cached_property
    def codes(self) -> tuple[Code, ...]:
        """The codes, by number."""
        return tuple(Code(*parts) for parts in self._told[0])

    @cached_property
    def marks(self) -> list[Place]:
        """Where spans begin and end, in order."""
        return [(system, position) for system, position in self._told[1]]

    @property
    def plain(self) -> int:
        """How many codes have one span."""
        return len(self.start)

    @cached_property
    def odd(self) -> tuple[CodeSet, ...]:
        """What the other codes cover."""
        return tuple(CodeSet.of(self.terms, (code,)) for code in self.codes[self.plain :])

    @cached_property
    def _combinations(self) -> tuple[tuple[int, CodeSet, CodeSet], ...]:
        """The codes that contain others, by number, with what is surely and what may be in them."""
        held = ((number, self.terms.components(code)) for number, code in enumerate(self.codes))
        return tuple(
            (number, CodeSet.of(self.terms, one.sure), CodeSet.of(self.terms, one.possible))
            for number, one in held
            if one.possible
        )

    def containing(self, wanted: CodeSet) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """List the codes that surely contain something that overlaps a set, and the others that may."""
        surely = [number for number, sure, _ in self._combinations if sure.overlaps(wanted)]
        perhaps = [number for number, _, possible in self._combinations if possible.overlaps(wanted)]
        sole = sorted({*perhaps} - {*surely})
        return np.array(surely, dtype=np.int64), np.array(sole, dtype=np.int64)

    def against(self, wanted: CodeSet) -> tuple[Flags, Flags]:
        """Mark the codes that overlap a set, and those that lie within it."""
        overlaps = np.zeros(len(self.codes), dtype=np.bool_)
        within = np.zeros(len(self.codes), dtype=np.bool_)
        for system, spans in wanted.spans.items():
            for first, last in spans:
                lo, hi = (system, first), (system, last)
                begins = self.start >= bisect_left(self.marks, lo)
                overlaps[: self.plain] |= (self.start < bisect_left(self.marks, hi)) & (
                    self.end >= bisect_right(self.marks, lo)
                )
                within[: self.plain] |= begins & (self.end < bisect_right(self.marks, hi))
        for place, codes in enumerate(self.odd, start=self.plain):
            overlaps[place] = codes.overlaps(wanted)
            within[place] = codes.within(wanted)
        return overlaps, within


def _single(terms: Terms, code: Code) -> tuple[Place, Place] | None:
    """Give the two ends of a code of one span; those of none or several have no such ends."""
    spans = terms.spans(code)
    if len(spans) != 1 or spans[0][0] >= spans[0][1]:
        return None
    return (code.system, spans[0][0]), (code.system, spans[0][1])
