"""How far somebody came, as reports count it: the rungs that one standing event proves; pure.

An event proves its own rung and those below it: who attended a visit had one booked and was spoken to,
whether or not anybody wrote that down. Screen failure exists only after informed consent (DOMAIN 6).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from recruit.matching.plan import CallOutcome
from recruit.referrals.states import State
from recruit.studies.models import EnrolmentCounts


class Rung(StrEnum):
    """One step of the way after a contact was left."""

    CONTACTED = "contacted"
    REFERRED = "referred"
    VISIT_BOOKED = "visit_booked"
    VISIT_ATTENDED = "visit_attended"
    CONSENTED = "consented"
    SCREEN_FAILED = "screen_failed"
    RANDOMISED = "randomised"


R, S = Rung, State
_SPOKE = frozenset({CallOutcome.REACHED, CallOutcome.CALL_BACK, CallOutcome.DECLINED_TO_TALK})
_SPOKEN = frozenset({R.REFERRED, R.CONTACTED})
_BOOKED = _SPOKEN | {R.VISIT_BOOKED}
_ATTENDED = _BOOKED | {R.VISIT_ATTENDED}
_CONSENTED = _ATTENDED | {R.CONSENTED}
_RANDOMISED = _CONSENTED | {R.RANDOMISED}
_PROVES: dict[State, frozenset[Rung]] = {
    S.CONTACTED: _SPOKEN,
    S.PHONE_SCREEN_PASSED: _SPOKEN,
    S.PHONE_SCREEN_FAILED: _SPOKEN,
    S.RECORDS_PENDING: _SPOKEN,
    S.NOT_INTERESTED: _SPOKEN,
    S.VISIT_BOOKED: _BOOKED,
    S.NO_SHOW: _BOOKED,
    S.VISIT_ATTENDED: _ATTENDED,
    S.CONSENT_DECLINED: _ATTENDED,
    S.CONSENTED: _CONSENTED,
    S.IN_SCREENING: _CONSENTED,
    S.SCREEN_FAILED: _CONSENTED | {R.SCREEN_FAILED},
    S.RANDOMISED: _RANDOMISED,
    S.COMPLETED: _RANDOMISED,
    S.DISCONTINUED: _RANDOMISED,
}


def rungs(type_: str, payload: Mapping[str, object], *, counts: EnrolmentCounts) -> frozenset[Rung]:
    """Name the rungs that one standing event proves.

    :param counts: whether the study counts enrolment or randomisation as the last rung
    """
    if type_ == "match.called":
        return frozenset({R.CONTACTED}) if payload.get("outcome") in _SPOKE else frozenset()
    area, _, name = type_.partition(".")
    if area != "referral" or name not in State._value2member_map_:
        return frozenset()
    state = State(name)
    if state is S.ENROLLED:
        return _RANDOMISED if counts is EnrolmentCounts.ENROLLED else _CONSENTED
    return _PROVES.get(state, frozenset({R.REFERRED}))
