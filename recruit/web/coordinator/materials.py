"""What participants read or hear: texts by language, their way to approval, and to use."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts.models import Role
from recruit.db import found
from recruit.errors import NotFound
from recruit.materials import queries, service
from recruit.materials.models import Material, MaterialKind, MaterialState, MaterialVersion
from recruit.materials.states import EDITABLE, MOVES
from recruit.studies import reach
from recruit.studies.models import Study
from recruit.web.coordinator import frame, words
from recruit.web.coordinator.blueprint import bp
from recruit.web.coordinator.frame import Failed
from recruit.web.coordinator.items import advice
from recruit.web.coordinator.reading import Posted
from recruit.web.guards import allow
from screening.texts import Text

EXPECTED = (
    MaterialKind.STUDY_PAGE,
    MaterialKind.NOT_RECRUITING,
    MaterialKind.PHONE_SCRIPT,
    MaterialKind.VOICEMAIL,
    MaterialKind.SMS,
    MaterialKind.EMAIL,
)
_AUTOMATIC = (MaterialState.SUPERSEDED, MaterialState.EXPIRED)


@bp.get("/studies/<uuid:study_id>/materials")
@allow(Role.COORDINATOR, Role.AUDITOR)
def materials(study_id: UUID) -> ResponseReturnValue:
    """List the materials of a study with the state of each language."""
    return _list_page(study_id)


@bp.post("/studies/<uuid:study_id>/materials")
@allow(Role.COORDINATOR)
def create_material(study_id: UUID) -> ResponseReturnValue:
    """Begin a material with a first text."""
    posted = Posted()
    kind = posted.choice("kind", MaterialKind) or MaterialKind.STUDY_PAGE
    name = posted.text("name", longest=120) or words.label(kind)
    text = _text(posted)
    made: list[UUID] = []

    def work(session: Session) -> None:
        reach.study_to_change(session, study_id, frame.writing_scope())
        material = service.create(session, study_id, kind, name, at=context.now())
        made.append(service.write(session, material.id, at=context.now(), **text).id)

    failed = frame.attempt(posted, work, reason="material:create")
    return _list_page(study_id, failed) if failed else _to(made[0], "created")


@bp.get("/material-versions/<uuid:version_id>")
@allow(Role.COORDINATOR, Role.AUDITOR)
def material(version_id: UUID) -> ResponseReturnValue:
    """Show one text with its state and what may happen next."""
    return _page(version_id)


@bp.post("/material-versions/<uuid:version_id>")
@allow(Role.COORDINATOR)
def save_material(version_id: UUID) -> ResponseReturnValue:
    """Change the words of a text that nobody has submitted."""
    posted = Posted()
    text = _text(posted)

    def work(session: Session) -> None:
        _to_change(session, version_id)
        service.rewrite(session, version_id, text["body"], subject=text["subject"], seen=posted.seen())

    failed = frame.attempt(posted, work, reason="material:edit")
    return _page(version_id, failed) if failed else _to(version_id, "saved")


@bp.post("/material-versions/<uuid:version_id>/move")
@allow(Role.COORDINATOR)
def move_material(version_id: UUID) -> ResponseReturnValue:
    """Move a text along its way; approval and use need the board's decision about these exact words."""
    posted = Posted()
    target = posted.choice("state", MaterialState)

    def work(session: Session) -> None:
        _to_change(session, version_id)
        if target is not None:
            service.move(session, version_id, target, at=context.now())

    failed = frame.attempt(posted, work, reason="material:move")
    return _page(version_id, failed) if failed else _to(version_id, "moved")


@bp.post("/materials/<uuid:material_id>/versions")
@allow(Role.COORDINATOR)
def write_version(material_id: UUID) -> ResponseReturnValue:
    """Write a new version, or the first one in another language."""
    posted = Posted()
    text = _text(posted)
    made: list[UUID] = []
    with context.reading() as session:
        study_id = _study_of(session, material_id).id

    def work(session: Session) -> None:
        reach.study_to_change(session, study_id, frame.writing_scope())
        made.append(service.write(session, material_id, at=context.now(), **text).id)

    failed = frame.attempt(posted, work, reason="material:write")
    return _list_page(study_id, failed) if failed else _to(made[0], "created")


def _text(posted: Posted) -> dict[str, str]:
    return {
        "language": posted.text("language", longest=12),
        "subject": posted.text("subject", longest=300),
        "body": posted.text("body", longest=service.LONGEST, lines=True),
    }


def _study_of(session: Session, material_id: UUID) -> Study:
    material = found(session, Material, material_id)
    if material.study_id is None:
        raise NotFound("There is no such material.")
    return reach.study_to_read(session, material.study_id, frame.reading_scope())


def _to_change(session: Session, version_id: UUID) -> None:
    version = found(session, MaterialVersion, version_id)
    study = _study_of(session, version.material_id)
    reach.study_to_change(session, study.id, frame.writing_scope())


def _list_page(study_id: UUID, failed: Failed | None = None) -> ResponseReturnValue:
    today = frame.today()
    with context.reading() as session:
        study = reach.study_to_read(session, study_id, frame.reading_scope())
        listed = [
            {
                "material": material,
                "versions": _newest(rows),
                "usable": {row.id for row in rows if queries.is_approved(session, row, on=today)},
                "lacking": [code for code in study.icf_languages if code not in {row.language for row in rows}],
            }
            for material, rows in queries.materials_of(session, study.id)
        ]
        held = {one["material"].kind for one in listed if isinstance(one["material"], Material)}
    return frame.page(
        "studies/materials.html",
        failed=failed,
        values={"language": "en"},
        listed=listed,
        absent=[kind for kind in EXPECTED if kind not in held],
        kinds=words.options(MaterialKind),
        languages=_languages(study),
        words=words,
        parts=frame.study_parts(study, "materials"),
    )


def _newest(rows: list[MaterialVersion]) -> list[MaterialVersion]:
    """Keep of every language the newest version and the one in use."""
    kept: list[MaterialVersion] = []
    for row in rows:
        newest = not any(one.language == row.language for one in kept)
        if newest or row.state is MaterialState.IN_USE:
            kept.append(row)
    return kept


def _languages(study: Study) -> list[dict[str, str]]:
    codes = dict.fromkeys((*study.icf_languages, "en", "es"))
    return [{"value": code, "text": words.language(code)} for code in codes]


def _page(version_id: UUID, failed: Failed | None = None) -> ResponseReturnValue:
    with context.reading() as session:
        version = found(session, MaterialVersion, version_id)
        study = _study_of(session, version.material_id)
        material = found(session, Material, version.material_id)
        rows = next(
            (rows for one, rows in queries.materials_of(session, study.id) if one.id == material.id), []
        )
        approved = queries.is_approved(session, version, on=frame.today())
    text = Text({version.language: {"self": f"{version.subject}\n{version.body}"}})
    return frame.page(
        "studies/material.html",
        failed=failed,
        values={"subject": version.subject, "body": version.body, "language": version.language},
        version=version,
        material=material,
        rows=rows,
        approved=approved,
        advice=advice(text, (version.language,)),
        moves=[one for one in MaterialState if one in MOVES[version.state] and one not in _AUTOMATIC],
        editable=version.state in EDITABLE,
        languages=_languages(study),
        with_subject=material.kind in service.WITH_SUBJECT,
        length=len(version.body),
        is_sms=material.kind is MaterialKind.SMS,
        words=words,
        parts=frame.study_parts(study, "materials"),
    )


def _to(version_id: UUID, done: str) -> ResponseReturnValue:
    return redirect(url_for("studies.material", version_id=version_id, done=done), 303)
