"""A page shows the next people in order, whoever changed meanwhile, with their reasons."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.assessment.assess import assess_lowered
from screening.facts import Facts, Flag
from screening.language.protocol import CriterionKind
from screening.planes.page import Page, Place, page_of, ranked
from screening.planes.pool import Pool, PoolResult
from screening.verdict import Disposition
from tests.screening.people import TERMS, TODAY, VOCABULARY, make_fact
from tests.screening.test_planes import judged_by, one_rule, pool_of

NO_VAPING = one_rule("vaping is yes", CriterionKind.EXCLUSION)
VAPES, CLEAN = (Facts([make_fact("vaping", Flag(value=said))]) for said in (True, False))
FIT = (Disposition.CANDIDATE, Disposition.POTENTIAL_CANDIDATE)


def page(
    pool: Pool,
    result: PoolResult,
    *,
    scores: list[float] | None = None,
    after: Place | None = None,
    count: int = 2,
) -> Page:
    """Show a page of those whom nothing rules out."""
    held = None if scores is None else np.array(scores)
    return page_of(
        pool, NO_VAPING, result, vocabulary=VOCABULARY, dispositions=FIT, scores=held, after=after, count=count
    )


def slots_of(shown: Page) -> list[int]:
    """List the slots of a page."""
    return [one.place.slot for one in shown.people]


@given(
    st.lists(st.sampled_from((0.0, 0.25, 0.5, 1.0, -1.0)), max_size=12),
    st.integers(1, 5),
)
def test_pages_together_are_everybody_in_order_once(scores: list[float], count: int) -> None:
    slots = np.arange(3, 3 + len(scores), dtype=np.int32)
    found: list[Place] = []
    after: Place | None = None

    while places := ranked(slots, np.array(scores), after=after, count=count):
        assert len(places) <= count
        found += places
        after = places[-1]

    expected = sorted(zip(scores, slots.tolist(), strict=True), key=lambda pair: (-pair[0], pair[1]))
    assert [(place.score, place.slot) for place in found] == expected


def test_those_who_are_ruled_out_are_on_no_page() -> None:
    pool = pool_of([CLEAN, VAPES, Facts(), CLEAN])

    shown = page(pool, judged_by(pool, NO_VAPING), scores=[0.1, 0.9, 0.5, 0.2])

    assert slots_of(shown) == [2, 3]
    assert shown.total == 3
    assert shown.after == Place(0.2, 3)
    assert slots_of(page(pool, judged_by(pool, NO_VAPING), scores=[0.1, 0.9, 0.5, 0.2], after=shown.after)) == [
        0
    ]


def test_the_last_page_has_no_next_one_and_whoever_has_no_score_is_on_it() -> None:
    pool = pool_of([CLEAN, CLEAN])

    shown = page(pool, judged_by(pool, NO_VAPING), scores=[float("nan"), -3.0])

    assert slots_of(shown) == [1, 0]
    assert shown.after is None


def test_each_is_explained_as_the_interpreter_explains_by_what_they_hold_now() -> None:
    pool = pool_of([VAPES, CLEAN])
    pool.put(0, Facts())

    shown = page(pool, judged_by(pool, NO_VAPING))

    assert [one.assessment for one in shown.people] == [
        assess_lowered(NO_VAPING, facts, on=TODAY, vocabulary=VOCABULARY, terms=TERMS)
        for facts in (Facts(), CLEAN)
    ]


def test_a_result_of_another_protocol_or_without_scores_for_all_is_refused() -> None:
    pool = pool_of([CLEAN, CLEAN])

    with pytest.raises(ValueError, match="another protocol"):
        page(pool, judged_by(pool, one_rule("vaping is no")))
    with pytest.raises(ValueError, match="no score for slot 1"):
        page(pool, judged_by(pool, NO_VAPING), scores=[1.0])


def test_nobody_is_found_at_a_slot_of_nobody() -> None:
    pool = pool_of([CLEAN])
    pool.remove(0)

    for slot in (0, 7):
        with pytest.raises(KeyError):
            pool.facts(slot)
