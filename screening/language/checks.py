"""What is wrong with criteria that can be read: keys, units, codes, and what may not be published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from screening.language.criteria import (
    AllOf,
    AnyOf,
    AtLeast,
    Attested,
    Coded,
    Is,
    Leaf,
    Node,
    NoneOf,
    Number,
    Unconfirmed,
    When,
    coded_part,
)
from screening.language.protocol import Criterion, Protocol
from screening.language.tree import walk
from screening.terms import Terms
from screening.units import UPPER_LIMIT, convertible
from screening.vocabulary import Key, KeyKind, Vocabulary, nearest


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding about a criterion.

    `word` is the word in question and `suggestion` what may have been meant.
    What is not `blocking` may be published and is shown.
    """

    message: str
    criterion: str = ""
    word: str = ""
    suggestion: str | None = None
    blocking: bool = True


def publishing_problems(protocol: Protocol, *, vocabulary: Vocabulary, terms: Terms) -> tuple[Problem, ...]:
    """List what stands against publishing, and what is still text (SEMANTICS 2.2, 2.3)."""
    found: list[Problem] = []
    for criterion in protocol.criteria:
        for problem in _criterion_problems(criterion, vocabulary, terms):
            found.append(
                Problem(problem.message, criterion.id, problem.word, problem.suggestion, problem.blocking)
            )
    if not protocol.criteria:
        found.append(Problem("The protocol has no criteria."))
    return tuple(found)


def leaf_problems(leaf: Leaf, *, vocabulary: Vocabulary, terms: Terms) -> Iterator[Problem]:
    """List what is wrong with a leaf: its key, what the key holds, units, choices, codes."""
    told = coded_part(leaf)
    if told is not None:
        for code in (*told.codes, *told.but):
            if (message := terms.problem(code)) is not None:
                yield Problem(message, word=code.code)
    asked = told or leaf
    name = asked.key if isinstance(asked, Number | When | Is | Attested | Coded) else None
    if name is None:
        return
    key = vocabulary.get(name)
    if key is None:
        yield Problem(f"The vocabulary has no key {name}.", word=name, suggestion=vocabulary.nearest(name))
        return
    yield from _kind_problems(asked, key)


def _criterion_problems(criterion: Criterion, vocabulary: Vocabulary, terms: Terms) -> Iterator[Problem]:
    trees = [tree for tree in (criterion.tree, criterion.unless) if tree is not None]
    for node in (node for tree in trees for node in walk(tree)):
        if isinstance(node, Leaf):
            yield from leaf_problems(node, vocabulary=vocabulary, terms=terms)
        yield from _node_problems(node)


def _node_problems(node: Node) -> Iterator[Problem]:
    match node:
        case AllOf() | AnyOf() | NoneOf() | AtLeast() if not node.of:
            yield Problem("A group is empty.")
        case AtLeast() if node.count > len(node.of):
            yield Problem(f"At least {node.count} of {len(node.of)} can never be met.")
        case Unconfirmed(text=""):
            yield Problem("A place in the rule is still empty.")
        case Unconfirmed():
            yield Problem("Still text: nobody has confirmed a rule.", blocking=False)
        case _:
            return


_KINDS = {
    Number: (KeyKind.QUANTITY, "a number"),
    When: (KeyKind.DATE, "a day"),
    Is: (KeyKind.CHOICE, "a choice"),
    Attested: (KeyKind.FLAG, "a yes or no"),
    Coded: (KeyKind.CODED, "conditions, medicines or procedures"),
}


def _kind_problems(leaf: Leaf, key: Key) -> Iterator[Problem]:
    kind, words = next(entry for model, entry in _KINDS.items() if isinstance(leaf, model))
    if key.kind is not kind:
        yield Problem(f"The key {key.name} does not hold {words}.", word=key.name)
        return
    if isinstance(leaf, Number):
        for limits in leaf.limits:
            if limits.unit != UPPER_LIMIT and not convertible(limits.unit, key.unit or "", analyte=key.analyte):
                yield Problem(
                    f"The unit {limits.unit} does not fit {key.name}.", word=limits.unit, suggestion=key.unit
                )
    if isinstance(leaf, Is):
        for code in leaf.codes:
            if code not in key.codes:
                yield Problem(
                    f"The key {key.name} has no choice {code}.", word=code, suggestion=nearest(code, key.codes)
                )
