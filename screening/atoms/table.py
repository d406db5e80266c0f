"""One person against every open study at once.

Leaves that many protocols share are judged once, each sort in one go; what is
made of them is worked out layer by layer (`layers`). The verdicts equal those
of `assess_lowered`: where a person's facts about a key are out of the
ordinary, the leaves of that key are asked of the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from threading import Lock
from typing import Any, Final

import numpy as np

from screening.assessment.assess import is_open
from screening.assessment.evidence import Scene
from screening.assessment.leaves import find_leaf
from screening.assessment.statements import Entry, entries
from screening.atoms.answers import AgeAtoms, ChoiceAtoms, DateAtoms, FlagAtoms
from screening.atoms.coded import CodedAtoms
from screening.atoms.layers import MET, NOT_MET, OPEN, UNKNOWN, Bytes, Layers
from screening.atoms.numbers import NumberAtoms, Small
from screening.atoms.rows import Integers
from screening.atoms.standings import Places, Standings
from screening.atoms.stretches import Anchors, Stretches, anchors_on
from screening.facts import Facts
from screening.language.criteria import Age, Attested, Coded, Distinct, Is, Number, When, Window
from screening.language.lowering import Lowered, LoweredProtocol
from screening.language.protocol import Protocol
from screening.language.questions import Atom
from screening.terms import Terms
from screening.verdict import Kleene
from screening.vocabulary import Vocabulary

_BYTES: Final = {Kleene.MET: MET, Kleene.NOT_MET: NOT_MET}
_BY_SIGN: Final = np.array([NOT_MET, UNKNOWN, MET], dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Known:
    """An atom that some protocol needs, its place, and who judges it; without one, the interpreter does."""

    atom: Atom
    anchors: Anchors
    identity: Hashable
    remove: Callable[[int], None] | None


@dataclass(frozen=True, slots=True)
class Entered:
    """What has to be given back when a protocol goes."""

    references: tuple[int, ...]


class OpenProtocols:
    """The protocols that are open, ready to judge one person against all of them.

    All are lowered with the same vocabulary and terms, the studies' own keys
    among them. May be used from several threads; one at a time goes through.
    """

    def __init__(self, *, vocabulary: Vocabulary, terms: Terms) -> None:
        self._vocabulary = vocabulary
        self._terms = terms
        self._layers = Layers()
        self._stretches = Stretches()
        self._numbers = NumberAtoms(vocabulary, self._stretches)
        self._ages = AgeAtoms(vocabulary)
        self._dates = DateAtoms(vocabulary, self._stretches)
        self._choices = ChoiceAtoms(vocabulary)
        self._flags = FlagAtoms(vocabulary)
        self._coded = CodedAtoms(vocabulary, terms, self._stretches)
        self._slots: dict[Hashable, int] = {}
        self._known: dict[int, Known] = {}
        self._others: dict[int, None] = {}
        self._places = Places()
        self._entered: dict[Hashable, Entered] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._entered)

    def __contains__(self, name: Hashable) -> bool:
        return name in self._entered

    @property
    def atoms(self) -> int:
        """How many distinct leaves there are."""
        return len(self._known)

    @property
    def nodes(self) -> int:
        """How many distinct nodes are made of them."""
        return len(self._layers)

    def add(self, name: Hashable, lowered: LoweredProtocol, *, closed_cohorts: Collection[str] = ()) -> None:
        """Take a protocol in, in place of the one that had its name.

        :raises UnknownKey: when a leaf names a key that the vocabulary lacks.
        """
        with self._lock:
            if name in self._entered:
                self._remove(name)
            anchors = _anchors_of(lowered.protocol)
            slots = [self._slot(atom, anchors) for atom in lowered.atoms]
            used = [self._layers.use(2 * slot) for slot in slots]
            passes = [self._use(one.passes, slots) for one in lowered.criteria]
            applies = [self._use(one.part.applies, slots) for one in lowered.criteria]
            self._layers.sweep()
            self._entered[name] = Entered((*used, *passes, *applies))
            self._places.add(name, lowered.protocol, passes, applies, closed_cohorts)

    def remove(self, name: Hashable) -> None:
        """Take a protocol out, with everything that no other needs.

        :raises KeyError: when there is none of that name.
        """
        with self._lock:
            self._remove(name)

    def judge(self, facts: Facts, *, on: date) -> Standings:
        """Judge one person against all protocols."""
        with self._lock:
            scene = Scene(facts, on, self._vocabulary, self._terms, anchors_on((), on))
            atoms, asked = self._judge_atoms(scene)
            return self._places.read(self._layers.evaluate(atoms), asked=asked)

    def _use(self, node: Lowered, slots: Sequence[int]) -> int:
        return self._layers.use(self._layers.reference(node, slots))

    def _remove(self, name: Hashable) -> None:
        entered = self._entered.pop(name)
        self._places.remove(name)
        for slot in self._layers.drop(entered.references):
            known = self._known.pop(slot)
            del self._slots[known.identity]
            self._others.pop(slot, None)
            if known.remove is not None:
                known.remove(slot)
            self._layers.free(slot)

    def _slot(self, atom: Atom, anchors: Anchors) -> int:
        """Give the slot of an atom; atoms that mean the same share one."""
        leaf = atom.leaf
        read = _FIELDS.get(type(leaf))
        own = anchors if read is None or not anchors else _anchor_of(atom, anchors)
        identity = (
            (type(leaf), read(leaf.__dict__), atom.keys, atom.askable, atom.told, own)
            if read is not None
            else (leaf, atom.keys, atom.askable, atom.told, own)
        )
        slot = self._slots.get(identity)
        if slot is None:
            slot = self._slots[identity] = self._layers.take_slot(OPEN if atom.askable else UNKNOWN)
            self._known[slot] = Known(atom, own, identity, self._enter(slot, atom, own))
        return slot

    def _enter(self, slot: int, atom: Atom, anchors: Anchors) -> Callable[[int], None] | None:
        """Hand an atom to those who judge its sort; give what takes it out again."""
        leaf = atom.leaf
        if isinstance(leaf, Coded | Distinct):
            part, counts = (leaf, False) if isinstance(leaf, Coded) else (leaf.of, True)
            default = self._coded.add(slot, atom, part, anchors, counts=counts)
            if default is not None:
                self._layers.defaults[slot] = default
                return self._coded.remove
        elif isinstance(leaf, Number) and self._numbers.add(slot, atom, leaf, anchors):
            return self._numbers.remove
        elif isinstance(leaf, Age) and self._ages.add(slot, leaf):
            return self._ages.rows.remove
        elif isinstance(leaf, When) and self._dates.add(slot, leaf, anchors):
            return self._dates.rows.remove
        elif isinstance(leaf, Is) and self._choices.add(slot, leaf):
            return self._choices.rows.remove
        elif isinstance(leaf, Attested) and self._flags.add(slot, leaf):
            return self._flags.rows.remove
        self._others[slot] = None
        return None

    def _judge_atoms(self, scene: Scene) -> tuple[Bytes, int]:
        """Give the byte of every atom, and how many the interpreter was asked for."""
        defaults = self._layers.defaults[: self._layers.slots]
        values = defaults.copy()
        self._stretches.lay_out(scene.on)
        keys = list({fact.key for fact in scene.facts})
        told = entries(scene)

        def write(slots: Integers, verdicts: Small) -> None:
            settled = np.flatnonzero(verdicts)
            values[slots.take(settled)] = _BY_SIGN.take(verdicts.take(settled) + 1)

        values[self._numbers.judge(scene, keys, write)] = UNKNOWN
        unclear: list[int] = list(self._others)
        for sort in (self._ages, self._dates, self._choices, self._flags):
            for slots in sort.judge(scene, keys, write):
                unclear.extend(slots.tolist())
        found = self._coded.judge(scene, told)
        if found is not None:
            values[found.slots] = found.values
            unclear.extend(found.unclear.tolist())
        self._ask(unclear, scene, told, values)
        return values, len(unclear)

    def _ask(self, slots: Sequence[int], scene: Scene, told: Sequence[Entry], values: Bytes) -> None:
        """Have the interpreter judge some atoms."""
        scenes: dict[Anchors, Scene] = {(): scene}
        for slot in slots:
            known = self._known[slot]
            if known.anchors not in scenes:
                days = anchors_on(known.anchors, scene.on)
                scenes[known.anchors] = Scene(scene.facts, scene.on, self._vocabulary, self._terms, days)
            finding = find_leaf(known.atom, scenes[known.anchors], told=told)
            can = is_open(known.atom, finding, self._vocabulary)
            values[slot] = _BYTES.get(finding.value, OPEN if can else UNKNOWN)


def _reader(leaf: type[Age | Attested | Coded | Is | Number | When]) -> Callable[[dict[str, Any]], Hashable]:
    """Make a quick reader of everything that a leaf says."""
    return itemgetter(*leaf.model_fields)


_FIELDS: Final[Mapping[type, Callable[[dict[str, Any]], Hashable]]] = {
    leaf: _reader(leaf) for leaf in (Age, Attested, Coded, Is, Number, When)
}


def _anchors_of(protocol: Protocol) -> Anchors:
    return tuple(sorted(protocol.anchors.items(), key=itemgetter(0)))


def _anchor_of(atom: Atom, anchors: Anchors) -> Anchors:
    """Give the one anchor that a leaf's window names, if it is not today."""
    window = getattr(atom.leaf, "window", None)
    return tuple(one for one in anchors if isinstance(window, Window) and one[0] == window.anchor)
