"""What a draft's path tells of each question: whether it was answered, in what time, where it was left."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

ANSWERED, AGAIN, LEFT_HERE = "answered", "again", "left"
WITHIN: Final = "within."
SECONDS: Final = (2, 3, 5, 8, 12, 18, 27, 40, 60, 90, 135, 200, 300, 600)
"""The bounds between which answers are counted; what took longer than the last is counted with it."""


def happenings(path: Collection[object], items: Collection[str], left: str | None) -> Iterator[tuple[str, str]]:
    """Go through what happened to questions, as (item, what).

    :param path: steps of (item, seconds since the start), other steps among them
    :param items: the ids of the questions
    :param left: the question at which the draft ended, where it ended at one
    """
    seen: set[str] = set()
    before = 0
    for name, seconds in _steps(path):
        if name in items:
            yield name, AGAIN if name in seen else ANSWERED
            if name not in seen:
                yield name, f"{WITHIN}{_bound(seconds - before)}"
            seen.add(name)
        before = seconds
    if left is not None and left in items:
        yield left, LEFT_HERE


def quantile(counts: dict[int, int], share: float) -> int | None:
    """Give the bound within which a share of the answers was given; nothing where there are none."""
    total, upto = sum(counts.values()), 0
    for bound in SECONDS:
        upto += counts.get(bound, 0)
        if total and upto >= share * total:
            return bound
    return None


def _steps(path: Collection[object]) -> Iterator[tuple[str, int]]:
    for step in path:
        if isinstance(step, list | tuple) and len(step) == 2:
            name, seconds = step
            if isinstance(name, str) and isinstance(seconds, int):
                yield name, seconds


def _bound(seconds: int) -> int:
    return next((bound for bound in SECONDS if seconds <= bound), SECONDS[-1])
