"""The demonstration from its first site to its last call, read from top to bottom.

Everything goes through the services that real data goes through. What is drawn depends on the seed and the
anchor alone: the same two give the same people, ids and coded values on every machine; only sealed bytes
differ, because every data key is fresh.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from random import Random
from typing import TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from recruit import settling, upkeep
from recruit.contact import service as contact
from recruit.contact.notices import CodeNeeded
from recruit.db import Database
from recruit.demo import arrivals, catalogue, crowd, lives, setting, staff
from recruit.demo.arrivals import Came
from recruit.demo.crowd import Coming
from recruit.demo.population import People
from recruit.demo.world import Hold, World
from recruit.intake.models import Entrance, InquiryChannel
from recruit.operations import service as operations

_T = TypeVar("_T")

SEED = 20_260_104
ACTOR = "demo"
PEOPLE = 2_000
AT_ONCE = 40
RECENT = timedelta(days=3)
"""How far back messages were sent; those to earlier people are past their time."""
CONFIRMS = 0.82
_CLINICS = ("Riverside Family Practice", "Harbor Internal Medicine", "Oak Street Clinic", "Clínica del Parque")


def set_the_stage(
    session: Session, *, chance: Random, now: datetime, operator: str, password_hash: str
) -> World:
    """Make sites, accounts and studies."""
    held = Hold(session)
    started = now - timedelta(days=setting.BEFORE_THE_YEAR + 2)
    sites = setting.open_sites(session, at=started)
    crew = staff.hire(session, sites, password_hash=password_hash, at=started)
    stages = tuple(
        setting.open_study(session, key, sites, operator=operator, now=now) for key in catalogue.STUDIES
    )
    setting.import_from_registry(session, at=now - timedelta(days=1, hours=3))
    held.release()
    return World(stages, crew, {}, chance, now)


class Arriving:
    """Lets people come and live, many to a transaction; keeps the codes that were sent to them."""

    def __init__(self, database: Database, world: World, people: People) -> None:
        self.database, self.world, self.people = database, world, people
        self._codes: dict[UUID, CodeNeeded] = {}
        database.subscribe(CodeNeeded, self._keep)

    def let_in(self, plan: Iterable[Coming]) -> Iterator[int]:
        """Take people in batch by batch, each with all that became of them; give how many came."""
        for batch in _batches(plan, AT_ONCE):
            with self.database.transaction(actor=ACTOR, reason="demo") as session:
                held = Hold(session)
                for one in batch:
                    came = self.enter(session, one)
                    if came is not None:
                        self.confirm(session, came)
                        lives.live(session, self.world, came)
                    session.flush()
                    held.release()
            yield len(batch)

    def enter(self, session: Session, one: Coming) -> Came | None:
        """Let one person in by their door."""
        visitor, chance = one.visitor, self.world.chance
        if one.way in (crowd.ONLINE, crowd.MISS):
            misses = None
            if one.way == crowd.MISS:
                item, prior = chance.choice(list(visitor.stage.data.misses.items()))
                misses = {item: prior}
            return arrivals.by_questionnaire(session, self.world, self.people, visitor, misses=misses)
        caller = self.world.staff.accounts["recruiter"]
        if one.way in (Entrance.ASSISTED_CALL.value, Entrance.WALK_IN.value):
            helped = arrivals.helped(visitor, Entrance(one.way), caller)
            return arrivals.by_questionnaire(session, self.world, self.people, helped)
        channel = InquiryChannel(one.way)
        clinician = ""
        if channel is InquiryChannel.DOCTOR:
            doctor = self.people.somebody(sex="female", born=None, language="en", near=visitor.place.data)
            name = f"Dr. {doctor.identity.given} {doctor.identity.family}"
            clinician = f"{name}, {chance.choice(_CLINICS)}, {doctor.phone}"
        return arrivals.by_contact(session, self.world, self.people, visitor, channel, clinician=clinician)

    def confirm(self, session: Session, came: Came) -> None:
        """Type the code that was sent, as most people do."""
        notice = self._codes.pop(came.person_id, None)
        at = came.at + timedelta(seconds=self.world.chance.randrange(40, 400))
        if notice is not None and at <= self.world.now and self.world.chance.random() < CONFIRMS:
            contact.confirm_code(session, notice.verification_id, notice.code, at=at)

    def _keep(self, session: Session, notice: CodeNeeded) -> None:
        self._codes[notice.person_id] = notice


def count_the_others(database: Database, world: World, count: int) -> None:
    """Write down in numbers those who left nothing, as settling would have done a day after each came."""
    for batch in _batches(crowd.stopping(world, count), 500):
        with database.transaction(actor=ACTOR, reason="retention:draft") as session:
            settling.settle(session, batch)


def leave_some_open(database: Database, world: World, count: int) -> None:
    """Begin some questionnaires today and leave them there."""
    with database.transaction(actor=ACTOR, reason="demo") as session:
        held = Hold(session)
        for _ in range(count):
            stage = world.chance.choice(world.stages)
            at = world.now - timedelta(minutes=world.chance.randrange(5, 600))
            visitor = crowd.visitor_at(world, stage, world.chance.choice(stage.places_at(at)), at)
            arrivals.answer_all(session, world, visitor, crowd.part_of(world, visitor))
            held.release()


def keep_the_promises(database: Database, world: World) -> None:
    """Run the jobs of the anchor's day: what retention removes, and at last the order of all events.

    Looking at everybody again is left to the application: it does so beside its first requests.
    """
    due = [job for job in upkeep.JOBS if job.run is not upkeep.wake_matches]
    for job in sorted(due, key=lambda job: job.run is upkeep.sequence_events):
        job.run(database, world.now)


def drop_the_anchor(session: Session, world: World) -> None:
    """Note for which moment the demonstration was made."""
    operations.ensure(session).demo_anchor = world.now


def say(progress: Callable[[str], None], done: int, of: int) -> None:
    """Show how far it is."""
    progress(f"  {done:,} of {of:,} people")


def _batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
