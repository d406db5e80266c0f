"""Errors as pages: the same words for everybody, the details in the log."""

from __future__ import annotations

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from recruit import context
from recruit.errors import RecruitError, http_status
from recruit.logs import logger
from recruit.web.fields import said

_log = logger(__name__)


def install(app: Flask) -> None:
    """Answer every error with a page that says what happened and what to do."""
    app.register_error_handler(RecruitError, _refused)
    app.register_error_handler(StaleDataError, _stale)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def page(status: int, message: str = "") -> ResponseReturnValue:
    """Render the error page of a status."""
    title, text = _words(status)
    return (
        render_template(
            "errors/error.html",
            status=status,
            title=title,
            message=message or text,
            request_id=context.request_id(),
        ),
        status,
    )


def _words(status: int) -> tuple[str, str]:
    table = {
        400: (_("That did not work"), _("We could not read what was sent. Please go back and try again.")),
        403: (_("Not open to you"), _("Your account does not open this page.")),
        404: (_("Page not found"), _("If you typed the address, check that it is correct.")),
        405: (_("That did not work"), _("This address cannot be used in this way.")),
        409: (_("Somebody was faster"), _("This was changed in the meantime. Please load the page again.")),
        410: (_("No longer here"), _("What you are looking for has been removed.")),
        413: (_("Too large"), _("What was sent is too large.")),
        422: (_("Something is not right yet"), _("Please check what you entered.")),
        429: (_("Please wait a moment"), _("There were too many tries. Please wait and try again.")),
        503: (
            _("Back in a moment"),
            _("We cannot reach our records right now. Nothing was lost; try again soon."),
        ),
    }
    return table.get(status, (_("Sorry, something went wrong"), _("Please try again later.")))


def _refused(error: RecruitError) -> ResponseReturnValue:
    status = http_status(error)
    return page(status, said(error) if status not in (403, 404, 503) else "")


def _stale(_error: StaleDataError) -> ResponseReturnValue:
    return page(409)


def _csrf(_error: CSRFError) -> ResponseReturnValue:
    return page(400, _("This page was open for too long. Please go back, load it again and send it once more."))


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error
    return page(error.code)


def _unexpected(error: Exception) -> ResponseReturnValue:
    _log.error("unexpected error", kind=type(error).__name__, endpoint=request.endpoint, exc_info=error)
    if context.settings().environment == "test":
        raise error
    return page(500)
