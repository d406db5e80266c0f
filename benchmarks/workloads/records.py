"""A made-up pool in the product's own tables, filled by COPY: one row a person, one row a fact."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import pairwise
from uuid import UUID

import psycopg
import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, DropIndex

from recruit import models
from recruit.db import Base
from recruit.people.models import FactRow
from screening.planes.ledger import NOWHERE, SOURCES, Ledger

PERSON = 0x018F << 112
"""Keys of people begin with this; those of facts with nothing."""

_MADE = datetime(2026, 1, 1, tzinfo=UTC)
_PEOPLE = "COPY person (id, slot, basis, language, best_time, postcode, zone, created_at, is_test, version)"
_FACTS = (
    "COPY fact (id, person_id, key, value, observed_lo, observed_hi, recorded_at, source, recorded_by,"
    " only_retracts)"
)


def person_id(slot: int) -> UUID:
    """Give the key of the person at a slot."""
    return UUID(int=PERSON | slot)


def fill(url: str, ledger: Ledger) -> None:
    """Make the product's tables in an empty PostgreSQL database, and copy a pool into them.

    References and the trail's triggers are left out: nothing here writes again.
    """
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    known = {module.__name__ for module in models.MODULES}
    if FactRow.__module__ not in known:
        raise LookupError("the models of the product are not all loaded")
    facts = Base.metadata.tables[FactRow.__tablename__]
    with engine.begin() as connection:
        Base.metadata.create_all(connection)
        for index in facts.indexes:
            connection.execute(DropIndex(index))
    with psycopg.connect(url) as raw:
        raw.execute("SET session_replication_role = replica")
        _copy(raw, f"{_PEOPLE} FROM STDIN", _person_lines(ledger))
        _copy(raw, f"{_FACTS} FROM STDIN", _fact_lines(ledger))
    with engine.begin() as connection:
        for index in facts.indexes:
            connection.execute(CreateIndex(index))
    with psycopg.connect(url, autocommit=True) as raw:
        raw.execute("VACUUM ANALYZE person, fact")
    engine.dispose()


def _copy(raw: psycopg.Connection, statement: str, lines: Iterator[str]) -> None:
    held: list[str] = []
    with raw.cursor().copy(statement.encode()) as copy:
        for line in lines:
            held.append(line)
            if len(held) == 10_000:
                copy.write("".join(held))
                held.clear()
        copy.write("".join(held))


def _person_lines(ledger: Ledger) -> Iterator[str]:
    for slot in ledger.slots.tolist():
        yield f"{person_id(slot)}\t{slot}\tquestionnaire\ten\t\t\t\t{_MADE.isoformat()}\tf\t1\n"


def _fact_lines(ledger: Ledger) -> Iterator[str]:
    values = ledger.values
    octets, ends = values.octets.tobytes(), values.ends.tolist()
    texts = [octets[start:end].decode() for start, end in pairwise(ends)]
    sources = [source.value for source in SOURCES]
    days = {day: date.fromordinal(day).isoformat() for day in set(ledger.observed_lo.tolist())}
    onsets = ledger.days[:, 0].tolist()
    people = ledger.row_slots().tolist()
    columns = (people, ledger.key, ledger.value, ledger.observed_lo, ledger.source, ledger.dated)
    rows = zip(*(column if isinstance(column, list) else column.tolist() for column in columns), strict=True)
    for number, (slot, key, value, seen, source, dated) in enumerate(rows):
        text = texts[value]
        if dated != NOWHERE:
            day = date.fromordinal(onsets[dated]).isoformat()
            text = f'{text[:-1]},"onset":{{"lo":"{day}","hi":"{day}"}}}}'
        yield (
            f"00000000-0000-0000-0000-{number:012x}\t018f0000-0000-0000-0000-{slot:012x}\t{ledger.keys[key]}\t{text}"
            f"\t{days[seen]}\t{days[seen]}\t{days[seen]} 12:00:00+00\t{sources[source]}\tparticipant\tf\n"
        )
