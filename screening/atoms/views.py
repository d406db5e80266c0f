"""What one person's facts say about each key, boiled down to the one reading that decides, where there is one.

A view is a key as seen by leaves with the same `decides_from`. Where several
readings could be effective, it says so, and the leaves are asked of the
interpreter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

from screening.assessment.evidence import Reading, Scene, readings_of
from screening.atoms.stretches import day_numbers
from screening.facts import EvidenceSource, Flag
from screening.language.questions import participant_completes
from screening.verdict import Kleene
from screening.vocabulary import Key, Policy, Vocabulary


@dataclass(frozen=True, slots=True)
class View:
    """A key as seen by sources that may decide; `reads` are all keys whose facts it looks at."""

    number: int
    key: Key
    decides_from: EvidenceSource | None
    reads: frozenset[str]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a view holds of one person: the deciding reading, where there is one.

    `alone`: there is no other. `is_mixed`: no single reading decides.
    `readings` are all, those of sources that may not decide among them.
    """

    readings: Sequence[Reading]
    reading: Reading | None = None
    alone: bool = True
    is_mixed: bool = False


@dataclass(slots=True)
class Views:
    """All views of one sort of leaf, by number and by the keys that they look at."""

    vocabulary: Vocabulary
    held: list[View] = field(default_factory=list)
    others_needed: dict[str, None] = field(default_factory=dict)
    """Computed keys with an input that no participant can tell: looked at even where nothing is held."""
    _numbers: dict[tuple[str, EvidenceSource | None], int] = field(default_factory=dict)
    _by_key: dict[str, list[View]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.held)

    def number(self, key: Key, decides_from: EvidenceSource | None) -> int:
        """Give the number of a view, a new one if need be."""
        number = self._numbers.setdefault((key.name, decides_from), len(self.held))
        if number == len(self.held):
            view = View(number, key, decides_from, reads_of(key, self.vocabulary))
            self.held.append(view)
            for name in view.reads:
                self._by_key.setdefault(name, []).append(view)
            inputs = key.computed.inputs if key.computed else ()
            if inputs and not participant_completes(key, inputs, self.vocabulary):
                self.others_needed[key.name] = None
        return number

    def touched(self, keys: Iterable[str]) -> list[View]:
        """Give the views that look at any of the keys."""
        found = {view.number: view for name in keys for view in self._by_key.get(name, ())}
        return list(found.values())


def reads_of(key: Key, vocabulary: Vocabulary) -> frozenset[str]:
    """Name a key and everything that it is computed from."""
    names = {key.name}
    waiting = [key]
    while waiting:
        computed = waiting.pop().computed
        for name in computed.inputs if computed else ():
            if name not in names:
                names.add(name)
                waiting.append(vocabulary[name])
    return frozenset(names)


def look(view: View, scene: Scene) -> Seen:
    """Find the reading of a view that decides, if it is clear which one that is.

    By every policy but that of a standing yes, the newest of one source
    decides alone when all others were surely observed before it: they expire
    before it does.
    """
    key = view.key
    held: Sequence[Reading] = readings_of(scene, key, decides_from=view.decides_from)
    readings = held
    if view.decides_from is not None:
        ranks = _at_most(view.decides_from)
        readings = [reading for reading in held if reading.source in ranks]
    if not readings:
        return Seen(held)
    newest = readings[0]
    if len(readings) > 1:
        if key.policy is Policy.AFFIRMATION:
            return Seen(held, alone=False, is_mixed=True)
        if key.policy is Policy.PER_SOURCE and len({reading.source for reading in readings}) > 1:
            return Seen(held, alone=False, is_mixed=True)
        newest = max(readings, key=lambda reading: day_numbers(reading.observed))
        if not all(other.observed.before(newest.observed) for other in readings if other is not newest):
            return Seen(held, alone=False, is_mixed=True)
    return Seen(held, newest, alone=len(readings) == 1)


def is_fresh(seen: Seen, key: Key, scene: Scene) -> bool:
    """Tell whether the deciding reading surely holds by the key's validity; a standing yes does not expire."""
    if seen.reading is None:
        return False
    if key.policy is Policy.AFFIRMATION and seen.reading.value == Flag(value=True):
        return True
    return scene.fresh(seen.reading.observed, key.validity) is Kleene.MET


@cache
def _at_most(limit: EvidenceSource) -> frozenset[EvidenceSource]:
    return frozenset(source for source in EvidenceSource if source.rank <= limit.rank)
