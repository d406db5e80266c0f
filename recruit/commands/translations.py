"""``flask translations``: bring the catalogs of interface texts up to date."""

from __future__ import annotations

import click

from recruit import catalog
from recruit.commands.plain import PlainGroup
from recruit.web.languages import DEFAULT, LANGUAGES

group = PlainGroup("translations", help="Interface texts in other languages.")


@group.command("update")
def update() -> None:
    """Collect all texts, write the .po files, compile the .mo files, and say what is missing."""
    for language in LANGUAGES:
        if language == DEFAULT:
            continue
        texts = catalog.update(language)
        catalog.write(language, texts)
        public, staff = (len(catalog.untranslated(texts, public=which)) for which in (True, False))
        click.echo(f"{language}: {len(texts)} texts; not translated: {public} public, {staff} for staff")
