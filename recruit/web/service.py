"""Pages about the application itself: front door, health, and the style guide of the demo."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Blueprint, abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from recruit import context
from recruit.errors import Unavailable
from recruit.operations.models import Installation
from recruit.web import languages
from recruit.web.guards import PUBLIC, allow

bp = Blueprint("service", __name__)


@bp.get("/")
@allow(PUBLIC)
def front() -> ResponseReturnValue:
    """Send people to the public front page in their language."""
    return redirect(url_for("public.home", language=languages.current()), 303)


@bp.get("/healthz")
@allow(PUBLIC)
def alive() -> ResponseReturnValue:
    """Say that the process answers."""
    return {"status": "ok"}


@bp.get("/readyz")
@allow(PUBLIC)
def ready() -> ResponseReturnValue:
    """Say whether the database answers and is ours."""
    try:
        with context.reading() as session:
            session.scalar(sa.select(Installation.sending_on))
    except (Unavailable, sa.exc.DatabaseError):
        return {"status": "unavailable"}, 503
    return {"status": "ok"}


@bp.get("/styleguide")
@allow(PUBLIC)
def styleguide() -> ResponseReturnValue:
    """Show every component in every state; only where all people are made up."""
    if not context.settings().is_demo:
        abort(404)
    return render_template("styleguide.html")
