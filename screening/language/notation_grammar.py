"""Reading the notation by its grammar, and saying what does not fit it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Final

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken, VisitError

from screening.errors import NotationError
from screening.language.criteria import DEEPEST, Node
from screening.language.notation_tree import build
from screening.language.protocol import Protocol
from screening.saying import Saying
from screening.slips import N_
from screening.terms import Terms
from screening.vocabulary import Vocabulary, nearest

LONGEST: Final = 1_000_000

_MEANINGS: Final = {
    "NAME": N_("a key of the vocabulary"),
    "QUOTED_NAME": "",
    "NUMBER": N_("a number"),
    "UNIT": N_("a unit"),
    "CALENDAR": N_("days, weeks, months or years"),
    "CODE": N_("a code"),
    "STRING": N_("a text in quotes"),
    "SLUG": N_("an identifier"),
    "COMPARISON": N_(">=, >, <= or <"),
    "ABOUT": N_("condition, medicine or procedure"),
    "SUCH_AS": "such as",
    "STATUS": N_("current, past or planned"),
    "SIDE": N_("before or after"),
    "BUT_NOT": "but not",
    "BUT_NOT_IN": "but not in",
    "$END": N_("the end"),
}


def read(text: str, start: str, *, vocabulary: Vocabulary | None, terms: Terms | None) -> Protocol | Node:
    """Read a text that begins with a form of the grammar: a ``protocol`` or an ``expression``.

    :raises NotationError: at the first slip.
    """
    if len(text) > LONGEST:
        too_long = Saying(N_("A text is at most %(most)s characters long."), {"most": f"{LONGEST:,}"})
        raise NotationError(1, 1, too_long)
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
    too_deep = Saying(N_("A rule is at most %(most)s levels deep."), {"most": DEEPEST})
    raise NotationError(line, column, too_deep)


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
            missing = Saying(
                N_("Something is missing at the end: %(expected)s."), {"expected": _expected(names)}
            )
            return NotationError(line, column, missing)
        case _:
            return NotationError(1, 1, Saying(N_("This cannot be read.")))
    if word in ("and", "or") and not {"AND", "OR"} <= names and {"AND", "OR"} & names:
        side_by_side = Saying(N_("“and” and “or” side by side need parentheses."))
        return NotationError(line, column, side_by_side)
    if word == "except":
        return NotationError(line, column, Saying(N_("“except” is two things here.")), "but not, or unless")
    unfit = Saying(
        N_("%(word)s does not fit here; expected %(expected)s."),
        {"word": repr(word), "expected": _expected(names)},
    )
    return NotationError(line, column, unfit, nearest(word, _words(names)))


def _expected(names: Iterable[str]) -> tuple[Saying | str, ...]:
    """Name at most six of what could stand there; words of the notation are the same in every language."""
    meanings = {_MEANINGS.get(name, _literal(name)) for name in names} - {""}
    shown = sorted(meanings, key=lambda word: (word in _literals(), word))
    told = [Saying(word) if word in _MEANINGS.values() else word for word in shown[:6]]
    return (*told, Saying(N_("or other words"))) if len(shown) > 6 else tuple(told)


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
