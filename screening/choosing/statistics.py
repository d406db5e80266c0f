"""How often each thing is said to a question, frozen into a version, and what a question costs to answer.

Where nothing was counted, nobody pretends to know. "I don't know" is taken for
4 % and declining for 1 % where they are offered. The rest is even: yes and no,
the options of a choice, the points that `examples` lays along what the
vocabulary calls usual; of a list from which several may be ticked, "none" has
half and the options share the other half, one at a time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Final, NamedTuple

from screening.asking.items import (
    Age,
    CodedList,
    Day,
    DecimalNumber,
    Height,
    Integer,
    Item,
    Multiple,
    NamedList,
    QuantityNumber,
    ShortText,
    StatementPage,
    Weight,
)
from screening.asking.responses import DECLINED, DONT_KNOW
from screening.choosing.examples import NONE, labels
from screening.texts import Respondent
from screening.vocabulary import Sensitivity, Vocabulary

UNINFORMED: Final = "uninformed-1"
"""The version of statistics without a count; changes when the even chances above do."""

_UNKNOWN, _DECLINES = 0.04, 0.01
_PRIOR_PEOPLE: Final = 10
"""How many made-up people the even chances weigh where somebody has counted."""


class Said(NamedTuple):
    """What one person said to a question, and how much that person counts."""

    question: str
    label: str
    weight: float = 1.0


@dataclass(frozen=True)
class Statistics:
    """The counted chances of labels by question; a question without any has even ones."""

    chances: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: MappingProxyType({}))

    @cached_property
    def version(self) -> str:
        """The hash of all chances, or the name of the even ones where nothing was counted."""
        if not self.chances:
            return UNINFORMED
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def of(self, question: str, among: Mapping[str, float]) -> Mapping[str, float]:
        """Give the chances of a question's labels; `among` are the even ones, which name all there are."""
        counted = self.chances.get(question)
        if counted is None:
            return among
        kept = {label: counted.get(label, 0.0) for label in among}
        total = sum(kept.values())
        return {label: chance / total for label, chance in kept.items()} if total > 0 else among

    def to_json(self) -> str:
        """Write the chances in one form only."""
        plain = {question: dict(sorted(chances.items())) for question, chances in sorted(self.chances.items())}
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Statistics:
        """Read what `to_json` wrote.

        :raises ValueError: when it is something else, or a chance is not one
        """
        plain = json.loads(text)
        if not isinstance(plain, dict):
            raise ValueError("statistics are an object of questions")  # noqa: TRY004 - a file, not a caller, is wrong
        return cls(MappingProxyType({str(question): _chances(table) for question, table in plain.items()}))


def _chances(table: object) -> Mapping[str, float]:
    if not isinstance(table, dict):
        raise ValueError("a question's chances are an object of labels")  # noqa: TRY004 - as above
    for label, chance in table.items():
        if isinstance(chance, bool) or not isinstance(chance, int | float) or not 0 <= chance <= 1:
            raise ValueError(f"{label!r} has no chance from 0 to 1")
    return MappingProxyType({str(label): float(chance) for label, chance in table.items()})


def counted(said: Iterable[Said], even: Mapping[str, Mapping[str, float]]) -> Statistics:
    """Freeze what people said into chances; the even ones of a question weigh as much as ten people.

    Only what was said in random order, or weighted by one over the chance of
    being asked, tells how people at large answer: who is asked depends on what
    they said before.
    """
    weights = {
        question: {label: _PRIOR_PEOPLE * c for label, c in table.items()} for question, table in even.items()
    }
    for one in said:
        table = weights.get(one.question)
        if table is not None and one.label in table:
            table[one.label] += one.weight
    return Statistics(
        MappingProxyType(
            {question: MappingProxyType(_shares(table)) for question, table in weights.items() if table}
        )
    )


def _shares(weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {label: weight / total for label, weight in weights.items()}


def even_chances(item: Item, vocabulary: Vocabulary, respondent: Respondent) -> Mapping[str, float]:
    """Give the chances of a question about which nothing is known."""
    said = labels(item, vocabulary, respondent)
    if not said:
        return MappingProxyType({})
    absent = {DONT_KNOW: _UNKNOWN} if item.allow_unknown else {}
    if item.allow_decline:
        absent[DECLINED] = _DECLINES
    left = 1 - sum(absent.values())
    return MappingProxyType({label: left * share for label, share in _even(item, said)} | absent)


def _even(item: Item, said: Sequence[str]) -> Iterable[tuple[str, float]]:
    if not isinstance(item, Multiple | CodedList) or len(said) < 2:
        return [(label, 1 / len(said)) for label in said]
    return [(label, 0.5 if label == NONE else 0.5 / (len(said) - 1)) for label in said]


def burden_of(item: Item) -> float:
    """Give what a question costs, in simple yes-or-no questions; a sensitive one costs twice as much.

    Ours until times from page to page have been measured: to look a number up
    or to read a list takes longer than to say yes or no.
    """
    return _effort(item) * (2.0 if item.sensitivity is Sensitivity.SENSITIVE else 1.0)


def _effort(item: Item) -> float:
    match item:
        case StatementPage():
            return 0.5
        case Multiple() | CodedList():
            return 1.0 + min(len(item.options), 12) / 8
        case Age():
            return 1.0
        case Height() | Weight() | Integer() | DecimalNumber():
            return 1.5
        case Day() | QuantityNumber():
            return 2.0
        case ShortText() | NamedList():
            return 3.0
        case _:
            return 1.0 + max(len(getattr(item, "options", ())) - 2, 0) / 8
