"""Bring studies in from files of a registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from recruit import context
from recruit.accounts.models import Role
from recruit.errors import Forbidden
from recruit.web.coordinator import frame, words
from recruit.web.coordinator.blueprint import bp
from recruit.web.coordinator.frame import Failed
from recruit.web.fields import Problem
from recruit.web.guards import allow, takes_files

if TYPE_CHECKING:
    from recruit.studies.importing import FileOutcome

MOST_FILES = 400


@bp.get("/studies/import")
@allow(Role.COORDINATOR)
def import_form() -> ResponseReturnValue:
    """Ask for files."""
    _require_everything()
    return _page()


@bp.post("/studies/import")
@allow(Role.COORDINATOR)
@takes_files(20)
def import_files() -> ResponseReturnValue:
    """Import each file by itself and say what came of it."""
    from recruit.studies import importing  # here for the start: few requests read a registry

    _require_everything()
    chosen = [file for file in request.files.getlist("files") if file.filename]
    if not chosen:
        return _page(Failed((Problem("files", _("Choose at least one file.")),), 422))
    if len(chosen) > MOST_FILES:
        return _page(Failed((Problem("files", _("Choose at most %(most)s files.", most=MOST_FILES)),), 422))
    outcomes = list(
        importing.import_files(
            _readers(chosen), partial(context.transaction, reason="study:import"), at=context.now()
        )
    )
    wrong = tuple(Problem("", f"{one.filename}: {_where(one)}{one.problem}") for one in outcomes if one.failed)
    return _page(Failed(wrong, 422) if wrong else None, outcomes)


def _readers(files: list[FileStorage]) -> Iterator[tuple[str, Callable[[], bytes]]]:
    for file in files:
        yield file.filename or "", partial(_read, file)


def _read(file: FileStorage) -> bytes:
    from recruit.interop.jsonfile import LIMIT
    from recruit.studies import importing

    data = file.stream.read(LIMIT + 1)
    file.close()
    importing.require_file(len(data))
    return data


def _where(outcome: FileOutcome) -> str:
    return f"{outcome.field}: " if outcome.field and outcome.field != "files" else ""


def _page(failed: Failed | None = None, outcomes: list[FileOutcome] | None = None) -> ResponseReturnValue:
    return frame.page("studies/import.html", failed=failed, outcomes=outcomes or [], words=words)


def _require_everything() -> None:
    if not frame.writing_scope().is_everything:
        raise Forbidden("Only somebody who coordinates all studies imports them.")
