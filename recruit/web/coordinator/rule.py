"""The rule of a criterion as a tree that is built step by step from menus, without a word of notation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from recruit.accounts.models import Role
from recruit.errors import Invalid
from recruit.vocabulary import terms
from recruit.web import fields, languages
from recruit.web.coordinator import facts, frame, rulepool, trying, words
from recruit.web.coordinator.blueprint import bp
from recruit.web.coordinator.criteria import state_of
from recruit.web.coordinator.frame import Failed
from recruit.web.coordinator.reading import Posted
from recruit.web.coordinator.ruleframe import (
    TREES,
    Opened,
    anchor,
    opened,
    part_url,
    path_of,
    rule_url,
    take,
    tree_name,
    undo,
    undoable,
)
from recruit.web.guards import allow
from screening.editor.cautions import Caution, cautions, sample_cautions
from screening.editor.editing import (
    Branching,
    Direction,
    Joint,
    Move,
    Path,
    Remove,
    Step,
    Turn,
    Unwrap,
    Wrap,
    fits,
    write_path,
)
from screening.editor.sentences import Told
from screening.floor import FLOOR
from screening.language.criteria import Leaf, Node, Note, SiteOnly, Unconfirmed
from screening.language.notation import write_rule
from screening.language.questions import Resolver
from screening.saying import Saying

_LABELS: Final = {
    "move.up": _l("Move up"),
    "move.down": _l("Move down"),
    "move.into": _l("Move into the group above"),
    "move.out": _l("Move out of the group"),
    "turn.all": _l("All of these"),
    "turn.any": _l("At least one of these"),
    "turn.none": _l("None of these"),
    "branch": _l("Add a case"),
    "otherwise": _l("Add “otherwise”"),
    "unwrap": _l("Take the frame away, keep what is in it"),
    "wrap.not": _l("Say the opposite: not"),
    "wrap.all": _l("A group: all of"),
    "wrap.any": _l("A group: at least one of"),
    "wrap.none": _l("A group: none of"),
    "wrap.if": _l("A condition: only if … then"),
    "wrap.but_not": _l("An exception: but not"),
    "wrap.case": _l("A case: it depends on another fact"),
    "remove": _l("Delete"),
}
_COUNTED: Final = ("turn.at_least", "wrap.at_least")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a rule as the page shows it, with the steps that fit it."""

    told: Told
    tree: str
    at: str
    anchor: str
    links: tuple[tuple[str, str], ...] = ()
    moves: tuple[words.Choice, ...] = ()
    turns: tuple[words.Choice, ...] = ()
    wraps: tuple[words.Choice, ...] = ()
    parts: tuple[Part, ...] = field(default=())


@bp.get("/protocol-versions/<uuid:version_id>/criteria/<criterion_id>/rule")
@allow(Role.COORDINATOR, Role.AUDITOR)
def rule(version_id: UUID, criterion_id: str) -> ResponseReturnValue:
    """Show a criterion's rule in sentences, in the notation, and tried on made-up people."""
    return rule_page(opened(version_id, criterion_id))


@bp.post("/protocol-versions/<uuid:version_id>/criteria/<criterion_id>/rule")
@allow(Role.COORDINATOR)
def change_rule(version_id: UUID, criterion_id: str) -> ResponseReturnValue:
    """Take one step at a rule, or undo the last one, and come back to the place."""
    posted = Posted()
    tree, path = tree_name(posted.raw("tree")), path_of(posted.raw("at"))
    came_of: list[tuple[str, Path]] = []

    def work(session: Session) -> None:
        if posted.raw("step") == "undo":
            came_of.append((undo(session, version_id, criterion_id, posted), ()))
            return
        step = _step(posted)
        came_of.append((tree, take(session, version_id, criterion_id, tree, path, step, posted)))

    failed = frame.attempt(posted, work, reason="criterion:rule")
    if failed:
        return rule_page(opened(version_id, criterion_id), failed)
    return redirect(rule_url(version_id, criterion_id, *came_of[0]), 303)


@bp.post("/protocol-versions/<uuid:version_id>/criteria/<criterion_id>/rule/try")
@allow(Role.COORDINATOR)
def try_rule(version_id: UUID, criterion_id: str) -> ResponseReturnValue:
    """Judge somebody made up by a rule; nothing of it is kept."""
    return rule_page(opened(version_id, criterion_id), tried=Posted())


@bp.post("/protocol-versions/<uuid:version_id>/criteria/<criterion_id>/rule/pool")
@allow(Role.COORDINATOR)
def count_rule(version_id: UUID, criterion_id: str) -> ResponseReturnValue:
    """Count over the pool whom a rule lets pass; the count is kept and shown from now on."""
    failed = rulepool.count(version_id, criterion_id)
    if failed:
        return rule_page(opened(version_id, criterion_id), failed)
    where = url_for("studies.rule", version_id=version_id, criterion_id=criterion_id, _anchor="pool")
    return redirect(where, 303)


def rule_page(
    shown: Opened, failed: Failed | None = None, *, tried: Posted | None = None
) -> ResponseReturnValue:
    """Show the editor: the rule and its parts, what to look at, and people to try it on."""
    parts = frame.study_parts(shown.study, "criteria")
    may_edit = shown.is_draft and bool(parts["may_change"])
    attempt = trying.attempt(shown, tried)
    problems = Failed(tuple(tried.problems), 422) if tried and tried.problems else failed
    made = trying.samples_of(shown)
    return frame.page(
        "studies/rule.html",
        failed=problems,
        values=request.form if tried else {},
        version=shown.version,
        criterion=shown.criterion,
        trees={name: _part(shown, name, may_edit=may_edit) for name in TREES},
        sentence=_sentence(shown),
        notations={name: _notation(shown.tree(name)) for name in TREES},
        cautions=list(_cautions(shown, made)),
        samples=[trying.shown_sample(shown, sample) for sample in made],
        attempt=attempt,
        tried=tried,
        pool=rulepool.on_pool(shown),
        floor=FLOOR,
        neighbours=_neighbours(shown),
        labels=facts.labels(shown),
        undo=undoable(shown.version, shown.criterion.id) is not None,
        may_edit=may_edit,
        words=words,
        parts=parts,
    )


def _notation(node: Node | None) -> str:
    return "" if node is None else write_rule(node)


def _sentence(shown: Opened) -> str:
    criterion = shown.criterion
    if criterion.rule is None:
        return ""
    return f"{shown.telling.criterion(criterion.rule, criterion.unless)}."


def _part(shown: Opened, tree: str, *, may_edit: bool) -> Part | None:
    node = shown.tree(tree)
    return None if node is None else _shown(shown, tree, node, shown.telling.tree(node), may_edit=may_edit)


def _shown(shown: Opened, tree: str, rule: Node, told: Told, *, may_edit: bool) -> Part:
    below = tuple(_shown(shown, tree, rule, one, may_edit=may_edit) for one in told.parts)
    at, place = write_path(told.path), anchor(tree, told.path)
    if not may_edit:
        return Part(told, tree, at, place, parts=below)
    return Part(
        told,
        tree,
        at,
        place,
        links=tuple(_links(shown, tree, told)),
        moves=_offered(rule, told.path, ("move.up", "move.down", "move.into", "move.out")),
        turns=_offered(rule, told.path, ("turn.all", "turn.any", "turn.none", "branch", "otherwise", "unwrap")),
        wraps=_offered(rule, told.path, [name for name in _LABELS if name.startswith("wrap.")]),
        parts=below,
    )


def _links(shown: Opened, tree: str, told: Told) -> Iterator[tuple[str, str]]:
    """List what can be said in or beside a part, each on a form of its own."""
    hows: list[tuple[str, str]] = []
    if isinstance(told.node, Leaf | SiteOnly | Note | Unconfirmed):
        hows.append(("put", _("Fill in") if told.is_hole else _("Edit")))
    if told.is_group:
        hows.append(("add", _("Add a part")))
    if not told.is_hole:
        hows += [("and", _("Add with “and”")), ("or", _("Add with “or”"))]
    for how, label in hows:
        yield label, part_url(shown.version.id, shown.criterion.id, tree, told.path, how)


def _offered(rule: Node, path: Path, names: Iterable[str]) -> tuple[words.Choice, ...]:
    return tuple(
        words.Choice(value=name, text=str(_LABELS[name])) for name in names if fits(rule, path, _steps(name, 1))
    )


def _step(posted: Posted) -> Step:
    """Read which step is meant.

    :raises Invalid: there is none like that
    """
    name = posted.raw("step")
    count = posted.number("count") if name in _COUNTED else 1
    if posted.problems or count is None:
        raise Invalid("Enter a whole number, such as 12.", field="count")
    if name not in (*_LABELS, *_COUNTED):
        raise Invalid("Select one from the list.", field="step")
    return _steps(name, count)


def _steps(name: str, count: int) -> Step:
    kind, _dot, rest = name.partition(".")
    match kind:
        case "move":
            return Move(Direction(rest))
        case "turn":
            return Turn(Joint(rest), count)
        case "wrap":
            return Wrap(Joint(rest), count)
        case "unwrap":
            return Unwrap()
        case "remove":
            return Remove()
        case _:
            return Branching(otherwise=kind == "otherwise")


def _cautions(shown: Opened, made: trying.Made) -> Iterator[str]:
    criterion, language = shown.criterion, languages.current()
    resolver = Resolver(shown.vocabulary, terms())
    found: list[Caution] = []
    for name in TREES:
        node = shown.tree(name)
        if node is not None:
            evidence = criterion.evidence
            found += cautions(node, resolver=resolver, evidence=evidence, asked=shown.asked, language=language)
    if criterion.rule is not None:
        found += sample_cautions(criterion.rule, made)
    yield from dict.fromkeys(map(_told, found))


def _told(caution: Caution) -> str:
    values = {
        name: fields.worded(value) if isinstance(value, Saying) else value
        for name, value in caution.values.items()
    }
    return str(_(caution.message).format_map(values))


def _neighbours(shown: Opened) -> dict[str, str]:
    """Name the criteria before and after, and the next that is still text, around the end where need be."""
    every = shown.protocol.criteria
    place = next(at for at, one in enumerate(every) if one.id == shown.criterion.id)
    waiting = [one.id for one in (*every[place + 1 :], *every[:place]) if state_of(one) == "text"]
    return {
        "previous": every[place - 1].id if place else "",
        "following": every[place + 1].id if place + 1 < len(every) else "",
        "waiting": waiting[0] if waiting else "",
    }
