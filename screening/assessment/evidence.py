"""Which of the facts of a key is effective on a day, and why a verdict stays unknown.

An effective fact is found by the key's stated policy, never by what would
suit: measurements by the newest valid one, statements source by source, an
affirmation until it is retracted. Disagreement is reported, not resolved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from screening.computed import COMPUTATIONS, Input
from screening.errors import InvalidUnit
from screening.facts import (
    Absence,
    Choice,
    Dated,
    Denial,
    EvidenceSource,
    Fact,
    Facts,
    Flag,
    Quantity,
    Statement,
    Value,
)
from screening.intervals import DateRange, DecimalRange, Duration, earliest_start
from screening.language.questions import participant_completes
from screening.terms import Terms
from screening.units import canonical
from screening.verdict import Kleene
from screening.vocabulary import Key, KeyKind, Policy, Vocabulary

CONFLICT_POLICY = "1"
"""Named by stored assessments; changes when the rules of this module do."""


class Why(StrEnum):
    """Why something is unknown."""

    NOT_ASKED = "not_asked"
    DONT_KNOW = "dont_know"
    DECLINED = "declined"
    STALE = "stale"
    CONFLICT = "conflict"
    IMPRECISE = "imprecise"
    COULD_BE_REFINED = "could_be_refined"
    NO_REFERENCE = "no_reference"
    WEAKER_SOURCE = "weaker_source"
    EXAMPLES_ONLY = "examples_only"
    UNCONFIRMED_TEXT = "unconfirmed_text"
    SITE_ONLY = "site_only"


OPEN = frozenset(
    {
        Why.NOT_ASKED,
        Why.DONT_KNOW,
        Why.DECLINED,
        Why.STALE,
        Why.CONFLICT,
        Why.IMPRECISE,
        Why.COULD_BE_REFINED,
        Why.WEAKER_SOURCE,
    }
)
"""What the person could still clear up, if the question is one that a person can answer."""


_ABSENT = frozenset({Why.NOT_ASKED, Why.DONT_KNOW, Why.DECLINED, Why.STALE})
"""Why a value is not there at all, rather than vague or disputed."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What keeps a verdict unknown: the key, why, and the facts that were not enough."""

    key: str
    why: Why
    facts: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """One value to judge by: a fact's own, one computed from several facts, or one that follows from it.

    `through` is the statement of a combination, of whose component it tells.
    """

    value: Value
    observed: DateRange
    source: EvidenceSource
    facts: tuple[Fact, ...]
    through: Statement | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict of a leaf, the readings it rests on, and what is missing where it is unknown."""

    value: Kleene
    readings: tuple[Reading, ...] = ()
    why: Why | None = None
    missing: tuple[Missing, ...] = ()

    @property
    def strength(self) -> EvidenceSource | None:
        """The weakest source that the verdict rests on."""
        return max((r.source for r in self.readings), key=lambda source: source.rank, default=None)

    @property
    def facts(self) -> tuple[UUID, ...]:
        """The ids of the facts that were looked at."""
        return tuple(dict.fromkeys(fact.id for reading in self.readings for fact in reading.facts))


@dataclass(frozen=True, slots=True)
class Scene:
    """One person's facts on one day, with everything needed to read them.

    Where the days to come are judged with facts that stay as good as they are
    today, `kept` is today's scene: it alone tells what is fresh.
    """

    facts: Facts
    on: date
    vocabulary: Vocabulary
    terms: Terms
    anchors: Mapping[str, DateRange]
    kept: Scene | None = None

    @property
    def freshness(self) -> Scene:
        """The scene whose day tells what is fresh."""
        return self.kept or self

    def fresh(self, observed: DateRange, validity: Duration | None) -> Kleene:
        """Tell whether something observed then still holds; unknown where the day is vague."""
        if validity is None:
            return Kleene.MET
        first = earliest_start(self.freshness.on, validity)
        if observed.lo is not None and observed.lo >= first:
            return Kleene.MET
        expired = observed.hi is not None and observed.hi < first
        return Kleene.NOT_MET if expired else Kleene.UNKNOWN


Judge = Callable[[Reading], Kleene]


def person_could_settle(found: Finding, key: Key | None, vocabulary: Vocabulary) -> bool:
    """Tell whether an unknown leaf waits for something that the person could tell.

    `key` is what the leaf reads, where it reads one: a value computed from inputs that are not there waits for
    all of them, one computed from inputs that are vague may be settled by any of them.
    """
    if found.why not in OPEN:
        return False
    is_absent = all(one.why in _ABSENT for one in found.missing)
    lacking = (one.key for one in found.missing)
    return participant_completes(key if is_absent else None, lacking, vocabulary)


def weigh(readings: Sequence[Reading], *, policy: Policy, fresh: Judge, judge: Judge) -> Finding:
    """Judge the effective readings of a key; the finding names nothing missing yet."""
    match policy:
        case Policy.NEWEST:
            return _newest(readings, fresh, judge)
        case Policy.PER_SOURCE:
            return _per_source(readings, lambda held: _newest(held, fresh, judge))
        case Policy.AFFIRMATION:
            return _per_source(readings, lambda held: _affirmed(held, fresh, judge))


def _newest(readings: Sequence[Reading], fresh: Judge, judge: Judge) -> Finding:
    """Judge by the newest valid reading; by all of them where none is surely the newest."""
    aged = [(reading, fresh(reading)) for reading in readings]
    live = [(reading, age) for reading, age in aged if age is not Kleene.NOT_MET]
    if not live:
        return Finding(Kleene.UNKNOWN, tuple(readings[-1:]), Why.STALE if readings else Why.NOT_ASKED)
    sure = [reading for reading, age in live if age is Kleene.MET]
    front = [(r, age) for r, age in live if not any(r.observed.before(other.observed) for other in sure)]
    verdicts = {judge(r) if age is Kleene.MET else Kleene.UNKNOWN for r, age in front}
    held = tuple(reading for reading, _ in front)
    if verdicts <= {Kleene.MET} or verdicts <= {Kleene.NOT_MET}:
        return Finding(verdicts.pop(), held)
    if Kleene.UNKNOWN not in verdicts:
        return Finding(Kleene.UNKNOWN, held, Why.CONFLICT)
    stale = any(age is Kleene.UNKNOWN for _, age in front)
    return Finding(Kleene.UNKNOWN, held, Why.STALE if stale else Why.IMPRECISE)


def _per_source(readings: Sequence[Reading], inner: Callable[[Sequence[Reading]], Finding]) -> Finding:
    """Judge each source by itself; settled verdicts must not contradict one another."""
    by_source: dict[EvidenceSource, list[Reading]] = {}
    for reading in readings:
        by_source.setdefault(reading.source, []).append(reading)
    findings = [inner(by_source[source]) for source in EvidenceSource if source in by_source]
    settled = [finding for finding in findings if finding.value.is_settled]
    if len({finding.value for finding in settled}) > 1:
        held = tuple(reading for finding in settled for reading in finding.readings)
        return Finding(Kleene.UNKNOWN, held, Why.CONFLICT)
    if settled:
        return settled[0]
    telling = [finding for finding in findings if finding.why is not Why.STALE]
    return next(iter(telling or findings), None) or inner(())


def _affirmed(readings: Sequence[Reading], fresh: Judge, judge: Judge) -> Finding:
    """Judge by a yes if there is one: it does not expire and no later no displaces it."""
    yes = [reading for reading in readings if reading.value == Flag(value=True)]
    if yes:
        return Finding(judge(yes[-1]), (yes[-1],))
    return _newest(readings, fresh, judge)


def find(
    scene: Scene,
    key: Key,
    *,
    judge: Judge,
    decides_from: EvidenceSource | None = None,
    fresh: Judge | None = None,
) -> Finding:
    """Judge a leaf by the facts of one key, and say what is missing where that leaves it unknown."""
    readings = readings_of(scene, key, decides_from=decides_from)
    return find_among(readings, scene, key, judge=judge, decides_from=decides_from, fresh=fresh)


def find_among(
    readings: Sequence[Reading],
    scene: Scene,
    key: Key,
    *,
    judge: Judge,
    decides_from: EvidenceSource | None = None,
    fresh: Judge | None = None,
) -> Finding:
    """Judge a leaf as `find` does, by readings that were taken before."""
    strong = [r for r in readings if decides_from is None or r.source.rank <= decides_from.rank]
    found = weigh(
        strong,
        policy=key.policy,
        fresh=fresh or (lambda reading: scene.fresh(reading.observed, key.validity)),
        judge=judge,
    )
    if found.value.is_settled:
        return found
    if readings and not strong:
        found = Finding(Kleene.UNKNOWN, tuple(readings[-1:]), Why.WEAKER_SOURCE)
    return Finding(found.value, found.readings, *_missing(scene, key, found))


def readings_of(scene: Scene, key: Key, *, decides_from: EvidenceSource | None = None) -> tuple[Reading, ...]:
    """Give the values held for a key, the computed one included; answers without value are none.

    What a source as strong says itself, of the same day or later, is not computed beside it: a laboratory's own
    eGFR may rest on another formula.
    """
    wanted = _VALUE_TYPES[key.kind]
    direct = tuple(
        Reading(fact.value, fact.observed, fact.source, (fact,))
        for fact in scene.facts.of(key.name)
        if isinstance(fact.value, wanted)
    )
    computed = _computed(scene, key, decides_from) if key.computed else None
    if computed is None or any(_displaces(reading, computed) for reading in direct):
        return direct
    return (*direct, computed)


def _displaces(said: Reading, computed: Reading) -> bool:
    return said.source.rank <= computed.source.rank and not said.observed.before(computed.observed)


_VALUE_TYPES: Mapping[KeyKind, tuple[type[Value], ...]] = {
    KeyKind.QUANTITY: (Quantity,),
    KeyKind.DATE: (Dated, Denial),
    KeyKind.CHOICE: (Choice,),
    KeyKind.FLAG: (Flag,),
    KeyKind.CODED: (Statement, Denial),
}


def absence(scene: Scene, key: Key, *, after: Iterable[Reading] = ()) -> Why | None:
    """Say whether the last answer to a key was "don't know" or declined, and still counts."""
    asked = [fact for fact in scene.facts.of(key.name) if isinstance(fact.value, Absence)]
    if not asked or scene.fresh(asked[-1].observed, key.validity) is Kleene.NOT_MET:
        return None
    if any(fact.recorded_at > asked[-1].recorded_at for r in after for fact in r.facts):
        return None
    return Why.DECLINED if asked[-1].value is Absence.DECLINED else Why.DONT_KNOW


def _missing(scene: Scene, key: Key, found: Finding) -> tuple[Why, tuple[Missing, ...]]:
    """Name what would settle a leaf that is unknown."""
    why = found.why or Why.IMPRECISE
    if why in (Why.NOT_ASKED, Why.STALE):
        why = absence(scene, key, after=found.readings) or why
    direct = any(fact.key == key.name for fact in (f for r in found.readings for f in r.facts))
    if key.computed is None or direct:
        return why, (Missing(key.name, why, found.facts),)
    inputs = [_input_missing(scene, scene.vocabulary[name]) for name in key.computed.inputs]
    lacking = tuple(missing for missing in inputs if missing is not None)
    if not found.readings and lacking:
        return lacking[0].why, lacking
    vague = tuple(Missing(name, why, found.facts) for name in key.computed.inputs)
    return why, lacking or vague


def _input_missing(scene: Scene, key: Key) -> Missing | None:
    """Say why an input gives no value, or nothing if it gives one."""
    readings = readings_of(scene, key)
    if any(scene.fresh(reading.observed, key.validity) is Kleene.MET for reading in readings):
        return None
    why = absence(scene, key, after=readings) or (Why.STALE if readings else Why.NOT_ASKED)
    return Missing(key.name, why, tuple(fact.id for reading in readings[-1:] for fact in reading.facts))


def _computed(scene: Scene, key: Key, decides_from: EvidenceSource | None) -> Reading | None:
    """Compute a key from its inputs by the one reference function, as an enclosure."""
    if key.computed is None or key.unit is None:
        return None
    inputs: list[Input] = []
    used: list[Reading] = []
    for name in key.computed.inputs:
        source = scene.vocabulary[name]
        readings = _effective(scene, source, decides_from)
        inputs.append(_input(source, readings))
        used.extend(readings)
    result = COMPUTATIONS[key.computed.function](inputs)
    if result is None or not used:
        return None
    return Reading(
        Quantity(result, key.unit),
        _oldest([reading for reading in used if _expires(scene, reading)] or used),
        max((reading.source for reading in used), key=lambda source: source.rank),
        tuple(fact for reading in used for fact in reading.facts),
    )


def _input(key: Key, readings: Sequence[Reading]) -> Input:
    """Give what is possible of an input: of a choice that nobody knows, every one of its codes."""
    told = [reading.value.codes for reading in readings if isinstance(reading.value, Choice)]
    days = [reading.value.range for reading in readings if isinstance(reading.value, Dated)]
    return Input(
        known=_hull(readings, key),
        plausible=key.plausible.range if key.plausible else None,
        codes=frozenset().union(*told) if told else frozenset(key.codes),
        days=_hull_of_days(days) if days else None,
        observed=_hull_of_days([reading.observed for reading in readings]) if readings else None,
    )


def _hull_of_days(ranges: Sequence[DateRange]) -> DateRange:
    lows = [days.lo for days in ranges if days.lo is not None]
    highs = [days.hi for days in ranges if days.hi is not None]
    return DateRange(
        min(lows) if len(lows) == len(ranges) else None, max(highs) if len(highs) == len(ranges) else None
    )


def _expires(scene: Scene, reading: Reading) -> bool:
    return any(scene.vocabulary[fact.key].validity is not None for fact in reading.facts)


def _effective(scene: Scene, key: Key, decides_from: EvidenceSource | None) -> tuple[Reading, ...]:
    """Give the readings of an input that may be the newest; none when that is not sure to be valid."""
    strong = [
        reading
        for reading in readings_of(scene, key, decides_from=decides_from)
        if decides_from is None or reading.source.rank <= decides_from.rank
    ]
    found = weigh(
        strong,
        policy=Policy.NEWEST,
        fresh=lambda reading: scene.fresh(reading.observed, key.validity),
        judge=lambda reading: Kleene.MET,
    )
    return found.readings if found.value is Kleene.MET else ()


def _hull(readings: Sequence[Reading], key: Key) -> DecimalRange | None:
    """Enclose the values of readings in the key's own unit."""
    ranges: list[DecimalRange] = []
    for reading in readings:
        if isinstance(reading.value, Quantity):
            try:
                ranges.append(canonical(reading.value, key.unit or "", key.digits, analyte=key.analyte))
            except InvalidUnit:
                return None
    if not ranges:
        return None
    lows = [numbers.lo for numbers in ranges if numbers.lo is not None]
    highs = [numbers.hi for numbers in ranges if numbers.hi is not None]
    return DecimalRange(
        min(lows) if len(lows) == len(ranges) else None, max(highs) if len(highs) == len(ranges) else None
    )


def _oldest(readings: Sequence[Reading]) -> DateRange:
    """Give the days on which the oldest of several readings was observed."""
    lows = [reading.observed.lo for reading in readings if reading.observed.lo is not None]
    highs = [reading.observed.hi for reading in readings if reading.observed.hi is not None]
    return DateRange(min(lows) if len(lows) == len(readings) else None, min(highs, default=None))
