"""What is wrong with criteria that can be read: keys, units, codes, and what may not be published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

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
from screening.saying import Saying
from screening.slips import N_
from screening.terms import Terms
from screening.units import UPPER_LIMIT, convertible
from screening.vocabulary import Key, KeyKind, Vocabulary, nearest


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding about a criterion.

    `word` is the word in question and `suggestion` what may have been meant.
    What is not `blocking` may be published and is shown.
    """

    saying: Saying
    criterion: str = ""
    word: str = ""
    suggestion: str | None = None
    blocking: bool = True

    @property
    def message(self) -> str:
        """Give the finding in English."""
        return str(self.saying)


def publishing_problems(protocol: Protocol, *, vocabulary: Vocabulary, terms: Terms) -> tuple[Problem, ...]:
    """List what stands against publishing, and what is still text (SEMANTICS 2.2, 2.3)."""
    found: list[Problem] = []
    for criterion in protocol.criteria:
        for problem in _criterion_problems(criterion, vocabulary, terms):
            found.append(replace(problem, criterion=criterion.id))
    if not protocol.criteria:
        found.append(Problem(Saying(N_("The protocol has no criteria."))))
    return tuple(found)


def leaf_problems(leaf: Leaf, *, vocabulary: Vocabulary, terms: Terms) -> Iterator[Problem]:
    """List what is wrong with a leaf: its key, what the key holds, units, choices, codes."""
    told = coded_part(leaf)
    if told is not None:
        for code in (*told.codes, *told.but):
            if (miswritten := terms.problem(code)) is not None:
                yield Problem(miswritten, word=code.code)
    asked = told or leaf
    name = asked.key if isinstance(asked, Number | When | Is | Attested | Coded) else None
    if name is None:
        return
    key = vocabulary.get(name)
    if key is None:
        unknown = Saying(N_("The vocabulary has no key %(key)s."), {"key": name})
        yield Problem(unknown, word=name, suggestion=vocabulary.nearest(name))
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
            yield Problem(Saying(N_("A group is empty.")))
        case AtLeast() if node.count > len(node.of):
            sizes = {"count": node.count, "size": len(node.of)}
            yield Problem(Saying(N_("At least %(count)s of %(size)s can never be met."), sizes))
        case Unconfirmed(text=""):
            yield Problem(Saying(N_("A place in the rule is still empty.")))
        case Unconfirmed():
            yield Problem(Saying(N_("Still text: nobody has confirmed a rule.")), blocking=False)
        case _:
            return


_KINDS = {
    Number: (KeyKind.QUANTITY, N_("The key %(key)s does not hold a number.")),
    When: (KeyKind.DATE, N_("The key %(key)s does not hold a day.")),
    Is: (KeyKind.CHOICE, N_("The key %(key)s does not hold a choice.")),
    Attested: (KeyKind.FLAG, N_("The key %(key)s does not hold a yes or no.")),
    Coded: (KeyKind.CODED, N_("The key %(key)s does not hold conditions, medicines or procedures.")),
}


def _kind_problems(leaf: Leaf, key: Key) -> Iterator[Problem]:
    kind, sentence = next(entry for model, entry in _KINDS.items() if isinstance(leaf, model))
    if key.kind is not kind:
        yield Problem(Saying(sentence, {"key": key.name}), word=key.name)
        return
    if isinstance(leaf, Number):
        for limits in leaf.limits:
            if limits.unit != UPPER_LIMIT and not convertible(limits.unit, key.unit or "", analyte=key.analyte):
                unfit = Saying(
                    N_("The unit %(unit)s does not fit %(key)s."), {"unit": limits.unit, "key": key.name}
                )
                yield Problem(unfit, word=limits.unit, suggestion=key.unit)
    if isinstance(leaf, Is):
        for code in leaf.codes:
            if code not in key.codes:
                unknown = Saying(
                    N_("The key %(key)s has no choice %(choice)s."), {"key": key.name, "choice": code}
                )
                yield Problem(unknown, word=code, suggestion=nearest(code, key.codes))
