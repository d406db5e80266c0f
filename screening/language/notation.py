"""The notation: criteria as text that a coordinator can read, write and compare.

`parse(write(document)) == document` for every document, and writing is
deterministic. A slip is reported with line, column and what may have been meant.
"""

from __future__ import annotations

from screening.language.criteria import Node
from screening.language.notation_text import write, write_rule
from screening.language.protocol import Protocol
from screening.terms import Terms
from screening.vocabulary import Vocabulary

__all__ = ["parse", "parse_rule", "write", "write_rule"]


def parse(text: str, *, vocabulary: Vocabulary | None = None, terms: Terms | None = None) -> Protocol:
    """Read a protocol document; with vocabulary and terms, keys, units and codes are checked too.

    :raises NotationError: at the first slip.
    """
    document = _parse(text, "protocol", vocabulary, terms)
    if not isinstance(document, Protocol):
        raise TypeError("the grammar gives a protocol")
    return document


def parse_rule(text: str, *, vocabulary: Vocabulary | None = None, terms: Terms | None = None) -> Node:
    """Read one rule; with vocabulary and terms, keys, units and codes are checked too.

    :raises NotationError: at the first slip.
    """
    node = _parse(text, "expression", vocabulary, terms)
    if isinstance(node, Protocol):
        raise TypeError("the grammar gives a rule")
    return node


def _parse(text: str, start: str, vocabulary: Vocabulary | None, terms: Terms | None) -> Protocol | Node:
    from screening.language.notation_grammar import read  # here for the start: few requests read notation

    return read(text, start, vocabulary=vocabulary, terms=terms)
