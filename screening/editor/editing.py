"""Changing a rule step by step: each step gives a whole tree again, or is refused and changes nothing.

A part is found by its path: the places to go down from the top, counted as
`tree.parts` lists them. What is still to be said in a place that cannot be
empty is a hole: an unconfirmed text without words, unknown to every verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

from pydantic import ValidationError

from screening.errors import InvalidCriteria, NotationError
from screening.language.criteria import (
    AllOf,
    AnyOf,
    AtLeast,
    Branch,
    ButNot,
    Case,
    IfThen,
    Node,
    NoneOf,
    Not,
    Unconfirmed,
    read_rule,
    refusal,
    write_rule_json,
)
from screening.language.notation import parse_rule, write_rule
from screening.language.tree import parts
from screening.slips import N_

Path = tuple[int, ...]

HOLE: Final = Unconfirmed(text="")
_GROUPS: Final = (AllOf, AnyOf, NoneOf, AtLeast)
_LONGEST_PATH: Final = 200


class Joint(StrEnum):
    """What can be put around parts."""

    ALL = "all"
    ANY = "any"
    NONE = "none"
    AT_LEAST = "at_least"
    NOT = "not"
    IF = "if"
    BUT_NOT = "but_not"
    CASE = "case"


class Direction(StrEnum):
    """Where a part can go: past its neighbour, into the group before it, or out of its group."""

    UP = "up"
    DOWN = "down"
    INTO = "into"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Put:
    """Say something else in this place, or the first thing of an empty rule."""

    node: Node


@dataclass(frozen=True, slots=True)
class Add:
    """Add a part at the end of this group."""

    node: Node


@dataclass(frozen=True, slots=True)
class Join:
    """Add a part beside this one: into the group around it where that is of the kind, else in a new one."""

    joint: Joint
    node: Node


@dataclass(frozen=True, slots=True)
class Wrap:
    """Put something around this part; what it needs besides is left as a hole."""

    joint: Joint
    count: int = 1


@dataclass(frozen=True, slots=True)
class Turn:
    """Make this group one of another kind, its parts kept."""

    joint: Joint
    count: int = 1


@dataclass(frozen=True, slots=True)
class Unwrap:
    """Take away what is around parts: they take the group's place, or the main part does."""


@dataclass(frozen=True, slots=True)
class Remove:
    """Take this part away; where something must stand, a hole is left, and a hole takes its frame along."""


@dataclass(frozen=True, slots=True)
class Move:
    """Move this part by one place."""

    direction: Direction


@dataclass(frozen=True, slots=True)
class Branching:
    """Give this case one more branch, or what holds otherwise."""

    otherwise: bool = False


Step = Put | Add | Join | Wrap | Turn | Unwrap | Remove | Move | Branching


@dataclass(frozen=True, slots=True)
class Edited:
    """A rule after a step, and where to go on."""

    rule: Node | None
    path: Path = ()


def read_path(text: str) -> Path:
    """Read a path written as "0.1"; the top is an empty text.

    :raises InvalidCriteria: when it is no path.
    """
    steps = text.split(".") if text else []
    if len(text) > _LONGEST_PATH or not all(s.isascii() and s.isdecimal() and len(s) < 5 for s in steps):
        raise InvalidCriteria(N_("There is no such part in the rule."))
    return tuple(map(int, steps))


def write_path(path: Path) -> str:
    """Write a path as "0.1"."""
    return ".".join(map(str, path))


def part_at(rule: Node | None, path: Path) -> Node:
    """Give a part of a rule.

    :raises InvalidCriteria: when the rule has no such part.
    """
    node = rule
    for place in path:
        below = parts(node) if node is not None else ()
        node = below[place] if place < len(below) else None
    if node is None:
        raise InvalidCriteria(N_("There is no such part in the rule."))
    return node


def is_group(node: Node) -> bool:
    """Tell whether a part holds any number of others."""
    return isinstance(node, _GROUPS)


def is_hole(node: Node) -> bool:
    """Tell whether a part is still to be said."""
    return isinstance(node, Unconfirmed) and not node.text.strip()


def holes(rule: Node | None, path: Path = ()) -> list[Path]:
    """List the paths of what is still to be said."""
    if rule is None:
        return []
    if is_hole(rule):
        return [path]
    return [one for place, part in enumerate(parts(rule)) for one in holes(part, (*path, place))]


def edit(rule: Node | None, path: Path, step: Step) -> Edited:
    """Take one step at a part of a rule.

    :raises InvalidCriteria: when there is no such part, the step does not fit
        it, or what would come of it cannot be.
    """
    try:
        edited = _edit(rule, path, step)
        return Edited(None if edited.rule is None else whole(edited.rule), edited.path)
    except ValidationError as error:
        raise InvalidCriteria(refusal(error)) from None


def fits(rule: Node, path: Path, step: Step) -> bool:
    """Tell whether a step can be taken at a part, short of what its result may not be."""
    try:
        _edit(rule, path, step)
    except (InvalidCriteria, ValidationError):
        return False
    return True


def whole(rule: Node) -> Node:
    """Give a rule as both its forms read it back.

    :raises InvalidCriteria: when one of them would refuse it.
    """
    read = read_rule(write_rule_json(rule))
    try:
        parse_rule(write_rule(read))
    except NotationError as error:
        raise InvalidCriteria(error.saying) from None
    return read


def _edit(rule: Node | None, path: Path, step: Step) -> Edited:
    if rule is None:
        if path or not isinstance(step, Put | Add | Join):
            raise InvalidCriteria(N_("There is no such part in the rule."))
        return Edited(step.node)
    part = part_at(rule, path)
    match step:
        case Put():
            return Edited(_replaced(rule, path, step.node), path)
        case Add():
            return _added(rule, path, part, step.node)
        case Join():
            return _joined(rule, path, part, step)
        case Remove():
            return _removed(rule, path, part)
        case Move():
            return _moved(rule, path, step.direction)
        case _:
            return _reframed(rule, path, part, step)


def _reframed(rule: Node, path: Path, part: Node, step: Wrap | Turn | Unwrap | Branching) -> Edited:
    match step:
        case Wrap():
            return _wrapped(rule, path, part, step)
        case Turn() if is_group(part):
            return Edited(_replaced(rule, path, _group(step.joint, parts(part), step.count)), path)
        case Turn():
            raise InvalidCriteria(N_("Only a group can become another group."))
        case Unwrap():
            return _unwrapped(rule, path, part)
        case Branching():
            return _branched(rule, path, part, otherwise=step.otherwise)
        case _:
            assert_never(step)


def _added(rule: Node, path: Path, part: Node, node: Node) -> Edited:
    if is_hole(part):
        return Edited(_replaced(rule, path, node), path)
    if not is_group(part):
        raise InvalidCriteria(N_("Only a group takes more parts."))
    below = parts(part)
    return Edited(_replaced(rule, path, _with_parts(part, (*below, node))), (*path, len(below)))


def _joined(rule: Node, path: Path, part: Node, step: Join) -> Edited:
    if is_hole(part):
        return Edited(_replaced(rule, path, step.node), path)
    if isinstance(part, AllOf | AnyOf) and part.op == step.joint:
        return _added(rule, path, part, step.node)
    around = part_at(rule, path[:-1]) if path else None
    if around is not None and isinstance(around, AllOf | AnyOf) and around.op == step.joint:
        place = path[-1] + 1
        below = (*around.of[:place], step.node, *around.of[place:])
        return Edited(_replaced(rule, path[:-1], _with_parts(around, below)), (*path[:-1], place))
    return Edited(_replaced(rule, path, _group(step.joint, (part, step.node))), (*path, 1))


def _wrapped(rule: Node, path: Path, part: Node, step: Wrap) -> Edited:
    match step.joint:
        case Joint.NOT:
            return Edited(_replaced(rule, path, Not(of=part)), path)
        case Joint.IF:
            return Edited(_replaced(rule, path, IfThen(when=HOLE, then=part)), path)
        case Joint.BUT_NOT:
            return Edited(_replaced(rule, path, ButNot(of=part, exempt=HOLE)), path)
        case Joint.CASE:
            return Edited(_replaced(rule, path, Case(branches=(Branch(when=HOLE, then=part),))), path)
        case _:
            return Edited(_replaced(rule, path, _group(step.joint, (part,), step.count)), path)


def _unwrapped(rule: Node, path: Path, part: Node) -> Edited:
    match part:
        case Not() | ButNot():
            inner: tuple[Node, ...] = (part.of,)
        case IfThen():
            inner = (part.then,)
        case Case() if len(part.branches) == 1:
            inner = (part.branches[0].then,)
        case AllOf() | AnyOf() | NoneOf() | AtLeast():
            inner = part.of
        case _:
            raise InvalidCriteria(N_("There is nothing around parts here."))
    if len(inner) == 1:
        return Edited(_replaced(rule, path, inner[0]), path)
    around = part_at(rule, path[:-1]) if path else None
    if around is None or not is_group(around):
        raise InvalidCriteria(N_("The parts of this group have no other group to go to."))
    place, below = path[-1], parts(around)
    spread = (*below[:place], *inner, *below[place + 1 :])
    return Edited(_replaced(rule, path[:-1], _with_parts(around, spread)), path[:-1])


def _removed(rule: Node, path: Path, part: Node) -> Edited:
    if not path:
        return Edited(None)
    above, place = path[:-1], path[-1]
    around = part_at(rule, above)
    if is_group(around):
        below = parts(around)
        rest = _with_parts(around, (*below[:place], *below[place + 1 :]))
        return Edited(_replaced(rule, above, rest), above)
    if isinstance(around, Case) and place == 2 * len(around.branches):
        return Edited(_replaced(rule, above, around.model_copy(update={"otherwise": None})), above)
    if not is_hole(part):
        return Edited(_replaced(rule, path, HOLE), path)
    left = _without_hole(around, place)
    return _removed(rule, above, around) if left is None else Edited(_replaced(rule, above, left), above)


def _without_hole(around: Node, place: int) -> Node | None:
    """Give what is left of a frame when one of its holes goes; nothing where it was all about it."""
    match around:
        case IfThen() | ButNot():
            return parts(around)[1 - place]
        case Case() if len(around.branches) > 1:
            gone = place // 2
            kept = tuple(branch for index, branch in enumerate(around.branches) if index != gone)
            return around.model_copy(update={"branches": kept})
        case Case():
            return around.branches[0].when if place else around.branches[0].then
        case _:
            return None


def _moved(rule: Node, path: Path, direction: Direction) -> Edited:
    if not path:
        raise InvalidCriteria(N_("The part cannot go there."))
    above, place = path[:-1], path[-1]
    around = part_at(rule, above)
    below = list(parts(around))
    if direction is Direction.OUT:
        return _moved_out(rule, path, around)
    if direction is Direction.INTO:
        return _moved_into(rule, path, around)
    other = place + (1 if direction is Direction.DOWN else -1)
    if not 0 <= other < len(below):
        raise InvalidCriteria(N_("The part cannot go there."))
    below[place], below[other] = below[other], below[place]
    return Edited(_replaced(rule, above, _with_parts(around, below)), (*above, other))


def _moved_out(rule: Node, path: Path, around: Node) -> Edited:
    above, place = path[:-1], path[-1]
    outer = part_at(rule, above[:-1]) if above else None
    if outer is None or not is_group(outer) or not is_group(around):
        raise InvalidCriteria(N_("The part cannot go there."))
    inner, siblings, spot = parts(around), parts(outer), above[-1]
    left = _with_parts(around, (*inner[:place], *inner[place + 1 :]))
    spread = (*siblings[:spot], left, inner[place], *siblings[spot + 1 :])
    return Edited(_replaced(rule, above[:-1], _with_parts(outer, spread)), (*above[:-1], spot + 1))


def _moved_into(rule: Node, path: Path, around: Node) -> Edited:
    above, place = path[:-1], path[-1]
    below = parts(around)
    if not is_group(around) or place == 0 or not is_group(below[place - 1]):
        raise InvalidCriteria(N_("The part cannot go there."))
    target = below[place - 1]
    grown = _with_parts(target, (*parts(target), below[place]))
    spread = (*below[: place - 1], grown, *below[place + 1 :])
    where = (*above, place - 1, len(parts(target)))
    return Edited(_replaced(rule, above, _with_parts(around, spread)), where)


def _branched(rule: Node, path: Path, part: Node, *, otherwise: bool) -> Edited:
    if not isinstance(part, Case) or (otherwise and part.otherwise is not None):
        raise InvalidCriteria(N_("Only a case takes more branches."))
    if otherwise:
        grown = part.model_copy(update={"otherwise": HOLE})
    else:
        grown = part.model_copy(update={"branches": (*part.branches, Branch(when=HOLE, then=HOLE))})
    return Edited(_replaced(rule, path, grown), (*path, 2 * len(part.branches)))


_MAKERS: Final[dict[Joint, Callable[[tuple[Node, ...], int], Node]]] = {
    Joint.ALL: lambda of, _count: AllOf(of=of),
    Joint.ANY: lambda of, _count: AnyOf(of=of),
    Joint.NONE: lambda of, _count: NoneOf(of=of),
    Joint.AT_LEAST: lambda of, count: AtLeast(count=count, of=of),
}


def _group(joint: Joint, of: tuple[Node, ...], count: int = 1) -> Node:
    if joint not in _MAKERS:
        raise InvalidCriteria(N_("This does not hold several parts."))
    if not 1 <= count <= 999:
        raise InvalidCriteria(N_("A number of parts lies between 1 and 999."))
    return _MAKERS[joint](of, count)


def _replaced(rule: Node, path: Path, node: Node) -> Node:
    if not path:
        return node
    below = list(parts(rule))
    below[path[0]] = _replaced(below[path[0]], path[1:], node)
    return _with_parts(rule, below)


def _with_parts(node: Node, below: Sequence[Node]) -> Node:
    """Give a node other parts, in the order in which `tree.parts` lists them."""
    match node:
        case AllOf() | AnyOf() | NoneOf() | AtLeast():
            return node.model_copy(update={"of": tuple(below)})
        case Not():
            return Not(of=below[0])
        case ButNot():
            return ButNot(of=below[0], exempt=below[1])
        case IfThen():
            return IfThen(when=below[0], then=below[1])
        case Case():
            count = len(node.branches)
            branches = tuple(Branch(when=below[2 * i], then=below[2 * i + 1]) for i in range(count))
            return Case(branches=branches, otherwise=below[2 * count] if len(below) > 2 * count else None)
        case _:
            return node
