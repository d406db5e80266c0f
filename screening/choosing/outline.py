"""A study ready to be asked for: its criteria as one tree, and which leaves each of its questions can move.

Worked out once per version; nothing in it depends on a person or a day.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from screening.asking.items import ChoiceItem, Day, Item, assertions, fact_keys
from screening.asking.questionnaire import Document
from screening.assessment.assess import is_open
from screening.assessment.evidence import Scene
from screening.assessment.leaves import find_leaves
from screening.facts import Absence, Denial, Facts, Statement, Value
from screening.language.criteria import Age, Coded, CodedStatus, Distinct, Number, When, coded_part
from screening.language.lowering import (
    AtomRef,
    Const,
    Lowered,
    LoweredCriterion,
    LoweredProtocol,
    Negation,
    Switch,
    conjoin,
    disjoin,
)
from screening.language.questions import Atom
from screening.terms import CodeSet, Terms
from screening.vocabulary import Vocabulary

_ANY_DAY = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Study:
    """One study that asks: its criteria, its questionnaire and the vocabulary of both.

    `weight` says how much its answer counts beside those of other studies.
    """

    id: str
    lowered: LoweredProtocol
    document: Document
    vocabulary: Vocabulary
    closed_cohorts: frozenset[str] = frozenset()
    weight: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """A study with what can be said of its questions before anybody answers.

    `root` is not met exactly where the study's disposition is *ineligible*.
    `moves` are the atoms that an item's answer may change, `movers` the same
    the other way round, `parts` the cohorts that count with their criteria.
    """

    study: Study
    terms: Terms
    root: Lowered
    cohorts: tuple[tuple[int, ...], ...]
    shared: tuple[int, ...]
    atoms_in: tuple[frozenset[int], ...]
    moves: Mapping[str, frozenset[int]]
    movers: tuple[frozenset[str], ...]
    timeless: tuple[bool, ...]
    blank: tuple[tuple[int, bool], ...]

    @property
    def criteria(self) -> tuple[LoweredCriterion, ...]:
        """The criteria, cohorts' own included."""
        return self.study.lowered.criteria

    def item(self, item_id: str) -> Item:
        """Give an item of the questionnaire.

        :raises KeyError: there is none
        """
        item = self.study.document.item(item_id)
        if item is None:
            raise KeyError(item_id)
        return item


def outline(study: Study, terms: Terms) -> Outline:
    """Work out what a study's questions can change."""
    lowered = study.lowered
    atoms = lowered.atoms
    moves = {item.id: _moved(item, atoms, study.vocabulary, terms) for item in study.document.items}
    movers = tuple(
        frozenset(item for item, moved in moves.items() if place in moved) for place in range(len(atoms))
    )
    shared, cohorts = _in_play(lowered, study.closed_cohorts)
    scene = Scene(Facts(), _ANY_DAY, study.vocabulary, terms, lowered.protocol.anchor_days(_ANY_DAY))
    blank = tuple(
        (int(found.value), is_open(atom, found, study.vocabulary))
        for atom, found in zip(atoms, find_leaves(atoms, scene), strict=True)
    )
    return Outline(
        study=study,
        terms=terms,
        root=_root(lowered, shared, cohorts),
        cohorts=cohorts,
        shared=shared,
        atoms_in=tuple(frozenset(_atoms(one.passes)) for one in lowered.criteria),
        moves=moves,
        movers=movers,
        timeless=tuple(_is_timeless(atom) for atom in atoms),
        blank=blank,
    )


def is_locked(atom: Atom, value: int) -> bool:
    """Tell whether nothing said later can take a verdict back: "has it ever been" with one that was."""
    leaf = atom.leaf
    if value < 1 or not isinstance(leaf, Coded) or leaf.status is not CodedStatus.EVER:
        return False
    bounds = (leaf.window, leaf.for_at_least, leaf.unchanged_for, leaf.dose)
    return not leaf.routes and all(bound is None for bound in bounds)


def _in_play(
    lowered: LoweredProtocol, closed: Collection[str]
) -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]:
    """Give the shared criteria, and those of each cohort that is not closed; of all where none is left."""
    criteria = [one.criterion for one in lowered.criteria]
    names = [cohort.id for cohort in lowered.protocol.cohorts]
    names = [name for name in names if name not in closed] or names
    own = tuple(tuple(i for i, one in enumerate(criteria) if name in one.cohorts) for name in names)
    return tuple(i for i, one in enumerate(criteria) if not one.cohorts), own


def _root(lowered: LoweredProtocol, shared: tuple[int, ...], cohorts: tuple[tuple[int, ...], ...]) -> Lowered:
    def every(places: Collection[int]) -> Lowered:
        return conjoin(lowered.criteria[place].passes for place in places)

    return conjoin((every(shared), *([disjoin(every(own) for own in cohorts)] if cohorts else [])))


def _atoms(node: Lowered) -> Iterator[int]:
    match node:
        case AtomRef(index):
            yield index
        case Const():
            return
        case Negation(of):
            yield from _atoms(of)
        case Switch(branches):
            for branch in branches:
                yield from (atom for part in branch for atom in _atoms(part))
        case _:
            yield from (atom for part in node.of for atom in _atoms(part))


def _moved(item: Item, atoms: tuple[Atom, ...], vocabulary: Vocabulary, terms: Terms) -> frozenset[int]:
    """Find the leaves that an answer to an item may change: by its keys, or by the codes that it speaks of."""
    said = list(_says(item))
    keys = {key for key, _ in said}
    codes = [codes for _, value in said if (codes := _codes(value, terms)) is not None]
    return frozenset(
        place
        for place, atom in enumerate(atoms)
        if _hears_people(atom)
        and (keys.intersection(_keys(atom, vocabulary)) or _speaks_of(atom, codes, terms))
    )


def _hears_people(atom: Atom) -> bool:
    weakest = atom.leaf.decides_from
    return weakest is None or weakest.is_participant


def _says(item: Item) -> Iterator[tuple[str, Value | Absence | None]]:
    if isinstance(item, ChoiceItem):
        yield from ((one.key, one.value) for one in assertions(item))
    elif isinstance(item, Day) and item.key is not None:
        yield item.key, item.statement
    else:
        yield from ((key, None) for key in fact_keys(item))


def _codes(value: Value | Absence | None, terms: Terms) -> CodeSet | None:
    match value:
        case Statement():
            return CodeSet.of(terms, (value.code,))
        case Denial():
            return CodeSet.of(terms, value.codes, value.but)
        case _:
            return None


def _speaks_of(atom: Atom, said: Collection[CodeSet], terms: Terms) -> bool:
    leaf = coded_part(atom.leaf)
    if leaf is None or not said:
        return False
    wanted = CodeSet.of(terms, leaf.codes, leaf.but)
    return any(codes.overlaps(wanted) for codes in said)


def _keys(atom: Atom, vocabulary: Vocabulary) -> frozenset[str]:
    """Name every key that a leaf reads, what is computed from what is computed included."""
    own = getattr(atom.leaf, "key", None)
    found: set[str] = set()
    waiting = [*atom.keys, *([own] if own else [])]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            key = vocabulary.get(name)
            waiting.extend(key.computed.inputs if key is not None and key.computed is not None else ())
    return frozenset(found)


def _is_timeless(atom: Atom) -> bool:
    """Tell whether a leaf stays as it is while no fact changes and none grows old."""
    leaf = atom.leaf
    coded = leaf.of if isinstance(leaf, Distinct) else leaf
    match coded:
        case Age() | When():
            return False
        case Number():
            return coded.window is None
        case Coded():
            return coded.window is None and coded.for_at_least is None and coded.unchanged_for is None
        case _:
            return True
