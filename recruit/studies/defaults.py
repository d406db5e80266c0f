"""The words a new questionnaire begins with, in English and Spanish; a coordinator edits them.

They stand in ``wording.toml``. The notice tells what FDA's information sheet on screening scripts asks for:
what becomes of the answers of somebody who leaves, who collects them and whether they are sold, whether they
are kept where nothing comes of it, and how they are destroyed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from recruit.studies.naming import neutral_name
from screening.asking.questionnaire import (
    ConsentPurpose,
    ConsentText,
    Notice,
    Opening,
    Outcome,
    ResultPage,
    Section,
)
from screening.texts import Respondent, Text

KNOWN: Final = ("en", "es")
DRAFT_HOURS: Final = 24
FIRST_CONSENT: Final = "1"


@dataclass(frozen=True, slots=True)
class Told:
    """What the default words need to know about a study; ``names`` are its neutral names by language."""

    operator: str
    names: Mapping[str, str]
    languages: tuple[str, ...]
    screened_out_days: int = 90
    minutes: int = 5
    registry: bool = False

    def text(self, english: str, spanish: str) -> Text:
        """Make a text in those of the study's languages that we have words in."""
        words = {"en": english, "es": spanish}
        return Text.model_validate({code: words[code] for code in self.languages if code in words})

    def say(self, *path: str) -> Text:
        """Give a text of ``wording.toml`` with what is known filled in."""
        words = _words(path)
        filled = {language: self._filled(words[language], language) for language in KNOWN}
        return self.text(filled["en"], filled["es"])

    def _filled(self, template: str, language: str) -> str:
        return template.format(
            operator=self.operator,
            name=neutral_name(self.names, language),
            minutes=self.minutes,
            screened_out_days=self.screened_out_days,
            draft_hours=DRAFT_HOURS,
        )


def title(told: Told) -> Text:
    """Name the questionnaire in every language by the study's neutral name in that language."""
    return told.say("title")


def notice(told: Told) -> Notice:
    """Say who asks, why, how long it takes, what is kept, and how to stop."""
    return Notice.model_validate({name: told.say("notice", name) for name in Notice.model_fields})


def opening(told: Told) -> Opening:
    """Ask whom the questions are about."""
    return Opening(
        question=told.say("opening", "question"),
        choices={who: told.say("opening", "choices", who.value) for who in Respondent},
        minor=told.say("opening", "minor"),
    )


def results(told: Told) -> dict[Outcome, ResultPage]:
    """Say the five results honestly; none of them is a verdict on a person."""
    return {
        outcome: ResultPage.model_validate(
            {name: told.say("results", outcome.value, name) for name in _table("results", outcome.value)}
        )
        for outcome in Outcome
    }


HOLDS_MONTHS = {ConsentPurpose.REGISTRY: 24}
"""What the words of ``wording.toml`` say about how long a yes holds."""


def consents(told: Told) -> tuple[ConsentText, ...]:
    """Ask for each agreement by itself; nothing is ticked beforehand."""
    purposes = [ConsentPurpose.CHECK_ANSWERS, ConsentPurpose.CONTACT, ConsentPurpose.VOICEMAIL]
    if told.registry:
        purposes.append(ConsentPurpose.REGISTRY)
    return tuple(consent(told, purpose) for purpose in purposes)


def consent(told: Told, purpose: ConsentPurpose) -> ConsentText:
    """Give the first words of one agreement.

    :raises KeyError: we have no words for this purpose
    """
    words = told.say("consents", purpose.value)
    return ConsentText(purpose=purpose, version=FIRST_CONSENT, text=words, months=HOLDS_MONTHS.get(purpose))


def safety_page(told: Told) -> Text:
    """Give help first, where a question touches self-harm (US numbers, both languages)."""
    return told.say("safety_page")


def sections(told: Told) -> dict[str, Section]:
    """Give the captions that questions stand under, in the order in which they are asked."""
    return {name: Section(id=name, title=told.say("sections", name)) for name in _table("sections")}


def unit_text(told: Told, unit: str) -> Text:
    """Write a unit in words that people use; one that we do not know stands as it is."""
    known = _table("units")
    return told.say("units", unit) if unit in known else told.text(unit, unit)


@cache
def _wording() -> Mapping[str, object]:
    return tomllib.loads(resources.files("recruit.studies").joinpath("wording.toml").read_text("utf-8"))


def _table(*path: str) -> dict[str, object]:
    table: object = _wording()
    for name in path:
        if not isinstance(table, dict):
            raise KeyError(".".join(path))
        table = table[name]
    if not isinstance(table, dict):
        raise KeyError(".".join(path))
    return table


def _words(path: tuple[str, ...]) -> dict[str, str]:
    return {language: str(words) for language, words in _table(*path).items()}
