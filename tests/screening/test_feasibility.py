"""What a protocol leaves of a pool, and which counts of it may be shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from screening.disclosure import Hidden, Register
from screening.feasibility import Passing, Sets, feasibility, gained
from screening.floor import FLOOR
from screening.planes.bits import Plane, count, positions, put, words_for

SIZE = 130
people = st.frozensets(st.integers(0, SIZE - 1), max_size=SIZE)


def plane(slots: Iterable[int], size: int = SIZE) -> Plane:
    made = np.zeros(words_for(size), dtype=np.uint64)
    for slot in slots:
        put(made, slot, True)
    return made


def slots(made: Plane) -> frozenset[int]:
    return frozenset(int(slot) for slot in positions(made))


def both(sets: Sets) -> tuple[frozenset[int], frozenset[int]]:
    return slots(sets.surely), slots(sets.possibly)


criteria = st.lists(st.tuples(people, people), min_size=1, max_size=5).map(
    lambda pairs: [(surely & may, surely | may) for surely, may in pairs]
)


def laid(pool: frozenset[int], pairs: Sequence[tuple[frozenset[int], frozenset[int]]]) -> list[Passing]:
    return [Passing(f"c{n}", plane(must), plane(may)) for n, (must, may) in enumerate(pairs)]


@given(people, criteria)
def test_each_criterion_is_counted_alone_among_all_and_in_order(
    pool: frozenset[int], pairs: list[tuple[frozenset[int], frozenset[int]]]
) -> None:
    found = feasibility(plane(pool), laid(pool, pairs))

    surely, possibly = pool, pool
    for place, (must, may) in enumerate(pairs):
        surely, possibly = surely & must, possibly & may
        effect = found.effects[place]
        others = [pair for at, pair in enumerate(pairs) if at != place]
        all_must = pool.intersection(*(one for one, _ in others)) if others else pool
        all_may = pool.intersection(*(one for _, one in others)) if others else pool
        assert both(effect.left) == (surely, possibly)
        assert both(effect.alone) == (pool - may, pool - must)
        assert both(effect.only) == (all_must - may, all_may - must)
    assert both(found.left) == (surely, possibly)


def test_a_relaxed_criterion_brings_people_back() -> None:
    pool = plane(range(SIZE))
    strict = feasibility(pool, [Passing("c1", plane(range(20)), plane(range(40)))])
    relaxed = feasibility(pool, [Passing("c1", plane(range(30)), plane(range(45)))])

    assert both(gained(strict, relaxed)) == (frozenset(range(20, 30)), frozenset(range(40, 45)))


class TestDisclosure:
    def test_hides_a_few_people(self) -> None:
        shown = Register().show(plane(range(FLOOR - 1)))

        assert (shown.number, shown.hidden) == (None, Hidden.FEW)

    def test_shows_eleven_and_nobody(self) -> None:
        register = Register()

        assert register.show(plane(range(FLOOR))).number == FLOOR
        assert register.show(plane(())).number == 0

    def test_hides_what_tells_about_a_few_together_with_an_earlier_count(self) -> None:
        register = Register()
        register.show(plane(range(50)))

        shown = register.show(plane(range(5, 50)))

        assert (shown.number, shown.hidden) == (None, Hidden.TOO_NEAR)

    def test_two_sets_of_one_size_can_tell_as_much(self) -> None:
        register = Register()
        register.show(plane(range(50)))

        assert register.show(plane(range(3, 53))).hidden is Hidden.TOO_NEAR

    def test_answers_the_same_question_again(self) -> None:
        register = Register([plane(range(50))])

        assert register.show(plane(range(50))).number == 50
        assert register.new == ()

    def test_knows_a_set_of_a_pool_that_has_grown_since(self) -> None:
        register = Register([plane(range(50), 64)])

        assert register.show(plane([*range(50), 100])).hidden is Hidden.TOO_NEAR

    @given(st.lists(people, max_size=12))
    def test_no_two_shown_counts_tell_about_fewer_than_eleven(self, asked: list[frozenset[int]]) -> None:
        register = Register()

        shown = [one for one in asked if register.show(plane(one)).number is not None]

        assert all(not one or len(one) >= FLOOR for one in shown)
        assert all(not one ^ other or len(one ^ other) >= FLOOR for one in shown for other in shown)
        assert all(count(one) == 0 or count(one) >= FLOOR for one in register.new)


class TestThreeCounts:
    """What two shown counts and a third would tell together is hidden, and what they tell already is not."""

    def test_hides_the_third_of_three_that_tell_about_a_few(self) -> None:
        register = Register()
        for shown in (range(60), range(40)):  # left before a criterion, and after it
            assert register.show(plane(shown)).number is not None

        failing = register.show(plane([*range(40, 60), *range(100, 103)]))  # all who fail it, and 3 gone before

        assert failing.hidden is Hidden.TOO_NEAR

    def test_shows_what_follows_from_two(self) -> None:
        register = Register([plane(range(60)), plane(range(40))])

        assert register.show(plane(range(40, 60))).number == 20

    def test_hides_a_union_but_for_a_few(self) -> None:
        register = Register([plane(range(40)), plane(range(37, 80))])

        assert register.show(plane(range(80))).hidden is Hidden.TOO_NEAR

    def test_sees_it_in_a_pool_that_has_grown_since(self) -> None:
        register = Register([plane(range(60), 64), plane(range(40), 64)])

        assert register.show(plane([*range(40, 60), *range(100, 103)])).hidden is Hidden.TOO_NEAR

    @given(st.lists(people, max_size=8))
    def test_no_three_shown_counts_tell_about_fewer_than_eleven(self, asked: list[frozenset[int]]) -> None:
        register = Register()

        shown = [one for one in asked if register.show(plane(one)).number is not None]

        for one, other, third in product(shown, repeat=3):
            told = [(p in one) - (p in other) - (p in third) for p in range(SIZE)]
            few = sum(value != 0 for value in told)
            assert few == 0 or few >= FLOOR
