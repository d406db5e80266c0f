"""Rows of facts as a database keeps them, made into the ledger that adding person after person would give.

Each distinct text of a value is read once; order, numbers and retractions are
settled for all rows together. Only whoever retracted something is gone through
fact by fact.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from screening.facts import value_from_json, value_to_json
from screening.planes.ledger import AFTER, BEFORE, DATED_PARTS, KINDS, NOWHERE, HeldValue, Ledger, Values

NOTHING: Final = (AFTER, BEFORE)
_DATED: Final = re.compile(rb', ?"(onset|ended|unchanged_since)": ?(\{[^{}]*\})')
_DATED_PARTS: Final = tuple(name.encode() for name in DATED_PARTS)
_CODE: Final = {"system": "s", "code": "c"}

Days = tuple[int, int]


@dataclass(slots=True)
class ValueTexts:
    """Values in JSON by the number of their text; equal values are told apart only by their text.

    `same` names the first text of an equal value for each text.
    """

    written: list[bytes] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    same: list[int] = field(default_factory=list)
    _numbers: dict[bytes, int] = field(default_factory=dict)
    _classes: dict[tuple[HeldValue, str], int] = field(default_factory=dict)
    _frames: dict[str, tuple[HeldValue, str, str]] = field(default_factory=dict)
    _codes: dict[str, str] = field(default_factory=dict)
    _read: dict[bytes, int] = field(default_factory=dict)

    def number(self, text: bytes) -> int:
        """Give the number of a value without days of its own, written in any order of its parts.

        :raises InvalidFact: when it is none.
        """
        found = self._read.get(text)
        if found is None:
            found = self._read[text] = self._number_of(json.loads(text))
        return found

    def _number_of(self, document: dict[str, Any]) -> int:
        frame, before, after, told = self._taken_apart(document)
        written = f"{before}{told}{after}".encode()
        number = self._numbers.get(written)
        if number is None:
            number = self._numbers[written] = len(self.written)
            self.written.append(written)
            self.kinds.append(KINDS.index(type(frame)))
            self.same.append(self._classes.setdefault((frame, told), number))
        return number

    def _taken_apart(self, document: dict[str, Any]) -> tuple[HeldValue, str, str, str]:
        """Split a value into a frame that many share, and the code or codes that are its own."""
        if document.get("type") == "statement" and "code" in document:
            told = self._code(document["code"])
            document["code"] = _CODE
            frame, before, after = self._frame(document, f'"code":{_dumped(_CODE)}')
            return frame, f'{before}"code":', after, told
        if document.get("type") == "denial" and document.get("but"):
            told = ",".join(map(self._code, document["but"]))
            document["but"] = [_CODE]
            frame, before, after = self._frame(document, _dumped(_CODE))
            return frame, before, after, told
        frame, before, after = self._frame(document, "")
        return frame, before, after, ""

    def _frame(self, document: dict[str, Any], own: str) -> tuple[HeldValue, str, str]:
        name = repr(document)
        found = self._frames.get(name)
        if found is None:
            value = value_from_json(document)
            text = _dumped(value_to_json(value))
            before, _, after = text.rpartition(own) if own else (text, "", "")
            found = self._frames[name] = value, before, after
        return found

    def _code(self, document: object) -> str:
        name = repr(document)
        found = self._codes.get(name)
        if found is None:
            denial = value_to_json(value_from_json({"type": "denial", "codes": [document], "scope": "ever"}))
            codes = denial["codes"]
            assert isinstance(codes, list)  # noqa: S101 - for the type checker
            found = self._codes[name] = _dumped(codes[0])
        return found


def _dumped(document: object) -> str:
    return json.dumps(document, separators=(",", ":"))


class StatementDays:
    """The days of statements, taken out of their text; each text of days is read once."""

    def __init__(self) -> None:
        self.rows = array("i")
        self._read: dict[bytes, Days] = {}

    def taken_from(self, text: bytes) -> tuple[bytes, int]:
        """Give a value's text without days of its own, and the row of its days, or NOWHERE."""
        if b'{"hi"' not in text and b'{"lo"' not in text:
            return text, NOWHERE
        parts = _DATED.split(text)
        if len(parts) == 1:
            return text, NOWHERE
        days = dict(zip(parts[1::3], map(self._ends, parts[2::3]), strict=True))
        row = len(self.rows) // (2 * len(DATED_PARTS))
        for name in _DATED_PARTS:
            self.rows.extend(days.get(name, NOTHING))
        return b"".join(parts[0::3]), row

    def _ends(self, text: bytes) -> Days:
        found = self._read.get(text)
        if found is None:
            ends = json.loads(text)
            lo, hi = ends.get("lo"), ends.get("hi")
            found = self._read[text] = (
                BEFORE if lo is None else date.fromisoformat(lo).toordinal(),
                AFTER if hi is None else date.fromisoformat(hi).toordinal(),
            )
        return found


@dataclass(frozen=True, slots=True)
class RawRows:
    """Facts as they were read, in any order, each under the slot of whom it is about.

    `key` and `text` number `keys` and `values`; `dated` a row of `days`. Where
    something was retracted, `retracts` names it; `empty` are those that only
    retract. `slots` are all people, also those without a fact.
    """

    slots: NDArray[np.int32]
    keys: Sequence[str]
    values: ValueTexts
    owner: NDArray[np.int32]
    key: NDArray[np.int32]
    text: NDArray[np.int32]
    observed_lo: NDArray[np.int32]
    observed_hi: NDArray[np.int32]
    source: NDArray[np.uint8]
    recorded: NDArray[np.int64]
    ident: NDArray[np.uint64]
    dated: NDArray[np.int32]
    days: NDArray[np.int32]
    retracts: NDArray[np.uint64]
    empty: NDArray[np.bool_]


def assembled(raw: RawRows) -> Ledger:
    """Put rows in order, leave out what was retracted, and number keys and values as they come."""
    slots = np.unique(raw.slots)
    order = _order(raw)
    order = order[_standing(raw, order) & np.isin(raw.owner[order], slots)]
    key, keys = _as_they_come(raw.key[order], len(raw.keys))
    same = np.array(raw.values.same, dtype=np.int32)
    value, texts = _as_they_come(same[raw.text[order]], len(same), shown=raw.text[order])
    dated = raw.dated[order]
    has_days = dated != NOWHERE
    owner = raw.owner[order]
    return Ledger(
        keys=tuple(raw.keys[number] for number in keys.tolist()),
        values=Values.written(
            [raw.values.written[number] for number in texts.tolist()],
            np.array(raw.values.kinds, dtype=np.uint8)[texts],
        ),
        slots=slots,
        first=np.searchsorted(owner, np.append(slots, np.int32(2**31 - 1))).astype(np.int64),
        key=key.astype(np.uint16),
        value=value,
        observed_lo=raw.observed_lo[order],
        observed_hi=raw.observed_hi[order],
        source=raw.source[order],
        recorded=raw.recorded[order],
        ident=raw.ident[order],
        dated=np.where(has_days, np.cumsum(has_days) - 1, NOWHERE).astype(np.int32),
        days=raw.days[dated[has_days]].reshape(-1, 6),
    )


def _order(raw: RawRows) -> NDArray[np.int64]:
    """Order rows by person and then as they were recorded; mostly they come so already."""
    order = np.argsort(raw.owner, kind="stable")
    owner, recorded = raw.owner[order], raw.recorded[order]
    high, low = raw.ident[order, 0], raw.ident[order, 1]
    later = _later([recorded, high, low])
    apart = np.unique(owner[1:][(owner[1:] == owner[:-1]) & ~later])
    if len(apart):
        rows = np.flatnonzero(np.isin(owner, apart))
        order[rows] = order[rows][np.lexsort((low[rows], high[rows], recorded[rows], owner[rows]))]
    return order


def _later(columns: Sequence[NDArray[Any]]) -> NDArray[np.bool_]:
    """Tell of each row after the first whether it comes after the one before it."""
    first, *rest = columns
    later: NDArray[np.bool_] = first[1:] > first[:-1]
    return later | ((first[1:] == first[:-1]) & _later(rest)) if rest else later


def _standing(raw: RawRows, order: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the rows, in order, that nobody took back, as `Facts` does."""
    stands = np.ones(len(order), dtype=np.bool_)
    retracting: NDArray[np.bool_] = (raw.retracts != 0).any(axis=1)
    if not retracting.any():
        return stands
    owner = raw.owner[order]
    touched = np.flatnonzero(np.isin(owner, np.unique(raw.owner[retracting])))
    gone: set[tuple[int, int, int]] = set()
    for place in reversed(touched.tolist()):
        row, slot = order[place], int(owner[place])
        if (slot, *raw.ident[row].tolist()) in gone:
            stands[place] = False
            continue
        if retracting[row]:
            gone.add((slot, *raw.retracts[row].tolist()))
        stands[place] = not raw.empty[row]
    return stands


def _as_they_come(
    numbers: NDArray[np.int32], count: int, *, shown: NDArray[np.int32] | None = None
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Renumber in the order of first appearance; give the new numbers, and what stands for each.

    Where `shown` says more exactly what each row holds, that of the first row stands for all.
    """
    first = np.full(count, len(numbers), dtype=np.int64)
    first[numbers[::-1]] = np.arange(len(numbers) - 1, -1, -1)
    used = np.flatnonzero(first < len(numbers))
    used = used[np.argsort(first[used])]
    anew = np.full(count, NOWHERE, dtype=np.int32)
    anew[used] = np.arange(len(used))
    told = used if shown is None else shown[first[used]]
    return anew[numbers], told.astype(np.int32)
