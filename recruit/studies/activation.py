"""Activating a site for a study: what has to be there first, each missing thing by name."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit import events
from recruit.clock import civil_day
from recruit.db import found, locked
from recruit.errors import Incomplete, NotPermitted
from recruit.studies import publishing, queries, versions
from recruit.studies.models import (
    Site,
    SiteHours,
    SitePersonRole,
    Study,
    StudySite,
    StudySitePerson,
    StudySiteStatus,
    StudyStatus,
)
from recruit.vocabulary import vocabulary_of
from screening.asking.questionnaire import Document
from screening.language.protocol import read_protocol
from screening.saying import Saying
from screening.slips import N_

S = StudySiteStatus
MOVES: dict[StudySiteStatus, frozenset[StudySiteStatus]] = {
    S.SELECTED: frozenset({S.START_UP, S.CLOSED_OUT}),
    S.START_UP: frozenset({S.INITIATED, S.CLOSED_OUT}),
    S.INITIATED: frozenset({S.ACTIVATED, S.CLOSED_OUT}),
    S.ACTIVATED: frozenset({S.PAUSED, S.ENROLMENT_CLOSED}),
    S.PAUSED: frozenset({S.ACTIVATED, S.ENROLMENT_CLOSED}),
    S.ENROLMENT_CLOSED: frozenset({S.ACTIVATED, S.CLOSED_OUT}),
    S.CLOSED_OUT: frozenset(),
}


def missing(session: Session, study_site: StudySite, *, at: datetime) -> tuple[Saying, ...]:
    """Name everything that is missing before a site can be activated."""
    study = found(session, Study, study_site.study_id)
    site = found(session, Site, study_site.site_id)
    day = civil_day(at, site.zone)
    return (
        *_study_gaps(study),
        *_site_gaps(session, study_site, site),
        *_approval_gaps(session, study_site, day),
    )


def set_status(session: Session, study_site_id: UUID, target: StudySiteStatus, *, at: datetime) -> StudySite:
    """Move a study site along; activation needs everything in place.

    :raises NotPermitted: the status does not follow from the present one
    :raises Incomplete: naming what is missing
    """
    study_site = locked(session, StudySite, study_site_id)
    if target not in MOVES[study_site.status]:
        raise NotPermitted(
            "A site that is %(now)s cannot become %(target)s.",
            values={"now": _words(study_site.status), "target": _words(target)},
        )
    if target is S.ACTIVATED:
        gaps = missing(session, study_site, at=at)
        if gaps:
            raise Incomplete("This site cannot be activated yet.", missing=gaps)
        study_site.activated_at = study_site.activated_at or at
        study = locked(session, Study, study_site.study_id)
        if study.status is StudyStatus.DRAFT:
            study.status = StudyStatus.OPEN
        study.lead_site_id = study.lead_site_id or study_site.site_id
    study_site.status = target
    session.flush()
    events.record(
        session,
        f"study_site.{target.value}",
        subject=("study_site", study_site.id),
        happened_on=at.date(),
        happened_at=at,
        at=at,
        study_id=study_site.study_id,
        site_id=study_site.site_id,
    )
    return study_site


def _study_gaps(study: Study) -> list[Saying]:
    needed = {
        N_("The study has no neutral name; messages must not name the condition."): study.neutral_names,
        N_("The study has no safety contact."): study.safety_contact,
        N_("The study has no deputy for the safety contact."): study.safety_deputy,
        N_("The study has no language of the informed consent form."): study.icf_languages,
        N_("The study has no sponsor."): study.sponsor,
    }
    return [Saying(gap) for gap, value in needed.items() if not value]


def _site_gaps(session: Session, study_site: StudySite, site: Site) -> list[Saying]:
    gaps = []
    if not study_site.protocol_site_number:
        gaps.append(Saying(N_("The site has no number in the protocol.")))
    if not study_site.study_phone:
        gaps.append(Saying(N_("There is no telephone number for this study at the site.")))
    if study_site.weekly_calls is None or study_site.weekly_visits is None:
        gaps.append(Saying(N_("The site's weekly capacity for calls and visits is not stated.")))
    if session.scalar(sa.select(SiteHours.id).where(SiteHours.site_id == site.id).limit(1)) is None:
        gaps.append(Saying(N_("The site has no opening hours.")))
    investigator = sa.select(StudySitePerson.id).where(
        StudySitePerson.study_site_id == study_site.id,
        StudySitePerson.role == SitePersonRole.PRINCIPAL_INVESTIGATOR,
        StudySitePerson.until_day.is_(None),
    )
    if session.scalar(investigator.limit(1)) is None:
        gaps.append(Saying(N_("The site has no principal investigator.")))
    return gaps


def _approval_gaps(session: Session, study_site: StudySite, day: date) -> list[Saying]:
    gaps = []
    if not study_site.irb_name or not study_site.irb_number:
        gaps.append(Saying(N_("The IRB of record and its number are not stated.")))
    if study_site.approved_on is None or study_site.approved_on > day:
        gaps.append(Saying(N_("The IRB has not approved the study at this site yet.")))
    elif study_site.approval_expires_on is not None and study_site.approval_expires_on < day:
        gaps.append(
            Saying(N_("The IRB's approval expired on %(day)s."), {"day": study_site.approval_expires_on})
        )
    in_force = queries.in_force(session, study_site.id, on=day)
    if in_force is None:
        gaps.append(Saying(N_("No protocol and questionnaire version is in force.")))
    else:
        gaps.extend(_question_gaps(session, in_force))
        if not versions.is_approved(session, in_force.protocol, study_site, on=day):
            gaps.append(Saying(N_("The protocol version in force has no live approval at this site.")))
        gaps.extend(
            Saying(
                N_("The questionnaire in force has no live approval in %(language)s."), {"language": language}
            )
            for language in versions.unapproved_languages(session, in_force.questionnaire, study_site, on=day)
        )
    return gaps


def _question_gaps(session: Session, in_force: queries.InForce) -> list[Saying]:
    """Name what participants know and the criteria in force need, but no approved question asks."""
    unasked = publishing.unasked_facts(
        read_protocol(in_force.protocol.document),
        Document.model_validate(in_force.questionnaire.document),
        vocabulary_of(session, in_force.protocol.study_id),
    )
    lacking = N_("The questionnaire in force has no question for %(key)s, which participants know.")
    return [Saying(lacking, {"key": key.name}) for key in unasked]


def _words(status: StudySiteStatus) -> str:
    return status.value.replace("_", " ")
