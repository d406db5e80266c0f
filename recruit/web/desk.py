"""The recruiter's day: queue, person, call, referral, visits, outcome."""

from __future__ import annotations

from flask import Blueprint
from flask_babel import lazy_gettext as _l

from recruit.accounts.models import Role
from recruit.web.navigation import NavigationItem
from recruit.web.recruiting import (
    arrival,
    assisted,
    beginning,
    call,
    changed,
    newcomer,
    person,
    queue,
    referral,
    referrals,
    renewing,
    visit,
)
from recruit.web.recruiting.scene import Stale

_GROUP = "Recruiting"
_RECRUITER = frozenset({Role.RECRUITER})
bp = Blueprint("desk", __name__, url_prefix="/staff/desk")
NAVIGATION: tuple[NavigationItem, ...] = (
    NavigationItem(_GROUP, "Queue", "desk.queue.show", _RECRUITER, order=10),
    NavigationItem(_GROUP, "Referrals", "desk.referrals.show", _RECRUITER, order=11),
    NavigationItem(_GROUP, "Caller or walk-in", "desk.newcomer.find", _RECRUITER, order=12),
)
_MESSAGES = (_l("Recruiting"), _l("Queue"), _l("Referrals"), _l("Caller or walk-in"))

for _pages in (
    *(queue, person, call, renewing, referral, referrals),
    *(visit, newcomer, beginning, assisted, arrival),
):
    bp.register_blueprint(_pages.bp)
bp.register_error_handler(Stale, changed.show)
