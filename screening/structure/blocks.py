"""Lines of an eligibility text as blocks: one list item or one paragraph each, with its marker and indentation.

The registry writes a light markdown (``*`` bullets, ``1.`` numbers, indentation for nesting, backslashes before
punctuation); sponsors paste everything else into it. Nothing is judged here but what a line starts with.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_ENTITY = re.compile(r"&(?:lt|gt|le|ge|ne|amp|quot|apos|nbsp|plusmn|micro|deg|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")
_BREAK = re.compile(r"\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_LEADING = re.compile(r"[\s\u200b\u200e\u200f\u2060\ufeff]*")
_HIDDEN = "\u200b\u200e\u200f\u2060\ufeff"

_BULLET = re.compile(r"--(?=\s*[A-Za-z])(?!.*--:?$)|[*•·▪◦●○■□‣\u2043∙➢►✓\u2013\u2014°-]|o(?=\s+\S)")
_NUMBER = re.compile(
    r"(?P<multi>\d{1,3}(?:\.\d{1,3})+)(?P<multidot>[.)]?)(?=\s|$)"
    r"|(?P<mixed>\d{1,2}(?:\.[a-zA-Z](?=[.)\s])|[a-zA-Z](?=[.)])))[.)]?(?=\s|$)"
    r"|(?P<open>\()?(?P<digits>\d{1,3}) ?(?P<close>[.)])(?=\s|$|(?P<tight>[^\s\d]))"
    r"|(?P<dashed>\d{1,2}) ?[-\u2013:](?=\s+[A-Z])"
    r"|(?P<bracket>\()?(?P<letters>[ivxIVX]{1,5}|[a-zA-Z])(?P<end>[.)])(?=\s|$)"
    r"|(?P<circled>[①-⑳])"
)
_ROMAN = {"i": 1, "v": 5, "x": 10}
_RANK = {"*": 0, "•": 0, "●": 0, "■": 0, "-": 1, "\u2013": 1, "\u2014": 1}
_WRAP_AT_MOST = 110
_WRAP_AT_LEAST = 60
_REGISTRY_XML_INDENT = 8


@dataclass(frozen=True, slots=True)
class Marker:
    """What a list item starts with: the signs as written, the number in them, style and place in its run."""

    raw: str
    number: str | None
    style: str
    ordinal: int | None

    @property
    def rank(self) -> int:
        """Order bullet glyphs as writers nest them: dots and stars, then dashes, then circles."""
        return _RANK.get(self.style, 2)


@dataclass(slots=True)
class Block:
    """One list item or paragraph; ``gap`` tells whether a blank line stands before it."""

    indent: int
    marker: Marker | None
    gap: bool
    hidden: str = ""
    lines: list[str] = field(default_factory=list)
    last_width: int = 0

    @property
    def body(self) -> str:
        """Join the lines with single spaces."""
        return " ".join(" ".join(self.lines).split())

    @property
    def raw_marker(self) -> str:
        """Give every character before the text that is not white space."""
        return self.hidden + (self.marker.raw if self.marker else "")


def plain(text: str) -> str:
    """Undo the registry's escapes, one level: backslashes before punctuation, and HTML entities."""
    return _ENTITY.sub(lambda found: html.unescape(found[0]), _ESCAPE.sub(r"\1", text))


def blocks(text: str) -> list[Block]:
    """Cut a text into blocks; wrapped lines are joined, blank lines only leave their trace in ``gap``."""
    lines = [line.expandtabs(4) for line in _BREAK.split(plain(text))]
    width = max((len(line.rstrip()) for line in lines), default=0)
    reader = _Reader(wrap=width if _WRAP_AT_LEAST <= width <= _WRAP_AT_MOST else None)
    for line in lines:
        reader.feed(line)
    _dedent(reader.done)
    return reader.done


def _dedent(done: list[Block]) -> None:
    """Take off the indentation that the registry's older XML puts before every paragraph but the first."""
    base = min((block.indent for block in done[1:] if block.gap and block.marker is None), default=0)
    if base < _REGISTRY_XML_INDENT:
        return
    for block in done:
        block.indent = max(0, block.indent - base)


class _Reader:
    """Take lines one by one and remember the runs of numbers seen, so that "E. coli" is not item E."""

    def __init__(self, *, wrap: int | None) -> None:
        self.done: list[Block] = []
        self._wrap = wrap
        self._gap = True
        self._last: dict[tuple[str, int | None], int] = {}
        self._indent = 0

    def feed(self, line: str) -> None:
        """Add one line to the last block or open a new one."""
        lead = _LEADING.match(line)
        start = lead.end() if lead else 0
        body = line[start:].rstrip()
        if not body and not any(sign in _HIDDEN for sign in line):
            self._gap = True
            return
        self._indent = start
        marker, used = self._marker(body)
        rest = body[used:].strip()
        hidden = "".join(sign for sign in line[:start] if sign in _HIDDEN)
        indent = start - len(hidden)
        if marker is None and not self._gap and self._continues(body, indent, hidden):
            self.done[-1].lines.append(body)
        else:
            self.done.append(Block(indent, marker, self._gap, hidden, [rest]))
        self.done[-1].last_width = len(line.rstrip())
        self._gap = False

    def _continues(self, body: str, indent: int, hidden: str) -> bool:
        if not self.done or hidden:
            return False
        before = self.done[-1]
        written = before.lines[-1]
        if not written:
            return before.marker is not None
        if body[0].islower() or body[0] in ",;)]≤≥<>=%&+/":
            return True
        if self._wrap is not None and before.last_width + 1 + len(body.split(None, 1)[0]) > self._wrap:
            return True
        return before.marker is not None and indent > before.indent and not written.endswith(":")

    def _marker(self, body: str) -> tuple[Marker | None, int]:
        """Read a bullet, a number, or a bullet and the number behind it."""
        bullet = self._bullet(body)
        if bullet is None:
            return self._numbered(body, after_bullet=False)
        used = bullet.end() + len(body[bullet.end() :]) - len(body[bullet.end() :].lstrip())
        rest = body[used:]
        inner, more = self._numbered(rest, after_bullet=True)
        if inner is not None:
            return Marker(
                bullet[0] + inner.raw, inner.number, bullet[0] + inner.style, inner.ordinal
            ), used + more
        second = _BULLET.match(rest)
        if second and second[0] != "°" and (second.end() == len(rest) or rest[second.end()].isspace()):
            return Marker(bullet[0] + second[0], None, second[0], None), used + second.end()
        return Marker(bullet[0], None, bullet[0], None), used

    def _bullet(self, body: str) -> re.Match[str] | None:
        found = _BULLET.match(body)
        if found is None:
            return None
        following = body[found.end() : found.end() + 1]
        if not following or following.isspace() or found[0] not in "*-\u2013\u2014":
            return found
        if following == found[0]:
            return None
        if found[0] == "*" or not following.isdigit():
            return found if following.isalpha() or following in "≤≥<>" else None
        return found if self._gap or self._previous_style() == found[0] else None

    def _previous_style(self) -> str | None:
        marker = self.done[-1].marker if self.done else None
        return marker.style if marker else None

    def _numbered(self, body: str, *, after_bullet: bool) -> tuple[Marker | None, int]:
        found = _NUMBER.match(body)
        if found is None:
            return None, 0
        readings = list(_readings(found, body))
        for fits in (self._next_in_run, self._first_in_run, self._after_a_slip, self._loose):
            for style, ordinal, certain in readings:
                if fits(style, ordinal, certain and not after_bullet):
                    self._last[style, None] = self._last[style, self._indent] = ordinal
                    raw = found[0].replace(" ", "")
                    return Marker(raw, raw.strip("().:-\u2013"), style, ordinal), found.end()
        return None, 0

    def _next_in_run(self, style: str, ordinal: int, _: bool) -> bool:
        return ordinal - 1 in self._runs(style)

    def _first_in_run(self, _style: str, ordinal: int, _: bool) -> bool:
        return ordinal == 1

    def _after_a_slip(self, style: str, ordinal: int, _: bool) -> bool:
        return ordinal - 2 in self._runs(style)

    def _runs(self, style: str) -> tuple[int | None, int | None]:
        """Give the last number of this style on this column, and anywhere."""
        return self._last.get((style, self._indent)), self._last.get((style, None))

    def _loose(self, style: str, _ordinal: int, certain: bool) -> bool:
        if not certain:
            return False
        before = self._previous_style()
        return self._gap or before == style or (before is not None and self._wrap is None)


def _readings(found: re.Match[str], body: str) -> Iterator[tuple[str, int, bool]]:
    """Give the ways to read a number as (style, place in run, whether it may stand outside a run)."""
    if found["multi"]:
        parts = found["multi"].split(".")
        following = body[found.end() :].lstrip()[:1]
        if found["multidot"] or not (following.islower() or following.isdigit()):
            yield ".".join("1" for _ in parts), int(parts[-1]), bool(found["multidot"])
    elif found["mixed"]:
        yield "1a", ord(found["mixed"][-1].lower()) - 96, False
    elif found["digits"]:
        yield f"{found['open'] or ''}1{found['close']}", int(found["digits"]), not found["tight"]
    elif found["dashed"]:
        yield "1-", int(found["dashed"]), False
    elif found["circled"]:
        yield "①", ord(found["circled"]) - ord("①") + 1, True
    else:
        yield from _letter_readings(found, body)


def _letter_readings(found: re.Match[str], body: str) -> Iterator[tuple[str, int, bool]]:
    letters, end = found["letters"], found["bracket"] or ""
    case = "A" if letters.isupper() else "a"
    following = body[found.end() :].lstrip()[:1]
    if case == "A" and found["end"] == "." and following.islower() and len(letters) == 1:
        return
    roman = (
        f"{end}{'I' if case == 'A' else 'i'}{found['end']}",
        _roman(letters.lower()),
        bool(found["bracket"]),
    )
    alpha = (
        f"{end}{case}{found['end']}",
        ord(letters.lower()) - 96 if len(letters) == 1 else 0,
        found["end"] == ")",
    )
    if len(letters) > 1:
        yield from [roman] if roman[1] else []
    elif letters in "iI":
        yield from (roman, alpha)
    else:
        yield alpha
        yield from [(roman[0], roman[1], False)] if roman[1] > 1 else []


def _roman(letters: str) -> int:
    """Read a roman number up to 39; 0 where the letters are none."""
    values = [_ROMAN.get(letter, 0) for letter in letters]
    if not all(values):
        return 0
    total = sum(-now if now < then else now for now, then in zip(values, [*values[1:], 0], strict=True))
    return total if 0 < total < 40 else 0
