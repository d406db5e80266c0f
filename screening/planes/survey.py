"""Everybody's leaves on one day: what their planes are worked out from, and the interpreter for hard cases.

A leaf has four planes: who *must* and who *may* meet it as things are, who
must at *best* and who may at *worst*, once every atom that the person could
settle is set the one way or the other (SEMANTICS 3). The best can only add to
must, the worst only take from may; so negation swaps them crosswise.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import numpy as np

from screening.assessment.assess import is_open
from screening.assessment.evidence import Scene
from screening.assessment.leaves import find_leaf
from screening.assessment.statements import Entry, entries
from screening.facts import Facts
from screening.intervals import DateRange
from screening.language.criteria import coded_part
from screening.language.questions import Atom
from screening.planes.bits import Bench, Flags, Plane, Slots, positions, written
from screening.planes.columns import Snapshot
from screening.terms import Terms
from screening.verdict import Kleene
from screening.vocabulary import Vocabulary

MANY_SCENES: Final = 20_000


@dataclass(frozen=True, slots=True)
class Fourfold:
    """The four planes of a leaf or node; where two are always alike, they are the same one."""

    must: Plane
    may: Plane
    best: Plane
    worst: Plane

    @classmethod
    def closed(cls, must: Plane, may: Plane) -> Fourfold:
        """Make the planes of what nobody could still settle."""
        return cls(must, may, must, may)

    @classmethod
    def open(cls, must: Plane, may: Plane) -> Fourfold:
        """Make the planes of what everybody who leaves it unknown could settle."""
        return cls(must, may, may, must)

    @property
    def planes(self) -> tuple[Plane, Plane, Plane, Plane]:
        """All four."""
        return self.must, self.may, self.best, self.worst


class PlaneCache:
    """The planes used last, by what they were worked out from; old ones give their memory to new ones."""

    def __init__(self, bench: Bench, *, limit: int) -> None:
        self._bench = bench
        self._limit = max(1, limit // max(8 * bench.words, 1))
        self._held: OrderedDict[Hashable, tuple[Plane, ...]] = OrderedDict()
        self._planes = 0
        self._free: list[Plane] = []
        self.hits = 0
        self.misses = 0

    def get(self, key: Hashable) -> tuple[Plane, ...] | None:
        """Give the planes kept under a key."""
        found = self._held.get(key)
        if found is None:
            self.misses += 1
            return None
        self.hits += 1
        self._held.move_to_end(key)
        return found

    def keep(self, key: Hashable, planes: tuple[Plane, ...]) -> tuple[Plane, ...]:
        """Keep copies of planes and give these; those that are the same plane stay so."""
        copies = {id(plane): self._copied(plane) for plane in planes}
        kept = self._held[key] = tuple(copies[id(plane)] for plane in planes)
        self._planes += len(self._own(kept))
        return kept

    def trim(self) -> None:
        """Let go of the planes used longest ago; between protocols, while none of them is in use."""
        while self._planes > self._limit and self._held:
            _, planes = self._held.popitem(last=False)
            self._let_go(planes)

    def clear(self) -> None:
        """Let go of everything."""
        for planes in self._held.values():
            self._let_go(planes)
        self._held.clear()

    def _let_go(self, planes: tuple[Plane, ...]) -> None:
        own = self._own(planes)
        self._planes -= len(own)
        self._free.extend(own)

    def _own(self, planes: tuple[Plane, ...]) -> list[Plane]:
        return list({id(plane): plane for plane in planes if plane.flags.writeable}.values())

    def _copied(self, plane: Plane) -> Plane:
        if not plane.flags.writeable:
            return plane
        copy = self._free.pop() if self._free else np.empty(self._bench.words, dtype=np.uint64)
        copy[:] = plane
        return copy


@dataclass(slots=True)
class Survey:
    """A snapshot on one day, as a protocol's leaves look at it; `hard` counts whom the interpreter judged."""

    snapshot: Snapshot
    on: date
    vocabulary: Vocabulary
    terms: Terms
    anchors: Mapping[str, DateRange]
    bench: Bench
    cache: PlaneCache
    hard: int = 0
    _scenes: dict[tuple[int, frozenset[str]], tuple[Scene, list[Entry]]] = field(default_factory=dict)

    def holders(self, keys: Collection[str]) -> Plane:
        """Make the plane of the people of whom anything is held under some keys."""
        ledger = self.snapshot.ledger
        numbers = [number for number, name in enumerate(ledger.keys) if name in keys]
        if not numbers:
            return self.bench.zeros
        slots = ledger.row_slots()
        return self.bench.marked(slots[ledger.key == number] for number in numbers)

    def coded_keys(self) -> frozenset[str]:
        """Name the keys under which statements or denials are held, whatever the vocabulary makes of them."""
        return frozenset(self.snapshot.ledger.keys[number] for number in self.snapshot.postings.keys.tolist())

    def by_interpreter(self, atom: Atom, people: Plane) -> Fourfold:
        """Judge a leaf for some people one by one, and for all others as if nothing were held of them."""
        finding = find_leaf(atom, self._scene(Facts()), told=())
        bench = self.bench
        must = bench.ones if finding.value is Kleene.MET else bench.zeros
        may = bench.zeros if finding.value is Kleene.NOT_MET else bench.ones
        opens = is_open(atom, finding, self.vocabulary)
        judged = Fourfold.open(must, may) if opens else Fourfold.closed(must, may)
        return self.patched(atom, judged, people)

    def patched(self, atom: Atom, judged: Fourfold, people: Plane) -> Fourfold:
        """Judge some people one by one, and write that over their bits."""
        if people is self.bench.zeros:
            return judged
        slots = positions(self.bench.both(people, self.snapshot.present))
        if not len(slots):
            return judged
        self.hard += len(slots)
        keys = self._keys_of(atom)
        verdicts = np.zeros((3, len(slots)), dtype=np.bool_)
        for place, slot in enumerate(slots.tolist()):
            scene, told = self._told(slot, keys)
            finding = find_leaf(atom, scene, told=told)
            verdicts[0, place] = finding.value is Kleene.MET
            verdicts[1, place] = finding.value is not Kleene.NOT_MET
            verdicts[2, place] = is_open(atom, finding, self.vocabulary)
        return _overwritten(judged, slots, *verdicts)

    def _keys_of(self, atom: Atom) -> frozenset[str]:
        """Name the keys whose facts a leaf may look at; for a leaf of an unknown kind, all."""
        if coded_part(atom.leaf) is not None:
            return self.coded_keys() | frozenset(atom.keys)
        own = getattr(atom.leaf, "key", None)
        if own is None and not atom.keys:
            return frozenset(self.snapshot.ledger.keys)
        return frozenset((*atom.keys, *([own] if own else [])))

    def _told(self, slot: int, keys: frozenset[str]) -> tuple[Scene, list[Entry]]:
        found = self._scenes.get((slot, keys))
        if found is None:
            if len(self._scenes) >= MANY_SCENES:
                self._scenes.clear()
            scene = self._scene(self.snapshot.ledger.facts(slot, keys))
            found = self._scenes[slot, keys] = scene, entries(scene)
        return found

    def _scene(self, facts: Facts) -> Scene:
        return Scene(facts, self.on, self.vocabulary, self.terms, self.anchors)


def _overwritten(judged: Fourfold, slots: Slots, must: Flags, may: Flags, opens: Flags) -> Fourfold:
    """Write the verdicts of some people over planes; planes that are always alike stay the same one."""
    surely, perhaps = written(judged.must, slots, must), written(judged.may, slots, may)
    if judged.best is judged.may and judged.worst is judged.must and not (may & ~must & ~opens).any():
        return Fourfold.open(surely, perhaps)
    if judged.best is judged.must and judged.worst is judged.may and not opens.any():
        return Fourfold.closed(surely, perhaps)
    best, worst = written(judged.best, slots, must | opens), written(judged.worst, slots, may & ~opens)
    return Fourfold(surely, perhaps, best, worst)
