"""A table of whole numbers that grows and shrinks cheaply, for vectors that are kept up to date."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


class Rows:
    """Named rows, stored column by column; the last row moves into the place of one that goes.

    New rows wait in a list until somebody looks, so that adding many is cheap. The columns lie in memory
    without gaps, so that numpy indexes by them without copying them first.
    """

    __slots__ = ("_held", "_names", "_places", "_waiting", "width")

    def __init__(self, width: int) -> None:
        self.width = width
        self._held = np.zeros((width, 0), dtype=np.int64)
        self._names: list[int] = []
        self._places: dict[int, int] = {}
        self._waiting: list[Sequence[int]] = []

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: int) -> bool:
        return name in self._places

    @property
    def columns(self) -> Integers:
        """The columns as they are now, one row of the array each."""
        if self._waiting or self._held.shape[1] != len(self._names):
            self._settle()
        return self._held

    def place(self, name: int) -> int:
        """Give the place of a row within the columns; another row may take it when one goes."""
        return self._places[name]

    def add(self, name: int, values: Sequence[int]) -> int:
        """Append a row and give its place."""
        place = self._places[name] = len(self._names)
        self._names.append(name)
        self._waiting.append(values)
        return place

    def remove(self, name: int) -> None:
        """Take a row out.

        :raises KeyError: when there is none of that name.
        """
        if self._waiting:
            self._settle()
        place = self._places.pop(name)
        moved = self._names.pop()
        if moved != name:
            self._held[:, place] = self._held[:, len(self._names)]
            self._names[place] = moved
            self._places[moved] = place

    def _settle(self) -> None:
        kept = self._held[:, : len(self._names) - len(self._waiting)]
        new = np.array(self._waiting, dtype=np.int64).reshape(-1, self.width).T
        self._held = np.ascontiguousarray(np.concatenate([kept, new], axis=1))
        self._waiting.clear()
