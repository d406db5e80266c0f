"""A protocol as one SELECT says of each person what the interpreter says, or that it has to tell."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Protocol as Shape
from typing import cast

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.workloads.crowd import TODAY as CROWDS_DAY
from benchmarks.workloads.crowd import made_up
from benchmarks.workloads.trials import drawn_protocol
from screening.assessment.assess import assess_lowered
from screening.errors import NotInTables
from screening.facts import (
    Code,
    Dated,
    Denial,
    EvidenceSource,
    Facts,
    Flag,
    Quantity,
    Statement,
    StatementStatus,
)
from screening.intervals import DateRange, DecimalRange
from screening.language.criteria import AtLeast, Attested, Node
from screening.language.lowering import LoweredProtocol, lower
from screening.language.protocol import Cohort, Criterion, CriterionKind, Protocol
from screening.language.questions import Resolver
from screening.planes.bits import positions
from screening.planes.columns import snapshot_of as snapshot_of_rows
from screening.planes.pool import Pool
from screening.sql import judging as judging_module
from screening.sql.judging import Judging, judging
from screening.sql.tables import PoolTables, Row, tables_of
from screening.terms import ICD10CM, PrefixTerms
from screening.verdict import Disposition
from screening.vocabulary import packaged_vocabulary
from tests.screening import histories, trees
from tests.screening.oracle import Person
from tests.screening.people import TERMS, TODAY, VOCABULARY, make_fact, noted_all
from tests.screening.test_cases import TABLES, lines
from tests.screening.test_planes import as_written, one_rule, snapshot_of

RESOLVER = Resolver(VOCABULARY, TERMS)
SHIPPED = packaged_vocabulary()


class Database(Shape):
    """As much of a database as the tests need."""

    marker: str

    def run(self, statement: str, rows: Sequence[Row] = ()) -> list[tuple[int, ...]]:
        """Run a statement once, or for each of several rows, and give what it finds."""


class SQLite:
    """SQLite in memory."""

    marker = "?"

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None)

    def run(self, statement: str, rows: Sequence[Row] = ()) -> list[tuple[int, ...]]:
        """Run a statement once, or for each of several rows, and give what it finds."""
        if rows:
            self._connection.executemany(statement, rows)
            return []
        return self._connection.execute(statement).fetchall()

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()


class DuckDB:
    """DuckDB in memory."""

    marker = "?"

    def __init__(self) -> None:
        self._connection = pytest.importorskip("duckdb").connect(":memory:", config={"threads": 1})

    def run(self, statement: str, rows: Sequence[Row] = ()) -> list[tuple[int, ...]]:
        """Run a statement once, or for each of several rows, and give what it finds."""
        if rows:
            self._connection.executemany(statement, rows)
            return []
        return cast("list[tuple[int, ...]]", self._connection.execute(statement).fetchall())

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()


class PostgreSQL:
    """The server that the tests run with; everything is in a temporary schema of the session."""

    marker = "%s"

    def __init__(self) -> None:
        server = os.environ.get("TEST_DATABASE_URL", "")
        if not server.startswith("postgresql"):
            pytest.skip("runs where TEST_DATABASE_URL names a PostgreSQL server")
        self._connection = psycopg.connect(
            server.replace("postgresql+psycopg://", "postgresql://"), autocommit=True
        )
        self._connection.execute("SET search_path TO pg_temp")

    def run(self, statement: str, rows: Sequence[Row] = ()) -> list[tuple[int, ...]]:
        """Run a statement once, or for each of several rows, and give what it finds."""
        with self._connection.cursor() as cursor:
            if rows:
                cursor.executemany(statement.encode(), rows)
                return []
            cursor.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()


@pytest.fixture(scope="module", params=[SQLite, DuckDB, PostgreSQL], ids=lambda kind: kind.__name__)
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """Give each database that can be reached."""
    made = request.param()
    yield made
    made.close()


def filled(database: Database, pool: PoolTables) -> None:
    """Put a pool into a database, instead of the one before."""
    for table in pool.tables:
        database.run(f"DROP TABLE IF EXISTS {table.name}")
        database.run(table.create())
        database.run(table.index())
        if rows := list(table.rows()):
            database.run(table.insert(database.marker), rows)


def asked(
    pool: PoolTables, lowered: LoweredProtocol, *, on: date = TODAY, closed: Collection[str] = ()
) -> Judging:
    """Write a protocol as SQL with the vocabulary of the tests."""
    return judging(lowered, pool, on=on, vocabulary=VOCABULARY, terms=TERMS, closed_cohorts=closed)


def tables_for(people: Sequence[Facts]) -> PoolTables:
    """Lay people out in tables."""
    return tables_of(snapshot_of(people), vocabulary=VOCABULARY)


def compare(
    database: Database,
    people: Sequence[Facts],
    lowered: LoweredProtocol,
    *,
    on: date = TODAY,
    closed: Collection[str] = (),
    pool: PoolTables | None = None,
) -> int:
    """Hold everybody who is not doubtful against the interpreter; give how many these are."""
    if pool is None:
        pool = tables_for(people)
        filled(database, pool)
    judged = asked(pool, lowered, on=on, closed=closed)
    verdicts = {row[0]: row[1:] for row in database.run(judged.verdicts)}
    applies = {row[0]: row[1:] for row in database.run(judged.applicability)}
    assert sorted(verdicts) == list(range(len(people)))
    sure = [slot for slot in range(len(people)) if not verdicts[slot][-1]]
    for slot in sure:
        told = assess_lowered(
            lowered, people[slot], on=on, vocabulary=VOCABULARY, terms=TERMS, closed_cohorts=closed
        )
        fit = told.disposition is not Disposition.INELIGIBLE
        expected = (*(one.passes.value for one in told.verdicts), int(fit), 0)
        assert verdicts[slot] == expected, (slot, list(people[slot]), judged.verdicts)
        assert applies[slot] == (*(one.applies.value for one in told.verdicts), 0)
    return len(sure)


every_database = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@every_database
@given(
    protocol=histories.protocols(),
    people=st.lists(histories.people, min_size=1, max_size=8),
    closed=st.sets(st.sampled_from(histories.COHORTS)),
)
def test_sql_equals_the_interpreter(
    database: Database, protocol: Protocol, people: list[Facts], closed: set[str]
) -> None:
    compare(database, people, lower(protocol, resolver=RESOLVER), closed=closed)


@every_database
@given(leaf=histories.leaves, people=st.lists(histories.people, min_size=4, max_size=8))
def test_it_equals_it_leaf_by_leaf(database: Database, leaf: Node, people: list[Facts]) -> None:
    criterion = Criterion(id="c1", kind=CriterionKind.INCLUSION, text="as written", rule=leaf)

    compare(
        database,
        people,
        lower(Protocol(criteria=(criterion,), anchors=histories.ANCHORS), resolver=RESOLVER),
    )


@every_database
@given(
    rule=trees.rules,
    persons=st.lists(trees.people, min_size=1, max_size=8),
    kind=st.sampled_from(CriterionKind),
)
def test_it_equals_it_for_partly_known_people_too(
    database: Database, rule: Node, persons: list[Person], kind: CriterionKind
) -> None:
    criterion = Criterion(id="c1", kind=kind, text="as written", rule=rule)

    compare(
        database,
        [person.facts() for person in persons],
        lower(Protocol(criteria=(criterion,)), resolver=RESOLVER),
    )


@pytest.mark.parametrize("table", sorted(TABLES.glob("*.csv")), ids=lambda table: table.stem)
def test_it_equals_it_for_every_person_and_criterion_of_the_tables(database: Database, table: Path) -> None:
    by_day: dict[str, list[list[str]]] = {}
    for _, row in lines(table):
        by_day.setdefault(row[2], []).append(row)
    sure = held = 0
    for on, rows in by_day.items():
        day = date.fromisoformat(on)
        people = [noted_all(json.loads(facts), on=day) for _, facts, _, _ in rows]
        pool = tables_for(people)
        filled(database, pool)
        for text in dict.fromkeys(row[0] for row in rows):
            sure += compare(database, people, as_written(text), on=day, pool=pool)
            held += len(people)

    assert sure > 0.4 * held, "these are corner cases, and still most are carried"


def test_a_made_up_pool_leaves_next_to_nobody_to_the_interpreter(database: Database) -> None:
    ledger = made_up(400, seed=7)
    pool = tables_of(
        snapshot_of_rows(ledger, on=CROWDS_DAY, vocabulary=SHIPPED, terms=TERMS), vocabulary=SHIPPED
    )
    filled(database, pool)
    planes = Pool(pool.snapshot, terms=TERMS)

    for number in range(5):
        lowered = lower(drawn_protocol(number, seed=7), resolver=Resolver(SHIPPED, TERMS))
        judged = judging(lowered, pool, on=CROWDS_DAY, vocabulary=SHIPPED, terms=TERMS)
        found = database.run(judged.not_ineligible)
        rows = database.run(judged.verdicts)

        fit = planes.judge(lowered, on=CROWDS_DAY, vocabulary=SHIPPED).not_ineligible
        assert sorted(slot for slot, doubtful in found if not doubtful) == positions(fit).tolist()
        assert not sum(doubtful for _, doubtful in found)
        assert database.run(judged.tallies)[0] == tuple(
            sum(row[place] for row in rows) for place in range(1, len(lowered.criteria) + 1)
        )


def told_in_sql(database: Database, text: str, *people: Facts) -> list[int | None]:
    """Judge people by one rule; None for whoever is left to the interpreter."""
    pool = tables_for(people)
    filled(database, pool)
    rows = database.run(asked(pool, one_rule(text)).verdicts)
    return [None if doubtful else verdict for _, verdict, _, doubtful in sorted(rows)]


def weighing(number: str, *, unit: str = "kg", observed: date = TODAY) -> Facts:
    """Make somebody of a weight."""
    value = Quantity(DecimalRange.point(Decimal(number)), unit)
    return Facts([make_fact("weight", value, observed=observed)])


class TestExactness:
    def test_a_hundredth_below_a_limit_is_below_it(self, database: Database) -> None:
        told = told_in_sql(database, "weight >= 27 kg", weighing("26.99"), weighing("27"), weighing("27.00"))

        assert told == [-1, 1, 1]

    def test_steps_finer_than_any_computer_rounds_still_count(self, database: Database) -> None:
        told = told_in_sql(database, "weight > 80 kg", weighing("80.00000000000001"), weighing("80"))

        assert told == [1, -1]

    def test_a_number_too_fine_for_the_tables_is_left_to_the_interpreter(self, database: Database) -> None:
        told = told_in_sql(database, "weight > 80 kg", weighing("80.00000000000000000001"), Facts())

        assert told == [None, 0]

    def test_a_value_given_in_another_unit_is_held_against_the_limits_of_its_own(
        self, database: Database
    ) -> None:
        text = "weight between 70 and 80 kg | between 154 and 177 [lb_av]"

        told = told_in_sql(database, text, weighing("176.9", unit="[lb_av]"), weighing("80.1"))

        assert told == [1, -1]

    def test_the_last_day_of_a_window_is_inside_it(self, database: Database) -> None:
        text = "weight >= 50 kg measured within 3 months before today"
        days = (date(2026, 8, 22), date(2026, 8, 21))

        told = told_in_sql(database, text, *(weighing("60", observed=day) for day in days))

        assert told == [1, 0]


class TestCohorts:
    def test_nobody_fits_by_a_cohort_that_is_closed(self, database: Database) -> None:
        criteria = tuple(
            Criterion(
                id=name,
                kind=CriterionKind.INCLUSION,
                text="as written",
                rule=Attested(key="vaping", value=name == "a"),
                cohorts=(name,),
            )
            for name in ("a", "b")
        )
        cohorts = tuple(Cohort(id=name, name=name) for name in ("a", "b"))
        lowered = lower(Protocol(criteria=criteria, cohorts=cohorts), resolver=RESOLVER)
        pool = tables_for([Facts([make_fact("vaping", Flag(value=True))])])
        filled(database, pool)

        fits = [
            len(database.run(asked(pool, lowered, closed=closed).not_ineligible))
            for closed in ((), ("a",), ("b",), ("a", "b"))
        ]

        assert fits == [1, 0, 1, 1]


class TestWhoIsLeftToTheInterpreter:
    def test_whoever_says_two_things_on_one_day(self, database: Database) -> None:
        at_odds = Facts([*weighing("70"), *weighing("90")])

        assert told_in_sql(database, "weight >= 80 kg", at_odds, weighing("90")) == [None, 1]

    def test_whoever_gave_a_day_inside_a_window_before_an_answer_that_has_expired(
        self, database: Database
    ) -> None:
        inside = Dated(DateRange.day(date(2026, 5, 1)))
        earlier = make_fact("last_study_drug", inside, observed=date(2026, 5, 2))
        later = make_fact("last_study_drug", Denial(()), observed=date(2026, 5, 3))
        text = "last_study_drug within 12 months before today"

        told = told_in_sql(database, text, Facts([earlier, later]), Facts([earlier]), Facts([later]))

        assert told == [None, 1, 0]

    def test_whoever_spares_in_a_closed_list_what_is_neither_so_now_nor_over(self, database: Database) -> None:
        codes = (Code(ICD10CM, "E10"), Code(ICD10CM, "E11"))
        listed = make_fact("condition.any", Denial((Code(ICD10CM, "*"),), but=codes))
        over, over_too = (make_fact("condition.any", Statement(code, StatementStatus.PAST)) for code in codes)
        planned = make_fact("condition.any", Statement(codes[1], StatementStatus.PLANNED))
        text = "condition in (E10, E11) current"

        told = told_in_sql(database, text, Facts([listed, over, planned]), Facts([listed, over, over_too]))

        assert told == [None, -1]

    def test_whoever_told_something_that_a_value_is_computed_from(self, database: Database) -> None:
        assert told_in_sql(database, "bmi >= 18 kg/m2", weighing("70"), Facts()) == [None, 0]

    def test_sources_that_contradict_each_other_settle_nothing(self, database: Database) -> None:
        at_odds = Facts(
            [
                make_fact("vaping", Flag(value=True)),
                make_fact("vaping", Flag(value=False), source=EvidenceSource.RECORD),
            ]
        )

        assert told_in_sql(database, "vaping is no", at_odds, Facts()) == [0, 0]


class TestRefusal:
    def test_tables_made_with_other_terms(self) -> None:
        pool = tables_for([Facts()])

        with pytest.raises(NotInTables, match="made with terms"):
            judging(one_rule("vaping is no"), pool, on=TODAY, vocabulary=VOCABULARY, terms=PrefixTerms())

    def test_a_key_that_changed_since(self) -> None:
        pool = tables_for([weighing("70")])
        held = {name: replace(one, digest="older") for name, one in pool.held.items()}

        with pytest.raises(NotInTables, match="before weight changed"):
            asked(replace(pool, held=held), one_rule("weight >= 80 kg"))

    def test_a_kind_of_leaf_that_is_not_known(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(judging_module, "SCALARS", ())

        with pytest.raises(NotInTables, match="no SQL for Attested"):
            asked(tables_for([Facts()]), one_rule("vaping is no"))


class TestText:
    def test_no_word_of_a_person_or_a_protocol_is_part_of_a_statement(self) -> None:
        pool = tables_for([weighing("70")])

        judged = asked(pool, one_rule("(vaping is no or condition in (E11)) and weight >= 80 kg"))

        assert not re.search("['\"]|E11|vaping is", judged.verdicts + judged.tallies + judged.not_ineligible)

    def test_it_grows_with_the_depth_of_a_rule_and_not_faster(self) -> None:
        rule: Node = Attested(key="vaping")
        lengths = []
        for _ in range(4):
            for _ in range(3):
                rule = AtLeast(count=1, of=(rule, Attested(key="vaping", value=False)))
            criterion = Criterion(id="c1", kind=CriterionKind.INCLUSION, text="t", rule=rule)
            lowered = lower(Protocol(criteria=(criterion,)), resolver=RESOLVER)
            lengths.append(len(asked(tables_for([Facts()]), lowered).verdicts))

        steps = [more - less for less, more in pairwise(lengths)]
        assert max(steps) < 1.2 * min(steps)
