"""Make hostile bodies of posts, the same ones for the same seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from random import Random
from urllib.parse import quote_from_bytes

VALUES: tuple[bytes, ...] = (
    b"",
    b" ",
    b"\x00",
    b"abc\x00def",
    b"\xed\xa0\x80",  # a lone surrogate
    b"\xff\xfe\xfd",  # no UTF-8
    b"\xf4\x90\x80\x80",  # beyond Unicode
    b"NaN",
    b"-Infinity",
    b"1e309",
    b"-0",
    b"9" * 40,
    b"9223372036854775808",
    b"-9223372036854775809",
    b"2147483648",
    b"0x1F",
    b"1_000",
    b"9999-13-99",
    b"0000-00-00",
    b"31/02/2026",
    b"29",
    b"true",
    b"null",
    b"[]",
    b"{}",
    b"../../etc/passwd",
    b"' OR 1=1 --",
    b"{{ 7 * 7 }}",
    b"${7*7}",
    b"<script>alert(1)</script>",
    b"%00",
    b"\r\nSet-Cookie: a=b",
    "‮abc".encode(),
    "٣٤٥".encode(),
    "\U0001d7d9\U0001d7da".encode(),  # digits of another kind
    "e\u0301".encode() * 50,
    "👩‍👩‍👧‍👦".encode() * 20,
    b"A" * 300,
    b"A" * 5_000,
    b"yes",
    b"no",
    b"self",
    b"en",
    b"00000000-0000-0000-0000-000000000000",
    b"+15550100123",
    b"a@b",
    b"name@example.com",
)
HUGE = b"A" * 60_000
IDENTITY = frozenset({"draft", "item", "version", "seen", "revision"})
"""Fields that say which page this is; mostly right, or nothing behind them is ever reached."""
TYPES = (
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-16",
    "application/json",
    "text/plain",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=xx",
    "",
)


@dataclass(frozen=True, slots=True)
class Body:
    """One body and the type it claims to have."""

    data: bytes
    content_type: str


class _Names(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag in ("input", "select", "textarea", "button") and named.get("name"):
            self.names.setdefault(str(named["name"]), named.get("value") or "")


def field_names(html: str) -> dict[str, str]:
    """List the fields of a page's forms with the values they start from."""
    parser = _Names()
    parser.feed(html)
    return parser.names


def bodies(fields: dict[str, str], *, seed: int, count: int) -> Iterator[Body]:
    """Make so many bodies for a form with these fields; a few are far too large."""
    chance = Random(seed)  # noqa: S311 - reproducible, no secret
    for number in range(count):
        if number % 97 == 13:
            yield Body(b"answer=" + b"A" * 66_000, TYPES[0])
        elif number % 11 == 5:
            yield Body(_noise(chance), chance.choice(TYPES))
        else:
            yield Body(_form(chance, fields), TYPES[0])


def _form(chance: Random, fields: dict[str, str]) -> bytes:
    names: Sequence[str] = [*fields, "answer", "day", "revision", "unknown", "csrf_token", "🙂", "a" * 200]
    pairs: list[tuple[bytes, bytes]] = []
    for name in names:
        kind = chance.random()
        if kind < (0.85 if name in IDENTITY and name in fields else 0.35):
            pairs.append((name.encode(), fields.get(name, "").encode()))
        elif kind < 0.8:
            pairs.append((name.encode(), _value(chance)))
        elif kind < 0.88:
            pairs.extend((name.encode(), _value(chance)) for _ in range(chance.randint(2, 6)))
    chance.shuffle(pairs)
    if chance.random() < 0.02:
        pairs.append((b"answer", HUGE))
    if chance.random() < 0.02:
        pairs.extend((b"x%d" % n, b"1") for n in range(400))
    return b"&".join(_quoted(name) + b"=" + _quoted(value) for name, value in pairs)


def _value(chance: Random) -> bytes:
    if chance.random() < 0.15:
        return chance.randbytes(chance.randint(1, 60))
    return chance.choice(VALUES)


def _quoted(raw: bytes) -> bytes:
    return quote_from_bytes(raw, safe="").encode()


def _noise(chance: Random) -> bytes:
    kinds = (
        b'{"answer": NaN, "a": [[[[[[[[[[]]]]]]]]]]}',
        b'--xx\r\nContent-Disposition: form-data; name="answer"\r\n\r\nabc',
        b'--xx\r\nContent-Disposition: form-data; name="a"; filename="\x00.exe"\r\n\r\n\xff\r\n--xx--\r\n',
        b"%",
        b"%zz=%u0000&=&&&=;",
        b"answer",
        b"\x00" * 500,
    )
    return chance.choice((*kinds, chance.randbytes(400)))
