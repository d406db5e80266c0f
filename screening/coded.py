"""The verdict of a coded leaf: one statement of which everything holds, or a closed account of none.

An affirmed code settles a leaf when all it may mean lies within the codes
asked for; one that merely overlaps ("diabetes" against "type 2") leaves it to
be refined. A leaf is not met only when denials and closures cover every code.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from screening.criteria import Coded, CodedStatus, Dating
from screening.errors import InvalidUnit
from screening.evidence import Finding, Missing, Reading, Scene, Why, absence
from screening.facts import Denial, DenialScope, EvidenceSource, Fact, Statement, StatementStatus
from screening.intervals import CalendarUnit, DateRange, Duration
from screening.limits import within_limits
from screening.terms import CodeSet
from screening.units import convert
from screening.verdict import Kleene, truth
from screening.windows import Edges, edges, lasted

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
class _Question:
    """A coded leaf on one day: its codes looked up, its window laid out."""

    leaf: Coded
    scene: Scene
    wanted: CodeSet
    stretch: Edges | None
    anchor: DateRange


def find_coded(leaf: Coded, scene: Scene, *, told: Sequence[Entry], keys: Sequence[str]) -> Finding:
    """Judge a coded leaf by what was told; `keys` are the questions that can settle it."""
    anchor = scene.anchors[leaf.window.anchor] if leaf.window else DateRange.day(scene.on)
    question = _Question(
        leaf,
        scene,
        CodeSet.of(scene.terms, leaf.codes, leaf.but),
        edges(leaf.window, anchor) if leaf.window else None,
        anchor,
    )
    held = [entry for entry in told if entry.codes.overlaps(question.wanted)]
    limit = leaf.decides_from
    strong = resolved([e for e in held if limit is None or e.fact.source.rank <= limit.rank])
    found = _judge(question, strong)
    if found.value is Kleene.MET and (against := _contradicting(question, strong, found)):
        facts = tuple(fact.id for reading in (*found.readings, *against) for fact in reading.facts)
        missing = tuple(Missing(key, Why.CONFLICT, facts) for key in _to_ask(found, keys))
        return Finding(Kleene.UNKNOWN, (*found.readings, *against), Why.CONFLICT, missing)
    if found.value is Kleene.NOT_MET and leaf.such_as:
        missing = tuple(Missing(key, Why.EXAMPLES_ONLY, found.facts) for key in keys)
        return Finding(Kleene.UNKNOWN, found.readings, Why.EXAMPLES_ONLY, missing)
    if found.value.is_settled:
        return found
    return _unknown(question, found, strong, told, keys)


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


def _judge(question: _Question, held: Sequence[Entry]) -> Finding:
    """Judge by the statements and denials given, whoever made them."""
    said = [(entry, _statement_verdict(question, entry)) for entry in held if entry.statement]
    hits = sorted(
        (entry for entry, verdict in said if verdict is Kleene.MET), key=lambda entry: entry.fact.source.rank
    )
    if hits:
        return Finding(Kleene.MET, (hits[0].reading,))
    vague = [entry for entry, verdict in said if verdict is Kleene.UNKNOWN]
    if vague:
        why = max((_vagueness(question, entry) for entry in vague), key=_URGENCY.index)
        return Finding(Kleene.UNKNOWN, tuple(entry.reading for entry in vague), why)
    closing = sorted(_closures(question, held), key=lambda entry: entry.fact.source.rank)
    left, used = question.wanted, list[Entry]()
    for entry in closing:
        if left.overlaps(entry.codes):
            left = left.minus(entry.codes)
            used.append(entry)
    verdict = Kleene.NOT_MET if left.is_empty else Kleene.UNKNOWN
    return Finding(verdict, tuple(entry.reading for entry in used))


_URGENCY: Final = (Why.STALE, Why.IMPRECISE, Why.COULD_BE_REFINED)


def _vagueness(question: _Question, entry: Entry) -> Why:
    if not entry.codes.within(question.wanted):
        return Why.COULD_BE_REFINED
    return Why.IMPRECISE if entry.fresh is Kleene.MET else Why.STALE


def _contradicting(question: _Question, held: Sequence[Entry], found: Finding) -> tuple[Reading, ...]:
    """Give what another source says by which the leaf would not be met."""
    for source in {entry.fact.source for entry in held} - {reading.source for reading in found.readings}:
        alone = _judge(question, [entry for entry in held if entry.fact.source is source])
        if alone.value is Kleene.NOT_MET:
            return alone.readings
    return ()


def _statement_verdict(question: _Question, entry: Entry) -> Kleene:
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


def _days_verdict(question: _Question, entry: Entry) -> Kleene:
    if question.stretch is None:
        return Kleene.MET
    starts, ends = _episode(entry, question.scene)
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


def _episode(entry: Entry, scene: Scene) -> tuple[DateRange, DateRange]:
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


def _detail_verdict(question: _Question, entry: Entry) -> Kleene:
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


def _closures(question: _Question, held: Iterable[Entry]) -> list[Entry]:
    """Collect what closes its codes for this leaf: fresh denials, "it was the last", "it is over"."""
    return [entry for entry in held if entry.fresh is Kleene.MET and _closes(question, entry)]


def _closes(question: _Question, entry: Entry) -> bool:
    if entry.denial is not None:
        return _denial_closes(question, entry.denial)
    statement, status = entry.statement, question.leaf.status
    if statement is None:
        return False
    if question.stretch is not None:
        first = question.stretch.possibly[0]
        ends = _episode(entry, question.scene)[1]
        return statement.last and first is not None and ends.hi is not None and ends.hi < first
    if status is not CodedStatus.CURRENT:
        return False
    if statement.status is StatementStatus.PAST:
        return True
    # The statement speaks for its own code: another dose of it is not taken beside.
    return statement.status is StatementStatus.CURRENT and _detail_verdict(question, entry) is Kleene.NOT_MET


def _denial_closes(question: _Question, denial: Denial) -> bool:
    wanted = question.leaf.status
    if wanted is CodedStatus.PLANNED or denial.scope is DenialScope.PLANNED:
        return wanted.value == denial.scope.value
    if denial.scope is DenialScope.CURRENT:
        return wanted is CodedStatus.CURRENT and question.stretch is None
    if denial.since is None:
        return True
    if question.stretch is None:
        return wanted is CodedStatus.CURRENT
    first = question.stretch.possibly[0]
    return first is not None and denial.since.hi is not None and denial.since.hi <= first


def _unknown(
    question: _Question, found: Finding, strong: Sequence[Entry], told: Sequence[Entry], keys: Sequence[str]
) -> Finding:
    """Name what would settle a leaf that is unknown."""
    if found.why is not None:
        missing = tuple(Missing(key, found.why, found.facts) for key in _to_ask(found, keys))
        return Finding(found.value, found.readings, found.why, missing)
    covered = CodeSet({})
    for entry in _closures(question, strong):
        covered = covered.union(entry.codes)
    lacking = []
    for name in keys:
        denied = question.scene.vocabulary[name].denied(question.scene.terms)
        if denied.minus(covered).overlaps(question.wanted):
            mine = [entry for entry in told if entry.fact.key == name]
            why = _lack(question.scene, name, mine, limit=question.leaf.decides_from)
            lacking.append(Missing(name, why, tuple(entry.fact.id for entry in mine)))
    near = [entry for entry in told if entry.denial and entry.codes.overlaps(question.wanted)]
    readings = found.readings or tuple(entry.reading for entry in near[-1:])
    why = lacking[0].why if lacking else Why.NOT_ASKED
    return Finding(found.value, readings, why, tuple(lacking))


def _lack(scene: Scene, name: str, mine: Sequence[Entry], *, limit: EvidenceSource | None) -> Why:
    """Say why what is held of a key does not close its codes."""
    why = absence(scene, scene.vocabulary[name], after=[entry.reading for entry in mine])
    if why is not None:
        return why
    if not mine:
        return Why.NOT_ASKED
    if limit is not None and all(entry.fact.source.rank > limit.rank for entry in mine):
        return Why.WEAKER_SOURCE
    return Why.STALE if any(entry.fresh is not Kleene.MET for entry in mine) else Why.IMPRECISE


def _to_ask(found: Finding, keys: Sequence[str]) -> Sequence[str]:
    """Name the questions to ask again: those that were answered, or those that could have been."""
    answered = tuple(dict.fromkeys(fact.key for reading in found.readings for fact in reading.facts))
    return tuple(key for key in answered if key in keys) or tuple(keys) or answered
