"""Where a person stands towards one study so far, and which of its questions can still change that.

What an unanswered question may move counts as unknown here, whatever other
answers say of it: only what nothing still to come can touch is held to be so.
A failure that time alone lifts settles nothing; then the first day on which
nothing rules out is looked at instead of today, since "later" is said only for
such a day (SEMANTICS 4).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from itertools import count
from uuid import UUID

from screening.asking.assertions import facts_from
from screening.asking.items import Item, asks, reads
from screening.asking.path import ahead
from screening.asking.responses import Answer
from screening.assessment.assess import is_open
from screening.assessment.evidence import Scene
from screening.assessment.forecast import turning_days
from screening.assessment.leaves import find_leaf
from screening.assessment.statements import entries
from screening.choosing.bounds import Leaves, value, wanted
from screening.choosing.outline import Outline, is_locked
from screening.facts import EvidenceSource, Fact, Facts
from screening.language.criteria import Age
from screening.language.questions import Atom
from screening.texts import Respondent


@dataclass(frozen=True, slots=True)
class Setting:
    """Whom the questions are about, on which day they are answered, and in which way."""

    respondent: Respondent
    on: date
    source: EvidenceSource

    @property
    def recorded_at(self) -> datetime:
        """An instant of the day, for facts that nobody keeps."""
        return datetime.combine(self.on, time(), UTC)


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """A study and what was answered to it so far.

    `day` is the day that still matters: today, or the first one on which
    nothing rules out for good; None where something always does. `leaves` are
    the verdicts on it. `sure` and `maybe` are the questions that are on the
    path and not answered, and those that an answer may open; `relevant` are
    the ones of both that can change the study's answer.
    """

    outline: Outline
    setting: Setting
    answers: Mapping[str, Answer]
    facts: Facts
    today: Leaves
    day: date | None
    leaves: Leaves
    wanted: frozenset[int]
    sure: tuple[Item, ...]
    maybe: tuple[Item, ...]
    relevant: frozenset[str]

    @property
    def is_settled(self) -> bool:
        """Whether no question can change the study's answer any more."""
        return not self.relevant

    @property
    def askable(self) -> tuple[Item, ...]:
        """The questions to choose from: on the path, not answered, and able to change something."""
        return tuple(item for item in self.sure if item.id in self.relevant)


def stand(outline: Outline, answers: Mapping[str, Answer], setting: Setting) -> Standing:
    """Work out where the answers to a study's own questions leave it."""
    sure, maybe = ahead(outline.study.document, answers, setting.respondent)
    facts = Facts(_facts(outline, answers, setting))
    remaining = frozenset(item.id for item in (*sure, *maybe) if asks(item))
    moved = sorted({atom for item in answers for atom in outline.moves.get(item, ())})
    today = _leaves(outline, facts, setting, setting.on, moved, remaining)
    day = _deciding_day(outline, facts, setting, today, moved, remaining)
    leaves = today if day in (None, setting.on) else _leaves(outline, facts, setting, day, moved, remaining)
    matters = frozenset() if day is None else frozenset(_wanted(outline, leaves))
    return Standing(
        outline=outline,
        setting=setting,
        answers=answers,
        facts=facts,
        today=today,
        day=day,
        leaves=leaves,
        wanted=matters,
        sure=sure,
        maybe=maybe,
        relevant=frozenset(_relevant(outline, (*sure, *maybe), maybe, matters)),
    )


def _facts(outline: Outline, answers: Mapping[str, Answer], setting: Setting) -> tuple[Fact, ...]:
    numbers = count(1)
    return facts_from(
        outline.study.document,
        answers,
        setting.respondent,
        recorded_at=setting.recorded_at,
        source=setting.source,
        new_id=lambda: UUID(int=next(numbers)),
    )


def scene_of(outline: Outline, facts: Facts, on: date, day: date) -> Scene:
    """Give facts on a day that may lie ahead, as fresh as they are today."""
    study = outline.study
    today = Scene(facts, on, study.vocabulary, outline.terms, study.lowered.protocol.anchor_days(on))
    if day == on:
        return today
    return replace(today, on=day, anchors=study.lowered.protocol.anchor_days(day), kept=today)


def _leaves(
    outline: Outline,
    facts: Facts,
    setting: Setting,
    day: date,
    moved: Sequence[int],
    remaining: frozenset[str],
) -> Leaves:
    """Judge what answers have moved; anything else is as before the first answer."""
    values = [told for told, _ in outline.blank]
    opens = [may_be_told for _, may_be_told in outline.blank]
    scene = scene_of(outline, facts, setting.on, day)
    told = entries(scene) if moved else []
    for place in moved:
        atom = outline.study.lowered.atoms[place]
        found = find_leaf(atom, scene, told=told)
        values[place] = int(found.value)
        opens[place] = is_open(atom, found, scene.vocabulary)
    live = [
        not movers.isdisjoint(remaining) and not is_locked(atom, values[place])
        for place, (movers, atom) in enumerate(zip(outline.movers, outline.study.lowered.atoms, strict=True))
    ]
    held = [0 if live[place] else told_so for place, told_so in enumerate(values)]
    return Leaves(held, live, opens)


def _deciding_day(
    outline: Outline,
    facts: Facts,
    setting: Setting,
    today: Leaves,
    moved: Sequence[int],
    remaining: frozenset[str],
) -> date | None:
    """Find the first day, from today on, on which nothing rules out for good."""
    if value(outline.root, today.values) > -1:
        return setting.on
    lasting = _lasting(outline, facts, setting, today)
    if value(outline.root, lasting) == -1:
        return None
    turning = [
        place for place in moved if not outline.timeless[place] and not today.live[place] and not lasting[place]
    ]
    lowered = outline.study.lowered
    days = turning_days(
        replace(lowered, atoms=tuple(lowered.atoms[place] for place in turning)),
        facts,
        on=setting.on,
        vocabulary=outline.study.vocabulary,
        terms=outline.terms,
    )
    for day in days:
        if value(outline.root, _leaves(outline, facts, setting, day, moved, remaining).values) > -1:
            return day
    return None


def _lasting(outline: Outline, facts: Facts, setting: Setting, today: Leaves) -> list[int]:
    """Give the verdicts that time does not change, 0 for the others."""
    atoms = outline.study.lowered.atoms
    scene = scene_of(outline, facts, setting.on, setting.on)
    return [
        told if told and (outline.timeless[place] or _outgrown(atoms[place].leaf, told, scene)) else 0
        for place, told in enumerate(today.values)
    ]


def _outgrown(leaf: object, told: int, scene: Scene) -> bool:
    """Tell whether an age only moves further away: too old, or old enough without an upper limit."""
    if not isinstance(leaf, Age):
        return False
    if told > 0:
        return leaf.le is None and leaf.lt is None
    if leaf.ge is None and leaf.gt is None:
        return True
    grown = Atom(leaf.model_copy(update={"le": None, "lt": None}), (), askable=False)
    return find_leaf(grown, scene, told=()).value > 0


def _wanted(outline: Outline, leaves: Leaves) -> Iterator[int]:
    """Give the live leaves that may change a criterion of the study, cohorts that are out left aside."""
    criteria = outline.criteria
    for own in (outline.shared, *outline.cohorts):
        if any(value(criteria[place].passes, leaves.values) == -1 for place in own):
            continue
        for place in own:
            yield from wanted(criteria[place].passes, leaves)


def _relevant(
    outline: Outline, remaining: Sequence[Item], maybe: Sequence[Item], matters: frozenset[int]
) -> Iterator[str]:
    """Name the questions that move a wanted leaf, and those that may open one which does."""
    places = {item.id: place for place, item in enumerate(outline.study.document.items)}
    waiting = {item.id for item in maybe}
    left = {item.id for item in remaining if asks(item)}
    opening: set[str] = set()
    for item in sorted(remaining, key=lambda one: -places[one.id]):
        if item.id in opening or not outline.moves[item.id].isdisjoint(matters):
            yield item.id
            if item.id in waiting:
                opening.update(leaf.item for leaf in reads(item) if leaf.item in left)
