"""What another engine over the same pool has to be able to do."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from screening.language.lowering import LoweredProtocol
from screening.sql.tables import PoolTables
from screening.terms import Terms
from screening.vocabulary import Vocabulary

Slots = NDArray[np.int32]
Prepared = TypeVar("Prepared")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A pool in tables, the day on which it is judged, and what leaves are read with."""

    tables: PoolTables
    on: date
    vocabulary: Vocabulary
    terms: Terms


@dataclass(frozen=True, slots=True)
class Found:
    """Whom no criterion rules out, in order, and of whom the interpreter has to tell."""

    slots: Slots
    doubtful: Slots


class Peer(Protocol[Prepared]):
    """Another engine over the same pool, every criterion of it for everybody."""

    is_here: bool
    """Whether it works in this process, so that its processor time can be told."""

    def load(self, loaded: Loaded) -> str | None:
        """Take the pool in, or say why that cannot be done here; not timed."""

    def prepare(self, lowered: LoweredProtocol) -> Prepared:
        """Read a protocol; not timed."""

    def judge(self, prepared: Prepared) -> list[int]:
        """Judge every criterion for everybody, and add each up: 1 is "passes", -1 "rules out"; timed."""

    def not_ineligible(self, prepared: Prepared) -> Found:
        """List those whom no criterion rules out; timed by itself, for engines stop at the first that does."""

    def close(self) -> None:
        """Let go of the pool."""
