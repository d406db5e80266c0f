"""The ways in which coded leaves ask: status, window, length, dose and route, apart from the codes.

For each way, one person's facts are those that answer it, those that may,
and those that close the account. Statements of a leaf's own dose, route or
length go through the interpreter's own judgement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screening.assessment.evidence import Scene
from screening.assessment.statements import (
    Entry,
    Question,
    closures,
    episode,
    following,
    resolved,
    speaks_against,
    statement_verdict,
)
from screening.atoms.rows import Integers
from screening.atoms.spans import Flags, Words, words_of
from screening.atoms.stretches import NO_CUT, Anchors, Stretch, Stretches, anchor_days, day_numbers
from screening.facts import Code, Denial, DenialScope, EvidenceSource, Statement, StatementStatus
from screening.intervals import DateRange
from screening.language.criteria import Coded, CodedStatus, Dating
from screening.language.protocol import Anchor
from screening.terms import EVERYTHING, ICD10CM, Terms
from screening.verdict import Kleene
from screening.vocabulary import About

_STATUSES: Final = tuple(CodedStatus)
_DATINGS: Final = tuple(Dating)
_CURRENT: Final = _STATUSES.index(CodedStatus.CURRENT)
_PLANNED: Final = _STATUSES.index(CodedStatus.PLANNED)

_GOING_ON: Final = (StatementStatus.CURRENT, StatementStatus.EVER)
_PLAIN: Final = tuple(
    Coded(about=About.CONDITION, codes=(Code(ICD10CM, EVERYTHING),), status=status) for status in _STATUSES
)
"""A leaf for each status that asks for nothing else."""

_Table = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Way:
    """How a leaf asks; `leaf` is one that asks so, whatever its codes."""

    leaf: Coded
    stretch: int
    anchor: Anchor | None
    is_detailed: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """By way of asking, a bit for each fact that answers it, may answer it, or closes the account.

    `bars` are the facts that, where they leave a question open, stand in the
    way of its being closed: all but what is left over of combinations.
    `against` has those that may speak against what follows from a combination, by the place of what follows.
    """

    met: Words
    maybe: Words
    closing: Words
    bars: Words | None = None
    against: Mapping[int, Words] = field(default_factory=dict)


class Ways:
    """Every way of asking, numbered."""

    def __init__(self, stretches: Stretches) -> None:
        self._stretches = stretches
        self._held: list[Way] = []
        self._numbers: dict[tuple[object, ...], int] = {}
        self._by_limit: dict[EvidenceSource | None, list[int]] = {}
        self._statuses: dict[tuple[StatementStatus, Kleene], list[Kleene]] = {}

    def number(self, leaf: Coded, anchors: Anchors) -> int:
        """Give the number of the way in which a leaf asks, a new one if need be."""
        window = None if leaf.window is None else Stretch.within(leaf.window, anchors)
        stretch = -1 if window is None else self._stretches.number(window)
        limit = leaf.decides_from
        details = (leaf.for_at_least, leaf.unchanged_for, leaf.dose, leaf.routes)
        number = self._numbers.setdefault((leaf.status, stretch, leaf.dating, limit, *details), len(self._held))
        if number == len(self._held):
            self._held.append(Way(leaf, stretch, None if window is None else window.anchor, any(details)))
            self._by_limit.setdefault(limit, []).append(number)
        return number

    def hear(self, scene: Scene, told: Sequence[Entry], asked: Integers, overlap: Words) -> Heard:
        """Hold a person's facts against the ways of asking that are asked in.

        `asked` is the way of each leaf that a fact touches, `overlap` which
        facts touch it: what is said of doses and the like is judged only there.
        """
        used = np.zeros(len(self._held), dtype=bool)
        used[asked] = True
        shape = (len(overlap), len(self._held))
        met, maybe, closing = (np.zeros(shape, dtype=np.uint64) for _ in range(3))
        heard = Heard(met, maybe, closing)
        if any(entry.through is not None for entry in told):
            follows = [place for place, entry in enumerate(told) if entry.through is not None]
            against = {place: np.zeros(shape, dtype=np.uint64) for place in follows}
            heard = replace(heard, bars=np.zeros(shape, dtype=np.uint64), against=against)
        cuts = self._stretches.lay_out(scene.on)
        for limit, numbers in self._by_limit.items():
            ways = np.array([number for number in numbers if used[number]], dtype=np.int64)
            held = _strong(told, limit, scene.terms) if len(ways) else {}
            if not held:
                continue
            owners, entries = np.array(list(held), dtype=np.int64), list(held.values())
            chosen = [self._held[way] for way in ways]
            verdicts = self._verdicts(scene, entries, chosen, cuts)
            closes = _closings(scene, entries, chosen, cuts)
            for column, way in enumerate(chosen):
                if way.is_detailed:
                    touching = np.bitwise_or.reduce(overlap[:, asked == ways[column]], axis=1)
                    near = [(place, entries[place]) for place, fact in enumerate(held) if _has(touching, fact)]
                    self._detail(way, scene, near, column, verdicts, closes)
            heard.met[:, ways] = words_of(verdicts == 1, owners, len(told))
            heard.maybe[:, ways] = words_of(verdicts == 0, owners, len(told))
            heard.closing[:, ways] = words_of(closes, owners, len(told))
            if heard.bars is not None:
                bars = np.array([not entry.is_left_over for entry in entries], dtype=bool)
                heard.bars[:, ways] = words_of(bars[:, None], owners, len(told))
                for place in heard.against.keys() & held.keys():
                    speaking = np.array([_speaks(entry, held[place]) for entry in entries], dtype=bool)
                    heard.against[place][:, ways] = words_of(speaking[:, None], owners, len(told))
        return heard

    def _verdicts(self, scene: Scene, entries: Sequence[Entry], ways: Sequence[Way], cuts: Integers) -> _Table:
        """Judge status and days of every statement for every way; a denial answers none."""
        table = np.full((len(entries), len(ways)), -1, dtype=np.int8)
        spoken = [place for place, entry in enumerate(entries) if entry.statement is not None]
        if not spoken:
            return table
        statements = [entries[place] for place in spoken]
        by_status = np.array([self._status_verdicts(entry, scene) for entry in statements], dtype=np.int8)
        verdicts = by_status[:, [_STATUSES.index(way.leaf.status) for way in ways]]
        windowed = [column for column, way in enumerate(ways) if way.stretch >= 0]
        if windowed:
            days = _days_verdicts(scene, statements, [ways[column] for column in windowed], cuts)
            verdicts[:, windowed] = np.minimum(verdicts[:, windowed], days)
        table[spoken] = verdicts
        return table

    def _status_verdicts(self, entry: Entry, scene: Scene) -> list[Kleene]:
        """Judge a statement by each status alone; its own status and freshness decide."""
        statement = entry.statement
        which = (statement.status if statement else StatementStatus.NEVER), entry.fresh
        if which not in self._statuses:
            today = DateRange.day(scene.on)
            asked = [Question(leaf, scene, entry.codes, None, today, None) for leaf in _PLAIN]
            self._statuses[which] = [statement_verdict(question, entry) for question in asked]
        return self._statuses[which]

    def _detail(
        self,
        way: Way,
        scene: Scene,
        near: Sequence[tuple[int, Entry]],
        column: int,
        verdicts: _Table,
        closes: Flags,
    ) -> None:
        """Let the interpreter judge facts for a way that asks for a length, a dose or a route."""
        anchor = anchor_days(way.anchor, scene.on)
        edges = None if way.stretch < 0 else self._stretches[way.stretch]
        for place, entry in near:
            question = Question(way.leaf, scene, entry.codes, edges, anchor, None)
            verdicts[place, column] = statement_verdict(question, entry)
            closes[place, column] = bool(closures(question, [entry]))


def _speaks(entry: Entry, follows: Entry) -> bool:
    """Tell whether a fact may speak against what follows from a combination, its own source only later."""
    stated = follows.fact.observed
    if entry.fact.source is follows.fact.source and not stated.before(entry.fact.observed):
        return False
    return speaks_against(entry, stated)


def _strong(told: Sequence[Entry], limit: EvidenceSource | None, terms: Terms) -> dict[int, Entry]:
    """Give what sources tell that may decide, by place, what is over marked as past.

    Whether something is over depends on facts that cover it, which touch every
    leaf that it touches: so it may be said before any leaf is looked at. What
    follows from combinations follows from what these sources tell.
    """
    held = {
        place: entry
        for place, entry in enumerate(told)
        if limit is None or entry.fact.source.rank <= limit.rank
    }
    heard = [entry for entry in held.values() if entry.through is None]
    ending = [entry for entry in heard if _may_end(entry)]
    stated = {entry.fact.id: entry for entry in heard if entry.contains.sure}
    if ending:
        for place, entry in held.items():
            if entry.statement is not None and entry.through is not None:
                held[place] = next(following(stated[entry.fact.id], (entry.statement.code,), ending, terms))
            elif entry.statement is not None and entry.statement.status in _GOING_ON:
                held[place] = resolved([entry, *ending])[0]
    return held


def _may_end(entry: Entry) -> bool:
    if entry.denial is not None:
        return entry.denial.scope is DenialScope.CURRENT
    return entry.statement is not None and entry.statement.status is StatementStatus.PAST


def _days_verdicts(scene: Scene, statements: Sequence[Entry], ways: Sequence[Way], cuts: Integers) -> _Table:
    episodes = [episode(entry, scene) for entry in statements]
    starts = np.array([day_numbers(start) for start, _ in episodes], dtype=np.int64).T[:, :, None]
    ends = np.array([day_numbers(end) for _, end in episodes], dtype=np.int64).T[:, :, None]
    window = cuts[:, [way.stretch for way in ways]]
    active, onset, ended = (_judge(window, *pair) for pair in ((starts, ends), (starts, starts), (ends, ends)))
    for place, entry in enumerate(statements):
        if entry.statement is not None and entry.statement.status is StatementStatus.CURRENT:
            ended[place] = -1 if entry.fresh is Kleene.MET else 0
    datings = np.array([_DATINGS.index(way.leaf.dating) for way in ways])
    verdicts: _Table = np.choose(datings[None, :], [active, onset, ended])
    return verdicts


def _judge(window: Integers, starts: Integers, ends: Integers) -> _Table:
    """Tell what touches a window, as `Edges.judge` does."""
    surely_from, surely_to, possibly_from, possibly_to = window
    met = (starts[1] <= surely_to) & (ends[0] >= surely_from)
    out = (starts[0] > possibly_to) | (possibly_from > ends[1])
    return np.where(out, np.int8(-1), met.view(np.int8))


def _closings(scene: Scene, entries: Sequence[Entry], ways: Sequence[Way], cuts: Integers) -> Flags:
    """Tell which facts close the account for which ways, as `closures` does where no detail is asked for."""
    status = np.array([_STATUSES.index(way.leaf.status) for way in ways])
    stretch = np.array([way.stretch for way in ways])
    windowed = stretch >= 0
    first = np.full(len(ways), -NO_CUT, dtype=np.int64)
    first[windowed] = cuts[Stretches.POSSIBLY_FROM, stretch[windowed]]
    now, planned = (status == _CURRENT) & ~windowed, status == _PLANNED
    closes = np.zeros((len(entries), len(ways)), dtype=bool)
    for place, entry in enumerate(entries):
        if entry.fresh is not Kleene.MET or entry.through is not None:
            continue
        if entry.denial is not None:
            closes[place] = _denial_closes(entry.denial, now, planned, windowed, first)
        elif entry.statement is not None:
            closes[place] = _statement_closes(entry.statement, entry, scene, now, first)
    return closes


def _denial_closes(denial: Denial, now: Flags, planned: Flags, windowed: Flags, first: Integers) -> Flags:
    if denial.scope is DenialScope.PLANNED:
        return planned
    if denial.since is None:
        return now if denial.scope is DenialScope.CURRENT else ~planned
    since = day_numbers(denial.since)[1]
    return ~planned & (now | (windowed & (since <= first)))


def _statement_closes(statement: Statement, entry: Entry, scene: Scene, now: Flags, first: Integers) -> Flags:
    over = now if statement.status is StatementStatus.PAST else np.zeros_like(now)
    if not statement.last:
        return over
    last_day = day_numbers(episode(entry, scene)[1])[1]
    return over | (last_day < first)


def _has(words: Words, fact: int) -> bool:
    return bool(int(words[fact // 64]) >> int(fact % 64) & 1)
