"""Denials of many people, gathered by what they deny.

A closed list mostly spares exactly what its person affirmed; such lists are
all of one pattern, however different the codes that they spare.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screening.assessment.statements import denied_codes
from screening.facts import Code, Denial, DenialScope, EvidenceSource, Statement, value_from_json
from screening.planes.codetable import CodeTable
from screening.planes.ledger import AFTER, BEFORE, NOWHERE, SOURCES, Days, Ledger, Values
from screening.planes.ranks import Ladder
from screening.terms import CodeSet, Terms

ALWAYS: Final = BEFORE
"""The `since` of a denial that is not limited to a time."""

_BUT: Final = b',"but":['
_BETWEEN: Final = b"},{"

Rows = NDArray[np.int64]
Numbers = NDArray[np.int64]


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


@dataclass(frozen=True, slots=True, eq=False)
class Denials:
    """Everybody whose denial follows a pattern, in the order of the days on which it was surely not yet said.

    Where none is limited to a time, each stands there once, with the last time
    they said so, and on a `ladder`; else once for each time.
    """

    pattern: Pattern
    slots: NDArray[np.int32]
    seen_lo: Days
    since: Days
    ladder: Ladder | None

    @classmethod
    def of(cls, pattern: Pattern, slots: NDArray[np.int32], seen_lo: Days, since: Days, rows: int) -> Denials:
        """Put denials in order, in a pool of so many rows."""
        order = np.lexsort((slots, seen_lo))
        slots, seen_lo, since = slots[order], seen_lo[order], since[order]
        if (since != ALWAYS).any():
            return cls(pattern, slots, seen_lo, since, None)
        last = len(slots) - 1 - np.unique(slots[::-1], return_index=True)[1]
        last.sort()
        slots = slots[last]
        return cls(pattern, slots, seen_lo[last], since[last], Ladder.of(slots, np.zeros(rows, dtype=np.bool_)))


@dataclass(frozen=True, slots=True)
class _Told:
    """What the distinct values of denials say: `base` without what they spare, numbered, and what they spare.

    `kind` numbers the bases by what they deny, however long ago; `listed`
    numbers the lists of what is spared as they are told. `codes[first[v]:first[v + 1]]`
    are the codes that value v spares, by number, each once; NOWHERE for those that nobody affirmed.
    """

    bases: list[Denial]
    base: Numbers
    kind: Numbers
    listed: Numbers
    lists: list[bytes]
    codes_of: Callable[[bytes], tuple[Code, ...]]
    codes: Numbers
    first: Numbers


def gathered(
    ledger: Ledger,
    rows: Rows,
    affirmed: tuple[NDArray[np.int32], Numbers],
    table: CodeTable,
    terms: Terms,
    pool_rows: int,
) -> tuple[Denials, ...]:
    """Gather the denials that stand in some rows; `affirmed` are slots and codes of all statements."""
    if not len(rows):
        return ()
    flags = np.zeros(len(ledger.values), dtype=np.bool_)
    flags[ledger.value[rows]] = True
    numbers = np.flatnonzero(flags)
    told = _told(ledger.values, numbers.tolist(), table)
    value = np.searchsorted(numbers, ledger.value[rows])
    owners = ledger.row_slots()[rows]
    spares = _spares(told, value, owners, affirmed, table, terms)
    listed = np.where(spares, len(told.lists), told.listed[value])
    group = ledger.key[rows].astype(np.int64) * len(SOURCES) + ledger.source[rows]
    group = (group * (int(told.kind.max()) + 1) + told.kind[told.base[value]]) * (len(told.lists) + 1) + listed
    _, firsts, members = np.unique(group, return_index=True, return_inverse=True)
    order = np.argsort(members, kind="stable")
    edges = np.searchsorted(members[order], np.arange(len(firsts) + 1))
    since = np.array([_since(base) for base in told.bases], dtype=np.int32)[told.base[value]]
    found = []
    for number in np.argsort(firsts).tolist():
        mine = order[edges[number] : edges[number + 1]]
        first = int(firsts[number])
        base, row = told.bases[int(told.base[value[first]])], rows[first]
        but = () if spares[first] else told.codes_of(told.lists[int(told.listed[value[first]])])
        pattern = Pattern(
            key=int(ledger.key[row]),
            source=SOURCES[ledger.source[row]],
            scope=base.scope,
            codes=denied_codes(terms, base.codes, but),
            roots=base.codes,
            but=but,
            spares=bool(spares[first]),
        )
        seen = ledger.observed_lo[rows[mine]]
        found.append(Denials.of(pattern, owners[mine], seen, since[mine], pool_rows))
    return tuple(found)


def _told(values: Values, numbers: Sequence[int], table: CodeTable) -> _Told:
    """Read each distinct value once; most are read by their parts, of which there are few."""
    reader = _Reader(values, {code: number for number, code in enumerate(table.codes)})
    bases: dict[Denial, int] = {}
    kinds: dict[tuple[object, ...], int] = {}
    lists: dict[bytes, int] = {}
    base, listed, codes, counts = [], [], list[int](), []
    for number in numbers:
        denial, text, spared = reader.read(number)
        base.append(bases.setdefault(denial, len(bases)))
        listed.append(lists.setdefault(text, len(lists)))
        codes.extend(spared)
        counts.append(len(spared))
    kind = [kinds.setdefault((one.scope, one.codes), len(kinds)) for one in bases]
    return _Told(
        bases=list(bases),
        base=np.array(base, dtype=np.int64),
        kind=np.array(kind, dtype=np.int64),
        listed=np.array(listed, dtype=np.int64),
        lists=list(lists),
        codes_of=reader.codes,
        codes=np.array(codes, dtype=np.int64),
        first=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
    )


class _Reader:
    """Reads denials as a base, the text of what it spares and the numbers of these codes; each part once."""

    def __init__(self, values: Values, numbers: Mapping[Code, int]) -> None:
        self._values = values
        self._octets = values.octets.tobytes()
        self._ends = values.ends.tolist()
        self._bases: dict[bytes, Denial] = {}
        self._numbers = numbers
        self._read: dict[bytes, tuple[Code, int]] = {}

    def read(self, number: int) -> tuple[Denial, bytes, Collection[int]]:
        text = self._octets[self._ends[number] : self._ends[number + 1]]
        if not text.startswith(b'{"type":"denial"'):
            return _denial_of(self._values[number]), b"", ()
        head, listed, tail = text.partition(_BUT)
        if not listed:
            return self._base(text), b"", ()
        if not (tail.startswith(b"{") and tail.endswith(b"}]}")):
            raise ValueError("a list of codes is the last part of a denial")
        codes = tail[1:-3]
        return self._base(head + b"}"), codes, {self._code(part)[1] for part in codes.split(_BETWEEN)}

    def codes(self, text: bytes) -> tuple[Code, ...]:
        """Give the codes of a text of what is spared."""
        return tuple(self._code(part)[0] for part in text.split(_BETWEEN)) if text else ()

    def _base(self, text: bytes) -> Denial:
        found = self._bases.get(text)
        if found is None:
            value = value_from_json(json.loads(text))
            if not isinstance(value, Denial):
                raise TypeError("a row of a denial holds one")
            found = self._bases[text] = value
        return found

    def _code(self, text: bytes) -> tuple[Code, int]:
        found = self._read.get(text)
        if found is None:
            document = json.loads(b"{" + text + b"}")
            code = Code(document["system"], document["code"], document.get("release", ""))
            found = self._read[text] = code, self._numbers.get(code, NOWHERE)
        return found


def _denial_of(value: object) -> Denial:
    """Give the denial that a value is; that something never was denies its code."""
    if isinstance(value, Statement):
        return Denial((value.code,))
    if not isinstance(value, Denial):
        raise TypeError("a row of a denial holds one")
    return value


def _since(denial: Denial) -> int:
    if denial.since is None:
        return ALWAYS
    return AFTER if denial.since.hi is None else denial.since.hi.toordinal()


def _spares(
    told: _Told,
    value: Numbers,
    owners: NDArray[np.int32],
    affirmed: tuple[NDArray[np.int32], Numbers],
    table: CodeTable,
    terms: Terms,
) -> NDArray[np.bool_]:
    """Tell of each row whether it leaves out exactly what its person affirmed of the codes denied.

    Everything that it leaves out was affirmed; and of what it denies, as much
    is left out as was affirmed.
    """
    width = len(table.codes) + 1
    deniers, owner = np.unique(owners, return_inverse=True)
    slots, codes = affirmed
    place = np.clip(np.searchsorted(deniers, slots), 0, len(deniers) - 1)
    ours = deniers[place] == slots
    pairs = np.unique(place[ours] * width + codes[ours])
    counts = told.first[value + 1] - told.first[value]
    row = np.repeat(np.arange(len(value)), counts)
    spared = told.codes[np.repeat(told.first[value] - np.cumsum(counts) + counts, counts) + np.arange(len(row))]
    wanted = owner[row] * width + spared
    at = np.minimum(np.searchsorted(pairs, wanted), max(len(pairs) - 1, 0))
    was = (pairs[at] == wanted) & (spared != NOWHERE) if len(pairs) else np.zeros(len(row), dtype=np.bool_)
    spares: NDArray[np.bool_] = np.bincount(row[~was], minlength=len(value)) == 0
    pair_owner, pair_code = pairs // width, pairs % width
    kinds = told.kind[told.base[value]]
    for kind in np.unique(kinds).tolist():
        mine = kinds == kind
        roots = told.bases[int(np.flatnonzero(told.kind == kind)[0])].codes
        near = np.append(table.against(CodeSet.of(terms, roots))[0], False)
        has = np.bincount(pair_owner[near[pair_code]], minlength=len(deniers))
        left_out = np.bincount(row[near[spared]], minlength=len(value))
        spares[mine] &= has[owner[mine]] == left_out[mine]
    return spares
