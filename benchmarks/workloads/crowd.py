"""A made-up pool with what real ones have, written as rows at once instead of person by person.

A third to two thirds of the values are missing, participants' ranges stand
beside laboratories' points, older values behind newer ones, closed lists of
conditions beside histories nobody asked for.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from screening.facts import (
    Choice,
    Code,
    Dated,
    Denial,
    EvidenceSource,
    Flag,
    Quantity,
    Statement,
    StatementStatus,
    value_to_json,
)
from screening.intervals import DateRange, DecimalRange
from screening.planes.ledger import AFTER, BEFORE, KINDS, NOWHERE, HeldValue, Ledger, Values
from screening.terms import ICD10CM
from screening.vocabulary import packaged_vocabulary

TODAY = date(2026, 11, 22)
NUMBERS: dict[str, tuple[float, float, int, float]] = {
    # key: mean, spread, decimals, share of people of whom there is one
    "weight": (82, 18, 1, 0.7),
    "systolic_bp": (130, 18, 0, 0.6),
    "heart_rate": (74, 12, 0, 0.5),
    "hba1c": (6.4, 1.3, 1, 0.5),
    "alt": (28, 14, 0, 0.4),
    "hemoglobin": (13.8, 1.6, 1, 0.5),
    "platelets": (250, 65, 0, 0.4),
    "creatinine": (0.95, 0.3, 2, 0.5),
    "ldl": (118, 34, 0, 0.5),
}
SELF_TOLD_NUMBERS = ("weight", "systolic_bp", "hba1c", "ldl")
FLAGS = ("vaping", "recreational_drugs", "pregnant", "breastfeeding", "in_another_trial", "can_have_mri")
DAYS = ("last_study_drug", "last_blood_donation", "last_vaccination")
CODE_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MOST_CODES = 12
OLDER = 0.15
CLOSED = 0.4
TWO_SOURCES = 0.01

Numbers = NDArray[np.int64]
ONLINE = EvidenceSource.PARTICIPANT_ONLINE.rank
RECORD = EvidenceSource.RECORD.rank


@dataclass(slots=True)
class _Rows:
    """Facts being made up, column by column."""

    people: int
    chance: np.random.Generator
    keys: list[str] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    parts: list[tuple[Numbers, ...]] = field(default_factory=list)

    def some(self, share: float) -> Numbers:
        return np.flatnonzero(self.chance.random(self.people) < share)

    def take(self, values: Sequence[HeldValue]) -> int:
        first = len(self.texts)
        self.texts.extend(json.dumps(value_to_json(value), separators=(",", ":")).encode() for value in values)
        self.kinds.extend(KINDS.index(type(value)) for value in values)
        return first

    def seen(self, count: int, longest: int = 400) -> Numbers:
        return TODAY.toordinal() - (self.chance.random(count) ** 2 * longest).astype(np.int64)

    def add(
        self,
        name: str,
        slots: Numbers,
        values: Numbers,
        source: Numbers | int,
        seen: Numbers,
        dated: Numbers | int = NOWHERE,
    ) -> None:
        if name not in self.keys:
            self.keys.append(name)
        count = len(slots)
        columns = (self.keys.index(name), values, seen, source, dated)
        self.parts.append((slots, *(np.broadcast_to(column, count) for column in columns)))


def made_up(people: int, *, seed: int) -> Ledger:
    """Make up the facts of so many people."""
    rows = _Rows(people, np.random.default_rng(seed))
    _births(rows)
    _answers(rows)
    for name in NUMBERS:
        _measurements(rows, name)
    for name in DAYS:
        _days(rows, name)
    days = _conditions(rows)
    slots, key, value, seen, source, dated = (
        np.concatenate(column) for column in zip(*rows.parts, strict=True)
    )
    order = np.lexsort((seen, slots))
    count = len(order)
    observed = seen[order].astype(np.int32)
    return Ledger(
        keys=tuple(rows.keys),
        values=Values.written(rows.texts, np.array(rows.kinds, dtype=np.uint8)),
        slots=np.arange(people, dtype=np.int32),
        first=np.searchsorted(slots[order], np.arange(people + 1)).astype(np.int64),
        key=key[order].astype(np.uint16),
        value=value[order].astype(np.int32),
        observed_lo=observed,
        observed_hi=observed,
        source=source[order].astype(np.uint8),
        recorded=np.arange(count, dtype=np.int64),
        ident=np.stack((np.zeros(count, dtype=np.uint64), np.arange(count, dtype=np.uint64)), axis=1),
        dated=dated[order].astype(np.int32),
        days=days,
    )


def _births(rows: _Rows) -> None:
    months = [DateRange.month(year, month) for year in range(1936, 2012) for month in range(1, 13)]
    first = rows.take([Dated(month) for month in months])
    slots = rows.some(0.97)
    rows.add(
        "birth", slots, first + rows.chance.integers(0, len(months), len(slots)), ONLINE, rows.seen(len(slots))
    )


def _answers(rows: _Rows) -> None:
    for name in ("sex", "smoking"):
        codes = packaged_vocabulary()[name].codes
        sets = [Choice.of(code) for code in codes] + [Choice.of(*pair) for pair in pairwise(codes)]
        first, slots = rows.take(sets), rows.some(0.97 if name == "sex" else 0.6)
        chosen = rows.chance.integers(0, len(codes), len(slots))
        vague = rows.chance.random(len(slots)) < 0.02
        chosen = np.where(vague, len(codes), chosen)
        rows.add(name, slots, first + chosen, ONLINE, rows.seen(len(slots)))
    first = rows.take([Flag(value=False), Flag(value=True)])
    for name in FLAGS:
        slots = rows.some(0.5)
        said = (rows.chance.random(len(slots)) < 0.2).astype(np.int64)
        rows.add(name, slots, first + said, ONLINE, rows.seen(len(slots)))
        again = slots[rows.chance.random(len(slots)) < TWO_SOURCES]
        said = (rows.chance.random(len(again)) < 0.2).astype(np.int64)
        rows.add(name, again, first + said, RECORD, rows.seen(len(again)))


def _measurements(rows: _Rows, name: str) -> None:
    mean, spread, digits, share = NUMBERS[name]
    unit, step = packaged_vocabulary()[name].unit or "", Decimal(1).scaleb(-digits)
    lowest = max(1, int((mean - 4 * spread) * 10**digits))
    grid = [step * number for number in range(lowest, int((mean + 4 * spread) * 10**digits))]
    exact = rows.take([Quantity(DecimalRange.point(value), unit) for value in grid])
    told = rows.take([Quantity(DecimalRange.reported(value), unit) for value in grid])
    slots = rows.some(share)
    self_told = rows.chance.random(len(slots)) < (0.4 if name in SELF_TOLD_NUMBERS else 0.0)
    _add_measured(rows, name, slots, self_told, (exact, told, len(grid)), rows.seen(len(slots)))
    older = rows.chance.random(len(slots)) < OLDER
    seen = rows.seen(int(older.sum())) - 450
    _add_measured(rows, name, slots[older], self_told[older], (exact, told, len(grid)), seen)


def _add_measured(
    rows: _Rows,
    name: str,
    slots: Numbers,
    self_told: NDArray[np.bool_],
    grid: tuple[int, int, int],
    seen: Numbers,
) -> None:
    exact, told, count = grid
    place = np.clip(rows.chance.normal(count / 2, count / 8, len(slots)).astype(np.int64), 0, count - 1)
    value = np.where(self_told, told, exact) + place
    rows.add(name, slots, value, np.where(self_told, ONLINE, RECORD), seen)


def _days(rows: _Rows, name: str) -> None:
    ago = [TODAY - timedelta(days=back) for back in range(700)]
    exact = rows.take([Dated(DateRange.day(day)) for day in ago])
    rows.take([Dated(DateRange.month(day.year, day.month)) for day in ago[31:]])
    never = rows.take([Denial(())])
    slots = rows.some(0.3)
    place = (rows.chance.random(len(slots)) * (2 * len(ago) - 31)).astype(np.int64)
    value = np.where(rows.chance.random(len(slots)) < 0.3, never, exact + place)
    rows.add(name, slots, value, ONLINE, rows.seen(len(slots), 120))


def _codes() -> list[Code]:
    """Give some 31,000 codes, as a classification of diseases has them at its lowest level."""
    return [
        Code(ICD10CM, f"{letter}{category:02d}.{part}{detail}")
        for letter in CODE_LETTERS
        for category in range(100)
        for part in range(3)
        for detail in range(4)
    ]


def _conditions(rows: _Rows) -> NDArray[np.int32]:
    """State some conditions of most people, and close the list of some; give the days of onset."""
    codes, statuses = _codes(), (StatementStatus.EVER, StatementStatus.CURRENT, StatementStatus.PAST)
    first = rows.take([Statement(code, status) for status in statuses for code in codes])
    lasting = rows.take([Statement(code, StatementStatus.CURRENT, unbroken=True) for code in codes])
    each = np.minimum(rows.chance.geometric(0.3, rows.people) - 1, MOST_CODES)
    owners = np.repeat(np.arange(rows.people), each)
    code = (rows.chance.random(len(owners)) ** 2 * len(codes)).astype(np.int64)
    kind = rows.chance.choice(4, len(owners), p=(0.6, 0.2, 0.1, 0.1))
    value = np.where(kind == 3, lasting, first + kind * len(codes)) + code
    latest = rows.seen(rows.people)
    seen = latest[owners]
    has_onset = rows.chance.random(len(owners)) < 0.6
    onset = seen - rows.chance.integers(0, 4000, len(owners))
    days = np.empty((int(has_onset.sum()), 6), dtype=np.int32)
    days[:, 0] = days[:, 1] = onset[has_onset]
    days[:, 2::2], days[:, 3::2] = AFTER, BEFORE
    dated = np.where(has_onset, np.cumsum(has_onset) - 1, NOWHERE)
    rows.add("condition.any", owners, value, RECORD, seen, dated)
    _closed_lists(rows, owners, code, [code.code for code in codes], latest)
    return days


def _closed_lists(rows: _Rows, owners: Numbers, code: Numbers, codes: Sequence[str], latest: Numbers) -> None:
    """Close the list of some people, sparing what each affirmed; equal lists are one value."""
    edges = np.searchsorted(owners, np.arange(rows.people + 1)).tolist()
    slots, numbers = rows.some(CLOSED), dict[bytes, int]()
    held = []
    for slot in slots.tolist():
        mine = sorted({codes[at] for at in code[edges[slot] : edges[slot + 1]].tolist()})
        spared = ",".join(f'{{"system":"{ICD10CM}","code":"{text}"}}' for text in mine)
        but = f',"but":[{spared}]' if mine else ""
        everything = f'[{{"system":"{ICD10CM}","code":"*"}}]'
        text = f'{{"type":"denial","codes":{everything},"scope":"ever"{but}}}'.encode()
        held.append(numbers.setdefault(text, len(rows.texts) + len(numbers)))
    rows.texts.extend(numbers)
    rows.kinds.extend([KINDS.index(Denial)] * len(numbers))
    rows.add("condition.any", slots, np.array(held, dtype=np.int64), RECORD, latest[slots])
