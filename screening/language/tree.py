"""Walking and folding trees of criteria."""

from __future__ import annotations

from collections.abc import Iterator

from screening.language.criteria import AllOf, AnyOf, AtLeast, Branch, ButNot, Case, IfThen, Node, NoneOf, Not


def parts(node: Node) -> tuple[Node, ...]:
    """Give the direct parts of a node, in the order in which they are written."""
    match node:
        case AllOf() | AnyOf() | NoneOf() | AtLeast():
            return node.of
        case Not():
            return (node.of,)
        case ButNot():
            return (node.of, node.exempt)
        case IfThen():
            return (node.when, node.then)
        case Case():
            branches = tuple(part for branch in node.branches for part in (branch.when, branch.then))
            return branches if node.otherwise is None else (*branches, node.otherwise)
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """Give a node and everything below it, from the top and from the left."""
    yield node
    for part in parts(node):
        yield from walk(part)


def folded(node: Node) -> Node:
    """Give the canonical tree: `all` and `any` groups of one part are that part."""
    match node:
        case AllOf() | AnyOf() if len(node.of) == 1:
            return folded(node.of[0])
        case AllOf() | AnyOf() | NoneOf() | AtLeast():
            return node.model_copy(update={"of": tuple(map(folded, node.of))})
        case Not():
            return Not(of=folded(node.of))
        case ButNot():
            return node.model_copy(update={"of": folded(node.of), "exempt": folded(node.exempt)})
        case IfThen():
            return IfThen(when=folded(node.when), then=folded(node.then))
        case Case():
            branches = tuple(Branch(when=folded(b.when), then=folded(b.then)) for b in node.branches)
            return Case(branches=branches, otherwise=None if node.otherwise is None else folded(node.otherwise))
        case _:
            return node
