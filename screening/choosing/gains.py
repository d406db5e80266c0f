"""What an answer to a question may bring a study: expected progress, over what people say to it (SEMANTICS 4).

A leaf that several questions move together, such as a body mass index, counts
as half settled, shared among those questions, when one of them is answered. A
question that only opens others brings half of what they would, with their
burden. Every relevant question brings something.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final
from uuid import UUID

from screening.asking.assertions import stated
from screening.asking.items import Item, reads
from screening.asking.responses import DECLINED, DONT_KNOW
from screening.assessment.evidence import Scene
from screening.assessment.leaves import find_leaf
from screening.assessment.statements import entries
from screening.choosing.examples import answer_of
from screening.choosing.outline import Outline
from screening.choosing.progress import Way, every, gain, settled, some, way_of
from screening.choosing.standing import Setting, Standing, scene_of
from screening.choosing.statistics import burden_of
from screening.facts import Fact, Facts
from screening.intervals import DateRange

LEAST: Final = 1e-6
"""What a question brings of which no single answer is known to bring anything, and which still matters."""

_OPENED: Final = 0.5
_AFTER_ALL: Final = 1_000_000
_ABSENT: Final = (DONT_KNOW, DECLINED)

Verdicts = tuple[tuple[int, int], ...]
"""Atoms and the verdicts that an answer gives them."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """How far a study has come now, criterion by criterion, and with it what answers would bring."""

    standing: Standing
    leaves: tuple[Way, ...]
    criteria: tuple[Way, ...]
    gained: float

    def worth(self, item: Item, chances: Mapping[str, Mapping[str, float]]) -> float:
        """Give the expected gain of asking a relevant question; `chances` are those of all items, by label."""
        worth = max(LEAST, self._expected(item, chances.get(item.id, {})))
        own = burden_of(item)
        for other in self.standing.maybe:
            if other.id in self.standing.relevant and any(leaf.item == item.id for leaf in reads(other)):
                worth += _OPENED * self.worth(other, chances) * own / (own + burden_of(other))
        return worth

    def _expected(self, item: Item, chances: Mapping[str, float]) -> float:
        by_verdicts: dict[Verdicts, float] = {}
        for label, chance in chances.items():
            if label not in _ABSENT:
                verdicts = _verdicts(self.standing, item, label)
                by_verdicts[verdicts] = by_verdicts.get(verdicts, 0.0) + chance
        return sum(chance * self._gain(item, verdicts) for verdicts, chance in by_verdicts.items())

    def _gain(self, item: Item, verdicts: Verdicts) -> float:
        """Give what an answer with these verdicts would bring."""
        live, wanted = self.standing.leaves.live, self.standing.wanted
        moved = [(place, told) for place, told in verdicts if live[place] and place in wanted]
        if not moved:
            return 0.0
        leaves = list(self.leaves)
        for place, told in moved:
            leaves[place] = settled(told) if told else _on_the_way(self.standing, place)
        places = {place for place, _ in moved}
        outline = self.standing.outline
        criteria = [
            way if outline.atoms_in[at].isdisjoint(places) else way_of(outline.criteria[at].passes, leaves)
            for at, way in enumerate(self.criteria)
        ]
        return gain(_whole(outline, criteria)) - self.gained


def prospect(standing: Standing) -> Prospect:
    """Work out how far a study has come."""
    outline = standing.outline
    leaves = tuple(map(settled, standing.leaves.values))
    criteria = tuple(way_of(one.passes, leaves) for one in outline.criteria)
    return Prospect(standing, leaves, criteria, gain(_whole(outline, criteria)))


def _whole(outline: Outline, criteria: Sequence[Way]) -> Way:
    shared = [criteria[place] for place in outline.shared]
    if outline.cohorts:
        shared.append(some([every([criteria[place] for place in own]) for own in outline.cohorts]))
    return every(shared)


def _on_the_way(standing: Standing, place: int) -> Way:
    """Give how far an answer brings a leaf that it leaves unknown: nowhere, if it was the last to move it."""
    movers = standing.outline.movers[place]
    left = sum(item.id in movers for item in (*standing.sure, *standing.maybe))
    share = 0.5 / left if left > 1 else 0.0
    return share, share


def _verdicts(standing: Standing, item: Item, label: str) -> Verdicts:
    """Judge what an answer moves: by itself where no other answer speaks to it, or else beside them."""
    outline = standing.outline
    day = standing.day or standing.setting.on
    alone = _alone(outline, item.id, label, standing.setting, day)
    beside = [
        place
        for place, _ in alone
        if place in standing.wanted and any(mover in standing.answers for mover in outline.movers[place])
    ]
    if not beside:
        return alone
    facts = standing.facts.plus(*_said(item, label, standing.setting))
    scene = scene_of(outline, facts, standing.setting.on, day)
    return tuple({**dict(alone), **_judged(outline, scene, beside)}.items())


@lru_cache(maxsize=50_000)
def _alone(outline: Outline, item_id: str, label: str, setting: Setting, day: date) -> Verdicts:
    """Judge one made-up answer by itself; kept, since it says nothing of anybody."""
    item = outline.item(item_id)
    places = sorted(outline.moves[item_id])
    scene = scene_of(outline, Facts(_said(item, label, setting)), setting.on, day)
    return tuple(_judged(outline, scene, places).items())


def _judged(outline: Outline, scene: Scene, places: Sequence[int]) -> dict[int, int]:
    told = entries(scene)
    atoms = outline.study.lowered.atoms
    return {place: int(find_leaf(atoms[place], scene, told=told).value) for place in places}


def _said(item: Item, label: str, setting: Setting) -> list[Fact]:
    """Give the facts of a made-up answer, recorded after all others of the day."""
    answer = answer_of(item, label, on=setting.on)
    observed = DateRange.day(setting.on)
    return [
        Fact(UUID(int=number), key, value, label, observed, setting.recorded_at, setting.source)
        for number, (key, value) in enumerate(stated(item, answer), start=_AFTER_ALL)
    ]
