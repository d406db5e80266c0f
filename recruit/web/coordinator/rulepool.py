"""Trying a rule on the pool: how many pass, are unknown for want of what, and do not, as counted last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from recruit import context
from recruit.errors import Refused
from recruit.matching import poolcounts
from recruit.matching.figures import AskedRule, Figure, Lacking, RuleCounted, Why, meaning
from recruit.matching.models import FeasibilityCount
from recruit.studies.models import ProtocolVersion
from recruit.web import fields, languages
from recruit.web.coordinator import frame
from recruit.web.coordinator.frame import Failed
from recruit.web.coordinator.reading import Posted
from recruit.web.coordinator.ruleframe import Opened
from recruit.web.coordinator.version import study_id_of, to_change
from screening.editor.samples import slot_of
from screening.errors import NotationError, UnknownKey
from screening.language.criteria import Leaf
from screening.language.notation import parse_rule
from screening.language.protocol import Criterion
from screening.language.tree import walk

UNKNOWN_FACT = _l(
    "A rule reads a fact that this study does not have. Put the rule right, or add the fact under Details."
)


@dataclass(frozen=True, slots=True)
class Want:
    """A fact that a rule reads, in words, and for how many of those unknown it is lacking."""

    label: str
    people: Figure
    alone: Figure


@dataclass(frozen=True, slots=True)
class Count:
    """One count of a rule: the rule as it read, and what may be shown."""

    row: FeasibilityCount
    rule: str
    unless: str
    counted: RuleCounted
    wants: tuple[Want, ...]
    most_wanted: str
    is_stale: bool

    @property
    def most(self) -> int | None:
        """How many pass at most: those who pass with those who are unknown, where both are of one day."""
        passes, unknown = self.counted.passes, self.counted.unknown
        if passes.number is None or unknown.number is None or passes.since != unknown.since:
            return None
        return passes.number + unknown.number

    @property
    def is_silent(self) -> bool:
        """Whether neither who passes nor who is unknown may be shown."""
        return self.counted.passes.number is None and self.counted.unknown.number is None

    @property
    def hides(self) -> bool:
        """Whether a number is held back because of others."""
        return any(one.hidden is Why.TOO_NEAR for one in self.counted.figures)


@dataclass(frozen=True, slots=True)
class OnPool:
    """What the page says of a rule and the pool: whether it can be counted, the last count, others."""

    may_count: bool
    count: Count | None = None
    earlier: tuple[Count, ...] = ()


def on_pool(shown: Opened) -> OnPool:
    """Give what was counted last for a rule as it reads now, else for the criterion."""
    with context.reading() as session:
        rows = poolcounts.rule_counts_of(session, shown.study.id, shown.criterion.id)
    now = meaning(shown.criterion, shown.protocol.anchors)
    counts = [_count(shown, row, now) for row in rows]
    chosen = next((one for one in counts if not one.is_stale), counts[0] if counts else None)
    earlier = tuple(one for one in counts if one is not chosen)
    return OnPool(_reads_facts(shown.criterion), chosen, earlier)


def count(version_id: UUID, criterion_id: str) -> Failed | None:
    """Count over the pool whom a criterion lets pass, and keep it; tells what is in the way.

    :raises NotFound: there is none, or it is somebody else's
    :raises Forbidden: only a part of the study is within one's scope
    """
    from recruit.matching import onerule  # here for the start: few requests count over a pool

    posted = Posted()
    study_id_of(ProtocolVersion, version_id)
    with context.reading() as session:
        to_change(session, ProtocolVersion, version_id)
    try:
        laid = onerule.lay(context.database(), version_id, criterion_id, at=context.now())
    except UnknownKey:
        posted.fail("", str(UNKNOWN_FACT))
    except Refused as error:
        posted.problems.extend(fields.problems(error))

    def work(session: Session) -> None:
        to_change(session, ProtocolVersion, version_id)
        onerule.keep(session, laid, at=context.now())

    return frame.attempt(posted, work, reason="criterion:count_rule")


def _count(shown: Opened, row: FeasibilityCount, now: str) -> Count:
    asked, counted = AskedRule.from_json(row.asked), RuleCounted.from_json(row.result)
    wants = [Want(_label(shown, one.leaf), one.people, one.alone) for one in counted.lacking]
    return Count(
        row,
        asked.rule,
        asked.unless,
        counted,
        tuple(sorted(wants, key=lambda one: -(one.people.number or 0))),
        _most_wanted(shown, counted.lacking),
        is_stale=asked.meaning != now,
    )


def _most_wanted(shown: Opened, lacking: Sequence[Lacking]) -> str:
    """Name the fact for want of which most are unknown, where the numbers that may be shown tell it."""
    numbers = [one.people.number for one in lacking]
    known = [number for number in numbers if number is not None]
    few = all(one.people.number is not None or one.people.hidden is Why.FEW for one in lacking)
    if not few or not known or max(known) == 0 or known.count(max(known)) != 1:
        return ""
    return _label(shown, lacking[numbers.index(max(known))].leaf)


def _label(shown: Opened, notation: str) -> str:
    """Name the fact that a leaf reads; a statement is told in a sentence."""
    try:
        leaf = parse_rule(notation)
    except NotationError:
        return notation
    if not isinstance(leaf, Leaf):
        return notation
    key = shown.vocabulary.get(slot_of(leaf) or "")
    return key.text("label", languages.current()) if key else shown.telling.leaf(leaf)


def _reads_facts(criterion: Criterion) -> bool:
    trees = (criterion.rule, criterion.unless) if criterion.rule is not None else ()
    return any(isinstance(one, Leaf) for tree in trees if tree is not None for one in walk(tree))
