"""Callbacks of the carrier: checked for its signature, stored, answered at once."""

from __future__ import annotations

import re
from uuid import UUID

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from campaigns import context as campaigning
from campaigns import pipeline
from campaigns.inbox.service import Inbound
from campaigns.providers import twilio
from recruit import context
from recruit.addresses import read_phone
from recruit.errors import Forbidden, Invalid
from recruit.web.guards import MACHINE, allow

bp = Blueprint("callbacks", __name__, url_prefix="/hooks/twilio")
_CODE = re.compile(r"[0-9]{1,6}")
_DONE = re.compile(r"[0-9]{10}")
LONGEST_BODY = 4000


@bp.post("/status")
@allow(MACHINE)
def status() -> ResponseReturnValue:
    """Store a receipt; our own message id is in the address that we gave to the carrier."""
    _require_signature()
    sid, said = _sid(), request.form.get("MessageStatus", "").lower()
    if said not in twilio.STATUSES:
        return "", 204
    codes = {"state": twilio.STATUSES[said].value}
    for name, field, shape in (("error_code", "ErrorCode", _CODE), ("done", "RawDlrDoneDate", _DONE)):
        value = request.form.get(field, "")
        if shape.fullmatch(value):
            codes[name] = value
    with context.transaction(by="provider:twilio", reason="callback:status") as session:
        pipeline.receipt(
            session,
            provider="twilio",
            sid=sid,
            status=said,
            message_id=_message_id(),
            codes=codes,
            at=context.now(),
        )
    return "", 204


@bp.post("/inbound")
@allow(MACHINE)
def inbound() -> ResponseReturnValue:
    """Take a reply in; a stop acts before this request is answered."""
    _require_signature()
    body = request.form.get("Body", "")[:LONGEST_BODY]
    handled = bool(request.form.get("OptOutType")) or body.strip().upper() in twilio.OWN_STOP_WORDS
    said = Inbound(sid=_sid(), number=_number(), body=_storable(body), answered=handled)
    with context.transaction(by="provider:twilio", reason="callback:inbound") as session:
        pipeline.reply(session, said, provider="twilio", wording=campaigning.wording(), at=context.now())
    return Response("<Response></Response>", content_type="text/xml; charset=utf-8")


def _require_signature() -> None:
    """Refuse whatever the carrier has not signed for this address; without a token, everything.

    :raises Forbidden: the signature is missing or wrong
    """
    settings = context.settings()
    query = request.query_string.decode("latin-1")
    url = f"{settings.public_url}{request.path}{'?' + query if query else ''}"
    signature = request.headers.get("X-Twilio-Signature", "")
    fields = {name: request.form.getlist(name) for name in request.form}
    if not twilio.is_signed(url, fields, signature, auth_token=settings.twilio_auth_token):
        raise Forbidden("This request is not signed.")


def _sid() -> str:
    sid = request.form.get("MessageSid", "")
    if not twilio.SID.fullmatch(sid):
        raise Invalid("MessageSid is missing or malformed.")
    return sid


def _message_id() -> UUID | None:
    try:
        return UUID(request.args.get("m", ""))
    except ValueError:
        return None


def _number() -> str:
    return read_phone(request.form.get("From", ""), country=context.settings().country).e164


def _storable(body: str) -> str:
    return body.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")
