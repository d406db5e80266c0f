"""The command line: ``flask --app wsgi COMMAND``."""

from __future__ import annotations

from flask import Flask

from recruit.commands import database, jobs, studies, translations, users

GROUPS = (database.group, jobs.worker, studies.group, translations.group, users.group)


def register(app: Flask) -> None:
    """Add every group of commands to the application."""
    for group in GROUPS:
        app.cli.add_command(group)
