"""Leaves tied to the vocabulary: which keys can settle one, and whether the person can be asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from screening.language.criteria import Age, Attested, Coded, Distinct, Is, Leaf, Number, When
from screening.terms import CodeSet, Terms
from screening.vocabulary import Answerer, Key, KeyKind, Vocabulary

BIRTH = "birth"
"""The key that ages are computed from."""


@dataclass(frozen=True, slots=True)
class Atom:
    """A leaf, the keys whose facts can settle it, and whether the person may be the one to tell.

    `told` says that somebody declared who can tell, so that the keys' own
    word on it does not count.
    """

    leaf: Leaf
    keys: tuple[str, ...]
    askable: bool
    told: bool = False


@dataclass(frozen=True, slots=True)
class Resolver:
    """Turns leaves into atoms with the help of a vocabulary and a terminology."""

    vocabulary: Vocabulary
    terms: Terms

    def atom(self, leaf: Leaf, evidence: Answerer | None = None) -> Atom:
        """Tie a leaf to its keys; `evidence` is who can tell according to the criterion.

        :raises UnknownKey: when the vocabulary lacks a key that the leaf names.
        """
        keys = self.keys(leaf)
        told = leaf.told_by or evidence
        names = tuple(key.name for key in keys)
        return Atom(leaf, names, self._askable(leaf, keys, told), told=told is not None)

    def keys(self, leaf: Leaf) -> tuple[Key, ...]:
        """Give the keys to ask: inputs for what is computed, overlapping questions for codes.

        :raises UnknownKey: when the vocabulary lacks a key that the leaf names.
        """
        match leaf:
            case Age():
                return (self.vocabulary[BIRTH],)
            case Distinct():
                return self.keys(leaf.of)
            case Coded(key=None):
                return self._keys_for_codes(CodeSet.of(self.terms, leaf.codes, leaf.but))
            case Number() | When() | Is() | Attested() | Coded():
                return self._inputs(self.vocabulary[leaf.key or ""])
            case _:
                return ()

    def _inputs(self, key: Key) -> tuple[Key, ...]:
        if key.computed is None:
            return (key,)
        return tuple(self.vocabulary[name] for name in key.computed.inputs)

    def _keys_for_codes(self, wanted: CodeSet) -> tuple[Key, ...]:
        """Prefer what the person can be asked; add catch-all keys of others only for what that leaves."""
        told = [(key, key.denied(self.terms)) for key in self.vocabulary if key.kind is KeyKind.CODED]
        asked = _fitting([one for one in told if one[0].participant_can_tell], wanted)
        left = wanted
        for _, denied in asked:
            left = left.minus(denied)
        others = (
            [] if left.is_empty else _fitting([one for one in told if not one[0].participant_can_tell], left)
        )
        return tuple(key for key, _ in (*asked, *others))

    @staticmethod
    def _askable(leaf: Leaf, keys: tuple[Key, ...], teller: Answerer | None) -> bool:
        if leaf.decides_from is not None and not leaf.decides_from.is_participant:
            return False
        if teller is not None:
            return teller is Answerer.PARTICIPANT
        return any(key.participant_can_tell for key in keys)


def participant_completes(key: Key | None, lacking: Iterable[str], vocabulary: Vocabulary) -> bool:
    """Tell whether the person can give what a leaf lacks: of a computed value everything, else some of it.

    Whoever cannot tell their creatinine settles no eGFR by telling their sex.
    """
    held = [vocabulary.get(name) for name in lacking]
    told = [one is not None and one.participant_can_tell for one in held]
    is_computed = key is not None and key.computed is not None
    return bool(told) and (all(told) if is_computed else any(told))


def _fitting(told: Sequence[tuple[Key, CodeSet]], wanted: CodeSet) -> list[tuple[Key, CodeSet]]:
    """Take the narrowest question that covers all codes, or else every one that overlaps them."""
    covering = [one for one in told if wanted.within(one[1])]
    for one in covering:
        if all(one[1].within(denied) for _, denied in covering):
            return [one]
    return [one for one in covering or told if one[1].overlaps(wanted)]
