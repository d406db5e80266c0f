"""Reading posted and asked-for fields before anything else sees them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import request
from flask_babel import format_date, gettext

from recruit.errors import Invalid, RecruitError
from screening.saying import Saying


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field, for the summary at the top of the page."""

    field_id: str
    text: str


def problems(*errors: RecruitError) -> list[Problem]:
    """Turn refusals into problems of their fields."""
    return [Problem(error.field or "", said(error)) for error in errors]


def said(error: RecruitError) -> str:
    """Give a refusal's sentence in the language of the page."""
    return error.said(gettext)


def worded(saying: Saying) -> str:
    """Give a sentence in the language of the page, with its days as people write them."""
    values = {name: _shown(value) for name, value in saying.values.items()}
    return Saying(saying.sentence, values).said(gettext)


def _shown(value: object) -> object:
    return format_date(value, "medium") if isinstance(value, date) else value


def wrong(found: Iterable[Problem]) -> dict[str, str]:
    """Give the first problem of each field, for the field itself."""
    texts: dict[str, str] = {}
    for problem in found:
        texts.setdefault(problem.field_id, problem.text)
    return texts


def line(name: str, *, longest: int = 254, query: bool = False) -> str:
    """Read a field of one line; nothing sent is an empty text.

    :raises Invalid: it is too long, or holds characters that nobody types
    """
    text = (request.args if query else request.form).get(name, "").strip()
    if len(text) > longest:
        raise Invalid("Use at most %(most)s characters.", field=name, values={"most": longest})
    if not text.isprintable():
        raise Invalid("Use only letters, digits and signs.", field=name)
    return text


def key(name: str) -> UUID | None:
    """Read the key of something chosen from a list; nothing chosen is no key.

    :raises Invalid: it is not a key
    """
    text = line(name)
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise Invalid("Select one from the list.", field=name) from None
