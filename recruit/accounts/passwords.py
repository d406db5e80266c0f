"""Passwords: how they are stored, and which are too easy to guess.

Stored as argon2id above OWASP's floor (19 MiB, 2 passes, 1 lane). Length counts, composition does not
(NIST SP 800-63B-4: at least 15 characters where the password stands alone). Words, names, rows of keys and
repeats count as one character each, so that a long password of four guessable parts is as weak as it is.
"""

from __future__ import annotations

import re
import unicodedata
from base64 import b64encode
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from importlib import resources

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MEMORY_KIB = 32 * 1024
PASSES = 2
LANES = 1
SHORTEST = 15
LONGEST = 256
LEAST_PARTS = 8

_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "azertyuiop",
)
_RUNS = _ROWS + tuple(row[::-1] for row in _ROWS)
_LOOKALIKES = str.maketrans("013457@$!", "oleastasi")
_hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, hash_len=32, salt_len=16)


class Weakness(StrEnum):
    """Why a password is not taken."""

    SHORT = "short"
    LONG = "long"
    GUESSABLE = "guessable"


def hash_password(password: str) -> str:
    """Turn a password into what is stored; takes about a tenth of a second, so hold no lock meanwhile."""
    return _hasher.hash(_bytes(password))


def matches(stored: str | None, password: str) -> bool:
    """Say whether a password is the stored one; without a stored one work as long, then say no."""
    try:
        return _hasher.verify(stored or _nobody(), _bytes(password))
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(stored: str) -> bool:
    """Say whether a password was stored with less work than we ask for today."""
    return _hasher.check_needs_rehash(stored)


def weakness(password: str, *, about: Iterable[str] = ()) -> Weakness | None:
    """Say why a password is not taken, or nothing.

    :param about: what an attacker would try first: the person's name and email, the operator's name
    """
    if len(password) < SHORTEST:
        return Weakness.SHORT
    if len(password) > LONGEST:
        return Weakness.LONG
    return Weakness.GUESSABLE if _parts(password, _words(about)) < LEAST_PARTS else None


def _bytes(password: str) -> bytes:
    """Give equal bytes for what looks equal, whichever keyboard typed it (NIST SP 800-63B-4, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _nobody() -> str:
    """Write a hash that no password has, with the work of a real one."""
    salt, digest = (b64encode(bytes(length)).rstrip(b"=").decode() for length in (16, 32))
    return f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${digest}"


def _parts(password: str, words: frozenset[str]) -> int:
    """Count what an attacker has to guess: from the left, always the longest predictable piece."""
    plain = unicodedata.normalize("NFKC", password).casefold()
    disguised = plain.translate(_LOOKALIKES)
    longest = max(map(len, words), default=0)
    position = parts = 0
    while position < len(plain):
        lengths = [1, _run(plain, position), _repeat(plain, position)]
        lengths += [_word(text, position, words, longest) for text in (plain, disguised)]
        position += max(lengths)
        parts += 1
    return parts


def _word(text: str, position: int, words: frozenset[str], longest: int) -> int:
    for length in range(min(longest, len(text) - position), 2, -1):
        if text[position : position + length] in words:
            return length
    return 0


def _run(text: str, position: int) -> int:
    """Measure a row of neighbours, such as 4567 or fdsa, from here."""
    length = 2
    while position + length < len(text) and any(text[position : position + length + 1] in run for run in _RUNS):
        length += 1
    return length if length > 2 else 0


def _repeat(text: str, position: int) -> int:
    """Measure what only says again what stood just before: aaaa, or abcabc."""
    again = 0
    for length in range(1, position + 1):
        unit = text[position - length : position]
        if text.startswith(unit, position):
            times = re.match(f"(?:{re.escape(unit)})+", text[position:])
            again = max(again, times.end() if times else 0)
    return again


def _words(about: Iterable[str]) -> frozenset[str]:
    own = {word for text in about for word in re.split(r"[\W_]+", text.casefold()) if len(word) > 2}
    return _common() | own


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    text = resources.files("recruit.accounts").joinpath("guessable.txt").read_text("utf-8")
    return frozenset(line for line in text.split() if len(line) > 2)
