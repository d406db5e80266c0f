"""The sets of people that were ever counted, and what may be shown of the next one.

There is one register for the whole installation: whoever may coordinate two studies could otherwise ask
through one what the other hides. Sets are compared over days by the slot that each person keeps. A question
that was answered before is answered with the same number and its day until the set has changed by 11 people
or more; so the numbers of two days never tell who came or went in between, not even whether somebody did.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.db import actor_of
from recruit.ids import new_id
from recruit.matching.figures import Bounds, Figure, Why
from recruit.matching.models import FeasibilityCount
from screening.disclosure import Register
from screening.feasibility import Sets
from screening.floor import FLOOR
from screening.planes.bits import Plane

_LOCK: Final = 0x706F6F6C
_SHAPE: Final = ">II"


def pack(sets: Sequence[Plane]) -> bytes:
    """Write sets of people as they are kept."""
    words = max((len(one) for one in sets), default=0)
    rows = np.zeros((len(sets), words), dtype="<u8")
    for row, one in zip(rows, sets, strict=True):
        row[: len(one)] = one
    return struct.pack(_SHAPE, len(sets), words) + zlib.compress(rows.tobytes())


def unpack(kept: bytes) -> Iterator[Plane]:
    """Read sets of people as they were kept."""
    start = struct.calcsize(_SHAPE)
    number, words = struct.unpack(_SHAPE, kept[:start])
    octets = zlib.decompress(kept[start:])
    yield from np.frombuffer(octets, dtype="<u8").astype(np.uint64).reshape(number, words)


def question(*parts: object) -> str:
    """Give the digest by which a question is known again."""
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Subject:
    """Which criteria are counted: those of a version of a study, as they were on reading."""

    study_id: UUID
    version_id: UUID
    sha256: str


@dataclass(slots=True)
class Book:
    """All sets counted before, and by the digest of each question what was told last."""

    on: date
    rows: int
    register: Register
    told: dict[str, tuple[int, int, date]]
    new: dict[str, object] = field(default_factory=dict)

    @classmethod
    def opened(cls, session: Session, *, on: date) -> Book:
        """Read the book for writing on: until the transaction ends, nobody else can."""
        if session.get_bind().dialect.name == "postgresql":
            session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        rows = session.scalars(sa.select(FeasibilityCount).order_by(FeasibilityCount.place)).all()
        told = {
            name: (number, place, date.fromisoformat(since))
            for row in rows
            for name, (number, place, since) in _told(row)
        }
        return cls(on, len(rows), Register(_sets(rows)), told)

    def figure(self, name: str, people: Plane) -> Figure:
        """Give what may be shown of a set of people, and remember that it was."""
        before = self.told.get(name)
        if before is not None and self.register.apart(before[1], people) < FLOOR:
            return Figure(before[0], before[2])
        shown = self.register.show(people)
        if shown.number is None:
            return Figure(None, self.on, Why(shown.hidden) if shown.hidden else None)
        place = self.register.place(people)
        if place is not None:
            self.told[name] = (shown.number, place, self.on)
            self.new[name] = [shown.number, place, self.on.isoformat()]
        return Figure(shown.number, self.on)

    def bounds(self, name: str, sets: Sets, *, of: Plane | None = None) -> Bounds:
        """Give what may be shown of how many there are at least and at most.

        :param of: all of whom some are left; then it is asked too how many of them are surely not
        """
        return Bounds(
            self.figure(question(name, "least"), sets.surely),
            self.figure(question(name, "most"), sets.possibly),
            self.figure(question(name, "out"), of & ~sets.possibly) if of is not None else None,
        )

    def close(
        self,
        session: Session,
        about: Subject,
        *,
        asked: dict[str, object],
        result: dict[str, object],
        at: datetime,
    ) -> FeasibilityCount:
        """Keep what was asked and told, with the sets behind it."""
        row = FeasibilityCount(
            id=new_id(),
            place=self.rows,
            study_id=about.study_id,
            protocol_version_id=about.version_id,
            sha256=about.sha256,
            asked=asked,
            result=result,
            told=self.new,
            sets=pack(self.register.new),
            asked_at=at,
            asked_by=actor_of(session),
        )
        session.add(row)
        session.flush()
        return row


def _sets(rows: Iterable[FeasibilityCount]) -> Iterator[Plane]:
    for row in rows:
        yield from unpack(row.sets)


def _told(row: FeasibilityCount) -> list[tuple[str, tuple[int, int, str]]]:
    return list(row.told.items())  # type: ignore[arg-type]  # written by Book alone
