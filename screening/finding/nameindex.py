"""Names found by the beginnings of their words, and by words with one slip of the finger.

Every beginning of every word leads to a stretch of the sorted words, so a
word that is still being typed is one look-up. A misspelt one is tried in all
spellings that are one edit away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from screening.medicine_names import tidy

LONGEST_QUERY: Final = 80
_MOST_WORDS: Final = 6
_SHORTEST_QUERY: Final = 2
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_SHORTEST_TYPO: Final = 4
_SHORTEST_UNFINISHED_TYPO: Final = 5
_SHORTEST_TWO_TYPOS: Final = 7
_TELLING: Final = 4
"""A word of fewer letters says nothing when it is the only one of several that is known."""
_ENOUGH: Final = 8
"""With so many names found by how they are written, misspelt ones are not looked for."""
_SILENT: Final = frozenset(
    (
        *("a", "an", "and", "had", "have", "i", "in", "my", "of", "on", "the", "to", "with"),
        *("con", "de", "del", "el", "en", "la", "las", "los", "mi", "por", "tengo", "un", "una", "y"),
    )
)


class Fit(IntEnum):
    """How well a name fits what was typed, best first."""

    WHOLE = 0
    BEGINNING = 1
    WORDS = 2
    BEGINNINGS = 3
    TYPO = 4
    TYPO_BEGINNING = 5
    FAR_TYPO = 6
    SOME_WORDS = 7


@dataclass(frozen=True, slots=True)
class Hit:
    """One name that fits, by its place in the list that was indexed."""

    place: int
    fit: Fit
    extra: int
    """How many words the name has more than were typed; of `SOME_WORDS`, how many typed words it lacks."""


class NameIndex:
    """Names by their words. Immutable; places are those of the list that it was made from."""

    __slots__ = ("_begin", "_held", "_names", "_sizes", "_words")

    def __init__(self, names: Iterable[str]) -> None:
        self._names: Sequence[str] = tuple(map(tidy, names))
        parts = [name.split() for name in self._names]
        self._sizes: Sequence[int] = tuple(map(len, parts))
        self._words: Sequence[str] = sorted({word for words in parts for word in words})
        numbers = {word: number for number, word in enumerate(self._words)}
        held: list[list[int]] = [[] for _ in self._words]
        for place, words in enumerate(parts):
            for word in dict.fromkeys(words):
                held[numbers[word]].append(place)
        self._held: Sequence[Sequence[int]] = held
        self._begin: Mapping[str, tuple[int, int]] = _beginnings(self._words)

    def search(self, typed: str) -> list[Hit]:
        """Give all names that fit, in no order; none for nothing typed."""
        query = tidy(typed[:LONGEST_QUERY])
        words = _telling_words(query)
        if not words or len(query) < _SHORTEST_QUERY:
            return []
        written = [self._as_written(word) for word in words]
        found = self._common(written)
        hits = [self._hit(place, fit, query, len(words)) for place, fit in found.items()]
        is_named = any(hit.fit is Fit.WHOLE for hit in hits)
        if is_named or len(hits) >= _ENOUGH or len(query) < _SHORTEST_TYPO:
            return hits
        misspelt = [self._with_typos(word, known) for word, known in zip(words, written, strict=True)]
        further = self._common(misspelt)
        hits.extend(
            Hit(place, fit, self._sizes[place] - len(words))
            for place, fit in further.items()
            if place not in found
        )
        return hits or self._some_of(words, written) or self._some_of(words, misspelt)

    def _as_written(self, word: str) -> dict[int, Fit]:
        """Give the places of names with a word that begins like this."""
        start, end = self._begin.get(word, (0, 0))
        fits: dict[int, Fit] = {}
        for number in range(start, end):
            fit = Fit.WORDS if self._words[number] == word else Fit.BEGINNINGS
            for place in self._held[number]:
                if place not in fits or fit < fits[place]:
                    fits[place] = fit
        return fits

    def _with_typos(self, word: str, written: Mapping[int, Fit]) -> dict[int, Fit]:
        """Add the names with a word that is one edit away, or begins one edit away; two, where none is."""
        fits = dict(written)
        if len(word) < _SHORTEST_TYPO:
            return fits
        for other in _one_edit_away(word):
            start, end = self._begin.get(other, (0, 0))
            if len(word) < _SHORTEST_UNFINISHED_TYPO and start < end:
                end = start + (self._words[start] == other)
            for number in range(start, end):
                fit = Fit.TYPO if self._words[number] == other else Fit.TYPO_BEGINNING
                for place in self._held[number]:
                    if place not in fits or fit < fits[place]:
                        fits[place] = fit
        return fits or self._two_edits_away(word)

    def _two_edits_away(self, word: str) -> dict[int, Fit]:
        if len(word) < _SHORTEST_TWO_TYPOS:
            return {}
        from rapidfuzz import process  # here for the start: few words need them
        from rapidfuzz.distance import OSA

        near = process.extract(word, self._words, scorer=OSA.distance, score_cutoff=2, limit=20)
        return {place: Fit.FAR_TYPO for _, _, number in near for place in self._held[number]}

    def _common(self, fits: Sequence[Mapping[int, Fit]]) -> dict[int, Fit]:
        """Give the names that hold every word, each with its worst fit."""
        first, *others = sorted(fits, key=len)
        return {
            place: max(fit, *(other[place] for other in others)) if others else fit
            for place, fit in first.items()
            if all(place in other for other in others)
        }

    def _hit(self, place: int, fit: Fit, query: str, words: int) -> Hit:
        name = self._names[place]
        if name == query:
            fit = Fit.WHOLE
        elif name.startswith(query):
            fit = Fit.BEGINNING
        return Hit(place, fit, self._sizes[place] - words)

    def _some_of(self, words: Sequence[str], fits: Sequence[Mapping[int, Fit]]) -> list[Hit]:
        """Give the names that hold most of the words that tell something."""
        telling = [fit for word, fit in zip(words, fits, strict=True) if len(word) >= _TELLING and fit]
        counted: dict[int, int] = {}
        for fit in telling:
            for place in fit:
                counted[place] = counted.get(place, 0) + 1
        most = max(counted.values(), default=0)
        return [
            Hit(place, Fit.SOME_WORDS, len(words) - many) for place, many in counted.items() if many == most
        ]


def _telling_words(query: str) -> list[str]:
    words = query.split()
    return ([word for word in words if word not in _SILENT] or words)[:_MOST_WORDS]


def _beginnings(words: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Give for every beginning of a word the stretch of sorted words that begin so."""
    stretches: dict[str, tuple[int, int]] = {}
    for number, word in enumerate(words):
        for length in range(1, len(word) + 1):
            beginning = word[:length]
            start, _ = stretches.get(beginning, (number, number))
            stretches[beginning] = (start, number + 1)
    return stretches


def _one_edit_away(word: str) -> Iterator[str]:
    """Spell a word in every way that is one letter less, more or other, or with two swapped."""
    for at in range(len(word) + 1):
        head, tail = word[:at], word[at:]
        if tail:
            yield head + tail[1:]
        if len(tail) > 1 and tail[0] != tail[1]:
            yield head + tail[1] + tail[0] + tail[2:]
        for letter in _ALPHABET:
            yield head + letter + tail
            if tail:
                yield head + letter + tail[1:]
