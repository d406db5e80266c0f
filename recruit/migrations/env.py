"""Run migrations on the connection that ``recruit.schema`` hands over, inside its transaction."""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy.engine import Connection

from recruit.db import UtcDateTime

DOCUMENT = "sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), 'postgresql')"

config = context.config
connection: Connection = config.attributes["connection"]


def render_item(kind: str, item: object, autogen_context: AutogenContext) -> str | Literal[False]:
    """Write our own types as what the database has, so that a migration never depends on today's code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, sa.JSON):
        autogen_context.imports.add("from sqlalchemy.dialects import postgresql")
        return DOCUMENT
    return False


context.configure(
    connection=connection,
    target_metadata=config.attributes["metadata"],
    process_revision_directives=config.attributes.get("process_revision_directives"),
    render_item=render_item,
    render_as_batch=True,
    compare_type=True,
    transactional_ddl=False,
    transaction_per_migration=False,
)
context.run_migrations()
