"""Holds: one button that stops recruiting, and one that lets it go on."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts.models import Role
from recruit.db import found
from recruit.errors import Invalid, NotFound
from recruit.matching import holds as service
from recruit.matching.holds import Effect
from recruit.studies import reach
from recruit.studies.models import Cohort, Hold, HoldReason, Site, Study, StudyStatus
from recruit.web import identity
from recruit.web.coordinator import frame, words
from recruit.web.coordinator.blueprint import bp
from recruit.web.coordinator.frame import Failed
from recruit.web.coordinator.reading import Posted
from recruit.web.guards import allow


@bp.get("/holds")
@allow(Role.COORDINATOR, Role.AUDITOR)
def holds() -> ResponseReturnValue:
    """List the holds that stand and what they stop, and the last ones that were lifted."""
    return _page()


@bp.post("/holds")
@allow(Role.COORDINATOR)
def place_hold() -> ResponseReturnValue:
    """Stop recruiting for a study, a site, both together, or a cohort."""
    posted = Posted()
    study_id, site_id, cohort_id = (posted.key(name) for name in ("study_id", "site_id", "cohort_id"))
    reason = posted.choice("reason", HoldReason) or HoldReason.SPONSOR
    note = posted.text("note", longest=2_000, lines=True)
    begins = posted.moment("effective", zone=context.settings().zone)

    def work(session: Session) -> None:
        study, site, cohort = _named(session, study_id, site_id, cohort_id)
        service.place(
            session,
            reason=reason,
            at=context.now(),
            effective_at=begins,
            study_id=study,
            site_id=site,
            cohort_id=cohort,
            note=note,
        )

    failed = frame.attempt(posted, work, reason="hold:place")
    return _page(failed) if failed else redirect(url_for("studies.holds", done="placed"), 303)


@bp.post("/holds/<uuid:hold_id>/lift")
@allow(Role.COORDINATOR)
def lift_hold(hold_id: UUID) -> ResponseReturnValue:
    """Let recruiting go on."""
    posted = Posted()

    def work(session: Session) -> None:
        reach.hold_to_change(session, hold_id, frame.writing_scope())
        service.lift(session, hold_id, at=context.now())

    failed = frame.attempt(posted, work, reason="hold:lift")
    return _page(failed) if failed else redirect(url_for("studies.holds", done="lifted"), 303)


def _named(
    session: Session, study_id: UUID | None, site_id: UUID | None, cohort_id: UUID | None
) -> tuple[UUID | None, UUID | None, UUID | None]:
    """Check that one may stop what is named; a cohort brings its study along."""
    scope = frame.writing_scope()
    if cohort_id is not None:
        cohort = found(session, Cohort, cohort_id)
        if study_id not in (None, cohort.study_id):
            raise Invalid(_("This cohort belongs to another study."), field="cohort_id")
        study_id = cohort.study_id
    if study_id is None and site_id is None:
        raise Invalid(_("Say what to put on hold: a study, a site, or both."), field="study_id")
    if study_id is not None:
        reach.study_to_read(session, study_id, scope)
    if site_id is not None:
        if session.get(Site, site_id) is None:
            raise NotFound("There is no such site.")
        if study_id is None:
            reach.site_to_read(session, site_id, scope)
    reach.require_hold(scope, study_id=study_id, site_id=site_id)
    return study_id, site_id, cohort_id


def _page(failed: Failed | None = None) -> ResponseReturnValue:
    at, scope = context.now(), frame.reading_scope()
    with context.reading() as session:
        query = (
            sa.select(Hold, Study, Site, Cohort)
            .outerjoin(Study, Study.id == Hold.study_id)
            .outerjoin(Site, Site.id == Hold.site_id)
            .outerjoin(Cohort, Cohort.id == Hold.cohort_id)
            .where(reach.visible_holds(scope))
        )
        standing = session.execute(
            query.where(Hold.lifted_at.is_(None)).order_by(Hold.effective_at.desc(), Hold.id)
        ).all()
        lifted = session.execute(
            query.where(Hold.lifted_at.is_not(None)).order_by(Hold.lifted_at.desc(), Hold.id).limit(20)
        ).all()
        effects: dict[UUID, Effect] = {
            row.Hold.id: service.effect(session, row.Hold, at=at) for row in standing
        }
        choices = _choices(session)
    writing = frame.writing_scope()
    return frame.page(
        "studies/holds.html",
        failed=failed,
        values={"study_id": request.args.get("study", ""), "site_id": request.args.get("site", "")},
        standing=[
            {
                "hold": row.Hold,
                "study": row.Study,
                "site": row.Site,
                "cohort": row.Cohort,
                "effect": effects[row.Hold.id],
                "calls_url": _calls_url(row.Hold),
                "waits": row.Hold.effective_at > at,
                "may_lift": writing.covers(site_id=row.Hold.site_id, study_id=row.Hold.study_id),
            }
            for row in standing
        ],
        lifted=[(row.Hold, row.Study, row.Site) for row in lifted],
        reasons=words.options(HoldReason),
        zone=context.settings().zone,
        words=words,
        may_place=not writing.is_nothing,
        parts=choices,
    )


def _calls_url(hold: Hold) -> str | None:
    """Lead a recruiter to the visits to call off, where the account sees all that were counted."""
    if not identity.scope(Role.RECRUITER).covers(site_id=hold.site_id, study_id=hold.study_id):
        return None
    return url_for("desk.referrals.show", study=hold.study_id, site=hold.site_id)


def _choices(session: Session) -> dict[str, object]:
    """List the studies, sites and cohorts that one may put on hold."""
    scope = frame.writing_scope()
    studies = session.scalars(
        sa.select(Study)
        .where(Study.status != StudyStatus.CLOSED, reach.visible_studies(scope))
        .order_by(Study.nickname)
    ).all()
    sites = session.scalars(sa.select(Site).where(reach.visible_sites(scope)).order_by(Site.name)).all()
    cohorts = session.execute(
        sa.select(Cohort, Study.nickname)
        .join(Study, Study.id == Cohort.study_id)
        .where(Study.id.in_([one.id for one in studies]))
        .order_by(Study.nickname, Cohort.code)
    ).all()
    return {
        "studies": [
            {"value": "", "text": _("Every study of the site")},
            *({"value": one.id, "text": one.nickname} for one in studies),
        ],
        "sites": [
            {"value": "", "text": _("Every site of the study")},
            *({"value": one.id, "text": one.name} for one in sites),
        ],
        "cohorts": [
            {"value": "", "text": _("All cohorts")},
            *({"value": row.Cohort.id, "text": f"{row.nickname}: {row.Cohort.name}"} for row in cohorts),
        ],
    }
