"""Names of codes: what somebody means by a name, and what a code is called.

Medicines are named by the formulary; conditions and procedures by the
vocabulary, which knows the codes of its own questions and options.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from screening.facts import Code
from screening.medicine_names import packaged_names, tidy
from screening.medicines import packaged_formulary
from screening.terms import ATC, EITHER, EVERYTHING
from screening.vocabulary import DEFAULT_SYSTEM, About, Key, KeyKind, Option, Vocabulary


@dataclass(frozen=True, slots=True)
class Meant:
    """The codes that a name stands for; where they are not all of them, a criterion says "such as"."""

    name: str
    about: About
    codes: tuple[Code, ...]
    is_complete: bool = True


@dataclass(frozen=True)
class CodeNames:
    """Looks names and codes up in a vocabulary and in the formulary, for readers of one language."""

    vocabulary: Vocabulary
    language: str = "en"

    def title(self, code: Code) -> str:
        """Name a code for people; nothing where no table knows it."""
        if code.system == ATC:
            found = packaged_formulary().title(code.code, self.language)
            return "" if found == code.code else found
        return self._titles.get((code.system, code.code), "")

    def words(self, code: Code) -> str:
        """Write a code with its name: "metformin (A10BA02)"."""
        title = self.title(code)
        shown = code.code.replace(EITHER, "/")
        return f"{title} ({shown})" if title else shown

    def find(self, text: str, about: About | None = None) -> Meant | None:
        """Find what a name stands for; spelling matters, capitals and accents do not."""
        if about in (None, About.CONDITION, About.PROCEDURE):
            for name, meant in self._named:
                if name == tidy(text) and about in (None, meant.about):
                    return meant
        if about in (None, About.MEDICINE):
            meaning = packaged_names().find(text)
            if meaning is not None:
                title = meaning.of[0].title(self.language)
                return Meant(title, About.MEDICINE, meaning.wanted, meaning.is_complete)
        return None

    @cached_property
    def _named(self) -> tuple[tuple[str, Meant], ...]:
        return tuple(
            (tidy(label), Meant(label, meant.about, meant.codes))
            for key in self.vocabulary
            if key.kind is KeyKind.CODED
            for labels, meant in _meanings(key)
            for label in labels
        )

    @cached_property
    def _titles(self) -> dict[tuple[str, str], str]:
        named: dict[tuple[str, str], str] = {}
        for key in self.vocabulary:
            if key.kind is not KeyKind.CODED or key.about is None:
                continue
            system = DEFAULT_SYSTEM[key.about]
            for option in _naming(key):
                title = f"{key.text('label', self.language)}: {_label(option, self.language)}"
                named.setdefault((system, option.affirms or ""), title)
            if len(key.denies) == 1 and not key.denies_but:
                named.setdefault((system, key.denies[0]), key.text("label", self.language))
        return named


def _label(option: Option, language: str) -> str:
    return option.label.get(language) or option.label.get("en", "")


def _naming(key: Key) -> Iterator[Option]:
    """Give the options that name something; "another" and "unknown" name what is left."""
    for option in key.choices:
        if option.affirms and not re.search(r"other|unknown|unspecified", option.code):
            yield option


def _meanings(key: Key) -> Iterator[tuple[tuple[str, ...], Meant]]:
    """Give what a question and its options stand for, with their labels in every language.

    A question that spares codes, or asks about everything, has no codes of its own.
    """
    if key.about is None:
        return
    if not key.denies_but and EVERYTHING not in key.denies:
        codes = tuple(map(key.code, key.denies))
        yield tuple(key.label.values()), Meant(key.name, key.about, codes)
    for option in _naming(key):
        codes = tuple(key.code(one) for one in (option.affirms or "").split(EITHER))
        labels = tuple(
            name
            for language, label in option.label.items()
            for whole in [key.text("label", language)]
            for name in (label, f"{label} {whole}", f"{whole} {label}")
        )
        yield labels, Meant(option.code, key.about, codes)
