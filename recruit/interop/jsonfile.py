"""JSON files from outside: decoded with limits, refused with a sentence."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable

from recruit.errors import Invalid

MEBIBYTE = 1024 * 1024
LIMIT = 20 * MEBIBYTE
DEEPEST = 100


class InvalidFile(Invalid):
    """A file cannot be read as JSON."""

    code = "invalid_file"


def loads(data: bytes, *, limit: int = LIMIT) -> object:
    """Decode a JSON file.

    A byte order mark is let through and of duplicate keys the last one counts. NaN, infinite numbers, lone
    surrogates and more than 100 levels are refused, since no database and no other program would take them.

    :raises InvalidFile: with a sentence for the person who chose the file.
    """
    if len(data) > limit:
        raise InvalidFile(f"The file is larger than {limit / MEBIBYTE:g} MiB.")
    if not data.strip():
        raise InvalidFile("The file is empty.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidFile(f"The file is not UTF-8 text (byte {error.start + 1}).") from None
    document = _decoded(text)
    _check(document)
    return document


def _decoded(text: str) -> object:
    try:
        document: object = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise InvalidFile(
            f"The file is not JSON: {error.msg} (line {error.lineno}, column {error.colno})."
        ) from None
    except RecursionError:
        raise InvalidFile(f"The file is nested deeper than {DEEPEST} levels.") from None
    except ValueError:
        raise InvalidFile("The file holds a number with too many digits.") from None
    return document


def _refuse_constant(name: str) -> object:
    raise InvalidFile(f"The file holds {name}, which is no number.")


def _check(document: object) -> None:
    """Walk the whole document once, level by level."""
    level: list[object] = [document]
    for _ in range(DEEPEST):
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return
    raise InvalidFile(f"The file is nested deeper than {DEEPEST} levels.")


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    if isinstance(value, list):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidFile("The file holds a number that is too large.")
    if isinstance(value, str) and not value.isascii():
        _refuse_surrogates(value)
    return ()


def _refuse_surrogates(value: str) -> None:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidFile("The file holds half of a character (a lone surrogate).") from None
