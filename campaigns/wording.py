"""The operator's own short texts, without a study in them, and approved texts with their fields filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from jinja2 import Environment

from campaigns.providers.base import body_hash
from recruit.errors import Refused
from recruit.materials.models import MaterialVersion
from recruit.web.languages import DEFAULT, LANGUAGES

FIELDS = ("link", "operator", "phone")
"""What may stand in braces in an approved text, where its approval allows it."""
_FIELD = re.compile(r"\{([a-z_]{1,40})\}")


@dataclass(frozen=True, slots=True)
class Text:
    """A text in one language; ``sha256`` is over the template, before anything was filled in."""

    body: str = field(repr=False)
    language: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Wording:
    """The service texts of an installation, from ``templates/messages``."""

    environment: Environment
    operator: str
    phone: str

    def verification(self, language: str, *, code: str) -> Text:
        """Write the message that carries a code."""
        return self._text("verification", language, code=code)

    def stop_confirmation(self, language: str) -> Text:
        """Write the one confirmation of a stop."""
        return self._text("stop_confirmation", language)

    def fill(self, version: MaterialVersion, *, link: str = "") -> str:
        """Put the allowed fields into an approved text, and nothing else.

        :raises Refused: the text asks for a field that its approval does not allow or that we do not have
        """
        values = {"link": link, "operator": self.operator, "phone": self.phone}
        return fill(version.body, values, allowed=version.variables)

    def _text(self, name: str, language: str, **values: str) -> Text:
        language = language if language in LANGUAGES else DEFAULT
        path = f"messages/{name}.{language}.txt"
        loader = self.environment.loader
        if loader is None:
            raise RuntimeError("the templates have no loader")
        source, _, _ = loader.get_source(self.environment, path)
        template = self.environment.get_template(path)
        body = template.render(operator=self.operator, phone=self.phone, **values).strip()
        return Text(body, language, body_hash(source))


def fill(body: str, values: Mapping[str, str], *, allowed: list[str]) -> str:
    """Replace ``{field}`` by its value.

    :raises Refused: a field is not allowed, is not known, or is empty
    """

    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in allowed:
            raise Refused(
                "The approved text has a field {%(name)s} that its approval does not list.",
                values={"name": name},
            )
        if not values.get(name):
            raise Refused(
                "The approved text has a field {%(name)s} that cannot be filled in here.", values={"name": name}
            )
        return values[name]

    return _FIELD.sub(value, body)
