"""Names and dates as search keys and as evidence that two entries are the same person; pure."""

from __future__ import annotations

import unicodedata
from datetime import date

_SOUNDS = {
    **dict.fromkeys("bfpv", "1"),
    **dict.fromkeys("cgjkqsxz", "2"),
    **dict.fromkeys("dt", "3"),
    "l": "4",
    **dict.fromkeys("mn", "5"),
    "r": "6",
}
SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv"})
WHOLE, START, SOUND = "whole", "start", "sound"


def fold(name: str) -> str:
    """Reduce a name to small letters without accents, marks or spaces."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in plain if c.isalnum())


def suffix(family: str) -> str:
    """Give the generation suffix of a family name (Jr, Sr, II), which tells father from son."""
    words = family.casefold().replace(".", " ").replace(",", " ").split()
    return words[-1] if len(words) > 1 and words[-1] in SUFFIXES else ""


def sound(name: str) -> str:
    """Give a name's Soundex code (US National Archives' rules); empty where it has no Latin letters."""
    letters = [c for c in fold(name) if "a" <= c <= "z"]
    if not letters:
        return ""
    code, last = letters[0].upper(), _SOUNDS.get(letters[0], "")
    for letter in letters[1:]:
        digit = _SOUNDS.get(letter, "")
        if digit and digit != last:
            code += digit
        if letter not in "hw":
            last = digit
    return (code + "000")[:4]


def search_keys(given: str, family: str) -> frozenset[tuple[str, str]]:
    """Give the ``(kind, value)`` pairs under which a person is found by name."""
    keys: set[tuple[str, str]] = set()
    for part in (given, family):
        for word in {fold(part), *(fold(w) for w in part.replace("-", " ").split())}:
            if word:
                keys.add((WHOLE, word))
                keys.update((START, word[:n]) for n in (3, 4, 5) if len(word) >= n)
    if sound(family):
        keys.add((SOUND, sound(family)))
    return frozenset(keys)


def query_keys(typed: str) -> tuple[tuple[tuple[str, str], ...], ...]:
    """Turn a typed search into groups: a person must match one key of each group."""
    groups = []
    for word in typed.replace("-", " ").split()[:4]:
        folded = fold(word)
        if not folded:
            continue
        keys = [(WHOLE, folded)]
        if len(folded) >= 3:
            keys.append((START, folded[:5]))
        groups.append(tuple(keys))
    return tuple(groups)


def certainly_same(
    *, given: tuple[str, str], birth: tuple[date | None, date | None], family: tuple[str, str]
) -> bool:
    """Say whether two people at one contact point are certainly one.

    First name and birth date must both be known and agree, and generation suffixes must not differ: couples,
    siblings, twins, and father and son share numbers.
    """
    names_agree = bool(fold(given[0])) and fold(given[0]) == fold(given[1])
    births_agree = birth[0] is not None and birth[0] == birth[1]
    return names_agree and births_agree and suffix(family[0]) == suffix(family[1])
