"""Materials: written, reviewed, approved, used and superseded; and what a board's decision can cover."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit import events
from recruit.db import actor_of, found, locked
from recruit.errors import Conflict, Invalid, NotFound, NotPermitted, Refused
from recruit.ids import new_id
from recruit.materials import approvals, queries
from recruit.materials.approvals import Covered, Decision
from recruit.materials.models import (
    Approval,
    ApprovedKind,
    Material,
    MaterialKind,
    MaterialState,
    MaterialVersion,
)
from recruit.materials.states import COVERABLE, EDITABLE, MOVES, NEED_APPROVAL
from recruit.studies import versions
from recruit.studies.details import require_plain, require_same
from recruit.studies.models import ProtocolVersion, QuestionnaireVersion, Study, StudySite, VersionStatus

LONGEST = 20_000
VARIABLE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
WITH_SUBJECT = frozenset({MaterialKind.EMAIL, MaterialKind.LETTER, MaterialKind.STUDY_PAGE})
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][A-Za-z]{1,3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Coverable:
    """One thing in one language that a board can decide about, with the hash of its exact bytes."""

    covered: Covered
    kind: str
    name: str
    number: int
    is_ready: bool = True

    @property
    def token(self) -> str:
        """Name it in a form; a changed text changes the token, so that a stale page approves nothing."""
        one = self.covered
        return f"{one.kind.value}:{one.subject_id}:{one.language}:{one.sha256}"


def create(session: Session, study_id: UUID, kind: MaterialKind, name: str, *, at: datetime) -> Material:
    """Begin a material of a study.

    :raises Invalid: it has no name
    """
    if not name.strip():
        raise Invalid("Enter a name that tells this material from others.", field="name")
    require_plain(name, "name", most=120)
    found(session, Study, study_id)
    material = Material(id=new_id(), study_id=study_id, kind=kind, name=name.strip(), created_at=at)
    session.add(material)
    session.flush()
    return material


def write(
    session: Session, material_id: UUID, language: str, body: str, *, at: datetime, subject: str = ""
) -> MaterialVersion:
    """Add a draft version in one language.

    :raises Invalid: naming the field that is wrong
    """
    material = locked(session, Material, material_id)
    if not _LANGUAGE.fullmatch(language):
        raise Invalid("Write the language as a short code, such as en or es.", field="language")
    _check_text(material.kind, subject, body)
    newest = session.scalar(
        sa.select(sa.func.max(MaterialVersion.number)).where(
            MaterialVersion.material_id == material.id, MaterialVersion.language == language
        )
    )
    version = MaterialVersion(
        id=new_id(),
        material_id=material.id,
        number=(newest or 0) + 1,
        language=language,
        created_at=at,
        created_by=actor_of(session),
    )
    _set_text(version, subject, body)
    session.add(version)
    session.flush()
    return version


def rewrite(
    session: Session, version_id: UUID, body: str, *, subject: str = "", seen: int | None = None
) -> MaterialVersion:
    """Change the words of a version that nobody has submitted yet.

    :raises Invalid: naming the field that is wrong
    :raises Refused: it has been submitted: then a new version is written
    :raises Conflict: somebody else saved in the meantime
    """
    version = locked(session, MaterialVersion, version_id)
    require_same(version.version, seen)
    if version.state not in EDITABLE:
        raise Refused("What has been submitted does not change. Write a new version.")
    _check_text(found(session, Material, version.material_id).kind, subject, body)
    _set_text(version, subject, body)
    session.flush()
    return version


def move(session: Session, version_id: UUID, target: MaterialState, *, at: datetime) -> MaterialVersion:
    """Move a version along its way; using one supersedes the one in use in the same language.

    :raises NotPermitted: the state does not follow from the present one
    :raises Refused: no live approval covers its exact bytes
    """
    version = locked(session, MaterialVersion, version_id)
    if target not in MOVES[version.state]:
        raise NotPermitted(
            "A text that is %(now)s cannot become %(target)s.",
            values={"now": _words(version.state), "target": _words(target)},
        )
    if target in NEED_APPROVAL and not _has_approval(session, version, at=at):
        raise Refused("Record the approval of this exact text first: none that is valid today covers it.")
    if target is MaterialState.IN_USE:
        _supersede(session, version, at=at)
    version.state = target
    session.flush()
    material = found(session, Material, version.material_id)
    events.record(
        session,
        f"material.{target.value}",
        subject=("material_version", version.id),
        happened_on=at.date(),
        happened_at=at,
        at=at,
        study_id=material.study_id,
        payload={"language": version.language, "sha256": version.sha256},
    )
    return version


def expire_due(session: Session, *, at: datetime) -> int:
    """Mark the texts expired that were approved and that no approval covers any more; return how many."""
    rows = session.scalars(
        sa.select(MaterialVersion).where(
            MaterialVersion.state.in_((MaterialState.APPROVED, MaterialState.IN_USE, MaterialState.SUPERSEDED))
        )
    ).all()
    over = [row for row in rows if not _has_approval(session, row, at=at)]
    for row in over:
        move(session, row.id, MaterialState.EXPIRED, at=at)
    return len(over)


def coverable(session: Session, study_id: UUID) -> list[Coverable]:
    """List what a board can decide about: versions of criteria, of questions by language, and materials."""
    listed = [
        Coverable(
            Covered(ApprovedKind.PROTOCOL_VERSION, row.id, "", row.sha256),
            "protocol",
            row.label,
            row.number,
            row.status is VersionStatus.PUBLISHED,
        )
        for row in versions.versions_of(session, ProtocolVersion, study_id)
        if row.status is not VersionStatus.WITHDRAWN
    ]
    for questionnaire in versions.versions_of(session, QuestionnaireVersion, study_id):
        if questionnaire.status is not VersionStatus.WITHDRAWN:
            listed += [
                Coverable(
                    Covered(ApprovedKind.QUESTIONNAIRE_VERSION, questionnaire.id, language, sha256),
                    "questionnaire",
                    questionnaire.label,
                    questionnaire.number,
                    questionnaire.status is VersionStatus.PUBLISHED,
                )
                for language, sha256 in versions.language_hashes(questionnaire).items()
            ]
    for material, rows in queries.materials_of(session, study_id):
        listed += [
            Coverable(
                Covered(ApprovedKind.MATERIAL_VERSION, row.id, row.language, row.sha256),
                material.kind.value,
                material.name,
                row.number,
            )
            for row in rows
            if row.state in COVERABLE
        ]
    return listed


def record_approval(
    session: Session,
    study_id: UUID,
    decision: Decision,
    tokens: Sequence[str],
    *,
    at: datetime,
    study_site_ids: Sequence[UUID] = (),
) -> Approval:
    """Record a board's decision about things named by their tokens; submitted materials become approved.

    :raises Invalid: nothing is chosen, or the decision contradicts itself
    :raises Conflict: a text has changed since the page was shown
    :raises NotFound: a site takes no part in the study
    """
    known = {one.token: one for one in coverable(session, study_id)}
    gone = [token for token in tokens if token not in known]
    if gone:
        raise Conflict("Something you chose has changed since this page was shown. Load it again.")
    for key in study_site_ids:
        if found(session, StudySite, key).study_id != study_id:
            raise NotFound("There is no such study site.")
    chosen = [known[token].covered for token in dict.fromkeys(tokens)]
    approval = approvals.record(session, study_id, decision, chosen, at=at, study_site_ids=study_site_ids)
    for one in chosen:
        if one.kind is ApprovedKind.MATERIAL_VERSION:
            version = locked(session, MaterialVersion, one.subject_id)
            waits = version.state in (MaterialState.SUBMITTED, MaterialState.EXPIRED)
            if waits and _has_approval(session, version, at=at):
                version.state = MaterialState.APPROVED
    session.flush()
    return approval


def text_hash(subject: str, body: str) -> str:
    """Give the SHA-256 over what somebody reads: subject and body, in a form that cannot be mixed up."""
    content = json.dumps([subject, body], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def _check_text(kind: MaterialKind, subject: str, body: str) -> None:
    if not body.strip():
        raise Invalid("Write the text.", field="body")
    require_plain(body, "body", most=LONGEST)
    require_plain(subject, "subject", most=300)
    if kind is MaterialKind.EMAIL and not subject.strip():
        raise Invalid("An email needs a subject.", field="subject")
    if "\n" in subject.strip():
        raise Invalid("The subject is one line.", field="subject")


def _set_text(version: MaterialVersion, subject: str, body: str) -> None:
    version.subject, version.body = subject.strip(), body.replace("\r\n", "\n").strip()
    version.variables = list(dict.fromkeys(VARIABLE.findall(f"{version.subject} {version.body}")))
    version.sha256 = text_hash(version.subject, version.body)


def _has_approval(session: Session, version: MaterialVersion, *, at: datetime) -> bool:
    """Say whether any live approval covers a version, were it for a single site."""
    study_id = found(session, Material, version.material_id).study_id
    sites = [None, *session.scalars(sa.select(StudySite.id).where(StudySite.study_id == study_id))]
    return any(queries.is_approved(session, version, on=at.date(), study_site_id=site_id) for site_id in sites)


def _supersede(session: Session, version: MaterialVersion, *, at: datetime) -> None:
    others = session.scalars(
        sa.select(MaterialVersion)
        .where(
            MaterialVersion.material_id == version.material_id,
            MaterialVersion.language == version.language,
            MaterialVersion.state == MaterialState.IN_USE,
            MaterialVersion.id != version.id,
        )
        .with_for_update()
    )
    for other in others.all():
        move(session, other.id, MaterialState.SUPERSEDED, at=at)


def _words(state: MaterialState) -> str:
    return state.value.replace("_", " ")
