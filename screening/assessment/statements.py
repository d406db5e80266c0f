"""Statements and denials held against a coded part: which fulfil it, which close its account.

Everything that a coded part asks for, code, status, days, dose and route, has
to hold of one and the same statement (SEMANTICS 2.5). A fixed combination is
also a statement of what it contains, as long as that is an affirmation: who
takes Janumet takes metformin, and who stopped it may take metformin still.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from screening.assessment.evidence import Reading, Scene
from screening.assessment.limits import within_limits
from screening.combinations import component_statements
from screening.errors import InvalidUnit
from screening.facts import Code, Denial, DenialScope, EvidenceSource, Fact, Statement, StatementStatus
from screening.intervals import CalendarUnit, DateRange, Duration
from screening.language.criteria import Coded, CodedStatus, Dating
from screening.language.windows import Edges, edges, lasted
from screening.terms import NO_COMPONENTS, CodeSet, Components, Terms
from screening.units import convert
from screening.verdict import Kleene, truth

DEFAULT_VALIDITY: Final = Duration(12, CalendarUnit.MONTHS)
"""How long a coded fact holds whose key the vocabulary does not know."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A coded fact with its codes looked up: either a statement or a denial.

    `contains` is what a statement's code contains besides itself. An entry that
    only follows from such a statement has that statement in `through`.
    """

    fact: Fact
    codes: CodeSet
    fresh: Kleene
    statement: Statement | None = None
    denial: Denial | None = None
    contains: Components = NO_COMPONENTS
    through: Statement | None = None

    @property
    def reading(self) -> Reading:
        """The entry as a reading, for telling what a verdict rests on."""
        value = self.statement or self.denial
        if value is None:
            raise ValueError("an entry holds a statement or a denial")
        return Reading(value, self.fact.observed, self.fact.source, (self.fact,), self.through)

    @property
    def is_left_over(self) -> bool:
        """Whether it follows only from a combination that is over: what it leaves unknown, nobody affirmed."""
        return self.through is not None and self.through.status is StatementStatus.PAST


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
        """Take what was told about the codes by sources that may decide, what is over marked as past.

        What combinations affirm of the codes comes last.
        """
        limit = self.decides_from
        heard = [entry for entry in told if limit is None or entry.fact.source.rank <= limit.rank]
        near = [entry for entry in heard if entry.codes.overlaps(self.wanted)]
        combined = [entry for entry in heard if entry.contains.sure]
        return [*resolved(near), *(one for entry in combined for one in implied(entry, heard, self))]


def entries(scene: Scene) -> list[Entry]:
    """Look up the codes of every statement and denial of a person."""
    found = []
    for fact in scene.facts.coded():
        key = scene.vocabulary.get(fact.key)
        fresh = scene.fresh(fact.observed, key.validity if key else DEFAULT_VALIDITY)
        value = fact.value
        if isinstance(value, Statement) and value.status is not StatementStatus.NEVER:
            codes, contains = CodeSet.of(scene.terms, (value.code,)), scene.terms.components(value.code)
            found.append(Entry(fact, codes, fresh, statement=value, contains=contains))
        elif isinstance(value, Statement):
            denial = Denial((value.code,))
            found.append(Entry(fact, CodeSet.of(scene.terms, denial.codes), fresh, denial=denial))
        elif isinstance(value, Denial):
            codes = denied_codes(scene.terms, value.codes, value.but)
            found.append(Entry(fact, codes, fresh, denial=value))
    return found


def denied_codes(terms: Terms, codes: Iterable[Code], but: Iterable[Code]) -> CodeSet:
    """Give what a denial denies: its codes less the spared ones, and less what those may contain.

    Who takes "nothing but Janumet" has not said that it goes without metformin.
    """
    whole, spared = CodeSet.of(terms, codes), tuple(but)
    inside = [
        part
        for code in spared
        if (contains := terms.components(code)).possible and CodeSet.of(terms, (code,)).overlaps(whole)
        for part in contains.possible
    ]
    return whole.minus(CodeSet.of(terms, (*spared, *inside))) if spared else whole


def implied(entry: Entry, heard: Sequence[Entry], question: Question) -> Iterator[Entry]:
    """Make the entries that follow from a combination for the codes of a question.

    Whether the combination itself is over is settled first. They affirm and
    do nothing else: they end no other statement, close no codes, deny nothing.
    """
    terms = question.scene.terms
    near = [code for code in entry.contains.sure if CodeSet.of(terms, (code,)).overlaps(question.wanted)]
    if near:
        yield from following(entry, near, heard, terms)


def following(entry: Entry, parts: Iterable[Code], heard: Sequence[Entry], terms: Terms) -> Iterator[Entry]:
    """Make the entries of some components of a combination, as they stand beside all that was heard."""
    stated = _resolve(entry, heard).statement
    for said in component_statements(stated, parts) if stated else ():
        codes, contains = CodeSet.of(terms, (said.code,)), terms.components(said.code)
        one = replace(entry, statement=said, codes=codes, contains=contains, through=stated)
        yield _standing(one, heard)


def _standing(entry: Entry, heard: Sequence[Entry]) -> Entry:
    """Mark what follows from a combination as past, where it is surely over.

    A later denial of a component stands against the combination and does not
    end it, unless the word on the combination has expired.
    """
    if entry.statement is None or entry.statement.status is StatementStatus.EVER:
        return _resolve(entry, heard)
    if entry.fresh is not Kleene.NOT_MET:
        return entry
    return _resolve(entry, [other for other in heard if speaks_against(other, entry.fact.observed)])


def speaks_against(other: Entry, stated: DateRange) -> bool:
    """Tell whether something may mean a combination too that was stated on a day.

    A denial may. The end of its component alone may if it was said later, and
    not of a time before: people change from metformin to Janumet.
    """
    if other.statement is None or other.statement.status is not StatementStatus.PAST:
        return True
    ended = other.statement.ended
    earlier = ended is not None and not other.statement.last and ended.before(stated)
    return not earlier and stated.before(other.fact.observed)


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
            past = replace(statement, status=StatementStatus.PAST, ended=ended or _over_by(entry, other))
            return replace(entry, statement=past)
    return entry


def _over_by(entry: Entry, other: Entry) -> DateRange:
    """Give the days on which a statement may have ended.

    What is said to have begun after the word that it is over may have ended at any time before.
    """
    lo, hi = entry.fact.observed.lo, other.fact.observed.hi
    if entry.statement is not None and entry.statement.status is StatementStatus.EVER:
        lo = entry.statement.onset.lo if entry.statement.onset else None
    return DateRange(None if lo and hi and hi < lo else lo, hi)


def _is_over(entry: Entry, other: Entry) -> bool:
    denies_now = other.denial is not None and other.denial.scope is DenialScope.CURRENT
    says_past = other.statement is not None and other.statement.status is StatementStatus.PAST
    if not (denies_now or says_past) or not entry.codes.within(other.codes):
        return False
    if entry.statement is not None and entry.statement.status is StatementStatus.EVER:
        return denies_now and not other.fact.observed.before(entry.fact.observed)
    strong = other.fact.source.rank <= entry.fact.source.rank
    return strong and entry.fact.observed.before(other.fact.observed)


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
    if statement is None or entry.through is not None:
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
