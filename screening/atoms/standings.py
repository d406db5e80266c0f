"""Where one person stands towards many protocols: every criterion, every cohort, every protocol."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screening.assessment.assess import CohortDisposition
from screening.atoms.layers import ABOVE, MAY_NOW, MUST_NOW, NOW, Bytes
from screening.atoms.rows import Integers, Rows
from screening.language.protocol import Protocol
from screening.verdict import Disposition, Kleene

_DISPOSITIONS: Final = tuple(Disposition)
_RANKS: Final = {disposition: np.uint8(disposition.rank) for disposition in Disposition}
_BEST_BITS: Final = 0b001100
_STEP: Final = 8
"""Protocols of about as many criteria are kept together, padded to a multiple of this."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The verdict of one criterion; `is_open`: the person could still change it."""

    applies: Kleene
    passes: Kleene
    is_open: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where the verdicts of a protocol are found, and which of its criteria each cohort has."""

    number: int
    passes: Integers
    applies: Integers
    cohorts: tuple[tuple[str, Integers, bool], ...]


@dataclass(frozen=True, slots=True)
class Standings:
    """One person on one day against all protocols.

    `asked` is how many distinct leaves the interpreter was asked for. A later
    change of the protocols does not touch it.
    """

    asked: int
    _values: Bytes
    _ranks: Bytes
    _places: Mapping[Hashable, Place]

    def __len__(self) -> int:
        return len(self._places)

    def disposition(self, name: Hashable) -> Disposition:
        """Give where the person stands towards a protocol, by its best cohort that is not closed.

        :raises KeyError: when there is none of that name.
        """
        return _DISPOSITIONS[int(self._ranks[self._places[name].number])]

    def dispositions(self) -> Iterator[tuple[Hashable, Disposition]]:
        """Give where the person stands towards every protocol."""
        for name, place in self._places.items():
            yield name, _DISPOSITIONS[int(self._ranks[place.number])]

    def criteria(self, name: Hashable) -> tuple[Standing, ...]:
        """Give the verdicts of a protocol's criteria, in their order.

        :raises KeyError: when there is none of that name.
        """
        place = self._places[name]
        passes, applies = self._values[place.passes].tolist(), self._values[place.applies].tolist()
        return tuple(
            Standing(_kleene(applied), _kleene(passed), bool((passed ^ (passed >> 2)) & _BEST_BITS))
            for passed, applied in zip(passes, applies, strict=True)
        )

    def cohorts(self, name: Hashable) -> tuple[CohortDisposition, ...]:
        """Give where the person stands towards each cohort of a protocol.

        :raises KeyError: when there is no protocol of that name.
        """
        place = self._places[name]
        verdicts = self._values[place.passes]
        return tuple(
            CohortDisposition(cohort, _DISPOSITIONS[int(_rank(verdicts[own, None])[0])], closed)
            for cohort, own, closed in place.cohorts
        )


class Places:
    """The places of all protocols, and the columns of references from which dispositions are read."""

    def __init__(self) -> None:
        self._held: dict[Hashable, Place] = {}
        self._lent = False
        self._columns: dict[tuple[int, bool], Rows] = {}
        self._own: dict[Hashable, list[tuple[Rows, int]]] = {}
        self._free: list[int] = []
        self._numbers = 0
        self._next = 0

    def add(
        self,
        name: Hashable,
        protocol: Protocol,
        passes: Sequence[int],
        applies: Sequence[int],
        closed_cohorts: Collection[str],
    ) -> None:
        """Note where the verdicts of a protocol are."""
        number = self._free.pop() if self._free else self._numbers
        self._numbers = max(self._numbers, number + 1)
        cohorts = tuple(
            (
                cohort.id,
                np.array(
                    [
                        index
                        for index, criterion in enumerate(protocol.criteria)
                        if not criterion.cohorts or cohort.id in criterion.cohorts
                    ],
                    dtype=np.int64,
                ),
                cohort.id in closed_cohorts,
            )
            for cohort in protocol.cohorts
        )
        place = Place(number, np.array(passes, dtype=np.int64), np.array(applies, dtype=np.int64), cohorts)
        self._writable()[name] = place
        counted = [own for _, own, closed in cohorts if not closed] or [own for _, own, _ in cohorts]
        if cohorts:
            self._own[name] = [self._column(number, place.passes[own].tolist(), shared=True) for own in counted]
        else:
            self._own[name] = [self._column(number, passes, shared=False)]

    def remove(self, name: Hashable) -> None:
        """Forget a protocol.

        :raises KeyError: when there is none of that name.
        """
        self._free.append(self._writable().pop(name).number)
        for rows, column in self._own.pop(name):
            rows.remove(column)

    def read(self, values: Bytes, *, asked: int) -> Standings:
        """Read where the person stands from the values by reference."""
        ranks = np.zeros(self._numbers, dtype=np.uint8)
        for (_, shared), rows in self._columns.items():
            columns = rows.columns
            if columns.shape[1]:
                found = _rank(values.take(columns[1:], mode="clip"))
                if shared:
                    np.maximum.at(ranks, columns[0], found)
                else:
                    ranks[columns[0]] = found
        self._lent = True
        return Standings(asked, values.copy(), ranks, self._held)

    def _writable(self) -> dict[Hashable, Place]:
        if self._lent:
            self._held, self._lent = dict(self._held), False
        return self._held

    def _column(self, number: int, passes: Sequence[int], *, shared: bool) -> tuple[Rows, int]:
        width = max(_STEP, -(-len(passes) // _STEP) * _STEP)
        rows = self._columns.get((width, shared))
        if rows is None:
            rows = self._columns[width, shared] = Rows(1 + width)
        self._next += 1
        rows.add(self._next, (number, *passes, *(ABOVE,) * (width - len(passes))))
        return rows, self._next


def _rank(verdicts: Bytes) -> NDArray[np.uint8]:
    """Give the rank of the disposition by column: the worst of what the criteria allow."""
    stands = np.bitwise_and.reduce(verdicts, axis=0, initial=0b111111)
    is_open = np.bitwise_or.reduce((verdicts ^ (verdicts >> 2)) & _BEST_BITS, axis=0)
    unsettled = np.where(is_open != 0, _RANKS[Disposition.POTENTIAL_CANDIDATE], _RANKS[Disposition.CANDIDATE])
    ranks: NDArray[np.uint8] = np.where(stands & MAY_NOW, unsettled, _RANKS[Disposition.INELIGIBLE])
    return ranks


def _kleene(value: int) -> Kleene:
    if value & NOW == MUST_NOW | MAY_NOW:
        return Kleene.MET
    return Kleene.UNKNOWN if value & MAY_NOW else Kleene.NOT_MET
