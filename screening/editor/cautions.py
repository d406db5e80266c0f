"""What somebody should look at in a rule before it is published: not wrong as such, but likely a slip."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from screening.assessment.phrases import number_words, unit_words
from screening.editor.editing import holes
from screening.editor.samples import Sample, SampleKind
from screening.errors import InvalidUnit, UnknownKey
from screening.language.checks import leaf_problems
from screening.language.criteria import (
    AllOf,
    AnyOf,
    AtLeast,
    Leaf,
    Limits,
    Node,
    NoneOf,
    Number,
    SiteOnly,
    Unconfirmed,
)
from screening.language.questions import Resolver
from screening.language.tree import walk
from screening.slips import N_
from screening.units import UPPER_LIMIT, convert
from screening.vocabulary import Answerer, Key

_HOLES: Final = N_("Something is still to be said.")
_EMPTY: Final = N_("A group is empty. It cannot be published so.")
_NEVER: Final = N_("At least {count} of {size} can never be met.")
_NO_QUESTION: Final = N_("No question of the vocabulary asks about these codes.")
_NOT_ASKED: Final = N_("No published question asks “{subject}” yet.")
_IMPLAUSIBLE: Final = N_(
    "{subject}: {number} {unit} lies outside what is plausible ({low} to {high} {own}). Is the unit right?"
)
_NOBODY: Final = N_("No made-up person passes. Do the limits contradict one another?")
_EVERYBODY: Final = N_("No made-up person is ruled out. Does the rule say what the text says?")


@dataclass(frozen=True, slots=True)
class Caution:
    """A message and what belongs into it; `message` may be translated before it is filled."""

    message: str
    values: dict[str, object] = field(default_factory=dict)


def cautions(
    rule: Node,
    *,
    resolver: Resolver,
    evidence: Answerer | None,
    asked: Collection[str] | None,
    language: str = "en",
) -> Iterator[Caution]:
    """List what to look at in a rule.

    :param asked: the keys that published questions ask; none where nothing is published yet
    """
    if holes(rule):
        yield Caution(_HOLES)
    for node in walk(rule):
        match node:
            case AllOf() | AnyOf() | NoneOf() | AtLeast() if not node.of:
                yield Caution(_EMPTY)
            case AtLeast() if node.count > len(node.of):
                yield Caution(_NEVER, {"count": node.count, "size": len(node.of)})
            case Leaf():
                yield from _leaf_cautions(node, resolver, evidence, asked, language)
            case _:
                continue


def sample_cautions(rule: Node, made: Collection[Sample]) -> Iterator[Caution]:
    """Say where a rule leaves no way to pass, or to be ruled out, although all of it can be known."""
    if any(isinstance(node, SiteOnly | Unconfirmed) for node in walk(rule)):
        return
    kinds = {sample.kind for sample in made}
    if not any(isinstance(node, Leaf) for node in walk(rule)):
        return
    if SampleKind.PASSES not in kinds and SampleKind.RULED_OUT in kinds:
        yield Caution(_NOBODY)
    if SampleKind.RULED_OUT not in kinds and SampleKind.PASSES in kinds and not _has_examples(rule):
        yield Caution(_EVERYBODY)


def _has_examples(rule: Node) -> bool:
    """Tell whether denying all that is named settles nothing, so that nobody can be ruled out by it."""
    return any(getattr(getattr(node, "of", node), "such_as", False) for node in walk(rule))


def _leaf_cautions(
    leaf: Leaf, resolver: Resolver, evidence: Answerer | None, asked: Collection[str] | None, language: str
) -> Iterator[Caution]:
    for problem in leaf_problems(leaf, vocabulary=resolver.vocabulary, terms=resolver.terms):
        yield Caution("{problem}", {"problem": problem.message})
    try:
        atom = resolver.atom(leaf, evidence)
    except UnknownKey:
        return
    keys = [resolver.vocabulary[name] for name in atom.keys]
    if not keys:
        yield Caution(_NO_QUESTION)
    elif atom.askable and asked is not None:
        open_keys = [key for key in keys if key.participant_can_tell and key.name not in asked]
        for key in open_keys:
            yield Caution(_NOT_ASKED, {"subject": key.text("label", language)})
    if isinstance(leaf, Number) and (measured := resolver.vocabulary.get(leaf.key)) is not None:
        for limits in leaf.limits:
            yield from _implausible(limits, measured, language)


def _implausible(limits: Limits, key: Key, language: str) -> Iterator[Caution]:
    if limits.unit == UPPER_LIMIT or key.plausible is None or key.unit is None:
        return
    for end in (limits.ge, limits.gt, limits.le, limits.lt):
        if end is None:
            continue
        try:
            own = convert(Fraction(end), limits.unit, key.unit, analyte=key.analyte)
        except InvalidUnit:
            return
        if not Fraction(key.plausible.lo) <= own <= Fraction(key.plausible.hi):
            yield Caution(
                _IMPLAUSIBLE,
                {
                    "subject": key.text("label", language),
                    "number": number_words(end),
                    "unit": unit_words(limits.unit),
                    "low": number_words(key.plausible.lo),
                    "high": number_words(key.plausible.hi),
                    "own": unit_words(key.unit),
                },
            )
