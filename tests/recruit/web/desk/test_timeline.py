"""What the timeline says of a message: by which channel, what for, and what became of it."""

from __future__ import annotations

from flask.testing import FlaskClient

from recruit.contact import service as contact
from recruit.contact.models import ContactChannel, Direction
from recruit.contact.policy import MessagePurpose
from recruit.db import Database
from tests.conftest import NOON
from tests.recruit.web.desk.conftest import Desk


def test_a_code_is_no_message_about_the_study(browser: FlaskClient, desk: Desk, database: Database) -> None:
    with database.transaction(actor="job:send_messages") as session:
        contact.note_contact(
            session,
            desk.person_id,
            direction=Direction.OUT,
            channel=ContactChannel.SMS,
            purpose=MessagePurpose.VERIFICATION.value,
            outcome="handed_over",
            at=NOON,
        )

    page = browser.get(desk.url).text

    assert "Text, code to confirm the address: Sent" in page
