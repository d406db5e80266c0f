"""The messages of a demonstration, to be read as their recipients would; not there anywhere else."""

from __future__ import annotations

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from campaigns.outbox import readable
from recruit import context
from recruit.web.guards import PUBLIC, allow

bp = Blueprint("readable", __name__)


@bp.get("/demo/messages")
@allow(PUBLIC)
def messages() -> ResponseReturnValue:
    """Show the last messages with their words; only where all people are made up."""
    if not context.settings().is_demo:
        abort(404)
    with context.reading() as session:
        lines = readable.last_messages(session, limit=30)
    return render_template("marketing/demo_messages.html", messages=lines)
