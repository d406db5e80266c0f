"""What coordinators fill in about studies and sites: checked field by field, and put into rows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.errors import Conflict, Invalid
from recruit.studies.models import Site, Study, StudySite

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def write(row: Study | Site | StudySite, details: DataclassInstance) -> None:
    """Put what was filled in into the columns of the same names; words lose the blanks around them.

    What has parts of its own (visits, names by language) is left to the caller.
    """
    for field in fields(details):
        value = getattr(details, field.name)
        if is_dataclass(value) or isinstance(value, Mapping):
            continue
        if isinstance(value, tuple):
            value = list(value)
        elif type(value) is str:  # a member of an enumeration stays one
            value = value.strip()
        setattr(row, field.name, value)


def require_same(version: int, seen: int | None) -> None:
    """Refuse a change that was made on an older copy.

    :raises Conflict: somebody else saved in the meantime
    """
    if seen is not None and seen != version:
        raise Conflict("Somebody else changed this in the meantime. Load it again and repeat your change.")


def require_plain(text: str, field: str, *, most: int) -> None:
    """Refuse text that is too long or that no database keeps.

    :raises Invalid: naming the field
    """
    if len(text) > most:
        raise Invalid("Use at most %(most)s characters.", field=field, values={"most": most})
    if any(unicodedata.category(sign) in ("Cc", "Cs") and sign not in "\n\r\t" for sign in text):
        raise Invalid("Use only letters, digits and signs.", field=field)


def require_count(number: int | None, field: str, *, least: int, most: int) -> None:
    """Refuse a whole number out of reach; none at all is fine.

    :raises Invalid: naming the field
    """
    if number is not None and not least <= number <= most:
        raise Invalid(
            "Enter a whole number from %(least)s to %(most)s.",
            field=field,
            values={"least": least, "most": most},
        )


def free_slug(session: Session, kind: type[Study] | type[Site], text: str) -> str:
    """Make the part of an address from a name, with a number behind it where it is taken."""
    base = _slug(text) or kind.__tablename__
    taken = set(session.scalars(sa.select(kind.slug).where(kind.slug.startswith(base, autoescape=True))))
    number, slug = 1, base
    while slug in taken:
        number += 1
        slug = f"{base}-{number}"
    return slug


def _slug(text: str) -> str:
    """Keep small letters, digits and dashes."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50].strip("-")
