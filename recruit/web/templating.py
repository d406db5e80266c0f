"""What every template may use, beside what its view passes."""

from __future__ import annotations

from typing import TypedDict

from flask import Flask, g, request, url_for
from flask_babel import gettext

from recruit import context
from recruit.settings import Settings
from recruit.web import languages
from recruit.web.navigation import NavigationItem

TTY = "TTY 711"


class Link(TypedDict):
    """One entry of the staff navigation."""

    label: str
    url: str
    current: bool
    count: int | None


class FooterLink(TypedDict):
    """One link at the end of a page."""

    label: str
    url: str


class Group(TypedDict):
    """Entries under one heading."""

    label: str
    items: list[Link]


def install(app: Flask, settings: Settings) -> None:
    """Offer the shared values to all templates."""
    app.jinja_env.globals.update(
        operator_name=settings.operator_name,
        help_phone=settings.help_phone or None,
        tty_text=TTY,
        test_mode=settings.is_demo,
    )

    @app.context_processor
    def values() -> dict[str, object]:
        language = languages.current()
        return {
            "lang": language,
            "dir": languages.direction(language),
            "languages": languages.links(),
            "current_account": g.get("signed_in"),
            "staff_navigation": navigation(),
            "home_url": url_for("public.home", language=language),
            "footer_links": footer(language),
        }


def footer(language: str) -> list[FooterLink]:
    """List what every public page offers at its end."""
    labels = {
        "about": gettext("About this service"),
        "privacy": gettext("Privacy"),
        "accessibility": gettext("Accessibility"),
        "cookies": gettext("Cookies"),
    }
    studies = FooterLink(label=gettext("All studies"), url=url_for("public.home", language=language))
    return [
        studies,
        *(
            FooterLink(label=label, url=url_for("public.information", language=language, name=name))
            for name, label in labels.items()
        ),
    ]


def navigation() -> list[Group]:
    """Group the pages that the account signed in can start from."""
    signed_in = g.get("signed_in")
    if signed_in is None:
        return []
    groups: dict[str, Group] = {}
    for item in sorted(context.application().navigation, key=lambda item: item.order):
        if item.roles & signed_in.permits.roles:
            group = groups.setdefault(item.group, Group(label=gettext(item.group), items=[]))
            group["items"].append(_link(item))
    return list(groups.values())


def _link(item: NavigationItem) -> Link:
    return Link(
        label=gettext(item.label),
        url=url_for(item.endpoint),
        current=request.endpoint == item.endpoint,
        count=None,
    )
