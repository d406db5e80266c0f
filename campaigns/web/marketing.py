"""The marketer's numbers: the exact funnel by source, links with their QR codes, and spend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from uuid import UUID

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from campaigns.links import queries as links_read
from campaigns.links import service as links
from campaigns.links.qr import qr_svg
from campaigns.links.service import NewLink
from campaigns.reports import service as spending
from campaigns.reports.funnel import Period, funnel
from campaigns.reports.service import NewSpend
from campaigns.scoping import studies_within, study_within
from campaigns.web import pages
from recruit import context
from recruit.accounts.models import Role
from recruit.errors import Conflict, Invalid, RecruitError, Refused
from recruit.ids import new_token
from recruit.intake.models import Medium
from recruit.web import fields, identity
from recruit.web.guards import allow
from recruit.web.moments import parse_day, recent_moment
from recruit.web.navigation import NavigationItem

bp = Blueprint("marketing", __name__, url_prefix="/staff/marketing")
_GROUP = "Marketing"
_MARKETER = frozenset({Role.MARKETER})
NAVIGATION: tuple[NavigationItem, ...] = (
    NavigationItem(_GROUP, "Funnel", "marketing.home", _MARKETER, order=40),
    NavigationItem(_GROUP, "Links", "marketing.link_list", _MARKETER, order=41),
    NavigationItem(_GROUP, "Questions", "marketing.question_numbers", _MARKETER, order=44),
    NavigationItem(_GROUP, "Spend", "marketing.spend", _MARKETER, order=43),
)
_MESSAGES = (_l("Marketing"), _l("Funnel"), _l("Links"), _l("Questions"), _l("Spend"))
NAME_LENGTH = 60


@bp.get("")
@allow(Role.MARKETER)
def home() -> ResponseReturnValue:
    """Show the funnel by source for a study and a span of days."""
    found: list[fields.Problem] = []
    scope = identity.scope(Role.MARKETER)
    study_id, period = _asked(found)
    with context.reading() as session:
        if study_id is not None:
            study_within(session, study_id, scope)
        counted = funnel(session, scope, period=period, study_id=study_id)
        studies = studies_within(session, scope)
        by_study = study_id is None and request.args.get("by") != "source"
        rows = pages.shown_studies(session, scope, period, studies) if by_study else []
        stops = links_read.ads_to_stop(session, scope, at=context.now())
    return render_template(
        "marketing/home.html",
        stops=stops,
        funnel=pages.shown_funnel(counted),
        by_study=rows,
        studies=studies,
        asked=request.args,
        errors=found,
        wrong=fields.wrong(found),
    ), 422 if found else 200


@bp.get("/funnel.csv")
@allow(Role.MARKETER)
def funnel_file() -> ResponseReturnValue:
    """Give the whole funnel as a table to open elsewhere."""
    found: list[fields.Problem] = []
    study_id, period = _asked(found)
    if found:
        raise Invalid(found[0].text)
    with context.reading() as session:
        counted = funnel(session, identity.scope(Role.MARKETER), period=period, study_id=study_id)
    headers = {"Content-Disposition": "attachment; filename=funnel.csv"}
    return Response(pages.funnel_csv(counted), content_type="text/csv; charset=utf-8", headers=headers)


@bp.get("/links")
@allow(Role.MARKETER)
def link_list() -> ResponseReturnValue:
    """List the links with how often each was followed."""
    with context.reading() as session:
        lines = links_read.list_links(session, identity.scope(Role.MARKETER))
    return render_template("marketing/links.html", lines=lines, when=recent_moment)


@bp.get("/links/new")
@allow(Role.MARKETER)
def new_link() -> ResponseReturnValue:
    """Ask where a link will stand."""
    return _link_form({})


@bp.post("/links")
@allow(Role.MARKETER)
def make_link() -> ResponseReturnValue:
    """Make a link."""

    def work() -> str:
        new, scope = _read_link(), identity.scope(Role.MARKETER)
        with context.transaction(reason="link:create") as session:
            study_within(session, new.study_id, scope)
            pages.require_place(session, scope, new.study_id, new.site_id)
            link = links.create_link(session, new, at=context.now())
        return url_for("marketing.link", link_id=link.id)

    return _carried_out(work, _link_form)


@bp.get("/links/<uuid:link_id>")
@allow(Role.MARKETER)
def link(link_id: UUID) -> ResponseReturnValue:
    """Show one link with its QR code, to print."""
    with context.reading() as session:
        line = links_read.link_line(session, link_id, identity.scope(Role.MARKETER))
    address = f"{context.settings().public_url}/go/{line.link.code}"
    return render_template(
        "marketing/link.html", line=line, address=address, svg=qr_svg(address), when=recent_moment
    )


@bp.post("/links/<uuid:link_id>/stop")
@allow(Role.MARKETER)
def stop_link(link_id: UUID) -> ResponseReturnValue:
    """Stop counting a link as a source; it still leads to the study."""
    with context.transaction(reason="link:stop") as session:
        links.stop_link(session, link_id, identity.scope(Role.MARKETER), at=context.now())
    return redirect(url_for("marketing.link", link_id=link_id), 303)


@bp.get("/spend")
@allow(Role.MARKETER)
def spend() -> ResponseReturnValue:
    """Show what was paid, and ask for more."""
    return _spend_page({})


@bp.post("/spend")
@allow(Role.MARKETER)
def enter_spend() -> ResponseReturnValue:
    """Enter an amount for one link."""

    def work() -> str:
        new, key = _read_spend(), pages.form_key()
        with context.transaction(reason="spend:enter") as session:
            spending.enter_spend(session, new, identity.scope(Role.MARKETER), key=key, at=context.now())
        return url_for("marketing.spend")

    return _carried_out(work, _spend_page)


def _carried_out(
    work: Callable[[], str], form: Callable[[Mapping[str, str], RecruitError], str]
) -> ResponseReturnValue:
    """Carry out a post and go where it leads, or show its form again with what was typed and what is wrong."""
    try:
        where = work()
    except (Conflict, Invalid, Refused) as error:
        return form(request.form, error), 422
    return redirect(where, 303)


def _link_form(posted: Mapping[str, str], *errors: RecruitError) -> str:
    scope, found = identity.scope(Role.MARKETER), fields.problems(*errors)
    with context.reading() as session:
        studies, sites = studies_within(session, scope), pages.sites_within(session, scope)
    return render_template(
        "marketing/link_new.html",
        studies=studies,
        sites=sites,
        media=list(Medium),
        posted=posted,
        errors=found,
        wrong=fields.wrong(found),
    )


def _spend_page(posted: Mapping[str, str], *errors: RecruitError) -> str:
    scope, found = identity.scope(Role.MARKETER), fields.problems(*errors)
    page = _asked_page()
    with context.reading() as session:
        lines = links_read.list_links(session, scope)
        entries = pages.spend_lines(session, scope, page=page)
    return render_template(
        "marketing/spend.html",
        lines=lines,
        entries=entries[: pages.SPEND_PAGE],
        page=page,
        has_older=len(entries) > pages.SPEND_PAGE,
        currencies=spending.CURRENCIES,
        key=new_token(),
        posted=posted,
        errors=found,
        wrong=fields.wrong(found),
        when=recent_moment,
    )


def _asked_page() -> int:
    """Read which page of a list is asked for; the first where that cannot be read."""
    text = request.args.get("page", "")
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 5 else 1


def _read_link() -> NewLink:
    study_id = fields.key("study")
    if study_id is None:
        raise Invalid("Select a study.", field="study")
    medium, channel = fields.line("medium"), fields.line("channel", longest=NAME_LENGTH)
    if medium not in {kind.value for kind in Medium}:
        raise Invalid("Select what kind of placement it is.", field="medium")
    if not channel:
        raise Invalid(
            "Enter where the link will stand, such as Facebook or Main Street clinic.", field="channel"
        )
    return NewLink(
        study_id=study_id,
        medium=Medium(medium),
        channel=channel,
        site_id=fields.key("site"),
        campaign=fields.line("campaign", longest=NAME_LENGTH),
        content=fields.line("content", longest=NAME_LENGTH),
    )


def _read_spend() -> NewSpend:
    link_id = fields.key("link")
    if link_id is None:
        raise Invalid("Select the link that this was paid for.", field="link")
    start, end = parse_day(fields.line("from_day")), parse_day(fields.line("until_day"))
    if start is None:
        raise Invalid("Enter the first day.", field="from_day")
    if end is None:
        raise Invalid("Enter the last day.", field="until_day")
    currency = fields.line("currency", longest=3)
    amount = spending.read_amount(fields.line("amount", longest=20), currency=currency)
    return NewSpend(link_id, start, end, amount, currency, fields.line("note", longest=200))


def _asked(found: list[fields.Problem]) -> tuple[UUID | None, Period]:
    """Read the study and the days that a funnel is asked for; what cannot be read is noted as a problem."""
    study_id = pages.asked_key("study", found)
    start, end = _asked_day("from", found), _asked_day("until", found)
    return study_id, Period(context.settings().zone, start, end)


def _asked_day(name: str, found: list[fields.Problem]) -> date | None:
    try:
        text = fields.line(name, longest=10, query=True)
    except Invalid as error:
        found += fields.problems(error)
        return None
    day = parse_day(text)
    if text and day is None:
        found.append(fields.Problem(name, "Enter a day, such as 2026-11-18."))
    return day
