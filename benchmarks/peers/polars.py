"""Polars over the same columns: the lowered tree as lazy expressions, given what comes of the postings.

It has no index of codes. So who stated or denied which codes is worked out by
our own planes, inside the time that is measured, and handed to it as columns.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.peers.frames import MISSING, frame_of
from benchmarks.peers.peer import Found, Loaded
from screening.language.criteria import Coded, Distinct
from screening.language.lowering import LoweredProtocol
from screening.language.questions import Atom
from screening.planes.bits import Bench, Plane, words_for
from screening.planes.coded import coded_planes
from screening.planes.survey import PlaneCache, Survey
from screening.sql.expressions import FALSE, Judged, all_true, any_true
from screening.sql.judging import Layers
from screening.sql.scalar import SCALARS, Day, scalar_sql
from screening.sql.sources import Sources


@dataclass(frozen=True, slots=True)
class Expressions:
    """A protocol as expressions: leaves over the columns of people, criteria over leaves."""

    lowered: LoweredProtocol
    leaves: dict[int, Judged]
    at_odds: dict[str, str]
    layers: list[list[str]]
    criteria: list[str]


class Polars:
    """Polars in memory, on both processors."""

    is_here = True

    def load(self, loaded: Loaded) -> str | None:
        """Take the pool in, or say why that cannot be done here."""
        try:
            person, _, _, apart = loaded.tables.tables
            self._people, self._apart = frame_of(person).lazy(), frame_of(apart).lazy()
        except ModuleNotFoundError:
            return MISSING
        self._loaded = loaded
        self._slots = loaded.tables.snapshot.ledger.slots
        self._bench = Bench(words_for(loaded.tables.snapshot.size))
        self._cache = PlaneCache(self._bench, limit=1 << 28)
        return None

    def prepare(self, lowered: LoweredProtocol) -> Expressions:
        """Write a protocol as expressions; not timed."""
        loaded, sources, layers = self._loaded, Sources(), Layers()
        day = Day(loaded.on, lowered.protocol.anchor_days(loaded.on), loaded.vocabulary, loaded.tables)
        leaves = {
            place: scalar_sql(atom.leaf, day, sources)
            for place, atom in enumerate(lowered.atoms)
            if isinstance(atom.leaf, SCALARS)
        }
        criteria = [layers.of(one.passes) for one in lowered.criteria]
        return Expressions(lowered, leaves, sources.at_odds, layers.columns, criteria)

    def judge(self, prepared: Expressions) -> list[int]:
        """Judge every criterion for everybody, and add each up."""
        import polars

        sums = [
            polars.sql_expr(f"COALESCE(CAST({one} AS INTEGER) * 2 - 1, 0)").sum().alias(f"c{place}")
            for place, one in enumerate(prepared.criteria)
        ]
        return [int(total) for total in self._leaves(prepared).select(sums).collect().row(0)]

    def not_ineligible(self, prepared: Expressions) -> Found:
        """List those whom no criterion rules out."""
        import polars

        frame = self._leaves(prepared).select(
            "slot", polars.sql_expr(_fit(prepared)).alias("fit"), polars.col("doubtful").fill_null(value=False)
        )
        held = frame.filter(polars.col("fit") | polars.col("doubtful")).collect()
        slots, doubtful = held["slot"].to_numpy(), held["doubtful"].to_numpy()
        return Found(slots[~doubtful].astype(np.int32), slots[doubtful].astype(np.int32))

    def close(self) -> None:
        """Let go of it."""

    def _leaves(self, prepared: Expressions) -> Any:  # noqa: ANN401 - the library may not be there, with its types
        import polars

        beside = [*self._odds(prepared.at_odds), *self._coded(prepared.lowered)]
        frame = self._people.with_columns(beside) if beside else self._people
        doubts = any_true(judged.doubt for judged in prepared.leaves.values())
        frame = frame.with_columns(
            *(polars.sql_expr(_plain(one.value)).alias(f"a{at}") for at, one in prepared.leaves.items()),
            polars.sql_expr(_plain(doubts)).alias("doubtful")
            if doubts != FALSE
            else polars.lit(False).alias("doubtful"),
        )
        for columns in prepared.layers:
            named = (column.rpartition(" AS ") for column in columns)
            frame = frame.with_columns(polars.sql_expr(text).alias(name) for text, _, name in named)
        return frame

    def _odds(self, at_odds: dict[str, str]) -> list[Any]:
        """Mark those of whose unlike answers a condition holds."""
        import polars

        columns = []
        for condition, name in at_odds.items():
            slots = self._apart.filter(polars.sql_expr(condition)).select("slot").collect()["slot"].to_numpy()
            marked = np.zeros(self._loaded.tables.snapshot.size, dtype=np.int8)
            marked[slots] = 1
            columns.append(polars.Series(name, marked[self._slots]))
        return columns

    def _coded(self, lowered: LoweredProtocol) -> list[Any]:
        """Judge the leaves about codes by planes."""
        import polars

        loaded = self._loaded
        self._cache.clear()
        self._bench.release(0)
        anchors = lowered.protocol.anchor_days(loaded.on)
        survey = Survey(
            loaded.tables.snapshot,
            loaded.on,
            loaded.vocabulary,
            loaded.terms,
            anchors,
            self._bench,
            self._cache,
        )
        columns = []
        for place, atom in enumerate(lowered.atoms):
            if isinstance(atom.leaf, Coded | Distinct):
                must, may = self._sides(atom.leaf, atom, survey)
                known = polars.Series(must | ~may)
                values = polars.Series(f"a{place}", must).zip_with(
                    known, polars.Series([None], dtype=polars.Boolean)
                )
                columns.append(values)
        return columns

    def _sides(self, leaf: Coded | Distinct, atom: Atom, survey: Survey) -> tuple[Any, Any]:
        judged = coded_planes(leaf, atom, survey)
        return _flags(judged.must)[self._slots], _flags(judged.may)[self._slots]


def _flags(plane: Plane) -> Any:  # noqa: ANN401 - of flags
    return np.unpackbits(plane.view(np.uint8), bitorder="little").view(np.bool_)


def _fit(prepared: Expressions) -> str:
    return all_true(f"COALESCE({one}, TRUE)" for one in prepared.criteria)


def _plain(text: str) -> str:
    """Take away the names of tables: here all columns are those of one frame."""
    return text.replace("p.", "").replace("a.", "")
