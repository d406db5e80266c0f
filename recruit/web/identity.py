"""Who is signed in: Flask-Login in front of the server-side session rows."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import Flask, g, request, session
from flask_login import LoginManager, UserMixin, login_user, logout_user

from recruit import context
from recruit.accounts import sessions
from recruit.accounts.models import Role
from recruit.accounts.policy import NOTHING, Permits, Scope
from recruit.accounts.sessions import SignedIn


class StaffUser(UserMixin):  # type: ignore[misc]
    """Flask-Login's user: the token of one server-side session."""

    def __init__(self, token: str, signed_in: SignedIn) -> None:
        self.token = token
        self.signed_in = signed_in

    def get_id(self) -> str:
        """Give the token; the row behind it decides whether it still counts."""
        return self.token


def install(app: Flask) -> None:
    """Resolve the session row of each request, and refresh when it was last used."""
    manager = LoginManager(app)
    manager.session_protection = None

    @manager.user_loader  # type: ignore[untyped-decorator]
    def load(token: str) -> StaffUser | None:
        idle = timedelta(minutes=context.settings().session_idle_minutes)
        with context.reading() as db:
            found = sessions.resolve(db, token, idle=idle, at=context.now())
        if found is None:
            return None
        g.account_id, g.permits, g.signed_in = found.account_id, found.permits, found
        if context.now() - found.last_seen_at > sessions.SEEN_EVERY:
            with context.transaction(reason="session:seen") as db:
                sessions.touch(db, found.session_id, at=context.now())
        return StaffUser(token, found)

    @app.before_request
    def nobody_yet() -> None:
        g.setdefault("permits", Permits(()))


def remember(token: str, signed_in: SignedIn) -> None:
    """Start the browser's session anew with this token, so that nothing from before signs in with it."""
    session.clear()
    login_user(StaffUser(token, signed_in))


def forget() -> None:
    """Drop the browser's session."""
    logout_user()
    session.clear()


def signed_in() -> SignedIn | None:
    """Give who is signed in, or nobody."""
    current: SignedIn | None = g.get("signed_in")
    return current


def account_id() -> UUID | None:
    """Give the account that is signed in."""
    current = signed_in()
    return current.account_id if current else None


def scope(*roles: Role) -> Scope:
    """Give where the account signed in holds any of these roles."""
    permits: Permits | None = g.get("permits")
    return permits.scope(*roles) if permits else NOTHING


def agent() -> str:
    """Give the browser's own words about itself, shortened."""
    return (request.user_agent.string or "")[:120]
