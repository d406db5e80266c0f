"""Sets of codes: what lies within what, and what merely overlaps.

A code stands for itself and all its descendants. Whatever the terminology,
that is a handful of half-open spans over sortable positions, so that "within"
and "overlaps" need no table of ancestors. ICD-10-CM and ATC sort as they are
written: a category is a prefix, a block is a range of categories.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

from screening.facts import Code
from screening.saying import Saying
from screening.slips import N_

ICD10CM: Final = "icd-10-cm"
ATC: Final = "atc"
EVERYTHING: Final = "*"
EITHER: Final = "+"
"""Between codes: somebody has one of these, nobody knows which, as in "B20+Z21"."""


Span = tuple[str, str]
"""From this position up to, not including, that one."""

_LAST: Final = "\U0010ffff"
_ICD_CODE: Final = re.compile(r"[A-Z][0-9][0-9A-Z](\.?[0-9A-Z]{1,4})?")
_ICD_BLOCK: Final = re.compile(r"([A-Z][0-9][0-9A-Z])-([A-Z][0-9][0-9A-Z])")
_ATC_INGREDIENT: Final = 7
_ATC_CODE: Final = re.compile(r"[A-DGHJL-NPRSV](\d{2}([A-Z]([A-Z](\d{2})?)?)?)?")
_ATC_LEVELS: Final = (1, 3, 4, 5, 7)


@dataclass(frozen=True, slots=True)
class Components:
    """What a code contains besides itself: of a fixed combination, its substances.

    `sure` is what everything of the code contains, `possible` what something
    of it may. `instead` is what stands in its place where kinds are counted
    and none of the substances lies below the code. `is_complete`: a single
    substance, or a combination of which `sure` names them all.
    """

    sure: tuple[Code, ...] = ()
    possible: tuple[Code, ...] = ()
    instead: tuple[Code, ...] = ()
    is_complete: bool = True


NO_COMPONENTS: Final = Components()


class Terms(Protocol):
    """A terminology, as far as verdicts need it."""

    @property
    def version(self) -> str:
        """What a stored assessment names, to be replayed against the same tables."""

    def spans(self, code: Code) -> tuple[Span, ...]:
        """Give the positions of a code with all its descendants."""

    def components(self, code: Code) -> Components:
        """Give what a code contains besides itself."""

    def problem(self, code: Code) -> Saying | None:
        """Say what is wrong with a code as somebody wrote it, or nothing."""


class PrefixTerms:
    """ICD-10-CM and ATC by the way their codes are written; any other system is flat.

    It does not know which codes exist: a block is not within the list of its
    known categories, and stays unknown there rather than guessed. Nor does it
    know what combinations contain; `combinations.packaged_terms` does.
    """

    version = "prefix-1"

    def spans(self, code: Code) -> tuple[Span, ...]:
        """Give the positions of a code with all its descendants; the release plays no part."""
        return _spans(code.system, code.code)

    def components(self, code: Code) -> Components:
        """Give what a code contains besides itself: nothing that its spelling would tell."""
        return NO_COMPONENTS

    def problem(self, code: Code) -> Saying | None:
        """Say what is wrong with a code as somebody wrote it, or nothing."""
        found = (_problem(code.system, text) for text in code.code.split(EITHER))
        return next((problem for problem in found if problem), None)


def atc_ancestors(code: str) -> tuple[str, ...]:
    """Give the classes above an ATC code, from the first level down: A, A10, A10B, A10BA for A10BA02."""
    return tuple(code[:length] for length in _ATC_LEVELS if length < len(code))


def _problem(system: str, text: str) -> Saying | None:
    if text == EVERYTHING:
        return None
    if system == ICD10CM:
        block = _ICD_BLOCK.fullmatch(text)
        if block is not None and block[1] > block[2]:
            return Saying(N_("The block %(code)s ends before it begins."), {"code": text})
        if block is None and not _ICD_CODE.fullmatch(text):
            return Saying(N_("%(code)s is not written like an ICD-10-CM code."), {"code": text})
    if system == ATC and not _ATC_CODE.fullmatch(text):
        return Saying(N_("%(code)s is not written like an ATC code."), {"code": text})
    return None


def may_have_parts(code: Code) -> bool:
    """Tell whether a code may have narrower ones: an ingredient of the ATC has none, nor has a flat system."""
    if code.system == ATC:
        return EITHER in code.code or len(code.code) < _ATC_INGREDIENT
    return code.system == ICD10CM or code.code == EVERYTHING


@lru_cache(maxsize=16384)
def _spans(system: str, code: str) -> tuple[Span, ...]:
    if EITHER in code:
        return _merged(span for part in code.split(EITHER) for span in _spans(system, part))
    if code == EVERYTHING:
        return (("", _LAST),)
    if system == ICD10CM:
        block = _ICD_BLOCK.fullmatch(code)
        first, last = (block[1], block[2]) if block else (code.replace(".", ""),) * 2
        return ((first, _after(last)),)
    if system == ATC:
        return ((code, _after(code)),)
    return ((code, code + "\0"),)


def _after(prefix: str) -> str:
    """Give the first position after everything that begins with a prefix."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1) if prefix else _LAST


@dataclass(frozen=True, slots=True)
class CodeSet:
    """Spans by code system, sorted and without overlaps."""

    spans: Mapping[str, tuple[Span, ...]]

    @classmethod
    def of(cls, terms: Terms, roots: Iterable[Code], but: Iterable[Code] = ()) -> CodeSet:
        """Collect roots with all descendants, less excluded roots with theirs."""
        collected: dict[str, list[Span]] = {}
        for code in roots:
            collected.setdefault(code.system, []).extend(terms.spans(code))
        whole = cls({system: _merged(spans) for system, spans in collected.items()})
        excluded = tuple(but)
        return whole.minus(cls.of(terms, excluded)) if excluded else whole

    @property
    def is_empty(self) -> bool:
        """Whether no code is in the set."""
        return not any(self.spans.values())

    def union(self, other: CodeSet) -> CodeSet:
        """Join two sets."""
        systems = {*self.spans, *other.spans}
        return CodeSet(
            {system: _merged([*self.spans.get(system, ()), *other.spans.get(system, ())]) for system in systems}
        )

    def minus(self, other: CodeSet) -> CodeSet:
        """Take another set away."""
        return CodeSet(
            {system: _without(spans, other.spans.get(system, ())) for system, spans in self.spans.items()}
        )

    def within(self, other: CodeSet) -> bool:
        """Tell whether every code of this set is in the other."""
        return all(
            any(theirs[0] <= mine[0] and mine[1] <= theirs[1] for theirs in other.spans.get(system, ()))
            for system, spans in self.spans.items()
            for mine in spans
        )

    def overlaps(self, other: CodeSet) -> bool:
        """Tell whether the two sets share a code."""
        return any(
            mine[0] < theirs[1] and theirs[0] < mine[1]
            for system, spans in self.spans.items()
            for mine in spans
            for theirs in other.spans.get(system, ())
        )


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)


def _without(spans: tuple[Span, ...], holes: tuple[Span, ...]) -> tuple[Span, ...]:
    left: list[Span] = []
    for start, end in spans:
        for hole_start, hole_end in holes:
            if hole_end <= start or hole_start >= end:
                continue
            if hole_start > start:
                left.append((start, hole_start))
            start = max(start, hole_end)
        if start < end:
            left.append((start, end))
    return tuple(left)
