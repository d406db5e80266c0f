"""Coded leaves: a person's few statements and denials against every set of codes that is asked for.

What a statement says apart from its code, status, days, dose, depends only on
*how* a leaf asks, and few leaves ask in a way of their own. So each fact is
judged once per way of asking and once per set of codes; a leaf puts the two
together.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final, TypeVar

import numpy as np

from screening.assessment.evidence import Scene
from screening.assessment.statements import Entry, following
from screening.atoms.layers import MET, NOT_MET, OPEN, UNKNOWN, Bytes
from screening.atoms.numbers import ASKABLE, TOLD, asks
from screening.atoms.rows import Integers, Rows
from screening.atoms.spans import WORD, Flags, Held, Spans, Words, distinct, places_of, some
from screening.atoms.stretches import Anchors, Stretches
from screening.atoms.ways import Heard, Ways
from screening.language.criteria import Coded
from screening.language.questions import Atom
from screening.terms import CodeSet, Terms
from screening.vocabulary import Vocabulary

_SLOT, _SET, _WAY, _ASKS, _EXAMPLES, _KEYS, _ASKED, _DEFAULT = range(8)

_COUNTED: Final = -1
"""The way of leaves that count statements: the interpreter judges those that a fact touches."""

_ALL: Final = -1
_NONE: Final = -2
"""Instead of the number of a set: the person can be asked about all that a leaf asks for, or about none."""

_Trait = TypeVar("_Trait", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Found:
    """The bytes of leaves that a fact touches, and the slots of those to ask of the interpreter."""

    slots: Integers
    values: Bytes
    unclear: Integers


@dataclass(frozen=True, slots=True)
class Touched:
    """Some rows of a table, by their places in it, and a bit for each fact that touches them."""

    columns: Integers
    at: Integers
    overlap: Words

    def column(self, number: int) -> Integers:
        """Give what a column says of these rows."""
        found: Integers = self.columns[number][self.at]
        return found

    def take(self, which: Integers) -> Touched:
        """Give some of these rows."""
        return Touched(self.columns, self.at[which], self.overlap.take(which, axis=1))


class CodedAtoms:
    """All coded leaves, and those that count statements."""

    def __init__(self, vocabulary: Vocabulary, terms: Terms, stretches: Stretches) -> None:
        self._vocabulary = vocabulary
        self._terms = terms
        self._spans = Spans()
        self._ways = Ways(stretches)
        self._rows = Rows(8)
        self._denied: dict[str, CodeSet] = {}
        self._askable: dict[tuple[tuple[str, ...], int], int] = {}
        self._key_sets: dict[tuple[str, ...], int] = {}
        self._sets_with: dict[str, Integers] = {}

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
        default = OPEN if asking == TOLD or (asking == ASKABLE and asked != _NONE) else UNKNOWN
        if asking != ASKABLE:
            asked = _ALL
        self._rows.add(slot, (slot, number, way, asking, leaf.such_as, self._keys(atom), asked, default))
        return default

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
        at = np.flatnonzero(some(held.overlap)[columns[_SET]])
        if not len(at):
            return None
        overlap = held.overlap.take(columns[_SET][at], axis=1)
        plain = columns[_WAY][at] != _COUNTED
        either = _bits((place for place, entry in enumerate(told) if _is_either(entry)), len(overlap))
        if either.any():
            plain &= ~some(overlap & either)
        unclear = columns[_SLOT][at[~plain]]
        if not plain.all():
            kept = np.flatnonzero(plain)
            at, overlap = at[kept], overlap.take(kept, axis=1)
        heard = self._ways.hear(scene, told, columns[_WAY][at], overlap)
        values = self._values(Touched(columns, at, overlap), held, heard, told)
        return Found(columns[_SLOT][at], values, unclear)

    def _values(self, rows: Touched, held: Held, heard: Heard, told: Sequence[Entry]) -> Bytes:
        """Judge leaves by the statements that speak of them, and those of which none does by denials."""
        values = np.full(len(rows.at), UNKNOWN, dtype=np.uint8)
        spoken = _bits((place for place, entry in enumerate(told) if entry.statement), len(rows.overlap))
        speaks = some(rows.overlap & spoken)
        said = np.flatnonzero(speaks)
        unsaid = np.flatnonzero(~speaks)
        if len(said):
            values[said], unsettled = self._said(rows.take(said), held, heard, told)
            unsaid = np.concatenate([unsaid, said[unsettled]])
        if len(unsaid):
            values[unsaid] = self._unsaid(rows.take(unsaid), held, heard)
        return values

    def _said(self, rows: Touched, held: Held, heard: Heard, told: Sequence[Entry]) -> tuple[Bytes, Flags]:
        """Judge leaves by statements; tell which no statement settles."""
        ways, asking = rows.column(_WAY), rows.column(_ASKS)
        met, within = heard.met.take(ways, axis=1), self._spans.within(held, rows.column(_SET))
        hits = rows.overlap & within & met
        maybe = rows.overlap & (heard.maybe.take(ways, axis=1) | (met & ~within))
        if heard.bars is not None:
            maybe &= heard.bars.take(ways, axis=1)
        is_hit, is_vague = some(hits), some(maybe)
        values = np.full(len(ways), UNKNOWN, dtype=np.uint8)
        values[is_hit] = MET
        is_vague &= ~is_hit
        disputed = np.flatnonzero(is_hit & some(rows.overlap & heard.closing.take(ways, axis=1)))
        first = _first(hits.take(disputed, axis=1), told)
        against = self._contradicted(
            rows.take(disputed), first, (hits | maybe).take(disputed, axis=1), held, heard, told
        )
        unclear = np.concatenate([disputed[against], np.flatnonzero(is_vague)])
        by = np.concatenate([first[:, against], maybe[:, is_vague]], axis=1)
        can = (asking[unclear] == TOLD) | (asking[unclear] == ASKABLE) & self._answerable(
            rows.column(_KEYS)[unclear], by, told
        )
        values[unclear] = np.where(can, np.uint8(OPEN), np.uint8(UNKNOWN))
        return values, ~is_hit & ~is_vague

    def _contradicted(
        self,
        rows: Touched,
        first: Words,
        affirming: Words,
        held: Held,
        heard: Heard,
        told: Sequence[Entry],
    ) -> Flags:
        """Tell which hits another source denies, judged by what it told alone.

        `first` is the bit of the fact that each leaf is met by. Against what follows from a combination counts
        only what may speak against the combination too, whoever says it.
        """
        against = np.zeros(len(rows.at), dtype=bool)
        if not len(against):
            return against
        ways = rows.column(_WAY)
        closing = rows.overlap & heard.closing.take(ways, axis=1)
        for place, speaking in heard.against.items():
            follows = some(first & _bits([place], len(first)))
            speaks = np.where(follows, speaking.take(ways, axis=1), ~np.uint64(0))
            closing, affirming = closing & speaks, affirming & speaks
        for own in _bits_by(told, lambda entry: entry.fact.source, len(first)).values():
            which = np.flatnonzero(~some(affirming & own) & some(closing & own))
            facts, kinds = distinct(closing.take(which, axis=1) & own)
            against[which] |= self._spans.covered(held, rows.column(_SET)[which], facts, kinds)
        return against

    def _unsaid(self, rows: Touched, held: Held, heard: Heard) -> Bytes:
        """Judge leaves of which no statement speaks by what denials and closures cover."""
        sets, asked, ways = rows.column(_SET), rows.column(_ASKED), rows.column(_WAY)
        values = rows.column(_DEFAULT).astype(np.uint8)
        covered = np.flatnonzero(self._spans.covered(held, sets, heard.closing, ways))
        examples = self._rows.columns[_EXAMPLES][rows.at[covered]]
        values[covered] = np.where(examples == 0, np.uint8(NOT_MET), np.uint8(UNKNOWN))
        asked[covered] = _ALL
        near = np.flatnonzero(asked >= 0)
        values[near[self._spans.covered(held, asked[near], heard.closing, ways[near])]] = UNKNOWN
        return values

    def _answerable(self, keys: Integers, facts: Words, told: Sequence[Entry]) -> Flags:
        """Tell of which vague leaves a person may be asked again.

        Those keys are asked again that were answered, or all where none of the
        leaf's own was; one of them has to be for the person to answer.
        """
        own = np.zeros((len(facts), len(self._key_sets)), dtype=np.uint64)
        theirs = np.zeros_like(own)
        for name, mine in _bits_by(told, lambda entry: entry.fact.key, len(facts)).items():
            with_key = self._sets_with.get(name)
            if with_key is not None:
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
                before = self._sets_with.get(name, np.zeros(0, dtype=np.int64))
                self._sets_with[name] = np.append(before, number)
        return number

    def _asked(self, atom: Atom, wanted: CodeSet, number: int) -> int:
        """Say about which of the wanted codes the person can be asked."""
        if atom.told or not atom.askable:
            return _ALL
        told = tuple(name for name in atom.keys if self._vocabulary[name].participant_can_tell)
        if (told, number) not in self._askable:
            self._askable[told, number] = self._asked_by(told, wanted, number)
        return self._askable[told, number]

    def _asked_by(self, told: Sequence[str], wanted: CodeSet, number: int) -> int:
        denied = [self._denied_by(name) for name in told]
        if any(wanted.within(one) for one in denied):
            return _ALL
        left = wanted
        for one in denied:
            left = left.minus(one)
        asked = self._spans.number(wanted.minus(left))
        return _NONE if asked is None else _ALL if asked == number else asked

    def _denied_by(self, name: str) -> CodeSet:
        if name not in self._denied:
            self._denied[name] = self._vocabulary[name].denied(self._terms)
        return self._denied[name]


def _first(hits: Words, told: Sequence[Entry]) -> Words:
    """Give the bit of the fact that decides among several hits: the strongest source's, the first of those."""
    first = np.zeros_like(hits)
    by_rank = _bits_by(told, lambda entry: entry.fact.source.rank, len(hits))
    for _, own in sorted(by_rank.items(), key=itemgetter(0)):
        for row, mine in zip(first, hits & own, strict=True):
            row[:] = np.where(some(first), row, mine & (~mine + np.uint64(1)))
    return first


def _is_either(entry: Entry) -> bool:
    """Tell whether a statement may mean codes that lie apart, of which a leaf may ask for some."""
    return entry.statement is not None and len(places_of(entry.codes)) > 1


def _bits(facts: Iterable[int], words: int) -> Words:
    """Give a column of words in which the bits of some facts are set."""
    column = np.zeros((words, 1), dtype=np.uint64)
    for fact in facts:
        column[fact // WORD] |= np.uint64(1 << fact % WORD)
    return column


def _bits_by(told: Sequence[Entry], by: Callable[[Entry], _Trait], words: int) -> dict[_Trait, Words]:
    """Give the bits of facts that are alike."""
    alike: dict[_Trait, list[int]] = {}
    for place, entry in enumerate(told):
        alike.setdefault(by(entry), []).append(place)
    return {which: _bits(places, words) for which, places in alike.items()}
