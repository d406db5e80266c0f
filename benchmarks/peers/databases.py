"""PostgreSQL and DuckDB over the tables of `screening.sql`, each with two workers."""

import tempfile
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import numpy as np

from benchmarks import frame
from benchmarks.peers.connections import Server
from benchmarks.peers.frames import MISSING, write_rows
from benchmarks.peers.peer import Found, Loaded, Slots
from screening.language.lowering import LoweredProtocol
from screening.sql.judging import Judging, judging
from screening.sql.tables import STATEMENT

WORKERS: Final = 2
SETTINGS: Final = (
    f"SET max_parallel_workers_per_gather = {WORKERS}",
    "SET work_mem = '256MB'",
)


def _asked(loaded: Loaded, lowered: LoweredProtocol) -> Judging:
    return judging(lowered, loaded.tables, on=loaded.on, vocabulary=loaded.vocabulary, terms=loaded.terms)


class PostgreSQL:
    """The server that `TEST_DATABASE_URL` names: tables in a schema of our own, gone at the end."""

    is_here = False

    def __init__(self) -> None:
        self._schema = f"bulk_{uuid4().hex[:12]}"
        self._tried = False

    def load(self, loaded: Loaded) -> str | None:
        """Take the pool in, or say why that cannot be done here."""
        server = Server.reached()
        if server is None:
            return "TEST_DATABASE_URL names no PostgreSQL server"
        self._server = server
        self._server.run(f"CREATE SCHEMA {self._schema}")
        self._server.run(f"SET search_path TO {self._schema}")
        try:
            self._fill(loaded)
        except ModuleNotFoundError:
            self.close()
            return MISSING
        for setting in SETTINGS:
            self._server.run(setting)
        self._loaded = loaded
        return None

    def _fill(self, loaded: Loaded) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for table in loaded.tables.tables:
                path = Path(folder) / f"{table.name}.csv"
                write_rows(table, path)
                self._server.run(table.create().replace("CREATE TABLE", "CREATE UNLOGGED TABLE"))
                self._server.take(table.name, path)
                self._server.run(table.index())
                self._server.run(f"ALTER TABLE {table.name} SET (parallel_workers = {WORKERS})")
                self._server.run(f"VACUUM (ANALYZE, FREEZE) {table.name}")
                path.unlink()

    def prepare(self, lowered: LoweredProtocol) -> Judging:
        """Write a protocol in SQL; with the first, try if compiling conditions saves time. Not timed."""
        prepared = _asked(self._loaded, lowered)
        if not self._tried:
            self._tried = True
            taken = {}
            for jit in ("on", "off"):
                self._server.run(f"SET jit = {jit}")
                taken[jit] = frame.median_seconds(lambda: self.judge(prepared), repeats=1)
            self._server.run(f"SET jit = {min(taken, key=lambda jit: taken[jit])}")
        return prepared

    def judge(self, prepared: Judging) -> list[int]:
        """Judge every criterion for everybody, and add each up."""
        return [int(total) for total in self._server.run(prepared.tallies)[0]]

    def not_ineligible(self, prepared: Judging) -> Found:
        """List those whom no criterion rules out; a criterion may be left out once another does."""
        rows = np.array(self._server.run(prepared.not_ineligible), dtype=np.int32).reshape(-1, 2)
        return _found(rows[:, 0], rows[:, 1])

    def close(self) -> None:
        """Take the tables away again."""
        self._server.run(f"DROP SCHEMA {self._schema} CASCADE")
        self._server.close()


class DuckDB:
    """DuckDB in memory."""

    is_here = True

    def load(self, loaded: Loaded) -> str | None:
        """Take the pool in, or say why that cannot be done here."""
        try:
            import duckdb
        except ModuleNotFoundError:
            return MISSING
        self._connection: Any = duckdb.connect(":memory:", config={"threads": WORKERS})
        with tempfile.TemporaryDirectory() as folder:
            for table in loaded.tables.tables:
                path = Path(folder) / f"{table.name}.csv"
                write_rows(table, path)
                self._connection.execute(table.create())
                self._connection.execute(f"COPY {table.name} FROM '{path}' (FORMAT csv, HEADER false)")
                if table.name == STATEMENT:
                    self._connection.execute(table.index())
                path.unlink()
        self._loaded = loaded
        return None

    def prepare(self, lowered: LoweredProtocol) -> Judging:
        """Write a protocol in SQL; not timed."""
        return _asked(self._loaded, lowered)

    def judge(self, prepared: Judging) -> list[int]:
        """Judge every criterion for everybody, and add each up."""
        return [int(total) for total in self._connection.execute(prepared.tallies).fetchone()]

    def not_ineligible(self, prepared: Judging) -> Found:
        """List those whom no criterion rules out; a criterion may be left out once another does."""
        columns = self._connection.execute(prepared.not_ineligible).fetchnumpy()
        return _found(columns["slot"], columns["doubtful"])

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()


def _found(slots: Slots, doubtful: Slots) -> Found:
    doubted = np.asarray(doubtful) == 1
    held = np.asarray(slots, dtype=np.int32)
    return Found(np.sort(held[~doubted]), np.sort(held[doubted]))
