"""The command line: ``flask --app wsgi COMMAND``."""

from __future__ import annotations

from collections.abc import Callable

import click
from flask import Flask

from recruit.commands import assessments, database, jobs, studies, translations, users
from recruit.errors import BadSettings

GROUPS = (assessments.group, database.group, jobs.worker, studies.group, translations.group, users.group)


def register(app: Flask) -> None:
    """Add every group of commands to the application."""
    for group in GROUPS:
        app.cli.add_command(group)


def started(create: Callable[[], Flask]) -> Flask:
    """Build the application; on the command line a bad setting is one sentence, and exit status 1.

    :raises BadSettings: under a WSGI server, which logs it and stops its workers
    """
    try:
        return create()
    except BadSettings as error:
        if click.get_current_context(silent=True) is None:
            raise
        raise SystemExit(f"Error: {error.message}") from None
