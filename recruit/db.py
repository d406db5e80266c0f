"""The database: engine, column types, and the only place that begins, commits and rolls back.

SQLite and PostgreSQL behave alike here. SQLite runs in WAL mode and takes its write lock when a
transaction begins (``BEGIN IMMEDIATE``); without that, concurrent read-modify-writes lose updates without
an error. ``reading()`` is deferred and cannot write. ``transaction()`` names an actor and a reason, which
the audit triggers store beside every changed row.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, declared_attr, mapped_column

from recruit.crypto import Keyring
from recruit.errors import NotFound, Unavailable
from recruit.ids import new_id
from recruit.retention import Retention

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
BUSY_TIMEOUT_MS = 10_000
Document = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class UtcDateTime(sa.TypeDecorator[datetime]):
    """An instant: aware in Python, UTC in the database, microseconds kept on both databases."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time, then turn to UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def enum_type(kind: type[StrEnum], *, name: str = "") -> sa.Enum:
    """Store an enum by value in a text column with a check, named where a table has two of a kind."""
    return sa.Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        values_callable=lambda members: [member.value for member in members],
        length=40,
        name=name or "".join("_" + c.lower() if c.isupper() else c for c in kind.__name__).lstrip("_"),
        validate_strings=True,
    )


class Base(DeclarativeBase):
    """Base of all tables; each says how long it is kept and what the triggers guard."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime(),
        dict[str, object]: Document,
        list[object]: Document,
        list[str]: Document,
        bytes: sa.LargeBinary(),
    }

    retention: ClassVar[Retention]
    audited: ClassVar[bool] = True
    silent_columns: ClassVar[tuple[str, ...]] = ()
    """Columns whose change alone leaves no trail, such as when a session was last used."""
    append_only: ClassVar[bool] = False
    """Rows are never updated; where ``undeletable`` is set too, never deleted."""
    undeletable: ClassVar[bool] = False
    frozen_when: ClassVar[str | None] = None
    """SQL over ``OLD``: while true, ``frozen_columns`` cannot change."""
    frozen_columns: ClassVar[tuple[str, ...]] = ()


class Row(Base):
    """A table with a key made by the application."""

    __abstract__ = True

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-1)


class Versioned:
    """A mutable row with a number that every change raises; a change of a stale copy is refused."""

    version: Mapped[int] = mapped_column(default=1, sort_order=99)

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.__table__.c.version}  # type: ignore[attr-defined]


def unique_where(name: str, *columns: str | sa.ColumnElement[Any] | sa.TextClause, condition: str) -> sa.Index:
    """Make a unique index over the rows that meet a condition, on both databases."""
    return sa.Index(
        name, *columns, unique=True, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition)
    )


Handler = Callable[[Session, Any], None]
_M = TypeVar("_M", bound=Base)


class Database:
    """An engine with the two ways to use it and the handlers of in-process notices."""

    def __init__(self, url: str, *, keyring: Keyring, durable: bool = True, pool_size: int = 5) -> None:
        self.keyring = keyring
        self.engine = _make_engine(url, durable=durable, pool_size=pool_size)
        self._reader = self.engine.execution_options(reading=True, **_reader_options(self.engine))
        self._handlers: dict[type, list[Handler]] = {}

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def transaction(self, *, actor: str, reason: str = "", request_id: str = "") -> Iterator[Session]:
        """Open the one kind of session that may write; returning commits, raising rolls back.

        :param actor: who acts: ``account:<id>``, ``participant``, ``job:<name>``, ``cli:<command>``
        :param reason: why, as a code or the words a person typed; shown in the trail
        :raises Unavailable: the database is locked, full or gone; nothing was written
        :raises ValueError: nobody acts
        """
        if not actor:
            raise ValueError("a transaction needs an actor")
        with _translated(), Session(self.engine, expire_on_commit=False) as session:
            session.info.update(database=self, actor=actor)
            set_audit_context(session.connection(), actor=actor, reason=reason, request_id=request_id)
            yield session
            session.commit()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session that sees one state of the database and cannot write."""
        with _translated(), Session(self._reader, expire_on_commit=False, autoflush=False) as session:
            session.info.update(database=self, actor="")
            yield session

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Open a bare connection, for moving the schema; it has no actor, so audited rows refuse it."""
        with _translated(), self.engine.connect() as connection:
            yield connection

    def subscribe(self, kind: type, handler: Handler) -> None:
        """Call ``handler(session, notice)`` in the publisher's transaction for every notice of a kind."""
        self._handlers.setdefault(kind, []).append(handler)

    def handlers(self, kind: type) -> tuple[Handler, ...]:
        """List the handlers of a kind of notice, in the order of subscription."""
        return tuple(self._handlers.get(kind, ()))

    def forget_handlers(self) -> None:
        """End all subscriptions, as before another application uses this database."""
        self._handlers.clear()

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def is_writing(session: Session) -> bool:
    """Tell whether a session belongs to a transaction, rather than to a page that only reads."""
    return bool(session.info["actor"])


def locked(session: Session, model: type[_M], key: UUID) -> _M:
    """Fetch a row for a change that nobody can interleave with.

    PostgreSQL takes a row lock; on SQLite the transaction already holds the only write lock.

    A session whose ``info`` says ``alone`` (a demonstration being built, where nobody else writes) trusts the
    rows that it holds.

    :raises NotFound: there is no such row
    """
    if session.info.get("alone"):
        found = session.get(model, key)
    else:
        found = session.get(model, key, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(f"There is no such {model.__tablename__.replace('_', ' ')}.")
    return found


def found(session: Session, model: type[_M], key: UUID) -> _M:
    """Fetch a row by key.

    :raises NotFound: there is no such row
    """
    row = session.get(model, key)
    if row is None:
        raise NotFound(f"There is no such {model.__tablename__.replace('_', ' ')}.")
    return row


def publish(session: Session, notice: object) -> None:
    """Hand a notice to whoever subscribed to its kind, inside the same transaction."""
    database: Database = session.info["database"]
    for handler in database.handlers(type(notice)):
        handler(session, notice)


def actor_of(session: Session) -> str:
    """Name who this transaction acts for."""
    actor: str = session.info["actor"]
    return actor


def set_audit_context(connection: Connection, *, actor: str, reason: str, request_id: str) -> None:
    """Tell the audit triggers of this transaction who acts and why."""
    context = {"actor": actor, "reason": reason, "request_id": request_id}
    if connection.dialect.name == "sqlite":
        connection.info["audit"] = context
        return
    connection.execute(
        sa.select(*(sa.func.set_config(f"recruit.{key}", value, True) for key, value in context.items()))
    )


def _make_engine(url: str, *, durable: bool, pool_size: int) -> Engine:
    if url.startswith("sqlite"):
        engine = sa.create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
        event.listen(engine, "connect", _sqlite_connect(durable))
        event.listen(engine, "begin", _sqlite_begin)
        return engine
    return sa.create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=pool_size, max_overflow=10)


def _reader_options(engine: Engine) -> dict[str, object]:
    if engine.dialect.name == "sqlite":
        return {}
    return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def _sqlite_connect(durable: bool) -> Callable[[sqlite3.Connection, Any], None]:
    def configure(connection: sqlite3.Connection, record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's record
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={'FULL' if durable else 'NORMAL'}",
            "foreign_keys=ON",
            "recursive_triggers=ON",
            "secure_delete=ON",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")
        info: dict[str, Any] = record.info
        connection.create_function("audit_context", 1, lambda key: info.get("audit", {}).get(key))

    return configure


def _sqlite_begin(connection: Connection) -> None:
    connection.info.pop("audit", None)
    reading = bool(connection.get_execution_options().get("reading"))
    connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reading else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


_TEMPORARY = ("database is locked", "database or disk is full", "disk I/O error", "unable to open database")
_TEMPORARY_STATES = frozenset({"08", "40", "53", "55", "57"})
"""Classes of SQLSTATE: connection, rollback, resources, locks, shutdown."""


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if _is_temporary(error):
            raise Unavailable("The database cannot be reached right now. Nothing was saved.") from error
        raise
    except PoolTimeout as error:
        raise Unavailable("The database is busy right now. Nothing was saved.") from error


def _is_temporary(error: DBAPIError) -> bool:
    if error.connection_invalidated or not isinstance(error, OperationalError):
        return error.connection_invalidated
    if isinstance(error.orig, sqlite3.Error):
        return any(sign in str(error.orig) for sign in _TEMPORARY)
    state: str | None = getattr(error.orig, "sqlstate", None)
    return state is None or state[:2] in _TEMPORARY_STATES
