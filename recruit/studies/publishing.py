"""What stands between a draft of the criteria and its publication, and what to look at first.

A draft is refused where a rule is broken, where nobody could ever pass, and
where no question asks what participants know and the criteria need. That the
board has approved the words of a question comes after publication, which
fixes them; it is named where a site is activated (``recruit.studies.activation``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recruit.db import found
from recruit.studies.models import ProtocolVersion, QuestionnaireVersion, Study, VersionStatus
from recruit.studies.questions import asked_keys
from recruit.vocabulary import terms, vocabulary_of
from screening.asking.items import fact_keys
from screening.asking.questionnaire import Document
from screening.language.checks import publishing_problems
from screening.language.criteria import Unconfirmed
from screening.language.emptiness import Emptiness, EmptinessKind, Examination, examine
from screening.language.lowering import LoweredProtocol, lower
from screening.language.protocol import Criterion, Protocol, read_protocol
from screening.language.questions import Resolver
from screening.language.tree import walk
from screening.saying import Saying
from screening.slips import N_
from screening.vocabulary import Key, Vocabulary

if TYPE_CHECKING:
    from screening.editor.crowd import Crowd


class ReasonCode(StrEnum):
    """What can be said about a draft before it is published."""

    RULE = "rule"
    NOBODY = "nobody"
    CONTRADICTION = "contradiction"
    NO_QUESTION = "no_question"
    NOT_IN_LANGUAGE = "not_in_language"
    EVERYBODY = "everybody"
    NOT_PROVED = "not_proved"
    NOBODY_FOUND = "nobody_found"
    HARDLY_ANYBODY = "hardly_anybody"


REFUSING = frozenset(
    {
        ReasonCode.RULE,
        ReasonCode.NOBODY,
        ReasonCode.CONTRADICTION,
        ReasonCode.NO_QUESTION,
        ReasonCode.NOT_IN_LANGUAGE,
    }
)


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing to put right or to look at, with the criteria and the fact that it is about.

    `fact` fills the sentence's ``%(fact)s`` in the reader's language.
    """

    code: ReasonCode
    sentence: Saying
    criteria: tuple[str, ...] = ()
    fact: Key | None = None

    @property
    def refuses(self) -> bool:
        """Whether publishing waits for it."""
        return self.code in REFUSING

    def saying(self, language: str = "en") -> Saying:
        """Give the sentence for a reader of a language, who calls the fact by its name there."""
        if self.fact is None:
            return self.sentence
        named = {**self.sentence.values, "fact": self.fact.text("label", language)}
        return Saying(self.sentence.sentence, named)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Everything there is to say about a draft: what refuses it, what to look at, and what is still text."""

    reasons: tuple[Reason, ...]
    warnings: tuple[Reason, ...]
    still_text: tuple[Criterion, ...]


def reasons_against(session: Session, version: ProtocolVersion, *, on: date) -> tuple[Reason, ...]:
    """List everything that keeps a draft from being published on a day."""
    protocol = read_protocol(version.document)
    vocabulary = vocabulary_of(session, version.study_id)
    broken = tuple(_rules(protocol, vocabulary))
    if broken:
        return broken
    study = found(session, Study, version.study_id)
    document = newest_questions(session, study.id)
    return (
        *(one for one in _proved(protocol, vocabulary, on) if one.refuses),
        *_unasked(protocol, document, study.icf_languages, vocabulary),
    )


def readiness(session: Session, version: ProtocolVersion, *, on: date) -> Readiness:
    """Look at a draft as it would be published on a day; people are made up only where nobody is ruled out."""
    protocol = read_protocol(version.document)
    vocabulary = vocabulary_of(session, version.study_id)
    reasons = reasons_against(session, version, on=on)
    warnings: list[Reason] = []
    if not any(one.code is ReasonCode.RULE for one in reasons):
        warnings += (one for one in _proved(protocol, vocabulary, on) if not one.refuses)
    if not any(one.code in _PROVED_OR_BROKEN for one in reasons):
        warnings += _tried(protocol, vocabulary, on)
    return Readiness(reasons, tuple(warnings), still_text(protocol))


_PROVED_OR_BROKEN = frozenset({ReasonCode.RULE, ReasonCode.NOBODY, ReasonCode.CONTRADICTION})


def still_text(protocol: Protocol) -> tuple[Criterion, ...]:
    """List the criteria that are text, wholly or in part: nobody made it a rule, a site's check or a note."""
    return tuple(one for one in protocol.criteria if _has_text(one))


def _has_text(one: Criterion) -> bool:
    trees = [tree for tree in (one.tree, one.unless) if tree is not None]
    return any(isinstance(part, Unconfirmed) for tree in trees for part in walk(tree))


def numbers(version: ProtocolVersion, criteria: Collection[str]) -> dict[str, str]:
    """Give the protocol's own number of each criterion, or its id where it has none."""
    protocol = read_protocol(version.document)
    return {one.id: one.number or one.id for one in protocol.criteria if one.id in criteria}


def newest_questions(session: Session, study_id: UUID) -> Document | None:
    """Give a study's newest questions, be they published or on their way."""
    newest = session.scalar(
        sa.select(QuestionnaireVersion)
        .where(QuestionnaireVersion.study_id == study_id)
        .where(QuestionnaireVersion.status != VersionStatus.WITHDRAWN)
        .order_by(QuestionnaireVersion.number.desc())
        .limit(1)
    )
    return None if newest is None else Document.model_validate(newest.document)


def unasked_facts(protocol: Protocol, document: Document | None, vocabulary: Vocabulary) -> tuple[Key, ...]:
    """List what participants know and the criteria need, but no question of a document asks."""
    asked = {key for item in document.items for key in fact_keys(item)} if document is not None else set()
    needed = asked_keys(protocol, vocabulary=vocabulary, terms=terms())
    return tuple(one.key for one in needed if one.key.name not in asked)


def _rules(protocol: Protocol, vocabulary: Vocabulary) -> Iterator[Reason]:
    for one in publishing_problems(protocol, vocabulary=vocabulary, terms=terms()):
        if not one.blocking:
            continue
        of = (one.criterion,) if one.criterion else ()
        why = (
            Saying(N_("Criterion %(number)s: %(why)s"), {"number": _numbers(protocol, of), "why": one.saying})
            if of
            else one.saying
        )
        yield Reason(ReasonCode.RULE, why, of)


def _unasked(
    protocol: Protocol, document: Document | None, languages: Collection[str], vocabulary: Vocabulary
) -> Iterator[Reason]:
    """Name the facts without a question, and those whose question is not worded in a language in use."""
    lacking = unasked_facts(protocol, document, vocabulary)
    if document is None:
        if lacking:
            none = N_(
                "No questionnaire exists yet, and participants know %(facts)s of the facts that are needed."
            )
            yield Reason(ReasonCode.NO_QUESTION, Saying(none, {"facts": len(lacking)}))
        return
    for key in lacking:
        of = _reading(protocol, key, vocabulary)
        saying = Saying(
            N_("No question asks for “%(fact)s”, which participants know (criteria: %(numbers)s)."),
            {"numbers": _numbers(protocol, of)},
        )
        yield Reason(ReasonCode.NO_QUESTION, saying, of, key)
    for one in asked_keys(protocol, vocabulary=vocabulary, terms=terms()):
        for language in _unworded(document, one.key.name, languages) if one.key not in lacking else ():
            saying = Saying(
                N_("The question for “%(fact)s” has no words in %(language)s."), {"language": language}
            )
            yield Reason(ReasonCode.NOT_IN_LANGUAGE, saying, _reading(protocol, one.key, vocabulary), one.key)


def _unworded(document: Document, key: str, languages: Collection[str]) -> Iterator[str]:
    items = [item for item in document.items if key in fact_keys(item)]
    for language in dict.fromkeys((*languages, *document.languages)):
        if not any(item.text.has(language) for item in items):
            yield language


def _reading(protocol: Protocol, key: Key, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Name the criteria that read a fact."""
    alone = (one.model_copy(update={"parent": None, "cohorts": ()}) for one in protocol.criteria)
    return tuple(
        one.id
        for one in alone
        if key.name
        in {
            asked.key.name
            for asked in asked_keys(
                protocol.model_copy(update={"criteria": (one,)}), vocabulary=vocabulary, terms=terms()
            )
        }
    )


def _numbers(protocol: Protocol, criteria: Collection[str]) -> str:
    """Give the protocol's own numbers of criteria."""
    return ", ".join(one.number or one.id for one in protocol.criteria if one.id in criteria)


_PROOFS = {
    EmptinessKind.NOBODY: (
        ReasonCode.NOBODY,
        N_("Criterion %(numbers)s lets nobody pass: what it asks for cannot be."),
    ),
    EmptinessKind.CONTRADICTION: (
        ReasonCode.CONTRADICTION,
        N_("Criteria %(numbers)s exclude one another: nobody can pass all of them."),
    ),
    EmptinessKind.EVERYBODY: (
        ReasonCode.EVERYBODY,
        N_("Everybody passes criterion %(numbers)s. Does the rule say what the text says?"),
    ),
}
_IN_COHORT = N_("Cohort %(cohort)s: %(why)s")


def _proved(protocol: Protocol, vocabulary: Vocabulary, on: date) -> Iterator[Reason]:
    """Word what was proved."""
    proofs = _examined(protocol.digest, vocabulary.version, on, _Held(protocol, vocabulary))
    for proof in proofs.found:
        yield _worded(protocol, proof)
    if not proofs.is_complete:
        too_many = Saying(
            N_("The criteria can be met in too many ways to tell whether they exclude one another.")
        )
        yield Reason(ReasonCode.NOT_PROVED, too_many)


def _worded(protocol: Protocol, proof: Emptiness) -> Reason:
    code, sentence = _PROOFS[proof.kind]
    saying = Saying(sentence, {"numbers": _numbers(protocol, proof.criteria)})
    if proof.cohort:
        saying = Saying(_IN_COHORT, {"cohort": proof.cohort, "why": saying})
    return Reason(code, saying, proof.criteria)


def _tried(protocol: Protocol, vocabulary: Vocabulary, on: date) -> Iterator[Reason]:
    """Say what parts the made-up people where none of them passes."""
    people = _gathered(protocol.digest, vocabulary.version, on, _Held(protocol, vocabulary))
    if people.passing:
        return
    none = Saying(N_("None of %(people)s made-up people passes."), {"people": f"{people.people:,}"})
    yield Reason(ReasonCode.NOBODY_FOUND, none)
    for parting in people.partings:
        values = {"numbers": _numbers(protocol, parting.criteria), "passing": f"{parting.passing:,}"}
        sentence = (
            N_("%(passing)s of them pass both criteria %(numbers)s.")
            if len(parting.criteria) > 1
            else N_("%(passing)s of them pass criterion %(numbers)s.")
        )
        yield Reason(ReasonCode.HARDLY_ANYBODY, Saying(sentence, values), parting.criteria)


class _Held:
    """What a cache carries but does not compare: the hashes of both stand beside it."""

    def __init__(self, protocol: Protocol, vocabulary: Vocabulary) -> None:
        self.protocol, self.vocabulary = protocol, vocabulary

    @property
    def lowered(self) -> LoweredProtocol:
        """The criteria, ready to reason about."""
        return lower(self.protocol, resolver=Resolver(self.vocabulary, terms()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=64)
def _examined(digest: str, version: str, on: date, held: _Held) -> Examination:
    """Look for proofs, once for each content and day."""
    return examine(held.lowered, on=on, vocabulary=held.vocabulary, terms=terms())


@lru_cache(maxsize=64)
def _gathered(digest: str, version: str, on: date, held: _Held) -> Crowd:
    """Make people up, once for each content and day."""
    from screening.editor.crowd import crowd  # here for the start: only drafts are tried on a crowd

    return crowd(held.lowered, on=on, vocabulary=held.vocabulary, terms=terms())
