"""Every page and form of the coordinators, and where it stands for one study."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from recruit.materials import queries
from recruit.studies.models import ProtocolVersion, StudySitePerson
from tests.factories import OpenStudy

PAGES = (
    *(
        "index",
        "new_study",
        "import_form",
        "study",
        "edit",
        "registry",
        "criteria",
        "criterion",
        "rule",
        "questions",
    ),
    *("pages", "item", "preview_item", "materials", "material", "approvals", "study_sites", "study_site"),
    *("sites", "new_site", "site", "holds"),
)


def address(app: Flask, session: Session, made: OpenStudy, name: str, *, draft: bool = True) -> str:
    """Give the address of a page about a study; a criterion is that of the draft, where there is one."""
    with app.test_request_context():
        return app.url_for(f"studies.{name}", **_values(session, made, name, draft=draft))


def posts(app: Flask, session: Session, made: OpenStudy) -> list[str]:
    """Give the addresses of all forms about a study."""
    with app.test_request_context():
        return [
            app.url_for(
                rule.endpoint, **_values(session, made, rule.endpoint.removeprefix("studies."), rule.arguments)
            )
            for rule in app.url_map.iter_rules()
            if rule.endpoint.startswith("studies.") and "POST" in (rule.methods or set()) and rule.arguments
            if rule.endpoint not in ("studies.lift_hold", "studies.save_site", "studies.save_hours")
        ]


def _values(
    session: Session, made: OpenStudy, name: str, arguments: object = None, *, draft: bool = True
) -> dict[str, Any]:
    questionnaire = ("pages", "item", "preview_item", "save_frame", "save_pages", "save_item", "move_item")
    known: dict[str, object] = {
        "study_id": made.study.id,
        "study_site_id": made.study_site.id,
        "site_id": made.site.id,
        "criterion_id": "c1",
        "item_name": "condition_diabetes",
        "version_id": _version(session, made, name, questionnaire, draft=draft),
        "material_id": queries.materials_of(session, made.study.id)[0][0].id,
        "approval_id": queries.approvals_of(session, made.study.id)[0].id,
        "person_id": session.scalars(
            sa.select(StudySitePerson.id).where(StudySitePerson.study_site_id == made.study_site.id)
        ).first(),
    }
    if arguments is None:
        arguments = {
            **dict.fromkeys(("study", "edit", "registry", "criteria", "questions", "materials"), ("study_id",)),
            **dict.fromkeys(("approvals", "study_sites"), ("study_id",)),
            "criterion": ("version_id", "criterion_id"),
            "rule": ("version_id", "criterion_id"),
            "pages": ("version_id",),
            "material": ("version_id",),
            "item": ("version_id", "item_name"),
            "preview_item": ("version_id", "item_name"),
            "study_site": ("study_site_id",),
            "site": ("site_id",),
        }.get(name, ())
    assert isinstance(arguments, set | tuple)
    return {argument: known[argument] for argument in arguments}


def _version(
    session: Session, made: OpenStudy, name: str, questionnaire: tuple[str, ...], *, draft: bool
) -> UUID:
    if name in ("material", "save_material", "move_material"):
        return queries.materials_of(session, made.study.id)[0][1][0].id
    if name in (*questionnaire, "add_item", "publish_questions"):
        return made.questionnaire.id
    newest = session.scalars(
        sa.select(ProtocolVersion.id)
        .where(ProtocolVersion.study_id == made.study.id)
        .order_by(ProtocolVersion.number.desc())
    ).first()
    return newest if draft and newest is not None else made.protocol.id
