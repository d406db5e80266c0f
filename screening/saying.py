"""Sentences for people, in parts: what a catalog translates, and what fills it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Translate = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Saying:
    """A sentence and what fills its ``%(name)s``.

    A value may be a saying itself, or several values that stand one after the other.
    """

    sentence: str
    values: Mapping[str, object] = field(default_factory=dict, hash=False)

    def said(self, translate: Translate = str) -> str:
        """Give the whole in the language that ``translate`` turns into; English without one."""
        told = translate(self.sentence)
        if not self.values:
            return told
        return told % {name: _worded(value, translate) for name, value in self.values.items()}

    def __str__(self) -> str:
        return self.said()


def _worded(value: object, translate: Translate) -> object:
    match value:
        case Saying():
            return value.said(translate)
        case tuple():
            return ", ".join(str(_worded(one, translate)) for one in value)
        case _:
            return value
