"""Made-up people to try a rule on: one who passes, one ruled out, one unknown, one at a boundary.

Their values are taken from the rule's own thresholds. Nothing here knows
better than the reference: each of them is judged by it, and is given only
where it says what was wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import combinations, count, islice, product
from typing import Final
from uuid import UUID

from screening.assessment.assess import CriterionVerdict, assess_lowered
from screening.assessment.evidence import Scene
from screening.assessment.leaves import find_leaves
from screening.editor.samplevalues import Candidate, candidates
from screening.facts import EvidenceSource, Fact, Facts, Value
from screening.intervals import DateRange
from screening.language.criteria import (
    AllOf,
    AnyOf,
    AtLeast,
    Case,
    IfThen,
    Leaf,
    NoneOf,
    Not,
    coded_part,
)
from screening.language.criteria import ButNot as ButNotNode
from screening.language.lowering import LoweredProtocol, Part, lower
from screening.language.protocol import Anchor, Criterion, CriterionKind, Protocol
from screening.language.questions import BIRTH, Atom, Resolver
from screening.terms import Terms
from screening.verdict import Kleene
from screening.vocabulary import Answerer, Key, Vocabulary

Demand = Mapping[int, bool]
"""Which leaves must be met and which must not, by their place among the atoms."""

_MOST: Final = 200
"""How many ways to fulfil a rule are tried before giving up."""

_MOST_OF_A_PART: Final = 24


class SampleKind(StrEnum):
    """What a made-up person is there to show."""

    PASSES = "passes"
    RULED_OUT = "ruled_out"
    UNKNOWN = "unknown"
    BOUNDARY = "boundary"


@dataclass(frozen=True, slots=True)
class Sample:
    """A made-up person and what the rule says about them."""

    kind: SampleKind
    facts: Facts
    verdict: CriterionVerdict


@dataclass(frozen=True)
class Bench:
    """One criterion with all that is needed to judge people by it on a day."""

    lowered: LoweredProtocol
    on: date
    vocabulary: Vocabulary
    terms: Terms

    @classmethod
    def of(
        cls,
        criterion: Criterion,
        *,
        on: date,
        vocabulary: Vocabulary,
        terms: Terms,
        anchors: Mapping[str, Anchor] | None = None,
    ) -> Bench:
        """Set one criterion up by itself.

        :raises UnknownKey: when it names a key that the vocabulary lacks.
        """
        alone = criterion.model_copy(update={"parent": None, "cohorts": ()})
        protocol = Protocol(criteria=(alone,), anchors=dict(anchors or {}))
        return cls(lower(protocol, resolver=Resolver(vocabulary, terms)), on, vocabulary, terms)

    def judge(self, facts: Facts) -> CriterionVerdict:
        """Judge somebody by the criterion."""
        return assess_lowered(
            self.lowered, facts, on=self.on, vocabulary=self.vocabulary, terms=self.terms
        ).verdicts[0]

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """The leaves of the criterion, tied to their keys."""
        return self.lowered.atoms

    def slot(self, index: int) -> str:
        """Name what a leaf is about: leaves of one key share its value, coded leaves stand alone."""
        return slot_of(self.atoms[index].leaf) or f"#{index}"

    @cached_property
    def scene(self) -> Scene:
        """The day without any facts."""
        return Scene(Facts(), self.on, self.vocabulary, self.terms, self.lowered.protocol.anchor_days(self.on))

    def key(self, index: int) -> Key | None:
        """Give the key under which a value for a leaf is kept."""
        name = slot_of(self.atoms[index].leaf)
        if name is None:
            told = coded_part(self.atoms[index].leaf)
            named = told.key if told is not None else None
            name = named or next(iter(self.atoms[index].keys), "")
        return self.vocabulary.get(name)


def slot_of(leaf: Leaf) -> str | None:
    """Name the key whose value a leaf reads; none where it reads statements."""
    if coded_part(leaf) is not None:
        return None
    return str(getattr(leaf, "key", BIRTH))


def samples(bench: Bench) -> tuple[Sample, ...]:
    """Make up people for a criterion; those that cannot be are left out."""
    made = _Making(bench)
    found = [
        made.first(SampleKind.PASSES),
        made.first(SampleKind.RULED_OUT),
        Sample(SampleKind.UNKNOWN, Facts(), bench.judge(Facts())),
        made.boundary(),
    ]
    return tuple(one for one in found if one is not None)


@dataclass(frozen=True, slots=True)
class _Row:
    """A candidate with the verdict of every leaf of its slot."""

    facts: tuple[Fact, ...]
    verdicts: Mapping[int, Kleene]
    is_edge: bool


class _Making:
    """Looks for values that fulfil a demand, slot by slot."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._numbers = count(1)
        self._slots: dict[str, list[int]] = {}
        for index in range(len(bench.atoms)):
            self._slots.setdefault(bench.slot(index), []).append(index)
        self._rows = {slot: self._table(indexes) for slot, indexes in self._slots.items()}

    def first(self, kind: SampleKind) -> Sample | None:
        """Give the first person of whom the reference says what is wanted."""
        wanted = Kleene.MET if kind is SampleKind.PASSES else Kleene.NOT_MET
        for rows in self._found(passing=kind is SampleKind.PASSES):
            sample = self._sample(kind, rows)
            if sample.verdict.passes is wanted:
                return sample
        return None

    def boundary(self) -> Sample | None:
        """Give somebody whose one value is the threshold itself, the others as of one who passes."""
        found = (rows for passing in (True, False) for rows in self._found(passing=passing))
        for rows in found:
            for slot in rows:
                edge = next((row for row in self._rows[slot] if row.is_edge), None)
                if edge is not None:
                    return self._sample(SampleKind.BOUNDARY, {**rows, slot: edge})
        return None

    def _sample(self, kind: SampleKind, rows: Mapping[str, _Row]) -> Sample:
        facts = Facts(fact for row in rows.values() for fact in row.facts)
        return Sample(kind, facts, self._bench.judge(facts))

    def _found(self, *, passing: bool) -> Iterator[dict[str, _Row]]:
        for demand in islice(_demands(self._bench.lowered, passing=passing), _MOST):
            rows = {slot: self._fitting(slot, demand) for slot in self._slots if self._touches(slot, demand)}
            fitting = {slot: row for slot, row in rows.items() if row is not None}
            if len(fitting) == len(rows):
                yield fitting

    def _touches(self, slot: str, demand: Demand) -> bool:
        return any(index in demand for index in self._slots[slot])

    def _fitting(self, slot: str, demand: Demand) -> _Row | None:
        wanted = {i: Kleene.MET if demand[i] else Kleene.NOT_MET for i in self._slots[slot] if i in demand}
        fits = (
            row for row in self._rows[slot] if all(row.verdicts[i] is verdict for i, verdict in wanted.items())
        )
        return next(fits, None)

    def _table(self, indexes: Sequence[int]) -> list[_Row]:
        """Judge every candidate for a slot by every leaf of it; values off the edge come first."""
        atoms = [self._bench.atoms[index] for index in indexes]
        rows = []
        for index, atom in zip(indexes, atoms, strict=True):
            key = self._bench.key(index)
            for candidate in candidates(atom.leaf, key, self._bench.scene):
                facts = tuple(self._fact(key, atom.leaf, candidate, value) for value in candidate.values)
                found = find_leaves(atoms, replace(self._bench.scene, facts=Facts(facts)))
                verdicts = {i: finding.value for i, finding in zip(indexes, found, strict=True)}
                rows.append(_Row(facts, verdicts, candidate.is_edge))
        return sorted(rows, key=lambda row: row.is_edge)

    def _fact(self, key: Key | None, leaf: Leaf, candidate: Candidate, value: Value) -> Fact:
        number = next(self._numbers)
        noon = datetime.combine(self._bench.on, time(12), tzinfo=UTC)
        name = key.name if key else (coded.about.value if (coded := coded_part(leaf)) else BIRTH)
        return Fact(
            id=UUID(int=number),
            key=name,
            value=value,
            raw="",
            observed=DateRange.day(candidate.observed),
            recorded_at=noon + timedelta(microseconds=number),
            source=leaf.decides_from or source_of(key),
        )


def source_of(key: Key | None) -> EvidenceSource:
    """Give the source that a value of a key usually has."""
    told = key.told_by if key else ()
    if Answerer.PARTICIPANT in told or not told:
        return EvidenceSource.PARTICIPANT_ONLINE
    return EvidenceSource.LABORATORY if Answerer.LABORATORY in told else EvidenceSource.RECORD


def _demands(lowered: LoweredProtocol, *, passing: bool) -> Iterator[Demand]:
    """List ways in which the criterion passes, or rules out."""
    one = lowered.criteria[0]
    wanted = passing is (one.criterion.kind is CriterionKind.INCLUSION)
    ways = _ways(one.part, want=wanted)
    if one.unless is None:
        yield from ways
    elif passing:
        yield from ways
        yield from _ways(one.unless, want=True)
    else:
        exempt = list(islice(_ways(one.unless, want=False), _MOST_OF_A_PART))
        yield from _merged([list(islice(ways, _MOST_OF_A_PART)), exempt])


def _ways(part: Part, *, want: bool) -> Iterator[Demand]:
    """List ways in which a part holds, or does not."""
    if part.atom is not None:
        yield {part.atom: want}
        return
    below = part.parts
    match part.node:
        case AllOf() | AnyOf() | NoneOf():
            inner = want is not isinstance(part.node, NoneOf)
            share = _one if want is isinstance(part.node, AnyOf) else _every
            yield from share(below, want=inner)
        case AtLeast():
            needed = part.node.count if want else len(below) - part.node.count + 1
            for chosen in combinations(below, max(0, needed)):
                yield from _every(chosen, want=want)
        case Not():
            yield from _ways(below[0], want=not want)
        case IfThen():
            yield from _both(below[0], below[1], first=True, second=want)
        case ButNotNode():
            yield from _exempted(below, want=want)
        case Case():
            yield from _cases(part, want=want)
        case _:
            return


def _exempted(below: Sequence[Part], *, want: bool) -> Iterator[Demand]:
    if want:
        yield from _both(below[0], below[1], first=True, second=False)
    else:
        yield from _ways(below[0], want=False)
        yield from _both(below[0], below[1], first=True, second=True)


def _cases(part: Part, *, want: bool) -> Iterator[Demand]:
    """Enter one branch and no other."""
    whens, thens = part.parts[0::2], part.parts[1::2]
    otherwise = part.parts[-1] if len(part.parts) % 2 else None
    whens = whens[: len(thens)]
    for place, then in enumerate(thens):
        others = [_some(one, want=False) for at, one in enumerate(whens) if at != place]
        yield from _merged([_some(whens[place], want=True), _some(then, want=want), *others])
    if otherwise is not None:
        yield from _merged([_some(otherwise, want=want), *(_some(one, want=False) for one in whens)])


def _some(part: Part, *, want: bool) -> list[Demand]:
    return list(islice(_ways(part, want=want), _MOST_OF_A_PART))


def _both(one: Part, other: Part, *, first: bool, second: bool) -> Iterator[Demand]:
    yield from _merged([_some(one, want=first), _some(other, want=second)])


def _every(below: Sequence[Part], *, want: bool) -> Iterator[Demand]:
    yield from _merged([_some(part, want=want) for part in below])


def _one(below: Sequence[Part], *, want: bool) -> Iterator[Demand]:
    for part in below:
        yield from _ways(part, want=want)


def _merged(choices: Sequence[Sequence[Demand]]) -> Iterator[Demand]:
    """Take one way of each, where they do not contradict one another."""
    for chosen in islice(product(*choices), _MOST * 10):
        merged: dict[int, bool] = {}
        if all(merged.setdefault(index, want) is want for one in chosen for index, want in one.items()):
            yield merged
