"""What the pages of the rule editor share: the criterion they are about, its words, a step and its undoing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from uuid import UUID

from flask import session as cookie
from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recruit import context
from recruit.errors import Conflict, Invalid, NotFound
from recruit.studies import versions
from recruit.studies.models import ProtocolVersion, QuestionnaireVersion, Study, VersionStatus
from recruit.vocabulary import terms, vocabulary_of
from recruit.web import languages
from recruit.web.coordinator import frame
from recruit.web.coordinator.reading import Posted
from recruit.web.coordinator.version import to_change, to_read
from screening.asking.items import fact_keys
from screening.asking.questionnaire import Document
from screening.editor.editing import Edited, Path, Step, edit, read_path, write_path
from screening.editor.samples import Bench
from screening.editor.sentences import Telling
from screening.errors import InvalidCriteria, NotationError
from screening.language.criteria import Node
from screening.language.notation import parse_rule, write_rule
from screening.language.protocol import Criterion, Protocol, read_protocol
from screening.vocabulary import Vocabulary

TREES: Final = ("rule", "unless")
_UNDO: Final = "rule_step"
_LONGEST_UNDO: Final = 2_000
"""How long a rule may be to be kept in the cookie, which holds 4 kB."""


@dataclass(frozen=True)
class Opened:
    """One criterion of a version, as the pages of the editor need it."""

    version: ProtocolVersion
    study: Study
    protocol: Protocol
    criterion: Criterion
    vocabulary: Vocabulary
    asked: frozenset[str] | None

    @property
    def is_draft(self) -> bool:
        """Whether it may still change."""
        return self.version.status is VersionStatus.DRAFT

    @cached_property
    def telling(self) -> Telling:
        """The words for rules in the language of the page."""
        return Telling.of(self.vocabulary, language=languages.current(), say=_)

    def tree(self, name: str) -> Node | None:
        """Give the rule, or the exception that widens it."""
        return self.criterion.unless if name == "unless" else self.criterion.rule

    @cached_property
    def bench(self) -> Bench:
        """Set the criterion up to try people on it, judged as of today.

        :raises UnknownKey: it names a key that the vocabulary lacks
        """
        return Bench.of(
            self.criterion,
            on=frame.today(),
            vocabulary=self.vocabulary,
            terms=terms(),
            anchors=self.protocol.anchors,
        )


def opened(version_id: UUID, criterion_id: str) -> Opened:
    """Open a criterion within one's scope.

    :raises NotFound: there is none, or it is somebody else's
    """
    with context.reading() as session:
        version, study = to_read(session, ProtocolVersion, version_id)
        protocol = read_protocol(version.document)
        return Opened(
            version,
            study,
            protocol,
            criterion_of(protocol, criterion_id),
            vocabulary_of(session, study.id),
            _asked(session, study.id),
        )


def criterion_of(protocol: Protocol, criterion_id: str) -> Criterion:
    """Find a criterion of a version.

    :raises NotFound: there is none
    """
    for one in protocol.criteria:
        if one.id == criterion_id:
            return one
    raise NotFound("This version has no such criterion.")


def _asked(session: Session, study_id: UUID) -> frozenset[str] | None:
    """Name the facts that the published questions ask; nothing where none are published."""
    newest = versions.newest_published(session, QuestionnaireVersion, study_id)
    if newest is None:
        return None
    return frozenset(key for item in Document.model_validate(newest.document).items for key in fact_keys(item))


def tree_name(words: str) -> str:
    """Read which of a criterion's two rules is meant.

    :raises NotFound: there is no such one
    """
    if words not in ("", *TREES):
        raise NotFound("There is no such part in the rule.")
    return words or "rule"


def path_of(words: str) -> Path:
    """Read where in a rule a part stands.

    :raises NotFound: it cannot stand there
    """
    try:
        return read_path(words)
    except InvalidCriteria:
        raise NotFound("There is no such part in the rule.") from None


def anchor(tree: str, path: Path) -> str:
    """Name the place of a part on the page."""
    return "-".join(("p", tree, *map(str, path)))


def take(
    session: Session, version_id: UUID, criterion_id: str, tree: str, path: Path, step: Step, posted: Posted
) -> Path:
    """Take one step at a draft's rule, and keep what was there for undoing; tells where to go on.

    :raises Invalid: the step does not fit
    """
    version, _study = to_change(session, ProtocolVersion, version_id)
    criterion = criterion_of(read_protocol(version.document), criterion_id)
    before = criterion.unless if tree == "unless" else criterion.rule
    try:
        edited = edit(before, path, step)
    except InvalidCriteria as error:
        raise Invalid.of(error.saying) from None
    _save(session, version, criterion_id, tree, edited, posted)
    _keep(version, criterion_id, tree, before)
    return edited.path


def undo(session: Session, version_id: UUID, criterion_id: str, posted: Posted) -> str:
    """Put back what the last step changed; tells which of the two rules it was.

    :raises Conflict: something else was changed since
    """
    version, _study = to_change(session, ProtocolVersion, version_id)
    kept = undoable(version, criterion_id)
    if kept is None:
        raise Conflict("There is no step to undo any more: the rule was changed otherwise.")
    tree, notation = kept
    criterion = criterion_of(read_protocol(version.document), criterion_id)
    try:
        rule = parse_rule(notation) if notation else None
    except NotationError as error:
        raise Invalid.of(error.saying) from None
    _save(session, version, criterion_id, tree, Edited(rule), posted)
    _keep(version, criterion_id, tree, criterion.unless if tree == "unless" else criterion.rule)
    return tree


def undoable(version: ProtocolVersion, criterion_id: str) -> tuple[str, str] | None:
    """Give which rule the last step changed and what it was, unless anything was saved since."""
    kept = cookie.get(_UNDO)
    if not isinstance(kept, Mapping) or kept.get("of") != _mark(version, criterion_id):
        return None
    tree, notation = kept.get("tree"), kept.get("rule")
    return (tree, notation) if tree in TREES and isinstance(notation, str) else None


def _save(
    session: Session, version: ProtocolVersion, criterion_id: str, tree: str, edited: Edited, posted: Posted
) -> None:
    versions.save_criterion(session, version.id, criterion_id, {tree: edited.rule}, seen=posted.seen())
    session.flush()


def _keep(version: ProtocolVersion, criterion_id: str, tree: str, rule: Node | None) -> None:
    """Keep the rule before a step in the signed cookie, marked with the version that the step made."""
    notation = "" if rule is None else write_rule(rule)
    if len(notation) > _LONGEST_UNDO:
        cookie.pop(_UNDO, None)
    else:
        cookie[_UNDO] = {"of": _mark(version, criterion_id), "tree": tree, "rule": notation}


def _mark(version: ProtocolVersion, criterion_id: str) -> str:
    return f"{version.id}/{version.version}/{criterion_id}"


def rule_url(version_id: UUID, criterion_id: str, tree: str = "rule", path: Path = ()) -> str:
    """Give the address of a part on the editor's page."""
    return url_for("studies.rule", version_id=version_id, criterion_id=criterion_id, _anchor=anchor(tree, path))


def part_url(version_id: UUID, criterion_id: str, tree: str, path: Path, how: str) -> str:
    """Give the address of the form for a part."""
    return url_for(
        "studies.part",
        version_id=version_id,
        criterion_id=criterion_id,
        tree=tree,
        at=write_path(path),
        how=how,
    )
