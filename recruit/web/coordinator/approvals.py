"""Decisions of boards: what exactly they cover, where, how long, and the stamped document."""

from __future__ import annotations

from io import BytesIO
from uuid import UUID

from flask import redirect, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts.models import Role
from recruit.db import found
from recruit.errors import Invalid, NotFound
from recruit.materials import approvals as decisions
from recruit.materials import documents, queries, service
from recruit.materials.approvals import Decision
from recruit.materials.models import Approval, ApprovalItem, ApprovedKind, Determination
from recruit.materials.service import Coverable
from recruit.studies import overview, reach
from recruit.studies.models import Study
from recruit.web.coordinator import frame, words
from recruit.web.coordinator.blueprint import bp
from recruit.web.coordinator.frame import Failed
from recruit.web.coordinator.reading import Posted
from recruit.web.guards import allow, takes_files


@bp.get("/studies/<uuid:study_id>/approvals")
@allow(Role.COORDINATOR, Role.AUDITOR)
def approvals(study_id: UUID) -> ResponseReturnValue:
    """List what boards decided, with what ends soon, and ask for another decision."""
    return _page(study_id)


@bp.post("/studies/<uuid:study_id>/approvals")
@allow(Role.COORDINATOR)
@takes_files(2)
def record_approval(study_id: UUID) -> ResponseReturnValue:
    """Record a decision about things that are pinned by the hash of their exact words."""
    posted = Posted()
    decision = _decision(posted)
    tokens, sites = posted.many("covered"), posted.keys("sites")
    files = _uploads()

    def work(session: Session) -> None:
        reach.study_to_change(session, study_id, frame.writing_scope())
        stored = {
            which: documents.store(session, name, data, at=context.now()).id
            for which, (name, data) in files.items()
        }
        service.record_approval(
            session,
            study_id,
            decision(stored.get("document"), stored.get("certificate")),
            tokens,
            at=context.now(),
            study_site_ids=sites,
        )

    failed = frame.attempt(posted, work, reason="approval:record")
    return _page(study_id, failed) if failed else _to(study_id, "recorded")


@bp.post("/approvals/<uuid:approval_id>/withdraw")
@allow(Role.COORDINATOR)
def withdraw_approval(approval_id: UUID) -> ResponseReturnValue:
    """Note that a board took its decision back; whatever rested on it stops at once."""
    posted = Posted()
    with context.reading() as session:
        study_id = _study_of(session, approval_id).id

    def work(session: Session) -> None:
        reach.study_to_change(session, study_id, frame.writing_scope())
        decisions.withdraw(session, approval_id, at=context.now())

    failed = frame.attempt(posted, work, reason="approval:withdraw")
    return _page(study_id, failed) if failed else _to(study_id, "withdrawn")


@bp.get("/approvals/<uuid:approval_id>/<any(document, certificate):which>")
@allow(Role.COORDINATOR, Role.AUDITOR)
def approval_document(approval_id: UUID, which: str) -> ResponseReturnValue:
    """Hand out the stamped document of a decision, or the certificate of its translation."""
    with context.reading() as session:
        _study_of(session, approval_id)
        approval = found(session, Approval, approval_id)
        document_id = approval.document_id if which == "document" else approval.certificate_id
        if document_id is None:
            raise NotFound("There is no document.")
        document, data = documents.load(session, document_id)
    return send_file(
        BytesIO(data), mimetype=document.media_type, as_attachment=True, download_name=document.filename
    )


class _Read:
    """A decision as posted, waiting for the keys of its documents."""

    def __init__(self, posted: Posted) -> None:
        self._irb = posted.text("irb_name", longest=120)
        self._number = posted.text("submission_number", longest=80)
        self._determination = posted.choice("determination", Determination) or Determination.APPROVED
        self._basis = posted.text("basis", longest=4_000, lines=True)
        self._conditions = posted.text("conditions", longest=4_000, lines=True)
        self._decided = posted.day("decided_on", required=True)
        self._begins = posted.day("valid_from") or self._decided
        self._ends = posted.day("valid_until")

    def __call__(self, document_id: UUID | None, certificate_id: UUID | None) -> Decision:
        if self._decided is None or self._begins is None:
            raise Invalid(_("Enter a day."), field="decided_on")
        return Decision(
            irb_name=self._irb,
            submission_number=self._number,
            determination=self._determination,
            decided_on=self._decided,
            valid_from=self._begins,
            valid_until=self._ends,
            basis=self._basis,
            conditions=self._conditions,
            document_id=document_id,
            certificate_id=certificate_id,
        )


def _uploads() -> dict[str, tuple[str, bytes]]:
    """Read the files that came along, each a byte past the largest that is taken."""
    files = {}
    for which in ("document", "certificate"):
        upload = request.files.get(which)
        if upload is not None and upload.filename:
            files[which] = (upload.filename, upload.stream.read(documents.LARGEST + 1))
            upload.close()
    return files


def _decision(posted: Posted) -> _Read:
    return _Read(posted)


def _study_of(session: Session, approval_id: UUID) -> Study:
    approval = found(session, Approval, approval_id)
    if approval.study_id is None:
        raise NotFound("There is no such approval.")
    return reach.study_to_read(session, approval.study_id, frame.reading_scope())


def _choice(one: Coverable) -> dict[str, str]:
    """Say what a tick covers, with the hash of the exact words."""
    language = f" · {words.language(one.covered.language)}" if one.covered.language else ""
    state = "" if one.is_ready else f" · {_('draft')}"
    return {
        "value": one.token,
        "text": f"{_named(one)}{language}{state}",
        "hint": f"SHA-256 {one.covered.sha256[:16]}…",
    }


def _named(one: Coverable) -> str:
    if one.covered.kind is ApprovedKind.PROTOCOL_VERSION:
        return str(_("Criteria, version %(number)s", number=one.number))
    if one.covered.kind is ApprovedKind.QUESTIONNAIRE_VERSION:
        return str(_("Questionnaire, version %(number)s", number=one.number))
    return str(_("%(name)s, version %(number)s", name=one.name, number=one.number))


def _covered(items: list[ApprovalItem], known: dict[tuple[UUID, str], Coverable]) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = []
    for item in items:
        one = known.get((item.subject_id, item.language))
        language = f" · {words.language(item.language)}" if item.language else ""
        name = _named(one) if one else str(_("Something withdrawn"))
        listed.append(
            {
                "name": f"{name}{language}",
                "sha256": item.sha256,
                "changed": one is None or one.covered.sha256 != item.sha256,
            }
        )
    return listed


def _page(study_id: UUID, failed: Failed | None = None) -> ResponseReturnValue:
    today = frame.today()
    with context.reading() as session:
        study = reach.study_to_read(session, study_id, frame.reading_scope())
        rows = queries.approvals_of(session, study.id)
        things = service.coverable(session, study.id)
        known = {(one.covered.subject_id, one.covered.language): one for one in things}
        items = queries.items_of(session, [row.id for row in rows])
        limited = queries.sites_of(session, [row.id for row in rows])
        sites = overview.sites_of(session, study.id, frame.reading_scope())
    names = {study_site.id: site.name for study_site, site in sites}
    listed = [
        {
            "approval": row,
            "alarm": queries.alarm(row.valid_until, on=today) if row.withdrawn_at is None else None,
            "covered": _covered([item for item in items if item.approval_id == row.id], known),
            "sites": [names.get(one.study_site_id, "") for one in limited if one.approval_id == row.id],
        }
        for row in rows
    ]
    return frame.page(
        "studies/approvals.html",
        failed=failed,
        values={"decided_on": today.isoformat(), "determination": "approved", "covered": [], "sites": []},
        listed=listed,
        things=[_choice(one) for one in things if one.is_ready],
        drafts=sum(not one.is_ready for one in things),
        sites=[{"value": study_site.id, "text": site.name} for study_site, site in sites],
        determinations=words.options(Determination),
        words=words,
        parts=frame.study_parts(study, "approvals"),
    )


def _to(study_id: UUID, done: str) -> ResponseReturnValue:
    return redirect(url_for("studies.approvals", study_id=study_id, done=done), 303)
