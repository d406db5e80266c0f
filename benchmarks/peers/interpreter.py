"""The interpreter without its reasons: every leaf of a protocol for one person, then what criteria are."""

from datetime import date

from screening.assessment.assess import is_open
from screening.assessment.evidence import Scene
from screening.assessment.leaves import find_leaves
from screening.facts import Facts
from screening.language.lowering import LoweredProtocol, value_of
from screening.terms import Terms
from screening.verdict import Kleene
from screening.vocabulary import Vocabulary


def passes(
    lowered: LoweredProtocol, facts: Facts, *, on: date, vocabulary: Vocabulary, terms: Terms
) -> list[tuple[Kleene, bool]]:
    """Judge whether a person passes each criterion, and whether that is still open."""
    values, opens = _leaves(lowered, Scene(facts, on, vocabulary, terms, lowered.protocol.anchor_days(on)))
    judged = []
    for one in lowered.criteria:
        best = value_of(one.passes, values, open_atoms=opens, favour=Kleene.MET)
        worst = value_of(one.passes, values, open_atoms=opens, favour=Kleene.NOT_MET)
        judged.append((value_of(one.passes, values), best is not worst))
    return judged


def verdicts(
    lowered: LoweredProtocol, facts: Facts, *, on: date, vocabulary: Vocabulary, terms: Terms
) -> list[tuple[Kleene, ...]]:
    """Judge whether each criterion applies and whether it is passed, at best and at worst too."""
    values, opens = _leaves(lowered, Scene(facts, on, vocabulary, terms, lowered.protocol.anchor_days(on)))
    return [
        (
            value_of(one.part.applies, values),
            value_of(one.passes, values),
            value_of(one.passes, values, open_atoms=opens, favour=Kleene.MET),
            value_of(one.passes, values, open_atoms=opens, favour=Kleene.NOT_MET),
        )
        for one in lowered.criteria
    ]


def _leaves(lowered: LoweredProtocol, scene: Scene) -> tuple[list[Kleene], list[bool]]:
    """Judge each leaf, and say which of the unknown somebody may still settle."""
    findings = find_leaves(lowered.atoms, scene)
    opens = [
        is_open(atom, found, scene.vocabulary) for atom, found in zip(lowered.atoms, findings, strict=True)
    ]
    return [finding.value for finding in findings], opens
