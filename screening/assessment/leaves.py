"""The verdict of one leaf: possibility sets held against limits, codes and windows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from screening.assessment.coded import find_coded
from screening.assessment.distinct import find_distinct
from screening.assessment.evidence import Finding, Reading, Scene, Why, find
from screening.assessment.limits import age_within, compare
from screening.assessment.statements import Entry, entries
from screening.facts import Choice, Dated, Flag, Quantity
from screening.language.criteria import Age, Attested, Coded, Distinct, Is, Number, When
from screening.language.questions import BIRTH, Atom
from screening.language.windows import edges
from screening.units import UPPER_LIMIT
from screening.verdict import Kleene, truth


def find_leaves(atoms: Iterable[Atom], scene: Scene) -> list[Finding]:
    """Judge every leaf by one person's facts on one day."""
    told = entries(scene)
    return [find_leaf(atom, scene, told=told) for atom in atoms]


def find_leaf(atom: Atom, scene: Scene, *, told: Sequence[Entry]) -> Finding:
    """Judge a leaf; `told` are the person's coded facts, looked up once."""
    match atom.leaf:
        case Number():
            return _number(atom.leaf, scene)
        case Age():
            return _age(atom.leaf, scene)
        case When():
            return _when(atom.leaf, scene)
        case Is():
            return _is(atom.leaf, scene)
        case Attested():
            return _attested(atom.leaf, scene)
        case Coded():
            return find_coded(atom.leaf, scene, told=told, keys=atom.keys)
        case Distinct():
            return find_distinct(atom.leaf, scene, told=told, keys=atom.keys)
        case _:
            raise TypeError(f"no verdict for {type(atom.leaf).__name__}")


def _number(leaf: Number, scene: Scene) -> Finding:
    key = scene.vocabulary[leaf.key]
    stretch = leaf.window and edges(leaf.window, scene.freshness.anchors[leaf.window.anchor])

    def fresh(reading: Reading) -> Kleene:
        return stretch.judge_day(reading.observed) if stretch else scene.fresh(reading.observed, key.validity)

    def judge(reading: Reading) -> Kleene:
        value = reading.value
        if not isinstance(value, Quantity):
            return Kleene.UNKNOWN
        return compare(value, leaf.limits, key=key, rounded_to=leaf.rounded_to)

    found = find(scene, key, judge=judge, decides_from=leaf.decides_from, fresh=fresh)
    if found.why is Why.IMPRECISE and _lacks_reference(leaf, found):
        missing = tuple(replace(one, why=Why.NO_REFERENCE) for one in found.missing)
        return Finding(found.value, found.readings, Why.NO_REFERENCE, missing)
    return found


def _lacks_reference(leaf: Number, found: Finding) -> bool:
    return any(limits.unit == UPPER_LIMIT for limits in leaf.limits) and any(
        isinstance(reading.value, Quantity) and reading.value.reference is None for reading in found.readings
    )


def _age(leaf: Age, scene: Scene) -> Finding:
    def judge(reading: Reading) -> Kleene:
        return (
            age_within(reading.value.range, leaf, on=scene.on)
            if isinstance(reading.value, Dated)
            else Kleene.UNKNOWN
        )

    return find(scene, scene.vocabulary[BIRTH], judge=judge, decides_from=leaf.decides_from)


def _when(leaf: When, scene: Scene) -> Finding:
    """Hold a day against a window; "never" and days outside count only while they are fresh.

    A day inside stays inside, but after "my last dose was in May" there may
    have been another one since.
    """
    key = scene.vocabulary[leaf.key]
    stretch = edges(leaf.window, scene.anchors[leaf.window.anchor])

    def fresh(reading: Reading) -> Kleene:
        if isinstance(reading.value, Dated) and stretch.judge_day(reading.value.range) is Kleene.MET:
            return Kleene.MET
        return scene.fresh(reading.observed, key.validity)

    def judge(reading: Reading) -> Kleene:
        return stretch.judge_day(reading.value.range) if isinstance(reading.value, Dated) else Kleene.NOT_MET

    return find(scene, key, judge=judge, decides_from=leaf.decides_from, fresh=fresh)


def _is(leaf: Is, scene: Scene) -> Finding:
    wanted = frozenset(leaf.codes)

    def judge(reading: Reading) -> Kleene:
        if not isinstance(reading.value, Choice):
            return Kleene.UNKNOWN
        possible = reading.value.codes
        if possible <= wanted:
            return Kleene.MET
        return Kleene.NOT_MET if possible.isdisjoint(wanted) else Kleene.UNKNOWN

    return find(scene, scene.vocabulary[leaf.key], judge=judge, decides_from=leaf.decides_from)


def _attested(leaf: Attested, scene: Scene) -> Finding:
    def judge(reading: Reading) -> Kleene:
        return truth(reading.value == Flag(leaf.value))

    return find(scene, scene.vocabulary[leaf.key], judge=judge, decides_from=leaf.decides_from)
