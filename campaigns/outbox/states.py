"""States of a message and the moves between them, as tables.

Our own moves follow ``MOVES``. What a provider reports is evidence about the world and follows ``RANK``: a
report moves a message forward or not at all, so that late, doubled and shuffled callbacks all end in the
same state (Twilio gives no guarantee that status callbacks arrive in the order in which they were sent).
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a message stands."""

    PLANNED = "planned"
    QUEUED = "queued"
    HELD = "held"
    SENDING = "sending"
    UNKNOWN = "unknown"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    ACCEPTED = "accepted"
    SENT = "sent"
    FAILED = "failed"
    UNDELIVERED = "undelivered"
    DELIVERED = "delivered"


S = State
RANK: dict[State, int] = {
    S.PLANNED: 0,
    S.QUEUED: 1,
    S.HELD: 1,
    S.SENDING: 2,
    S.UNKNOWN: 2,
    S.SUPPRESSED: 2,
    S.CANCELLED: 2,
    S.EXPIRED: 2,
    S.ACCEPTED: 3,
    S.SENT: 4,
    S.FAILED: 5,
    S.UNDELIVERED: 6,
    S.DELIVERED: 7,
}
"""How far a report takes a message. What we closed ourselves ranks below every report: if an earlier attempt
did go out after all, the record must say so. Of contradicting ends the one with the strongest proof wins."""

REPORTED = frozenset({S.ACCEPTED, S.SENT, S.FAILED, S.UNDELIVERED, S.DELIVERED})
WAITING = frozenset({S.PLANNED, S.QUEUED, S.HELD})
IN_FLIGHT = frozenset({S.SENDING, S.UNKNOWN})
HANDED_OVER = frozenset({S.ACCEPTED, S.SENT, S.UNDELIVERED, S.DELIVERED})
CLOSED = frozenset({S.SUPPRESSED, S.CANCELLED, S.EXPIRED})
FINAL = frozenset({S.DELIVERED, S.UNDELIVERED, S.FAILED}) | CLOSED

MOVES: dict[State, frozenset[State]] = {
    S.PLANNED: frozenset({S.QUEUED, S.HELD}) | CLOSED,
    S.QUEUED: frozenset({S.SENDING, S.HELD}) | CLOSED,
    S.HELD: frozenset({S.QUEUED, S.HELD}) | CLOSED,
    S.SENDING: frozenset({S.ACCEPTED, S.QUEUED, S.HELD, S.FAILED, S.UNKNOWN, S.SUPPRESSED}),
    S.UNKNOWN: frozenset({S.ACCEPTED, S.QUEUED, S.HELD}),
    S.ACCEPTED: frozenset(),
    S.SENT: frozenset(),
    S.FAILED: frozenset(),
    S.UNDELIVERED: frozenset(),
    S.DELIVERED: frozenset(),
    S.SUPPRESSED: frozenset(),
    S.CANCELLED: frozenset(),
    S.EXPIRED: frozenset(),
}


def permitted(origin: State, target: State) -> bool:
    """Say whether we may move a message so by ourselves."""
    return target in MOVES[origin]


def origins_of(target: State) -> frozenset[State]:
    """List the states from which we may move a message to another."""
    return frozenset(origin for origin, targets in MOVES.items() if target in targets)


def after_report(current: State, reported: State) -> State:
    """Give the state after a provider's report: further along, or unchanged."""
    return reported if RANK[reported] > RANK[current] else current
