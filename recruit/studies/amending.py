"""Carry a coordinator's work over to a changed registry text; pure.

Three versions meet: what the registry said before (base), what the coordinator made of it (ours), and what the
registry says now (theirs). A criterion whose words stayed keeps rule, wording and all; one whose words changed
keeps its lineage and starts as text again; one that the coordinator added stays, one taken out stays out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from recruit.interop.eligibility import with_own_lineages
from recruit.interop.lineage import lineage, normal
from screening.language.protocol import Criterion, Protocol

_KEPT = ("rule", "unless", "wording", "evidence", "cohorts")


@dataclass(frozen=True, slots=True)
class _Said:
    """A criterion as the matching of words wants it: its parent is a position."""

    text: str
    kind: str
    parent: int | None


def amended(ours: Protocol, *, base: Protocol, theirs: Protocol) -> Protocol:
    """Give the draft of an amendment: the registry's new text with the coordinator's work on it."""
    continued = lineage(_said(ours.criteria), _said(theirs.criteria))
    matched = {at for at in continued if at is not None}
    known = {_words(criterion) for criterion in base.criteria}
    kept: list[Criterion] = []
    for criterion, before in zip(theirs.criteria, continued, strict=True):
        if before is not None:
            kept.append(_carried(ours.criteria[before], criterion, base))
        elif _words(criterion) not in known:
            kept.append(criterion)
    own = [
        criterion
        for at, criterion in enumerate(ours.criteria)
        if at not in matched and _words(criterion) not in known
    ]
    places = {
        ours.criteria[before].id: criterion.id
        for criterion, before in zip(theirs.criteria, continued, strict=True)
        if before is not None
    }
    criteria = _with_parents([*kept, *_renamed(own, kept, places)])
    return ours.model_copy(update={"criteria": tuple(with_own_lineages(criteria))})


def _carried(mine: Criterion, now: Criterion, base: Protocol) -> Criterion:
    """Give the registry's criterion with the lineage of ours, and with our work where the words stayed."""
    changes: dict[str, object] = {"lineage": mine.lineage}
    was = next((one for one in base.criteria if _words(one) == _words(now)), None)
    if was is not None and was.kind is now.kind:
        changes["kind"] = mine.kind
    if normal(mine.text) == normal(now.text) and now.text.strip():
        changes |= {name: getattr(mine, name) for name in _KEPT}
    return now.model_copy(update=changes)


def _renamed(
    own: Sequence[Criterion], kept: Sequence[Criterion], places: dict[str, str]
) -> Iterator[Criterion]:
    """Keep what a coordinator added, under ids that nothing else has, below the parent it had."""
    taken = {criterion.id for criterion in kept}
    for criterion in own:
        name = criterion.id
        while name in taken:
            name = f"{name[:60]}-x"
        taken.add(name)
        places = {**places, criterion.id: name}
        parent = places.get(criterion.parent or "")
        yield criterion.model_copy(update={"id": name, "parent": parent})


def _with_parents(criteria: Sequence[Criterion]) -> list[Criterion]:
    """Lift criteria whose parent is gone to the top."""
    seen: set[str] = set()
    whole = []
    for criterion in criteria:
        lost = criterion.parent is not None and criterion.parent not in seen
        whole.append(criterion.model_copy(update={"parent": None}) if lost else criterion)
        seen.add(criterion.id)
    return whole


def _said(criteria: Sequence[Criterion]) -> list[_Said]:
    places = {criterion.id: at for at, criterion in enumerate(criteria)}
    return [_Said(one.text, one.kind.value, places.get(one.parent or "")) for one in criteria]


def _words(criterion: Criterion) -> str:
    return normal(criterion.text)
