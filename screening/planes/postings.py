"""Statements and denials of many people, ordered by code, so that a code with all its descendants is a slice.

Whoever said things that bear on one another, such as "current" and later "it
is over", is *tangled* and judged by the interpreter where one of them counts.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screening.facts import Code, Denial, DenialScope, EvidenceSource, Statement, StatementStatus
from screening.planes.bits import Plane, words_for
from screening.planes.ledger import AFTER, BEFORE, NOWHERE, SOURCES, Days, Ledger
from screening.planes.scalars import plane_of
from screening.terms import CodeSet, Terms

STATUSES: Final = tuple(StatementStatus)
ALWAYS: Final = BEFORE
"""The `since` of a denial that is not limited to a time."""

_CURRENT: Final = STATUSES.index(StatementStatus.CURRENT)
_PAST: Final = STATUSES.index(StatementStatus.PAST)
_EVER: Final = STATUSES.index(StatementStatus.EVER)
_PLANNED: Final = STATUSES.index(StatementStatus.PLANNED)

Flags = NDArray[np.bool_]
Rows = NDArray[np.int64]
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Pattern:
    """What one kind of denial denies, whoever made it and whenever.

    `spares`: whatever the person affirmed is left out of it, as in a closed
    list. `codes` then count as whole for everybody who affirmed none of them.
    """

    key: int
    source: EvidenceSource
    scope: DenialScope
    codes: CodeSet = field(compare=False)
    roots: tuple[Code, ...]
    but: tuple[Code, ...]
    spares: bool


@dataclass(frozen=True, eq=False)
class Denials:
    """Everybody whose denial follows a pattern, once for each time they said so."""

    pattern: Pattern
    slots: NDArray[np.int32]
    seen_lo: Days
    since: Days

    @cached_property
    def is_unlimited(self) -> bool:
        """Whether none of them is limited to a time."""
        return bool((self.since == ALWAYS).all())


@dataclass(frozen=True, slots=True)
class CodeTable:
    """The codes of a pool in the order of their spans; those of several spans stand behind the others.

    Places of a code system follow one another, so that a set is held against
    all codes by comparing numbers.
    """

    codes: tuple[Code, ...]
    odd: tuple[CodeSet, ...]
    marks: list[Place]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    plain: int

    @classmethod
    def of(cls, codes: Sequence[Code], terms: Terms) -> CodeTable:
        """Look the codes up and put them in order."""
        single = {code: place for code in codes if (place := _single(terms, code)) is not None}
        ordered = sorted(single, key=lambda code: single[code])
        rest = [code for code in codes if code not in single]
        marks = sorted({end for place in single.values() for end in place})
        ranks = {mark: rank for rank, mark in enumerate(marks)}
        return cls(
            codes=(*ordered, *rest),
            odd=tuple(CodeSet.of(terms, (code,)) for code in rest),
            marks=marks,
            start=np.array([ranks[single[code][0]] for code in ordered], dtype=np.int64),
            end=np.array([ranks[single[code][1]] for code in ordered], dtype=np.int64),
            plain=len(ordered),
        )

    def against(self, wanted: CodeSet) -> tuple[Flags, Flags]:
        """Mark the codes that overlap a set, and those that lie within it."""
        overlaps = np.zeros(len(self.codes), dtype=np.bool_)
        within = np.zeros(len(self.codes), dtype=np.bool_)
        for system, spans in wanted.spans.items():
            for first, last in spans:
                lo, hi = (system, first), (system, last)
                begins = self.start >= bisect_left(self.marks, lo)
                overlaps[: self.plain] |= (self.start < bisect_left(self.marks, hi)) & (
                    self.end >= bisect_right(self.marks, lo)
                )
                within[: self.plain] |= begins & (self.end < bisect_right(self.marks, hi))
        for place, codes in enumerate(self.odd, start=self.plain):
            overlaps[place] = codes.overlaps(wanted)
            within[place] = codes.within(wanted)
        return overlaps, within


def _single(terms: Terms, code: Code) -> tuple[Place, Place] | None:
    """Give the two ends of a code of one span; those of none or several have no such ends."""
    spans = terms.spans(code)
    if len(spans) != 1 or spans[0][0] >= spans[0][1]:
        return None
    return (code.system, spans[0][0]), (code.system, spans[0][1])


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
    """The coded rows of a ledger by kind, and the code of each statement."""

    statements: Rows
    code: NDArray[np.int64]
    denials: Rows
    slots: NDArray[np.int32]
    frames: dict[int, Statement]


def write_postings(ledger: Ledger, terms: Terms) -> Postings:
    """Order everybody's statements by code, and gather denials by pattern."""
    coded, table = _coded(ledger, terms)
    order = np.lexsort((coded.slots[coded.statements], coded.code))
    rows, code = coded.statements[order], coded.code[order]
    first = np.searchsorted(code, np.arange(len(table.codes) + 1))
    numbers, place = np.unique(ledger.value[rows], return_inverse=True)
    held = [coded.frames[number] for number in numbers.tolist()]
    status = np.array([STATUSES.index(frame.status) for frame in held], dtype=np.uint8)[place]
    unbroken = np.array([-1 if f.unbroken is None else int(f.unbroken) for f in held], dtype=np.int8)[place]
    last = np.array([frame.last for frame in held], dtype=np.bool_)[place]
    days = _days_of(ledger, rows)
    starts_lo, starts_hi, ends_lo, ends_hi, runs = _episodes(ledger, rows, status, days)
    denials = _denials(ledger, terms, coded, table)
    words = words_for(ledger.size)
    return Postings(
        table=table,
        keys=np.unique(ledger.key[np.concatenate((coded.statements, coded.denials))]),
        first=first.astype(np.int64),
        slots=coded.slots[rows],
        status=status,
        key=ledger.key[rows],
        source=ledger.source[rows],
        unbroken=unbroken,
        last=last,
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
    used = np.unique(ledger.value)
    frames = {
        number: frame
        for number in used[ledger.values.are(Statement)[used]].tolist()
        if isinstance(frame := ledger.values[number], Statement)
    }
    numbers = np.array(list(frames), dtype=np.int64)
    denying = ledger.values.are(Denial)
    denying[numbers] = [frame.status is StatementStatus.NEVER for frame in frames.values()]
    affirming = ledger.values.are(Statement) & ~denying
    said = {frame.code for frame in frames.values() if frame.status is not StatementStatus.NEVER}
    table = CodeTable.of(sorted(said, key=lambda code: (code.system, code.code, code.release)), terms)
    by_code = {code: number for number, code in enumerate(table.codes)}
    code_of = np.full(len(ledger.values), NOWHERE, dtype=np.int64)
    code_of[numbers] = [by_code.get(frame.code, NOWHERE) for frame in frames.values()]
    statements = np.flatnonzero(affirming[ledger.value])
    coded = _Coded(
        statements=statements,
        code=code_of[ledger.value[statements]],
        denials=np.flatnonzero(denying[ledger.value]),
        slots=ledger.row_slots(),
        frames=frames,
    )
    return coded, table


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


def _denials(ledger: Ledger, terms: Terms, coded: _Coded, table: CodeTable) -> tuple[Denials, ...]:
    """Gather denials by pattern."""
    sparing = _Sparing(terms, coded, table)
    patterns: dict[tuple[object, ...], Pattern] = {}
    gathered: dict[tuple[object, ...], list[tuple[int, int, int]]] = {}
    for row, slot in zip(coded.denials.tolist(), coded.slots[coded.denials].tolist(), strict=True):
        denial = denial_of(ledger, row)
        spares = sparing.of(slot, denial)
        but = () if spares else denial.but
        key, source = int(ledger.key[row]), SOURCES[ledger.source[row]]
        name: tuple[object, ...] = (key, source, denial.scope, denial.codes, but, spares)
        if name not in patterns:
            codes = CodeSet.of(terms, denial.codes, but)
            patterns[name] = Pattern(key, source, denial.scope, codes, denial.codes, but, spares)
        gathered.setdefault(name, []).append((slot, int(ledger.observed_lo[row]), _since(denial)))
    found = []
    for kind, said in gathered.items():
        columns = np.array(said, dtype=np.int32).T
        found.append(Denials(patterns[kind], *(np.ascontiguousarray(column) for column in columns)))
    return tuple(found)


def denial_of(ledger: Ledger, row: int) -> Denial:
    """Give the denial of a row; that something never was denies its code."""
    value = ledger.values[int(ledger.value[row])]
    if isinstance(value, Statement):
        return Denial((value.code,))
    if not isinstance(value, Denial):
        raise TypeError("a row of a denial holds one")
    return value


def _since(denial: Denial) -> int:
    if denial.since is None:
        return ALWAYS
    return AFTER if denial.since.hi is None else denial.since.hi.toordinal()


class _Sparing:
    """Tells of denials whether they leave out exactly what their person affirmed of the codes denied."""

    def __init__(self, terms: Terms, coded: _Coded, table: CodeTable) -> None:
        self._terms = terms
        self._table = table
        self._by_code = {code: number for number, code in enumerate(table.codes)}
        self._near: dict[tuple[Code, ...], frozenset[int]] = {}
        self._affirmed: dict[int, set[int]] = {}
        owners = coded.slots[coded.statements]
        deniers = np.isin(owners, coded.slots[coded.denials])
        for slot, code in zip(owners[deniers].tolist(), coded.code[deniers].tolist(), strict=True):
            self._affirmed.setdefault(slot, set()).add(code)

    def of(self, slot: int, denial: Denial) -> bool:
        mine = self._affirmed.get(slot, set())
        spared = {self._by_code.get(code, NOWHERE) for code in denial.but}
        return spared <= mine and mine & self._codes_near(denial.codes) <= spared

    def _codes_near(self, roots: tuple[Code, ...]) -> frozenset[int]:
        found = self._near.get(roots)
        if found is None:
            overlaps, _ = self._table.against(CodeSet.of(self._terms, roots))
            found = self._near[roots] = frozenset(np.flatnonzero(overlaps).tolist())
        return found


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
