"""Rows as a database keeps them give the ledger that adding person after person gives."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from random import Random
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.errors import InvalidFact
from screening.facts import Absence, Fact, Facts, Quantity, value_to_json
from screening.intervals import DecimalRange
from screening.planes.assembly import RawRows, StatementDays, ValueTexts, assembled
from screening.planes.ledger import DATED_PARTS, Ledger, ends_of, write_ledger
from tests.screening import histories
from tests.screening.people import make_fact


def as_kept(document: object) -> bytes:
    """Write JSON as PostgreSQL keeps it: parts ordered by length and then by letter, with spaces."""
    if isinstance(document, dict):
        parts = sorted(document.items(), key=lambda part: (len(part[0]), part[0]))
        return b"{" + b", ".join(b'"%s": %s' % (name.encode(), as_kept(part)) for name, part in parts) + b"}"
    if isinstance(document, list):
        return b"[" + b", ".join(map(as_kept, document)) + b"]"
    return json.dumps(document).encode()


def raw_rows(people: Sequence[Sequence[Fact]], *, chance: Random) -> RawRows:
    """Write down rows in any order."""
    told = [(slot, fact) for slot, facts in enumerate(people) for fact in facts]
    chance.shuffle(told)
    values, days, keys = ValueTexts(), StatementDays(), list(dict.fromkeys(fact.key for _, fact in told))
    rows = []
    for slot, fact in told:
        value = Absence.DONT_KNOW if fact.value is None else fact.value
        text, dated = days.taken_from(as_kept(value_to_json(value)))
        rows.append((slot, keys.index(fact.key), values.number(text), *ends_of(fact.observed), dated))
    facts = [fact for _, fact in told]
    columns = np.array(rows, dtype=np.int32).reshape(-1, 6).T
    return RawRows(
        slots=np.arange(len(people), dtype=np.int32),
        keys=keys,
        values=values,
        owner=columns[0],
        key=columns[1],
        text=columns[2],
        observed_lo=columns[3],
        observed_hi=columns[4],
        source=np.array([fact.source.rank for fact in facts], dtype=np.uint8),
        recorded=np.array([round(fact.recorded_at.timestamp() * 1e6) for fact in facts], dtype=np.int64),
        ident=halves([fact.id for fact in facts]),
        dated=columns[5],
        days=np.array(days.rows, dtype=np.int32).reshape(-1, 2 * len(DATED_PARTS)),
        retracts=halves([fact.retracts or UUID(int=0) for fact in facts]),
        empty=np.array([fact.value is None for fact in facts], dtype=np.bool_),
    )


def halves(keys: Sequence[UUID]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    """Give the two halves of each key."""
    pairs = [(key.int >> 64, key.int & (2**64 - 1)) for key in keys]
    return np.array(pairs, dtype=np.uint64).reshape(-1, 2)


def assert_same(one: Ledger, other: Ledger) -> None:
    """Compare two ledgers column by column."""
    assert one.keys == other.keys
    assert one.values.octets.tobytes() == other.values.octets.tobytes()
    assert one.values.kinds.tolist() == other.values.kinds.tolist()
    for name in (part.name for part in fields(Ledger) if part.name not in ("keys", "values")):
        mine, theirs = getattr(one, name), getattr(other, name)
        assert mine.dtype == theirs.dtype, name
        assert mine.tolist() == theirs.tolist(), name


@given(st.lists(histories.people, max_size=5), st.data())
def test_rows_in_any_order_give_the_same_ledger(people: list[Facts], data: st.DataObject) -> None:
    told = [list(facts) for facts in people]
    for facts in told:
        for gone in data.draw(st.lists(st.sampled_from(facts), max_size=2)) if facts else ():
            facts.append(make_fact(gone.key, data.draw(st.sampled_from((None, gone.value))), retracts=gone.id))
    seed = data.draw(st.integers(0, 9))

    ledger = assembled(raw_rows(told, chance=Random(seed)))  # noqa: S311 - an order, no secret

    assert_same(ledger, write_ledger((slot, Facts(facts)) for slot, facts in enumerate(told)))


def test_equal_numbers_written_differently_are_one_value_as_first_written() -> None:
    def of(text: str) -> Fact:
        return make_fact("weight", Quantity(DecimalRange.point(Decimal(text)), "kg"))

    people = [[of("7.00")], [of("7")], [of("7.0")]]

    ledger = assembled(raw_rows(people, chance=Random(1)))  # noqa: S311 - an order, no secret

    assert ledger.value.tolist() == [0, 0, 0]
    assert b'"7.00"' in ledger.values.octets.tobytes()


def test_a_retraction_that_was_taken_back_counts_no_more() -> None:
    said = make_fact("sex", Absence.DECLINED)
    wrong = make_fact("sex", None, retracts=said.id)
    undone = make_fact("sex", None, retracts=wrong.id)

    kept = assembled(raw_rows([[said, wrong, undone], [make_fact("sex", Absence.DECLINED)]], chance=Random(2)))  # noqa: S311

    assert len(kept) == 2
    assert len(assembled(raw_rows([[said, wrong]], chance=Random(2)))) == 0  # noqa: S311


@pytest.mark.parametrize(
    "text", [b'{"type": "flag"}', b'{"type": "denial", "codes": [{"a": "b"}], "scope": "ever"}']
)
def test_what_is_no_value_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidFact):
        ValueTexts().number(text)
