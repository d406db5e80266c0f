"""The catalogs of interface texts: collected from templates and code, translated by people, compiled.

Sources are the ``.po`` files; the ``.mo`` files beside them are what the application reads, and are kept with
the code, so that nothing has to be built before a start. ``flask --app wsgi translations update`` does both
steps; a test tells when somebody forgot.
"""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "recruit" / "translations"
SOURCES = (
    ("templates", [("**.html", "jinja2")]),
    ("recruit", [("**.py", "python")]),
    ("campaigns", [("**.py", "python")]),
    ("screening", [("**.py", "python")]),
)
REFUSALS = (
    "Invalid",
    "Refused",
    "NotFound",
    "Conflict",
    "NotPermitted",
    "Forbidden",
    "Unavailable",
    "DraftGone",
    "Incomplete",
)
"""Errors carry their sentence as first argument; it is shown in the language of the page."""
PUBLIC = (
    *("templates/public/", "templates/components/", "templates/errors/", "templates/base.html"),
    *("templates/layouts/public.html", "templates/layouts/plain.html", "templates/messages/"),
    *("recruit/intake/", "recruit/pipeline.py", "recruit/addresses.py", "recruit/retention.py"),
    *("recruit/contact/service.py", "recruit/people/service.py", "screening/slips.py", "recruit/web/errors.py"),
    *("recruit/web/public.py", "recruit/web/questionnaire.py", "recruit/web/contact.py"),
    *("recruit/web/contactform.py", "recruit/web/inquiry.py", "recruit/web/referring.py"),
    *("recruit/web/itempage.py", "recruit/web/promises.py", "recruit/web/drafting.py"),
    *("recruit/web/templating.py", "recruit/web/guards.py", "recruit/web/fields.py"),
)
"""Where texts stand that a participant may read: these are translated before anything is released."""
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def collect() -> Catalog:
    """Collect every text from templates and code."""
    catalog = Catalog(project="Trial Recruit", charset="utf-8", creation_date=_EPOCH)
    keywords = {
        **DEFAULT_KEYWORDS,
        "N_": None,
        "_l": None,
        "lazy_gettext": None,
        **dict.fromkeys(REFUSALS, (1,)),
    }
    for folder, methods in SOURCES:
        found = extract_from_dir(ROOT / folder, methods, keywords=keywords)
        for name, _line, message, comments, context in sorted(found, key=lambda one: (one[0], one[1])):
            place = f"{folder}/{Path(name).as_posix()}"
            catalog.add(message, None, [(place, 0)], auto_comments=comments, context=context)
    return catalog


def load(language: str) -> Catalog:
    """Read the catalog of a language as people have translated it; none yet is an empty one."""
    path = po_path(language)
    if not path.exists():
        return Catalog(locale=language, project="Trial Recruit", charset="utf-8", creation_date=_EPOCH)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def update(language: str) -> Catalog:
    """Bring a catalog up to what the code says now; translations of texts that are gone leave it."""
    catalog = load(language)
    catalog.update(collect(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.creation_date = catalog.revision_date = _EPOCH
    return catalog


def write(language: str, catalog: Catalog) -> None:
    """Write a catalog's source and what the application reads."""
    path = po_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(source(catalog))
    path.with_suffix(".mo").write_bytes(compiled(catalog))


def source(catalog: Catalog) -> bytes:
    """Write a catalog for people, with the files in which each text stands."""
    buffer = BytesIO()
    write_po(buffer, catalog, width=110, include_lineno=False, ignore_obsolete=True)
    return buffer.getvalue()


def compiled(catalog: Catalog) -> bytes:
    """Write a catalog for the application."""
    buffer = BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def untranslated(catalog: Catalog, *, public: bool) -> list[str]:
    """List the texts without a translation: those that participants may read, or all the others."""
    found = []
    for message in catalog:
        words = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id and not all(words) and is_public(message.locations) is public:
            found.append(message.id if isinstance(message.id, str) else message.id[0])
    return found


def is_public(locations: list[tuple[str, int]]) -> bool:
    """Say whether a text stands where a participant may read it."""
    return any(place.startswith(PUBLIC) for place, _ in locations)


def po_path(language: str) -> Path:
    """Give the place of a language's source."""
    return FOLDER / language / "LC_MESSAGES" / "messages.po"
