"""The demonstration as a whole: what ``recruit.demo`` makes, with the links, clicks, costs and messages.

``Application.demo`` of the whole application; see ``campaigns.serve``.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

import sqlalchemy as sa
from sqlalchemy.orm import Session

from campaigns.inbox.service import Inbound, receive_inbound
from campaigns.links.service import NewLink, create_link
from campaigns.outbox import worker
from campaigns.providers.base import Accepted, Answer, Carriers, Outgoing, Sighting, Unclear
from campaigns.providers.console import ConsoleProvider
from campaigns.reactions import Reactions
from campaigns.reports.service import NewSpend, enter_spend
from campaigns.wording import Wording
from recruit.accounts.passwords import hash_password
from recruit.accounts.policy import Scope
from recruit.clock import FixedClock
from recruit.contact.models import ContactChannel
from recruit.context import Application
from recruit.db import Database
from recruit.demo import build, characters, crowd, lives, setting
from recruit.demo.arrivals import Came
from recruit.demo.build import ACTOR, PEOPLE, SEED
from recruit.demo.crowd import Coming
from recruit.demo.members import PASSWORD as PASSWORD
from recruit.demo.population import People
from recruit.demo.world import Hold, Source, Stage, World
from recruit.ids import new_id, seeded
from recruit.intake.models import HitKind, LinkHit, Medium
from recruit.people import queries as people_queries
from recruit.people.models import ContactKind

EVERYWHERE = Scope(frozenset({(None, None)}))
TO_THE_MINUTE = 5
CLICKS_A_START = 3.4
PREVIEWS = 0.12
STARTS_A_CONTACT = 2.2


@dataclass(frozen=True, slots=True)
class Placement:
    """One kind of placement: how many it brings, how good they are, and what a contact from it costs."""

    medium: Medium
    channel: str
    content: str
    weight: float
    quality: float
    dollars: int


PLACEMENTS = (
    Placement(Medium.SOCIAL, "Facebook and Instagram", "feed ad", 38, -0.12, 34),
    Placement(Medium.SEARCH, "Google search", "text ad", 24, 0.04, 62),
    Placement(Medium.EMAIL, "Site newsletter", "autumn issue", 9, 0.16, 9),
    Placement(Medium.DOCTOR, "Doctors' offices", "referral card", 7, 0.28, 21),
    Placement(Medium.POSTER, "Waiting rooms", "poster", 8, 0.14, 17),
    Placement(Medium.RADIO, "Local radio", "30 seconds", 6, -0.05, 88),
    Placement(Medium.PARTNER, "Patient organization", "web page", 8, 0.2, 0),
)


def make(wording: Wording, application: Application, progress: Callable[[str], None]) -> None:
    """Fill an empty database, as of the present moment."""
    now = application.clock.now()
    now = now.replace(minute=now.minute - now.minute % TO_THE_MINUTE, second=0, microsecond=0)
    build_at(application.database, wording, now=now, progress=progress)


def build_at(
    database: Database,
    wording: Wording,
    *,
    now: datetime,
    progress: Callable[[str], None],
    seed: int = SEED,
    people: int = PEOPLE,
) -> None:
    """Make the demonstration for a moment: the same seed and moment make the same one.

    :param people: how many began a questionnaire or left a contact within the year
    """
    with seeded(seed), _seldom_collecting():
        Making(database, wording, now=now, seed=seed, people=people, progress=progress).run()


@contextmanager
def _seldom_collecting() -> Iterator[None]:
    """Look for cycles of dead objects less often: a build makes many objects and keeps few."""
    usual = gc.get_threshold()
    gc.set_threshold(100_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


class _Past:
    """The console's carrier as it was in the days that are being made: it has long said all it had to say."""

    name = ConsoleProvider.name

    def send(self, outgoing: Outgoing) -> Answer:
        """Accept a message."""
        return Accepted(f"{self.name}-{outgoing.message_id}")

    def find(self, outgoing: Outgoing, *, since: datetime) -> tuple[Sighting, ...] | Unclear:
        """Find nothing: accepting again is harmless here."""
        return ()


class Making:
    """One demonstration in the making.

    The past is made on a database without reactions: its messages are long past their time. The last days are
    made on one whose reactions follow a clock that goes along, and their messages are sent.
    """

    def __init__(
        self,
        database: Database,
        wording: Wording,
        *,
        now: datetime,
        seed: int,
        people: int,
        progress: Callable[[str], None],
    ) -> None:
        self.now, self.people, self.progress = now, people, progress
        self.operator, self.wording = wording.operator, wording
        self.chance = Random(seed)  # noqa: S311 - made-up people
        self.clock = FixedClock(now)
        url = database.engine.url.render_as_string(hide_password=False)
        self.past = Database(url, keyring=database.keyring, durable=False)
        self.present = Database(url, keyring=database.keyring, durable=False)
        Reactions(wording, self.clock).subscribe(self.present)
        carrier = _Past()
        self.carriers: Carriers = {ContactChannel.SMS: carrier, ContactChannel.EMAIL: carrier}

    def run(self) -> None:
        """Make everything, in the order in which it came about."""
        world = self._set_the_stage()
        contacts = round(self.people * crowd.LEAVE_A_CONTACT)
        plan = crowd.coming(world, contacts)
        people = People(self.chance)
        recent = [one for one in plan if one.visitor.at > self.now - build.RECENT]
        earlier = [one for one in plan if one.visitor.at <= self.now - build.RECENT]
        self._let_the_past_happen(world, people, earlier)
        build.count_the_others(self.past, world, self.people - contacts)
        self._let_the_present_happen(world, people, recent)
        known = characters.come(self.present, world, people)
        self._stop_texts(known[characters.STOP_BUT_CALL])
        self._finish(world, plan)
        self.past.dispose()
        self.present.dispose()

    def _set_the_stage(self) -> World:
        password_hash = hash_password(PASSWORD)
        with self.past.transaction(actor=ACTOR, reason="demo") as session:
            world = build.set_the_stage(
                session,
                chance=self.chance,
                now=self.now,
                operator=self.operator,
                password_hash=password_hash,
            )
            sources = {stage.key: _place_links(session, stage) for stage in world.stages}
        self.progress(f"  {len(world.stages)} studies are open at their sites")
        return replace(world, sources=sources)

    def _let_the_past_happen(self, world: World, people: People, plan: list[Coming]) -> None:
        arriving, done = build.Arriving(self.past, world, people), 0
        for count in arriving.let_in(plan):
            done += count
            if done % (5 * build.AT_ONCE) < build.AT_ONCE:
                build.say(self.progress, self._share(done), self.people)

    def _share(self, done: int) -> int:
        return round(done / crowd.LEAVE_A_CONTACT)

    def _let_the_present_happen(self, world: World, people: People, plan: list[Coming]) -> None:
        """Let people come one after the other, and send what is due to them."""
        arriving = build.Arriving(self.present, world, people)
        for one in plan:
            self.clock.move_to(one.visitor.at)
            with self.present.transaction(actor=ACTOR, reason="demo") as session:
                held = Hold(session)
                came = arriving.enter(session, one)
                held.release()
            if came is None:
                continue
            self._send(came.at + timedelta(seconds=4))
            with self.present.transaction(actor=ACTOR, reason="demo") as session:
                held = Hold(session)
                arriving.confirm(session, came)
                lives.live(session, world, came)
                held.release()
            self._send(came.at + timedelta(minutes=8))

    def _stop_texts(self, came: Came) -> None:
        """Let somebody text that they want calls and no texts."""
        self.clock.move_to(min(came.at + timedelta(minutes=9), self.now))
        with self.present.transaction(actor="provider:console", reason="inbox") as session:
            addresses = people_queries.contacts_of(session, {came.person_id})
            phone = next(one.address for one in addresses if one.point.kind is ContactKind.PHONE)
            inbound = Inbound("console-in-1", phone, "STOP. But please call me!", answered=False)
            receive_inbound(session, inbound, provider="console", wording=self.wording, at=self.clock.now())

    def _send(self, at: datetime) -> None:
        if at <= self.now:
            self.clock.move_to(at)
            worker.send_due(self.present, self.carriers, clock=self.clock)

    def _finish(self, world: World, plan: list[Coming]) -> None:
        self.clock.move_to(self.now)
        with self.present.transaction(actor=ACTOR, reason="demo") as session:
            setting.close_places(session, world.stages, now=self.now)
            _count_clicks(session, world, plan)
            _enter_spend(session, world, plan)
        build.leave_some_open(self.past, world, 7)
        self.progress("  keeping what retention promises")
        build.keep_the_promises(self.present, world)
        with self.present.transaction(actor=ACTOR, reason="demo") as session:
            build.drop_the_anchor(session, world)


def _place_links(session: Session, stage: Stage) -> tuple[Source, ...]:
    found = []
    for one in PLACEMENTS:
        new = NewLink(
            stage.study_id,
            one.medium,
            one.channel,
            campaign=f"{stage.data.nickname} {stage.opens.year}",
            content=one.content,
        )
        link = create_link(session, new, at=stage.opens)
        found.append(Source(link.code, link.id, one.weight, one.quality))
    return tuple(found)


def _count_clicks(session: Session, world: World, plan: list[Coming]) -> None:
    """Write down who followed the links: more than begin, and programs that only looked."""
    chance = world.chance
    hits = []
    for one in plan:
        source, at = one.visitor.source, one.visitor.at
        if source is None:
            continue
        for _ in range(max(1, round(chance.gauss(CLICKS_A_START * STARTS_A_CONTACT, 2.5)))):
            kind = HitKind.PREVIEW if chance.random() < PREVIEWS else HitKind.PERSON
            moment = at - timedelta(minutes=chance.randrange(1, 2_000))
            hits.append({"id": new_id(), "source_link_id": source.link_id, "at": moment, "kind": kind})
    session.execute(sa.insert(LinkHit), hits)


def _enter_spend(session: Session, world: World, plan: list[Coming]) -> None:
    """Enter what each placement cost, month by month."""
    dollars = {one.channel: one.dollars for one in PLACEMENTS}
    for stage in world.stages:
        for source, placement in zip(world.sources[stage.key], PLACEMENTS, strict=True):
            came = [one.visitor.at.date() for one in plan if one.visitor.source == source]
            for year, month in sorted({(day.year, day.month) for day in came}):
                days = [day for day in came if (day.year, day.month) == (year, month)]
                price = dollars[placement.channel] * len(days)
                if price:
                    cents = round(price * 100 * world.chance.uniform(0.8, 1.25))
                    spent = NewSpend(source.link_id, min(days), max(days), cents, "USD", "from the ad account")
                    key = f"demo:{source.code}:{year}-{month}"
                    enter_spend(session, spent, EVERYWHERE, key=key, at=world.now)
