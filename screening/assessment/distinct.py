"""The verdict of "so many distinct ones": a count that is sure, and a limit where the account closes.

Statements that may speak of the same thing count once from below. From above
there is no limit until denials and closures cover every code that is not
itself among what was told (SEMANTICS 2.4).

A fixed combination counts as the kinds it contains, as far as the codes ask
for them: Janumet is two medicines against diabetes, and two beside metformin
tablets. It counts itself where the codes ask for none of its components. An
episode of it is one episode, whatever it contains.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from uuid import UUID

from screening.assessment.coded import decided, most_urgent, vagueness
from screening.assessment.evidence import Finding, Scene
from screening.assessment.statements import Entry, Question, closures, episode, statement_verdict
from screening.language.criteria import Distinct, DistinctBy
from screening.terms import CodeSet, may_have_parts
from screening.verdict import Kleene


def find_distinct(leaf: Distinct, scene: Scene, *, told: Sequence[Entry], keys: Sequence[str]) -> Finding:
    """Judge a count by what was told; `keys` are the questions that can settle it."""
    question = Question.of(leaf.of, scene, leaf.decides_from)
    return decided(question, lambda held: _judge(leaf, question, held), told=told, keys=keys)


def _judge(leaf: Distinct, question: Question, held: Sequence[Entry]) -> Finding:
    said = _counted(leaf.by, question, held)
    sure = [entry for entry, verdict in said if verdict is Kleene.MET]
    several = _surely_distinct(leaf.by, question, sure)
    if len(several) >= leaf.count:
        strongest = sorted(several, key=lambda entry: entry.fact.source.rank)[: leaf.count]
        return Finding(Kleene.MET, tuple(entry.reading for entry in strongest))
    closing = closures(question, held)
    maybe = [entry for entry, verdict in said if verdict is Kleene.UNKNOWN and not _is_refuted(entry, closing)]
    possible = [*sure, *maybe]
    most = len({_name(leaf.by, entry) for entry in possible})
    if most < leaf.count and _is_closed(leaf, question, closing, held, possible):
        return Finding(Kleene.NOT_MET, tuple(entry.reading for entry in (*possible, *closing)))
    why = most_urgent(vagueness(question, entry) for entry in maybe) if maybe else None
    return Finding(Kleene.UNKNOWN, tuple(entry.reading for entry in possible), why)


def _counted(by: DistinctBy, question: Question, held: Sequence[Entry]) -> list[tuple[Entry, Kleene]]:
    """Judge what counts of each statement: of a combination its components by kind, itself by episode."""
    said: dict[UUID, list[tuple[Entry, Kleene]]] = {}
    for entry in held:
        if entry.statement is not None:
            said.setdefault(entry.fact.id, []).append((entry, statement_verdict(question, entry)))
    return [one for together in said.values() for one in _chosen(by, together)]


def _chosen(by: DistinctBy, said: Sequence[tuple[Entry, Kleene]]) -> Sequence[tuple[Entry, Kleene]]:
    best = max(said, key=lambda one: one[1])
    if by is DistinctBy.EPISODE:
        return (best,)
    parts = [one for one in said if one[0].through is not None]
    if not parts or best[1] > max(verdict for _, verdict in parts):
        return (best, *(one for one in parts if one[1] is Kleene.UNKNOWN))
    return parts


def _name(by: DistinctBy, entry: Entry) -> object:
    """Name what is one and the same for sure: a single substance, however often it comes."""
    if by is DistinctBy.KIND and entry.statement is not None and _is_one_kind(entry):
        return entry.statement.code.system, entry.statement.code.code
    return entry.fact.id, entry.statement and entry.statement.code.code


def _accounted(held: Sequence[Entry], possible: Sequence[Entry]) -> list[Entry]:
    """Give the combinations of which every component counts: they are no kind of their own."""
    counted = {entry.fact.id for entry in possible}
    whole = [entry for entry in held if entry.contains.sure and entry.contains.is_complete]
    return [entry for entry in whole if entry.through is None and entry.fact.id in counted]


def _is_refuted(entry: Entry, closing: Sequence[Entry]) -> bool:
    """Tell whether what may be left of a combination that is over was denied."""
    return entry.is_left_over and any(entry.codes.within(one.codes) for one in closing)


def _is_closed(
    leaf: Distinct,
    question: Question,
    closing: Sequence[Entry],
    held: Sequence[Entry],
    possible: Sequence[Entry],
) -> bool:
    """Tell whether nothing beside the possible statements can fulfil the part.

    A kind that was told is one, however often it comes, unless its code has
    narrower ones; an episode that was told does not exclude another of the same.
    """
    closed = [*closing]
    if leaf.by is DistinctBy.KIND:
        closed += [*(entry for entry in possible if _is_one_kind(entry)), *_accounted(held, possible)]
    left = question.wanted
    for entry in closed:
        left = left.minus(entry.codes)
    return left.is_empty


def _is_one_kind(entry: Entry) -> bool:
    if entry.statement is None or may_have_parts(entry.statement.code):
        return False
    return entry.contains.is_complete and not entry.contains.sure


def _surely_distinct(by: DistinctBy, question: Question, sure: Sequence[Entry]) -> list[Entry]:
    """Choose statements of which no two can be the same, narrow codes and early ends first."""
    chosen: list[Entry] = []
    for entry in sorted(sure, key=lambda entry: _place(by, question, entry, sure)):
        if all(_differ(by, question, entry, other) for other in chosen):
            chosen.append(entry)
    return chosen


def _place(by: DistinctBy, question: Question, entry: Entry, among: Sequence[Entry]) -> tuple[int, str]:
    if by is DistinctBy.KIND:
        name = f"{entry.fact.id} {entry.statement.code if entry.statement else ''}"
        return sum(other.codes.within(entry.codes) for other in among), name
    ends = episode(entry, question.scene)[1]
    return (ends.hi.toordinal() if ends.hi else 10**7), str(entry.fact.id)


def _kinds(entry: Entry, question: Question) -> CodeSet:
    """Give codes of which one at least is among the kinds that a statement tells of."""
    terms = question.scene.terms
    inside = (CodeSet.of(terms, (code,)) for code in entry.contains.instead)
    return reduce(CodeSet.union, (codes for codes in inside if codes.overlaps(question.wanted)), entry.codes)


def _differ(by: DistinctBy, question: Question, one: Entry, other: Entry) -> bool:
    if by is DistinctBy.KIND:
        return not _kinds(one, question).overlaps(_kinds(other, question))
    starts, ends = episode(one, question.scene)
    others_start, others_end = episode(other, question.scene)
    return ends.before(others_start) or others_end.before(starts)
