"""What lies outside all branches of a case that cuts up one key.

Taken as "none of the conditions" it would stay unknown for somebody whose
sex is unknown, although no value is left over. Here the remainder is worked
out as leaves of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from screening.language.criteria import Age, Attested, Is, Limits, Node, Number
from screening.vocabulary import Vocabulary

Cut = tuple[Decimal, bool]
"""A place between numbers: just before one, or (True) just after it."""

Stretch = tuple[Cut | None, Cut | None]


def outside(conditions: Sequence[Node], *, vocabulary: Vocabulary) -> tuple[Node, ...] | None:
    """Give leaves of which one holds exactly when no condition does; None when they mix keys."""
    first = conditions[0]
    if not all(type(node) is type(first) and _subject(node) == _subject(first) for node in conditions):
        return None
    match first:
        case Is():
            named = {code for node in conditions if isinstance(node, Is) for code in node.codes}
            left = tuple(code for code in vocabulary[first.key].codes if code not in named)
            return (first.model_copy(update={"codes": left}),) if left else ()
        case Attested():
            values = {node.value for node in conditions if isinstance(node, Attested)}
            return tuple(first.model_copy(update={"value": v}) for v in (True, False) if v not in values)
        case Age():
            stretches = [_stretch_of_age(node) for node in conditions if isinstance(node, Age)]
            return tuple(_age(first, gap) for gap in _gaps(stretches, floor=(Decimal(0), False)))
        case Number() if len(first.limits) == 1:
            ranges = [node.limits[0] for node in conditions if isinstance(node, Number)]
            return tuple(_number(first, gap) for gap in _gaps([_stretch(limits) for limits in ranges]))
        case _:
            return None


def _subject(node: Node) -> object:
    """Give everything about a leaf but its limits or codes: branches must agree on it."""
    match node:
        case Is():
            return node.model_copy(update={"codes": ()})
        case Attested():
            return node.model_copy(update={"value": True})
        case Age():
            return node.model_copy(update={"ge": None, "gt": None, "le": None, "lt": None})
        case Number():
            return node.model_copy(update={"limits": tuple(limits.unit for limits in node.limits)})
        case _:
            return id(node)


def _stretch(limits: Limits) -> Stretch:
    lower = (limits.ge, False) if limits.ge is not None else (limits.gt, True)
    upper = (limits.lt, False) if limits.lt is not None else (limits.le, True)
    return (
        None if lower[0] is None else (lower[0], lower[1]),
        None if upper[0] is None else (upper[0], upper[1]),
    )


def _stretch_of_age(age: Age) -> Stretch:
    """Read completed units, which are whole, as stretches that meet without a gap."""
    lower = age.ge if age.ge is not None else None if age.gt is None else age.gt + 1
    upper = age.lt if age.lt is not None else None if age.le is None else age.le + 1
    return (
        None if lower is None else (Decimal(lower), False),
        None if upper is None else (Decimal(upper), False),
    )


def _gaps(stretches: Sequence[Stretch], *, floor: Cut | None = None) -> list[Stretch]:
    """Find what the stretches leave free, from the floor upwards."""
    lowest: Cut = (Decimal("-Infinity"), False) if floor is None else floor
    place: Cut | None = lowest
    gaps: list[Stretch] = []
    for start, end in sorted(stretches, key=lambda stretch: stretch[0] or lowest):
        if place is None:
            break
        if start is not None and start > place:
            gaps.append((None if place == lowest else place, start))
        if end is None:
            return gaps
        place = max(place, end)
    gaps.append((None if place == lowest else place, None))
    return gaps


def _number(leaf: Number, gap: Stretch) -> Number:
    lower, upper = gap
    limits = Limits(
        unit=leaf.limits[0].unit,
        ge=lower[0] if lower and not lower[1] else None,
        gt=lower[0] if lower and lower[1] else None,
        lt=upper[0] if upper and not upper[1] else None,
        le=upper[0] if upper and upper[1] else None,
    )
    return leaf.model_copy(update={"limits": (limits,)})


def _age(leaf: Age, gap: Stretch) -> Age:
    lower, upper = gap
    ends = {
        "ge": int(lower[0]) if lower else None,
        "lt": int(upper[0]) if upper else None,
        "gt": None,
        "le": None,
    }
    return leaf.model_copy(update=ends)
