"""Triggers of both databases: the trail, append-only tables and frozen columns.

``statements()`` derives them from the models. They are dropped and made anew after every migration, so
that a new column is never missed. A write without an actor is refused: ``audit_entry.actor`` is not null.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from recruit.db import Base

_OPERATIONS = ("INSERT", "UPDATE", "DELETE")


def install(connection: Connection) -> None:
    """Drop and make all triggers on this database."""
    for statement in statements(connection.dialect.name):
        connection.exec_driver_sql(statement)


def statements(dialect: str) -> Iterator[str]:
    """Give the SQL for a dialect, in order; running it twice is harmless.

    Percent signs are doubled for drivers that format.
    """
    if dialect == "postgresql":
        yield from _postgresql_functions()
    for model in _models():
        yield from _sqlite(model) if dialect == "sqlite" else _postgresql(model)


def remove(connection: Connection) -> None:
    """Drop all triggers, before a migration rebuilds tables."""
    for model in _models():
        table = model.__tablename__
        for name in (*(f"audit_{table}_{op.lower()}" for op in _OPERATIONS), *_guards(table)):
            on = f' ON "{table}"' if connection.dialect.name == "postgresql" else ""
            if on and not sa.inspect(connection).has_table(table):
                continue
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}{on}")


def expected(dialect: str) -> frozenset[str]:
    """Name the triggers that the models ask for."""
    found = (re.match(r"CREATE TRIGGER (\w+)", statement) for statement in statements(dialect))
    return frozenset(match.group(1) for match in found if match)


def installed(connection: Connection) -> frozenset[str]:
    """Name the triggers that a database has."""
    if connection.dialect.name == "sqlite":
        catalogue = sa.table("sqlite_master", sa.column("name"), sa.column("type"))
        query = sa.select(catalogue.c.name).where(catalogue.c.type == "trigger")
    else:
        pg_trigger = sa.table("pg_trigger", sa.column("tgname"), sa.column("tgisinternal"), schema="pg_catalog")
        query = sa.select(pg_trigger.c.tgname).where(~pg_trigger.c.tgisinternal)
    return frozenset(connection.scalars(query))


def _models() -> list[type[Base]]:
    mapped = [mapper.class_ for mapper in Base.registry.mappers]
    return sorted(mapped, key=lambda model: str(model.__tablename__))


def _guards(table: str) -> Iterable[str]:
    return (f"append_only_{table}", f"undeletable_{table}", f"frozen_{table}", f"untruncatable_{table}")


def _columns(model: type[Base]) -> list[str]:
    return [column.name for column in sa.inspect(model).local_table.columns]


def _sqlite(model: type[Base]) -> Iterator[str]:
    table, columns = model.__tablename__, _columns(model)
    if model.audited:
        for operation in _OPERATIONS:
            name = f"audit_{table}_{operation.lower()}"
            yield f"DROP TRIGGER IF EXISTS {name}"
            yield _sqlite_audit(name, table, columns, operation, of=_watched(model, operation))
    append_only, undeletable, frozen, _ = _guards(table)
    for name in (append_only, undeletable, frozen):
        yield f"DROP TRIGGER IF EXISTS {name}"
    refuse = f"SELECT RAISE(ABORT, '{table} is append-only')"
    if model.append_only:
        yield f'CREATE TRIGGER {append_only} BEFORE UPDATE ON "{table}" BEGIN {refuse}; END'
    if model.undeletable:
        yield f'CREATE TRIGGER {undeletable} BEFORE DELETE ON "{table}" BEGIN {refuse}; END'
    if model.frozen_when:
        changed = " OR ".join(f'OLD."{c}" IS NOT NEW."{c}"' for c in model.frozen_columns)
        yield (
            f'CREATE TRIGGER {frozen} BEFORE UPDATE ON "{table}" WHEN ({model.frozen_when}) AND ({changed}) '
            f"BEGIN SELECT RAISE(ABORT, '{table} is frozen once published'); END"
        )


def _sqlite_audit(name: str, table: str, columns: list[str], operation: str, *, of: str) -> str:
    row = "OLD" if operation == "DELETE" else "NEW"
    if operation == "UPDATE":
        parts = [f"CASE WHEN OLD.\"{c}\" IS NOT NEW.\"{c}\" THEN '{c},' ELSE '' END" for c in columns]
        changed = "rtrim(" + " || ".join(parts) + ", ',')"
    else:
        changed = "''"
    key = _key_column(columns)
    version = f'{row}."version"' if "version" in columns else "NULL"
    return (
        f'CREATE TRIGGER {name} AFTER {operation}{of} ON "{table}" BEGIN '
        "INSERT INTO audit_entry "
        "(table_name, row_id, row_version, operation, columns, actor, reason, request_id, recorded_at) "
        f"VALUES ('{table}', CAST({row}.\"{key}\" AS TEXT), {version}, '{operation}', {changed}, "
        "nullif(audit_context('actor'), ''), coalesce(audit_context('reason'), ''), "
        "coalesce(audit_context('request_id'), ''), strftime('%Y-%m-%d %H:%M:%f000', 'now')); END"
    )


def _watched(model: type[Base], operation: str) -> str:
    """Limit a trigger for updates to the columns that leave a trail, where some do not."""
    if operation != "UPDATE" or not model.silent_columns:
        return ""
    return " OF " + ", ".join(f'"{c}"' for c in _columns(model) if c not in model.silent_columns)


def _key_column(columns: list[str]) -> str:
    return "id" if "id" in columns else columns[0]


def _postgresql_functions() -> Iterator[str]:
    yield """
CREATE OR REPLACE FUNCTION audit_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{}'::jsonb ELSE to_jsonb(OLD) END;
    after jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}'::jsonb ELSE to_jsonb(NEW) END;
    current jsonb := CASE WHEN TG_OP = 'DELETE' THEN before ELSE after END;
    changed text := '';
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT coalesce(string_agg(key, ',' ORDER BY key), '') INTO changed
        FROM jsonb_each(after) WHERE value IS DISTINCT FROM before -> key;
    END IF;
    INSERT INTO audit_entry
        (table_name, row_id, row_version, operation, columns, actor, reason, request_id, recorded_at)
    VALUES (TG_TABLE_NAME, replace(current ->> TG_ARGV[0], '-', ''),
        (current ->> 'version')::int, TG_OP, changed,
        nullif(current_setting('recruit.actor', true), ''),
        coalesce(current_setting('recruit.reason', true), ''),
        coalesce(current_setting('recruit.request_id', true), ''), now());
    RETURN NULL;
END $$"""
    yield """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_TABLE_NAME || TG_ARGV[0] USING ERRCODE = 'check_violation';
END $$""".replace("'%'", "'%%'")


def _postgresql(model: type[Base]) -> Iterator[str]:
    table, columns = model.__tablename__, _columns(model)
    if model.audited:
        for operation in _OPERATIONS:
            name = f"audit_{table}_{operation.lower()}"
            yield f'DROP TRIGGER IF EXISTS {name} ON "{table}"'
            moment = operation + _watched(model, operation)
            yield (
                f'CREATE TRIGGER {name} AFTER {moment} ON "{table}" FOR EACH ROW '
                f"EXECUTE FUNCTION audit_row('{_key_column(columns)}')"
            )
    append_only, undeletable, frozen, untruncatable = _guards(table)
    for name in _guards(table):
        yield f'DROP TRIGGER IF EXISTS {name} ON "{table}"'
    refuse = "EXECUTE FUNCTION refuse_change(' is append-only')"
    if model.append_only:
        yield f'CREATE TRIGGER {append_only} BEFORE UPDATE ON "{table}" FOR EACH ROW {refuse}'
    if model.undeletable:
        yield f'CREATE TRIGGER {undeletable} BEFORE DELETE ON "{table}" FOR EACH ROW {refuse}'
    if model.frozen_when:
        changed = " OR ".join(f'OLD."{c}" IS DISTINCT FROM NEW."{c}"' for c in model.frozen_columns)
        yield (
            f'CREATE TRIGGER {frozen} BEFORE UPDATE ON "{table}" FOR EACH ROW '
            f"WHEN (({model.frozen_when}) AND ({changed})) "
            "EXECUTE FUNCTION refuse_change(' is frozen once published')"
        )
    if model.audited or model.append_only:
        refuse = "EXECUTE FUNCTION refuse_change(' cannot be emptied at one stroke')"
        yield f'CREATE TRIGGER {untruncatable} BEFORE TRUNCATE ON "{table}" FOR EACH STATEMENT {refuse}'
