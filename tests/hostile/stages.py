"""Where a browser has to stand so that a public form has something to break, and how to get it there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from twilio.request_validator import RequestValidator
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from recruit import pipeline
from recruit.accounts import service as accounts
from recruit.accounts.models import Role
from recruit.accounts.policy import Permit
from recruit.ids import new_token
from tests.conftest import NOON
from tests.hostile import worlds
from tests.hostile.bodies import Body
from tests.hostile.worlds import EVERY_ITEM, TWILIO_TOKEN, World
from tests.recruit.web.public.visitor import FITTING

Headers = Mapping[str, str]
SPENT = frozenset({200, 303, 410})
"""Answers after which a browser may stand elsewhere."""


def _no_headers(_address: str, _body: Body) -> Headers:
    return {}


@dataclass(frozen=True)
class Stage:
    """One form of a public route: where it is, where the browser stands, and which of its fields say so.

    :param places: makes what the form needs; returns the token of a draft for the browser's cookie
    :param names: fields that nobody's page shows, such as what a carrier sends
    """

    address: str
    place: Callable[[Session, World], str] | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    headers: Callable[[str, Body], Headers] = _no_headers

    def enter(self, client: FlaskClient, world: World) -> None:
        """Put a browser on this stage."""
        if self.place is None:
            return
        with world.database.transaction(actor="test") as session:
            token = self.place(session, world)
        with client.session_transaction() as cookie:
            cookie.clear()
            cookie["draft"] = token


def signed(address: str, body: Body) -> Headers:
    """Sign what a carrier sends, as it will be read."""
    builder = EnvironBuilder(method="POST", data=body.data, content_type=body.content_type)
    with Request(builder.get_environ()) as request:
        signature = RequestValidator(TWILIO_TOKEN).compute_signature(f"http://localhost{address}", request.form)
    return {"X-Twilio-Signature": signature}


def _begun(session: Session, world: World) -> str:
    return pipeline.begin(session, world.study.study, language="en", at=NOON)[1]


def _at_result(session: Session, world: World) -> str:
    return worlds.concluded(session, world.study)[1]


def _all_answered(session: Session, world: World) -> str:
    return worlds.answered(session, world.study, FITTING)[1]


def _sent(session: Session, world: World) -> str:
    return worlds.submitted(session, world.study)[0]


def _before(item: str) -> Callable[[Session, World], str]:
    return lambda session, world: worlds.answered(session, world.every, EVERY_ITEM, upto=item)[1]


def stages(world: World, tokens: Sequence[str]) -> dict[str, list[Stage]]:
    """List the forms of every public route that takes a post; languages take turns."""
    slug = world.study.study.slug
    hooked = {"MessageSid": f"SM{'0' * 32}", "From": "+12125550123", "Body": "STOP", "MessageStatus": "sent"}
    questions = {f"questions/{number}": _before(item) for number, item in enumerate(EVERY_ITEM, start=1)}
    return {
        "public.start": _in_turn({f"studies/{slug}/start": None}),
        "public.inquiry.leave": _in_turn({f"studies/{slug}/contact": None}),
        "public.referring.send": _in_turn({f"refer/{world.doctor}": None}),
        "public.questions.choose": _in_turn({"questions/start": _begun}),
        "public.questions.answer": _in_turn(questions),
        "public.questions.send": _in_turn({"questions/check": _all_answered}),
        "public.questions.stop": _in_turn({"questions/stop": _begun}),
        "public.contact.leave": _in_turn({"contact": _at_result}),
        "public.contact.confirm": _in_turn({"code": _sent}),
        "public.lookup.suggest": _in_turn({"lookup": None}),
        "callbacks.inbound": [Stage("/hooks/twilio/inbound", names=hooked, headers=signed)],
        "callbacks.status": [Stage("/hooks/twilio/status", names=hooked, headers=signed)],
        "account.enter": [Stage("/staff/sign-in")],
        "account.accept_invitation": [Stage(f"/staff/invitation/{token}") for token in tokens],
        "account.accept_reset": [Stage("/staff/reset/abc", names={"password": "", "again": ""})],
    }


def _in_turn(places: Mapping[str, Callable[[Session, World], str] | None]) -> list[Stage]:
    return [Stage(f"/{language}/{path}", place) for path, place in places.items() for language in ("en", "es")]


def invitation(session: Session) -> str:
    """Invite somebody; return the token of the link."""
    _, token = accounts.invite(
        session,
        email=f"{new_token()[:12].lower()}@example.org",
        name="New",
        permits=(Permit(Role.RECRUITER, None, None),),
        at=NOON - timedelta(hours=1),
    )
    return token
