"""One study at a glance: what is missing where, what is in force, what ends soon; and its registry record."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts.models import Role
from recruit.materials import queries as material_queries
from recruit.materials.models import Approval, MaterialState
from recruit.materials.queries import Alarm
from recruit.studies import activation, overview, publishing, queries, reach, service, versions
from recruit.studies.models import (
    Hold,
    ProtocolVersion,
    QuestionnaireVersion,
    Site,
    Study,
    StudyIdentifier,
    StudyImport,
    StudyLocation,
    StudySite,
    StudySiteStatus,
)
from recruit.studies.queries import InForce
from recruit.web import fields
from recruit.web.coordinator import frame, words
from recruit.web.coordinator.blueprint import bp
from recruit.web.guards import allow
from screening.language.protocol import read_protocol

_NOT_YET = (StudySiteStatus.SELECTED, StudySiteStatus.START_UP, StudySiteStatus.INITIATED)


@dataclass(frozen=True, slots=True)
class Place:
    """A site of a study, with what is missing before it can take people and what ends soon."""

    study_site: StudySite
    site: Site
    missing: tuple[str, ...]
    in_force: InForce | None
    alarm: Alarm | None
    held: bool
    takes_people: bool


@bp.get("/studies/<uuid:study_id>")
@allow(Role.COORDINATOR, Role.AUDITOR)
def study(study_id: UUID) -> ResponseReturnValue:
    """Show where a study stands and what to do next."""
    with context.reading() as session:
        found = reach.study_to_read(session, study_id, frame.reading_scope())
        parts = {
            "row": overview.study_row(session, found, at=context.now()),
            "places": places_of(session, found),
            "holds": holds_over(session, found),
            "endings": endings_of(session, found),
            "protocols": versions.versions_of(session, ProtocolVersion, found.id),
            "questionnaires": versions.versions_of(session, QuestionnaireVersion, found.id),
            "still_text": _still_text(session, found),
            "numbers": numbers_of(session, found.id),
            "visits": service.visits_of(found),
            **_written(session, found),
        }
    return frame.page("studies/study.html", words=words, parts={**parts, **frame.study_parts(found, "study")})


@bp.get("/studies/<uuid:study_id>/registry")
@allow(Role.COORDINATOR, Role.AUDITOR)
def registry(study_id: UUID) -> ResponseReturnValue:
    """Show what the registry says, its locations, and how its record changed; internal text, not our sites."""
    from recruit.interop.registry import restored  # here for the start: few requests read a registry
    from recruit.studies import importing

    with context.reading() as session:
        found = reach.study_to_read(session, study_id, frame.reading_scope())
        last = importing.last_import(session, found)
        imports = session.scalars(
            sa.select(StudyImport)
            .where(StudyImport.study_id == found.id)
            .order_by(StudyImport.imported_at.desc(), StudyImport.id.desc())
            .limit(20)
        ).all()
        locations = session.scalars(
            sa.select(StudyLocation)
            .where(StudyLocation.study_id == found.id)
            .order_by(StudyLocation.position)
            .limit(500)
        ).all()
    record = restored(last.record) if last else None
    return frame.page(
        "studies/registry.html",
        words=words,
        last=last,
        record=record,
        imports=imports,
        locations=locations,
        parts=frame.study_parts(found, "registry"),
    )


def places_of(session: Session, found: Study) -> list[Place]:
    """List the sites of a study within one's scope, those that need something first."""
    at = context.now()
    places = [_place(session, *pair) for pair in overview.sites_of(session, found.id, frame.reading_scope())]
    open_ids = {one.study_site.id for one in queries.open_sites(session, found, at=at)}
    marked = [_with_openness(place, place.study_site.id in open_ids) for place in places]
    return sorted(marked, key=lambda place: (place.takes_people, place.site.name.casefold()))


def _place(session: Session, study_site: StudySite, site: Site) -> Place:
    at = context.now()
    on = overview.today_at(site, at)
    held = queries.live_holds(session, at=at, study_id=study_site.study_id, site_id=site.id)
    running = study_site.status in (StudySiteStatus.ACTIVATED, StudySiteStatus.PAUSED)
    return Place(
        study_site=study_site,
        site=site,
        missing=tuple(map(fields.worded, activation.missing(session, study_site, at=at)))
        if running or study_site.status in _NOT_YET
        else (),
        in_force=queries.in_force(session, study_site.id, on=on),
        alarm=material_queries.alarm(study_site.approval_expires_on, on=on) if running else None,
        held=bool(held),
        takes_people=False,
    )


def _with_openness(place: Place, is_open: bool) -> Place:
    return Place(place.study_site, place.site, place.missing, place.in_force, place.alarm, place.held, is_open)


def holds_over(session: Session, found: Study) -> list[tuple[Hold, Site | None]]:
    """List the live holds that touch a study, each with its site where it names one."""
    at = context.now()
    taking_part = sa.select(StudySite.site_id).where(StudySite.study_id == found.id)
    query = (
        sa.select(Hold, Site)
        .outerjoin(Site, Site.id == Hold.site_id)
        .where(Hold.lifted_at.is_(None), reach.visible_holds(frame.reading_scope()))
        .where(
            sa.or_(Hold.study_id == found.id, sa.and_(Hold.study_id.is_(None), Hold.site_id.in_(taking_part)))
        )
        .order_by(Hold.effective_at)
    )
    return [(row.Hold, row.Site) for row in session.execute(query) if row.Hold.effective_at <= at]


def endings_of(session: Session, found: Study) -> list[tuple[Approval, Alarm]]:
    """List the approvals of a study that end within 60 days or have ended, soonest first."""
    today = frame.today()
    near = [
        (approval, alarm)
        for approval in material_queries.approvals_of(session, found.id)
        if approval.withdrawn_at is None
        if (alarm := material_queries.alarm(approval.valid_until, on=today)) is not None
    ]
    return sorted(near, key=lambda pair: pair[1].days)


def numbers_of(session: Session, study_id: UUID) -> list[tuple[str, str]]:
    """List a study's names in other systems."""
    rows = session.scalars(
        sa.select(StudyIdentifier)
        .where(StudyIdentifier.study_id == study_id)
        .order_by(StudyIdentifier.system, StudyIdentifier.value)
    )
    return [(row.system, row.value) for row in rows]


def _written(session: Session, found: Study) -> dict[str, object]:
    """Count the texts of a study by material and language, those in use, and the approvals valid today."""
    today = frame.today()
    texts = {
        (material.id, row.language): row.state is MaterialState.IN_USE
        for material, rows in material_queries.materials_of(session, found.id)
        for row in sorted(rows, key=lambda row: row.state is MaterialState.IN_USE)
    }
    valid = [
        one
        for one in material_queries.approvals_of(session, found.id)
        if one.withdrawn_at is None
        and one.valid_from <= today
        and (one.valid_until is None or one.valid_until >= today)
    ]
    return {"written": len(texts), "used": sum(texts.values()), "approved": len(valid)}


def _still_text(session: Session, found: Study) -> int:
    newest = next(iter(versions.versions_of(session, ProtocolVersion, found.id)), None)
    return len(publishing.still_text(read_protocol(newest.document))) if newest else 0
