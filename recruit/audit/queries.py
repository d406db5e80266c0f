"""Reading the trail: who changed what, page by page, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.audit.models import AuditEntry
from recruit.db import Base

PAGE = 50


@dataclass(frozen=True, slots=True)
class Filter:
    """What to show of the trail; an empty field holds nothing back."""

    table: str = ""
    row: str = ""
    actor: str = ""
    day: date | None = None
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of one row."""

    id: int
    table: str
    row: str
    operation: str
    columns: tuple[str, ...]
    actor: str
    reason: str
    request_id: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, newest first, and the keys from which newer and older ones follow."""

    entries: tuple[Entry, ...]
    newer_than: int | None
    older_than: int | None


def tables() -> list[str]:
    """Name the tables that leave a trail."""
    return sorted(str(m.class_.__tablename__) for m in Base.registry.mappers if m.class_.audited)


def page(
    session: Session, only: Filter, *, older_than: int | None = None, newer_than: int | None = None
) -> Page:
    """Give one page of the trail: the newest, or what follows a key in one direction."""
    query = _filtered(only)
    if newer_than is not None:
        query = query.where(AuditEntry.id > newer_than).order_by(AuditEntry.id)
    else:
        query = query.order_by(AuditEntry.id.desc())
        if older_than is not None:
            query = query.where(AuditEntry.id < older_than)
    rows = list(session.scalars(query.limit(PAGE + 1)))
    more, rows = len(rows) > PAGE, rows[:PAGE]
    if newer_than is not None:
        rows.reverse()
    has_newer = more if newer_than is not None else older_than is not None
    has_older = True if newer_than is not None else more
    return Page(
        tuple(_entry(row) for row in rows),
        newer_than=rows[0].id if rows and has_newer else None,
        older_than=rows[-1].id if rows and has_older else None,
    )


def _filtered(only: Filter) -> sa.Select[AuditEntry]:
    query = sa.select(AuditEntry)
    if only.table:
        query = query.where(AuditEntry.table_name == only.table)
    if only.row:
        query = query.where(AuditEntry.row_id == only.row)
    if only.actor:
        query = query.where(AuditEntry.actor == only.actor)
    if only.day is not None:
        start = datetime.combine(only.day, time(), ZoneInfo(only.zone))
        end = datetime.combine(only.day + timedelta(days=1), time(), ZoneInfo(only.zone))
        query = query.where(AuditEntry.recorded_at >= start, AuditEntry.recorded_at < end)
    return query


def _entry(row: AuditEntry) -> Entry:
    return Entry(
        id=row.id,
        table=row.table_name,
        row=row.row_id,
        operation=row.operation,
        columns=tuple(name for name in row.columns.split(",") if name),
        actor=row.actor,
        reason=row.reason,
        request_id=row.request_id,
        recorded_at=row.recorded_at,
    )
