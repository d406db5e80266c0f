"""Every text that a participant may read is there in every language, and compiled as it was translated."""

import re
import warnings

import pytest
from babel.messages import Catalog

from recruit import catalog
from recruit.web.languages import DEFAULT, LANGUAGES

OTHERS = [language for language in LANGUAGES if language != DEFAULT]
VARIABLE = re.compile(r"%\(\w+\)s|\{\w+\}")


@pytest.fixture(scope="module")
def collected() -> Catalog:
    """Give every text that templates and code hold."""
    return catalog.collect()


@pytest.mark.parametrize("language", OTHERS)
class TestLanguage:
    def test_leaves_no_public_text_untranslated(self, language: str, collected: Catalog) -> None:
        texts = catalog.load(language)

        texts.update(collected, no_fuzzy_matching=True)

        assert catalog.untranslated(texts, public=True) == []

    def test_counts_what_staff_still_read_in_english(self, language: str, collected: Catalog) -> None:
        texts = catalog.load(language)

        texts.update(collected, no_fuzzy_matching=True)
        missing = catalog.untranslated(texts, public=False)

        if missing:
            with warnings.catch_warnings():
                warnings.simplefilter("always")
                warnings.warn(f"{language}: {len(missing)} staff texts are not translated", stacklevel=1)
        assert len(missing) < len(texts)

    def test_is_compiled_as_it_was_translated(self, language: str) -> None:
        path = catalog.po_path(language)

        assert path.with_suffix(".mo").read_bytes() == catalog.compiled(catalog.load(language)), (
            "run `flask --app wsgi translations update`"
        )

    def test_keeps_every_variable(self, language: str) -> None:
        for message in catalog.load(language):
            key = message.id
            sources = (key,) if isinstance(key, str) else key
            words = message.string if isinstance(message.string, tuple) else (message.string,)
            for source, text in ((sources[min(n, 1)], word) for n, word in enumerate(words) if key and word):
                assert set(VARIABLE.findall(str(text))) == set(VARIABLE.findall(source)), text

    def test_is_marked_nowhere_as_unsure(self, language: str) -> None:
        assert [message.id for message in catalog.load(language) if message.id and message.fuzzy] == []


def test_the_slips_of_the_core_are_collected(collected: Catalog) -> None:
    assert "Enter an age in whole years, like 52" in collected
    assert "Enter an email address in the form name@example.com." in collected
