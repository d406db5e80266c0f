"""Statements that must be there, held against statements that must not: what forbids all that is asked for.

A coded leaf that holds needs one statement of which everything holds. Where
leaves that must not hold forbid its every code in its every status, on days
and with details that theirs include, there can be no such statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from screening.errors import InvalidUnit
from screening.facts import EvidenceSource
from screening.intervals import Duration
from screening.language.criteria import (
    TODAY,
    Coded,
    CodedStatus,
    Dating,
    Distinct,
    DistinctBy,
    Leaf,
    Limits,
    coded_part,
)
from screening.language.lines import before_scaling, both, without
from screening.language.regions import Ground, Literal, region
from screening.language.windows import Ends, edges
from screening.terms import EITHER, CodeSet, may_have_parts
from screening.units import convert

_STATUSES: Final = {
    CodedStatus.EVER: frozenset({CodedStatus.CURRENT, CodedStatus.PAST}),
    CodedStatus.CURRENT: frozenset({CodedStatus.CURRENT}),
    CodedStatus.PAST: frozenset({CodedStatus.PAST}),
    CodedStatus.PLANNED: frozenset({CodedStatus.PLANNED}),
}


@dataclass(frozen=True, slots=True)
class _Claim:
    """That so many statements of a kind are there, or are not; by what evidence."""

    part: Coded
    codes: CodeSet
    decides_from: EvidenceSource | None
    count: int = 1
    by: DistinctBy | None = None


def families(leaves: Iterable[Leaf], ground: Ground) -> dict[Leaf, int]:
    """Give coded leaves numbers; only those of the same number may speak of the same codes."""
    found: dict[Leaf, int] = {}
    sets: list[CodeSet] = []
    for leaf in leaves:
        part = coded_part(leaf)
        if part is None:
            continue
        codes = CodeSet.of(ground.terms, part.codes, part.but)
        touching = [number for number, held in enumerate(sets) if held.overlaps(codes)]
        home = touching[0] if touching else len(sets)
        for number in reversed(touching[1:]):
            codes, sets[number] = codes.union(sets[number]), CodeSet({})
            found.update({one: home for one, old in found.items() if old == number})
        if touching:
            sets[home] = sets[home].union(codes)
        else:
            sets.append(codes)
        found[leaf] = home
    return found


def statements_possible(literals: Iterable[Literal], ground: Ground) -> bool:
    """Tell whether statements that are asked for may stand beside those that are forbidden.

    Examples ("such as") are not all that is asked for, so that forbidding them forbids nothing.
    """
    said = [(_claim(leaf, ground), wanted) for leaf, wanted in literals]
    forbidden = [claim for claim, wanted in said if claim is not None and not wanted]
    asked = [claim for claim, wanted in said if claim is not None and wanted and not claim.part.such_as]
    return all(_may_be(claim, forbidden, ground) for claim in asked)


def _claim(leaf: Leaf, ground: Ground) -> _Claim | None:
    part = coded_part(leaf)
    if part is None:
        return None
    codes = CodeSet.of(ground.terms, part.codes, part.but)
    if isinstance(leaf, Distinct):
        return _Claim(part, codes, leaf.decides_from, leaf.count, leaf.by)
    return _Claim(part, codes, part.decides_from)


def _may_be(claim: _Claim, forbidden: Sequence[_Claim], ground: Ground) -> bool:
    if claim.codes.is_empty or claim.count > _most_kinds(claim):
        return False
    for other in forbidden:
        if other.count > 1 and _is_more(claim, other, ground):
            return False
    against = [other for other in forbidden if other.count <= 1 and _includes(other, claim, ground)]
    return any(
        not _left(claim.codes, (one for one in against if status in _STATUSES[one.part.status])).is_empty
        for status in _STATUSES[claim.part.status]
    )


def _left(codes: CodeSet, forbidden: Iterable[_Claim]) -> CodeSet:
    for other in forbidden:
        codes = codes.minus(other.codes)
    return codes


def _most_kinds(claim: _Claim) -> float:
    """Give how many different kinds there can be among codes: no limit where a code has narrower ones."""
    codes = claim.part.codes
    if claim.by is not DistinctBy.KIND or any(EITHER in code.code or may_have_parts(code) for code in codes):
        return float("inf")
    return len(set(codes))


def _is_more(claim: _Claim, other: _Claim, ground: Ground) -> bool:
    """Tell whether so many of one thing are always so many of another."""
    statuses = _STATUSES[claim.part.status] <= _STATUSES[other.part.status]
    enough = claim.count >= other.count and claim.by is other.by
    return enough and statuses and claim.codes.within(other.codes) and _includes(other, claim, ground)


def _includes(other: _Claim, claim: _Claim, ground: Ground) -> bool:
    """Tell whether all that a claim says beside code and status is included in what another says."""
    return all(_inclusions(other, claim, ground))


def _inclusions(other: _Claim, claim: _Claim, ground: Ground) -> Iterator[bool]:
    theirs, mine = other.part, claim.part
    yield _hears(other.decides_from, claim.decides_from)
    yield theirs.window is None or _days_include(theirs, mine, ground)
    same_anchor = _anchor(theirs) == _anchor(mine)
    yield theirs.for_at_least is None or (same_anchor and _is_longer(mine.for_at_least, theirs.for_at_least))
    yield theirs.unchanged_for is None or (same_anchor and _is_longer(mine.unchanged_for, theirs.unchanged_for))
    yield theirs.dose is None or (mine.dose is not None and _dose_includes(theirs.dose, mine.dose))
    yield not theirs.routes or (bool(mine.routes) and set(mine.routes) <= set(theirs.routes))


def _hears(other: EvidenceSource | None, mine: EvidenceSource | None) -> bool:
    """Tell whether whatever decides here decides there too."""
    return other is None or (mine is not None and mine.rank <= other.rank)


def _days_include(theirs: Coded, mine: Coded, ground: Ground) -> bool:
    """Tell whether days that touch one window always touch another, be they a beginning, an end or any day."""
    if theirs.window is None or mine.window is None:
        return False
    if theirs.dating not in (mine.dating, Dating.ACTIVE):
        return False
    if theirs.window == mine.window:
        return True
    wide, narrow = ground.anchors.get(theirs.window.anchor), ground.anchors.get(mine.window.anchor)
    if wide is None or narrow is None:
        return False
    return _covers(edges(theirs.window, wide).surely, edges(mine.window, narrow).possibly)


def _covers(wide: Ends, narrow: Ends) -> bool:
    starts = wide[0] is None or (narrow[0] is not None and narrow[0] >= wide[0])
    lasts = wide[1] is None or (narrow[1] is not None and narrow[1] <= wide[1])
    return starts and lasts


def _anchor(part: Coded) -> str:
    return part.window.anchor if part.window else TODAY


def _is_longer(mine: Duration | None, theirs: Duration) -> bool:
    return mine is not None and mine.unit is theirs.unit and mine.count >= theirs.count


def _dose_includes(theirs: Limits, mine: Limits) -> bool:
    try:
        start = convert(Fraction(0), mine.unit, theirs.unit)
        slope = convert(Fraction(1), mine.unit, theirs.unit) - start
    except InvalidUnit:
        return False
    return not both(region(mine), without(before_scaling(region(theirs), slope, start)))
