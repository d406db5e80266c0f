"""The whole application: what ``recruit`` builds, and what is said to whom on top of it."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from campaigns.context import EXTENSION, Campaigning
from campaigns.jobs import Sending
from campaigns.providers.choice import carriers_of
from campaigns.reactions import Reactions
from campaigns.web import callbacks, go, messages, questionnaires, readable
from campaigns.wording import Wording
from recruit import app as recruit_app
from recruit import context
from recruit.clock import Clock
from recruit.context import Application, Demo, DemoAccount
from recruit.db import Database
from recruit.demo.members import MEMBERS, PASSWORD
from recruit.settings import Settings
from recruit.web import guards

BLUEPRINTS = (questionnaires.bp, messages.bp, go.bp, callbacks.bp, readable.bp)
NAVIGATION = (*questionnaires.NAVIGATION, *messages.NAVIGATION)


def create_app(
    settings: Settings | None = None, *, clock: Clock | None = None, database: Database | None = None
) -> Flask:
    """Build the application; every route has said who may call it, or it does not start.

    :raises BadSettings: a setting is missing or unsafe
    :raises RuntimeError: a route has no rule
    """
    app = recruit_app.create_app(settings, clock=clock, database=database)
    _extend(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    context.of(app).navigation.extend(NAVIGATION)
    guards.require_rules(app)
    return app


def _extend(app: Flask) -> None:
    """Add the texts, the carriers, the reactions to what happens, and the jobs."""
    application = context.of(app)
    settings, clock = application.settings, application.clock
    wording = Wording(app.jinja_env, settings.operator_name, settings.help_phone)
    carriers = carriers_of(settings)
    app.extensions[EXTENSION] = Campaigning(wording, carriers)
    Reactions(wording, clock).subscribe(application.database)
    application.demo = _demo(wording)
    for job in Sending(carriers, wording, clock, settings.public_url).jobs():
        application.jobs.register(job)


def _demo(wording: Wording) -> Demo:
    """Say how the demonstration is made, and who can sign in to it."""

    def build(application: Application, progress: Callable[[str], None]) -> None:
        from campaigns import demo  # here, because it is made once in an installation's life, or never

        demo.make(wording, application, progress)

    return Demo(build, tuple(DemoAccount(one.email, PASSWORD, one.role.value) for one in MEMBERS))
