"""Interface languages: which there are, which way they run, and which one a request wants."""

from __future__ import annotations

from dataclasses import dataclass

from babel import Locale
from flask import Flask, g, request, url_for
from flask_babel import Babel

KEPT = ("s", "zip", "check")
"""What an address asks for in every language: the source, the ZIP code, the way back to the answers."""

LANGUAGES: dict[str, str] = {"en": "English", "es": "Español"}
DEFAULT = "en"


@dataclass(frozen=True, slots=True)
class LanguageLink:
    """A language with its own name and this page's address in it."""

    code: str
    name: str
    url: str


def install(app: Flask) -> None:
    """Set up gettext with this request's language."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(
        app.extensions["recruit_root"] / "recruit" / "translations"
    )
    Babel(app, default_locale=DEFAULT, locale_selector=current)


def current() -> str:
    """Give the language of this request: the address says it, then the account, then the browser."""
    if "language" in g:
        language: str = g.language
        return language
    from_path = (request.view_args or {}).get("language")
    signed_in = g.get("signed_in")
    if from_path in LANGUAGES:
        chosen = str(from_path)
    elif signed_in is not None:
        chosen = signed_in.language
    else:
        chosen = request.accept_languages.best_match(list(LANGUAGES)) or DEFAULT
    g.language = chosen
    return chosen


def direction(language: str) -> str:
    """Say which way a language runs: ``ltr`` or ``rtl``."""
    text_direction: str = Locale.parse(language, sep="-").text_direction
    return text_direction


def links() -> list[LanguageLink]:
    """Give this page in the other languages, where its address names one."""
    values = dict(request.view_args or {})
    if request.endpoint is None or "language" not in values:
        return []
    del values["language"]
    values |= {name: request.args[name] for name in KEPT if name in request.args}
    return [
        LanguageLink(code, name, url_for(request.endpoint, language=code, **values))
        for code, name in LANGUAGES.items()
        if code != current()
    ]
