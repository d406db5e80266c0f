"""The numbers that a rule lets pass: stretches of the number line, cut and joined exactly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal


@dataclass(frozen=True, slots=True)
class Stretch:
    """Numbers from one end to the other; an end that is missing is open, `over` and `under` leave it out."""

    least: Decimal | None = None
    most: Decimal | None = None
    over: bool = False
    under: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether no number lies in it."""
        if self.least is None or self.most is None:
            return False
        return self.least > self.most or (self.least == self.most and (self.over or self.under))

    def whole(self) -> Stretch:
        """Give the whole numbers in it, ends included."""
        least, most = self.least, self.most
        if least is not None:
            up = least.to_integral_value(ROUND_CEILING)
            least = up + 1 if self.over and up == least else up
        if most is not None:
            down = most.to_integral_value(ROUND_FLOOR)
            most = down - 1 if self.under and down == most else down
        return Stretch(least, most)

    def cut(self, other: Stretch) -> Stretch:
        """Give what lies in both."""
        least, over = max(
            (_low(self), _low(other)), key=lambda end: (end[0] is not None, end[0] or Decimal(0), end[1])
        )
        most, under = min(
            (_high(self), _high(other)), key=lambda end: (end[0] is None, end[0] or Decimal(0), not end[1])
        )
        return Stretch(least, most, over, under)


def _low(one: Stretch) -> tuple[Decimal | None, bool]:
    return one.least, one.over


def _high(one: Stretch) -> tuple[Decimal | None, bool]:
    return one.most, one.under


def compared(sign: str, value: Decimal) -> tuple[Stretch, ...]:
    """Give the numbers of which a comparison such as `>= 18` holds."""
    match sign:
        case ">=":
            return (Stretch(least=value),)
        case ">":
            return (Stretch(least=value, over=True),)
        case "<=":
            return (Stretch(most=value),)
        case "<":
            return (Stretch(most=value, under=True),)
        case "==":
            return (Stretch(value, value),)
        case _:
            return (Stretch(most=value, under=True), Stretch(least=value, over=True))


def both(one: Iterable[Stretch], other: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Give the numbers in one and the other."""
    others = tuple(other)
    return tidy(a.cut(b) for a in one for b in others)


def tidy(stretches: Iterable[Stretch], *, whole: bool = False) -> tuple[Stretch, ...]:
    """Leave out what is empty, and join what overlaps or, among whole numbers, is next to each other."""
    parts = [part.whole() if whole else part for part in stretches]
    parts = sorted((part for part in parts if not part.is_empty), key=_order)
    joined: list[Stretch] = []
    for part in parts:
        if joined and _touch(joined[-1], part, whole=whole):
            joined[-1] = _together(joined[-1], part)
        else:
            joined.append(part)
    return tuple(joined)


def _order(part: Stretch) -> tuple[bool, Decimal, bool]:
    return part.least is not None, part.least or Decimal(0), part.over


def _touch(before: Stretch, after: Stretch, *, whole: bool) -> bool:
    if before.most is None or after.least is None:
        return True
    if whole:
        return after.least <= before.most + 1
    return after.least < before.most or (after.least == before.most and not (before.under and after.over))


def _together(before: Stretch, after: Stretch) -> Stretch:
    if before.most is None or after.most is None:
        most, under = None, False
    else:
        most, under = max(
            (before.most, before.under), (after.most, after.under), key=lambda e: (e[0], not e[1])
        )
    return Stretch(before.least, most, before.over, under)
