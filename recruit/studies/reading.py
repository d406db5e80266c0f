"""Versions read into what they say, each once: reading a questionnaire takes longer than showing a page."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Generic, TypeVar
from uuid import UUID

from recruit.studies.models import ProtocolVersion, QuestionnaireVersion
from screening.asking.questionnaire import Document
from screening.language.lowering import LoweredProtocol, lower
from screening.language.protocol import Protocol, read_protocol
from screening.language.questions import Resolver
from screening.terms import Terms
from screening.vocabulary import Vocabulary

if TYPE_CHECKING:
    from screening.choosing.nextquestion import Plan

_T = TypeVar("_T")


class _Held(Generic[_T]):
    """Something that a cache carries along and does not compare: its hash stands beside it in the key."""

    def __init__(self, value: _T) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held)

    def __hash__(self) -> int:
        return 0


def document_of(version: QuestionnaireVersion) -> Document:
    """Read a version's questions."""
    return _document(version.sha256, _Held(version))


def protocol_of(version: ProtocolVersion) -> Protocol:
    """Read a version's criteria."""
    return _protocol(version.id, version.sha256, _Held(version.document))


def lowered_of(version: ProtocolVersion, *, vocabulary: Vocabulary, terms: Terms) -> LoweredProtocol:
    """Give a version's criteria ready to be judged by.

    :raises UnknownKey: when a criterion names a key that the vocabulary lacks
    """
    protocol = protocol_of(version)
    return _lowered(
        version.id, version.sha256, vocabulary.version, terms.version, _Held((protocol, vocabulary, terms))
    )


def plan_of(
    criteria: ProtocolVersion, questions: QuestionnaireVersion, *, vocabulary: Vocabulary, terms: Terms
) -> Plan:
    """Lay out what criteria need to know from questions whose order is chosen.

    :raises UnknownKey: when a criterion names a key that the vocabulary lacks
    """
    lowered = lowered_of(criteria, vocabulary=vocabulary, terms=terms)
    which = (criteria.id, criteria.sha256, questions.sha256, vocabulary.version, terms.version)
    return _plan(which, _Held((lowered, document_of(questions), vocabulary, terms)))


@lru_cache(maxsize=256)
def _document(sha256: str, held: _Held[QuestionnaireVersion]) -> Document:
    return Document.model_validate(held.value.document)


@lru_cache(maxsize=256)
def _protocol(version_id: UUID, sha256: str, held: _Held[dict[str, object]]) -> Protocol:
    return read_protocol(held.value)


@lru_cache(maxsize=256)
def _lowered(
    version_id: UUID,
    sha256: str,
    vocabulary: str,
    terms: str,
    held: _Held[tuple[Protocol, Vocabulary, Terms]],
) -> LoweredProtocol:
    protocol, words, codes = held.value
    return lower(protocol, resolver=Resolver(words, codes))


@lru_cache(maxsize=64)
def _plan(
    which: tuple[UUID, str, str, str, str],
    held: _Held[tuple[LoweredProtocol, Document, Vocabulary, Terms]],
) -> Plan:
    from screening.choosing.nextquestion import plan  # here for the start: few questionnaires choose
    from screening.choosing.outline import Study

    lowered, document, vocabulary, terms = held.value
    return plan([Study(str(which[0]), lowered, document, vocabulary)], terms=terms)
