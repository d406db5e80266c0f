"""One part of a rule: first the fact, then what belongs to its kind, then who can tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from flask import redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from recruit.accounts.models import Role
from recruit.errors import Forbidden, Invalid, NotFound
from recruit.vocabulary import terms
from recruit.web import languages
from recruit.web.coordinator import facts, frame, words
from recruit.web.coordinator.blueprint import bp
from recruit.web.coordinator.frame import Failed
from recruit.web.coordinator.leafform import MOST_UNITS, LeafForm
from recruit.web.coordinator.leaflists import lists_of, named_codes, title_of
from recruit.web.coordinator.leafvalues import (
    Subject,
    first_values,
    subject_of,
    subject_of_leaf,
    values_of,
    write_code,
)
from recruit.web.coordinator.reading import Posted
from recruit.web.coordinator.ruleframe import (
    Opened,
    anchor,
    opened,
    path_of,
    rule_url,
    take,
    tree_name,
)
from recruit.web.guards import allow
from screening.editor.codenames import CodeNames
from screening.editor.editing import Add, Join, Joint, Path, Put, Step, is_hole, part_at, write_path
from screening.errors import InvalidCriteria
from screening.language.criteria import Node
from screening.vocabulary import About

HOWS: Final = ("put", "add", "and", "or")


@bp.get("/protocol-versions/<uuid:version_id>/criteria/<criterion_id>/rule/part")
@allow(Role.COORDINATOR)
def part(version_id: UUID, criterion_id: str) -> ResponseReturnValue:
    """Show the form of a part: of the one that stands there, or a new one about a fact."""
    shown = _to_edit(version_id, criterion_id)
    if not shown.is_draft:
        raise NotFound("A published version never changes. Start a new draft from it.")
    tree, path, how = _place(request.args)
    typed = request.args.get("fact", "").strip()[:254]
    current = _current(shown, tree, path, how)
    if not typed and current is not None and "other" not in request.args:
        subject = subject_of_leaf(current, shown.vocabulary)
        if subject is not None and not is_hole(current):
            return _leaf_page(shown, tree, path, how, subject, values_of(current))
    choice = facts.named(shown, typed)
    subject = subject_of(choice.name, shown.vocabulary) if choice else None
    if choice is None or subject is None:
        return _facts_page(shown, tree, path, how, typed)
    codes = choice.codes or (request.args.get("codes", "")[:254] if subject.about is not None else "")
    values = first_values(subject) | ({"codes": codes} if codes else {})
    if subject.shape in ("site", "note"):
        values["words"] = shown.criterion.text
    return _leaf_page(shown, tree, path, how, subject, values)


@bp.post("/protocol-versions/<uuid:version_id>/criteria/<criterion_id>/rule/part")
@allow(Role.COORDINATOR)
def save_part(version_id: UUID, criterion_id: str) -> ResponseReturnValue:
    """Put a part into the rule; names of codes are shown with what they stand for first."""
    posted = Posted()
    shown = _to_edit(version_id, criterion_id)
    tree, path, how = _place(request.form)
    subject = subject_of(posted.raw("fact"), shown.vocabulary)
    if subject is None:
        raise NotFound("There is no such fact.")
    form = LeafForm(posted, subject, CodeNames(shown.vocabulary, languages.current()), terms())
    node = form.read()
    if not posted.problems and (form.found or posted.raw("then") == "look"):
        return _found_page(shown, tree, path, how, subject, form)
    came_of: list[Path] = []

    def work(session: Session) -> None:
        if node is None:
            raise Invalid("There is no such part in the rule.")
        step = _step(how, node)
        came_of.append(take(session, version_id, criterion_id, tree, path, step, posted))

    failed = frame.attempt(posted, work, reason="criterion:part")
    if failed:
        return _leaf_page(shown, tree, path, how, subject, {}, failed)
    return redirect(rule_url(version_id, criterion_id, tree, came_of[0]), 303)


def _step(how: str, node: Node) -> Step:
    match how:
        case "add":
            return Add(node)
        case "and":
            return Join(Joint.ALL, node)
        case "or":
            return Join(Joint.ANY, node)
        case _:
            return Put(node)


def _to_edit(version_id: UUID, criterion_id: str) -> Opened:
    """Open a criterion of a draft that one may change.

    :raises Forbidden: it is published, or only a part of the study is within one's scope
    """
    shown = opened(version_id, criterion_id)
    if not frame.study_parts(shown.study, "criteria")["may_change"]:
        raise Forbidden("You may read this study, and not change it.")
    return shown


def _place(given: Mapping[str, str]) -> tuple[str, Path, str]:
    """Read where a part goes, and how.

    :raises NotFound: it cannot go there
    """
    how = given.get("how", "") or "put"
    if how not in HOWS:
        raise NotFound("There is no such part in the rule.")
    return tree_name(given.get("tree", "")), path_of(given.get("at", "")), how


def _current(shown: Opened, tree: str, path: Path, how: str) -> Node | None:
    """Give the part that is edited, where one is.

    :raises NotFound: the rule has no such part
    """
    rule = shown.tree(tree)
    if rule is None and not path:
        return None
    try:
        node = part_at(rule, path)
    except InvalidCriteria:
        raise NotFound("There is no such part in the rule.") from None
    return node if how == "put" else None


def _facts_page(shown: Opened, tree: str, path: Path, how: str, typed: str) -> ResponseReturnValue:
    groups = facts.grouped(shown, typed)
    coded = [(facts.label_of(one), one) for one in facts.as_codes(shown, typed)] if typed else []
    return frame.page(
        "studies/facts.html",
        version=shown.version,
        criterion=shown.criterion,
        place={"tree": tree, "at": write_path(path), "how": how},
        typed=typed,
        groups=groups or facts.grouped(shown),
        nothing=bool(typed) and not groups and not coded,
        coded=coded,
        labels=facts.labels(shown),
        back=rule_url(shown.version.id, shown.criterion.id, tree, path),
        words=words,
        parts=frame.study_parts(shown.study, "criteria"),
    )


def _found_page(
    shown: Opened, tree: str, path: Path, how: str, subject: Subject, form: LeafForm
) -> ResponseReturnValue:
    """Show the form again with the codes that names stand for, to be looked at and saved."""
    about = subject.about or About.CONDITION
    values: dict[str, object] = {name: request.form[name] for name in request.form}
    values |= {"routes": request.form.getlist("routes"), "choices": request.form.getlist("choices")}
    for name, codes in form.found.items():
        values[name] = "\n".join(write_code(code, about) for code in codes)
    if form.only_examples:
        values["such_as"] = "yes"
    return _leaf_page(shown, tree, path, how, subject, values, looked_up=True, examples=form.only_examples)


def _leaf_page(
    shown: Opened,
    tree: str,
    path: Path,
    how: str,
    subject: Subject,
    values: Mapping[str, object],
    failed: Failed | None = None,
    *,
    looked_up: bool = False,
    examples: bool = False,
) -> ResponseReturnValue:
    given: Mapping[str, object] = request.form if failed else values
    return frame.page(
        "studies/leaf.html",
        failed=failed,
        values=values,
        version=shown.version,
        criterion=shown.criterion,
        subject=subject,
        title=title_of(subject),
        place={"tree": tree, "at": write_path(path), "how": how},
        anchor=anchor(tree, path),
        back=rule_url(shown.version.id, shown.criterion.id, tree, path),
        lists=lists_of(shown, subject, given),
        named=named_codes(shown, subject, given),
        looked_up=looked_up,
        examples=examples,
        rows=range(MOST_UNITS),
        words=words,
        parts=frame.study_parts(shown.study, "criteria"),
    )
