"""Phrases that nobody may read, and hints for plainer words."""

from pathlib import Path

import pytest

from screening.asking.wording import (
    Hint,
    addresses_reader,
    forbidden_phrases,
    reading_grade,
    reading_hints,
    two_ideas,
)

CASES = Path(__file__).parent / "cases" / "phrases.csv"
HARD = "administered immunosuppressive pharmacotherapy subsequent to hospitalization recently"
ROWS = [line.split(";") for line in CASES.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("row", ROWS, ids=";".join)
def test_finds_a_forbidden_phrase(row: list[str]) -> None:
    language, text, phrase = row

    found = forbidden_phrases(text, language)

    assert found == ((phrase,) if phrase else ())


@pytest.mark.parametrize(
    "text", ["you are\neligible", "You are e\u0301ligible", "Félic\u0131tations elegible", "\uff45ligible"]
)
def test_is_not_fooled_by_how_letters_are_written(text: str) -> None:
    found = forbidden_phrases(text, "en") + forbidden_phrases(text, "es")

    assert found


def test_names_each_phrase_once_in_a_regional_language_too() -> None:
    text = "Usted es elegible. Sí, elegible."

    found = forbidden_phrases(text, "es-MX")

    assert found == ("elegible",)


class TestReading:
    def test_passes_a_plain_question(self) -> None:
        text = "Have you ever had a heart attack or a stroke?"

        assert reading_hints(text, "en") == ()

    @pytest.mark.parametrize(
        ("text", "hint"),
        [
            (f"Has your physician {HARD}?", Hint.HIGH_GRADE),
            (f"Did you see {'a nurse or ' * 5}a doctor?", Hint.LONG_SENTENCE),
            ("Do you not have no pain?", Hint.TWO_NEGATIVES),
        ],
    )  # fmt: skip
    def test_hints_at_what_is_hard_to_read(self, text: str, hint: Hint) -> None:
        assert hint in reading_hints(text, "en")

    def test_gives_no_grade_for_other_languages_and_few_words(self) -> None:
        spanish = "¿Le han administrado inmunosupresores posteriormente a una hospitalización prolongada?"

        assert Hint.HIGH_GRADE not in reading_hints(spanish, "es")
        assert reading_grade("Too short") is None

    def test_grades_harder_texts_higher(self) -> None:
        easy = reading_grade("Do you smoke? Did you smoke in the past? How much did you smoke?")
        hard = reading_grade(f"Your physician {HARD} {HARD}.")

        assert easy is not None
        assert hard is not None
        assert easy < 4 < 12 < hard


@pytest.mark.parametrize(
    ("text", "language", "wanted"),
    [
        ("Do you smoke and/or vape?", "en", True),
        ("Do you have asthma and do you use an inhaler?", "en", True),
        ("Do you have high blood pressure and diabetes?", "en", False),
        ("Have you had a stroke or a heart attack?", "en", False),
        ("¿Fuma y/o vapea?", "es", True),
        ("¿Tiene asma y también diabetes?", "es", True),
        ("¿Fuma?", "es", False),
        ("a and/or b", "fr", False),
    ],
)
def test_suspects_two_ideas_in_one_question(text: str, language: str, wanted: bool) -> None:
    assert two_ideas(text, language) is wanted


@pytest.mark.parametrize(
    ("text", "language", "wanted"),
    [
        ("Count what you smoke", "en", True),
        ("Count every cigarette", "en", False),
        ("Como usted", "es", True),
        ("x", "fr", False),
    ],
)
def test_knows_when_a_text_speaks_to_the_reader(text: str, language: str, wanted: bool) -> None:
    assert addresses_reader(text, language) is wanted
