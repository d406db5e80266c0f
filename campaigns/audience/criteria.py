"""Whom a message is for: criteria that say nothing about health; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from recruit.errors import Refused
from recruit.matching.models import Triage
from screening.floor import FLOOR


class WaitingStage(StrEnum):
    """Where people stand who may be written to again."""

    TO_CALL = "to_call"
    WAITLISTED = "waitlisted"
    DEFERRED = "deferred"
    NOT_REACHED = "not_reached"


TRIAGES: dict[WaitingStage, tuple[Triage, ...]] = {
    WaitingStage.TO_CALL: (Triage.TO_CALL, Triage.SNOOZED),
    WaitingStage.WAITLISTED: (Triage.WAITLISTED,),
    WaitingStage.DEFERRED: (Triage.DEFERRED,),
    WaitingStage.NOT_REACHED: (Triage.CLOSED,),
}


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a marketer may choose by; nothing chosen means everybody waiting in the study.

    :param reference: one person, handed over by a recruiter as an opaque reference; then nothing else counts
    :param quiet_days: last contact at least so many days ago, or never
    """

    stages: tuple[WaitingStage, ...] = ()
    source_link_ids: tuple[UUID, ...] = ()
    quiet_days: int | None = None
    reference: UUID | None = None

    def to_json(self) -> dict[str, object]:
        """Write the criteria as codes and ids, as they are kept with the snapshot."""
        return {
            "stages": [stage.value for stage in self.stages],
            "sources": [str(link_id) for link_id in self.source_link_ids],
            "quiet_days": self.quiet_days,
            "handed_over": self.reference is not None,
        }


def require_floor(size: int, *, handed_over: bool) -> None:
    """Refuse an audience that would point at single people, without saying how many they are.

    :raises Refused: fewer than eleven by criteria, or nobody behind a handed-over reference
    """
    if handed_over and size < 1:
        raise Refused("This reference cannot be written to now: consent, channel or address is missing.")
    if not handed_over and size < FLOOR:
        raise Refused(
            "Fewer than %(floor)s people would get this message. Choose wider criteria.",
            values={"floor": FLOOR},
        )
