"""``flask worker``: run the jobs of this installation."""

from __future__ import annotations

import signal
import threading
from types import FrameType

import click
from flask.cli import with_appcontext

from recruit import context
from recruit.commands.plain import PlainCommand, require_schema
from recruit.jobs import Loop


@click.command("worker", cls=PlainCommand)
@click.option("--once", is_flag=True, help="Run what is due now, then stop.")
@with_appcontext
def worker(once: bool) -> None:
    """Run jobs until told to stop."""
    application = context.application()
    require_schema(application.database)  # the loop itself survives whatever its jobs meet
    loop = Loop(application.database, application.jobs, application.clock)
    if once:
        loop.run_once()
        return
    _stop_on_signals(loop)
    loop.run()


def _stop_on_signals(loop: Loop) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        threading.Thread(target=loop.stop, daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
