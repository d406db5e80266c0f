"""A database with a table of criteria, joined to the facts of one person."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import combinations, product
from typing import Final

from benchmarks import frame
from benchmarks.peers.connections import Database, Held, Row
from screening.assessment.evidence import Reading, Scene, readings_of
from screening.assessment.limits import ends_in
from screening.assessment.statements import (
    Entry,
    Question,
    closures,
    entries,
    episode,
    following,
    resolved,
    statement_verdict,
)
from screening.atoms.numbers import cuts_of, place_of
from screening.atoms.stretches import Stretch, day_numbers
from screening.atoms.table import OpenProtocols
from screening.facts import Choice, Code, Dated, Facts, Flag, Quantity, Value
from screening.intervals import CalendarUnit, DateRange, Duration, latest_start
from screening.language.criteria import Age, Attested, Coded, CodedStatus, Is, Leaf, Number, When
from screening.language.lowering import (
    AtomRef,
    Conjunction,
    Const,
    Disjunction,
    Lowered,
    LoweredProtocol,
    Negation,
    Threshold,
)
from screening.language.questions import BIRTH
from screening.language.windows import edges
from screening.terms import ICD10CM, CodeSet, Terms
from screening.verdict import Kleene
from screening.vocabulary import About, Key, Policy, Vocabulary

_TABLES: Final = {
    "leaf": "id INT PRIMARY KEY, kind TEXT, subject TEXT, lower BIGINT, upper BIGINT, mask BIGINT, "
    "fresh_from INT, status TEXT, spans INT",
    "span": "leaf INT, first TEXT, last TEXT",
    "literal": "criterion INT, clause INT, leaf INT, sign INT",
    "answer": "subject TEXT, lo BIGINT, hi BIGINT, mask BIGINT, seen INT, fresh INT",
    "said": "first TEXT, last TEXT, place INT, seen INT, follows INT, left_over INT, ever INT, now INT, "
    "start_lo INT, start_hi INT, end_lo INT, end_hi INT",
    "closed": "first TEXT, last TEXT, seen INT, ever INT, now INT",
    "verdict": "leaf INT PRIMARY KEY, value INT",
}
_JUDGE_ANSWERS: Final = """
    INSERT INTO verdict
    SELECT leaf.id, CASE
        WHEN kind = 'mask' AND answer.fresh = 0 THEN 0
        WHEN kind = 'mask' THEN CASE WHEN answer.mask & leaf.mask <> 0 THEN 1 ELSE -1 END
        WHEN kind = 'number' AND answer.seen < fresh_from THEN 0
        WHEN lo >= lower AND hi < upper THEN 1
        WHEN (hi < lower OR lo >= upper) AND (kind = 'number' OR answer.fresh = 1) THEN -1
        ELSE 0 END
    FROM leaf JOIN answer ON answer.subject = leaf.subject
"""
_JUDGE_CODES: Final = """
    INSERT INTO verdict
    WITH heard AS (
        SELECT leaf.id, place, seen, left_over, said.first >= span.first AND said.last <= span.last AS inside,
            CASE WHEN status = 'now' THEN said.now ELSE said.ever END AS whether,
            CASE WHEN lower IS NULL THEN 1
                WHEN start_lo >= upper OR end_hi < lower THEN -1
                WHEN start_hi < upper AND end_lo >= lower THEN 1 ELSE 0 END AS days
        FROM said JOIN span ON said.first < span.last AND span.first < said.last
        JOIN leaf ON leaf.id = span.leaf
    ), judged AS (
        SELECT id, place, seen, CASE
            WHEN whether = -1 OR days = -1 THEN 0
            WHEN whether = 1 AND days = 1 AND inside THEN 2
            ELSE 1 - left_over END AS best
        FROM heard
    ), spoken AS (
        SELECT id, MAX(best) AS best, MIN(CASE WHEN best = 2 THEN place END) AS hit, MAX(seen) AS latest
        FROM judged WHERE best > 0 GROUP BY id
    ), closing AS (
        SELECT leaf.id, leaf.spans, span.first, closed.seen
        FROM closed JOIN span ON closed.first <= span.first AND closed.last >= span.last
        JOIN leaf ON leaf.id = span.leaf
        WHERE CASE WHEN status = 'now' THEN closed.now ELSE closed.ever END = 1
    ), denied AS (
        SELECT closing.id
        FROM (SELECT DISTINCT place, seen FROM said WHERE follows = 1) AS implied
        JOIN spoken ON spoken.hit = implied.place AND spoken.latest <= implied.seen
        JOIN closing ON closing.id = spoken.id AND closing.seen > implied.seen
        GROUP BY closing.id, closing.spans HAVING COUNT(DISTINCT closing.first) = closing.spans
    ), shut AS (
        SELECT id FROM closing GROUP BY id, spans HAVING COUNT(DISTINCT first) = spans
    )
    SELECT id, 1 FROM spoken WHERE best = 2 AND id NOT IN (SELECT id FROM denied)
    UNION ALL SELECT id, -1 FROM shut WHERE id NOT IN (SELECT id FROM spoken)
"""
_ANSWER: Final = """
    SELECT criterion, MIN(value) FROM (
        SELECT criterion, clause, MAX(sign * COALESCE(verdict.value, 0)) AS value
        FROM literal LEFT JOIN verdict ON verdict.leaf = literal.leaf GROUP BY criterion, clause
    ) AS clauses GROUP BY criterion
"""
_PLAIN: Final = tuple(
    Coded(about=About.CONDITION, codes=(Code(ICD10CM, "*"),), status=status)
    for status in (CodedStatus.EVER, CodedStatus.CURRENT)
)
"""A leaf for each status that asks for nothing else."""


class Criteria:
    """All criteria as clauses of leaves in tables; every criterion's `passes` by two inserts and a query.

    Its cut-off days are laid out beforehand, values come converted into the
    units asked for, what fixed combinations contain is looked up for it, and
    it does not say who could settle what is unknown: all that is in its favour.
    People have one answer to a question, everything coded from one source, and
    every fact is of one day.
    """

    def __init__(
        self,
        database: Database,
        lowered: Sequence[LoweredProtocol],
        *,
        on: date,
        vocabulary: Vocabulary,
        terms: Terms,
    ) -> None:
        self._database = database
        self._on = on
        self._vocabulary = vocabulary
        self._terms = terms
        self._lenses: set[tuple[str, str]] = set()
        leaves: dict[Leaf, int] = {}
        literals = list(_literals(lowered, leaves))
        rows: list[Held] = [(number, *self._row(leaf)) for leaf, number in leaves.items()]
        spans: list[Held] = [
            (number, *place)
            for leaf, number in leaves.items()
            if isinstance(leaf, Coded)
            for place in _places(CodeSet.of(terms, leaf.codes, leaf.but))
        ]
        for name, columns in _TABLES.items():
            database.run(f"DROP TABLE IF EXISTS {name}")
            database.run(f"CREATE TEMPORARY TABLE {name} ({columns})")
        for name, held in (("leaf", rows), ("span", spans), ("literal", literals)):
            database.fill(name, held)
        database.run("CREATE INDEX leaf_subject ON leaf (subject)")
        database.run("CREATE INDEX span_first ON span (first, last)")
        database.run("CREATE INDEX literal_criterion ON literal (criterion, clause, leaf, sign)")
        database.run("ANALYZE")

    def compare(self, opened: OpenProtocols, facts: Facts) -> float:
        """Hold the answers against ours, and time them.

        :raises AssertionError: when a verdict differs
        """
        told = self._told(facts)
        found: list[Row] = []
        taken = frame.seconds(lambda: found.extend(self._judge(told)))
        standings = opened.judge(facts, on=self._on)
        passes = [one.passes.value for number in range(len(opened)) for one in standings.criteria(number)]
        wrong = [row for row in found if row[1] != passes[row[0]]]
        if wrong or len(found) != len(passes):
            raise AssertionError(f"{len(wrong)} of {len(passes)} verdicts differ: {wrong[:3]}")
        return taken

    def _judge(self, told: dict[str, list[Held]]) -> list[Row]:
        for table, rows in told.items():
            self._database.run(f"DELETE FROM {table}")  # noqa: S608 - our own names
            self._database.fill(table, rows)
        self._database.run("DELETE FROM verdict")
        for statement in (_JUDGE_ANSWERS, _JUDGE_CODES):
            self._database.run(statement)
        return self._database.run(_ANSWER)

    def _row(self, leaf: Leaf) -> Held:
        today = DateRange.day(self._on)
        match leaf:
            case Number():
                unit = leaf.limits[0].unit
                self._lenses.add((leaf.key, unit))
                lower, upper = cuts_of(leaf.limits[0]) or (0, 0)
                of = leaf.window or self._vocabulary[leaf.key].validity
                first = Stretch(of).edges(self._on).possibly[0]
                return "number", f"{leaf.key} {unit}", lower, upper, 0, first.toordinal() if first else 0, "", 0
            case Age():
                oldest, youngest = (
                    -latest_start(self._on, Duration(years, CalendarUnit.YEARS)).toordinal() if years else end
                    for years, end in ((leaf.ge, -(10**9)), (leaf.le and leaf.le + 1, 10**9))
                )
                return "day", BIRTH, oldest, youngest, 0, 0, "", 0
            case When():
                first_day, last_day = edges(leaf.window, today).surely
                lower = first_day.toordinal() if first_day else -(10**9)
                return "day", leaf.key, lower, last_day.toordinal() + 1 if last_day else 10**9, 0, 0, "", 0
            case Is() | Attested():
                codes = leaf.codes if isinstance(leaf, Is) else (str(leaf.value),)
                return "mask", leaf.key, 0, 0, _mask(self._vocabulary[leaf.key], codes), 0, "", 0
            case Coded():
                days = edges(leaf.window, today).surely if leaf.window else (None, None)
                begins, ends = (None if day is None else day.toordinal() for day in days)
                status = "now" if leaf.status is CodedStatus.CURRENT else "ever"
                count = len(_places(CodeSet.of(self._terms, leaf.codes, leaf.but)))
                return "coded", None, begins, ends and ends + 1, 0, 0, status, count
            case _:
                raise TypeError(type(leaf).__name__)

    def _told(self, facts: Facts) -> dict[str, list[Held]]:
        """Prepare a person's rows: answers with their day and freshness, statements, what closes an account."""
        scene = Scene(facts, self._on, self._vocabulary, self._terms, {})
        answers = [
            (*row, day_numbers(reading.observed)[0], int(_is_fresh(reading, key, scene)))
            for key in self._vocabulary
            for reading in readings_of(scene, key)
            for row in self._values(key, reading.value)
        ]
        said: list[Held] = []
        closed: list[Held] = []
        for number, entry in enumerate(_heard(scene)):
            questions = [
                Question(leaf, scene, entry.codes, None, DateRange.day(self._on), None) for leaf in _PLAIN
            ]
            seen_on = day_numbers(entry.fact.observed)[0]
            if entry.statement is not None:
                follows = (int(entry.through is not None), int(entry.is_left_over))
                verdicts = (int(statement_verdict(question, entry)) for question in questions)
                days = (end for range_ in episode(entry, scene) for end in day_numbers(range_))
                row = (number, seen_on, *follows, *verdicts, *days)
                said.extend((*place, *row) for place in _places(entry.codes))
            shuts = [int(bool(closures(question, [entry]))) for question in questions]
            if any(shuts):
                closed.extend((*place, seen_on, *shuts) for place in _places(entry.codes))
        return {"answer": answers, "said": said, "closed": closed}

    def _values(self, key: Key, value: Value) -> Iterator[Held]:
        match value:
            case Quantity():
                for name, unit in self._lenses:
                    ends = ends_in(value, unit, key) if name == key.name else None
                    if ends is not None:
                        yield f"{name} {unit}", place_of(ends[0], -(2**62)), place_of(ends[1], 2**62), 0
            case Dated():
                lo, hi = day_numbers(value.range)
                yield (key.name, -hi, -lo, 0) if key.name == BIRTH else (key.name, lo, hi, 0)
            case Choice(codes):
                yield key.name, 0, 0, _mask(key, sorted(codes))
            case Flag():
                yield key.name, 0, 0, _mask(key, [str(value.value)])


def _is_fresh(reading: Reading, key: Key, scene: Scene) -> bool:
    """Tell whether an answer still holds; a standing yes does not expire."""
    stands = key.policy is Policy.AFFIRMATION and reading.value == Flag(value=True)
    return stands or scene.fresh(reading.observed, key.validity) is Kleene.MET


def _heard(scene: Scene) -> list[Entry]:
    """List what a person told of codes, what is over marked as past; what combinations affirm comes last."""
    told = entries(scene)
    implied = [one for entry in told for one in following(entry, entry.contains.sure, told, scene.terms)]
    return [*resolved(told), *implied]


def _literals(lowered: Sequence[LoweredProtocol], leaves: dict[Leaf, int]) -> Iterator[Held]:
    """Write every criterion as its clauses; number the leaves as they come."""
    passes = ((one, criterion.passes) for one in lowered for criterion in one.criteria)
    for number, (one, node) in enumerate(passes):
        for clause, parts in enumerate(_clauses(node)):
            for index, sign in parts:
                yield number, clause, leaves.setdefault(one.atoms[index].leaf, len(leaves)), sign


def _clauses(node: Lowered, *, turned: bool = False) -> list[frozenset[tuple[int, int]]]:
    """Write a node as an and of ors of leaves and their opposites."""
    match node:
        case AtomRef(index):
            return [frozenset({(index, -1 if turned else 1)})]
        case Const(value):
            return [] if (value is Kleene.MET) is not turned else [frozenset()]
        case Negation(of):
            return _clauses(of, turned=not turned)
        case Threshold(count, of):
            needed = len(of) - count + 1
            groups = combinations(of, count) if turned else combinations(of, needed)
            ors = Conjunction(
                tuple(Disjunction(tuple(Negation(p) if turned else p for p in g)) for g in groups)
            )
            return _clauses(ors)
        case Conjunction(of) | Disjunction(of):
            parts = [_clauses(part, turned=turned) for part in of]
            if isinstance(node, Conjunction) is not turned:
                return [clause for part in parts for clause in part]
            return [frozenset().union(*chosen) for chosen in product(*parts)]
        case _:
            raise TypeError(type(node).__name__)


def _mask(key: Key, codes: Iterable[str]) -> int:
    known = (*key.codes, "True", "False")
    return sum(1 << known.index(code) for code in codes)


def _places(codes: CodeSet) -> list[tuple[str, str]]:
    """Give spans as texts that every collation sorts alike."""
    return [
        (f"{system} {start}".encode().hex(), f"{system} {end}".encode().hex())
        for system, spans in codes.spans.items()
        for start, end in spans
    ]
