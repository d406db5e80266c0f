"""What a view, command or job needs from the application around it, and how it gets it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime

from flask import Flask, current_app, g, has_request_context
from sqlalchemy.orm import Session

from recruit.clock import Clock
from recruit.db import Database
from recruit.jobs import Registry
from recruit.settings import Settings
from recruit.web.navigation import NavigationItem

EXTENSION = "recruit"


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """A made-up member of staff that anybody may sign in as."""

    email: str
    password: str
    role: str


@dataclass(frozen=True, slots=True)
class Demo:
    """How to fill an empty database with made-up people, and who can then sign in.

    :param build: called with the application and with something to say progress to
    """

    build: Callable[[Application, Callable[[str], None]], None]
    accounts: tuple[DemoAccount, ...]


@dataclass
class Application:
    """The parts of one running application; kept in ``app.extensions["recruit"]``.

    ``demo`` is set by whoever builds the whole application and knows how to make one.
    """

    settings: Settings
    database: Database
    clock: Clock
    jobs: Registry = field(default_factory=Registry)
    navigation: list[NavigationItem] = field(default_factory=list)
    demo: Demo | None = None


def of(app: Flask) -> Application:
    """Give the parts of an application."""
    application: Application = app.extensions[EXTENSION]
    return application


def application() -> Application:
    """Give the parts of the application that serves this request or command."""
    return of(current_app)


def settings() -> Settings:
    """Give the settings."""
    return application().settings


def database() -> Database:
    """Give the database."""
    return application().database


def now() -> datetime:
    """Give the instant this request arrived: the same for everything it does."""
    if not has_request_context():
        return application().clock.now()
    if "at" not in g:
        g.at = application().clock.now()
    at: datetime = g.at
    return at


def request_id() -> str:
    """Give the id of this request, which is in the logs, the trail and the error page."""
    if not has_request_context():
        return ""
    if "request_id" not in g:
        g.request_id = secrets.token_hex(8)
    request_id: str = g.request_id
    return request_id


def actor() -> str:
    """Name who acts: the account signed in, or an anonymous participant."""
    account_id = getattr(g, "account_id", None) if has_request_context() else None
    return f"account:{account_id}" if account_id else "participant"


def transaction(*, reason: str = "", by: str = "") -> AbstractContextManager[Session]:
    """Open a writing session for this request's actor; see ``Database.transaction``."""
    return database().transaction(actor=by or actor(), reason=reason, request_id=request_id())


def reading() -> AbstractContextManager[Session]:
    """Open a session that cannot write."""
    return database().reading()
