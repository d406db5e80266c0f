"""What proves that criteria leave nobody: one that nobody passes, several that exclude one another.

A proof speaks of what is so, not of what has been told: of two answers that
contradict each other, one is wrong. Where nothing is proved, somebody may
still be hard to find.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from screening.intervals import add_days
from screening.language.lowering import Const, LoweredCriterion, LoweredProtocol
from screening.language.regions import Ground
from screening.language.satisfying import Claim, Said, Search, Some, TooManySplits, claim, depends_on_calendar
from screening.terms import Terms
from screening.vocabulary import Vocabulary

_MOST_CONTRADICTIONS: Final = 5


class EmptinessKind(StrEnum):
    """What is proved of criteria."""

    NOBODY = "nobody"
    CONTRADICTION = "contradiction"
    EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class Emptiness:
    """One proof: which criteria, by id in their order, and the cohort that they leave empty, if it is but one.

    A criterion that nobody passes stands alone; one that everybody passes is worth a look and no reason
    against publishing.
    """

    kind: EmptinessKind
    criteria: tuple[str, ...]
    cohort: str = ""

    @property
    def refuses(self) -> bool:
        """Whether nobody could ever be found."""
        return self.kind is not EmptinessKind.EVERYBODY


@dataclass(frozen=True, slots=True)
class Examination:
    """All that was proved, and whether a search was given up before it came to an end."""

    found: tuple[Emptiness, ...]
    is_complete: bool = True


def examine(lowered: LoweredProtocol, *, on: date, vocabulary: Vocabulary, terms: Terms) -> Examination:
    """Look for proofs that a criterion, a cohort or the whole protocol lets nobody pass.

    What rests on the calendar is proved for the days of four years, the ends of all their months among them:
    "within 30 days" and "at least a month ago" go together in February.
    """
    return _Examining(lowered, on, vocabulary, terms).examination()


class _Examining:
    def __init__(self, lowered: LoweredProtocol, on: date, vocabulary: Vocabulary, terms: Terms) -> None:
        self._lowered = lowered
        self._vocabulary, self._terms = vocabulary, terms
        self._today = self._search(on)
        self._days = _trial_days(on)
        self._claims = {one.criterion.id: claim(one.passes) for one in lowered.criteria}
        self._gave_up = False

    def examination(self) -> Examination:
        found = list(self._alone())
        gone = {one.criteria[0] for one in found if one.refuses}
        found.extend(self._together(gone))
        return Examination(tuple(found), is_complete=not self._gave_up)

    def _alone(self) -> Iterator[Emptiness]:
        for one in self._lowered.criteria:
            name = one.criterion.id
            if self._is_impossible([self._claims[name]]):
                cohort = one.criterion.cohorts[0] if len(one.criterion.cohorts) == 1 else ""
                yield Emptiness(EmptinessKind.NOBODY, (name,), cohort)
            elif _says_something(one) and self._is_impossible([claim(one.passes, wanted=False)]):
                yield Emptiness(EmptinessKind.EVERYBODY, (name,))

    def _together(self, gone: set[str]) -> Iterator[Emptiness]:
        """Look at the shared criteria, then with each cohort's, without those that are hopeless alone."""
        shared = [one for one in self._lowered.criteria if not one.criterion.cohorts]
        names = [one.criterion.id for one in shared if one.criterion.id not in gone]
        for core in self._cores(names):
            gone.add(core[-1])
            yield Emptiness(EmptinessKind.CONTRADICTION, core)
        for cohort in self._lowered.protocol.cohorts:
            mine = [
                one.criterion.id
                for one in self._lowered.criteria
                if one.criterion.id not in gone
                and (not one.criterion.cohorts or cohort.id in one.criterion.cohorts)
            ]
            for core in self._cores(mine):
                yield Emptiness(EmptinessKind.CONTRADICTION, core, cohort.id)

    def _cores(self, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """Give sets of criteria that exclude one another, each without any that it does not need."""
        left = list(names)
        for _ in range(_MOST_CONTRADICTIONS):
            if not self._is_impossible_today(self._claims[name] for name in left):
                return
            core = list(left)
            for name in reversed(left):
                fewer = [other for other in core if other != name]
                if self._is_impossible_today(self._claims[other] for other in fewer):
                    core = fewer
            if self._is_impossible([self._claims[name] for name in core]):
                yield tuple(core)
            left.remove(core[-1])

    def _is_impossible(self, claims: Sequence[Claim]) -> bool:
        if not self._is_impossible_today(claims):
            return False
        used = {said for one in claims for said in _leaves(one)}
        if not any(depends_on_calendar(self._lowered.atoms[place].leaf) for place in used):
            return True
        return all(self._impossible_in(self._search(day), claims) for day in self._days)

    def _is_impossible_today(self, claims: Iterable[Claim]) -> bool:
        return self._impossible_in(self._today, claims)

    def _impossible_in(self, search: Search, claims: Iterable[Claim]) -> bool:
        try:
            return not search.possible(claims)
        except TooManySplits:
            self._gave_up = True
            return False

    def _search(self, on: date) -> Search:
        anchors = self._lowered.protocol.anchor_days(on)
        return Search(self._lowered.atoms, Ground(on, anchors, self._vocabulary, self._terms))


def _says_something(one: LoweredCriterion) -> bool:
    """Tell whether a criterion is more than a note."""
    return not isinstance(one.passes, Const) and any(True for _ in _leaves(claim(one.passes)))


def _leaves(one: Claim) -> Iterator[int]:
    if isinstance(one, Said):
        yield one.leaf
    elif isinstance(one, Some):
        for part in one.of:
            yield from _leaves(part)


def _trial_days(on: date) -> tuple[date, ...]:
    """Give days of four years on which months of every length end or begin, or are in their middle."""
    every = (add_days(on, ahead) for ahead in range(4 * 365 + 1))
    return tuple(day for day in every if day.day in (1, 15) or day.day >= 27)
