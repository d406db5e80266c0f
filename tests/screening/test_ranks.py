"""The plane of "at least this place" is that of comparing everybody, wherever planes are kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from screening.facts import Facts
from screening.language.lowering import lower
from screening.language.protocol import Protocol
from screening.language.questions import Resolver
from screening.planes import ranks
from screening.planes.bits import WORD, Bench, positions, words_for
from screening.planes.ranks import Ladder, Ranks
from tests.screening import histories
from tests.screening.people import TERMS, VOCABULARY
from tests.screening.test_planes import assert_equals_the_interpreter, pool_of

PLACES = 9


@pytest.fixture(params=[(1, 1), (2, 1), (3, 64)], ids=["each", "every-second", "few-turned"])
def close(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep planes of places that are close together, and turn over many or few."""
    apart, many = request.param
    monkeypatch.setattr(ranks, "APART", apart)
    monkeypatch.setattr(ranks, "MANY", many)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, PLACES), max_size=150), st.booleans())
@pytest.mark.usefixtures("close")
def test_every_place_is_as_if_everybody_were_compared(held: list[int], absent_last: bool) -> None:
    absent = PLACES if absent_last else 0
    words = words_for(len(held))
    codes = np.full(words * WORD, absent, dtype=np.uint16)
    codes[: len(held)] = held
    bench = Bench(words)

    made = Ranks.of(codes, last=PLACES, absent=absent)

    for place in range(-1, PLACES + 2):
        expected = np.flatnonzero(codes >= place).tolist()
        assert positions(made.at_least(place, bench)).tolist() == expected, place


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(70)))
@pytest.mark.usefixtures("close")
def test_a_ladder_gives_all_from_any_row_on(order: list[int]) -> None:
    ladder = Ladder.of(np.array(order, dtype=np.int32), np.zeros(2 * WORD, dtype=np.bool_))

    for row in range(len(order) + 1):
        assert positions(ladder.since(row, Bench(2))).tolist() == sorted(order[row:])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories.protocols(), st.lists(histories.people, min_size=1, max_size=8))
@pytest.mark.usefixtures("close")
def test_the_planes_equal_the_interpreter_with_many_planes_kept(
    protocol: Protocol, people: list[Facts]
) -> None:
    lowered = lower(protocol, resolver=Resolver(VOCABULARY, TERMS))

    assert_equals_the_interpreter(pool_of(people), dict(enumerate(people)), lowered)
