"""An installation in use, and a backup of it from before what a restore must not undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session

from campaigns.app import create_app
from recruit import backup
from recruit.accounts.models import Account
from recruit.clock import FixedClock
from recruit.contact import queries as contact_queries
from recruit.contact import service as contact
from recruit.contact.models import ContactChannel, SuppressionReason
from recruit.contact.service import OwnAct
from recruit.db import Base, Database, found
from recruit.operations import service as operations
from recruit.people import queries as people
from recruit.people.models import ContactKind, Person
from recruit.settings import Environment, Settings
from tests.campaigns.scenes import OpenStudy, Reachable, make_open_study, make_reachable
from tests.conftest import NOON, SECRET

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SINCE = NOON + HOUR
"""When things happen that the backup does not know."""
SMS = ContactChannel.SMS
NUMBER, STRANGER = "+12125550111", "+12125550199"


@dataclass
class Place:
    """An installation in use, with somebody in it and a backup of that moment."""

    app: Flask
    database: Database
    folder: Path
    study: OpenStudy
    ann: Reachable
    copy: Path

    def write(self, change: Callable[[Session], object]) -> None:
        """Let something happen that the backup does not know."""
        with self.database.transaction(actor="account:1", reason="test") as session:
            change(session)

    def restore(self) -> backup.Restored:
        """Put the backup in the database's place, a day later."""
        return backup.restore(
            self.database, self.copy, replace=True, folder=self.folder / "aside", at=NOON + DAY
        )

    def run(self, *arguments: str) -> Result:
        """Run a command of ``flask db``."""
        return self.app.test_cli_runner().invoke(args=["db", *arguments])

    def closed(self, number: str = NUMBER) -> SuppressionReason | None:
        """Say how a number is closed for texts, asking as the gates do."""
        with self.database.reading() as session:
            token = people.address_token(session, ContactKind.PHONE, number)
            return contact_queries.closed_for(session, token, SMS)

    def stop(self, number: str = NUMBER, *, at: datetime = SINCE) -> None:
        """Let somebody text STOP."""

        def close(session: Session) -> None:
            token = people.address_token(session, ContactKind.PHONE, number)
            contact.suppress(session, token, SMS, SuppressionReason.STOP, source="reply", at=at)

        self.write(close)

    def start(self, number: str = NUMBER, *, at: datetime) -> None:
        """Let somebody text START."""

        def lift(session: Session) -> None:
            token = people.address_token(session, ContactKind.PHONE, number)
            assert contact.lift(session, token, SMS, act=OwnAct.TEXTED_START, at=at)

        self.write(lift)

    def count(self, model: type[Base], *conditions: sa.ColumnElement[bool]) -> int:
        """Count the rows of a table."""
        with self.database.reading() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(model).where(*conditions)) or 0

    def person(self, person_id: UUID) -> Person:
        """Fetch a person."""
        with self.database.reading() as session:
            return found(session, Person, person_id)

    def account(self, account_id: UUID) -> Account:
        """Fetch an account."""
        with self.database.reading() as session:
            return found(session, Account, account_id)


def make_place(database: Database, folder: Path, *, before: Callable[[Session, OpenStudy], object]) -> Place:
    """Put a database to use, let ``before`` happen, and back it up."""
    settings = Settings(
        environment=Environment.TEST,
        database_url=database.engine.url.render_as_string(hide_password=False),
        secret_key=SECRET,
        backup_folder=str(folder / "backups"),
        log_level="ERROR",
    )
    app = create_app(settings, clock=FixedClock(NOON + DAY), database=database)
    with database.transaction(actor="test") as session:
        operations.ensure(session)
        study = make_open_study(session)
        ann = make_reachable(session, study, number=NUMBER)
        before(session, study)
    made = backup.write(database, folder / "copy", at=NOON)
    return Place(app, database, folder, study, ann, made.path)
