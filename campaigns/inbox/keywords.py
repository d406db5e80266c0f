"""Read a reply: does it say stop, wrong number, start again, help, or something for a person to read; pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib import resources

SHORT = 5
"""A text of at most so many words counts as short."""


class Reply(StrEnum):
    """What a reply asks for; everything unclear is for a person to read."""

    STOP_ALL = "stop_all"
    WRONG_NUMBER = "wrong_number"
    STOP = "stop"
    START = "start"
    HELP = "help"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Keyword:
    """Words that mean something: as the whole text, in a short one, or anywhere."""

    reply: Reply
    where: str
    words: str

    def is_in(self, text: str) -> bool:
        """Say whether a normalised text holds these words in the right place."""
        if self.where == "whole":
            return text == self.words
        if self.where == "short" and len(text.split()) > SHORT:
            return False
        return f" {self.words} " in f" {text} "


def classify(text: str) -> Reply:
    """Say what a reply asks for; of several readings the one that stops most counts."""
    plain = normalise(text)
    found = {keyword.reply for keyword in _table() if keyword.is_in(plain)}
    return next((reply for reply in Reply if reply in found), Reply.OTHER)


def normalise(text: str) -> str:
    """Reduce a text to small plain words: no case, accents, apostrophes or punctuation."""
    folded = unicodedata.normalize("NFKD", text.casefold()[:2000])
    kept = "".join(c for c in folded if not unicodedata.combining(c) and c not in "'\u2019`")
    words = "".join(c if c.isalnum() else " " for c in kept).split()
    return " ".join(_joined(words))


def _joined(words: list[str]) -> list[str]:
    """Read letters with spaces between them, such as "S T O P", as one word."""
    return ["".join(words)] if len(words) > 2 and all(len(word) == 1 for word in words) else words


@lru_cache(maxsize=1)
def _table() -> tuple[Keyword, ...]:
    text = resources.files("campaigns.inbox").joinpath("keywords.csv").read_text(encoding="utf-8")
    rows = (line.split(";") for line in text.splitlines() if line and not line.startswith("#"))
    return tuple(Keyword(Reply(reply), where, words) for _, reply, where, words in rows)
