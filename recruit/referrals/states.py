"""States of a referral and the moves between them, as one table.

The ladder follows DOMAIN's definitions: *screen failed* exists only after informed consent; before it the
word is *phone screen failed* or *pre-screen failed*. Silence never becomes a state. A correction is not a
move: it voids an event, and the state is derived anew from the events that stand.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where a referral stands; values are stored and appear in exports."""

    REFERRED = "referred"
    ACKNOWLEDGED = "acknowledged"
    CONTACT_ATTEMPTED = "contact_attempted"
    CONTACTED = "contacted"
    PHONE_SCREEN_PASSED = "phone_screen_passed"
    PHONE_SCREEN_FAILED = "phone_screen_failed"
    VISIT_BOOKED = "visit_booked"
    VISIT_ATTENDED = "visit_attended"
    NO_SHOW = "no_show"
    CONSENTED = "consented"
    CONSENT_DECLINED = "consent_declined"
    IN_SCREENING = "in_screening"
    SCREEN_FAILED = "screen_failed"
    ENROLLED = "enrolled"
    RANDOMISED = "randomised"
    COMPLETED = "completed"
    DISCONTINUED = "discontinued"
    DEFERRED = "deferred"
    RECORDS_PENDING = "records_pending"
    NOT_INTERESTED = "not_interested"
    COULD_NOT_REACH = "could_not_reach"
    DUPLICATE = "duplicate"
    RETURNED_BY_SITE = "returned_by_site"
    TRANSFERRED = "transferred"
    STUDY_CLOSED = "study_closed"
    WITHDRAWN = "withdrawn"


S = State
CLOSED = frozenset(
    {
        S.PHONE_SCREEN_FAILED,
        S.CONSENT_DECLINED,
        S.SCREEN_FAILED,
        S.COMPLETED,
        S.DISCONTINUED,
        S.NOT_INTERESTED,
        S.COULD_NOT_REACH,
        S.DUPLICATE,
        S.RETURNED_BY_SITE,
        S.TRANSFERRED,
        S.STUDY_CLOSED,
        S.WITHDRAWN,
    }
)
AFTER_CONSENT = frozenset(
    {S.CONSENTED, S.IN_SCREENING, S.SCREEN_FAILED, S.ENROLLED, S.RANDOMISED, S.COMPLETED, S.DISCONTINUED}
)
NEEDS_CRITERION = frozenset({S.PHONE_SCREEN_FAILED, S.SCREEN_FAILED})
NEEDS_REASON = frozenset({S.NOT_INTERESTED, S.COULD_NOT_REACH, S.RETURNED_BY_SITE, S.WITHDRAWN, S.DISCONTINUED})
NEEDS_DAY = frozenset({S.DEFERRED})

_LEAVING = {S.NOT_INTERESTED, S.DUPLICATE, S.RETURNED_BY_SITE, S.TRANSFERRED, S.STUDY_CLOSED, S.WITHDRAWN}
_REACHED = {S.PHONE_SCREEN_PASSED, S.PHONE_SCREEN_FAILED, S.RECORDS_PENDING, S.DEFERRED, S.VISIT_BOOKED}
_TALKING = {S.CONTACT_ATTEMPTED, S.CONTACTED, S.COULD_NOT_REACH}

MOVES: dict[State, frozenset[State]] = {
    S.REFERRED: frozenset({S.ACKNOWLEDGED, *_TALKING, *_REACHED, *_LEAVING}),
    S.ACKNOWLEDGED: frozenset({*_TALKING, *_REACHED, *_LEAVING}),
    S.CONTACT_ATTEMPTED: frozenset({*_TALKING, *_REACHED, *_LEAVING}),
    S.CONTACTED: frozenset({S.CONTACT_ATTEMPTED, S.COULD_NOT_REACH, *_REACHED, *_LEAVING}),
    S.PHONE_SCREEN_PASSED: frozenset(
        {*_TALKING, S.VISIT_BOOKED, S.RECORDS_PENDING, S.DEFERRED, S.PHONE_SCREEN_FAILED, *_LEAVING}
    ),
    S.RECORDS_PENDING: frozenset({*_TALKING, *_REACHED, *_LEAVING} - {S.RECORDS_PENDING}),
    S.DEFERRED: frozenset({*_TALKING, *_REACHED, *_LEAVING} - {S.DEFERRED}),
    S.VISIT_BOOKED: frozenset(
        {S.VISIT_BOOKED, S.VISIT_ATTENDED, S.NO_SHOW, S.CONTACT_ATTEMPTED, S.CONTACTED, S.DEFERRED}
        | {S.PHONE_SCREEN_FAILED, *_LEAVING}
    ),
    S.NO_SHOW: frozenset({*_TALKING, S.VISIT_BOOKED, S.DEFERRED, *_LEAVING}),
    S.VISIT_ATTENDED: frozenset({S.CONSENTED, S.CONSENT_DECLINED, S.VISIT_BOOKED, S.DEFERRED, *_LEAVING}),
    S.CONSENTED: frozenset(
        {S.IN_SCREENING, S.SCREEN_FAILED, S.ENROLLED, S.RANDOMISED, S.WITHDRAWN, S.STUDY_CLOSED}
    ),
    S.IN_SCREENING: frozenset({S.SCREEN_FAILED, S.ENROLLED, S.RANDOMISED, S.WITHDRAWN, S.STUDY_CLOSED}),
    S.ENROLLED: frozenset({S.RANDOMISED, S.COMPLETED, S.DISCONTINUED}),
    S.RANDOMISED: frozenset({S.COMPLETED, S.DISCONTINUED}),
    S.COULD_NOT_REACH: frozenset({S.CONTACTED}),
    S.DUPLICATE: frozenset(),
    S.PHONE_SCREEN_FAILED: frozenset(),
    S.CONSENT_DECLINED: frozenset(),
    S.SCREEN_FAILED: frozenset(),
    S.COMPLETED: frozenset(),
    S.DISCONTINUED: frozenset(),
    S.NOT_INTERESTED: frozenset(),
    S.RETURNED_BY_SITE: frozenset(),
    S.TRANSFERRED: frozenset(),
    S.STUDY_CLOSED: frozenset(),
    S.WITHDRAWN: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Needs:
    """What has to be said together with a move."""

    criterion: bool
    reason: bool
    day: bool


def permitted(origin: State, target: State) -> bool:
    """Say whether a referral may move from one state to another."""
    return target in MOVES[origin]


def needs(target: State) -> Needs:
    """Say what a move to this state has to bring along."""
    return Needs(criterion=target in NEEDS_CRITERION, reason=target in NEEDS_REASON, day=target in NEEDS_DAY)


def derive(states: Iterable[State]) -> State:
    """Give the state after a sequence of standing events, oldest first; nothing yet means referred."""
    current = S.REFERRED
    for state in states:
        current = state
    return current
