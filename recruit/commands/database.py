"""``flask db``: make the schema and bring it up to date, back up, restore, check, change the master key."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recruit import context, schema
from recruit.commands.plain import PlainGroup
from recruit.db import Database
from recruit.operations import checks
from recruit.operations import service as operations

# What a command alone needs, it imports itself: every start of the application registers all of them.
if TYPE_CHECKING:
    from recruit.backups.carrying import Carried

_BY_HAND = (
    "before you switch sending on, enter again from your records who asked to be erased, who said STOP (your "
    "carrier keeps a list), who asked not to be contacted or took a consent back, and deactivate the accounts "
    "of people who have left."
)
group = PlainGroup("db", help="The database: schema, backups, restore, checks, keys.")


@group.command("upgrade")
@click.option("--no-backup", is_flag=True, help="Do not back up first: you have done so yourself.")
def upgrade(no_backup: bool) -> None:
    """Make the schema, or bring an existing one up to date after backing it up."""
    database = context.database()
    if schema.is_current(database):
        click.echo(f"The schema is up to date ({schema.head()}).")
    else:
        bring_up_to_date(database, backs_up=not no_backup)
    with context.transaction(by="cli:db upgrade", reason="upgrade") as session:
        operations.ensure(session)


def bring_up_to_date(database: Database, *, backs_up: bool) -> None:
    """Move a schema to the newest revision, with a backup before an existing one moves."""
    from recruit import backup

    if backs_up and schema.current(database) is not None:
        folder = Path(context.settings().backup_folder)
        made = backup.before(database, "upgrade", folder=folder, at=context.now())
        click.echo(f"Backed up to {made.path}.")
    schema.upgrade(database)
    click.echo(f"The schema is at {schema.head()}.")


@group.command("current")
def current() -> None:
    """Say which schema the database has, and which it should have."""
    click.echo(f"{schema.current(context.database()) or 'nothing'} (newest {schema.head()})")


@group.command("backup")
@click.argument("path", type=click.Path(path_type=Path))
def write(path: Path) -> None:
    """Write a backup to PATH, or into PATH where that is a folder; the application may go on meanwhile."""
    from recruit import backup

    made = backup.write(context.database(), path, at=context.now())
    click.echo(f"{made.path}  schema {made.revision}  {made.size} bytes  sha256 {made.sha256}")


@group.command("restore")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Replace a database that holds data; it is backed up first.")
def restore(path: Path, replace: bool) -> None:
    """Put the backup at PATH in the place of the database; sending is off afterwards."""
    from recruit import backup

    folder = Path(context.settings().backup_folder)
    done = backup.restore(context.database(), path, replace=replace, folder=folder, at=context.now())
    if done.set_aside is not None:
        click.echo(f"What was there before is in {done.set_aside.path}.")
    for words in _words_of(done.carried):
        click.echo(words)
    click.echo(
        "Restored. Sending is off, so that nobody is written to twice, and everybody is signed out. "
        "Look around, then run `flask --app wsgi db sending on`."
    )


def _words_of(carried: Carried) -> Iterator[str]:
    """Say what was carried over, what was not, and what a person has to do about it."""
    if carried.why_nothing:
        yield (
            "Nothing could be carried over from the database that was replaced "
            f"({carried.why_nothing}): {_BY_HAND}"
        )
    else:
        yield "Carried over from the database that was replaced:"
        yield from (f"  {subject}: {count}" for subject, count in _counts(carried))
    if carried.people_erased:
        yield "Each erasure stands in the trail by `cli:db restore`, reason `restore:carry-over`."
    if carried.records_elsewhere:
        yield (
            f"Of {carried.records_elsewhere} of the people erased again a study's record has to stay, and this "
            "backup is too old to hold it: keep the file of what was there before."
        )
    if carried.unread:
        kinds = ", ".join(carried.unread)
        yield f"Could not be read there, and so not carried over: {kinds}. As for these, {_BY_HAND}"
    if carried.campaigns_paused:
        yield f"Campaigns that were running in this backup and are paused now: {carried.campaigns_paused}."
    if carried.last_administrators:
        yield (
            f"Administrators who have ceased to be one, and whom nobody here can stand in for: "
            f"{carried.last_administrators}. They have no password any more. Make an administrator with "
            "`flask --app wsgi users invite`, who then ends what they hold."
        )


def _counts(carried: Carried) -> tuple[tuple[str, int], ...]:
    return (
        ("people erased again", carried.people_erased),
        ("addresses closed (STOP, wrong number, bounced, erased)", carried.addresses_closed),
        ("addresses opened again by their holders", carried.addresses_opened),
        ("people marked do not contact", carried.do_not_contact),
        ("consents withdrawn", carried.consents_withdrawn),
        ("messages sent or closed", carried.messages),
        ("accounts deactivated", carried.accounts_deactivated),
        ("roles ended", carried.roles_ended),
        ("passwords changed", carried.passwords_changed),
    )


@group.command("sending")
@click.argument("state", type=click.Choice(["on", "off"]))
def sending(state: str) -> None:
    """Let messages leave, or stop them all."""
    with context.transaction(by="cli:db sending", reason=f"sending:{state}") as session:
        operations.switch_sending(session, on=state == "on")
    click.echo(f"Sending is {state}.")


@group.command("check")
def check() -> None:
    """Look at schema, pages, references, trail and keys; exit status 1 where something is not in order."""
    findings = checks.look(context.database())
    for finding in findings:
        click.echo(f"{'ok ' if finding.is_sound else 'BAD'}  {finding.subject}: {finding.words}")
    if not all(finding.is_sound for finding in findings):
        sys.exit(1)


@group.command("rewrap")
def rewrap() -> None:
    """Put all data under the newest master key; can be stopped at any moment and run again."""
    from recruit import rotation

    database = context.database()
    done = rotation.rotate(database, at=context.now())
    click.echo(
        f"Wrapped {done.data_keys} data keys anew; made the fingerprints of {done.addresses} addresses, "
        f"{done.accounts} accounts and {done.people} people's names anew."
    )
    for words in rotation.words_of(database):
        click.echo(words)


@group.command("revision")
@click.option("--message", required=True, help="What it does: TABLE VERB WHAT, such as `person add nickname`.")
@click.option("--why", required=True, help="The reason, and which step of how many: for its docstring.")
def revision(message: str, why: str) -> None:
    """Write the next migration from how the models differ from the newest revision; for developers."""
    from recruit import revising

    click.echo(f"Wrote {revising.write(message, why=why)}. Read it before you keep it.")
