"""Notice that somebody who answers for themselves is a minor; pure.

A minor is asked to fetch a parent, and nothing is kept (DOMAIN 3).
"""

from __future__ import annotations

from datetime import date

from screening.asking.items import Age, Day, Item
from screening.asking.responses import AgeGiven, Answer, DateGiven

ADULT_AT = 18
"""Years; the age of majority of most states. A few ask for more, which the call settles."""
BIRTH = "birth"


def says_minor(item: Item, answer: Answer, *, on: date) -> bool:
    """Say whether an answer certainly is a minor's."""
    if isinstance(item, Age) and isinstance(answer, AgeGiven):
        return item.key in (None, BIRTH) and answer.years < ADULT_AT
    if isinstance(item, Day) and isinstance(answer, DateGiven):
        return item.key == BIRTH and is_minor(answer.lo, on=on)
    return False


def is_minor(birth: date, *, on: date) -> bool:
    """Say whether somebody born on a day is under age on another."""
    had_birthday = (on.month, on.day) >= (birth.month, birth.day)
    return on.year - birth.year - (not had_birthday) < ADULT_AT
