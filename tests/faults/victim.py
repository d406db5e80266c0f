"""A process that works until it is killed: ``python -m tests.faults.victim TASK DATABASE_URL``.

It prints a line when it is ready, and one for each piece of work whose commit was acknowledged.
"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, time

from sqlalchemy.orm import Session

from recruit import purges, schema
from recruit.crypto import Keyring
from recruit.db import Database
from recruit.ids import new_slug
from recruit.studies.models import Site, SiteHours

SECRET = "a-secret-of-made-up-people-that-is-long-enough"
LATER = datetime(2027, 6, 1, tzinfo=UTC)


def say(line: str) -> None:
    """Tell the one who watches, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def add_pair(session: Session, key: str) -> None:
    """Make two sites with their hours; half a pair, or a site without hours, would be a torn transaction."""
    for half in "ab":
        site = Site(
            slug=f"{key}-{half}", name="x" * 190, zone="UTC", postcode=key, languages=[], created_at=LATER
        )
        session.add(site)
        session.flush()
        session.add_all(
            SiteHours(site_id=site.id, weekday=day, opens=time(9), closes=time(17)) for day in range(5)
        )


def pairs(database: Database) -> None:
    """Make pairs for ever."""
    while True:
        key = new_slug(12)
        with database.transaction(actor="victim") as session:
            add_pair(session, key)
        say(key)


def purge(database: Database) -> None:
    """Remove drafts, two at a time."""
    purges.DRAFTS_AT_ONCE = 2
    purges.purge_drafts(database, at=LATER)
    say("done")


def upgrade(database: Database) -> None:
    """Bring the schema up to date."""
    schema.upgrade(database)
    say("done")


TASKS: dict[str, Callable[[Database], None]] = {"pairs": pairs, "purge": purge, "upgrade": upgrade}


def main(task: str, url: str) -> None:
    """Do a task on a database as a production process does: every commit waits for the disk."""
    database = Database(url, keyring=Keyring.from_settings("", secret_key=SECRET))
    with database.reading():
        say("ready")
    TASKS[task](database)


if __name__ == "__main__":
    main(*sys.argv[1:])
