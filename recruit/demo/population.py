"""Names, numbers and addresses of people who do not exist.

Every telephone number is of the kind 555-01xx, which nobody is given; every email address is at example.org
or example.com.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

from recruit.demo.catalogue import SiteData, names
from recruit.people.names import fold
from recruit.people.service import Identity

_AREAS = (
    *(617, 857, 508, 781, 404, 470, 678, 770, 312, 773, 872, 224, 210, 726, 512, 830, 602, 480, 623, 520),
    *(303, 720, 719, 970, 213, 323, 310, 424, 787, 939, 202, 212, 215, 206, 503, 415, 305, 407, 504, 615),
)
_BEST = ("any", "any", "any", "morning", "afternoon", "evening")


@dataclass(frozen=True, slots=True)
class Somebody:
    """Who a made-up person says they are, and where they live."""

    identity: Identity
    phone: str
    email: str
    postcode: str
    best_time: str


class People:
    """Hands out people, each with a number of their own."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._numbers = _numbers(chance)

    def phone(self) -> str:
        """Give a number that nobody has had."""
        return next(self._numbers)

    def somebody(
        self, *, sex: str, born: date | None, language: str, near: SiteData, family: str = ""
    ) -> Somebody:
        """Make up who somebody is."""
        chance = self._chance
        spanish = language == "es" or chance.random() < 0.12
        listed = names("es" if spanish else "en")
        given = chance.choice(listed.male if sex == "male" else listed.female)
        family = family or chance.choice(listed.family)
        if spanish and chance.random() < 0.3:
            family = f"{family} {chance.choice(listed.family)}"
        mail = f"{fold(given)}.{fold(family)}{chance.randrange(10, 999)}"
        domain = "example.org" if chance.random() < 0.6 else "example.com"
        return Somebody(
            Identity(given=given, family=family, birth=born),
            phone=self.phone(),
            email=f"{mail}@{domain}",
            postcode=chance.choice(near.nearby),
            best_time=chance.choice(_BEST),
        )


def _numbers(chance: Random) -> Iterator[str]:
    every = [f"+1{area}55501{line:02d}" for area in _AREAS for line in range(100)]
    chance.shuffle(every)
    yield from every
