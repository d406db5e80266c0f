"""Two versions of the criteria laid side by side, part by part, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypedDict

from flask_babel import gettext as _

from recruit.web.coordinator import words
from screening.language.criteria import Node
from screening.language.notation_text import write_rule
from screening.language.protocol import Criterion, Protocol, diff

_TEXT, _NUMBER = 0, 1
"""The places of these among the parts of a criterion."""


class Part(TypedDict):
    """One part of a criterion, as both versions have it."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Differing:
    """One criterion that is not the same in both versions, part by part."""

    kind: str
    number: str
    parts: tuple[Part, ...]


def differing(old: Protocol, new: Protocol) -> Iterator[Differing]:
    """List what is not the same in two versions: the version's own parts first, then criterion by criterion."""
    whole = [
        _part(_("Cohorts"), *(", ".join(c.name for c in one.cohorts) for one in (old, new))),
        _part(_("Days after screening"), *(_anchors(one) for one in (old, new))),
    ]
    own = tuple(part for part in whole if part["before"] != part["after"])
    if own:
        yield Differing("changed", "", own)
    difference = diff(old, new)
    for change in difference.changed:
        yield Differing("changed", change.new.number, tuple(_parts(change.old, change.new)))
    for one in difference.added:
        yield Differing("added", one.number, tuple(_parts(None, one)))
    for one in difference.removed:
        yield Differing("removed", one.number, tuple(_parts(one, None)))


def _anchors(protocol: Protocol) -> str:
    return ", ".join(
        f"{name}: {one.earliest} to {one.latest}" for name, one in sorted(protocol.anchors.items())
    )


def _parts(old: Criterion | None, new: Criterion | None) -> Iterator[Part]:
    """Give the parts that differ, and always the text, so that one knows what it is about."""
    pairs = zip(_said(old), _said(new), strict=True)
    is_whole = old is None or new is None
    for place, ((label, before), (_label, after)) in enumerate(pairs):
        if is_whole and place == _NUMBER:
            continue  # it stands at the head already
        if before != after or (place == _TEXT and before):
            yield _part(label, before, after)


def _said(criterion: Criterion | None) -> list[tuple[str, str]]:
    """Write a criterion part by part; one that a version does not have is empty throughout."""
    one = criterion
    return [
        (_("Text"), one.text if one else ""),
        (_("Number in the protocol"), one.number if one else ""),
        (_("Kind"), words.label(one.kind) if one else ""),
        (_("Rule"), _notation(one.rule) if one else ""),
        (_("Unless"), _notation(one.unless) if one else ""),
        (_("Who can tell"), words.label(one.evidence) if one and one.evidence else ""),
        (_("Cohorts"), ", ".join(one.cohorts) if one else ""),
        (_("In plain words"), " · ".join(one.wording.values()) if one else ""),
    ]


def _part(label: str, before: str, after: str) -> Part:
    return Part(label=label, before=before, after=after)


def _notation(node: Node | None) -> str:
    return "" if node is None else write_rule(node)
