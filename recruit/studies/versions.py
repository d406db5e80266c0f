"""Versions of protocols and questionnaires: drafted, published once, put in force at sites."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.orm import Session

from recruit import events
from recruit.clock import civil_day
from recruit.db import actor_of, found, locked
from recruit.errors import Conflict, Incomplete, Invalid, NotFound, Refused
from recruit.ids import new_id
from recruit.materials import approvals
from recruit.materials.models import ApprovedKind
from recruit.studies.models import (
    BegunDrafts,
    ProtocolVersion,
    QuestionnaireVersion,
    Site,
    Study,
    StudySite,
    VersionInForce,
    VersionStatus,
)
from recruit.studies.publishing import reasons_against
from recruit.studies.questions import keys_read
from recruit.vocabulary import terms, vocabulary_of
from screening.asking.faults import MESSAGES, Problem
from screening.asking.publishing import problems
from screening.asking.questionnaire import Document, EarlierWords, document_hash, language_hash
from screening.errors import InvalidCriteria
from screening.language.criteria import Node
from screening.language.notation import parse_rule
from screening.language.protocol import (
    Cohort,
    Criterion,
    CriterionKind,
    Protocol,
    read_protocol,
    write_protocol,
)
from screening.saying import Saying

IN_FORCE = "in_force"
WORDINGS = "wordings"
"""Where a session keeps which versions it has seen in force; forgotten when that changes."""
_V = TypeVar("_V", ProtocolVersion, QuestionnaireVersion)


def draft_protocol(
    session: Session,
    study_id: UUID,
    protocol: Protocol,
    *,
    at: datetime,
    label: str = "",
    import_id: UUID | None = None,
) -> ProtocolVersion:
    """Add a draft version of a study's criteria."""
    version = ProtocolVersion(
        id=new_id(),
        study_id=study_id,
        number=_next_number(session, ProtocolVersion, study_id),
        label=label,
        document=write_protocol(protocol),
        sha256=protocol.digest,
        import_id=import_id,
        created_at=at,
        created_by=actor_of(session),
    )
    session.add(version)
    session.flush()
    return version


def revise_protocol(session: Session, version_id: UUID, *, at: datetime) -> ProtocolVersion:
    """Begin an amendment: a new draft with the criteria of an older version, lineages kept."""
    old = found(session, ProtocolVersion, version_id)
    return draft_protocol(session, old.study_id, read_protocol(old.document), at=at, import_id=old.import_id)


def save_protocol(
    session: Session, version_id: UUID, protocol: Protocol, *, seen: int | None = None
) -> ProtocolVersion:
    """Change a draft's criteria.

    :param seen: the row's version number that the editor saw; a newer one is a conflict
    :raises Refused: the version is published
    :raises Conflict: somebody else saved in the meantime
    """
    version = _draft(session, ProtocolVersion, version_id)
    if seen is not None and seen != version.version:
        raise Conflict(
            "Somebody else changed this draft in the meantime. Load it again and repeat your change."
        )
    protocol = _whole(protocol)
    version.document, version.sha256 = write_protocol(protocol), protocol.digest
    return version


def _whole(protocol: Protocol) -> Protocol:
    """Read a changed document once more, since a copy with changes has not been checked.

    :raises Invalid: naming what does not go together
    """
    try:
        return read_protocol(write_protocol(protocol))
    except InvalidCriteria as error:
        raise Invalid(
            "The criteria do not go together: %(why)s.", field="text", values={"why": error.saying}
        ) from None


def save_criterion(
    session: Session,
    version_id: UUID,
    criterion_id: str,
    changes: dict[str, object],
    *,
    seen: int | None = None,
    cohorts: tuple[Cohort, ...] | None = None,
) -> ProtocolVersion:
    """Change one criterion of a draft, such as its rule, wording or text.

    :param cohorts: all cohorts of the study, where the criterion may name some
    :raises NotFound: the draft has no such criterion
    """
    protocol = read_protocol(found(session, ProtocolVersion, version_id).document)
    if criterion_id not in {criterion.id for criterion in protocol.criteria}:
        raise NotFound("This version has no such criterion.")
    criteria = tuple(
        criterion.model_copy(update=changes) if criterion.id == criterion_id else criterion
        for criterion in protocol.criteria
    )
    changed = {"criteria": criteria} if cohorts is None else {"criteria": criteria, "cohorts": cohorts}
    return save_protocol(session, version_id, protocol.model_copy(update=changed), seen=seen)


def read_rule(session: Session, study_id: UUID, notation: str) -> Node:
    """Read a rule in the notation with the study's vocabulary.

    :raises screening.errors.NotationError: with line, column and a suggestion
    """
    return parse_rule(notation, vocabulary=vocabulary_of(session, study_id), terms=terms())


def add_criterion(
    session: Session, version_id: UUID, *, kind: CriterionKind, text: str, number: str = ""
) -> ProtocolVersion:
    """Add a criterion at the end of a draft.

    :raises Invalid: the text is empty
    """
    if not text.strip():
        raise Invalid("Write the criterion's text as the protocol has it.", field="text")
    protocol = read_protocol(_draft(session, ProtocolVersion, version_id).document)
    slug = f"c{new_id().hex[-12:]}"
    added = Criterion(id=slug, lineage=slug, kind=kind, text=text.strip(), number=number)
    return save_protocol(
        session, version_id, protocol.model_copy(update={"criteria": (*protocol.criteria, added)})
    )


def remove_criterion(session: Session, version_id: UUID, criterion_id: str) -> ProtocolVersion:
    """Take a criterion out of a draft; those under it move up to its parent."""
    protocol = read_protocol(_draft(session, ProtocolVersion, version_id).document)
    gone = next((c for c in protocol.criteria if c.id == criterion_id), None)
    if gone is None:
        raise NotFound("This version has no such criterion.")
    criteria = tuple(
        c.model_copy(update={"parent": gone.parent}) if c.parent == gone.id else c
        for c in protocol.criteria
        if c.id != criterion_id
    )
    return save_protocol(session, version_id, protocol.model_copy(update={"criteria": criteria}))


def publish_protocol(session: Session, version_id: UUID, *, at: datetime) -> ProtocolVersion:
    """Publish a version: from now on it never changes.

    What is still text is published as it is and stays unknown until a site tells; it is listed beforehand.

    :raises Incomplete: naming every reason against it: see ``recruit.studies.publishing``
    """
    version = _draft(session, ProtocolVersion, version_id)
    reasons = reasons_against(session, version, on=at.date())
    if reasons:
        missing = tuple(one.saying() for one in reasons)
        raise Incomplete("This version cannot be published yet.", missing=missing)
    _publish(session, version, at=at)
    return version


def draft_questionnaire(
    session: Session, study_id: UUID, document: Document, *, at: datetime, label: str = ""
) -> QuestionnaireVersion:
    """Add a draft version of a study's questions."""
    version = QuestionnaireVersion(
        id=new_id(),
        study_id=study_id,
        number=_next_number(session, QuestionnaireVersion, study_id),
        label=label,
        document=document.model_dump(mode="json"),
        touches_earlier=_touches_earlier(document),
        sha256=document_hash(document),
        created_at=at,
        created_by=actor_of(session),
    )
    session.add(version)
    session.flush()
    return version


def save_questionnaire(
    session: Session, version_id: UUID, document: Document, *, seen: int | None = None
) -> QuestionnaireVersion:
    """Change a draft's questions.

    :raises Refused: the version is published
    :raises Conflict: somebody else saved in the meantime
    """
    version = _draft(session, QuestionnaireVersion, version_id)
    if seen is not None and seen != version.version:
        raise Conflict(
            "Somebody else changed this draft in the meantime. Load it again and repeat your change."
        )
    try:
        document = Document.model_validate(document.model_dump(mode="json"))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Invalid(
            "The questionnaire does not go together: %(why)s.", values={"why": first["msg"]}
        ) from None
    version.document, version.sha256 = document.model_dump(mode="json"), document_hash(document)
    version.touches_earlier = _touches_earlier(document)
    return version


def publish_questionnaire(session: Session, version_id: UUID, *, at: datetime) -> QuestionnaireVersion:
    """Publish a version of the questions against the study's newest criteria.

    :raises Incomplete: naming each question and what is wrong with it
    """
    version = _draft(session, QuestionnaireVersion, version_id)
    missing = questionnaire_gaps(session, version)
    if missing:
        raise Incomplete("This questionnaire cannot be published yet.", missing=missing)
    _publish(session, version, at=at)
    return version


def questionnaire_problems(session: Session, version: QuestionnaireVersion) -> tuple[Problem, ...]:
    """List everything against publishing a questionnaire, measured by the study's newest criteria."""
    study = found(session, Study, version.study_id)
    vocabulary = vocabulary_of(session, study.id)
    newest = newest_published(session, ProtocolVersion, study.id) or next(
        iter(versions_of(session, ProtocolVersion, study.id)), None
    )
    needed = (
        ()
        if newest is None
        else keys_read(read_protocol(newest.document), vocabulary=vocabulary, terms=terms())
    )
    return problems(
        Document.model_validate(version.document),
        keys_needed=needed,
        languages=study.icf_languages,
        vocabulary=vocabulary,
    )


def questionnaire_gaps(session: Session, version: QuestionnaireVersion) -> tuple[Saying, ...]:
    """Name, in sentences, everything that keeps a questionnaire from being published."""
    return tuple(sentence(one) for one in questionnaire_problems(session, version) if one.blocks)


def questionnaire_warnings(session: Session, version: QuestionnaireVersion) -> tuple[Saying, ...]:
    """Name, in sentences, what somebody should look at before publishing a questionnaire."""
    return tuple(sentence(one) for one in questionnaire_problems(session, version) if not one.blocks)


def sentence(problem: Problem) -> Saying:
    """Say one problem in a sentence."""
    why = Saying(MESSAGES[problem.fault], {"where": problem.where, **problem.params})
    return Saying("%(why)s.", {"why": why})


def put_in_force(
    session: Session,
    study_site_id: UUID,
    *,
    protocol_version_id: UUID,
    questionnaire_version_id: UUID,
    effective_from: date,
    at: datetime,
    begun_drafts: BegunDrafts = BegunDrafts.FINISH,
) -> VersionInForce:
    """Say from which day a study site uses which published versions.

    :param begun_drafts: what becomes of answers that people are giving to earlier questions
    :raises Refused: a version is not published, belongs to another study, or lacks an approval for that day
    """
    study_site = found(session, StudySite, study_site_id)
    protocol = found(session, ProtocolVersion, protocol_version_id)
    questionnaire = found(session, QuestionnaireVersion, questionnaire_version_id)
    for version in (protocol, questionnaire):
        if version.study_id != study_site.study_id:
            raise Refused("That version belongs to another study.")
        if version.status is not VersionStatus.PUBLISHED:
            raise Refused("Only a published version can be in force.")
    if not is_approved(session, protocol, study_site, on=effective_from):
        raise Refused("There is no approval of this protocol version at this site for that day.")
    lacking = unapproved_languages(session, questionnaire, study_site, on=effective_from)
    if lacking:
        raise Refused(
            "There is no approval of this questionnaire for that day in: %(languages)s.",
            values={"languages": ", ".join(lacking)},
        )
    row = session.scalar(
        sa.select(VersionInForce).where(
            VersionInForce.study_site_id == study_site_id, VersionInForce.effective_from == effective_from
        )
    )
    if row is None:
        row = VersionInForce(id=new_id(), study_site_id=study_site_id, effective_from=effective_from)
        session.add(row)
    elif effective_from < civil_day(at, found(session, Site, study_site.site_id).zone):
        raise Refused("People have been assessed under what was in force on that day. Choose a later day.")
    row.protocol_version_id, row.questionnaire_version_id = protocol_version_id, questionnaire_version_id
    row.recorded_at, row.recorded_by, row.judged_at = at, actor_of(session), None
    row.begun_drafts = begun_drafts
    session.flush()
    session.info.pop(IN_FORCE, None)
    session.info.pop(WORDINGS, None)
    return row


def unapproved_languages(
    session: Session, questionnaire: QuestionnaireVersion, study_site: StudySite, *, on: date
) -> tuple[str, ...]:
    """List the languages of a questionnaire that no approval covers at a site on a day."""
    standing = approvals.coverage(session, ApprovedKind.QUESTIONNAIRE_VERSION, [questionnaire.id])
    said = {(one.language, one.sha256) for one in standing if one.reaches(study_site.id, on)}
    return tuple(code for code, sha256 in language_hashes(questionnaire).items() if (code, sha256) not in said)


def language_hashes(questionnaire: QuestionnaireVersion) -> dict[str, str]:
    """Give what an approval of each language pins: the hash of all that a participant meets in it."""
    return dict(_language_hashes(questionnaire.sha256, _Held(questionnaire)))


class _Held:
    """A version that a cache carries but does not compare: its hash stands beside it."""

    def __init__(self, version: QuestionnaireVersion) -> None:
        self.version = version

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=256)
def _language_hashes(sha256: str, held: _Held) -> tuple[tuple[str, str], ...]:
    document = Document.model_validate(held.version.document)
    return tuple((language, language_hash(document, language)) for language in document.languages)


def is_approved(session: Session, protocol: ProtocolVersion, study_site: StudySite, *, on: date) -> bool:
    """Say whether a live approval covers a protocol version at a site on a day."""
    return approvals.covers(
        session,
        ApprovedKind.PROTOCOL_VERSION,
        protocol.id,
        language="",
        sha256=protocol.sha256,
        study_site_id=study_site.id,
        on=on,
    )


def newest_published(session: Session, kind: type[_V], study_id: UUID) -> _V | None:
    """Give the published version with the highest number."""
    return session.scalar(
        sa.select(kind)
        .where(kind.study_id == study_id, kind.status == VersionStatus.PUBLISHED)
        .order_by(kind.number.desc())
        .limit(1)
    )


def versions_of(session: Session, kind: type[_V], study_id: UUID) -> Sequence[_V]:
    """List all versions of a study, newest first."""
    return session.scalars(sa.select(kind).where(kind.study_id == study_id).order_by(kind.number.desc())).all()


def _next_number(
    session: Session, kind: type[ProtocolVersion] | type[QuestionnaireVersion], study_id: UUID
) -> int:
    locked(session, Study, study_id)
    return (session.scalar(sa.select(sa.func.max(kind.number)).where(kind.study_id == study_id)) or 0) + 1


def _touches_earlier(document: Document) -> bool:
    return any(one.earlier is not EarlierWords.VALID for one in document.consents)


def _draft(session: Session, kind: type[_V], version_id: UUID) -> _V:
    version = locked(session, kind, version_id)
    if version.status is not VersionStatus.DRAFT:
        raise Refused("A published version never changes. Start a new draft from it.")
    return version


def _publish(session: Session, version: ProtocolVersion | QuestionnaireVersion, *, at: datetime) -> None:
    version.status, version.published_at, version.published_by = VersionStatus.PUBLISHED, at, actor_of(session)
    session.flush()
    kind = "protocol" if isinstance(version, ProtocolVersion) else "questionnaire"
    events.record(
        session,
        f"{kind}.published",
        subject=(f"{kind}_version", version.id),
        happened_on=at.date(),
        happened_at=at,
        at=at,
        study_id=version.study_id,
        payload={"number": version.number, "sha256": version.sha256},
    )
