"""``flask assessments``: prove that stored verdicts can be made again."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import UUID

import click

from recruit import context
from recruit.commands.plain import PlainGroup
from recruit.db import found
from recruit.matching.models import AssessmentRow

if TYPE_CHECKING:
    from recruit.matching.replaying import Replay

group = PlainGroup("assessments", help="Stored verdicts.")
_AT_ONCE = 500


@group.command("replay")
@click.argument("assessments", nargs=-1, type=click.UUID, metavar="[ASSESSMENT]...")
def replay_command(assessments: tuple[UUID, ...]) -> None:
    """Judge again on the day, by the version and by the facts that each assessment names; without one, all.

    A difference that a changed engine, vocabulary, terminology or policy explains is listed. The exit status is
    1 if there is one that nothing explains.
    """
    counts: Counter[str] = Counter()
    for one in _asked(assessments) if assessments else _all():
        counts[_kind(one)] += 1
        if not one.is_same:
            click.echo("\n".join(_lines(one)))
    told = ", ".join(f"{count:,} {kind}" for kind, count in sorted(counts.items()))
    click.echo(told or "There are no assessments.")
    if counts["unexplained"]:
        sys.exit(1)


def _asked(keys: tuple[UUID, ...]) -> list[Replay]:
    from recruit.matching import replaying  # here for the start: one command needs it

    with context.application().database.reading() as session:
        return [replaying.replay(session, found(session, AssessmentRow, key)) for key in keys]


def _all() -> Iterator[Replay]:
    """Go through all of them, so many at once that neither memory nor a transaction grows with their number."""
    from recruit.matching import replaying

    last: UUID | None = None
    while True:
        with context.application().database.reading() as session:
            rows = replaying.sample(session, count=_AT_ONCE, after=last)
            replays = [replaying.replay(session, row) for row in rows]
        if not rows:
            return
        yield from replays
        last = rows[-1].id


def _kind(one: Replay) -> str:
    if one.lost:
        return "whose facts were erased"
    if one.is_same:
        return "the same"
    return "unexplained" if one.is_fault else "changed with " + " and ".join(one.moved)


def _lines(one: Replay) -> list[str]:
    lines = [f"{one.assessment_id} of {one.on}: {_kind(one)}"]
    if not one.lost and one.then != one.now:
        lines.append(f"  disposition: {one.then} then, {one.now} now")
    return lines + [
        f"  {each.criterion}, {each.part}: {each.then} then, {each.now} now" for each in one.differences
    ]
