"""What a participant must never read, and hints for plainer words.

The phrases follow FDA's guidance on recruiting study subjects: no certainty of
a good outcome, no "new treatment" without "investigational", no stress on pay.
"Eligible" is the site's word alone. A text that denies what a phrase claims
("nobody can guarantee") passes where the phrase allows it.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

_LONGEST_SENTENCE: Final = 15
_HIGHEST_GRADE: Final = 8.0


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase to keep out, as a pattern over folded words; ``unless`` is what makes it fair."""

    name: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None = None


def _phrase(name: str, *patterns: str, unless: str | None = None) -> Phrase:
    fair = re.compile(rf"\b(?:{unless})\b") if unless else None
    return Phrase(name, re.compile(rf"\b(?:{'|'.join(patterns)})\b"), fair)


_DENIED_EN: Final = r"not|no|never|nobody|cannot|can't|without|isn't|don't|doesn't|won't|nothing"
_DENIED_ES: Final = r"no|nunca|nadie|sin|ningun|ninguna|nada|tampoco"
_ASKED_EN: Final = r"(?:have|has|did|do|does|are|is) (?:you|your child|they|he|she)"
_ASKED_ES: Final = r"(?:ha|han|toma|tomo|empezo|comenzo|esta tomando)"
_CARE_EN: Final = r"(?:treatment|medicine|medication|drug|care|therapy|therapie)s?"
_CARE_ES: Final = r"(?:tratamiento|medicina|medicamento|terapia|atencion)s?"

FORBIDDEN: Final[Mapping[str, tuple[Phrase, ...]]] = MappingProxyType(
    {
        "en": (
            _phrase("eligible", r"(?:in)?eligib(?:le|ility)"),
            _phrase(
                "you qualify",
                r"(?:you|your child|they|he|she)(?: (?:may|might|could|do|will))? qualif(?:y|ies|ied)",
                r"pre-?qualified",
                r"(?:are|is|dis)[ -]?qualified",
            ),
            _phrase("congratulations", r"congratulations?", r"congrats", r"good news"),
            _phrase("guaranteed", r"guarantee[sd]?", unless=_DENIED_EN),
            _phrase("free treatment", rf"free (?:[a-z]+ )?{_CARE_EN}"),
            _phrase("cure", r"(?:will|can|could|may|to) cure", r"a cure for", r"miracle", unless=_DENIED_EN),
            _phrase(
                "safe and effective",
                r"(?:proven|completely|totally|fully) (?:safe|effective)",
                r"safe and effective",
                r"risk[- ]free",
                unless=r"not|no|if|whether|how",
            ),
            _phrase(
                "new treatment", rf"(?:new|breakthrough) {_CARE_EN}", unless=rf"investigational|{_ASKED_EN}"
            ),
            _phrase("rejected", r"you (?:have been|were|are) rejected", r"you (?:have )?failed"),
            _phrase("earn money", r"(?:earn|make|get) (?:up to )?(?:\$ ?\d+|money|cash)", r"easy money"),
        ),
        "es": (
            _phrase("elegible", r"(?:in)?elegib(?:les?|ilidad)"),
            _phrase(
                "usted califica",
                r"(?:usted|su hij[oa]) (?:pre)?califica",
                r"(?:pre)?califica para",
                r"(?:pre)?calificas",
                r"cumple (?:con )?(?:todos )?los requisitos",
            ),
            _phrase("felicidades", r"felicidades", r"felicitaciones", r"enhorabuena", r"buenas noticias"),
            _phrase("garantizado", r"garantiza(?:d[oa]s?|mos|n)?", r"garantias?", unless=_DENIED_ES),
            _phrase("tratamiento gratis", rf"{_CARE_ES}(?: [a-z]+)? (?:gratis|gratuit[oa]s?)"),
            _phrase(
                "cura",
                r"(?:puede|podria|va a|para) curar(?:l[oae]s?|se)?",
                r"(?:la|una) cura (?:de|del|para)",
                r"milagro(?:s[oa])?",
                unless=_DENIED_ES,
            ),
            _phrase(
                "seguro y eficaz",
                r"segur[oa]s? y (?:eficaz|eficaces|efectiv[oa]s?)",
                r"sin (?:ningun )?riesgos?",
                r"libres? de riesgos?",
                unless=r"si es|si son|no",
            ),
            _phrase(
                "nuevo tratamiento",
                r"nuevos? (?:tratamiento|medicamento)s?",
                r"nuevas? (?:medicina|terapia)s?",
                unless=rf"(?:en|de) investigacion|experimental|{_ASKED_ES}",
            ),
            _phrase("rechazado", r"(?:ha sido|fue|es|esta) (?:rechazad[oa]|descalificad[oa])"),
            _phrase("gane dinero", r"(?:gane|gana|ganar) (?:hasta )?(?:\$ ?\d+|dinero)", r"dinero facil"),
        ),
    }
)
"""Forbidden phrases by language; another language adds its tuple here."""

_ADDRESS: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "en": re.compile(r"\b(?:you|your|yours|yourself|you're|you've)\b"),
        "es": re.compile(r"\b(?:usted|ustedes|tu|tus|te|ti|contigo)\b"),
    }
)
_TWO_IDEAS: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "en": re.compile(r"\band/or\b|\band\b.*\b(?:do|have|are|did|were|will|can) you\b|\bas well as\b"),
        "es": re.compile(r"\by/o\b|\by (?:tambien|ademas)\b"),
    }
)


def folded(text: str) -> str:
    """Write a text in small letters without accents, odd quotes and double spaces, for comparing words."""
    decomposed = unicodedata.normalize("NFKD", text.replace("\u2019", "'")).casefold()
    letters = "".join(c for c in decomposed if unicodedata.category(c) not in ("Mn", "Cf"))
    return " ".join(re.sub(r"[\u2010-\u2015]", "-", letters).split())


def forbidden_phrases(text: str, language: str) -> tuple[str, ...]:
    """Name the forbidden phrases in a text, each once; a language without a list has none.

    Words are compared without case, accents and line breaks. What makes a
    phrase fair must stand in the same sentence.
    """
    phrases = FORBIDDEN.get(language.partition("-")[0], ())
    found = (
        phrase.name
        for sentence in map(folded, sentences(text))
        for phrase in phrases
        if phrase.pattern.search(sentence) and not (phrase.unless and phrase.unless.search(sentence))
    )
    return tuple(dict.fromkeys(found))


def addresses_reader(text: str, language: str) -> bool:
    """Tell whether a text speaks to the reader ("you"), so that it cannot serve for their child."""
    pattern = _ADDRESS.get(language.partition("-")[0])
    return pattern is not None and pattern.search(folded(text)) is not None


def two_ideas(text: str, language: str) -> bool:
    """Tell whether a yes/no question seems to ask two things ("and/or", "do you ... and do you")."""
    pattern = _TWO_IDEAS.get(language.partition("-")[0])
    return pattern is not None and pattern.search(folded(text)) is not None


def sentences(text: str) -> tuple[str, ...]:
    """Split a text into its sentences and lines."""
    return tuple(part.strip() for part in re.split(r"(?<=[.!?])\s+|\n+", text) if part.strip())


class Hint(StrEnum):
    """A reason to look at a text again; never a reason to refuse it."""

    LONG_SENTENCE = "long_sentence"
    HIGH_GRADE = "high_grade"
    TWO_NEGATIVES = "two_negatives"


def reading_hints(text: str, language: str) -> tuple[Hint, ...]:
    """Say what may make a text hard to read: sentences over 15 words, a grade over 8, two negatives.

    The grade is known for English only; tools of this kind order the work of
    an editor and judge nothing (NHS service manual, health literacy).
    """
    hints: list[Hint] = []
    if any(len(sentence.split()) > _LONGEST_SENTENCE for sentence in sentences(text)):
        hints.append(Hint.LONG_SENTENCE)
    grade = reading_grade(text) if language.partition("-")[0] == "en" else None
    if grade is not None and grade > _HIGHEST_GRADE:
        hints.append(Hint.HIGH_GRADE)
    denied = _DENIED_ES if language.partition("-")[0] == "es" else _DENIED_EN
    if any(len(re.findall(rf"\b(?:{denied})\b", folded(sentence))) > 1 for sentence in sentences(text)):
        hints.append(Hint.TWO_NEGATIVES)
    return tuple(hints)


def reading_grade(text: str) -> float | None:
    """Estimate the US school grade of an English text (Kincaid et al. 1975); None for under ten words."""
    words = re.findall(r"[a-z]+(?:'[a-z]+)?", folded(text))
    if len(words) < 10:
        return None
    per_sentence = len(words) / max(len(sentences(text)), 1)
    return round(0.39 * per_sentence + 11.8 * sum(map(_syllables, words)) / len(words) - 15.59, 1)


def _syllables(word: str) -> int:
    groups = len(re.findall(r"[aeiouy]+", word))
    silent = word.endswith(("e", "es", "ed")) and not word.endswith(("le", "les", "ted", "ded", "ses"))
    return max(1, groups - silent)
