"""Small numbers: what is shown never lets a number from 1 to 10 be worked out."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recruit.matching.floor import HIDDEN, SMALL, Count, parts, reasons
from screening.floor import FLOOR

SMALL_ONES = range(1, FLOOR)
numbers = st.one_of(st.just(0), st.integers(1, 10), st.integers(11, 60))
tables = st.dictionaries(st.sampled_from("abcde"), numbers, min_size=1)


def could_be(shown: dict[str, Count], rest: int, key: str, number: int) -> bool:
    """Say whether somebody who knows what is shown and the sum of the rest must admit this number."""
    others = [one for name, one in shown.items() if one.number is None and name != key]
    least = sum(1 if one.is_small else FLOOR for one in others)
    most = sum(FLOOR - 1 for one in others if one.is_small)
    left = rest - number
    return least <= left and (any(not one.is_small for one in others) or left <= most)


class TestParts:
    @given(tables)
    def test_never_show_a_small_number(self, table: dict[str, int]) -> None:
        shown = parts(table)

        assert all(one.number is None or one.number == table[key] for key, one in shown.items())
        assert not any(one.number in SMALL_ONES for one in shown.values())

    @given(tables)
    def test_leave_every_small_number_possible_to_whoever_knows_the_total(self, table: dict[str, int]) -> None:
        shown = parts(table)

        rest = sum(table.values()) - sum(one.number or 0 for one in shown.values())
        for key in [key for key, one in shown.items() if one.is_small]:
            assert all(could_be(shown, rest, key, number) for number in SMALL_ONES)

    @given(tables.filter(lambda table: not any(number in SMALL_ONES for number in table.values())))
    def test_show_everything_where_nothing_is_small(self, table: dict[str, int]) -> None:
        assert parts(table) == {key: Count(number) for key, number in table.items()}

    @pytest.mark.parametrize(
        ("table", "shown"),
        [
            ((40, 0, 0), (Count(40), Count(0), Count(0))),
            ((40, 5, 0), (HIDDEN, SMALL, Count(0))),
            ((40, 30, 5), (Count(40), HIDDEN, SMALL)),
            ((12, 1, 0), (HIDDEN, HIDDEN, HIDDEN)),
            ((5, 0, 0), (HIDDEN, HIDDEN, HIDDEN)),
            ((0, 0, 0), (Count(0), Count(0), Count(0))),
        ],
    )
    def test_hold_back_as_little_as_will_do(self, table: tuple[int, ...], shown: tuple[Count, ...]) -> None:
        assert tuple(parts(dict(enumerate(table))).values()) == shown


class TestReasons:
    @given(tables, st.integers(11, 60))
    def test_never_show_a_small_number(self, table: dict[str, int], total: int) -> None:
        shown = reasons(table, total=Count(total))

        assert not any(one.number in SMALL_ONES for one in shown.values())

    @given(st.lists(st.integers(1, 30), min_size=1, max_size=4), st.integers(0, 30))
    def test_leave_one_possible_however_the_rest_overlaps(self, table: list[int], more: int) -> None:
        counts = {key: number for key, number in enumerate(table)}
        total = max(FLOOR, *table, sum(table) - more)
        if sum(table) < total:
            return

        shown = reasons(counts, total=Count(total))

        for key, one in shown.items():
            if one.is_small:
                others = [
                    [other.number] if other.number is not None else [FLOOR - 1 if other.is_small else total]
                    for name, other in shown.items()
                    if name != key
                ]
                assert any(1 + sum(number or 0 for number in way) >= total for way in product(*others))

    def test_hold_everything_back_where_the_total_is(self) -> None:
        assert reasons({"a": 40, "b": 3}, total=HIDDEN) == {"a": HIDDEN, "b": HIDDEN}
