"""The blueprint that all pages for coordinators hang on, and their places in the navigation."""

from __future__ import annotations

from flask import Blueprint
from flask_babel import lazy_gettext as _l

from recruit.accounts.models import Role
from recruit.web.navigation import NavigationItem

bp = Blueprint("studies", __name__, url_prefix="/staff")
READERS = frozenset({Role.COORDINATOR, Role.AUDITOR})
_GROUP = "Studies"
NAVIGATION: tuple[NavigationItem, ...] = (
    NavigationItem(_GROUP, "Studies", "studies.index", READERS, order=40),
    NavigationItem(_GROUP, "Sites", "studies.sites", READERS, order=41),
    NavigationItem(_GROUP, "Holds", "studies.holds", READERS, order=42),
)
_MESSAGES = (_l("Studies"), _l("Sites"), _l("Holds"))
