"""Sign a test's browser in without the sign-in page, which has tests of its own."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Flask
from flask.testing import FlaskClient

from recruit import context
from recruit.accounts import sessions
from recruit.accounts.models import Account
from recruit.db import found


def signed_in(app: Flask, account: Account, *, at: datetime) -> FlaskClient:
    """Give a browser in which this account is signed in; posts need no CSRF token in it."""
    app.config["WTF_CSRF_ENABLED"] = False
    with context.of(app).database.transaction(actor="test") as session:
        token = sessions.open_session(
            session, found(session, Account, account.id), agent="test", lasts=timedelta(hours=8), at=at
        )
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = token
        cookie["_fresh"] = True
    return client
