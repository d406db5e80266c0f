"""HTML of a protocol's criterion into plain passages: paragraphs, lists below them, tables as lines.

Nothing that a person could read is lost: a tag that is not known stands there as it was written, since it may
be "CrCl<thirty"; an image is named, and what is struck out says so. End tags that HTML lets out are supplied.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

DEEPEST = 12
MOST_PASSAGES = 5_000

Resolve = Callable[[str, Mapping[str, str]], str]
"""Give the text of a `usdm:tag` or `usdm:ref` from its name and attributes."""

_BLOCKS = frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote body br caption dd div dl dt figcaption figure footer h1 h2 h3 h4 h5"
        " h6 header hr html p pre section table tbody tfoot thead",
    )
)
_INLINE = frozenset(
    re.findall(
        r"[\w:]+",
        "a abbr b bdi cite code col colgroup dfn em font i ins kbd label mark q samp small span strong sub time"
        " tt u var wbr usdm:tag usdm:ref",
    )
)
_STRUCK = frozenset({"del", "s", "strike"})
_LISTS = frozenset({"ol", "ul", "menu"})
_CELLS = frozenset({"td", "th"})
_KNOWN = sorted(_BLOCKS | _INLINE | _STRUCK | _LISTS | _CELLS | {"li", "tr", "sup", "img"}, reverse=True)
_OTHER = re.compile(rf"<(?!/?(?:{'|'.join(_KNOWN)})(?=[\s/>])[^<>]*>)", re.I)
"""A sign that begins no tag of ours: text, and shown as such."""
_STYLE = re.compile(r"list-style(?:-type)?\s*:\s*([a-z-]+)", re.I)
_STYLES = {"a": "lower-alpha", "A": "upper-alpha", "i": "lower-roman", "I": "upper-roman", "1": "decimal"}
_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
    (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip


class InvalidText(ValueError):
    """A text that cannot be kept, in a sentence."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A text with what stands below it; ``marker`` is what a list puts before it.

    A remark is what goes on after a list has ended.
    """

    text: str
    parts: tuple[Passage, ...] = ()
    marker: str = ""
    is_remark: bool = False


def read_passage(html: str, *, resolve: Resolve) -> Passage:
    """Read HTML, or plain text, into one passage with its parts.

    :raises InvalidText: lists are nested too deep, or there are too many parts.
    """
    reader = _Reader(resolve)
    reader.feed(_OTHER.sub("&lt;", _without_comments(html)))
    reader.close()
    return reader.finish()


def _without_comments(html: str) -> str:
    """Leave out comments that end; one that does not is text."""
    kept: list[str] = []
    at = 0
    while (start := html.find("<!--", at)) >= 0 and (end := html.find("-->", start + 4)) >= 0:
        kept.append(html[at:start])
        at = end + 3
    return "".join([*kept, html[at:]])


@dataclass(slots=True)
class _Draft:
    marker: str = ""
    is_remark: bool = False
    lines: list[str] = field(default_factory=list)
    parts: list[_Draft] = field(default_factory=list)


@dataclass(slots=True)
class _List:
    """An open list: how it counts, where it stands, and whether one of its items is open."""

    style: str
    number: int
    is_open: bool = False


class _Reader(HTMLParser):
    """Collect text; every block, list and row ends the line before it."""

    def __init__(self, resolve: Resolve) -> None:
        super().__init__(convert_charrefs=True)
        self._resolve = resolve
        self._root = _Draft()
        self._open: list[_Draft] = [self._root]
        self._lists: list[_List] = []
        self._words: list[str] = []
        self._raised: list[int] = []
        self._in_row = False
        self._made = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _LISTS:
            self._begin_list(tag, given)
        elif tag == "li":
            self._begin_item(given)
        elif tag == "tr":
            self._end_line()
            self._in_row = True
        elif tag in _CELLS:
            self._words.append("\x1f")
            self._in_row = True
        else:
            self._begin_other(tag, given)

    def _begin_other(self, tag: str, given: Mapping[str, str]) -> None:
        if tag in _BLOCKS:
            self._break(ends_row=tag == "table")
        elif tag == "sup":
            self._raised.append(len(self._words))
        elif tag in _STRUCK:
            self._words.append("[struck out: ")
        elif tag == "img":
            self._words.append(f"[image: {given.get('alt') or given.get('src', '')[:80] or 'without words'}]")
        elif tag in ("usdm:tag", "usdm:ref"):
            self._words.append(self._resolve(tag, given))

    def handle_endtag(self, tag: str) -> None:
        if tag in _LISTS:
            self._end_list()
        elif tag == "li":
            self._end_item()
        elif tag in ("tr", "table"):
            self._break(ends_row=True)
        elif tag in _BLOCKS:
            self._break(ends_row=False)
        elif tag == "sup":
            self._lower()
        elif tag in _STRUCK:
            self._words.append("]")

    def handle_data(self, data: str) -> None:
        self._words.append(data)

    def finish(self) -> Passage:
        """Close what is open and give everything."""
        self._end_line()
        return _frozen(self._root)

    def _break(self, *, ends_row: bool) -> None:
        """End the line, or inside a table's row go on in it."""
        if self._in_row and not ends_row:
            self._words.append(" ")
        else:
            self._end_line()

    def _end_line(self) -> None:
        if self._raised:  # never closed: "10<sup>9/L" must not become 109/L
            self._words.insert(self._raised[-1], "^")
        cells = "".join(self._words).split("\x1f")
        line = ": ".join(text for cell in cells if (text := " ".join(cell.split())))
        self._words.clear()
        self._raised.clear()
        self._in_row = False
        if not line:
            return
        here = self._open[-1]
        if here.parts and not here.parts[-1].is_remark:
            here.parts.append(self._new(is_remark=True))
        (here.parts[-1] if here.parts else here).lines.append(line)

    def _lower(self) -> None:
        """Write what was raised so that it cannot be read as a digit of the number before it: 10^9."""
        start = self._raised.pop() if self._raised else len(self._words)
        raised = "".join(self._words[start:])
        if re.fullmatch(r"\s*[-+\u2212]?\d+\s*", raised):
            self._words[start:] = [f"^{raised.strip()}"]

    def _begin_list(self, tag: str, given: Mapping[str, str]) -> None:
        self._end_line()
        if len(self._lists) >= DEEPEST:
            raise InvalidText(f"Lists are nested deeper than {DEEPEST} levels.")
        styled = _STYLE.search(given.get("style", ""))
        numbered = styled[1].lower() if styled else _STYLES.get(given.get("type", "1"), "decimal")
        start = given.get("start", "1")
        first = int(start) if re.fullmatch(r"[0-9]{1,4}", start) else 1
        self._lists.append(_List(numbered if tag == "ol" else "", first))

    def _begin_item(self, given: Mapping[str, str]) -> None:
        if not self._lists:
            self._begin_list("ul", {})
        self._end_item()
        self._end_line()
        here = self._lists[-1]
        if re.fullmatch(r"[0-9]{1,4}", given.get("value", "")):
            here.number = int(given["value"])
        item = self._new(marker=_marker(here.style, here.number))
        here.number += 1
        here.is_open = True
        self._open[-1].parts.append(item)
        self._open.append(item)

    def _end_item(self) -> None:
        if self._lists and self._lists[-1].is_open:
            self._end_line()
            self._open.pop()
            self._lists[-1].is_open = False

    def _end_list(self) -> None:
        if self._lists:
            self._end_item()
            self._end_line()
            self._lists.pop()

    def _new(self, *, marker: str = "", is_remark: bool = False) -> _Draft:
        self._made += 1
        if self._made > MOST_PASSAGES:
            raise InvalidText(f"The text has more than {MOST_PASSAGES} parts.")
        return _Draft(marker, is_remark)


def _frozen(draft: _Draft) -> Passage:
    """Freeze a draft; an item without words of its own gives way to what is below it."""
    frozen = [_frozen(part) for part in draft.parts]
    parts = tuple(inner for part in frozen for inner in ((part,) if part.text else part.parts))
    return Passage("\n".join(draft.lines), parts, draft.marker, draft.is_remark)


def _marker(style: str, number: int) -> str:
    if not style:
        return "-"
    kind = style.removeprefix("lower-").removeprefix("upper-")
    if kind in ("alpha", "latin"):
        text = _letters(number)
    elif kind == "roman":
        text = _roman(number)
    else:
        return f"{number}."
    return f"{text.upper() if style.startswith('upper') else text}."


def _letters(number: int) -> str:
    text = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("a") + rest) + text
    return text or "0"


def _roman(number: int) -> str:
    text = ""
    for value, sign in _ROMAN:
        while number >= value:
            text, number = text + sign, number - value
    return text or "0"
