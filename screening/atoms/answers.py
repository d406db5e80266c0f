"""Leaves about ages, dates, choices and flags: each sort one comparison over all its leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screening.assessment.evidence import Scene
from screening.atoms.rows import Integers, Rows
from screening.atoms.stretches import EVER, NO_CUT, Anchors, Stretch, Stretches, day_numbers
from screening.atoms.views import Seen, Views, is_fresh, look
from screening.facts import Choice, Dated, Flag
from screening.intervals import CalendarUnit, Duration, latest_start, shift
from screening.language.criteria import Age, Attested, Is, When
from screening.language.questions import BIRTH
from screening.vocabulary import Key, KeyKind, Vocabulary

Small = NDArray[np.int8]
Write = Callable[[Integers, Small], None]

_SLOT: Final = 0
_VIEW: Final = 1
MOST_CODES: Final = 62
_NEVER: Final = 2 * NO_CUT
"""The day of something that did not happen: outside of every window."""


class AgeAtoms:
    """Ages, by the last day of birth on which somebody has lived long enough."""

    kind: Final = KeyKind.DATE

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.views = Views(vocabulary)
        self.rows = Rows(4)
        self._lengths: dict[Duration | None, int] = {None: 0}
        self._on: date | None = None
        self._cuts = np.zeros((2, 0), dtype=np.int64)

    def add(self, slot: int, leaf: Age) -> bool:
        """Take a leaf in."""
        least = leaf.ge if leaf.ge is not None else None if leaf.gt is None else leaf.gt + 1
        too_many = leaf.lt if leaf.lt is not None else None if leaf.le is None else leaf.le + 1
        key = self.views.vocabulary[BIRTH]
        if key.kind is not self.kind or key.computed is not None:
            return False
        view = self.views.number(key, leaf.decides_from)
        self.rows.add(slot, (slot, view, self._length(least, leaf.unit), self._length(too_many, leaf.unit)))
        return True

    def judge(self, scene: Scene, keys: Sequence[str], write: Write) -> Iterator[Integers]:
        """Judge all ages; give the slots of those to ask of the interpreter."""
        lows = np.full(len(self.views), -EVER, dtype=np.int64)
        highs = np.full(len(self.views), EVER, dtype=np.int64)
        mixed, clear = _seen(self.views, scene, keys)
        for number, seen, fresh in clear:
            if fresh and seen.reading and isinstance(seen.reading.value, Dated):
                lows[number], highs[number] = day_numbers(seen.reading.value.range)
        if clear and len(self.rows):
            slots, views, least, most = self.rows.columns
            lo, hi = lows[views], highs[views]
            old, young = self._days(scene.on)
            lower, upper = old[least], young[most]
            met = (hi <= lower) & (lo > upper)
            out = (lo > lower) | (hi <= upper)
            write(slots, met.view(np.int8) - out.view(np.int8))
        yield from _rows_of(mixed, self.rows)

    def _length(self, count: int | None, unit: CalendarUnit) -> int:
        duration = None if count is None else Duration(count, unit)
        return self._lengths.setdefault(duration, len(self._lengths))

    def _days(self, on: date) -> Integers:
        """Give the last day of birth by length, as it counts for "at least" and for "less than"."""
        if on != self._on or len(self._lengths) != self._cuts.shape[1]:
            days = [_lived_since(length, on) for length in self._lengths if length is not None]
            self._cuts = np.array([[NO_CUT, *days], [-NO_CUT, *days]], dtype=np.int64)
            self._on = on
        return self._cuts


def _lived_since(length: Duration, on: date) -> int:
    """Give the last day d with d + length <= on; 0 where the calendar knows none."""
    day = latest_start(on, length)
    return day.toordinal() if shift(day, length) <= on else 0


class DateAtoms:
    """Days that a key holds, against windows."""

    def __init__(self, vocabulary: Vocabulary, stretches: Stretches) -> None:
        self.views = Views(vocabulary)
        self.rows = Rows(3)
        self._stretches = stretches

    def add(self, slot: int, leaf: When, anchors: Anchors) -> bool:
        """Take a leaf in, if its key holds days."""
        key = self.views.vocabulary[leaf.key]
        if key.kind is not KeyKind.DATE or key.computed is not None:
            return False
        stretch = self._stretches.number(Stretch.within(leaf.window, anchors))
        self.rows.add(slot, (slot, self.views.number(key, leaf.decides_from), stretch))
        return True

    def judge(self, scene: Scene, keys: Sequence[str], write: Write) -> Iterator[Integers]:
        """Judge all days; give the slots of those to ask of the interpreter.

        A day inside stays inside; one outside counts only while it is fresh.
        """
        lows = np.full(len(self.views), -EVER, dtype=np.int64)
        highs = np.full(len(self.views), EVER, dtype=np.int64)
        holds = np.zeros(len(self.views), dtype=bool)
        mixed, clear = _seen(self.views, scene, keys)
        for number, seen, fresh in clear:
            if not seen.alone and not fresh:
                mixed.append(number)
            elif seen.reading is not None:
                value = seen.reading.value
                lows[number], highs[number] = (
                    day_numbers(value.range) if isinstance(value, Dated) else (_NEVER, _NEVER)
                )
                holds[number] = fresh
        if clear and len(self.rows):
            slots, views, stretches = self.rows.columns
            surely_from, surely_to, possibly_from, possibly_to = self._stretches.lay_out(scene.on)[:, stretches]
            lo, hi = lows[views], highs[views]
            met = (hi <= surely_to) & (lo >= surely_from)
            out = ((lo > possibly_to) | (possibly_from > hi)) & holds[views]
            write(slots, met.view(np.int8) - out.view(np.int8))
        yield from _rows_of(mixed, self.rows)


class ChoiceAtoms:
    """Choices, by a bit for each code that any leaf names."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.views = Views(vocabulary)
        self.rows = Rows(3)
        self._bits: dict[str, dict[str, int]] = {}

    def add(self, slot: int, leaf: Is) -> bool:
        """Take a leaf in, if its key holds choices and does not name too many."""
        key = self.views.vocabulary[leaf.key]
        bits = self._bits.setdefault(key.name, {})
        new = [code for code in leaf.codes if code not in bits]
        if not _holds(key, KeyKind.CHOICE) or len(bits) + len(new) > MOST_CODES:
            return False
        for code in new:
            bits[code] = 1 << len(bits)
        wanted = sum(bits[code] for code in leaf.codes)
        self.rows.add(slot, (slot, self.views.number(key, leaf.decides_from), wanted))
        return True

    def judge(self, scene: Scene, keys: Sequence[str], write: Write) -> Iterator[Integers]:
        """Judge all choices; give the slots of those to ask of the interpreter."""
        possible = np.zeros(len(self.views), dtype=np.int64)
        mixed, clear = _seen(self.views, scene, keys)
        for number, seen, fresh in clear:
            if fresh and seen.reading and isinstance(seen.reading.value, Choice):
                bits = self._bits[self.views.held[number].key.name]
                unnamed = 1 << MOST_CODES
                possible[number] = sum({bits.get(code, unnamed) for code in seen.reading.value.codes})
        if clear and len(self.rows):
            slots, views, wanted = self.rows.columns
            held = possible[views]
            met, out = (held & ~wanted) == 0, (held & wanted) == 0
            write(slots, met.view(np.int8) - out.view(np.int8))
        yield from _rows_of(mixed, self.rows)


class FlagAtoms:
    """Attested yes and no."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.views = Views(vocabulary)
        self.rows = Rows(3)

    def add(self, slot: int, leaf: Attested) -> bool:
        """Take a leaf in, if its key holds flags."""
        key = self.views.vocabulary[leaf.key]
        if not _holds(key, KeyKind.FLAG):
            return False
        self.rows.add(slot, (slot, self.views.number(key, leaf.decides_from), 1 if leaf.value else -1))
        return True

    def judge(self, scene: Scene, keys: Sequence[str], write: Write) -> Iterator[Integers]:
        """Judge all flags; give the slots of those to ask of the interpreter."""
        held = np.zeros(len(self.views), dtype=np.int64)
        mixed, clear = _seen(self.views, scene, keys)
        for number, seen, fresh in clear:
            if fresh and seen.reading and isinstance(seen.reading.value, Flag):
                held[number] = 1 if seen.reading.value.value else -1
        if clear and len(self.rows):
            slots, views, wanted = self.rows.columns
            write(slots, (held[views] * wanted).astype(np.int8))
        yield from _rows_of(mixed, self.rows)


def _holds(key: Key, kind: KeyKind) -> bool:
    return key.kind is kind and key.computed is None


def _seen(views: Views, scene: Scene, keys: Sequence[str]) -> tuple[list[int], list[tuple[int, Seen, bool]]]:
    """Look at the views that a person's facts touch: the mixed ones; the others, with what holds."""
    mixed: list[int] = []
    clear: list[tuple[int, Seen, bool]] = []
    for view in views.touched(keys):
        seen = look(view, scene)
        if seen.is_mixed:
            mixed.append(view.number)
        elif seen.reading is not None:
            clear.append((view.number, seen, is_fresh(seen, view.key, scene)))
    return mixed, clear


def _rows_of(views: Sequence[int], rows: Rows) -> Iterator[Integers]:
    """Give the slots of all leaves of some views."""
    if views:
        yield rows.columns[_SLOT][np.isin(rows.columns[_VIEW], views)]
