"""Coded leaves: a person's few statements and denials against every set of codes that is asked for.

What a statement says apart from its code, status, days, dose, depends only on
*how* a leaf asks, and few leaves ask in a way of their own. So each fact is
judged once per way of asking and once per set of codes; a leaf puts the two
together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from screening.assessment.evidence import Scene
from screening.assessment.statements import Entry, following
from screening.atoms.layers import MET, NOT_MET, OPEN, UNKNOWN, Bytes
from screening.atoms.numbers import ASKABLE, TOLD, asks
from screening.atoms.rows import Integers, Rows
from screening.atoms.spans import Flags, Held, Spans, Words, places_of, some
from screening.atoms.stretches import Anchors, Stretches
from screening.atoms.ways import Heard, Ways
from screening.language.criteria import Coded
from screening.language.questions import Atom
from screening.terms import CodeSet, Terms
from screening.vocabulary import Vocabulary

_SLOT, _SET, _WAY, _ASKS, _EXAMPLES, _KEYS, _ASKED = range(7)

_COUNTED: Final = -1
"""The way of leaves that count statements: the interpreter judges those that a fact touches."""

_ALL: Final = -1
_NONE: Final = -2
"""Instead of the number of a set: the person can be asked about all that a leaf asks for, or about none."""


@dataclass(frozen=True, slots=True)
class Found:
    """The bytes of leaves that a fact touches, and the slots of those to ask of the interpreter."""

    slots: Integers
    values: Bytes
    unclear: Integers


class CodedAtoms:
    """All coded leaves, and those that count statements."""

    def __init__(self, vocabulary: Vocabulary, terms: Terms, stretches: Stretches) -> None:
        self._vocabulary = vocabulary
        self._terms = terms
        self._spans = Spans()
        self._ways = Ways(stretches)
        self._rows = Rows(7)
        self._denied: dict[str, CodeSet] = {}
        self._askable: dict[tuple[tuple[str, ...], int], int] = {}
        self._key_sets: dict[tuple[str, ...], int] = {}
        self._sets_with: dict[str, list[int]] = {}

    def __contains__(self, slot: int) -> bool:
        return slot in self._rows

    def add(self, slot: int, atom: Atom, leaf: Coded, anchors: Anchors, *, counts: bool) -> int | None:
        """Take a leaf in and give its byte for somebody without facts; nothing where it is out of the ordinary.

        `counts`: a leaf of which `leaf` is only the part that is counted.
        """
        wanted = CodeSet.of(self._terms, leaf.codes, leaf.but)
        number = self._spans.number(wanted)
        if number is None:
            return None
        way = _COUNTED if counts else self._ways.number(leaf, anchors)
        asked = self._asked(atom, wanted, number)
        asking = asks(atom)
        self._rows.add(slot, (slot, number, way, asking, leaf.such_as, self._keys(atom), asked))
        return OPEN if asking == TOLD or (asking == ASKABLE and asked != _NONE) else UNKNOWN

    def remove(self, slot: int) -> None:
        """Take a leaf out."""
        self._rows.remove(slot)

    def judge(self, scene: Scene, told: Sequence[Entry]) -> Found | None:
        """Judge the leaves that a person's coded facts touch; nothing where there are none."""
        columns = self._rows.columns
        if not told or not columns.shape[1]:
            return None
        if any(start >= end for entry in told for start, end in places_of(entry.codes)):
            return Found(columns[_SLOT][:0], np.zeros(0, dtype=np.uint8), columns[_SLOT])
        combined = [entry for entry in told if entry.contains.sure]
        if combined:
            parts = (following(one, one.contains.sure, (), self._terms) for one in combined)
            told = [*told, *(entry for held in parts for entry in held)]
        held = self._spans.hold([entry.codes for entry in told])
        touched = np.flatnonzero(some(held.overlap)[columns[_SET]])
        if not len(touched):
            return None
        rows = columns.take(touched, axis=1)
        overlap = held.overlap.take(rows[_SET], axis=1)
        plain = rows[_WAY] != _COUNTED
        either = _bits((place for place, entry in enumerate(told) if _is_either(entry)), len(overlap))
        if either.any():
            plain &= ~some(overlap & either)
        unclear = rows[_SLOT][~plain]
        if not plain.all():
            kept = np.flatnonzero(plain)
            rows, overlap = rows.take(kept, axis=1), overlap.take(kept, axis=1)
        heard = self._ways.hear(scene, told, rows[_WAY], overlap)
        values, doubtful = self._values(rows, overlap, held, heard, told)
        return Found(rows[_SLOT], values, np.concatenate([unclear, rows[_SLOT][doubtful]]))

    def _values(
        self, rows: Integers, overlap: Words, held: Held, heard: Heard, told: Sequence[Entry]
    ) -> tuple[Bytes, Flags]:
        """Judge leaves by the statements that speak of them, and those of which none does by denials."""
        values = np.full(rows.shape[1], UNKNOWN, dtype=np.uint8)
        doubtful = np.zeros(rows.shape[1], dtype=bool)
        closing = overlap & heard.closing.take(rows[_WAY], axis=1)
        spoken = _bits((place for place, entry in enumerate(told) if entry.statement), len(overlap))
        said = np.flatnonzero(some(overlap & spoken))
        unsaid = np.ones(rows.shape[1], dtype=bool)
        if len(said):
            values[said], doubtful[said], unsaid[said] = self._said(
                rows.take(said, axis=1),
                overlap.take(said, axis=1),
                closing.take(said, axis=1),
                held,
                heard,
                told,
            )
        which = np.flatnonzero(unsaid)
        if len(which):
            values[which] = self._unsaid(rows.take(which, axis=1), closing.take(which, axis=1), held)
        return values, doubtful

    def _said(
        self, rows: Integers, overlap: Words, closing: Words, held: Held, heard: Heard, told: Sequence[Entry]
    ) -> tuple[Bytes, Flags, Flags]:
        """Judge leaves by statements; tell which to ask of the interpreter, and which no statement settles."""
        sets, ways = rows[_SET], rows[_WAY]
        met, within = heard.met.take(ways, axis=1), self._spans.within(held, sets)
        hits = overlap & within & met
        maybe = overlap & (heard.maybe.take(ways, axis=1) | (met & ~within))
        if heard.bars is not None:
            maybe &= heard.bars.take(ways, axis=1)
        is_hit, is_vague = some(hits), some(maybe)
        values = np.full(len(sets), UNKNOWN, dtype=np.uint8)
        doubtful = np.zeros(len(sets), dtype=bool)
        against = np.zeros(len(sets), dtype=bool)
        which = np.flatnonzero(is_hit)
        if len(which):
            against[which] = self._contradicted(
                sets[which],
                hits.take(which, axis=1),
                maybe.take(which, axis=1),
                closing.take(which, axis=1),
                held,
                told,
            )
        values[is_hit & ~against] = MET
        is_vague &= ~is_hit
        values[(is_vague | against) & (rows[_ASKS] == TOLD)] = OPEN
        which = np.flatnonzero(is_vague & (rows[_ASKS] == ASKABLE))
        if len(which):
            can = self._answerable(rows[_KEYS][which], maybe[:, which], told)
            values[which[can]] = OPEN
        doubtful |= against & (rows[_ASKS] == ASKABLE)
        if heard.follows is not None:
            doubtful |= some(hits & heard.follows) & some(closing)
        return values, doubtful, ~is_hit & ~is_vague

    def _contradicted(
        self, sets: Integers, hits: Words, maybe: Words, closing: Words, held: Held, told: Sequence[Entry]
    ) -> Flags:
        """Tell which hits another source denies, judged by what it told alone."""
        against = np.zeros(len(sets), dtype=bool)
        for source in {entry.fact.source for entry in told}:
            own = _bits((place for place, entry in enumerate(told) if entry.fact.source is source), len(hits))
            only_closing = ~some((hits | maybe) & own) & some(closing & own)
            which = np.flatnonzero(only_closing)
            if len(which):
                against[which] |= self._spans.covered(held, sets[which], closing[:, which] & own)
        return against

    def _unsaid(self, rows: Integers, closing: Words, held: Held) -> Bytes:
        """Judge leaves of which no statement speaks by what denials and closures cover."""
        asking, asked = rows[_ASKS], rows[_ASKED]
        can = (asking == TOLD) | ((asking == ASKABLE) & (asked != _NONE))
        values = np.where(can, np.uint8(OPEN), np.uint8(UNKNOWN))
        which = np.flatnonzero(some(closing))
        covered = self._spans.covered(held, rows[_SET][which], closing.take(which, axis=1))
        values[which[covered]] = np.where(
            rows[_EXAMPLES][which[covered]] == 0, np.uint8(NOT_MET), np.uint8(UNKNOWN)
        )
        partly = which[~covered & (asked[which] >= 0) & (asking[which] == ASKABLE)]
        values[partly[self._spans.covered(held, asked[partly], closing[:, partly])]] = UNKNOWN
        return values

    def _answerable(self, keys: Integers, facts: Words, told: Sequence[Entry]) -> Flags:
        """Tell of which vague leaves a person may be asked again.

        Those keys are asked again that were answered, or all where none of the
        leaf's own was; one of them has to be for the person to answer.
        """
        own = np.zeros((len(facts), len(self._key_sets)), dtype=np.uint64)
        theirs = np.zeros_like(own)
        for name in {entry.fact.key for entry in told} & self._sets_with.keys():
            with_key = self._sets_with[name]
            mine = _bits((place for place, entry in enumerate(told) if entry.fact.key == name), len(facts))
            own[:, with_key] |= mine
            if self._vocabulary[name].participant_can_tell:
                theirs[:, with_key] |= mine
        can: Flags = ~some(facts & own.take(keys, axis=1)) | some(facts & theirs.take(keys, axis=1))
        return can

    def _keys(self, atom: Atom) -> int:
        """Give the number of the keys of an atom, all together."""
        number = self._key_sets.get(atom.keys)
        if number is None:
            number = self._key_sets[atom.keys] = len(self._key_sets)
            for name in set(atom.keys):
                self._sets_with.setdefault(name, []).append(number)
        return number

    def _asked(self, atom: Atom, wanted: CodeSet, number: int) -> int:
        """Say about which of the wanted codes the person can be asked."""
        if atom.told or not atom.askable:
            return _ALL
        told = tuple(name for name in atom.keys if self._vocabulary[name].participant_can_tell)
        if (told, number) not in self._askable:
            left = wanted
            for name in told:
                left = left.minus(self._denied_by(name))
            asked = self._spans.number(wanted.minus(left))
            self._askable[told, number] = _NONE if asked is None else _ALL if asked == number else asked
        return self._askable[told, number]

    def _denied_by(self, name: str) -> CodeSet:
        if name not in self._denied:
            self._denied[name] = self._vocabulary[name].denied(self._terms)
        return self._denied[name]


def _is_either(entry: Entry) -> bool:
    """Tell whether a statement may mean codes that lie apart, of which a leaf may ask for some."""
    return entry.statement is not None and len(places_of(entry.codes)) > 1


def _bits(facts: Iterable[int], words: int) -> Words:
    """Give a column of words in which the bits of some facts are set."""
    total = sum(1 << fact for fact in facts)
    column = np.frombuffer(total.to_bytes(8 * words, "little"), dtype="<u8").astype(np.uint64)
    return column[:, None]
