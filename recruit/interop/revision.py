"""How two records of one study differ, told field by field and criterion by criterion."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from recruit.interop.lineage import lineage
from recruit.interop.registry import (
    Organisation,
    RegistryIdentifier,
    RegistryLocation,
    StudyRecord,
)
from screening.structure.splitting import TextCriterion

__all__ = ["Change", "Difference", "differences", "lineage"]


class Change(StrEnum):
    """What happened to a field or to an entry of a list."""

    ADDED = "added"
    REMOVED = "removed"
    EDITED = "edited"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference, in words that can be shown.

    ``field`` is our name of it. ``item`` says which entry of a list: the place of a criterion that was edited,
    the text of one that moved (``before`` and ``after`` are then its places), the place of a location.
    """

    field: str
    change: Change
    before: str | None = None
    after: str | None = None
    item: str = ""


_PLAIN = (
    "origin",
    "nct_id",
    "org_study_id",
    "brief_title",
    "official_title",
    "acronym",
    "organisation",
    "sponsor",
    "status",
    "last_known_status",
    "why_stopped",
    "study_type",
    "brief_summary",
    "detailed_description",
    "enrolment",
    "minimum_age",
    "maximum_age",
    "sex",
    "gender_based",
    "gender_description",
    "healthy_volunteers",
    "study_population",
    "lists_contacts",
    "protocol_version",
)
_DATES = (
    "start",
    "primary_completion",
    "completion",
    "first_submitted",
    "first_posted",
    "last_update_submitted",
    "last_update_posted",
    "verified",
)
_LISTS = (
    "nct_aliases",
    "secondary_ids",
    "collaborators",
    "phases",
    "conditions",
    "keywords",
    "amendments",
    "codes",
    "cohorts",
)


def differences(old: StudyRecord, new: StudyRecord) -> tuple[Difference, ...]:
    """Tell how a study's record has changed, in the order in which a coordinator reads a study.

    Criteria are matched by their words, so that an edit is not an addition beside a removal, and a criterion
    that only slid down because another came in before it has not moved.
    """
    return (
        *_plain_fields(old, new),
        *_dates(old, new),
        *_lists(old, new),
        *_criteria(old.criteria, new.criteria),
        *_criterion_codes(old, new),
        *_locations(old.locations, new.locations),
    )


def _shown(value: object) -> str | None:
    """Put a value into words; none stays none."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, RegistryIdentifier):
        told = ", ".join(part for part in (value.type, value.system) if part)
        return f"{value.value} ({told})" if told else value.value
    if isinstance(value, Organisation):
        return f"{value.name} ({value.kind})" if value.kind else value.name
    return str(getattr(value, "text", None) or _counted(value))


def _counted(value: object) -> str:
    count, certainty = getattr(value, "count", None), getattr(value, "certainty", None)
    if isinstance(value, str) or not isinstance(count, int):
        return str(value)
    return f"{count} ({certainty.value.lower()})" if certainty else str(count)


def _one(field: str, before: object, after: object) -> Iterator[Difference]:
    if before == after:
        return
    change = Change.ADDED if before is None else Change.REMOVED if after is None else Change.EDITED
    yield Difference(field, change, _shown(before), _shown(after))


def _plain_fields(old: StudyRecord, new: StudyRecord) -> Iterator[Difference]:
    for field in _PLAIN:
        yield from _one(field, getattr(old, field), getattr(new, field))


def _dates(old: StudyRecord, new: StudyRecord) -> Iterator[Difference]:
    for field in _DATES:
        yield from _one(f"dates.{field}", getattr(old.dates, field), getattr(new.dates, field))


def _lists(old: StudyRecord, new: StudyRecord) -> Iterator[Difference]:
    for field in _LISTS:
        before, after = Counter(getattr(old, field)), Counter(getattr(new, field))
        yield from (Difference(field, Change.REMOVED, _shown(entry)) for entry in (before - after).elements())
        yield from (
            Difference(field, Change.ADDED, None, _shown(entry)) for entry in (after - before).elements()
        )


def _criterion_codes(old: StudyRecord, new: StudyRecord) -> Iterator[Difference]:
    """Compare the codes beside criteria; where they stand moves with the criteria."""
    before, after = (Counter(code for _, code in record.criterion_codes) for record in (old, new))
    for code in (before - after).elements():
        yield Difference("criterion_codes", Change.REMOVED, str(code))
    for code in (after - before).elements():
        yield Difference("criterion_codes", Change.ADDED, None, str(code))


def _locations(old: Sequence[RegistryLocation], new: Sequence[RegistryLocation]) -> Iterator[Difference]:
    """Compare places; of the same place a changed status is told, a corrected map point is not."""
    waiting: defaultdict[str, list[RegistryLocation]] = defaultdict(list)
    for location in reversed(old):
        waiting[str(location)].append(location)
    for location in new:
        place = str(location)
        if not waiting[place]:
            yield Difference("locations", Change.ADDED, None, place)
            continue
        before = waiting[place].pop()
        for told in _one("locations.status", before.status, location.status):
            yield Difference(told.field, told.change, told.before, told.after, place)
    for place, left in waiting.items():
        yield from (Difference("locations", Change.REMOVED, place) for _ in left)


def _criteria(old: Sequence[TextCriterion], new: Sequence[TextCriterion]) -> Iterator[Difference]:
    continued = lineage(old, new)
    old_places, new_places = places(old), places(new)
    moved = _moved(old, new, continued)
    kept = set(continued)
    for at, criterion in enumerate(old):
        if at not in kept:
            yield Difference("criteria", Change.REMOVED, criterion.text, None, old_places[at])
    for at, (criterion, before) in enumerate(zip(new, continued, strict=True)):
        if before is None:
            yield Difference("criteria", Change.ADDED, None, criterion.text, new_places[at])
            continue
        if old[before].text != criterion.text:
            yield Difference("criteria", Change.EDITED, old[before].text, criterion.text, new_places[at])
        if at in moved:
            yield Difference("criteria", Change.MOVED, old_places[before], new_places[at], criterion.text)
    yield from _sections(old, new, continued)


def _sections(
    old: Sequence[TextCriterion], new: Sequence[TextCriterion], continued: Iterable[int | None]
) -> Iterator[Difference]:
    """Tell once for every pair of headings that criteria now stand under another heading."""
    pairs = {
        (old[before].section, criterion.section): None
        for criterion, before in zip(new, continued, strict=True)
        if before is not None and old[before].kind is criterion.kind
    }
    for before_section, after_section in pairs:
        yield from _one(
            "criteria.section", " > ".join(before_section) or None, " > ".join(after_section) or None
        )


def _moved(
    old: Sequence[TextCriterion], new: Sequence[TextCriterion], continued: Sequence[int | None]
) -> frozenset[int]:
    """Find what changed sides, parent or order; children that went along with a parent did not move."""
    moved: set[int] = set()
    families: defaultdict[tuple[int | None, str], list[tuple[int, int]]] = defaultdict(list)
    for at, before in enumerate(continued):
        if before is None:
            continue
        parent = new[at].parent
        if (continued[parent] if parent is not None else None) != old[before].parent:
            moved.add(at)
        elif new[at].kind is not old[before].kind:
            if parent is None or new[parent].kind is not new[at].kind or parent not in moved:
                moved.add(at)
        else:
            families[parent, new[at].kind].append((at, before))
    for family in families.values():
        stayed = _longest_rising([before for _, before in family])
        moved.update(at for at, before in family if before not in stayed)
    return frozenset(moved)


def _longest_rising(values: Sequence[int]) -> frozenset[int]:
    """Find the largest set of values that stand in rising order (patience sorting); the values are distinct."""
    piles: list[int] = []
    below: dict[int, int | None] = {}
    for value in values:
        at = bisect_left(piles, value)
        below[value] = piles[at - 1] if at else None
        piles[at : at + 1] = [value]
    kept: set[int] = set()
    last: int | None = piles[-1] if piles else None
    while last is not None:
        kept.add(last)
        last = below[last]
    return frozenset(kept)


def places(criteria: Sequence[TextCriterion]) -> tuple[str, ...]:
    """Name where each criterion stands by counting: "inclusion 3.2" is the second part of the third."""
    counts: Counter[tuple[str, int | None]] = Counter()
    paths: list[str] = []
    for criterion in criteria:
        family = ("" if criterion.parent is not None else criterion.kind.value, criterion.parent)
        counts[family] += 1
        above = f"{paths[criterion.parent]}." if criterion.parent is not None else f"{criterion.kind.value} "
        paths.append(f"{above}{counts[family]}")
    return tuple(paths)
