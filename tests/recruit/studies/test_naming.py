"""What a study is called where its condition must not be named."""

from __future__ import annotations

import pytest

from recruit.studies import defaults
from recruit.studies.defaults import Told
from recruit.studies.naming import any_name, neutral_name

BOTH = {"en": "Harbor study", "es": "estudio Faro"}


@pytest.mark.parametrize(
    ("names", "language", "said"),
    [
        (BOTH, "en", "Harbor study"),
        (BOTH, "es", "estudio Faro"),
        ({"en": "Harbor study"}, "es", "estudio de salud"),
        ({"es": "estudio Faro"}, "en", "health study"),
        ({"en": "Harbor study", "es": ""}, "es", "estudio de salud"),
        ({}, "en", "health study"),
        (BOTH, "fr", ""),
        ({"fr": "étude du Port"}, "fr", "étude du Port"),
    ],
)
def test_a_reader_is_told_the_name_in_their_language_or_what_is_true_of_every_study(
    names: dict[str, str], language: str, said: str
) -> None:
    assert neutral_name(names, language) == said


@pytest.mark.parametrize(
    ("names", "said"), [(BOTH, "Harbor study"), ({"en": "", "es": "estudio Faro"}, "estudio Faro"), ({}, "")]
)
def test_an_address_is_made_of_the_english_name_where_there_is_one(names: dict[str, str], said: str) -> None:
    assert any_name(names) == said


@pytest.mark.parametrize(
    ("names", "spanish"),
    [(BOTH, "Preguntas sobre el estudio Faro"), ({}, "Preguntas sobre el estudio de salud")],
)
def test_a_questionnaire_is_called_in_each_language_by_the_name_in_that_language(
    names: dict[str, str], spanish: str
) -> None:
    told = Told(operator="Harbor Trials", names=names, languages=("en", "es"))

    title = defaults.title(told)

    assert title.say("es") == spanish
    assert title.say("en") in ("Questions about the Harbor study", "Questions about the health study")
