"""Serve the whole application on this machine: schema, demo, jobs and pages, all in one process.

``python -m campaigns.serve``; ``run.py`` prepares the environment and becomes this. For one machine and for
trying out: a server for real people runs gunicorn and ``flask --app wsgi worker`` instead.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import FrameType
from typing import Protocol

import click

from recruit.loading import uncollected

with uncollected():
    from flask import Flask
    from sqlalchemy.engine import make_url

    from campaigns.app import create_app
    from recruit import backup, context, logs, schema
    from recruit import settings as configuration
    from recruit.app import ASSETS
    from recruit.context import Application
    from recruit.db import Database
    from recruit.errors import RecruitError, Refused
    from recruit.jobs import Loop
    from recruit.operations import service as operations
    from recruit.settings import Environment, Settings

HOST = "127.0.0.1"
ACTOR = "cli:serve"
THREADS = 8
QUIET = "WARNING"
_BESIDE = ("-wal", "-shm", "-journal")


class Server(Protocol):
    """What waitress makes."""

    def run(self) -> None:
        """Answer requests until a signal ends it."""
        ...

    def close(self) -> None:
        """Stop listening."""
        ...


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--fresh", is_flag=True, help="Throw the demo away and build it again.")
@click.option("--no-demo", is_flag=True, help="Start with an empty database.")
def main(port: int, fresh: bool, no_demo: bool) -> None:
    """Serve the whole application on 127.0.0.1."""
    try:
        settings = configuration.from_environment(env_file=ASSETS / ".env")
        app = create_app(settings)
        make_room(settings)
        prepare(context.of(app), fresh=fresh, with_demo=not no_demo)
    except RecruitError as error:
        raise click.ClickException(error.message) from None
    serve(app, port=port)


def prepare(application: Application, *, fresh: bool, with_demo: bool) -> None:
    """Make the database ready: build a new one, move an old schema after backing it up, or do nothing.

    :raises Refused: the database is not ours, is newer, or is not a demo and should be thrown away
    """
    settings, database = application.settings, application.database
    if fresh and settings.environment is not Environment.DEMO:
        raise Refused("--fresh throws the whole database away, so it works for the demo only.")
    stands_at = schema.current(database)
    if fresh or (stands_at is None and not schema.tables(database)):
        _build(application, with_demo=with_demo and settings.environment is Environment.DEMO)
    elif stands_at != schema.head():
        if stands_at is not None:
            made = backup.before(
                database, "upgrade", folder=Path(settings.backup_folder), at=application.clock.now()
            )
            click.echo(f"The database is being brought up to date; a backup is in {made.path}.")
        schema.upgrade(database)


def serve(app: Flask, *, port: int) -> None:
    """Answer requests and run jobs until told to stop by Ctrl-C or SIGTERM."""
    application = context.of(app)
    server = _listen(app, port=port)
    loop = Loop(application.database, application.jobs, application.clock)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    _announce(application, port=port)
    loop.start()
    server.run()
    server.close()
    loop.stop()
    application.database.dispose()
    click.echo("Stopped.")


def _listen(app: Flask, *, port: int) -> Server:
    from waitress import create_server

    try:
        server: Server = create_server(app, host=HOST, port=port, threads=THREADS, ident=None)
    except OSError as error:
        raise click.ClickException(
            f"Port {port} cannot be used ({error.strerror}): choose another one with --port."
        ) from None
    return server


def _stop(_number: int, _frame: FrameType | None) -> None:
    """End the server's loop, which waits for the requests it is answering."""
    raise SystemExit(0)


def _announce(application: Application, *, port: int) -> None:
    address = f"http://{HOST}:{port}"
    click.echo(f"Trial Recruit is at {address}")
    click.echo(f"  participants  {address}/en/   {address}/es/")
    click.echo(f"  staff         {address}/staff/sign-in")
    if application.settings.environment is Environment.DEMO and application.demo is not None:
        click.echo("Everybody in here is made up. Sign in as:")
        for account in application.demo.accounts:
            click.echo(f"  {account.role:<12}  {account.email}  {account.password}")
    click.echo("Press Ctrl-C to stop.")


def make_room(settings: Settings) -> None:
    """Make the folder of a SQLite database, for its owner only."""
    path = make_url(settings.database_url).database
    if settings.database_url.startswith("sqlite") and path:
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def _build(application: Application, *, with_demo: bool) -> None:
    """Build a new database; a year of made-up messages stays out of the log."""
    logs.configure(QUIET)
    _build_quietly(application, with_demo=with_demo)
    logs.configure(application.settings.log_level)


def _build_quietly(application: Application, *, with_demo: bool) -> None:
    if application.database.is_sqlite:
        _build_file(application, with_demo=with_demo)
        return
    if schema.current(application.database) is not None:
        schema.downgrade(application.database, "base")
    _fill(application, with_demo=with_demo)


def _build_file(application: Application, *, with_demo: bool) -> None:
    """Build beside the database and put the result in its place: an interrupted build leaves nothing half done.

    The building database does not wait for the disk at every step; the finished file is synced once.
    """
    target = Path(application.database.engine.url.database or "")
    building = target.with_name(f"{target.name}.building")
    _remove(building)
    building.touch(mode=0o600)
    apart = Database(f"sqlite:///{building}", keyring=application.database.keyring, durable=False)
    app = create_app(_pointing_at(application.settings, apart), clock=application.clock, database=apart)
    context.of(app).demo = application.demo
    try:
        _fill(context.of(app), with_demo=with_demo)
    finally:
        apart.dispose()
    with building.open("rb") as file:
        os.fsync(file.fileno())
    application.database.dispose()
    _remove(target)
    building.replace(target)


def _pointing_at(settings: Settings, database: Database) -> Settings:
    url = database.engine.url.render_as_string()
    return settings.model_copy(update={"database_url": url, "log_level": QUIET})


def _fill(application: Application, *, with_demo: bool) -> None:
    """Make the schema, the installation's row and, where asked for, the demo."""
    schema.upgrade(application.database)
    with application.database.transaction(actor=ACTOR, reason="install") as session:
        operations.ensure(session)
    if with_demo and application.demo is not None:
        click.echo("Building the demo ...")
        application.demo.build(application, click.echo)


def _remove(path: Path) -> None:
    for file in (path, *(path.with_name(f"{path.name}{end}") for end in _BESIDE)):
        file.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
