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
from time import time_ns
from uuid import UUID

_chance: ContextVar[Random | None] = ContextVar("chance", default=None)
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz"


@contextmanager
def seeded(seed: int) -> Iterator[Random]:
    """Draw every key inside this context from one seeded generator; never for real people's data."""
    generator = Random(seed)  # noqa: S311 - reproducible demo data, no secret
    token = _chance.set(generator)
    try:
        yield generator
    finally:
        _chance.reset(token)


def new_id() -> UUID:
    """Make a UUID of version 7: unique everywhere, and close in time means close in an index (RFC 9562)."""
    generator = _chance.get()
    if generator is not None:
        return UUID(int=generator.getrandbits(128), version=4)
    millis = time_ns() // 1_000_000
    value = (millis & ((1 << 48) - 1)) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return UUID(int=value)


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
