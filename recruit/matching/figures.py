"""What was asked of the pool and the numbers that may be shown for it, as they are kept; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

MILES: Final = (10, 25, 50, 100)
"""How far from a site people may live, as a coordinator chooses it."""
USUAL_MILES: Final = 50


class Why(StrEnum):
    """Why a number is not shown."""

    FEW = "few"
    TOO_NEAR = "too_near"


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of people as it may be shown; `since` is the day of the count that it is from."""

    number: int | None
    since: date
    hidden: Why | None = None

    def to_json(self) -> list[object]:
        """Write the figure as it is kept."""
        return [self.number, self.since.isoformat(), self.hidden.value if self.hidden else None]

    @classmethod
    def from_json(cls, kept: Any) -> Figure:  # noqa: ANN401 - a row's document
        """Read a figure as it was kept."""
        number, since, hidden = kept
        return cls(number, date.fromisoformat(since), Why(hidden) if hidden else None)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many there are at least, as far as is known, and at most."""

    least: Figure
    most: Figure

    def to_json(self) -> list[object]:
        """Write both as they are kept."""
        return [self.least.to_json(), self.most.to_json()]

    @classmethod
    def from_json(cls, kept: Any) -> Bounds:  # noqa: ANN401 - a row's document
        """Read both as they were kept."""
        least, most = kept
        return cls(Figure.from_json(least), Figure.from_json(most))


@dataclass(frozen=True, slots=True)
class Taken:
    """What one criterion takes out of the pool: alone, where no other does, and in order what it leaves."""

    criterion: str
    alone: Bounds
    only: Bounds
    left: Bounds


@dataclass(frozen=True, slots=True)
class Nearby:
    """How many live so many miles or less from a site, and how many of them are left."""

    study_site_id: UUID
    people: Bounds
    left: Bounds


@dataclass(frozen=True, slots=True)
class Tried:
    """What is left where one criterion reads otherwise: how many in all, how many more, how many fewer."""

    criterion: str
    rule: str
    left: Bounds
    gained: Bounds
    lost: Bounds


@dataclass(frozen=True, slots=True)
class Asked:
    """What a coordinator wants to have counted.

    `study_site_id`: the site around which criterion by criterion is counted; none for the whole pool.
    `criterion` and `rule`: a criterion to be read otherwise for once, and how, in the notation.
    """

    miles: int = USUAL_MILES
    study_site_id: UUID | None = None
    cohort: str = ""
    criterion: str = ""
    rule: str = ""

    def to_json(self) -> dict[str, object]:
        """Write what was asked as it is kept."""
        place = str(self.study_site_id) if self.study_site_id else ""
        told = {"miles": self.miles, "study_site": place, "cohort": self.cohort}
        return {**told, "criterion": self.criterion, "rule": self.rule}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Asked:
        """Read what was asked as it was kept."""
        place = UUID(kept["study_site"]) if kept["study_site"] else None
        return cls(kept["miles"], place, kept["cohort"], kept["criterion"], kept["rule"])


@dataclass(frozen=True, slots=True)
class Counted:
    """A protocol over the pool on a day, in numbers that may be shown."""

    on: date
    pool: Figure
    people: Bounds
    left: Bounds
    taken: tuple[Taken, ...]
    sites: tuple[Nearby, ...]
    tried: Tried | None = None

    def to_json(self) -> dict[str, object]:
        """Write the numbers as they are kept."""
        tried = self.tried
        return {
            "on": self.on.isoformat(),
            "pool": self.pool.to_json(),
            "people": self.people.to_json(),
            "left": self.left.to_json(),
            "taken": [
                [one.criterion, one.alone.to_json(), one.only.to_json(), one.left.to_json()]
                for one in self.taken
            ],
            "sites": [[str(one.study_site_id), one.people.to_json(), one.left.to_json()] for one in self.sites],
            "tried": tried
            and [
                tried.criterion,
                tried.rule,
                *(part.to_json() for part in (tried.left, tried.gained, tried.lost)),
            ],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Counted:
        """Read the numbers as they were kept."""
        tried = kept["tried"]
        return cls(
            date.fromisoformat(kept["on"]),
            Figure.from_json(kept["pool"]),
            Bounds.from_json(kept["people"]),
            Bounds.from_json(kept["left"]),
            tuple(Taken(one, *map(Bounds.from_json, parts)) for one, *parts in kept["taken"]),
            tuple(Nearby(UUID(one), *map(Bounds.from_json, parts)) for one, *parts in kept["sites"]),
            Tried(tried[0], tried[1], *map(Bounds.from_json, tried[2:])) if tried else None,
        )
