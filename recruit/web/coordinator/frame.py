"""What every page for coordinators shares: the scopes, the way of a post, the tabs of a study."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, format_time, ngettext
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts.models import Role
from recruit.accounts.policy import Scope
from recruit.errors import Conflict, Incomplete, Invalid, NotPermitted, Refused, http_status
from recruit.studies import queries, reach
from recruit.studies.models import Study, StudyStatus
from recruit.web import fields, identity
from recruit.web.coordinator.reading import Posted
from recruit.web.fields import Problem


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a post was not carried out; the page is shown again with this status and what was typed."""

    problems: tuple[Problem, ...]
    status: int


def reading_scope() -> Scope:
    """Give what the account signed in may read here."""
    return identity.scope(Role.COORDINATOR, Role.AUDITOR)


def writing_scope() -> Scope:
    """Give what the account signed in may change here."""
    return identity.scope(Role.COORDINATOR)


def attempt(posted: Posted, work: Callable[[Session], object], *, reason: str) -> Failed | None:
    """Carry out a post in one transaction, or say what is wrong with it.

    :raises NotFound: it is about something that is not yours
    :raises Forbidden: you may read it and not change it
    """
    if posted.problems:
        return Failed(tuple(posted.problems), 422)
    try:
        with context.transaction(reason=reason) as session:
            work(session)
    except Incomplete as error:
        return Failed(
            (Problem("", fields.said(error)), *(Problem("", fields.worded(gap)) for gap in error.missing)), 422
        )
    except (Invalid, Refused, NotPermitted, Conflict) as error:
        return Failed(tuple(fields.problems(error)), http_status(error))
    return None


def page(
    template: str,
    *,
    failed: Failed | None = None,
    values: Mapping[str, object] | None = None,
    parts: Mapping[str, object] = MappingProxyType({}),
    **more: object,
) -> ResponseReturnValue:
    """Show a page: after a failed post with what was typed, else with what is stored.

    Templates get ``values`` and ``ticked(name)`` for fields, ``wrong`` for their problems, and the parts.
    """
    problems: Sequence[Problem] = failed.problems if failed else ()
    shown: Mapping[str, object] = request.form if failed else values or {}
    body = render_template(
        template,
        errors=list(problems),
        wrong=fields.wrong(problems),
        values=shown,
        ticked=request.form.getlist if failed else _lists(shown),
        done=request.args.get("done", ""),
        moment=when,
        day=day,
        **parts,
        **more,
    )
    return (body, failed.status) if failed else body


def _lists(values: Mapping[str, object]) -> Callable[[str], list[object]]:
    def ticked(name: str) -> list[object]:
        given = values.get(name, ())
        return list(given) if isinstance(given, list | tuple | set | frozenset) else [given]

    return ticked


def when(at: datetime) -> str:
    """Write an instant as staff read it, in the operator's zone, which is named."""
    here = local(at)
    return f"{format_date(here.date(), 'medium')}, {format_time(here, 'short', rebase=False)} {here.tzname()}"


def day(value: date | None) -> str:
    """Write a civil day as staff read it."""
    return "" if value is None else str(format_date(value, "medium"))


def today() -> date:
    """Give the civil day of the operator."""
    return context.now().astimezone(ZoneInfo(context.settings().zone)).date()


def local(at: datetime) -> datetime:
    """Give an instant in the operator's zone."""
    return at.astimezone(ZoneInfo(context.settings().zone))


@dataclass(frozen=True, slots=True)
class Tab:
    """One of the pages of a study."""

    label: str
    url: str
    current: bool = False
    count: int | None = None


def tabs(study: Study, current: str) -> list[Tab]:
    """Give the pages of a study."""
    pages = (
        ("study", _("Overview")),
        ("criteria", _("Criteria")),
        ("feasibility", _("Feasibility")),
        ("questions", _("Questions")),
        ("materials", _("Materials")),
        ("approvals", _("Approvals")),
        ("study_sites", _("Sites")),
        ("edit", _("Details")),
        ("registry", _("Registry")),
    )
    return [
        Tab(label, url_for(f"studies.{name}", study_id=study.id), current=name == current)
        for name, label in pages
    ]


def study_parts(study: Study, current: str) -> dict[str, object]:
    """Give what the head of every page of a study needs."""
    return {
        "study": study,
        "tabs": tabs(study, current),
        "may_change": reach.may_change_study(writing_scope(), study.id),
        "held": _held_words(study),
    }


def _held_words(study: Study) -> str:
    """Say beside a study's status how much of it is on hold now; nothing where nothing is."""
    if study.status is not StudyStatus.OPEN:
        return ""
    seen = reach.visible_holds(reading_scope())
    with context.reading() as session:
        whole, sites = queries.held_places(session, study.id, at=context.now(), seen=seen)
    if whole:
        return str(_("On hold"))
    return str(ngettext("%(num)s site on hold", "%(num)s sites on hold", sites)) if sites else ""
