"""One person against all open studies: every criterion's verdict, beside the interpreter and SQL."""

from __future__ import annotations

import gc
import os
import random
import sqlite3
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from itertools import combinations, product
from typing import Protocol as Protocol_
from uuid import UUID

import psycopg

from benchmarks import frame
from screening.assessment.assess import assess_lowered, is_open
from screening.assessment.evidence import Scene
from screening.assessment.leaves import find_leaves
from screening.assessment.limits import ends_in
from screening.assessment.statements import Question, closures, entries, episode, resolved, statement_verdict
from screening.atoms.numbers import cuts_of, place_of
from screening.atoms.stretches import Stretch, day_numbers
from screening.atoms.table import OpenProtocols
from screening.atoms.views import View, look
from screening.combinations import packaged_terms
from screening.facts import (
    Choice,
    Code,
    Dated,
    EvidenceSource,
    Fact,
    Facts,
    Flag,
    Quantity,
    Statement,
    StatementStatus,
    Value,
)
from screening.intervals import CalendarUnit, DateRange, DecimalRange, Duration, latest_start
from screening.language.criteria import (
    Age,
    AnyOf,
    AtLeast,
    Attested,
    Coded,
    CodedStatus,
    IfThen,
    Is,
    Leaf,
    Limits,
    Node,
    Number,
    When,
    Window,
)
from screening.language.lowering import (
    AtomRef,
    Conjunction,
    Const,
    Disjunction,
    Lowered,
    LoweredProtocol,
    Negation,
    Threshold,
    lower,
    value_of,
)
from screening.language.protocol import Criterion, CriterionKind, Protocol
from screening.language.questions import BIRTH, Resolver
from screening.language.windows import edges
from screening.terms import ATC, ICD10CM, CodeSet
from screening.verdict import Kleene
from screening.vocabulary import About, Key, KeyKind, packaged_vocabulary

TODAY = date(2026, 11, 22)
VOCABULARY = packaged_vocabulary()
TERMS = packaged_terms()

# key, unit of the limits, from, to, steps between
MEASURES = (
    ("hba1c", "%", 5, 12, 70),
    ("hba1c", "mmol/mol", 40, 100, 60),
    ("fasting_glucose", "mg/dL", 70, 300, 46),
    ("creatinine", "mg/dL", 0.5, 3, 25),
    ("egfr", "mL/min/{1.73_m2}", 15, 90, 15),
    ("alt", "U/L", 20, 300, 28),
    ("ast", "U/L", 20, 300, 28),
    ("alt", "[ULN]", 1, 5, 8),
    ("bilirubin", "mg/dL", 0.5, 3, 25),
    ("hemoglobin", "g/dL", 7, 17, 100),
    ("platelets", "10*9/L", 50, 450, 40),
    ("neutrophils", "10*9/L", 0.5, 8, 15),
    ("ldl", "mg/dL", 50, 250, 40),
    ("triglycerides", "mg/dL", 100, 600, 50),
    ("tsh", "m[IU]/L", 0.2, 10, 49),
    ("systolic_bp", "mm[Hg]", 80, 200, 24),
    ("diastolic_bp", "mm[Hg]", 50, 120, 14),
    ("qtc", "ms", 400, 500, 20),
    ("ejection_fraction", "%", 20, 60, 40),
    ("bmi", "kg/m2", 15, 50, 70),
    ("weight", "kg", 40, 160, 24),
    ("phq9_total", "{score}", 0, 27, 27),
    ("mmse_total", "{score}", 10, 30, 20),
    ("migraine_days", "{days}/mo", 0, 28, 28),
    ("pain_score", "{score}", 0, 10, 10),
    ("drinks_a_week", "{drinks}/wk", 0, 28, 28),
    ("uacr", "mg/g", 10, 3000, 60),
)
HEIGHT = ("height", "cm", 150, 200, 50)
MEASURED = tuple(
    dict.fromkeys(key for key, *_ in (*MEASURES, HEIGHT) if VOCABULARY[key].computed is None)
)  # what is computed is computed: from height and weight, from creatinine, age and sex
LENGTHS = (
    "7 days", "14 days", "28 days", "30 days", "60 days", "90 days", "4 weeks", "8 weeks", "12 weeks",
    "1 month", "2 months", "3 months", "6 months", "12 months", "2 years", "5 years", "10 years",
)  # fmt: skip
CATEGORIES = tuple(f"{letter}{number:02d}" for letter in "ABCDEFGHIJKLMN" for number in range(0, 100, 3))
ACTIVES = tuple(
    f"{group}{first}{letter}{second}{active:02d}"
    for group in ("A10", "B01", "C07", "C09", "C10", "H02", "L01", "L04", "M01", "N02", "N05", "N06", "R03")
    for first in "AB"
    for letter in "ABC"
    for second in ("A", "B")
    for active in range(1, 12, 3)
)  # fmt: skip
FLAGS = tuple(key.name for key in VOCABULARY if key.kind is KeyKind.FLAG)
DATES = ("last_study_drug", "last_blood_donation", "last_vaccination")
CHOICES = tuple(key for key in VOCABULARY if key.kind is KeyKind.CHOICE and len(key.choices) <= 12)


def main() -> None:
    """Measure and report."""
    options = frame.options("How fast one person is judged against all open studies, with every verdict.")
    report = frame.Report("one")
    chance = random.Random(20261122)  # noqa: S311 - made-up studies and people, the same in every run
    sizes = (50, 500) if options.quick else (50, 500, 5000)
    lowered = list(protocols(chance, sizes[-1]))
    people = [person(chance) for _ in range(50 if options.quick else 200)]
    gc.collect()
    gc.freeze()
    with connections() as databases:
        for size in sizes:
            measure(report, lowered[:size], people, databases, quick=options.quick)
    report.at_most("p99_ms@5000", 2)
    report.at_least("x_interpreter@5000", 80)
    report.at_least("x_sql@5000", 100)
    report.at_most("compile_ms@5000", 1000)
    report.at_most("add_ms@5000", 5)
    report.at_most("remove_ms@5000", 5)
    report.finish(options, libraries=("numpy", "psycopg"))


def measure(
    report: frame.Report,
    lowered: Sequence[LoweredProtocol],
    people: Sequence[Facts],
    databases: Mapping[str, Database],
    *,
    quick: bool,
) -> None:
    """Measure one number of protocols; answers are compared before anything is timed."""
    size = len(lowered)
    report.figure(f"compile_ms@{size}", 1000 * frame.median_seconds(lambda: compiled(lowered), repeats=3))
    opened = compiled(lowered)
    compared = people[: 1 if size > 1000 else 3]
    interpreter = statistics.median(compare(opened, lowered, one) for one in compared)
    seconds = judging_seconds(opened, people, rounds=2 if quick else 5)
    report.figure(f"p50_ms@{size}", 1000 * statistics.median(seconds))
    report.figure(f"p99_ms@{size}", 1000 * statistics.quantiles(seconds, n=100)[-1])
    asked = statistics.mean(opened.judge(one, on=TODAY).asked for one in people)
    report.figure(f"asked_of_interpreter@{size}", asked)
    report.figure(f"atoms@{size}", opened.atoms)
    for name, change in (("add", added), ("remove", removed)):
        report.figure(f"{name}_ms@{size}", 1000 * statistics.median(change(opened, lowered)))
    report.peer(f"interpreter_ms@{size}", 1000 * interpreter)
    report.figure(f"x_interpreter@{size}", interpreter / statistics.median(seconds))
    peers = []
    for name, database in databases.items():
        peer = Criteria(database, lowered)
        peers.append(statistics.median(peer.compare(opened, one) for one in people[: 3 if size > 1000 else 10]))
        report.peer(f"{name}_ms@{size}", 1000 * peers[-1])
    report.figure(f"x_sql@{size}", min(peers) / statistics.median(seconds))


def compiled(lowered: Sequence[LoweredProtocol]) -> OpenProtocols:
    """Make all protocols ready."""
    opened = OpenProtocols(vocabulary=VOCABULARY, terms=TERMS)
    for number, one in enumerate(lowered):
        opened.add(number, one)
    return opened


def judging_seconds(opened: OpenProtocols, people: Sequence[Facts], *, rounds: int) -> list[float]:
    """Time one call for each person, several times over."""
    opened.judge(people[0], on=TODAY)
    return [frame.seconds(partial(opened.judge, one, on=TODAY)) for _ in range(rounds) for one in people]


def added(opened: OpenProtocols, lowered: Sequence[LoweredProtocol]) -> list[float]:
    """Time taking protocols in that were taken out before, with a call after it that finds all in order."""

    def change(number: int) -> None:
        opened.add(number, lowered[number])
        opened.judge(Facts(), on=TODAY)

    times = []
    for number in range(0, len(lowered), max(1, len(lowered) // 20)):
        opened.remove(number)
        opened.judge(Facts(), on=TODAY)
        times.append(frame.seconds(partial(change, number)))
    return times


def removed(opened: OpenProtocols, lowered: Sequence[LoweredProtocol]) -> list[float]:
    """Time taking protocols out, with a call after it; they are taken in again."""

    def change(number: int) -> None:
        opened.remove(number)
        opened.judge(Facts(), on=TODAY)

    times = []
    for number in range(0, len(lowered), max(1, len(lowered) // 20)):
        times.append(frame.seconds(partial(change, number)))
        opened.add(number, lowered[number])
    return times


def compare(opened: OpenProtocols, lowered: Sequence[LoweredProtocol], facts: Facts) -> float:
    """Hold every verdict against the interpreter's, and time what it takes without writing reasons.

    :raises AssertionError: when a verdict differs
    """
    standings = opened.judge(facts, on=TODAY)
    for number, one in enumerate(lowered):
        told = assess_lowered(one, facts, on=TODAY, vocabulary=VOCABULARY, terms=TERMS)
        expected = [(verdict.applies, verdict.passes, verdict.is_open) for verdict in told.verdicts]
        found = [(verdict.applies, verdict.passes, verdict.is_open) for verdict in standings.criteria(number)]
        if found != expected or standings.disposition(number) is not told.disposition:
            raise AssertionError(f"protocol {number}: {found} is not {expected}")
    return frame.seconds(lambda: interpret(lowered, facts))


def interpret(lowered: Sequence[LoweredProtocol], facts: Facts) -> list[tuple[Kleene, ...]]:
    """Work out the same with the interpreter: each leaf, then what a criterion is, at best and at worst too."""
    verdicts: list[tuple[Kleene, ...]] = []
    for one in lowered:
        scene = Scene(facts, TODAY, VOCABULARY, TERMS, one.protocol.anchor_days(TODAY))
        findings = find_leaves(one.atoms, scene)
        values = [finding.value for finding in findings]
        can = [is_open(atom, finding, VOCABULARY) for atom, finding in zip(one.atoms, findings, strict=True)]
        verdicts.extend(
            (
                value_of(criterion.part.applies, values),
                value_of(criterion.passes, values),
                value_of(criterion.passes, values, open_atoms=can, favour=Kleene.MET),
                value_of(criterion.passes, values, open_atoms=can, favour=Kleene.NOT_MET),
            )
            for criterion in one.criteria
        )
    return verdicts


@dataclass(frozen=True, slots=True)
class _Cached(Resolver):
    """Looks a leaf's keys up once: making the input is not what is measured."""

    def keys(self, leaf: Leaf) -> tuple[Key, ...]:
        """Give the keys to ask."""
        return _keys(leaf)


@cache
def _keys(leaf: Leaf) -> tuple[Key, ...]:
    return Resolver(VOCABULARY, TERMS).keys(leaf)


def protocols(chance: random.Random, count: int) -> Iterator[LoweredProtocol]:
    """Make protocols of about 20 criteria each."""
    resolver = _Cached(VOCABULARY, TERMS)
    for _ in range(count):
        number = chance.randint(14, 26)
        criteria = (Criterion(id="age", kind=CriterionKind.INCLUSION, text="age", rule=_age(chance)), *(
            Criterion(
                id=f"c{place}",
                kind=chance.choice((CriterionKind.INCLUSION, CriterionKind.EXCLUSION, CriterionKind.EXCLUSION)),
                text="as written",
                rule=_rule(chance),
            )
            for place in range(1, number)
        ))  # fmt: skip
        yield lower(Protocol(criteria=criteria), resolver=resolver)


def _rule(chance: random.Random) -> Node:
    sort = chance.random()
    if sort < 0.20:
        return IfThen(when=_condition(chance), then=_leaf(chance))
    if sort < 0.30:
        return AnyOf(of=tuple(_leaf(chance) for _ in range(chance.randint(2, 4))))
    if sort < 0.33:
        return AtLeast(count=2, of=tuple(_leaf(chance) for _ in range(chance.randint(3, 4))))
    return _leaf(chance)


def _condition(chance: random.Random) -> Node:
    return chance.choice((_is, _attested, _age, _coded))(chance)


def _leaf(chance: random.Random) -> Node:
    makers, weights = (_number, _coded, _attested, _is, _when, _age), (35, 42, 10, 4, 6, 3)
    return chance.choices(makers, weights)[0](chance)


def _number(chance: random.Random) -> Node:
    key, unit, low, high, steps = chance.choice(MEASURES)
    step = (Decimal(str(high)) - Decimal(str(low))) / steps
    first, second = sorted(chance.sample(range(steps + 1), 2))
    ends = [_tidy(Decimal(str(low)) + step * place) for place in (first, second)]
    sort = chance.choice(("ge", "gt", "le", "lt", "range"))
    given = {"ge": ends[0], "le": ends[1]} if sort == "range" else {sort: chance.choice(ends)}
    window = _window(chance, ("within",)) if chance.random() < 0.1 else None
    return Number(key=key, limits=(Limits.model_validate({"unit": unit, **given}),), window=window)


def _tidy(number: Decimal) -> Decimal:
    return round(number, 2).normalize() + Decimal(0)


def _age(chance: random.Random) -> Node:
    low = chance.choice((12, 18, 18, 18, 18, 21, 30, 40, 50, 55))
    return Age(ge=low, le=chance.choice((None, 60, 65, 70, 75, 80, 85, 90)))


def _attested(chance: random.Random) -> Node:
    return Attested(key=chance.choice(FLAGS), value=chance.random() < 0.6)


def _is(chance: random.Random) -> Node:
    key = chance.choice(CHOICES)
    return Is(key=key.name, codes=tuple(chance.sample(key.codes, chance.randint(1, min(2, len(key.codes))))))


def _when(chance: random.Random) -> Node:
    return When(key=chance.choice(DATES), window=_window(chance, ("within", "at_least")))


def _window(chance: random.Random, forms: Sequence[str]) -> Window:
    return Window.model_validate({"form": chance.choice(forms), "length": chance.choice(LENGTHS)})


def _coded(chance: random.Random) -> Node:
    if chance.random() < 0.35:
        about, roots = About.MEDICINE, _common(chance, ACTIVES, chance.choice((1, 1, 2, 3)))
        codes = [Code(ATC, root[: chance.choice((3, 4, 5, 5, 7, 7))]) for root in roots]
    else:
        about, roots = About.CONDITION, _common(chance, CATEGORIES, chance.choice((1, 1, 1, 1, 2, 3)))
        codes = [Code(ICD10CM, _narrowed(chance, root)) for root in roots]
    status = chance.choice(("ever", "ever", "ever", "current", "current"))
    window = _window(chance, ("within",)) if chance.random() < 0.25 and status == "ever" else None
    unlike = tuple(dict.fromkeys(codes))
    return Coded.model_validate({"about": about, "codes": unlike, "status": status, "window": window})


def _common(chance: random.Random, among: Sequence[str], count: int) -> list[str]:
    """Choose some, the first of a list much more often than its last: studies ask for the same things."""
    return [among[int(len(among) * chance.random() ** 2.5)] for _ in range(count)]


def _narrowed(chance: random.Random, category: str) -> str:
    sort = chance.random()
    if sort < 0.15:
        return f"{category[0]}00-{category[0]}99"
    return f"{category}.{chance.choice((0, 1, 9))}" if sort > 0.8 else category


def person(chance: random.Random) -> Facts:
    """Make somebody of whom 30 to 70 % is known: measured or told once each, coded facts from one source."""
    share = chance.uniform(0.3, 0.7)
    facts = list(_answers(chance, share))
    source = chance.choice((EvidenceSource.PARTICIPANT_ONLINE, EvidenceSource.RECORD))
    for _ in range(chance.randint(1, 10)):
        code = _known_code(chance)
        key = "medicine.any" if code.system == ATC else "condition.any"
        facts.append(_fact(chance, key, _statement(chance, code), source))
    for asked in VOCABULARY:
        if asked.kind is KeyKind.CODED and chance.random() < share / 2:
            facts.append(_fact(chance, asked.name, asked.denial(), source))
    return Facts(facts)


def _answers(chance: random.Random, share: float) -> Iterator[Fact]:
    participant = EvidenceSource.PARTICIPANT_ONLINE
    if chance.random() < 0.9:
        born = date(1935, 1, 1) + timedelta(days=chance.randint(0, 27_000))
        yield _fact(chance, "birth", Dated(DateRange.month(born.year, born.month)), participant)
    for name in MEASURED:
        if chance.random() < share:
            yield _fact(chance, name, *_measurement(chance, name))
    for name in FLAGS:
        if chance.random() < share:
            yield _fact(chance, name, Flag(chance.random() < 0.3), participant)
    for choice in CHOICES:
        if chance.random() < share:
            yield _fact(chance, choice.name, Choice.of(chance.choice(choice.codes)), participant)
    for name in DATES:
        if chance.random() < share:
            day = TODAY - timedelta(days=chance.randint(0, 2000))
            yield _fact(chance, name, Dated(DateRange.month(day.year, day.month)), participant)


def _measurement(chance: random.Random, name: str) -> tuple[Value, EvidenceSource]:
    _, unit, low, high, _ = chance.choice([measure for measure in (*MEASURES, HEIGHT) if measure[0] == name])
    key = VOCABULARY[name]
    number = round(Decimal(str(chance.uniform(low, high))), 1)
    unit = key.unit or unit if unit == "[ULN]" else unit
    if chance.random() < 0.4:
        return Quantity(DecimalRange.reported(number), unit), EvidenceSource.PARTICIPANT_ONLINE
    reference = DecimalRange(None, Decimal(40)) if chance.random() < 0.7 else None
    return Quantity(DecimalRange.point(number), unit, reference), EvidenceSource.LABORATORY


def _known_code(chance: random.Random) -> Code:
    if chance.random() < 0.35:
        return Code(ATC, _common(chance, ACTIVES, 1)[0][: chance.choice((5, 7, 7, 7))])
    return Code(ICD10CM, _narrowed(chance, *_common(chance, CATEGORIES, 1)).partition("-")[0])


def _statement(chance: random.Random, code: Code) -> Statement:
    onset = TODAY - timedelta(days=chance.randint(0, 4000))
    return Statement(
        code,
        chance.choice((StatementStatus.CURRENT, StatementStatus.CURRENT, StatementStatus.EVER)),
        onset=DateRange.month(onset.year, onset.month) if chance.random() < 0.7 else None,
    )


def _fact(chance: random.Random, key: str, value: Value, source: EvidenceSource) -> Fact:
    observed = TODAY - timedelta(days=int(chance.random() ** 3 * 400))
    return Fact(
        id=UUID(int=chance.getrandbits(128)),
        key=key,
        value=value,
        raw="",
        observed=DateRange.day(observed),
        recorded_at=datetime(2026, 11, 1, tzinfo=UTC) + timedelta(seconds=chance.randint(0, 10**6)),
        source=source,
    )


# The peer: a table of criteria, joined to the facts.

Row = tuple[int | str | None, ...]


class Database(Protocol_):
    """As much of a database as the peer needs."""

    def run(self, statement: str) -> list[Row]:
        """Run one statement and give its rows."""

    def fill(self, table: str, rows: Sequence[Row]) -> None:
        """Put rows into a table."""


class SQLite:
    """SQLite in memory."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None)

    def run(self, statement: str) -> list[Row]:
        """Run one statement and give its rows."""
        return self._connection.execute(statement).fetchall()

    def fill(self, table: str, rows: Sequence[Row]) -> None:
        """Put rows into a table."""
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            self._connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - our own names


class PostgreSQL:
    """The server that `TEST_DATABASE_URL` names; temporary tables only."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(
            url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True
        )

    def run(self, statement: str) -> list[Row]:
        """Run one statement and give its rows."""
        cursor = self._connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []

    def fill(self, table: str, rows: Sequence[Row]) -> None:
        """Put rows into a table."""
        with self._connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(row)


@contextmanager
def connections() -> Iterator[dict[str, Database]]:
    """Give the databases that can be reached."""
    url = os.environ.get("TEST_DATABASE_URL", "")
    yield {"sqlite": SQLite()} | ({"postgresql": PostgreSQL(url)} if url.startswith("postgresql") else {})


_TABLES = {
    "leaf": "id INT PRIMARY KEY, kind TEXT, subject TEXT, lower BIGINT, upper BIGINT, mask BIGINT, "
    "fresh_from INT, status TEXT, spans INT",
    "span": "leaf INT, first TEXT, last TEXT",
    "literal": "criterion INT, clause INT, leaf INT, sign INT",
    "answer": "subject TEXT, lo BIGINT, hi BIGINT, mask BIGINT, seen INT, fresh INT",
    "said": "first TEXT, last TEXT, ever INT, now INT, start_lo INT, start_hi INT, end_lo INT, end_hi INT",
    "closed": "first TEXT, last TEXT, ever INT, now INT",
    "verdict": "leaf INT PRIMARY KEY, value INT",
}
_JUDGE = (
    """
    INSERT INTO verdict
    SELECT leaf.id, CASE
        WHEN kind = 'mask' AND answer.fresh = 0 THEN 0
        WHEN kind = 'mask' THEN CASE WHEN answer.mask & leaf.mask <> 0 THEN 1 ELSE -1 END
        WHEN kind = 'number' AND answer.seen < fresh_from THEN 0
        WHEN lo >= lower AND hi < upper THEN 1
        WHEN (hi < lower OR lo >= upper) AND (kind = 'number' OR answer.fresh = 1) THEN -1
        ELSE 0 END
    FROM leaf JOIN answer ON answer.subject = leaf.subject
    """,
    """
    INSERT INTO verdict
    WITH heard AS (
        SELECT leaf.id, said.first >= span.first AND said.last <= span.last AS inside,
            CASE WHEN status = 'now' THEN said.now ELSE said.ever END AS whether,
            CASE WHEN lower IS NULL THEN 1
                WHEN start_lo >= upper OR end_hi < lower THEN -1
                WHEN start_hi < upper AND end_lo >= lower THEN 1 ELSE 0 END AS days
        FROM said JOIN span ON said.first < span.last AND span.first < said.last
        JOIN leaf ON leaf.id = span.leaf
    ), spoken AS (
        SELECT id, MAX(CASE
            WHEN whether = -1 OR days = -1 THEN 0
            WHEN whether = 1 AND days = 1 AND inside THEN 2 ELSE 1 END) AS best
        FROM heard GROUP BY id
    ), shut AS (
        SELECT leaf.id FROM closed JOIN span ON closed.first <= span.first AND closed.last >= span.last
        JOIN leaf ON leaf.id = span.leaf
        WHERE CASE WHEN status = 'now' THEN closed.now ELSE closed.ever END = 1
        GROUP BY leaf.id, leaf.spans HAVING COUNT(DISTINCT span.first) = leaf.spans
    )
    SELECT id, CASE best WHEN 2 THEN 1 ELSE 0 END FROM spoken WHERE best > 0
    UNION ALL SELECT id, -1 FROM shut WHERE id NOT IN (SELECT id FROM spoken WHERE best > 0)
    """,
)
_ANSWER = """
    SELECT criterion, MIN(value) FROM (
        SELECT criterion, clause, MAX(sign * COALESCE(verdict.value, 0)) AS value
        FROM literal LEFT JOIN verdict ON verdict.leaf = literal.leaf GROUP BY criterion, clause
    ) AS clauses GROUP BY criterion
"""


class Criteria:
    """All criteria as clauses of leaves in tables; every criterion's `passes` by two inserts and a query.

    Its cut-off days are laid out beforehand, values come converted into the
    units asked for, and it does not say who could settle what is unknown: all
    that is in its favour. People have each answer from one source.
    """

    def __init__(self, database: Database, lowered: Sequence[LoweredProtocol]) -> None:
        self._database = database
        self._lenses: set[tuple[str, str]] = set()
        leaves: dict[Leaf, int] = {}
        literals: list[Row] = []
        self._count = 0
        for one in lowered:
            for criterion in one.criteria:
                for clause, parts in enumerate(clauses(criterion.passes)):
                    for index, sign in parts:
                        leaf = leaves.setdefault(one.atoms[index].leaf, len(leaves))
                        literals.append((self._count, clause, leaf, sign))
                self._count += 1
        rows: list[Row] = [(number, *self._row(leaf)) for leaf, number in leaves.items()]
        spans: list[Row] = [
            (number, *place)
            for leaf, number in leaves.items()
            if isinstance(leaf, Coded)
            for place in _places(CodeSet.of(TERMS, leaf.codes, leaf.but))
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
        answers, said, closed = self._told(facts)
        found: list[Row] = []
        taken = frame.seconds(lambda: found.extend(self._judge(answers, said, closed)))
        standings = opened.judge(facts, on=TODAY)
        passes = [one.passes.value for number in range(len(opened)) for one in standings.criteria(number)]
        wrong = [row for row in found if row[1] != passes[int(row[0] or 0)]]
        if wrong or len(found) != len(passes):
            raise AssertionError(f"{len(wrong)} of {len(passes)} verdicts differ: {wrong[:3]}")
        return taken

    def _judge(self, answers: Sequence[Row], said: Sequence[Row], closed: Sequence[Row]) -> list[Row]:
        for table, rows in (("answer", answers), ("said", said), ("closed", closed)):
            self._database.run(f"DELETE FROM {table}")  # noqa: S608 - our own names
            self._database.fill(table, rows)
        self._database.run("DELETE FROM verdict")
        for statement in _JUDGE:
            self._database.run(statement)
        return self._database.run(_ANSWER)

    def _row(self, leaf: Leaf) -> Row:
        match leaf:
            case Number():
                unit = leaf.limits[0].unit
                self._lenses.add((leaf.key, unit))
                lower, upper = cuts_of(leaf.limits[0]) or (0, 0)
                of = leaf.window or VOCABULARY[leaf.key].validity
                first = Stretch(of).edges(TODAY).possibly[0]
                return "number", f"{leaf.key} {unit}", lower, upper, 0, first.toordinal() if first else 0, "", 0
            case Age():
                oldest, youngest = (
                    -latest_start(TODAY, Duration(years, CalendarUnit.YEARS)).toordinal() if years else end
                    for years, end in ((leaf.ge, -(10**9)), (leaf.le and leaf.le + 1, 10**9))
                )
                return "day", BIRTH, oldest, youngest, 0, 0, "", 0
            case When():
                first_day, last_day = edges(leaf.window, DateRange.day(TODAY)).surely
                lower = first_day.toordinal() if first_day else -(10**9)
                return "day", leaf.key, lower, last_day.toordinal() + 1 if last_day else 10**9, 0, 0, "", 0
            case Is() | Attested():
                return "mask", leaf.key, 0, 0, _mask(leaf.key, _codes_of(leaf)), 0, "", 0
            case Coded():
                days = edges(leaf.window, DateRange.day(TODAY)).surely if leaf.window else (None, None)
                begins, ends = (None if day is None else day.toordinal() for day in days)
                status = "now" if leaf.status is CodedStatus.CURRENT else "ever"
                count = len(_places(CodeSet.of(TERMS, leaf.codes, leaf.but)))
                return "coded", None, begins, ends and ends + 1, 0, 0, status, count
            case _:
                raise TypeError(type(leaf).__name__)

    def _told(self, facts: Facts) -> tuple[list[Row], list[Row], list[Row]]:
        """Prepare a person's rows: answers with their day and freshness, statements, what closes an account."""
        scene = Scene(facts, TODAY, VOCABULARY, TERMS, {})
        answers: list[Row] = []
        for key in VOCABULARY:
            seen = look(View(0, key, None, frozenset()), scene)
            if seen.reading is not None and seen.reading.observed.lo is not None:
                day, fresh = seen.reading.observed.lo.toordinal(), int(seen.fresh is Kleene.MET)
                answers.extend((*row, day, fresh) for row in self._values(key, seen.reading.value))
        said: list[Row] = []
        closed: list[Row] = []
        for entry in resolved(entries(scene)):
            today = DateRange.day(TODAY)
            ever, now = (Question(leaf, scene, entry.codes, None, today, None) for leaf in _PLAIN)
            if entry.statement is not None:
                verdicts = (int(statement_verdict(ever, entry)), int(statement_verdict(now, entry)))
                days = tuple(number for end in episode(entry, scene) for number in day_numbers(end))
                said.extend((*place, *verdicts, *days) for place in _places(entry.codes))
            shuts = (int(bool(closures(ever, [entry]))), int(bool(closures(now, [entry]))))
            closed.extend((*place, *shuts) for place in _places(entry.codes))
        return answers, said, closed

    def _values(self, key: Key, value: Value) -> Iterator[Row]:
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
                yield key.name, 0, 0, _mask(key.name, sorted(codes))
            case Flag():
                yield key.name, 0, 0, _mask(key.name, [str(value.value)])


_PLAIN = tuple(
    Coded(about=About.CONDITION, codes=(Code(ICD10CM, "*"),), status=status)
    for status in (CodedStatus.EVER, CodedStatus.CURRENT)
)


def clauses(node: Lowered, *, turned: bool = False) -> list[frozenset[tuple[int, int]]]:
    """Write a node as an and of ors of leaves and their opposites."""
    match node:
        case AtomRef(index):
            return [frozenset({(index, -1 if turned else 1)})]
        case Const(value):
            return [] if (value is Kleene.MET) is not turned else [frozenset()]
        case Negation(of):
            return clauses(of, turned=not turned)
        case Threshold(count, of):
            needed = len(of) - count + 1
            groups = combinations(of, count) if turned else combinations(of, needed)
            ors = Conjunction(
                tuple(Disjunction(tuple(Negation(p) if turned else p for p in g)) for g in groups)
            )
            return clauses(ors)
        case Conjunction(of) | Disjunction(of):
            parts = [clauses(part, turned=turned) for part in of]
            if isinstance(node, Conjunction) is not turned:
                return [clause for part in parts for clause in part]
            return [frozenset().union(*chosen) for chosen in product(*parts)]
        case _:
            raise TypeError(type(node).__name__)


def _codes_of(leaf: Is | Attested) -> Sequence[str]:
    return leaf.codes if isinstance(leaf, Is) else [str(leaf.value)]


def _mask(key: str, codes: Iterable[str]) -> int:
    known = (*VOCABULARY[key].codes, "True", "False")
    return sum(1 << known.index(code) for code in codes)


def _places(codes: CodeSet) -> list[tuple[str, str]]:
    """Give spans as texts that every collation sorts alike."""
    return [
        (f"{system} {start}".encode().hex(), f"{system} {end}".encode().hex())
        for system, spans in codes.spans.items()
        for start, end in spans
    ]


if __name__ == "__main__":
    main()
