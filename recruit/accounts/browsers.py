"""What a browser calls itself, in two words that its owner recognises."""

from __future__ import annotations

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "Chromebook"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


def browser_name(agent: str) -> tuple[str | None, str | None]:
    """Name browser and system behind a User-Agent header, each where it is known."""
    browser = next((name for sign, name in _BROWSERS if sign in agent), None)
    return browser, next((name for sign, name in _SYSTEMS if sign in agent), None)
