"""Build the application: settings, database, gates, then one blueprint for each area.

Read this file for what there is, ``recruit/pipeline.py`` for what happens to a person.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from recruit import cli, context, logs, upkeep
from recruit import settings as configuration
from recruit.clock import Clock, SystemClock
from recruit.context import Application
from recruit.crypto import Keyring
from recruit.db import Database
from recruit.settings import Environment, Settings
from recruit.web import (
    account,
    admin,
    assets,
    desk,
    errors,
    guards,
    identity,
    languages,
    public,
    security,
    service,
    studies,
    templating,
    trail,
)

_HERE = Path(__file__).resolve().parent
ASSETS = _HERE / "_assets" if (_HERE / "_assets").is_dir() else _HERE.parent
BLUEPRINTS = (service.bp, public.bp, account.bp, admin.bp, trail.bp, studies.bp, desk.bp)
NAVIGATION = (*desk.NAVIGATION, *studies.NAVIGATION, *admin.NAVIGATION)


def create_app(
    settings: Settings | None = None, *, clock: Clock | None = None, database: Database | None = None
) -> Flask:
    """Build the application of this package; ``campaigns.app`` extends it.

    :raises BadSettings: a setting is missing or unsafe
    """
    settings = settings or configuration.from_environment(env_file=ASSETS / ".env")
    logs.configure(settings.log_level)
    app = Flask(__name__, static_folder=str(ASSETS / "static"), template_folder=str(ASSETS / "templates"))
    app.extensions["recruit_root"] = _HERE.parent
    _configure(app, settings)
    database = database or _database(settings)
    app.extensions[context.EXTENSION] = Application(settings, database, clock or SystemClock())
    _install(app, settings)
    context.of(app).navigation.extend(NAVIGATION)
    for job in upkeep.JOBS:
        context.of(app).jobs.register(job)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    cli.register(app)
    return app


def _configure(app: Flask, settings: Settings) -> None:
    prefix = "__Host-" if settings.secure else ""
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME=f"{prefix}recruit",
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=settings.session_hours),
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,
        TESTING=settings.environment is Environment.TEST,
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if settings.trusted_proxies:
        n = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]


def _database(settings: Settings) -> Database:
    keyring = Keyring.from_settings(settings.master_key, secret_key=settings.secret_key)
    return Database(
        settings.database_url, keyring=keyring, durable=settings.environment is not Environment.TEST
    )


def _install(app: Flask, settings: Settings) -> None:
    identity.install(app)
    security.install(app, settings)
    guards.install(app)
    _protect_staff_posts(app)
    languages.install(app)
    assets.install(app)
    templating.install(app, settings)
    errors.install(app)


def _protect_staff_posts(app: Flask) -> None:
    """Ask for a CSRF token on every staff post; public posts are checked for their origin instead.

    A participant's page may be open for hours; a stale token must not cost an answer.
    """
    protect = CSRFProtect(app)

    @app.before_request
    def require_token() -> None:
        asked = app.config["WTF_CSRF_ENABLED"] and not security.is_public(app)
        if asked and not security.is_machine(app):
            protect.protect()
