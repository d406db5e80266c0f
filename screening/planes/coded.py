"""The planes of leaves about conditions, medicines and procedures.

Of those who stated a code that counts, each statement is judged for itself;
of all others a few kinds of denial decide, which are held against the codes
once and not once for each person. Where statements and denials of one person
meet, the interpreter judges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screening.assessment.statements import DEFAULT_VALIDITY
from screening.facts import DenialScope, StatementStatus
from screening.intervals import DateRange, Duration, earliest_start, shift
from screening.language.criteria import Coded, CodedStatus, Dating, Distinct
from screening.language.questions import Atom
from screening.language.windows import Edges, edges
from screening.planes.bits import Flags, Plane, Slots
from screening.planes.denials import ALWAYS, Denials
from screening.planes.ledger import AFTER, BEFORE
from screening.planes.postings import STATUSES, Postings
from screening.planes.survey import Fourfold, Survey
from screening.terms import CodeSet

MOST_PARTIAL: Final = 12
"""Beyond so many kinds of denial that cover the codes only together, the interpreter judges."""

Verdicts = NDArray[np.int8]
_MET, _UNKNOWN, _FAILED = 1, 0, -1
_CURRENT: Final = STATUSES.index(StatementStatus.CURRENT)
_PAST: Final = STATUSES.index(StatementStatus.PAST)
_LAST_DAY: Final = date.max.toordinal()


def coded_planes(leaf: Coded | Distinct, atom: Atom, survey: Survey) -> Fourfold:
    """Judge a leaf about codes for everybody."""
    told = leaf.of if isinstance(leaf, Distinct) else leaf
    wanted = CodeSet.of(survey.terms, told.codes, told.but)
    if wanted.is_empty:
        return survey.by_interpreter(atom, survey.holders(survey.coded_keys()))
    anchor = survey.anchors[told.window.anchor] if told.window else DateRange.day(survey.on)
    stretch = edges(told.window, anchor) if told.window else None
    asking = _Asking(told, isinstance(leaf, Distinct), atom, survey, wanted, anchor, stretch, _cuts(survey))
    return asking.planes()


@dataclass(frozen=True, slots=True, eq=False)
class _Stated:
    """Who stated a code that counts, and what comes of it.

    `closing`: one of their statements closes its code, and `idle`: one does
    not; `weak`: one is by a source that may not decide. Of the vague, `named`
    answered a question that the leaf asks, and `asked` one that a participant
    can answer. `closed` are all codes that anybody's statement closes.
    """

    anybody: Plane
    met: Plane
    vague: Plane
    named: Plane
    asked: Plane
    closing: Plane
    idle: Plane
    weak: Plane
    closed: CodeSet
    slices: Sequence[slice]


@dataclass(frozen=True, slots=True, eq=False)
class _Closer:
    """Codes that are closed for some people; where it `spares`, less what they affirmed."""

    codes: CodeSet
    people: Plane
    spares: bool


@dataclass(frozen=True, slots=True)
class _Asking:
    """One leaf on one day: its codes looked up, its window laid out."""

    leaf: Coded
    counts: bool
    atom: Atom
    survey: Survey
    wanted: CodeSet
    anchor: DateRange
    stretch: Edges | None
    cuts: NDArray[np.int32]

    @property
    def postings(self) -> Postings:
        return self.survey.snapshot.postings

    def planes(self) -> Fourfold:
        bench = self.survey.bench
        overlaps, within = self.postings.table.against(self.wanted)
        stated = self._stated(overlaps, within)
        closers, doubtful = self._closers()
        silent = bench.without(bench.without(stated.anybody, stated.met), stated.vague)
        spared = self._spared(stated, silent, closers)
        covered = self._covered(self.wanted, closers)
        closed = bench.either(bench.without(covered, stated.anybody), spared)
        may = bench.ones if self.leaf.such_as else bench.neither(closed)
        tangled = self._hard(stated, bench.without(silent, spared), closers)
        hard = bench.either(tangled, self._combined(closers), doubtful)
        answers, unclear = self._open(stated, closers)
        if self.leaf.such_as and answers is not bench.zeros:
            answers = bench.without(answers, closed)
        judged = self._fourfold(stated.met, may, answers)
        return self.survey.patched(self.atom, judged, bench.either(hard, unclear))

    def _fourfold(self, must: Plane, may: Plane, answers: Plane) -> Fourfold:
        bench = self.survey.bench
        if answers is bench.zeros:
            return Fourfold.closed(must, may)
        if answers is bench.ones:
            return Fourfold.open(must, may)
        answers = bench.both(answers, bench.without(may, must))
        return Fourfold(must, may, bench.either(must, answers), bench.without(may, answers))

    def _spared(self, stated: _Stated, silent: Plane, closers: Sequence[_Closer]) -> Plane:
        """Find those whose list closed all but what they stated, and each statement of theirs itself."""
        bench = self.survey.bench
        whole = [one.people for one in closers if one.spares and self.wanted.within(one.codes)]
        listed = bench.both(silent, stated.closing, bench.either(*whole))
        return bench.without(listed, stated.idle) if stated.closing is not bench.zeros else bench.zeros

    def _hard(self, stated: _Stated, silent: Plane, closers: Sequence[_Closer]) -> Plane:
        """Find those of whom statements, or statements and denials, have to be held against each other."""
        bench, postings = self.survey.bench, self.postings
        if stated.anybody is bench.zeros:
            return bench.zeros
        if self.counts:
            return stated.anybody
        plain = bench.either(*(one.people for one in closers if not one.spares))
        closed = stated.closing
        if not self.wanted.within(stated.closed):
            closed = bench.both(closed, bench.either(*(one.people for one in closers)))
        several = bench.both(stated.met, postings.mixed)
        return bench.either(
            bench.both(stated.anybody, postings.tangled),
            stated.weak,
            bench.both(silent, bench.either(plain, closed)),
            bench.both(several, bench.either(plain, stated.closing)),
        )

    def _combined(self, closers: Sequence[_Closer]) -> Plane:
        """Find those who stated what contains a code that counts, or what may and is spared by a list."""
        bench, postings = self.survey.bench, self.postings
        surely, perhaps = (
            bench.marked(postings.slots[part] for part in postings.slices(codes))
            for codes in postings.table.containing(self.wanted)
        )
        return bench.either(surely, bench.both(perhaps, bench.either(*(x.people for x in closers if x.spares))))

    # --- statements -------------------------------------------------------------------------------------------

    def _stated(self, overlaps: Flags, within: Flags) -> _Stated:
        bench, postings = self.survey.bench, self.postings
        slices = postings.slices(np.flatnonzero(overlaps))
        anybody = bench.marked(postings.slots[part] for part in slices)
        if self.counts or self.leaf.dose is not None or self.leaf.routes:
            zeros = bench.zeros
            return _Stated(anybody, zeros, zeros, zeros, zeros, zeros, zeros, anybody, CodeSet({}), slices)
        met: list[Slots] = []
        vague: list[Slots] = []
        closing: list[Slots] = []
        idle: list[Slots] = []
        weak: list[Slots] = []
        closed: set[int] = set()
        named: list[Slots] = []
        asked: list[Slots] = []
        limit = self.atom.leaf.decides_from
        names, tellers = self._key_numbers()
        for part in slices:
            slots = postings.slots[part]
            verdict, closes = self._judged(part, within)
            unsure = verdict == _UNKNOWN
            met.append(slots[verdict == _MET])
            vague.append(slots[unsure])
            named.append(slots[unsure & names[postings.key[part]]])
            asked.append(slots[unsure & tellers[postings.key[part]]])
            if closes is not None and closes.any():
                closing.append(slots[closes])
                closed.update(np.unique(postings.codes_of(part)[closes]).tolist())
            idle.append(slots if closes is None else slots[~closes])
            if limit is not None:
                weak.append(slots[postings.source[part] > limit.rank])
        codes = [postings.table.codes[code] for code in sorted(closed)]
        unsure_rows, unclear = sum(map(len, vague)), bench.marked(vague)
        return _Stated(
            anybody=anybody,
            met=bench.marked(met),
            vague=unclear,
            named=unclear if sum(map(len, named)) == unsure_rows else bench.marked(named),
            asked=unclear if sum(map(len, asked)) == unsure_rows else bench.marked(asked),
            closing=bench.marked(closing),
            idle=bench.marked(idle) if closing else anybody,
            weak=bench.marked(weak),
            closed=CodeSet.of(self.survey.terms, codes),
            slices=slices,
        )

    def _key_numbers(self) -> tuple[Flags, Flags]:
        """Mark the keys, by number, that the leaf asks for, and those of them that a participant can answer."""
        held = self.survey.snapshot.ledger.keys
        names = [name in self.atom.keys for name in held]
        tellers = [asks and self._can_tell(name) for asks, name in zip(names, held, strict=True)]
        return np.array(names, dtype=np.bool_), np.array(tellers, dtype=np.bool_)

    def _judged(self, part: slice, within: Flags) -> tuple[Verdicts, Flags | None]:
        """Judge each statement of a slice as `statements.statement_verdict` does, and say which close."""
        postings = self.postings
        verdict = within[postings.codes_of(part)].astype(np.int8)
        fresh = postings.seen_lo[part] >= self.cuts[postings.key[part]]
        status = postings.status[part]
        verdict = np.minimum(verdict, _BY_STATUS[self.leaf.status][status * 2 + fresh])
        if self.stretch is not None:
            verdict = np.minimum(verdict, self._in_window(self.stretch, part, fresh))
        detail = self._lasting(part)
        if detail is not None:
            verdict = np.minimum(verdict, detail)
        return verdict, self._closing(part, fresh, detail)

    def _in_window(self, stretch: Edges, part: slice, fresh: Flags) -> Verdicts:
        postings = self.postings
        starts = postings.starts_lo[part], postings.starts_hi[part]
        if self.leaf.dating is Dating.ONSET:
            return _touching(stretch, starts, starts)
        still = postings.runs[part] & fresh
        on = np.int32(self.survey.on.toordinal())
        ends = np.where(still, on, postings.ends_lo[part]), postings.ends_hi[part]
        if self.leaf.dating is Dating.ACTIVE:
            return _touching(stretch, starts, ends)
        current = postings.status[part] == _CURRENT
        open_end = np.where(fresh, np.int8(_FAILED), np.int8(_UNKNOWN))
        return np.where(current, open_end, _touching(stretch, ends, ends))

    def _lasting(self, part: slice) -> Verdicts | None:
        """Judge how long and how steadily, where the leaf asks for it."""
        postings, leaf = self.postings, self.leaf
        verdict: Verdicts | None = None
        if leaf.for_at_least is not None:
            days = postings.onset_lo[part], postings.onset_hi[part]
            stated = np.array([_FAILED, _MET, _UNKNOWN], dtype=np.int8)[postings.unbroken[part]]
            verdict = np.minimum(stated, self._lasted(days, leaf.for_at_least))
        if leaf.unchanged_for is not None:
            days = postings.unchanged_lo[part], postings.unchanged_hi[part]
            steady = self._lasted(days, leaf.unchanged_for)
            verdict = steady if verdict is None else np.minimum(verdict, steady)
        return verdict

    def _lasted(self, days: tuple[NDArray[np.int32], NDArray[np.int32]], length: Duration) -> Verdicts:
        """Tell whether a length has passed since days that may not be known at all."""
        lo, hi = days
        surely, possibly = _passed_until(self.anchor.lo, length), _passed_until(self.anchor.hi, length)
        known = lo <= hi
        failed = known & (lo != BEFORE) & (lo > possibly)
        met = known & (hi <= surely)
        return np.where(met, np.int8(_MET), np.where(failed, np.int8(_FAILED), np.int8(_UNKNOWN)))

    def _closing(self, part: slice, fresh: Flags, detail: Verdicts | None) -> Flags | None:
        postings = self.postings
        if self.stretch is not None:
            first = self.stretch.possibly[0]
            if first is None:
                return None
            return fresh & postings.last[part] & (postings.ends_hi[part] < first.toordinal())
        if self.leaf.status is not CodedStatus.CURRENT:
            return None
        status = postings.status[part]
        over = status == _PAST
        if detail is not None:
            over |= (status == _CURRENT) & (detail == _FAILED)
        closes: Flags = fresh & over
        return closes

    # --- denials ----------------------------------------------------------------------------------------------

    def _closers(self) -> tuple[list[_Closer], Plane]:
        """Gather who closed which codes, and of whom too many kinds of denial do so only together."""
        bench, cuts = self.survey.bench, self.cuts
        limit = self.atom.leaf.decides_from
        gathered: dict[tuple[object, bool], tuple[CodeSet, list[Plane]]] = {}
        for number, denials in enumerate(self.postings.denials):
            pattern = denials.pattern
            if limit is not None and pattern.source.rank > limit.rank:
                continue
            if not self._speaks_of(pattern.scope) or not pattern.codes.overlaps(self.wanted):
                continue
            people = self._still(number, denials, int(cuts[pattern.key]))
            name = (tuple(sorted(pattern.codes.spans.items())), pattern.spares)
            gathered.setdefault(name, (pattern.codes, []))[1].append(people)
        closers = [_Closer(codes, bench.either(*held), name[1]) for name, (codes, held) in gathered.items()]
        whole = [one for one in closers if self.wanted.within(one.codes)]
        partial = [one for one in closers if not self.wanted.within(one.codes)]
        doubtful = bench.zeros
        if len(partial) > MOST_PARTIAL:
            doubtful = bench.either(*(one.people for one in partial))
        return [*whole, *partial[:MOST_PARTIAL]], doubtful

    def _speaks_of(self, scope: DenialScope) -> bool:
        """Tell whether a denial of a scope can close this leaf, its `since` apart."""
        wanted = self.leaf.status
        if wanted is CodedStatus.PLANNED or scope is DenialScope.PLANNED:
            return wanted.value == scope.value
        return scope is DenialScope.EVER or wanted is CodedStatus.CURRENT or self.stretch is not None

    def _still(self, number: int, denials: Denials, cut: int) -> Plane:
        """Make the plane of those whose denial is still good and reaches back far enough."""
        lowest, highest = self._reach(denials.pattern.scope)
        bench, first = self.survey.bench, int(np.searchsorted(denials.seen_lo, np.int32(cut)))
        if denials.ladder is not None:
            return denials.ladder.since(first, bench) if lowest == ALWAYS else bench.zeros
        cache = self.survey.cache
        name = (self.survey.snapshot.version, "denials", number, cut, lowest, highest)
        held = cache.get(name)
        if held is None:
            since = denials.since[first:]
            slots = denials.slots[first:]
            if (lowest, highest) != (ALWAYS, AFTER):
                slots = slots[(since >= lowest) & (since <= highest)]
            held = cache.keep(name, (bench.marked([slots]),))
        return held[0]

    def _reach(self, scope: DenialScope) -> tuple[int, int]:
        """Give the first and the last `since` of which a denial closes this leaf.

        One that is not limited to a time begins with ALWAYS; where it only
        denies that things are so now, it closes no window.
        """
        if self.leaf.status is CodedStatus.PLANNED or scope is DenialScope.PLANNED:
            return ALWAYS, AFTER
        if self.stretch is None:
            return ALWAYS, AFTER if self.leaf.status is CodedStatus.CURRENT else ALWAYS
        first = self.stretch.possibly[0]
        lowest = ALWAYS + 1 if scope is DenialScope.CURRENT else ALWAYS
        return lowest, ALWAYS if first is None else first.toordinal()

    def _covered(self, target: CodeSet, closers: Sequence[_Closer]) -> Plane:
        """Make the plane of those whose denials cover a set of codes together."""
        bench = self.survey.bench
        if target.is_empty:
            return bench.ones
        near = [closer for closer in closers if closer.codes.overlaps(target)]
        whole = [closer for closer in near if target.within(closer.codes)]
        rest = [closer for closer in near if closer not in whole]
        alone = bench.either(*(closer.people for closer in whole))
        together = CodeSet({})
        for closer in rest:
            together = together.union(closer.codes)
        if not rest or not target.within(together):
            return alone
        first, *others = rest
        with_it = bench.both(first.people, self._covered(target.minus(first.codes), others))
        return bench.either(alone, with_it, self._covered(target, others))

    # --- who could still tell ---------------------------------------------------------------------------------

    def _open(self, stated: _Stated, closers: Sequence[_Closer]) -> tuple[Plane, Plane]:
        """Tell who could settle the leaf if it is unknown, and of whom the interpreter has to say.

        Whoever stated a code that a question speaks of has left that code open.
        """
        bench, survey, atom = self.survey.bench, self.survey, self.atom
        if not atom.askable:
            return bench.zeros, bench.zeros
        if atom.told:
            return bench.ones, bench.zeros
        tellers = [survey.vocabulary[name] for name in atom.keys if self._can_tell(name)]
        shares = [self._common(key.denied(survey.terms)) for key in tellers]
        shares = [share for share in shares if not share.is_empty]
        askable = CodeSet({})
        for share in shares:
            askable = askable.union(share)
        if tellers and len(tellers) == len(atom.keys) and self.wanted.within(askable):
            return bench.ones, bench.zeros
        vague = stated.asked
        if tellers:
            vague = bench.either(vague, bench.without(stated.vague, stated.named))
        unclear = bench.zeros
        if shares and all(share.within(stated.closed) for share in shares):
            unclear = stated.closing
        lacking = bench.neither(bench.both(*(self._covered(share, closers) for share in shares)))
        touching = self._touching(stated, askable)
        return bench.either(vague, bench.without(bench.either(lacking, touching), stated.vague)), unclear

    def _touching(self, stated: _Stated, codes: CodeSet) -> Plane:
        """Make the plane of those who stated a code that overlaps some."""
        overlaps, _ = self.postings.table.against(codes)
        found = self.postings.slices(np.flatnonzero(overlaps)) if stated.slices else []
        return self.survey.bench.marked(self.postings.slots[part] for part in found)

    def _can_tell(self, name: str) -> bool:
        key = self.survey.vocabulary.get(name)
        return key is not None and key.participant_can_tell

    def _common(self, codes: CodeSet) -> CodeSet:
        return self.wanted.minus(self.wanted.minus(codes))


def _cuts(survey: Survey) -> NDArray[np.int32]:
    """Give, by number of key, the first day from which what was said still holds."""
    cuts = np.full(len(survey.snapshot.ledger.keys), BEFORE, dtype=np.int32)
    for number in survey.snapshot.postings.keys.tolist():
        key = survey.vocabulary.get(survey.snapshot.ledger.keys[number])
        validity = key.validity if key else DEFAULT_VALIDITY
        if validity is not None:
            cuts[number] = earliest_start(survey.on, validity).toordinal()
    return cuts


def _touching(
    stretch: Edges,
    starts: tuple[NDArray[np.int32], NDArray[np.int32]],
    ends: tuple[NDArray[np.int32], NDArray[np.int32]],
) -> Verdicts:
    """Hold days of beginning and end against a window, as `Edges.judge` does."""
    first, last = _numbers(stretch.possibly)
    failed = (starts[0] > last) | (ends[1] < first)
    first, last = _numbers(stretch.surely)
    met = ~failed & (starts[1] <= last) & (ends[0] >= first)
    return np.where(met, np.int8(_MET), np.where(failed, np.int8(_FAILED), np.int8(_UNKNOWN)))


def _numbers(ends: tuple[date | None, date | None]) -> tuple[int, int]:
    first, last = ends
    return BEFORE if first is None else first.toordinal(), AFTER if last is None else last.toordinal()


def _passed_until(anchor: date | None, length: Duration) -> int:
    """Give the last day from which a length has passed at an anchor; 0 if there is none."""
    if anchor is None:
        return BEFORE
    low, high = BEFORE, _LAST_DAY
    while low < high:
        middle = (low + high + 1) // 2
        if shift(date.fromordinal(middle), length) <= anchor:
            low = middle
        else:
            high = middle - 1
    return low


def _by_status(wanted: CodedStatus) -> NDArray[np.int8]:
    """Tabulate what a status is worth, first expired and then fresh, as `statements` does."""
    table = np.zeros(2 * len(STATUSES), dtype=np.int8)
    for number, status in enumerate(STATUSES):
        for fresh in (False, True):
            table[2 * number + fresh] = _worth(wanted, status, fresh=fresh)
    return table


def _worth(wanted: CodedStatus, status: StatementStatus, *, fresh: bool) -> int:
    while_fresh = _MET if fresh else _UNKNOWN
    if status is StatementStatus.PLANNED or wanted is CodedStatus.PLANNED:
        return while_fresh if status.value == wanted.value else _FAILED
    if wanted is CodedStatus.EVER:
        return _MET
    if status is StatementStatus.EVER:
        return _UNKNOWN
    if wanted is CodedStatus.CURRENT:
        return while_fresh if status is StatementStatus.CURRENT else _FAILED
    if status is StatementStatus.PAST:
        return _MET
    return _FAILED if fresh else _UNKNOWN


_BY_STATUS: Final = {wanted: _by_status(wanted) for wanted in CodedStatus}
