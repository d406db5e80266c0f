"""The notation: criteria as text that a coordinator can read, write and compare.

`parse(write(document)) == document` for every document, and writing is
deterministic. A slip is reported with line, column and what may have been meant.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Final

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken, VisitError

from screening.errors import NotationError
from screening.language.criteria import DEEPEST, Node
from screening.language.notation_text import write, write_rule
from screening.language.notation_tree import build
from screening.language.protocol import Protocol
from screening.terms import Terms
from screening.vocabulary import Vocabulary, nearest

__all__ = ["parse", "parse_rule", "write", "write_rule"]

LONGEST: Final = 1_000_000

_MEANINGS: Final = {
    "NAME": "a key of the vocabulary",
    "QUOTED_NAME": "",
    "NUMBER": "a number",
    "UNIT": "a unit",
    "CALENDAR": "days, weeks, months or years",
    "CODE": "a code",
    "STRING": "a text in quotes",
    "SLUG": "an identifier",
    "COMPARISON": ">=, >, <= or <",
    "ABOUT": "condition, medicine or procedure",
    "SUCH_AS": "such as",
    "STATUS": "current, past or planned",
    "SIDE": "before or after",
    "BUT_NOT": "but not",
    "BUT_NOT_IN": "but not in",
    "$END": "the end",
}


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
    if len(text) > LONGEST:
        raise NotationError(1, 1, f"A text is at most {LONGEST:,} characters long.")
    try:
        tree = _grammar().parse(text, start=start)
        _check_depth(tree)
        return build(tree, text, vocabulary=vocabulary, terms=terms)
    except UnexpectedInput as error:
        raise _explained(error, text) from None
    except VisitError as error:
        if isinstance(error.orig_exc, NotationError):
            raise error.orig_exc from None
        raise


@cache
def _grammar() -> Lark:
    source = resources.files("screening.language").joinpath("notation.lark").read_text("utf-8")
    return Lark(source, parser="lalr", start=["protocol", "expression"], propagate_positions=True)


def _check_depth(tree: Tree[Token]) -> None:
    level: list[Tree[Token]] = [tree]
    for _ in range(DEEPEST + 10):
        level = [child for node in level for child in node.children if isinstance(child, Tree)]
        if not level:
            return
    meta = level[0].meta
    line, column = (1, 1) if meta.empty else (meta.line, meta.column)
    raise NotationError(line, column, f"A rule is at most {DEEPEST} levels deep.")


def _explained(error: UnexpectedInput, text: str) -> NotationError:
    match error:
        case UnexpectedToken() if error.token.type != "$END":
            word, names = str(error.token), set(error.accepts or error.expected)
            line, column = error.token.line or 1, error.token.column or 1
        case UnexpectedCharacters():
            place = error.pos_in_stream or 0
            word = "".join(text[place : place + 40].split(maxsplit=1)[:1]) or text[place]
            names, line, column = set(error.allowed or ()), error.line, error.column
        case UnexpectedToken() | UnexpectedEOF():
            line = text.count("\n") + 1
            column = len(text) - (text.rfind("\n") + 1) + 1
            names = set(getattr(error, "accepts", None) or error.expected)
            return NotationError(line, column, f"Something is missing at the end: {_expected(names)}.")
        case _:
            return NotationError(1, 1, "This cannot be read.")
    if word in ("and", "or") and not {"AND", "OR"} <= names and {"AND", "OR"} & names:
        return NotationError(line, column, "“and” and “or” side by side need parentheses.")
    if word == "except":
        return NotationError(line, column, "“except” is two things here.", "but not, or unless")
    return NotationError(
        line, column, f"{word!r} does not fit here; expected {_expected(names)}.", nearest(word, _words(names))
    )


def _expected(names: Iterable[str]) -> str:
    """Name at most six of what could stand there."""
    meanings = {_MEANINGS.get(name, _literal(name)) for name in names} - {""}
    shown = sorted(meanings, key=lambda word: (word in _literals(), word))
    return ", ".join(shown[:6]) + (", or other words" if len(shown) > 6 else "")


def _words(names: Iterable[str]) -> list[str]:
    """List the plain words that could stand there."""
    words = [word for name in names for word in _MEANINGS.get(name, _literal(name)).split()]
    return [word for word in words if word.isalpha() and len(word) > 1]


@cache
def _literals() -> frozenset[str]:
    return frozenset(terminal.pattern.value for terminal in _grammar().terminals)


def _literal(name: str) -> str:
    """Give the word of a terminal of the grammar."""
    for terminal in _grammar().terminals:
        if terminal.name == name and terminal.pattern.type == "str":
            word = terminal.pattern.value
            return word if word.isalpha() else f"“{word}”"
    return ""
