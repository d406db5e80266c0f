"""Which criterion of a new text is which of the old one, so that work on a criterion survives an amendment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import Protocol

from rapidfuzz import fuzz, process

SAME_KIND = 70.0
OTHER_KIND = 88.0
_NEIGHBOURS = 4.0
_MOST_COMPARISONS = 2_000_000


class Said(Protocol):
    """What is compared of a criterion; ``parent`` is a position among its own."""

    @property
    def text(self) -> str:
        """Its words."""

    @property
    def kind(self) -> str:
        """What it is for."""

    @property
    def parent(self) -> int | None:
        """The criterion it stands below."""


def lineage(old: Sequence[Said], new: Sequence[Said]) -> tuple[int | None, ...]:
    """Give for every new criterion the position of the old one that it continues, or none.

    Equal words go first, then words as similar as the two thresholds ask (share of characters kept, in per
    cent); a criterion that changed sides must be more alike. Each old criterion is continued at most once.
    Beyond two million comparisons only equal words are matched.
    """
    found: dict[int, int] = {}
    _match_equal(old, new, found, key=lambda criterion: (criterion.kind, normal(criterion.text)))
    _match_equal(old, new, found, key=lambda criterion: normal(criterion.text))
    _match_similar(old, new, found)
    return tuple(found.get(at) for at in range(len(new)))


def normal(text: str) -> str:
    """Fold case, white space and closing punctuation, which do not make a criterion another one."""
    return " ".join(text.casefold().split()).rstrip(" .;,:")


def _match_equal(
    old: Sequence[Said],
    new: Sequence[Said],
    found: dict[int, int],
    *,
    key: Callable[[Said], Hashable],
) -> None:
    """Match equal keys; of several equal ones the one under the same parent, else the first left."""
    taken = set(found.values())
    waiting: defaultdict[Hashable, dict[int | None, list[int]]] = defaultdict(lambda: defaultdict(list))
    for at in range(len(old) - 1, -1, -1):
        if at not in taken:
            waiting[key(old[at])][old[at].parent].append(at)
    for at, criterion in enumerate(new):
        by_parent = waiting.get(key(criterion)) if at not in found else None
        if not by_parent:
            continue
        parent = _old_parent(criterion, found)
        chosen = parent if parent in by_parent else next(iter(reversed(by_parent)))
        found[at] = by_parent[chosen].pop()
        if not by_parent[chosen]:
            del by_parent[chosen]


def _old_parent(criterion: Said, found: dict[int, int]) -> int | None:
    return None if criterion.parent is None else found.get(criterion.parent, -1)


def _match_similar(old: Sequence[Said], new: Sequence[Said], found: dict[int, int]) -> None:
    taken = set(found.values())
    left_old = [at for at in range(len(old)) if at not in taken]
    left_new = [at for at in range(len(new)) if at not in found]
    if not left_old or not left_new or len(left_old) * len(left_new) > _MOST_COMPARISONS:
        return
    scores = process.cdist(
        [normal(new[at].text) for at in left_new],
        [normal(old[at].text) for at in left_old],
        scorer=fuzz.ratio,
        score_cutoff=SAME_KIND,
    )
    candidates = []
    for row, column in zip(*scores.nonzero(), strict=True):
        ours, theirs = left_new[row], left_old[column]
        score = float(scores[row, column])
        if new[ours].kind == old[theirs].kind or score >= OTHER_KIND:
            near = _NEIGHBOURS * (_old_parent(new[ours], found) == old[theirs].parent)
            candidates.append((-score - near, abs(ours - theirs), ours, theirs))
    for _, _, ours, theirs in sorted(candidates):
        if ours not in found and theirs not in taken:
            found[ours] = theirs
            taken.add(theirs)
