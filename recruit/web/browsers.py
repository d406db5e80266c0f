"""Where staff are signed in, as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask_babel import gettext as _

from recruit.accounts.browsers import browser_name
from recruit.accounts.queries import Browser
from recruit.web.moments import recent_moment


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One browser: whose, what it calls itself, since when, and whether it is the one at hand."""

    id: UUID
    account_id: UUID
    owner: str
    label: str
    since: str
    seen: str
    is_this: bool


def session_rows(
    browsers: Sequence[Browser], *, own: UUID, names: Mapping[UUID, str] | None = None
) -> list[SessionRow]:
    """Describe browsers for people; ``own`` is the session of this request."""
    return [
        SessionRow(
            id=browser.id,
            account_id=browser.account_id,
            owner=(names or {}).get(browser.account_id, ""),
            label=_label(browser.agent),
            since=recent_moment(browser.created_at),
            seen=recent_moment(browser.last_seen_at),
            is_this=browser.id == own,
        )
        for browser in browsers
    ]


def _label(agent: str) -> str:
    browser, system = browser_name(agent)
    if browser and system:
        return str(_("%(browser)s on %(system)s", browser=browser, system=system))
    return browser or system or str(_("Unknown browser"))
