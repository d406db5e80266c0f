"""``flask studies``: bring studies in from a registry."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recruit import context
from recruit.commands.plain import PlainGroup

if TYPE_CHECKING:
    from recruit.studies.importing import FileOutcome, Imported

group = PlainGroup("studies", help="Studies from a registry.")


@group.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
def import_command(files: tuple[str, ...]) -> None:
    """Import studies from files of ClinicalTrials.gov (API v2) or CDISC USDM (version 4), both JSON.

    Each file is imported by itself; the exit status is 1 if one failed.
    """
    from recruit.studies import importing  # here for the start, as for every import below: one command needs it

    application = context.application()
    at = application.clock.now()
    failed = False
    for outcome in importing.import_files(
        ((name, _reader(Path(name))) for name in files),
        partial(application.database.transaction, actor="cli:studies import", reason="study:import"),
        at=at,
    ):
        click.echo(line(outcome), err=outcome.failed)
        failed = failed or outcome.failed
    if failed:
        sys.exit(1)


def line(outcome: FileOutcome) -> str:
    """Say in one line what came of a file."""
    if outcome.failed:
        field = f"{outcome.field}: " if outcome.field else ""
        return f"{outcome.filename}: failed: {field}{outcome.problem}"
    return f"{outcome.filename}: {', '.join(_said(one) for one in outcome.imported)}"


def _said(one: Imported) -> str:
    from recruit.studies.importing import Came

    if one.came is Came.CREATED:
        return f"{one.nct_id} created"
    if one.came is Came.UNCHANGED:
        return f"{one.nct_id} unchanged"
    draft = f", draft version {one.version.number}" if one.version else ""
    return f"{one.nct_id} changed ({len(one.differences)} differences{draft})"


def _reader(path: Path) -> Callable[[], bytes]:
    from recruit.studies import importing

    def read() -> bytes:
        importing.require_file(path.stat().st_size)
        return path.read_bytes()

    return read
