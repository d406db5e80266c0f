"""The verdict of a coded leaf: one statement of which everything holds, or a closed account of none.

An affirmed code settles a leaf when all it may mean lies within the codes
asked for; one that merely overlaps ("diabetes" against "type 2") leaves it to
be refined. A leaf is not met only when denials and closures cover every code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from screening.assessment.evidence import Finding, Missing, Reading, Scene, Why, absence
from screening.assessment.statements import Entry, Question, closures, speaks_against, statement_verdict
from screening.facts import EvidenceSource
from screening.language.criteria import Coded
from screening.terms import CodeSet
from screening.verdict import Kleene

Judge = Callable[[Sequence[Entry]], Finding]
"""Judges by the statements and denials given, whoever made them."""


def find_coded(leaf: Coded, scene: Scene, *, told: Sequence[Entry], keys: Sequence[str]) -> Finding:
    """Judge a coded leaf by what was told; `keys` are the questions that can settle it."""
    question = Question.of(leaf, scene, leaf.decides_from)
    return decided(question, lambda held: _judge(question, held), told=told, keys=keys)


def decided(question: Question, judge: Judge, *, told: Sequence[Entry], keys: Sequence[str]) -> Finding:
    """Judge by what strong enough sources told, unless another of them says the opposite."""
    strong = question.strong(told)
    found = judge(strong)
    if found.value is Kleene.MET and (against := _contradicting(judge, strong, found)):
        facts = Finding(Kleene.UNKNOWN, (*found.readings, *against)).facts
        missing = tuple(Missing(key, Why.CONFLICT, facts) for key in _to_ask(found, keys))
        return Finding(Kleene.UNKNOWN, (*found.readings, *against), Why.CONFLICT, missing)
    if found.value is Kleene.NOT_MET and question.leaf.such_as:
        missing = tuple(Missing(key, Why.EXAMPLES_ONLY, found.facts) for key in keys)
        return Finding(Kleene.UNKNOWN, found.readings, Why.EXAMPLES_ONLY, missing)
    if found.value.is_settled:
        return found
    return _lacking(question, found, strong, told=told, keys=keys)


def _judge(question: Question, held: Sequence[Entry]) -> Finding:
    """Judge by the statements and denials given, whoever made them."""
    said = [(entry, statement_verdict(question, entry)) for entry in held if entry.statement]
    hits = sorted(
        (entry for entry, verdict in said if verdict is Kleene.MET), key=lambda entry: entry.fact.source.rank
    )
    if hits:
        return Finding(Kleene.MET, (hits[0].reading,))
    vague = [entry for entry, verdict in said if verdict is Kleene.UNKNOWN and not entry.is_left_over]
    if vague:
        why = most_urgent(vagueness(question, entry) for entry in vague)
        return Finding(Kleene.UNKNOWN, tuple(entry.reading for entry in vague), why)
    closing = sorted(closures(question, held), key=lambda entry: entry.fact.source.rank)
    left, used = question.wanted, list[Entry]()
    for entry in closing:
        if left.overlaps(entry.codes):
            left = left.minus(entry.codes)
            used.append(entry)
    verdict = Kleene.NOT_MET if left.is_empty else Kleene.UNKNOWN
    return Finding(verdict, tuple(entry.reading for entry in used))


_URGENCY: Final = (Why.STALE, Why.IMPRECISE, Why.COULD_BE_REFINED)


def most_urgent(reasons: Iterable[Why]) -> Why:
    """Give the reason that says most about what to ask."""
    return max(reasons, key=_URGENCY.index)


def vagueness(question: Question, entry: Entry) -> Why:
    """Say why a statement leaves a leaf unknown."""
    if not entry.codes.within(question.wanted):
        return Why.COULD_BE_REFINED
    return Why.IMPRECISE if entry.fresh is Kleene.MET else Why.STALE


def _contradicting(judge: Judge, held: Sequence[Entry], found: Finding) -> tuple[Reading, ...]:
    """Give what another source says by which the leaf would not be met.

    Against what follows from a combination only, so does what its own source
    said later; the end of a component that may have been before it does not.
    """
    stated = [reading.observed for reading in found.readings if reading.through is not None]
    only_follows = len(stated) == len(found.readings)
    speakers = {reading.source for reading in found.readings}
    for source in EvidenceSource:
        mine = [entry for entry in held if entry.fact.source is source]
        if only_follows:
            mine = [entry for entry in mine if all(speaks_against(entry, day) for day in stated)]
        if source in speakers:
            mine = [
                one for one in mine if only_follows and all(day.before(one.fact.observed) for day in stated)
            ]
        alone = judge(mine)
        if alone.value is Kleene.NOT_MET:
            return alone.readings
    return ()


def _lacking(
    question: Question,
    found: Finding,
    strong: Sequence[Entry],
    *,
    told: Sequence[Entry],
    keys: Sequence[str],
) -> Finding:
    """Name what would settle a leaf that is unknown."""
    if found.why is not None:
        missing = tuple(Missing(key, found.why, found.facts) for key in _to_ask(found, keys))
        return Finding(found.value, found.readings, found.why, missing)
    covered = CodeSet({})
    for entry in closures(question, strong):
        covered = covered.union(entry.codes)
    lacking = []
    for name in keys:
        denied = question.scene.vocabulary[name].denied(question.scene.terms)
        if denied.minus(covered).overlaps(question.wanted):
            mine = [entry for entry in told if entry.fact.key == name]
            why = _lack(question.scene, name, mine, limit=question.decides_from)
            lacking.append(Missing(name, why, tuple(entry.fact.id for entry in mine)))
    near = [entry for entry in told if entry.denial and entry.codes.overlaps(question.wanted)]
    readings = found.readings or tuple(entry.reading for entry in near[-1:])
    why = lacking[0].why if lacking else Why.NOT_ASKED
    return Finding(found.value, readings, why, tuple(lacking))


def _lack(scene: Scene, name: str, mine: Sequence[Entry], *, limit: EvidenceSource | None) -> Why:
    """Say why what is held of a key does not close its codes."""
    why = absence(scene, scene.vocabulary[name], after=[entry.reading for entry in mine])
    if why is not None:
        return why
    if not mine:
        return Why.NOT_ASKED
    if limit is not None and all(entry.fact.source.rank > limit.rank for entry in mine):
        return Why.WEAKER_SOURCE
    return Why.STALE if any(entry.fresh is not Kleene.MET for entry in mine) else Why.IMPRECISE


def _to_ask(found: Finding, keys: Sequence[str]) -> Sequence[str]:
    """Name the questions to ask again: those that were answered, or those that could have been."""
    answered = tuple(dict.fromkeys(fact.key for reading in found.readings for fact in reading.facts))
    return tuple(key for key in answered if key in keys) or tuple(keys) or answered
