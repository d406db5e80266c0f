"""A study's details, its cohorts, and the facts that only it asks about."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts.models import Role
from recruit.errors import Invalid
from recruit.matching import cohorts as matching_cohorts
from recruit.studies import overview, reach, service
from recruit.studies.models import Cohort, EnrolmentCounts, StudyFactKey, StudyStatus
from recruit.web.coordinator import forms, frame, words
from recruit.web.coordinator.blueprint import bp
from recruit.web.coordinator.frame import Failed
from recruit.web.coordinator.reading import Posted
from recruit.web.coordinator.study import numbers_of
from recruit.web.guards import allow
from screening.vocabulary import Answerer, KeyKind, Sensitivity, read_key


@bp.get("/studies/<uuid:study_id>/edit")
@allow(Role.COORDINATOR, Role.AUDITOR)
def edit(study_id: UUID) -> ResponseReturnValue:
    """Show everything about a study as a form."""
    return _page(study_id)


@bp.post("/studies/<uuid:study_id>/edit")
@allow(Role.COORDINATOR)
def save(study_id: UUID) -> ResponseReturnValue:
    """Change a study's details."""
    posted = Posted()
    with context.reading() as session:
        details = forms.study_details(posted, reach.study_to_change(session, study_id, frame.writing_scope()))

    def work(session: Session) -> None:
        reach.study_to_change(session, study_id, frame.writing_scope())
        service.save_study(session, study_id, details, seen=posted.seen())
        service.set_identifiers(session, study_id, forms.identifiers(posted, field="identifiers"))

    failed = frame.attempt(posted, work, reason="study:edit")
    return _page(study_id, failed) if failed else _back(study_id, "saved")


@bp.post("/studies/<uuid:study_id>/status")
@allow(Role.COORDINATOR)
def set_status(study_id: UUID) -> ResponseReturnValue:
    """Close a study, or take that back."""
    posted = Posted()
    target = posted.choice("status", StudyStatus) or StudyStatus.CLOSED

    def work(session: Session) -> None:
        reach.study_to_change(session, study_id, frame.writing_scope())
        service.set_status(session, study_id, target, at=context.now())

    failed = frame.attempt(posted, work, reason="study:status")
    return _page(study_id, failed) if failed else _back(study_id, "saved")


@bp.post("/studies/<uuid:study_id>/cohorts")
@allow(Role.COORDINATOR)
def save_cohort(study_id: UUID) -> ResponseReturnValue:
    """Add a cohort or change the one with this code; its people follow where it opens or closes."""
    posted = Posted()
    code, name = posted.text("code", longest=40), posted.text("cohort_name", longest=200)
    cap, is_open = posted.number("cap"), posted.flag("is_open")

    def work(session: Session) -> None:
        reach.study_to_change(session, study_id, frame.writing_scope())
        try:
            matching_cohorts.save(
                session,
                study_id,
                code,
                name=name,
                cap=cap,
                is_open=is_open,
                seen=posted.seen(),
                at=context.now(),
            )
        except Invalid as error:
            raise error.at("cohort_name" if error.field == "name" else error.field) from None

    failed = frame.attempt(posted, work, reason="cohort:save")
    return _page(study_id, failed) if failed else _back(study_id, "cohort", "cohorts")


@bp.post("/studies/<uuid:study_id>/facts")
@allow(Role.COORDINATOR)
def add_fact(study_id: UUID) -> ResponseReturnValue:
    """Add a fact that only this study asks about."""
    posted = Posted()
    name = posted.text("fact_name", longest=60)
    document = _fact_document(posted)

    def work(session: Session) -> None:
        reach.study_to_change(session, study_id, frame.writing_scope())
        try:
            service.add_fact_key(session, study_id, document, name=name, at=context.now())
        except Invalid as error:
            raise error.at("fact_name") from None

    failed = frame.attempt(posted, work, reason="fact:add")
    return _page(study_id, failed) if failed else _back(study_id, "fact", "facts")


def _fact_document(posted: Posted) -> dict[str, object]:
    """Read the description of a fact: a yes or no, a number in a unit, a day, or a choice."""
    kind = posted.choice("fact_kind", KeyKind)
    document: dict[str, object] = {
        "kind": kind.value if kind else "",
        "label": _by_language(posted, "fact_label"),
        "question": _by_language(posted, "fact_question"),
        "hint": _by_language(posted, "fact_hint"),
        "sensitivity": (posted.choice("fact_sensitivity", Sensitivity) or Sensitivity.NORMAL).value,
        "told_by": [one for one in posted.many("fact_told_by") if one in set(Answerer)] or ["participant"],
        "allow_decline": posted.flag("fact_allow_decline"),
        "concerns_safety": posted.flag("fact_concerns_safety"),
    }
    if kind is KeyKind.QUANTITY:
        document["unit"] = posted.text("fact_unit", longest=40) or "1"
        document["whole"] = posted.flag("fact_whole")
    if kind is KeyKind.CHOICE:
        document["choices"] = _choices(posted)
    return {name: value for name, value in document.items() if value not in ({}, "", False)}


def _by_language(posted: Posted, name: str) -> dict[str, str]:
    said = {code: posted.text(f"{name}_{code}", longest=400) for code in words.LANGUAGES}
    return {code: text for code, text in said.items() if text}


def _choices(posted: Posted) -> list[dict[str, object]]:
    """Read lines of "code: English | Spanish"."""
    choices: list[dict[str, object]] = []
    for line in posted.text("fact_choices", longest=4_000, lines=True).splitlines():
        code, _colon, rest = line.partition(":")
        said = [part.strip() for part in rest.split("|")]
        if code.strip() and said[0]:
            labels = dict(zip(words.LANGUAGES, said, strict=False))
            choices.append({"code": code.strip(), "label": {k: v for k, v in labels.items() if v}})
    return choices


def _page(study_id: UUID, failed: Failed | None = None) -> ResponseReturnValue:
    with context.reading() as session:
        study = reach.study_to_read(session, study_id, frame.reading_scope())
        values = forms.study_values(study, numbers_of(session, study.id))
        cohorts = session.scalars(
            sa.select(Cohort).where(Cohort.study_id == study.id).order_by(Cohort.code)
        ).all()
        facts = session.scalars(
            sa.select(StudyFactKey).where(StudyFactKey.study_id == study.id).order_by(StudyFactKey.name)
        ).all()
        sites = overview.sites_of(session, study.id, frame.reading_scope())
    return frame.page(
        "studies/edit.html",
        failed=failed,
        values=values | {"is_open": "yes", "fact_told_by": ["participant"], "fact_sensitivity": "normal"},
        words=words,
        neutral=forms.neutral_fields(),
        cohorts=cohorts,
        keys=[read_key(row.name, row.document) for row in facts],
        sites=[{"value": "", "text": ""}, *({"value": site.id, "text": site.name} for _, site in sites)],
        counts=words.options(EnrolmentCounts),
        answerers=words.options(Answerer),
        sensitivities=words.options(Sensitivity),
        kinds=[KeyKind.FLAG, KeyKind.QUANTITY, KeyKind.DATE, KeyKind.CHOICE],
        seen=study.version,
        parts=frame.study_parts(study, "edit"),
    )


def _back(study_id: UUID, done: str, anchor: str = "") -> ResponseReturnValue:
    return redirect(url_for("studies.edit", study_id=study_id, done=done, _anchor=anchor or None), 303)
