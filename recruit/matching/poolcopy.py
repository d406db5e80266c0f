"""The pool's facts by PostgreSQL's binary COPY: fixed columns first, so that rows are taken apart in bulk.

What has no fixed length, key, source and value, stands behind them; the same
bytes mean the same, so that each is read once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, cast
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.pq import ExecStatus
from sqlalchemy.orm import Session

from screening.facts import EvidenceSource
from screening.planes.assembly import RawRows, StatementDays, ValueTexts, assembled
from screening.planes.ledger import AFTER, BEFORE, NOWHERE, Ledger

Numbers = NDArray[np.int32]

_FIXED: Final = np.dtype(
    [
        ("fields", ">i2"),
        *(("slot_length", ">i4"), ("slot", ">i4")),
        *(("lo_length", ">i4"), ("lo", ">i4")),
        *(("hi_length", ">i4"), ("hi", ">i4")),
        *(("recorded_length", ">i4"), ("recorded", ">i8")),
        *(("id_length", ">i4"), ("id", ">u8", 2)),
        *(("retracts_length", ">i4"), ("retracts", ">u8", 2)),
        *(("empty_length", ">i4"), ("empty", "?")),
    ]
)
_QUERY: Final = """
COPY (
  SELECT person.slot, coalesce(fact.observed_lo, '-infinity'), coalesce(fact.observed_hi, 'infinity'),
    fact.recorded_at, fact.id, coalesce(fact.retracts_id, '00000000-0000-0000-0000-000000000000'),
    fact.only_retracts, fact.key::text, fact.source::text, fact.value
  FROM fact JOIN person ON person.id = fact.person_id
  WHERE {condition}
) TO STDOUT (FORMAT binary)
"""
_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER: Final = b"\xff\xff"
_DAY_ZERO: Final = date(2000, 1, 1).toordinal()
_INSTANT_ZERO: Final = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
_EARLIEST: Final = -(2**31)
_LATEST: Final = 2**31 - 1
_LENGTH: Final = struct.Struct(">i")
_JSONB_VERSION: Final = 1
_BLOCK: Final = 100_000


def copied_ledger(
    session: Session, slots: Sequence[int], stands_for: Mapping[int, int], *, study_id: UUID | None
) -> Ledger:
    """Read all facts by COPY, each under the slot of who stands for its person."""
    rows = _Rows()
    for block in _blocks(session, study_id):
        rows.take(block)
    return assembled(rows.finish(slots, stands_for))


def _blocks(session: Session, study_id: UUID | None) -> Iterator[list[bytes]]:
    """Give the rows, many at a time.

    :raises psycopg.OperationalError: when the server breaks off.
    """
    condition = "true" if study_id is None else f"(study_id IS NULL OR study_id = '{UUID(str(study_id))}')"
    raw = cast(psycopg.Connection[Any], session.connection().connection.driver_connection)
    server = raw.pgconn
    began = server.exec_(_QUERY.format(condition=condition).encode())
    if began.status != ExecStatus.COPY_OUT:
        raise psycopg.OperationalError(began.error_message.decode(errors="replace"))
    get = server.get_copy_data
    length, row = get(0)
    block = [bytes(row)[len(_HEADER) :]]
    while length > 0:
        for _ in range(_BLOCK):
            length, row = get(0)
            if length < 0:
                break
            block.append(bytes(row))
        yield block
        block = []
    ended = server.get_result()
    if ended is None or ended.status != ExecStatus.COMMAND_OK:
        raise psycopg.OperationalError("" if ended is None else ended.error_message.decode(errors="replace"))
    while server.get_result() is not None:
        continue


class _Rows:
    """Rows taken apart: fixed columns as they are, the rest by number."""

    def __init__(self) -> None:
        self._fixed: list[NDArray[Any]] = []
        self._values = ValueTexts()
        self._days = StatementDays()
        self._tails: dict[bytes, int] = {}
        self._keys: dict[str, int] = {}
        self._told: list[tuple[int, int, int]] = []
        """Key, source and text of each tail."""
        self._tail: list[Numbers] = []
        self._dated: list[Numbers] = []

    def take(self, block: list[bytes]) -> None:
        """Take rows in; the trailer, and a header without a row, are left out."""
        width = _FIXED.itemsize
        rows = [row for row in block if len(row) > width]
        self._fixed.append(np.frombuffer(b"".join([row[:width] for row in rows]), dtype=_FIXED))
        tails = [row[width:] for row in rows]
        numbers = np.array([self._tails.get(tail, NOWHERE) for tail in tails], dtype=np.int32)
        dated = np.full(len(rows), NOWHERE, dtype=np.int32)
        for place in np.flatnonzero(numbers == NOWHERE).tolist():
            numbers[place], dated[place] = self._read(tails[place])
        self._tail.append(numbers)
        self._dated.append(dated)

    def _read(self, tail: bytes) -> tuple[int, int]:
        """Give the numbers of a tail and of the days taken out of it; only what is left of it is remembered."""
        left, dated = self._days.taken_from(tail)
        number = self._tails.get(left)
        if number is None:
            number = self._tails[left] = len(self._told)
            key, source, value = _parts(left, without_length=dated != NOWHERE)
            if value[0] != _JSONB_VERSION:
                raise ValueError(f"JSON of version {value[0]}")
            spelled = self._keys.setdefault(key.decode(), len(self._keys))
            rank = EvidenceSource(source.decode()).rank
            self._told.append((spelled, rank, self._values.number(value[1:])))
        return number, dated

    def finish(self, slots: Sequence[int], stands_for: Mapping[int, int]) -> RawRows:
        """Give all rows."""
        fixed = np.concatenate(self._fixed) if self._fixed else np.empty(0, dtype=_FIXED)
        nothing = np.zeros(0, dtype=np.int32)
        told = np.array(self._told, dtype=np.int32).reshape(-1, 3)[np.concatenate([nothing, *self._tail])]
        return RawRows(
            slots=np.array(slots, dtype=np.int32),
            keys=tuple(self._keys),
            values=self._values,
            owner=_owners(fixed["slot"].astype(np.int32), stands_for),
            key=told[:, 0],
            text=told[:, 2],
            observed_lo=_days(fixed["lo"]),
            observed_hi=_days(fixed["hi"]),
            source=told[:, 1].astype(np.uint8),
            recorded=fixed["recorded"].astype(np.int64) + _INSTANT_ZERO,
            ident=fixed["id"].astype(np.uint64),
            dated=np.concatenate([nothing, *self._dated]),
            days=np.array(self._days.rows, dtype=np.int32).reshape(-1, 6),
            retracts=fixed["retracts"].astype(np.uint64),
            empty=fixed["empty"].copy(),
        )


def _parts(tail: bytes, *, without_length: bool) -> tuple[bytes, bytes, bytes]:
    """Give key, source and value; where something was taken out, the value's length is no longer true."""
    (length,) = _LENGTH.unpack_from(tail)
    key, rest = tail[4 : 4 + length], tail[4 + length :]
    (length,) = _LENGTH.unpack_from(rest)
    source, rest = rest[4 : 4 + length], rest[4 + length :]
    (length,) = _LENGTH.unpack_from(rest)
    if not without_length and len(rest) != 4 + length:
        raise ValueError("a row that is longer than its fields")
    return key, source, rest[4:]


def _days(told: NDArray[Any]) -> Numbers:
    """Turn days counted from 2000 into day numbers; an end that is open stays so."""
    days = told.astype(np.int64) + _DAY_ZERO
    days[told == _EARLIEST] = BEFORE
    days[told == _LATEST] = AFTER
    return days.astype(np.int32)


def _owners(slots: Numbers, stands_for: Mapping[int, int]) -> Numbers:
    """Put what merged entries hold under who stands for them."""
    if not stands_for or not len(slots):
        return slots
    table = np.arange(max(int(slots.max()), *stands_for) + 1, dtype=np.int32)
    table[list(stands_for)] = list(stands_for.values())
    return table[slots]
