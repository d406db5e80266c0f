"""Commands that say a refusal in one sentence, with exit status 1; every group of ours is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask.cli import AppGroup, ScriptInfo
from sqlalchemy.exc import DBAPIError

from recruit import context, schema
from recruit.db import Database
from recruit.errors import RecruitError, Refused


class PlainGroup(AppGroup):
    """A group of commands whose refusals are one sentence."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command that was asked for."""
        with _plainly(ctx):
            return super().invoke(ctx)


class PlainCommand(click.Command):
    """A command of no group whose refusals are one sentence."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        with _plainly(ctx):
            return super().invoke(ctx)


def require_schema(database: Database) -> None:
    """Refuse a database whose tables are not there, or not those of this version.

    :raises Refused: saying what to run first
    """
    stands_at = schema.current(database)
    if stands_at is None:
        raise Refused("The database has no tables yet: run flask --app wsgi db upgrade first.")
    if stands_at != schema.head():
        raise Refused(
            f"The database is at schema {stands_at}, this version needs {schema.head()}: "
            "run flask --app wsgi db upgrade first."
        )


@contextmanager
def _plainly(ctx: click.Context) -> Iterator[None]:
    try:
        with _asking_for_the_schema(ctx):
            yield
    except RecruitError as error:
        raise click.ClickException(error.message) from None


@contextmanager
def _asking_for_the_schema(ctx: click.Context) -> Iterator[None]:
    """Look at the schema only where a command failed: most commands need no question more."""
    try:
        yield
    except DBAPIError:
        require_schema(context.of(ctx.ensure_object(ScriptInfo).load_app()).database)
        raise
