"""A new draft from a newer record, keeping what people have made of the criteria that stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from recruit.interop.eligibility import drafts, with_own_lineages
from recruit.interop.lineage import lineage
from recruit.interop.registry import StudyRecord
from screening.language.protocol import Criterion, Protocol


def redraft(record: StudyRecord, *, previous: Protocol, imported: StudyRecord) -> Protocol:
    """Make the next draft from a newer record, the version worked on, and the record that version came from.

    Where the registry says the same as then, the criterion stays as people have made it, even if they took it
    out. Where the registry changed its words, lineage and cohorts stay, and the new words are a text again:
    nobody has confirmed a rule for them. What people added themselves stays, after the others.
    """
    base, fresh = drafts(imported).criteria, drafts(record).criteria
    base_of_previous = continued(base, previous.criteria)
    paired = list(zip(base_of_previous, previous.criteria, strict=True))
    worked_on = {then: criterion for then, criterion in paired if then is not None}
    added = [criterion for then, criterion in paired if then is None]
    carried: dict[int, tuple[Criterion, Criterion]] = {}
    new: list[int] = []
    for at, then in enumerate(continued(base, fresh)):
        same = then is not None and _same(base[then], fresh[at])
        if then is not None and then in worked_on:
            carried[at] = worked_on[then], _carried(worked_on[then], fresh[at], same=same)
        elif not same:
            new.append(at)
    taken = {criterion.lineage for criterion in (*(now for _, now in carried.values()), *added)}
    renamed = with_own_lineages([fresh[at] for at in new], taken=taken)
    kept = {at: now for at, (_, now) in carried.items()} | dict(zip(new, renamed, strict=True))
    ids = {then.id: now.id for then, now in carried.values()}
    criteria = _in_one_document([kept[at] for at in sorted(kept)], added, ids)
    return previous.model_copy(update={"criteria": criteria})


def continued(old: Sequence[Criterion], new: Sequence[Criterion]) -> tuple[int | None, ...]:
    """Give for every new criterion the position of the old one that it continues: by lineage, else by words."""
    by_lineage = {criterion.lineage: at for at, criterion in enumerate(old)}
    found = {at: by_lineage[one.lineage] for at, one in enumerate(new) if one.lineage in by_lineage}
    old_left = [at for at in range(len(old)) if at not in set(found.values())]
    new_left = [at for at in range(len(new)) if at not in found]
    by_words = lineage(_said(old, old_left), _said(new, new_left))
    found |= {new_left[at]: old_left[then] for at, then in enumerate(by_words) if then is not None}
    return tuple(found.get(at) for at in range(len(new)))


@dataclass(frozen=True, slots=True)
class _Said:
    """A criterion as ``lineage`` compares it."""

    text: str
    kind: str
    parent: int | None


def _said(criteria: Sequence[Criterion], positions: Sequence[int]) -> list[_Said]:
    places = {criteria[at].id: place for place, at in enumerate(positions)}
    return [
        _Said(criteria[at].text, criteria[at].kind.value, places.get(criteria[at].parent or ""))
        for at in positions
    ]


def _same(base: Criterion, fresh: Criterion) -> bool:
    return (base.text, base.kind, base.rule) == (fresh.text, fresh.kind, fresh.rule)


def _carried(worked_on: Criterion, fresh: Criterion, *, same: bool) -> Criterion:
    if not same:
        return fresh.model_copy(update={"lineage": worked_on.lineage, "cohorts": worked_on.cohorts})
    registry: Mapping[str, object] = fresh.extensions
    place = {"id": fresh.id, "number": fresh.number, "parent": fresh.parent}
    return worked_on.model_copy(update={**place, **registry})


def _in_one_document(
    kept: Sequence[Criterion], added: Sequence[Criterion], ids: dict[str, str]
) -> tuple[Criterion, ...]:
    """Put people's own criteria after the registry's; ``ids`` tells what became of the ids they name."""
    taken = {criterion.id for criterion in kept}
    placed: list[Criterion] = []
    for criterion in added:
        name = _free(criterion.id, taken)
        placed.append(criterion.model_copy(update={"id": name, "parent": ids.get(criterion.parent or "")}))
        ids |= {criterion.id: name}
        taken.add(name)
    return tuple(_below_known_parents([*kept, *placed]))


def _below_known_parents(criteria: Sequence[Criterion]) -> Iterator[Criterion]:
    """Lift a criterion whose parent was taken out."""
    seen: set[str] = set()
    for criterion in criteria:
        seen.add(criterion.id)
        yield criterion if criterion.parent in seen else criterion.model_copy(update={"parent": None})


def _free(name: str, taken: set[str]) -> str:
    names = (f"{name[:56]}-{number}" for number in count(2))
    return name if name not in taken else next(other for other in names if other not in taken)
