"""The whole application, for a WSGI server: ``gunicorn wsgi:app`` or ``flask --app wsgi``."""

from recruit.loading import uncollected

with uncollected():
    from campaigns.app import create_app
    from recruit import cli

    app = cli.started(create_app)
