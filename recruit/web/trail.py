"""The audit trail as a page, for admins and auditors: who changed what, when and why; never a value."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts import queries as accounts
from recruit.accounts.models import Role
from recruit.audit import queries
from recruit.audit.queries import Entry, Filter
from recruit.errors import Invalid
from recruit.web import fields
from recruit.web.guards import allow
from recruit.web.moments import civil, clock_time, parse_day
from recruit.web.navigation import NavigationItem

bp = Blueprint("trail", __name__)
NAVIGATION: tuple[NavigationItem, ...] = ()

_FIELDS = ("table", "row", "actor", "day")
_LARGEST_KEY = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Line:
    """One change as the page shows it, with the addresses that narrow the list to its like."""

    entry: Entry
    day: str
    time: str
    who: str
    table: str
    actor_url: str
    row_url: str


@bp.get("/staff/admin/trail")
@allow(Role.ADMIN, Role.AUDITOR)
def entries() -> ResponseReturnValue:
    """Show the trail, newest first, narrowed by table, row, actor and day."""
    try:
        with context.reading() as session:
            only = _filter(session)
            page = queries.page(session, only, older_than=_position("before"), newer_than=_position("after"))
            names = accounts.names(session, _account_keys(page.entries))
    except Invalid as error:
        return _page(queries.Page((), None, None), {}, error), 422
    return _page(page, names)


def _page(page: queries.Page, names: dict[UUID, str], error: Invalid | None = None) -> str:
    problems = fields.problems(error) if error else []
    asked = {name: request.args.get(name, "") for name in _FIELDS}
    return render_template(
        "admin/trail.html",
        lines=[_line(entry, names) for entry in page.entries],
        tables=queries.tables(),
        asked=asked,
        active=_active(asked, names),
        newer_url=_url(asked, after=page.newer_than) if page.newer_than else None,
        older_url=_url(asked, before=page.older_than) if page.older_than else None,
        errors=problems,
        wrong=fields.wrong(problems),
    )


def _filter(session: Session) -> Filter:
    day_text = fields.line("day", query=True)
    day = parse_day(day_text) if day_text else None
    if day_text and day is None:
        raise Invalid(_("Enter a day, such as 2026-11-18"), field="day")
    table = fields.line("table", query=True)
    if table and table not in queries.tables():
        raise Invalid(_("Select a table from the list"), field="table")
    return Filter(
        table=table,
        row=fields.line("row", query=True).replace("-", "").lower(),
        actor=_actor(session, fields.line("actor", query=True)),
        day=day,
        zone=context.settings().zone,
    )


def _actor(session: Session, text: str) -> str:
    """Read who is meant: an email address of the staff, or the name the trail itself uses."""
    if "@" not in text:
        return text
    account = accounts.account_of(session, text)
    if account is None:
        raise Invalid(_("There is no account with this email address"), field="actor")
    return f"account:{account.id}"


def _position(name: str) -> int | None:
    text = request.args.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > _LARGEST_KEY:
        raise Invalid(_("This page of the trail does not exist"))
    return int(text)


def _account_keys(found: tuple[Entry, ...]) -> set[UUID]:
    keys = {_account_key(entry.actor) for entry in found}
    return {key for key in keys if key is not None}


def _account_key(actor: str) -> UUID | None:
    kind, _colon, text = actor.partition(":")
    try:
        return UUID(text) if kind == "account" else None
    except ValueError:
        return None


def _line(entry: Entry, names: dict[UUID, str]) -> Line:
    key = _account_key(entry.actor)
    return Line(
        entry=entry,
        day=civil(entry.recorded_at),
        time=clock_time(entry.recorded_at),
        who=names.get(key, entry.actor) if key else entry.actor,
        table=entry.table.replace("_", " "),
        actor_url=_url({"actor": entry.actor}),
        row_url=_url({"table": entry.table, "row": entry.row}),
    )


def _active(asked: dict[str, str], names: dict[UUID, str]) -> list[dict[str, str]]:
    key = _account_key(asked["actor"])
    shown = {**asked, "actor": names.get(key, asked["actor"]) if key else asked["actor"]}
    labels = {"table": _("Table"), "row": _("Row"), "actor": _("Who"), "day": _("Day")}
    return [
        {
            "label": f"{labels[name]}: {shown[name]}",
            "remove_url": _url({**asked, name: ""}),
        }
        for name in _FIELDS
        if asked[name]
    ]


def _url(asked: dict[str, str], *, before: int | None = None, after: int | None = None) -> str:
    return url_for(
        "trail.entries",
        **{name: value for name, value in asked.items() if value},  # type: ignore[arg-type]
        before=before,
        after=after,
    )
