"""Where a referral stands and what comes next, in words: what its visits, a hold and a put-off day change."""

from __future__ import annotations

from datetime import date, datetime

from babel.dates import format_skeleton
from flask_babel import gettext as _

from recruit.clock import civil_day
from recruit.referrals.queries import ReferralRow
from recruit.referrals.states import State
from recruit.web import languages
from recruit.web.recruiting import clocks, words
from recruit.web.recruiting.words import Badge

QUIET_DAYS = 7


def badge(row: ReferralRow) -> Badge:
    """Name where a referral stands; a booked visit that was called off is not booked any more."""
    if row.is_called_off:
        return Badge(text=str(_("Visit called off")), kind="warn")
    return words.state(row.referral.state)


def hold(row: ReferralRow) -> Badge | None:
    """Ask for a call where a visit is still to come and recruiting is on hold."""
    return Badge(text=str(_("Site on hold: call them")), kind="hold") if row.is_held else None


def next_step(row: ReferralRow, *, now: datetime) -> str:
    """Say what comes next: a visit that stands is waited for, then told about."""
    if row.referral.closed_at is not None:
        return ""
    if row.is_called_off:
        return str(_("Book a new visit"))
    if row.next_visit is not None:
        return _before(row, row.next_visit) if row.next_visit > now else str(_("Say who came"))
    if row.until is not None and civil_day(now, row.site.zone) < row.until:
        return str(_("Wait until %(day)s", day=clocks.day(row.until)))
    return _usual(row.referral.state)


def is_quiet(row: ReferralRow, *, now: datetime) -> bool:
    """Say whether the site owes news: nobody does before the visit, or before the day one was put off to."""
    if row.referral.closed_at is not None:
        return False
    return (civil_day(now, row.site.zone) - _expected_from(row)).days > QUIET_DAYS


def _expected_from(row: ReferralRow) -> date:
    """Give the day from which on news can be expected."""
    visit = civil_day(row.next_visit, row.site.zone) if row.next_visit else None
    return max(day for day in (row.referral.state_since, row.until, visit) if day is not None)


def _before(row: ReferralRow, visit: datetime) -> str:
    day = format_skeleton("MMMd", civil_day(visit, row.site.zone), locale=languages.current())
    return str(_("Visit on %(day)s", day=day))


def _usual(state: State) -> str:
    """Say what usually follows a state."""
    table = {
        State.REFERRED: _("Acknowledge and call"),
        State.ACKNOWLEDGED: _("Call the person"),
        State.CONTACT_ATTEMPTED: _("Call again"),
        State.CONTACTED: _("Phone screen"),
        State.PHONE_SCREEN_PASSED: _("Book a visit"),
        State.RECORDS_PENDING: _("Ask for the records"),
        State.DEFERRED: _("Call again"),
        State.VISIT_BOOKED: _("Say who came"),
        State.NO_SHOW: _("Call and book again"),
        State.VISIT_ATTENDED: _("Informed consent"),
        State.CONSENTED: _("Screening"),
        State.IN_SCREENING: _("Result of screening"),
        State.ENROLLED: _("Randomization"),
        State.RANDOMISED: _("Completion"),
    }
    return str(table.get(state, ""))
