"""Ten thousand made-up people for a whole protocol: whether any passes, and which criteria part them.

For every leaf they are drawn so that it is often as the protocol wants it;
drawn evenly, next to nobody would pass twenty criteria, and that nobody did
would say nothing. What a leaf says of each value comes from the reference;
what only a site can tell, what is still text, and what no made-up value
settles, is taken in their favour.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from itertools import combinations, count, islice
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from screening.assessment.evidence import Scene
from screening.assessment.leaves import find_leaves
from screening.editor.samples import slot_of
from screening.editor.samplevalues import candidates, codes_within
from screening.facts import (
    Code,
    Denial,
    DenialScope,
    EvidenceSource,
    Fact,
    Facts,
    Statement,
    StatementStatus,
    Value,
)
from screening.intervals import CalendarUnit, DateRange, Duration, shift
from screening.language.coverage import families
from screening.language.criteria import Coded, coded_part
from screening.language.lowering import (
    AtomRef,
    Conjunction,
    Const,
    Disjunction,
    Lowered,
    LoweredProtocol,
    Negation,
    Switch,
    Threshold,
)
from screening.language.regions import Ground
from screening.terms import Terms
from screening.verdict import Kleene
from screening.vocabulary import Vocabulary

PEOPLE: Final = 10_000
_SEED: Final = 20_26
_ROWS: Final = 160
_PULL: Final = 8.0
"""How much likelier a value is for every leaf that it leaves as the protocol wants it."""

_EVENLY: Final = 0.2
"""The share of people drawn without regard to that."""

_AS_IT_IS: Final = 0.4
"""The share of statements that say no more than one leaf asks for."""

_CODES: Final = 12
_LONG_AGO: Final = Duration(12, CalendarUnit.YEARS)
_OTHER_ROUTE: Final = "other"
_RARE: Final = 0.02
_MOST_PAIRS: Final = 5

Verdicts = NDArray[np.int8]
Rows = list[tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Parting:
    """One or two criteria that hardly anybody of the crowd passes, though the others are passed; by id."""

    criteria: tuple[str, ...]
    passing: int


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many were made up, how many of them pass everything, and what parts them if nobody does."""

    people: int
    passing: int
    partings: tuple[Parting, ...] = ()


def crowd(
    lowered: LoweredProtocol, *, on: date, vocabulary: Vocabulary, terms: Terms, people: int = PEOPLE
) -> Crowd:
    """Make up people for a protocol and judge them; the same ones every time."""
    made = _Making(lowered, on, vocabulary, terms, people)
    passing = {one.criterion.id: made.passing(one.passes) for one in lowered.criteria}
    through = _through(lowered, passing, people)
    if through:
        return Crowd(people, through)
    return Crowd(people, 0, tuple(_partings(lowered, passing, people))[:_MOST_PAIRS])


def _through(lowered: LoweredProtocol, passing: Mapping[str, NDArray[np.bool_]], people: int) -> int:
    """Count who passes the shared criteria and those of some cohort."""
    everybody = np.ones(people, dtype=np.bool_)
    cohorts = [one.id for one in lowered.protocol.cohorts] or [""]
    found = np.zeros(people, dtype=np.bool_)
    for cohort in cohorts:
        mine = [
            passing[one.criterion.id]
            for one in lowered.criteria
            if not one.criterion.cohorts or cohort in one.criterion.cohorts
        ]
        found |= np.logical_and.reduce(mine) if mine else everybody
    return int(found.sum())


def _partings(
    lowered: LoweredProtocol, passing: Mapping[str, NDArray[np.bool_]], people: int
) -> Iterator[Parting]:
    """Name criteria that are rare alone, then pairs that are rare together, the rarest first."""
    counts = {name: int(who.sum()) for name, who in passing.items()}
    rare = [name for name, held in counts.items() if held < people * _RARE]
    yield from (Parting((name,), counts[name]) for name in rare)
    cohorts = {one.criterion.id: set(one.criterion.cohorts) for one in lowered.criteria}
    pairs = []
    for one, other in combinations((name for name in passing if name not in rare), 2):
        apart = cohorts[one] and cohorts[other] and not cohorts[one] & cohorts[other]
        together = int((passing[one] & passing[other]).sum())
        share = together / min(counts[one], counts[other])
        if not apart and share < _RARE:
            pairs.append((share, Parting((one, other), together)))
    yield from (pair for _, pair in sorted(pairs, key=lambda pair: pair[0]))


class _Making:
    """The verdicts of all leaves for everybody, slot by slot: what is told of one says nothing of another."""

    def __init__(
        self, lowered: LoweredProtocol, on: date, vocabulary: Vocabulary, terms: Terms, people: int
    ) -> None:
        self._atoms = lowered.atoms
        anchors = lowered.protocol.anchor_days(on)
        self._scene = Scene(Facts(), on, vocabulary, terms, anchors)
        self._chance = random.Random(_SEED)  # noqa: S311 - made-up people, not secrets
        self._numbers = count(1)
        self._wanted = _wanted(lowered)
        self._people = people
        self._values: dict[int, Verdicts] = {}
        self._reached: dict[int, set[int]] = {}
        related = families((atom.leaf for atom in self._atoms), Ground(on, anchors, vocabulary, terms))
        slots: dict[object, list[int]] = {}
        for index, atom in enumerate(self._atoms):
            slots.setdefault(slot_of(atom.leaf) or related.get(atom.leaf), []).append(index)
        generator = np.random.default_rng(_SEED)
        for indexes in slots.values():
            self._draw(indexes, generator)

    def passing(self, node: Lowered) -> NDArray[np.bool_]:
        """Tell of everybody whether a lowered criterion lets them pass."""
        found: NDArray[np.bool_] = self._value(node, Kleene.MET) > 0
        return found

    def _draw(self, indexes: Sequence[int], generator: np.random.Generator) -> None:
        is_coded = coded_part(self._atoms[indexes[0]].leaf) is not None
        told = self._statements(indexes) if is_coded else self._answers(indexes)
        rows = [self._judged(indexes, facts) for facts in told]
        table = np.array(rows, dtype=np.int8).T
        wanted = np.array([[self._wanted.get(index, 0)] for index in indexes], dtype=np.int8)
        fitting = ((table == wanted) & (wanted != 0)).sum(axis=0)
        weights = _PULL ** (fitting - fitting.max())
        odds = (1 - _EVENLY) * weights / weights.sum() + _EVENLY / len(rows)
        drawn = generator.choice(len(rows), size=self._people, p=odds / odds.sum())
        for place, index in enumerate(indexes):
            self._values[index] = table[place][drawn]
            self._reached[index] = set(table[place].tolist())

    def _judged(self, indexes: Sequence[int], facts: Sequence[Fact]) -> tuple[int, ...]:
        found = find_leaves([self._atoms[index] for index in indexes], replace(self._scene, facts=Facts(facts)))
        return tuple(finding.value.value for finding in found)

    def _answers(self, indexes: Sequence[int]) -> list[list[Fact]]:
        """List answers about one key; where days of measurement matter, also two of them."""
        one = [
            [self._fact(index, value, candidate.observed) for value in candidate.values]
            for index in indexes
            for candidate in self._candidates(index)
        ]
        if not any(getattr(self._atoms[index].leaf, "window", None) for index in indexes):
            return one or [[]]
        pairs = [[*self._chance.choice(one), *self._chance.choice(one)] for _ in range(_ROWS)]
        return [*one, *pairs]

    def _candidates(self, index: int) -> Iterator[_Told]:
        leaf = self._atoms[index].leaf
        key = self._scene.vocabulary.get(slot_of(leaf) or "")
        for candidate in candidates(leaf, key, self._scene):
            yield _Told(candidate.values, candidate.observed)

    def _statements(self, indexes: Sequence[int]) -> list[list[Fact]]:
        """List answers about related codes: some are affirmed, and everything else is denied."""
        told = {index: [one for one in self._candidates(index) if one.affirms] for index in indexes}
        return [self._some_affirmed(indexes, told, likely=turn > 0) for turn in range(_ROWS)]

    def _some_affirmed(
        self, indexes: Sequence[int], told: Mapping[int, Sequence[_Told]], *, likely: bool
    ) -> list[Fact]:
        facts: list[Fact] = []
        for index in indexes:
            odds = {1: 0.8, -1: 0.1}.get(self._wanted.get(index, 0), 0.5) if likely else 0
            if told[index] and self._chance.random() < odds:
                chosen = self._chance.choice(told[index])
                values = [self._varied(index, value) for value in chosen.values]
                facts.extend(self._fact(index, value, chosen.observed) for value in values)
        said = [fact.value for fact in facts if isinstance(fact.value, Statement)]
        for scope in (DenialScope.EVER, DenialScope.PLANNED):
            spared = tuple(
                one.code
                for one in said
                if (one.status is StatementStatus.PLANNED) is (scope is DenialScope.PLANNED)
            )
            denied = Denial(self._codes(indexes), scope, but=spared)
            facts.append(self._fact(indexes[0], denied, self._scene.on))
        return facts

    def _varied(self, index: int, value: Value) -> Value:
        """Vary what a leaf leaves open: a narrower code, a day long ago, another way to take it."""
        part = coded_part(self._atoms[index].leaf)
        if not isinstance(value, Statement) or part is None or self._chance.random() < _AS_IT_IS:
            return value
        if isinstance(self._atoms[index].leaf, Coded):
            value = replace(value, code=self._chance.choice([value.code, *islice(self._within(part), _CODES)]))
        if value.onset is None and value.ended is None and value.status is not StatementStatus.PLANNED:
            is_over = value.status is StatementStatus.PAST
            value = replace(
                value, onset=self._long_ago, ended=self._long_ago if is_over else None, last=is_over
            )
        return value if part.routes or value.route else replace(value, route=_OTHER_ROUTE)

    def _within(self, part: Coded) -> Iterator[Code]:
        return codes_within(part, self._scene)

    @property
    def _long_ago(self) -> DateRange:
        return DateRange.day(shift(self._scene.on, _LONG_AGO, -1))

    def _codes(self, indexes: Sequence[int]) -> tuple[Code, ...]:
        parts = (coded_part(self._atoms[index].leaf) for index in indexes)
        return tuple(dict.fromkeys(code for part in parts if part is not None for code in part.codes))

    def _fact(self, index: int, value: Value, observed: date) -> Fact:
        """Make a fact of the strongest source, which decides wherever a source is asked for."""
        number = next(self._numbers)
        leaf = self._atoms[index].leaf
        part = coded_part(leaf)
        noon = datetime.combine(self._scene.on, time(12), tzinfo=UTC)
        return Fact(
            id=UUID(int=number),
            key=slot_of(leaf) or (part.about.value if part is not None else ""),
            value=value,
            raw="",
            observed=DateRange.day(observed),
            recorded_at=noon + timedelta(microseconds=number),
            source=EvidenceSource.LABORATORY,
        )

    def _value(self, node: Lowered, favour: Kleene) -> Verdicts:
        """Work out a lowered node for everybody; what nobody could tell of them is as favoured."""
        match node:
            case AtomRef(index):
                values = self._values[index]
                if favour.value in self._reached[index] or self._wanted[index] != favour.value:
                    return values
                return np.where(values == 0, np.int8(favour), values)
            case Const(value):
                told = favour if value is Kleene.UNKNOWN else value
                return np.full(self._people, told, dtype=np.int8)
            case Negation(of):
                return -self._value(of, Kleene(-favour))
            case Conjunction(of):
                return reduce(np.minimum, (self._value(part, favour) for part in of))
            case Disjunction(of):
                return reduce(np.maximum, (self._value(part, favour) for part in of))
            case Threshold(needed, of):
                return self._at_least(needed, [self._value(part, favour) for part in of])
            case Switch(branches):
                return self._case(branches, favour)

    def _at_least(self, needed: int, values: Sequence[Verdicts]) -> Verdicts:
        if needed > len(values):
            return np.full(self._people, Kleene.NOT_MET, dtype=np.int8)
        ranked: Verdicts = np.sort(np.stack(values), axis=0)[len(values) - needed]
        return ranked

    def _case(self, branches: Sequence[tuple[Lowered, Lowered]], favour: Kleene) -> Verdicts:
        taken = np.full(self._people, Kleene.NOT_MET, dtype=np.int8)
        every = np.full(self._people, Kleene.MET, dtype=np.int8)
        reachable = np.zeros(self._people, dtype=np.bool_)
        for condition, consequence in branches:
            entered, then = self._value(condition, favour), self._value(consequence, favour)
            taken = np.maximum(taken, np.minimum(entered, then))
            can = entered > Kleene.NOT_MET
            every = np.where(can, np.minimum(every, then), every)
            reachable |= can
        return np.where(reachable, np.maximum(taken, every), np.int8(Kleene.UNKNOWN))


@dataclass(frozen=True, slots=True)
class _Told:
    """What somebody tells for a leaf, and when it was so."""

    values: tuple[Value, ...]
    observed: date

    @property
    def affirms(self) -> bool:
        """Whether it tells of something that is or was."""
        return any(isinstance(value, Statement) for value in self.values)


def _wanted(lowered: LoweredProtocol) -> dict[int, int]:
    """Tell of each leaf whether passing wants it met (1) or not (-1); 0 where it is wanted both ways."""
    found: dict[int, int] = {}

    def visit(node: Lowered, sign: int) -> None:
        match node:
            case AtomRef(index):
                found[index] = sign if found.get(index, sign) == sign else 0
            case Negation(of):
                visit(of, -sign)
            case Conjunction(of) | Disjunction(of) | Threshold(_, of):
                for part in of:
                    visit(part, sign)
            case Switch(branches):
                for condition, consequence in branches:
                    visit(condition, sign)
                    visit(consequence, sign)
            case Const():
                return

    for one in lowered.criteria:
        visit(one.passes, 1)
    return found
