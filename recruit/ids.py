"""Keys made by the application: UUIDs ordered by time, and unguessable tokens for links.

The source of chance can be replaced within a context, so that the demo is the same on every machine.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from random import Random
from threading import Lock
from time import time_ns
from uuid import UUID

_COUNTED = 12
"""Bits below the millisecond that count the keys made within it (RFC 9562, 6.2, method 1)."""


class _Seeded(Random):
    """A seeded generator that also counts the keys it made, so that these are in order too."""

    made = 0


class _Stamps:
    """Gives every key of this process a later stamp than the one before, also within a millisecond."""

    def __init__(self) -> None:
        self._lock, self._last = Lock(), 0

    def next(self) -> int:
        """Give the milliseconds since 1970, and below them the place within the millisecond."""
        with self._lock:
            self._last = max(self._last + 1, (time_ns() // 1_000_000) << _COUNTED)
            return self._last


_stamps = _Stamps()
_chance: ContextVar[_Seeded | None] = ContextVar("chance", default=None)
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz"


@contextmanager
def seeded(seed: int) -> Iterator[Random]:
    """Draw every key inside this context from one seeded generator; never for real people's data."""
    generator = _Seeded(seed)
    token = _chance.set(generator)
    try:
        yield generator
    finally:
        _chance.reset(token)


def new_id() -> UUID:
    """Make a UUID of version 7: unique everywhere, and later ones of a process sort after earlier ones.

    Rows written with one moment, such as two events of one transaction, are told apart by it (RFC 9562).
    """
    generator = _chance.get()
    if generator is not None:
        generator.made += 1
        return _uuid(generator.made, generator.getrandbits(62))
    return _uuid(_stamps.next(), secrets.randbits(62))


def _uuid(stamp: int, chance: int) -> UUID:
    millis, count = stamp >> _COUNTED, stamp & ((1 << _COUNTED) - 1)
    return UUID(int=millis << 80 | 0x7 << 76 | count << 64 | 0b10 << 62 | chance)


def new_token() -> str:
    """Make an unguessable token for a link: 256 bits, safe in a URL."""
    generator = _chance.get()
    if generator is not None:
        return generator.randbytes(32).hex()
    return secrets.token_urlsafe(32)


def new_code(length: int) -> str:
    """Make a code of decimal digits, such as one that verifies a telephone number."""
    generator = _chance.get()
    if generator is not None:
        return "".join(str(generator.randrange(10)) for _ in range(length))
    return "".join(secrets.choice("0123456789") for _ in range(length))


def new_slug(length: int) -> str:
    """Make a short spoken-safe code without 0, O, 1, I or l, for links and posters."""
    generator = _chance.get()
    if generator is not None:
        return "".join(generator.choice(_ALPHABET) for _ in range(length))
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def token_hash(token: str) -> bytes:
    """Give what is stored of a token: its SHA-256, so that a copy of the database opens nothing."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
