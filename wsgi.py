"""The whole application, for a WSGI server: ``gunicorn wsgi:app`` or ``flask --app wsgi``."""

from campaigns.app import create_app

app = create_app()
