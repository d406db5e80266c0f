"""Reference pages that are written from the code: ``python -m tests.reference`` writes them anew.

Tests compare the files with what is written here, so that no page can grow old.
"""

import json
from collections.abc import Callable
from pathlib import Path

from pydantic.fields import FieldInfo

from campaigns import models as _campaign_models
from recruit import models as _recruit_models
from recruit.db import Base
from recruit.retention import RULES, Retention
from recruit.settings import PREFIX, Environment, Settings
from screening.language.documentschema import protocol_schema

ROOT = Path(__file__).resolve().parents[1]
MODELS = (_recruit_models, _campaign_models)
WRITTEN = "<!-- Written by `python -m tests.reference` from the code; do not edit. -->"

SETTINGS_INTRO = """\
# Settings

Settings are read once, at the start, from environment variables and from a file `.env` in the project's
folder; the environment wins. A missing, unknown or unsafe value stops the start with a sentence that says what
to do. Two are enough to start an installation: `RECRUIT_DATABASE_URL` and `RECRUIT_SECRET_KEY`.
"""

RETENTION_INTRO = """\
# How long rows are kept

Every table belongs to one class, and a test checks that none is without. The jobs that remove rows, the pages
that participants read and this page follow the same table in `recruit/retention.py`. A period that a study has
set for people who were screened out takes the place of the 90 days.
"""

RETENTION_JOBS = """\
## Counts over the pool

`feasibility_count` keeps for good the numbers that coordinators were shown, and behind each number which slots
of the pool it counted, so that no later number tells about a few people together with it. A slot is not a name:
it leads to a person only through `person`, and once that row was emptied on erasure, or is gone, it leads
nowhere and is never given again. No page shows the slots. See
[what the pool may tell](../decisions/0010-what-the-pool-may-tell.md).

## Who keeps the promise

- **`purge.drafts`**, hourly: counts each draft past its time by day, study, source, language, entrance and how
  far it came, and removes it with its key.
- **`purge.screened_out`**, every six hours: removes what people left for a study that they did not come to
  take part in, once its days are over. The person goes with the last study, unless they agreed to stay in the
  registry. How far they came stays in numbers.
- **`purge.operational`**, daily: removes sessions, one-time links, sign-in attempts, codes, idempotency keys.

Each works in batches of its own transaction and can be stopped at any moment. People who gave informed consent
are never removed by a job. On request `recruit.privacy.erase_person` removes a person at once; see
[what is sealed](../explanation/what-is-sealed.md).
"""

EXAMPLE_INTRO = """\
# Copy this file to `.env` and fill in the first two lines; docs/reference/settings.md explains every setting.
# Written by `python -m tests.reference` from the code; do not edit it here.
"""


def main() -> None:
    """Write every page."""
    for path, write in PAGES.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(write(), encoding="utf-8")


def settings_page() -> str:
    """Describe every setting, in the order of the class."""
    parts = [SETTINGS_INTRO, WRITTEN, ""]
    for name, field in Settings.model_fields.items():
        parts += [f"## `{variable(name)}`", "", field.description or "", "", _default(field), ""]
    return "\n".join(parts)


def settings_example() -> str:
    """List every setting with its default, commented out unless it is required."""
    parts = [EXAMPLE_INTRO]
    for name, field in Settings.model_fields.items():
        if field.is_required():
            parts.append(f"{variable(name)}=")
    for name, field in Settings.model_fields.items():
        if not field.is_required():
            parts.append(f"#{variable(name)}={_plain(field)}")
    return "\n".join(parts) + "\n"


def retention_page() -> str:
    """Print the retention table, and the tables that belong to each class."""
    parts = [RETENTION_INTRO, WRITTEN, "", "| class | kept | tables |", "|---|---|---|"]
    for kind in Retention:
        names = sorted(f"`{table}`" for table, of in tables().items() if of is kind)
        parts.append(f"| {kind.value.replace('_', ' ')} | {RULES[kind].kept} | {', '.join(names)} |")
    return "\n".join([*parts, "", RETENTION_JOBS])


def tables() -> dict[str, Retention]:
    """Give the retention class of every table."""
    return {str(mapper.class_.__tablename__): mapper.class_.retention for mapper in Base.registry.mappers}


def variable(name: str) -> str:
    """Give the environment variable of a setting."""
    return f"{PREFIX}{name.upper()}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "Required."
    plain = _plain(field)
    return f"Default: `{plain}`." if plain else "Default: empty."


def _plain(field: FieldInfo) -> str:
    value: object = field.default
    return value.value if isinstance(value, Environment) else str(value)


def protocol_schema_file() -> str:
    """Write the JSON Schema of a protocol document."""
    return json.dumps(protocol_schema(), indent=1, ensure_ascii=False) + "\n"


PAGES: dict[Path, Callable[[], str]] = {
    ROOT / "docs" / "reference" / "settings.md": settings_page,
    ROOT / "docs" / "reference" / "retention.md": retention_page,
    ROOT / "docs" / "reference" / "protocol.schema.json": protocol_schema_file,
    ROOT / ".env.example": settings_example,
}

if __name__ == "__main__":
    main()
