"""Sites in a study: who is responsible, what is approved, what is in force, and whether they take people."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts.models import Role
from recruit.db import found
from recruit.errors import NotFound
from recruit.studies import activation, overview, places, queries, reach, versions
from recruit.studies.models import (
    BegunDrafts,
    ProtocolVersion,
    QuestionnaireVersion,
    Site,
    SitePersonRole,
    StudySite,
    StudySitePerson,
    StudySiteStatus,
    Team,
    VersionInForce,
    VersionStatus,
)
from recruit.web import fields
from recruit.web.coordinator import changes, forms, frame, words
from recruit.web.coordinator.blueprint import bp
from recruit.web.coordinator.frame import Failed
from recruit.web.coordinator.reading import Posted
from recruit.web.coordinator.study import places_of
from recruit.web.guards import allow


@bp.get("/studies/<uuid:study_id>/sites")
@allow(Role.COORDINATOR, Role.AUDITOR)
def study_sites(study_id: UUID) -> ResponseReturnValue:
    """List the sites of a study with what is missing at each."""
    return _list_page(study_id)


@bp.post("/studies/<uuid:study_id>/sites")
@allow(Role.COORDINATOR)
def add_site(study_id: UUID) -> ResponseReturnValue:
    """Put a site into a study."""
    posted = Posted()
    site_id = posted.key("site_id", required=True)
    made: list[UUID] = []

    def work(session: Session) -> None:
        scope = frame.writing_scope()
        reach.study_to_change(session, study_id, scope)
        site = found(session, Site, site_id) if site_id else None
        if site is None or not scope.covers(site_id=site.id, study_id=study_id):
            raise NotFound("There is no such site.")
        made.append(places.add_site(session, study_id, site.id, at=context.now()).id)

    failed = frame.attempt(posted, work, reason="study_site:add")
    if failed:
        return _list_page(study_id, failed)
    return redirect(url_for("studies.study_site", study_site_id=made[0], done="added"), 303)


@bp.get("/study-sites/<uuid:study_site_id>")
@allow(Role.COORDINATOR, Role.AUDITOR)
def study_site(study_site_id: UUID) -> ResponseReturnValue:
    """Show a site in a study: what is missing, its people, its versions, its numbers."""
    return _page(study_site_id)


@bp.post("/study-sites/<uuid:study_site_id>")
@allow(Role.COORDINATOR)
def save_study_site(study_site_id: UUID) -> ResponseReturnValue:
    """Change what is said about a site in a study."""
    posted = Posted()
    details = forms.place_details(posted)

    def work(session: Session) -> None:
        queries.study_site(session, study_site_id, frame.writing_scope())
        places.save_study_site(session, study_site_id, details, seen=posted.seen())

    failed = frame.attempt(posted, work, reason="study_site:edit")
    return _page(study_site_id, failed) if failed else _back(study_site_id, "saved")


@bp.post("/study-sites/<uuid:study_site_id>/status")
@allow(Role.COORDINATOR)
def move_study_site(study_site_id: UUID) -> ResponseReturnValue:
    """Move a site along; activation names everything that is missing."""
    posted = Posted()
    target = posted.choice("status", StudySiteStatus)

    def work(session: Session) -> None:
        queries.study_site(session, study_site_id, frame.writing_scope())
        if target is not None:
            activation.set_status(session, study_site_id, target, at=context.now())

    failed = frame.attempt(posted, work, reason="study_site:status")
    return _page(study_site_id, failed) if failed else _back(study_site_id, "status")


@bp.post("/study-sites/<uuid:study_site_id>/people")
@allow(Role.COORDINATOR)
def add_person(study_site_id: UUID) -> ResponseReturnValue:
    """Write down who works on a study at a site and what is delegated to them."""
    posted = Posted()
    role = posted.choice("role", SitePersonRole) or SitePersonRole.STUDY_COORDINATOR
    name, tasks = posted.text("person_name", longest=200), posted.many("tasks")
    trained, begins = posted.day("trained_on"), posted.day("from_day")

    def work(session: Session) -> None:
        queries.study_site(session, study_site_id, frame.writing_scope())
        places.add_person(session, study_site_id, role, name, tasks=tasks, trained_on=trained, from_day=begins)

    failed = frame.attempt(posted, work, reason="study_site:person")
    return _page(study_site_id, failed) if failed else _back(study_site_id, "person", "people")


@bp.post("/study-sites/<uuid:study_site_id>/people/<uuid:person_id>/end")
@allow(Role.COORDINATOR)
def end_person(study_site_id: UUID, person_id: UUID) -> ResponseReturnValue:
    """Note that somebody no longer works on a study at a site."""
    posted = Posted()

    def work(session: Session) -> None:
        _row, site, _study = queries.study_site(session, study_site_id, frame.writing_scope())
        if found(session, StudySitePerson, person_id).study_site_id != study_site_id:
            raise NotFound("There is no such entry.")
        places.end_person(session, person_id, on=overview.today_at(site, context.now()))

    failed = frame.attempt(posted, work, reason="study_site:person_end")
    return _page(study_site_id, failed) if failed else _back(study_site_id, "person", "people")


@bp.post("/study-sites/<uuid:study_site_id>/versions")
@allow(Role.COORDINATOR)
def put_in_force(study_site_id: UUID) -> ResponseReturnValue:
    """Say from which day a site uses which approved versions."""
    posted = Posted()
    protocol, questionnaire = posted.key("protocol", required=True), posted.key("questionnaire", required=True)
    begins = posted.day("effective_from", required=True)
    begun = posted.choice("begun_drafts", BegunDrafts) if posted.raw("begun_drafts") else None

    def work(session: Session) -> None:
        queries.study_site(session, study_site_id, frame.writing_scope())
        if protocol and questionnaire and begins:
            versions.put_in_force(
                session,
                study_site_id,
                protocol_version_id=protocol,
                questionnaire_version_id=questionnaire,
                effective_from=begins,
                begun_drafts=begun or BegunDrafts.FINISH,
                at=context.now(),
            )

    failed = frame.attempt(posted, work, reason="versions:in_force")
    return _page(study_site_id, failed) if failed else _back(study_site_id, "versions", "versions")


def _list_page(study_id: UUID, failed: Failed | None = None) -> ResponseReturnValue:
    with context.reading() as session:
        study = reach.study_to_read(session, study_id, frame.reading_scope())
        listed = places_of(session, study)
        taken = sa.select(StudySite.site_id).where(StudySite.study_id == study.id)
        others = session.scalars(sa.select(Site).where(Site.id.not_in(taken)).order_by(Site.name)).all()
        scope = frame.writing_scope()
        free = [one for one in others if scope.covers(site_id=one.id, study_id=study.id)]
    return frame.page(
        "studies/study_sites.html",
        failed=failed,
        places=listed,
        free=[
            {"value": "", "text": _("Choose")},
            *({"value": one.id, "text": f"{one.name}, {one.city}" if one.city else one.name} for one in free),
        ],
        words=words,
        parts=frame.study_parts(study, "study_sites"),
    )


def _page(study_site_id: UUID, failed: Failed | None = None) -> ResponseReturnValue:
    with context.reading() as session:
        row, site, study = queries.study_site(session, study_site_id, frame.reading_scope())
        people = session.scalars(
            sa.select(StudySitePerson)
            .where(StudySitePerson.study_site_id == row.id)
            .order_by(StudySitePerson.until_day.is_not(None), StudySitePerson.role, StudySitePerson.name)
        ).all()
        in_force = queries.in_force(session, row.id, on=overview.today_at(site, context.now()))
        ahead = changes.ahead_of(session, row, in_force)
        parts = {
            "missing": [fields.worded(gap) for gap in activation.missing(session, row, at=context.now())],
            "people": people,
            "in_force": in_force,
            "ahead": ahead,
            "history": _history(session, row),
            "protocols": _published(versions.versions_of(session, ProtocolVersion, study.id)),
            "questionnaires": _published(versions.versions_of(session, QuestionnaireVersion, study.id)),
            "held": queries.live_holds(session, at=context.now(), study_id=study.id, site_id=site.id),
        }
    day = overview.today_at(site, context.now())
    may_change = frame.writing_scope().covers(site_id=site.id, study_id=study.id)
    return frame.page(
        "studies/study_site.html",
        failed=failed,
        values=forms.place_values(row) | {"effective_from": day.isoformat(), "role": "study_coordinator"},
        study_site=row,
        site=site,
        moves=sorted(activation.MOVES[row.status], key=list(StudySiteStatus).index),
        roles=words.options(SitePersonRole),
        teams=words.options(Team),
        words=words,
        seen=row.version,
        ahead_says=changes.sentence_for(ahead, row.id) if ahead is not None else "",
        parts={**parts, **frame.study_parts(study, "study_sites"), "may_change": may_change},
    )


def _history(session: Session, row: StudySite) -> list[tuple[VersionInForce, int, int]]:
    query = (
        sa.select(VersionInForce, ProtocolVersion.number, QuestionnaireVersion.number)
        .join(ProtocolVersion, ProtocolVersion.id == VersionInForce.protocol_version_id)
        .join(QuestionnaireVersion, QuestionnaireVersion.id == VersionInForce.questionnaire_version_id)
        .where(VersionInForce.study_site_id == row.id)
        .order_by(VersionInForce.effective_from.desc())
    )
    return [(entry, protocol, questionnaire) for entry, protocol, questionnaire in session.execute(query)]


def _published(
    rows: Sequence[ProtocolVersion] | Sequence[QuestionnaireVersion],
) -> list[dict[str, object]]:
    return [
        {
            "value": one.id,
            "text": _("Version %(number)s", number=one.number) + (f" · {one.label}" if one.label else ""),
        }
        for one in rows
        if one.status is VersionStatus.PUBLISHED
    ]


def _back(study_site_id: UUID, done: str, anchor: str = "") -> ResponseReturnValue:
    return redirect(
        url_for("studies.study_site", study_site_id=study_site_id, done=done, _anchor=anchor or None), 303
    )
