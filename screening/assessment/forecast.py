"""What time alone will do to a verdict: when who is ruled out may come back, and how long a verdict lasts.

Ages, windows and durations change on days that follow from the facts. Each
leaf names the days on which it may turn; it is judged there, and only where
some leaf did turn is the protocol judged again (SEMANTICS 3).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from screening.assessment.assess import Assessment, assess_scene, is_open
from screening.assessment.evidence import Scene
from screening.assessment.leaves import find_leaf
from screening.assessment.statements import DEFAULT_VALIDITY, Entry, entries
from screening.facts import Dated, Denial, Fact, Facts, Statement
from screening.intervals import CalendarUnit, DateRange, Duration, add_days, shift
from screening.language.criteria import Age, Coded, Number, When, Window, coded_part
from screening.language.lowering import LoweredProtocol
from screening.language.protocol import Protocol
from screening.language.questions import Atom
from screening.terms import Terms
from screening.verdict import Disposition, Kleene
from screening.vocabulary import Vocabulary

AROUND: Final = 4
"""How many days a turn may lie beside the day that plain addition gives: months are clamped at their ends."""

HORIZON: Final = Duration(24, CalendarUnit.MONTHS)
"""How far ahead is looked unless somebody says otherwise."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of days, both ends included, on which a disposition stays, and the criteria that decide it.

    `deciding` names the criteria that rule out, or else those that are open.
    """

    first: date
    last: date
    disposition: Disposition
    deciding: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What becomes of a disposition if no fact changes and none grows old.

    `possible_from` is the first day on which somebody who is ruled out today
    may no longer be; `certain_from` the first on which everything that rules
    them out today surely passes. They differ where a date is only partly
    known. Neither is a promise: on the day the person is judged anew.
    """

    segments: tuple[Segment, ...]
    possible_from: date | None
    certain_from: date | None

    def to_json(self) -> dict[str, object]:
        """Write the forecast as plain JSON."""
        return {
            "segments": [
                {
                    "first": one.first.isoformat(),
                    "last": one.last.isoformat(),
                    "disposition": one.disposition.value,
                    "deciding": list(one.deciding),
                }
                for one in self.segments
            ],
            "possible_from": self.possible_from.isoformat() if self.possible_from else None,
            "certain_from": self.certain_from.isoformat() if self.certain_from else None,
        }


def forecast(
    lowered: LoweredProtocol,
    facts: Facts,
    *,
    on: date,
    vocabulary: Vocabulary,
    terms: Terms,
    closed_cohorts: Collection[str] = (),
    horizon: Duration = HORIZON,
) -> Forecast:
    """Judge the days to come with today's facts, those that are good today staying good."""
    today = Scene(facts, on, vocabulary, terms, lowered.protocol.anchor_days(on))
    course, last = _Course(lowered, today, closed_cohorts, keeps=True), shift(on, horizon)
    judged = [(day, course.assess(day)) for day in course.turns(last)]
    segments = tuple(_segments(judged, last))
    if segments[0].disposition is not Disposition.INELIGIBLE:
        return Forecast(segments, None, None)
    barring = {verdict.criterion.id for verdict in judged[0][1].ruling_out}
    possible = (day for day, one in judged if one.disposition is not Disposition.INELIGIBLE)
    certain = (day for day, one in judged if _is_clear(one, barring))
    return Forecast(segments, next(possible, None), next(certain, None))


def holds_until(
    lowered: LoweredProtocol,
    facts: Facts,
    *,
    on: date,
    vocabulary: Vocabulary,
    terms: Terms,
    closed_cohorts: Collection[str] = (),
    horizon: Duration = HORIZON,
) -> date | None:
    """Give the last day on which all verdicts are as today, facts growing old; None where none turns."""
    today = Scene(facts, on, vocabulary, terms, lowered.protocol.anchor_days(on))
    course = _Course(lowered, today, closed_cohorts, keeps=False)
    first, *later = course.turns(shift(on, horizon))
    begun = _told(course.assess(first))
    return next((add_days(day, -1) for day in later if _told(course.assess(day)) != begun), None)


def turning_days(
    lowered: LoweredProtocol,
    facts: Facts,
    *,
    on: date,
    vocabulary: Vocabulary,
    terms: Terms,
    horizon: Duration = HORIZON,
) -> tuple[date, ...]:
    """Give the days after a day on which some leaf turns, facts that are good on it staying good."""
    today = Scene(facts, on, vocabulary, terms, lowered.protocol.anchor_days(on))
    return tuple(_Course(lowered, today, (), keeps=True).turns(shift(on, horizon))[1:])


def _told(judged: Assessment) -> object:
    verdicts = tuple((one.criterion.id, one.applies, one.passes, one.is_open) for one in judged.verdicts)
    return judged.disposition, judged.cohorts, verdicts


def _is_clear(judged: Assessment, barring: Collection[str]) -> bool:
    if judged.disposition is Disposition.INELIGIBLE:
        return False
    return all(one.passes is Kleene.MET for one in judged.verdicts if one.criterion.id in barring)


def _segments(assessments: Sequence[tuple[date, Assessment]], last: date) -> Iterator[Segment]:
    """Join days of one disposition with the same deciding criteria."""
    begun: Segment | None = None
    for day, judged in assessments:
        deciding = _deciding(judged)
        if begun is not None and (begun.disposition, begun.deciding) == (judged.disposition, deciding):
            continue
        if begun is not None:
            yield replace(begun, last=add_days(day, -1))
        begun = Segment(day, last, judged.disposition, deciding)
    if begun is not None:
        yield begun


def _deciding(judged: Assessment) -> tuple[str, ...]:
    ruled_out = judged.disposition is Disposition.INELIGIBLE
    verdicts = judged.ruling_out if ruled_out else judged.open
    return tuple(one.criterion.id for one in verdicts if ruled_out or one in judged.counting)


@dataclass(frozen=True, slots=True)
class _Course:
    """One person and protocol along the days; with `kept`, facts stay as fresh as they are in that scene."""

    lowered: LoweredProtocol
    today: Scene
    closed_cohorts: Collection[str]
    keeps: bool

    def scene(self, day: date) -> Scene:
        anchors = self.lowered.protocol.anchor_days(day)
        return replace(self.today, on=day, anchors=anchors, kept=self.today if self.keeps else None)

    def assess(self, day: date) -> Assessment:
        return assess_scene(self.lowered, self.scene(day), closed_cohorts=self.closed_cohorts)

    def turns(self, last: date) -> list[date]:
        """Give the first day and all up to the last one on which some leaf turns."""
        look = _Look(self)
        turning = {day for atom in self.lowered.atoms for day in self._turns_of(atom, last, look)}
        return sorted({self.today.on, *turning})

    def _turns_of(self, atom: Atom, last: date, look: _Look) -> Iterator[date]:
        before = look.at(atom, self.today.on)
        for day in sorted(set(self._suspects(atom, last))):
            now = look.at(atom, day)
            if now != before:
                yield day
            before = now

    def _suspects(self, atom: Atom, last: date) -> Iterator[date]:
        """Give every day on which a leaf may turn: its dates moved by its lengths, and the days beside."""
        lengths = set(_lengths(atom, self.today, expiring=not self.keeps))
        offsets = set(_offsets(atom, self.lowered.protocol))
        for end in set(_ends(atom, self.today)):
            for length in lengths:
                for moved in (shift(end, length), shift(end, length, -1)):
                    for offset in offsets:
                        yield from self._around(shift(moved, offset, -1), last)

    def _around(self, middle: date, last: date) -> Iterator[date]:
        for step in range(-AROUND, AROUND + 1):
            day = add_days(middle, step)
            if self.today.on < day <= last:
                yield day


class _Look:
    """Leaves judged on days, the codes of each day looked up once."""

    def __init__(self, course: _Course) -> None:
        self._course = course
        self._days: dict[date, tuple[Scene, list[Entry]]] = {}

    def at(self, atom: Atom, day: date) -> tuple[Kleene, bool]:
        """Give the verdict of a leaf on a day, and whether the person could still change it."""
        if day not in self._days:
            scene = self._course.scene(day)
            self._days[day] = scene, entries(scene)
        scene, told = self._days[day]
        finding = find_leaf(atom, scene, told=told)
        return finding.value, is_open(atom, finding, scene.vocabulary)


def _window(atom: Atom) -> Window | None:
    leaf = coded_part(atom.leaf) or atom.leaf
    return leaf.window if isinstance(leaf, Coded | Number | When) else None


def _lengths(atom: Atom, today: Scene, *, expiring: bool) -> Iterator[Duration]:
    """Give the stretches of time that a leaf speaks of, and where facts grow old, how long they hold."""
    yield Duration(0, CalendarUnit.DAYS)
    window, told, leaf = _window(atom), coded_part(atom.leaf), atom.leaf
    if window is not None:
        yield from (length for length in (window.length, window.upto) if length is not None)
    if told is not None:
        yield from (length for length in (told.for_at_least, told.unchanged_for) if length is not None)
    if isinstance(leaf, Age):
        for limit in (leaf.ge, leaf.gt, leaf.le, leaf.lt):
            if limit is not None:
                yield from (Duration(limit, leaf.unit), Duration(limit + 1, leaf.unit))
    if expiring:
        names = {*_names(atom), *(fact.key for fact in _facts(atom, today))}
        keys = (today.vocabulary.get(name) for name in names)
        yield from (key.validity for key in keys if key is not None and key.validity is not None)
        yield DEFAULT_VALIDITY


def _offsets(atom: Atom, protocol: Protocol) -> Iterator[Duration]:
    """Give how far the anchor of a leaf may lie from the day of screening."""
    yield Duration(0, CalendarUnit.DAYS)
    window = _window(atom)
    anchor = protocol.anchors.get(window.anchor) if window is not None else None
    if anchor is not None:
        yield from (anchor.earliest, anchor.latest)


def _facts(atom: Atom, today: Scene) -> Iterator[Fact]:
    """Give the facts that a leaf may look at."""
    if coded_part(atom.leaf) is not None:
        yield from today.facts.coded()
    for name in _names(atom):
        yield from today.facts.of(name)


def _names(atom: Atom) -> tuple[str, ...]:
    """Name the keys of a leaf: its own, and those that it is computed from."""
    own = getattr(atom.leaf, "key", None)
    return tuple(dict.fromkeys((*atom.keys, *([own] if own else []))))


def _ends(atom: Atom, today: Scene) -> Iterator[date]:
    """Give the first and last days of everything dated that a leaf may look at."""
    for fact in _facts(atom, today):
        for days in (fact.observed, *_days_in(fact)):
            yield from (end for end in (days.lo, days.hi) if end is not None)


def _days_in(fact: Fact) -> Iterator[DateRange]:
    match fact.value:
        case Dated():
            yield fact.value.range
        case Denial(since=DateRange() as since):
            yield since
        case Statement():
            parts = (fact.value.onset, fact.value.ended, fact.value.unchanged_since)
            yield from (part for part in parts if part is not None)
        case _:
            return
