"""What a study is called where its condition must not be named: in titles, messages, links and calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ANY_STUDY: Final = {"en": "health study", "es": "estudio de salud"}
"""What is true of every study, in the languages that we have words in."""


def neutral_name(names: Mapping[str, str], language: str) -> str:
    """Give a study's neutral name in a language, or else words that are true of every study.

    A name in another language does not stand in for it. Where we have no words in the language either,
    nothing is given.
    """
    return names.get(language) or ANY_STUDY.get(language, "")


def any_name(names: Mapping[str, str]) -> str:
    """Give the English name, or else the first there is: for addresses, which name no language."""
    return names.get("en") or next(filter(None, names.values()), "")
