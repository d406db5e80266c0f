"""What was asked of the pool and the numbers that may be shown for it, as they are kept; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from screening.language.protocol import Anchor, Criterion, Protocol

MILES: Final = (10, 25, 50, 100)
"""How far from a site people may live, as a coordinator chooses it."""
USUAL_MILES: Final = 50
RULE: Final = "only"
"""Names, in what was asked, the one criterion that was counted; nothing where it was a whole version."""


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
    """How many there are at least, as far as is known, and at most.

    `out` is how many of those counted are surely not among them, where that was asked too: where it is few,
    it can be said that the most are nearly all, although their number cannot be shown.
    """

    least: Figure
    most: Figure
    out: Figure | None = None

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All numbers that were asked for."""
        return (self.least, self.most) if self.out is None else (self.least, self.most, self.out)

    def to_json(self) -> list[object]:
        """Write all as they are kept."""
        return [one.to_json() for one in self.figures]

    @classmethod
    def from_json(cls, kept: Any) -> Bounds:  # noqa: ANN401 - a row's document
        """Read all as they were kept."""
        return cls(*map(Figure.from_json, kept))


@dataclass(frozen=True, slots=True)
class Taken:
    """What one criterion takes out of the pool.

    `here`: surely, of those whom none before it surely took; `left`: whom it and all before it leave;
    `alone`: whatever the others say; `only`: where no other does.
    """

    criterion: str
    here: Figure
    left: Bounds
    alone: Bounds
    only: Bounds


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

    @property
    def figures(self) -> Iterator[Figure]:
        """All numbers of a count."""
        yield self.pool
        yield from self.people.figures
        yield from self.left.figures
        for one in self.taken:
            yield one.here
            for part in (one.left, one.alone, one.only):
                yield from part.figures
        for site in self.sites:
            yield from (*site.people.figures, *site.left.figures)
        if self.tried is not None:
            yield from (*self.tried.left.figures, *self.tried.gained.figures, *self.tried.lost.figures)

    def to_json(self) -> dict[str, object]:
        """Write the numbers as they are kept."""
        tried = self.tried
        return {
            "on": self.on.isoformat(),
            "pool": self.pool.to_json(),
            "people": self.people.to_json(),
            "left": self.left.to_json(),
            "taken": [
                [
                    one.criterion,
                    one.here.to_json(),
                    *(part.to_json() for part in (one.left, one.alone, one.only)),
                ]
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
            tuple(
                Taken(one, Figure.from_json(here), *map(Bounds.from_json, parts))
                for one, here, *parts in kept["taken"]
            ),
            tuple(Nearby(UUID(one), *map(Bounds.from_json, parts)) for one, *parts in kept["sites"]),
            Tried(tried[0], tried[1], *map(Bounds.from_json, tried[2:])) if tried else None,
        )


@dataclass(frozen=True, slots=True)
class AskedRule:
    """One criterion whose rule was tried on the pool; `meaning` is that of the rule as it read then."""

    criterion: str
    meaning: str
    rule: str
    unless: str = ""

    def to_json(self) -> dict[str, object]:
        """Write what was asked as it is kept."""
        told = {"meaning": self.meaning, "rule": self.rule, "unless": self.unless}
        return {RULE: self.criterion, **told}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> AskedRule:
        """Read what was asked as it was kept."""
        return cls(kept[RULE], kept["meaning"], kept["rule"], kept["unless"])


@dataclass(frozen=True, slots=True)
class Lacking:
    """A fact that a rule reads, by one of its leaves in the notation.

    `people`: for how many of those unknown it is lacking; `alone`: for how many of them no other fact is, so
    that an answer settles the criterion, but for what only the site can tell.
    """

    leaf: str
    people: Figure
    alone: Figure


@dataclass(frozen=True, slots=True)
class RuleCounted:
    """One criterion over the pool on a day: how many pass, how many may, how many do not."""

    on: date
    passes: Figure
    unknown: Figure
    fails: Figure
    lacking: tuple[Lacking, ...]

    @property
    def figures(self) -> Iterator[Figure]:
        """All numbers of a count."""
        yield from (self.passes, self.unknown, self.fails)
        for one in self.lacking:
            yield from (one.people, one.alone)

    def to_json(self) -> dict[str, object]:
        """Write the numbers as they are kept."""
        return {
            "on": self.on.isoformat(),
            "figures": [one.to_json() for one in (self.passes, self.unknown, self.fails)],
            "lacking": [[one.leaf, one.people.to_json(), one.alone.to_json()] for one in self.lacking],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> RuleCounted:
        """Read the numbers as they were kept."""
        passes, unknown, fails = map(Figure.from_json, kept["figures"])
        lacking = tuple(Lacking(leaf, *map(Figure.from_json, parts)) for leaf, *parts in kept["lacking"])
        return cls(date.fromisoformat(kept["on"]), passes, unknown, fails, lacking)


def meaning(criterion: Criterion, anchors: Mapping[str, Anchor]) -> str:
    """Give the digest of whom a criterion lets pass; what its text says and where it stands play no part."""
    bare = Criterion(
        id="c",
        kind=criterion.kind,
        text="c",
        evidence=criterion.evidence,
        rule=criterion.rule,
        unless=criterion.unless,
    )
    return Protocol(criteria=(bare,), anchors=dict(anchors)).digest
