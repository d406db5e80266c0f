"""The reasons staff choose from; a study may have its own in their place."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.referrals.models import Reason, ReasonKind
from recruit.referrals.states import State

STANDARD: dict[ReasonKind, tuple[tuple[str, str], ...]] = {
    ReasonKind.NOT_INTERESTED: (
        ("distance", "Too far away"),
        ("time_or_visits", "Time or number of visits"),
        ("pay", "Payment"),
        ("placebo", "Chance of placebo"),
        ("side_effects", "Worried about side effects"),
        ("procedure", "A procedure of the study"),
        ("advised_against", "Doctor or family advised against it"),
        ("other_study", "Joined another study"),
        ("cost_worry", "Worried about costs"),
        ("privacy", "Privacy"),
        ("language", "Language"),
        ("transport_or_childcare", "Transport or childcare"),
        ("study_partner_missing", "No study partner"),
        ("no_reason_given", "Gave no reason"),
    ),
    ReasonKind.COULD_NOT_REACH: (
        ("no_answer", "No answer"),
        ("disconnected", "Number disconnected"),
        ("voicemail_full", "Voicemail full"),
        ("wrong_number", "Wrong number"),
    ),
    ReasonKind.RETURNED_BY_SITE: (
        ("capacity", "No capacity"),
        ("own_patient", "Already the site's own patient"),
        ("activated_late", "Site not ready yet"),
        ("area", "Outside the site's area"),
    ),
    ReasonKind.WITHDRAWN: (
        ("by_person", "The person withdrew"),
        ("by_investigator", "The investigator's decision"),
        ("adverse_event", "Adverse event"),
        ("lost_to_follow_up", "Lost to follow-up"),
        ("moved", "Moved away"),
    ),
}
KIND_OF: dict[State, ReasonKind] = {
    State.NOT_INTERESTED: ReasonKind.NOT_INTERESTED,
    State.COULD_NOT_REACH: ReasonKind.COULD_NOT_REACH,
    State.RETURNED_BY_SITE: ReasonKind.RETURNED_BY_SITE,
    State.WITHDRAWN: ReasonKind.WITHDRAWN,
    State.DISCONTINUED: ReasonKind.WITHDRAWN,
}


def choices(session: Session, kind: ReasonKind, *, study_id: UUID | None) -> list[tuple[str, str]]:
    """List code and label of the reasons that can be chosen: the study's own, the operator's, or ours."""
    for owner in (study_id, None):
        rows = session.scalars(
            sa.select(Reason)
            .where(Reason.kind == kind, Reason.study_id == owner, Reason.retired_at.is_(None))
            .order_by(Reason.position, Reason.label)
        ).all()
        if rows:
            return [(row.code, row.label) for row in rows]
    return list(STANDARD[kind])


def label(session: Session, kind: ReasonKind, code: str, *, study_id: UUID | None) -> str:
    """Give the words of a code, retired ones included; an unknown code stands for itself."""
    row = session.scalar(
        sa.select(Reason.label)
        .where(Reason.kind == kind, Reason.code == code)
        .where(sa.or_(Reason.study_id == study_id, Reason.study_id.is_(None)))
        .order_by(Reason.study_id.is_(None))
        .limit(1)
    )
    return row or dict(STANDARD[kind]).get(code, code.replace("_", " "))


def ensure(session: Session) -> int:
    """Put the standard lists into the database where the operator has none, to be edited there.

    :returns: how many reasons were added
    """
    present = set(session.scalars(sa.select(Reason.kind).where(Reason.study_id.is_(None)).distinct()))
    missing = [
        Reason(kind=kind, code=code, label=words, position=position)
        for kind, reasons in STANDARD.items()
        if kind not in present
        for position, (code, words) in enumerate(reasons)
    ]
    session.add_all(missing)
    session.flush()
    return len(missing)
