"""One contract for all carriers: the console, the tests' fake, and Twilio against a stub in this process."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from twilio.http import HttpClient
from twilio.http.response import Response

from campaigns.outbox.codes import Action, meaning, say
from campaigns.outbox.states import State
from campaigns.providers.base import Accepted, Limited, Outgoing, Provider, Rejected, Sighting, Unclear
from campaigns.providers.choice import carriers_of
from campaigns.providers.console import ConsoleProvider
from campaigns.providers.twilio import STATUSES, TwilioProvider, is_signed
from recruit.contact.models import ContactChannel
from recruit.ids import new_id
from recruit.settings import Settings
from tests.campaigns.scenes import FakeCarrier
from tests.conftest import NOON

SPECIFICATION = Path(__file__).resolve().parents[3] / "shared" / "data" / "twilio" / "twilio_messages.json"
ACCOUNT = "AC" + "0" * 32


class StubTwilio(HttpClient):  # type: ignore[misc]
    """Answers the calls of the real client without a network, in the shapes of the official description."""

    def __init__(self) -> None:
        super().__init__(logging.getLogger(__name__), is_async=False)
        self.status, self.code = 201, 0
        self.messages: list[dict[str, object]] = []
        self.posted: list[dict[str, object]] = []
        self.breaks: Exception | None = None

    def request(self, method: str, url: str, **how: object) -> Response:
        if self.breaks is not None:
            raise self.breaks
        address = urlparse(url)
        assert address.hostname == "api.twilio.com"
        assert address.path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        if method == "GET":
            params = how.get("params")
            assert isinstance(params, dict)
            same = [one for one in self.messages if one["to"] == params["To"]]
            return Response(200, json.dumps({"messages": same, "next_page_uri": None}))
        data = how.get("data")
        assert isinstance(data, dict)
        self.posted.append(data)
        if self.status >= 400:
            return Response(
                self.status, json.dumps({"code": self.code, "message": "no", "status": self.status})
            )
        message: dict[str, object] = {
            "sid": f"SM{len(self.messages):032x}",
            "to": data["To"],
            "body": data["Body"],
            "status": "queued",
            "date_created": "Wed, 18 Nov 2026 17:00:00 +0000",
        }
        self.messages.append(message)
        return Response(201, json.dumps(message))


def twilio(stub: StubTwilio, *, sender: str = "+12125550100") -> TwilioProvider:
    return TwilioProvider(ACCOUNT, "token", sender, "https://recruit.example.org", http_client=stub)


def outgoing(*, body: str = "hello", to: str = "+12125550142") -> Outgoing:
    return Outgoing(new_id(), ContactChannel.SMS, to, body, valid_seconds=3600)


class TestContract:
    @pytest.fixture(params=["console", "fake", "twilio"])
    def provider(self, request: pytest.FixtureRequest) -> Provider:
        makers: dict[str, Callable[[], Provider]] = {
            "console": ConsoleProvider,
            "fake": FakeCarrier,
            "twilio": lambda: twilio(StubTwilio()),
        }
        return makers[request.param]()

    def test_a_message_is_accepted_under_an_id_of_the_carrier(self, provider: Provider) -> None:
        first, second = provider.send(outgoing()), provider.send(outgoing())

        assert isinstance(first, Accepted)
        assert isinstance(second, Accepted)
        assert first.sid != second.sid
        assert len(first.sid) <= 64

    def test_a_name_fits_its_column(self, provider: Provider) -> None:
        assert 0 < len(provider.name) <= 20

    def test_what_was_never_sent_is_not_found(self, provider: Provider) -> None:
        assert provider.find(outgoing(), since=NOON) == ()

    def test_what_is_found_is_what_was_sent(self, provider: Provider) -> None:
        message = outgoing()
        answer = provider.send(message)

        found = provider.find(message, since=NOON - timedelta(minutes=2))

        assert isinstance(answer, Accepted)
        assert isinstance(found, tuple)
        assert all(isinstance(one, Sighting) and one.sid == answer.sid for one in found)
        assert len(found) == (0 if provider.name == "console" else 1)


class TestTwilio:
    def test_our_id_travels_in_the_callback(self) -> None:
        stub, message = StubTwilio(), outgoing()

        twilio(stub).send(message)

        address = urlparse(str(stub.posted[0]["StatusCallback"]))
        assert address.netloc == "recruit.example.org"
        assert parse_qs(address.query) == {"m": [str(message.message_id)]}
        assert stub.posted[0]["ValidityPeriod"] == 3600
        assert stub.posted[0]["From"] == "+12125550100"

    def test_a_messaging_service_is_named_as_one(self) -> None:
        stub = StubTwilio()

        twilio(stub, sender="MG" + "0" * 32).send(outgoing())

        assert stub.posted[0]["MessagingServiceSid"] == "MG" + "0" * 32
        assert "From" not in stub.posted[0]

    @pytest.mark.parametrize(
        ("status", "code", "answer"),
        [
            (429, 20429, Limited()),
            (400, 21610, Rejected("21610")),
            (401, 20003, Rejected("20003")),
            (500, 20500, Unclear("http 500")),
            (503, 0, Unclear("http 503")),
        ],
    )
    def test_every_refusal_is_one_answer_after_one_call(self, status: int, code: int, answer: object) -> None:
        stub = StubTwilio()
        stub.status, stub.code = status, code

        assert twilio(stub).send(outgoing()) == answer
        assert len(stub.posted) == 1

    def test_a_lost_answer_is_unclear(self) -> None:
        from requests.exceptions import ReadTimeout

        stub = StubTwilio()
        stub.breaks = ReadTimeout()

        assert twilio(stub).send(outgoing()) == Unclear("ReadTimeout")
        assert twilio(stub).find(outgoing(), since=NOON) == Unclear("ReadTimeout")

    def test_older_messages_are_not_found_again(self) -> None:
        stub = StubTwilio()
        twilio(stub).send(outgoing())

        assert twilio(stub).find(outgoing(), since=NOON + timedelta(seconds=1)) == ()

    def test_the_secret_is_needed_to_sign(self) -> None:
        assert not is_signed("https://recruit.example.org/x", {}, "", auth_token="token")
        assert not is_signed("https://recruit.example.org/x", {}, "anything", auth_token="")

    @pytest.mark.skipif(not SPECIFICATION.exists(), reason="the official description is not here")
    def test_every_status_and_field_is_the_official_descriptions(self) -> None:
        description = json.loads(SPECIFICATION.read_text(encoding="utf-8"))
        statuses = set(description["components"]["schemas"]["message_enum_status"]["enum"])
        path = description["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]["post"]
        form = path["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]["properties"]
        stub = StubTwilio()

        twilio(stub).send(outgoing())

        assert statuses - {"receiving", "received"} == set(STATUSES)
        assert set(stub.posted[0]) <= set(form)


class TestCodes:
    def test_an_unknown_code_fails_the_message_and_nothing_else(self) -> None:
        assert meaning("99999").action is Action.FAIL

    @pytest.mark.parametrize("reason", ["stopped", "not_at_provider", "30007", "31999"])
    def test_every_stored_reason_has_a_sentence(self, reason: str) -> None:
        assert say(reason).endswith(".")


def test_the_settings_choose_the_carrier(settings: Settings) -> None:
    console = carriers_of(settings)
    live = carriers_of(
        settings.model_copy(
            update={"message_provider": "twilio", "twilio_account_sid": ACCOUNT, "twilio_auth_token": "t"}
        )
    )

    assert {provider.name for provider in console.values()} == {"console"}
    assert {channel: provider.name for channel, provider in live.items()} == {ContactChannel.SMS: "twilio"}
    assert State.ACCEPTED in STATUSES.values()
