"""The databases that peers run in: SQLite in memory, and a PostgreSQL server."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg

Row = tuple[Any, ...]
"""A row as the driver gives it."""

Held = tuple[int | str | None, ...]
"""A row to put into a table."""


class Database(Protocol):
    """As much of a database as a peer needs."""

    def run(self, statement: str) -> list[Row]:
        """Run one statement and give its rows."""

    def fill(self, table: str, rows: Sequence[Held]) -> None:
        """Put rows into a table."""

    def close(self) -> None:
        """Let go of it."""


class SQLite:
    """SQLite in memory."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None)

    def run(self, statement: str) -> list[Row]:
        """Run one statement and give its rows."""
        return self._connection.execute(statement).fetchall()

    def fill(self, table: str, rows: Sequence[Held]) -> None:
        """Put rows into a table."""
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            self._connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - our own names

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()


class Server:
    """The PostgreSQL server that `TEST_DATABASE_URL` names; each statement is a transaction of its own."""

    def __init__(self, address: str) -> None:
        self._connection = psycopg.connect(address, autocommit=True)

    @classmethod
    def reached(cls) -> Server | None:
        """Connect to the server, if one is named."""
        address = os.environ.get("TEST_DATABASE_URL", "")
        if not address.startswith("postgresql"):
            return None
        return cls(address.replace("postgresql+psycopg://", "postgresql://"))

    def run(self, statement: str) -> list[Row]:
        """Run one statement and give its rows."""
        cursor = self._connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []

    def fill(self, table: str, rows: Sequence[Held]) -> None:
        """Put rows into a table."""
        with self._connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(row)

    def take(self, table: str, path: Path) -> None:
        """Put a file of comma-separated values into a table."""
        command = f"COPY {table} FROM STDIN (FORMAT csv)".encode()
        with self._connection.cursor() as cursor, cursor.copy(command) as copy, path.open("rb") as file:
            while block := file.read(1 << 20):
                copy.write(block)

    def close(self) -> None:
        """Let go of it, and of its temporary tables."""
        self._connection.close()


@contextmanager
def databases() -> Iterator[dict[str, Database]]:
    """Give the databases that can be reached, by name."""
    found: dict[str, Database] = {"sqlite": SQLite()}
    if (server := Server.reached()) is not None:
        found["postgresql"] = server
    try:
        yield found
    finally:
        for database in found.values():
            database.close()
