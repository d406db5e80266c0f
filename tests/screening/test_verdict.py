"""The three-valued algebra, held against what "every completion" means for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import pytest

from screening.verdict import Disposition, Kleene, all_of, any_of, at_least, negate

MET, UNKNOWN, NOT_MET = Kleene.MET, Kleene.UNKNOWN, Kleene.NOT_MET
ROWS = [row for size in range(5) for row in product(Kleene, repeat=size)]


def completions(row: Sequence[Kleene]) -> Iterator[tuple[bool, ...]]:
    """Replace every unknown by yes and by no."""
    return product(*([True, False] if value is UNKNOWN else [value is MET] for value in row))


def agreed(outcomes: set[bool]) -> Kleene:
    """Say what holds in all completions."""
    if len(outcomes) > 1:
        return UNKNOWN
    return MET if outcomes.pop() else NOT_MET


@pytest.mark.parametrize("row", ROWS)
def test_all_and_any_say_what_every_completion_says(row: tuple[Kleene, ...]) -> None:
    every = agreed({all(world) for world in completions(row)})
    some = agreed({any(world) for world in completions(row)})

    assert (all_of(row), any_of(row)) == (every, some)


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("count", range(6))
def test_at_least_says_what_every_completion_says(row: tuple[Kleene, ...], count: int) -> None:
    expected = agreed({sum(world) >= count for world in completions(row)})

    assert at_least(count, row) is expected


def test_not_turns_the_settled_and_leaves_the_unknown() -> None:
    assert [negate(value) for value in (NOT_MET, UNKNOWN, MET)] == [MET, UNKNOWN, NOT_MET]


def test_dispositions_are_ordered_from_worst_to_best() -> None:
    best = max(Disposition, key=lambda disposition: disposition.rank)
    worst = min(Disposition, key=lambda disposition: disposition.rank)

    assert (worst, best) == (Disposition.INELIGIBLE, Disposition.CANDIDATE)
