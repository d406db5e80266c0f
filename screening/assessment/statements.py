"""Statements and denials held against a coded part: which fulfil it, which close its account.

Everything that a coded part asks for, code, status, days, dose and route, has
to hold of one and the same statement (SEMANTICS 2.5).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from screening.assessment.evidence import Reading, Scene
from screening.assessment.limits import within_limits
from screening.errors import InvalidUnit
from screening.facts import Denial, DenialScope, EvidenceSource, Fact, Statement, StatementStatus
from screening.intervals import CalendarUnit, DateRange, Duration
from screening.language.criteria import Coded, CodedStatus, Dating
from screening.language.windows import Edges, edges, lasted
from screening.terms import CodeSet
from screening.units import convert
from screening.verdict import Kleene, truth

DEFAULT_VALIDITY: Final = Duration(12, CalendarUnit.MONTHS)
"""How long a coded fact holds whose key the vocabulary does not know."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A coded fact with its codes looked up: either a statement or a denial."""

    fact: Fact
    codes: CodeSet
    fresh: Kleene
    statement: Statement | None = None
    denial: Denial | None = None

    @property
    def reading(self) -> Reading:
        """The entry as a reading, for telling what a verdict rests on."""
        value = self.statement or self.denial
        if value is None:
            raise ValueError("an entry holds a statement or a denial")
        return Reading(value, self.fact.observed, self.fact.source, (self.fact,))


@dataclass(frozen=True, slots=True)
class Question:
    """A coded leaf on one day: its codes looked up, its window laid out."""

    leaf: Coded
    scene: Scene
    wanted: CodeSet
    stretch: Edges | None
    anchor: DateRange
    decides_from: EvidenceSource | None

    @classmethod
    def of(cls, leaf: Coded, scene: Scene, decides_from: EvidenceSource | None) -> Question:
        """Look up the codes of a leaf and lay out its window."""
        anchor = scene.anchors[leaf.window.anchor] if leaf.window else DateRange.day(scene.on)
        return cls(
            leaf,
            scene,
            CodeSet.of(scene.terms, leaf.codes, leaf.but),
            edges(leaf.window, anchor) if leaf.window else None,
            anchor,
            decides_from,
        )

    def strong(self, told: Sequence[Entry]) -> list[Entry]:
        """Take what was told about the codes by sources that may decide, what is over marked as past."""
        limit = self.decides_from
        return resolved(
            [
                entry
                for entry in told
                if entry.codes.overlaps(self.wanted) and (limit is None or entry.fact.source.rank <= limit.rank)
            ]
        )


def entries(scene: Scene) -> list[Entry]:
    """Look up the codes of every statement and denial of a person."""
    found = []
    for fact in scene.facts.coded():
        key = scene.vocabulary.get(fact.key)
        fresh = scene.fresh(fact.observed, key.validity if key else DEFAULT_VALIDITY)
        value = fact.value
        if isinstance(value, Statement) and value.status is not StatementStatus.NEVER:
            codes = CodeSet.of(scene.terms, (value.code,))
            found.append(Entry(fact, codes, fresh, statement=value))
        elif isinstance(value, Statement):
            denial = Denial((value.code,))
            found.append(Entry(fact, CodeSet.of(scene.terms, denial.codes), fresh, denial=denial))
        elif isinstance(value, Denial):
            codes = CodeSet.of(scene.terms, value.codes, value.but)
            found.append(Entry(fact, codes, fresh, denial=value))
    return found


def resolved(held: Sequence[Entry]) -> list[Entry]:
    """Make statements past where something else says that it is over.

    A current one yields only to a later word of a source as strong; "at some
    time" yields to any denial, not older, that it is so now.
    """
    return [_resolve(entry, held) for entry in held]


def _resolve(entry: Entry, held: Sequence[Entry]) -> Entry:
    statement = entry.statement
    if statement is None or statement.status not in (StatementStatus.CURRENT, StatementStatus.EVER):
        return entry
    for other in held:
        if _is_over(entry, other):
            ended = statement.ended or (other.statement.ended if other.statement else None)
            lo, hi = entry.fact.observed.lo, other.fact.observed.hi
            if statement.status is StatementStatus.EVER:
                lo = statement.onset.lo if statement.onset else None
            past = replace(statement, status=StatementStatus.PAST, ended=ended or DateRange(lo, hi))
            return replace(entry, statement=past)
    return entry


def _is_over(entry: Entry, other: Entry) -> bool:
    if not entry.codes.within(other.codes):
        return False
    denies_now = other.denial is not None and other.denial.scope is DenialScope.CURRENT
    if entry.statement is not None and entry.statement.status is StatementStatus.EVER:
        return denies_now and not other.fact.observed.before(entry.fact.observed)
    says_past = other.statement is not None and other.statement.status is StatementStatus.PAST
    strong = other.fact.source.rank <= entry.fact.source.rank
    return (says_past or denies_now) and strong and entry.fact.observed.before(other.fact.observed)


def statement_verdict(question: Question, entry: Entry) -> Kleene:
    """Judge one statement: code, status, days, dose and route must all hold of it."""
    if entry.statement is None:
        return Kleene.NOT_MET
    code = Kleene.MET if entry.codes.within(question.wanted) else Kleene.UNKNOWN
    status = _status_verdict(question.leaf.status, entry)
    return min(code, status, _days_verdict(question, entry), _detail_verdict(question, entry))


def _status_verdict(wanted: CodedStatus, entry: Entry) -> Kleene:
    status = entry.statement.status if entry.statement else StatementStatus.NEVER
    if status is StatementStatus.PLANNED or wanted is CodedStatus.PLANNED:
        if status.value != wanted.value:
            return Kleene.NOT_MET
        return _while_fresh(entry)
    if wanted is CodedStatus.EVER:
        return Kleene.MET
    if status is StatementStatus.EVER:
        return Kleene.UNKNOWN
    if wanted is CodedStatus.CURRENT:
        return _while_fresh(entry) if status is StatementStatus.CURRENT else Kleene.NOT_MET
    if status is StatementStatus.PAST:
        return Kleene.MET
    return Kleene.NOT_MET if entry.fresh is Kleene.MET else Kleene.UNKNOWN


def _while_fresh(entry: Entry) -> Kleene:
    """Judge what holds only for a time: met while fresh, unknown after."""
    return Kleene.MET if entry.fresh is Kleene.MET else Kleene.UNKNOWN


def _days_verdict(question: Question, entry: Entry) -> Kleene:
    if question.stretch is None:
        return Kleene.MET
    starts, ends = episode(entry, question.scene)
    current = entry.statement is not None and entry.statement.status is StatementStatus.CURRENT
    match question.leaf.dating:
        case Dating.ONSET:
            return question.stretch.judge_day(starts)
        case Dating.ENDED if current:
            return Kleene.NOT_MET if entry.fresh is Kleene.MET else Kleene.UNKNOWN
        case Dating.ENDED:
            return question.stretch.judge_day(ends)
        case Dating.ACTIVE:
            return question.stretch.judge(starts, ends)


def episode(entry: Entry, scene: Scene) -> tuple[DateRange, DateRange]:
    """Give the days on which a statement may have begun and ended.

    A current one goes on at least to the day of the statement, and to today
    while it is fresh. A past one without an end ended by the day of the statement.
    """
    statement, observed = entry.statement, entry.fact.observed
    onset = statement.onset if statement else None
    ended = statement.ended if statement else None
    status = statement.status if statement else StatementStatus.NEVER
    if status is StatementStatus.PLANNED:
        starts = onset or DateRange(observed.lo, None)
        return starts, ended or DateRange(starts.lo, None)
    starts = onset or DateRange(None, observed.hi)
    if ended is not None:
        return starts, ended
    if status is StatementStatus.CURRENT:
        return starts, DateRange(scene.on if entry.fresh is Kleene.MET else observed.lo, None)
    last = observed.hi if status is StatementStatus.PAST else None
    return starts, DateRange(starts.lo, None if starts.lo and last and last < starts.lo else last)


def _detail_verdict(question: Question, entry: Entry) -> Kleene:
    """Judge how long, how steadily, how much and by which way."""
    leaf, statement = question.leaf, entry.statement
    if statement is None:
        return Kleene.NOT_MET
    verdict = Kleene.MET
    if leaf.for_at_least is not None:
        unbroken = Kleene.UNKNOWN if statement.unbroken is None else truth(statement.unbroken)
        verdict = min(verdict, unbroken, lasted(statement.onset, leaf.for_at_least, question.anchor))
    if leaf.unchanged_for is not None:
        verdict = min(verdict, lasted(statement.unchanged_since, leaf.unchanged_for, question.anchor))
    if leaf.dose is not None:
        verdict = min(verdict, _dose_verdict(leaf, statement))
    if leaf.routes:
        route = statement.route
        verdict = min(verdict, Kleene.UNKNOWN if route is None else truth(route in leaf.routes))
    return verdict


def _dose_verdict(leaf: Coded, statement: Statement) -> Kleene:
    if leaf.dose is None or statement.dose is None:
        return Kleene.UNKNOWN
    numbers, unit = statement.dose.range, statement.dose.unit
    try:
        lo, hi = (
            None if end is None else convert(Fraction(end), unit, leaf.dose.unit)
            for end in (numbers.lo, numbers.hi)
        )
    except InvalidUnit:
        return Kleene.UNKNOWN
    return within_limits(lo, hi, leaf.dose)


def closures(question: Question, held: Iterable[Entry]) -> list[Entry]:
    """Collect what closes its codes for this leaf: fresh denials, "it was the last", "it is over"."""
    return [entry for entry in held if entry.fresh is Kleene.MET and _closes(question, entry)]


def _closes(question: Question, entry: Entry) -> bool:
    if entry.denial is not None:
        return _denial_closes(question, entry.denial)
    statement, status = entry.statement, question.leaf.status
    if statement is None:
        return False
    if question.stretch is not None:
        first = question.stretch.possibly[0]
        ends = episode(entry, question.scene)[1]
        return statement.last and first is not None and ends.hi is not None and ends.hi < first
    if status is not CodedStatus.CURRENT:
        return False
    if statement.status is StatementStatus.PAST:
        return True
    # The statement speaks for its own code: another dose of it is not taken beside.
    return statement.status is StatementStatus.CURRENT and _detail_verdict(question, entry) is Kleene.NOT_MET


def _denial_closes(question: Question, denial: Denial) -> bool:
    wanted = question.leaf.status
    if wanted is CodedStatus.PLANNED or denial.scope is DenialScope.PLANNED:
        return wanted.value == denial.scope.value
    if denial.since is None:
        now_only = denial.scope is DenialScope.CURRENT
        return not now_only or (wanted is CodedStatus.CURRENT and question.stretch is None)
    if question.stretch is None:
        return wanted is CodedStatus.CURRENT
    first = question.stretch.possibly[0]
    return first is not None and denial.since.hi is not None and denial.since.hi <= first
