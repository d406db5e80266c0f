from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from recruit.accounts import service
from recruit.accounts.models import Account, Role
from recruit.audit import queries
from recruit.audit.models import AuditEntry
from recruit.audit.queries import PAGE, Filter
from recruit.db import Database
from tests.browsing import signed_in
from tests.conftest import NOON
from tests.factories import make_account

TRAIL = "/staff/admin/trail"


@pytest.fixture
def ana(database: Database) -> Account:
    with database.transaction(actor="cli:users", reason="account:invite") as session:
        return make_account(session, Role.AUDITOR, name="Ana Ortiz", email="ana@example.org")


@pytest.fixture
def auditor(app: Flask, ana: Account) -> FlaskClient:
    return signed_in(app, ana, at=NOON)


def fill(database: Database, number: int, *, at: datetime = NOON) -> None:
    """Write rows as the triggers would."""
    with database.transaction(actor="test") as session:
        session.add_all(
            AuditEntry(
                table_name="study",
                row_id=f"{n:032x}",
                operation="UPDATE",
                columns="title,version",
                actor="job:filler",
                reason=f"reason-{n}-",
                request_id="",
                recorded_at=at,
            )
            for n in range(number)
        )


class TestPage:
    def test_says_who_did_what_and_why_without_a_value(
        self, auditor: FlaskClient, database: Database, ana: Account
    ) -> None:
        with database.transaction(actor=f"account:{ana.id}", reason="account:preferences") as session:
            service.set_preferences(session, ana.id, language="es", theme="dark", shortcuts=True)

        page = auditor.get(f"{TRAIL}?table=account").text

        assert "account:preferences" in page
        assert ">Ana Ortiz</a>" in page
        assert "language, theme, version" in page or "language, version, theme" in page or "theme" in page
        assert "ana@example.org" not in page
        assert "cli:users" in page

    def test_narrows_by_row_however_its_key_is_written(self, auditor: FlaskClient, ana: Account) -> None:
        dashed, plain = str(ana.id), ana.id.hex

        for key in (dashed, plain, dashed.upper()):
            page = auditor.get(TRAIL, query_string={"table": "account", "row": key}).text
            assert "account:invite" in page
        assert "No changes found" in auditor.get(f"{TRAIL}?row={'0' * 32}").text

    def test_narrows_by_person_and_by_actor(
        self, auditor: FlaskClient, database: Database, ana: Account
    ) -> None:
        fill(database, 1)
        with database.transaction(actor=f"account:{ana.id}", reason="account:preferences") as session:
            service.set_preferences(session, ana.id, language="es", theme="dark", shortcuts=True)

        by_email = auditor.get(f"{TRAIL}?actor=ANA@example.org").text
        by_actor = auditor.get(f"{TRAIL}?actor=job:filler").text

        assert "account:preferences" in by_email
        assert "reason-0-" not in by_email
        assert "reason-0-" in by_actor
        assert "account:preferences" not in by_actor

    def test_a_day_is_the_operator_s_day(self, auditor: FlaskClient, database: Database) -> None:
        fill(database, 1, at=datetime(2026, 3, 9, 3, 59, tzinfo=UTC))  # 11:59 PM on the 8th in New York

        assert "reason-0-" in auditor.get(f"{TRAIL}?day=2026-03-08").text
        assert "reason-0-" not in auditor.get(f"{TRAIL}?day=2026-03-09").text

    def test_pages_meet_without_gap_or_overlap(self, auditor: FlaskClient, database: Database) -> None:
        fill(database, 2 * PAGE + 7)
        seen, place = list[str](), f"{TRAIL}?table=study"

        while place:
            page = auditor.get(place).text
            seen += [word.split("-")[1] for word in page.split() if "reason-" in word]
            _, older, rest = page.partition('rel="next" href="')
            place = rest.split('"')[0].replace("&amp;", "&") if older else ""

        assert seen == [str(n) for n in reversed(range(2 * PAGE + 7))]

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ({"day": "2026-13-99"}, "Enter a day"),
            ({"day": "0001-01-01"}, "Enter a day"),
            ({"day": "9999-12-31"}, "Enter a day"),
            ({"actor": "nobody@example.org"}, "no account with this email"),
            ({"actor": "\x00"}, "Use only letters"),
            ({"row": "x" * 500}, "at most 254"),
            ({"table": "nothing"}, "Select a table"),
            ({"table": "study\x00"}, "Use only letters"),
            ({"before": "-1"}, "does not exist"),
            ({"before": "9" * 19}, "does not exist"),
            ({"after": "NaN"}, "does not exist"),
            ({"after": "\u0661"}, "does not exist"),
        ],
    )
    def test_says_what_is_wrong_with_a_filter(
        self, auditor: FlaskClient, query: dict[str, str], words: str
    ) -> None:
        answer = auditor.get(TRAIL, query_string=query)

        assert answer.status_code == 422
        assert words in answer.text


def test_going_back_gives_the_page_one_came_from(database: Database) -> None:
    fill(database, 3 * PAGE)
    with database.reading() as session:
        only = Filter(table="study")
        first = queries.page(session, only)
        second = queries.page(session, only, older_than=first.older_than)
        third = queries.page(session, only, older_than=second.older_than)

        assert queries.page(session, only, newer_than=third.newer_than).entries == second.entries
        assert queries.page(session, only, newer_than=second.newer_than).entries == first.entries
    assert first.newer_than is None
    assert third.older_than is None


def test_the_day_that_the_clocks_change_has_all_its_hours(database: Database) -> None:
    start = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)  # midnight in New York, 25 hours long
    for hours in (-1, 0, 24, 25):
        fill(database, 1, at=start + timedelta(hours=hours))

    with database.reading() as session:
        day = start.date()
        page = queries.page(session, Filter(table="study", day=day, zone="America/New_York"))

    assert [entry.recorded_at - start for entry in page.entries] == [timedelta(hours=24), timedelta(0)]


def test_every_audited_table_can_be_asked_for(database: Database) -> None:
    with database.reading() as session:
        written = set(session.scalars(sa.select(AuditEntry.table_name).distinct()))

    assert written <= set(queries.tables())
    assert {"account", "grant", "login_session"} <= set(queries.tables())
