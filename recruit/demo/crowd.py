"""Who comes when: the plan of a year, drawn before anybody is made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

from recruit.clock import civil_day
from recruit.demo import answers, arrivals
from recruit.demo.arrivals import Visitor
from recruit.demo.world import Place, Source, Stage, World
from recruit.ids import new_id
from recruit.intake.drafts import LEFT
from recruit.intake.models import Draft, DraftStatus, Entrance, InquiryChannel
from screening.asking.questionnaire import Outcome
from screening.asking.responses import Answer
from screening.texts import Respondent

LEAVE_A_CONTACT = 0.28
"""Share of those who come at all that leave a contact: seven in ten finish, four in ten of them may fit."""
POPULARITY = {"maple": 26, "cedar": 22, "willow": 10, "juniper": 15, "aspen": 9, "birch": 18}
RECENT_DAYS, RECENT_SHARE = 9, 0.14
"""The last days are busier, so that the desk has something to do on the anchor's day."""
SPANISH = 0.16
FOR_ANOTHER = {Respondent.CHILD: 0.35, Respondent.CARED_FOR: 0.6}
ONLINE, MISS = "online", "miss"
WAYS_IN = (
    (ONLINE, 66),
    (MISS, 4),
    (InquiryChannel.FORM.value, 10),
    (InquiryChannel.WEBHOOK.value, 9),
    (InquiryChannel.MISSED_CALL.value, 3),
    (InquiryChannel.DOCTOR.value, 2),
    (Entrance.ASSISTED_CALL.value, 4),
    (Entrance.WALK_IN.value, 2),
)
IN_HOURS = frozenset({Entrance.ASSISTED_CALL.value, Entrance.WALK_IN.value, InquiryChannel.DOCTOR.value})
_HOURS = (3, 1, 1, 1, 1, 2, 5, 9, 12, 13, 13, 13, 15, 13, 11, 11, 12, 14, 17, 21, 22, 18, 12, 6)
STOPPED = (("started", 14), ("answered", 40), ("completed", 4), (Outcome.NOT_THIS_STUDY.value, 36), ("fits", 6))


@dataclass(frozen=True, slots=True)
class Coming:
    """One person on the way in, and by which door."""

    visitor: Visitor
    way: str


def coming(world: World, count: int) -> list[Coming]:
    """Draw everybody who leaves a contact, in the order of their coming."""
    plan = [_one(world) for _ in range(count)]
    return sorted(plan, key=lambda one: one.visitor.at)


def stopping(world: World, count: int) -> Iterator[Draft]:
    """Draw the drafts of people who left nothing, as they stood a day after; none is ever written."""
    for _ in range(count):
        stage, place, at = _where(world)
        if at < world.now - timedelta(days=1):
            yield _stopped(world, stage, place, at)


def part_of(world: World, visitor: Visitor) -> dict[str, Answer]:
    """Answer the first questions only."""
    on = civil_day(visitor.at, visitor.place.data.zone)
    data = visitor.stage.data
    someone = answers.figure(
        data, world.chance, language=visitor.language, respondent=visitor.respondent, on=on
    )
    drawn = answers.draw(visitor.stage.document, data, someone)
    return dict(list(drawn.items())[: world.chance.randrange(2, max(3, len(drawn) - 2))])


def visitor_at(world: World, stage: Stage, place: Place, at: datetime) -> Visitor:
    """Make up who answers at a moment, in which language and for whom."""
    chance = world.chance
    speaks = "es" in place.data.languages
    respondent = Respondent.SELF
    for other, share in FOR_ANOTHER.items():
        if other in stage.document.respondents and chance.random() < share:
            respondent = other
    return Visitor(
        stage,
        place,
        at,
        language="es" if speaks and chance.random() < SPANISH * 1.5 else "en",
        respondent=respondent,
        source=source_of(world, stage),
        ways=arrivals.pick_ways(chance, Entrance.ONLINE, registry_allowed=stage.data.registry_allowed),
    )


def source_of(world: World, stage: Stage) -> Source | None:
    """Draw by which link somebody came; some came by none."""
    sources = world.sources.get(stage.key, ())
    if not sources or world.chance.random() < 0.06:
        return None
    return world.chance.choices(sources, weights=[source.weight for source in sources])[0]


def _one(world: World) -> Coming:
    stage, place, at = _where(world)
    way = world.chance.choices([w for w, _ in WAYS_IN], weights=[n for _, n in WAYS_IN])[0]
    if way in IN_HOURS:
        at = min(place.calendar.next_open(at) + timedelta(minutes=world.chance.randrange(1, 200)), world.now)
    visitor = visitor_at(world, stage, place, at)
    return Coming(visitor, way)


def _where(world: World) -> tuple[Stage, Place, datetime]:
    """Draw a study, a moment and a place that takes people then."""
    chance = world.chance
    while True:
        stage = chance.choices(world.stages, weights=[POPULARITY[one.key] for one in world.stages])[0]
        at = _moment(chance, stage, world.now)
        places = stage.places_at(at)
        if places:
            place = chance.choice(places)
            at = _at_home(chance, at, place)
            if stage.opens < at < min(world.now, place.closes):
                return stage, place, at


def _moment(chance: Random, stage: Stage, now: datetime) -> datetime:
    if chance.random() < RECENT_SHARE:
        return now - timedelta(days=chance.uniform(0, RECENT_DAYS))
    first = max(stage.opens + timedelta(days=2), now - timedelta(days=365))
    share: float = chance.random() ** 0.65
    return first + (now - first) * share


def _at_home(chance: Random, at: datetime, place: Place) -> datetime:
    """Move a moment to the hour of the day at which people sit down to it."""
    local = at.astimezone(ZoneInfo(place.data.zone))
    hour = chance.choices(range(24), weights=_HOURS)[0]
    moved = local.replace(hour=hour, minute=chance.randrange(60), second=chance.randrange(60), microsecond=0)
    return moved.astimezone(UTC)


def _stopped(world: World, stage: Stage, place: Place, at: datetime) -> Draft:
    chance = world.chance
    visitor = visitor_at(world, stage, place, at)
    reached = chance.choices([r for r, _ in STOPPED], weights=[n for _, n in STOPPED])[0]
    draft = Draft(
        id=new_id(),
        entrance=Entrance.ONLINE,
        study_id=stage.study_id,
        study_site_id=place.study_site_id,
        questionnaire_version_id=stage.version_id,
        source_link_id=visitor.source.link_id if visitor.source else None,
        language=visitor.language,
        status=DraftStatus.OPEN,
        revision=0,
        path=[],
        started_at=at,
        last_at=at,
        is_test=False,
    )
    if reached != "started":
        asked = [item.id for item in stage.document.items]
        last = min(len(asked) - 2, int(chance.expovariate(1 / 5)))
        if reached != "answered":
            last = len(asked) - 1
        passed = list(accumulate(3 + int(chance.expovariate(1 / 12)) for _ in range(last + 1)))
        draft.revision, draft.path = last + 1, [list(step) for step in zip(asked, passed, strict=False)]
        if reached == "answered":
            draft.status = DraftStatus.STOPPED
            draft.path = [*draft.path, [LEFT, 0, asked[last + 1]]]
    if reached == "fits":
        draft.outcome = chance.choice((Outcome.MAY_FIT, Outcome.NEED_TO_TALK))
    elif reached == Outcome.NOT_THIS_STUDY.value:
        draft.outcome = Outcome.NOT_THIS_STUDY
    if reached in ("completed", "fits", Outcome.NOT_THIS_STUDY.value):
        draft.status, draft.completed_at = DraftStatus.COMPLETED, at
    return draft
