"""Short links: count the follow, then send on to the study's page."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from campaigns.links import service as links
from campaigns.links.service import Target
from recruit import context
from recruit.errors import NotFound, Unavailable
from recruit.logs import logger
from recruit.web import languages
from recruit.web.guards import PUBLIC, allow

bp = Blueprint("go", __name__)
_log = logger(__name__)


@bp.get("/go/<code>")
@allow(PUBLIC)
def follow(code: str) -> ResponseReturnValue:
    """Send on to the study, in the reader's language; a stopped link leads there without its code."""
    with context.reading() as session:
        target = links.find_target(session, code)
    if target is None:
        raise NotFound("There is no such link.")
    if target.code is not None:
        _count(target.link_id, at=context.now())
    return redirect(_address(target), 302)


def _address(target: Target) -> str:
    page = f"/studies/{target.slug}" if target.slug is not None else "/"
    query = f"?{urlencode({'s': target.code})}" if target.code is not None else ""
    return f"/{languages.current()}{page}{query}"


def _count(link_id: UUID, *, at: datetime) -> None:
    """Count the follow; somebody on their way is never stopped for a number."""
    kind = links.kind_of_visit(
        request.method,
        request.user_agent.string or "",
        purpose=request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", ""),
    )
    try:
        with context.transaction(reason="link:follow") as session:
            links.record_hit(session, link_id, kind, at=at)
    except Unavailable:
        _log.warning("a follow was not counted", link_id=str(link_id))
