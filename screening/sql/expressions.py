"""SQL conditions as text: a truth value is a boolean, NULL is unknown, and so AND, OR and NOT are Kleene's.

Every part is put in brackets and holds nothing but our own names and whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

TRUE: Final = "TRUE"
FALSE: Final = "FALSE"
UNKNOWN: Final = "CAST(NULL AS BOOLEAN)"


@dataclass(frozen=True, slots=True)
class Judged:
    """A leaf in SQL: its truth, and of whom the interpreter has to tell instead, if of anybody."""

    value: str
    doubt: str = FALSE


def all_true(parts: Iterable[str]) -> str:
    """Join conditions by AND."""
    held = [part for part in dict.fromkeys(parts) if part != TRUE]
    if FALSE in held:
        return FALSE
    return f"({' AND '.join(held)})" if len(held) > 1 else held[0] if held else TRUE


def any_true(parts: Iterable[str]) -> str:
    """Join conditions by OR."""
    held = [part for part in dict.fromkeys(parts) if part != FALSE]
    if TRUE in held:
        return TRUE
    return f"({' OR '.join(held)})" if len(held) > 1 else held[0] if held else FALSE


def opposite(part: str) -> str:
    """Turn a condition over."""
    return {TRUE: FALSE, FALSE: TRUE}.get(part, f"(NOT {part})")


def settled(met: str, failed: str, *, counting: str = TRUE) -> str:
    """Say that something is true where it is met, false where it fails; else, or if it does not count, unknown.

    Where it fails whenever it is known and not met, being met is all there is to ask.
    """
    if failed == opposite(met):
        value = met
    else:
        ways = [way for way in ((met, TRUE), (failed, FALSE)) if way[0] != FALSE]
        value = chosen(ways, otherwise=UNKNOWN)
    return value if counting == TRUE else chosen([(counting, value)], otherwise=UNKNOWN)


def chosen(ways: Sequence[tuple[str, str]], *, otherwise: str) -> str:
    """Give what stands beside the first condition that is true."""
    if not ways:
        return otherwise
    return f"(CASE {' '.join(f'WHEN {when} THEN {then}' for when, then in ways)} ELSE {otherwise} END)"


def as_number(condition: str) -> str:
    """Give 1 where a condition is true, else 0."""
    return f"(CASE WHEN {condition} THEN 1 ELSE 0 END)"


def is_set(info: str, bit: int) -> str:
    """Ask for a bit, or for any of several."""
    return f"(({info} & {bit}) <> 0)"


def one_of(column: str, numbers: Iterable[int]) -> str:
    """Ask whether a column holds one of some numbers, by stretches of them."""
    ordered = sorted(set(numbers))
    if not ordered:
        return FALSE
    breaks = [at for at, (one, other) in enumerate(pairwise(ordered), start=1) if other != one + 1]
    edges = pairwise((0, *breaks, len(ordered)))
    stretches = [(ordered[first], ordered[last - 1]) for first, last in edges]
    single = [str(first) for first, last in stretches if first == last]
    found = [f"({column} BETWEEN {first} AND {last})" for first, last in stretches if first != last]
    if single:
        found.append(f"({column} IN ({', '.join(single)}))")
    return any_true(found)
