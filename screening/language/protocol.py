"""A protocol version: its criteria in order, its cohorts, its anchors, and how two versions differ."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from screening.errors import InvalidCriteria
from screening.exact import CalendarDuration, KeyName, Plain, Slug
from screening.intervals import DateRange, shift
from screening.language.criteria import LANGUAGE, TODAY, Node, Strict, Unconfirmed, Window, checked
from screening.language.tree import folded, walk
from screening.vocabulary import Answerer


class CriterionKind(StrEnum):
    """Whether a criterion lets in or keeps out."""

    INCLUSION = "inclusion"
    EXCLUSION = "exclusion"


class _Extensible(BaseModel):
    """A part that keeps unknown members as they are, if their name begins with `x-`."""

    model_config = ConfigDict(frozen=True, extra="allow")

    @model_validator(mode="after")
    def _extensions_only(self) -> Self:
        for name in self.extensions:
            if not name.startswith("x-"):
                raise ValueError(f"unknown member {name}")
        return self

    @property
    def extensions(self) -> Mapping[str, Any]:
        """The members whose name begins with `x-`."""
        return self.model_extra or {}


class Criterion(_Extensible):
    """One criterion of a version.

    `id` is its own within the document; `lineage` stays the same across
    versions. `number` is how the protocol counts it, `parent` the criterion
    under which it stands. `text` is verbatim; `wording` says it plainly, by
    language. `evidence` is who can tell, where the leaves do not say. Without
    a `rule` nobody has confirmed one. `unless` widens: who meets it passes.
    """

    id: Slug
    lineage: Slug = ""
    number: Plain = ""
    parent: Slug | None = None
    cohorts: tuple[Slug, ...] = ()
    kind: CriterionKind
    text: Plain
    wording: dict[KeyName, Plain] = {}
    evidence: Answerer | None = None
    rule: Node | None = None
    unless: Node | None = None

    @model_validator(mode="before")
    @classmethod
    def _own_lineage(cls, document: object) -> object:
        if isinstance(document, dict) and not document.get("lineage"):
            return {**document, "lineage": document.get("id")}
        return document

    @property
    def tree(self) -> Node:
        """The rule to judge by: what nobody has confirmed is text."""
        return Unconfirmed(text=self.text) if self.rule is None else self.rule

    @property
    def digest(self) -> str:
        """The hash of what the criterion means and says; its place among others plays no part."""
        return _digest(self.canonical().model_copy(update={"id": "", "number": "", "parent": None}))

    def canonical(self) -> Criterion:
        """Give the criterion with single-part `all` and `any` groups folded."""
        trees = {"rule": self.rule, "unless": self.unless}
        return self.model_copy(update={name: tree and folded(tree) for name, tree in trees.items()})


class Cohort(Strict):
    """A group of participants with criteria of its own beside the shared ones."""

    id: Slug
    name: Plain


class Anchor(Strict):
    """A day after screening that is only known as a range, such as the first dose."""

    earliest: CalendarDuration
    latest: CalendarDuration


class Protocol(_Extensible):
    """Everything about a protocol version that decides who may fit; the order of criteria is theirs."""

    language: Literal[1] = LANGUAGE
    criteria: tuple[Criterion, ...] = ()
    cohorts: tuple[Cohort, ...] = ()
    anchors: dict[KeyName, Anchor] = {}

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for problem in _contradictions(self):
            raise ValueError(problem)
        return self

    @property
    def digest(self) -> str:
        """The hash of the canonical form, in which single-part groups are folded."""
        return _digest(self.canonical())

    def canonical(self) -> Protocol:
        """Give the document with single-part `all` and `any` groups folded."""
        return self.model_copy(update={"criteria": tuple(c.canonical() for c in self.criteria)})

    def anchor_days(self, on: date) -> dict[str, DateRange]:
        """Give the days that each anchor may fall on, for somebody screened on a day."""
        days = {TODAY: DateRange.day(on)}
        for name, anchor in self.anchors.items():
            days[name] = DateRange(shift(on, anchor.earliest), shift(on, anchor.latest))
        return days


def read_protocol(document: object) -> Protocol:
    """Read a protocol document from its JSON form.

    :raises InvalidCriteria: with the path to what is not understood, or when the
        language is newer than this engine.
    """
    if not isinstance(document, dict):
        raise InvalidCriteria("a protocol document is a JSON object")
    language = document.get("language")
    if language != LANGUAGE or isinstance(language, bool):
        raise InvalidCriteria(f"this engine reads language {LANGUAGE}, not {language!r}", where="language")
    return checked(Protocol, document)


def write_protocol(protocol: Protocol) -> dict[str, Any]:
    """Write a protocol document in its JSON form, defaults left out."""
    return _plain(protocol)


def canonical_json(protocol: Protocol) -> bytes:
    """Write the canonical form: folded, sorted, without spaces, in UTF-8."""
    return _bytes(protocol.canonical())


@dataclass(frozen=True, slots=True)
class Change:
    """A criterion of two versions that is not the same in both, and the names of what differs."""

    old: Criterion
    new: Criterion
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What an amendment changes, criterion by criterion."""

    added: tuple[Criterion, ...]
    removed: tuple[Criterion, ...]
    changed: tuple[Change, ...]
    unchanged: tuple[Criterion, ...]


def diff(old: Protocol, new: Protocol) -> Difference:
    """Compare two versions by lineage; a criterion that only moved is unchanged."""
    before = {criterion.lineage: criterion.canonical() for criterion in old.criteria}
    after = {criterion.lineage: criterion.canonical() for criterion in new.criteria}
    both = [(before[lineage], after[lineage]) for lineage in after if lineage in before]
    changes = [Change(was, now, _differing(was, now)) for was, now in both]
    return Difference(
        added=tuple(criterion for lineage, criterion in after.items() if lineage not in before),
        removed=tuple(criterion for lineage, criterion in before.items() if lineage not in after),
        changed=tuple(change for change in changes if change.fields),
        unchanged=tuple(change.new for change in changes if not change.fields),
    )


_COMPARED: Final = ("kind", "text", "wording", "evidence", "rule", "unless", "cohorts", "number", "extensions")


def _differing(was: Criterion, now: Criterion) -> tuple[str, ...]:
    return tuple(name for name in _COMPARED if getattr(was, name) != getattr(now, name))


def _contradictions(protocol: Protocol) -> Iterator[str]:
    cohorts = {cohort.id for cohort in protocol.cohorts}
    if len(cohorts) < len(protocol.cohorts):
        yield "a cohort stands there twice"
    if TODAY in protocol.anchors:
        yield "today is an anchor already"
    seen: set[str] = set()
    lineages: set[str] = set()
    for criterion in protocol.criteria:
        if criterion.id in seen:
            yield f"the criterion {criterion.id} stands there twice"
        if criterion.lineage in lineages:
            yield f"two criteria have the lineage {criterion.lineage}"
        if criterion.parent is not None and criterion.parent not in seen:
            yield f"the parent of {criterion.id} is not among the criteria before it"
        if not cohorts.issuperset(criterion.cohorts):
            yield f"{criterion.id} names a cohort that does not exist"
        for name in _anchors_of(criterion) - {TODAY, *protocol.anchors}:
            yield f"{criterion.id} names an anchor {name} that is not declared"
        seen.add(criterion.id)
        lineages.add(criterion.lineage)


def _anchors_of(criterion: Criterion) -> set[str]:
    trees = [tree for tree in (criterion.rule, criterion.unless) if tree is not None]
    windows = [getattr(node, "window", None) for tree in trees for node in walk(tree)]
    return {window.anchor for window in windows if isinstance(window, Window)}


def _plain(model: BaseModel) -> dict[str, Any]:
    document: dict[str, Any] = model.model_dump(mode="json", exclude_defaults=True)
    return {"language": LANGUAGE, **document} if isinstance(model, Protocol) else document


def _bytes(model: BaseModel) -> bytes:
    return json.dumps(_plain(model), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _digest(model: BaseModel) -> str:
    return hashlib.sha256(_bytes(model)).hexdigest()
