"""Hash-consed and/or nodes in layers, worked out for one person all at once.

A value is one byte: the planes *must* and *may* of what a node is now, of the
best and of the worst it can become (SEMANTICS 3). So the least of several
values is a bitwise and, the greatest a bitwise or, and all three come out in
one pass. Negation is pushed down to the atoms, of which both sides are kept:
a reference is twice a slot, plus one for the opposite.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screening.atoms.rows import Rows
from screening.language.lowering import (
    AtomRef,
    Conjunction,
    Const,
    Disjunction,
    Lowered,
    Negation,
    Switch,
    Threshold,
)
from screening.verdict import Kleene

Bytes = NDArray[np.uint8]

MET: Final = 0b111111
NOT_MET: Final = 0b000000
UNKNOWN: Final = 0b101010
OPEN: Final = 0b001110
"""Unknown now, met at best, not met at worst: for an atom that the person could settle."""

MUST_NOW: Final = 0b000001
MAY_NOW: Final = 0b000010
NOW: Final = 0b000011

BELOW: Final = 0
ABOVE: Final = 1
DOUBT: Final = 2
"""The references of not met, met and unknown; the first two are both sides of slot 0."""

_WIDTHS: Final = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
_WIDTH_FOR: Final = [min(width for width in _WIDTHS if width >= parts) for parts in range(_WIDTHS[-1] + 1)]
_CONSTANTS: Final = {Kleene.NOT_MET: BELOW, Kleene.MET: ABOVE, Kleene.UNKNOWN: DOUBT}


def _both_sides() -> NDArray[np.uint16]:
    """Tabulate each atom's byte beside its opposite's; an open or unknown atom is its own opposite."""
    table = np.zeros(256, dtype=np.uint16)
    sides = table.view(np.uint8).reshape(256, 2)
    for byte, opposite in ((MET, NOT_MET), (NOT_MET, MET), (UNKNOWN, UNKNOWN), (OPEN, OPEN)):
        sides[byte] = byte, opposite
    return table


_SIDES: Final = _both_sides()
_SPREAD: Final = np.array(
    [sum(((byte >> bit) & 1) << (8 * bit) for bit in range(8)) for byte in range(64)], dtype=np.uint64
)
"""Each bit of a value in a byte of its own, so that adding up counts all six planes."""


class Gate(IntEnum):
    """What a node does with its parts.

    BARRED is met where its part is not met now, and not met elsewhere, at best
    and at worst too; REACHED is the opposite: `case` asks which branches the
    facts as they are can reach.
    """

    ALL = 0
    ANY = 1
    NTH = 2
    BARRED = 3
    REACHED = 4


_Kind = tuple[int, Gate, int, int]
"""Layer, gate, count (of NTH), and number of parts that are looked at."""

_Joint = tuple[Gate, int, tuple[int, ...]]


class Layers:
    """All nodes of all criteria; equal ones are one. A node goes when nothing needs it any more."""

    def __init__(self) -> None:
        self.defaults = np.zeros(1024, dtype=np.uint8)
        self._slots: dict[_Joint, int] = {}
        self._nodes: dict[int, tuple[_Kind, _Joint]] = {}
        self._rows: dict[_Kind, Rows] = {}
        self._order: list[tuple[_Kind, Rows]] | None = None
        self._layer: list[int] = []
        self._users: list[int] = []
        self._free: list[int] = []
        self._fresh: list[int] = []
        self._values = np.zeros(0, dtype=np.uint16)
        self.take_slot(NOT_MET)
        self.take_slot(UNKNOWN)

    def __len__(self) -> int:
        return len(self._nodes)

    @property
    def slots(self) -> int:
        """How many slots there are, of atoms and of nodes, those given back among them."""
        return len(self._users)

    def take_slot(self, default: int) -> int:
        """Reserve the slot of a new atom, constant or node, and say what it is where nothing is known."""
        if self._free:
            slot = self._free.pop()
            self._users[slot] = self._layer[slot] = 0
        else:
            slot = len(self._users)
            self._users.append(0)
            self._layer.append(0)
            if slot >= len(self.defaults):
                self.defaults = np.concatenate([self.defaults, np.zeros_like(self.defaults)])
        self.defaults[slot] = default
        return slot

    def reference(self, node: Lowered, atoms: Sequence[int], *, turned: bool = False) -> int:
        """Place a lowered node, or its opposite, and give its reference; `atoms` are the slots of its atoms."""
        if isinstance(node, AtomRef):
            return 2 * atoms[node.index] + turned
        if isinstance(node, Negation):
            return self.reference(node.of, atoms, turned=not turned)
        if isinstance(node, Const):
            constant = _CONSTANTS[node.value]
            return constant if constant == DOUBT else constant ^ turned
        if isinstance(node, Switch):
            return self._switch(node, atoms, turned)
        if isinstance(node, Threshold):
            parts = [self.reference(part, atoms, turned=turned) for part in node.of]
            if node.count <= 0:
                return ABOVE ^ turned
            return self._nth(len(parts) + 1 - node.count if turned else node.count, parts)
        joint = self._joint(node, turned)
        return self._join(joint, self._parts(node, atoms, turned, joint))

    def use(self, reference: int) -> int:
        """Count one more user of a node."""
        self._users[reference >> 1] += 1
        return reference

    def drop(self, references: Iterable[int]) -> list[int]:
        """Count one user less of each; give the slots of atoms that nobody uses any more."""
        unused: list[int] = []
        waiting = list(references)
        while waiting:
            slot = waiting.pop() >> 1
            self._users[slot] -= 1
            if slot > 1 and not self._users[slot]:
                waiting.extend(self._forget(slot, unused))
        return unused

    def sweep(self) -> list[int]:
        """Forget new nodes that turned out not to be needed; give the slots of atoms freed with them."""
        fresh, self._fresh = self._fresh, []
        unused: list[int] = []
        for slot in reversed(fresh):
            if slot in self._nodes and not self._users[slot]:
                unused.extend(self.drop(self._forget(slot, unused)))
        return unused

    def free(self, slot: int) -> None:
        """Give back the slot of an atom."""
        self._free.append(slot)

    def is_used(self, slot: int) -> bool:
        """Tell whether any node or criterion needs a slot."""
        return self._users[slot] > 0

    def evaluate(self, atoms: Bytes) -> Bytes:
        """Work out every node from the bytes of the atoms, layer by layer; the result is by reference.

        It is overwritten by the next evaluation.
        """
        if len(self._values) != len(atoms):
            self._values = np.zeros(len(atoms), dtype=np.uint16)
        _SIDES.take(atoms, out=self._values, mode="clip")
        values = self._values.view(np.uint8)
        if self._order is None:
            self._order = sorted((kind, rows) for kind, rows in self._rows.items() if len(rows))
        for (_, gate, count, _), rows in self._order:
            columns = rows.columns
            values[columns[0]] = _gate(gate, count, values.take(columns[1:]))
        return values

    def _joint(self, node: Conjunction | Disjunction, turned: bool) -> Gate:
        return Gate.ALL if isinstance(node, Conjunction) is not turned else Gate.ANY

    def _parts(
        self, node: Conjunction | Disjunction, atoms: Sequence[int], turned: bool, joint: Gate
    ) -> list[int]:
        """Collect the parts of an and or an or, those of nested ones of the same sort among them."""
        found: list[int] = []
        for part in node.of:
            inner, inner_turned = (part.of, not turned) if isinstance(part, Negation) else (part, turned)
            if isinstance(inner, Conjunction | Disjunction) and self._joint(inner, inner_turned) is joint:
                found.extend(self._parts(inner, atoms, inner_turned, joint))
            else:
                found.append(self.reference(part, atoms, turned=turned))
        return found

    def _switch(self, node: Switch, atoms: Sequence[int], turned: bool) -> int:
        """Place a case as ands and ors over its branches and over which of them can be reached.

        With X the value where any branch is reachable and U met where none is,
        the case is (X and not U) or (U and unknown).
        """
        both, either = (Gate.ANY, Gate.ALL) if turned else (Gate.ALL, Gate.ANY)
        shut, reached = (Gate.REACHED, Gate.BARRED) if turned else (Gate.BARRED, Gate.REACHED)
        thens = [self.reference(then, atoms, turned=turned) for _, then in node.branches]
        whens = [self.reference(when, atoms, turned=turned) for when, _ in node.branches]
        plain = [self.reference(when, atoms) for when, _ in node.branches]
        shuts = [self._reach(shut, when) for when in plain]
        taken = [self._join(both, pair) for pair in zip(whens, thens, strict=True)]
        every = self._join(both, [self._join(either, pair) for pair in zip(shuts, thens, strict=True)])
        whole = self._join(either, [*taken, every])
        some = self._join(either, [self._reach(reached, when) for when in plain])
        nowhere = self._join(both, [*shuts, DOUBT])
        return self._join(either, [self._join(both, [whole, some]), nowhere])

    def _reach(self, gate: Gate, part: int) -> int:
        if part < DOUBT + 2:
            return ABOVE if (part == BELOW) is (gate is Gate.BARRED) else BELOW
        return self._node(gate, 0, (part,))

    def _join(self, gate: Gate, parts: Iterable[int]) -> int:
        """Place an and or an or, without what cannot matter."""
        neutral, deciding = (ABOVE, BELOW) if gate is Gate.ALL else (BELOW, ABOVE)
        kept = set(parts)
        kept.discard(neutral)
        if deciding in kept:
            return deciding
        if len(kept) < 2:
            return kept.pop() if kept else neutral
        return self._node(gate, 0, tuple(sorted(kept)))

    def _nth(self, count: int, parts: list[int]) -> int:
        if count > len(parts):
            return BELOW
        if count <= 0:
            return ABOVE
        if count in (1, len(parts)):
            return self._join(Gate.ANY if count == 1 else Gate.ALL, parts)
        return self._node(Gate.NTH, count, tuple(sorted(parts)))

    def _node(self, gate: Gate, count: int, parts: tuple[int, ...]) -> int:
        joint = (gate, count, parts)
        slot = self._slots.get(joint)
        if slot is None:
            slot = self._slots[joint] = self.take_slot(UNKNOWN)
            layers, users, layer = self._layer, self._users, 0
            for part in parts:
                users[part >> 1] += 1
                layer = max(layer, layers[part >> 1])
            layers[slot] = layer + 1
            width = len(parts)
            if gate in (Gate.ALL, Gate.ANY) and width < len(_WIDTH_FOR):
                width = _WIDTH_FOR[width]
            kind = (layer + 1, gate, count, width)
            rows = self._rows.get(kind)
            if rows is None:
                rows = self._rows[kind] = Rows(width + 1)
            if not len(rows):
                self._order = None
            rows.add(slot, (2 * slot, *parts, *(parts[-1:] * (width - len(parts)))))
            self._nodes[slot] = kind, joint
            self._fresh.append(slot)
        return 2 * slot

    def _forget(self, slot: int, unused: list[int]) -> tuple[int, ...]:
        """Take a slot out that nobody uses, and give what it was made of."""
        node = self._nodes.pop(slot, None)
        if node is None:
            unused.append(slot)
            return ()
        kind, joint = node
        del self._slots[joint]
        self._rows[kind].remove(slot)
        if not len(self._rows[kind]):
            self._order = None
        self._free.append(slot)
        return joint[2]


def _gate(gate: Gate, count: int, parts: Bytes) -> Bytes:
    if gate is Gate.ALL:
        least: Bytes = np.bitwise_and.reduce(parts, axis=0)
        return least
    if gate is Gate.ANY:
        greatest: Bytes = np.bitwise_or.reduce(parts, axis=0)
        return greatest
    if gate is Gate.NTH:
        counts = _SPREAD.take(parts).sum(axis=0, dtype=np.uint64)
        enough = counts.view(np.uint8).reshape(-1, 8) >= count
        return np.packbits(enough, axis=1, bitorder="little")[:, 0]
    shut = (parts[0] & MAY_NOW) == 0
    return np.where(shut if gate is Gate.BARRED else ~shut, np.uint8(MET), np.uint8(NOT_MET))
