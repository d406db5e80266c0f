"""A protocol as one SELECT: a column for each criterion, from the lowered tree, on one day.

1 is "passes", -1 "rules out" and 0 "unknown". Whoever is `doubtful` holds
facts that have to be weighed one against the other, and the interpreter has to
tell: their columns mean nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from screening.errors import NotInTables
from screening.language.criteria import Coded, Distinct, Leaf
from screening.language.lowering import (
    AtomRef,
    Conjunction,
    Const,
    Disjunction,
    Lowered,
    LoweredProtocol,
    Negation,
    Switch,
    Threshold,
)
from screening.sql.coded import coded_sql
from screening.sql.expressions import (
    FALSE,
    TRUE,
    UNKNOWN,
    Judged,
    all_true,
    any_true,
    as_number,
    chosen,
    opposite,
)
from screening.sql.scalar import SCALARS, Day, scalar_sql
from screening.sql.sources import Sources
from screening.sql.tables import PoolTables
from screening.terms import Terms
from screening.verdict import Kleene
from screening.vocabulary import Vocabulary

_CONSTANTS: Final = {Kleene.MET: TRUE, Kleene.NOT_MET: FALSE, Kleene.UNKNOWN: UNKNOWN}


@dataclass(frozen=True, slots=True)
class Judging:
    """A protocol in SQL on one day, for the tables of one pool.

    `criteria` and `applies` are conditions, in the order of the criteria, over the
    columns of `source`, which is what stands behind FROM; `fit` is false for whom
    a criterion rules out, in the best cohort that is not closed.
    """

    protocol: str
    snapshot: str
    on: date
    ids: tuple[str, ...]
    criteria: tuple[str, ...]
    applies: tuple[str, ...]
    fit: str
    source: str

    @property
    def verdicts(self) -> str:
        """The SELECT of everybody: slot, a column for each criterion, whether nothing rules out, doubtful."""
        columns = [f"{_verdict(one)} AS c{place}" for place, one in enumerate(self.criteria)]
        return self._select([*columns, f"{as_number(self.fit)} AS fit"])

    @property
    def applicability(self) -> str:
        """The SELECT of everybody: slot, a column for each criterion that tells if it applies, doubtful."""
        return self._select(f"{_verdict(one)} AS c{place}" for place, one in enumerate(self.applies))

    @property
    def tallies(self) -> str:
        """The SELECT of one row: the sum of each criterion's column over everybody, the doubtful included."""
        return f"SELECT {', '.join(f'SUM({_verdict(one)})' for one in self.criteria)} FROM {self.source}"

    @property
    def not_ineligible(self) -> str:
        """The SELECT of those whom nothing rules out, and of everybody doubtful: slot, doubtful."""
        return f"SELECT slot, doubtful FROM {self.source} WHERE {self.fit} OR doubtful = 1"

    def _select(self, columns: Iterable[str]) -> str:
        return f"SELECT {', '.join(('slot', *columns, 'doubtful'))} FROM {self.source}"


def judging(
    lowered: LoweredProtocol,
    pool: PoolTables,
    *,
    on: date,
    vocabulary: Vocabulary,
    terms: Terms,
    closed_cohorts: Collection[str] = (),
) -> Judging:
    """Write a lowered protocol as SQL for a day.

    :raises NotInTables: when the tables were made with other terms or an earlier version of a key,
        or a leaf is of a kind that they do not know.
    """
    if pool.snapshot.terms != terms.version:
        raise NotInTables(f"the tables were made with terms {pool.snapshot.terms}, not {terms.version}")
    day = Day(on, lowered.protocol.anchor_days(on), vocabulary, pool)
    sources = Sources()
    leaves = [_leaf(atom.leaf, day, terms, sources) for atom in lowered.atoms]
    layers = Layers()
    passes = [layers.of(one.passes) for one in lowered.criteria]
    applies = [layers.of(one.part.applies) for one in lowered.criteria]
    return Judging(
        protocol=lowered.digest,
        snapshot=pool.snapshot.version,
        on=on,
        ids=tuple(one.criterion.id for one in lowered.criteria),
        criteria=tuple(passes),
        applies=tuple(applies),
        fit=_fit(lowered, passes, closed_cohorts),
        source=layers.over(_judged_leaves(leaves, sources)),
    )


def _leaf(leaf: Leaf, day: Day, terms: Terms, sources: Sources) -> Judged:
    if isinstance(leaf, SCALARS):
        return scalar_sql(leaf, day, sources)
    if isinstance(leaf, Coded | Distinct):
        return coded_sql(leaf, day, terms, sources)
    raise NotInTables(f"no SQL for {type(leaf).__name__}")


def _judged_leaves(leaves: Sequence[Judged], sources: Sources) -> str:
    doubtful = as_number(any_true(leaf.doubt for leaf in leaves))
    columns = [f"{leaf.value} AS a{place}" for place, leaf in enumerate(leaves)]
    return f"SELECT {', '.join(('p.slot AS slot', *columns, f'{doubtful} AS doubtful'))} FROM {sources.text()}"


def _verdict(condition: str) -> str:
    return f"COALESCE(CAST({condition} AS INTEGER) * 2 - 1, 0)"


def _fit(lowered: LoweredProtocol, passes: Sequence[str], closed: Collection[str]) -> str:
    judged = list(zip(lowered.criteria, passes, strict=True))

    def standing(cohort: str | None) -> str:
        own = (
            condition
            for one, condition in judged
            if (cohort in one.criterion.cohorts if cohort else not one.criterion.cohorts)
        )
        return all_true(f"COALESCE({condition}, TRUE)" for condition in own)

    cohorts = [cohort.id for cohort in lowered.protocol.cohorts]
    left = [one for one in cohorts if one not in closed] or cohorts
    return all_true((standing(None), any_true(map(standing, left)) if cohorts else TRUE))


@dataclass(slots=True)
class Layers:
    """Writes nodes over the columns of leaves.

    What a node would have to spell out several times becomes a column first, a layer above what it is made of.
    """

    names: dict[Lowered, str] = field(default_factory=dict)
    columns: list[list[str]] = field(default_factory=list)

    def over(self, leaves: str) -> str:
        """Write what stands behind FROM."""
        source = f"({leaves}) l0"
        for height, columns in enumerate(self.columns, start=1):
            source = f"(SELECT l{height - 1}.*, {', '.join(columns)} FROM {source}) l{height}"
        return source

    def of(self, node: Lowered) -> str:
        """Write a node."""
        match node:
            case AtomRef(index):
                return f"a{index}"
            case Const(value):
                return _CONSTANTS[value]
            case Negation(of):
                return opposite(self.of(of))
            case Conjunction(of):
                return all_true(map(self.of, of))
            case Disjunction(of):
                return any_true(map(self.of, of))
            case Threshold(wanted, of):
                return _at_least(wanted, [self.named(part) for part in of])
            case Switch(branches):
                return _switch([(self.named(when), self.named(then)) for when, then in branches])

    def named(self, node: Lowered) -> str:
        """Write a node as a column, unless it is one already."""
        if isinstance(node, AtomRef | Const):
            return self.of(node)
        found = self.names.get(node)
        if found is None:
            condition, height = self.of(node), _height(node)
            found = self.names[node] = f"n{len(self.names)}"
            self.columns.extend([] for _ in range(height + 1 - len(self.columns)))
            self.columns[height].append(f"{condition} AS {found}")
        return found


def _height(node: Lowered) -> int:
    """Count the layers that a node stands on."""
    match node:
        case AtomRef() | Const():
            return 0
        case Negation(of):
            return _height(of)
        case Conjunction(of) | Disjunction(of):
            return max(map(_height, of), default=0)
        case Threshold(_, of):
            return max(map(_height_as_column, of), default=0)
        case Switch(branches):
            return max(_height_as_column(part) for branch in branches for part in branch)


def _height_as_column(node: Lowered) -> int:
    return 0 if isinstance(node, AtomRef | Const) else _height(node) + 1


def _at_least(wanted: int, parts: Sequence[str]) -> str:
    if wanted <= 0:
        return TRUE
    if wanted > len(parts):
        return FALSE
    surely = " + ".join(map(as_number, parts))
    perhaps = " + ".join(as_number(f"COALESCE({part}, TRUE)") for part in parts)
    return chosen([(f"{surely} >= {wanted}", TRUE), (f"{perhaps} < {wanted}", FALSE)], otherwise=UNKNOWN)


def _switch(branches: Sequence[tuple[str, str]]) -> str:
    """Write a case: a branch that is taken, or all branches that can be reached."""
    reached = [f"COALESCE({when}, TRUE)" for when, _ in branches]
    taken = any_true(all_true((when, then)) for when, then in branches)
    every = all_true(
        chosen([(near, then)], otherwise=TRUE) for near, (_, then) in zip(reached, branches, strict=True)
    )
    return chosen([(any_true(reached), any_true((taken, every)))], otherwise=UNKNOWN)
