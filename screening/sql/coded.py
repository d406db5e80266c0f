"""Leaves about conditions, medicines and procedures in SQL, by the tables of statements and denials.

Conditions say the same as the planes of `screening.planes.coded`: of those who
stated a code that counts each statement is judged for itself, of all others
denials decide, and where the two meet the interpreter has to tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from screening.assessment.statements import DEFAULT_VALIDITY
from screening.facts import DenialScope, EvidenceSource, StatementStatus
from screening.intervals import DateRange, Duration, earliest_start
from screening.language.criteria import Coded, CodedStatus, Dating, Distinct
from screening.language.windows import Edges, edges
from screening.planes.denials import ALWAYS
from screening.planes.ledger import AFTER, BEFORE
from screening.planes.postings import STATUSES, Postings
from screening.sql.expressions import (
    FALSE,
    TRUE,
    Judged,
    all_true,
    any_true,
    chosen,
    is_set,
    one_of,
    opposite,
    settled,
)
from screening.sql.scalar import Day, in_stretch, last_passed
from screening.sql.sources import Said, Sources, Spoken
from screening.sql.tables import CODED, MIXED, TANGLED
from screening.terms import CodeSet, Terms

MOST_PARTIAL: Final = 5
"""Beyond so many kinds of denial that cover the codes only together, the interpreter judges."""

INFO: Final = "p.coded_info"
_MET, _UNSURE, _FAILED = 1, 0, -1


def coded_sql(leaf: Coded | Distinct, day: Day, terms: Terms, sources: Sources) -> Judged:
    """Write a leaf about codes as SQL."""
    told = leaf.of if isinstance(leaf, Distinct) else leaf
    wanted = CodeSet.of(terms, told.codes, told.but)
    if wanted.is_empty:
        anything = is_set(INFO, CODED)
        return Judged(settled(FALSE, FALSE if told.such_as else opposite(anything)), anything)
    anchor = day.anchors[told.window.anchor] if told.window else DateRange.day(day.on)
    stretch = edges(told.window, anchor) if told.window else None
    by_hand = isinstance(leaf, Distinct) or told.dose is not None or bool(told.routes)
    return _Writing(told, by_hand, leaf.decides_from, day, terms, wanted, anchor, stretch, sources).judged()


@dataclass(frozen=True, slots=True)
class _Closer:
    """Codes that are closed for whoever a condition holds of; where it `spares`, less what they affirmed."""

    codes: CodeSet
    people: str
    spares: bool


@dataclass(frozen=True, slots=True)
class _Writing:
    """One leaf on one day; where it is judged `by_hand`, statements are left to the interpreter."""

    leaf: Coded
    by_hand: bool
    limit: EvidenceSource | None
    day: Day
    terms: Terms
    wanted: CodeSet
    anchor: DateRange
    stretch: Edges | None
    sources: Sources

    @property
    def postings(self) -> Postings:
        return self.day.pool.snapshot.postings

    def judged(self) -> Judged:
        overlaps, within = self.postings.table.against(self.wanted)
        near = frozenset(np.flatnonzero(overlaps).tolist())
        inside = frozenset(np.flatnonzero(within & overlaps).tolist())
        closers, doubtful = self._closers()
        said = self._said(near, inside)
        sparing = any_true(one.people for one in closers if one.spares)
        combined = any_true((said.surely, all_true((said.perhaps, sparing))))
        anybody = f"({said.best} IS NOT NULL)" if near else FALSE
        closed = all_true((self._covered(self.wanted, closers), opposite(anybody)))
        if self.by_hand or not near:
            return self._settled(FALSE, closed, any_true((anybody, combined, doubtful)))
        spared = self._spared(said, closers)
        doubts = (self._doubts(said, anybody, spared, closers, near), combined, doubtful)
        return self._settled(f"({said.best} = {_MET})", any_true((closed, spared)), any_true(doubts))

    def _settled(self, met: str, closed: str, doubt: str) -> Judged:
        return Judged(settled(met, FALSE if self.leaf.such_as else closed), doubt)

    def _said(self, near: frozenset[int], inside: frozenset[int]) -> Said:
        """Ask for the statements about the codes, and for combinations of them."""
        surely, perhaps = (frozenset(found.tolist()) for found in self.postings.table.containing(self.wanted))
        if not near | surely | perhaps:
            return Said("NULL", FALSE, FALSE, FALSE, FALSE, FALSE)
        weak = FALSE if self.limit is None else f"(source > {self.limit.rank})"
        closes = FALSE if self.by_hand else self._closes()
        return self.sources.speaking(Spoken(near, self._verdict(near, inside), closes, weak, surely, perhaps))

    def _spared(self, said: Said, closers: Sequence[_Closer]) -> str:
        """Find those whose list closed all but what they stated, and each statement of theirs itself."""
        whole = [one.people for one in closers if one.spares and self.wanted.within(one.codes)]
        silent = f"({said.best} = {_FAILED})"
        return all_true((silent, said.closing, any_true(whole), opposite(said.idle)))

    def _doubts(
        self, said: Said, anybody: str, spared: str, closers: Sequence[_Closer], near: frozenset[int]
    ) -> str:
        """Find those of whom statements, or statements and denials, have to be held against each other."""
        plain = any_true(one.people for one in closers if not one.spares)
        closed = said.closing
        if closed != FALSE and not self.wanted.within(self._closable(near)):
            closed = all_true((closed, any_true(one.people for one in closers)))
        silent, met = f"({said.best} = {_FAILED})", f"({said.best} = {_MET})"
        return any_true(
            (
                all_true((anybody, is_set(INFO, TANGLED))),
                said.weak,
                all_true((silent, opposite(spared), any_true((plain, closed)))),
                all_true((met, is_set(INFO, MIXED), any_true((plain, said.closing)))),
            )
        )

    def _closable(self, near: frozenset[int]) -> CodeSet:
        """Give the codes that statements could close at the most."""
        codes = self.postings.table.codes
        return CodeSet.of(self.terms, [codes[number] for number in sorted(near)])

    # --- statements -------------------------------------------------------------------------------------------

    def _verdict(self, near: frozenset[int], inside: frozenset[int]) -> str:
        """Judge a statement as `statements.statement_verdict` does."""
        if self.by_hand:
            return str(_UNSURE)
        fresh = self._fresh()
        parts = [
            (TRUE if inside == near else one_of("code", inside), FALSE),
            self._status(fresh),
            *([self._in_window(self.stretch, fresh)] if self.stretch else []),
            *self._lasting(),
        ]
        return _least(parts)

    def _fresh(self) -> str:
        """Ask whether what was said still holds; how long it does depends on the key."""
        cuts: dict[int, list[int]] = {}
        for number in self.postings.keys.tolist():
            cuts.setdefault(self.cut(number), []).append(number)
        held = [
            all_true((TRUE if len(cuts) == 1 else one_of("asked", keys), f"(seen >= {cut})"))
            for cut, keys in cuts.items()
        ]
        return any_true(held)

    def cut(self, number: int) -> int:
        """Give the first day from which what was said under a key still holds."""
        key = self.day.vocabulary.get(self.day.pool.snapshot.ledger.keys[number])
        validity = key.validity if key else DEFAULT_VALIDITY
        return BEFORE if validity is None else earliest_start(self.day.on, validity).toordinal()

    def _status(self, fresh: str) -> tuple[str, str]:
        planned, current, past = (_status_is(one) for one in ("planned", "current", "past"))
        match self.leaf.status:
            case CodedStatus.PLANNED:
                return all_true((planned, fresh)), opposite(planned)
            case CodedStatus.EVER:
                return opposite(planned), planned
            case CodedStatus.CURRENT:
                return all_true((current, fresh)), any_true((planned, past))
            case CodedStatus.PAST:
                return past, any_true((planned, all_true((current, fresh))))

    def _in_window(self, stretch: Edges, fresh: str) -> tuple[str, str]:
        starts = ("starts_lo", "starts_hi")
        if self.leaf.dating is Dating.ONSET:
            return in_stretch(stretch, starts, starts)
        today = self.day.on.toordinal()
        still = all_true(("(runs = 1)", fresh))
        ends = (f"(CASE WHEN {still} THEN {today} ELSE ends_lo END)", "ends_hi")
        if self.leaf.dating is Dating.ACTIVE:
            return in_stretch(stretch, starts, ends)
        met, failed = in_stretch(stretch, ends, ends)
        current = _status_is("current")
        over = opposite(current)
        return all_true((over, met)), any_true((all_true((over, failed)), all_true((current, fresh))))

    def _lasting(self) -> list[tuple[str, str]]:
        """Judge how long and how steadily, where the leaf asks for it."""
        parts = []
        if self.leaf.for_at_least is not None:
            parts.append(("(unbroken = 1)", "(unbroken = 0)"))
            parts.append(self._lasted("onset", self.leaf.for_at_least))
        if self.leaf.unchanged_for is not None:
            parts.append(self._lasted("unchanged", self.leaf.unchanged_for))
        return parts

    def _lasted(self, name: str, length: Duration) -> tuple[str, str]:
        """Tell whether a length has passed since days that may not be known at all."""
        lo, hi = f"{name}_lo", f"{name}_hi"
        known = f"({lo} <= {hi})"
        surely, possibly = last_passed(self.anchor.lo, length), last_passed(self.anchor.hi, length)
        met = all_true((known, f"({hi} <= {surely})"))
        return met, all_true((known, f"({lo} <> {BEFORE})", f"({lo} > {possibly})"))

    def _closes(self) -> str:
        """Ask whether a statement closes its own code for this leaf."""
        fresh = self._fresh()
        if self.stretch is not None:
            first = self.stretch.possibly[0]
            if first is None:
                return FALSE
            return all_true((fresh, "(last = 1)", f"(ends_hi < {first.toordinal()})"))
        if self.leaf.status is not CodedStatus.CURRENT:
            return FALSE
        failed = any_true(failed for _, failed in self._lasting())
        over = any_true((_status_is("past"), all_true((_status_is("current"), failed))))
        return all_true((fresh, over))

    # --- denials ----------------------------------------------------------------------------------------------

    def _closers(self) -> tuple[list[_Closer], str]:
        """Gather who closed which codes, and of whom too many kinds of denial do so only together."""
        gathered: dict[tuple[object, bool], tuple[CodeSet, dict[str, list[int]]]] = {}
        for number, denials in enumerate(self.postings.denials):
            pattern = denials.pattern
            if self.limit is not None and pattern.source.rank > self.limit.rank:
                continue
            if not self._speaks_of(pattern.scope) or not pattern.codes.overlaps(self.wanted):
                continue
            name = (tuple(sorted(pattern.codes.spans.items())), pattern.spares)
            still = self._still(number, pattern.scope, limited=denials.ladder is None)
            gathered.setdefault(name, (pattern.codes, {}))[1].setdefault(still, []).append(number)
        closers = [_Closer(codes, self._made(held), bool(name[1])) for name, (codes, held) in gathered.items()]
        closers = [one for one in closers if one.people != FALSE]
        whole = [one for one in closers if self.wanted.within(one.codes)]
        partial = [one for one in closers if not self.wanted.within(one.codes)]
        doubtful = FALSE
        if len(partial) > MOST_PARTIAL:
            doubtful = any_true(one.people for one in partial)
        return [*whole, *partial[:MOST_PARTIAL]], doubtful

    def _made(self, held: dict[str, list[int]]) -> str:
        said = any_true(all_true((one_of("pattern", numbers), still)) for still, numbers in held.items())
        numbers = [number for mine in held.values() for number in mine]
        limited = any(self.postings.denials[number].ladder is None for number in numbers)
        return self.sources.denying(said, numbers, limited=limited)

    def _speaks_of(self, scope: DenialScope) -> bool:
        """Tell whether a denial of a scope can close this leaf, its `since` apart."""
        wanted = self.leaf.status
        if wanted is CodedStatus.PLANNED or scope is DenialScope.PLANNED:
            return wanted.value == scope.value
        return scope is DenialScope.EVER or wanted is CodedStatus.CURRENT or self.stretch is not None

    def _still(self, number: int, scope: DenialScope, *, limited: bool) -> str:
        """Ask whether a denial is still good and reaches back far enough."""
        lowest, highest = self._reach(scope)
        cut = self.cut(self.postings.denials[number].pattern.key)
        good = TRUE if cut == BEFORE else f"(seen >= {cut})"
        if not limited:
            return good if lowest == ALWAYS else FALSE
        return all_true((good, f"(since BETWEEN {lowest} AND {highest})"))

    def _reach(self, scope: DenialScope) -> tuple[int, int]:
        """Give the first and the last `since` of which a denial closes this leaf."""
        if self.leaf.status is CodedStatus.PLANNED or scope is DenialScope.PLANNED:
            return ALWAYS, AFTER
        if self.stretch is None:
            return ALWAYS, AFTER if self.leaf.status is CodedStatus.CURRENT else ALWAYS
        first = self.stretch.possibly[0]
        lowest = ALWAYS + 1 if scope is DenialScope.CURRENT else ALWAYS
        return lowest, ALWAYS if first is None else first.toordinal()

    def _covered(self, target: CodeSet, closers: Sequence[_Closer]) -> str:
        """Ask whether denials cover a set of codes together."""
        if target.is_empty:
            return TRUE
        near = [closer for closer in closers if closer.codes.overlaps(target)]
        whole = [closer for closer in near if target.within(closer.codes)]
        rest = [closer for closer in near if closer not in whole]
        alone = any_true(closer.people for closer in whole)
        together = CodeSet({})
        for closer in rest:
            together = together.union(closer.codes)
        if not rest or not target.within(together):
            return alone
        first, *others = rest
        with_it = all_true((first.people, self._covered(target.minus(first.codes), others)))
        return any_true((alone, with_it, self._covered(target, others)))


def _status_is(status: str) -> str:
    return f"(status = {STATUSES.index(StatementStatus(status))})"


def _least(parts: Sequence[tuple[str, str]]) -> str:
    """Give -1 where a part fails, 1 where all are met, else 0."""
    failed = any_true(failed for _, failed in parts)
    met = all_true(met for met, _ in parts)
    ways = [(failed, str(_FAILED)), (met, str(_MET))]
    return chosen([way for way in ways if way[0] != FALSE], otherwise=str(_UNSURE))
