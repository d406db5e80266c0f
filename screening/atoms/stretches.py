"""Windows and validities by day number: every cut-off day of every window, once a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from screening.atoms.rows import Integers
from screening.intervals import DateRange, Duration, earliest_start, shift
from screening.language.criteria import TODAY, Window
from screening.language.protocol import Anchor
from screening.language.windows import Edges, edges
from screening.verdict import Kleene

EVER: Final = 10**9
"""Later than any day: stands for an open end of something that was observed or said."""

NO_CUT: Final = EVER + 1
"""Beyond even that: stands for a side on which a window does not end."""

Anchors = tuple[tuple[str, Anchor], ...]
"""The anchors of a protocol that matter to a leaf; today is always known."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What has its cut-off days worked out: a window with its anchor, or how long a key's values hold."""

    of: Window | Duration | None
    anchor: Anchor | None = None

    @classmethod
    def within(cls, window: Window, anchors: Anchors) -> Stretch:
        """Tie a window to the anchor that it names."""
        return cls(window, dict(anchors).get(window.anchor))

    def edges(self, on: date) -> Edges:
        """Lay the stretch out for a day.

        A validity is a window without an end: what was observed from its first
        day on still holds.
        """
        if isinstance(self.of, Window):
            return edges(self.of, anchor_days(self.anchor, on))
        first = None if self.of is None else earliest_start(on, self.of)
        return Edges((first, None), (first, None))


def anchor_days(anchor: Anchor | None, on: date) -> DateRange:
    """Give the days that an anchor may fall on; without one, today."""
    if anchor is None:
        return DateRange.day(on)
    return DateRange(shift(on, anchor.earliest), shift(on, anchor.latest))


def anchors_on(anchors: Anchors, on: date) -> dict[str, DateRange]:
    """Give the days of several anchors, today among them."""
    return {TODAY: DateRange.day(on), **{name: anchor_days(anchor, on) for name, anchor in anchors}}


def day_numbers(days: DateRange) -> tuple[int, int]:
    """Give both ends as day numbers, open ends as far away as can be."""
    return (
        -EVER if days.lo is None else days.lo.toordinal(),
        EVER if days.hi is None else days.hi.toordinal(),
    )


class Stretches:
    """Every stretch that an atom uses, numbered; their cut-off days are kept for the last day asked for."""

    SURELY_FROM, SURELY_TO, POSSIBLY_FROM, POSSIBLY_TO = range(4)

    def __init__(self) -> None:
        self._numbers: dict[Stretch, int] = {}
        self._on: date | None = None
        self._edges: list[Edges] = []
        self._cuts: list[tuple[int, int, int, int]] = []
        self._columns = np.zeros((4, 0), dtype=np.int64)

    def __getitem__(self, number: int) -> Edges:
        return self._edges[number]

    def number(self, stretch: Stretch) -> int:
        """Give the number of a stretch, a new one if need be."""
        return self._numbers.setdefault(stretch, len(self._numbers))

    def lay_out(self, on: date) -> Integers:
        """Work out the cut-off days for a day: the days surely inside, then those possibly inside."""
        if on != self._on:
            self._on, self._edges, self._cuts = on, [], []
        if len(self._edges) < len(self._numbers):
            new = [stretch.edges(on) for stretch in list(self._numbers)[len(self._edges) :]]
            self._edges.extend(new)
            self._cuts.extend(_cuts(found) for found in new)
            self._columns = np.array(self._cuts, dtype=np.int64).T.copy()
        return self._columns if self._edges else np.zeros((4, 0), dtype=np.int64)

    def judge(self, number: int, lo: int, hi: int) -> Kleene:
        """Tell whether a day between two day numbers lies inside, as `Edges.judge_day` does."""
        surely_from, surely_to, possibly_from, possibly_to = self._cuts[number]
        if lo > possibly_to or possibly_from > hi:
            return Kleene.NOT_MET
        return Kleene.MET if hi <= surely_to and lo >= surely_from else Kleene.UNKNOWN

    def is_settled(self, number: int, lo: int, hi: int) -> bool:
        """Tell whether what came before a day cannot matter: that day lies inside, or is too early itself."""
        surely_from, surely_to, possibly_from, _ = self._cuts[number]
        return hi < possibly_from or (hi <= surely_to and lo >= surely_from)


def _cuts(found: Edges) -> tuple[int, int, int, int]:
    (surely_from, surely_to), (possibly_from, possibly_to) = found.surely, found.possibly
    return (
        -NO_CUT if surely_from is None else surely_from.toordinal(),
        NO_CUT if surely_to is None else surely_to.toordinal(),
        -NO_CUT if possibly_from is None else possibly_from.toordinal(),
        NO_CUT if possibly_to is None else possibly_to.toordinal(),
    )
