"""Describe a schema as text, so that two ways of making it can be compared.

What does not matter is evened out: the order of columns and constraints, quotes, and white space.
"""

import re
from collections.abc import Iterator

from sqlalchemy.engine import Connection

from recruit.db import Database

_POSTGRESQL = """
SELECT 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
    || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
    || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'constraint ' || c.relname || ' ' || k.conname || ' ' || pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE c.relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'function ' || proname || ' ' || prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


def describe(database: Database) -> list[str]:
    """List columns, constraints, indexes and triggers, one a line, sorted; Alembic's own table is left out."""
    with database.engine.connect() as connection:
        lines = _sqlite(connection) if database.is_sqlite else connection.exec_driver_sql(_POSTGRESQL).scalars()
        return sorted(line for line in map(_even, lines) if "alembic_version" not in line)


def _even(line: str) -> str:
    return re.sub(r"\s+", " ", line.replace('"', "")).strip()


def _sqlite(connection: Connection) -> Iterator[str]:
    made = connection.exec_driver_sql(
        "SELECT type, tbl_name, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    )
    for kind, table, name, sql in made:
        if kind == "table":
            body = sql[sql.index("(") + 1 : sql.rindex(")")]
            yield from (f"part of {table}: {part}" for part in _parts(body))
        else:
            yield f"{kind} {table} {name}: {sql}"


def _parts(body: str) -> Iterator[str]:
    """Cut a table's definition at the commas that stand in no bracket and no text."""
    depth, quoted, part = 0, False, ""
    for letter in body:
        quoted ^= letter == "'"
        if not quoted:
            depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0 and not quoted:
            yield _even(part)
            part = ""
        else:
            part += letter
    yield _even(part)
