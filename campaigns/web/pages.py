"""What the marketer's pages share: reading what is asked for, and numbers as they are shown."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from babel.numbers import get_currency_precision
from flask import request
from flask_babel import format_currency
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from campaigns.links.queries import label
from campaigns.reports.funnel import MAIN, Funnel, FunnelRow, Period, Stage
from campaigns.reports.funnel import funnel as count_funnel
from campaigns.reports.models import Spend
from campaigns.scoping import within
from recruit.accounts.policy import Scope
from recruit.errors import Invalid
from recruit.intake.models import SourceLink
from recruit.studies.models import Site, Study
from recruit.web import fields

NONE = "\u2013"
SPEND_PAGE = 25
COSTED = (Stage.CONTACT_LEFT, Stage.REFERRED, Stage.RANDOMISED)


@dataclass(frozen=True, slots=True)
class Definition:
    """A stage with its name and what is counted."""

    stage: Stage
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One source as the table shows it."""

    id: UUID | None
    name: str
    medium: str
    counts: list[int]
    spend: str
    costs: list[str]


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of the chart; ``share`` is that of the step before, where people come here by that step alone."""

    label: str
    value: int
    note: str
    share: float | None


@dataclass(frozen=True, slots=True)
class ShownFunnel:
    """The funnel as the page shows it."""

    steps: list[Step]
    definitions: list[Definition]
    rows: list[ShownRow]
    total: ShownRow
    costed: list[str]


@dataclass(frozen=True, slots=True)
class SpendLine:
    """One entered amount as the page shows it."""

    name: str
    from_day: date
    until_day: date
    amount: str
    note: str
    entered_at: datetime


def definitions() -> list[Definition]:
    """Say what every stage counts; printed on the report."""
    texts = {
        Stage.CLICKED: (
            _("Clicks"),
            _("People who followed the link; link previews and other programs are not counted."),
        ),
        Stage.STARTED: (_("Started"), _("Questionnaires begun, online or with staff.")),
        Stage.COMPLETED: (_("Completed"), _("Questionnaires answered to the end.")),
        Stage.MAY_FIT: (_("May fit"), _("Completed, with the result “may fit” or “we need to talk”.")),
        Stage.CONTACT_LEFT: (
            _("Contact left"),
            _("People who left a way to reach them, with or without answers."),
        ),
        Stage.CONTACTED: (_("Contacted"), _("People somebody has spoken to.")),
        Stage.REFERRED: (_("Referred"), _("People handed over to a site.")),
        Stage.VISIT_BOOKED: (_("Visit booked"), _("People with a visit booked at a site.")),
        Stage.VISIT_ATTENDED: (_("Visit attended"), _("People who came to a visit.")),
        Stage.CONSENTED: (_("Consented"), _("People who signed informed consent.")),
        Stage.RANDOMISED: (
            _("Randomized"),
            _("People randomized, or enrolled where the study counts enrolment."),
        ),
        Stage.SCREEN_FAILED: (_("Screen failed"), _("People who failed screening after informed consent.")),
    }
    return [Definition(stage, *texts[stage]) for stage in Stage]


def shown_funnel(funnel: Funnel) -> ShownFunnel:
    """Turn counts into what the page shows."""
    named = definitions()
    names = {definition.stage: definition.name for definition in named}
    return ShownFunnel(
        steps=_steps(named, funnel),
        definitions=named,
        rows=[_shown(row) for row in funnel.rows],
        total=_shown(funnel.total),
        costed=[names[stage] for stage in COSTED],
    )


def shown_studies(session: Session, scope: Scope, period: Period, offered: list[Study]) -> list[ShownRow]:
    """Count each study by itself, so that the figures are those of its own page; nothing for a single study."""
    if len(offered) < 2:
        return []
    counted = [
        (study, count_funnel(session, scope, period=period, study_id=study.id).total) for study in offered
    ]
    return [
        replace(_shown(row), id=study.id, name=study.nickname)
        for study, row in counted
        if row.spend or any(row.counts.values())
    ]


def _steps(named: list[Definition], funnel: Funnel) -> list[Step]:
    way = {one.stage: one for one in named if one.stage in MAIN}
    return [_step(one, before, funnel) for one, before in zip(way.values(), (None, *way), strict=False)]


def _step(definition: Definition, before: Stage | None, funnel: Funnel) -> Step:
    """Compare a step with the one before; whoever started without a link never clicked one."""
    stage, counts = definition.stage, funnel.total.counts
    count, note = counts[stage], ""
    unlinked = sum(row.counts[stage] for row in funnel.rows if row.source_link_id is None)
    if stage is Stage.STARTED and unlinked:
        note = str(_("%(number)s of these came without a link.", number=unlinked))
        count -= unlinked
    reached = counts[before] if before else 0
    if reached and count > reached:
        note = definition.text
    return Step(definition.name, counts[stage], note, count / reached if 0 < count <= reached else None)


def funnel_csv(funnel: Funnel) -> str:
    """Write the funnel as CSV with stable column names, one row for each source."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["source_link_id", "name", "medium", *(stage.value for stage in Stage), "spend"])
    for row in funnel.rows:
        paid = " ".join(f"{amount} {currency}" for currency, amount in sorted(row.spend.items()))
        counts = (row.counts[stage] for stage in Stage)
        writer.writerow([row.source_link_id or "", _harmless(row.name), row.medium, *counts, paid])
    return out.getvalue()


def money(amount_minor: int, currency: str) -> str:
    """Write an amount the reader's way."""
    places = get_currency_precision(currency)
    return str(format_currency(Decimal(amount_minor).scaleb(-places), currency))


def sites_within(session: Session, scope: Scope) -> list[Site]:
    """List the sites for which links may be made."""
    named = {site_id for site_id, _study in scope.pairs}
    everywhere = None in named
    query = sa.select(Site).where(Site.is_test.is_(False)).order_by(Site.name)
    return [site for site in session.scalars(query) if everywhere or site.id in named]


def require_place(session: Session, scope: Scope, study_id: UUID, site_id: UUID | None) -> None:
    """Refuse a place outside the scope, or one that does not exist.

    :raises Invalid: no grant covers the study at this site
    """
    known = site_id is None or session.get(Site, site_id) is not None
    if not known or not scope.covers(site_id=site_id, study_id=study_id):
        raise Invalid("Select a site that is yours.", field="site")


def spend_lines(session: Session, scope: Scope, *, page: int) -> list[SpendLine]:
    """List what was entered, newest first: one page, and one line more where another page follows."""
    rows = session.execute(
        sa.select(Spend, SourceLink)
        .join(SourceLink, SourceLink.id == Spend.source_link_id)
        .where(within(scope, SourceLink.study_id, SourceLink.site_id))
        .order_by(Spend.entered_at.desc(), Spend.id)
        .limit(SPEND_PAGE + 1)
        .offset((page - 1) * SPEND_PAGE)
    ).all()
    return [
        SpendLine(
            name=label(row.SourceLink),
            from_day=row.Spend.from_day,
            until_day=row.Spend.until_day,
            amount=money(row.Spend.amount_minor, row.Spend.currency),
            note=row.Spend.note,
            entered_at=row.Spend.entered_at,
        )
        for row in rows
    ]


def form_key() -> str:
    """Read the key that makes sending a form twice harmless.

    :raises Invalid: there is none
    """
    key = fields.line("key", longest=80)
    if not key:
        raise Invalid("This form is too old. Please load the page again.")
    return key


def asked_key(name: str, found: list[fields.Problem]) -> UUID | None:
    """Read a key from the address; what is none becomes a problem of the page."""
    text = request.args.get(name, "").strip()
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        found.append(fields.Problem(name, _("Select one from the list.")))
        return None


def _shown(row: FunnelRow) -> ShownRow:
    costs = []
    for stage in COSTED:
        cost = row.cost_per(stage)
        costs.append(money(*cost) if cost else NONE)
    return ShownRow(
        id=row.source_link_id,
        name=row.name,
        medium=row.medium,
        counts=[row.counts[stage] for stage in Stage],
        spend=", ".join(money(amount, currency) for currency, amount in sorted(row.spend.items())) or NONE,
        costs=costs,
    )


def _harmless(text: str) -> str:
    """Keep a spreadsheet from reading a name as a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text
