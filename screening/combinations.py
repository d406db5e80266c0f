"""What fixed combinations contain, and what a statement of one affirms of it.

A person who takes Janumet takes metformin and sitagliptin, though neither has
its code. The formulary knows what is in a combination; the hierarchy of codes
does not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache, lru_cache

from screening.facts import Code, Statement, StatementStatus
from screening.intervals import DateRange
from screening.medicines import SUBSTANCE, Formulary, packaged_formulary
from screening.terms import ATC, EITHER, EVERYTHING, NO_COMPONENTS, Components, PrefixTerms


class FormularyTerms(PrefixTerms):
    """The hierarchy of codes by their spelling, and what combinations contain by the formulary.

    `version` changes with either.
    """

    def __init__(self, formulary: Formulary) -> None:
        self._formulary = formulary
        self.version = hashlib.sha256(f"{PrefixTerms.version}\0{formulary.version}".encode()).hexdigest()

    def components(self, code: Code) -> Components:
        """Give what a code contains besides itself."""
        return _components(self._formulary, code) if code.system == ATC else NO_COMPONENTS


@cache
def packaged_terms() -> FormularyTerms:
    """Give the terms with the formulary that comes with the package."""
    return FormularyTerms(packaged_formulary())


@lru_cache(maxsize=8192)
def _components(formulary: Formulary, code: Code) -> Components:
    roots = tuple("" if root == EVERYTHING else root for root in code.code.split(EITHER))
    products = [_narrowest(parts) for root in roots for _, parts in formulary.products(root)]
    sure = _narrowest(part.code for part in formulary.components(code))
    possible = (*sure, *(part for parts in products for part in parts))
    astray = [part for parts in products if not any(one.startswith(roots) for one in parts) for part in parts]
    return Components(
        sure=_coded(sure, code.release),
        possible=_coded(possible, code.release),
        instead=_coded(astray or sure, code.release),
        is_complete=all(_substances(formulary, root) == max(len(sure), 1) for root in roots),
    )


def _coded(codes: Iterable[str], release: str) -> tuple[Code, ...]:
    return tuple(Code(ATC, code, release) for code in dict.fromkeys(codes))


def _narrowest(codes: Iterable[str]) -> tuple[str, ...]:
    """Leave classes out that a narrower code of the same combination fills."""
    held = tuple(dict.fromkeys(codes))
    return tuple(one for one in held if not any(other != one and other.startswith(one) for other in held))


def _substances(formulary: Formulary, code: str) -> int:
    """Give how many substances the products of a code have, 0 where that is not known or not the same."""
    counts = {medicine.substances for medicine in formulary.by_code.get(code, ())}
    if not counts:
        return 1 if len(code) == SUBSTANCE else 0
    return counts.pop() if len(counts) == 1 else 0


def component_statements(statement: Statement, components: Iterable[Code]) -> Iterator[Statement]:
    """Make the statements that a combination affirms of its components.

    They only affirm: whoever stopped Janumet may take metformin alone, so a
    past combination leaves its component "at some time". A component may have
    begun before the combination and been taken in another dose, so neither
    the first day, the dose nor the steadiness carries over.
    """
    if statement.status is not StatementStatus.NEVER:
        yield from (_component(statement, code) for code in components)


def _component(statement: Statement, code: Code) -> Statement:
    is_past = statement.status is StatementStatus.PAST
    is_planned = statement.status is StatementStatus.PLANNED
    onset, ended = statement.onset, statement.ended
    if onset is not None and not is_planned:
        onset = None if onset.hi is None else DateRange(None, onset.hi)
    if ended is not None:
        ended = None if ended.lo is None else DateRange(ended.lo, None)
    return replace(
        statement,
        code=code,
        status=StatementStatus.EVER if is_past else statement.status,
        onset=onset,
        ended=ended,
        unchanged_since=None,
        unbroken=statement.unbroken or None,
        last=False,
        dose=None,
    )
