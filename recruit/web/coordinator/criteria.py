"""A protocol version: its criteria, what changed since the last one, and publishing."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recruit import context
from recruit.accounts.models import Role
from recruit.studies import questions, reach, versions
from recruit.studies.models import ProtocolVersion, VersionStatus
from recruit.vocabulary import terms, vocabulary_of
from recruit.web.coordinator import changes as consequences
from recruit.web.coordinator import frame, readiness, words
from recruit.web.coordinator.blueprint import bp
from recruit.web.coordinator.frame import Failed
from recruit.web.coordinator.reading import Posted
from recruit.web.coordinator.version import chosen, study_id_of, to_change
from recruit.web.guards import allow
from screening.errors import UnknownKey
from screening.language.criteria import Leaf, Node, Note, SiteOnly, Unconfirmed
from screening.language.notation import write_rule
from screening.language.protocol import Change, Criterion, CriterionKind, Protocol, diff, read_protocol
from screening.language.questions import Resolver
from screening.language.tree import walk
from screening.vocabulary import Answerer


@dataclass(frozen=True, slots=True)
class Shown:
    """One criterion as it is listed: how deep it stands, its rule in the notation, who can tell."""

    criterion: Criterion
    depth: int
    state: str
    rule: str
    tellers: tuple[str, ...]


@bp.get("/studies/<uuid:study_id>/criteria")
@allow(Role.COORDINATOR, Role.AUDITOR)
def criteria(study_id: UUID) -> ResponseReturnValue:
    """Show a version of the criteria, the newest unless another is asked for."""
    return _page(study_id)


@bp.post("/studies/<uuid:study_id>/criteria")
@allow(Role.COORDINATOR)
def draft_criteria(study_id: UUID) -> ResponseReturnValue:
    """Begin a draft: from the newest version, or an empty one."""
    posted = Posted()

    def work(session: Session) -> None:
        study = reach.study_to_change(session, study_id, frame.writing_scope())
        newest = next(iter(versions.versions_of(session, ProtocolVersion, study.id)), None)
        if newest is None:
            versions.draft_protocol(session, study.id, Protocol(), at=context.now())
        else:
            versions.revise_protocol(session, newest.id, at=context.now())

    failed = frame.attempt(posted, work, reason="protocol:draft")
    return _page(study_id, failed) if failed else _to(study_id, "drafted")


@bp.post("/protocol-versions/<uuid:version_id>/criteria")
@allow(Role.COORDINATOR)
def add_criterion(version_id: UUID) -> ResponseReturnValue:
    """Add a criterion at the end of a draft."""
    posted = Posted()
    kind = posted.choice("kind", CriterionKind) or CriterionKind.INCLUSION
    text, number = posted.text("text", longest=20_000, lines=True), posted.text("number", longest=20)
    study_id = study_id_of(ProtocolVersion, version_id)

    def work(session: Session) -> None:
        to_change(session, ProtocolVersion, version_id)
        versions.add_criterion(session, version_id, kind=kind, text=text, number=number)

    failed = frame.attempt(posted, work, reason="criterion:add")
    return _page(study_id, failed) if failed else _to(study_id, "added", "add")


@bp.post("/protocol-versions/<uuid:version_id>/publish")
@allow(Role.COORDINATOR)
def publish_criteria(version_id: UUID) -> ResponseReturnValue:
    """Publish a version: from now on it never changes."""
    posted = Posted()
    study_id = study_id_of(ProtocolVersion, version_id)

    def work(session: Session) -> None:
        to_change(session, ProtocolVersion, version_id)
        versions.publish_protocol(session, version_id, at=context.now())

    failed = frame.attempt(posted, work, reason="protocol:publish")
    return _page(study_id, failed) if failed else _to(study_id, "published")


def shown(protocol: Protocol, resolver: Resolver) -> list[Shown]:
    """Prepare the criteria of a version for a list."""
    depths: dict[str, int] = {}
    listed = []
    for one in protocol.criteria:
        depths[one.id] = depths[one.parent] + 1 if one.parent is not None else 0
        rule = write_rule(one.rule) if one.rule is not None else ""
        listed.append(Shown(one, depths[one.id], state_of(one), rule, tellers_of(one, resolver)))
    return listed


def state_of(criterion: Criterion) -> str:
    """Say what somebody has made of a criterion: rule, site, note, or still text (wholly or in part)."""
    match criterion.rule:
        case None | Unconfirmed():
            return "text"
        case SiteOnly():
            return "site"
        case Note():
            return "note"
        case _ as rule:
            return "partly" if any(isinstance(part, Unconfirmed) for part in walk(rule)) else "rule"


def tellers_of(criterion: Criterion, resolver: Resolver) -> tuple[str, ...]:
    """Name who can tell what a criterion asks, in the order of the vocabulary."""
    told: set[Answerer] = set()
    for part in _parts(criterion):
        if isinstance(part, SiteOnly | Unconfirmed):
            told.add(Answerer.INVESTIGATOR)
        if not isinstance(part, Leaf):
            continue
        try:
            atom = resolver.atom(part, criterion.evidence)
        except UnknownKey:
            continue
        if atom.askable:
            told.add(Answerer.PARTICIPANT)
        elif part.told_by or criterion.evidence:
            told.add(part.told_by or criterion.evidence or Answerer.INVESTIGATOR)
        else:
            told.update(one for name in atom.keys for one in resolver.vocabulary[name].told_by)
    return tuple(words.label(one) for one in Answerer if one in told)


def _parts(criterion: Criterion) -> list[Node]:
    trees = [tree for tree in (criterion.tree, criterion.unless) if tree is not None]
    return [part for tree in trees for part in walk(tree)]


def changes(old: Protocol, new: Protocol) -> list[dict[str, object]]:
    """Prepare what a version changes, for the list of differences; what stayed is left out."""
    difference = diff(old, new)
    told = [_changed(change) for change in difference.changed]
    for one in difference.added:
        told.append({"kind": "added", "number": one.number, "after": one.text})
    for one in difference.removed:
        told.append({"kind": "removed", "number": one.number, "before": one.text})
    return told


def _changed(change: Change) -> dict[str, object]:
    return {
        "kind": "changed",
        "number": change.new.number,
        "before": _told(change.old, change.fields),
        "after": _told(change.new, change.fields),
    }


def _told(criterion: Criterion, fields: tuple[str, ...]) -> str:
    parts = [criterion.text]
    if "kind" in fields:
        parts.insert(0, words.label(criterion.kind))
    if "rule" in fields or "unless" in fields:
        parts.append(write_rule(criterion.rule) if criterion.rule is not None else str(_("no rule")))
    if "unless" in fields and criterion.unless is not None:
        parts.append(f"unless {write_rule(criterion.unless)}")
    if "wording" in fields:
        parts += criterion.wording.values()
    if "evidence" in fields and criterion.evidence is not None:
        parts.append(words.label(criterion.evidence))
    if "number" in fields:
        parts.append(f"({criterion.number})")
    return " · ".join(parts)


def _page(study_id: UUID, failed: Failed | None = None) -> ResponseReturnValue:
    from recruit.interop.eligibility import blanks  # here for the start: few requests read a registry
    from recruit.studies import importing

    with context.reading() as session:
        study = reach.study_to_read(session, study_id, frame.reading_scope())
        rows = list(versions.versions_of(session, ProtocolVersion, study.id))
        version = chosen(rows)
        parts: dict[str, object] = {"version": version, "rows": rows}
        if version is not None:
            vocabulary = vocabulary_of(session, study.id)
            protocol = read_protocol(version.document)
            before = next((row for row in rows if row.number < version.number), None)
            record = importing.record_behind(session, version, is_newest=version is rows[0])
            lacking = questions.unanswerable(protocol, vocabulary=vocabulary, terms=terms())
            parts |= {
                "listed": shown(protocol, Resolver(vocabulary, terms())),
                "lacking": lacking,
                "blanks": blanks(record) if record else (),
                "is_to_come": consequences.is_to_come(session, version),
                "before": before,
                "changes": changes(read_protocol(before.document), protocol) if before else [],
            }
            if version.status is VersionStatus.DRAFT:
                parts |= readiness.parts(session, version)
    return frame.page(
        "studies/criteria.html",
        failed=failed,
        values={"kind": "inclusion"},
        words=words,
        kinds=words.options(CriterionKind),
        is_draft=version is not None and version.status is VersionStatus.DRAFT,
        parts={**parts, **frame.study_parts(study, "criteria")},
    )


def _to(study_id: UUID, done: str, anchor: str = "") -> ResponseReturnValue:
    return redirect(url_for("studies.criteria", study_id=study_id, done=done, _anchor=anchor or None), 303)
