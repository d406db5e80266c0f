"""Why a criterion came out as it did: a tree of messages, and its sentences in English."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from screening.assessment.evidence import Finding, Scene, Why
from screening.assessment.phrases import reading_words, source_words, subject_words, wanted_words
from screening.language.criteria import (
    AtLeast,
    Attested,
    Coded,
    Distinct,
    Is,
    Leaf,
    Node,
    Note,
    SiteOnly,
    Unconfirmed,
)
from screening.language.lowering import Part, value_of
from screening.verdict import Kleene

SENTENCES: Final[Mapping[str, str]] = {
    "value.met": "{subject} {given} is {wanted}.",
    "value.not_met": "{subject} {given} is not {wanted}.",
    "value.imprecise": "{subject} {given} is not exact enough to tell whether it is {wanted}.",
    "value.no_reference": "{subject} {given} came without its reference range: is it {wanted}?",
    "value.conflict": "{subject}: {given} do not agree on whether it is {wanted}.",
    "value.stale": "{subject} {given} is too old to tell whether it is {wanted}.",
    "value.not_asked": "{subject} is not known, nobody has asked: is it {wanted}?",
    "value.dont_know": "{subject} is not known to the person: is it {wanted}?",
    "value.declined": "{subject}: the person preferred not to say. Is it {wanted}?",
    "value.weaker_source": "{subject} {given} needs {decides_from} or better: is it {wanted}?",
    "choice.met": "{subject}: {given}.",
    "choice.not_met": "{subject}: {given}, not {wanted}.",
    "choice.imprecise": "{subject}: {given} may or may not be {wanted}.",
    "choice.conflict": "{subject}: {given} do not agree.",
    "choice.stale": "{subject}: {given} is too old to count.",
    "choice.not_asked": "{subject}: nobody has asked. Is it {wanted}?",
    "choice.dont_know": "{subject}: the person does not know. Is it {wanted}?",
    "choice.declined": "{subject}: the person preferred not to say. Is it {wanted}?",
    "choice.weaker_source": "{subject}: {given} needs {decides_from} or better.",
    "answer.met": "{subject}: {given}.",
    "answer.not_met": "{subject}: {given}.",
    "answer.imprecise": "{subject}: {given}, which does not settle it.",
    "answer.conflict": "{subject}: {given} do not agree.",
    "answer.stale": "{subject}: {given} is too old to count.",
    "answer.not_asked": "{subject}: nobody has asked.",
    "answer.dont_know": "{subject}: the person does not know.",
    "answer.declined": "{subject}: the person preferred not to say.",
    "answer.weaker_source": "{subject}: {given} needs {decides_from} or better.",
    "answer.could_be_refined": "{subject}: {given} may or may not be meant, ask which kind.",
    "answer.examples_only": "{subject}: {given}, but these are examples and there may be others.",
    "all": "All of these:",
    "any": "At least one of these:",
    "none": "None of these:",
    "at_least": "At least {count} of these:",
    "not": "Not this:",
    "but_not": "The first but not the second:",
    "if": "If the first, then the second:",
    "case": "Depending on the case:",
    "site": "Only the study site can tell: {text}",
    "text": "Nobody has turned this into a rule yet: {text}",
    "note": "Not a rule: {text}",
    "does_not_apply": "This does not apply to the person.",
}
"""One English sentence per message; the parameters are the reason's."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of an explanation.

    `value` is None where the step does not apply. `decides` marks what the
    criterion's verdict rests on, or what keeps it unknown.
    """

    message: str
    params: Mapping[str, str]
    value: Kleene | None
    decides: bool
    parts: tuple[Reason, ...] = ()

    @property
    def sentence(self) -> str:
        """The step in English."""
        return SENTENCES[self.message].format_map(self.params)

    def to_json(self) -> dict[str, object]:
        """Write the tree as plain JSON, with the sentence as it was shown."""
        document: dict[str, object] = {
            "message": self.message,
            "params": dict(self.params),
            "value": "does not apply" if self.value is None else str(self.value),
            "decides": self.decides,
            "sentence": self.sentence,
        }
        if self.parts:
            document["parts"] = [part.to_json() for part in self.parts]
        return document


def reason_of(part: Part, findings: Sequence[Finding], scene: Scene, *, deciding: frozenset[int]) -> Reason:
    """Tell a part and everything below it."""
    values = [finding.value for finding in findings]
    return _reason(part, findings, values, scene, deciding)


def sentences(reasons: Sequence[Reason]) -> Iterator[str]:
    """Give the sentences that decide, in the order of the trees; all of them where none does."""
    leaves = [leaf for reason in reasons for leaf in _leaves(reason)]
    decisive = [leaf for leaf in leaves if leaf.decides]
    for leaf in decisive or leaves:
        yield leaf.sentence


def _leaves(reason: Reason) -> Iterator[Reason]:
    if not reason.parts:
        yield reason
    for part in reason.parts:
        yield from _leaves(part)


def _reason(
    part: Part, findings: Sequence[Finding], values: Sequence[Kleene], scene: Scene, deciding: frozenset[int]
) -> Reason:
    applies, holds = value_of(part.applies, values), value_of(part.holds, values)
    value = None if applies is Kleene.NOT_MET else min(applies, holds) if applies is Kleene.UNKNOWN else holds
    if part.atom is not None and isinstance(part.node, Leaf):
        finding = findings[part.atom]
        message, params = _leaf_message(part.node, finding, scene)
        return Reason(message, params, value, part.atom in deciding)
    inner = tuple(_reason(one, findings, values, scene, deciding) for one in part.parts)
    decides = any(one.decides for one in inner) or (not inner and value is Kleene.UNKNOWN)
    return Reason(part.node.op, _group_params(part.node), value, decides, inner)


def _group_params(node: Node) -> dict[str, str]:
    match node:
        case SiteOnly() | Unconfirmed() | Note():
            return {"text": node.text}
        case AtLeast():
            return {"count": str(node.count)}
        case _:
            return {}


def _leaf_message(leaf: Leaf, finding: Finding, scene: Scene) -> tuple[str, dict[str, str]]:
    kind = (
        "choice"
        if isinstance(leaf, Is)
        else "answer"
        if isinstance(leaf, Attested | Coded | Distinct)
        else "value"
    )
    outcome = str(finding.value).replace(" ", "_") if finding.value.is_settled else _outcome(kind, finding)
    given = [reading_words(reading, leaf, scene.vocabulary, on=scene.on) for reading in finding.readings]
    return f"{kind}.{outcome}", {
        "subject": subject_words(leaf, scene.vocabulary),
        "given": " and ".join(given),
        "wanted": wanted_words(leaf, scene.vocabulary),
        "decides_from": source_words(leaf.decides_from) if leaf.decides_from else "",
    }


def _outcome(kind: str, finding: Finding) -> str:
    """Name why a leaf is unknown, in the words that the kind of leaf has for it."""
    why = finding.why or Why.NOT_ASKED
    if f"{kind}.{why.value}" in SENTENCES:
        return why.value
    return Why.IMPRECISE.value
