"""The pool against a protocol: every criterion for everybody at once, 64 people to a word.

*and* and *or* act plane by plane, *not* swaps and complements, "at least N of"
counts in bits, a case looks at who can reach each branch. It starts from the
lowered protocol and says what the interpreter would say of each person.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from screening.assessment.assess import Assessment, assess_lowered
from screening.facts import Facts
from screening.language.criteria import Coded, Distinct, Leaf
from screening.language.lowering import (
    AtomRef,
    Conjunction,
    Const,
    Disjunction,
    Lowered,
    LoweredCriterion,
    LoweredProtocol,
    Negation,
    Switch,
    Threshold,
)
from screening.language.questions import Atom
from screening.planes.bits import Bench, Plane, Slots, count, has, positions, put, widened, words_for
from screening.planes.coded import coded_planes
from screening.planes.columns import Snapshot, build_snapshot
from screening.planes.scalar import SCALARS, scalar_planes
from screening.planes.survey import Fourfold, PlaneCache, Survey
from screening.terms import Terms
from screening.verdict import Disposition, Kleene
from screening.vocabulary import Vocabulary

CACHE_BYTES: Final = 256 * 1024 * 1024
SEVERAL: Final = 8
"""From so many on, people who changed are judged in planes of their own."""


@dataclass(frozen=True, slots=True, eq=False)
class CriterionPlanes:
    """One criterion for everybody: who surely and who perhaps passes, and to whom it surely or perhaps applies.

    `is_open`: who could still change it.
    """

    passes: tuple[Plane, Plane]
    applies: tuple[Plane, Plane]
    is_open: Plane

    def verdict(self, slot: int) -> tuple[Kleene, Kleene, bool]:
        """Give `passes`, `applies` and `is_open` of one person."""
        return _kleene(self.passes, slot), _kleene(self.applies, slot), has(self.is_open, slot)


@dataclass(frozen=True, slots=True, eq=False)
class PoolResult:
    """Where everybody stands towards a protocol version on a day, one bit each.

    It names what it was worked out from, so that results of different days,
    versions or snapshots are never taken for one another.
    """

    protocol: str
    vocabulary: str
    snapshot: str
    on: date
    closed_cohorts: frozenset[str]
    size: int
    not_ineligible: Plane
    candidate: Plane
    present: Plane

    def disposition(self, slot: int) -> Disposition:
        """Say where one person stands.

        :raises KeyError: when the slot is nobody's.
        """
        if not has(self.present, slot):
            raise KeyError(slot)
        if not has(self.not_ineligible, slot):
            return Disposition.INELIGIBLE
        return Disposition.CANDIDATE if has(self.candidate, slot) else Disposition.POTENTIAL_CANDIDATE

    def slots(self, disposition: Disposition) -> Slots:
        """List the people of a disposition."""
        match disposition:
            case Disposition.INELIGIBLE:
                return positions(self.present & ~self.not_ineligible)
            case Disposition.POTENTIAL_CANDIDATE:
                return positions(self.not_ineligible & ~self.candidate)
            case Disposition.CANDIDATE:
                return positions(self.candidate)

    def counts(self) -> dict[Disposition, int]:
        """Count the people of each disposition."""
        fit, candidates = count(self.not_ineligible), count(self.candidate)
        return {
            Disposition.INELIGIBLE: count(self.present) - fit,
            Disposition.POTENTIAL_CANDIDATE: fit - candidates,
            Disposition.CANDIDATE: candidates,
        }


@dataclass(frozen=True, slots=True)
class Changes:
    """Whose disposition differs between two results: better, worse, come into the pool, or gone from it."""

    better: tuple[int, ...]
    worse: tuple[int, ...]
    come: tuple[int, ...]
    gone: tuple[int, ...]


def changes(before: PoolResult, after: PoolResult) -> Changes:
    """Compare an earlier result with a later one."""
    words = max(len(before.present), len(after.present))
    was, now = ([widened(plane, words) for plane in _three(one)] for one in (before, after))
    both = was[0] & now[0]
    rose = both & ((now[1] & ~was[1]) | (now[2] & ~was[2]))
    fell = both & ((was[1] & ~now[1]) | (was[2] & ~now[2]))
    found = (rose, fell, now[0] & ~was[0], was[0] & ~now[0])
    return Changes(*(tuple(positions(plane).tolist()) for plane in found))


def _three(result: PoolResult) -> tuple[Plane, Plane, Plane]:
    return result.present, result.not_ineligible, result.candidate


class Pool:
    """A snapshot with the people who changed since laid over it, judged against any number of protocols.

    Planes of atoms are kept by atom, day, vocabulary and snapshot, those used
    last up to `cache_bytes`. Not for several threads at once.
    """

    def __init__(self, snapshot: Snapshot, *, terms: Terms, cache_bytes: int = CACHE_BYTES) -> None:
        if snapshot.terms != terms.version:
            raise ValueError(f"the snapshot was made with terms {snapshot.terms}, not {terms.version}")
        words = words_for(snapshot.size)
        self.snapshot = snapshot
        self.judged_one_by_one = 0
        self._terms = terms
        self._bench = Bench(words)
        self.cache = PlaneCache(self._bench, limit=cache_bytes)
        self._laid_over: dict[int, Facts | None] = {}
        self._anew: Pool | None = None

    @property
    def laid_over(self) -> int:
        """How many people were put or removed since the snapshot was made."""
        return len(self._laid_over)

    def put(self, slot: int, facts: Facts) -> None:
        """Take the facts that a person holds now instead of those in the snapshot.

        :raises ValueError: when the slot is negative.
        """
        if slot < 0:
            raise ValueError("a slot is not negative")
        self._laid_over[slot] = facts
        self._anew = None

    def remove(self, slot: int) -> None:
        """Leave a person out from now on."""
        self._laid_over[slot] = None
        self._anew = None

    def forget(self, slot: int) -> None:
        """Go back to what the snapshot holds of a person."""
        self._laid_over.pop(slot, None)
        self._anew = None

    def facts(self, slot: int) -> Facts:
        """Give what a person holds now, laid over or in the snapshot.

        :raises KeyError: when the slot is nobody's.
        """
        held = self._laid_over[slot] if slot in self._laid_over else self._kept(slot)
        if held is None:
            raise KeyError(slot)
        return held

    def _kept(self, slot: int) -> Facts | None:
        return self.snapshot.ledger.facts(slot) if has(self.snapshot.present, slot) else None

    def assess(
        self,
        slot: int,
        lowered: LoweredProtocol,
        *,
        on: date,
        vocabulary: Vocabulary,
        closed_cohorts: Collection[str] = (),
    ) -> Assessment:
        """Judge one person with all reasons, by the interpreter.

        :raises KeyError: when the slot is nobody's.
        """
        return assess_lowered(
            lowered,
            self.facts(slot),
            on=on,
            vocabulary=vocabulary,
            terms=self._terms,
            closed_cohorts=closed_cohorts,
        )

    def judge(
        self,
        lowered: LoweredProtocol,
        *,
        on: date,
        vocabulary: Vocabulary,
        closed_cohorts: Collection[str] = (),
    ) -> PoolResult:
        """Say where everybody stands towards a protocol on a day."""
        nodes = self._nodes(lowered, on, vocabulary)
        fit, candidates = nodes.dispositions(lowered, closed_cohorts)
        present = self.snapshot.present
        size = max([self.snapshot.size, *(slot + 1 for slot in self._laid_over)])
        planes = [widened(plane, words_for(size)) for plane in (present, fit & present, candidates & present)]
        planes = [plane.copy() if plane is present else plane for plane in planes]
        for slot, stands in self._standing_anew(lowered, on, vocabulary, closed_cohorts):
            fits = stands is not None and stands is not Disposition.INELIGIBLE
            bits = (stands is not None, fits, stands is Disposition.CANDIDATE)
            for plane, bit in zip(planes, bits, strict=True):
                put(plane, slot, bit)
        return PoolResult(
            protocol=lowered.digest,
            vocabulary=vocabulary.version,
            snapshot=self.snapshot.version,
            on=on,
            closed_cohorts=frozenset(closed_cohorts),
            size=size,
            present=planes[0],
            not_ineligible=planes[1],
            candidate=planes[2],
        )

    def _standing_anew(
        self, lowered: LoweredProtocol, on: date, vocabulary: Vocabulary, closed_cohorts: Collection[str]
    ) -> Iterator[tuple[int, Disposition | None]]:
        """Say where the people who changed stand now, or that they are gone.

        Several are judged as a pool of their own.
        """
        changed = self._changed(vocabulary)
        if changed is None:
            for slot, facts in self._laid_over.items():
                if facts is None:
                    yield slot, None
                else:
                    judged = self.assess(
                        slot, lowered, on=on, vocabulary=vocabulary, closed_cohorts=closed_cohorts
                    )
                    yield slot, judged.disposition
            return
        result = changed.judge(lowered, on=on, vocabulary=vocabulary, closed_cohorts=closed_cohorts)
        for place, (slot, facts) in enumerate(self._laid_over.items()):
            yield slot, None if facts is None else result.disposition(place)

    def _changed(self, vocabulary: Vocabulary) -> Pool | None:
        """Give the people who changed as a pool of their own, in the order of their changes; none for a few."""
        if len(self._laid_over) < SEVERAL:
            return None
        if self._anew is None or self._anew.snapshot.vocabulary != vocabulary.version:
            told = ((place, facts) for place, facts in enumerate(self._laid_over.values()) if facts is not None)
            snapshot = build_snapshot(told, on=self.snapshot.built_on, vocabulary=vocabulary, terms=self._terms)
            self._anew = Pool(snapshot, terms=self._terms)
        return self._anew

    def criterion(
        self, lowered: LoweredProtocol, criterion: str, *, on: date, vocabulary: Vocabulary
    ) -> CriterionPlanes:
        """Give the planes of one criterion, by its id.

        :raises KeyError: when the protocol has no such criterion.
        """
        found = next((one for one in lowered.criteria if one.criterion.id == criterion), None)
        if found is None:
            raise KeyError(criterion)
        planes = self._nodes(lowered, on, vocabulary).criterion(found)
        size = max([self.snapshot.size, *(slot + 1 for slot in self._laid_over)])
        wide = [widened(plane, words_for(size)) for plane in planes]
        for slot, facts in self._laid_over.items():
            bits = (False,) * len(wide)
            if facts is not None:
                judged = assess_lowered(lowered, facts, on=on, vocabulary=vocabulary, terms=self._terms)
                one = next(verdict for verdict in judged.verdicts if verdict.criterion.id == criterion)
                bits = (*_bits(one.passes), *_bits(one.applies), one.is_open)
            for plane, bit in zip(wide, bits, strict=True):
                put(plane, slot, bit)
        return CriterionPlanes((wide[0], wide[1]), (wide[2], wide[3]), wide[4])

    def _nodes(self, lowered: LoweredProtocol, on: date, vocabulary: Vocabulary) -> _Nodes:
        self.cache.trim()
        self._bench.release(0)
        anchors = lowered.protocol.anchor_days(on)
        survey = Survey(self.snapshot, on, vocabulary, self._terms, anchors, self._bench, self.cache)
        return _Nodes(self, survey, lowered.atoms)


def _bits(value: Kleene) -> tuple[bool, bool]:
    return value is Kleene.MET, value is not Kleene.NOT_MET


def _kleene(planes: tuple[Plane, Plane], slot: int) -> Kleene:
    must, may = (has(plane, slot) for plane in planes)
    return Kleene.MET if must else Kleene.UNKNOWN if may else Kleene.NOT_MET


@dataclass(frozen=True, slots=True)
class _Nodes:
    """A lowered protocol on one day, worked out node by node."""

    pool: Pool
    survey: Survey
    atoms: Sequence[Atom]

    def dispositions(self, lowered: LoweredProtocol, closed: Collection[str]) -> tuple[Plane, Plane]:
        """Give who is not ineligible, and who is a candidate, in the best cohort that is not closed."""
        bench = self.survey.bench
        cohorts = [cohort.id for cohort in lowered.protocol.cohorts]
        shared = [one for one in lowered.criteria if not one.criterion.cohorts]
        fit, candidates = self._standing(shared, bench.ones, bench.ones)
        if not cohorts:
            return fit, candidates
        best_fit, best_candidates = np.zeros_like(fit), np.zeros_like(candidates)
        for cohort in [one for one in cohorts if one not in closed] or cohorts:
            own = [one for one in lowered.criteria if cohort in one.criterion.cohorts]
            its_fit, its_candidates = self._standing(own, fit, candidates)
            best_fit |= its_fit
            best_candidates |= its_candidates
        return best_fit, best_candidates

    def _standing(
        self, criteria: Iterable[LoweredCriterion], fit: Plane, candidates: Plane
    ) -> tuple[Plane, Plane]:
        """Take away whom some criteria rule out, and who could still change one.

        Of those not ruled out, a criterion is settled for good where it must
        pass, or where its worst may and its best does not.
        """
        bench = self.survey.bench
        fit, candidates = fit.copy(), candidates.copy()
        for one in criteria:
            mark = bench.mark()
            passes = self.of(one.passes, {})
            fit &= passes.may
            if passes.best is passes.may and passes.worst is passes.must:
                candidates &= passes.must
            elif passes.best is not passes.must or passes.worst is not passes.may:
                settled = bench.without(passes.worst, passes.best)
                candidates &= bench.either(passes.must, settled)
            bench.release(mark)
        candidates &= fit
        return fit, candidates

    def criterion(self, one: LoweredCriterion) -> tuple[Plane, ...]:
        """Give the planes of a criterion, masked to the people there are."""
        passes, applies = self.of(one.passes, {}), self.of(one.part.applies, {})
        is_open = (passes.best & ~passes.must) | (passes.may & ~passes.worst)
        present = self.survey.snapshot.present
        found = (passes.must, passes.may, applies.must, applies.may, is_open)
        return tuple(plane & present for plane in found)

    def of(self, node: Lowered, known: dict[int, Fourfold]) -> Fourfold:
        """Work out a node; what it shares with others of its criterion is worked out once."""
        found = known.get(id(node))
        if found is None:
            found = known[id(node)] = self._of(node, known)
        return found

    def _of(self, node: Lowered, known: dict[int, Fourfold]) -> Fourfold:
        match node:
            case AtomRef(index):
                return self._atom(self.atoms[index])
            case Const(value):
                return self._constant(value)
            case Negation(of):
                return self._opposite(self.of(of, known))
            case Conjunction(of):
                return self._joined([self.of(part, known) for part in of], every=True)
            case Disjunction(of):
                return self._joined([self.of(part, known) for part in of], every=False)
            case Threshold(wanted, of):
                return self._at_least(wanted, [self.of(part, known) for part in of])
            case Switch(branches):
                return self._switch([(self.of(when, known), self.of(then, known)) for when, then in branches])

    def _atom(self, atom: Atom) -> Fourfold:
        survey = self.survey
        window = getattr(getattr(atom.leaf, "of", atom.leaf), "window", None)
        anchor = None if window is None else survey.anchors[window.anchor]
        name = (survey.snapshot.version, survey.vocabulary.version, survey.on, anchor, atom)
        held = survey.cache.get(name)
        if held is None:
            mark, hard = survey.bench.mark(), survey.hard
            judged = atom_planes(atom, survey)
            held = survey.cache.keep(name, judged.planes)
            survey.bench.release(mark)
            self.pool.judged_one_by_one += survey.hard - hard
        return Fourfold(*held)

    def _constant(self, value: Kleene) -> Fourfold:
        zeros, ones = self.survey.bench.zeros, self.survey.bench.ones
        match value:
            case Kleene.MET:
                return Fourfold.closed(ones, ones)
            case Kleene.NOT_MET:
                return Fourfold.closed(zeros, zeros)
            case Kleene.UNKNOWN:
                return Fourfold.closed(zeros, ones)

    def _opposite(self, one: Fourfold) -> Fourfold:
        """Swap and complement, each plane once."""
        bench = self.survey.bench
        turned = {id(plane): plane for plane in one.planes}
        flipped = {name: bench.neither(plane) for name, plane in turned.items()}
        must, may, best, worst = (flipped[id(plane)] for plane in one.planes)
        return Fourfold(may, must, worst, best)

    def _joined(self, parts: Sequence[Fourfold], *, every: bool) -> Fourfold:
        join = self.survey.bench.both if every else self.survey.bench.either
        must, may = join(*(part.must for part in parts)), join(*(part.may for part in parts))
        return _aliased(
            parts,
            must,
            may,
            lambda: join(*(part.best for part in parts)),
            lambda: join(*(part.worst for part in parts)),
        )

    def _at_least(self, wanted: int, parts: Sequence[Fourfold]) -> Fourfold:
        return _aliased(
            parts,
            self._counted(wanted, [part.must for part in parts]),
            self._counted(wanted, [part.may for part in parts]),
            lambda: self._counted(wanted, [part.best for part in parts]),
            lambda: self._counted(wanted, [part.worst for part in parts]),
        )

    def _counted(self, wanted: int, planes: Sequence[Plane]) -> Plane:
        """Make the plane of those in at least so many planes, counting each person in a few bits."""
        bench = self.survey.bench
        if wanted <= 0:
            return bench.ones
        if wanted > len(planes):
            return bench.zeros
        digits = [_blank(bench.next()) for _ in range(len(planes).bit_length())]
        carry, spare = bench.next(), bench.next()
        for plane in planes:
            carry[:] = plane
            for digit in digits:
                np.bitwise_and(digit, carry, out=spare)
                np.bitwise_xor(digit, carry, out=digit)
                carry, spare = spare, carry
        more, even = _blank(bench.next()), bench.next()
        even[:] = bench.ones
        for place in reversed(range(len(digits))):
            if wanted >> place & 1:
                np.bitwise_and(even, digits[place], out=even)
            else:
                np.bitwise_and(even, digits[place], out=spare)
                np.bitwise_or(more, spare, out=more)
                np.bitwise_xor(even, spare, out=even)
        return np.bitwise_or(more, even, out=more)

    def _switch(self, branches: Sequence[tuple[Fourfold, Fourfold]]) -> Fourfold:
        """Work out a case; which branches can be reached is told by things as they are."""
        bench = self.survey.bench
        reachable = bench.either(*(when.may for when, _ in branches))
        nowhere = bench.neither(reachable)
        shut = [bench.neither(when.may) for when, _ in branches]

        def plane(name: str, *, otherwise: Plane) -> Plane:
            taken = [bench.both(getattr(when, name), getattr(then, name)) for when, then in branches]
            each = [
                bench.either(barred, getattr(then, name))
                for barred, (_, then) in zip(shut, branches, strict=True)
            ]
            found = bench.either(*taken, bench.both(*each))
            return bench.either(bench.both(found, reachable), otherwise)

        parts = [part for branch in branches for part in branch]
        return _aliased(
            parts,
            plane("must", otherwise=bench.zeros),
            plane("may", otherwise=nowhere),
            lambda: plane("best", otherwise=bench.zeros),
            lambda: plane("worst", otherwise=nowhere),
            unknown_by_itself=nowhere is not bench.zeros,
        )


def _blank(plane: Plane) -> Plane:
    plane[:] = 0
    return plane


def _aliased(
    parts: Sequence[Fourfold],
    must: Plane,
    may: Plane,
    best: Callable[[], Plane],
    worst: Callable[[], Plane],
    *,
    unknown_by_itself: bool = False,
) -> Fourfold:
    """Make a node's planes, working out best and worst only where they differ from the other two.

    They are those of the other pair if they are so in every part, and the node
    adds nothing unknown of its own.
    """
    if all(part.best is part.must and part.worst is part.may for part in parts):
        return Fourfold.closed(must, may)
    if not unknown_by_itself and all(part.best is part.may and part.worst is part.must for part in parts):
        return Fourfold.open(must, may)
    return Fourfold(must, may, best(), worst())


def atom_planes(atom: Atom, survey: Survey) -> Fourfold:
    """Judge a leaf for everybody; leaves of a kind not known here are judged one by one."""
    leaf: Leaf = atom.leaf
    if isinstance(leaf, SCALARS):
        return scalar_planes(leaf, atom, survey)
    if isinstance(leaf, Coded | Distinct):
        return coded_planes(leaf, atom, survey)
    return survey.by_interpreter(atom, survey.snapshot.present)
