"""Statements and denials of many people, ordered by code, so that a code with all its descendants is a slice.

Whoever said things that bear on one another, such as "current" and later "it
is over", is *tangled* and judged by the interpreter where one of them counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screening.facts import Code, Denial, DenialScope, Statement, StatementStatus
from screening.planes.bits import WORD, Plane, words_for
from screening.planes.codetable import CodeTable
from screening.planes.denials import Denials, gathered
from screening.planes.ledger import AFTER, BEFORE, NOWHERE, Days, Ledger, Values
from screening.planes.scalars import plane_of
from screening.terms import Terms

STATUSES: Final = tuple(StatementStatus)
_CURRENT: Final = STATUSES.index(StatementStatus.CURRENT)
_PAST: Final = STATUSES.index(StatementStatus.PAST)
_EVER: Final = STATUSES.index(StatementStatus.EVER)
_PLANNED: Final = STATUSES.index(StatementStatus.PLANNED)
_NEVER: Final = STATUSES.index(StatementStatus.NEVER)
_BEFORE_CODE: Final = b'{"type":"statement","code":{'
_AFTER_CODE: Final = b'},"status":'

Flags = NDArray[np.bool_]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Postings:
    """Statements in rows, ordered by code and slot; row `first[c]` begins those of code c.

    `starts` and `ends` are the days on which each may have begun and ended;
    of one that `runs`, a current one without an end, the first possible end
    depends on the day. `keys` are those under which anything coded is held.
    """

    table: CodeTable
    keys: NDArray[np.uint16]
    first: NDArray[np.int64]
    slots: NDArray[np.int32]
    status: NDArray[np.uint8]
    key: NDArray[np.uint16]
    source: NDArray[np.uint8]
    unbroken: NDArray[np.int8]
    last: Flags
    runs: Flags
    seen_lo: Days
    starts_lo: Days
    starts_hi: Days
    ends_lo: Days
    ends_hi: Days
    onset_lo: Days
    onset_hi: Days
    unchanged_lo: Days
    unchanged_hi: Days
    denials: tuple[Denials, ...]
    tangled: Plane
    mixed: Plane

    def codes_of(self, part: slice) -> NDArray[np.int64]:
        """Give the code of each row of a slice."""
        first = int(np.searchsorted(self.first, part.start, side="right")) - 1
        last = int(np.searchsorted(self.first, part.stop, side="left"))
        edges = np.clip(self.first[first : last + 1], part.start, part.stop)
        return np.repeat(np.arange(first, last), edges[1:] - edges[:-1])

    def slices(self, codes: NDArray[np.int64]) -> list[slice]:
        """Give the rows of codes as few slices as can be."""
        found: list[slice] = []
        for code in codes:
            start, stop = int(self.first[code]), int(self.first[code + 1])
            if found and found[-1].stop == start:
                found[-1] = slice(found[-1].start, stop)
            elif stop > start:
                found.append(slice(start, stop))
        return found


@dataclass(frozen=True, slots=True)
class _Coded:
    """The coded rows of a ledger by kind, the code of each statement, and what each value says."""

    statements: Rows
    code: NDArray[np.int64]
    denials: Rows
    slots: NDArray[np.int32]
    said: NDArray[np.int8]


def write_postings(ledger: Ledger, terms: Terms) -> Postings:
    """Order everybody's statements by code, and gather denials by pattern."""
    coded, table = _coded(ledger, terms)
    order = np.lexsort((coded.slots[coded.statements], coded.code))
    rows, code = coded.statements[order], coded.code[order]
    first = np.searchsorted(code, np.arange(len(table.codes) + 1))
    status, unbroken, last = coded.said[:, ledger.value[rows]]
    days = _days_of(ledger, rows)
    starts_lo, starts_hi, ends_lo, ends_hi, runs = _episodes(ledger, rows, status, days)
    words = words_for(ledger.size)
    affirmed = coded.slots[coded.statements], coded.code
    denials = gathered(ledger, coded.denials, affirmed, table, terms, words * WORD)
    return Postings(
        table=table,
        keys=np.unique(ledger.key[np.concatenate((coded.statements, coded.denials))]),
        first=first.astype(np.int64),
        slots=coded.slots[rows],
        status=status.astype(np.uint8),
        key=ledger.key[rows],
        source=ledger.source[rows],
        unbroken=unbroken,
        last=last.astype(np.bool_),
        runs=runs,
        seen_lo=ledger.observed_lo[rows],
        starts_lo=starts_lo,
        starts_hi=starts_hi,
        ends_lo=ends_lo,
        ends_hi=ends_hi,
        onset_lo=days[0],
        onset_hi=days[1],
        unchanged_lo=days[4],
        unchanged_hi=days[5],
        denials=denials,
        tangled=plane_of(_tangled(rows, code, status, coded.slots, table, denials), words),
        mixed=plane_of(_mixed(ledger, coded), words),
    )


def _coded(ledger: Ledger, terms: Terms) -> tuple[_Coded, CodeTable]:
    values, count = ledger.values, len(ledger.values)
    used = np.zeros(count, dtype=np.bool_)
    used[ledger.value] = True
    numbers = np.flatnonzero(used & values.are(Statement))
    frames = _frames(values, numbers.tolist())
    said = np.full((3, count), NOWHERE, dtype=np.int8)
    said[:, numbers] = np.array([_said(frame) for _, frame in frames], dtype=np.int8).reshape(-1, 3).T
    denying = values.are(Denial)
    denying[numbers] = said[0, numbers] == _NEVER
    affirming = values.are(Statement) & ~denying
    affirmed = {code for code, frame in frames if frame.status is not StatementStatus.NEVER}
    table = CodeTable.of(sorted(affirmed, key=lambda code: (code.system, code.code, code.release)), terms)
    by_code = {code: number for number, code in enumerate(table.codes)}
    code_of = np.full(count, NOWHERE, dtype=np.int64)
    code_of[numbers] = [by_code.get(code, NOWHERE) for code, _ in frames]
    statements = np.flatnonzero(affirming[ledger.value])
    coded = _Coded(
        statements=statements,
        code=code_of[ledger.value[statements]],
        denials=np.flatnonzero(denying[ledger.value]),
        slots=ledger.row_slots(),
        said=said,
    )
    return coded, table


def _said(frame: Statement) -> tuple[int, int, int]:
    """Give status, whether unbroken (-1: nobody asked) and whether the last, as numbers."""
    return (
        STATUSES.index(frame.status),
        -1 if frame.unbroken is None else int(frame.unbroken),
        int(frame.last),
    )


def _frames(values: Values, numbers: Sequence[int]) -> list[tuple[Code, Statement]]:
    """Give code and statement of values; what is the same but for the code is read once, with any code."""
    octets, ends = values.octets.tobytes(), values.ends.tolist()
    frames: dict[bytes, Statement] = {}
    codes: dict[bytes, Code] = {}
    found = []
    for number in numbers:
        head, between, tail = octets[ends[number] : ends[number + 1]].partition(_AFTER_CODE)
        if not between or not head.startswith(_BEFORE_CODE) or tail not in frames or head not in codes:
            value = values[number]
            if not isinstance(value, Statement):
                raise TypeError("a row of a statement holds one")
            frames[tail], codes[head] = value, value.code
        found.append((codes[head], frames[tail]))
    return found


def _days_of(ledger: Ledger, rows: Rows) -> NDArray[np.int32]:
    """Give onset, end and "unchanged since" of statements, six columns; what is not there is impossible."""
    nothing = np.array([AFTER, BEFORE] * 3, dtype=np.int32)
    table = np.vstack((ledger.days, nothing))
    dated = np.where(ledger.dated[rows] == NOWHERE, len(table) - 1, ledger.dated[rows])
    return np.ascontiguousarray(table[dated].T)


def _episodes(
    ledger: Ledger, rows: Rows, status: NDArray[np.uint8], days: NDArray[np.int32]
) -> tuple[Days, Days, Days, Days, Flags]:
    """Work out when each statement may have begun and ended, as `statements.episode` does."""
    seen_lo, seen_hi = ledger.observed_lo[rows], ledger.observed_hi[rows]
    onset_lo, onset_hi, ended_lo, ended_hi = days[:4]
    begun, over = onset_lo <= onset_hi, ended_lo <= ended_hi
    planned, past = status == _PLANNED, status == _PAST
    starts_lo = np.where(begun, onset_lo, np.where(planned, seen_lo, BEFORE))
    starts_hi = np.where(begun, onset_hi, np.where(planned, AFTER, seen_hi))
    last = np.where(past, seen_hi, AFTER)
    last = np.where(last < starts_lo, AFTER, last)
    ends_lo = np.where(over, ended_lo, starts_lo)
    ends_hi = np.where(over, ended_hi, np.where(planned, AFTER, last))
    runs = (status == _CURRENT) & ~over
    ends_lo, ends_hi = np.where(runs, seen_lo, ends_lo), np.where(runs, AFTER, ends_hi)
    kinds = (starts_lo, starts_hi, ends_lo, ends_hi)
    one, two, three, four = (column.astype(np.int32) for column in kinds)
    return one, two, three, four, runs


def _tangled(
    rows: Rows,
    code: NDArray[np.int64],
    status: NDArray[np.uint8],
    slots: NDArray[np.int32],
    table: CodeTable,
    denials: Sequence[Denials],
) -> NDArray[np.int64]:
    """List the people of whom one statement may make another past, whatever its day and source."""
    owners = slots[rows].astype(np.int64)
    lasting = (status == _CURRENT) | (status == _EVER)
    found = [owners[code >= table.plain]]
    for one in denials:
        if one.pattern.scope is DenialScope.CURRENT and not one.pattern.spares:
            inside = table.against(one.pattern.codes)[1][code]
            found.append(np.intersect1d(owners[lasting & inside], one.slots))
    base = len(table.codes) + 1
    over = np.unique(owners[status == _PAST] * base + code[status == _PAST])
    current = status == _CURRENT
    for above in _chains(table, code[current]):
        keys = owners[current] * base + above
        found.append(owners[current][(above >= 0) & np.isin(keys, over)])
    return np.unique(np.concatenate(found))


def _chains(table: CodeTable, code: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Give, for each code, itself, what it lies within, and so on upwards; -1 where there is no more.

    Spans of the same or of crossing extent are told one by one.
    """
    above: list[list[int]] = []
    for number in range(table.plain):
        lies = (table.start[: table.plain] <= table.start[number]) & (
            table.end[: table.plain] >= table.end[number]
        )
        above.append(np.flatnonzero(lies).tolist())
    above.extend([number] for number in range(table.plain, len(table.codes)))
    depth = max(map(len, above), default=0)
    chains = np.full((depth, len(table.codes)), -1, dtype=np.int64)
    for number, wider in enumerate(above):
        chains[: len(wider), number] = wider
    return [chain[code] for chain in chains]


def _mixed(ledger: Ledger, coded: _Coded) -> NDArray[np.int32]:
    """List the people whose coded facts come from several sources."""
    rows = np.concatenate((coded.statements, coded.denials))
    kinds = np.unique(coded.slots[rows].astype(np.int64) * 8 + ledger.source[rows])
    owners, counts = np.unique(kinds // 8, return_counts=True)
    return owners[counts > 1].astype(np.int32)
