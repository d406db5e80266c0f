"""The verdict of "so many distinct ones": a count that is sure, and a limit where the account closes.

Statements that may speak of the same thing count once from below. From above
there is no limit until denials and closures cover every code that is not
itself among what was told (SEMANTICS 2.4).
"""

from __future__ import annotations

from collections.abc import Sequence

from screening.assessment.coded import decided, most_urgent, vagueness
from screening.assessment.evidence import Finding, Scene
from screening.assessment.statements import Entry, Question, closures, episode, statement_verdict
from screening.language.criteria import Distinct, DistinctBy
from screening.terms import may_have_parts
from screening.verdict import Kleene


def find_distinct(leaf: Distinct, scene: Scene, *, told: Sequence[Entry], keys: Sequence[str]) -> Finding:
    """Judge a count by what was told; `keys` are the questions that can settle it."""
    question = Question.of(leaf.of, scene, leaf.decides_from)
    return decided(question, lambda held: _judge(leaf, question, held), told=told, keys=keys)


def _judge(leaf: Distinct, question: Question, held: Sequence[Entry]) -> Finding:
    said = [(entry, statement_verdict(question, entry)) for entry in held if entry.statement]
    sure = [entry for entry, verdict in said if verdict is Kleene.MET]
    several = _surely_distinct(leaf.by, question, sure)
    if len(several) >= leaf.count:
        strongest = sorted(several, key=lambda entry: entry.fact.source.rank)[: leaf.count]
        return Finding(Kleene.MET, tuple(entry.reading for entry in strongest))
    maybe = [entry for entry, verdict in said if verdict is Kleene.UNKNOWN]
    possible = [*sure, *maybe]
    closing = closures(question, held)
    if len(possible) < leaf.count and _is_closed(leaf, question, closing, possible):
        return Finding(Kleene.NOT_MET, tuple(entry.reading for entry in (*possible, *closing)))
    why = most_urgent(vagueness(question, entry) for entry in maybe) if maybe else None
    return Finding(Kleene.UNKNOWN, tuple(entry.reading for entry in possible), why)


def _is_closed(leaf: Distinct, question: Question, closing: Sequence[Entry], possible: Sequence[Entry]) -> bool:
    """Tell whether nothing beside the possible statements can fulfil the part.

    A kind that was told is one, however often it comes, unless its code has
    narrower ones; an episode that was told does not exclude another of the same.
    """
    closed = [*closing, *(entry for entry in possible if leaf.by is DistinctBy.KIND and _is_one_kind(entry))]
    left = question.wanted
    for entry in closed:
        left = left.minus(entry.codes)
    return left.is_empty


def _is_one_kind(entry: Entry) -> bool:
    return entry.statement is not None and not may_have_parts(entry.statement.code)


def _surely_distinct(by: DistinctBy, question: Question, sure: Sequence[Entry]) -> list[Entry]:
    """Choose statements of which no two can be the same, narrow codes and early ends first."""
    chosen: list[Entry] = []
    for entry in sorted(sure, key=lambda entry: _place(by, question, entry, sure)):
        if all(_differ(by, question, entry, other) for other in chosen):
            chosen.append(entry)
    return chosen


def _place(by: DistinctBy, question: Question, entry: Entry, among: Sequence[Entry]) -> tuple[int, str]:
    if by is DistinctBy.KIND:
        return sum(other.codes.within(entry.codes) for other in among), str(entry.fact.id)
    ends = episode(entry, question.scene)[1]
    return (ends.hi.toordinal() if ends.hi else 10**7), str(entry.fact.id)


def _differ(by: DistinctBy, question: Question, one: Entry, other: Entry) -> bool:
    if by is DistinctBy.KIND:
        return not one.codes.overlaps(other.codes)
    starts, ends = episode(one, question.scene)
    others_start, others_end = episode(other, question.scene)
    return ends.before(others_start) or others_end.before(starts)
