"""Somebody was faster: what changed in the meantime, and what was typed, so that nothing is lost."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from recruit import context
from recruit.addresses import clean_text
from recruit.errors import Invalid
from recruit.matching import history
from recruit.web import fields
from recruit.web.recruiting import timeline
from recruit.web.recruiting.scene import Stale, scene_of_match, seen_at

_OURS = frozenset({"csrf_token", "version", "seen"})
_FREE = ("note", "body", "close_note", "correction", "place", "subject_number")


@dataclass(frozen=True, slots=True)
class Posted:
    """One field as it was sent; ``is_text`` where somebody typed it."""

    name: str
    value: str
    is_text: bool


def show(error: Stale) -> ResponseReturnValue:
    """Answer 409 with what changed and what was typed; sending it again is one press."""
    now = context.now()
    with context.reading() as session:
        scene = scene_of_match(session, error.match_id)
        events = history.changes_since(session, scene.match, since=seen_at(request.form.get("seen", "")))
        teller = timeline.Teller(
            zone=scene.zone,
            now=now,
            names=timeline.actors(session, [event.actor for event in events]),
            criteria={},
            notes={},
            reasons={},
        )
        entries = [entry for event in events if (entry := timeline.of_event(event, teller))]
    page = render_template(
        "desk/changed.html",
        scene=scene,
        message=fields.said(error),
        entries=entries,
        posted=_posted(),
        version=error.version,
        seen=now.isoformat(),
        action=request.path,
        back_url=url_for("desk.person.show", match_id=scene.match.id),
    )
    return page, 409


def _posted() -> list[Posted]:
    return [
        Posted(name, value, is_text=name in _FREE or name.startswith("reason"))
        for name in list(request.form)[:60]
        if name not in _OURS and len(name) <= 80 and name.isprintable() and (value := _clean(name))
    ]


def _clean(name: str) -> str:
    try:
        return clean_text(request.form.get(name, ""), limit=5_000)
    except Invalid:
        return ""
