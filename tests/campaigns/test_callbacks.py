"""Receipts in every order, and replies that must act at once."""

from __future__ import annotations

from itertools import permutations
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from twilio.request_validator import RequestValidator

from campaigns.app import create_app
from campaigns.inbox import service as inbox
from campaigns.inbox.keywords import Reply, classify
from campaigns.inbox.models import ProviderCallback
from campaigns.inbox.service import Inbound
from campaigns.outbox.models import Message, MessageEvent
from campaigns.outbox.states import State
from campaigns.outbox.worker import send_due
from campaigns.providers.twilio import STATUSES
from recruit.clock import FixedClock
from recruit.contact.models import Communication, ContactChannel, Direction, Suppression, SuppressionReason
from recruit.db import Database, found
from recruit.settings import Settings
from tests.campaigns.scenes import (
    FakeCarrier,
    OpenStudy,
    Reachable,
    make_open_study,
    make_reachable,
    plan,
    wording,
)
from tests.conftest import NOON

SMS = ContactChannel.SMS
TOKEN = "a-token-of-the-carrier"
SID = "SM" + "0" * 32
OTHER_SID = "SM" + "1" * 32


def receive(
    database: Database, message_id: UUID | None, status: str, *, sid: str = SID, code: str = ""
) -> bool:
    codes = {"state": STATUSES[status].value, **({"error_code": code} if code else {})}
    with database.transaction(actor="test") as session:
        return inbox.receive_status(
            session, provider="twilio", sid=sid, status=status, message_id=message_id, codes=codes, at=NOON
        )


def state_of(database: Database, message_id: UUID) -> State:
    with database.reading() as session:
        return found(session, Message, message_id).state


def scene(database: Database) -> tuple[OpenStudy, Reachable, UUID]:
    with database.transaction(actor="test") as session:
        place = make_open_study(session)
        somebody = make_reachable(session, place, number="+12125550142")
        return place, somebody, plan(session, place, somebody)


class TestReceipts:
    def test_all_720_orders_of_six_receipts_end_delivered(self, database: Database) -> None:
        statuses = ("accepted", "queued", "sending", "sent", "delivered", "read")
        with database.transaction(actor="test") as session:
            place = make_open_study(session)
            somebody = make_reachable(session, place)
            messages = {order: plan(session, place, somebody) for order in permutations(statuses)}

            for number, (order, message_id) in enumerate(messages.items()):
                for status in order:
                    row = ProviderCallback(
                        provider="twilio",
                        kind="status",
                        sid=f"SM{number:032x}",
                        status=status,
                        message_id=message_id,
                        payload={"state": STATUSES[status].value},
                        received_at=NOON,
                    )
                    inbox.apply_one(session, row, at=NOON)

        with database.reading() as session:
            ends = set(session.scalars(sa.select(Message.state)))
            events = session.scalar(sa.select(sa.func.count()).where(MessageEvent.kind == "callback"))
            noted = session.scalar(sa.select(sa.func.count()).select_from(Communication))
        assert len(messages) == 720
        assert ends == {State.DELIVERED}
        assert events == 720 * 6
        assert noted == 720

    @pytest.mark.parametrize("order", list(permutations(("sent", "undelivered", "delivered", "failed"))))
    def test_contradicting_ends_do_not_depend_on_their_order(
        self, database: Database, order: tuple[str, ...]
    ) -> None:
        _, _, message_id = scene(database)

        for status in order:
            receive(database, message_id, status)
        inbox.apply_waiting(database, at=NOON)

        assert state_of(database, message_id) is State.DELIVERED

    def test_the_same_receipt_again_is_one(self, database: Database) -> None:
        _, _, message_id = scene(database)

        assert receive(database, message_id, "delivered")
        assert not receive(database, message_id, "delivered")

    def test_a_receipt_settles_an_answer_that_was_lost(self, database: Database, clock: FixedClock) -> None:
        _, _, message_id = scene(database)
        send_due(database, {SMS: FakeCarrier(lost=1.0)}, clock=clock)

        receive(database, message_id, "sent")
        inbox.apply_waiting(database, at=NOON)

        with database.reading() as session:
            row = found(session, Message, message_id)
        assert (row.state, row.provider_sid) == (State.SENT, SID)

    def test_a_receipt_of_nobodys_message_is_kept_and_done(self, database: Database) -> None:
        receive(database, None, "delivered")

        assert inbox.apply_waiting(database, at=NOON) == 1
        assert inbox.apply_waiting(database, at=NOON) == 0

    def test_an_opt_out_at_the_carrier_closes_the_number(self, database: Database) -> None:
        _, _, message_id = scene(database)

        receive(database, message_id, "undelivered", code="21610")
        inbox.apply_waiting(database, at=NOON)

        with database.reading() as session:
            assert session.scalars(sa.select(Suppression)).one().reason is SuppressionReason.STOP


class TestKeywords:
    @pytest.mark.parametrize(
        ("text", "reply"),
        [
            ("STOP", Reply.STOP),
            ("Stop.", Reply.STOP),
            ("s t o p", Reply.STOP),
            ("please stop", Reply.STOP),
            ("OPT OUT", Reply.STOP),
            ("opt-out!", Reply.STOP),
            ("Quit", Reply.STOP),
            ("End", Reply.STOP),
            ("I revoke", Reply.STOP),
            ("Cancel", Reply.STOP),
            ("Unsubscribe me from this", Reply.STOP),
            ("Could you please take me off whatever list I am on, thank you", Reply.STOP),
            ("Don\u2019t text me", Reply.STOP),
            ("ALTO", Reply.STOP),
            ("No me escriban m\u00e1s", Reply.STOP),
            ("quiero darme de baja por favor se\u00f1orita", Reply.STOP),
            ("Do not contact me again", Reply.STOP_ALL),
            ("no me llamen", Reply.STOP_ALL),
            ("Sorry, wrong number", Reply.WRONG_NUMBER),
            ("n\u00famero equivocado", Reply.WRONG_NUMBER),
            ("Start", Reply.START),
            ("ayuda", Reply.HELP),
            ("Can we cancel my visit on Friday", Reply.OTHER),
            ("I will be there at the end of the week", Reply.OTHER),
            ("My pain does not stop at night, is that a problem for you?", Reply.OTHER),
            ("yes", Reply.OTHER),
            ("", Reply.OTHER),
            ("\x00\ud800", Reply.OTHER),
        ],
    )
    def test_a_reply_is_read_as_a_reasonable_person_would(self, text: str, reply: Reply) -> None:
        assert classify(text) is reply


class TestReplies:
    def reply(
        self,
        database: Database,
        body: str,
        *,
        sid: str = SID,
        answered: bool = False,
        number: str = "+12125550142",
    ) -> Reply | None:
        with database.transaction(actor="test") as session:
            said = Inbound(sid=sid, number=number, body=body, answered=answered)
            return inbox.receive_inbound(session, said, provider="twilio", wording=wording(), at=NOON)

    def test_a_stop_closes_the_number_and_what_waits_for_it_and_is_confirmed_once(
        self, database: Database, clock: FixedClock
    ) -> None:
        _, _, message_id = scene(database)
        carrier = FakeCarrier()

        self.reply(database, "please stop texting me")
        self.reply(database, "STOP", sid=OTHER_SID)
        send_due(database, {SMS: carrier}, clock=clock)

        assert state_of(database, message_id) is State.SUPPRESSED
        assert [one.outgoing.body.split(":")[0] for one in carrier.carried] == ["Trial Recruit"]

    def test_what_the_carrier_answers_is_not_answered_again(
        self, database: Database, clock: FixedClock
    ) -> None:
        scene(database)

        self.reply(database, "STOP", answered=True)

        assert send_due(database, {SMS: FakeCarrier()}, clock=clock) == 0

    def test_a_stop_from_a_number_that_we_do_not_know_is_remembered(self, database: Database) -> None:
        self.reply(database, "STOP", number="+12125550199")

        with database.reading() as session:
            kept = session.scalars(sa.select(ProviderCallback)).one()
            assert session.scalars(sa.select(Suppression)).one().channel is SMS
        assert kept.body_sealed is None

    def test_only_the_holder_opens_a_stopped_number_and_never_a_wrong_one(self, database: Database) -> None:
        scene(database)
        self.reply(database, "STOP")
        self.reply(database, "START", sid=OTHER_SID)
        with database.reading() as session:
            lifted = session.scalars(sa.select(Suppression)).one()

        self.reply(database, "wrong number", sid="SM" + "2" * 32)
        self.reply(database, "START", sid="SM" + "3" * 32)

        with database.reading() as session:
            live = session.scalars(sa.select(Suppression).where(Suppression.lifted_at.is_(None))).all()
        assert lifted.lifted_by == "texted_start"
        assert {row.reason for row in live} == {SuppressionReason.WRONG_NUMBER}
        assert {row.channel for row in live} == {SMS, ContactChannel.CALL}

    def test_a_reply_is_on_the_timeline_for_somebody_to_read(self, database: Database) -> None:
        _, somebody, _ = scene(database)

        first = self.reply(database, "Who is this?")
        again = self.reply(database, "Who is this?")

        with database.reading() as session:
            row = session.scalars(sa.select(Communication)).one()
        assert (first, again) == (Reply.OTHER, None)
        assert (row.person_id, row.direction, row.outcome) == (somebody.person.id, Direction.IN, "other")


class TestHooks:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(
            update={"twilio_auth_token": TOKEN, "public_url": "https://recruit.example.org"}
        )

    def post(self, client: FlaskClient, path: str, form: dict[str, str], *, token: str = TOKEN) -> int:
        signature = RequestValidator(token).compute_signature(f"https://recruit.example.org{path}", form)
        return client.post(path, data=form, headers={"X-Twilio-Signature": signature}).status_code

    def test_a_signed_receipt_is_stored_and_answered(self, client: FlaskClient, database: Database) -> None:
        _, _, message_id = scene(database)
        form = {"MessageSid": SID, "MessageStatus": "delivered", "To": "+12125550142", "Unknown": "new"}

        assert self.post(client, f"/hooks/twilio/status?m={message_id}", form) == 204

        inbox.apply_waiting(database, at=NOON)
        assert state_of(database, message_id) is State.DELIVERED

    def test_a_signed_stop_acts_before_the_answer(self, client: FlaskClient, database: Database) -> None:
        _, _, message_id = scene(database)

        said = self.post(
            client, "/hooks/twilio/inbound", {"MessageSid": SID, "From": "+12125550142", "Body": "stop please"}
        )

        assert said == 200
        assert state_of(database, message_id) is State.SUPPRESSED

    @pytest.mark.parametrize("path", ["/hooks/twilio/status", "/hooks/twilio/inbound"])
    def test_without_or_with_a_wrong_signature_nothing_happens(
        self, client: FlaskClient, database: Database, path: str
    ) -> None:
        form = {"MessageSid": SID, "MessageStatus": "sent", "From": "+12125550142", "Body": "STOP"}

        bare = client.post(path, data=form).status_code
        wrong = self.post(client, path, form, token="another")

        with database.reading() as session:
            stored = session.scalar(sa.select(sa.func.count()).select_from(ProviderCallback))
        assert (bare, wrong, stored) == (403, 403, 0)

    def test_an_installation_without_a_token_refuses_everything(
        self, database: Database, settings: Settings, clock: FixedClock
    ) -> None:
        app: Flask = create_app(
            settings.model_copy(update={"twilio_auth_token": ""}), clock=clock, database=database
        )

        assert self.post(app.test_client(), "/hooks/twilio/status", {"MessageSid": SID}, token="") == 403

    @pytest.mark.parametrize(
        "form",
        [
            {},
            {"MessageSid": "x"},
            {"MessageSid": SID, "MessageStatus": "\x00"},
            {"MessageSid": SID, "From": "nobody", "Body": "\x00\ud800".encode("utf-8", "replace").decode()},
            {"MessageSid": SID, "MessageStatus": "sent", "ErrorCode": "9" * 400, "RawDlrDoneDate": "\x00"},
        ],
    )
    @pytest.mark.parametrize("path", ["/hooks/twilio/status?m=no-id", "/hooks/twilio/inbound"])
    def test_strange_but_signed_posts_are_no_error_of_ours(
        self, client: FlaskClient, path: str, form: dict[str, str]
    ) -> None:
        assert self.post(client, path, form) < 500
