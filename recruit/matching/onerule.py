"""One rule over the pool: how many pass it, how many are unknown and for want of what, how many do not.

The same people are counted as for a whole version, and every set goes through the same book.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from recruit.db import Database, found
from recruit.errors import NotFound, Refused
from recruit.matching import pool
from recruit.matching.counted import Book, Subject, question
from recruit.matching.figures import AskedRule, Lacking, RuleCounted, meaning
from recruit.matching.models import FeasibilityCount
from recruit.studies import reading
from recruit.studies.models import ProtocolVersion, Study
from recruit.vocabulary import terms, vocabulary_of
from screening.editor.samples import slot_of
from screening.language.criteria import Leaf, Node
from screening.language.lowering import LoweredProtocol, lower
from screening.language.notation import write_rule
from screening.language.protocol import Anchor, Criterion, CriterionKind, Protocol
from screening.language.questions import Resolver
from screening.language.tree import walk
from screening.planes.bits import Plane
from screening.planes.pool import Pool
from screening.vocabulary import Vocabulary

_WHOLE = "whole"
"""Names the criterion itself among its leaves, each of which is judged as a criterion of its own."""


@dataclass(frozen=True, slots=True)
class Wanting:
    """A fact that a rule reads, by the first leaf that does; of whom it is unknown, and of whom it alone."""

    leaf: str
    people: Plane
    alone: Plane


@dataclass(frozen=True, slots=True)
class LaidRule:
    """A rule laid over the pool, by person; nothing of it may be shown before it went through the book."""

    about: Subject
    asked: AskedRule
    on: date
    passes: Plane
    unknown: Plane
    fails: Plane
    wanting: tuple[Wanting, ...]


def lay(database: Database, version_id: UUID, criterion_id: str, *, at: datetime) -> LaidRule:
    """Judge everybody who may be counted for a study by one criterion as it stands in a version.

    :raises NotFound: the version has no such criterion
    :raises Refused: it has no rule that reads a fact
    :raises UnknownKey: the rule names a key that the vocabulary lacks
    """
    with database.reading() as session:
        version = found(session, ProtocolVersion, version_id)
        study = found(session, Study, version.study_id)
        protocol = reading.protocol_of(version)
        criterion = next((one for one in protocol.criteria if one.id == criterion_id), None)
        if criterion is None:
            raise NotFound("This version has no such criterion.")
        vocabulary = vocabulary_of(session, study.id)
        facts = _facts(criterion)
        if criterion.rule is None or not facts:
            raise Refused("This rule reads no fact yet, so that nobody can be counted by it.")
        apart = _apart(criterion, facts, protocol.anchors, vocabulary)
        on = pool.day_of(session, study, at=at)
        people = pool.people_of(session, study, at=at)
        judged = Pool(pool.snapshot_of(session, study, people, on=on), terms=terms())
    asked = AskedRule(
        criterion.id,
        meaning(criterion, protocol.anchors),
        write_rule(criterion.rule),
        write_rule(criterion.unless) if criterion.unless is not None else "",
    )
    about = Subject(study.id, version.id, version.sha256)
    return _Judging(judged, apart, on, vocabulary).laid(about, asked, facts)


def keep(session: Session, laid: LaidRule, *, at: datetime) -> FeasibilityCount:
    """Decide which numbers may be shown, and keep them with the sets behind them."""
    book = Book.opened(session, on=laid.on)
    counted = _told(book, laid)
    return book.close(session, laid.about, asked=laid.asked.to_json(), result=counted.to_json(), at=at)


def _told(book: Book, laid: LaidRule) -> RuleCounted:
    """Tell who passes, is unknown and fails before what they lack; who fails is asked for as a version asks."""
    study = str(laid.about.study_id)

    def name(*parts: str) -> str:
        return question(study, "", *parts)

    passes = book.figure(name("passes", laid.asked.meaning), laid.passes)
    unknown = book.figure(name("unknown", laid.asked.meaning), laid.unknown)
    fails = book.figure(question(name("alone", laid.asked.meaning), "least"), laid.fails)
    people = [book.figure(name("lacking", laid.asked.meaning, one.leaf), one.people) for one in laid.wanting]
    alone = [book.figure(name("settled", laid.asked.meaning, one.leaf), one.alone) for one in laid.wanting]
    lacking = (Lacking(one.leaf, *figures) for one, *figures in zip(laid.wanting, people, alone, strict=True))
    return RuleCounted(laid.on, passes, unknown, fails, tuple(lacking))


@dataclass(frozen=True, slots=True)
class _Judging:
    """A pool, and a criterion with its leaves beside it, on one day."""

    pool: Pool
    lowered: LoweredProtocol
    on: date
    vocabulary: Vocabulary

    def laid(self, about: Subject, asked: AskedRule, facts: Mapping[str, Sequence[Node]]) -> LaidRule:
        present = self.pool.snapshot.present
        must, may = self._passing(_WHOLE)
        unknown = present & may & ~must
        lack = [self._unknown(place, len(leaves)) & unknown for place, leaves in enumerate(facts.values())]
        nobody = np.zeros_like(present)
        wanting = []
        for place, leaves in enumerate(facts.values()):
            others = reduce(np.bitwise_or, (one for at, one in enumerate(lack) if at != place), nobody)
            wanting.append(Wanting(write_rule(leaves[0]), lack[place], lack[place] & ~others))
        return LaidRule(about, asked, self.on, present & must, unknown, present & ~may, tuple(wanting))

    def _passing(self, name: str) -> tuple[Plane, Plane]:
        planes = self.pool.criterion(self.lowered, name, on=self.on, vocabulary=self.vocabulary)
        return planes.passes

    def _unknown(self, place: int, number: int) -> Plane:
        """Give for whom a leaf of one fact is unknown."""
        pairs = (self._passing(_leaf_name(place, at)) for at in range(number))
        return reduce(np.bitwise_or, (may & ~must for must, may in pairs))


def _facts(criterion: Criterion) -> dict[str, list[Node]]:
    """Gather the leaves of a criterion by the fact that they read; statements stand each by themselves."""
    facts: defaultdict[str, list[Node]] = defaultdict(list)
    for tree in (criterion.rule, criterion.unless):
        for leaf in walk(tree) if tree is not None else ():
            if isinstance(leaf, Leaf):
                facts[slot_of(leaf) or write_rule(leaf)].append(leaf)
    return facts


def _apart(
    criterion: Criterion,
    facts: Mapping[str, Sequence[Node]],
    anchors: Mapping[str, Anchor],
    vocabulary: Vocabulary,
) -> LoweredProtocol:
    """Make a protocol of a criterion and each of its leaves."""
    whole = criterion.model_copy(update={"id": _WHOLE, "lineage": _WHOLE, "parent": None, "cohorts": ()})
    leaves = (
        Criterion(
            id=_leaf_name(place, at),
            kind=CriterionKind.INCLUSION,
            text=criterion.text,
            evidence=criterion.evidence,
            rule=leaf,
        )
        for place, group in enumerate(facts.values())
        for at, leaf in enumerate(group)
    )
    protocol = Protocol(criteria=(whole, *leaves), anchors=dict(anchors))
    return lower(protocol, resolver=Resolver(vocabulary, terms()))


def _leaf_name(place: int, at: int) -> str:
    return f"fact-{place}-{at}"
