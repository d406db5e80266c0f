"""Approved texts as paragraphs, headings and lists: the one form in which bodies are written.

A blank line ends a paragraph, ``## `` begins a heading, ``- `` an item of a list. Nothing else is markup.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from markupsafe import Markup, escape

_NUMBER = re.compile(r"(?<![\w-])(?:\+?\(?\d(?:[ ().-]{0,2}\d){6,14}|\d{3})(?![\w-])")
"""A telephone number, or one of three digits that is called in an emergency."""


class BlockKind(StrEnum):
    """What a block is shown as."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    ITEMS = "items"


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph, heading or list, with its lines."""

    kind: BlockKind
    lines: tuple[str, ...]


def blocks(text: str) -> tuple[Block, ...]:
    """Cut a text into its blocks."""
    found: list[Block] = []
    open_kind: BlockKind | None = None
    for line in [line.strip() for line in text.splitlines()]:
        kind, words = _read(line)
        if kind is None:
            open_kind = None
        elif kind is open_kind and kind is not BlockKind.HEADING:
            found[-1] = Block(kind, (*found[-1].lines, words))
        else:
            found.append(Block(kind, (words,)))
            open_kind = kind
    return tuple(found)


def first_paragraph(text: str) -> str:
    """Give the words that stand for a text in a list."""
    return next((" ".join(block.lines) for block in blocks(text) if block.kind is BlockKind.PARAGRAPH), "")


def calls(text: str) -> Markup:
    """Make every telephone number in a text one that a tap calls; the words stay as they were approved."""
    made, at = Markup(), 0
    for number in _NUMBER.finditer(text):
        dialled = "".join(c for c in number[0] if c.isdigit() or c == "+")
        made += escape(text[at : number.start()])
        made += Markup('<a class="nowrap" href="tel:{}">{}</a>').format(dialled, number[0])
        at = number.end()
    return made + escape(text[at:])


def _read(line: str) -> tuple[BlockKind | None, str]:
    if not line:
        return None, ""
    if line.startswith("#"):
        return BlockKind.HEADING, line.lstrip("#").strip()
    if line.startswith(("- ", "• ")):
        return BlockKind.ITEMS, line[2:].strip()
    return BlockKind.PARAGRAPH, line
