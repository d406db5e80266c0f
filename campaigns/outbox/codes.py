"""Carriers' error codes and our own reasons, each with what follows and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib import resources

from recruit.contact import policy
from recruit.contact.models import SuppressionReason


class Action(StrEnum):
    """What follows from an error code."""

    SLOW = "slow"
    FAIL = "fail"
    STOPPED = "stopped"
    WRONG_NUMBER = "wrong_number"
    UNREACHABLE = "unreachable"
    BLOCKED = "blocked"


CLOSES: dict[Action, SuppressionReason] = {
    Action.STOPPED: SuppressionReason.STOP,
    Action.WRONG_NUMBER: SuppressionReason.WRONG_NUMBER,
    Action.UNREACHABLE: SuppressionReason.BOUNCED,
}


class Why(StrEnum):
    """Reasons of the outbox itself, beside those of the contact policy."""

    LEASE_EXPIRED = "lease_expired"
    NO_ANSWER = "no_answer"
    NOT_AT_PROVIDER = "not_at_provider"
    SLOW_DOWN = "slow_down"
    PROVIDER_BLOCKED = "provider_blocked"
    PROVIDER_ERROR = "provider_error"
    CAMPAIGN_CANCELLED = "campaign_cancelled"
    LEFT_ALONE = "left_alone"
    SENT_AGAIN = "sent_again"


SENTENCES: dict[Why, str] = {
    Why.LEASE_EXPIRED: "The sender stopped half-way. We are asking the carrier what became of it.",
    Why.NO_ANSWER: "The carrier gave no clear answer. We are asking what became of it.",
    Why.NOT_AT_PROVIDER: "The carrier has no trace of it. A person decides whether to send it again.",
    Why.SLOW_DOWN: "The carrier asked us to slow down.",
    Why.PROVIDER_BLOCKED: "The carrier does not take messages from us at the moment.",
    Why.PROVIDER_ERROR: "The carrier could not deliver it.",
    Why.CAMPAIGN_CANCELLED: "The campaign was cancelled.",
    Why.LEFT_ALONE: "A person decided not to send it again.",
    Why.SENT_AGAIN: "A person decided to send it again.",
}


@dataclass(frozen=True, slots=True)
class Code:
    """One error code of a carrier."""

    action: Action
    sentence: str


UNKNOWN_CODE = Code(Action.FAIL, "The carrier refused it for a reason we do not know.")


def meaning(code: str) -> Code:
    """Look a code up; an unknown one only fails the message."""
    return _table().get(code, UNKNOWN_CODE)


def say(reason: str) -> str:
    """Give the English sentence of a stored reason, whoever gave it."""
    own = {why.value: sentence for why, sentence in SENTENCES.items()}
    gates = {gate.value: sentence for gate, (_, sentence) in policy.REASONS.items()}
    return own.get(reason) or gates.get(reason) or (meaning(reason).sentence if reason else "")


@lru_cache(maxsize=1)
def _table() -> dict[str, Code]:
    text = resources.files("campaigns.outbox").joinpath("codes.csv").read_text(encoding="utf-8")
    rows = (line.split(";") for line in text.splitlines() if line and not line.startswith("#"))
    return {code: Code(Action(action), sentence) for code, action, sentence in rows}
